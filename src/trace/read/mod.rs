//! Reading a list of unknown layout: once, in bounded memory, whatever its bytes.

mod dialect;
mod encoding;
mod fields;
mod hashing;
mod part;
mod records;
mod text;

pub use dialect::commonest;
pub use encoding::{Encoding, decode};
pub use fields::{Cells, Style};
pub use hashing::Hashing;
pub use part::{Head, Parts};
pub use records::{Kind, Layout};

use std::io::{self, Read};

use fields::{split_escaped, split_literal, split_quoted, split_rows};

impl Layout {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self.delimiter {
            b'\t' => "tsv",
            b';' => "semicolon",
            b'|' => "pipe",
            _ => "csv",
        }
    }

    /// Splits a decoded record into cells; NULs are dropped.
    pub fn split(self, record: &str, kind: Kind, cells: &mut Cells) {
        let clean;
        let record = if record.contains('\0') {
            clean = record.replace('\0', "");
            &clean
        } else {
            record
        };
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
}

impl<'a> List<'a> {
    /// A list from wherever it comes. `progress` is told now and then how many bytes have been read.
    pub fn open(input: impl Read + 'a, progress: &'a mut dyn FnMut(u64)) -> List<'a> {
        List {
            input: Hashing::new(input, progress),
        }
    }

    /// Reads it to its end.
    ///
    /// # Errors
    /// The input's.
    pub fn read(mut self, parts: &mut dyn Parts) -> io::Result<Whole> {
        text::read("", &mut self.input, parts)?;
        Ok(Whole {
            sha256: self.input.sha256(),
            bytes: self.input.length(),
        })
    }
}
