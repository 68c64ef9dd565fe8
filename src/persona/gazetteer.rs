//! Which places a postcode has, and typed addresses into parts.

use super::{Address, Locale, Seeds};

/// Places by postcode; cheap to clone.
#[derive(Clone)]
pub struct Gazetteer {}

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
    #[error("'{0}' is not a postcode")]
    Postcode(String),
}

#[expect(unused_variables, reason = "signatures first, bodies follow")]
impl Gazetteer {
    /// The gazetteer of these seeds.
    pub fn new(seeds: &Seeds) -> Gazetteer {
        todo!()
    }

    /// The places of a Japanese postcode (seven digits, hyphen or not); empty if unknown.
    pub fn locate_ja(&self, postcode: &str) -> Vec<Place<'_>> {
        todo!()
    }

    /// The place of a ZIP code (five digits; a `-1234` behind it is ignored).
    pub fn locate_us(&self, zip: &str) -> Vec<Place<'_>> {
        todo!()
    }

    /// Splits what an operator typed (`東京都千代田区霞が関9-12-8 霞ハイツ`, with or without
    /// prefecture and city; `1200 Example Ave, Springfield`) into its parts. `unit` stays `None`.
    ///
    /// # Errors
    /// An unknown postcode, or an address that does not agree with it; it says which places the
    /// postcode has.
    pub fn split_address(
        &self,
        locale: Locale,
        postcode: &str,
        typed: &str,
    ) -> Result<Address, AddressError> {
        todo!()
    }
}
