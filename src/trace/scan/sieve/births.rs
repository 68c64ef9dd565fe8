//! Dates of birth.
//!
//! A list has some ten thousand days. Those whose year leads, in four digits, are read at once, if
//! `notation` has been seen to read this column so; any other spelling is read by `notation` the first time,
//! and the answer is kept.

use super::cell::Cell;
use super::keys::Hasher;
use super::letters::canonical;

/// How many spellings are kept.
const KEPT: usize = 1 << 16;
/// A longer cell is read each time.
const LONGEST: usize = 40;
const FIRST_YEAR: u32 = 1860;
const YEARS: u32 = 241;
/// What no value has as its number.
const NOBODY: u32 = u32::MAX;

/// The values of days.
pub struct Days(Box<[u32]>);

impl Days {
    /// From texts such as 1972-04-01 to their values.
    pub fn new<'a>(births: impl Iterator<Item = (&'a str, u32)>) -> Days {
        let mut days = vec![NOBODY; (YEARS * 12 * 31) as usize].into_boxed_slice();
        for (text, value) in births {
            let mut parts = text.split('-').filter_map(|part| part.parse().ok());
            let date = (parts.next(), parts.next(), parts.next());
            if let (Some(year), Some(month), Some(day)) = date
                && let Some(place) = place(year, month, day)
            {
                days[place] = value;
            }
        }
        Days(days)
    }

    /// The value of a day, if it is one of ours.
    pub fn value(&self, day: usize) -> Option<u32> {
        Some(self.0[day]).filter(|value| *value != NOBODY)
    }
}

fn place(year: u32, month: u32, day: u32) -> Option<usize> {
    let year = year.checked_sub(FIRST_YEAR).filter(|year| *year < YEARS)?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then_some((year * 372 + (month - 1) * 31 + day - 1) as usize)
}

/// The day of a cell whose year leads, and how it is parted: by `-`, `/`, `.`, by 年月日, or not at all.
/// A day that a month may not have is none.
pub fn day(cell: &Cell) -> Option<(usize, usize)> {
    if cell.is_odd() || cell.letters().len() > 11 {
        return None;
    }
    let mut numbers = [0_u32; 3];
    let mut lengths = [0; 3];
    let mut part = 0;
    let mut marks = [0; 3];
    for letter in cell.letters() {
        match canonical(*letter) {
            c @ 0x30..=0x39 if part < 3 => {
                numbers[part] = numbers[part] * 10 + (c - 0x30);
                lengths[part] += 1;
            }
            c if part < 3 && lengths[part] > 0 => {
                marks[part] = c;
                part += 1;
            }
            _ => return None,
        }
    }
    let ([year, month, day], kind) = match (lengths, marks) {
        ([8, 0, 0], [0, 0, 0]) => {
            let whole = numbers[0];
            ([whole / 10_000, whole / 100 % 100, whole % 100], 0)
        }
        ([4, 1..=2, 1..=2], [0x2d, 0x2d, 0]) => (numbers, 1),
        ([4, 1..=2, 1..=2], [0x2f, 0x2f, 0]) => (numbers, 2),
        ([4, 1..=2, 1..=2], [0x2e, 0x2e, 0]) => (numbers, 3),
        ([4, 1..=2, 1..=2], [0x5e74, 0x6708, 0x65e5]) => (numbers, 4),
        _ => return None,
    };
    // The last days of months are left to notation.
    let day = place(year, month, day).filter(|_| day <= 28)?;
    Some((day, kind))
}

/// Spellings of two days, by the kinds of [`day`], to see whether `notation` reads a column so.
pub const PROBES: [[(&str, &str); 2]; 5] = [
    [("19990207", "1999-02-07"), ("20051123", "2005-11-23")],
    [("1999-02-07", "1999-02-07"), ("2005-11-3", "2005-11-03")],
    [("1999/02/07", "1999-02-07"), ("2005/11/3", "2005-11-03")],
    [("1999.02.07", "1999-02-07"), ("2005.11.3", "2005-11-03")],
    [
        ("1999年2月7日", "1999-02-07"),
        ("2005年11月3日", "2005-11-03"),
    ],
];

/// Answers by spelling and column.
pub struct Births {
    kept: Box<[(u64, Option<u32>)]>,
}

impl Births {
    pub fn new() -> Births {
        Births {
            kept: vec![(0, None); KEPT].into_boxed_slice(),
        }
    }

    /// The answer for a cell of a lane, asked for only where it is not kept; `None` for what is read as no date.
    pub fn find(
        &mut self,
        cell: &[u8],
        lane: usize,
        hasher: &Hasher,
        ask: impl FnOnce() -> Option<Option<u32>>,
    ) -> Option<Option<u32>> {
        if cell.len() > LONGEST {
            return ask();
        }
        let hash = spelling(cell, lane, hasher) | 1;
        let kept = &mut self.kept[(hash >> 20) as usize & (KEPT - 1)];
        if kept.0 != hash {
            *kept = (hash, ask()?);
        }
        Some(kept.1)
    }

    /// Forgets all: lanes have other numbers in another part.
    pub fn clear(&mut self) {
        self.kept.fill((0, None));
    }
}

fn spelling(cell: &[u8], lane: usize, hasher: &Hasher) -> u64 {
    let mut words = cell.chunks_exact(8);
    let mut hash = (lane as u64) << 32 | cell.len() as u64;
    for word in &mut words {
        // Eight bytes, as chunks_exact says.
        hash = hasher.join(hash, word.try_into().map_or(0, u64::from_le_bytes));
    }
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    hasher.join(hash, u64::from_le_bytes(last))
}
