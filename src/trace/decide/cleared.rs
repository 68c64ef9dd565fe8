//! Sources of which a list shows nothing, and how large a leak of them would have shown.
//!
//! A list whose columns are half empty shows but half of the canaries in it, and one that is shorter than the leak
//! that would have shown may be of the source from its first row to its last: it clears nobody.

use std::collections::{BTreeMap, HashSet};

use time::OffsetDateTime;

use super::super::traits::Attribute;
use super::super::watch::Watch;
use super::Settings;
use super::units::SourceUnit;

/// A source of which nothing was found although it would have shown.
#[derive(Clone, Debug)]
pub struct Cleared {
    /// Index into the watch's sources.
    pub source: usize,
    /// Canaries that stand now and that the list would have shown.
    pub live: usize,
    /// A larger share would have shown with the level's probability.
    pub share_below: f64,
    /// The same in rows.
    pub rows_below: f64,
    /// Since when these canaries stand: the sentence holds for leaks after that.
    pub since: OffsetDateTime,
    /// The same for leaks of one region, or one sex, alone: they take fewer of the canaries along.
    pub slices: Vec<ClearedSlice>,
}

/// How large a leak of one slice of a cleared source would have shown.
#[derive(Clone, Debug)]
pub struct ClearedSlice {
    pub attribute: Attribute,
    pub value: u16,
    /// Canaries that stand in it.
    pub live: usize,
    /// A larger share of the slice would have shown with the level's probability.
    pub share_below: f64,
}

/// What a silent list says about a source: n canaries that stand and of which each would have shown with
/// probability f, on the average, are all missing from a share s with probability (1 - s f)^n at the most.
pub fn cleared(
    watch: &Watch,
    source: usize,
    units: &[SourceUnit],
    list_rows: u64,
    settings: &Settings,
) -> Option<Cleared> {
    let stands = |batch: &&u32| {
        let standing = &watch.batches[**batch as usize];
        standing.certain && standing.until.is_none_or(|until| until > settings.now)
    };
    // What chance may explain was not found, but is not missing either.
    let missing = units.iter().filter(|unit| unit.unit.found.is_none());
    let standing: Vec<u32> = missing
        .clone()
        .flat_map(|unit| unit.unit.batches.iter().filter(stands).copied())
        .collect();
    let batches: HashSet<u32> = standing.iter().copied().collect();
    let latest = batches
        .iter()
        .map(|batch| &watch.batches[*batch as usize])
        .max_by_key(|b| b.from)?;
    let (mut all, mut shows) = (0.0, 0.0);
    for unit in missing.clone() {
        let members = unit.unit.batches.iter().filter(stands).count() as f64;
        all += members;
        shows += members * unit.shows;
    }
    let shows = shows / all;
    let below = |live: usize| (1.0 - (1.0 - settings.level).powf(1.0 / live as f64)) / shows;
    let share_below = below(standing.len());
    let rows_below = share_below * latest.rows_at as f64;
    if share_below >= 1.0 || rows_below >= list_rows as f64 {
        return None;
    }
    let mut live: BTreeMap<(Attribute, u16), usize> = BTreeMap::new();
    for member in missing.flat_map(|unit| &unit.members) {
        let canary = &watch.canaries[*member as usize];
        if batches.contains(&canary.batch) {
            for attribute in [Attribute::Region, Attribute::Sex] {
                for value in canary.traits.values(attribute) {
                    *live.entry((attribute, value)).or_default() += 1;
                }
            }
        }
    }
    let slices = live
        .into_iter()
        .map(|((attribute, value), live)| ClearedSlice {
            attribute,
            value,
            live,
            share_below: below(live).min(1.0),
        });
    Some(Cleared {
        source,
        live: standing.len(),
        share_below,
        rows_below,
        since: latest.from,
        slices: slices.collect(),
    })
}
