//! What a pass over a list has counted.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use prefetch_index::prefetch_index;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::few::Few;
use super::super::mark::{Agreed, Marks};
use super::super::near::Hows;
use super::super::normalise::Class;
use super::super::watch::Watch;
use super::crowds::Crowds;
use super::sample::Sample;
use super::shapes::Shapes;
use super::strata::Strata;

/// How many bad rows are named.
const SHOWN: usize = 10;

/// Rows that are not as the others; their cells are matched all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRows {
    /// How many there are.
    pub count: u64,
    /// The first ones: row and what is wrong with it.
    pub first: Vec<(u64, Cow<'static, str>)>,
}

impl BadRows {
    pub fn note(&mut self, row: u64, why: &'static str) {
        self.count += 1;
        let place = self.first.partition_point(|(earlier, _)| *earlier <= row);
        self.first.insert(place, (row, why.into()));
        self.first.truncate(SHOWN);
    }

    fn add(&mut self, other: BadRows) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.sort_unstable();
        self.first.truncate(SHOWN);
    }
}

/// Canaries that a row agrees with best: one, or several that it cannot tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    pub canaries: Few,
    /// Marks of which the folded values are equal.
    pub marks: Marks,
    /// Marks of which they are a slip apart.
    pub near: Marks,
    /// The first and the last of the canary's versions that the row may be of, where it is not of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<(u8, u8)>,
}

impl Claim {
    /// Its marks of both kinds.
    pub const fn agreed(&self) -> Agreed {
        Agreed {
            exact: self.marks,
            near: self.near,
        }
    }
}

/// Where a row stands: in which part of the list, and its number there, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub part: usize,
    pub row: u64,
}

/// What was counted of one part of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTally {
    /// Data rows.
    pub rows: u64,
    /// Those among them that are not as the others.
    pub bad: BadRows,
    /// Records that were not in the part's own encoding.
    pub otherwise_encoded: u64,
}

/// Rows that make the same claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub rows: u64,
    /// Part and row of the first of them.
    pub first: Place,
    /// Marks that the first row spells as they were planted.
    pub as_planted: Marks,
    /// How the near marks of the first row agree.
    pub how: Hows,
}

/// Counts over a list, or over a part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Data rows.
    pub rows: u64,
    /// The same and more for each part.
    pub parts: Vec<PartTally>,
    /// Rows in which each value of the watch stands.
    pub counts: Counting,
    /// Rows in which it stands without any other mark of its holders.
    pub alone: Counting,
    /// By block of numbers of ours: rows that have a stranger's number of the block.
    #[serde(with = "sparse")]
    pub neighbours: Vec<u64>,
    /// Rows that have a key of each class at all, estimated from a sample.
    pub filled: [u64; Class::ALL.len()],
    /// Rows that have an address with a unit, estimated likewise.
    #[serde(default)]
    pub units: u64,
    /// The same by region and by sex, where the list tells them.
    #[serde(default)]
    pub strata: Strata,
    /// How its rows write their values.
    pub shapes: Shapes,
    /// Some rows, for what hangs together in the list.
    pub sample: Sample,
    /// How common its values are, where the watch is blind.
    pub crowds: Crowds,
    /// Who was found.
    #[serde(with = "pairs")]
    pub claims: IndexMap<Claim, Seen>,
}

impl Tally {
    pub fn new(watch: &Watch) -> Tally {
        Tally {
            rows: 0,
            parts: Vec::new(),
            counts: Counting::new(watch.values.len()),
            alone: Counting::new(watch.values.len()),
            neighbours: vec![0; watch.others_in_blocks().len()],
            filled: [0; Class::ALL.len()],
            units: 0,
            strata: Strata::default(),
            shapes: Shapes::default(),
            sample: Sample::default(),
            crowds: Crowds::default(),
            claims: IndexMap::new(),
        }
    }

    /// The counts of a part.
    pub fn part(&mut self, part: usize) -> &mut PartTally {
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, PartTally::default);
        }
        &mut self.parts[part]
    }

    /// Without room for what is counted of each value: whoever counts it elsewhere adds it in the end
    /// ([`Counting::merge`], [`Tally::tell_alone`]).
    #[must_use]
    pub fn without_counts(self) -> Tally {
        Tally {
            counts: Counting::new(0),
            alone: Counting::new(0),
            ..self
        }
    }

    /// Says which of the rows that were counted hold a value together with another mark of one of its holders: in all
    /// others it stands alone.
    pub fn tell_alone(&mut self, together: &HashMap<u32, u64>) {
        self.alone = self.counts.clone();
        for (value, rows) in together {
            let alone = self.counts.of(*value) - rows;
            self.alone.set(*value, alone);
        }
    }

    /// Notes one row's claim.
    pub fn claim(&mut self, claim: Claim, seen: Seen) {
        let known = self.claims.entry(claim).or_insert(Seen { rows: 0, ..seen });
        known.rows += seen.rows;
        if seen.first < known.first {
            known.first = seen.first;
            known.as_planted = seen.as_planted;
            known.how = seen.how;
        }
    }

    /// The same counts of a piece that stands further behind: so many parts, or so many rows.
    #[must_use]
    pub fn moved(mut self, parts: usize, rows: u64) -> Tally {
        for part in &mut self.parts {
            for (row, _) in &mut part.bad.first {
                *row += rows;
            }
        }
        let before = (0..parts).map(|_| PartTally::default());
        self.parts.splice(0..0, before);
        for seen in self.claims.values_mut() {
            seen.first.part += parts;
            seen.first.row += rows;
        }
        if (parts, rows) != (0, 0) {
            self.sample = self.sample.moved(parts, rows);
        }
        self
    }

    /// Counts that came from elsewhere, filled up to a watch; `None` where they are not of this watch.
    pub fn fitted(mut self, watch: &Watch) -> Option<Tally> {
        let values = watch.values.len();
        let known = |canary: &u32| (*canary as usize) < watch.canaries.len();
        let fits = self.counts.len() <= values
            && self.alone.len() <= values
            && self.neighbours.len() <= watch.others_in_blocks().len()
            && self
                .parts
                .iter()
                .try_fold(0_u64, |sum, part| sum.checked_add(part.rows))
                == Some(self.rows)
            && self.claims.iter().all(|(claim, seen)| {
                !claim.canaries.is_empty()
                    && claim.canaries.iter().all(known)
                    && seen.first.part < self.parts.len()
            });
        self.counts.resize(values);
        self.alone.resize(values);
        self.neighbours.resize(watch.others_in_blocks().len(), 0);
        fits.then_some(self)
    }

    /// Adds another part's counts; the order of parts makes no difference.
    pub fn add(&mut self, other: Tally) {
        self.rows += other.rows;
        for (part, theirs) in other.parts.into_iter().enumerate() {
            let mine = self.part(part);
            mine.rows += theirs.rows;
            mine.bad.add(theirs.bad);
            mine.otherwise_encoded += theirs.otherwise_encoded;
        }
        let sum = |mine: &mut [u64], theirs: &[u64]| {
            mine.iter_mut()
                .zip(theirs)
                .for_each(|(mine, theirs)| *mine += theirs);
        };
        self.counts.merge(other.counts);
        self.alone.merge(other.alone);
        sum(&mut self.neighbours, &other.neighbours);
        sum(&mut self.filled, &other.filled);
        self.units += other.units;
        self.strata.add(other.strata);
        self.shapes.add(&other.shapes);
        self.sample.add(other.sample);
        self.crowds.add(other.crowds);
        if self.claims.is_empty() {
            self.claims = other.claims;
        } else {
            for (claim, seen) in other.claims {
                self.claim(claim, seen);
            }
        }
    }
}

/// Rows in which each value stands, in a quarter of the room that the highest count would take: so more of them stay at
/// hand.
#[derive(Clone, Debug)]
pub struct Counting {
    counts: Vec<u16>,
    /// How often a count has begun anew.
    full: HashMap<u32, u64, RandomState>,
}

impl Counting {
    /// Of so many values, none of which has been seen.
    pub fn new(values: usize) -> Counting {
        Counting {
            counts: vec![0; values],
            full: HashMap::default(),
        }
    }

    /// Has the count of a value, which is about to be counted, brought from memory.
    #[inline]
    pub fn fetch(&self, value: u32) {
        prefetch_index(&self.counts, value as usize);
    }

    /// Counts one more row with a value.
    #[inline]
    pub fn count(&mut self, value: u32) {
        let count = &mut self.counts[value as usize];
        *count = count.wrapping_add(1);
        if *count == 0 {
            *self.full.entry(value).or_default() += 1;
        }
    }

    /// Counts so many rows more with a value.
    pub fn add(&mut self, value: u32, rows: u64) {
        self.set(value, self.of(value) + rows);
    }

    fn set(&mut self, value: u32, count: u64) {
        self.counts[value as usize] = count as u16;
        match count >> u16::BITS {
            0 => self.full.remove(&value),
            full => self.full.insert(value, full),
        };
    }

    /// Adds what others have counted; where nobody has yet, their counts are taken over.
    pub fn merge(&mut self, others: Counting) {
        if self.len() == 0 {
            *self = others;
            return;
        }
        for (value, rows) in others.each() {
            self.add(value, rows);
        }
    }

    /// How many values are counted.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Makes room for so many values.
    pub fn resize(&mut self, values: usize) {
        self.counts.resize(values, 0);
    }

    /// Each value that has been seen, with its count.
    pub fn each(&self) -> impl Iterator<Item = (u32, u64)> {
        let all = (0..self.counts.len() as u32).map(|value| (value, self.of(value)));
        all.filter(|(_, rows)| *rows > 0)
    }

    /// The count of a value.
    pub fn of(&self, value: u32) -> u64 {
        // Hardly any value stands in so many rows that there is one.
        let full = self.full.get(&value).copied().unwrap_or_default();
        u64::from(self.counts[value as usize]) + (full << u16::BITS)
    }
}

impl Serialize for Counting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each())
    }
}

impl<'de> Deserialize<'de> for Counting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Counting, D::Error> {
        let counts = sparse::deserialize(deserializer)?;
        let mut counting = Counting::new(counts.len());
        for (value, rows) in (0..).zip(counts) {
            counting.add(value, rows);
        }
        Ok(counting)
    }
}

/// Counts that are nearly all zero, as pairs of place and count.
mod sparse {
    use serde::{Deserialize, Deserializer, Serializer};

    /// A watch has not more values.
    const MOST: usize = 1 << 30;

    pub fn serialize<S: Serializer>(counts: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        serializer.collect_seq(filled)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let pairs = Vec::<(usize, u64)>::deserialize(deserializer)?;
        let length = pairs.iter().map(|(place, _)| place.saturating_add(1)).max();
        let length = length.unwrap_or_default();
        if length > MOST {
            return Err(serde::de::Error::custom("a count of no value"));
        }
        let mut counts = vec![0; length];
        for (place, count) in pairs {
            counts[place] = count;
        }
        Ok(counts)
    }
}

/// A table whose keys are no texts, as pairs in their order.
pub(super) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<'t, K, V, T, S>(table: &'t T, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize + Ord + 't,
        V: Serialize + 't,
        &'t T: IntoIterator<Item = (&'t K, &'t V)>,
        S: Serializer,
    {
        let mut pairs: Vec<(&K, &V)> = table.into_iter().collect();
        pairs.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_seq(pairs)
    }

    pub fn deserialize<'de, K, V, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        K: Deserialize<'de>,
        V: Deserialize<'de>,
        T: FromIterator<(K, V)> + IntoIterator<Item = (K, V)>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_beyond_what_it_has_room_for() {
        let mut counting = Counting::new(3);
        counting.add(1, u64::from(u32::MAX) - 1);
        (0..3).for_each(|_| counting.count(1));
        (0..1 << 16).for_each(|_| counting.count(2));
        let counts = |of: &Counting| [0, 1, 2].map(|value| of.of(value));
        assert_eq!(counts(&counting), [0, (1 << 32) + 1, 1 << 16]);
        let written = serde_json::to_string(&counting).unwrap();
        assert_eq!(written, "[[1,4294967297],[2,65536]]");
        let again: Counting = serde_json::from_str(&written).unwrap();
        assert_eq!(counts(&again), counts(&counting));
        counting.add(1, 1 << 32);
        assert_eq!(counts(&counting), [0, (2 << 32) + 1, 1 << 16]);
        let mut both = Counting::new(0);
        both.merge(counting.clone());
        both.merge(again);
        assert_eq!(counts(&both), [0, (3 << 32) + 2, 2 << 16]);
        both.set(1, 7);
        assert_eq!(counts(&both), [0, 7, 2 << 16]);
    }
}
