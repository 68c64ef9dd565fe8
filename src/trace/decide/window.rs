//! When a source's rows were taken: between which plantings and removals.
//!
//! Every planting and every removal begins a new gap, and in one gap the same canaries stand. Two
//! things speak about a gap, and a window leaves a gap out only where both do:
//!
//! - the posterior probability of each gap, all times since the first planting equally likely
//!   beforehand (`weigh`);
//! - a test of 'taken in this gap' that needs no such belief. Were it so, the canaries found would be
//!   any K of the N that stood then, so that the chance that none of the t latest planted (or of the t
//!   first removed) is among them is C(N - t, K) / C(N, K). The statistic is the length of the empty
//!   end itself, so the test is exact whatever the batches: one of a thousand, or a thousand of one.
//!
//! Without the second, a batch of three planted last week would date a leak 'before last week' by
//! their absence alone, because a week is short.
//!
//! A canary that was found in one of its versions stood so in the gaps of that version alone: a row with the
//! address that it moved to is no older than the move, and one with the address before it was taken before
//! the move. A list that was put together of several may hold both; then no gap explains all of it, and
//! none is left out.

use std::collections::BTreeSet;
use std::ops::Range;

use statrs::function::gamma::ln_gamma;
use time::OffsetDateTime;

use super::weigh::{Found, Unit};

/// Canaries that did not stand in a gap and were found all the same speak against it, unless chance
/// explains them; this part of the error is theirs, so that it takes next to nothing from the others.
const CHANCE_PART: f64 = 0.01;

/// A time between plantings and removals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    pub from: OffsetDateTime,
    /// `None`: until today.
    pub until: Option<OffsetDateTime>,
    /// Share of the whole time.
    pub prior: f64,
}

/// When a batch stood, and whether it did for certain.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub batch: u32,
    pub from: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
    pub certain: bool,
}

impl Span {
    /// Whether it stood at a time.
    pub fn stood(&self, at: OffsetDateTime) -> bool {
        self.from <= at && self.until.is_none_or(|removed| removed > at)
    }
}

/// The times in which a source's canaries changed.
pub fn gaps(spans: &[Span], now: OffsetDateTime) -> Vec<Gap> {
    gaps_of(spans, &[], now)
}

/// The same, and those in which canaries changed that were found in a version.
pub fn gaps_of(spans: &[Span], units: &[Unit], now: OffsetDateTime) -> Vec<Gap> {
    let mut times: Vec<OffsetDateTime> = spans
        .iter()
        .flat_map(|span| [Some(span.from), span.until])
        .flatten()
        .collect();
    let first = times.iter().min().copied();
    let found = units.iter().filter_map(|unit| unit.found.as_ref());
    let stood = found.flat_map(|found| &found.stood);
    let changes = stood.flat_map(|stood| [Some(stood.from), stood.until]);
    times.extend(
        changes
            .flatten()
            .filter(|at| Some(*at) >= first && *at < now),
    );
    times.sort_unstable();
    times.dedup();
    let ends = times.iter().skip(1).copied().map(Some).chain([None]);
    let mut gaps: Vec<Gap> = times
        .iter()
        .zip(ends)
        .map(|(from, until)| Gap {
            from: *from,
            until,
            // A clock that is behind, or two batches of one second, leave no gap without a chance.
            prior: (until.unwrap_or(now) - *from).as_seconds_f64().max(1.0),
        })
        .collect();
    let total: f64 = gaps.iter().map(|gap| gap.prior).sum();
    gaps.iter_mut().for_each(|gap| gap.prior /= total);
    gaps
}

/// The gaps that hold the leak.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub gaps: Range<usize>,
    /// The posterior probability that they hold it: whole gaps mostly hold more than was asked for.
    pub probability: f64,
    /// The largest p of the gaps before them; `None` where there is none.
    pub p_before: Option<f64>,
    /// The largest p of those after them.
    pub p_after: Option<f64>,
    /// Whether some gap explains all that was found. Otherwise canaries were found that never stood
    /// together: the list holds what was taken at several times.
    pub one_taking: bool,
}

/// The window that leaves out only gaps which are both improbable and rejected at `1 - level`.
pub fn window(gaps: &[Gap], posterior: &[f64], p: &[f64], level: f64) -> Window {
    let kept = |p: &f64| *p > 1.0 - level;
    let run = shortest(gaps, posterior, level);
    let (first, last) = (p.iter().position(kept), p.iter().rposition(kept));
    let (one_taking, range) = match (first, last) {
        (Some(first), Some(last)) => (true, run.start.min(first)..run.end.max(last + 1)),
        // Each part of it was taken somewhere between the first and the last of these times.
        _ => (false, 0..gaps.len()),
    };
    let largest = |excluded: &[f64]| excluded.iter().copied().reduce(f64::max);
    Window {
        probability: posterior[range.clone()].iter().sum::<f64>().min(1.0),
        p_before: largest(&p[..range.start]),
        p_after: largest(&p[range.end..]),
        gaps: range,
        one_taking,
    }
}

/// The shortest run of gaps that holds the level.
fn shortest(gaps: &[Gap], posterior: &[f64], level: f64) -> Range<usize> {
    let mut best = 0..gaps.len();
    let mut shortest = f64::INFINITY;
    let (mut end, mut held, mut length) = (0, 0.0, 0.0);
    for start in 0..gaps.len() {
        while end < gaps.len() && held < level {
            held += posterior[end];
            length += gaps[end].prior;
            end += 1;
        }
        if held >= level && length < shortest {
            shortest = length;
            best = start..end;
        }
        held -= posterior[start];
        length -= gaps[start].prior;
    }
    best
}

/// What was found of one batch.
#[derive(Clone, Copy, Debug)]
struct Counted {
    span: Span,
    found: f64,
    missing: f64,
    /// log10 of the chance that strangers' rows show what was found.
    by_chance: f64,
}

/// A canary found in versions, with its batch among the counted.
type Versioned<'a> = (u32, &'a Found);

/// For each gap the p of 'taken in this gap'.
pub fn tests(units: &[Unit], spans: &[Span], gaps: &[Gap]) -> Vec<f64> {
    let mut counted: Vec<Counted> = counted(units, spans);
    // Of a batch that was handed out and never seen nobody knows whether it stood.
    counted.retain(|batch| batch.span.certain || batch.found > 0.0);
    counted.sort_by_key(|batch| batch.span.from);
    let mut by_removal = counted.clone();
    by_removal.retain(|batch| batch.span.until.is_some());
    by_removal.sort_by_key(|batch| batch.span.until);
    let versioned: Vec<Versioned<'_>> = units
        .iter()
        .filter_map(|unit| Some((*unit.batches.first()?, unit.found.as_deref()?)))
        .filter(|(_, found)| !found.stood.is_empty())
        .collect();
    gaps.iter()
        .map(|gap| p_of_gap(gap, &counted, &by_removal, &versioned))
        .collect()
}

fn counted(units: &[Unit], spans: &[Span]) -> Vec<Counted> {
    let none = |span: &Span| Counted {
        span: *span,
        found: 0.0,
        missing: 0.0,
        by_chance: 0.0,
    };
    let mut counted: Vec<Counted> = spans.iter().map(none).collect();
    let places: std::collections::HashMap<u32, usize> =
        (spans.iter().map(|span| span.batch)).zip(0..).collect();
    for unit in units {
        let same = unit.batches.windows(2).all(|pair| pair[0] == pair[1]);
        let place = unit.batches.first().and_then(|batch| places.get(batch));
        match (&unit.found, place) {
            (Some(found), Some(place)) if same => {
                counted[*place].found += 1.0;
                counted[*place].by_chance += found.log10_by_chance;
            }
            (None, _) => {
                for batch in &unit.batches {
                    if let Some(place) = places.get(batch) {
                        counted[*place].missing += 1.0;
                    }
                }
            }
            // Found, but nobody knows which of several batches it is of.
            _ => {}
        }
    }
    counted
}

fn p_of_gap(
    gap: &Gap,
    by_planting: &[Counted],
    by_removal: &[Counted],
    versioned: &[Versioned<'_>],
) -> f64 {
    let stands = |batch: &&Counted| batch.span.stood(gap.from);
    let (mut all, mut found) = (0.0, 0.0);
    let (mut strangers, mut chosen, mut by_chance) = (0.0, 0.0, 0.0);
    for batch in by_planting {
        let here = batch.found + batch.missing;
        if stands(&batch) {
            all += here;
            found += batch.found;
        } else {
            strangers += here;
            chosen += batch.found;
            by_chance += batch.by_chance;
        }
    }
    // What is found of a version that did not stand then is as strange as a canary that did not. Any canary
    // of the batch could have been met so.
    let mut batches = BTreeSet::new();
    for (batch, unit) in versioned {
        let of_batch = by_planting.iter().find(|other| other.span.batch == *batch);
        if unit.stood.iter().all(|stood| stood.meets(gap)) {
            continue;
        }
        if let Some(counted) = of_batch.filter(stands) {
            if batches.insert(*batch) {
                strangers += counted.found + counted.missing;
            }
            chosen += 1.0;
            by_chance += unit.log10_by_chance;
        }
    }
    let empty = |batches: &mut dyn Iterator<Item = &Counted>| -> f64 {
        let silent = batches.take_while(|batch| batch.found == 0.0);
        silent.map(|batch| batch.missing).sum()
    };
    let late = empty(&mut by_planting.iter().rev().filter(stands));
    let early = empty(&mut by_removal.iter().filter(stands));
    let late = none_of(all, found, late);
    let early = none_of(all, found, early);
    let plantings = several(
        by_planting
            .iter()
            .filter(stands)
            .map(|batch| batch.span.from),
    );
    let removals = several(
        by_planting
            .iter()
            .filter(stands)
            .map(|batch| batch.span.until),
    );
    let looks = f64::from(u8::from(plantings) + u8::from(removals)).max(1.0);
    let mut p = (looks * late.min(early)).min(1.0);
    if chosen > 0.0 {
        let ways = ln_gamma(strangers + 1.0) - ln_gamma(chosen + 1.0);
        let ways = (ways - ln_gamma(strangers - chosen + 1.0)) / std::f64::consts::LN_10;
        p = p.min(10_f64.powf((by_chance + ways).min(0.0)) / CHANCE_PART);
    }
    p.min(1.0)
}

fn several<T: PartialEq>(mut times: impl Iterator<Item = T>) -> bool {
    let first = times.next();
    first.is_some_and(|first| times.any(|time| time != first))
}

/// The chance that none of `few` is among `found` that are drawn out of `all`.
fn none_of(all: f64, found: f64, few: f64) -> f64 {
    if few <= 0.0 || found <= 0.0 {
        return 1.0;
    }
    let (draws, avoided) = (found.min(few), found.max(few));
    let mut ln = 0.0;
    for draw in 0..draws as u64 {
        let left = all - draw as f64;
        ln += ((left - avoided) / left).max(0.0).ln();
    }
    ln.exp()
}

#[cfg(test)]
mod tests_of_the_test {
    use super::none_of;

    #[test]
    fn none_of_is_the_hypergeometric_chance() {
        // C(20, 2) / C(23, 2) = 190 / 253.
        assert!((none_of(23.0, 2.0, 3.0) - 190.0 / 253.0).abs() < 1e-12);
        assert!((none_of(23.0, 3.0, 2.0) - 190.0 / 253.0).abs() < 1e-12);
        assert_eq!(none_of(5.0, 3.0, 3.0), 0.0);
        assert_eq!(none_of(5.0, 0.0, 3.0), 1.0);
    }
}
