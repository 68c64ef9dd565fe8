//! Mail, calls and letters to sightings.

mod config;

pub use config::{Access, Limits, PersonConfig, PhoneConfig, ReceiveConfig, TlsConfig};
