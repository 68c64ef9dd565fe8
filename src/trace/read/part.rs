//! What a list is made of: tables, here called parts, each read row by row.
//!
//! A plain file has one part; an archive, a workbook or a dump has as many as it has tables. Readers
//! push: a reader drives through its bytes and hands on what it finds. So a reader of an archive can
//! call another for each entry, and none has to stop half-way and remember where it was.

use std::io;

use super::fields::{SPLIT, Style};
use super::records::{Kind, Layout};
use crate::notation::encoding::Encoding;

/// What is known of a part before its rows are read.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its name within the list (the entry, the sheet, the table); empty where the list is but one table.
    pub name: String,
    /// The format's name in reports.
    pub format: &'static str,
    /// What it was packed in, outermost first: `zip`, `gzip`.
    pub packing: Vec<&'static str>,
    /// The encoding's name in reports.
    pub encoding: &'static str,
    /// How its records become cells.
    pub layout: Layout,
    /// The columns' names where the format itself gives them, apart from the rows.
    pub header: Option<Vec<String>>,
    /// Its first records.
    pub sample: Vec<Vec<String>>,
}

impl Head {
    /// A part whose rows its reader splits itself, before a row of it has been seen.
    pub fn split(name: &str, format: &'static str, encoding: &'static str) -> Head {
        Head {
            name: name.to_owned(),
            format,
            packing: Vec::new(),
            encoding,
            layout: Layout {
                delimiter: SPLIT,
                style: Style::Split,
                encoding: Encoding::Utf8,
            },
            header: None,
            sample: Vec::new(),
        }
    }
}

/// Takes the parts of a list as they are read. Parts are numbered from 0 in the order in which they begin;
/// several may be open at once, as the tables of a dump are.
pub trait Parts {
    /// A part begins. Its first records come again, through [`Parts::record`].
    fn begin(&mut self, head: Head) -> usize;

    /// One record of a part, as its layout says.
    ///
    /// # Errors
    /// Nobody takes records any more.
    fn record(&mut self, part: usize, record: &[u8], kind: Kind) -> io::Result<()>;

    /// The part goes no further than what was read of it, and why.
    fn broken(&mut self, part: usize, why: String);
}
