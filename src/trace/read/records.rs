//! Bytes to records, in bounded memory, whatever the bytes.
//!
//! A quote that never closes would make one cell of the rest of the list and hide every canary in
//! it. So a quoted cell must close within [`QUOTED_LINES`] lines and [`LONGEST`] bytes, and be
//! followed by a delimiter or a line end; otherwise the line that opened it is read with its quotes
//! as letters, and reading goes on at the next line.

use std::io::{self, Read};
use std::ops::Range;

use super::fields::Style;
use crate::notation::encoding::Encoding;

/// No record is longer; a longer line is read in pieces.
pub const LONGEST: usize = 1 << 20;
/// A quoted cell goes over at most so many lines.
pub const QUOTED_LINES: usize = 100;
/// So much is read at once: what has just been read is then looked at while it is at hand.
const READ: usize = 256 << 10;
const BUFFER: usize = LONGEST + READ;

/// What a record is, as far as its bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line, or several held together by quotes.
    Sound,
    /// Letters stand behind a closing quote.
    StrayQuote,
    /// A line with a quote that does not close: its quotes are letters.
    OpenQuote,
    /// The first piece of a line that is longer than [`LONGEST`].
    TooLong,
    /// A further piece of it; no row of its own.
    Continued,
    /// A row of a format with a grammar that it breaks: what could be read of it.
    Broken,
}

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Between cells.
    pub delimiter: u8,
    /// Quotes or escapes.
    pub style: Style,
    /// The file's encoding by its start: a second byte of CP932 can look like `|`.
    pub encoding: Encoding,
}

/// Finds the records of a stream.
pub struct Records<R> {
    input: R,
    layout: Layout,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
    /// Why the input ended before its end: told when what was read of it has been given.
    failed: Option<io::Error>,
    within_long: bool,
}

impl<R: Read> Records<R> {
    /// Starts at the stream's first record; a byte order mark has been taken off.
    pub fn new(input: R, layout: Layout) -> Records<R> {
        Records {
            input,
            layout,
            buffer: vec![0; BUFFER],
            at: 0,
            end: 0,
            ended: false,
            failed: None,
            within_long: false,
        }
    }

    /// The bytes of a record that [`Records::next`] has just found.
    pub fn bytes(&self, place: &Range<usize>) -> &[u8] {
        &self.buffer[place.clone()]
    }

    /// Where the next record stands in the buffer, without its line end. Empty lines are passed over.
    ///
    /// # Errors
    /// The input's.
    pub fn next(&mut self) -> io::Result<Option<(Range<usize>, Kind)>> {
        loop {
            let found = self.end.min(self.at + LONGEST);
            let window = &self.buffer[self.at..found];
            // Whether what is to come may belong to the record.
            let open = found == self.end && !self.ended;
            let line = memchr::memchr2(b'\n', b'\r', window);
            if open && line.is_none() {
                self.fill();
                continue;
            }
            if window.is_empty() {
                return self.failed.take().map_or(Ok(None), Err);
            }
            let Some(mut length) = line.or((found == self.end).then_some(window.len())) else {
                return Ok(Some(self.piece(found)));
            };
            let start = self.at;
            let mut kind = Kind::Sound;
            if self.within_long {
                self.within_long = false;
                kind = Kind::Continued;
            } else if self.layout.style == Style::Quoted
                && memchr::memchr(b'"', &window[..length]).is_some()
            {
                let complete = found == self.end && self.ended;
                (length, kind) = match quoted(window, self.layout, complete) {
                    Some((length, false)) => (length, Kind::Sound),
                    Some((length, true)) => (length, Kind::StrayQuote),
                    None if open => {
                        self.fill();
                        continue;
                    }
                    None => (length, Kind::OpenQuote),
                };
            }
            self.at += length;
            self.skip_line_end();
            if length > 0 {
                return Ok(Some((start..start + length, kind)));
            }
        }
    }

    /// The next piece of an endless line: up to its last delimiter, so that cells stay whole.
    fn piece(&mut self, found: usize) -> (Range<usize>, Kind) {
        let window = &self.buffer[self.at..found];
        let length = match memchr::memrchr(self.layout.delimiter, window) {
            Some(place) if place > 0 => place,
            _ => window.len(),
        };
        let kind = if self.within_long {
            Kind::Continued
        } else {
            Kind::TooLong
        };
        let place = self.at..self.at + length;
        self.within_long = true;
        self.at += length;
        if self.buffer[self.at..self.end].first() == Some(&self.layout.delimiter) {
            self.at += 1;
        }
        (place, kind)
    }

    fn skip_line_end(&mut self) {
        let rest = &self.buffer[self.at..self.end];
        self.at += match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
    }

    /// Reads on behind a record that has begun, which moves to the front.
    fn fill(&mut self) {
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        let goal = (self.end + READ).min(BUFFER);
        while self.end < goal {
            match self.input.read(&mut self.buffer[self.end..goal]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                    break;
                }
            }
        }
    }
}

/// The length of the record at the window's start and whether letters follow a closing quote in it;
/// `None` if a quote does not close as it should. `complete`: nothing follows the window.
fn quoted(window: &[u8], layout: Layout, complete: bool) -> Option<(usize, bool)> {
    let mut at = 0;
    let mut lines = 1;
    let mut stray = false;
    loop {
        if window.get(at) == Some(&b'"') {
            let opened = at;
            at += 1;
            loop {
                at += memchr::memchr(b'"', &window[at..])? + 1;
                if window.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            lines += line_ends(&window[opened..at]);
            if lines > QUOTED_LINES {
                return None;
            }
            let follows = window.get(at);
            let closed = match follows {
                Some(byte) => *byte == layout.delimiter || matches!(byte, b'\r' | b'\n'),
                None => complete,
            };
            if !closed {
                if lines > 1 {
                    return None;
                }
                stray = true;
            }
        }
        at = unquoted_end(window, at, layout);
        match window.get(at) {
            Some(byte) if *byte == layout.delimiter => at += 1,
            Some(_) => return Some((at, stray)),
            None => return complete.then_some((at, stray)),
        }
    }
}

fn line_ends(cell: &[u8]) -> usize {
    match memchr::memchr_iter(b'\n', cell).count() {
        0 => memchr::memchr_iter(b'\r', cell).count(),
        count => count,
    }
}

/// Where the next delimiter or line end stands.
fn unquoted_end(window: &[u8], mut at: usize, layout: Layout) -> usize {
    if layout.encoding != Encoding::Cp932 || layout.delimiter != b'|' {
        let found = memchr::memchr3(layout.delimiter, b'\r', b'\n', &window[at..]);
        return found.map_or(window.len(), |found| at + found);
    }
    while let Some(byte) = window.get(at) {
        let lead = matches!(byte, 0x81..=0x9f | 0xe0..=0xfc);
        if lead && window.get(at + 1).is_some_and(|trail| *trail >= 0x40) {
            at += 2;
        } else if matches!(byte, b'|' | b'\r' | b'\n') {
            return at;
        } else {
            at += 1;
        }
    }
    window.len()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::super::fields::{Cells, split_quoted};
    use super::*;

    const CSV: Layout = Layout {
        delimiter: b',',
        style: Style::Quoted,
        encoding: Encoding::Utf8,
    };

    fn all(bytes: &[u8]) -> Vec<(String, Kind)> {
        let mut records = Records::new(bytes, CSV);
        let mut found = Vec::new();
        while let Some((place, kind)) = records.next().unwrap() {
            let text = String::from_utf8_lossy(records.bytes(&place)).into_owned();
            found.push((text, kind));
        }
        found
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        all(bytes).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn every_line_end_and_no_line_end() {
        assert_eq!(
            texts(b"a,b\r\n\r\nc\rd\n\n\"e\r\nf\",g"),
            ["a,b", "c", "d", "\"e\r\nf\",g"]
        );
        assert!(texts(b"").is_empty());
        assert!(texts(b"\n\r\n").is_empty());
    }

    #[test]
    fn a_lone_quote_hides_nothing() {
        let mut list = b"1,\"lone,x\n".to_vec();
        for row in 2..500 {
            list.extend(format!("{row},plain,y\n").bytes());
        }
        assert_eq!(all(&list).len(), 499);
        assert_eq!(all(&list)[0].1, Kind::OpenQuote);
        let quoted = b"1,\"lone,x\n\"2\",\"good\",\"y\"\n3,z,\"\"\n";
        let kinds: Vec<Kind> = all(quoted).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [Kind::OpenQuote, Kind::Sound, Kind::Sound]);
        assert_eq!(all(b"\"a\"b,c\n")[0].1, Kind::StrayQuote);
    }

    /// What is read at once ends anywhere: between a quote and its twin, a cell and its line end.
    #[test]
    fn where_a_read_ends_makes_no_difference() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut list = Vec::new();
        while list.len() < 3 * READ {
            for (at, end) in [",", ",", "\r\n"].into_iter().enumerate() {
                let text = ["a", "\"\"", "\r\n", "山", ",\n"][rng.random_range(0..5)];
                let cell = text.repeat(rng.random_range(0..30));
                let quoted = at == 1 || rng.random_bool(0.5);
                let cell = match quoted {
                    true => format!("\"{cell}\""),
                    false => "b".repeat(cell.len()),
                };
                list.extend(cell.bytes().chain(end.bytes()));
            }
        }
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&list[..]);
        let mut records = Records::new(&list[..], CSV);
        let mut cells = Cells::default();
        for row in rows.records() {
            let (place, kind) = records.next().unwrap().unwrap();
            assert_eq!(kind, Kind::Sound);
            let text = std::str::from_utf8(records.bytes(&place)).unwrap();
            split_quoted(text, b',', &mut cells);
            assert!(row.unwrap().iter().eq(cells.iter()));
        }
        assert_eq!(records.next().unwrap(), None);
    }

    #[test]
    fn an_endless_line_comes_in_pieces_of_whole_cells() {
        let mut line = b"somebody@mail.example,".repeat(200_000);
        line.extend(b"\nnext\n");
        let pieces = all(&line);
        assert!(pieces.len() > 3);
        assert_eq!(pieces[0].1, Kind::TooLong);
        assert_eq!(pieces[1].1, Kind::Continued);
        assert_eq!(pieces.last().unwrap(), &("next".to_owned(), Kind::Sound));
        let cells: usize = pieces
            .iter()
            .map(|(text, _)| {
                text.split(',')
                    .filter(|cell| *cell == "somebody@mail.example")
                    .count()
            })
            .sum();
        assert_eq!(cells, 200_000);
    }

    #[test]
    fn a_second_byte_of_cp932_is_no_pipe() {
        let layout = Layout {
            delimiter: b'|',
            encoding: Encoding::Cp932,
            ..CSV
        };
        // 0x83 0x7c is ポ.
        let line = b"\x83\x7c\"|\"a|b\"|c\nnext\n";
        let mut records = Records::new(&line[..], layout);
        let (place, kind) = records.next().unwrap().unwrap();
        assert_eq!((place, kind), (0..11, Kind::Sound));
    }
}
