//! Contact points that several sources share: which sources explain the ones found?
//!
//! Numbers are scarce, so canaries of several sources hold one. A list of numbers alone then shows
//! which numbers are in it, and not whose. It is a group test: number v is in the list unless each of
//! its holders is missing and no stranger has it,
//!
//! P(v missing) = (1 - q) Π (1 - s)^m over the sources, with share s and m holders each.
//!
//! For each source S the evidence is the probability of all that was found and missing, given that S
//! leaked, over its largest possible probability given that S did not, whatever the others did:
//!
//! - above: a mixture over sets of sources that hold S (k sources with probability 2^-k), over the
//!   shares of each (what its own canaries leave possible), and over the times when they were taken,
//!   all fixed beforehand. Terms that add little are left out, which makes the sum smaller: sets of the
//!   sources that their own canaries show, and of up to three more, are looked at;
//! - below: the maximum over the shares of all other sources, where even each batch may have a share
//!   of its own. In -ln(1 - s) the logarithm is concave, so the maximum is found, and a tangent bounds
//!   what is left to it.
//!
//! The expectation of such a ratio is at most 1 whichever of the others leaked (universal inference:
//! Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020), so that it multiplies with the evidence of the
//! source's own canaries and keeps its meaning. Where no source reaches the threshold alone, a set of
//! two to four may: 'at least one of these'.

use std::collections::{BTreeMap, HashSet};

use super::share::{Integral, ShareLikelihood};

/// A contact point, or what the list cannot tell from it, with the canaries that hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// (source, batch) of each holder.
    pub holders: Vec<(usize, u32)>,
    pub found: bool,
    /// log10 of the chance that some row shows it by chance.
    pub log10_by_chance: f64,
}

/// A time of a source: which of its batches stood, and how probable it is beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Time {
    pub standing: HashSet<u32>,
    pub prior: f64,
}

/// What the items say about one source, beside what its own canaries say.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    pub source: usize,
    /// log10 of the ratio that the shared items add to that of its own canaries.
    pub log10_more: f64,
    /// log10 of the ratio of both.
    pub log10_lr: f64,
}

/// Sources of which at least one leaked.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOf {
    /// Indices into the watch's sources.
    pub sources: Vec<usize>,
    /// log10 of the likelihood ratio against 'none of them'.
    pub log10_lr: f64,
}

/// What the shared contact points come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Sources that explain something, strongest first.
    pub suspects: Vec<Suspect>,
    /// The sources that explain all of it best.
    pub best: Vec<usize>,
    /// Sets of several sources, one of which must have leaked; the smallest first.
    pub one_of: Vec<OneOf>,
}

/// Most sources that shared contact points alone are taken to show.
const SOURCES: usize = 3;
/// log10 of the ratio from which a source's own canaries put it into every set that is looked at.
const SHOWN: f64 = 3.0;
/// Sets of each size that are looked at closely.
const KEPT: usize = 10;
/// Shares of each source that stand for its density.
const SHARES: usize = 12;
/// Times of each source that are looked at.
const TIMES: usize = 2;
/// Most sources of 'at least one of these'.
const SET: usize = 4;
/// -ln(1 - s) of a share that is as good as all.
const ALL: f64 = 30.0;
/// The maximum is found to so much, in natural logarithms.
const CLOSE: f64 = 0.02;

/// Decodes shared contact points. `items` are those that canaries of several sources hold, and the
/// sources' own units; `times` are each source's; `threshold` is what names a set of a number of
/// sources, in log10.
pub fn decode(items: &[Item], times: &[Vec<Time>], threshold: impl Fn(usize) -> f64) -> Decoded {
    let world = World::new(items, times);
    let sets = world.sets();
    let Some(best) = sets
        .iter()
        .max_by(|a, b| a.log_posterior().total_cmp(&b.log_posterior()))
    else {
        return Decoded::default();
    };
    let mut candidates: Vec<usize> = sets.iter().flat_map(|set| set.sources.clone()).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let mut suspects: Vec<Suspect> = candidates
        .into_iter()
        .map(|source| {
            let log10_lr = world.ratio(&sets, &[source]);
            Suspect {
                source,
                log10_more: log10_lr - world.own(source),
                log10_lr,
            }
        })
        .collect();
    suspects.sort_by(|one, other| other.log10_lr.total_cmp(&one.log10_lr));
    let mut one_of = Vec::new();
    if suspects
        .iter()
        .all(|suspect| suspect.log10_lr < threshold(1))
    {
        let mut set: Vec<usize> = Vec::new();
        while set.len() < SET && set.len() < suspects.len() {
            set.push(suspects[set.len()].source);
            let log10_lr = world.ratio(&sets, &set);
            if set.len() > 1 && log10_lr >= threshold(set.len()) {
                let mut sources = set;
                sources.sort_unstable();
                one_of.push(OneOf { sources, log10_lr });
                break;
            }
        }
    }
    Decoded {
        suspects,
        best: best.sources.clone(),
        one_of,
    }
}

/// A set of sources that may explain what was found.
struct Set {
    sources: Vec<usize>,
    /// ln of its probability beforehand times that of what was found.
    ln: f64,
}

impl Set {
    fn log_posterior(&self) -> f64 {
        self.ln
    }
}

/// One source at one time.
#[derive(Clone)]
struct Taking {
    standing: HashSet<u32>,
    ln_prior: f64,
    /// ln of the probability of its own units, over all shares.
    ln_own: f64,
    shares: Vec<f64>,
}

struct World<'a> {
    items: &'a [Item],
    /// Takings of each source, the ones that explain most first.
    takings: Vec<Vec<Taking>>,
    /// ln of the probability of each source's own units, over all times and shares.
    own: Vec<f64>,
    /// log10 of the chance of each source's own units that were found.
    by_chance: Vec<f64>,
    sources: usize,
}

impl<'a> World<'a> {
    fn new(items: &'a [Item], times: &[Vec<Time>]) -> World<'a> {
        let mut world = World {
            items,
            takings: Vec::new(),
            own: Vec::new(),
            by_chance: vec![0.0; times.len()],
            sources: times.len(),
        };
        for item in items.iter().filter(|item| item.found) {
            if let Some(source) = item.owner() {
                world.by_chance[source] += item.log10_by_chance;
            }
        }
        for (source, times) in times.iter().enumerate() {
            let mut takings = world.takings_of(source, times);
            let logs: Vec<f64> = takings.iter().map(|t| t.ln_prior + t.ln_own).collect();
            world.own.push(ln_sum(&logs));
            takings.truncate(TIMES);
            world.takings.push(takings);
        }
        world
    }

    fn takings_of(&self, source: usize, times: &[Time]) -> Vec<Taking> {
        let explained = |time: &&Time| {
            let found = self.items.iter().filter(|item| item.found);
            let explained = found.filter(|item| item.members(source, &time.standing) > 0);
            let missing = self.items.iter().filter(|item| !item.found);
            let missing: usize = missing
                .map(|item| item.members(source, &time.standing))
                .sum();
            (std::cmp::Reverse(explained.count()), missing)
        };
        let mut order: Vec<&Time> = times.iter().collect();
        order.sort_by_cached_key(explained);
        let taking = |time: &Time| {
            let mut likelihood = ShareLikelihood::default();
            let mut chance = 0.0;
            let mut groups: BTreeMap<usize, f64> = BTreeMap::new();
            let own = self.items.iter();
            for item in own.filter(|item| item.owner() == Some(source)) {
                let members = item.members(source, &time.standing);
                match (item.found, members) {
                    (true, 0) => chance += item.log10_by_chance,
                    (true, 1) => likelihood.found += 1.0,
                    (true, _) => *groups.entry(members).or_default() += 1.0,
                    (false, _) => likelihood.missing += members as f64,
                }
            }
            let groups = groups.into_iter();
            likelihood.groups = groups.map(|(size, n)| (size as f64, n)).collect();
            let integral = likelihood.integrate();
            Taking {
                standing: time.standing.clone(),
                ln_prior: time.prior.ln(),
                ln_own: integral.ln + chance * std::f64::consts::LN_10,
                shares: middles(&integral),
            }
        };
        order.into_iter().map(taking).collect()
    }

    /// log10 of what a source's own units say: its part of the ratio.
    fn own(&self, source: usize) -> f64 {
        self.own[source] / std::f64::consts::LN_10 - self.by_chance[source]
    }

    /// The sets that explain best, of each size.
    fn sets(&self) -> Vec<Set> {
        let useful: Vec<usize> = (0..self.sources)
            .filter(|source| {
                let found = self.items.iter().filter(|item| item.found);
                let mut found = found.filter(|item| item.holders.iter().any(|(s, _)| s == source));
                !self.takings[*source].is_empty() && found.next().is_some()
            })
            .collect();
        let mut kept: Vec<Set> = Vec::new();
        let shown = useful.iter().copied();
        let shown: Vec<usize> = shown.filter(|source| self.own(*source) > SHOWN).collect();
        let mut last: Vec<Vec<usize>> = vec![shown];
        kept.extend(self.set(&last[0]));
        for _ in 1..=SOURCES.min(useful.len() - last[0].len()) {
            let mut grown: Vec<(f64, Vec<usize>)> = Vec::new();
            for set in &last {
                for source in &useful {
                    let mut set = set.clone();
                    if set.contains(source) {
                        continue;
                    }
                    set.push(*source);
                    set.sort_unstable();
                    if grown.iter().all(|(_, known)| *known != set) {
                        grown.push((self.most(&|source, _| set.contains(&source)), set));
                    }
                }
            }
            grown.sort_by(|one, other| other.0.total_cmp(&one.0));
            grown.truncate(KEPT);
            last = grown.into_iter().map(|(_, set)| set).collect();
            kept.extend(last.iter().filter_map(|set| self.set(set)));
        }
        kept
    }

    fn set(&self, sources: &[usize]) -> Option<Set> {
        let size = sources.len();
        let prior = -(size as f64) * std::f64::consts::LN_2 - ln_choose(self.sources, size);
        (size > 0).then(|| Set {
            sources: sources.to_vec(),
            ln: prior + self.ln_of(sources),
        })
    }

    /// ln of the probability of all items, given that these sources leaked and no other.
    fn ln_of(&self, set: &[usize]) -> f64 {
        let strangers = (0..self.sources).filter(|source| !set.contains(source));
        let others: f64 = strangers.map(|source| self.by_chance[source]).sum();
        let mut logs = Vec::new();
        let mut choice = vec![0_usize; set.len()];
        loop {
            let mut takings: Vec<Taking> = (set.iter().zip(&choice))
                .map(|(source, time)| self.takings[*source][*time].clone())
                .collect();
            // Many sources have too many combinations of shares for all of these.
            let step = [1, 1, 1, 1, 2].get(set.len()).copied().unwrap_or(4);
            for taking in &mut takings {
                taking.shares = taking.shares.iter().copied().step_by(step).collect();
            }
            let fixed: f64 = takings.iter().map(|t| t.ln_prior + t.ln_own).sum();
            logs.push(fixed + self.ln_shared(set, &takings));
            // The next combination of times.
            let next = (0..set.len()).find(|at| choice[*at] + 1 < self.takings[set[*at]].len());
            let Some(next) = next else { break };
            choice[next] += 1;
            choice[..next].fill(0);
        }
        ln_sum(&logs) + others * std::f64::consts::LN_10
    }

    /// ln of the probability of the shared items, over the shares that the takings leave possible.
    fn ln_shared(&self, set: &[usize], takings: &[Taking]) -> f64 {
        // Items with the same holders among the set behave alike.
        let mut kinds: BTreeMap<(bool, Vec<usize>), (f64, f64)> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.owner().is_none()) {
            let members: Vec<usize> = (set.iter().zip(takings))
                .map(|(source, taking)| item.members(*source, &taking.standing))
                .collect();
            let kind = kinds.entry((item.found, members)).or_default();
            kind.0 += 1.0;
            kind.1 += item.log10_by_chance * std::f64::consts::LN_10;
        }
        let mut logs = Vec::new();
        let mut at = vec![0_usize; set.len()];
        loop {
            let mut ln = 0.0;
            for ((found, members), (count, by_chance)) in &kinds {
                let missing: f64 = members
                    .iter()
                    .zip(takings)
                    .zip(&at)
                    .map(|((members, taking), at)| {
                        let rest = 1.0 - taking.shares[*at];
                        rest.max(1e-13).ln() * *members as f64
                    })
                    .sum();
                ln += match found {
                    false => count * missing,
                    true if missing == 0.0 => *by_chance,
                    true => {
                        let chance = (by_chance / count).exp();
                        count * (1.0 - (1.0 - chance) * missing.exp()).ln()
                    }
                };
            }
            logs.push(ln);
            let next = (0..set.len()).find(|place| at[*place] + 1 < takings[*place].shares.len());
            let Some(next) = next else { break };
            at[next] += 1;
            at[..next].fill(0);
        }
        ln_sum(&logs) - (logs.len() as f64).ln()
    }

    /// log10 of the ratio for 'at least one of these sources'.
    fn ratio(&self, sets: &[Set], sources: &[usize]) -> f64 {
        let with = sets
            .iter()
            .filter(|set| set.sources.iter().any(|source| sources.contains(source)));
        let logs: Vec<f64> = with.map(|set| set.ln).collect();
        let without = self.most(&|source, _| !sources.contains(&source));
        (ln_sum(&logs) - without) / std::f64::consts::LN_10
    }

    /// ln of the largest probability of all items where only some batches may have leaked.
    fn most(&self, may: &dyn Fn(usize, u32) -> bool) -> f64 {
        let mut places: BTreeMap<(usize, u32), usize> = BTreeMap::new();
        let mut weights: Vec<f64> = Vec::new();
        let mut found: Vec<(f64, Vec<usize>)> = Vec::new();
        let mut fixed = 0.0;
        for item in self.items {
            let holders = item.holders.iter();
            let mut members: Vec<usize> = Vec::new();
            for (source, batch) in holders.filter(|(source, batch)| may(*source, *batch)) {
                let next = places.len();
                let place = *places.entry((*source, *batch)).or_insert(next);
                weights.resize(places.len(), 0.0);
                members.push(place);
            }
            let by_chance = item.log10_by_chance.min(-1e-9) * std::f64::consts::LN_10;
            match item.found {
                true if members.is_empty() => fixed += by_chance,
                true => found.push((by_chance.exp(), members)),
                false => members.iter().for_each(|place| weights[*place] += 1.0),
            }
        }
        fixed + Slope::new(found, weights).top()
    }
}

/// Σ ln(1 - (1 - q) e^-x) - Σ w λ, where x is the sum of an item's λ = -ln(1 - s).
struct Slope {
    found: Vec<(f64, Vec<usize>)>,
    weights: Vec<f64>,
    /// The items of each place, with how often it is in them.
    of: Vec<BTreeMap<usize, f64>>,
}

impl Slope {
    fn new(found: Vec<(f64, Vec<usize>)>, weights: Vec<f64>) -> Slope {
        let mut of: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); weights.len()];
        for (item, (_, members)) in found.iter().enumerate() {
            for place in members {
                *of[*place].entry(item).or_default() += 1.0;
            }
        }
        Slope { found, weights, of }
    }

    /// A bound of the maximum from above, close to it.
    fn top(&self) -> f64 {
        let mut at: Vec<f64> = (self.weights.iter())
            .map(|weight| if *weight > 0.0 { 0.1 } else { ALL })
            .collect();
        let mut sums: Vec<f64> = (self.found.iter())
            .map(|(_, members)| members.iter().map(|place| at[*place]).sum())
            .collect();
        let mut bound = f64::INFINITY;
        for _ in 0..200 {
            for place in 0..at.len() {
                if self.weights[place] > 0.0 {
                    self.climb(place, &mut at, &mut sums);
                }
            }
            let value = self.value(&at, &sums);
            // A concave function lies below its tangent.
            let left: f64 = (0..at.len())
                .map(|place| {
                    let slope = self.slope(place, 0.0, &sums);
                    (slope * (ALL - at[place])).max(-slope * at[place])
                })
                .sum();
            bound = bound.min(value + left);
            if left < CLOSE {
                break;
            }
        }
        bound
    }

    fn value(&self, at: &[f64], sums: &[f64]) -> f64 {
        let found = self.found.iter().zip(sums);
        let found: f64 = found
            .map(|((chance, _), sum)| (1.0 - (1.0 - chance) * (-sum).exp()).ln())
            .sum();
        let missing: f64 = self.weights.iter().zip(at).map(|(w, at)| w * at).sum();
        found - missing
    }

    /// The slope along one place, when that is moved by a step.
    fn slope(&self, place: usize, step: f64, sums: &[f64]) -> f64 {
        let rise = self.of[place].iter().map(|(item, times)| {
            let kept = (1.0 - self.found[*item].0) * (-(sums[*item] + times * step)).exp();
            times * kept / (1.0 - kept).max(1e-300)
        });
        rise.sum::<f64>() - self.weights[place]
    }

    fn climb(&self, place: usize, at: &mut [f64], sums: &mut [f64]) {
        let (mut low, mut high) = (-at[place], ALL - at[place]);
        if self.slope(place, low, sums) <= 0.0 {
            high = low;
        }
        while high - low > 1e-9 {
            let middle = (low + high) / 2.0;
            if self.slope(place, middle, sums) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let step = (low + high) / 2.0;
        at[place] += step;
        for (item, times) in &self.of[place] {
            sums[*item] += times * step;
        }
    }
}

impl Item {
    /// The source that alone holds it.
    fn owner(&self) -> Option<usize> {
        let (first, _) = self.holders.first()?;
        (self.holders.iter())
            .all(|(source, _)| source == first)
            .then_some(*first)
    }

    fn members(&self, source: usize, standing: &HashSet<u32>) -> usize {
        let holders = self.holders.iter();
        let own = holders.filter(|(of, batch)| *of == source && standing.contains(batch));
        own.count()
    }
}

/// Shares that stand for a density: each for an equal part of it.
fn middles(integral: &Integral) -> Vec<f64> {
    let mut sum = 0.0;
    let mut points = integral.points.iter();
    let mut share = integral.peak;
    let part = |n: usize| (n as f64 + 0.5) / SHARES as f64;
    let mut middle = |part: f64| {
        while sum < part
            && let Some(point) = points.next()
        {
            sum += point.weight;
            share = point.share;
        }
        share
    };
    (0..SHARES).map(|n| middle(part(n))).collect()
}

fn ln_sum(logs: &[f64]) -> f64 {
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + logs.iter().map(|ln| (ln - top).exp()).sum::<f64>().ln()
}

/// ln of the number of sets of a size.
pub fn ln_choose(all: usize, chosen: usize) -> f64 {
    (0..chosen.min(all))
        .map(|n| ((all - n) as f64 / (n + 1) as f64).ln())
        .sum()
}
