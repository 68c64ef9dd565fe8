//! The message between DATA and the lone dot.
//!
//! Only CR LF `.` CR LF ends a message, and only CR LF ends a line: a server that takes less strict
//! endings can be made to see a second message, with a sender of the attacker's choice, inside one
//! that an honest server has checked (SMTP smuggling). Everything else is kept as it came, since it
//! is evidence; a dot at the start of a line is taken away only where a sender must have put it
//! there: where something other than a line ending follows it (RFC 5321, section 4.5.2).

/// What stands before the next byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing, or CR LF.
    LineStart,
    /// Something inside a line.
    Text,
    /// A CR, which may begin a line ending.
    Cr,
    /// A dot at the start of a line, held back.
    Dot,
    /// A dot and a CR at the start of a line, both held back.
    DotCr,
}

/// Reads one message from pieces of any size. Keeps at most `limit` bytes.
#[derive(Debug)]
pub struct DataReader {
    before: Before,
    message: Vec<u8>,
    limit: usize,
    seen: u64,
    overflowed: bool,
}

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// The message, without the stuffed dots and the last line.
    Whole(Vec<u8>),
    /// It was larger than the limit.
    TooLarge,
}

impl DataReader {
    /// A reader at the start of a message of at most `limit` bytes.
    pub fn new(limit: usize) -> DataReader {
        DataReader {
            before: Before::LineStart,
            message: Vec::new(),
            limit,
            seen: 0,
            overflowed: false,
        }
    }

    /// Takes the next bytes. `Some(n)`: the message ended after the first `n` of them, and what
    /// follows is the client's next command.
    pub fn push(&mut self, input: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < input.len() {
            if self.before == Before::Text {
                // Most bytes are text: go to the next CR in one step.
                let text = &input[at..];
                let length = text.iter().position(|&b| b == b'\r').unwrap_or(text.len());
                self.keep(&text[..length]);
                at += length;
                if at == input.len() {
                    break;
                }
            }
            let byte = input[at];
            at += 1;
            self.before = match (self.before, byte) {
                (Before::DotCr, b'\n') => {
                    self.seen += at as u64;
                    return Some(at);
                }
                (Before::LineStart, b'.') => Before::Dot,
                (Before::Dot, b'\r') => Before::DotCr,
                (Before::Dot, b'\n') => self.keep_all(b".\n", Before::Text),
                (Before::Dot, other) => self.keep_all(&[other], Before::Text),
                (Before::DotCr, b'\r') => self.keep_all(b".\r\r", Before::Cr),
                (Before::DotCr, other) => self.keep_all(&[b'.', b'\r', other], Before::Text),
                (Before::Cr, b'\n') => self.keep_all(b"\n", Before::LineStart),
                (_, b'\r') => self.keep_all(b"\r", Before::Cr),
                (_, other) => self.keep_all(&[other], Before::Text),
            };
        }
        self.seen += input.len() as u64;
        None
    }

    /// Bytes held in memory.
    pub fn held(&self) -> usize {
        self.message.len()
    }

    /// Bytes taken from the client, kept or not.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Keeps nothing more, and lets go of what there is.
    pub fn give_up(&mut self) {
        self.overflowed = true;
        self.message = Vec::new();
    }

    /// What came, once `push` has said that the message ended.
    pub fn finish(self) -> Received {
        if self.overflowed {
            Received::TooLarge
        } else {
            Received::Whole(self.message)
        }
    }

    fn keep_all(&mut self, bytes: &[u8], then: Before) -> Before {
        self.keep(bytes);
        then
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.overflowed {
            return;
        }
        if bytes.len() > self.limit - self.message.len() {
            self.give_up();
        } else {
            self.message.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The message and what is left over, read in pieces of the given sizes.
    fn read(input: &[u8], piece: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut reader = DataReader::new(usize::MAX);
        let mut offset = 0;
        for chunk in input.chunks(piece) {
            if let Some(used) = reader.push(chunk) {
                let Received::Whole(message) = reader.finish() else {
                    panic!("no limit was set");
                };
                return Some((message, input[offset + used..].to_vec()));
            }
            offset += chunk.len();
        }
        None
    }

    #[track_caller]
    fn assert_read(input: &str, message: &str, rest: &str) {
        for piece in 1..=input.len() {
            let got = read(input.as_bytes(), piece);
            let wanted = (message.as_bytes().to_vec(), rest.as_bytes().to_vec());
            assert_eq!(got, Some(wanted), "in pieces of {piece}");
        }
    }

    #[track_caller]
    fn assert_goes_on(input: &str) {
        for piece in 1..=input.len() {
            assert_eq!(read(input.as_bytes(), piece), None, "in pieces of {piece}");
        }
    }

    #[test]
    fn messages_end_with_a_lone_dot() {
        assert_read("a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n");
        assert_read(".\r\nQUIT\r\n", "", "QUIT\r\n");
        assert_read("..\r\n.\r\n", ".\r\n", "");
        assert_read(
            "..first\r\nx\r\n...three\r\n.\r\n",
            ".first\r\nx\r\n..three\r\n",
            "",
        );
        assert_read("\r\n\r\n.\r\n.\r\n", "\r\n\r\n", ".\r\n");
    }

    #[test]
    fn nothing_else_ends_a_message() {
        for smuggled in [
            "a\n.\nb",
            "a\n.\r\nb",
            "a\r\n.\nb",
            "a\r\n.\r\r\nb",
            "a\r.\rb",
            "a\r.\r\nb",
            "a\r\n\r.\r\nb",
            "a\r\n\0.\r\nb",
            "a\r\n.\0\r\nb",
            "a\r\n. \r\nb",
            "a\r\n..\r\nb",
        ] {
            assert_goes_on(smuggled);
            let whole = format!("{smuggled}\r\n.\r\n");
            let kept = smuggled
                .replace("\r\n..", "\r\n.")
                .replace("\r\n.\0", "\r\n\0")
                .replace("\r\n. ", "\r\n ");
            assert_read(&whole, &format!("{kept}\r\n"), "");
        }
    }

    #[test]
    fn what_is_too_large_is_let_go_and_still_ended() {
        let mut reader = DataReader::new(10);
        assert_eq!(reader.push(b"0123456789"), None);
        assert_eq!(reader.held(), 10);
        assert_eq!(reader.push(b"x\r\n.\r\nQUIT"), Some(6));
        assert_eq!(reader.held(), 0);
        assert_eq!(reader.finish(), Received::TooLarge);
    }

    /// What a client does that follows RFC 5321: lines by CR LF, a dot before each leading dot.
    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut start = true;
        for (i, &byte) in message.iter().enumerate() {
            if start && byte == b'.' {
                out.push(b'.');
            }
            out.push(byte);
            start = byte == b'\n' && i > 0 && message[i - 1] == b'\r';
        }
        if !message.is_empty() && !start {
            out.extend(b"\r\n");
        }
        out.extend(b".\r\n");
        out
    }

    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(b"\r\n.a\0\xff".to_vec()), 0..60)
    }

    proptest! {
        #[test]
        fn what_was_stuffed_comes_back(message in hostile(), piece in 1usize..9) {
            let (got, rest) = read(&stuffed(&message), piece).unwrap();
            let mut wanted = message.clone();
            if !message.is_empty() && !message.ends_with(b"\r\n") {
                wanted.extend(b"\r\n");
            }
            prop_assert_eq!(got, wanted);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_in_any_pieces_are_read_alike(input in hostile(), piece in 1usize..9) {
            prop_assert_eq!(read(&input, piece), read(&input, usize::MAX));
            // The end is the first CR LF . CR LF, the start counting as a line's start.
            let line_start = [b"\r\n".as_slice(), &input].concat();
            let end = line_start.windows(5).position(|w| w == b"\r\n.\r\n");
            let rest = read(&input, piece).map(|(_, rest)| rest);
            prop_assert_eq!(rest, end.map(|end| input[end + 3..].to_vec()));
        }

        #[test]
        fn memory_stays_within_the_limit(input in prop::collection::vec(any::<u8>(), 0..400), limit in 0usize..100) {
            let mut reader = DataReader::new(limit);
            for chunk in input.chunks(7) {
                let ended = reader.push(chunk).is_some();
                prop_assert!(reader.held() <= limit);
                if ended { break; }
            }
        }
    }
}
