//! Sets of telephone numbers that tell sources apart.
//!
//! Numbers cost money, so a source cannot have one for each canary. It gets a set of its own, and each
//! number of the set goes to several canaries, so that it survives the leak of a part. While numbers
//! last, no other source has them. When they are scarce, two sources may share some, but no source's
//! set lies within another's: then calls to the numbers of one leak fit one source only.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::evenly::Evenly;

/// A number in the pool, as this choice sees it.
#[derive(Clone, Debug)]
pub(super) struct Number {
    /// Registry number of the contact point.
    pub id: i64,
    /// Canaries of this source that have it.
    pub own: u32,
    /// Canaries of one source that may have it.
    pub cap: u32,
    /// Other sources that have it, by their place in a list.
    pub others: BTreeSet<usize>,
    /// The block that it stands in.
    pub block: usize,
}

/// What a number of ten thousand begins with, of a number in E.164: one exchange's, or one that a carrier was given.
pub(super) fn block(number: &str) -> &str {
    let end = number.len().saturating_sub(4);
    number.get(..end).unwrap_or(number)
}

/// A leak of a few canaries shows at most a few numbers; with fewer than these in its set, a source
/// would often show none.
pub(super) const SET_AT_LEAST: usize = 3;
/// How often the choice is tried anew when a set turns out to lie within another's.
const TRIES: usize = 400;

/// Chooses the set of a source that has so many further canaries to serve: indexes into `numbers`.
/// Numbers that the source has already stay in its set; of others that serve as well those go first that
/// are `near` one of the households. The error is how many numbers are missing.
///
/// So many canaries as customers would have `unshared` numbers. They get as many if the pool has them for no
/// other source, and then still some for the next; else they make do with few.
pub(super) fn choose_set<R: Rng + ?Sized>(
    numbers: &[Number],
    canaries: u32,
    unshared: usize,
    near: impl Fn(usize) -> bool,
    rng: &mut R,
) -> Result<Vec<usize>, usize> {
    let own: BTreeSet<usize> = (0..numbers.len())
        .filter(|at| numbers[*at].own > 0)
        .collect();
    let given: u32 = numbers.iter().map(|number| number.own).sum();
    let total = u64::from(given) + u64::from(canaries);
    let room = |set: &BTreeSet<usize>| -> u64 {
        set.iter()
            .map(|at| u64::from(numbers[*at].cap.max(numbers[*at].own)))
            .sum()
    };
    let all: BTreeSet<usize> = (0..numbers.len()).collect();
    if room(&all) < total {
        let cap = numbers
            .iter()
            .map(|number| u64::from(number.cap))
            .max()
            .unwrap_or(20)
            .max(1);
        return Err(usize::try_from((total - room(&all)).div_ceil(cap)).unwrap_or(usize::MAX));
    }
    // Half of the pool at the most, if that carries the canaries: most different sets are of that size.
    let served = usize::try_from(total).unwrap_or(usize::MAX);
    let least = SET_AT_LEAST.min(numbers.len() / 2).min(served).max(1);
    let exclusive = numbers.iter().filter(|number| number.others.is_empty());
    let least = match exclusive.count() >= unshared + SET_AT_LEAST {
        true => least.max(unshared),
        false => least,
    };
    let sources: BTreeSet<usize> = numbers
        .iter()
        .flat_map(|number| &number.others)
        .copied()
        .collect();
    let others: Vec<BTreeSet<usize>> = sources
        .iter()
        .map(|source| {
            (0..numbers.len())
                .filter(|at| numbers[*at].others.contains(source))
                .collect()
        })
        .collect();
    // What it shares already it keeps.
    let own_shared: usize = (others.iter())
        .map(|other| own.intersection(other).count())
        .sum();
    let mut best: Option<(usize, usize, BTreeSet<usize>)> = None;
    for attempt in 0..TRIES {
        let mut set = own.clone();
        // Should sets of the least size all lie within others, larger ones may not.
        let size = least + attempt * (numbers.len() - least) / TRIES;
        fill(&mut set, numbers, size, total, &near, rng);
        while set.len() < size || room(&set) < total {
            let Some(next) = next_number(numbers, &others, &set, &near, rng) else {
                break;
            };
            set.insert(next);
        }
        let distinct = others
            .iter()
            .all(|other| !set.is_subset(other) && !other.is_subset(&set));
        if !distinct || set.is_empty() {
            continue;
        }
        let shared = |other: &BTreeSet<usize>| set.intersection(other).count();
        let (most, sum) = (
            others.iter().map(shared).max().unwrap_or(0),
            others.iter().map(shared).sum(),
        );
        if best.as_ref().is_none_or(|(m, s, _)| (most, sum) < (*m, *s)) {
            best = Some((most, sum, set));
        }
        if sum == own_shared {
            break;
        }
    }
    best.map(|(_, _, set)| set.into_iter().collect()).ok_or(1)
}

/// Adds numbers that no other source has, those first that are near a household, and of these from each block as many
/// as from any other, until there are so many and they have room for so many canaries.
fn fill<R: Rng + ?Sized>(
    set: &mut BTreeSet<usize>,
    numbers: &[Number],
    size: usize,
    canaries: u64,
    near: &impl Fn(usize) -> bool,
    rng: &mut R,
) {
    let room = |at: usize| u64::from(numbers[at].cap.max(numbers[at].own));
    let mut all: u64 = set.iter().map(|at| room(*at)).sum();
    let free = |at: &usize| numbers[*at].others.is_empty() && !set.contains(at);
    let mut open: Vec<usize> = (0..numbers.len()).filter(free).collect();
    open.shuffle(rng);
    let mut in_block: HashMap<usize, usize> = HashMap::new();
    for at in set.iter() {
        *in_block.entry(numbers[*at].block).or_default() += 1;
    }
    let mut ranked: Vec<(bool, usize, usize)> = open
        .into_iter()
        .map(|at| {
            let before = in_block.entry(numbers[at].block).or_default();
            *before += 1;
            (!near(at), *before, at)
        })
        .collect();
    ranked.sort_by_key(|(far, before, _)| (*far, *before));
    for (_, _, at) in ranked {
        if set.len() >= size && all >= canaries {
            break;
        }
        all += room(at);
        set.insert(at);
    }
}

/// The number that adds least to the overlap with other sources; among equals, one near a household.
fn next_number<R: Rng + ?Sized>(
    numbers: &[Number],
    others: &[BTreeSet<usize>],
    set: &BTreeSet<usize>,
    near: &impl Fn(usize) -> bool,
    rng: &mut R,
) -> Option<usize> {
    let shared: Vec<usize> = others
        .iter()
        .map(|other| set.intersection(other).count())
        .collect();
    let cost = |at: usize| {
        let holders = others
            .iter()
            .zip(&shared)
            .filter(|(other, _)| other.contains(&at));
        let (most, count) = holders.fold((0, 0), |(most, count), (_, shared)| {
            (most.max(shared + 1), count + 1)
        });
        (most, count)
    };
    let mut open: Vec<usize> = (0..numbers.len()).filter(|at| !set.contains(at)).collect();
    open.shuffle(rng);
    open.into_iter().min_by_key(|at| (cost(*at), !near(*at)))
}

/// Gives the numbers of a set to canaries, one for each of the `wishes`, each number to as many as any other: indexes
/// into `numbers`. Of those it can have a canary gets the one it wishes, else one that fits it best: of the
/// least `misfit(canary, number)`.
pub(super) fn deal<R: Rng + ?Sized>(
    numbers: &[Number],
    set: &[usize],
    wishes: &[Option<usize>],
    misfit: impl Fn(usize, usize) -> u32,
    rng: &mut R,
) -> Vec<usize> {
    let mut evenly = Evenly::default();
    for at in set {
        if numbers[*at].own < numbers[*at].cap {
            evenly.add(numbers[*at].own, *at);
        }
    }
    let wished: HashSet<usize> = wishes.iter().flatten().copied().collect();
    let mut dealt = Vec::with_capacity(wishes.len());
    // Numbers that fewest have, and where each of them stands.
    let (mut load, mut least) = (0, Vec::new());
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (canary, wish) in wishes.iter().enumerate() {
        if least.is_empty() {
            let Some(next) = evenly.take_all() else { break };
            (load, least) = next;
            places = least.iter().copied().zip(0..).collect();
        }
        let place = match wish.as_ref().and_then(|wish| places.get(wish)) {
            Some(place) => *place,
            None => {
                // What another wishes is left to it, where anything else fits as well.
                let off = |at: &usize| (misfit(canary, *at), wished.contains(at));
                let mut best = (u32::MAX, true);
                let mut fitting: Vec<usize> = Vec::new();
                for (place, at) in least.iter().enumerate() {
                    let off = off(at);
                    if off < best {
                        best = off;
                        fitting.clear();
                    }
                    if off == best {
                        fitting.push(place);
                    }
                }
                // A random one, so that the order of the rows shows no pattern.
                fitting[rng.random_range(0..fitting.len())]
            }
        };
        let at = least.swap_remove(place);
        places.remove(&at);
        if let Some(moved) = least.get(place) {
            places.insert(*moved, place);
        }
        if load + 1 < numbers[at].cap {
            evenly.add(load + 1, at);
        }
        dealt.push(at);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    /// Sets for one source after the other, as the registry would remember them.
    fn sources(
        pool: usize,
        cap: u32,
        sources: usize,
        canaries: u32,
        seed: u64,
    ) -> Vec<Result<BTreeSet<usize>, usize>> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut holders: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); pool];
        let mut sets = Vec::new();
        for source in 0..sources {
            let numbers: Vec<Number> = holders
                .iter()
                .enumerate()
                .map(|(at, others)| Number {
                    id: at as i64,
                    own: 0,
                    cap,
                    block: 0,
                    others: others.clone(),
                })
                .collect();
            let chosen = choose_set(&numbers, canaries, 0, |_| true, &mut rng);
            if let Ok(set) = &chosen {
                let dealt = deal(
                    &numbers,
                    set,
                    &vec![None; canaries as usize],
                    |_, _| 0,
                    &mut rng,
                );
                assert_eq!(dealt.len(), canaries as usize);
                for at in dealt {
                    holders[at].insert(source);
                }
            }
            sets.push(chosen.map(|set| set.into_iter().collect()));
        }
        sets
    }

    #[test]
    fn while_numbers_last_they_are_exclusive() {
        let sets: Vec<_> = sources(12, 20, 4, 60, 1)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        for (place, set) in sets.iter().enumerate() {
            assert_eq!(set.len(), 3);
            assert!(sets[..place].iter().all(|other| other.is_disjoint(set)));
        }
    }

    #[test]
    fn canaries_share_numbers_as_customers_do_while_the_pool_has_them() {
        let mut rng = StdRng::seed_from_u64(7);
        let number = |id| Number {
            id,
            own: 0,
            cap: 20,
            block: 0,
            others: BTreeSet::new(),
        };
        let numbers: Vec<Number> = (0..60).map(number).collect();
        let mut set = |unshared| {
            let set = choose_set(&numbers, 50, unshared, |_| true, &mut rng);
            set.unwrap().len()
        };
        assert_eq!(set(48), 48);
        // Some stay for the next source; where that cannot be, few are given.
        assert_eq!(set(57), 57);
        assert_eq!(set(58), 3);
    }

    #[test]
    fn four_numbers_tell_six_sources_apart_and_no_seventh() {
        for seed in 0..20 {
            let sets = sources(4, 20, 7, 30, seed);
            assert_eq!(sets.iter().filter(|set| set.is_ok()).count(), 6, "{sets:?}");
            assert_eq!(sets[6], Err(1));
        }
    }

    #[test]
    fn too_few_numbers_are_counted() {
        assert_eq!(sources(2, 20, 1, 100, 1), [Err(3)]);
        assert_eq!(sources(0, 20, 1, 100, 1), [Err(5)]);
    }

    #[test]
    fn a_source_that_grows_keeps_its_numbers_and_spreads_the_load() {
        let mut rng = StdRng::seed_from_u64(3);
        let number = |id, own| Number {
            id,
            own,
            cap: 20,
            block: 0,
            others: BTreeSet::new(),
        };
        let numbers = [number(1, 20), number(2, 10), number(3, 0), number(4, 0)];
        let set = choose_set(&numbers, 40, 0, |_| true, &mut rng).unwrap();
        assert!(
            set.contains(&0) && set.contains(&1) && set.len() == 4,
            "{set:?}"
        );
        let dealt = deal(&numbers, &set, &[None; 40], |_, _| 0, &mut rng);
        let count = |at| dealt.iter().filter(|dealt| **dealt == at).count();
        assert_eq!(count(0), 0);
        for load in [10 + count(1), count(2), count(3)] {
            assert!((16..=17).contains(&load), "{dealt:?}");
        }
    }

    #[test]
    fn a_canary_gets_the_number_it_wishes() {
        let mut rng = StdRng::seed_from_u64(3);
        let number = |id| Number {
            id,
            own: 0,
            cap: 20,
            block: 0,
            others: BTreeSet::new(),
        };
        let numbers: Vec<Number> = (0..9).map(number).collect();
        let set: Vec<usize> = (0..9).collect();
        let wishes: Vec<Option<usize>> = (0..9).map(|at| (at % 3 > 0).then_some(8 - at)).collect();
        let dealt = deal(&numbers, &set, &wishes, |_, _| 0, &mut rng);
        for (wish, dealt) in wishes.iter().zip(&dealt) {
            assert!(
                wish.is_none_or(|wish| wish == *dealt),
                "{wishes:?} {dealt:?}"
            );
        }
    }

    #[test]
    fn no_block_of_numbers_is_used_more_than_another() {
        let mut rng = StdRng::seed_from_u64(1);
        // Ninety in one block, and five in each of two.
        let number = |id: i64| Number {
            id,
            own: 0,
            cap: 1,
            block: usize::try_from((id - 85).max(0) / 5).unwrap(),
            others: BTreeSet::new(),
        };
        let numbers: Vec<Number> = (0..100).map(number).collect();
        let set = choose_set(&numbers, 12, 12, |_| false, &mut rng).unwrap();
        let mut held = [0; 3];
        for at in &set {
            held[numbers[*at].block] += 1;
        }
        assert_eq!((set.len(), held), (12, [4, 4, 4]));
        assert_eq!(block("+81601234567"), "+8160123");
    }

    proptest! {
        #[test]
        fn no_set_lies_within_another(pool in 1usize..12, count in 1usize..8, canaries in 1u32..60, seed: u64) {
            let sets: Vec<BTreeSet<usize>> = sources(pool, 20, count, canaries, seed).into_iter().flatten().collect();
            for (place, one) in sets.iter().enumerate() {
                for other in &sets[..place] {
                    // A set that few canaries could not fill counts by what they were given.
                    if canaries as usize >= pool {
                        prop_assert!(!one.is_subset(other) && !other.is_subset(one), "{:?}", sets);
                    }
                }
            }
        }
    }
}
