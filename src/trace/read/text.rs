//! A list as lines of text: with delimiters, in columns of fixed width, or neither.

use std::io::{self, Read};

use super::super::parts::Laid;
use super::dialect::sniff;
use super::fields::Cells;
use super::fixed;
use super::part::{Head, Parts};
use super::peeked::Peeked;
use super::records::{Kind, Layout, Records};
use super::rows::{SAMPLE, START};
use crate::notation::encoding::{Encoding, decode};
use crate::notation::transcode::Transcode;

/// Reads a text to its end; a byte order mark has been taken off.
///
/// # Errors
/// The input's.
pub fn read(
    name: &str,
    guess: Encoding,
    input: &mut dyn Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    if guess.is_plain() {
        return lines(name, guess, guess, input, parts);
    }
    let mut input = Transcode::new(input, guess);
    lines(name, guess, Encoding::Utf8, &mut input, parts)
}

/// Lines of a text that was in one encoding and is now in another.
fn lines(
    name: &str,
    was: Encoding,
    encoding: Encoding,
    input: &mut dyn Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    let input = Peeked::new(input, START);
    let start = whole_lines(&input.start);
    let layout = sniff(start, encoding);
    if let Some(cuts) = fixed::cuts(start, layout) {
        return fixed::read(name, was, &cuts, encoding, input, parts);
    }
    let part = parts.begin(Head {
        format: layout.name(),
        layout,
        sample: sample(start, layout)?,
        ..Head::split(name, "", was.name())
    });
    let mut records = Records::new(input, layout);
    while let Some((place, kind)) = records.next()? {
        let record = records.bytes(&place);
        if !is_ornament(record) {
            parts.record(part, record, kind)?;
        }
    }
    Ok(())
}

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a stretch of a longer text whose layout is known from its beginning.
///
/// # Errors
/// The input's.
pub fn read_on(laid: &Laid, input: &mut dyn Read, parts: &mut dyn Parts) -> io::Result<()> {
    let part = parts.begin(laid.head());
    let mut input = Peeked::new(input, UTF8_BOM.len());
    if input.start == UTF8_BOM {
        input.skip(UTF8_BOM.len());
    }
    let mut records = Records::new(input, laid.layout);
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
