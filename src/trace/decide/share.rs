//! The share of a source that a list holds, from the canaries found and missing.
//!
//! A canary stands for its source's rows: each is in the list with probability s, the share leaked.
//! Before looking, every share is taken for equally likely (the uniform prior of Laplace's rule), so
//! that k of n canaries give s the density Beta(k + 1, n - k + 1). Canaries that the list's columns
//! cannot tell apart are found together: g of them with probability 1 - (1 - s)^g. A batch of which
//! nobody knows whether it ever arrived, and which nothing shows, is silent with
//! probability 1 - a + a (1 - s)^g, where a is the rate at which such batches arrive. Where chance may
//! have found a canary, it is one of the share with s times what that explains, or it is missing with
//! 1 - s: so chance takes out of the share what it put in.
//!
//! The estimate is the likeliest share, k / n, which is right on the average whatever the truth is;
//! the mean of the density would pull small leaks up. The interval is the shortest that holds the
//! level, so that a list with all canaries reaches 100%.

/// What n canaries say about the share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareLikelihood {
    /// Canaries found one by one.
    pub found: f64,
    /// Canaries missing, those of missing groups each by itself.
    pub missing: f64,
    /// Groups found, by their size.
    pub groups: Vec<(f64, f64)>,
    /// What chance may have found.
    pub doubtful: Vec<Doubtful>,
    /// Batches that perhaps never arrived, by their size.
    pub perhaps: Vec<(f64, f64)>,
    /// The rate at which they arrive.
    pub arriving: f64,
}

/// Canaries, or groups of a size, that rows agree with so that chance may be all there is to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubtful {
    pub size: f64,
    /// How many times better it is explained by their being in the list than by chance.
    pub ratio: f64,
    pub count: f64,
}

/// Steps of the integral. The density falls to e^-40 at its ends, so a bell has 20 steps per standard
/// deviation.
const STEPS: usize = 400;
/// How far the logarithm falls before the rest is nothing.
const DEPTH: f64 = 40.0;
/// Steps of the search for the peak.
const LOOKS: usize = 32;

/// A piece of a density over shares; the weights sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its middle.
    pub share: f64,
    /// Half its width.
    pub half: f64,
    /// The probability that the share is in it.
    pub weight: f64,
}

/// A likelihood integrated over all shares.
#[derive(Clone, Debug)]
pub struct Integral {
    /// The integral's natural logarithm.
    pub ln: f64,
    /// The likeliest share.
    pub peak: f64,
    /// The posterior density.
    pub points: Vec<Point>,
}

impl ShareLikelihood {
    /// The natural logarithm of the likelihood of a share.
    fn ln(&self, share: f64) -> f64 {
        let term = |count: f64, ln: f64| if count > 0.0 { count * ln } else { 0.0 };
        let rest = (-share).ln_1p();
        let groups: f64 = self
            .groups
            .iter()
            .map(|(size, count)| term(*count, (-(size * rest).exp_m1()).ln()))
            .sum();
        let arriving = self.arriving;
        let perhaps: f64 = (self.perhaps.iter())
            .map(|(size, count)| count * (1.0 - arriving + arriving * (size * rest).exp()).ln())
            .sum();
        let doubtful: f64 = (self.doubtful.iter())
            .map(|doubtful| {
                let missing = (doubtful.size * rest).exp();
                doubtful.count * (missing + (1.0 - missing) * doubtful.ratio).ln()
            })
            .sum();
        term(self.found, share.ln()) + term(self.missing, rest) + groups + perhaps + doubtful
    }

    /// The integral over all shares, its peak, and the posterior density.
    pub fn integrate(&self) -> Integral {
        let peak = self.peak();
        let top = self.ln(peak);
        let edge = |outside: f64| {
            let (mut inside, mut outside) = (peak, outside);
            for _ in 0..40 {
                let middle = (inside + outside) / 2.0;
                if self.ln(middle) > top - DEPTH {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            outside
        };
        let (from, to) = (edge(0.0), edge(1.0));
        let step = (to - from) / STEPS as f64;
        let mut points: Vec<Point> = (0..STEPS)
            .map(|place| {
                let share = from + (place as f64 + 0.5) * step;
                Point {
                    share,
                    half: step / 2.0,
                    weight: (self.ln(share) - top).exp(),
                }
            })
            .collect();
        let sum: f64 = points.iter().map(|point| point.weight).sum();
        points.iter_mut().for_each(|point| point.weight /= sum);
        Integral {
            ln: top + (sum * step).ln(),
            peak,
            points,
        }
    }

    /// Every term but those of doubtful batches is concave, so that a coarse look finds the right
    /// hill and thirds find its top.
    fn peak(&self) -> f64 {
        if self.groups.is_empty() && self.perhaps.is_empty() && self.doubtful.is_empty() {
            return self.found / (self.found + self.missing).max(1.0);
        }
        let at = |look: usize| look as f64 / LOOKS as f64;
        let best = (1..LOOKS)
            .max_by(|one, other| self.ln(at(*one)).total_cmp(&self.ln(at(*other))))
            .unwrap_or(1);
        let (mut low, mut high) = (at(best - 1), at(best + 1));
        for _ in 0..60 {
            let third = (high - low) / 3.0;
            if self.ln(low + third) < self.ln(high - third) {
                low += third;
            } else {
                high -= third;
            }
        }
        (low + high) / 2.0
    }
}

/// An estimate with the interval that holds the truth with the stated probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The likeliest value.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// An interval around its estimate, whatever rounding has done.
    pub fn around(estimate: f64, low: f64, high: f64) -> Interval {
        Interval {
            estimate,
            low: low.min(estimate),
            high: high.max(estimate),
        }
    }
}

/// The shortest interval that holds `level` of a mixture of densities with their weights.
pub fn interval<'a>(
    estimate: f64,
    mixture: impl IntoIterator<Item = (f64, &'a [Point])>,
    level: f64,
) -> Interval {
    let mut points: Vec<Point> = Vec::new();
    for (part, density) in mixture {
        points.extend(density.iter().map(|point| Point {
            weight: point.weight * part,
            ..*point
        }));
    }
    points.sort_by(|one, other| one.share.total_cmp(&other.share));
    let wanted = level * points.iter().map(|point| point.weight).sum::<f64>();
    let mut best = (f64::INFINITY, estimate, estimate);
    let (mut end, mut held) = (0, 0.0);
    for start in 0..points.len() {
        while end < points.len() && held < wanted {
            held += points[end].weight;
            end += 1;
        }
        if held < wanted {
            break;
        }
        let low = points[start].share - points[start].half;
        let high = points[end - 1].share + points[end - 1].half;
        if high - low < best.0 {
            best = (high - low, low.max(0.0), high.min(1.0));
        }
        held -= points[start].weight;
    }
    Interval::around(estimate, best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Beta, ContinuousCDF};
    use statrs::function::beta::ln_beta;

    fn single(found: f64, missing: f64) -> ShareLikelihood {
        ShareLikelihood {
            found,
            missing,
            ..ShareLikelihood::default()
        }
    }

    #[test]
    fn single_canaries_give_the_beta_distribution() {
        for (found, missing) in [
            (0.0, 1.0),
            (1.0, 0.0),
            (3.0, 7.0),
            (50.0, 0.0),
            (400.0, 99_600.0),
        ] {
            let integral = single(found, missing).integrate();
            let expected = ln_beta(found + 1.0, missing + 1.0);
            assert!(
                (integral.ln - expected).abs() < 2e-3,
                "{found}/{missing}: {} {expected}",
                integral.ln
            );
            let beta = Beta::new(found + 1.0, missing + 1.0).unwrap();
            let got = interval(integral.peak, [(1.0, &integral.points[..])], 0.95);
            let held = beta.cdf(got.high) - beta.cdf(got.low);
            assert!((held - 0.95).abs() < 0.01, "{found}/{missing}: {held}");
            assert!((got.estimate - found / (found + missing)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_list_with_all_canaries_reaches_the_whole_source() {
        let integral = single(30.0, 0.0).integrate();
        let got = interval(integral.peak, [(1.0, &integral.points[..])], 0.95);
        assert_eq!((got.estimate, got.high), (1.0, 1.0));
        // 0.05^(1/31).
        assert!((got.low - 0.908).abs() < 0.003, "{got:?}");
    }

    #[test]
    fn a_group_of_one_is_a_single_canary() {
        let grouped = ShareLikelihood {
            missing: 5.0,
            groups: vec![(1.0, 3.0)],
            ..ShareLikelihood::default()
        };
        let (one, other) = (single(3.0, 5.0).integrate(), grouped.integrate());
        assert!((one.ln - other.ln).abs() < 1e-9);
        assert!((one.peak - other.peak).abs() < 1e-6);
    }

    #[test]
    fn a_batch_that_surely_arrived_is_missing_and_one_that_surely_did_not_says_nothing() {
        let perhaps = |arriving| ShareLikelihood {
            perhaps: vec![(4.0, 2.0)],
            arriving,
            ..single(3.0, 5.0)
        };
        let ln = |likelihood: ShareLikelihood| likelihood.integrate().ln;
        assert!((ln(perhaps(1.0)) - ln(single(3.0, 13.0))).abs() < 1e-9);
        assert!((ln(perhaps(0.0)) - ln(single(3.0, 5.0))).abs() < 1e-9);
    }
}
