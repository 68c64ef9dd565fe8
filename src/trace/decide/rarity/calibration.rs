//! Random match probabilities against the chance agreements of tables that never saw a canary.

use std::collections::{BTreeMap, HashSet};

use super::super::super::mark::{Agreed, Marks};
use super::super::super::near::ground::{People, Row, list, watch};
use super::super::super::read::List;
use super::super::super::scan::{Tally, scan};
use super::super::super::watch::Watch;
use super::Rarity;
use crate::persona::Shape;

fn tally(watch: &Watch, rows: &[Row]) -> Tally {
    let text = list(rows);
    let mut progress = |_| {};
    let list = List::open(text.as_bytes(), &mut progress);
    scan(watch, list, 2).unwrap().tally
}

/// Rows that agree by chance, and how many would by what is said, per combination of marks.
fn chance(shape: Shape, rows: usize, canaries: usize) -> BTreeMap<Agreed, (u64, f64)> {
    let mut people = People::new(3, shape);
    let (batches, canaries) = people.canaries(canaries, 2);
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..rows).map(|_| people.stranger()).collect();
    let tally = tally(&watch, &strangers);
    let rarity = Rarity::new(&watch, &tally);
    let mut found: BTreeMap<Agreed, (u64, f64)> = BTreeMap::new();
    for (claim, seen) in &tally.claims {
        found.entry(claim.agreed()).or_default().0 += seen.rows;
    }
    for (agreed, (_, expected)) in &mut found {
        for canary in &watch.canaries {
            if agreed.all().without(watch.marks_of(canary)) == Marks::default() {
                let rmp = rarity.log10_rmp(canary, *agreed, &HashSet::new());
                *expected += 10_f64.powf(rmp) * rows as f64;
            }
        }
    }
    found
}

/// No combination is met more often by chance than is said, neither of exact marks nor with near ones:
/// among adults, and among children of ten school years, who share their birthdays with many more.
#[test]
fn no_combination_is_met_more_often_than_is_said() {
    for shape in [Shape::adults(20..=80), Shape::families(6..=15)] {
        let found = chance(shape, 100_000, 4_000);
        let (mut exact, mut near) = (0, 0);
        for (agreed, (rows, expected)) in found {
            println!("{agreed:?}: {rows} of {expected:.1}");
            assert!(
                rows as f64 <= expected + 3.0 * expected.sqrt() + 2.0,
                "{agreed:?}: {rows} rows by chance, {expected:.2} said"
            );
            *(if agreed.near == Marks::default() {
                &mut exact
            } else {
                &mut near
            }) += rows;
        }
        // A check of nothing would hold as well.
        assert!(near > 20, "{exact} {near}");
    }
}
