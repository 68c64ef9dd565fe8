//! Reading a list of unknown layout: once, in bounded memory, whatever its bytes.

mod dialect;
mod encoding;
mod fields;
mod hashing;
mod records;

pub use dialect::commonest;
pub use encoding::{Encoding, decode};
pub use fields::{Cells, Style};
pub use hashing::Hashing;
pub use records::{Kind, Layout, Records};

use std::io::{self, Cursor, Read};

use fields::{split_escaped, split_literal, split_quoted};

/// How much of a list is looked at before it is read.
const START: usize = 2 << 20;
/// How many records of it.
const SAMPLE: usize = 3_000;

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
            (Style::Escaped, _) => split_escaped(record, self.delimiter, cells),
            (Style::Quoted, Kind::Sound | Kind::StrayQuote) => {
                split_quoted(record, self.delimiter, cells);
            }
            (Style::Quoted, _) => split_literal(record, self.delimiter, cells),
        }
    }
}

type Stream<R> = io::Chain<Cursor<Vec<u8>>, encoding::FromUtf16<Hashing<R>>>;

/// A list, opened and looked at.
pub struct List<R> {
    /// How its records are told apart.
    pub layout: Layout,
    /// The file's encoding: UTF-16 is UTF-8 by the time it is in `layout`.
    pub encoding: Encoding,
    /// Its first records.
    pub sample: Vec<Vec<String>>,
    records: Records<Stream<R>>,
}

impl<R: Read> List<R> {
    /// Looks at the start of a list.
    ///
    /// # Errors
    /// The reader's.
    pub fn open(input: R) -> io::Result<List<R>> {
        let mut input = encoding::FromUtf16::new(Hashing::new(input))?;
        let mut start = Vec::new();
        input.by_ref().take(START as u64).read_to_end(&mut start)?;
        let (guess, mark) = if input.is_utf16() {
            (Encoding::Utf8, 0)
        } else {
            encoding::guess(&start)
        };
        start.drain(..mark);
        let layout = dialect::sniff(whole_lines(&start), guess);
        let encoding = if input.is_utf16() {
            Encoding::Utf16
        } else {
            guess
        };
        let sample = sample(whole_lines(&start), layout)?;
        Ok(List {
            layout,
            encoding,
            sample,
            records: Records::new(Cursor::new(start).chain(input), layout),
        })
    }

    /// The list's records.
    pub fn records(&mut self) -> &mut Records<Stream<R>> {
        &mut self.records
    }

    /// Length and hash of what was read.
    pub fn file(&self) -> &Hashing<R> {
        self.records.input().get_ref().1.inner()
    }
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
pub fn is_ornament(record: &[u8]) -> bool {
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
