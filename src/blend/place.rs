//! Where a row lies, and the parts of the country around it.

use super::seen::Cells;
use crate::notation::{Role, postcode_key, region_key};
use crate::persona::Address;

/// Digits of a postcode that name parts of the country: those within a region, and several regions together.
const WITHIN: [usize; 3] = [4, 3, 2];
const BEYOND: usize = 1;

/// Where somebody lives, as far as that is known; empty what is not.
pub(super) struct Place {
    /// The postcode's digits.
    postcode: String,
    /// The prefecture or state, by [`region_key`].
    region: String,
}

impl Place {
    pub(super) fn of(cells: &Cells<'_>) -> Place {
        use Role::*;
        let postcode = cells.text(Postcode);
        let region = [Region, Address, Address1].into_iter();
        let region = region.filter_map(|role| cells.text(role)).next();
        Place {
            postcode: postcode
                .and_then(|text| postcode_key(text, None))
                .unwrap_or_default(),
            region: region.and_then(region_key).unwrap_or_default(),
        }
    }

    pub(super) fn of_address(address: &Address) -> Place {
        Place {
            postcode: postcode_key(&address.postcode, None).unwrap_or_default(),
            region: region_key(&address.region).unwrap_or_default(),
        }
    }

    /// The prefecture or state, and what stands for it where no column tells it: the postcode's first two digits.
    pub(super) fn regions(&self) -> impl Iterator<Item = &str> {
        let head = self.postcode.get(..WITHIN[WITHIN.len() - 1]);
        self.told().into_iter().chain(head)
    }

    /// The prefecture or state, where a column tells it.
    fn told(&self) -> Option<&str> {
        Some(self.region.as_str()).filter(|region| !region.is_empty())
    }

    /// The one of these that is known.
    pub(super) fn region(&self) -> Option<&str> {
        self.regions().next()
    }

    /// The parts of the country that it lies in, the small ones first.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let head = |digits: usize| self.postcode.get(..digits);
        let within = WITHIN.into_iter().filter_map(head);
        within.chain(self.told()).chain(head(BEYOND))
    }
}
