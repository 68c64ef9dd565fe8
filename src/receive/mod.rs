//! Mail, calls and letters to sightings.

mod config;
mod error;
mod intake;
pub mod smtp;

pub use config::{Access, Limits, PersonConfig, PhoneConfig, ReceiveConfig, TlsConfig};
pub use error::Error;
pub use intake::{Intake, NotStored};

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
