//! Which area codes the customers of a place have.

use std::collections::HashSet;

use crate::canary::PhoneNumber;
use crate::database::Row;
use crate::notation::{Mapping, Role, phone_key, postcode_key};
use crate::persona::Address;

/// Digits of a postcode that name a part of the country.
const PLACE: usize = 2;
/// Digits of a number, after the country's, that name one.
const CODE: usize = 3;

/// Places and area codes that were seen together in a table.
#[derive(Default)]
pub struct AreaCodes {
    seen: HashSet<(String, String)>,
}

impl AreaCodes {
    /// Learns from rows; `columns` names their cells.
    pub fn of(mapping: &Mapping, columns: &[String], rows: &[Row]) -> AreaCodes {
        let place = |role: Role| {
            let column = mapping.with_role(role).next()?;
            columns.iter().position(|name| *name == column.column)
        };
        let (Some(postcode), Some(phone)) = (place(Role::Postcode), place(Role::Phone)) else {
            return AreaCodes::default();
        };
        let pair = |row: &Row| {
            let digits = postcode_key(row.get(postcode)?.as_deref()?, None)?;
            let number = phone_key(row.get(phone)?.as_deref()?, Some(mapping.locale.into()))?;
            let national = number.strip_prefix(mapping.locale.country_code())?;
            Some((
                digits.get(..PLACE)?.to_owned(),
                national.get(..CODE)?.to_owned(),
            ))
        };
        AreaCodes {
            seen: rows.iter().filter_map(pair).collect(),
        }
    }

    /// Whether somebody at that address may have that number: a mobile, or one of an area code that
    /// customers near there have. With nothing known, anybody.
    pub(super) fn fits(&self, address: &Address, number: &PhoneNumber) -> bool {
        let national = number
            .as_str()
            .strip_prefix("+81")
            .or(number.as_str().strip_prefix("+1"));
        let (Some(place), Some(code)) = (
            address.postcode.get(..PLACE),
            national.and_then(|text| text.get(..CODE)),
        ) else {
            return true;
        };
        self.seen.is_empty() || self.seen.contains(&(place.to_owned(), code.to_owned()))
    }
}
