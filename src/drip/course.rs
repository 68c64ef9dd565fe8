//! When the next canary comes, and what becomes of those that were missed.

use rand::{Rng, RngExt};
use time::{Duration, OffsetDateTime};

use super::Intensity;

/// An arrival that is behind by more than this was missed: its canary comes at another time, not when
/// somebody switches the receiver on again.
pub const LATE: Duration = Duration::seconds(60);
/// So many missed arrivals are owed at the most.
const MOST_OWED: u32 = 10_000;
/// Two arrivals are so far apart at the least.
const APART: Duration = Duration::seconds(1);
const WEEK: f64 = 7.0 * 86_400.0;

/// The next arrival behind `from`, of so many a week; `None` where the calendar ends before it.
///
/// With an exponential draw E the arrival is where the integral of the rate reaches E (Lewis and Shedler,
/// 'Simulation of nonhomogeneous Poisson processes', 1979); the rate is the same within an hour.
fn next<R: Rng + ?Sized>(
    intensity: &Intensity,
    per_week: f64,
    from: OffsetDateTime,
    rng: &mut R,
) -> Option<OffsetDateTime> {
    if per_week <= 0.0 {
        return None;
    }
    let mut left = -(1.0 - rng.random::<f64>()).ln();
    // Whole weeks at once: each takes the same.
    let weeks = (left / per_week).floor();
    left -= weeks * per_week;
    let mut at = from.checked_add(Duration::checked_seconds_f64(weeks * WEEK)?)?;
    loop {
        let (density, seconds) = intensity.at(at);
        let rate = per_week / WEEK * density;
        if rate * seconds >= left {
            let seconds = if rate > 0.0 { left / rate } else { 0.0 };
            let drawn = at.checked_add(Duration::seconds_f64(seconds))?;
            return Some(drawn.max(from + APART));
        }
        left -= rate * seconds;
        at = at.checked_add(Duration::seconds_f64(seconds))?;
    }
}

/// Where a drip's process stands.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// When canaries come.
    pub intensity: &'a Intensity,
    /// How many a week.
    pub per_week: f64,
    /// None comes from then on.
    pub until: Option<OffsetDateTime>,
    /// Arrivals that are to be made up for.
    pub owed: u32,
}

impl Course<'_> {
    /// The next arrival behind `from`. While something is owed, a second process like the first runs beside
    /// it: together they are one of twice the rate.
    pub fn next<R: Rng + ?Sized>(
        &self,
        from: OffsetDateTime,
        rng: &mut R,
    ) -> Option<OffsetDateTime> {
        let rate = match self.owed {
            0 => self.per_week,
            _ => 2.0 * self.per_week,
        };
        let next = next(self.intensity, rate, from, rng)?;
        (self.until.is_none_or(|until| next < until)).then_some(next)
    }

    /// An arrival is here: what is still owed beside it. Which of the two processes it is of is a toss of a
    /// coin.
    pub fn taken<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        self.owed - u32::from(self.owed > 0 && rng.random_bool(0.5))
    }

    /// What is owed at `now` if the arrival at `due`, and all that would have followed, were missed.
    pub fn missed<R: Rng + ?Sized>(
        &self,
        due: OffsetDateTime,
        now: OffsetDateTime,
        rng: &mut R,
    ) -> u32 {
        let mut owed = self.taken(rng).saturating_add(1);
        let end = self.until.map_or(now, |until| until.min(now));
        let mut at = due;
        while owed < MOST_OWED {
            match next(self.intensity, self.per_week, at, rng) {
                Some(next) if next < end => at = next,
                _ => break,
            }
            owed += 1;
        }
        owed.min(MOST_OWED)
    }
}

/// How long nothing is tried after so many failures in a row: a minute, two, four, up to six hours. When
/// it is tried again is drawn behind that, like every arrival.
pub fn pause(tries: u32) -> Duration {
    let minutes = 1_i64 << tries.saturating_sub(1).min(9);
    Duration::minutes(minutes.min(360))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use time::macros::{datetime, offset};

    use super::super::Basis;
    use super::super::intensity::{SLOTS, slot};
    use super::*;

    const FROM: OffsetDateTime = datetime!(2026-03-02 00:00 UTC);

    /// A shop that sleeps at night, is busy at noon and in the evening, and busier at the weekend.
    fn densities() -> Vec<f64> {
        (0..SLOTS)
            .map(|slot| {
                let (day, hour) = (slot / 24, slot % 24);
                let of_hour = [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 9, 6, 4, 4, 5, 6, 8, 10];
                let of_hour = of_hour.get(hour).copied().unwrap_or(12 - hour as i32 / 2);
                f64::from(of_hour) * if day >= 5 { 2.0 } else { 1.0 }
            })
            .collect()
    }

    fn shop() -> Intensity {
        let basis = Basis::Learnt {
            rows: 1,
            days: 1,
            hours: true,
        };
        Intensity::of(&densities(), offset!(+9), basis).unwrap()
    }

    fn course(intensity: &Intensity, per_week: f64, owed: u32) -> Course<'_> {
        Course {
            intensity,
            per_week,
            until: None,
            owed,
        }
    }

    /// Pearson's statistic of arrivals against the densities, and its degrees of freedom.
    fn chi_square(arrivals: &[OffsetDateTime]) -> (f64, f64) {
        let densities = densities();
        let sum: f64 = densities.iter().sum();
        let mut counts = vec![0.0; SLOTS];
        for at in arrivals {
            let shown = at.to_offset(offset!(+9));
            counts[slot(shown.weekday().number_days_from_monday(), shown.hour())] += 1.0;
        }
        let (mut statistic, mut cells) = (0.0, 0.0);
        for (count, density) in counts.iter().zip(densities) {
            let expected = arrivals.len() as f64 * density / sum;
            if expected == 0.0 {
                assert_eq!(*count, 0.0, "an arrival while the shop sleeps");
                continue;
            }
            assert!(expected > 5.0, "too few for the test");
            statistic += (count - expected).powi(2) / expected;
            cells += 1.0;
        }
        (statistic, cells - 1.0)
    }

    /// How far a statistic is above its mean, in standard deviations.
    fn above((statistic, freedom): (f64, f64)) -> f64 {
        (statistic - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn arrivals_follow_weekday_and_hour_and_number() {
        let intensity = shop();
        for per_week in [3.0, 40.0, 2_000.0] {
            let mut rng = StdRng::seed_from_u64(11);
            let mut at = FROM;
            let mut arrivals = Vec::new();
            while arrivals.len() < 20_000 {
                at = next(&intensity, per_week, at, &mut rng).unwrap();
                arrivals.push(at);
            }
            let off = above(chi_square(&arrivals));
            assert!(off < 3.0, "{per_week} a week: {off} deviations");
            let weeks = (at - FROM) / Duration::weeks(1);
            let rate = 20_000.0 / weeks;
            assert!((rate / per_week - 1.0).abs() < 0.03, "{rate}");
        }
    }

    /// In a process without memory the rate's integral between two arrivals is exponential: its mean and
    /// its deviation are 1.
    #[test]
    fn gaps_are_those_of_a_process_without_memory() {
        let flat = Intensity::told("0-24".parse().unwrap(), offset!(UTC));
        let mut rng = StdRng::seed_from_u64(12);
        let mut at = FROM;
        let mut gaps = Vec::new();
        for _ in 0..20_000 {
            let then = next(&flat, 10.0, at, &mut rng).unwrap();
            gaps.push((then - at) / Duration::weeks(1) * 10.0);
            at = then;
        }
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let squares: f64 = gaps.iter().map(|gap| (gap - mean).powi(2)).sum();
        let deviation = (squares / gaps.len() as f64).sqrt();
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!((deviation - 1.0).abs() < 0.03, "{deviation}");
    }

    #[test]
    fn what_was_missed_comes_at_natural_times_and_at_twice_the_rate() {
        let intensity = shop();
        let mut rng = StdRng::seed_from_u64(13);
        let (mut owed_in_all, mut longest) = (0, 0.0_f64);
        let mut arrivals = Vec::new();
        let runs = 60;
        for _ in 0..runs {
            // Ten weeks at 50 a week without a receiver.
            let away = course(&intensity, 50.0, 0);
            let due = away.next(FROM, &mut rng).unwrap();
            let now = FROM + Duration::weeks(10);
            let mut owed = away.missed(due, now, &mut rng);
            owed_in_all += owed;
            let mut at = now;
            let before = arrivals.len();
            while owed > 0 {
                let course = course(&intensity, 50.0, owed);
                let then = course.next(at, &mut rng).unwrap();
                assert!(then >= at + APART, "two at once");
                owed = course.taken(&mut rng);
                at = then;
                arrivals.push(at);
            }
            longest = longest.max((at - now) / Duration::weeks(1));
            let week = now + Duration::weeks(1);
            let first_week = arrivals[before..].iter().filter(|at| **at < week).count();
            // 100 are expected; 10 is the deviation.
            assert!(first_week < 150, "{first_week} in the first week");
        }
        let mean = f64::from(owed_in_all) / f64::from(runs);
        assert!((mean - 500.0).abs() < 15.0, "{mean} of 500 were owed");
        // One of two arrivals makes up for another: it takes as long as it was away.
        assert!(longest < 15.0, "{longest} weeks");
        let off = above(chi_square(&arrivals));
        assert!(off < 3.0, "{off} deviations");
    }

    #[test]
    fn nothing_comes_behind_the_end_and_nothing_is_owed_behind_it() {
        let intensity = shop();
        let mut rng = StdRng::seed_from_u64(14);
        let until = FROM + Duration::weeks(1);
        let course = Course {
            until: Some(until),
            ..course(&intensity, 20.0, 0)
        };
        let mut at = FROM;
        let mut count = 0;
        while let Some(next) = course.next(at, &mut rng) {
            assert!(next < until);
            at = next;
            count += 1;
        }
        assert!((5..40).contains(&count), "{count}");
        let owed = course.missed(FROM, FROM + Duration::weeks(100), &mut rng);
        assert!(owed < 50, "{owed}");
    }

    #[test]
    fn what_is_owed_has_an_end() {
        let intensity = shop();
        let mut rng = StdRng::seed_from_u64(15);
        let course = course(&intensity, 1e6, 0);
        let owed = course.missed(FROM, FROM + Duration::weeks(1_000), &mut rng);
        assert_eq!(owed, MOST_OWED);
    }

    #[test]
    fn a_rate_that_is_next_to_nothing_ends_with_the_calendar() {
        let intensity = shop();
        let mut rng = StdRng::seed_from_u64(16);
        assert_eq!(next(&intensity, 0.0, FROM, &mut rng), None);
        assert_eq!(next(&intensity, 1e-9, FROM, &mut rng), None);
    }

    #[test]
    fn pauses_grow_to_six_hours() {
        let minutes = [1, 2, 3, 9, 10, 40, u32::MAX].map(|tries| pause(tries).whole_minutes());
        assert_eq!(minutes, [1, 2, 4, 256, 360, 360, 360]);
    }
}
