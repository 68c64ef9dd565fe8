//! Which slice of a source has leaked: found canaries against missing ones.
//!
//! Whoever takes 'the customers of two prefectures' or 'the children of six years' leaves the other
//! canaries behind. For each attribute that the source holds we look for the slice in which the most
//! canaries were found and outside of which the fewest: a set of regions, a range of years. How much
//! better two shares explain what was found than one share is the statistic.
//!
//! The best of thousands of slices always looks good. So the same search is run on the same canaries
//! with 'found' dealt out anew among them, hundreds of times, and p is how often chance finds a slice
//! as good (an exact permutation test; it ends early where chance does so often, after Besag and
//! Clifford 1991). p is then multiplied by the number of attributes looked at. A slice that is found is
//! searched for a slice within it: 'of two prefectures, the children of six years'.
//!
//! The test is about the canaries. A region in which none stands can neither be in a slice nor outside.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::traits::{Attribute, Traits};
use super::share::{Interval, ShareLikelihood, interval};

/// A slice is told where chance finds one as good with no more than this probability.
const SIGNIFICANT: f64 = 0.01;
/// Fewer found or missing canaries show no slice.
const FEWEST: usize = 4;
/// Deals at the most.
const DEALS: u32 = 1_999;
/// So many deals as good as the truth settle that it is nothing.
const ENOUGH: u32 = 20;
/// Canaries dealt in all, so that a million of them take no minute.
const WORK: usize = 20_000_000;
/// Values of an ordered attribute; more are put together.
const VALUES: usize = 60;
/// Slices within slices.
const DEPTH: usize = 3;

/// A canary that stood at the time of the leak.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub found: bool,
    pub traits: Traits,
}

/// The slice that leaked.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Its conditions, all of which hold, the strongest first.
    pub conditions: Vec<Condition>,
    /// Canaries found in it, of those that stood in it.
    pub found: usize,
    pub live: usize,
    /// The same outside of it.
    pub outside_found: usize,
    pub outside_live: usize,
    /// The share of the slice that is in the list.
    pub share: Interval,
}

/// One condition of a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub attribute: Attribute,
    /// The values of an unordered attribute; first and last of an ordered one.
    pub values: Vec<u16>,
    /// How probable it is that chance finds as good a slice, corrected for all that was looked at.
    pub p: f64,
}

impl Condition {
    fn holds(&self, traits: &Traits) -> bool {
        let mut values = traits.values(self.attribute);
        match self.values[..] {
            [first, last] if self.attribute.is_ordered() => {
                values.any(|value| (first..=last).contains(&value))
            }
            _ => values.any(|value| self.values.contains(&value)),
        }
    }
}

/// The slice that leaked, if one stands out.
pub fn slice(subjects: &[Subject], level: f64) -> Option<Slice> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut inside = subjects.to_vec();
    let mut conditions: Vec<Condition> = Vec::new();
    while conditions.len() < DEPTH
        && let Some(condition) = strongest(&inside, &conditions, &mut rng)
    {
        inside.retain(|subject| condition.holds(&subject.traits));
        conditions.push(condition);
    }
    if conditions.is_empty() {
        return None;
    }
    let found = |subjects: &[Subject]| subjects.iter().filter(|subject| subject.found).count();
    let (inner, all) = (found(&inside), found(subjects));
    let likelihood = ShareLikelihood {
        found: inner as f64,
        missing: (inside.len() - inner) as f64,
        ..ShareLikelihood::default()
    };
    let integral = likelihood.integrate();
    Some(Slice {
        conditions,
        found: inner,
        live: inside.len(),
        outside_found: all - inner,
        outside_live: subjects.len() - inside.len(),
        share: interval(integral.peak, [(1.0, &integral.points[..])], level),
    })
}

fn strongest(
    subjects: &[Subject],
    before: &[Condition],
    rng: &mut ChaCha8Rng,
) -> Option<Condition> {
    let found = subjects.iter().filter(|subject| subject.found).count();
    if found < FEWEST || subjects.len() - found < FEWEST {
        return None;
    }
    let fresh = |attribute: &Attribute| before.iter().all(|known| known.attribute != *attribute);
    let tables: Vec<Table> = Attribute::ALL
        .into_iter()
        .filter(fresh)
        .filter_map(|attribute| Table::new(subjects, attribute))
        .collect();
    // A slice within a slice is another look.
    let looks = (tables.len() * (before.len() + 1)) as f64;
    let conditions = tables.iter().filter_map(|table| {
        let (score, values) = table.best(&table.count(subjects))?;
        let p = (table.p(subjects, score, rng) * looks).min(1.0);
        let attribute = table.attribute;
        (p <= SIGNIFICANT).then_some((
            score,
            Condition {
                attribute,
                values,
                p,
            },
        ))
    });
    let best = conditions.max_by(|one, other| {
        let order = other.1.p.total_cmp(&one.1.p);
        order.then(one.0.total_cmp(&other.0))
    });
    best.map(|(_, condition)| condition)
}

/// The canaries by one attribute.
struct Table {
    attribute: Attribute,
    /// First and last value of each place; the same where values are not put together.
    places: Vec<(u16, u16)>,
    /// The places of each canary.
    of: Vec<Vec<u16>>,
    /// Canaries in each place.
    all: Vec<u32>,
}

impl Table {
    fn new(subjects: &[Subject], attribute: Attribute) -> Option<Table> {
        let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
        for subject in subjects {
            for value in subject.traits.values(attribute) {
                *counts.entry(value).or_default() += 1;
            }
        }
        if counts.len() < 2 {
            return None;
        }
        let together = match attribute.is_ordered() {
            true => counts.values().sum::<u32>() / VALUES as u32,
            false => 0,
        };
        let mut places: Vec<(u16, u16)> = Vec::new();
        let mut all: Vec<u32> = Vec::new();
        for (value, count) in counts.iter() {
            match (places.last_mut(), all.last_mut()) {
                (Some(place), Some(size)) if counts.len() > VALUES && *size < together => {
                    place.1 = *value;
                    *size += count;
                }
                _ => {
                    places.push((*value, *value));
                    all.push(*count);
                }
            }
        }
        let place = |value: u16| places.partition_point(|(_, last)| *last < value) as u16;
        let of = (subjects.iter())
            .map(|subject| subject.traits.values(attribute).map(place).collect())
            .collect();
        Some(Table {
            attribute,
            places,
            of,
            all,
        })
    }

    fn count(&self, subjects: &[Subject]) -> Vec<u32> {
        let mut counts = vec![0; self.all.len()];
        for (subject, places) in subjects.iter().zip(&self.of) {
            if subject.found {
                places.iter().for_each(|place| counts[*place as usize] += 1);
            }
        }
        counts
    }

    /// The best slice, by how much better two shares explain it than one.
    fn best(&self, found: &[u32]) -> Option<(f64, Vec<u16>)> {
        let (all, found_all) = (self.all.iter().sum(), found.iter().sum());
        let mut best: Option<(f64, Vec<u16>)> = None;
        let mut look = |inside: (u32, u32), values: &mut dyn FnMut() -> Vec<u16>| {
            let score = gain(inside, (found_all, all));
            if score > best.as_ref().map_or(1e-9, |(score, _)| *score) {
                best = Some((score, values()));
            }
        };
        if self.attribute.is_ordered() {
            for (first, (from, _)) in self.places.iter().enumerate() {
                let mut inside = (0, 0);
                let rest = self.places.iter().zip(found).zip(&self.all).skip(first);
                for (((_, to), found), all) in rest {
                    inside = (inside.0 + found, inside.1 + all);
                    look(inside, &mut || vec![*from, *to]);
                }
            }
            return best;
        }
        // The best set of values holds all that show a larger share than any outside of it.
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        let share = |place: &usize| f64::from(found[*place]) / f64::from(self.all[*place].max(1));
        order.sort_by(|one, other| share(other).total_cmp(&share(one)));
        let mut inside = (0, 0);
        for (end, place) in order.iter().enumerate() {
            inside = (inside.0 + found[*place], inside.1 + self.all[*place]);
            look(inside, &mut || {
                let mut values: Vec<u16> = (order[..=end].iter())
                    .map(|place| self.places[*place].0)
                    .collect();
                values.sort_unstable();
                values
            });
        }
        best
    }

    /// How often chance finds a slice as good.
    fn p(&self, subjects: &[Subject], score: f64, rng: &mut ChaCha8Rng) -> f64 {
        let found = subjects.iter().filter(|subject| subject.found).count();
        // Dealing out those that are missing is the same deal.
        let turned = found * 2 > subjects.len();
        let dealt = if turned {
            subjects.len() - found
        } else {
            found
        };
        let deals = ((WORK / dealt.max(1)) as u32).clamp(199, DEALS);
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        let mut as_good = 0;
        for deal in 1..=deals {
            let mut counts = vec![0_u32; self.all.len()];
            for place in 0..dealt {
                order.swap(place, rng.random_range(place..subjects.len()));
                for value in &self.of[order[place]] {
                    counts[*value as usize] += 1;
                }
            }
            if turned {
                for (count, all) in counts.iter_mut().zip(&self.all) {
                    *count = all - *count;
                }
            }
            let best = self.best(&counts).map_or(0.0, |(score, _)| score);
            as_good += u32::from(best >= score - 1e-9);
            if as_good == ENOUGH {
                return f64::from(ENOUGH) / f64::from(deal);
            }
        }
        f64::from(as_good + 1) / f64::from(deals + 1)
    }
}

/// By how much the logarithm of the likelihood grows when a slice has a share of its own; nothing
/// where its share is the smaller one. (found, all) inside, and of everything.
fn gain(inside: (u32, u32), everything: (u32, u32)) -> f64 {
    let outside = (everything.0 - inside.0, everything.1 - inside.1);
    if outside.1 == 0
        || u64::from(inside.0) * u64::from(outside.1) <= u64::from(outside.0) * u64::from(inside.1)
    {
        return 0.0;
    }
    let fit = |(found, all): (u32, u32)| part(found) + part(all - found) - part(all);
    fit(inside) + fit(outside) - fit(everything)
}

fn part(count: u32) -> f64 {
    let count = f64::from(count);
    if count > 0.0 { count * count.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Canaries of 12 regions, as unevenly as people live, children of ten years.
    fn canaries(rng: &mut ChaCha8Rng, count: usize) -> Vec<Traits> {
        let mut one = || {
            let region = 1 + (12.0 * rng.random::<f64>().powi(2)) as u16;
            let (sex, birth) = (rng.random_range(1..=2), rng.random_range(1960..1990));
            let (child, month) = (
                rng.random_range(2001..2015),
                rng.random_range(24_000..24_170),
            );
            Traits::sample(region, sex, birth, child, month)
        };
        (0..count).map(|_| one()).collect()
    }

    fn leak(
        rng: &mut ChaCha8Rng,
        count: usize,
        share: f64,
        taken: impl Fn(&Traits) -> bool,
    ) -> Vec<Subject> {
        let canaries = canaries(rng, count);
        let leaked = |traits| Subject {
            found: taken(&traits) && rng.random_bool(share),
            traits,
        };
        canaries.into_iter().map(leaked).collect()
    }

    fn has(traits: &Traits, attribute: Attribute, values: std::ops::RangeInclusive<u16>) -> bool {
        traits
            .values(attribute)
            .any(|value| values.contains(&value))
    }

    #[test]
    fn a_leak_of_the_whole_source_has_no_slice() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let told = (0..300)
            .filter(|_| {
                let (count, share) = (rng.random_range(20..120), rng.random_range(0.1..0.9));
                slice(&leak(&mut rng, count, share, |_| true), 0.95).is_some()
            })
            .count();
        // One in a hundred at the most; 300 lists may show nine.
        assert!(told <= 9, "{told}");
    }

    #[test]
    fn regions_and_years_that_leaked_are_told_with_their_share() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (mut regions, mut years, mut held, mut deeper) = (0, 0, 0, 0);
        const LISTS: usize = 60;
        for _ in 0..LISTS {
            let taken = |traits: &Traits| has(traits, Attribute::Region, 1..=2);
            let subjects = leak(&mut rng, 120, 0.7, taken);
            let told = slice(&subjects, 0.95).unwrap();
            deeper += usize::from(told.conditions.len() > 1);
            regions += usize::from(
                told.conditions[0].attribute == Attribute::Region
                    && told.conditions[0].values == [1, 2],
            );
            held += usize::from((told.share.low..=told.share.high).contains(&0.7));
            let taken = |traits: &Traits| has(traits, Attribute::ChildBirthYear, 2003..=2008);
            let told = slice(&leak(&mut rng, 120, 0.8, taken), 0.95).unwrap();
            years += usize::from(
                told.conditions[0].attribute == Attribute::ChildBirthYear
                    && told.conditions[0].values == [2003, 2008],
            );
        }
        assert!(regions > LISTS * 9 / 10, "{regions}");
        assert!(years > LISTS * 9 / 10, "{years}");
        assert!(held >= LISTS * 9 / 10, "{held}");
        assert!(deeper <= 4, "{deeper}");
    }

    #[test]
    fn a_slice_within_a_slice() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let taken = |traits: &Traits| {
            has(traits, Attribute::Region, 1..=3)
                && has(traits, Attribute::ChildBirthYear, 2004..=2009)
        };
        let told = slice(&leak(&mut rng, 500, 0.9, taken), 0.95).unwrap();
        let mut attributes: Vec<Attribute> = (told.conditions.iter())
            .map(|condition| condition.attribute)
            .collect();
        attributes.sort_unstable();
        assert_eq!(attributes, [Attribute::Region, Attribute::ChildBirthYear]);
        assert!(told.share.low > 0.7, "{told:?}");
    }

    #[test]
    fn too_few_canaries_show_no_slice() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let taken = |traits: &Traits| has(traits, Attribute::Sex, 1..=1);
        let subjects = leak(&mut rng, 6, 1.0, taken);
        assert!(slice(&subjects, 0.95).is_none());
    }
}
