//! From what was found to a verdict with a number.
//!
//! | step | where |
//! | --- | --- |
//! | how often a stranger's row agrees by chance | [`rarity`] |
//! | which canaries this list's columns can show, and which of them were found | [`units`] |
//! | whether a row repeats the very spelling that was planted | [`spelling`] |
//! | each source against 'nothing of it is in the list' | [`weigh`] |
//! | share, with its interval | [`share`] |
//! | when it was taken | [`window`] |
//! | how many rows, and what the list is made of | [`rows`] |
//! | which slice of the source | [`slice`] |
//! | all of it about one source | [`finding`], [`cleared`] |
//! | which sources explain what several share | [`shared`], [`pool`] |
//!
//! A source is named where its likelihood ratio reaches the number of sources divided by the
//! accepted probability of a false accusation (Bonferroni), and where it has more to show than one
//! contact point: two canaries, or one that two independent marks identify. The words for a ratio
//! are those of the ENFSI guideline for evaluative reporting in forensic science (2015).
//!
//! What the model leaves out, all of it in favour of the sources: canaries whose row was spoilt beyond
//! two marks count as missing, so that the share is a little too low; a list that was made by
//! somebody who knows the canaries and wants to accuse is not considered at all. No statistics can
//! tell such a list: keep the registry's key.

mod cleared;
mod finding;
mod pool;
mod rarity;
mod rows;
mod share;
mod shared;
mod slice;
mod spelling;
mod units;
mod weigh;
mod window;

#[cfg(test)]
mod calibration;
#[cfg(test)]
mod cleared_tests;
#[cfg(test)]
mod shared_tests;

use time::OffsetDateTime;

use super::mark::Marks;
use super::near::Hows;
use super::normalise::Class;
use super::scan::Tally;
use super::watch::Watch;
pub use crate::weigh::support;
use cleared::cleared;
pub use cleared::{Cleared, ClearedSlice};
pub use finding::SourceFinding;
use finding::{Seen, copies, spans};
use pool::pool;
use rarity::Rarity;
pub use rows::{Composition, Origin};
use rows::{Contribution, RowsKnown, composition};
pub use share::Interval;
pub use shared::OneOf;
pub use slice::{Condition, Slice};
use units::{SourceUnit, Units, units};
use window::gaps;

/// No verdict is surer than this. Below, what the model leaves out weighs more than what it computes: a
/// mistake in the registry, a list made by somebody who knows the canaries, an error in this program.
const SUREST: f64 = 1e-12;

/// A canary of a source that is not named is shown where any canary at all is met by chance in one list
/// of so many.
const MET: f64 = 0.01;

/// How sure a verdict has to be.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// At most this probability that any innocent source is named.
    pub false_accusation: f64,
    /// Probability that intervals are to hold.
    pub level: f64,
    /// Today: a leak is no later.
    pub now: OffsetDateTime,
}

impl Settings {
    /// One false accusation in a million lists, intervals of 95%.
    pub fn new(now: OffsetDateTime) -> Settings {
        Settings {
            false_accusation: 1e-6,
            level: 0.95,
            now,
        }
    }
}

/// What a list comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At least one source is named.
    Attributed,
    /// Something was found, but not enough; or the list could not have shown anything.
    Inconclusive,
    /// Nothing was found, and some source would have shown.
    NoCanary,
}

impl Verdict {
    /// The verdict's name in JSON and in the evidence log.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Attributed => "attributed",
            Verdict::Inconclusive => "inconclusive",
            Verdict::NoCanary => "no_canary",
        }
    }
}

/// A canary in the list.
#[derive(Clone, Debug)]
pub struct FoundCanary {
    /// Indices into the watch: one, or several that the row cannot tell apart.
    pub canaries: Vec<u32>,
    /// The part of the list in which it stands first.
    pub part: usize,
    /// The first row that shows it best.
    pub row: u64,
    /// Rows that show it: a list may hold it several times.
    pub rows: u64,
    /// Marks that agree exactly.
    pub marks: Marks,
    /// Marks that agree nearly, and how.
    pub near: Hows,
    /// Those that are spelt as they were planted.
    pub as_planted: Marks,
    /// log10 of the chance that one row agrees like this.
    pub log10_rmp: f64,
    /// The first and the last version of the canary that the row may be of, where it is not of all.
    pub versions: Option<(u32, u32)>,
}

/// What was decided about a list.
#[derive(Clone, Debug)]
pub struct Decision {
    pub verdict: Verdict,
    /// Sources of which something was found, strongest first.
    pub sources: Vec<SourceFinding>,
    pub cleared: Vec<Cleared>,
    /// Sources that this list can neither accuse nor clear.
    pub mute: Vec<usize>,
    /// By source, then by row.
    pub canaries: Vec<FoundCanary>,
    /// Rows that fit canaries of several kinds and speak for none.
    pub ambiguous_rows: u64,
    /// Marks that the list's columns can show.
    pub columns: Marks,
    /// Rows of the list that have a value of each class.
    pub filled: [u64; Class::ALL.len()],
    /// What the list is made of, where a source is named.
    pub composition: Option<Composition>,
    /// Sources that contact points which several share speak for, where no single one is named: at
    /// least one of each set leaked.
    pub one_of: Vec<OneOf>,
    /// Contact points found that canaries of several sources hold and the list cannot tell apart.
    pub shared_found: usize,
    /// log10 of the likelihood ratio that names a source: as many as were looked at, over the accepted
    /// probability of a false accusation.
    pub threshold: f64,
    pub false_accusation_probability: f64,
}

/// Decides about a list. `has_children`: the list has columns of children beside those of customers.
pub(super) fn decide(
    watch: &Watch,
    tally: &Tally,
    has_children: bool,
    settings: &Settings,
) -> Decision {
    let rarity = Rarity::new(watch, tally);
    let Units {
        by_source,
        shared,
        columns,
        ambiguous_rows,
        touched,
    } = units(&rarity, has_children);
    let mut decision = Decision {
        verdict: Verdict::Inconclusive,
        sources: Vec::new(),
        cleared: Vec::new(),
        mute: Vec::new(),
        canaries: Vec::new(),
        ambiguous_rows,
        columns,
        filled: tally.filled,
        composition: None,
        one_of: Vec::new(),
        shared_found: 0,
        threshold: threshold(watch, settings),
        false_accusation_probability: settings.false_accusation,
    };
    let times = |source: usize| {
        let spans = spans(watch, source);
        let gaps = gaps(&spans, settings.now);
        (spans, gaps)
    };
    let pool = pool(watch, &by_source, &shared, &times, settings);
    if let Some(pool) = &pool {
        decision.one_of.clone_from(&pool.decoded.one_of);
        decision.shared_found = pool.found;
    }
    // Of very many canaries some are met by chance in a long list, each of them seldom. Of a source that
    // is not named, only what is beyond that is shown.
    let all = (watch.len().max(1) as f64).log10();
    let beyond_chance = |unit: &SourceUnit| {
        let row = unit.row.as_ref();
        row.is_some_and(|row| rarity.log10_in_list(row.log10_rmp) + all <= MET.log10())
    };
    let mut contributions: Vec<(usize, RowsKnown, Vec<u64>)> = Vec::new();
    for (source, mut units) in by_source.into_iter().enumerate() {
        let spans = spans(watch, source);
        let own = units.len();
        if let Some(pool) = &pool {
            units.extend(pool.explained(watch, &shared, source));
        }
        let found = units.iter().any(|unit| unit.unit.found.is_some());
        let seen = Seen {
            watch,
            tally,
            source,
            spans,
            settings,
            columns,
            pool: pool.as_ref(),
        };
        let finding = found.then(|| seen.finding(&mut units, own, &beyond_chance));
        let finding = finding.filter(|(finding, _)| {
            let chance = !finding.named && finding.log10_lr <= 0.0;
            !chance || units.iter().any(beyond_chance)
        });
        let Some((finding, known)) = finding else {
            let cleared = cleared(&rarity, columns, source, &units, settings)
                .filter(|_| !touched.contains(&source));
            match cleared {
                Some(cleared) => decision.cleared.push(cleared),
                None => decision.mute.push(source),
            }
            continue;
        };
        if finding.named {
            contributions.push((source, known, copies(&units)));
        }
        units.retain(|unit| finding.named || beyond_chance(unit));
        decision.sources.push(finding);
        decision.canaries.extend(
            units
                .into_iter()
                .filter_map(|unit| unit.row.map(|row| *row)),
        );
    }
    let contributions: Vec<Contribution<'_>> = contributions
        .iter()
        .map(|(source, known, copies)| Contribution {
            source: *source,
            known,
            copies: copies.clone(),
        })
        .collect();
    if !contributions.is_empty() {
        decision.composition = Some(composition(tally.rows, &contributions, settings.level));
    }
    decision.sources.sort_by(|one, other| {
        (other.named, other.log10_lr)
            .partial_cmp(&(one.named, one.log10_lr))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let named = decision.sources.iter().filter(|source| source.named);
    if let Some(weakest) = named.map(|source| source.log10_lr).reduce(f64::min) {
        decision.verdict = Verdict::Attributed;
        let bound = 10_f64.powf((watch.sources.len() as f64).log10() - weakest);
        decision.false_accusation_probability = bound.clamp(SUREST, 1.0);
    } else if decision.sources.is_empty()
        && ambiguous_rows == 0
        && decision.shared_found == 0
        && !decision.cleared.is_empty()
    {
        decision.verdict = Verdict::NoCanary;
    }
    decision
}

impl Decision {
    /// What was not read may hold anything: it clears nobody.
    pub(super) fn of_a_part(&mut self) {
        let cleared = self.cleared.drain(..);
        self.mute.extend(cleared.map(|cleared| cleared.source));
        self.mute.sort_unstable();
        if self.verdict == Verdict::NoCanary {
            self.verdict = Verdict::Inconclusive;
        }
    }
}

/// log10 of the ratio that names a source.
fn threshold(watch: &Watch, settings: &Settings) -> f64 {
    (watch.sources.len().max(1) as f64 / settings.false_accusation).log10()
}
