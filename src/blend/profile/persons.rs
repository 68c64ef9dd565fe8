//! Names, ages and contact points.

use std::collections::BTreeMap;

use time::Date;

use super::super::local::Piece;
use super::super::seen::Seen;
use super::super::{Cells, Ground, Names};
use super::shape::shape;
use super::{FOLDED_BELOW, MOST, Mix, Trait};
use crate::canary::is_japanese_mobile;
use crate::notation::{AddressKey, Role, address_key, fold, phone_key};
use crate::persona::{Locale, Sex};

fn named(name: &str, values: impl Iterator<Item = String>) -> Trait {
    Trait {
        name: name.to_owned(),
        mix: Mix::of(values, MOST),
    }
}

impl Ground<'_> {
    /// Names by sex and years of birth, ages on joining, where customers live, and how they are reached.
    pub(super) fn persons(&self, homes: &[Option<AddressKey>]) -> Vec<Trait> {
        let mut out = self.names("", &self.guardians);
        if self.mapping.has_child() {
            out.extend(self.names("child's ", &self.children));
        }
        out.extend(self.places_lived(homes));
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
        let age = self.ages(names).into_iter().flatten();
        out.push(named(&format!("{whose}age on joining"), age));
        out
    }

    /// Of each row the five years of age in which its person joined.
    pub(super) fn ages(&self, names: &Names) -> Vec<Option<String>> {
        let age = |one: &Seen, made: &Option<Date>| {
            let days = (*made)?.to_julian_day() - one.birth?.to_julian_day();
            let low = (days * 100).div_euclid(36_525).div_euclid(5) * 5;
            Some(format!("{low} to {}", low + 4))
        };
        let people = names.people.iter().zip(&self.made);
        people.map(|(one, made)| age(one, made)).collect()
    }

    /// The address of each row.
    pub(super) fn homes(&self) -> Vec<Option<AddressKey>> {
        let between = match self.mapping.locale {
            Locale::JaJp => "",
            Locale::EnUs => ", ",
        };
        let home = |cells: &Cells<'_>| {
            use Role::*;
            let parts = [
                Address, Region, City, Address1, Town, Street, Block, Address2, Building,
            ];
            let texts: Vec<&str> = parts.iter().filter_map(|role| cells.text(*role)).collect();
            address_key(&texts.join(between))
        };
        self.cells.iter().map(home).collect()
    }

    /// Of each row what a column of its own tells of the address, or else the address does.
    pub(super) fn part_of_home(
        &self,
        homes: &[Option<AddressKey>],
        role: Role,
        read: fn(&AddressKey) -> &String,
    ) -> Vec<Option<String>> {
        let part = |(cells, home): (&Cells<'_>, &Option<AddressKey>)| {
            let read = || Some(read(home.as_ref()?).clone()).filter(|text| !text.is_empty());
            cells.text(role).map(str::to_owned).or_else(read)
        };
        self.cells.iter().zip(homes).map(part).collect()
    }

    fn places_lived(&self, homes: &[Option<AddressKey>]) -> Vec<Trait> {
        let part = |role, read| self.part_of_home(homes, role, read).into_iter().flatten();
        let known = || homes.iter().flatten();
        vec![
            named("region", part(Role::Region, |home| &home.region)),
            named("city", part(Role::City, |home| &home.city)),
            named(
                "shape of the house number",
                known().map(|home| shape(&home.numbers)),
            ),
            named(
                "room or flat",
                known().map(|home| has_unit(home).to_owned()),
            ),
        ]
    }

    /// The domain of each row's mail address.
    pub(super) fn domains(&self) -> Vec<Option<String>> {
        let domain =
            |cells: &Cells<'_>| Some(cells.text(Role::Email)?.split_once('@')?.1.to_lowercase());
        self.cells.iter().map(domain).collect()
    }

    /// How each row's mail address was made, without its letters.
    pub(super) fn habits(&self) -> Vec<Option<String>> {
        let habit = |row: usize| {
            let habit = self.locals.habit(row);
            (!habit.is_empty()).then(|| in_words(habit))
        };
        (0..self.rows.len()).map(habit).collect()
    }

    /// The telephone numbers of each row, in E.164.
    pub(super) fn numbers(&self) -> Vec<Vec<String>> {
        let region = Some(self.mapping.locale.into());
        let numbers = |cells: &Cells<'_>| {
            let texts = [Role::Phone, Role::Mobile]
                .into_iter()
                .filter_map(|role| cells.text(role));
            texts.filter_map(|text| phone_key(text, region)).collect()
        };
        self.cells.iter().map(numbers).collect()
    }

    /// Whether a number is a mobile one, where its country tells that.
    pub(super) fn kind(&self, number: &str) -> Option<String> {
        let told = self.mapping.locale == Locale::JaJp && number.starts_with("+81");
        let kind = if is_japanese_mobile(number) {
            "mobile"
        } else {
            "landline"
        };
        told.then(|| kind.to_owned())
    }

    /// The first digits of a number within its country.
    pub(super) fn code(&self, number: &str) -> Option<String> {
        let national = number.strip_prefix(self.mapping.locale.country_code())?;
        Some(national.get(..3)?.to_owned())
    }

    fn reached(&self) -> Vec<Trait> {
        let numbers = self.numbers();
        let numbers = || numbers.iter().flatten();
        vec![
            named("mail domain", self.domains().into_iter().flatten()),
            named(
                "how a mail address is made",
                self.habits().into_iter().flatten(),
            ),
            named(
                "kind of number",
                numbers().filter_map(|number| self.kind(number)),
            ),
            named(
                "first digits of the number",
                numbers().filter_map(|number| self.code(number)),
            ),
        ]
    }
}

/// Whether an address tells a room.
pub(super) fn has_unit(home: &AddressKey) -> &'static str {
    if home.unit.is_empty() { "none" } else { "one" }
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
