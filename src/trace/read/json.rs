//! JSON in any of its shapes: an array of objects, one object per line, objects one after the other, or tables
//! somewhere within one document.
//!
//! It is read as a stream: no string, no object and no document is ever held as a whole. An object is a
//! row; what is nested in it becomes columns named by their path (`address.city`, `children.0.name`).
//! A row that breaks the grammar is given as far as it goes, counted as bad, and reading goes on at the next
//! line that begins with an object or an array.

use std::io::{self, Read};

use super::bytes::Bytes;
use super::part::{Head, Parts};
use super::records::{Kind, LONGEST};
use super::rows::Keyed;

/// Deeper nesting is passed over.
const DEPTH: usize = 24;
/// More values than this in one row are passed over.
const VALUES: usize = 2_000;
/// A value is no longer.
const VALUE: usize = 64 << 10;
/// Tables within one document.
const TABLES: usize = 1_000;

/// Whether a text is JSON, by its start.
pub fn is_json(start: &str) -> bool {
    let text = start.trim_start();
    let next = |text: &str| text.trim_start().chars().next();
    match text.chars().next() {
        Some('{') => matches!(next(&text[1..]), Some('"' | '}')),
        Some('[') => match next(&text[1..]) {
            Some('{' | '[') => true,
            Some('"') => text.contains("\","),
            // A list of nothing.
            Some(']') => text[1..].trim().len() == 1,
            _ => false,
        },
        _ => false,
    }
}

/// Whether a text that begins with an object is one document that holds tables, not a row per object.
fn holds_tables(start: &str) -> bool {
    let (mut depth, mut quoted, mut escaped, mut tables) = (0_usize, false, false, false);
    let mut last = ' ';
    for (place, c) in start.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => quoted = true,
            '{' | '[' => {
                tables |= last == '[';
                depth += 1;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return tables && start[place + 1..].trim().is_empty();
                }
            }
            _ => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    tables
}

/// Why a value could not be read.
enum Fault {
    /// The grammar.
    Grammar,
    /// The input, or nobody takes records.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

type Outcome<T> = Result<T, Fault>;

/// Reads JSON to its end; `start` is what is known of it before.
///
/// # Errors
/// The input's.
pub fn read(
    name: &str,
    encoding: &'static str,
    start: &str,
    input: impl Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    let mut json = Json {
        bytes: Bytes::new(input),
        name: name.to_owned(),
        encoding,
        parts,
        tables: Vec::new(),
        pairs: Vec::new(),
        size: 0,
        lost: false,
    };
    let text = start.trim_start();
    let document = text.starts_with('{') && holds_tables(text);
    let read = json.values(document);
    // What was read before an input broke off is given all the same.
    for (_, table) in &mut json.tables {
        table.flush(json.parts)?;
    }
    read
}

struct Json<'a, R> {
    bytes: Bytes<R>,
    name: String,
    encoding: &'static str,
    parts: &'a mut dyn Parts,
    /// By their path in the document.
    tables: Vec<(String, Keyed)>,
    pairs: Vec<(String, String)>,
    size: usize,
    /// The grammar was broken, and no sound row has come since.
    lost: bool,
}

impl<R: Read> Json<'_, R> {
    /// Values one after the other.
    fn values(&mut self, document: bool) -> io::Result<()> {
        while let Some(byte) = self.space()? {
            let read = match byte {
                b'{' if document && !self.lost => self.members("", 0),
                b'[' if !self.lost => self.array("", 0),
                _ => self.element("", byte),
            };
            match read {
                Ok(()) => {}
                Err(Fault::Grammar) => self.find_a_row()?,
                Err(Fault::Io(error)) => return Err(error),
            }
        }
        // A document without a table is a row.
        if document && self.tables.is_empty() && !self.pairs.is_empty() {
            self.row("", Kind::Sound)?;
        }
        Ok(())
    }

    /// After a fault: the next line that begins as a row does.
    fn find_a_row(&mut self) -> io::Result<()> {
        self.lost = true;
        let mut line = Vec::new();
        while self.bytes.line(&mut line, 0)? {
            if matches!(self.space()?, Some(b'{' | b'[' | b']')) {
                break;
            }
        }
        Ok(())
    }

    /// The next byte that is neither space nor comma.
    fn space(&mut self) -> io::Result<Option<u8>> {
        let mut none = Vec::new();
        let space = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | 0 | 0x1e);
        self.bytes.take_while(&mut none, 0, space)?;
        self.bytes.peek()
    }

    /// An array whose elements are rows.
    fn array(&mut self, path: &str, depth: usize) -> Outcome<()> {
        self.bytes.next()?;
        loop {
            match self.space()? {
                None => return Ok(()),
                Some(b']') => {
                    self.bytes.next()?;
                    return Ok(());
                }
                Some(b'[') if depth == 0 && self.lost => {
                    self.bytes.next()?;
                }
                Some(byte) => match self.element(path, byte) {
                    Err(Fault::Grammar) => self.find_a_row()?,
                    read => read?,
                },
            }
        }
    }

    /// One row: an object, an array of values, or a value alone.
    fn element(&mut self, path: &str, byte: u8) -> Outcome<()> {
        self.pairs.clear();
        self.size = 0;
        let mut key = String::new();
        let read = match byte {
            b'{' | b'[' => self.nested(&mut key, 0),
            b']' | b'}' => {
                // Left over from a row that was broken.
                self.bytes.next()?;
                return Ok(());
            }
            _ => {
                key.push('0');
                self.value(&mut key, 0)
            }
        };
        let kind = match read {
            Ok(()) if self.size > LONGEST => Kind::TooLong,
            Ok(()) => Kind::Sound,
            Err(_) => Kind::Broken,
        };
        self.lost &= kind == Kind::Broken;
        if kind != Kind::Broken || !self.pairs.is_empty() {
            self.row(path, kind)?;
        }
        read
    }

    fn row(&mut self, path: &str, kind: Kind) -> io::Result<()> {
        let known = self.tables.iter().position(|(known, _)| known == path);
        let place = match known {
            Some(place) => place,
            None if self.tables.len() < TABLES => {
                let name = match (self.name.as_str(), path) {
                    (name, "") => name.to_owned(),
                    ("", path) => path.to_owned(),
                    (name, path) => format!("{name}/{path}"),
                };
                let head = Head::split(&name, "json", self.encoding);
                self.tables.push((path.to_owned(), Keyed::new(head)));
                self.tables.len() - 1
            }
            None => return Ok(()),
        };
        self.tables[place].1.push(&mut self.pairs, kind, self.parts)
    }

    /// The members of a document: arrays are tables, objects may hold some, values are kept.
    fn members(&mut self, path: &str, depth: usize) -> Outcome<()> {
        self.bytes.next()?;
        loop {
            match self.space()? {
                Some(b'}') => {
                    self.bytes.next()?;
                    return Ok(());
                }
                None => return Ok(()),
                Some(_) => {}
            }
            let name = self.name()?;
            let mut below = match path {
                "" => name,
                path => format!("{path}.{name}"),
            };
            match self.space()? {
                Some(b'{') if depth < DEPTH => self.members(&below, depth + 1)?,
                Some(b'[') => {
                    let kept = std::mem::take(&mut self.pairs);
                    self.array(&below, depth + 1)?;
                    self.pairs = kept;
                }
                _ => self.value(&mut below, depth)?,
            }
        }
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Outcome<String> {
        if self.space()? != Some(b'"') {
            return Err(Fault::Grammar);
        }
        let name = self.string()?;
        if self.space()? != Some(b':') {
            return Err(Fault::Grammar);
        }
        self.bytes.next()?;
        Ok(name)
    }

    /// An object or an array within a row; `key` is the path so far.
    fn nested(&mut self, key: &mut String, depth: usize) -> Outcome<()> {
        if depth > DEPTH {
            return Err(Fault::Grammar);
        }
        let object = self.bytes.next()? == Some(b'{');
        let length = key.len();
        for place in 0.. {
            match self.space()? {
                None => return Err(Fault::Grammar),
                Some(b'}') if object => break,
                Some(b']') if !object => break,
                Some(_) => {}
            }
            if length > 0 {
                key.push('.');
            }
            if object {
                let name = self.name()?;
                key.push_str(&name);
            } else {
                key.push_str(&place.to_string());
            }
            self.value(key, depth)?;
            key.truncate(length);
        }
        self.bytes.next()?;
        Ok(())
    }

    /// A value of a row, kept under its path.
    fn value(&mut self, key: &mut String, depth: usize) -> Outcome<()> {
        let text = match self.space()? {
            Some(b'{' | b'[') => return self.nested(key, depth + 1),
            Some(b'"') => self.string()?,
            _ => self.word()?,
        };
        self.size += key.len() + text.len();
        if self.pairs.len() < VALUES && self.size <= LONGEST {
            self.pairs.push((key.clone(), text));
        }
        Ok(())
    }

    /// A number or a word; `null` is nothing.
    fn word(&mut self) -> Outcome<String> {
        let mut word = Vec::new();
        let letter =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'$');
        self.bytes.take_while(&mut word, VALUE, letter)?;
        match String::from_utf8(word) {
            Ok(word) if word.is_empty() => Err(Fault::Grammar),
            Ok(word) if word == "null" => Ok(String::new()),
            Ok(word) => Ok(word),
            Err(_) => Err(Fault::Grammar),
        }
    }

    /// A string; a line end in it says that its quote is missing.
    fn string(&mut self) -> Outcome<String> {
        self.bytes.next()?;
        let mut text = Vec::new();
        loop {
            let plain = |byte: u8| !matches!(byte, b'"' | b'\\' | b'\n');
            self.bytes.take_while(&mut text, VALUE, plain)?;
            match self.bytes.peek()? {
                None | Some(b'\n') => return Err(Fault::Grammar),
                Some(b'\\') => {
                    self.bytes.next()?;
                    self.escape(&mut text)?;
                }
                Some(_) => {
                    self.bytes.next()?;
                    return Ok(String::from_utf8_lossy(&text).into_owned());
                }
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Outcome<()> {
        let c = match self.bytes.next()? {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b' | b'f') => ' ',
            Some(b'u') => {
                let first = self.unit()?;
                let pair = (0xd800..0xdc00).contains(&first) && self.bytes.comes(b"\\u")?;
                if pair {
                    self.bytes.skip(2);
                    let second = self.unit()?;
                    let low = second.wrapping_sub(0xdc00) & 0x3ff;
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
                } else {
                    char::from_u32(first)
                }
                .unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            _ => return Err(Fault::Grammar),
        };
        if text.len() < VALUE {
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    fn unit(&mut self) -> Outcome<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.bytes.next()?.map(char::from);
            let digit = digit.and_then(|digit| digit.to_digit(16));
            unit = unit << 4 | digit.ok_or(Fault::Grammar)?;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::collected::{read_all, read_one};
    use super::*;

    #[test]
    fn arrays_lines_and_values_one_after_the_other_are_rows() {
        let array = r#"[{"name":"山田","tel":"0301234567"}, {"tel":null,"name":"\u9234\u6728"}]"#;
        let lines =
            "{\"name\":\"山田\",\"tel\":\"0301234567\"}\r\n{\"tel\":null,\"name\":\"鈴木\"}\r\n";
        let run_on = lines.replace("\r\n", "");
        let pretty = "[\n  {\n    \"name\": \"山田\",\n    \"tel\": \"0301234567\"\n  },\n  {\n    \"name\": \"鈴木\"\n  }\n]\n";
        for text in [array, lines, &run_on, pretty] {
            let part = read_one(text.as_bytes());
            assert_eq!(part.format, "json");
            let header = part.header.clone().unwrap();
            assert_eq!(header, ["name", "tel"]);
            assert_eq!(part.lines(), ["山田|0301234567", "鈴木|"], "{text}");
            assert_eq!(part.bad(), 0);
        }
    }

    #[test]
    fn what_is_nested_becomes_columns() {
        let part = read_one(
            br#"{"id":{"$oid":"5"},"to":{"city":"X","lines":["a","b"]},"children":[{"name":"K","born":2015}]}
{"id":{"$oid":"6"},"to":{"city":"Y","lines":[]},"children":[],"late":true}
"#,
        );
        assert_eq!(
            part.header.as_ref().unwrap(),
            &[
                "id.$oid",
                "to.city",
                "to.lines.0",
                "to.lines.1",
                "children.0.name",
                "children.0.born",
                "late"
            ]
        );
        assert_eq!(part.lines(), ["5|X|a|b|K|2015|", "6|Y|||||true"]);
    }

    #[test]
    fn tables_within_one_document_are_parts() {
        let text = r#"{"exported":"2026-01-01","data":{"customers":[{"name":"A","kids":[{"n":1}]},{"name":"B"}],
            "orders":[[1,"x"],[2,"y"]]}}"#;
        let parts = read_all(text.as_bytes());
        let told: Vec<_> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.lines()))
            .collect();
        assert_eq!(
            told,
            [
                ("data.customers", vec!["A|1".to_owned(), "B|".to_owned()]),
                ("data.orders", vec!["1|x".to_owned(), "2|y".to_owned()])
            ]
        );
        let alone = read_one(br#"{"name":"A","tel":"1"}"#);
        assert_eq!(alone.lines(), ["A|1"]);
    }

    #[test]
    fn broken_rows_are_counted_and_the_next_ones_are_read() {
        let text = "{\"a\":\"1\"}\n{\"a\":\"2}\n{\"a\":\"3\"\n{\"a\" \"4\"}\nnonsense\n{\"a\":\"5\"}\n{\"a\":\"6";
        let part = read_one(text.as_bytes());
        let sound: Vec<&String> = part
            .rows
            .iter()
            .zip(&part.kinds)
            .filter(|(_, kind)| **kind == Kind::Sound)
            .map(|(row, _)| &row[0])
            .collect();
        assert_eq!(sound, ["1", "5"]);
        assert!(part.lines().contains(&"3".to_owned()));
        let cut = read_one(b"[{\"a\":\"1\"},{\"a\":\"2\"},{\"a\"");
        assert_eq!(cut.lines(), ["1", "2"]);
        let pretty = "[\n {\n \"a\": \"1\",\n \"b\": \"x\n },\n {\n \"a\": \"2\"\n }\n]";
        assert_eq!(read_one(pretty.as_bytes()).lines().last().unwrap(), "2");
    }

    #[test]
    fn keys_that_come_later_stand_behind_the_others() {
        let mut text = "{\"a\":1}\n".repeat(4_000);
        text += "{\"b\":2,\"a\":3}\n";
        assert_eq!(read_one(text.as_bytes()).lines().last().unwrap(), "3|2");
    }

    #[test]
    fn nothing_is_held_that_has_no_bound() {
        let deep = "[".repeat(1 << 20);
        read_all(format!("[[{deep}").as_bytes());
        let deep = "{\"a\":".repeat(1 << 18);
        read_all(deep.as_bytes());
        let long = format!("{{\"a\":\"{}\"}}\n{{\"a\":\"1\"}}", "x".repeat(9 << 20));
        let part = read_one(long.as_bytes());
        assert!(part.rows[0][0].len() <= LONGEST);
        assert_eq!(part.lines()[1], "1");
    }
}
