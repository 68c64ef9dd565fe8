//! Japanese households.

use std::sync::Arc;

use rand::Rng;
use time::Date;

use super::ages::{Ages, birth};
use super::contact::{Mail, japanese_landline, japanese_mobile, presence};
use super::family::{Family, family};
use super::ja_address::Addresses;
use super::ja_names::GivenNames;
use crate::persona::dice::{Alias, chance};
use crate::persona::seeds::Ja;
use crate::persona::{Household, Locale, NamePart, Person, Sex, Shape, romaji};

pub(super) struct Japan {
    ja: Arc<Ja>,
    ages: Ages,
    families: Alias,
    given: GivenNames,
    addresses: Addresses,
    mail: Mail,
}

impl Japan {
    pub(super) fn new(ja: Arc<Ja>) -> Japan {
        let mut years: Vec<i32> = ja.ages.iter().map(|group| group.year).collect();
        years.dedup();
        let persons = |year: i32, age: u8, sex: Sex| {
            let of = |g: &&crate::persona::seeds::AgeGroup| {
                g.year == year && g.sex == sex && (g.first..=g.last).contains(&age)
            };
            let group = ja.ages.iter().find(of);
            group.map_or(0, |g| g.persons / (u32::from(g.last - g.first) + 1))
        };
        Japan {
            ages: Ages::new(&years, persons),
            families: Alias::new(ja.families.iter().map(|(_, weight)| f64::from(*weight))),
            given: GivenNames::new(&ja),
            addresses: Addresses::new(&ja),
            mail: Mail::new(),
            ja,
        }
    }

    pub(super) fn household<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        on: Date,
        shape: &Shape,
    ) -> Household {
        let ja = &*self.ja;
        let births = match &shape.children {
            Some(children) => family(rng, on, children),
            None => {
                let (age, sex) = self.ages.draw(rng, on.year(), &shape.ages);
                Family {
                    guardian: (birth(rng, on, age), sex),
                    children: Vec::new(),
                }
            }
        };
        let family = &ja.families[self.families.draw(rng)].0;
        let mut person = |(birth, sex): (Date, Sex), taken: &[Person]| {
            let mut given = self.given.draw(rng, ja, sex, birth.year());
            // Brothers and sisters have different names.
            let alike = |name: &NamePart| {
                let mut names = taken.iter().map(|person| &person.given);
                names.any(|other| other.written == name.written || other.kana == name.kana)
            };
            for _ in 0..20 {
                if !alike(given) {
                    break;
                }
                given = self.given.draw(rng, ja, sex, birth.year());
            }
            Person {
                family: family.clone(),
                given: given.clone(),
                sex,
                birth,
            }
        };
        let guardian = person(births.guardian, &[]);
        let mut children = Vec::with_capacity(births.children.len());
        for born in births.children {
            let child = person(born, &children);
            children.push(child);
        }
        let (address, city) = self.addresses.draw(rng, ja, !children.is_empty());
        let has = presence(rng, guardian.age(on), on);
        let landline = has
            .landline
            .then(|| japanese_landline(rng, &ja.cities[city].never_issued));
        let mobile = has.mobile.then(|| japanese_mobile(rng));
        let email = has.email.then(|| {
            let spell = if chance(rng, 60) {
                romaji::passport
            } else {
                romaji::hepburn
            };
            let (family, given) = (spell(&guardian.family.kana), spell(&guardian.given.kana));
            self.mail.address(rng, &family, &given, guardian.birth)
        });
        Household {
            locale: Locale::JaJp,
            guardian,
            children,
            address,
            landline,
            mobile,
            email,
        }
    }
}
