//! Whether customers report more than they ordinarily do.
//!
//! The 2014 leak showed first as a surge of complaints. Reports come in at some rate on quiet days too, so
//! that one says nothing, and a few in one day may be chance.
//!
//! The model: on a quiet day the number of reports is negative binomial, with a mean that depends on the day
//! of the week, and a variance that is some times the mean (the dispersion). The mean is known from the
//! [`BASELINE`] days before the last week, and is uncertain (a gamma posterior of Jeffreys' prior, which
//! counts dispersed days for less); the dispersion is Pearson's, taken [`CAUTION`] times as large as it looks
//! and never below [`FLOOR`], since few reports do not show it. A surge is less than one chance in 365 × 3 to
//! see so many or more in the last 1, 3 or 7 days, so that a quiet source raises at most one false alarm a
//! year (Bonferroni, over days and windows; reports that name no source are looked at together with all others,
//! as one source more), and at least [`LEAST`] reports. It is tested below on generated
//! quiet years, whose variance is up to three times the mean, and on generated surges.

use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::beta::beta_reg;
use time::{Duration, OffsetDateTime, Time, UtcOffset};

/// Days from which the ordinary rate is known, before the last [`GUARD`].
pub const BASELINE: usize = 56;
/// The last days are not part of the baseline: a surge must not hide itself.
pub const GUARD: usize = 7;
/// A rate that was watched for fewer days is not known.
const KNOWN: usize = 14;
/// So many days have to be watched before anything can be told to be more than ordinarily.
pub const WATCHED: usize = GUARD + KNOWN;
/// The days that are looked at together.
const WINDOWS: [usize; 3] = [1, 3, 7];
/// Fewer reports are no surge, whatever the rate.
const LEAST: u64 = 5;
/// The least dispersion: what comes in clumps shows it only where much comes in.
const FLOOR: f64 = 2.5;
/// So many values stand for the uncertain mean.
const QUANTILES: u32 = 24;
/// A dispersion that is estimated from eight weeks may be too small by so much.
const CAUTION: f64 = 1.8;
/// The chance at which a look is a surge: a day has three looks, a year 365 days.
const CHANCE: f64 = 1.0 / (365.0 * 3.0);

/// More reports than ordinarily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surge {
    /// So many days together.
    pub days: usize,
    /// Reports in them.
    pub reports: u64,
    /// Reports that were to be expected.
    pub expected: f64,
    /// The chance of so many or more.
    pub chance: f64,
}

impl Surge {
    /// When the first of its days began (UTC), of a surge that was seen at `at`.
    pub fn since(&self, at: OffsetDateTime) -> OffsetDateTime {
        let today = at.to_offset(UtcOffset::UTC).replace_time(Time::MIDNIGHT);
        let before = self.days.saturating_sub(1).try_into().unwrap_or_default();
        today.saturating_sub(Duration::days(before))
    }
}

/// The surge that the last of these days ends in, if it does: the least likely of the windows. `counts` has a
/// day each, oldest first, as many as have been watched; `weekday` is the last day's, 0 to 6.
pub fn surge(counts: &[u64], weekday: usize) -> Option<Surge> {
    let watched = counts.len().checked_sub(GUARD)?;
    if watched < KNOWN {
        return None;
    }
    let first = watched.saturating_sub(BASELINE);
    let baseline = &counts[first..watched];
    let last = counts.len() - 1;
    // 0 to 6 for each place.
    let day = |place: usize| (weekday + 7 * counts.len() - (last - place)) % 7;
    let total: u64 = baseline.iter().sum();
    let days = baseline.len() as f64;
    let mut of_day = [1.0_f64; 7];
    for (place, count) in baseline.iter().enumerate() {
        of_day[day(first + place)] += *count as f64;
    }
    let all: f64 = of_day.iter().sum();
    let weight = |place: usize| 7.0 * of_day[day(place)] / all;
    let mean = total as f64 / days;
    let dispersion = match mean > 0.0 {
        true => {
            let off = baseline.iter().enumerate().map(|(place, count)| {
                let expected = mean * weight(first + place);
                (*count as f64 - expected).powi(2) / expected
            });
            (off.sum::<f64>() / (days - 1.0) * CAUTION).max(FLOOR)
        }
        false => FLOOR,
    };
    let posterior = Gamma::new(total as f64 / dispersion + 0.5, days / dispersion).ok()?;
    let quantile = |n| posterior.inverse_cdf((f64::from(n) + 0.5) / f64::from(QUANTILES));
    let means: Vec<f64> = (0..QUANTILES).map(quantile).collect();
    let look = |window: usize| {
        let places = counts.len() - window..counts.len();
        let reports: u64 = counts[places.clone()].iter().sum();
        let length: f64 = places.map(weight).sum();
        let expected = mean * length;
        // What is no more than ordinary needs no sum.
        let chance = match reports >= LEAST && reports as f64 > expected {
            false => 1.0,
            true => {
                let tails = means.iter().map(|mean| {
                    let shape = mean * length / (dispersion - 1.0);
                    beta_reg(reports as f64, shape, 1.0 - 1.0 / dispersion)
                });
                tails.sum::<f64>() / f64::from(QUANTILES)
            }
        };
        Surge {
            days: window,
            reports,
            expected,
            chance,
        }
    };
    let looks = WINDOWS.map(look).into_iter();
    looks
        .filter(|look| look.chance < CHANCE && look.reports >= LEAST)
        .min_by(|a, b| a.chance.total_cmp(&b.chance))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::weigh::drawn::gamma;

    /// A Poisson number, by the product of uniforms; large means in parts.
    fn poisson(rng: &mut StdRng, mut mean: f64) -> u64 {
        let mut count = 0;
        while mean > 0.0 {
            let (part, mut product) = (mean.min(20.0), rng.random::<f64>());
            let floor = (-part).exp();
            while product > floor {
                count += 1;
                product *= rng.random::<f64>();
            }
            mean -= part;
        }
        count
    }

    /// A day's mean, which varies so that the count's variance is `dispersion` times its mean.
    fn varied(rng: &mut StdRng, mean: f64, dispersion: f64) -> f64 {
        match dispersion <= 1.0 {
            true => mean,
            false => gamma(rng, mean / (dispersion - 1.0), mean),
        }
    }

    const WEEK: [f64; 7] = [1.4, 1.2, 1.1, 1.1, 1.2, 0.6, 0.4];

    fn year(rng: &mut StdRng, rate: f64, dispersion: f64) -> Vec<u64> {
        let day = |day: usize, rng: &mut StdRng| {
            let mean = varied(rng, rate * WEEK[day % 7], dispersion);
            poisson(rng, mean)
        };
        (0..365 + BASELINE + GUARD)
            .map(|place| day(place, rng))
            .collect()
    }

    /// False alarms a year: each run of days in a surge is one.
    fn alarms(counts: &[u64]) -> usize {
        let mut alarms = 0;
        let mut before = false;
        for end in BASELINE + GUARD..=counts.len() {
            let now = surge(&counts[..end], (end - 1) % 7).is_some();
            alarms += usize::from(now && !before);
            before = now;
        }
        alarms
    }

    #[test]
    fn a_quiet_year_has_at_most_one_false_alarm() {
        let mut rng = StdRng::seed_from_u64(2014);
        for rate in [0.02, 0.3, 2.0, 20.0] {
            for dispersion in [1.0, 2.0, 3.0] {
                let years = 12;
                let found: usize = (0..years)
                    .map(|_| alarms(&year(&mut rng, rate, dispersion)))
                    .sum();
                assert!(
                    found <= years,
                    "{found} in {years} years at {rate}, {dispersion}"
                );
            }
        }
    }

    /// What names no source is looked at with all others: the sum of quiet sources is as quiet.
    #[test]
    fn many_quiet_sources_together_have_at_most_one_false_alarm_a_year() {
        let mut rng = StdRng::seed_from_u64(7);
        let years = 8;
        let found: usize = (0..years)
            .map(|_| {
                let mut sum = vec![0; 365 + BASELINE + GUARD];
                for (rate, dispersion) in
                    [(0.02, 1.0), (0.3, 3.0), (0.3, 2.0), (2.0, 3.0), (5.0, 2.0)]
                {
                    let one = year(&mut rng, rate, dispersion);
                    sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
                }
                alarms(&sum)
            })
            .sum();
        assert!(found <= years, "{found} in {years} years");
    }

    #[test]
    fn a_surge_is_seen_within_three_days() {
        let mut rng = StdRng::seed_from_u64(760);
        for (rate, more) in [(0.0, 6.0), (0.3, 8.0), (2.0, 15.0), (20.0, 50.0)] {
            let seen = (0..100).filter(|_| {
                let mut counts = year(&mut rng, rate, 1.5);
                counts.truncate(BASELINE + GUARD + 100);
                let quiet = counts.len();
                (1..=3).any(|day| {
                    let place = quiet + day - 1;
                    let mean = rate * WEEK[place % 7] + more;
                    counts.push(poisson(&mut rng, mean));
                    surge(&counts, place % 7).is_some()
                })
            });
            let seen = seen.count();
            assert!(seen >= 95, "{seen} of 100 at {rate} and {more} more a day");
        }
    }

    #[test]
    fn what_was_not_watched_long_enough_is_not_known() {
        assert_eq!(surge(&[], 0), None);
        assert_eq!(surge(&[0, 0, 50], 0), None);
        assert_eq!(
            surge(&[vec![0; KNOWN + GUARD - 1], vec![4]].concat(), 0),
            None,
            "too few"
        );
        let seen = surge(&[vec![0; KNOWN + GUARD - 1], vec![9]].concat(), 0).unwrap();
        assert_eq!((seen.days, seen.reports), (1, 9));
    }
}
