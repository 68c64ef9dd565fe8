//! Dates of birth, each spelling read once.
//!
//! A list has some ten thousand days, each in the few notations of its hands, so that `notation` reads
//! a spelling the first time and the answer is kept.

use super::keys::Hasher;

/// How many spellings are kept.
const KEPT: usize = 1 << 15;
/// A longer cell is read each time.
const LONGEST: usize = 40;

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

    /// The answer for a cell of a lane, asked for only where it is not kept.
    pub fn find(
        &mut self,
        cell: &[u8],
        lane: usize,
        hasher: &Hasher,
        ask: impl FnOnce() -> Option<u32>,
    ) -> Option<u32> {
        if cell.len() > LONGEST {
            return ask();
        }
        let hash = spelling(cell, lane, hasher) | 1;
        let kept = &mut self.kept[(hash >> 20) as usize & (KEPT - 1)];
        if kept.0 != hash {
            *kept = (hash, ask());
        }
        kept.1
    }

    /// Forgets all: lanes have other numbers in another part.
    pub fn clear(&mut self) {
        self.kept.fill((0, None));
    }
}

fn spelling(cell: &[u8], lane: usize, hasher: &Hasher) -> u64 {
    let start = (lane as u64) << 32 | cell.len() as u64;
    let mut words = cell.chunks_exact(8);
    let mut hash = start;
    for word in &mut words {
        // Eight bytes, as chunks_exact says.
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        hash = hasher.join(hash, word);
    }
    let mut last = [0; 8];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    hasher.join(hash, u64::from_le_bytes(last))
}
