//! Names, ages and contact points.

use std::collections::BTreeMap;

use super::super::local::Piece;
use super::super::{Ground, Names};
use super::shape::shape;
use super::{FOLDED_BELOW, MOST, Mix, Trait};
use crate::canary::is_japanese_mobile;
use crate::notation::{Role, address_key, fold, phone_key};
use crate::persona::{Locale, Sex};

fn named(name: &str, values: impl Iterator<Item = String>) -> Trait {
    Trait {
        name: name.to_owned(),
        mix: Mix::of(values, MOST),
    }
}

impl Ground<'_> {
    /// Names by sex and years of birth, ages on joining, where customers live, and how they are reached.
    pub(super) fn persons(&self) -> Vec<Trait> {
        let mut out = self.names("", &self.guardians);
        if self.mapping.has_child() {
            out.extend(self.names("child's ", &self.children));
        }
        out.extend(self.places_lived());
        out.extend(self.reached());
        out
    }

    fn names(&self, whose: &str, names: &Names) -> Vec<Trait> {
        let people = &names.people;
        let mut out = vec![
            named(
                &format!("{whose}family name"),
                people
                    .iter()
                    .filter_map(|one| Some(one.family.as_ref()?.written.clone())),
            ),
            named(
                &format!("{whose}sex"),
                people
                    .iter()
                    .filter_map(|one| Some(sex(one.sex?).to_owned())),
            ),
        ];
        if self.mapping.locale == Locale::JaJp {
            let old = people.iter().filter_map(|one| {
                let written = &one.family.as_ref()?.written;
                let old = fold(written) != *written;
                Some(if old { "old or rare" } else { "plain" }.to_owned())
            });
            out.push(named(&format!("letters of the {whose}family name"), old));
        }
        let mut by_cohort: BTreeMap<(Option<&str>, Option<i32>), Vec<String>> = BTreeMap::new();
        for one in people {
            let Some(given) = &one.given else { continue };
            let decade = one.birth.map(|birth| birth.year().div_euclid(10) * 10);
            by_cohort
                .entry((one.sex.map(sex), decade))
                .or_default()
                .push(given.written.clone());
        }
        for ((sex, decade), given) in by_cohort {
            // Of a few, even that they are there is theirs.
            if given.len() < FOLDED_BELOW as usize {
                continue;
            }
            let sex = sex.map_or(String::new(), |sex| format!(", {sex}"));
            let born = decade.map_or(String::new(), |from| {
                format!(", born {from} to {}", from + 9)
            });
            let name = format!("{whose}given name{sex}{born}");
            let mut one = named(&name, given.into_iter());
            one.mix.common.truncate(8);
            // The rest is folded like what few have.
            one.mix.folded = 1.0 - one.mix.common.iter().map(|one| one.share).sum::<f64>();
            out.push(one);
        }
        let age = people.iter().zip(&self.made).filter_map(|(one, made)| {
            let days = (*made)?.to_julian_day() - one.birth?.to_julian_day();
            let low = (days * 100).div_euclid(36_525).div_euclid(5) * 5;
            Some(format!("{low} to {}", low + 4))
        });
        out.push(named(&format!("{whose}age on joining"), age));
        out
    }

    fn places_lived(&self) -> Vec<Trait> {
        let keys: Vec<_> = (self.cells.iter())
            .map(|cells| {
                use Role::*;
                let parts = [
                    Address, Region, City, Address1, Town, Street, Block, Address2, Building,
                ];
                let texts: Vec<&str> = parts.iter().filter_map(|role| cells.text(*role)).collect();
                address_key(&texts.join(match self.mapping.locale {
                    Locale::JaJp => "",
                    Locale::EnUs => ", ",
                }))
            })
            .collect();
        let own =
            |role: Role| move |cells: &super::super::Cells<'_>| cells.text(role).map(str::to_owned);
        let part = |role: Role, read: fn(&crate::notation::AddressKey) -> &String| {
            let values = self
                .cells
                .iter()
                .zip(&keys)
                .filter_map(move |(cells, key)| {
                    let read = || Some(read(key.as_ref()?).clone()).filter(|text| !text.is_empty());
                    own(role)(cells).or_else(read)
                });
            values.collect::<Vec<String>>()
        };
        let known = || keys.iter().flatten();
        vec![
            named("region", part(Role::Region, |key| &key.region).into_iter()),
            named("city", part(Role::City, |key| &key.city).into_iter()),
            named(
                "shape of the house number",
                known().map(|key| shape(&key.numbers)),
            ),
            named(
                "room or flat",
                known().map(|key| if key.unit.is_empty() { "none" } else { "one" }.to_owned()),
            ),
        ]
    }

    fn reached(&self) -> Vec<Trait> {
        let texts = |role: Role| self.cells.iter().filter_map(move |cells| cells.text(role));
        let domain =
            texts(Role::Email).filter_map(|text| Some(text.split_once('@')?.1.to_lowercase()));
        let habits = (0..self.rows.len())
            .map(|row| self.locals.habit(row))
            .filter(|habit| !habit.is_empty())
            .map(in_words);
        let region = Some(self.mapping.locale.into());
        let numbers: Vec<String> = texts(Role::Phone)
            .chain(texts(Role::Mobile))
            .filter_map(|text| phone_key(text, region))
            .collect();
        let national = |number: &String| {
            let country = self.mapping.locale.country_code();
            number.strip_prefix(country).map(str::to_owned)
        };
        let mobile = numbers.iter().filter_map(|number| {
            let mobile = is_japanese_mobile(number);
            (self.mapping.locale == Locale::JaJp && number.starts_with("+81"))
                .then(|| if mobile { "mobile" } else { "landline" }.to_owned())
        });
        let codes = numbers
            .iter()
            .filter_map(|number| Some(national(number)?.get(..3)?.to_owned()));
        vec![
            named("mail domain", domain),
            named("how a mail address is made", habits),
            named("kind of number", mobile),
            named("first digits of the number", codes),
        ]
    }
}

fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "women",
        Sex::Male => "men",
    }
}

/// How a local part was made, without its letters.
fn in_words(habit: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Family(_) => "family".to_owned(),
        Piece::Given(_) => "given".to_owned(),
        Piece::FamilyInitial => "f".to_owned(),
        Piece::GivenInitial => "g".to_owned(),
        Piece::Year => "birth year".to_owned(),
        Piece::ShortYear => "birth year, two digits".to_owned(),
        Piece::MonthDay => "birthday".to_owned(),
        Piece::Digits(count, _) => format!("{count} digits"),
        Piece::Gap(gap) => format!("'{gap}'"),
        Piece::Word(_) => "word".to_owned(),
    };
    let pieces: Vec<String> = habit.iter().map(piece).collect();
    pieces.join(" + ")
}
