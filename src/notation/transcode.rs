//! Bytes of any encoding as a stream of UTF-8, for readers that must know letters before they can tell
//! records apart.

use std::io::{self, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};

use super::encoding::{Encoding, decode, escapes};

const PIECE: usize = 64 << 10;

/// Turns what it reads into UTF-8: UTF-16 as a whole, everything else line by line, since lists mix
/// encodings. What is sound in no encoding comes with replacement characters.
pub struct Transcode<R> {
    inner: R,
    guess: Encoding,
    decoder: Option<Decoder>,
    taken: Vec<u8>,
    /// How much of `taken` is filled.
    filled: usize,
    ready: Vec<u8>,
    given: usize,
    done: bool,
}

impl<R: Read> Transcode<R> {
    /// Reads bytes that were guessed to be so; a byte order mark has been taken off.
    pub fn new(inner: R, guess: Encoding) -> Transcode<R> {
        let decoder = match guess {
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_without_bom_handling()),
            _ => None,
        };
        Transcode {
            inner,
            guess,
            decoder,
            taken: vec![0; PIECE],
            filled: 0,
            ready: Vec::new(),
            given: 0,
            done: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        let read = match self.inner.read(&mut self.taken[self.filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            read => read?,
        };
        self.done = read == 0;
        self.filled += read;
        if let Some(decoder) = &mut self.decoder {
            // Two bytes become at most three.
            self.ready.resize(self.filled * 3 + 16, 0);
            let taken = &self.taken[..self.filled];
            let (_, _, written, _) = decoder.decode_to_utf8(taken, &mut self.ready, self.done);
            self.ready.truncate(written);
            self.filled = 0;
            return Ok(());
        }
        let cut = self.cut();
        let taken = &self.taken[..cut];
        if std::str::from_utf8(taken).is_ok() && !escapes(taken) {
            self.ready.extend_from_slice(taken);
        } else {
            for line in taken.split_inclusive(|byte| *byte == b'\n') {
                self.ready
                    .extend_from_slice(decode(line, self.guess).0.as_bytes());
            }
        }
        self.taken.copy_within(cut..self.filled, 0);
        self.filled -= cut;
        Ok(())
    }

    /// Up to where no letter is cut in two: the last line end, or a byte that ends no letter.
    fn cut(&self) -> usize {
        let taken = &self.taken[..self.filled];
        if self.done {
            return taken.len();
        }
        if let Some(end) = memchr::memrchr(b'\n', taken) {
            return end + 1;
        }
        if taken.len() < PIECE {
            return 0;
        }
        let end = taken.iter().rposition(|byte| *byte < 0x30);
        end.map_or(taken.len(), |end| end + 1)
    }
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if self.done && self.filled == 0 || buffer.is_empty() {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn all(bytes: &[u8], guess: Encoding) -> String {
        let (mut quick, mut slow) = (String::new(), String::new());
        let mut reader = Transcode::new(bytes, guess);
        reader.read_to_string(&mut quick).unwrap();
        let mut reader = Transcode::new(Slowly(bytes), guess);
        reader.read_to_string(&mut slow).unwrap();
        assert_eq!(quick, slow);
        quick
    }

    #[test]
    fn every_encoding_becomes_utf_8() {
        let text = "氏名\t電話\r\n高橋\t03\r\n".repeat(300);
        let wide = format!("{text}𠮷");
        let little: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(all(&little, Encoding::Utf16Le), wide);
        let big: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(all(&big, Encoding::Utf16Be), wide);
        let jis = encoding_rs::ISO_2022_JP.encode(&text).0;
        assert_eq!(all(&jis, Encoding::Iso2022Jp), text);
        let mixed = [
            "山田太郎\n".as_bytes(),
            &encoding_rs::SHIFT_JIS.encode("髙橋\n").0,
            &encoding_rs::EUC_JP.encode("さいたま市大宮区\n").0,
        ];
        assert_eq!(
            all(&mixed.concat(), Encoding::Utf8),
            "山田太郎\n髙橋\nさいたま市大宮区\n"
        );
        assert_eq!(all(b"plain", Encoding::Utf8), "plain");
        assert_eq!(all(b"", Encoding::Utf8), "");
    }

    #[test]
    fn a_line_without_an_end_is_cut_between_letters() {
        let text = "('山田','東京都'),".repeat(20_000);
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(&text);
        let mut read = String::new();
        Transcode::new(&bytes[..], Encoding::Cp932)
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, text);
    }
}
