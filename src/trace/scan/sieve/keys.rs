//! Keys of a folded cell, as hashes.
//!
//! Each function here says of a cell what the function of the same name in `notation` says, or that
//! it is not sure; then `notation` is asked. The tests hold that they never disagree.

use super::cell::Cell;
use super::letters::{
    KANALESS, Letter, Letters, NAMELESS, NO_KANA, NO_NAME, canonical, is_ideograph,
};
use crate::notation::{KANA_TITLES, Region, japanese_titles, lengthens};

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

/// What is known of names beside their letters.
pub struct Keys {
    titles: Vec<Vec<u32>>,
    /// Bits of the letters that titles end with.
    ends: u64,
}

impl Keys {
    pub fn new() -> Keys {
        let titles: Vec<Vec<u32>> = japanese_titles()
            .iter()
            .map(|title| title.chars().map(u32::from).collect())
            .collect();
        let ends = titles.iter().filter_map(|title| title.last());
        Keys {
            ends: ends.fold(0, |bits, end| bits | 1 << (end & 63)),
            titles,
        }
    }

    /// As `notation::name_key`.
    pub fn name(&self, cell: &Cell, hasher: &Hasher) -> Key {
        if cell.is_odd() || !cell.is_japanese() || cell.bytes > LONGEST_NAME {
            return Key::Unsure;
        }
        let letters = trimmed(cell.letters());
        if letters.iter().any(|letter| letter & NO_NAME != 0) {
            return Key::None;
        }
        // A name in kana alone may be the reading of one.
        if !letters
            .iter()
            .any(|letter| is_ideograph(canonical(*letter)))
        {
            return Key::Unsure;
        }
        let (mut state, mut count) = (hasher.seed, 0);
        for letter in self.untitled(letters) {
            if letter & NAMELESS == 0 {
                state = hasher.step(state, canonical(*letter));
                count += 1;
            }
        }
        if count == 0 {
            Key::None
        } else {
            Key::Hash(hasher.finish(state))
        }
    }

    fn untitled<'a>(&self, letters: &'a [Letter]) -> &'a [Letter] {
        let last = letters.last().map_or(0, |letter| canonical(*letter));
        if self.ends >> (last & 63) & 1 == 0 {
            return letters;
        }
        for title in &self.titles {
            let Some(kept) = letters.len().checked_sub(title.len()) else {
                continue;
            };
            let (name, end) = letters.split_at(kept);
            let name = trimmed(name);
            // As notation has it: two letters must be left, spaces within counted once.
            if end
                .iter()
                .map(|letter| canonical(*letter))
                .eq(title.iter().copied())
                && spaced_once(name) >= 2
            {
                return name;
            }
        }
        letters
    }
}

fn is_space(letter: Letter) -> bool {
    canonical(letter) == u32::from(b' ')
}

/// Without the spaces at both ends.
fn trimmed(mut letters: &[Letter]) -> &[Letter] {
    while let [first, rest @ ..] = letters
        && is_space(*first)
    {
        letters = rest;
    }
    while let [rest @ .., last] = letters
        && is_space(*last)
    {
        letters = rest;
    }
    letters
}

/// How many letters there are where spaces that stand together are one.
fn spaced_once(letters: &[Letter]) -> usize {
    let mut after_space = false;
    let counts = |letter: &&Letter| {
        let counts = !(after_space && is_space(**letter));
        after_space = is_space(**letter);
        counts
    };
    letters.iter().filter(counts).count()
}

/// As `notation::kana_key`.
pub fn kana(cell: &Cell, letters: &Letters, hasher: &Hasher) -> Key {
    if cell.is_odd() || cell.bytes > LONGEST_NAME {
        return Key::Unsure;
    }
    if ends_in_kana_title(cell.letters()) {
        return Key::Unsure;
    }
    let (mut state, mut count) = (hasher.seed, 0);
    let mut last = ' ';
    for (place, letter) in cell.letters().iter().enumerate() {
        if letter & (NO_KANA | KANALESS) == 0 {
            let reading = u32::from(letters.reading(*letter));
            let kana = char::from_u32(reading).unwrap_or_default();
            if !lengthens(last, kana) {
                state = hasher.step(state, reading);
                count += 1;
                last = kana;
            }
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

/// Whether the last word is one that is put behind readings.
fn ends_in_kana_title(letters: &[Letter]) -> bool {
    let letters = trimmed(letters);
    let Some(space) = letters.iter().rposition(|letter| is_space(*letter)) else {
        return false;
    };
    let word = || letters[space + 1..].iter().map(|letter| canonical(*letter));
    let mut titles = KANA_TITLES.iter();
    titles.any(|title| title.chars().map(u32::from).eq(word()))
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

/// The last digits of a telephone number, where `notation::phone_key` certainly reads a Japanese one;
/// `None` where the cell holds no digit, `Err` where `notation` has to say.
pub fn phone(cell: &Cell) -> Result<Option<u32>, ()> {
    if cell.is_odd() {
        return Err(());
    }
    if cell.digits == 0 {
        return Ok(None);
    }
    let (mut digits, mut number, mut plus) = (0_u32, 0_u64, false);
    for letter in cell.letters() {
        match canonical(*letter) {
            c @ 0x30..=0x39 => {
                number = number.wrapping_mul(10).wrapping_add(u64::from(c - 0x30));
                digits += 1;
            }
            0x2d => {}
            0x2b if digits == 0 => plus = true,
            _ => return Err(()),
        }
    }
    if digits > 12 {
        return Err(());
    }
    // What follows the country code or the trunk's 0.
    let national = match (plus, digits) {
        (false, 10) if number < 1_000_000_000 => number,
        (false, 11) if number < 10_000_000_000 => number,
        (true, 11) if number / 1_000_000_000 == 81 => number % 1_000_000_000,
        (true, 12) if number / 10_000_000_000 == 81 => number % 10_000_000_000,
        _ => return Err(()),
    };
    // 010 leads abroad; ten digits are those of a mobile (0A0).
    let sure = match digits - u32::from(plus) {
        10 => (200_000_000..1_000_000_000).contains(&national),
        _ => {
            (2_000_000_000..10_000_000_000).contains(&national) && national / 100_000_000 % 10 == 0
        }
    };
    if sure {
        Ok(Some((national % 100_000_000) as u32))
    } else {
        Err(())
    }
}
