//! Sources of which a list shows nothing, and how large a leak of them would have shown.

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

/// What a silent list says about a source: n canaries that stand and would have shown are all missing
/// from a share s with probability (1 - s)^n.
pub fn cleared(
    watch: &Watch,
    source: usize,
    units: &[SourceUnit],
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
    let below = |live: usize| 1.0 - (1.0 - settings.level).powf(1.0 / live as f64);
    let share_below = below(standing.len());
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
            share_below: below(live),
        });
    Some(Cleared {
        source,
        live: standing.len(),
        share_below,
        rows_below: share_below * latest.rows_at as f64,
        since: latest.from,
        slices: slices.collect(),
    })
}
