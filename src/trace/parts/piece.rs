//! What was counted of a piece of a list, in memory and as JSON.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::columns::Column;
use super::super::decide::{Settings, decide};
use super::super::error::Error;
use super::super::read::List;
use super::super::report::{Listed, Part, Report};
use super::super::scan::{BadRows, Scanned, Tally, scan};
use super::super::watch::Watch;
use super::laid::Laid;
use super::watched;
use crate::notation::{Role, tame};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;
/// More threads than this only wait for the one that reads.
const THREADS: usize = 8;

/// One file of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A list, or a piece of one, examined but not yet decided about.
#[derive(Clone, Debug)]
pub struct Piece {
    pub(super) files: Vec<File>,
    pub(super) tables: Vec<Part>,
    /// The list has columns of children beside those of customers.
    pub(super) has_children: bool,
    /// The digest of the layout that it was read by.
    pub(super) laid: Option<String>,
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
}

/// Why a text is no piece's result.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPiece {
    /// It is something else.
    #[error("it is no part's result: give what `otori trace --partial` wrote ({0})")]
    Foreign(serde_json::Error),
    /// Another program wrote it.
    #[error("its format is {0}, and this otori reads format 1: use one version for all parts")]
    Format(u32),
    /// It speaks of other canaries.
    #[error(
        "it was made with other canaries, or by another version of otori: examine it again, with the watch list or workspace of the others"
    )]
    OtherWatch,
    /// Numbers in it that no pass has counted.
    #[error("its counts do not fit together: copy the file again")]
    Broken,
}

/// A piece as JSON. Of the list it holds the columns' names, and of a sample of its rows hashes under a key
/// that only holders of the canaries or the watch list have; the rest are counts.
#[derive(Serialize, Deserialize)]
pub struct PieceDocument {
    otori_part: u32,
    /// Digest of the canaries that were looked for.
    watch: String,
    files: Vec<File>,
    layout: Option<String>,
    has_children: bool,
    elapsed_seconds: f64,
    tables: Vec<Table>,
    tally: Tally,
}

#[derive(Serialize, Deserialize)]
struct Table {
    name: String,
    format: Cow<'static, str>,
    packing: Vec<Cow<'static, str>>,
    encoding: Cow<'static, str>,
    columns: Vec<TableColumn>,
    broken: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct TableColumn {
    header: Option<String>,
    role: Option<Role>,
    confidence: f64,
}

impl Piece {
    /// Reads a file to its end. `laid`: it is a stretch of a longer text with this layout.
    ///
    /// # Errors
    /// The reader's.
    pub fn read(
        watch: &Watch,
        name: &str,
        input: impl Read,
        laid: Option<&Laid>,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Piece> {
        Piece::of(watch, name, List::open(input, progress), laid)
    }

    /// The same of a file: what must be read in any order is read from it, not from a copy.
    ///
    /// # Errors
    /// The reader's.
    pub fn read_file(
        watch: &Watch,
        name: &str,
        file: std::fs::File,
        laid: Option<&Laid>,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Piece> {
        Piece::of(watch, name, List::open_file(file, progress)?, laid)
    }

    fn of(watch: &Watch, name: &str, list: List<'_>, laid: Option<&Laid>) -> io::Result<Piece> {
        let started = Instant::now();
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(THREADS);
        let list = match laid {
            None => list,
            Some(laid) => list.laid_out(laid),
        };
        let scanned = scan(watch, list, threads)?;
        Ok(Piece::new(name, scanned, laid, started.elapsed()))
    }

    /// It, if there is something in it: of a list that nothing could be read of there is no verdict.
    ///
    /// # Errors
    /// The file at `path` is empty, or nothing in it could be read.
    pub fn filled(self, path: &Path) -> Result<Piece, Error> {
        let path = || path.to_owned();
        if self.bytes() == 0 && self.laid.is_none() {
            return Err(Error::Empty(path()));
        }
        let fault = self.tables.iter().find_map(|table| table.broken.clone());
        match (self.tally.rows, fault) {
            (0, Some(why)) => Err(Error::Unreadable { path: path(), why }),
            _ => Ok(self),
        }
    }

    fn new(name: &str, scanned: Scanned, laid: Option<&Laid>, elapsed: Duration) -> Piece {
        let Scanned {
            whole,
            parts,
            tally,
        } = scanned;
        let has_children = parts.iter().any(|part| part.columns.plan().has_children());
        let tables = parts.into_iter().map(|part| Part {
            name: tame(&part.name),
            format: part.format.into(),
            packing: part.packing.into_iter().map(Cow::Borrowed).collect(),
            encoding: part.encoding.into(),
            columns: part.columns.columns.into_iter().map(tamed).collect(),
            broken: part.broken.as_deref().map(tame),
            ..Part::default()
        });
        Piece {
            files: vec![File {
                name: tame(name),
                sha256: whole.sha256,
                bytes: whole.bytes,
            }],
            tables: tables.collect(),
            has_children,
            laid: laid.map(Laid::digest),
            tally,
            elapsed,
        }
    }

    /// A file that could not be read: it counts as a table without rows, and the report says why.
    pub fn unread(watch: &Watch, name: &str, why: String) -> Piece {
        let mut tally = Tally::new(watch);
        tally.part(0);
        Piece {
            files: Vec::new(),
            tables: vec![Part {
                name: tame(name),
                broken: Some(tame(&why)),
                ..Part::default()
            }],
            has_children: false,
            laid: None,
            tally,
            elapsed: Duration::ZERO,
        }
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// What it comes to, all of it being there. `name` is the list's.
    pub fn report<'a>(mut self, watch: &'a Watch, name: &str, settings: &Settings) -> Report<'a> {
        let started = Instant::now();
        let mut decision = decide(watch, &self.tally, self.has_children, settings);
        if let Some(blind) = &watch.blind {
            blind.widen(&mut decision);
        }
        if self.tables.iter().any(|table| table.broken.is_some()) {
            decision.of_a_part();
        }
        let counts = std::mem::take(&mut self.tally.parts);
        let rows = self.tally.rows;
        let mut tables = self.tables;
        for (table, counts) in tables.iter_mut().zip(counts) {
            table.rows = counts.rows;
            table.bad = counts.bad;
            table.otherwise_encoded = counts.otherwise_encoded;
        }
        Report {
            list: Listed::new(&tame(name), self.files, rows, tables),
            decision,
            settings: *settings,
            elapsed: self.elapsed + started.elapsed(),
            watch,
            redacted: None,
        }
    }

    /// What the list is called that it is of: its only file.
    pub fn name(&self) -> String {
        match &self.files[..] {
            [] => String::new(),
            [first, rest @ ..] if rest.iter().all(|file| file.name == first.name) => {
                first.name.clone()
            }
            [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
        }
    }

    /// It is all of a file: that file's name, length and hash are told, and not those of its pieces.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_of(&mut self, name: &str, mut file: impl Read) -> io::Result<()> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            bytes += read as u64;
        }
        self.files = vec![File {
            name: name.to_owned(),
            sha256: crate::evidence::hex(&hash.finalize()),
            bytes,
        }];
        Ok(())
    }

    /// It as it is written for [`super::merge()`].
    pub fn document(&self, watch: &Watch) -> PieceDocument {
        let column = |column: &Column| TableColumn {
            header: column.header.clone(),
            role: column.role,
            confidence: column.confidence,
        };
        let table = |part: &Part| Table {
            name: part.name.clone(),
            format: part.format.clone(),
            packing: part.packing.clone(),
            encoding: part.encoding.clone(),
            columns: part.columns.iter().map(column).collect(),
            broken: part.broken.clone(),
        };
        PieceDocument {
            otori_part: FORMAT,
            watch: watched::digest(watch),
            files: self.files.clone(),
            layout: self.laid.clone(),
            has_children: self.has_children,
            elapsed_seconds: self.elapsed.as_secs_f64(),
            tables: self.tables.iter().map(table).collect(),
            tally: self.tally.clone(),
        }
    }

    /// The result that a text says.
    ///
    /// # Errors
    /// It is none, or one that was made with other canaries.
    pub fn from_json(text: &str, watch: &Watch) -> Result<Piece, InvalidPiece> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(InvalidPiece::Foreign)?;
        let format = value.get("otori_part").and_then(|format| format.as_u64());
        if let Some(format) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(InvalidPiece::Format(
                u32::try_from(format).unwrap_or(u32::MAX),
            ));
        }
        let document: PieceDocument =
            serde_json::from_value(value).map_err(InvalidPiece::Foreign)?;
        if document.watch != watched::digest(watch) {
            return Err(InvalidPiece::OtherWatch);
        }
        let tally = document.tally.fitted(watch).ok_or(InvalidPiece::Broken)?;
        if tally.parts.len() != document.tables.len() || !document.elapsed_seconds.is_finite() {
            return Err(InvalidPiece::Broken);
        }
        let column = |column: TableColumn| {
            tamed(Column {
                header: column.header,
                role: column.role,
                confidence: column.confidence,
                format: None,
            })
        };
        let table = |table: Table| Part {
            name: tame(&table.name),
            format: tame(&table.format).into(),
            packing: table
                .packing
                .iter()
                .map(|packed| tame(packed).into())
                .collect(),
            encoding: tame(&table.encoding).into(),
            columns: table.columns.into_iter().map(column).collect(),
            broken: table.broken.as_deref().map(tame),
            rows: 0,
            bad: BadRows::default(),
            otherwise_encoded: 0,
        };
        Ok(Piece {
            files: document.files.into_iter().map(tamed_file).collect(),
            tables: document.tables.into_iter().map(table).collect(),
            has_children: document.has_children,
            laid: document.layout,
            tally,
            elapsed: Duration::from_secs_f64(document.elapsed_seconds.clamp(0.0, 1e9)),
        })
    }
}

/// What strangers have called a column, for a terminal to show.
fn tamed(mut column: Column) -> Column {
    column.header = column.header.as_deref().map(tame);
    column
}

fn tamed_file(file: File) -> File {
    File {
        name: tame(&file.name),
        sha256: tame(&file.sha256),
        ..file
    }
}
