//! How often numbers are called by nobody's doing.

use statrs::function::gamma::ln_gamma;

use super::Line;

/// The mean rate before anything is known, in events a year, and how far off it may be: a factor of ten either
/// way is two standard deviations.
const MEAN: f64 = 2.0;
const MEAN_SPREAD: f64 = std::f64::consts::LN_10 / 2.0;
/// The shape of the rates' spread before anything is known (at 0.5, one number in ten has a hundredth of the mean,
/// and one in twenty four times as much), and how far off its logarithm may be.
const SHAPE: f64 = 0.5;
const SHAPE_SPREAD: f64 = 0.7;
/// Shapes beyond are not told from these by any pool.
const SHAPES: (f64, f64) = (0.1, 10.0);
/// How far off the mean of all kinds may be together, as powers of ten.
const LEVELS: [f64; 13] = [
    -1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5,
];
/// How much background may have risen since the burn-in, and how probable that is.
const RISES: [(f64, f64); 3] = [(1.0, 0.7), (2.0, 0.2), (4.0, 0.1)];

/// A gamma distribution of rates, in events a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gamma {
    pub(super) shape: f64,
    /// Shape over mean: years.
    pub(super) years: f64,
}

impl Gamma {
    /// What a line's own burn-in makes of it.
    pub(super) fn after(self, line: &Line) -> Gamma {
        Gamma {
            shape: self.shape + f64::from(line.burn_in_events),
            years: self.years + line.burn_in_years,
        }
    }

    /// The logarithm of the negative-binomial chance of so many events in so many years.
    pub(super) fn ln_chance(self, events: u32, years: f64) -> f64 {
        let none = -self.shape * (years / self.years).ln_1p();
        if events == 0 {
            return none;
        }
        let n = f64::from(events);
        none + ln_gamma(self.shape + n) - ln_gamma(self.shape) - ln_gamma(n + 1.0)
            + n * (years / (self.years + years)).ln()
    }

    /// The same, with rates that are so many times as high.
    pub(super) fn times(self, factor: f64) -> Gamma {
        Gamma {
            years: self.years / factor,
            ..self
        }
    }
}

/// A possible state of the background of all numbers.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// Against the estimated means.
    pub(super) factor: f64,
    /// Against the burn-in.
    pub(super) rise: f64,
    /// How probable it is.
    pub(super) ln_weight: f64,
}

/// What burn-in says of the numbers of a pool.
#[derive(Clone, Debug)]
pub struct Background {
    kinds: Vec<(String, Gamma)>,
    levels: Vec<Level>,
}

impl Background {
    /// Estimates it from the burn-in of all numbers. One that was not listened to says nothing.
    pub fn of(lines: &[Line]) -> Background {
        let mut names: Vec<&str> = lines.iter().map(|line| kind(&line.number)).collect();
        names.sort_unstable();
        names.dedup();
        let kinds: Vec<(String, Gamma)> = names
            .into_iter()
            .map(|name| {
                let of_kind = lines.iter().filter(|line| kind(&line.number) == name);
                let known: Vec<&Line> = of_kind.filter(|line| line.burn_in_years > 0.0).collect();
                let spread = estimate(&known);
                (name.to_owned(), spread)
            })
            .collect();
        let mut background = Background {
            kinds,
            levels: Vec::new(),
        };
        let ln_weights = LEVELS.map(|power| background.ln_level(lines, 10_f64.powf(power)));
        let most = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all: f64 = ln_weights.iter().map(|weight| (weight - most).exp()).sum();
        for (power, ln_weight) in LEVELS.iter().zip(ln_weights) {
            for (rise, chance) in RISES {
                background.levels.push(Level {
                    factor: 10_f64.powf(*power),
                    rise,
                    ln_weight: ln_weight - most - all.ln() + f64::ln(chance),
                });
            }
        }
        // What is this improbable changes no sum by much.
        background.levels.retain(|level| level.ln_weight > -9.0);
        background
    }

    /// How rates of a number of this kind are spread, before its own burn-in.
    fn spread(&self, number: &str) -> Gamma {
        let kind = kind(number);
        let found = self.kinds.iter().find(|(name, _)| *name == kind);
        found.map_or(STATED, |(_, spread)| *spread)
    }

    /// The posterior of a line's rate at a level.
    pub(super) fn rate(&self, line: &Line, level: &Level) -> Gamma {
        let spread = self.spread(&line.number).times(level.factor);
        spread.after(line).times(level.rise)
    }

    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    fn ln_level(&self, lines: &[Line], factor: f64) -> f64 {
        let known = lines.iter().filter(|line| line.burn_in_years > 0.0);
        let burnt = known.map(|line| {
            let spread = self.spread(&line.number).times(factor);
            spread.ln_chance(line.burn_in_events, line.burn_in_years)
        });
        let stated = self.kinds.iter().map(|(_, spread)| {
            let mean = spread.shape / spread.years * factor;
            -((mean / MEAN).ln() / MEAN_SPREAD).powi(2) / 2.0
        });
        burnt.sum::<f64>() + stated.sum::<f64>()
    }
}

const STATED: Gamma = Gamma {
    shape: SHAPE,
    years: SHAPE / MEAN,
};

/// The most probable spread, by turns in the mean and the shape. Without any burn-in it is the stated one.
fn estimate(known: &[&Line]) -> Gamma {
    let (mut ln_mean, mut ln_shape) = (MEAN.ln(), SHAPE.ln());
    let ln_posterior = |ln_mean: f64, ln_shape: f64| {
        let shape = ln_shape.exp();
        let spread = Gamma {
            shape,
            years: shape / ln_mean.exp(),
        };
        let burnt =
            (known.iter()).map(|line| spread.ln_chance(line.burn_in_events, line.burn_in_years));
        let off = |value: f64, stated: f64, spread: f64| -((value - stated.ln()) / spread).powi(2);
        burnt.sum::<f64>()
            + off(ln_mean, MEAN, MEAN_SPREAD) / 2.0
            + off(ln_shape, SHAPE, SHAPE_SPREAD) / 2.0
    };
    if !known.is_empty() {
        for _ in 0..6 {
            ln_mean = top((-7.0, 7.0), |mean| ln_posterior(mean, ln_shape));
            ln_shape = top((SHAPES.0.ln(), SHAPES.1.ln()), |shape| {
                ln_posterior(ln_mean, shape)
            });
        }
    }
    let shape = ln_shape.exp();
    Gamma {
        shape,
        years: shape / ln_mean.exp(),
    }
}

/// Where a function with one top has it, by golden sections.
fn top((mut low, mut high): (f64, f64), of: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    while high - low > 0.01 {
        let step = GOLDEN * (high - low);
        match of(high - step) > of(low + step) {
            true => high = low + step,
            false => low = high - step,
        }
    }
    (low + high) / 2.0
}

/// Numbers that are called alike: one country's mobiles, or its others.
fn kind(number: &str) -> &str {
    match number.as_bytes() {
        [b'+', b'8', b'1', b'5'..=b'9', b'0', ..] => "+81 mobile",
        [b'+', b'8', b'1', ..] => "+81",
        [b'+', b'1', ..] => "+1",
        _ => number.get(..3).unwrap_or(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32, years: f64, events: u32) -> Line {
        Line {
            number: format!("+8130123{number:04}"),
            burn_in_years: years,
            burn_in_events: events,
            years: 1.0,
            ours: true,
        }
    }

    fn mean(spread: Gamma) -> f64 {
        spread.shape / spread.years
    }

    #[test]
    fn without_burn_in_it_is_as_stated() {
        let background = Background::of(&[line(1, 0.0, 0), line(2, 0.0, 0)]);
        assert_eq!(background.spread("+81301230001"), STATED);
        let all: f64 = background.levels.iter().map(|l| l.ln_weight.exp()).sum();
        assert!((all - 1.0).abs() < 1e-3, "{all}");
    }

    #[test]
    fn quiet_pools_are_quiet_and_loud_ones_loud() {
        let of = |events: u32| {
            let lines: Vec<Line> = (0..40).map(|n| line(n, 0.25, events)).collect();
            mean(Background::of(&lines).spread("+81301230001"))
        };
        assert!(of(0) < 0.5, "{}", of(0));
        assert!((6.0..10.0).contains(&of(2)), "{}", of(2));
        // Mobiles are another kind, of which nothing is known here.
        let quiet: Vec<Line> = (0..40).map(|n| line(n, 0.25, 0)).collect();
        assert_eq!(Background::of(&quiet).spread("+819001230001"), STATED);
    }

    #[test]
    fn a_number_s_own_burn_in_counts() {
        let lines = [line(1, 1.0, 0), line(2, 1.0, 30)];
        let background = Background::of(&lines);
        let level = &background.levels[0];
        let [calm, loud] = [0, 1].map(|at: usize| mean(background.rate(&lines[at], level)));
        assert!(loud > 10.0 * calm, "{calm} {loud}");
    }

    #[test]
    fn chances_sum_to_one() {
        let spread = Gamma {
            shape: 0.7,
            years: 0.4,
        };
        let all: f64 = (0..400).map(|n| spread.ln_chance(n, 0.3).exp()).sum();
        assert!((all - 1.0).abs() < 1e-6, "{all}");
    }
}
