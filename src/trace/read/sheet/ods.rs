//! Workbooks of LibreOffice and OpenOffice.

use std::io::{self, Read};

use zip::ZipArchive;

use super::xml::{Node, Xml, attribute};
use super::{COLUMNS, ENCODING, is_filled, number};
use crate::trace::read::part::Head;
use crate::trace::read::records::Kind;
use crate::trace::read::rows::Rows;
use crate::trace::read::unpack::{Opener, Seekable, join};
use crate::trace::read::zipped::open;

type Archive = ZipArchive<Box<dyn Seekable>>;

/// The same row is given so many times at most: a sheet may say that its last one is repeated a million times.
const REPEATED: u64 = 1_000;
const CELL: usize = 64 << 10;

/// Reads a workbook's sheets.
///
/// # Errors
/// It is damaged, encrypted, or no spreadsheet.
pub fn read(name: &str, archive: &mut Archive, opener: &mut Opener<'_>) -> io::Result<()> {
    let mut kind = String::new();
    open(archive, "mimetype", opener)?
        .take(256)
        .read_to_string(&mut kind)?;
    if !kind.contains("spreadsheet") {
        return Err(io::Error::other(
            "a document that is no spreadsheet: save its table as text or CSV",
        ));
    }
    if let Ok(input) = open(archive, "META-INF/manifest.xml", opener) {
        let mut xml = Xml::new(input);
        while let Some(node) = xml.next()? {
            if let Node::Start(tag) | Node::Empty(tag) = node
                && tag.local_name().as_ref() == "encryption-data"
            {
                return Err(io::Error::other(
                    "encrypted with a password: save it without one first",
                ));
            }
        }
    }
    let content = open(archive, "content.xml", opener)?;
    sheets(name, content, opener)
}

/// The sheets of a document by its content alone.
#[cfg(fuzzing)]
pub fn content_alone(content: &[u8], opener: &mut Opener<'_>) -> io::Result<()> {
    sheets("", content, opener)
}

fn sheets(name: &str, content: impl Read, opener: &mut Opener<'_>) -> io::Result<()> {
    let mut xml = Xml::new(content);
    while let Some(node) = xml.next()? {
        if let Node::Start(tag) = node
            && tag.local_name().as_ref() == "table"
        {
            let title = attribute(&tag, "name").unwrap_or_default();
            let path = join(name, &crate::notation::tame(&title));
            let mut rows = Rows::new(Head::split(&path, "ods", ENCODING));
            let read = sheet(&mut xml, &mut rows, opener);
            rows.flush(opener)?;
            read?;
        }
    }
    Ok(())
}

/// The cell at hand.
#[derive(Default)]
struct Cell {
    kind: String,
    value: String,
    text: String,
    formula: String,
    repeated: usize,
}

impl Cell {
    fn text(self) -> String {
        let shown = self.text.trim();
        match self.kind.as_str() {
            "date" => self.value.trim_end_matches("T00:00:00").replace('T', " "),
            // A zero before a number is shown, and not kept.
            "float" if !shown.starts_with('0') => number(&self.value),
            _ if shown.is_empty() && !self.value.is_empty() => self.value,
            _ if shown.is_empty() && !self.formula.is_empty() => self.formula,
            _ => shown.to_owned(),
        }
    }
}

fn sheet<R: Read>(xml: &mut Xml<R>, rows: &mut Rows, opener: &mut Opener<'_>) -> io::Result<()> {
    let mut row: Vec<String> = Vec::new();
    let (mut cell, mut repeated) = (None::<Cell>, 1);
    // Empty cells count only where a filled one comes behind them.
    let mut empty = 0_usize;
    let (mut paragraphs, mut notes) = (0_usize, 0_usize);
    while let Some(node) = xml.next()? {
        let (opens, closes) = (
            matches!(node, Node::Start(_)),
            matches!(node, Node::Empty(_)),
        );
        match node {
            Node::Start(tag) | Node::Empty(tag) => match tag.local_name().as_ref() {
                "table-row" => {
                    row.clear();
                    empty = 0;
                    let count = attribute(&tag, "number-rows-repeated");
                    repeated = count.and_then(|count| count.parse().ok()).unwrap_or(1);
                }
                "table-cell" | "covered-table-cell" => {
                    let count = attribute(&tag, "number-columns-repeated");
                    let new = Cell {
                        kind: attribute(&tag, "value-type").unwrap_or_default(),
                        value: attribute(&tag, "date-value")
                            .or_else(|| attribute(&tag, "value"))
                            .or_else(|| attribute(&tag, "string-value"))
                            .unwrap_or_default(),
                        formula: attribute(&tag, "formula").unwrap_or_default(),
                        repeated: count.and_then(|count| count.parse().ok()).unwrap_or(1),
                        ..Cell::default()
                    };
                    if closes {
                        put(new, &mut row, &mut empty);
                    } else {
                        cell = Some(new);
                    }
                }
                "annotation" if opens => notes += 1,
                "p" if opens => {
                    if paragraphs == 0
                        && let Some(cell) = &mut cell
                        && notes == 0
                        && !cell.text.is_empty()
                    {
                        cell.text.push('\n');
                    }
                    paragraphs += 1;
                }
                "s" | "tab" | "line-break" if notes == 0 => {
                    if let Some(cell) = &mut cell {
                        cell.text.push(' ');
                    }
                }
                _ => {}
            },
            Node::Text(text) if paragraphs > 0 && notes == 0 => {
                if let Some(cell) = &mut cell
                    && cell.text.len() < CELL
                {
                    cell.text.push_str(&text);
                }
            }
            Node::End(tag) => match tag.local_name().as_ref() {
                "p" => paragraphs = paragraphs.saturating_sub(1),
                "annotation" => notes = notes.saturating_sub(1),
                "table-cell" | "covered-table-cell" => {
                    if let Some(cell) = cell.take() {
                        put(cell, &mut row, &mut empty);
                    }
                }
                "table-row" if is_filled(&row) => {
                    for _ in 0..repeated.min(REPEATED) {
                        rows.push(row.iter().map(String::as_str), Kind::Sound, opener)?;
                    }
                }
                "table" => return Ok(()),
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

fn put(cell: Cell, row: &mut Vec<String>, empty: &mut usize) {
    let repeated = cell.repeated.min(COLUMNS);
    let text = cell.text();
    if text.is_empty() {
        *empty = (*empty + repeated).min(COLUMNS);
        return;
    }
    row.resize((row.len() + *empty).min(COLUMNS), String::new());
    *empty = 0;
    for _ in 0..repeated.min(COLUMNS.saturating_sub(row.len())) {
        row.push(text.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::collected::{read_all, read_one, zip};

    fn book(manifest: &str, content: &str) -> Vec<u8> {
        let kind = "application/vnd.oasis.opendocument.spreadsheet";
        let files = [
            ("mimetype", kind),
            ("META-INF/manifest.xml", manifest),
            ("content.xml", content),
        ];
        zip(&files.map(|(name, text)| (name, text.as_bytes())))
    }

    #[test]
    fn cells_are_read_as_a_person_sees_them() {
        let content = r#"<office:document-content><table:table table:name="会員"><table:table-column/>
            <table:table-row><table:table-cell office:value-type="string"><text:p>山田<text:s/>太郎</text:p><office:annotation><text:p>note</text:p></office:annotation></table:table-cell>
            <table:table-cell table:number-columns-repeated="2"/>
            <table:table-cell office:value-type="date" office:date-value="1972-04-05"><text:p>72/4/5</text:p></table:table-cell>
            <table:table-cell office:value-type="float" office:value="9001234567"><text:p>9.0E9</text:p></table:table-cell>
            <table:table-cell office:value-type="float" office:value="9001234567"><text:p>09001234567</text:p></table:table-cell>
            <table:table-cell table:number-columns-repeated="16000"/></table:table-row>
            <table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
            </table:table><table:table table:name="two"><table:table-row table:number-rows-repeated="3"><table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row></table:table></office:document-content>"#;
        let all = read_all(&book("<manifest/>", content));
        assert_eq!(all[0].name, "会員");
        assert_eq!(
            all[0].lines(),
            ["山田 太郎|||1972-04-05|9001234567|09001234567"]
        );
        assert_eq!(all[1].lines(), ["x", "x", "x"]);
    }

    #[test]
    fn a_locked_workbook_is_told() {
        let manifest = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
        assert!(
            read_one(&book(manifest, "noise"))
                .why()
                .contains("password")
        );
    }
}
