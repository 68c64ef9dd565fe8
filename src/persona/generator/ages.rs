//! How old people are: counts by age and sex in some years, of which the nearest one serves.

use std::ops::RangeInclusive;

use rand::Rng;
use time::{Date, Duration, Month};

use crate::persona::Sex;
use crate::persona::dice::below;

/// Ages above this one are not made.
pub(super) const OLDEST: u8 = 104;

/// Persons by age and sex.
pub(super) struct Ages {
    years: Vec<(i32, Vec<u64>)>,
}

impl Ages {
    /// `persons(year, age, sex)` for each of these years, of which there must be one.
    pub(super) fn new(years: &[i32], persons: impl Fn(i32, u8, Sex) -> u32) -> Ages {
        let sums = |&year: &i32| {
            let mut sums = vec![0u64];
            for age in 0..=OLDEST {
                for sex in [Sex::Female, Sex::Male] {
                    let so_far = sums[sums.len() - 1];
                    sums.push(so_far + u64::from(persons(year, age, sex)));
                }
            }
            (year, sums)
        };
        Ages {
            years: years.iter().map(sums).collect(),
        }
    }

    /// Age and sex of somebody of these ages, as common as in the population around `year`.
    pub(super) fn draw<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        year: i32,
        ages: &RangeInclusive<u8>,
    ) -> (u8, Sex) {
        let first = (*ages.start()).min(OLDEST);
        let last = (*ages.end()).clamp(first, OLDEST);
        let nearest = self.years.iter().min_by_key(|(of, _)| of.abs_diff(year));
        let (low, high) = (usize::from(first) * 2, usize::from(last) * 2 + 2);
        if let Some((_, sums)) = nearest
            && sums[high] > sums[low]
        {
            let span = u128::from(sums[high] - sums[low]);
            let at = sums[low] + ((u128::from(rng.next_u64()) * span) >> 64) as u64;
            let index = sums.partition_point(|&sum| sum <= at) - 1;
            let sex = [Sex::Female, Sex::Male][index % 2];
            return ((index / 2) as u8, sex);
        }
        let age = first + below(rng, u32::from(last - first) + 1) as u8;
        (age, either_sex(rng))
    }
}

/// A child's sex: 105 boys are born on 100 girls.
pub(super) fn either_sex<R: Rng + ?Sized>(rng: &mut R) -> Sex {
    if below(rng, 205) < 105 {
        Sex::Male
    } else {
        Sex::Female
    }
}

/// The last day of birth of people who are `age` years old on the day `on`.
pub(super) fn youngest_birth(on: Date, age: u8) -> Date {
    let year = on.year() - i32::from(age);
    on.replace_year(year)
        .or_else(|_| Date::from_calendar_date(year, Month::February, 28))
        .unwrap_or(on)
}

/// The first day of birth of people who are `age` years old on the day `on`.
pub(super) fn oldest_birth(on: Date, age: u8) -> Date {
    youngest_birth(on, age + 1) + Duration::DAY
}

/// A day of birth of somebody who is `age` years old on the day `on`.
pub(super) fn birth<R: Rng + ?Sized>(rng: &mut R, on: Date, age: u8) -> Date {
    let first = oldest_birth(on, age);
    let days = (youngest_birth(on, age) - first).whole_days() as u32 + 1;
    first + Duration::days(i64::from(below(rng, days)))
}
