//! One cell, decoded and folded into letters, without allocation.

use super::letters::{BROKEN, DIGIT, JAPANESE, Letter, Letters, ODD, canonical, is_plain};

/// A longer cell is odd.
const LONGEST: usize = 200;

/// How bytes are letters.
#[derive(Clone, Copy)]
pub struct Alphabet<'a> {
    pub letters: &'a Letters,
    pub wide: bool,
}

/// The letters of a cell, or of several that are read one behind the other.
pub struct Cell {
    letters: [Letter; LONGEST],
    length: usize,
    /// All flags of the letters as they were written.
    flags: Letter,
    /// How many digits were written.
    pub digits: usize,
    /// How many bytes it was.
    pub bytes: usize,
}

/// Bytes that are no text in the list's encoding: the record is not for the sieve.
#[derive(Debug)]
pub struct Broken;

impl Cell {
    pub fn new() -> Cell {
        Cell {
            letters: [0; LONGEST],
            length: 0,
            flags: 0,
            digits: 0,
            bytes: 0,
        }
    }

    pub fn clear(&mut self) {
        self.length = 0;
        self.flags = 0;
        self.digits = 0;
        self.bytes = 0;
    }

    /// Its letters.
    pub fn letters(&self) -> &[Letter] {
        &self.letters[..self.length]
    }

    /// Whether it holds what the table cannot judge.
    pub fn is_odd(&self) -> bool {
        self.flags & ODD != 0
    }

    /// Whether any of it is Japanese.
    pub fn is_japanese(&self) -> bool {
        self.flags & JAPANESE != 0
    }

    /// Whether there is nothing but spaces in it.
    pub fn is_blank(&self) -> bool {
        let blank = |letter: &Letter| canonical(*letter) == u32::from(b' ');
        !self.is_odd() && self.letters().iter().all(blank)
    }

    /// A space between two parts.
    pub fn gap(&mut self, alphabet: Alphabet<'_>) {
        self.put(alphabet.letters, alphabet.letters.of(usize::from(b' ')));
    }

    /// Reads bytes behind what there is.
    pub fn read(&mut self, bytes: &[u8], alphabet: Alphabet<'_>) -> Result<(), Broken> {
        self.bytes += bytes.len();
        if alphabet.wide {
            self.read_cp932(bytes, alphabet.letters)
        } else {
            self.read_utf8(bytes, alphabet.letters)
        }
    }

    #[inline]
    fn put(&mut self, letters: &Letters, letter: Letter) {
        self.flags |= letter;
        self.digits += usize::from(letter & DIGIT != 0);
        if is_plain(letter) && self.length < LONGEST {
            self.letters[self.length] = letter;
            self.length += 1;
        } else {
            self.put_behind(letters, letter);
        }
    }

    #[inline(never)]
    fn put_behind(&mut self, letters: &Letters, letter: Letter) {
        let before = self.letters().last().copied();
        if self.length == LONGEST {
            self.flags |= ODD;
            return;
        }
        let next = if is_plain(letter) {
            Some((letter, false))
        } else {
            letters.behind(before, letter)
        };
        match next {
            None => {}
            Some((letter, _)) if letter & (ODD | BROKEN) != 0 => self.flags |= ODD,
            Some((letter, instead)) => {
                self.flags |= letter & JAPANESE;
                self.length -= usize::from(instead);
                self.letters[self.length] = letter;
                self.length += 1;
            }
        }
    }

    fn read_utf8(&mut self, bytes: &[u8], letters: &Letters) -> Result<(), Broken> {
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            let unit = match first {
                0..0x80 => {
                    at += 1;
                    usize::from(first)
                }
                0xe0..0xf0 => {
                    let Some(&[_, second, third]) = bytes.get(at..at + 3) else {
                        return Err(Broken);
                    };
                    let unit = usize::from(first & 0xf) << 12
                        | usize::from(second & 0x3f) << 6
                        | usize::from(third & 0x3f);
                    if (second & 0xc0, third & 0xc0) != (0x80, 0x80) || unit < 0x800 {
                        return Err(Broken);
                    }
                    at += 3;
                    unit
                }
                0xc2..0xe0 => {
                    let Some(&[_, second]) = bytes.get(at..at + 2) else {
                        return Err(Broken);
                    };
                    if second & 0xc0 != 0x80 {
                        return Err(Broken);
                    }
                    at += 2;
                    usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f)
                }
                _ => {
                    // Beyond the basic plane, or no text at all.
                    self.flags |= ODD;
                    let text = std::str::from_utf8(&bytes[at..]).map_err(|_| Broken)?;
                    return if text.contains(['\0', '\n', '\r']) {
                        Err(Broken)
                    } else {
                        Ok(())
                    };
                }
            };
            self.put(letters, letters.of(unit));
        }
        if self.flags & BROKEN == 0 {
            Ok(())
        } else {
            Err(Broken)
        }
    }

    fn read_cp932(&mut self, bytes: &[u8], letters: &Letters) -> Result<(), Broken> {
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            let lead = matches!(first, 0x81..=0x9f | 0xe0..=0xfc);
            let unit = if lead {
                let Some(&second) = bytes.get(at + 1) else {
                    return Err(Broken);
                };
                at += 2;
                usize::from(first) << 8 | usize::from(second)
            } else {
                at += 1;
                usize::from(first)
            };
            self.put(letters, letters.of(unit));
        }
        if self.flags & BROKEN == 0 {
            Ok(())
        } else {
            Err(Broken)
        }
    }
}
