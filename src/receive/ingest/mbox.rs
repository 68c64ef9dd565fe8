//! One file, one mail after the other: an mbox, or a single mail. Never more of it is in memory than one
//! mail of the largest size that is taken.

use std::io::{self, BufRead, Read};

/// A line is read in pieces of so many bytes.
const PIECE: u64 = 64 << 10;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What stands in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A mail that begins in this line.
    Mail(u64, Vec<u8>),
    /// The beginning of one that is larger than what is taken, and of how many bytes it is.
    Beginning(u64, Vec<u8>, usize),
}

/// The mails of a file, in their order. Lines that were escaped (`>From `) are as they were.
pub struct Mbox<R> {
    input: R,
    largest: usize,
    lines: u64,
    /// Whether the file is an mbox; not known before its first line.
    mbox: Option<bool>,
    /// The line in which the next mail begins.
    begins: u64,
    done: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Mails of at most `largest` bytes; of larger ones so much.
    pub fn new(input: R, largest: usize) -> Mbox<R> {
        Mbox {
            input,
            largest,
            lines: 0,
            mbox: None,
            begins: 1,
            done: false,
        }
    }

    fn mail(&mut self) -> io::Result<Option<Piece>> {
        let mut raw = Vec::new();
        let mut bytes = 0;
        let mut whole_lines = true;
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = self.input.by_ref().take(PIECE);
            if { read }.read_until(b'\n', &mut piece)? == 0 {
                self.done = true;
                if self.lines == 0 {
                    return Ok(None);
                }
                break;
            }
            let starts_line = std::mem::replace(&mut whole_lines, piece.ends_with(b"\n"));
            if starts_line {
                self.lines += 1;
                if self.mbox.is_none() {
                    self.mbox = Some(piece.starts_with(b"From "));
                    if self.mbox == Some(true) {
                        self.begins = 2;
                        continue;
                    }
                }
                if self.mbox == Some(true) {
                    if parts(&piece) {
                        let piece = self.piece(raw, bytes);
                        self.begins = self.lines + 1;
                        return Ok(Some(piece));
                    }
                    if escaped(&piece) {
                        piece.remove(0);
                    }
                }
            }
            bytes += piece.len();
            // The empty line before the next separator is not the mail's: two bytes more.
            let room = self.largest.saturating_add(2).saturating_sub(raw.len());
            raw.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(Some(self.piece(raw, bytes)))
    }

    fn piece(&self, mut raw: Vec<u8>, bytes: usize) -> Piece {
        let mut bytes = bytes;
        if self.mbox == Some(true) && bytes == raw.len() {
            for end in [b"\r\n\r\n".as_slice(), b"\n\n"] {
                if raw.ends_with(end) {
                    raw.truncate(raw.len() - end.len() / 2);
                    bytes = raw.len();
                    break;
                }
            }
        }
        if bytes > self.largest {
            raw.truncate(self.largest);
            Piece::Beginning(self.begins, raw, bytes)
        } else {
            Piece::Mail(self.begins, raw)
        }
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<io::Result<Piece>> {
        if self.done {
            return None;
        }
        let mail = self.mail();
        self.done |= mail.is_err();
        mail.transpose()
    }
}

/// Whether a line parts two mails: `From `, somebody, and a day with its time. In the text of a mail a
/// line that begins so is escaped.
fn parts(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let rest = String::from_utf8_lossy(rest);
    let mut words = rest.split_ascii_whitespace();
    let time = |word: &str| {
        let mut numbers = word.split(':');
        let number = |text: Option<&str>| {
            text.is_some_and(|text| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
        };
        number(numbers.next()) && number(numbers.next())
    };
    words.any(|word| DAYS.contains(&word)) && words.any(time)
}

/// Whether a line is one of the text that began with `From `, behind any number of `>`.
fn escaped(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|&&b| b == b'>').count();
    marks > 0 && line[marks..].starts_with(b"From ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "From a@b.example Thu Jan  1 09:00:00 2026\n";

    fn read(text: &[u8], largest: usize) -> Vec<Piece> {
        Mbox::new(text, largest).map(Result::unwrap).collect()
    }

    #[test]
    fn mails_are_parted_and_unescaped() {
        let text = format!(
            "{LINE}Subject: 1\n\n>From me\n>>From you\nFrom here on\n\n{LINE}Subject: 2\n\nb\n\n"
        );
        let wanted = [
            Piece::Mail(
                2,
                b"Subject: 1\n\nFrom me\n>From you\nFrom here on\n".to_vec(),
            ),
            Piece::Mail(9, b"Subject: 2\n\nb\n".to_vec()),
        ];
        assert_eq!(read(text.as_bytes(), 1000), wanted);
    }

    #[test]
    fn a_single_mail_is_as_it_is() {
        let text = format!("Subject: 1\r\n\r\n>From me\r\n{LINE}\r\n");
        let wanted = [Piece::Mail(1, text.clone().into_bytes())];
        assert_eq!(read(text.as_bytes(), 1000), wanted);
        assert_eq!(read(b"", 1000), []);
    }

    #[test]
    fn of_a_mail_that_is_too_large_the_beginning_is_read_and_it_costs_no_other() {
        let long = "x".repeat(200_000);
        let text = format!("{LINE}A: 1\n\n{long}\n\n{LINE}B: 2\n\nb\n\n");
        let begins = format!("A: 1\n\n{long}").as_bytes()[..100_000].to_vec();
        // With the line before the next separator, which is not looked at any more.
        let bytes = "A: 1\n\n".len() + long.len() + 2;
        let wanted = [
            Piece::Beginning(2, begins, bytes),
            Piece::Mail(7, b"B: 2\n\nb\n".to_vec()),
        ];
        assert_eq!(read(text.as_bytes(), 100_000), wanted);
        let exact = b"A: 1\n\nb\n";
        let size = exact.len();
        assert_eq!(read(exact, size), [Piece::Mail(1, exact.to_vec())]);
        let cut = exact[..size - 1].to_vec();
        assert_eq!(read(exact, size - 1), [Piece::Beginning(1, cut, size)]);
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(
            bodies in prop::collection::vec("(>{0,3}From [ -~]{0,20}\n|[a-z>: ]{0,20}\n){0,5}", 1..5)
        ) {
            let escape = |line: &str| match line.trim_start_matches('>').starts_with("From ") {
                true => format!(">{line}\n"),
                false => format!("{line}\n"),
            };
            let mails: Vec<String> = bodies.iter().map(|body| format!("A: b\n\n{body}x\n")).collect();
            let text: String = mails
                .iter()
                .map(|mail| format!("{LINE}{}\n", mail.lines().map(escape).collect::<String>()))
                .collect();
            let read: Vec<Vec<u8>> = read(text.as_bytes(), 10_000)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Mail(_, raw) => raw,
                    Piece::Beginning(..) => Vec::new(),
                })
                .collect();
            let wanted: Vec<Vec<u8>> = mails.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(read, wanted);
        }
    }
}
