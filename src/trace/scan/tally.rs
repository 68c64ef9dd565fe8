//! What a pass over a list has counted.

use std::collections::HashMap;

use super::super::mark::{Agreed, Marks};
use super::super::near::Hows;
use super::super::normalise::Class;
use super::super::watch::Watch;
use super::shapes::Shapes;

/// How many bad rows are named.
const SHOWN: usize = 10;

/// Rows that are not as the others; their cells are matched all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// How many there are.
    pub count: u64,
    /// The first ones: row and what is wrong with it.
    pub first: Vec<(u64, &'static str)>,
}

impl BadRows {
    pub fn note(&mut self, row: u64, why: &'static str) {
        self.count += 1;
        let place = self.first.partition_point(|(earlier, _)| *earlier <= row);
        self.first.insert(place, (row, why));
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    pub canaries: Box<[u32]>,
    /// Marks of which the folded values are equal.
    pub marks: Marks,
    /// Marks of which they are a slip apart.
    pub near: Marks,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub part: usize,
    pub row: u64,
}

/// What was counted of one part of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartTally {
    /// Data rows.
    pub rows: u64,
    /// Those among them that are not as the others.
    pub bad: BadRows,
    /// Records that were not in the part's own encoding.
    pub otherwise_encoded: u64,
}

/// Rows that make the same claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub struct Tally {
    /// Data rows.
    pub rows: u64,
    /// The same and more for each part.
    pub parts: Vec<PartTally>,
    /// Rows in which each value of the watch stands.
    pub counts: Vec<u64>,
    /// Rows in which it stands without any other mark of its holders.
    pub alone: Vec<u64>,
    /// Rows that have a key of each class at all.
    pub filled: [u64; Class::ALL.len()],
    /// How its rows write their values.
    pub shapes: Shapes,
    /// Who was found.
    pub claims: HashMap<Claim, Seen>,
}

impl Tally {
    pub fn new(watch: &Watch) -> Tally {
        Tally {
            rows: 0,
            parts: Vec::new(),
            counts: vec![0; watch.values.len()],
            alone: vec![0; watch.values.len()],
            filled: [0; Class::ALL.len()],
            shapes: Shapes::default(),
            claims: HashMap::new(),
        }
    }

    /// The counts of a part.
    pub fn part(&mut self, part: usize) -> &mut PartTally {
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, PartTally::default);
        }
        &mut self.parts[part]
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
        sum(&mut self.counts, &other.counts);
        sum(&mut self.alone, &other.alone);
        sum(&mut self.filled, &other.filled);
        self.shapes.add(&other.shapes);
        for (claim, seen) in other.claims {
            self.claim(claim, seen);
        }
    }
}
