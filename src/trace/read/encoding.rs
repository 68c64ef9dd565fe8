//! What the bytes of a list say: UTF-8, CP932 or UTF-16.
//!
//! Lists are merged from many hands, so the encoding is settled record by record: the file's start
//! gives a guess, and a record that is not valid in it is read in the other one. The guess decides
//! only what is valid in both, which for UTF-8 and CP932 is next to nothing but some pairs of
//! half-width kana.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Decoder, SHIFT_JIS, UTF_16BE, UTF_16LE};

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// The encoding of a file, or of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, and so ASCII.
    Utf8,
    /// Windows-31J, which Japanese Windows calls Shift_JIS.
    Cp932,
    /// UTF-16, known by its byte order mark; it is turned into UTF-8 before anything else is done.
    Utf16,
}

impl Encoding {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Cp932 => "cp932",
            Encoding::Utf16 => "utf-16",
        }
    }
}

/// Guesses from a file's start how its records are encoded, and how long its byte order mark is.
pub fn guess(start: &[u8]) -> (Encoding, usize) {
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return (Encoding::Utf16, 2);
    }
    if start.starts_with(UTF8_BOM) {
        return (Encoding::Utf8, UTF8_BOM.len());
    }
    // One broken byte must not make a UTF-8 file a Japanese one: most lines decide.
    let (mut utf8, mut cp932) = (0_usize, 0_usize);
    for line in start.split(|byte| *byte == b'\n') {
        if line.is_ascii() {
            continue;
        }
        if std::str::from_utf8(line).is_ok() {
            utf8 += 1;
        } else if is_cp932(line) {
            cp932 += 1;
        }
    }
    if cp932 > utf8 {
        (Encoding::Cp932, 0)
    } else {
        (Encoding::Utf8, 0)
    }
}

fn is_cp932(bytes: &[u8]) -> bool {
    let decoded = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
    decoded.is_some()
}

/// Decodes a record; `None` as encoding says that it is sound in neither, and some of it is lost.
pub fn decode(bytes: &[u8], guess: Encoding) -> (Cow<'_, str>, Option<Encoding>) {
    if bytes.is_ascii() {
        // Cannot fail, and the lossy form says so without an unwrap.
        return (String::from_utf8_lossy(bytes), Some(guess));
    }
    let utf8 = || std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    let cp932 = || SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
    let sound = match guess {
        Encoding::Cp932 => cp932()
            .map(|text| (text, Encoding::Cp932))
            .or_else(|| utf8().map(|text| (text, Encoding::Utf8))),
        Encoding::Utf8 | Encoding::Utf16 => utf8()
            .map(|text| (text, guess))
            .or_else(|| cp932().map(|text| (text, Encoding::Cp932))),
    };
    if let Some((text, encoding)) = sound {
        return (text, Some(encoding));
    }
    let lossy = match guess {
        Encoding::Cp932 => SHIFT_JIS.decode_without_bom_handling(bytes).0,
        Encoding::Utf8 | Encoding::Utf16 => String::from_utf8_lossy(bytes),
    };
    (lossy, None)
}

/// Turns UTF-16 with a byte order mark into UTF-8 while it is read; other bytes pass through.
pub struct FromUtf16<R> {
    inner: R,
    decoder: Option<Decoder>,
    taken: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    done: bool,
}

impl<R: Read> FromUtf16<R> {
    /// Reads the first two bytes to learn what the rest is.
    ///
    /// # Errors
    /// The inner reader's.
    pub fn new(mut inner: R) -> io::Result<FromUtf16<R>> {
        let mut ready = Vec::with_capacity(2);
        inner.by_ref().take(2).read_to_end(&mut ready)?;
        let decoder = match ready[..] {
            [0xff, 0xfe] => Some(UTF_16LE.new_decoder_without_bom_handling()),
            [0xfe, 0xff] => Some(UTF_16BE.new_decoder_without_bom_handling()),
            _ => None,
        };
        if decoder.is_some() {
            ready.clear();
        }
        Ok(FromUtf16 {
            inner,
            decoder,
            taken: Vec::new(),
            ready,
            given: 0,
            done: false,
        })
    }

    /// Whether the file is UTF-16.
    pub fn is_utf16(&self) -> bool {
        self.decoder.is_some()
    }
}

impl<R: Read> Read for FromUtf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            let Some(decoder) = &mut self.decoder else {
                return self.inner.read(buffer);
            };
            if self.done || buffer.is_empty() {
                return Ok(0);
            }
            self.taken.resize(1 << 16, 0);
            let read = self.inner.read(&mut self.taken)?;
            self.done = read == 0;
            // Two bytes become at most three.
            self.ready.resize(read * 3 + 16, 0);
            let (_, _, written, _) =
                decoder.decode_to_utf8(&self.taken[..read], &mut self.ready, self.done);
            self.ready.truncate(written);
            self.given = 0;
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

    #[test]
    fn one_bad_byte_does_not_make_a_utf_8_file_japanese() {
        let mut file = "氏名,電話\n山田太郎,0301234567\n".repeat(50).into_bytes();
        file.extend(b"\x8eR\x93c\n");
        assert_eq!(guess(&file), (Encoding::Utf8, 0));
        let (text, encoding) = decode(b"\x8eR\x93c", Encoding::Utf8);
        assert_eq!((text.as_ref(), encoding), ("山田", Some(Encoding::Cp932)));
        let (_, lost) = decode(b"abc\xff\xff", Encoding::Utf8);
        assert_eq!(lost, None);
    }

    #[test]
    fn half_width_kana_follow_the_guess() {
        let (cp932, _, _) = SHIFT_JIS.encode("ﾃｱ");
        assert!(
            std::str::from_utf8(&cp932).is_ok(),
            "the pair is valid in both"
        );
        let (text, _) = decode(&cp932, Encoding::Cp932);
        assert_eq!(text, "ﾃｱ");
    }

    #[test]
    fn utf_16_becomes_utf_8() {
        let text = "氏名\t電話\r\n髙橋𠮷\t03\r\n";
        for little in [true, false] {
            let unit = |unit: u16| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            };
            let bytes: Vec<u8> = std::iter::once(0xfeff)
                .chain(text.encode_utf16())
                .flat_map(unit)
                .collect();
            let mut read = String::new();
            FromUtf16::new(&bytes[..])
                .unwrap()
                .read_to_string(&mut read)
                .unwrap();
            assert_eq!(read, text);
        }
    }
}
