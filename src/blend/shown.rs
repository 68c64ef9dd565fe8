//! Which kinds of contact points a row has.

use super::seen::Cells;
use crate::canary::is_japanese_mobile;
use crate::notation::{Mapping, Role, address_key, phone_key};
use crate::persona::Household;

/// Read once for each row: patterns are looked for among many rows again and again.
pub(super) struct Shown {
    /// Whether the number of the column for any kind is a mobile one in Japan; `None` where there is no number.
    number: Option<bool>,
    mobile: bool,
    mail: bool,
    /// Whether the address has a unit or a building; `None` where nothing tells.
    unit: Option<bool>,
}

impl Shown {
    pub(super) fn of(mapping: &Mapping, cells: &Cells<'_>) -> Shown {
        let unit = [Role::Address2, Role::Building]
            .into_iter()
            .find(|role| mapping.has(*role));
        Shown {
            number: cells
                .text(Role::Phone)
                .and_then(|text| phone_key(text, Some(mapping.locale.into())))
                .map(|number| is_japanese_mobile(&number)),
            mobile: cells.text(Role::Mobile).is_some(),
            mail: cells.text(Role::Email).is_some(),
            unit: match unit {
                Some(role) => Some(cells.text(role).is_some()),
                None => [Role::Address, Role::Address1, Role::Street]
                    .into_iter()
                    .find_map(|role| cells.text(role))
                    .and_then(address_key)
                    .map(|key| !key.unit.is_empty() || !key.building.is_empty()),
            },
        }
    }

    /// On how many of four kinds the row agrees with a household.
    pub(super) fn likeness(&self, home: &Household, mapping: &Mapping) -> usize {
        let own = home.landline.as_deref().or(home.mobile.as_deref());
        let number = match (self.number, own) {
            (Some(mobile), Some(other)) => mobile == is_japanese_mobile(other),
            (None, None) => true,
            _ => !mapping.has(Role::Phone),
        };
        let split = mapping.has(Role::Address2) || mapping.has(Role::Building);
        let inside = match split {
            true => home.address.unit.is_some() || home.address.building.is_some(),
            false => home.address.unit.is_some(),
        };
        let unit = self.unit.is_none_or(|unit| unit == inside);
        let mail = self.mail == home.email.is_some() || !mapping.has(Role::Email);
        let mobile = self.mobile == home.mobile.is_some() || !mapping.has(Role::Mobile);
        [number, unit, mail, mobile]
            .into_iter()
            .filter(|alike| *alike)
            .count()
    }
}
