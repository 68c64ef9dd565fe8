//! The share of a source that a list holds, from the canaries found and missing.
//!
//! A canary stands for its source's rows: each is in the list with probability s, the share leaked.
//! Before looking, every share is taken for equally likely (the uniform prior of Laplace's rule), so
//! that k of n canaries give s the density Beta(k + 1, n - k + 1). Canaries that the list's columns
//! cannot tell apart are found together: g of them with probability 1 - (1 - s)^g.

/// What n canaries say about the share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareLikelihood {
    /// Canaries found one by one.
    pub found: f64,
    /// Canaries missing, those of missing groups each by itself.
    pub missing: f64,
    /// Groups found, by their size.
    pub groups: Vec<(f64, f64)>,
}

/// Steps of the integral. The density falls to e^-40 at its ends, so a bell has 20 steps per standard
/// deviation.
const STEPS: usize = 400;
/// How far the logarithm falls before the rest is nothing.
const DEPTH: f64 = 40.0;

/// A density over shares: points with their weights, which sum to 1.
pub type Points = Vec<(f64, f64)>;

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
        term(self.found, share.ln()) + term(self.missing, rest) + groups
    }

    /// The logarithm of the integral over all shares, and the posterior density. Every term is
    /// concave in s, so there is one peak and the density falls on both sides of it.
    pub fn integrate(&self) -> (f64, Points) {
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for _ in 0..80 {
            let third = (high - low) / 3.0;
            if self.ln(low + third) < self.ln(high - third) {
                low += third;
            } else {
                high -= third;
            }
        }
        let peak = (low + high) / 2.0;
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
        let mut points: Points = (0..STEPS)
            .map(|place| {
                let share = from + (place as f64 + 0.5) * step;
                (share, (self.ln(share) - top).exp())
            })
            .collect();
        let sum: f64 = points.iter().map(|(_, weight)| weight).sum();
        points.iter_mut().for_each(|(_, weight)| *weight /= sum);
        (top + (sum * step).ln(), points)
    }
}

/// An estimate with the interval that holds the truth with the stated probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Posterior mean.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Mean and equal-tailed interval of a mixture of densities with their weights.
pub fn interval(mixture: &[(f64, Points)], level: f64) -> Interval {
    let mut points: Points = mixture
        .iter()
        .flat_map(|(share, points)| points.iter().map(move |(s, weight)| (*s, weight * share)))
        .collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    let estimate = points.iter().map(|(s, weight)| s * weight).sum::<f64>() / total;
    let quantile = |part: f64| {
        let mut sum = 0.0;
        let beyond = points.iter().find(|(_, weight)| {
            sum += weight;
            sum >= part * total
        });
        beyond.or(points.last()).map_or(estimate, |(s, _)| *s)
    };
    Interval {
        estimate,
        low: quantile((1.0 - level) / 2.0),
        high: quantile((1.0 + level) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Beta, ContinuousCDF};
    use statrs::function::beta::ln_beta;

    #[test]
    fn single_canaries_give_the_beta_distribution() {
        for (found, missing) in [
            (0.0, 1.0),
            (1.0, 0.0),
            (3.0, 7.0),
            (50.0, 0.0),
            (400.0, 99_600.0),
        ] {
            let likelihood = ShareLikelihood {
                found,
                missing,
                groups: vec![],
            };
            let (ln, points) = likelihood.integrate();
            let expected = ln_beta(found + 1.0, missing + 1.0);
            assert!(
                (ln - expected).abs() < 2e-3,
                "{found}/{missing}: {ln} {expected}"
            );
            let beta = Beta::new(found + 1.0, missing + 1.0).unwrap();
            let got = interval(&[(1.0, points)], 0.95);
            let sd = (got.high - got.low) / 4.0;
            assert!(
                (got.low - beta.inverse_cdf(0.025)).abs() < 0.05 * sd,
                "{got:?}"
            );
            assert!(
                (got.high - beta.inverse_cdf(0.975)).abs() < 0.05 * sd,
                "{got:?}"
            );
            let mean = (found + 1.0) / (found + missing + 2.0);
            assert!((got.estimate - mean).abs() < 0.02 * sd, "{got:?}");
        }
    }

    #[test]
    fn a_group_of_one_is_a_single_canary() {
        let single = ShareLikelihood {
            found: 3.0,
            missing: 5.0,
            groups: vec![],
        };
        let grouped = ShareLikelihood {
            found: 0.0,
            missing: 5.0,
            groups: vec![(1.0, 3.0)],
        };
        assert!((single.integrate().0 - grouped.integrate().0).abs() < 1e-9);
    }
}
