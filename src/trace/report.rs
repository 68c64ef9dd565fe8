//! The stages in their order.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::columns::Column;
use super::decide::{Decision, Settings, SourceFinding, support};
use super::error::Error;
use super::parts::{File, Piece};
use super::redact::Redacted;
use super::scan::BadRows;
use super::watch::Watch;
use crate::canary::{BatchId, CanaryId, SourceName};
use crate::evidence::{Act, TracedClear, TracedSource};

/// A list as it was read.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its SHA-256 in hexadecimal; of several files that of the lines that `sha256sum` prints of them.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The files that it consists of.
    pub files: Vec<File>,
    /// Data rows of all parts, bad ones among them.
    pub rows: u64,
    /// Its tables in the order in which they were read: at least one, whatever was in it.
    pub parts: Vec<Part>,
}

/// One table of a list.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Its name within the list; empty where the list is but one table.
    pub name: String,
    /// `csv`, `tsv`, `semicolon`, `pipe`, or the name of another format; empty if it is of none.
    pub format: Cow<'static, str>,
    /// What it was packed in, outermost first.
    pub packing: Vec<Cow<'static, str>>,
    /// The encoding of most of it.
    pub encoding: Cow<'static, str>,
    /// Data rows, bad ones among them.
    pub rows: u64,
    /// Rows that are not as the others.
    pub bad: BadRows,
    /// Rows in another encoding.
    pub otherwise_encoded: u64,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Why it goes no further than what was read of it.
    pub broken: Option<String>,
}

impl Listed {
    pub(super) fn new(name: &str, files: Vec<File>, rows: u64, mut parts: Vec<Part>) -> Listed {
        if parts.is_empty() {
            parts.push(Part::default());
        }
        Listed {
            name: name.to_owned(),
            sha256: sha256(&files),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files,
            rows,
            parts,
        }
    }

    /// The part with the most rows, the first of equals.
    pub fn main(&self) -> &Part {
        let later = self.parts[1..].iter();
        later.fold(&self.parts[0], |main, part| {
            if part.rows > main.rows { part } else { main }
        })
    }

    /// Rows of all parts that are not as the others.
    pub fn bad_rows(&self) -> u64 {
        self.parts.iter().map(|part| part.bad.count).sum()
    }
}

/// One list examined.
pub struct Report<'a> {
    /// The list.
    pub list: Listed,
    /// What was decided.
    pub decision: Decision,
    /// What it was decided with.
    pub settings: Settings,
    /// How long it took.
    pub elapsed: Duration,
    pub(super) watch: &'a Watch,
    pub(super) redacted: Option<Redacted>,
}

impl Report<'_> {
    /// The trace as the evidence log keeps it.
    pub fn act(&self) -> Act {
        let named = self.decision.sources.iter().filter(|found| found.named);
        Act::Traced {
            list: self.list.sha256.clone(),
            verdict: self.decision.verdict.name().to_owned(),
            sources: named
                .map(|found| self.watch.sources[found.source].to_string())
                .collect(),
            false_accusation_probability: self.decision.false_accusation_probability,
            list_rows: Some(self.list.rows),
            findings: self
                .decision
                .sources
                .iter()
                .map(|f| self.traced(f))
                .collect(),
            cleared: self
                .decision
                .cleared
                .iter()
                .map(|cleared| TracedClear {
                    source: self.watch.sources[cleared.source].to_string(),
                    share_below: cleared.share_below,
                    level: self.settings.level,
                })
                .collect(),
        }
    }

    fn traced(&self, found: &SourceFinding) -> TracedSource {
        let (share, rows) = (found.share, found.rows);
        TracedSource {
            source: self.watch.sources[found.source].to_string(),
            named: found.named,
            found: found.found,
            live: found.live,
            log10_lr: finite(found.log10_lr),
            support: support(found.log10_lr).to_owned(),
            share: [share.estimate, share.low, share.high].map(finite),
            rows: [
                rows.estimate.round() as u64,
                rows.low.floor() as u64,
                rows.high.ceil() as u64,
            ],
            not_before: found.not_before,
            not_after: found.not_after,
            level: self.settings.level,
            window_probability: found.window_probability,
        }
    }

    /// What a source of the decision is called.
    pub fn source(&self, index: usize) -> &SourceName {
        match &self.redacted {
            None => &self.watch.sources[index],
            Some(redacted) => redacted.source(index),
        }
    }

    /// What a batch of the watch is called.
    pub fn batch(&self, index: u32) -> &BatchId {
        match &self.redacted {
            None => &self.watch.batches[index as usize].id,
            Some(redacted) => redacted.batch(index),
        }
    }

    /// Sources whose canaries' details are destroyed, and since when.
    pub fn forgotten(&self) -> impl Iterator<Item = (usize, OffsetDateTime)> {
        self.watch.forgotten.iter().filter_map(|(name, at)| {
            let place = self
                .watch
                .sources
                .iter()
                .position(|source| source == name)?;
            Some((place, *at))
        })
    }

    /// The id of a canary of the decision.
    pub fn canary(&self, index: u32) -> &CanaryId {
        &self.watch.canaries[index as usize].id
    }
}

/// A number that JSON can write; an entry of the log that could not be read back would be none.
fn finite(number: f64) -> f64 {
    match number.is_nan() {
        true => 0.0,
        false => number.clamp(-999.0, 999.0),
    }
}

/// Examines a file. `progress` is told now and then how many bytes have been read.
///
/// # Errors
/// The file cannot be read, or is empty.
pub fn trace_file<'a>(
    watch: &'a Watch,
    path: &Path,
    settings: &Settings,
    progress: &mut dyn FnMut(u64),
) -> Result<Report<'a>, Error> {
    let failed = |source| Error::at(path, source);
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::Directory(path.to_owned()));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let piece = Piece::read_file(watch, &name, file, None, progress).map_err(failed)?;
    Ok(piece.filled(path)?.report(watch, &name, settings))
}

/// Examines a list from wherever it comes.
///
/// # Errors
/// The reader's.
pub fn trace<'a, R: Read>(
    watch: &'a Watch,
    name: &str,
    input: R,
    settings: &Settings,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Report<'a>> {
    let piece = Piece::read(watch, name, input, None, progress)?;
    Ok(piece.report(watch, name, settings))
}

/// The hash of a list's only file, or of what `sha256sum` prints of several.
fn sha256(files: &[File]) -> String {
    if let [only] = files {
        return only.sha256.clone();
    }
    let mut hash = Sha256::new();
    for file in files {
        hash.update(format!("{}  {}\n", file.sha256, file.name));
    }
    crate::evidence::hex(&hash.finalize())
}
