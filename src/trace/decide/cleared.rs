//! Sources of which a list shows nothing, and how large a leak of them would have shown.
//!
//! A list whose columns are half empty shows but half of the canaries in it, and one that is shorter than the leak
//! that would have shown may be of the source from its first row to its last: it clears nobody.
//!
//! Of a slice the rows of that slice tell: where the numbers of one prefecture have been cut off, the others' numbers
//! say nothing about it. There are fewer of them, so that their columns count as filled no further than they surely
//! are, and a part of the accepted error goes to that. A list that does not tell the slice (addresses without their
//! prefecture, no column of sexes) speaks for it as it does for the whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use time::OffsetDateTime;

use super::super::mark::Marks;
use super::super::normalise::Class;
use super::super::traits::Attribute;
use super::Settings;
use super::rarity::Rarity;
use super::units::{SourceUnit, showing};

/// The part of a slice's error that goes to how full its columns are.
const FILL: f64 = 0.2;

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
    rarity: &Rarity<'_>,
    columns: Marks,
    source: usize,
    units: &[SourceUnit],
    settings: &Settings,
) -> Option<Cleared> {
    let watch = rarity.watch;
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
    let (mut all, mut shows) = (0.0_f64, 0.0);
    for unit in missing.clone() {
        let members = unit.unit.batches.iter().filter(stands).count() as f64;
        all += members;
        shows += members * unit.shows;
    }
    let error = 1.0 - settings.level;
    let share_below = (1.0 - error.powf(1.0 / all)) / (shows / all);
    let rows_below = share_below * latest.rows_at as f64;
    if share_below >= 1.0 || rows_below >= rarity.tally.rows as f64 {
        return None;
    }
    // Canaries of a slice, and how many of them the list would have shown.
    let mut live: BTreeMap<(Attribute, u16), (usize, f64)> = BTreeMap::new();
    let mut showing = Showing::new(rarity, columns, error * FILL);
    for unit in missing {
        for member in &unit.members {
            let canary = &watch.canaries[*member as usize];
            if !batches.contains(&canary.batch) {
                continue;
            }
            for attribute in [Attribute::Region, Attribute::Sex] {
                for value in canary.traits.values(attribute) {
                    let (live, shown) = live.entry((attribute, value)).or_default();
                    *live += 1;
                    *shown += showing.of(*member, unit.shows, attribute, value);
                }
            }
        }
    }
    let slices = live.into_iter().map(|((attribute, value), (live, shown))| {
        let all = live as f64;
        let missed = 1.0 - (error * (1.0 - FILL)).powf(1.0 / all);
        ClearedSlice {
            attribute,
            value,
            live,
            // What shows nothing at all divides by nothing.
            share_below: (missed * all / shown.max(f64::MIN_POSITIVE)).min(1.0),
        }
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

/// How probable it is that the list would show a canary of a slice that is in it.
struct Showing<'a> {
    rarity: &'a Rarity<'a>,
    columns: Marks,
    /// With this probability a slice's columns are less filled than is said.
    error: f64,
    /// What is known already. Canaries that bear the same marks, and that the whole list shows alike, are shown alike
    /// by one slice.
    known: HashMap<(Attribute, u16, Marks, u64), f64>,
}

impl<'a> Showing<'a> {
    fn new(rarity: &'a Rarity<'a>, columns: Marks, error: f64) -> Showing<'a> {
        Showing {
            rarity,
            columns,
            error,
            known: HashMap::new(),
        }
    }

    /// `whole` is how probable the whole list shows it.
    fn of(&mut self, canary: u32, whole: f64, attribute: Attribute, value: u16) -> f64 {
        let strata = &self.rarity.tally.strata;
        let stratum = strata.of(attribute, value);
        // Where most rows tell of which slice they are, and none is of this one, nothing is known of it.
        if stratum.is_empty() && (strata.told(attribute) as f64) < self.rarity.looked / 2.0 {
            return whole;
        }
        let watch = self.rarity.watch;
        let borne = watch.marks_of(&watch.canaries[canary as usize]);
        let key = (attribute, value, borne, whole.to_bits());
        *self.known.entry(key).or_insert_with(|| {
            let error = self.error / Class::ALL.len() as f64;
            let filled = |class| stratum.filled_at_least(class, error);
            showing(self.rarity, canary, self.columns, &filled).min(whole)
        })
    }
}
