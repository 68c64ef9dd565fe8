//! Mail, calls and letters to sightings.
//!
//! Everything that comes in goes the same way: its transport (SMTP, a webhook, the mail room's page)
//! hands the raw message to the intake and acknowledges it when it is durable; a worker then
//! finds out whom it has reached. The sender learns nothing: nothing is answered, followed, loaded
//! or bounced.
//!
//! This module knows nothing of customer databases, so that an exposed host needs no access to one.

mod acme;
mod authenticate;
mod calendar;
pub mod cdr;
mod config;
#[cfg(fuzzing)]
pub mod doors;
mod error;
mod http;
mod imap;
pub mod ingest;
mod intake;
mod login;
mod lookup;
mod phone;
pub mod post;
pub mod reading;
pub mod report;
pub mod sip;
pub mod smtp;
mod start;
pub mod understand;

pub use acme::AcmeConfig;
pub use authenticate::{AuthConfig, Authenticator, ExpectedConfig};
pub use config::{Limits, LoginConfig, PhoneConfig, PostConfig, ReceiveConfig, TlsConfig};
pub use error::Error;
pub use imap::{ImapConfig, ImapTls, checked as checked_mailboxes};
pub use intake::{Intake, NotStored};
pub use start::{Listeners, Running, start};

use std::time::Duration;

use crate::registry::{self, Accepted};

/// What the registry answers, if it does so within this time: a connection to a server that has
/// vanished can stay silent for many minutes.
async fn in_time<T>(
    most: Duration,
    asked: impl Future<Output = registry::Result<T>>,
) -> registry::Result<T> {
    let answer = tokio::time::timeout(most, asked).await;
    answer.unwrap_or(Err(registry::Error::Silent(most)))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hex; `None` for what is none.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let whole = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        let pair = std::str::from_utf8(pair).ok().filter(|_| whole)?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.map(byte).collect()
}
