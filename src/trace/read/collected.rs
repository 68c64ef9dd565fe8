//! All that a list holds, for tests.

use std::io::{self, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::fields::Cells;
use super::part::{Head, Parts};
use super::records::{Kind, Layout};
use super::{List, Whole};
use crate::notation::encoding::decode;

/// A zip with these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default();
        writer.start_file(*name, options).expect("a new name");
        let written = writer.write_all(bytes);
        written.expect("memory takes it");
    }
    let done = writer.finish().expect("memory takes it");
    done.into_inner()
}

/// A part with its rows.
#[derive(Debug)]
pub struct Collected {
    pub name: String,
    pub format: &'static str,
    pub packing: Vec<&'static str>,
    pub header: Option<Vec<String>>,
    pub rows: Vec<Vec<String>>,
    pub kinds: Vec<Kind>,
    pub broken: Option<String>,
    layout: Layout,
}

impl Collected {
    /// Rows with a bar between cells.
    pub fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.join("|")).collect()
    }

    /// Rows that are not sound.
    pub fn bad(&self) -> usize {
        self.kinds
            .iter()
            .filter(|kind| **kind != Kind::Sound)
            .count()
    }

    /// Why the part goes no further.
    #[track_caller]
    pub fn why(&self) -> &str {
        self.broken.as_deref().expect("it should be broken")
    }
}

#[derive(Default)]
struct Collector(Vec<Collected>);

impl Parts for Collector {
    fn begin(&mut self, head: Head) -> usize {
        self.0.push(Collected {
            name: head.name,
            format: head.format,
            packing: head.packing,
            header: head.header,
            rows: Vec::new(),
            kinds: Vec::new(),
            broken: None,
            layout: head.layout,
        });
        self.0.len() - 1
    }

    fn record(&mut self, part: usize, record: &[u8], kind: Kind) -> io::Result<()> {
        let part = &mut self.0[part];
        let mut cells = Cells::default();
        let text = decode(record, part.layout.encoding).0;
        part.layout.split(&text, kind, &mut cells);
        part.rows.push(cells.iter().map(str::to_owned).collect());
        part.kinds.push(kind);
        Ok(())
    }

    fn broken(&mut self, part: usize, why: String) {
        self.0[part].broken = Some(why);
    }
}

/// Reads a list.
#[track_caller]
pub fn read_all(bytes: &[u8]) -> Vec<Collected> {
    read_from(bytes).0
}

/// Reads a list from a reader.
#[track_caller]
pub fn read_from(input: impl io::Read) -> (Vec<Collected>, Whole) {
    let mut collector = Collector::default();
    let mut progress = |_| {};
    let whole = List::open(input, &mut progress).read(&mut collector);
    (collector.0, whole.expect("memory can be read"))
}

/// Reads a list that has one part.
#[track_caller]
pub fn read_one(bytes: &[u8]) -> Collected {
    let mut all = read_all(bytes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}
