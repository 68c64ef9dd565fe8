//! Numbers of which nearly always there is but one.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number, or several: where there is one, it lies nowhere else in memory. As a slice it is what it holds.
#[derive(Clone, Debug)]
pub struct Few(Kind);

#[derive(Clone, Debug)]
enum Kind {
    One(u32),
    /// None, or at least two.
    Several(Box<[u32]>),
}

impl Few {
    /// A single number.
    pub const fn one(number: u32) -> Few {
        Few(Kind::One(number))
    }
}

impl From<Vec<u32>> for Few {
    fn from(all: Vec<u32>) -> Few {
        Few(match all[..] {
            [one] => Kind::One(one),
            _ => Kind::Several(all.into()),
        })
    }
}

impl FromIterator<u32> for Few {
    fn from_iter<I: IntoIterator<Item = u32>>(all: I) -> Few {
        let mut all = all.into_iter();
        match (all.next(), all.next()) {
            (Some(one), None) => Few::one(one),
            (one, other) => one
                .into_iter()
                .chain(other)
                .chain(all)
                .collect::<Vec<u32>>()
                .into(),
        }
    }
}

impl Deref for Few {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match &self.0 {
            Kind::One(one) => std::slice::from_ref(one),
            Kind::Several(all) => all,
        }
    }
}

impl<'a> IntoIterator for &'a Few {
    type Item = &'a u32;
    type IntoIter = std::slice::Iter<'a, u32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Few {
    fn eq(&self, other: &Few) -> bool {
        **self == **other
    }
}

impl Eq for Few {}

impl Hash for Few {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialOrd for Few {
    fn partial_cmp(&self, other: &Few) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Few {
    fn cmp(&self, other: &Few) -> Ordering {
        (**self).cmp(other)
    }
}

impl Serialize for Few {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Few {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Few, D::Error> {
        Vec::deserialize(deserializer).map(Few::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_are_as_a_slice_of_them(one in prop::collection::vec(0_u32..3, 0..4), other in prop::collection::vec(0_u32..3, 0..4)) {
            let few = [Few::from(one.clone()), other.iter().copied().collect()];
            prop_assert_eq!([&*few[0], &*few[1]], [&*one, &*other]);
            prop_assert_eq!(few[0].cmp(&few[1]), one.cmp(&other));
            let written = serde_json::to_string(&few[0]).unwrap();
            prop_assert_eq!(&written, &serde_json::to_string(&one).unwrap());
            prop_assert_eq!(&serde_json::from_str::<Few>(&written).unwrap(), &few[0]);
        }
    }

    #[test]
    fn they_take_little_room() {
        assert_eq!(size_of::<Few>(), 16);
    }
}
