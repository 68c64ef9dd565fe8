//! Keys of a folded cell, as hashes.
//!
//! Each function here says of a cell what the function of the same name in `notation` says, or that
//! it is not sure; then `notation` is asked. The tests hold that they never disagree.

use super::cell::Cell;
use super::letters::{KANALESS, Letters, NAMELESS, NO_KANA, NO_NAME, canonical};
use crate::notation::{Region, title_ends};

/// What a cell is, as far as the sieve can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// No value of the class.
    None,
    /// The value whose folded text has this hash.
    Hash(u64),
    /// Ask `notation`.
    Unsure,
}

/// `notation` reads no longer text as a name; in CP932 bytes are fewer.
const LONGEST_NAME: usize = 100;

/// Hashes letters under a key of its own, so that nobody can make a list whose values collide.
#[derive(Clone, Copy)]
pub struct Hasher {
    seed: u64,
    factor: u64,
}

impl Hasher {
    /// A new key.
    pub fn new(seed: u64, factor: u64) -> Hasher {
        Hasher {
            seed,
            factor: factor | 1,
        }
    }

    /// The hash of a text's letters.
    pub fn hash(&self, letters: impl Iterator<Item = u32>) -> u64 {
        self.finish(letters.fold(self.seed, |state, letter| self.step(state, letter)))
    }

    #[inline]
    fn step(&self, state: u64, letter: u32) -> u64 {
        (state.rotate_left(23) ^ u64::from(letter)).wrapping_mul(self.factor)
    }

    /// Spreads what the last letters have said over all bits.
    #[inline]
    pub fn finish(&self, state: u64) -> u64 {
        let state = (state ^ state >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^ state >> 29
    }

    /// One hash of two.
    #[inline]
    pub fn join(&self, one: u64, other: u64) -> u64 {
        self.finish((one ^ self.seed).wrapping_mul(self.factor) ^ other.rotate_left(32))
    }
}

/// What the folding of names and phones knows beside the letters.
pub struct Keys {
    /// The last letter of a title, and the one before it where it has more than one.
    titles: Vec<(u32, Option<u32>)>,
}

impl Keys {
    pub fn new() -> Keys {
        Keys {
            titles: title_ends()
                .map(|(last, before)| (u32::from(last), before.map(u32::from)))
                .collect(),
        }
    }

    /// As `notation::name_key`.
    pub fn name(&self, cell: &Cell, hasher: &Hasher) -> Key {
        if cell.is_odd() || !cell.is_japanese() || cell.bytes > LONGEST_NAME {
            return Key::Unsure;
        }
        let (mut state, mut last, mut before, mut count) = (hasher.seed, 0, 0, 0);
        for letter in cell.letters() {
            if letter & NO_NAME != 0 {
                return Key::None;
            }
            let c = canonical(*letter);
            if c != u32::from(b' ') {
                (before, last) = (last, c);
            }
            if letter & NAMELESS == 0 {
                state = hasher.step(state, c);
                count += 1;
            }
        }
        let ends = |(end, more): &(u32, Option<u32>)| {
            *end == last && more.is_none_or(|more| more == before)
        };
        if self.titles.iter().any(ends) {
            Key::Unsure
        } else if count == 0 {
            Key::None
        } else {
            Key::Hash(hasher.finish(state))
        }
    }
}

/// As `notation::kana_key`.
pub fn kana(cell: &Cell, letters: &Letters, hasher: &Hasher) -> Key {
    if cell.is_odd() || cell.bytes > LONGEST_NAME {
        return Key::Unsure;
    }
    let (mut state, mut count) = (hasher.seed, 0);
    for (place, letter) in cell.letters().iter().enumerate() {
        if letter & (NO_KANA | KANALESS) == 0 {
            state = hasher.step(state, u32::from(letters.reading(*letter)));
            count += 1;
        } else if letter & NO_KANA != 0 {
            // Titles stand at the end.
            let blank = |rest: &u32| canonical(*rest) == u32::from(b' ');
            let ends = cell.letters()[place + 1..].iter().all(blank);
            return if ends && count > 0 {
                Key::Unsure
            } else {
                Key::None
            };
        }
    }
    if count == 0 {
        Key::None
    } else {
        Key::Hash(hasher.finish(state))
    }
}

/// As `notation::postcode_key`, for the usual notations.
pub fn postcode(cell: &Cell, region: Option<Region>, hasher: &Hasher) -> Key {
    if cell.digits == 0 && !cell.is_odd() {
        return Key::None;
    }
    if cell.is_odd() || cell.digits > 7 {
        return Key::Unsure;
    }
    let (mut state, mut digits, mut hyphen) = (hasher.seed, 0, None);
    for letter in cell.letters() {
        match canonical(*letter) {
            c @ 0x30..=0x39 => {
                state = hasher.step(state, c);
                digits += 1;
            }
            0x2d if hyphen.is_none() && digits > 0 => hyphen = Some(digits),
            // 〒
            0x3012 if digits == 0 => {}
            _ => return Key::Unsure,
        }
    }
    match (digits, hyphen, region) {
        (7, None | Some(3), region) if region != Some(Region::Us) => {}
        (5, None, Some(Region::Us)) => {}
        _ => return Key::Unsure,
    }
    Key::Hash(hasher.finish(state))
}

/// The last digits of a telephone number; `None` where the cell holds none, `Err` where
/// `notation::phone_key` has to say.
pub fn phone(cell: &Cell) -> Result<Option<u32>, ()> {
    if cell.is_odd() {
        return Err(());
    }
    if cell.digits == 0 {
        return Ok(None);
    }
    let (mut digits, mut number, mut last, mut before) = (0_u32, 0_u64, 0, 0);
    for letter in cell.letters() {
        let c = canonical(*letter);
        match c {
            0x30..=0x39 => {
                number = number.wrapping_mul(10).wrapping_add(u64::from(c - 0x30));
                digits += 1;
            }
            // Space, hyphen, slash, closing bracket; a dot may be a float's.
            0x20 | 0x2d | 0x2e | 0x2f | 0x29 => {}
            0x28 if digits < 9 => {}
            0x2b if digits == 0 => {}
            _ => return Err(()),
        }
        (before, last) = (last, c);
    }
    if digits > 17 || (before, last) == (0x2e, 0x30) {
        return Err(());
    }
    Ok((digits >= 8).then_some((number % 100_000_000) as u32))
}
