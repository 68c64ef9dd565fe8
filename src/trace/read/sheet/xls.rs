//! Workbooks of Excel before 2007. Such a sheet has at most 65,536 rows, so it is read as a whole.

use std::io::{self, Cursor, Read};

use calamine::{Data, Reader, Xls, XlsError};

use super::{ENCODING, is_filled, number};
use crate::trace::read::part::Head;
use crate::trace::read::records::Kind;
use crate::trace::read::rows::Rows;
use crate::trace::read::unpack::{Opener, Seekable, join};

/// Larger ones are not read.
const LARGEST: u64 = 256 << 20;
const ENCRYPTED: &str = "encrypted with a password: save it without one first";

/// Reads a workbook's sheets.
///
/// # Errors
/// It is damaged, encrypted, or no workbook.
pub fn read(name: &str, file: Box<dyn Seekable>, opener: &mut Opener<'_>) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(
            "a workbook of more than 256 MiB: save its sheets as CSV",
        ));
    }
    // Excel puts an encrypted workbook of today into a container of yesterday.
    let says = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memchr::memmem::find(&bytes, &wide).is_some()
    };
    if says("EncryptedPackage") {
        return Err(io::Error::other(ENCRYPTED));
    }
    if !says("Workbook") && !says("Book") {
        return Err(io::Error::other(
            "an old Office document that is no workbook: save its table as text or CSV",
        ));
    }
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(words)?;
    for title in book.sheet_names() {
        let path = join(name, &crate::notation::tame(&title));
        let range = match book.worksheet_range(&title) {
            Ok(range) => range,
            Err(error) => {
                opener.fault(&path, &words(error).to_string());
                continue;
            }
        };
        let mut rows = Rows::new(Head::split(&path, "xls", ENCODING));
        for row in range.rows() {
            let cells: Vec<String> = row.iter().map(text).collect();
            if is_filled(&cells) {
                rows.push(cells.iter().map(String::as_str), Kind::Sound, opener)?;
            }
        }
        rows.flush(opener)?;
    }
    Ok(())
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => number(&value.to_string()),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(value) => {
            // A duration or a time of day has no date to it.
            if !value.is_datetime() || value.as_f64() < 1.0 {
                return number(&value.as_f64().to_string());
            }
            match value.to_ymd_hms_milli() {
                (year, month, day, 0, 0, 0, _) => format!("{year:04}-{month:02}-{day:02}"),
                (year, month, day, hour, minute, second, _) => {
                    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
                }
            }
        }
    }
}

fn words(error: XlsError) -> io::Error {
    match error {
        XlsError::Password => io::Error::other(ENCRYPTED),
        other => io::Error::other(format!("the workbook cannot be read: {other}")),
    }
}
