//! What cells were folded to, for a while: lists repeat their dates, postcodes and names, and to know a cell again
//! costs a fraction of folding it.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::notation::AddressKey;

/// Cells that are known at once.
const SLOTS: usize = 1 << 12;
/// Longer cells repeat too seldom to be kept.
const LONGEST: usize = 64;

/// Texts that were folded lately. What falls into the place of another takes it.
pub struct Memory {
    slots: Box<[Slot]>,
    hasher: RandomState,
    folded: String,
    /// For cells that are sooner folded than known again.
    pub room: Room,
}

/// Where a cell is folded, used again and again: memory for each would cost as much as folding it.
#[derive(Default)]
pub struct Room {
    /// The text as it is folded.
    pub folded: String,
    /// The key that is made of it.
    pub key: String,
    /// Its letters, where they are counted one by one.
    pub letters: Vec<char>,
    /// An address in its parts.
    pub address: AddressKey,
}

#[derive(Clone, Default)]
struct Slot {
    way: usize,
    written: String,
    key: String,
    is_key: bool,
}

impl Memory {
    /// For the rows of a list.
    pub fn new() -> Memory {
        Memory::of(SLOTS)
    }

    /// For a single row.
    pub fn brief() -> Memory {
        Memory::of(1)
    }

    fn of(slots: usize) -> Memory {
        Memory {
            slots: vec![Slot::default(); slots].into_boxed_slice(),
            hasher: RandomState::default(),
            folded: String::new(),
            room: Room::default(),
        }
    }

    /// Forgets all: other columns fold their cells in other ways.
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.written.clear();
        }
    }

    /// The key of a cell, folded in one of several ways; each `way` is a number of its own, and always gives the same
    /// key for the same text.
    pub fn key(
        &mut self,
        way: usize,
        written: &str,
        fold: impl FnOnce(&str) -> Option<String>,
    ) -> Option<&str> {
        if written.is_empty() || written.len() > LONGEST {
            self.folded = fold(written)?;
            return Some(&self.folded);
        }
        let hash = self.hasher.hash_one((way, written)) as usize;
        let slot = &mut self.slots[hash & (self.slots.len() - 1)];
        if slot.way != way || slot.written != written {
            let key = fold(written);
            slot.way = way;
            slot.is_key = key.is_some();
            for (kept, text) in [
                (&mut slot.written, written),
                (&mut slot.key, key.as_deref().unwrap_or_default()),
            ] {
                kept.clear();
                kept.push_str(text);
            }
        }
        slot.is_key.then_some(slot.key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few texts and few slots, so that they are known again and take each other's places.
        #[test]
        fn what_is_known_is_what_would_be_folded(cells in prop::collection::vec((0_usize..3, "[ab]{0,3}"), 0..200)) {
            let mut memory = Memory::of(4);
            let fold = |way: usize| {
                move |text: &str| (!text.starts_with('b')).then(|| format!("{way}{text}"))
            };
            for (way, text) in cells {
                let folded = fold(way)(&text);
                prop_assert_eq!(memory.key(way, &text, fold(way)), folded.as_deref());
            }
        }
    }

    #[test]
    fn what_was_forgotten_is_folded_anew() {
        let mut memory = Memory::new();
        assert_eq!(memory.key(1, "a", |_| Some("x".to_owned())), Some("x"));
        assert_eq!(memory.key(1, "a", |_| None), Some("x"));
        memory.clear();
        assert_eq!(memory.key(1, "a", |_| None), None);
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(memory.key(1, &long, |_| Some("y".to_owned())), Some("y"));
        assert_eq!(memory.key(1, &long, |_| None), None);
    }
}
