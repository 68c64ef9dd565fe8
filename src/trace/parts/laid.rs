//! The layout of a list, told by its beginning, for pieces that cannot tell it themselves.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::columns::{Apart, Column, Columns};
use super::super::read::{Encoding, Head, Kind, Layout, List, Parts, Style};
use crate::notation::{Format, Region, Role};

/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// Encodings of which a text can be cut at its line ends and understood behind any of them.
const ENCODINGS: [Encoding; 4] = [
    Encoding::Utf8,
    Encoding::Cp932,
    Encoding::EucJp,
    Encoding::Latin1,
];

/// How a text of rows is laid out: no row of it is in here, only the columns' names.
#[derive(Clone, Debug)]
pub struct Laid {
    pub(in crate::trace) layout: Layout,
    pub(in crate::trace) columns: Columns,
    /// The record that names the columns, as it stands in the list.
    pub(in crate::trace) header: Vec<u8>,
}

/// Why a layout cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLayout {
    /// The list cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// There is nothing in it.
    #[error("there is no row in it: give the list's first rows, some thousand of them")]
    Empty,
    /// It is more than one table, or a format whose pieces are read whole.
    #[error(
        "it is {0}: only lines of plain text are read in pieces; give such files whole, or convert them to UTF-8 first"
    )]
    Whole(String),
    /// The file is something else.
    #[error("it is no layout: give what `otori trace layout` wrote ({0})")]
    Foreign(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    otori_layout: u32,
    delimiter: char,
    quoted: bool,
    encoding: String,
    region: Option<Region>,
    /// The header as it stands in the list, in Base64: its encoding may be another one.
    header: Option<String>,
    columns: Vec<ColumnDocument>,
    /// Values that stand in three columns each: the first of these, and what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apart: Vec<(usize, Role)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnDocument {
    header: Option<String>,
    role: Option<Role>,
    confidence: f64,
    /// How it writes dates, by example.
    format: Option<String>,
}

impl Laid {
    /// Understands a list by its first rows.
    ///
    /// # Errors
    /// It cannot be read, or is no text of rows.
    pub fn of(input: impl Read) -> Result<Laid, InvalidLayout> {
        let mut look = Look::default();
        let mut progress = |_| {};
        match List::open(input, &mut progress).read(&mut look) {
            Err(error) if !look.seen_enough => return Err(error.into()),
            _ => {}
        }
        let (head, columns) = look.first.ok_or(InvalidLayout::Empty)?;
        if look.parts > 1 || head.layout.style == Style::Split {
            return Err(InvalidLayout::Whole(head.format.to_owned()));
        }
        if head.encoding != head.layout.encoding.name() {
            return Err(InvalidLayout::Whole(head.encoding.to_owned()));
        }
        if columns.columns.is_empty() {
            return Err(InvalidLayout::Empty);
        }
        let laid = Laid {
            layout: head.layout,
            header: look.header,
            columns,
        };
        // What is read here must be what the pieces are read by.
        Laid::from_json(&laid.to_json())
    }

    /// Its text.
    pub fn to_json(&self) -> String {
        let column = |column: &Column| ColumnDocument {
            header: column.header.clone(),
            role: column.role,
            confidence: column.confidence,
            format: match (&column.format, column.role) {
                (Some(format @ Format::Date(_)), Some(role)) => Some(format.example(role)),
                _ => None,
            },
        };
        let document = Document {
            otori_layout: FORMAT,
            delimiter: char::from(self.layout.delimiter),
            quoted: self.layout.style == Style::Quoted,
            encoding: self.layout.encoding.name().to_owned(),
            region: self.columns.region,
            header: (!self.header.is_empty()).then(|| BASE64.encode(&self.header)),
            columns: self.columns.columns.iter().map(column).collect(),
            apart: (self.columns.apart.iter())
                .map(|apart| (apart.first, apart.role))
                .collect(),
        };
        serde_json::to_string(&document).expect("a layout has text keys and finite numbers")
    }

    /// The layout that a text says.
    ///
    /// # Errors
    /// It is none, or a later program wrote it.
    pub fn from_json(text: &str) -> Result<Laid, InvalidLayout> {
        let foreign = |why: String| InvalidLayout::Foreign(why);
        let document: Document =
            serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
        if document.otori_layout != FORMAT {
            return Err(foreign(format!("its format is {}", document.otori_layout)));
        }
        let delimiter = u8::try_from(document.delimiter);
        let mut encodings = ENCODINGS.into_iter();
        let encoding = encodings.find(|encoding| encoding.name() == document.encoding);
        let header = document.header.as_deref().unwrap_or_default();
        let columns: Result<Vec<Column>, String> =
            document.columns.into_iter().map(column).collect();
        let within = |(first, _): &(usize, Role)| first.checked_add(3);
        let width = columns.as_ref().map_or(0, Vec::len);
        if !(document.apart.iter()).all(|apart| within(apart).is_some_and(|end| end <= width)) {
            return Err(foreign("three columns that it has not".into()));
        }
        let apart = document.apart.into_iter();
        Ok(Laid {
            layout: Layout {
                delimiter: delimiter.map_err(|_| foreign("its delimiter is no letter".into()))?,
                style: if document.quoted {
                    Style::Quoted
                } else {
                    Style::Escaped
                },
                encoding: encoding.ok_or_else(|| foreign("its encoding is unknown".into()))?,
            },
            columns: Columns {
                columns: columns.map_err(foreign)?,
                region: document.region,
                before: 0,
                merged: Vec::new(),
                apart: apart.map(|(first, role)| Apart { first, role }).collect(),
            },
            header: BASE64
                .decode(header)
                .map_err(|error| foreign(error.to_string()))?,
        })
    }

    /// What tells two layouts apart.
    pub fn digest(&self) -> String {
        crate::evidence::hex(&Sha256::digest(self.to_json()))
    }

    /// What a reader says of a piece before its rows.
    pub(in crate::trace) fn head(&self) -> Head {
        Head {
            layout: self.layout,
            ..Head::split("", self.layout.name(), self.layout.encoding.name())
        }
    }
}

fn column(document: ColumnDocument) -> Result<Column, String> {
    let format = match (document.format, document.role) {
        (Some(text), Some(role)) => {
            let named = Format::named(role, &text);
            Some(named.map_err(|error| error.to_string())?)
        }
        _ => None,
    };
    Ok(Column {
        header: document.header,
        role: document.role,
        confidence: document.confidence,
        format,
    })
}

/// Looks at the first part of a list, up to its header.
#[derive(Default)]
struct Look {
    first: Option<(Head, Columns)>,
    header: Vec<u8>,
    records: usize,
    parts: usize,
    seen_enough: bool,
}

impl Parts for Look {
    fn begin(&mut self, head: Head) -> usize {
        if self.first.is_none() {
            let columns = Columns::understand(head.header.as_deref(), &head.sample);
            self.first = Some((head, columns));
        }
        self.parts += 1;
        self.parts - 1
    }

    fn record(&mut self, part: usize, record: &[u8], _: Kind) -> io::Result<()> {
        let before = self.first.as_ref().map_or(0, |(_, columns)| columns.before);
        if part == 0 && self.records < before {
            self.records += 1;
            self.header = record.to_vec();
        }
        if self.records == before {
            self.seen_enough = true;
            return Err(io::Error::other("seen enough"));
        }
        Ok(())
    }

    fn broken(&mut self, _: usize, _: String) {}
}
