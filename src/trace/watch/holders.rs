//! Who holds each value: a million canaries hold ten million, so a holder is kept in thirteen bytes. What only few of them
//! have of their own, a city or a range of versions, is kept once for all that have the same.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::texts::Span;
use super::{Bearers, Value};
use crate::trace::mark::Mark;

/// Who holds a value.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C, packed)]
pub(in crate::trace) struct Holder {
    /// As it was planted, to the letter; with [`SPELLINGS`](super::SPELLINGS) between them where several columns hold it.
    pub(super) written: Span,
    pub canary: u32,
    /// The number of its [`Lot`], and in the lowest [`MARK`] bits its mark's place in [`Mark::ALL`].
    more: u32,
}

/// Bits of a mark's number.
const MARK: u32 = 5;
const _: () = assert!(Mark::ALL.len() <= 1 << MARK);

/// What a holder has in common with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Lot {
    /// The city of an address, folded.
    pub city: Span,
    /// In which of its canary's versions.
    pub versions: Bearers,
}

impl Lot {
    /// Of nearly all.
    pub const PLAIN: Lot = Lot {
        city: Span::EMPTY,
        versions: Bearers::ALL,
    };
}

impl Holder {
    fn new(canary: u32, mark: Mark, lot: u32) -> Holder {
        Holder {
            written: Span::EMPTY,
            canary,
            more: lot << MARK | mark as u32,
        }
    }

    /// What the value is to its canary.
    pub fn mark(&self) -> Mark {
        Mark::ALL[self.mark_place()]
    }

    const fn mark_place(&self) -> usize {
        (self.more & ((1 << MARK) - 1)) as usize
    }

    const fn lot(&self) -> u32 {
        self.more >> MARK
    }
}

/// The holders of all values.
pub(super) struct Holders {
    /// By value, and those of one by canary.
    all: Vec<Holder>,
    lots: Vec<Lot>,
}

impl Default for Holders {
    fn default() -> Holders {
        Holders {
            all: Vec::new(),
            lots: vec![Lot::PLAIN],
        }
    }
}

impl Holders {
    /// As a file has them; `None` where one has a mark or a lot that there is not.
    pub fn restored(all: Vec<Holder>, lots: Vec<Lot>) -> Option<Holders> {
        let sound = |holder: &Holder| {
            holder.mark_place() < Mark::ALL.len() && (holder.lot() as usize) < lots.len()
        };
        all.iter().all(sound).then_some(Holders { all, lots })
    }

    /// All of them, by value, and those of one by canary.
    pub fn all(&self) -> &[Holder] {
        &self.all
    }

    /// What holders have in common, by number.
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Those of a value.
    pub fn of(&self, values: &[Value], value: u32) -> &[Holder] {
        let value = value as usize;
        let first = values[value].first as usize;
        let next = values.get(value + 1);
        &self.all[first..next.map_or(self.all.len(), |next| next.first as usize)]
    }

    /// Those of a value that are one canary.
    pub fn held_by(
        &self,
        values: &[Value],
        value: u32,
        canary: u32,
    ) -> impl Iterator<Item = &Holder> {
        let holders = self.of(values, value);
        let before = |holder: &Holder| holder.canary < canary;
        // Few are sooner looked through: they come from memory together, those of a search one after the other.
        let start = match holders.len() {
            0..=32 => holders.iter().take_while(|one| before(one)).count(),
            _ => holders.partition_point(before),
        };
        let rest = holders[start..].iter();
        rest.take_while(move |holder| holder.canary == canary)
    }

    /// What one has in common with others.
    pub fn lot(&self, holder: &Holder) -> &Lot {
        &self.lots[holder.lot() as usize]
    }
}

/// Holders while canaries are taken in one after the other.
#[derive(Default)]
pub(super) struct Held {
    all: Vec<(u32, Holder)>,
    holders: Holders,
    numbers: HashMap<Lot, u32>,
}

impl Held {
    /// Notes that the canary that comes last, or a new one, holds a value as a mark, in some versions more, and gives it.
    pub fn note(&mut self, value: u32, canary: u32, mark: Mark, lot: Lot) -> &mut Holder {
        let start = self.start(canary);
        let mut own = self.all[start..].iter();
        let known = own.position(|(held, holder)| *held == value && holder.mark() == mark);
        let at = match known {
            Some(place) => {
                let at = start + place;
                let known = *self.holders.lot(&self.all[at].1);
                let lot = self.number(Lot {
                    versions: known.versions.or(lot.versions),
                    ..known
                });
                self.all[at].1.more = lot << MARK | mark as u32;
                at
            }
            None => {
                let lot = self.number(lot);
                self.all.push((value, Holder::new(canary, mark, lot)));
                self.all.len() - 1
            }
        };
        &mut self.all[at].1
    }

    /// What the canary that comes last holds, in the order in which it was noted.
    pub fn of_last(&self, canary: u32) -> impl ExactSizeIterator<Item = (Mark, u32)> {
        let own = self.all[self.start(canary)..].iter();
        own.map(|(value, holder)| (holder.mark(), *value))
    }

    /// Where what the canary that comes last holds begins.
    fn start(&self, canary: u32) -> usize {
        let own = self.all.iter().rev();
        let own = own.take_while(|(_, holder)| holder.canary == canary);
        self.all.len() - own.count()
    }

    /// The number of a lot.
    fn number(&mut self, lot: Lot) -> u32 {
        if lot == Lot::PLAIN {
            return 0;
        }
        let lots = &mut self.holders.lots;
        *self.numbers.entry(lot).or_insert_with(|| {
            let next = lots.len() as u32;
            // More than there is room for cannot be held in any memory; what has none says nothing of city and version.
            if next >> (u32::BITS - MARK) != 0 {
                return 0;
            }
            lots.push(lot);
            next
        })
    }

    /// How many hold each of so many values.
    pub fn counts(&self, values: usize) -> Vec<u32> {
        let mut counts = vec![0; values];
        for (value, _) in &self.all {
            counts[*value as usize] += 1;
        }
        counts
    }

    /// Has values called by their new numbers.
    pub fn renumber(&mut self, new: &[u32]) {
        for (value, _) in &mut self.all {
            *value = new[*value as usize];
        }
    }

    /// All of them in their places, of values that are numbered for good.
    pub fn settled(mut self, values: &mut [Value]) -> Holders {
        self.all.sort_by_key(|(value, _)| *value);
        let mut first = 0;
        for (number, value) in (0..).zip(values) {
            value.first = first;
            let own = self.all[first as usize..].iter();
            first += own.take_while(|(held, _)| *held == number).count() as u32;
        }
        let mut holders = self.holders;
        holders.all = self.all.into_iter().map(|(_, holder)| holder).collect();
        // They lie where they lay with their values beside them.
        holders.all.shrink_to_fit();
        holders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_of_no_mark_or_lot_is_none_of_ours() {
        let holder = |lot: u32, mark: u32| Holder {
            more: lot << MARK | mark,
            ..Holder::new(0, Mark::ALL[0], 0)
        };
        let restored = |holder: Holder| Holders::restored(vec![holder], vec![Lot::PLAIN; 2]);
        let marks = Mark::ALL.len() as u32;
        assert!(restored(holder(1, marks - 1)).is_some());
        assert!(restored(holder(1, marks)).is_none());
        assert!(restored(holder(2, 0)).is_none());
    }
}
