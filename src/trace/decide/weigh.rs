//! One source against 'this list has nothing of it'.
//!
//! H0: the list holds none of the source. A canary is then found only by chance, with probability
//! q = rows × random match probability at the most, and we take a missing canary as certain (which
//! favours H0). H1: somebody took the share s of the source at some time, all shares equally likely
//! beforehand, all times since the first planting equally likely. The canaries that stood at that
//! time are in the list each with probability s; all others are found by chance, as under H0. So a canary
//! that was found weighs (1 - s) + s a / q, where a is how probable it is to be found just so when it is in
//! the list: of very many canaries some are met by chance, and those neither accuse nor add to the share.
//!
//! Which of the marks agree on a canary that is in the list, nobody knows beforehand (columns lost,
//! cells rewritten or mistyped). Were that left out of H1, it could choose the luckiest combination
//! after the fact. So H1 predicts the sets of marks that fail or are a slip away: at first with 1/2 that
//! none does and the rest
//! spread evenly, then by what was seen in the canaries before (Laplace and Dirichlet's rule of
//! succession, which predicts proper probabilities at each step).
//!
//! Raw notation is weighed beside it, in [`spelling`](super::spelling).
//!
//! Whether a batch that was handed out ever arrived, nobody knows either: H1 lets such batches arrive
//! at a rate that is one of eight, equally likely.
//!
//! The ratio is thus a likelihood ratio of two fixed hypotheses (its expectation under H0 is at most
//! 1), and by Markov's inequality an innocent source reaches t with probability 1/t at the most. This
//! is the reasoning of e-values (Vovk and Wang, The Annals of Statistics 49, 2021); it needs no
//! assumption on how many canaries there are, and it may be multiplied by the number of sources.

use std::collections::{BTreeMap, HashMap, HashSet};

use time::OffsetDateTime;

use super::super::few::Few;
use super::super::mark::Marks;
use super::share::{Doubtful, Integral, Interval, Point, ShareLikelihood, interval};
use super::spelling::{Spellings, Spelt};
use super::window::{Gap, Span, Window, tests, window};

/// Rates at which batches that were handed out may arrive.
const RATES: usize = 8;
/// A gap whose ratio is so many powers of ten below the best is not looked at more closely.
const NEGLIGIBLE: f64 = 15.0;

/// log10 of the ratio above which no share makes chance worth a thought.
const SURE: f64 = 9.0;
/// Ratios are taken down to so many parts of a power of ten, so that many canaries are a few terms.
const PARTS: f64 = 50.0;
/// A canary is shown where it is there by chance with this probability at the most.
const SHOWN: f64 = 0.05;
/// The same where hardly any is: then they speak only together, and each is ours more probably than not.
const TOGETHER: f64 = 0.5;
/// How probable it is that a list was put together of several takings: a canary that did not stand at the
/// time of the others is ours only so.
const SEVERAL_TAKINGS: f64 = 0.01;
/// A batch has arrived where chance shows any canary of it with this probability at the most.
const MET: f64 = 0.01;
/// What is less probable than this changes nobody's probability.
const SELDOM: f64 = 1e-3;

/// Canaries of one source that the list's columns can find: one, or several that they cannot tell
/// apart.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Batch of each member: most units have but one.
    pub batches: Few,
    /// How it was found, as most are not.
    pub found: Option<Box<Found>>,
}

/// The best row of a unit.
#[derive(Clone, Debug)]
pub struct Found {
    /// Marks that the list's columns could have shown and that do not agree.
    pub failed: Marks,
    /// Marks that agree only nearly.
    pub near: Marks,
    /// log10 of the chance that some row of the list agrees like that.
    pub log10_by_chance: f64,
    /// The same once its shared contact points have been counted with another canary.
    pub log10_when_spent: f64,
    /// Contact points in it that other canaries hold too.
    pub shared: Vec<u32>,
    /// Independent groups of marks that agree.
    pub groups: usize,
    /// How the marks that agree exactly are spelt.
    pub spelt: Vec<Spelt>,
    /// When the versions stood that its rows are of, where they are told apart.
    pub stood: Vec<Stood>,
}

/// A time in which a version of a canary stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stood {
    pub from: OffsetDateTime,
    /// `None`: to this day.
    pub until: Option<OffsetDateTime>,
}

impl Stood {
    /// Whether it stood at some time of a gap.
    pub fn meets(&self, gap: &Gap) -> bool {
        gap.until.is_none_or(|end| self.from < end) && self.until.is_none_or(|end| end > gap.from)
    }
}

/// What a list says about a source of which something was found.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// log10 of the likelihood ratio.
    pub log10_lr: f64,
    /// Share of the source.
    pub share: Interval,
    /// The gaps that hold the leak.
    pub window: Window,
    /// The most probable gap.
    pub likeliest: usize,
    /// Canaries that stood in it and that the list could have shown.
    pub standing: usize,
    /// For each unit the probability that it is in the list by chance alone; 1 where it is not there.
    pub chance: Vec<f64>,
    /// Above this probability a unit is not shown.
    pub bar: f64,
    /// The gaps that count.
    pub mixture: Vec<Taking>,
}

/// 'Taken in this gap'.
#[derive(Clone, Debug)]
pub struct Taking {
    pub gap: usize,
    learning: Learning,
    /// Its probability.
    pub part: f64,
    /// The likeliest share.
    pub peak: f64,
    /// The density over shares.
    pub points: Vec<Point>,
}

/// From which canaries it is learned how the next ones are found. A list that lacks a column teaches it by each
/// of them, however weak; but of those that chance has found nothing can be learned. Which of the two it is,
/// nobody knows beforehand: each has half of the belief.
#[derive(Clone, Copy, Debug)]
enum Learning {
    All,
    Likely,
}

impl Learning {
    const BOTH: [Learning; 2] = [Learning::All, Learning::Likely];
}

/// How much better a unit's being in the list explains what was found of it than chance does.
struct Said {
    log10: f64,
    /// Its canaries that stood at the time.
    standing: usize,
    /// Whether nothing of it has been counted with another unit.
    first: bool,
}

/// What is known of a gap: the logarithm of its part of the ratio, its density, and how many canaries
/// stood in it.
struct Weight {
    log10: f64,
    integral: Integral,
    standing: usize,
}

/// Weighs a source. `columns` is how many kinds of marks the list can show; `level` the probability
/// that intervals are to hold.
pub fn weigh(units: &[Unit], gaps: &[Gap], spans: &[Span], columns: u32, level: f64) -> Weighed {
    let evidence = Evidence::new(units, spans, columns);
    let mut best = f64::NEG_INFINITY;
    let takings = (0..gaps.len()).flat_map(|gap| Learning::BOTH.map(|learning| (gap, learning)));
    let weights: Vec<(usize, Learning, Weight)> = takings
        .filter_map(|(gap, learning)| {
            let weight = evidence.at(&gaps[gap], learning, best)?;
            best = best.max(weight.log10);
            Some((gap, learning, weight))
        })
        .collect();
    let relative = |weight: &Weight| 10_f64.powf(weight.log10 - best);
    let sum: f64 = weights.iter().map(|(.., weight)| relative(weight)).sum();
    let mut posterior = vec![0.0; gaps.len()];
    let mut stood = vec![0; gaps.len()];
    let mut estimate = 0.0;
    let mut mixture: Vec<Taking> = Vec::new();
    for (gap, learning, weight) in weights {
        let part = relative(&weight) / sum;
        posterior[gap] += part;
        stood[gap] = weight.standing;
        if part > 1e-9 {
            estimate += part * weight.integral.peak;
            mixture.push(Taking {
                gap,
                learning,
                part,
                peak: weight.integral.peak,
                points: weight.integral.points,
            });
        }
    }
    let likeliest = (0..gaps.len())
        .rev()
        .max_by(|one, other| posterior[*one].total_cmp(&posterior[*other]))
        .unwrap_or_default();
    let standing = stood.get(likeliest).copied().unwrap_or_default();
    let chance = evidence.chance(units.len(), gaps, &mixture);
    let shown = chance.iter().filter(|chance| **chance <= SHOWN).count();
    let bar = if shown > 1 { SHOWN } else { TOGETHER };
    // What chance may have found is neither there nor missing, whenever that was.
    let certain: Vec<Unit> = (units.iter().zip(&chance))
        .filter(|(unit, chance)| unit.found.is_none() || **chance <= bar)
        .map(|(unit, _)| unit.clone())
        .collect();
    let densities = mixture
        .iter()
        .map(|taking| (taking.part, &taking.points[..]));
    Weighed {
        log10_lr: best + sum.log10(),
        share: interval(estimate.min(1.0), densities, level),
        window: window(gaps, &posterior, &tests(&certain, spans, gaps), level),
        likeliest,
        standing,
        chance,
        bar,
        mixture,
    }
}

/// A source's units, sorted by the spans of their members.
struct Evidence<'a> {
    spans: &'a [Span],
    columns: u32,
    /// Missing canaries of each span.
    missing: Vec<usize>,
    /// Whether something of it was found that chance does not explain.
    seen: Vec<bool>,
    /// What was found of it that chance may explain.
    doubted: Vec<usize>,
    /// Units found: their number, and the spans of their members.
    found: Vec<(usize, &'a Found, Vec<usize>)>,
}

impl<'a> Evidence<'a> {
    fn new(units: &'a [Unit], spans: &'a [Span], columns: u32) -> Evidence<'a> {
        let places: HashMap<u32, usize> = spans.iter().map(|span| span.batch).zip(0..).collect();
        let mut evidence = Evidence {
            spans,
            columns,
            missing: vec![0; spans.len()],
            seen: vec![false; spans.len()],
            doubted: vec![0; spans.len()],
            found: Vec::new(),
        };
        let mut sizes = vec![0_usize; spans.len()];
        for batch in units.iter().flat_map(|unit| &unit.batches) {
            if let Some(place) = places.get(batch) {
                sizes[*place] += 1;
            }
        }
        for (number, unit) in units.iter().enumerate() {
            let members = unit.batches.iter();
            let members = members.filter_map(|batch| places.get(batch).copied());
            match &unit.found {
                Some(found) => {
                    let members: Vec<usize> = members.collect();
                    for place in &members {
                        // Of a large batch some canary may be met by chance though none ever arrived.
                        let met = found.log10_by_chance + (sizes[*place] as f64).log10();
                        if met <= MET.log10() {
                            evidence.seen[*place] = true;
                        } else {
                            evidence.doubted[*place] += 1;
                        }
                    }
                    evidence.found.push((number, found, members));
                }
                None => members.for_each(|place| evidence.missing[place] += 1),
            }
        }
        evidence
    }

    /// What the canaries that stood in a gap say: about the share, and how much better than chance
    /// they explain what was found. `None` where that is nothing beside `best`.
    fn at(&self, gap: &Gap, learning: Learning, best: f64) -> Option<Weight> {
        let mut likelihood = ShareLikelihood::default();
        let mut perhaps: BTreeMap<usize, f64> = BTreeMap::new();
        let (mut arrived, mut silent) = (0, 0);
        let mut count = 0;
        for (place, span) in self.spans.iter().enumerate() {
            if !span.stood(gap.from) {
                continue;
            }
            let missing = self.missing[place];
            if span.certain || self.seen[place] {
                likelihood.missing += missing as f64;
                count += missing;
                arrived += u32::from(!span.certain);
            } else if missing + self.doubted[place] > 0 {
                *perhaps.entry(missing + self.doubted[place]).or_default() += 1.0;
                silent += 1;
            }
        }
        let mut groups: BTreeMap<usize, f64> = BTreeMap::new();
        let mut doubtful: BTreeMap<(usize, i32), f64> = BTreeMap::new();
        let mut log10 = (gap.prior / Learning::BOTH.len() as f64).log10();
        let mut most = 0.0;
        let mut spellings = Spellings::default();
        for (said, (_, found, _)) in (self.said(gap, learning).iter()).zip(&self.found) {
            count += said.standing;
            if said.standing == 0 {
                // Only chance explains it.
                continue;
            }
            if said.log10 > SURE {
                log10 += said.log10;
                match said.standing {
                    1 => likelihood.found += 1.0,
                    members => *groups.entry(members).or_default() += 1.0,
                }
            } else {
                let part = (said.log10 * PARTS).floor();
                most += (part / PARTS).max(0.0);
                *doubtful.entry((said.standing, part as i32)).or_default() += 1.0;
            }
            // How it is spelt says nothing where chance explains it as well.
            if said.first && said.log10 > 0.0 {
                spellings.see(&found.spelt);
            }
        }
        log10 += spellings.log10();
        if log10 + most < best - NEGLIGIBLE {
            return None;
        }
        likelihood.doubtful = (doubtful.into_iter())
            .map(|((size, part), count)| Doubtful {
                size: size as f64,
                ratio: 10_f64.powf(f64::from(part) / PARTS),
                count,
            })
            .collect();
        let sizes = |sizes: BTreeMap<usize, f64>| {
            let sizes = sizes.into_iter();
            sizes.map(|(size, n)| (size as f64, n)).collect()
        };
        likelihood.groups = sizes(groups);
        likelihood.perhaps = sizes(perhaps);
        let integral = if arrived + silent == 0 {
            likelihood.integrate()
        } else {
            over_rates(likelihood, arrived)
        };
        Some(Weight {
            log10: log10 + integral.ln / std::f64::consts::LN_10,
            integral,
            standing: count,
        })
    }
}

impl Evidence<'_> {
    /// What each unit found says, as far as the units before it predict.
    fn said(&self, gap: &Gap, learning: Learning) -> Vec<Said> {
        let standing = self.standing(gap);
        let missing = (self.missing.iter().zip(&standing)).map(|(missing, stands)| match stands {
            true => *missing,
            false => 0,
        });
        let all = (missing.sum::<usize>() + self.found.len()) as f64;
        let mut spent: HashSet<u32> = HashSet::new();
        let mut patterns = Patterns::new(self.columns);
        let mut told = Vec::with_capacity(self.found.len());
        for (_, found, members) in &self.found {
            // The versions that were found may be of other times.
            let here = found.stood.is_empty() || found.stood.iter().any(|stood| stood.meets(gap));
            let stood = members.iter().filter(|place| here && standing[**place]);
            let stood = stood.count();
            let counted = found.shared.iter().any(|value| spent.contains(value));
            let by_chance = if counted {
                found.log10_when_spent
            } else {
                found.log10_by_chance
            };
            let log10 = patterns.predict(found.failed, found.near).log10() - by_chance;
            if stood > 0 {
                spent.extend(&found.shared);
                let weight = match learning {
                    Learning::All => 1.0,
                    // As probably as it is there, as far as is known by now.
                    Learning::Likely => {
                        let odds = (1.0 + patterns.total) / (1.0 + all) * 10_f64.powf(log10);
                        1.0 - 1.0 / (1.0 + odds)
                    }
                };
                patterns.learn(found.failed, found.near, weight);
            }
            told.push(Said {
                log10,
                standing: stood,
                first: !counted,
            });
        }
        told
    }

    /// For each of a source's units the probability that chance alone has found it.
    fn chance(&self, units: usize, gaps: &[Gap], mixture: &[Taking]) -> Vec<f64> {
        let mut chance = vec![1.0; units];
        let takings: Vec<&Taking> = (mixture.iter())
            .filter(|taking| taking.part > SELDOM)
            .collect();
        let all: f64 = takings.iter().map(|taking| taking.part).sum();
        let mut by_chance = vec![0.0; self.found.len()];
        for taking in takings {
            let gap = &gaps[taking.gap];
            let said = self.said(gap, taking.learning);
            for (chance, said) in by_chance.iter_mut().zip(said) {
                let there = match said.standing {
                    0 => SEVERAL_TAKINGS * taking.peak.min(0.5),
                    standing => 1.0 - (1.0 - taking.peak).powi(standing as i32),
                };
                let odds = there * 10_f64.powf(said.log10.min(250.0));
                let here = (1.0 - there) / (1.0 - there + odds);
                *chance += taking.part / all * here;
            }
        }
        for ((number, ..), by_chance) in self.found.iter().zip(by_chance) {
            chance[*number] = by_chance;
        }
        chance
    }

    /// Which spans certainly stood in a gap.
    fn standing(&self, gap: &Gap) -> Vec<bool> {
        let spans = self.spans.iter().zip(&self.seen);
        spans
            .map(|(span, seen)| span.stood(gap.from) && (span.certain || *seen))
            .collect()
    }
}

/// The integral over shares and over rates of arrival; `arrived` batches certainly did.
fn over_rates(likelihood: ShareLikelihood, arrived: u32) -> Integral {
    let at = |rate: usize| {
        let arriving = (rate as f64 + 0.5) / RATES as f64;
        let likelihood = ShareLikelihood {
            arriving,
            ..likelihood.clone()
        };
        let mut integral = likelihood.integrate();
        integral.ln += f64::from(arrived) * arriving.ln() - (RATES as f64).ln();
        integral
    };
    let integrals: Vec<Integral> = (0..RATES).map(at).collect();
    let logs = integrals.iter().map(|integral| integral.ln);
    let top = logs.fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = (integrals.iter())
        .map(|integral| (integral.ln - top).exp())
        .sum();
    let mut all = Integral {
        ln: top + sum.ln(),
        peak: 0.0,
        points: Vec::new(),
    };
    for integral in integrals {
        let part = (integral.ln - top).exp() / sum;
        all.peak += part * integral.peak;
        all.points.extend(integral.points.iter().map(|point| Point {
            weight: point.weight * part,
            ..*point
        }));
    }
    all
}

/// Predicts which marks fail on the next canary, and which agree only nearly, from those before.
struct Patterns {
    rare: f64,
    seen: HashMap<(Marks, Marks), f64>,
    total: f64,
}

impl Patterns {
    fn new(columns: u32) -> Patterns {
        let others = 3_f64.powi(columns.min(30) as i32) - 1.0;
        Patterns {
            rare: 0.5 / others.max(1.0),
            seen: HashMap::new(),
            total: 0.0,
        }
    }

    fn predict(&self, failed: Marks, near: Marks) -> f64 {
        let prior = if failed.or(near) == Marks::default() {
            0.5
        } else {
            self.rare
        };
        let seen = self.seen.get(&(failed, near)).copied();
        (seen.unwrap_or_default() + prior) / (self.total + 1.0)
    }

    /// One canary more, as far as it is one.
    fn learn(&mut self, failed: Marks, near: Marks, weight: f64) {
        *self.seen.entry((failed, near)).or_default() += weight;
        self.total += weight;
    }
}
