//! Which area codes the customers of a place have.

use std::collections::HashMap;

use crate::canary::PhoneNumber;
use crate::database::Row;
use crate::notation::{Mapping, Role, phone_key, postcode_key};
use crate::persona::Address;

/// From far to near: so many digits of a postcode with so many digits of a number, after the country's.
const STEPS: [(usize, usize); 4] = [(2, 3), (3, 3), (5, 3), (3, 6)];

/// Places and area codes that were seen together in a table.
#[derive(Default)]
pub struct AreaCodes {
    seen: HashMap<(usize, String, String), u32>,
    /// For each row how near its number is to its address, were the row not there itself.
    rows: Vec<Option<u8>>,
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
        let pairs: Vec<Option<(String, String)>> = rows
            .iter()
            .map(|row| {
                let digits = postcode_key(row.get(postcode)?.as_deref()?, None)?;
                let number = phone_key(row.get(phone)?.as_deref()?, Some(mapping.locale.into()))?;
                let national = number.strip_prefix(mapping.locale.country_code())?;
                Some((digits, national.to_owned()))
            })
            .collect();
        let mut codes = AreaCodes::default();
        for (postcode, number) in pairs.iter().flatten() {
            for key in steps(postcode, number) {
                *codes.seen.entry(key).or_default() += 1;
            }
        }
        codes.rows = pairs
            .iter()
            .map(|pair| {
                let (postcode, number) = pair.as_ref()?;
                Some(codes.steps_seen(postcode, number, 2))
            })
            .collect();
        codes
    }

    fn steps_seen(&self, postcode: &str, number: &str, least: u32) -> u8 {
        let seen = |key: &_| self.seen.get(key).is_some_and(|count| *count >= least);
        steps(postcode, number).filter(seen).count() as u8
    }

    /// How near the number of a row of the table is to its address: 0 for one whose area code nobody there has, up
    /// to 4 for one of the neighbours' block. `None` where it has no number, or nothing is known.
    pub(super) fn of_row(&self, row: usize) -> Option<u8> {
        self.rows.get(row).copied().flatten()
    }

    /// The same for a number that somebody at that address might be given.
    pub(super) fn nearness(&self, address: &Address, number: &PhoneNumber) -> u8 {
        let text = number.as_str();
        let national = text.strip_prefix("+81").or(text.strip_prefix("+1"));
        national.map_or(0, |national| {
            let digits = address.postcode.replace('-', "");
            self.steps_seen(&digits, national, 1)
        })
    }
}

fn steps<'a>(
    postcode: &'a str,
    number: &'a str,
) -> impl Iterator<Item = (usize, String, String)> + 'a {
    STEPS
        .iter()
        .enumerate()
        .filter_map(|(step, (place, code))| {
            Some((
                step,
                postcode.get(..*place)?.to_owned(),
                number.get(..*code)?.to_owned(),
            ))
        })
}
