//! What stands in a backup, one after the other: frames of JSON behind their length, files, rows.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Error;

/// A frame is a few hundred bytes; more is no frame of ours.
const LARGEST: u32 = 1 << 16;

/// What a backup is of; its first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Which program made it.
    pub made_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// Whether the keys are in it.
    pub with_keys: bool,
    /// How many files are in it.
    pub files: usize,
    /// The steps that had made the registry's schema.
    pub migrations: Vec<i64>,
}

/// A frame; what follows it depends on its kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub(super) enum Frame {
    /// The first.
    Contents(Contents),
    /// A file's bytes follow.
    File { path: String, bytes: u64 },
    /// The registry's tables follow.
    Registry,
    /// The last.
    End { rows: u64 },
}

/// Writes a frame.
pub(super) fn put(out: &mut impl Write, frame: &Frame) -> std::io::Result<()> {
    let text = serde_json::to_vec(frame)?;
    let length = u32::try_from(text.len()).map_err(std::io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&text)
}

/// Reads a frame.
pub(super) fn take(input: &mut impl Read) -> Result<Frame, Error> {
    let unread = |error: std::io::Error| Error::Content(error.to_string());
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(unread)?;
    let length = u32::from_be_bytes(length);
    if length > LARGEST {
        return Err(Error::Content("a frame is too large".to_owned()));
    }
    let mut text = vec![0; length as usize];
    input.read_exact(&mut text).map_err(unread)?;
    serde_json::from_slice(&text).map_err(|error| Error::Content(error.to_string()))
}
