//! A list as lines of text with delimiters.

use std::io::{self, Cursor, Read};

use super::dialect::sniff;
use super::encoding::{Encoding, FromUtf16, decode, guess};
use super::fields::Cells;
use super::part::{Head, Parts};
use super::records::{Kind, Layout, Records};

/// How much of a list is looked at before it is read.
const START: usize = 2 << 20;
/// How many records of it.
const SAMPLE: usize = 3_000;

/// Reads a text to its end.
///
/// # Errors
/// The input's.
pub fn read(name: &str, input: &mut dyn Read, parts: &mut dyn Parts) -> io::Result<()> {
    let mut input = FromUtf16::new(input)?;
    let mut start = Vec::new();
    input.by_ref().take(START as u64).read_to_end(&mut start)?;
    let (guessed, mark) = if input.is_utf16() {
        (Encoding::Utf8, 0)
    } else {
        guess(&start)
    };
    start.drain(..mark);
    let layout = sniff(whole_lines(&start), guessed);
    let encoding = if input.is_utf16() {
        Encoding::Utf16
    } else {
        guessed
    };
    let part = parts.begin(Head {
        name: name.to_owned(),
        format: layout.name(),
        encoding: encoding.name(),
        layout,
        header: None,
        sample: sample(whole_lines(&start), layout)?,
    });
    let mut records = Records::new(Cursor::new(start).chain(input), layout);
    while let Some((place, kind)) = records.next()? {
        let record = records.bytes(&place);
        if !is_ornament(record) {
            parts.record(part, record, kind)?;
        }
    }
    Ok(())
}

/// The start without the line that its end cuts in two.
fn whole_lines(start: &[u8]) -> &[u8] {
    if start.len() < START {
        return start;
    }
    let end = memchr::memrchr2(b'\n', b'\r', start).unwrap_or(start.len());
    &start[..end]
}

fn sample(start: &[u8], layout: Layout) -> io::Result<Vec<Vec<String>>> {
    let mut records = Records::new(start, layout);
    let mut sample = Vec::new();
    let mut cells = Cells::default();
    while sample.len() < SAMPLE
        && let Some((place, kind)) = records.next()?
    {
        let bytes = records.bytes(&place);
        if is_ornament(bytes) || matches!(kind, Kind::TooLong | Kind::Continued) {
            continue;
        }
        layout.split(&decode(bytes, layout.encoding).0, kind, &mut cells);
        sample.push(cells.iter().map(str::to_owned).collect());
    }
    Ok(sample)
}

/// What database clients print around rows: `(500 rows)`, `----+----`.
fn is_ornament(record: &[u8]) -> bool {
    let count = || {
        let inner = record.strip_prefix(b"(")?;
        let inner = inner
            .strip_suffix(b" rows)")
            .or_else(|| inner.strip_suffix(b" row)"))?;
        Some(inner.iter().all(u8::is_ascii_digit))
    };
    let rule = || record.iter().all(|byte| matches!(byte, b'-' | b'+' | b'|'));
    match record.first() {
        Some(b'(') => count() == Some(true),
        Some(b'-' | b'+') => rule(),
        _ => false,
    }
}
