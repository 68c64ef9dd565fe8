//! The list of what is handed out.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Said first in every list.
pub const FORMAT: &str = "otori evidence bundle 1";

/// `contents.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contents {
    /// `otori evidence bundle 1`.
    pub format: String,
    /// The log's name.
    pub origin: String,
    /// The incident that the bundle is about; none: every sighting.
    pub incident: Option<i64>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// By whom.
    pub made_by: String,
    /// The files, but for the log's own.
    pub files: Vec<File>,
    /// The messages among them.
    pub messages: Vec<Item>,
}

/// A file that is handed out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Its name in the bundle.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A message that is handed out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Its number in the registry.
    pub message: i64,
    /// `mail`, `phone`, …
    pub channel: String,
    /// When it was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The file with its raw bytes.
    pub raw: String,
    /// The file with its envelope.
    pub envelope: String,
    /// What the log hashed before both ([`crate::evidence::message_hash`]).
    pub salt: String,
}
