//! Households in the United States.

use std::sync::Arc;

use rand::Rng;
use time::Date;

use super::ages::{Ages, birth};
use super::contact::{Mail, american_phone, presence};
use super::family::{Family, family};
use crate::persona::dice::{Alias, below, between, chance, pick};
use crate::persona::seeds::{En, StreetPart};
use crate::persona::{Address, Household, Locale, NamePart, Person, Sex, Shape};

/// Of 1,000 born, so many are alive at the age of 0, 10, 20 … 110 years: rounded life tables.
const ALIVE: [u32; 12] = [1000, 992, 988, 975, 955, 920, 850, 725, 500, 190, 15, 0];

pub(super) struct UnitedStates {
    en: Arc<En>,
    ages: Ages,
    surnames: Alias,
    female: Vec<Bin>,
    male: Vec<Bin>,
    zips: Alias,
    words: Vec<(Vec<usize>, Alias)>,
    mail: Mail,
}

/// Names of the five years from `year` on.
struct Bin {
    year: i32,
    names: Vec<u32>,
    table: Alias,
}

impl UnitedStates {
    pub(super) fn new(en: Arc<En>) -> UnitedStates {
        let bins = |sex: Sex| {
            let mut bins: Vec<(i32, Vec<u32>)> = Vec::new();
            let mut order: Vec<(u32, i32)> = (0u32..)
                .zip(&en.given)
                .filter(|(_, given)| given.sex == sex)
                .map(|(i, given)| (i, given.year))
                .collect();
            order.sort_by_key(|&(i, year)| (year, i));
            for (i, year) in order {
                match bins.last_mut() {
                    Some((of, names)) if *of == year => names.push(i),
                    _ => bins.push((year, vec![i])),
                }
            }
            let bin = |(year, names): (i32, Vec<u32>)| {
                let births = |&i: &u32| f64::from(en.given[i as usize].births);
                Bin {
                    year,
                    table: Alias::new(names.iter().map(births)),
                    names,
                }
            };
            bins.into_iter().map(bin).collect()
        };
        let born = |year: i32, sex: Sex| {
            let of_sex = en.births.iter().filter(|b| b.sex == sex);
            of_sex
                .min_by_key(|b| b.year.abs_diff(year))
                .map_or(0, |b| b.births)
        };
        let persons = |year: i32, age: u8, sex: Sex| {
            let (decade, years) = (usize::from(age / 10), u32::from(age % 10));
            let alive = (ALIVE[decade] * (10 - years) + ALIVE[decade + 1] * years) / 10;
            (u64::from(born(year - i32::from(age), sex)) * u64::from(alive) / 1000) as u32
        };
        let words = |part: StreetPart| {
            let of: Vec<usize> = (0..en.streets.len())
                .filter(|&i| en.streets[i].0 == part)
                .collect();
            let table = Alias::new(of.iter().map(|&i| f64::from(en.streets[i].2)));
            (of, table)
        };
        UnitedStates {
            ages: Ages::new(&[2010, 2015, 2020, 2025, 2030], persons),
            surnames: Alias::new(en.surnames.iter().map(|(_, count)| f64::from(*count))),
            female: bins(Sex::Female),
            male: bins(Sex::Male),
            zips: Alias::new(en.zips.iter().map(|zip| f64::from(zip.population))),
            words: [StreetPart::Word, StreetPart::Ordinal, StreetPart::Kind]
                .map(words)
                .into(),
            mail: Mail::new(),
            en,
        }
    }

    pub(super) fn household<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        on: Date,
        shape: &Shape,
    ) -> Household {
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
        let surname = self.en.surnames[self.surnames.draw(rng)].0.to_string();
        let mut person = |(birth, sex): (Date, Sex), taken: &[Person]| {
            let mut given = self.given(rng, sex, birth.year());
            for _ in 0..20 {
                if taken.iter().all(|other| other.given.written != given) {
                    break;
                }
                given = self.given(rng, sex, birth.year());
            }
            Person {
                family: latin(&surname),
                given: latin(given),
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
        let (address, area_codes) = self.address(rng);
        let has = presence(rng, guardian.age(on), on);
        let mut phone = |there: bool| {
            let there = there && !area_codes.is_empty();
            there.then(|| {
                let code = &area_codes[below(rng, area_codes.len() as u32) as usize];
                american_phone(rng, code)
            })
        };
        let (landline, mobile) = (phone(has.landline), phone(has.mobile));
        let email = has.email.then(|| {
            let family = guardian.family.written.to_ascii_lowercase();
            let given = guardian.given.written.to_ascii_lowercase();
            self.mail.address(rng, &family, &given, guardian.birth)
        });
        Household {
            locale: Locale::EnUs,
            guardian,
            children,
            address,
            landline,
            mobile,
            email,
        }
    }

    fn given<R: Rng + ?Sized>(&self, rng: &mut R, sex: Sex, year: i32) -> &str {
        let bins = match sex {
            Sex::Female => &self.female,
            Sex::Male => &self.male,
        };
        let later = bins.partition_point(|bin| bin.year <= year);
        let bin = &bins[later.saturating_sub(1)];
        &self.en.given[bin.names[bin.table.draw(rng)] as usize].name
    }

    fn address<R: Rng + ?Sized>(&self, rng: &mut R) -> (Address, &[Box<str>]) {
        let zip = &self.en.zips[self.zips.draw(rng)];
        let unit = chance(rng, 27).then(|| match below(rng, 10) {
            0..4 => format!("{}", 1 + below(rng, 24)),
            4..7 => format!("{}{}", 1 + below(rng, 4), pick(rng, &["A", "B", "C", "D"])),
            _ => format!("{}{:02}", 1 + below(rng, 6), 1 + below(rng, 16)),
        });
        let address = Address {
            postcode: format!("{:05}", zip.zip),
            region: zip.state.to_string(),
            city: zip.city.to_string(),
            city_kana: String::new(),
            town: String::new(),
            town_kana: String::new(),
            block: self.street(rng),
            building: None,
            unit,
        };
        let area_codes = self.en.area_codes.get(&zip.state);
        (address, area_codes.map_or(&[], Vec::as_slice))
    }

    /// `1427 Maple Ave`, `88 N 12th St`.
    fn street<R: Rng + ?Sized>(&self, rng: &mut R) -> String {
        let most = 1 << between(rng, 6, 13);
        let number = 1 + below(rng, most);
        let side = if chance(rng, 9) {
            pick(rng, &["N ", "S ", "E ", "W "])
        } else {
            ""
        };
        let ordinal = chance(rng, 18);
        let name = self.word(rng, usize::from(ordinal));
        let kind = self.word(rng, 2);
        format!("{number} {side}{name} {kind}")
    }

    fn word<R: Rng + ?Sized>(&self, rng: &mut R, list: usize) -> &str {
        let (words, table) = &self.words[list];
        &self.en.streets[words[table.draw(rng)]].1
    }
}

fn latin(name: &str) -> NamePart {
    NamePart {
        written: name.to_owned(),
        kana: String::new(),
    }
}
