//! People who could exist: (seed data, rng) to a household. Pure and deterministic.

mod dice;
pub mod further;
mod gazetteer;
mod generator;
mod lexicon;
pub mod romaji;
mod seeds;
mod shape;

pub use gazetteer::{AddressError, Gazetteer, Place};
pub use generator::Generator;
pub use lexicon::Lexicon;
pub use seeds::{SeedError, Seeds, Statement};
pub use shape::{Children, Shape};

use serde::{Deserialize, Serialize};
use time::{Date, UtcOffset};

/// Where a household lives, which decides its names, its address and how both are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Locale {
    /// Japanese households: kanji with kana, postcode, prefecture, city, town.
    #[serde(rename = "ja_JP")]
    JaJp,
    /// People in the United States: SSA given names, census surnames, ZIP, city, state.
    #[serde(rename = "en_US")]
    EnUs,
}

impl Locale {
    /// What its telephone numbers begin with in E.164.
    pub const fn country_code(self) -> &'static str {
        match self {
            Locale::JaJp => "+81",
            Locale::EnUs => "+1",
        }
    }

    /// What a clock of the country shows that says nothing of its offset, as far as anybody can tell.
    pub fn clock(self) -> UtcOffset {
        let hours = match self {
            Locale::JaJp => 9,
            Locale::EnUs => -5,
        };
        UtcOffset::from_hms(hours, 0, 0).unwrap_or(UtcOffset::UTC)
    }
}

/// Sex as customer tables record it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 女, F.
    Female,
    /// 男, M.
    Male,
}

/// One part of a name, in every script that a table may hold it in.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamePart {
    /// As written: kanji or kana in Japan, Latin letters elsewhere.
    pub written: String,
    /// Its reading in full-width katakana; empty where the locale has none.
    pub kana: String,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Family name.
    pub family: NamePart,
    /// Given name.
    pub given: NamePart,
    /// Sex.
    pub sex: Sex,
    /// Date of birth.
    pub birth: Date,
}

impl Person {
    /// Age in whole years on a day.
    pub fn age(&self, on: Date) -> i32 {
        let had_birthday =
            (on.month() as u8, on.day()) >= (self.birth.month() as u8, self.birth.day());
        on.year() - self.birth.year() - i32::from(!had_birthday)
    }
}

/// A postal address in parts; a table's notation joins them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Digits only: seven in Japan, five in the United States.
    pub postcode: String,
    /// Prefecture (東京都) or two-letter state.
    pub region: String,
    /// 市区町村, or city.
    pub city: String,
    /// Reading of region and city in full-width katakana, where the locale has one.
    pub city_kana: String,
    /// 町域 without 丁目; empty in the United States.
    pub town: String,
    /// Its reading in full-width katakana, where the locale has one.
    pub town_kana: String,
    /// 丁目, 番 and 号 joined by ASCII hyphens (`3-12-5`), or house number and street.
    pub block: String,
    /// Building name, where there is one.
    pub building: Option<String>,
    /// Room or unit without ornament (`203`), where there is one.
    pub unit: Option<String>,
}

impl Address {
    /// All of it in one plain spelling. Which one does not matter where it is folded before it is compared.
    pub fn plain(&self, locale: Locale) -> String {
        let building = self.building.as_deref().unwrap_or_default();
        let unit = self.unit.as_deref().unwrap_or_default();
        let Address {
            region,
            city,
            town,
            block,
            ..
        } = self;
        match locale {
            Locale::JaJp => format!("{region}{city}{town}{block} {building} {unit}"),
            Locale::EnUs if unit.is_empty() => format!("{block}, {city}, {region}"),
            Locale::EnUs => format!("{block} Apt {unit}, {city}, {region}"),
        }
    }
}

/// A household: a guardian (the customer), and children where the source has them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Household {
    /// Locale of all its parts.
    pub locale: Locale,
    /// The customer.
    pub guardian: Person,
    /// Children, oldest first; they share the guardian's family name.
    pub children: Vec<Person>,
    /// Where they live.
    pub address: Address,
    /// Landline in E.164 (`+81312345678`), where they have one.
    pub landline: Option<String>,
    /// Mobile number in E.164, where they have one.
    pub mobile: Option<String>,
    /// Mail address, where they have one.
    pub email: Option<String>,
}

macro_rules! redacted_debug {
    ($($type:ty),+) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(redacted)"))
            }
        }
    )+};
}
redacted_debug!(NamePart, Person, Address, Household);
