//! What a list says about one source of which something was found.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::super::mark::Marks;
use super::super::scan::Tally;
use super::super::watch::Watch;
use super::pool::Pool;
use super::rows::{Growth, RowsKnown, rows};
use super::share::Interval;
use super::slice::{Slice, Subject, slice};
use super::units::SourceUnit;
use super::weigh::{Unit, weigh};
use super::window::{Gap, Span, gaps_of};
use super::{Settings, threshold};

/// What the list says about one source of which something was found.
#[derive(Clone, Debug)]
pub struct SourceFinding {
    /// Index into the watch's sources.
    pub source: usize,
    /// Whether it is named.
    pub named: bool,
    /// Canaries, or groups of them that cannot be told apart, that were found. Rows that chance explains
    /// nearly as well are none of them.
    pub found: usize,
    /// How many of these are expected to be there by chance.
    pub found_by_chance: f64,
    /// Canaries with which rows agree in a way that chance may explain: their part in the share is what is
    /// beyond chance, and none of them is shown.
    pub doubtful: usize,
    /// Canaries that stood at the likeliest time and that the list could have shown.
    pub live: usize,
    /// log10 of the likelihood ratio.
    pub log10_lr: f64,
    /// Share of the source in the list.
    pub share: Interval,
    /// The same in rows, each counted once.
    pub rows: Interval,
    /// Not before this planting, removal or change of canaries.
    pub not_before: OffsetDateTime,
    /// Not after that one; `None`: until today.
    pub not_after: Option<OffsetDateTime>,
    /// The probability that it was taken within these, at least the level asked for.
    pub window_probability: f64,
    /// How well an earlier time explains which canaries were found and which are missing (the p of a
    /// test, at most 1 - level); `None` where no earlier time was left out.
    pub p_before: Option<f64>,
    /// The same of a later time.
    pub p_after: Option<f64>,
    /// Whether one taking explains all canaries found. If not, some never stood together: the rows
    /// were taken at several times between the two.
    pub one_taking: bool,
    /// The part of the source that leaked, where one stands out.
    pub slice: Option<Slice>,
}

/// A source of which something was found.
pub struct Seen<'a> {
    pub watch: &'a Watch,
    pub tally: &'a Tally,
    pub source: usize,
    pub spans: Vec<Span>,
    pub settings: &'a Settings,
    pub columns: Marks,
    /// What the contact points say that it shares with others.
    pub pool: Option<&'a Pool>,
}

impl Seen<'_> {
    /// What the list says about it. `units` are `own` units of the source, then those that it shares with others but
    /// explains best. Those that chance may have found are taken out; but of a source that is not named,
    /// what is `beyond_chance` stays: that its share explains it no better does not make it a stranger's.
    pub fn finding(
        &self,
        units: &mut Vec<SourceUnit>,
        own: usize,
        beyond_chance: &dyn Fn(&SourceUnit) -> bool,
    ) -> (SourceFinding, RowsKnown) {
        let settings = self.settings;
        let plain: Vec<Unit> = units.iter().map(|unit| unit.unit.clone()).collect();
        let gaps = gaps_of(&self.spans, &plain, settings.now);
        let columns = self.columns.count();
        let weighed = weigh(&plain, &gaps, &self.spans, columns, settings.level);
        let log10_lr = match self.pool {
            None => weighed.log10_lr,
            Some(pool) => {
                let own = &plain[..own];
                let shown = own.iter().any(|unit| unit.found.is_some());
                let own = || weigh(own, &gaps, &self.spans, columns, settings.level).log10_lr;
                let ratio = pool.ratio(self.source, shown.then(own));
                ratio.unwrap_or(0.0)
            }
        };
        let hits = |units: &[SourceUnit]| {
            let found = units.iter().filter(|unit| unit.unit.found.is_some());
            found.count()
        };
        let all = hits(units);
        let likely = |chance: f64| chance <= weighed.bar;
        let shown = units.iter().zip(&weighed.chance);
        let shown = shown.filter(|(_, chance)| likely(**chance));
        let found: Vec<_> = shown
            .filter_map(|(unit, _)| unit.unit.found.as_ref())
            .collect();
        let more_than_a_contact_point = found.len() > 1 || found.iter().any(|f| f.groups > 1);
        let threshold = threshold(self.watch, settings);
        let named = log10_lr >= threshold && more_than_a_contact_point;
        let mut chance = weighed.chance.iter();
        let mut found_by_chance = 0.0;
        units.retain(|unit| {
            let chance = chance.next().copied().unwrap_or(1.0);
            let found = unit.unit.found.is_some();
            let shown = found && (likely(chance) || !named && beyond_chance(unit));
            found_by_chance += if shown { chance } else { 0.0 };
            shown || !found
        });
        let found = || units.iter().filter(|unit| unit.unit.found.is_some());
        let counted = |span: &Span| (span.from, self.watch.batches[span.batch as usize].rows_at);
        let growth = Growth::new(self.spans.iter().map(counted));
        let known = rows(&weighed, &gaps, &growth, settings.now, self.tally.rows);
        let subjects = || self.subjects(units, &gaps[weighed.likeliest]);
        let slice = named.then(|| slice(&subjects(), settings.level));
        let window = &weighed.window;
        let finding = SourceFinding {
            source: self.source,
            named,
            found: found().count(),
            found_by_chance,
            doubtful: all - hits(units),
            live: weighed.standing,
            log10_lr,
            share: weighed.share,
            rows: known.rows,
            not_before: gaps[window.gaps.start].from,
            not_after: gaps[window.gaps.end - 1].until,
            window_probability: window.probability,
            p_before: window.p_before,
            p_after: window.p_after,
            one_taking: window.one_taking,
            slice: slice.flatten(),
        };
        (finding, known)
    }

    /// The canaries that stood in a gap, as far as the list tells them apart.
    fn subjects(&self, units: &[SourceUnit], gap: &Gap) -> Vec<Subject> {
        let found = units.iter().filter(|unit| unit.unit.found.is_some());
        let seen: HashSet<u32> = found
            .flat_map(|unit| unit.unit.batches.iter().copied())
            .collect();
        let stood: HashSet<u32> = (self.spans.iter())
            .filter(|span| span.certain || seen.contains(&span.batch))
            .filter(|span| span.stood(gap.from))
            .map(|span| span.batch)
            .collect();
        let mut subjects = Vec::new();
        for unit in units {
            let found = unit.unit.found.is_some();
            if found && unit.members.len() > 1 {
                continue;
            }
            for member in &unit.members {
                let canary = &self.watch.canaries[*member as usize];
                if stood.contains(&canary.batch) {
                    subjects.push(Subject {
                        found,
                        traits: canary.traits,
                    });
                }
            }
        }
        subjects
    }
}

/// For each canary found the rows that show it.
pub fn copies(units: &[SourceUnit]) -> Vec<u64> {
    let rows = units.iter().filter_map(|unit| unit.row.as_ref());
    rows.map(|row| row.rows).collect()
}

/// The batches of a source, as their canaries stood.
pub fn spans(watch: &Watch, source: usize) -> Vec<Span> {
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
