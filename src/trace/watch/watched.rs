//! A canary as far as a list can show it. There may be a million of them: so each is small.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::canary::CanaryId;
use crate::trace::mark::Mark;
use crate::trace::traits::Traits;

/// A canary as far as a list can show it.
#[derive(Serialize, Deserialize)]
pub(in crate::trace) struct Watched {
    pub id: CanaryId,
    /// Index into [`Watch::sources`](super::Watch::sources).
    pub source: u32,
    /// Index into [`Watch::batches`](super::Watch::batches).
    pub batch: u32,
    /// By what it may have been chosen.
    pub traits: Traits,
    /// Which of [`Watch::borne`](super::Watch::borne) are its.
    pub(super) borne: Range<u32>,
    /// None where it has never changed, or nobody knows.
    past: Option<Box<Past>>,
}

/// A mark that a canary can be known by in any version, by its place in [`Mark::ALL`], and the index of its value.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Borne {
    mark: u8,
    value: [u8; 4],
}

/// The states that a canary was in.
#[derive(Serialize, Deserialize)]
struct Past {
    versions: Box<[Lived]>,
    telling: Box<[(Box<str>, Bearers)]>,
}

/// A version of a canary as a list dates it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::trace) struct Lived {
    pub number: u32,
    pub from: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
}

impl Watched {
    /// One that has never changed.
    pub fn new(id: CanaryId, source: u32, batch: u32, traits: Traits) -> Watched {
        Watched {
            id,
            source,
            batch,
            traits,
            borne: 0..0,
            past: None,
        }
    }

    /// With the states that it was in, the oldest first, and texts by which they are told apart.
    #[must_use]
    pub fn changed(
        mut self,
        versions: Box<[Lived]>,
        telling: Box<[(Box<str>, Bearers)]>,
    ) -> Watched {
        let past = Past { versions, telling };
        self.past = (!past.versions.is_empty()).then(|| Box::new(past));
        self
    }

    /// The states that it was in, the oldest first; none where it has never changed, or nobody knows.
    pub fn versions(&self) -> &[Lived] {
        self.past.as_ref().map_or(&[], |past| &past.versions)
    }

    /// Texts of its rows by which versions are told apart, and which bear each.
    pub fn telling(&self) -> &[(Box<str>, Bearers)] {
        self.past.as_ref().map_or(&[], |past| &past.telling)
    }

    /// The first and the last version of a range of places ([`Bearers::range`]).
    pub fn lived(&self, (first, last): (u8, u8)) -> Option<(Lived, Lived)> {
        let versions = self.versions();
        let last = match usize::from(last) {
            SHARED => versions.last(),
            place => versions.get(place),
        };
        Some((*versions.get(usize::from(first))?, *last?))
    }
}

impl Borne {
    pub const fn new(mark: Mark, value: u32) -> Borne {
        Borne {
            mark: mark as u8,
            value: value.to_le_bytes(),
        }
    }

    pub fn mark(self) -> Mark {
        Mark::ALL[usize::from(self.mark)]
    }

    pub const fn value(self) -> u32 {
        u32::from_le_bytes(self.value)
    }

    /// Whether there is such a mark, and one of so many values.
    pub fn is_sound(self, values: usize) -> bool {
        usize::from(self.mark) < Mark::ALL.len() && (self.value() as usize) < values
    }
}

/// The last place in [`Bearers`], which all further versions share.
const SHARED: usize = 63;

/// Which versions of a canary bear something: a set of places in [`Watched::versions`]. Of very many
/// versions the latest share a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::trace) struct Bearers(u64);

impl Bearers {
    /// Every version.
    pub const ALL: Bearers = Bearers(u64::MAX);

    pub(super) fn one(place: usize) -> Bearers {
        Bearers(1 << place.min(SHARED))
    }

    /// The versions that are in both.
    #[must_use]
    pub const fn and(self, other: Bearers) -> Bearers {
        Bearers(self.0 & other.0)
    }

    /// Those that are in either.
    pub(super) const fn or(self, other: Bearers) -> Bearers {
        Bearers(self.0 | other.0)
    }

    /// The first and the last place, of so many versions; `None` where all or none of them are in it.
    pub fn range(self, versions: usize) -> Option<(u8, u8)> {
        let all = match versions {
            0 | 1 => return None,
            64.. => u64::MAX,
            some => (1 << some) - 1,
        };
        let set = self.0 & all;
        (set != 0 && set != all)
            .then(|| (set.trailing_zeros() as u8, 63 - set.leading_zeros() as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a million of them a list shows hundreds.
    #[test]
    fn a_canary_is_small() {
        assert_eq!((size_of::<Watched>(), size_of::<Borne>()), (48, 5));
    }
}
