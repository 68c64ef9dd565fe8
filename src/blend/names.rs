//! The names of a table's customers, counted: how many bear one, in which region, of which sex and age.

use std::collections::HashMap;

use time::Date;

use super::counted::Counted;
use super::place::Place;
use super::seen::Seen;
use crate::persona::{NamePart, Sex};

/// Years of birth whose given names are counted together.
const COHORT: i32 = 6;

/// The persons of a table, and their names counted.
pub(super) struct Names {
    pub(super) people: Vec<Seen>,
    /// When they were born; where a row does not say that of a guardian, the child's birth tells the generation.
    pub(super) births: Vec<Option<Date>>,
    pub(super) families: Counted<NameKey>,
    /// Family names by region: many are at home in one.
    pub(super) regional: HashMap<String, Regional>,
    /// Given names, all and by sex and years of birth.
    pub(super) all: Counted<NameKey>,
    /// Their readings.
    pub(super) readings: Counted<String>,
    /// Women and men by their given names' readings, and by how those end.
    sexes: HashMap<String, [u32; 2]>,
    pub(super) given: HashMap<(Option<Sex>, i32), Counted<NameKey>>,
}

/// The family names of a region.
pub(super) struct Regional {
    pub(super) counted: Counted<NameKey>,
    /// Whoever bears them.
    pub(super) rows: Vec<usize>,
}

pub(super) type NameKey = (String, String);

pub(super) fn key(part: &NamePart) -> NameKey {
    (part.written.clone(), part.kana.clone())
}

impl Names {
    pub(super) fn of(people: Vec<Seen>, births: Vec<Option<Date>>, places: &[Place]) -> Names {
        let mut regional: HashMap<&str, (Vec<NameKey>, Vec<usize>)> = HashMap::new();
        for (at, (person, place)) in people.iter().zip(places).enumerate() {
            if let (Some(family), Some(region)) = (&person.family, place.region()) {
                let (names, rows) = regional.entry(region).or_default();
                names.push(key(family));
                rows.push(at);
            }
        }
        let regional = regional.into_iter().map(|(region, (names, rows))| {
            let counted = Counted::of(names);
            (region.to_owned(), Regional { counted, rows })
        });
        let regional = regional.collect();
        let families = people
            .iter()
            .filter_map(|person| person.family.as_ref().map(key));
        let mut slices: HashMap<(Option<Sex>, i32), Vec<NameKey>> = HashMap::new();
        for (person, birth) in people.iter().zip(&births) {
            if let Some(given) = &person.given {
                slices
                    .entry(slice(person.sex, *birth))
                    .or_default()
                    .push(key(given));
            }
        }
        let mut sexes: HashMap<String, [u32; 2]> = HashMap::new();
        for person in &people {
            if let (Some(given), Some(sex)) = (&person.given, person.sex) {
                for part in sounds(given) {
                    sexes.entry(part).or_default()[usize::from(sex == Sex::Male)] += 1;
                }
            }
        }
        let readings = people
            .iter()
            .filter_map(|person| Some(person.given.as_ref()?.kana.clone()));
        let all = people
            .iter()
            .filter_map(|person| person.given.as_ref().map(key));
        Names {
            regional,
            families: Counted::of(families),
            all: Counted::of(all),
            readings: Counted::of(readings),
            sexes,
            given: slices
                .into_iter()
                .map(|(slice, names)| (slice, Counted::of(names)))
                .collect(),
            people,
            births,
        }
    }

    /// Whose name it is, as far as the table shows: by the whole of it, or by how it ends.
    pub(super) fn sex(&self, given: &NamePart) -> Option<Sex> {
        let counted = sounds(given).find_map(|part| self.sexes.get(&part))?;
        let of = |sex: Sex, own: u32, other: u32| (own >= 5 * other).then_some(sex);
        let [women, men] = *counted;
        of(Sex::Female, women, men).or(of(Sex::Male, men, women))
    }
}

/// A given name's reading (or the name, where that is not known), and its last letters.
fn sounds(given: &NamePart) -> impl Iterator<Item = String> {
    let sound = match given.kana.is_empty() {
        true => given.written.to_lowercase(),
        false => given.kana.clone(),
    };
    let ends: Vec<String> = [2, 1]
        .into_iter()
        .filter_map(|letters| {
            let (at, _) = sound.char_indices().rev().nth(letters - 1)?;
            // Not to be taken for a whole name.
            Some(format!("-{}", &sound[at..]))
        })
        .collect();
    std::iter::once(sound).chain(ends)
}

pub(super) fn slice(sex: Option<Sex>, birth: Option<Date>) -> (Option<Sex>, i32) {
    (
        sex,
        birth.map_or(0, |birth| birth.year().div_euclid(COHORT)),
    )
}
