//! What is known of a canary beside its marks: by what a thief may have chosen rows.
//!
//! A trait is no mark. It is shared by thousands of customers and names nobody; it only tells which
//! slice of a source has leaked. Known is what the source's own table holds: nobody can choose by a
//! column that is not there.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::report::Report;
use crate::canary::Canary;
use crate::notation::{Role, birth_key};
use crate::persona::Sex;

/// Children of a household whose years are kept.
const CHILDREN: usize = 3;

/// By what a slice of a source may have been chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attribute {
    /// Prefecture or state.
    Region,
    /// The customer's sex.
    Sex,
    /// The year of the customer's birth.
    BirthYear,
    /// The year of a child's birth.
    ChildBirthYear,
    /// The month in which the row was made.
    SignUp,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Attribute; 5] = [
        Attribute::Region,
        Attribute::Sex,
        Attribute::BirthYear,
        Attribute::ChildBirthYear,
        Attribute::SignUp,
    ];

    /// The attribute's name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Attribute::Region => "region",
            Attribute::Sex => "sex",
            Attribute::BirthYear => "birth_year",
            Attribute::ChildBirthYear => "child_birth_year",
            Attribute::SignUp => "sign_up_month",
        }
    }

    /// Whether its values have an order, so that a slice is a range.
    pub const fn is_ordered(self) -> bool {
        !matches!(self, Attribute::Region | Attribute::Sex)
    }
}

/// The traits of one canary; 0 stands for what its source does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    region: u16,
    sex: u16,
    birth_year: u16,
    child_birth_years: [u16; CHILDREN],
    /// Months since the year 0.
    sign_up: u16,
}

/// Names of regions, by their number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Regions {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Regions {
    /// A region's number; those beyond 65,535 have none.
    fn number(&mut self, name: &str) -> u16 {
        if name.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let Ok(number) = u16::try_from(self.names.len() + 1) else {
            return 0;
        };
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    /// The number of a region as a list writes it; 0 where no canary lives there.
    pub fn known(&self, name: &str) -> u16 {
        let known = self.numbers.get(name);
        // Keys are folded; a state is known by its capitals.
        let known = known.or_else(|| self.numbers.get(name.to_ascii_uppercase().as_str()));
        known.copied().unwrap_or_default()
    }
}

/// The number of a sex.
pub const fn sex(sex: Sex) -> u16 {
    match sex {
        Sex::Female => 1,
        Sex::Male => 2,
    }
}

impl Traits {
    /// What a canary's source holds of it.
    pub fn of(canary: &Canary, regions: &mut Regions) -> Traits {
        let household = &canary.details.household;
        let mut traits = Traits::default();
        for (role, value) in canary.written() {
            match role {
                Role::Region | Role::Address | Role::Address1 | Role::Postcode => {
                    traits.region = regions.number(&household.address.region);
                }
                Role::Sex => traits.sex = sex(household.guardian.sex),
                Role::BirthDate | Role::Age => {
                    traits.birth_year = year(household.guardian.birth);
                }
                Role::ChildBirthDate => {
                    let years = traits.child_birth_years.iter_mut();
                    for (known, child) in years.zip(&household.children) {
                        *known = year(child.birth);
                    }
                }
                Role::CreatedAt => {
                    // A timestamp begins with its day in every notation that tables use.
                    let day = value.split(['T', ' ']).next().unwrap_or_default();
                    if let Some(day) = birth_key(day) {
                        let month = u8::from(day.month());
                        traits.sign_up = year(day) * 12 + u16::from(month) - 1;
                    }
                }
                _ => {}
            }
        }
        traits
    }

    /// The values of an attribute: none where the source does not hold it, several for children.
    pub fn values(&self, attribute: Attribute) -> impl Iterator<Item = u16> {
        let one = |value| [value, 0, 0];
        let values = match attribute {
            Attribute::Region => one(self.region),
            Attribute::Sex => one(self.sex),
            Attribute::BirthYear => one(self.birth_year),
            Attribute::ChildBirthYear => self.child_birth_years,
            Attribute::SignUp => one(self.sign_up),
        };
        values.into_iter().filter(|value| *value > 0)
    }
}

impl Report<'_> {
    /// A value of an attribute as reports write it: a region's name, a sex, a year, a month.
    pub fn value_name(&self, attribute: Attribute, value: u16) -> String {
        match attribute {
            Attribute::Region => {
                let place = usize::from(value).checked_sub(1);
                let name = place.and_then(|place| self.watch.regions.names.get(place));
                name.map(ToString::to_string).unwrap_or_default()
            }
            Attribute::Sex if value == 1 => "female".to_owned(),
            Attribute::Sex => "male".to_owned(),
            Attribute::BirthYear | Attribute::ChildBirthYear => value.to_string(),
            Attribute::SignUp => format!("{:04}-{:02}", value / 12, value % 12 + 1),
        }
    }
}

fn year(date: Date) -> u16 {
    u16::try_from(date.year()).unwrap_or_default()
}

#[cfg(test)]
impl Traits {
    /// Traits for tests.
    pub fn sample(region: u16, sex: u16, birth_year: u16, child: u16, sign_up: u16) -> Traits {
        Traits {
            region,
            sex,
            birth_year,
            child_birth_years: [child, 0, 0],
            sign_up,
        }
    }
}
