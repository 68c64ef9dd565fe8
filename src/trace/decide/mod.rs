//! From what was found to a verdict with a number.
//!
//! | step | where |
//! | --- | --- |
//! | how often a stranger's row agrees by chance | [`rarity`] |
//! | which canaries this list's columns can show, and which of them were found | [`units`] |
//! | each source against 'nothing of it is in the list' | [`weigh`] |
//! | share, with its interval | [`share`] |
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

mod rarity;
mod share;
mod units;
mod weigh;

#[cfg(test)]
mod calibration;

use std::collections::HashSet;

use time::OffsetDateTime;

use super::mark::Marks;
use super::scan::Tally;
use super::watch::Watch;
use rarity::Rarity;
pub use share::Interval;
use units::{Units, units};
use weigh::{Span, gaps, weigh};

/// No verdict is surer than this. Below, what the model leaves out weighs more than what it computes: a
/// mistake in the registry, a list made by somebody who knows the canaries, an error in this program.
const SUREST: f64 = 1e-12;

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
    /// Rows that show it as well.
    pub rows: u64,
    /// Marks that agree.
    pub marks: Marks,
    /// Those that are spelt as they were planted.
    pub as_planted: Marks,
    /// log10 of the chance that one row agrees like this.
    pub log10_rmp: f64,
}

/// What the list says about one source of which something was found.
#[derive(Clone, Debug)]
pub struct SourceFinding {
    /// Index into the watch's sources.
    pub source: usize,
    /// Whether it is named.
    pub named: bool,
    /// Canaries, or groups of them that cannot be told apart, that were found.
    pub found: usize,
    /// Canaries that stood at the likeliest time and that the list could have shown.
    pub live: usize,
    /// log10 of the likelihood ratio.
    pub log10_lr: f64,
    /// Share of the source in the list.
    pub share: Interval,
    /// The same in rows.
    pub rows: Interval,
    /// Not before this planting or removal.
    pub not_before: OffsetDateTime,
    /// Not after that one; `None`: until today.
    pub not_after: Option<OffsetDateTime>,
    /// The probability that it was taken within these, at least the level asked for.
    pub window_probability: f64,
}

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
    pub false_accusation_probability: f64,
}

/// Decides about a list. `has_children`: the list has columns of children beside those of customers.
pub(super) fn decide(
    watch: &Watch,
    tally: &Tally,
    has_children: bool,
    settings: &Settings,
) -> Decision {
    let rarity = Rarity { watch, tally };
    let Units {
        by_source,
        columns,
        ambiguous_rows,
        touched,
    } = units(&rarity, has_children);
    let threshold = (watch.sources.len().max(1) as f64 / settings.false_accusation).log10();
    let mut decision = Decision {
        verdict: Verdict::Inconclusive,
        sources: Vec::new(),
        cleared: Vec::new(),
        mute: Vec::new(),
        canaries: Vec::new(),
        ambiguous_rows,
        columns,
        false_accusation_probability: settings.false_accusation,
    };
    for (source, units) in by_source.into_iter().enumerate() {
        let spans = spans(watch, source);
        let found = units
            .iter()
            .filter(|unit| unit.unit.found.is_some())
            .count();
        if found == 0 {
            let cleared =
                cleared(watch, source, &units, settings).filter(|_| !touched.contains(&source));
            match cleared {
                Some(cleared) => decision.cleared.push(cleared),
                None => decision.mute.push(source),
            }
            continue;
        }
        let gaps = gaps(&spans, settings.now);
        let plain: Vec<_> = units.iter().map(|unit| unit.unit.clone()).collect();
        let weighed = weigh(&plain, &gaps, &spans, columns.count(), settings.level);
        let more_than_a_contact_point = found > 1
            || plain
                .iter()
                .filter_map(|unit| unit.found.as_ref())
                .any(|found| found.groups > 1);
        let likeliest = &gaps[weighed.likeliest];
        let rows_at = watch
            .batches
            .iter()
            .enumerate()
            .filter(|(index, _)| likeliest.standing.contains(&(*index as u32)))
            .max_by_key(|(_, batch)| batch.from)
            .map_or(0, |(_, batch)| batch.rows_at) as f64;
        let share = weighed.share;
        decision.sources.push(SourceFinding {
            source,
            named: weighed.log10_lr >= threshold && more_than_a_contact_point,
            found,
            live: weighed.standing,
            log10_lr: weighed.log10_lr,
            share,
            rows: Interval {
                estimate: share.estimate * rows_at,
                low: share.low * rows_at,
                high: share.high * rows_at,
            },
            not_before: gaps[weighed.window.start].from,
            not_after: gaps[weighed.window.end - 1].until,
            window_probability: weighed.window_probability,
        });
        decision
            .canaries
            .extend(units.into_iter().filter_map(|unit| unit.row));
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
    } else if decision.sources.is_empty() && ambiguous_rows == 0 && !decision.cleared.is_empty() {
        decision.verdict = Verdict::NoCanary;
    }
    decision
}

fn spans(watch: &Watch, source: usize) -> Vec<Span> {
    let mut batches: Vec<u32> = watch
        .canaries
        .iter()
        .filter(|canary| canary.source as usize == source)
        .map(|canary| canary.batch)
        .collect();
    batches.dedup();
    batches.sort_unstable();
    batches.dedup();
    let span = |batch: u32| {
        let standing = &watch.batches[batch as usize];
        Span {
            batch,
            from: standing.from,
            until: standing.until,
            certain: standing.certain,
        }
    };
    batches.into_iter().map(span).collect()
}

/// What a silent list says about a source: n canaries that stand and would have shown are all missing
/// from a share s with probability (1 - s)^n.
fn cleared(
    watch: &Watch,
    source: usize,
    units: &[units::SourceUnit],
    settings: &Settings,
) -> Option<Cleared> {
    let stands = |batch: &&u32| {
        let standing = &watch.batches[**batch as usize];
        standing.certain && standing.until.is_none_or(|until| until > settings.now)
    };
    let standing: Vec<u32> = units
        .iter()
        .flat_map(|unit| unit.unit.batches.iter().filter(stands).copied())
        .collect();
    let batches: HashSet<u32> = standing.iter().copied().collect();
    let latest = batches
        .iter()
        .map(|batch| &watch.batches[*batch as usize])
        .max_by_key(|b| b.from)?;
    let share_below = 1.0 - (1.0 - settings.level).powf(1.0 / standing.len() as f64);
    Some(Cleared {
        source,
        live: standing.len(),
        share_below,
        rows_below: share_below * latest.rows_at as f64,
        since: latest.from,
    })
}

/// The words of the ENFSI guideline for a likelihood ratio.
pub fn support(log10_lr: f64) -> &'static str {
    match log10_lr {
        lr if lr <= 0.0 => "no support",
        lr if lr <= 1.0 => "weak support",
        lr if lr <= 2.0 => "moderate support",
        lr if lr <= 3.0 => "moderately strong support",
        lr if lr <= 4.0 => "strong support",
        lr if lr <= 6.0 => "very strong support",
        _ => "extremely strong support",
    }
}
