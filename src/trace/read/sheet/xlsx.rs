//! Workbooks of Excel since 2007.

use std::collections::HashMap;
use std::io::{self, Read};

use zip::ZipArchive;

use super::strings::Strings;
use super::style::Style;
use super::xml::{Node, Xml, attribute};
use super::{COLUMNS, ENCODING, is_filled};
use crate::trace::read::part::Head;
use crate::trace::read::records::Kind;
use crate::trace::read::rows::Rows;
use crate::trace::read::unpack::{Opener, Seekable, join};
use crate::trace::read::zipped::open;

type Archive = ZipArchive<Box<dyn Seekable>>;

/// A cell's text is no longer in any workbook that Excel wrote.
const CELL: usize = 64 << 10;

/// Reads a workbook's sheets, hidden ones among them.
///
/// # Errors
/// It is damaged.
pub fn read(name: &str, archive: &mut Archive, opener: &mut Opener<'_>) -> io::Result<()> {
    let (sheets, since_1904) = sheets(open(archive, "xl/workbook.xml", opener)?)?;
    let targets = match open(archive, "xl/_rels/workbook.xml.rels", opener) {
        Ok(input) => targets(input)?,
        Err(_) => HashMap::new(),
    };
    let styles = match open(archive, "xl/styles.xml", opener) {
        Ok(input) => styles(input)?,
        Err(_) => Vec::new(),
    };
    let strings = match open(archive, "xl/sharedStrings.xml", opener) {
        Ok(input) => Strings::read(input)?,
        Err(_) => Strings::default(),
    };
    let book = Book {
        strings,
        styles,
        since_1904,
    };
    for (title, id) in sheets {
        let path = join(name, &crate::notation::tame(&title));
        let Some(target) = targets.get(&id) else {
            opener.fault(&path, "the workbook does not say where this sheet is");
            continue;
        };
        match open(archive, target, opener) {
            Ok(input) => opener.sheet(&path, |opener| book.sheet(&path, input, opener)),
            Err(_) => opener.fault(&path, "the workbook lacks this sheet"),
        }
    }
    Ok(())
}

/// A sheet without its workbook.
#[cfg(fuzzing)]
pub fn sheet_alone(sheet: &[u8], opener: &mut Opener<'_>) -> io::Result<()> {
    let book = Book {
        strings: Strings::read(sheet).unwrap_or_default(),
        styles: styles(sheet).unwrap_or_default(),
        since_1904: false,
    };
    book.sheet("", sheet, opener)
}

/// Names and ids of the sheets, and whether dates count from 1904.
fn sheets(input: impl Read) -> io::Result<(Vec<(String, String)>, bool)> {
    let mut xml = Xml::new(input);
    let (mut sheets, mut since_1904) = (Vec::new(), false);
    while let Some(node) = xml.next()? {
        let (Node::Start(tag) | Node::Empty(tag)) = node else {
            continue;
        };
        match tag.local_name().as_ref() {
            "sheet" if sheets.len() < 10_000 => {
                let name = attribute(&tag, "name").unwrap_or_default();
                // r:id, not sheetId.
                sheets.push((name, attribute(&tag, "id").unwrap_or_default()));
            }
            "workbookPr" => {
                let value = attribute(&tag, "date1904").unwrap_or_default();
                since_1904 = matches!(value.as_str(), "1" | "true");
            }
            _ => {}
        }
    }
    Ok((sheets, since_1904))
}

fn targets(input: impl Read) -> io::Result<HashMap<String, String>> {
    let mut xml = Xml::new(input);
    let mut targets = HashMap::new();
    while let Some(node) = xml.next()? {
        let (Node::Start(tag) | Node::Empty(tag)) = node else {
            continue;
        };
        if let (Some(id), Some(target)) = (attribute(&tag, "Id"), attribute(&tag, "Target")) {
            let path = match target.strip_prefix('/') {
                Some(path) => path.to_owned(),
                None => format!("xl/{target}"),
            };
            targets.insert(id, path);
        }
    }
    Ok(targets)
}

/// The formats of cells, by their number in the workbook.
fn styles(input: impl Read) -> io::Result<Vec<Style>> {
    let mut xml = Xml::new(input);
    let mut codes: HashMap<u32, String> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cells = false;
    let id = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
    while let Some(node) = xml.next()? {
        match node {
            Node::Start(tag) | Node::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    let code = attribute(&tag, "formatCode").unwrap_or_default();
                    codes.insert(id(attribute(&tag, "numFmtId")), code);
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => {
                    let id = id(attribute(&tag, "numFmtId"));
                    styles.push(Style::of(id, codes.get(&id).map(String::as_str)));
                }
                _ => {}
            },
            Node::End(tag) if tag.local_name().as_ref() == "cellXfs" => in_cells = false,
            _ => {}
        }
    }
    Ok(styles)
}

struct Book {
    strings: Strings,
    styles: Vec<Style>,
    since_1904: bool,
}

/// The cell at hand.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    style: usize,
    value: String,
    formula: String,
}

impl Book {
    fn sheet(&self, name: &str, input: impl Read, opener: &mut Opener<'_>) -> io::Result<()> {
        let mut rows = Rows::new(Head::split(name, "xlsx", ENCODING));
        let read = self.rows(input, &mut rows, opener);
        rows.flush(opener)?;
        read
    }

    fn rows(&self, input: impl Read, rows: &mut Rows, opener: &mut Opener<'_>) -> io::Result<()> {
        let mut xml = Xml::new(input);
        let mut row: Vec<String> = Vec::new();
        let mut cell = Cell::default();
        let (mut within, mut reading) = (' ', false);
        while let Some(node) = xml.next()? {
            match node {
                Node::Start(tag) | Node::Empty(tag) if tag.local_name().as_ref() == "c" => {
                    let place = attribute(&tag, "r").and_then(|place| column(&place));
                    cell = Cell {
                        column: place.unwrap_or(row.len()),
                        kind: attribute(&tag, "t").unwrap_or_default(),
                        style: attribute(&tag, "s")
                            .and_then(|style| style.parse().ok())
                            .unwrap_or(0),
                        ..Cell::default()
                    };
                }
                Node::Start(tag) => match tag.local_name().as_ref() {
                    "v" => within = 'v',
                    "t" => within = 't',
                    "f" => within = 'f',
                    "rPh" => reading = true,
                    "row" => row.clear(),
                    _ => {}
                },
                Node::Text(text) => match within {
                    'f' if cell.formula.len() < CELL => cell.formula.push_str(&text),
                    'v' | 't' if !reading && cell.value.len() < CELL => cell.value.push_str(&text),
                    _ => {}
                },
                Node::End(tag) => match tag.local_name().as_ref() {
                    "v" | "t" | "f" => within = ' ',
                    "rPh" => reading = false,
                    "c" => {
                        let text = self.text(&cell);
                        if cell.column < COLUMNS && !text.is_empty() {
                            if row.len() <= cell.column {
                                row.resize(cell.column + 1, String::new());
                            }
                            row[cell.column] = text;
                        }
                        cell = Cell::default();
                    }
                    "row" if is_filled(&row) => {
                        rows.push(row.iter().map(String::as_str), Kind::Sound, opener)?;
                        row.clear();
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&self, cell: &Cell) -> String {
        let style = || self.styles.get(cell.style).unwrap_or(&Style::Plain);
        match cell.kind.as_str() {
            "s" => cell
                .value
                .trim()
                .parse()
                .map_or("", |place| self.strings.get(place))
                .to_owned(),
            "str" | "inlineStr" | "d" | "b" | "e" => cell.value.clone(),
            _ if cell.value.is_empty() && !cell.formula.is_empty() => format!("={}", cell.formula),
            _ => style().show(cell.value.trim(), self.since_1904),
        }
    }
}

/// The column of `AB12`, from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.take(4).fold(0_usize, |number, letter| {
        number * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::super::collected::{read_all, zip};

    fn book(sheet: &str) -> Vec<u8> {
        let files = [
            (
                "xl/workbook.xml",
                r#"<workbook><sheets><sheet name="会員" sheetId="1" r:id="r1"/><sheet name="empty" sheetId="2" r:id="r2"/>
                <sheet name="lost" sheetId="3" r:id="r3"/></sheets></workbook>"#,
            ),
            (
                "xl/_rels/workbook.xml.rels",
                r#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/>
                <Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#,
            ),
            (
                "xl/styles.xml",
                r#"<styleSheet><numFmts><numFmt numFmtId="170" formatCode="00000000000"/></numFmts>
                <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
                <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>"#,
            ),
            (
                "xl/sharedStrings.xml",
                r#"<sst><si><t>氏名</t></si><si><r><t>山田</t></r><r><t xml:space="preserve"> &amp; 太郎</t></r>
                <rPh><t>ヤマダ</t></rPh></si><si/></sst>"#,
            ),
            ("xl/worksheets/sheet1.xml", sheet),
            (
                "xl/worksheets/sheet2.xml",
                "<worksheet><sheetData/></worksheet>",
            ),
        ];
        zip(&files.map(|(name, text)| (name, text.as_bytes())))
    }

    #[test]
    fn cells_are_read_as_a_person_sees_them() {
        let bytes = book(
            r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>電話</t></is></c></row>
            <row r="2"/><row r="3"><c r="A3" t="s"><v>1</v></c><c r="C3" s="1"><v>26394</v></c><c r="D3" s="2"><v>9001234567</v></c>
            <c r="E3"><v>9.001234567E9</v></c></row>
            <row r="4"><c r="A4"><f>HYPERLINK("x")</f></c><c r="B4" t="str"><f>A1</f><v>kept</v></c><c r="C4" t="s"><v>99</v></c></row>
            </sheetData></worksheet>"#,
        );
        let all = read_all(&bytes);
        assert_eq!((all[0].name.as_str(), all[0].format), ("会員", "xlsx"));
        assert_eq!(
            all[0].lines(),
            [
                "氏名|電話",
                "山田 & 太郎||1972-04-05|09001234567|9001234567",
                "=HYPERLINK(\"x\")|kept"
            ]
        );
        // An empty sheet is not worth a word; one that is missing is.
        assert_eq!(all.len(), 2);
        assert!(all[1].why().contains("does not say where"));
    }

    #[test]
    fn a_broken_sheet_gives_what_it_has() {
        let all = read_all(&book(
            "<worksheet><sheetData><row><c><v>1</v></c></row><row></c",
        ));
        assert_eq!(all[0].lines(), ["1"]);
        assert!(all[0].why().contains("damaged"));
        let wide = read_all(&book(
            "<worksheet><row><c r=\"ZZZZZ1\"><v>1</v></c><c r=\"B1\"><v>2</v></c></row></worksheet>",
        ));
        assert_eq!(wide[0].lines(), ["|2"]);
        let endless = format!(
            "<worksheet><row><c t=\"str\"><v>{}</v></c></row>",
            "x".repeat(6 << 20)
        );
        assert!(
            read_all(&book(&endless))[0]
                .why()
                .contains("longer than 4 MiB")
        );
    }
}
