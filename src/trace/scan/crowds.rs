//! How common a list's values are, for a watch that cannot tell which of them are its own.
//!
//! A watch list knows a name only in a row that opens its canary, so it cannot count the other rows
//! that bear it. Instead all names are counted, by the first bits of their fingerprints: the rows of
//! a name are at most those of its crowd. Sixteen thousand crowds for each class keep the error below
//! one row in ten thousand, which is as rare as a watch list takes any name to be.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Rows by the crowd that their values belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowds {
    rows: HashMap<u32, u64>,
    /// The crowd of each value of the watch that was found.
    found: HashMap<u32, u32>,
}

impl Crowds {
    /// Counts one row's value.
    pub fn count(&mut self, crowd: u32) {
        *self.rows.entry(crowd).or_default() += 1;
    }

    /// Notes where a value of the watch belongs.
    pub fn note(&mut self, value: u32, crowd: u32) {
        self.found.insert(value, crowd);
    }

    /// At most so many rows bear a value of the watch.
    pub fn rows(&self, value: u32) -> u64 {
        let crowd = self.found.get(&value);
        crowd
            .and_then(|crowd| self.rows.get(crowd))
            .copied()
            .unwrap_or_default()
    }

    /// Adds another part's counts.
    pub fn add(&mut self, other: Crowds) {
        for (crowd, rows) in other.rows {
            *self.rows.entry(crowd).or_default() += rows;
        }
        self.found.extend(other.found);
    }
}
