//! Things that are given out evenly: always one of those that were given least often, a random one of several.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

/// What may still be given, by how often it was.
#[derive(Default)]
pub(super) struct Evenly(BTreeMap<u32, Vec<usize>>);

impl Evenly {
    /// One that was given so often.
    pub(super) fn add(&mut self, given: u32, one: usize) {
        self.0.entry(given).or_default().push(one);
    }

    /// How often those were given that were given least, and how many there are.
    pub(super) fn least(&self) -> Option<(u32, usize)> {
        let (given, all) = self.0.first_key_value()?;
        Some((*given, all.len()))
    }

    /// Takes a random one of those: whoever may be given again has to be added again.
    pub(super) fn take<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<usize> {
        let mut least = self.0.first_entry()?;
        let all = least.get_mut();
        let one = all.swap_remove(rng.random_range(0..all.len()));
        if all.is_empty() {
            least.remove();
        }
        Some(one)
    }

    /// Takes all of them, with how often they were given.
    pub(super) fn take_all(&mut self) -> Option<(u32, Vec<usize>)> {
        self.0.pop_first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn each_is_given_as_often_as_any_other_and_in_no_order() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let mut evenly = Evenly::default();
        let mut given = [0u32, 2, 0, 1];
        for (one, given) in given.iter().enumerate() {
            evenly.add(*given, one);
        }
        let mut order = Vec::new();
        for _ in 0..13 {
            let least = evenly.least().map(|(given, _)| given);
            let one = evenly.take(&mut rng).unwrap();
            assert_eq!(least, given.iter().min().copied());
            assert_eq!(least, Some(given[one]));
            given[one] += 1;
            evenly.add(given[one], one);
            order.push(one);
        }
        assert_eq!(given, [4; 4]);
        assert_ne!(order[5..9], order[9..13]);
        assert_eq!(Evenly::default().take(&mut rng), None);
    }
}
