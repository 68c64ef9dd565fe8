//! Address books: vCard 2.1 to 4.0, one card a row.

use std::io::{self, Read};

use super::bytes::Bytes;
use super::part::{Head, Parts};
use super::records::{Kind, LONGEST};
use super::rows::Keyed;
use crate::notation::encoding::{Encoding, decode};

/// Whether a text is an address book, by its start.
pub fn is_vcard(start: &str) -> bool {
    let line = start.trim_start().get(..11);
    line.is_some_and(|line| line.eq_ignore_ascii_case("begin:vcard"))
}

/// Reads an address book to its end.
///
/// # Errors
/// The input's.
pub fn read(
    name: &str,
    encoding: &'static str,
    input: impl Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    let mut lines = Lines {
        bytes: Bytes::new(input),
        line: Vec::new(),
        size: 0,
    };
    let mut rows = Keyed::new(Head::split(name, "vcard", encoding));
    let mut card = Vec::new();
    let read = loop {
        match lines.next() {
            Err(error) => break Err(error),
            Ok(None) => break Ok(()),
            Ok(Some(line)) => {
                let Some((property, value)) = line.split_once(':') else {
                    continue;
                };
                let tail = |word: &str| value.trim().eq_ignore_ascii_case(word);
                match property.to_ascii_uppercase().as_str() {
                    // A card that was not ended is a card.
                    "BEGIN" if tail("vcard") && !card.is_empty() => {
                        rows.push(&mut card, Kind::Broken, parts)?
                    }
                    "END" if tail("vcard") => {
                        let kind = if lines.size > LONGEST {
                            Kind::TooLong
                        } else {
                            Kind::Sound
                        };
                        rows.push(&mut card, kind, parts)?;
                    }
                    _ if lines.size <= LONGEST => add(&mut card, property, value),
                    _ => {}
                }
                if card.is_empty() {
                    lines.size = 0;
                }
            }
        }
    };
    if !card.is_empty() {
        rows.push(&mut card, Kind::Broken, parts)?;
    }
    rows.flush(parts)?;
    read
}

/// Adds a property's values under names that columns of lists have.
fn add(card: &mut Vec<(String, String)>, property: &str, value: &str) {
    let mut words = property.split(';');
    let name = words.next().unwrap_or_default();
    // `item1.TEL` is a TEL.
    let name = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    let parameters = property.to_ascii_uppercase();
    let decoded;
    let value = if parameters.contains("QUOTED-PRINTABLE") {
        decoded = quoted_printable(value, &parameters);
        &decoded
    } else {
        value
    };
    let mut give = |column: &str, value: &str| {
        let value = unescape(value);
        if value.trim().is_empty() {
            return;
        }
        let taken = |name: &str| card.iter().any(|(known, _)| known == name);
        let mut name = column.to_owned();
        let mut number = 2;
        while taken(&name) && number < 100 {
            name = format!("{column} {number}");
            number += 1;
        }
        card.push((name, value));
    };
    let parts = || split(value, ';');
    match name.as_str() {
        "FN" => give("name", value),
        "N" => {
            for (column, part) in ["family_name", "given_name"].iter().zip(parts()) {
                give(column, part);
            }
        }
        "X-PHONETIC-LAST-NAME" => give("family_name_kana", value),
        "X-PHONETIC-FIRST-NAME" => give("given_name_kana", value),
        // What Japanese telephones write: SOUND;X-IRMC-N:ﾔﾏﾀﾞ;ﾀﾛｳ;;;
        "SOUND" => {
            let words: Vec<&str> = parts()
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect();
            give("name_kana", &words.join(" "));
        }
        "TEL" => {
            let value = value.strip_prefix("tel:").unwrap_or(value);
            let mobile = parameters.contains("CELL");
            give(if mobile { "mobile" } else { "phone" }, value);
        }
        "EMAIL" => give("email", value.strip_prefix("mailto:").unwrap_or(value)),
        "ADR" => {
            let names = ["", "building", "street", "city", "prefecture", "postcode"];
            for (column, part) in names
                .iter()
                .zip(parts())
                .filter(|(name, _)| !name.is_empty())
            {
                give(column, part);
            }
        }
        "BDAY" => give("birth_date", value),
        "GENDER" => give("sex", value),
        "NOTE" => give("note", value),
        "ORG" => give("company", value),
        _ => {}
    }
}

/// Splits at a letter that no backslash stands before.
fn split(value: &str, at: char) -> Vec<&str> {
    let mut escaped = false;
    value
        .split(|c| {
            let here = c == at && !escaped;
            escaped = c == '\\' && !escaped;
            here
        })
        .collect()
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

fn quoted_printable(value: &str, parameters: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(coded) if *byte == b'=' => {
                out.push(coded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    let sjis = parameters.contains("SHIFT_JIS") || parameters.contains("SJIS");
    let guess = if sjis {
        Encoding::Cp932
    } else {
        Encoding::Utf8
    };
    decode(&out, guess).0.into_owned()
}

/// Logical lines: one that begins with a space goes on with the one before, and so does one behind a soft line
/// end of quoted-printable.
struct Lines<R> {
    bytes: Bytes<R>,
    line: Vec<u8>,
    /// Bytes since the card began.
    size: usize,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> io::Result<Option<String>> {
        if !self.bytes.line(&mut self.line, LONGEST)? {
            return Ok(None);
        }
        let mut more = Vec::new();
        let is_quoted = |line: &[u8]| {
            let property = line.split(|byte| *byte == b':').next().unwrap_or_default();
            property
                .to_ascii_uppercase()
                .windows(16)
                .any(|word| word == b"QUOTED-PRINTABLE")
        };
        let quoted = is_quoted(&self.line);
        loop {
            let soft = quoted && self.line.last() == Some(&b'=');
            let folded = matches!(self.bytes.peek()?, Some(b' ' | b'\t'));
            if !soft && !folded {
                break;
            }
            if soft {
                self.line.pop();
            } else {
                self.bytes.next()?;
            }
            if !self.bytes.line(&mut more, LONGEST)? {
                break;
            }
            let room = LONGEST.saturating_sub(self.line.len()).min(more.len());
            self.line.extend_from_slice(&more[..room]);
        }
        self.size += self.line.len();
        Ok(Some(String::from_utf8_lossy(&self.line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::collected::read_one;

    #[test]
    fn cards_of_every_version_are_rows() {
        let book = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:山田;太郎;;;\r\nFN:山田 太郎\r\nX-PHONETIC-LAST-NAME:ヤマダ\r\n\
            item1.TEL;TYPE=CELL:090-0123-4567\r\nTEL;TYPE=HOME:03-0123-4567\r\n\
            ADR;TYPE=HOME:;;千代田1-1;千代田区;東京都;100-0001;日本\r\nEMAIL:a@mail.exam\r\n ple\r\nBDAY:1980-01-02\r\nEND:VCARD\r\n\
            BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:=8E=52=93=63;=91=BE=\n=98=59\n\
            SOUND;X-IRMC-N:ﾔﾏﾀﾞ;ﾀﾛｳ;;;\nTEL;CELL:1\nTEL;CELL:2\nEND:VCARD\nBEGIN:VCARD\nFN:cut off\n";
        let part = read_one(book.as_bytes());
        assert_eq!(part.format, "vcard");
        let header = part.header.clone().unwrap();
        let cell = |row: usize, name: &str| {
            let place = header.iter().position(|column| column == name).unwrap();
            part.rows[row][place].as_str()
        };
        for (name, value) in [
            ("name", "山田 太郎"),
            ("family_name", "山田"),
            ("given_name", "太郎"),
            ("family_name_kana", "ヤマダ"),
            ("mobile", "090-0123-4567"),
            ("phone", "03-0123-4567"),
            ("street", "千代田1-1"),
            ("city", "千代田区"),
            ("prefecture", "東京都"),
            ("postcode", "100-0001"),
            ("email", "a@mail.example"),
            ("birth_date", "1980-01-02"),
        ] {
            assert_eq!(cell(0, name), value, "{name}");
        }
        assert_eq!(
            (cell(1, "family_name"), cell(1, "given_name")),
            ("山田", "太郎")
        );
        assert_eq!(cell(1, "name_kana"), "ﾔﾏﾀﾞ ﾀﾛｳ");
        assert_eq!((cell(1, "mobile"), cell(1, "mobile 2")), ("1", "2"));
        assert_eq!((cell(2, "name"), part.bad()), ("cut off", 1));
    }
}
