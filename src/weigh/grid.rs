//! One channel's ratio, summed over what is unknown on fixed grids.

use super::{LEAKED, Reach, Seen};

/// The rate of strays against the stated one, as powers of ten, and how probable each is.
const RATES: [(f64, f64); 5] = [(-1.0, 0.1), (-0.5, 0.2), (0.0, 0.4), (0.5, 0.2), (1.0, 0.1)];
/// Chances at which a contact point is reached by whoever has the list, or sweeps: 10^-4 to 1.
const DECADES: f64 = 4.0;
const STEPS: usize = 33;
/// How many of those who have a list do not use a channel.
pub(super) const UNUSED: f64 = 0.5;
/// Nobody watches for less than a day.
const DAY: f64 = 1.0 / 365.25;
/// So many further points are looked at one by one, and the rest in growing steps.
const NEXT: u32 = 256;

/// See [`Seen::log10_lr`]. The grids leave dips of a few hundredths; where as much or more would say less,
/// that is what is said.
pub(super) fn log10_lr(seen: &Seen) -> f64 {
    let others = Others::of(seen);
    let mut here = seen.here;
    let mut least = ratio(&here, &others);
    let mut step = 1;
    while here.reached < here.points {
        let reached = here.reached.saturating_add(step);
        here.reached = reached.min(here.points);
        least = least.min(ratio(&here, &others));
        if reached > seen.here.reached + NEXT {
            step += step / 4 + 1;
        }
    }
    least
}

/// What the other sources say, which is the same however many of this one's points were reached: logarithms of
/// probabilities.
struct Others {
    strays: f64,
    sweep: f64,
    /// For each of the [`RATES`], without a sweep.
    calm: [f64; RATES.len()],
    /// And in one, for each of the [`chances`].
    swept: [[f64; STEPS]; RATES.len()],
}

impl Others {
    fn of(seen: &Seen) -> Others {
        let background = seen.way.background();
        let years =
            (seen.elsewhere.iter().map(|other| other.years)).fold(seen.here.years, f64::max);
        let mut others = Others {
            strays: background.strays,
            sweep: 1.0 - (-background.sweeps * years.max(DAY)).exp(),
            calm: [0.0; RATES.len()],
            swept: [[0.0; STEPS]; RATES.len()],
        };
        for (at, (power, _)) in RATES.iter().enumerate() {
            let rate = background.strays * 10_f64.powf(*power);
            for other in &seen.elsewhere {
                // It may have leaked itself.
                let mut sum = Sum::default();
                sum.add((1.0 - LEAKED).ln() + reached(rate, 0.0, other));
                for (step, (extra, part)) in chances().enumerate() {
                    let there = reached(rate, extra, other);
                    sum.add((LEAKED * part).ln() + there);
                    others.swept[at][step] += there;
                }
                others.calm[at] += sum.ln();
            }
        }
        others
    }
}

/// The ratio itself.
fn ratio(seen: &Reach, others: &Others) -> f64 {
    if seen.points == 0 {
        return 0.0;
    }
    let sweep = others.sweep;
    let mut leak = Sum::default();
    let mut chance = Sum::default();
    for (at, (power, weight)) in RATES.into_iter().enumerate() {
        let rate = others.strays * 10_f64.powf(power);
        let here = |extra| reached(rate, extra, seen);
        let calm = (weight * (1.0 - sweep)).ln() + here(0.0) + others.calm[at];
        chance.add(calm);
        leak.add(UNUSED.ln() + calm);
        for ((extra, part), there) in chances().zip(others.swept[at]) {
            let swept = (weight * sweep * part).ln() + here(extra) + there;
            chance.add(swept);
            leak.add(UNUSED.ln() + swept);
            leak.add((weight * (1.0 - UNUSED) * part).ln() + here(extra) + others.calm[at]);
        }
    }
    (leak.ln() - chance.ln()) / std::f64::consts::LN_10
}

/// The logarithm of the probability of what was reached, where each point is reached by strays or else with
/// another chance. In how many ways the points can be chosen is the same under either hypothesis.
fn reached(rate: f64, extra: f64, reach: &Reach) -> f64 {
    let missed = (-extra).ln_1p() - rate * reach.years.max(DAY);
    let hit = (-missed.exp_m1()).ln();
    let hits = f64::from(reach.reached.min(reach.points));
    let silent = f64::from(reach.points) - hits;
    let hits = if hits > 0.0 { hits * hit } else { 0.0 };
    hits + silent * missed
}

/// Chances at which a contact point is reached, each with its probability. The last is a hair below
/// certainty: somebody is always away.
pub(super) fn chances() -> impl Iterator<Item = (f64, f64)> {
    (0..STEPS).map(|step| {
        let power = -DECADES * (1.0 - step as f64 / (STEPS - 1) as f64);
        (0.999 * 10_f64.powf(power), 1.0 / STEPS as f64)
    })
}

/// A sum of numbers given by their logarithms.
pub(super) struct Sum {
    top: f64,
    scaled: f64,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum {
            top: f64::NEG_INFINITY,
            scaled: 0.0,
        }
    }
}

impl Sum {
    pub(super) fn add(&mut self, ln: f64) {
        if ln > self.top {
            self.scaled = self.scaled * (self.top - ln).exp() + 1.0;
            self.top = ln;
        } else if ln > f64::NEG_INFINITY {
            self.scaled += (ln - self.top).exp();
        }
    }

    pub(super) fn ln(&self) -> f64 {
        self.top + self.scaled.ln()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::super::Way;
    use super::*;

    fn seen(way: Way, here: (u32, u32), elsewhere: (u32, u32), years: f64) -> Seen {
        let reach = |(points, reached)| Reach {
            points,
            reached,
            years,
        };
        Seen {
            way,
            here: reach(here),
            elsewhere: vec![reach(elsewhere)],
        }
    }

    /// The ratio as it comes from the grids.
    fn ratio(seen: &Seen) -> f64 {
        super::ratio(&seen.here, &Others::of(seen))
    }

    fn stray(rate: f64, years: f64) -> f64 {
        1.0 - (-rate * years).exp()
    }

    /// Background as the module states it, drawn.
    fn drawn(way: Way, points: (u32, u32), years: f64, rng: &mut StdRng) -> Seen {
        let background = way.background();
        let mut left: f64 = rng.random();
        let power = RATES.iter().find(|(_, weight)| {
            left -= weight;
            left <= 0.0
        });
        let rate = background.strays * 10_f64.powf(power.map_or(1.0, |(power, _)| *power));
        let swept = rng.random::<f64>() < 1.0 - (-background.sweeps * years).exp();
        let extra = match swept {
            true => {
                let step = rng.random_range(0..STEPS);
                chances().nth(step).unwrap().0
            }
            false => 0.0,
        };
        let reach = |points: u32, rng: &mut StdRng| {
            let mut reach = Reach {
                points,
                reached: 0,
                years,
            };
            let chance = 1.0 - (1.0 - stray(rate, years)) * (1.0 - extra);
            let hit = (0..points).filter(|_| rng.random::<f64>() < chance);
            reach.reached = hit.count() as u32;
            reach
        };
        Seen {
            way,
            here: reach(points.0, rng),
            elsewhere: vec![reach(points.1, rng)],
        }
    }

    /// Over background alone, drawn as stated and with all channels multiplied, a ratio of 1,000 comes at
    /// most once in a thousand, and one of 100 at most once in a hundred.
    #[test]
    fn background_accuses_nobody() {
        let mut rng = StdRng::seed_from_u64(8);
        for (points, years) in [((20, 0), 0.2), ((50, 200), 1.0), ((5, 5), 3.0)] {
            let rounds = 4_000;
            let (mut thousand, mut hundred) = (0, 0);
            for _ in 0..rounds {
                let all = Way::ALL.iter();
                let log10: f64 = all
                    .map(|way| ratio(&drawn(*way, points, years, &mut rng)))
                    .sum();
                thousand += u32::from(log10 >= 3.0);
                hundred += u32::from(log10 >= 2.0);
            }
            assert!(
                thousand * 1_000 <= rounds,
                "{thousand} of {rounds}: {points:?}"
            );
            assert!(hundred * 100 <= rounds, "{hundred} of {rounds}: {points:?}");
        }
    }

    /// Its expectation under background is 1: summed over every outcome, not drawn.
    #[test]
    fn the_expectation_under_background_is_one() {
        // And what is said in the end is never more than the ratio.
        let choose =
            |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        for way in Way::ALL {
            let (mut all, mut expected) = (0.0, 0.0);
            let (points, others, years) = (6, 4, 0.7);
            for hit in 0..=points {
                for other in 0..=others {
                    let seen = seen(way, (points, hit), (others, other), years);
                    let chance = probability(&seen) * choose(points, hit) * choose(others, other);
                    all += chance;
                    let ratio = ratio(&seen);
                    assert!(seen.log10_lr() <= ratio);
                    expected += chance * 10_f64.powf(ratio);
                }
            }
            assert!((all - 1.0).abs() < 1e-9, "{way:?}: {all}");
            assert!((expected - 1.0).abs() < 1e-9, "{way:?}: {expected}");
        }
    }

    /// P(data | H0), written down by itself.
    fn probability(seen: &Seen) -> f64 {
        let background = seen.way.background();
        let sweep = 1.0 - (-background.sweeps * seen.here.years).exp();
        let mut sum = 0.0;
        for (power, weight) in RATES {
            let rate = background.strays * 10_f64.powf(power);
            let one = |reach: &Reach, extra: f64| {
                let hit = 1.0 - (1.0 - stray(rate, reach.years)) * (1.0 - extra);
                hit.powi(reach.reached as i32)
                    * (1.0 - hit).powi((reach.points - reach.reached) as i32)
            };
            let other = &seen.elsewhere[0];
            let leaked: f64 = chances()
                .map(|(extra, part)| part * one(other, extra))
                .sum();
            let calm = one(&seen.here, 0.0) * ((1.0 - LEAKED) * one(other, 0.0) + LEAKED * leaked);
            let at = |extra: f64| one(&seen.here, extra) * one(other, extra);
            sum += weight * (1.0 - sweep) * calm;
            let swept = chances().map(|(extra, part)| part * at(extra));
            sum += weight * sweep * swept.sum::<f64>();
        }
        sum
    }

    /// One more contact point reached never speaks against the leak; those elsewhere never for it.
    #[test]
    fn more_evidence_is_never_less() {
        for way in Way::ALL {
            for (points, others) in [(1, 0), (10, 0), (30, 100), (60, 20)] {
                for years in [0.01, 0.3, 2.0] {
                    let mut before = f64::NEG_INFINITY;
                    for hit in 0..=points {
                        let now = seen(way, (points, hit), (others, 0), years).log10_lr();
                        assert!(now >= before, "{way:?} {hit} of {points}: {before} {now}");
                        before = now;
                    }
                    let calm = seen(way, (points, 1), (others, 0), years).log10_lr();
                    let busy = seen(way, (points, 1), (others, others), years).log10_lr();
                    assert!(busy <= calm + 0.1, "{way:?}: {busy} {calm}");
                }
            }
        }
    }

    /// Whoever writes to everybody on two lists and to nobody on a third has two lists; whoever writes to
    /// everybody there is may have any of them, or none.
    #[test]
    fn a_buyer_of_two_lists_is_no_sweep() {
        let reach = |reached| Reach {
            points: 15,
            reached,
            years: 0.1,
        };
        let say = |others: &[u32]| {
            let seen = Seen {
                way: Way::Mail,
                here: reach(15),
                elsewhere: others.iter().map(|reached| reach(*reached)).collect(),
            };
            seen.log10_lr()
        };
        assert!(say(&[15, 0]) > 4.0, "{}", say(&[15, 0]));
        assert!(say(&[15, 15, 0, 0]) > 4.0, "{}", say(&[15, 15, 0, 0]));
        assert!(say(&[0, 0]) > say(&[15, 0]));
        assert!(say(&[15, 15]) < 2.0, "{}", say(&[15, 15]));
    }

    #[test]
    fn what_the_channels_say() {
        let months = 0.25;
        // One stray call accuses nobody, and neither do calls to every number there is.
        assert!(seen(Way::Phone, (5, 1), (20, 2), months).log10_lr() < 0.3);
        assert!(seen(Way::Phone, (5, 5), (20, 20), months).log10_lr() < 0.5);
        // Agreement across the numbers of one source does.
        assert!(seen(Way::Phone, (5, 5), (20, 1), months).log10_lr() > 1.5);
        // A letter says more than a mail, and a mail more than a call.
        let one = |way| seen(way, (20, 1), (20, 0), months).log10_lr();
        assert!(one(Way::Post) > one(Way::Mail) && one(Way::Mail) > one(Way::Phone));
        assert!(one(Way::Post) > 1.0);
        // Nothing at all is never for the leak.
        for way in Way::ALL {
            let nothing = seen(way, (20, 0), (20, 0), months).log10_lr();
            assert!((-0.31..=0.0).contains(&nothing), "{way:?}: {nothing}");
        }
        assert_eq!(seen(Way::Post, (0, 0), (9, 0), months).log10_lr(), 0.0);
    }
}
