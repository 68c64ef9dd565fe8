//! Dates that hang on the day on which a customer joined: a contract is signed some days before, a warranty ends a
//! year behind, and the last visit lies between joining and today.
//!
//! A canary joins when it is planted. A date that is drawn from another customer's row, who joined years ago, would
//! say that it came before it was there, or that it comes tomorrow.

use rand::{Rng, RngExt};

/// Rows that have both dates, at least.
const ENOUGH: usize = 40;
/// The share of the rows that keep a rule; the others are slips.
const RULE: f64 = 0.99;
/// Distances to the day of joining are so much narrower than the dates themselves, where these follow from it.
const NARROWER: f64 = 0.5;
/// Of so many rows that joined last it is seen whether a customer has the date from the first day on.
const FIRST: usize = 40;
const DAY: f64 = 86_400.0;

/// How a column's dates lie to the day of joining.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dated {
    /// At a distance that does not hang on how long ago that was.
    Apart {
        /// Whether the column says the day alone.
        days: bool,
        /// In seconds, negative for what came before; sorted.
        distances: Vec<f64>,
    },
    /// Between joining and now: the last of what happens again and again, or something that happens once.
    Since {
        /// Of those who have a date, the share that has had one from the first day on.
        at_once: f64,
    },
}

impl Dated {
    /// Learns from rows: when each joined, if it says so, and the column's date, if there is one; all in seconds on one
    /// line, as [`order`](super::order) gives them. `None` where the dates do not hang on that.
    pub(crate) fn learn(rows: &[(Option<f64>, Option<f64>)], now: f64) -> Option<Dated> {
        let both: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|(joined, date)| Some(((*joined)?, (*date)?)))
            .collect();
        let known = |at: f64| super::day(at).is_some();
        if both.len() < ENOUGH
            || !both
                .iter()
                .all(|(joined, date)| known(*joined) && known(*date))
        {
            return None;
        }
        let days = both.iter().all(|(_, date)| date.rem_euclid(DAY) == 0.0);
        let share = |fits: &dyn Fn(&(f64, f64)) -> bool| {
            both.iter().filter(|pair| fits(pair)).count() as f64 / both.len() as f64
        };
        // Two clocks of one row differ by a little.
        let behind = |pair: &(f64, f64)| apart(days, *pair) >= -60.0;
        let past = |pair: &(f64, f64)| pair.1 <= now + DAY;
        if share(&behind) >= RULE && share(&past) >= RULE {
            let at_once = at_once(rows)?;
            return Some(Dated::Since { at_once });
        }
        let before = |pair: &(f64, f64)| apart(days, *pair) <= 60.0;
        if share(&behind) < RULE && share(&before) < RULE {
            return None;
        }
        let mut distances: Vec<f64> = both.iter().map(|pair| apart(days, *pair)).collect();
        let mut dates: Vec<f64> = both.iter().map(|(_, date)| *date).collect();
        let narrower = spread(&mut distances) < NARROWER * spread(&mut dates);
        narrower.then_some(Dated::Apart { days, distances })
    }

    /// How far from the day of joining the date of a customer lies who joins now, in seconds; `None`: it has none yet.
    /// `like` is when a customer like it has joined, and its date.
    pub(crate) fn draw<R: Rng + ?Sized>(
        &self,
        like: Option<(f64, f64)>,
        rng: &mut R,
    ) -> Option<f64> {
        match self {
            Dated::Since { at_once } => (rng.random::<f64>() < *at_once).then_some(0.0),
            Dated::Apart { days, distances } => {
                let any = distances[rng.random_range(0..distances.len())];
                let own = like.map_or(any, |like| apart(*days, like));
                let first = distances.partition_point(|other| *other < own);
                let behind = distances.partition_point(|other| *other <= own);
                if behind - first != 1 {
                    return Some(own);
                }
                // One customer's own distance is not copied: somewhere up to the next.
                let next = distances
                    .get(behind)
                    .or(distances.get(first.wrapping_sub(1)));
                let next = next.copied().unwrap_or(own);
                Some(own + (next - own) * rng.random::<f64>())
            }
        }
    }
}

/// How far behind joining a date lies. A column without a clock has its day's beginning.
fn apart(days: bool, (joined, date): (f64, f64)) -> f64 {
    match days {
        true => date - (joined - joined.rem_euclid(DAY)),
        false => date - joined,
    }
}

/// The middle half of some numbers, which are sorted by it.
fn spread(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let at = |quarter: usize| numbers[(numbers.len() - 1) * quarter / 4];
    at(3) - at(1)
}

/// Of those who will have a date, the share that has one already when it joins: the share of the newest rows that have
/// one, by that of all.
fn at_once(rows: &[(Option<f64>, Option<f64>)]) -> Option<f64> {
    let mut known: Vec<(f64, bool)> = rows
        .iter()
        .filter_map(|(joined, date)| Some(((*joined)?, date.is_some())))
        .collect();
    known.sort_by(|one, other| other.0.total_cmp(&one.0));
    let share = |rows: &[(f64, bool)]| {
        rows.iter().filter(|(_, has)| *has).count() as f64 / rows.len() as f64
    };
    let newest = known.get(..FIRST)?;
    Some((share(newest) / share(&known)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    /// 2026-11-01.
    const NOW: f64 = 2_461_346.0 * DAY;

    fn learnt(date: impl Fn(f64, &mut StdRng) -> Option<f64>) -> Option<Dated> {
        let mut rng = StdRng::seed_from_u64(3);
        let rows: Vec<(Option<f64>, Option<f64>)> = (0..2_000)
            .map(|_| {
                let joined = NOW - (rng.random::<f64>() * 3_000.0 * DAY).floor();
                (Some(joined), date(joined, &mut rng))
            })
            .collect();
        Dated::learn(&rows, NOW)
    }

    fn whole_days(at: f64) -> f64 {
        at - at.rem_euclid(DAY)
    }

    #[test]
    fn a_last_visit_lies_between_joining_and_now() {
        let visits = learnt(|joined, rng| {
            let at = whole_days(joined + rng.random::<f64>() * (NOW - joined));
            rng.random_bool(0.8).then_some(at)
        });
        let Some(Dated::Since { at_once }) = visits else {
            panic!("{visits:?}");
        };
        assert!(at_once > 0.7, "{at_once}");
        let mut rng = StdRng::seed_from_u64(1);
        let half = Dated::Since { at_once: 0.5 };
        let drawn = (0..50).filter_map(|_| half.draw(None, &mut rng));
        let drawn: Vec<f64> = drawn.collect();
        assert!(drawn.iter().all(|apart| *apart == 0.0) && (12..38).contains(&drawn.len()));
    }

    /// Whoever has just joined has not ordered yet.
    #[test]
    fn what_comes_later_nobody_has_at_once() {
        let first = learnt(|joined, rng| {
            let at = joined + (400.0 + rng.random::<f64>() * 100.0) * DAY;
            (at < NOW).then_some(at)
        });
        assert_eq!(first, Some(Dated::Since { at_once: 0.0 }));
        let drawn = first.unwrap().draw(None, &mut StdRng::seed_from_u64(1));
        assert_eq!(drawn, None);
    }

    #[test]
    fn contracts_and_warranties_keep_their_distance() {
        let signed = learnt(|joined, rng| {
            Some(whole_days(
                joined - f64::from(rng.random_range(3..30)) * DAY,
            ))
        });
        let ends = learnt(|joined, _| Some(joined + 365.0 * DAY));
        let (signed, ends) = (signed.unwrap(), ends.unwrap());
        let mut rng = StdRng::seed_from_u64(1);
        let mut draw = |of: &Dated, apart: f64| {
            let joined = NOW - 400.0 * DAY;
            of.draw(Some((joined, joined + apart)), &mut rng).unwrap()
        };
        assert_eq!(draw(&signed, -7.0 * DAY), -7.0 * DAY);
        assert_eq!(draw(&ends, 365.0 * DAY), 365.0 * DAY);
        let few = Dated::Apart {
            days: false,
            distances: vec![-9.0, -5.0, -5.0, 7.0],
        };
        assert_eq!(draw(&few, -5.0), -5.0);
        for _ in 0..100 {
            let (one, last) = (draw(&few, -9.0), draw(&few, 7.0));
            assert!(one > -9.0 && one <= -5.0, "{one}: somebody's own");
            assert!((-5.0..7.0).contains(&last), "{last}: somebody's own");
        }
    }

    #[test]
    fn dates_of_their_own_are_left_alone() {
        // The birthday of a dog, a campaign of this month, and no dates at all.
        let dog = learnt(|_, rng| Some(NOW - rng.random::<f64>() * 6_000.0 * DAY));
        let renewal = learnt(|_, rng| Some(NOW + rng.random::<f64>() * 365.0 * DAY));
        let points = learnt(|_, rng| Some(f64::from(rng.random_range(0..900))));
        let empty = learnt(|_, _| None);
        assert_eq!([dog, renewal, points, empty], [None, None, None, None]);
    }
}
