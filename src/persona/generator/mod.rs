//! (seeds, rng) to a household.
//!
//! What a thief could check is drawn together: kanji with its reading, a given name with sex and
//! birth year, a postcode with its town, a landline with its city. What could ring at somebody's is
//! never drawn: numbers come from ranges that are not issued, mail addresses from `.example`.
//! An address, though, is a real street: whoever plants it puts a drop that we own in its place.

mod ages;
mod contact;
mod en;
mod family;
mod ja;
mod ja_address;
mod ja_names;

use rand::Rng;
use time::Date;

use super::{Household, Locale, Seeds, Shape};

pub(super) use ja_address::WORD_LISTS;

/// Makes households of one locale; build it once (some milliseconds), it is cheap to call.
pub struct Generator {
    locale: Tables,
}

enum Tables {
    Ja(Box<ja::Japan>),
    En(Box<en::UnitedStates>),
}

impl Generator {
    /// Prepares the tables of a locale.
    pub fn new(seeds: &Seeds, locale: Locale) -> Generator {
        let locale = match locale {
            Locale::JaJp => Tables::Ja(Box::new(ja::Japan::new(seeds.ja.clone()))),
            Locale::EnUs => Tables::En(Box::new(en::UnitedStates::new(seeds.en.clone()))),
        };
        Generator { locale }
    }

    /// The locale of its households.
    pub fn locale(&self) -> Locale {
        match self.locale {
            Tables::Ja(_) => Locale::JaJp,
            Tables::En(_) => Locale::EnUs,
        }
    }

    /// One household as it stands on the day `on`. Its phone numbers are of ranges that are never
    /// issued and its mail address is at a `.example` domain: a caller that plants it puts owned
    /// contact points in their place, and an owned drop in the place of its address.
    ///
    /// The same seeds, the same state of `rng` and the same arguments give the same household.
    pub fn household<R: Rng + ?Sized>(&self, rng: &mut R, on: Date, shape: &Shape) -> Household {
        match &self.locale {
            Tables::Ja(japan) => japan.household(rng, on, shape),
            Tables::En(states) => states.household(rng, on, shape),
        }
    }
}
