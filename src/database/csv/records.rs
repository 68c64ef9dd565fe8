//! A CSV file record by record, with every byte kept, in bounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::dialect::Dialect;
use super::{Result, Row, at, failed};

/// No customer's record is longer; a lone quote would make one out of all the rest of the file.
const RECORD_MAX: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

impl State {
    fn after(self, byte: u8, delimiter: u8) -> State {
        match (self, byte) {
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) | (State::QuoteInQuoted | State::FieldStart, b'"') => State::Quoted,
            (_, byte) if byte == delimiter => State::FieldStart,
            _ => State::Bare,
        }
    }
}

/// A record with its line ending.
pub(super) struct Record {
    /// The line that it begins on, counted from 1.
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
}

impl Record {
    /// The record without its line ending, and the line ending.
    pub(super) fn body(&self) -> (&[u8], &[u8]) {
        let ending = if self.bytes.ends_with(b"\r\n") {
            2
        } else {
            usize::from(self.bytes.ends_with(b"\n"))
        };
        self.bytes.split_at(self.bytes.len() - ending)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.body().0.is_empty()
    }

    /// The fields as they stand, quotes included.
    pub(super) fn split(&self, delimiter: u8) -> Vec<&[u8]> {
        let (body, _) = self.body();
        let mut fields = Vec::new();
        let (mut start, mut state) = (0, State::FieldStart);
        for (place, byte) in body.iter().enumerate() {
            if *byte == delimiter && state != State::Quoted {
                fields.push(&body[start..place]);
                start = place + 1;
            }
            state = state.after(*byte, delimiter);
        }
        fields.push(&body[start..]);
        fields
    }

    /// The fields' values; an empty field is `None`, for CSV has no NULL.
    pub(super) fn fields(&self, dialect: &Dialect, path: &Path) -> Result<Row> {
        let value = |field: &[u8]| {
            let bare = match field {
                [b'"', rest @ ..] => unquoted(rest),
                field => field.to_vec(),
            };
            let text = dialect.decode(&bare).ok_or_else(|| {
                at(
                    path,
                    self.line,
                    "a field is cut in the middle of a character",
                )
            })?;
            Ok((!text.is_empty()).then_some(text))
        };
        self.split(dialect.delimiter)
            .into_iter()
            .map(value)
            .collect()
    }
}

/// The value of a field that began with a quote; what follows the closing quote is kept as it is.
fn unquoted(rest: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(rest.len());
    let mut bytes = rest.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'"' {
            value.push(byte);
        } else if bytes.next_if_eq(&b'"').is_some() {
            value.push(b'"');
        } else {
            value.extend(bytes.by_ref());
        }
    }
    value
}

/// The records of a file, the header first.
pub(super) struct Records {
    path: PathBuf,
    input: BufReader<File>,
    delimiter: u8,
    line: u64,
}

impl Records {
    pub(super) fn open(path: &Path, dialect: &Dialect) -> Result<Records> {
        let mut file = File::open(path).map_err(|error| failed(path, &error))?;
        file.seek(SeekFrom::Start(dialect.bom_length()))
            .map_err(|error| failed(path, &error))?;
        Ok(Records {
            path: path.to_owned(),
            input: BufReader::with_capacity(1 << 16, file),
            delimiter: dialect.delimiter,
            line: 1,
        })
    }

    /// The next record, or `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
        let begun = self.line;
        let mut bytes = Vec::new();
        let mut state = State::FieldStart;
        loop {
            let from = bytes.len();
            let room = (RECORD_MAX - from + 1) as u64;
            let mut limited = (&mut self.input).take(room);
            limited
                .read_until(b'\n', &mut bytes)
                .map_err(|error| failed(&self.path, &error))?;
            if bytes.len() > RECORD_MAX {
                return Err(at(
                    &self.path,
                    begun,
                    "the record that begins here is longer than 1 MiB; is a quote left open?",
                ));
            }
            if bytes[from..].contains(&0) {
                return Err(at(
                    &self.path,
                    self.line,
                    "it holds a NUL byte; it is not a plain CSV file",
                ));
            }
            if bytes.len() == from {
                if state == State::Quoted {
                    return Err(at(
                        &self.path,
                        begun,
                        "a quote that is opened in the record that begins here is never closed",
                    ));
                }
                return Ok((!bytes.is_empty()).then_some(Record { line: begun, bytes }));
            }
            for byte in &bytes[from..] {
                state = state.after(*byte, self.delimiter);
            }
            if bytes.ends_with(b"\n") {
                self.line += 1;
                if state != State::Quoted {
                    return Ok(Some(Record { line: begun, bytes }));
                }
            }
        }
    }
}
