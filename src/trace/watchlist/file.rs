//! A watch list as a file: lines of JSON, the first about the list, then one for each canary.

use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::blind::Entry;
use super::combination::Combination;
use super::dates::Dates;
use super::digest::Cost;
use crate::canary::{BatchId, CanaryId, SourceName};
use crate::trace::mark::Mark;

/// The format that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Bytes of an entry: the first bits of a tag, and a hidden key.
const ENTRY: usize = 8 + 16;
/// A longer line is no watch list's.
const LONGEST: u64 = 4 << 20;

/// Why a file is no watch list that can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("it is no watch list: give a file that `otori watchlist export` wrote")]
    Foreign,
    /// A later program wrote it.
    #[error(
        "its format is {0}, and this otori reads format 1: take a newer otori, or export again"
    )]
    Format(u32),
    /// The same text would give other keys.
    #[error(
        "it was made by otori {0}, which folds names and addresses in another way than this one: use the same version, or export again"
    )]
    Folding(String),
    /// Something in it does not fit together.
    #[error("line {line}: {why}: copy the file again")]
    Broken {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What stands in the first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    pub otori_watchlist: u32,
    /// The version of otori that made it.
    pub made_with: String,
    /// What that version makes of some fixed texts.
    pub folding: String,
    /// For whom it was made.
    pub recipient: String,
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// The key of the fingerprints in hexadecimal.
    pub key: String,
    pub cost: Cost,
    /// How many bits of a tag an entry has.
    pub bits: u32,
    pub combinations: Vec<Combination>,
    /// Pseudonyms.
    pub sources: Vec<SourceName>,
    pub batches: Vec<BatchLine>,
    /// How closely they are dated.
    pub dates: Dates,
    /// Sources, by their place, whose canaries' details are destroyed, and since when.
    pub forgotten: Vec<(usize, OffsetDateTime)>,
    pub canaries: usize,
}

/// A batch, under the pseudonym of its source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchLine {
    pub id: BatchId,
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
    pub certain: bool,
    /// Rows of the source at that time, to two digits.
    pub rows: u64,
}

/// A canary: what it bears is plain, what that is is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CanaryLine {
    pub id: CanaryId,
    /// Places among the header's sources and batches.
    pub source: u32,
    pub batch: u32,
    /// Marks, each with the number of its value: contact points that canaries share have one number.
    pub marks: Vec<(String, u32)>,
    /// Its entries, in Base64.
    pub entries: String,
    /// Its sealed record, in Base64.
    pub record: String,
}

/// Writes a list.
///
/// # Errors
/// The writer's.
pub fn write(
    header: &Header,
    canaries: &[CanaryLine],
    out: &mut dyn Write,
) -> Result<(), io::Error> {
    serde_json::to_writer(&mut *out, header)?;
    out.write_all(b"\n")?;
    for canary in canaries {
        serde_json::to_writer(&mut *out, canary)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads a list.
///
/// # Errors
/// It is not whole, or not for this program.
pub fn read(mut input: impl BufRead) -> Result<(Header, Vec<CanaryLine>), Error> {
    let mut text = Vec::new();
    line(&mut input, &mut text)?;
    let first: serde_json::Value = serde_json::from_slice(&text).map_err(|_| Error::Foreign)?;
    let format = first.get("otori_watchlist").and_then(|f| f.as_u64());
    match format.ok_or(Error::Foreign)? {
        format if format == u64::from(FORMAT) => {}
        format => return Err(Error::Format(u32::try_from(format).unwrap_or(u32::MAX))),
    }
    let broken = |line, why| Error::Broken { line, why };
    let header: Header =
        serde_json::from_value(first).map_err(|_| broken(1, "it does not say what it should"))?;
    let mut canaries = Vec::new();
    for number in 2.. {
        line(&mut input, &mut text)?;
        if text.is_empty() {
            break;
        }
        let canary = serde_json::from_slice(&text);
        canaries.push(canary.map_err(|_| broken(number, "it is no canary"))?);
    }
    if canaries.len() != header.canaries {
        return Err(broken(canaries.len() + 1, "the file ends too early"));
    }
    Ok((header, canaries))
}

fn line(input: &mut impl BufRead, text: &mut Vec<u8>) -> Result<(), Error> {
    text.clear();
    io::Read::take(&mut *input, LONGEST).read_until(b'\n', text)?;
    Ok(())
}

impl CanaryLine {
    /// Packs entries of this canary.
    pub fn pack(entries: &[Entry]) -> String {
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY);
        for entry in entries {
            bytes.extend_from_slice(&entry.short.to_be_bytes());
            bytes.extend_from_slice(&entry.wrapped);
        }
        BASE64.encode(bytes)
    }

    /// Packs a sealed record.
    pub fn pack_record(sealed: &[u8]) -> String {
        BASE64.encode(sealed)
    }

    /// Its entries; `None` where they are broken.
    pub fn unpack(&self, canary: u32) -> Option<Vec<Entry>> {
        let bytes = BASE64.decode(&self.entries).ok()?;
        let (entries, []) = bytes.as_chunks::<ENTRY>() else {
            return None;
        };
        let entry = |bytes: &[u8; ENTRY]| Entry {
            short: u64::from_be_bytes(std::array::from_fn(|place| bytes[place])),
            canary,
            wrapped: std::array::from_fn(|place| bytes[8 + place]),
        };
        Some(entries.iter().map(entry).collect())
    }

    /// Its sealed record.
    pub fn unpack_record(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.record).ok()
    }

    /// Its marks with their values; `None` where a mark is unknown.
    pub fn values(&self) -> Option<Vec<(Mark, u32)>> {
        let mark = |name: &str| Mark::ALL.iter().copied().find(|mark| mark.name() == name);
        let marks = self.marks.iter();
        marks
            .map(|(name, value)| Some((mark(name)?, *value)))
            .collect()
    }
}
