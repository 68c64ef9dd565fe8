//! Mail, calls and letters to sightings.
//!
//! Everything that comes in goes the same way: its transport (SMTP, a webhook, the mail room's page)
//! hands the raw message to the intake and acknowledges it when it is durable; a worker then
//! finds out whom it has reached. The sender learns nothing: nothing is answered, followed, loaded
//! or bounced.
//!
//! This module knows nothing of customer databases, so that an exposed host needs no access to one.

mod config;
mod error;
mod http;
mod intake;
mod phone;
mod post;
mod secret;
pub mod smtp;
mod start;
pub mod understand;

pub use config::{Access, Limits, PersonConfig, PhoneConfig, ReceiveConfig, TlsConfig};
pub use error::Error;
pub use intake::{Intake, NotStored};
pub use start::{Listeners, Running, start};

use crate::registry::Accepted;

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
