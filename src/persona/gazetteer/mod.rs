//! Which places a postcode has, and what an operator typed as an address, in parts.

mod ja;
mod us;

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::seeds::{En, Ja};
use super::{Address, Locale, Seeds};

/// Places by postcode; cheap to make and to clone.
#[derive(Clone)]
pub struct Gazetteer {
    ja: Arc<Ja>,
    en: Arc<En>,
}

/// A place that a postcode has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Prefecture or two-letter state.
    pub region: &'a str,
    /// 市区町村, or city.
    pub city: &'a str,
    /// 町域; empty in the United States, and where a Japanese postcode stands for a whole city.
    pub town: &'a str,
    /// Reading of region and city, full-width katakana; empty in the United States.
    pub city_kana: &'a str,
    /// Reading of the town.
    pub town_kana: &'a str,
}

/// An address that cannot be understood, or that does not agree with its postcode.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not a postcode of the locale.
    #[error("'{typed}' is not a postcode: give {wanted}")]
    Postcode {
        /// As typed.
        typed: String,
        /// How postcodes of the locale look.
        wanted: &'static str,
    },
    /// A postcode that no place has.
    #[error("no place has the postcode {postcode}: check it, or lay a newer table over the seeds")]
    Unknown {
        /// Digits only.
        postcode: String,
    },
    /// The address names another place than the postcode.
    #[error(
        "the address '{typed}' does not agree with the postcode {postcode}, which is {places}: correct one of the two"
    )]
    Disagrees {
        /// Digits only.
        postcode: String,
        /// As typed.
        typed: String,
        /// The places of the postcode.
        places: String,
    },
    /// Only a block was typed, and the postcode has several places.
    #[error("the postcode {postcode} has several places ({places}): write the town into '{typed}'")]
    Several {
        /// Digits only.
        postcode: String,
        /// As typed.
        typed: String,
        /// The places of the postcode.
        places: String,
    },
    /// No house number in it.
    #[error("the address '{typed}' has no house number: write it like {example}")]
    NoBlock {
        /// As typed.
        typed: String,
        /// An address of the locale.
        example: &'static str,
    },
}

impl Gazetteer {
    /// The gazetteer of these seeds.
    pub fn new(seeds: &Seeds) -> Gazetteer {
        Gazetteer {
            ja: seeds.ja.clone(),
            en: seeds.en.clone(),
        }
    }

    /// The places of a Japanese postcode (seven digits, hyphen or not); empty if unknown.
    pub fn locate_ja(&self, postcode: &str) -> Vec<Place<'_>> {
        let Some(postcode) = ja::postcode(postcode).and_then(|digits| digits.parse().ok()) else {
            return Vec::new();
        };
        let first = self
            .ja
            .towns
            .partition_point(|town| town.postcode < postcode);
        let towns = self.ja.towns[first..].iter();
        towns
            .take_while(|town| town.postcode == postcode)
            .map(|town| {
                let city = &self.ja.cities[town.city];
                Place {
                    region: &self.ja.prefectures[city.prefecture].name,
                    city: &city.name,
                    town: &town.name,
                    city_kana: &city.kana,
                    town_kana: &town.kana,
                }
            })
            .collect()
    }

    /// The place of a ZIP code (five digits; a `-1234` behind it is ignored); empty if unknown.
    pub fn locate_us(&self, zip: &str) -> Vec<Place<'_>> {
        let Some(zip) = us::zip(zip).and_then(|digits| digits.parse().ok()) else {
            return Vec::new();
        };
        let first = self.en.zips.partition_point(|place| place.zip < zip);
        let zips = self.en.zips[first..].iter();
        zips.take_while(|place| place.zip == zip)
            .map(|place| Place {
                region: &place.state,
                city: &place.city,
                town: "",
                city_kana: "",
                town_kana: "",
            })
            .collect()
    }

    /// Splits what an operator typed (`東京都千代田区霞が関9-12-8 霞ハイツ`, with or without
    /// prefecture, city and, where the postcode has one town only, town; `1200 Example Ave,
    /// Springfield, IL`) into its parts. `unit` stays `None`: a drop's units are given apart.
    ///
    /// # Errors
    /// An unknown postcode, an address that does not agree with it (it says which places the
    /// postcode has), or an address without a house number.
    pub fn split_address(
        &self,
        locale: Locale,
        postcode: &str,
        typed: &str,
    ) -> Result<Address, AddressError> {
        match locale {
            Locale::JaJp => ja::split(self, postcode, typed),
            Locale::EnUs => us::split(self, postcode, typed),
        }
    }
}

impl Place<'_> {
    /// The address in this place.
    fn address(&self, postcode: String, block: String, building: &str) -> Address {
        Address {
            postcode,
            region: self.region.to_owned(),
            city: self.city.to_owned(),
            city_kana: self.city_kana.to_owned(),
            town: self.town.to_owned(),
            town_kana: self.town_kana.to_owned(),
            block,
            building: Some(building.to_owned()).filter(|name| !name.is_empty()),
            unit: None,
        }
    }
}

/// NFKC without outer blanks.
fn fold(typed: &str) -> String {
    typed.nfkc().collect::<String>().trim().to_owned()
}

/// The digits of a postcode, if there are that many and nothing else but hyphens and a postal mark.
fn postcode_digits(typed: &str, length: usize) -> Option<String> {
    let mut digits = String::new();
    for c in fold(typed).chars() {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '〒' | ' ' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' => {}
            _ => return None,
        }
    }
    (digits.len() == length).then_some(digits)
}
