//! A CSV file's ways: encoding, delimiter, quoting, line ending.

use std::io::Read;
use std::path::Path;

use encoding_rs::SHIFT_JIS;

use super::{Error, Result, failed};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// The header must end within this.
const HEADER_MAX: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Cp932,
}

#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) encoding: Encoding,
    /// The file begins with UTF-8's byte order mark.
    pub(super) bom: bool,
    pub(super) delimiter: u8,
    pub(super) line_ending: &'static [u8],
    /// Which columns are quoted even where they need not be.
    pub(super) quoted: Vec<bool>,
}

impl Dialect {
    pub(super) fn sniff(path: &Path) -> Result<Dialect> {
        let mut start = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| failed(path, &error))?;
        file.take(HEADER_MAX as u64)
            .read_to_end(&mut start)
            .map_err(|error| failed(path, &error))?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(unreadable(path, "it is UTF-16; save it as UTF-8 or CP932"));
        }
        let end = start.iter().position(|byte| *byte == b'\n');
        if end.is_none() && start.len() == HEADER_MAX {
            return Err(unreadable(
                path,
                "its first line is longer than 1 MiB; is it a CSV file?",
            ));
        }
        let line = &start[..end.unwrap_or(start.len())];
        let first_return = line.iter().position(|byte| *byte == b'\r');
        if first_return.is_some_and(|place| place + 1 < line.len() || end.is_none()) {
            return Err(unreadable(
                path,
                "its lines end in a lone CR; save it with LF or CR LF",
            ));
        }
        let encoding = encoding(path)?;
        Ok(Dialect {
            encoding,
            bom: start.starts_with(BOM),
            delimiter: delimiter(line, encoding),
            line_ending: if line.ends_with(b"\r") {
                b"\r\n"
            } else {
                b"\n"
            },
            quoted: Vec::new(),
        })
    }

    /// How many bytes stand before the header.
    pub(super) fn bom_length(&self) -> u64 {
        if self.bom { BOM.len() as u64 } else { 0 }
    }

    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        match self.encoding {
            Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Encoding::Cp932 => SHIFT_JIS
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| text.into_owned()),
        }
    }

    /// One record without its line ending; the error is the place of a field with a character that
    /// the encoding lacks.
    pub(super) fn encode(&self, row: &[Option<String>]) -> std::result::Result<Vec<u8>, usize> {
        let mut line = Vec::new();
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                line.push(self.delimiter);
            }
            let text = cell.as_deref().unwrap_or_default();
            let bytes = match self.encoding {
                Encoding::Utf8 => text.as_bytes().into(),
                Encoding::Cp932 => {
                    let (bytes, _, unmappable) = SHIFT_JIS.encode(text);
                    // What does not come back the same would be another character in the file.
                    if unmappable || self.decode(&bytes).as_deref() != Some(text) {
                        return Err(place);
                    }
                    bytes
                }
            };
            let needs = bytes
                .iter()
                .any(|byte| [self.delimiter, b'"', b'\n', b'\r'].contains(byte));
            let habit = self.quoted.get(place).copied().unwrap_or(false) && !bytes.is_empty();
            if !needs && !habit {
                line.extend_from_slice(&bytes);
                continue;
            }
            line.push(b'"');
            for byte in bytes.iter() {
                if *byte == b'"' {
                    line.push(b'"');
                }
                line.push(*byte);
            }
            line.push(b'"');
        }
        Ok(line)
    }
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::Csv {
        path: path.to_owned(),
        line: None,
        why: why.to_owned(),
    }
}

/// The delimiter that the header uses most. '|' is a second byte of CP932 and cannot be one there.
fn delimiter(header: &[u8], encoding: Encoding) -> u8 {
    let candidates: &[u8] = match encoding {
        Encoding::Utf8 => b",\t;|",
        Encoding::Cp932 => b",\t;",
    };
    let count = |candidate: u8| {
        let mut quoted = false;
        let outside = |byte: &&u8| {
            quoted ^= **byte == b'"';
            !quoted && **byte == candidate
        };
        header.iter().filter(outside).count()
    };
    // The first of equals: max_by_key would take the last.
    let most = candidates
        .iter()
        .rev()
        .max_by_key(|candidate| count(**candidate));
    most.copied().unwrap_or(b',')
}

/// UTF-8 if the whole file is, else CP932 if the whole file is. Reads it block by block.
fn encoding(path: &Path) -> Result<Encoding> {
    let mut file = std::fs::File::open(path).map_err(|error| failed(path, &error))?;
    let mut utf8 = true;
    let mut japanese = SHIFT_JIS.new_decoder_without_bom_handling();
    let mut cp932 = true;
    let mut block = vec![0; 1 << 16];
    let mut text = vec![0; 1 << 18];
    let mut kept = Vec::new();
    loop {
        let length = file
            .read(&mut block)
            .map_err(|error| failed(path, &error))?;
        let last = length == 0;
        if utf8 {
            kept.extend_from_slice(&block[..length]);
            match std::str::from_utf8(&kept) {
                Ok(_) => kept.clear(),
                // A character cut in two by the end of the block is finished by the next one.
                Err(error) if error.error_len().is_none() && !last => {
                    kept.drain(..error.valid_up_to());
                }
                Err(_) => utf8 = false,
            }
        }
        if cp932 {
            let (_, _, _, bad) = japanese.decode_to_utf8(&block[..length], &mut text, last);
            cp932 = !bad;
        }
        if !utf8 && !cp932 {
            return Err(unreadable(
                path,
                "it is neither UTF-8 nor CP932 throughout; save it as one of them",
            ));
        }
        if last {
            return Ok(if utf8 {
                Encoding::Utf8
            } else {
                Encoding::Cp932
            });
        }
    }
}
