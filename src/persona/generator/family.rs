//! When the children of a household and their guardian were born.

use rand::Rng;
use time::{Date, Duration};

use super::ages::{either_sex, oldest_birth, youngest_birth};
use crate::persona::dice::{below, between, chance};
use crate::persona::{Children, Sex};

/// Days from a birth to the next one of the same mother: ten months at least.
const LEAST_GAP: i64 = 305;
/// The oldest mother and the oldest father at a birth, in years.
const OLDEST_PARENT: [i32; 2] = [47, 60];
/// The youngest parent at the birth of the oldest recorded child.
const YOUNGEST_PARENT: [i32; 2] = [18, 19];

/// Births of a guardian and of the children, oldest first.
pub(super) struct Family {
    pub(super) guardian: (Date, Sex),
    pub(super) children: Vec<(Date, Sex)>,
}

/// Mean age of mothers at their first birth, by the calendar: 25.7 in 1975, about 31 today.
fn mean_first_birth(year: i32) -> f64 {
    (25.7 + 0.125 * f64::from(year - 1975)).clamp(25.0, 31.0)
}

pub(super) fn family<R: Rng + ?Sized>(rng: &mut R, on: Date, wanted: &Children) -> Family {
    let births = births(rng, on, wanted);
    let (oldest, youngest) = (births[births.len() - 1], births[0]);
    let mother = chance(rng, 55);
    let sex = if mother { Sex::Female } else { Sex::Male };
    let mut years = mean_first_birth(oldest.year()) + if mother { 0.0 } else { 2.0 };
    // The oldest child of those recorded need not be the first.
    if chance(rng, 35) {
        years += f64::from(between(rng, 1, 5));
    }
    // Three dice make a bell with a deviation of five years.
    let spread = (0..3).map(|_| below(rng, 36_000)).sum::<u32>() as f64 / 3600.0 - 15.0;
    let which = usize::from(!mother);
    let span = ((oldest_to_youngest(oldest, youngest)) / 365.25).ceil() as i32;
    let latest = (OLDEST_PARENT[which] - span).max(YOUNGEST_PARENT[which]);
    let years = (years + spread).clamp(f64::from(YOUNGEST_PARENT[which]), f64::from(latest));
    let birth = oldest - Duration::days((years * 365.25) as i64 + i64::from(below(rng, 365)));
    Family {
        guardian: (birth, sex),
        children: births
            .iter()
            .rev()
            .map(|&birth| (birth, either_sex(rng)))
            .collect(),
    }
}

fn oldest_to_youngest(oldest: Date, youngest: Date) -> f64 {
    (youngest - oldest).whole_days() as f64
}

/// Days of birth, youngest first. Where the ages wanted are too narrow for the number wanted,
/// brothers and sisters are twins.
fn births<R: Rng + ?Sized>(rng: &mut R, on: Date, wanted: &Children) -> Vec<Date> {
    let first_age = (*wanted.ages.start()).min(25);
    let last_age = (*wanted.ages.end()).clamp(first_age, 25);
    let earliest = oldest_birth(on, last_age);
    let window = (youngest_birth(on, first_age) - earliest).whole_days();
    let least = u32::from(*wanted.count.start()).clamp(1, 12);
    let most = u32::from(*wanted.count.end()).clamp(least, 12);
    let mut count = least;
    while count < most && chance(rng, if count == 1 { 45 } else { 22 }) {
        count += 1;
    }
    let room = 1 + (window / LEAST_GAP) as u32;
    count = count.min(room.max(least));
    let mut gaps = Vec::new();
    let mut used = 0;
    for missing in (1..count).rev() {
        let left = window - used - i64::from(missing - 1) * LEAST_GAP;
        let twins = left < LEAST_GAP || chance(rng, 1);
        let gap = if twins {
            0
        } else {
            let most = (left - LEAST_GAP).min(1500) as u32;
            // Two to three years are commonest.
            LEAST_GAP + i64::from((below(rng, most + 1) + below(rng, most + 1)) / 2)
        };
        used += gap;
        gaps.push(gap);
    }
    let free = (window - used).max(0) as u32;
    let mut birth = earliest + Duration::days(used + i64::from(below(rng, free + 1)));
    let mut births = vec![birth];
    for gap in gaps {
        birth -= Duration::days(gap);
        births.push(birth);
    }
    births
}
