//! (seeds, rng) to a household.

use rand::Rng;
use time::Date;

use super::{Household, Locale, Seeds, Shape};

/// Makes households of one locale; build it once, it is cheap to call.
pub struct Generator {}

#[expect(unused_variables, reason = "signatures first, bodies follow")]
impl Generator {
    /// Prepares the tables of a locale.
    pub fn new(seeds: &Seeds, locale: Locale) -> Generator {
        todo!()
    }

    /// The locale of its households.
    pub fn locale(&self) -> Locale {
        todo!()
    }

    /// One household as it stands on the day `on`. Its phone numbers are of ranges that are never
    /// issued and its mail address is at a `.example` domain: a caller that plants it puts owned
    /// contact points in their place.
    pub fn household<R: Rng + ?Sized>(&self, rng: &mut R, on: Date, shape: &Shape) -> Household {
        todo!()
    }
}
