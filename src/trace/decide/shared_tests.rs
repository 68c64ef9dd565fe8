//! The decoder against generated truth: lists of no source, of one, two and three.

use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};

use super::shared::{Item, Time, decode};

const SOURCES: usize = 8;
const NUMBERS: usize = 60;
/// log10 of the ratio that names a source of these at 10^-3.
const NAMES: f64 = 3.0 + 0.9;

/// Each source has a set of numbers, and each number of it goes to several of its canaries.
fn sets(rng: &mut StdRng, size: usize) -> Vec<Vec<usize>> {
    (0..SOURCES)
        .map(|_| {
            let numbers = sample(rng, NUMBERS, size).into_vec();
            let canaries = 40;
            (0..canaries).map(|n| numbers[n % size]).collect()
        })
        .collect()
}

/// A list of phones: what of each number is found when some sources leaked.
fn list(rng: &mut StdRng, sets: &[Vec<usize>], leaks: &[(usize, f64)], chance: f64) -> Vec<Item> {
    let mut items: Vec<Item> = (0..NUMBERS)
        .map(|_| Item {
            holders: Vec::new(),
            found: rng.random_bool(chance),
            log10_by_chance: chance.log10(),
        })
        .collect();
    for (source, numbers) in sets.iter().enumerate() {
        let leak = leaks.iter().find(|(leaked, _)| *leaked == source);
        for number in numbers {
            let item = &mut items[*number];
            item.holders.push((source, source as u32));
            item.found |= leak.is_some_and(|(_, share)| rng.random_bool(*share));
        }
    }
    items.retain(|item| !item.holders.is_empty());
    items
}

fn times() -> Vec<Vec<Time>> {
    (0..SOURCES as u32)
        .map(|source| {
            vec![Time {
                standing: [source].into(),
                prior: 1.0,
            }]
        })
        .collect()
}

fn named(items: &[Item]) -> Vec<usize> {
    let decoded = decode(items, &times(), |_| NAMES);
    let suspects = decoded.suspects.iter();
    let named = suspects.filter(|suspect| suspect.log10_lr >= NAMES);
    let mut named: Vec<usize> = named.map(|suspect| suspect.source).collect();
    named.sort_unstable();
    named
}

#[test]
fn numbers_met_by_chance_name_nobody() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut accused = 0;
    for _ in 0..300 {
        let sets = sets(&mut rng, 10);
        let chance = 10_f64.powf(rng.random_range(-3.0..-1.0));
        accused += usize::from(!named(&list(&mut rng, &sets, &[], chance)).is_empty());
    }
    // One in a thousand at the most.
    assert!(accused <= 2, "{accused}");
}

#[test]
fn a_list_of_phones_of_one_to_three_sources_names_them_and_no_other() {
    let mut rng = StdRng::seed_from_u64(2);
    const LISTS: usize = 40;
    for leaked in 1..=3 {
        let (mut right, mut wrong, mut all) = (0, 0, 0);
        for _ in 0..LISTS {
            let sets = sets(&mut rng, 10);
            let sources = sample(&mut rng, SOURCES, leaked).into_vec();
            let leaks: Vec<(usize, f64)> = (sources.iter())
                .map(|source| (*source, rng.random_range(0.3..1.0)))
                .collect();
            let items = list(&mut rng, &sets, &leaks, 1e-3);
            let named = named(&items);
            let guilty = named.iter().filter(|source| sources.contains(source));
            right += guilty.clone().count();
            wrong += named.len() - guilty.count();
            all += leaked;
        }
        assert_eq!(wrong, 0, "{leaked} sources");
        let wanted = [0.95, 0.8, 0.5][leaked - 1];
        assert!(
            right as f64 >= wanted * all as f64,
            "{leaked} sources: {right} of {all}"
        );
    }
}

#[test]
fn sources_with_the_same_numbers_are_named_together() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut sets = sets(&mut rng, 10);
    sets[1] = sets[0].clone();
    let items = list(&mut rng, &sets, &[(0, 0.9)], 1e-4);
    let decoded = decode(&items, &times(), |_| NAMES);
    assert!(named(&items).is_empty());
    assert_eq!(decoded.one_of.len(), 1, "{decoded:?}");
    assert_eq!(decoded.one_of[0].sources, [0, 1]);
}

#[test]
fn own_numbers_tell_which_of_two_it_was() {
    let mut rng = StdRng::seed_from_u64(4);
    let mut sets = sets(&mut rng, 10);
    sets[1] = sets[0].clone();
    // Numbers that the second alone has, all of them missing.
    sets[1].extend(NUMBERS..NUMBERS + 120);
    let mut items = list(&mut rng, &sets[..1], &[(0, 0.9)], 1e-4);
    for (number, item) in (0..).zip(&mut items) {
        assert!(number < NUMBERS);
        item.holders
            .extend(item.holders.clone().iter().map(|_| (1, 1)));
    }
    items.extend((0..120).map(|_| Item {
        holders: vec![(1, 1)],
        found: false,
        log10_by_chance: 0.0,
    }));
    assert_eq!(named(&items), [0]);
}
