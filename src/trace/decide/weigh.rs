//! One source against 'this list has nothing of it'.
//!
//! H0: the list holds none of the source. A canary is then found only by chance, with probability
//! q = rows × random match probability at the most, and we take a missing canary as certain (which
//! favours H0). H1: somebody took the share s of the source at some time, all shares equally likely
//! beforehand, all times since the first planting equally likely. The canaries that stood at that
//! time are in the list each with probability s; others are found by chance, as under H0.
//!
//! Which of the marks agree on a canary that is in the list, nobody knows beforehand (columns lost,
//! cells rewritten). Were that left out of H1, it could choose the luckiest combination after the
//! fact. So H1 predicts the set of marks that fail: at first with 1/2 that none does and the rest
//! spread evenly, then by what was seen in the canaries before (Laplace and Dirichlet's rule of
//! succession, which predicts proper probabilities at each step).
//!
//! The ratio is thus a likelihood ratio of two fixed hypotheses (its expectation under H0 is at most
//! 1), and by Markov's inequality an innocent source reaches t with probability 1/t at the most. This
//! is the reasoning of e-values (Vovk and Wang, The Annals of Statistics 49, 2021); it needs no
//! assumption on how many canaries there are, and it may be multiplied by the number of sources.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use time::OffsetDateTime;

use super::super::mark::Marks;
use super::share::{Interval, Points, ShareLikelihood, interval};

/// Canaries of one source that the list's columns can find: one, or several that they cannot tell
/// apart.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Batch of each member.
    pub batches: Vec<u32>,
    /// How it was found.
    pub found: Option<Found>,
}

/// The best row of a unit.
#[derive(Clone, Debug)]
pub struct Found {
    /// Marks that the list's columns could have shown and that do not agree.
    pub failed: Marks,
    /// log10 of the chance that some row of the list agrees like that.
    pub log10_by_chance: f64,
    /// The same once its shared contact points have been counted with another canary.
    pub log10_when_spent: f64,
    /// Contact points in it that other canaries hold too.
    pub shared: Vec<u32>,
    /// Independent groups of marks that agree.
    pub groups: usize,
}

/// A time between plantings and removals: which batches stood then.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    pub from: OffsetDateTime,
    /// `None`: until today.
    pub until: Option<OffsetDateTime>,
    pub standing: Vec<u32>,
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

/// What a list says about a source of which something was found.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// log10 of the likelihood ratio.
    pub log10_lr: f64,
    /// Share of the source.
    pub share: Interval,
    /// The gaps that hold the leak with at least the stated probability.
    pub window: Range<usize>,
    /// The probability that they hold it: whole gaps mostly hold more than was asked for.
    pub window_probability: f64,
    /// The most probable gap.
    pub likeliest: usize,
    /// Canaries that stood in it and that the list could have shown.
    pub standing: usize,
}

/// The times in which a source's canaries changed.
pub fn gaps(spans: &[Span], now: OffsetDateTime) -> Vec<Gap> {
    let mut times: Vec<OffsetDateTime> = spans
        .iter()
        .flat_map(|span| [Some(span.from), span.until])
        .flatten()
        .collect();
    times.sort_unstable();
    times.dedup();
    let ends = times.iter().skip(1).copied().map(Some).chain([None]);
    let mut gaps: Vec<Gap> = times
        .iter()
        .zip(ends)
        .map(|(from, until)| {
            let stood = |span: &&Span| {
                span.from <= *from && span.until.is_none_or(|removed| removed > *from)
            };
            Gap {
                from: *from,
                until,
                standing: spans.iter().filter(stood).map(|span| span.batch).collect(),
                // A clock that is behind, or two batches of one second, leave no gap without a chance.
                prior: (until.unwrap_or(now) - *from).as_seconds_f64().max(1.0),
            }
        })
        .collect();
    let total: f64 = gaps.iter().map(|gap| gap.prior).sum();
    gaps.iter_mut().for_each(|gap| gap.prior /= total);
    gaps
}

/// Weighs a source. `columns` is how many kinds of marks the list can show; `level` the probability
/// that intervals are to hold.
pub fn weigh(units: &[Unit], gaps: &[Gap], spans: &[Span], columns: u32, level: f64) -> Weighed {
    let arrived: HashSet<u32> = units
        .iter()
        .filter(|unit| unit.found.is_some())
        .flat_map(|unit| unit.batches.iter().copied())
        .collect();
    let mut log10_lr_of = Vec::with_capacity(gaps.len());
    let mut densities: Vec<Points> = Vec::with_capacity(gaps.len());
    let mut counts = Vec::with_capacity(gaps.len());
    for gap in gaps {
        let stands = |batch: &u32| {
            let span = spans.iter().find(|span| span.batch == *batch);
            gap.standing.contains(batch)
                && (span.is_some_and(|span| span.certain) || arrived.contains(batch))
        };
        let standing: HashSet<u32> = gap.standing.iter().copied().filter(|b| stands(b)).collect();
        let (likelihood, evidence, count) = at_gap(units, &standing, columns);
        let (ln, points) = likelihood.integrate();
        log10_lr_of.push(evidence + ln / std::f64::consts::LN_10 + gap.prior.log10());
        densities.push(points);
        counts.push(count);
    }
    let best = log10_lr_of
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let relative: Vec<f64> = log10_lr_of
        .iter()
        .map(|lr| 10_f64.powf(lr - best))
        .collect();
    let sum: f64 = relative.iter().sum();
    let posterior: Vec<f64> = relative.iter().map(|weight| weight / sum).collect();
    let mixture: Vec<(f64, Points)> = posterior
        .iter()
        .copied()
        .zip(densities)
        .filter(|(weight, _)| *weight > 1e-9)
        .collect();
    // Whether a batch that was handed out ever arrived is a fifty-fifty choice of its own.
    let uncertain = spans.iter().filter(|span| !span.certain).count() as f64;
    let likeliest = (0..gaps.len())
        .rev()
        .max_by(|one, other| posterior[*one].total_cmp(&posterior[*other]))
        .unwrap_or_default();
    let window = shortest(gaps, &posterior, level);
    Weighed {
        log10_lr: best + sum.log10() - uncertain * 2_f64.log10(),
        share: interval(&mixture, level),
        window_probability: posterior[window.clone()].iter().sum(),
        window,
        likeliest,
        standing: counts.get(likeliest).copied().unwrap_or_default(),
    }
}

/// What the canaries that stood in a gap say: about the share, how much better than chance they
/// explain what was found (log10), and how many there were.
fn at_gap(units: &[Unit], standing: &HashSet<u32>, columns: u32) -> (ShareLikelihood, f64, usize) {
    let mut likelihood = ShareLikelihood::default();
    let mut groups: BTreeMap<usize, f64> = BTreeMap::new();
    let mut evidence = 0.0;
    let mut count = 0;
    let mut spent: HashSet<u32> = HashSet::new();
    let mut patterns = Patterns::new(columns);
    for unit in units {
        let members = unit
            .batches
            .iter()
            .filter(|batch| standing.contains(batch))
            .count();
        count += members;
        let Some(found) = unit.found.as_ref().filter(|_| members > 0) else {
            likelihood.missing += members as f64;
            continue;
        };
        match members {
            1 => likelihood.found += 1.0,
            _ => *groups.entry(members).or_default() += 1.0,
        }
        let counted = found.shared.iter().any(|value| spent.contains(value));
        spent.extend(&found.shared);
        let by_chance = if counted {
            found.log10_when_spent
        } else {
            found.log10_by_chance
        };
        evidence += patterns.predict(found.failed).log10() - by_chance;
    }
    likelihood.groups = groups
        .into_iter()
        .map(|(size, n)| (size as f64, n))
        .collect();
    (likelihood, evidence, count)
}

/// Predicts which marks fail on the next canary, from those before.
struct Patterns {
    rare: f64,
    seen: HashMap<Marks, f64>,
    total: f64,
}

impl Patterns {
    fn new(columns: u32) -> Patterns {
        let others = 2_f64.powi(columns.min(30) as i32) - 1.0;
        Patterns {
            rare: 0.5 / others.max(1.0),
            seen: HashMap::new(),
            total: 0.0,
        }
    }

    fn predict(&mut self, failed: Marks) -> f64 {
        let prior = if failed == Marks::default() {
            0.5
        } else {
            self.rare
        };
        let seen = self.seen.entry(failed).or_default();
        let chance = (*seen + prior) / (self.total + 1.0);
        *seen += 1.0;
        self.total += 1.0;
        chance
    }
}

/// The shortest run of gaps that holds the level.
fn shortest(gaps: &[Gap], posterior: &[f64], level: f64) -> Range<usize> {
    let mut best = 0..gaps.len();
    let length =
        |range: &Range<usize>| gaps[range.clone()].iter().map(|gap| gap.prior).sum::<f64>();
    for start in 0..gaps.len() {
        let mut held = 0.0;
        for (place, probability) in posterior[start..].iter().enumerate() {
            held += probability;
            if held >= level {
                let run = start..start + place + 1;
                if length(&run) < length(&best) {
                    best = run;
                }
                break;
            }
        }
    }
    best
}
