//! Which area codes the customers of a place have.

use std::collections::{HashMap, HashSet};

use crate::canary::PhoneNumber;
use crate::database::Row;
use crate::notation::{Mapping, Role, phone_key, postcode_key};

/// From far to near: so many digits of a postcode with so many digits of a number, after the country's.
const STEPS: [(usize, usize); 4] = [(2, 3), (3, 3), (5, 3), BLOCK];
const BLOCK: (usize, usize) = (AREA, 6);
/// Digits of a postcode by which a block is somebody's neighbours'.
pub(super) const AREA: usize = 3;

/// One of the [`STEPS`], with the digits of a postcode and of a number.
type Step = (usize, u32, u32);

/// Places and area codes that were seen together in a table.
#[derive(Default)]
pub struct AreaCodes {
    seen: HashMap<Step, u32>,
    /// The beginnings of numbers that anybody in the table has, as the last step takes them.
    blocks: HashSet<u32>,
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
            codes.blocks.extend(digits(number, BLOCK.1));
        }
        codes.rows = pairs
            .iter()
            .map(|pair| {
                let (postcode, number) = pair.as_ref()?;
                let seen = |key: &Step| codes.seen.get(key).is_some_and(|count| *count >= 2);
                Some(steps(postcode, number).filter(seen).count() as u8)
            })
            .collect();
        codes
    }

    /// How near the number of a row of the table is to its address: 0 for one whose area code nobody there has, up
    /// to 4 for one of the neighbours' block. `None` where it has no number, or nothing is known.
    pub(super) fn of_row(&self, row: usize) -> Option<u8> {
        self.rows.get(row).copied().flatten()
    }

    /// The same by the area code alone, for a number that somebody at that postcode might be given: up to 3.
    pub(super) fn by_code(&self, postcode: &str, number: &PhoneNumber) -> u8 {
        let steps = steps(postcode, national(number)).filter(|(step, ..)| *step < STEPS.len() - 1);
        steps.filter(|key| self.seen.contains_key(key)).count() as u8
    }

    /// What the block adds: 1 for one that the neighbours have.
    pub(super) fn by_block(&self, postcode: &str, number: &PhoneNumber) -> u8 {
        let mut steps = steps(postcode, national(number));
        u8::from(steps.any(|key| key.0 == STEPS.len() - 1 && self.seen.contains_key(&key)))
    }

    /// The area code of a number, as far as it is looked at.
    pub(super) fn code(number: &PhoneNumber) -> Option<u32> {
        digits(national(number), STEPS[0].1)
    }

    /// The block of a number, if anybody in the table has a number of it.
    pub(super) fn block(&self, number: &PhoneNumber) -> Option<u32> {
        let block = digits(national(number), BLOCK.1)?;
        self.blocks.contains(&block).then_some(block)
    }
}

/// The digits of a number behind the country's.
fn national(number: &PhoneNumber) -> &str {
    let text = number.as_str();
    let national = text.strip_prefix("+81").or(text.strip_prefix("+1"));
    national.unwrap_or_default()
}

/// So many digits at the beginning.
fn digits(text: &str, count: usize) -> Option<u32> {
    text.get(..count)?.parse().ok()
}

fn steps<'a>(postcode: &'a str, number: &'a str) -> impl Iterator<Item = Step> + 'a {
    STEPS
        .iter()
        .enumerate()
        .filter_map(|(step, (place, code))| {
            Some((step, digits(postcode, *place)?, digits(number, *code)?))
        })
}
