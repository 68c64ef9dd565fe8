//! How near each number is to each household.
//!
//! Of many households and many numbers there are few pairs that differ: numbers of one area code, of a block that no
//! customer has, are as near as each other to everybody. So numbers are put into classes, and only classes are compared.

use std::collections::HashMap;
use std::hash::Hash;

use crate::canary::PhoneNumber;

use super::area::{AREA, AreaCodes};

pub(super) struct Nearness {
    /// For each household its postcode and the area of that, as they are numbered.
    place: Vec<(usize, usize)>,
    /// For each number its class.
    class: Vec<usize>,
    classes: Vec<Class>,
    /// By postcode and area code; by area and block.
    by_code: Vec<u8>,
    codes: usize,
    by_block: Vec<u8>,
    blocks: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Class {
    mobile: bool,
    code: Option<usize>,
    block: Option<usize>,
}

/// Different values, numbered as they come, each with somebody who has it.
struct Numbered<K, T> {
    numbers: HashMap<K, usize>,
    first: Vec<T>,
}

impl<K: Eq + Hash, T> Numbered<K, T> {
    fn new() -> Numbered<K, T> {
        Numbered {
            numbers: HashMap::new(),
            first: Vec::new(),
        }
    }

    fn number(&mut self, key: K, of: T) -> usize {
        let next = self.first.len();
        *self.numbers.entry(key).or_insert_with(|| {
            self.first.push(of);
            next
        })
    }
}

impl Nearness {
    pub(super) fn of<'a>(
        area: &AreaCodes,
        homes: impl Iterator<Item = &'a str>,
        numbers: impl Iterator<Item = &'a PhoneNumber>,
    ) -> Nearness {
        let (mut postcodes, mut areas) = (Numbered::new(), Numbered::new());
        let place = homes
            .map(|postcode| {
                let digits = postcode.replace('-', "");
                let head = digits.get(..AREA).unwrap_or(&digits).to_owned();
                (
                    postcodes.number(digits.clone(), digits.clone()),
                    areas.number(head, digits),
                )
            })
            .collect();
        let (mut codes, mut blocks) = (Numbered::new(), Numbered::new());
        let mut classes = Numbered::new();
        let class = numbers
            .map(|number| {
                let class = Class {
                    mobile: number.is_japanese_mobile(),
                    code: AreaCodes::code(number).map(|code| codes.number(code, number)),
                    block: area.block(number).map(|block| blocks.number(block, number)),
                };
                classes.number(class, class)
            })
            .collect();
        let each = postcodes.first.iter();
        let by_code = each.flat_map(|at| codes.first.iter().map(|number| area.by_code(at, number)));
        let each = areas.first.iter();
        let by_block =
            each.flat_map(|at| blocks.first.iter().map(|number| area.by_block(at, number)));
        Nearness {
            by_code: by_code.collect(),
            by_block: by_block.collect(),
            codes: codes.first.len(),
            blocks: blocks.first.len(),
            classes: classes.first,
            place,
            class,
        }
    }

    /// The numbers of each class.
    pub(super) fn classes(&self) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new(); self.classes.len()];
        for (number, class) in self.class.iter().enumerate() {
            all[*class].push(number);
        }
        all
    }

    pub(super) fn class(&self, number: usize) -> usize {
        self.class[number]
    }

    pub(super) fn is_mobile(&self, class: usize) -> bool {
        self.classes[class].mobile
    }

    /// As [`AreaCodes::of_row`] has it.
    pub(super) fn between(&self, household: usize, class: usize) -> u8 {
        let (postcode, area) = self.place[household];
        let class = &self.classes[class];
        let code = class
            .code
            .map(|at| self.by_code[postcode * self.codes + at]);
        let block = class.block.map(|at| self.by_block[area * self.blocks + at]);
        code.unwrap_or(0) + block.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{MappedColumn, Mapping, Role};
    use crate::persona::Locale;

    #[test]
    fn a_number_is_as_near_as_its_code_and_block_are_to_the_neighbours() {
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![
                MappedColumn::told("zip", Role::Postcode),
                MappedColumn::told("tel", Role::Phone),
            ],
            related: Vec::new(),
        };
        let columns = ["zip".to_owned(), "tel".to_owned()];
        let row = |zip: &str, tel: &str| vec![Some(zip.to_owned()), Some(tel.to_owned())];
        let rows = [
            row("100-0013", "03-0123-4567"),
            row("100-0013", "03-0123-4568"),
            row("150-0001", "03-0999-4567"),
            row("330-0001", "048-012-4567"),
        ];
        let area = AreaCodes::of(&mapping, &columns, &rows);
        let homes = ["100-0013", "100-1199", "330-0001"];
        let numbers: Vec<PhoneNumber> = [
            "+81301234000",
            "+81301239999",
            "+81309990001",
            "+81480120001",
            "+81301238888",
        ]
        .map(|number| number.parse().unwrap())
        .into();
        let nearness = Nearness::of(&area, homes.into_iter(), numbers.iter());
        let table: Vec<Vec<u8>> = (0..homes.len())
            .map(|home| {
                (0..numbers.len())
                    .map(|one| nearness.between(home, nearness.class(one)))
                    .collect()
            })
            .collect();
        assert_eq!(table, [[4, 3, 0, 0, 3], [3, 2, 0, 0, 2], [0, 0, 0, 3, 0]]);
        // Two numbers of blocks that nobody has are one class.
        assert_eq!(nearness.classes().len(), 4);
    }
}
