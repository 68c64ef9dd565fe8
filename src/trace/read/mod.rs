//! Reading a list of unknown make: once, in bounded memory, whatever its bytes.
//!
//! | what | where |
//! | --- | --- |
//! | what the bytes are | `kind`, `notation::encoding` |
//! | what they are packed in | `unpack`, `zipped`, `seven`, `tar`, `zstd`, within `limits` |
//! | text in lines | `text`, `dialect`, `records`, `fields`, `fixed` |
//! | formats with a grammar | `json`, `sql`, `vcard`, `sheet`, `parquet` |
//!
//! Nothing in a list is ever executed, followed or fetched: a formula is text, a link is a fault, an entity of
//! XML is passed over.

mod bytes;
#[cfg(test)]
mod collected;
mod dialect;
#[cfg(fuzzing)]
pub mod doors;
mod fields;
mod fixed;
mod hashing;
mod json;
mod kind;
mod limits;
mod parquet;
mod part;
mod peeked;
mod records;
mod rows;
mod seven;
mod sheet;
mod sql;
mod tar;
mod text;
mod unpack;
mod vcard;
mod zipped;
mod zstd;

pub use crate::notation::encoding::{Encoding, decode, decode_all, decode_cp932};
pub use dialect::commonest;
pub use fields::{Cells, Style};
pub use hashing::Hashing;
pub use part::{Head, Parts};
pub use records::{Kind, Layout};

use std::fs::File;
use std::io::{self, Read};

use super::parts::Laid;
use fields::{split_escaped, split_literal, split_quoted, split_rows};
use limits::Limits;
use unpack::Opener;

impl Layout {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self.delimiter {
            _ if self.style == Style::Split => "text",
            b'\t' => "tsv",
            b';' => "semicolon",
            b'|' => "pipe",
            _ => "csv",
        }
    }

    /// Splits a decoded record into cells; NULs are dropped.
    pub fn split(self, record: &str, kind: Kind, cells: &mut Cells) {
        match memchr::memchr(0, record.as_bytes()) {
            Some(_) => self.split_clean(&record.replace('\0', ""), kind, cells),
            None => self.split_clean(record, kind, cells),
        }
    }

    /// The same of one without NULs.
    pub fn split_clean(self, record: &str, kind: Kind, cells: &mut Cells) {
        match (self.style, kind) {
            (Style::Split, _) => split_rows(record, cells),
            (Style::Escaped, _) => split_escaped(record, self.delimiter, cells),
            (Style::Quoted, Kind::Sound | Kind::StrayQuote) => {
                split_quoted(record, self.delimiter, cells);
            }
            (Style::Quoted, _) => split_literal(record, self.delimiter, cells),
        }
    }
}

/// What a list is as a file.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A list that is about to be read.
pub struct List<'a> {
    input: Hashing<'a>,
    limits: Limits,
    file: Option<File>,
    laid: Option<Laid>,
}

impl<'a> List<'a> {
    /// A list from wherever it comes. `progress` is told now and then how many bytes have been read.
    pub fn open(input: impl Read + 'a, progress: &'a mut dyn FnMut(u64)) -> List<'a> {
        let limits = Limits::default();
        List {
            input: Hashing::new(input, progress, limits.packed()),
            limits,
            file: None,
            laid: None,
        }
    }

    /// A list that is a file: what must be read in any order is read from it, not from a copy.
    ///
    /// # Errors
    /// The system's.
    pub fn open_file(file: File, progress: &'a mut dyn FnMut(u64)) -> io::Result<List<'a>> {
        // A pipe under a name is read as a stream is.
        let again = file.metadata()?.is_file().then(|| file.try_clone());
        Ok(List {
            file: again.transpose()?,
            ..List::open(file, progress)
        })
    }

    /// It is a stretch of a longer text, which has told its layout.
    #[must_use]
    pub fn laid_out(mut self, laid: &Laid) -> List<'a> {
        self.laid = Some(laid.clone());
        self
    }

    /// The layout that has been told.
    pub fn laid(&self) -> Option<Laid> {
        self.laid.clone()
    }

    /// Reads it to its end. What is wrong with a part of it is told to `parts`.
    ///
    /// # Errors
    /// The input's.
    pub fn read(mut self, parts: &mut dyn Parts) -> io::Result<Whole> {
        if let Some(laid) = &self.laid {
            text::read_on(laid, &mut self.input, parts)?;
        } else {
            let mut opener = Opener::new(parts, self.limits, self.file);
            opener.entry("", &mut self.input);
        }
        // What no reader wanted belongs to the file all the same.
        io::copy(&mut self.input, &mut io::sink())?;
        self.input.sound()?;
        Ok(Whole {
            sha256: self.input.sha256(),
            bytes: self.input.length(),
        })
    }
}
