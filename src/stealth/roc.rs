//! How well a score tells canaries from customers, with what chance does to the figure.

/// What a thief reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caught {
    /// Area under the ROC curve: the chance that a canary looks more suspicious than a customer. 0.5: it
    /// tells nothing; 1: it tells all.
    pub auc: f64,
    /// 95% interval of the area.
    pub low: f64,
    /// 95% interval of the area.
    pub high: f64,
    /// Share of the canaries that go when the most suspicious 1% of the customers do.
    pub at_1_percent: f64,
    /// Share of the canaries that go when the most suspicious 5% of the customers do.
    pub at_5_percent: f64,
}

/// Beyond so many halves of the 95% interval, 3.3 standard errors, chance hardly takes an area.
const FAR: f64 = 1.7;

impl Caught {
    /// Whether the area lies so far from 0.5 that chance does it to one look in a thousand.
    pub(super) fn off(&self) -> bool {
        let half = match self.auc > 0.5 {
            true => self.auc - self.low,
            false => self.high - self.auc,
        };
        (self.auc - 0.5).abs() > FAR * half
    }
}

/// Where scores come from, by which chance does more or less to what they reach.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scored {
    /// From the row alone: no canary had a part in it.
    Apart,
    /// From what was learnt of the other folds' rows.
    Learnt,
}

impl Scored {
    /// How many times the variance of fixed scores theirs is, at most.
    ///
    /// Of two canaries in different folds, each is looked for by what the other taught: what they share by chance counts
    /// once for the one and once more for the other, and the variance of a sum in which each term comes twice is twice
    /// that of as many terms of their own. Nadeau and Bengio ("Inference for the generalization error", Machine Learning
    /// 52, 2003) come to 1 + k / (k - 1) for means over k folds, 2.25 for five. Measured on controls it is 1.7 to 2.
    fn variance(self) -> f64 {
        match self {
            Scored::Apart => 1.0,
            Scored::Learnt => 2.0,
        }
    }
}

/// Measures scores; canaries of one `group` share a contact point, and count as one another's echo.
///
/// The interval is that of structural components (DeLong, DeLong and Clarke-Pearson, 1988), summed by
/// group (Obuchowski, "Nonparametric analysis of clustered ROC curve data", 1997), on the logit scale, so
/// that it stays within 0 and 1; wider where scores were learnt ([`Scored`]). `None` without both kinds of rows.
pub(super) fn caught(
    scores: &[f64],
    canary: &[bool],
    group: &[usize],
    scored: Scored,
) -> Option<Caught> {
    let of = |wanted: bool| -> Vec<(f64, usize)> {
        let rows = scores.iter().zip(canary).zip(group);
        rows.filter(|((_, canary), _)| **canary == wanted)
            .map(|((score, _), group)| (*score, *group))
            .collect()
    };
    let (canaries, mut customers) = (of(true), of(false));
    if canaries.is_empty() || customers.is_empty() {
        return None;
    }
    customers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut known: Vec<f64> = canaries.iter().map(|(score, _)| *score).collect();
    known.sort_by(f64::total_cmp);
    let plain: Vec<f64> = customers.iter().map(|(score, _)| *score).collect();
    // For each row: the share of the other kind that it beats; ties count half.
    let beaten = |score: f64, among: &[f64]| {
        let below = among.partition_point(|other| *other < score);
        let upto = among.partition_point(|other| *other <= score);
        (below + upto) as f64 / (2 * among.len()) as f64
    };
    let ours: Vec<f64> = canaries.iter().map(|(s, _)| beaten(*s, &plain)).collect();
    let theirs: Vec<f64> = plain.iter().map(|s| 1.0 - beaten(*s, &known)).collect();
    let auc = ours.iter().sum::<f64>() / ours.len() as f64;

    let mut groups: std::collections::BTreeMap<usize, f64> = std::collections::BTreeMap::new();
    for ((_, group), share) in canaries.iter().zip(&ours) {
        *groups.entry(*group).or_default() += share - auc;
    }
    let spread = |sum: f64, parts: usize, n: usize| {
        let parts = parts as f64;
        if parts < 2.0 {
            // One contact point for all canaries says nothing of another one.
            return 0.25;
        }
        parts / (parts - 1.0) * sum / (n * n) as f64
    };
    let between = groups.values().map(|sum| sum * sum).sum();
    let within = theirs.iter().map(|share| (share - auc).powi(2)).sum();
    let rows =
        spread(between, groups.len(), ours.len()) + spread(within, theirs.len(), theirs.len());
    let error = (rows * scored.variance()).sqrt();
    let inside = auc.clamp(1e-4, 1.0 - 1e-4);
    let (middle, width) = (
        (inside / (1.0 - inside)).ln(),
        1.96 * error / (inside * (1.0 - inside)),
    );
    let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let above = |share: f64| {
        let cut = plain[(((1.0 - share) * plain.len() as f64) as usize).min(plain.len() - 1)];
        known.iter().filter(|score| **score > cut).count() as f64 / known.len() as f64
    };
    Some(Caught {
        auc,
        low: back(middle - width).min(auc),
        high: back(middle + width).max(auc),
        at_1_percent: above(0.01),
        at_5_percent: above(0.05),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_area_is_the_chance_that_a_canary_beats_a_customer() {
        let scores = [0.9, 0.4, 0.4, 0.1];
        let canary = [true, true, false, false];
        // 0.9 beats both; 0.4 ties with one and beats one: (2 + 1.5) / 4.
        let found = caught(&scores, &canary, &[0, 1, 2, 3], Scored::Apart).unwrap();
        assert!((found.auc - 0.875).abs() < 1e-12);
        assert!(caught(&scores, &[true; 4], &[0; 4], Scored::Apart).is_none());
    }

    /// Over many draws of canaries in households of a contact point, the interval covers the truth.
    #[test]
    fn the_interval_holds_the_true_area_19_times_in_20() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        let mut normal = || -> f64 { (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0 };
        // Difference 0.8, standard deviation sqrt(2): the true area is Phi(0.8 / sqrt(2)).
        let truth = 0.5 * (1.0 + statrs::function::erf::erf(0.8 / 2.0));
        let mut held = 0;
        for _ in 0..1000 {
            let (mut scores, mut canary, mut group) = (Vec::new(), Vec::new(), Vec::new());
            for place in 0..60 {
                let shared = normal() * 0.6;
                for _ in 0..3 {
                    scores.push(0.8 + shared + normal() * 0.8);
                    canary.push(true);
                    group.push(place);
                }
            }
            for row in 0..400 {
                scores.push(normal());
                canary.push(false);
                group.push(1000 + row);
            }
            let found = caught(&scores, &canary, &group, Scored::Apart).unwrap();
            held += usize::from(found.low <= truth && truth <= found.high);
        }
        assert!((930..=970).contains(&held), "{held} of 1000");
    }
}
