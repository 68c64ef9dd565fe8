//! Ways in for fuzzers: each reader alone, and all of them behind what a list's first bytes say.

use std::io::{self, Cursor};

use super::fields::Cells;
use super::limits::Limits;
use super::part::{Head, Parts};
use super::records::{Kind, LONGEST, Layout};
use super::unpack::Opener;
use super::{List, decode, json, seven, sheet, sql, text, vcard, zipped};
use crate::notation::encoding::Encoding;

/// Looks at every record as a worker does, and at what must hold of each.
#[derive(Default)]
struct Sink(Vec<Layout>);

impl Parts for Sink {
    fn begin(&mut self, head: Head) -> usize {
        self.0.push(head.layout);
        self.0.len() - 1
    }

    fn record(&mut self, part: usize, record: &[u8], kind: Kind) -> io::Result<()> {
        assert!(record.len() <= LONGEST + 4, "a record has a bound");
        let layout = self.0[part];
        let mut cells = Cells::default();
        layout.split(&decode(record, layout.encoding).0, kind, &mut cells);
        assert!(cells.len() > 0, "a record has a cell");
        Ok(())
    }

    fn broken(&mut self, part: usize, why: String) {
        assert!(
            part < self.0.len() && !why.is_empty(),
            "a fault says what it is"
        );
    }
}

/// The readers, by name.
pub const READERS: [&str; 11] = [
    "list", "text", "json", "sql", "vcard", "zip", "7z", "tar", "xls", "xlsx", "ods",
];

/// Gives bytes to a reader; they may be anything.
pub fn read(reader: &str, bytes: &[u8]) {
    let mut sink = Sink::default();
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
    let mut opener = Opener::new(&mut sink, Limits::default(), None);
    let file = || Box::new(Cursor::new(bytes.to_vec()));
    // What a reader thinks of the bytes is its own affair: it must come back, and hold what the sink says.
    let _outcome: io::Result<()> = match reader {
        "list" => {
            let mut progress = |_| {};
            List::open(bytes, &mut progress).read(&mut sink).map(|_| ())
        }
        "text" => {
            let guess = match bytes.first() {
                Some(byte) if byte % 5 == 1 => Encoding::Cp932,
                Some(byte) if byte % 5 == 2 => Encoding::EucJp,
                Some(byte) if byte % 5 == 3 => Encoding::Iso2022Jp,
                Some(byte) if byte % 5 == 4 => Encoding::Utf16Le,
                _ => Encoding::Utf8,
            };
            text::read("", guess, &mut &bytes[..], &mut sink)
        }
        "json" => json::read("", "", &start, bytes, &mut sink),
        "sql" => sql::read("", "", &start, bytes, &mut sink),
        "vcard" => vcard::read("", "", bytes, &mut sink),
        "zip" => zipped::read("", file(), &mut opener),
        "7z" => seven::read("", file(), &mut opener),
        "tar" => opener.tar("", &mut &bytes[..]),
        "xls" => sheet::xls::read("", file(), &mut opener),
        "xlsx" => sheet::xlsx::sheet_alone(bytes, &mut opener),
        "ods" => sheet::ods::content_alone(bytes, &mut opener),
        other => unreachable!("no reader is called {other}"),
    };
}
