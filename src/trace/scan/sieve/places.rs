//! Addresses: whether a cell may be one of our doors.
//!
//! Reading an address is the dearest thing that a row asks for, and nearly none is ours. So a cell is
//! first asked whether the numbers of one of our blocks stand in it, one behind the other, and the last
//! letters of its town somewhere before. Both hold in every spelling of a door that `notation` reads as
//! ours: it drops letters and moves none, and writes numbers as digits.

use std::collections::{HashMap, HashSet};

use super::cell::Cell;
use super::letters::canonical;

/// Numbers of a block that are looked at.
const MOST: usize = 3;
/// More numbers than this has no address that is sieved.
const RUNS: usize = 24;

/// Letters that spellings of one town may lack or write in another way.
const FICKLE: &str = "ヶケヵカがガゖのノ之ツッつっー-大小字条番町丁地割号線通り第0123456789〇一二三四五六七八九十百千 ,、・.()";

/// Our doors.
pub struct Places {
    /// By the block's numbers: the letters of towns that have it.
    blocks: HashMap<Numbers, Vec<u64>>,
    /// How many numbers our blocks begin with.
    lengths: [bool; MOST + 1],
    /// Bits of their first numbers.
    firsts: Box<[u64; 64]>,
    /// Something of ours cannot be sieved, so that every cell must be read.
    all: bool,
}

type Numbers = [u32; MOST];

impl Places {
    /// `doors` are the texts of addresses, `blocks` those of blocks.
    pub fn new<'a>(
        doors: impl Iterator<Item = &'a str>,
        blocks: impl Iterator<Item = &'a str>,
    ) -> Places {
        let mut places = Places {
            blocks: HashMap::new(),
            lengths: [false; MOST + 1],
            firsts: Box::new([0; 64]),
            all: false,
        };
        let mut wanted: HashSet<&str> = blocks.collect();
        // The last number may be a unit and stand far behind the others, with a building between them.
        wanted.extend(doors.map(|door| door.rsplit_once('-').map_or(door, |(block, _)| block)));
        for numbers in wanted {
            places.add(numbers);
        }
        places
    }

    fn add(&mut self, key: &str) {
        let Some((town, numbers)) = key.rsplit_once(' ') else {
            self.all = true;
            return;
        };
        let parts = numbers.split('-').map_while(|part| {
            let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let number = digits.parse::<u32>().ok()?;
            Some((number, digits.len() == part.len()))
        });
        let mut wanted = Numbers::default();
        let mut length = 0;
        for (number, whole) in parts.take(MOST) {
            wanted[length] = number;
            length += 1;
            // 123-4B: letters may part what follows.
            if !whole {
                break;
            }
        }
        if length == 0 {
            self.all = true;
            return;
        }
        let letters: Vec<char> = town
            .chars()
            .filter(|c| !c.is_ascii() && !FICKLE.contains(*c))
            .collect();
        let last = letters.iter().rev().take(2);
        let towns = self.blocks.entry(wanted).or_default();
        let mask = last.fold(0, |mask, c| mask | bit(u32::from(*c)));
        if !towns.contains(&mask) {
            towns.push(mask);
        }
        self.lengths[length] = true;
        let first = wanted[0] as usize % 4096;
        self.firsts[first / 64] |= 1 << (first % 64);
    }

    /// Whether an address has to be read.
    pub fn may_be_ours(&self, cell: &Cell) -> bool {
        if self.all {
            return true;
        }
        if self.blocks.is_empty() {
            return false;
        }
        if cell.is_odd() {
            return true;
        }
        let mut numbers = Runs::default();
        let mut mask = 0;
        for letter in cell.letters() {
            let c = canonical(*letter);
            if !numbers.read(c) {
                mask |= bit(c);
            }
        }
        let Some(runs) = numbers.done() else {
            return true;
        };
        for (place, first) in runs.iter().enumerate() {
            let bit = *first as usize % 4096;
            if self.firsts[bit / 64] >> (bit % 64) & 1 == 0 {
                continue;
            }
            for length in (1..=MOST).filter(|length| self.lengths[*length]) {
                let Some(run) = runs.get(place..place + length) else {
                    continue;
                };
                let mut wanted = Numbers::default();
                wanted[..length].copy_from_slice(run);
                let towns = self.blocks.get(&wanted);
                if towns.is_some_and(|towns| towns.iter().any(|town| town & !mask == 0)) {
                    return true;
                }
            }
        }
        false
    }
}

#[inline]
fn bit(c: u32) -> u64 {
    1 << (c.wrapping_mul(0x9e37_79b1) >> 26)
}

#[derive(Clone, Copy, PartialEq, Default)]
enum Script {
    #[default]
    Other,
    Digits,
    Kanji,
}

/// The numbers of a cell in their order; digits and kanji numerals are numbers of their own where they
/// meet.
#[derive(Default)]
struct Runs {
    found: [u32; RUNS],
    count: usize,
    script: Script,
    /// Of kanji numerals: what tens and hundreds add up to, and the digit behind them.
    sum: u32,
    digit: u32,
    added: bool,
}

impl Runs {
    /// Reads a letter; `false` for one that is no number.
    #[inline]
    fn read(&mut self, c: u32) -> bool {
        if let 0x30..=0x39 = c {
            let run = self.run(Script::Digits);
            *run = run.wrapping_mul(10).wrapping_add(c - 0x30);
            return true;
        }
        // Most letters are none of the numerals, which lie between 〇 and 千.
        let (digit, times) = match c {
            0x3007 => (0, 0),
            0x4e00 => (1, 0),
            0x4e8c => (2, 0),
            0x4e09 => (3, 0),
            0x56db => (4, 0),
            0x4e94 => (5, 0),
            0x516d => (6, 0),
            0x4e03 => (7, 0),
            0x516b => (8, 0),
            0x4e5d => (9, 0),
            0x5341 => (0, 10),
            0x767e => (0, 100),
            0x5343 => (0, 1000),
            _ => {
                self.script = Script::Other;
                return false;
            }
        };
        self.numeral(digit, times);
        true
    }

    /// 十二 and 一二 are both twelve.
    fn numeral(&mut self, digit: u32, times: u32) {
        if self.script != Script::Kanji {
            (self.sum, self.digit, self.added) = (0, 0, false);
        }
        if times > 0 {
            self.sum = self.sum.wrapping_add(self.digit.max(1).wrapping_mul(times));
            self.digit = 0;
            self.added = true;
        } else if self.added {
            self.digit = digit;
        } else {
            self.digit = self.digit.wrapping_mul(10).wrapping_add(digit);
        }
        let value = self.sum.wrapping_add(self.digit);
        *self.run(Script::Kanji) = value;
    }

    fn run(&mut self, script: Script) -> &mut u32 {
        if script != self.script {
            self.script = script;
            self.count += 1;
            if let Some(run) = self.found.get_mut(self.count - 1) {
                *run = 0;
            }
        }
        let last = (self.count - 1).min(RUNS - 1);
        &mut self.found[last]
    }

    /// `None` where there are too many.
    fn done(&self) -> Option<&[u32]> {
        self.found.get(..self.count)
    }
}
