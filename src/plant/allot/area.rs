//! How well numbers and addresses go together, as the customers of a table show it.

use std::collections::HashMap;

use crate::canary::PhoneNumber;
use crate::database::Row;
use crate::notation::{Mapping, Role, phone_key, postcode_key};
use crate::persona::{Address, Locale};

use super::phones::block;

/// From far to near: so many digits of a postcode are looked at together with the code of a number, or its block.
const STEPS: [(usize, Part); 4] = [
    (2, Part::Code),
    (3, Part::Code),
    (5, Part::Code),
    (3, Part::Block),
];
/// The digits of a postcode by which neighbours are looked for, from near to far.
const AROUND: [usize; 3] = [5, 3, 2];
/// Digits of a code after the country's.
const CODE: usize = 3;
/// What is added to counts, so that one neighbour more or less of a few says little.
const DOUBT: f64 = 0.3;

#[derive(Clone, Copy)]
enum Part {
    Code,
    Block,
}

/// How a number stands to an address, in hundredths: how common its code is, and for each of the [`STEPS`] how much
/// more often the two are seen together than chance would have it; all as logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit([i32; 1 + STEPS.len()]);

impl Fit {
    /// How much two of them differ.
    pub(super) fn from(self, other: Fit) -> u32 {
        let pairs = self.0.iter().zip(other.0);
        pairs.map(|(own, other)| own.abs_diff(other)).sum()
    }

    /// The more, the less often people who live there have such a number.
    pub(super) fn strange(self) -> u32 {
        let near: i32 = self.0[1..].iter().sum();
        u32::try_from(10_000_i32.saturating_sub(near)).unwrap_or(0)
    }
}

/// Where somebody lives, as far as the table has seen it: for each of the [`STEPS`].
pub(super) struct Home([Option<u32>; STEPS.len()]);

/// A number, as far as the table has seen it.
pub(super) struct Parts {
    code: Option<u32>,
    block: Option<u32>,
}

impl Parts {
    fn of(&self, part: Part) -> Option<u32> {
        match part {
            Part::Code => self.code,
            Part::Block => self.block,
        }
    }
}

/// Different texts, numbered as they come, and how many rows have each.
#[derive(Default)]
struct Counted {
    numbers: HashMap<String, u32>,
    counts: Vec<u32>,
}

impl Counted {
    fn add(&mut self, text: &str) {
        let next = u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(text.to_owned()).or_insert(next);
        if number == next {
            self.counts.push(0);
        }
        if let Some(count) = self.counts.get_mut(number as usize) {
            *count += 1;
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    fn count(&self, number: Option<u32>) -> u32 {
        let count = number.and_then(|number| self.counts.get(number as usize));
        count.copied().unwrap_or(0)
    }
}

/// Where a row of the table says that somebody lives.
#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Postcode,
    /// Where there is no postcode: the prefecture or the state.
    Region,
}

/// Addresses and numbers that were seen together in a table.
#[derive(Default)]
pub struct AreaCodes {
    by: Place,
    rows: u32,
    /// For each of the [`STEPS`].
    places: [Counted; STEPS.len()],
    codes: Counted,
    blocks: Counted,
    /// For each of the [`STEPS`], by place and code or block.
    together: [HashMap<(u32, u32), u32>; STEPS.len()],
    /// For each row where it is and how its number stands to that, were the row not there itself.
    fits: Vec<Option<(String, Fit)>>,
}

impl AreaCodes {
    /// Learns from rows; `columns` names their cells.
    pub fn of(mapping: &Mapping, columns: &[String], rows: &[Row]) -> AreaCodes {
        let column = |role: Role| {
            let column = mapping.with_role(role).next()?;
            columns.iter().position(|name| *name == column.column)
        };
        let place = match (column(Role::Postcode), column(Role::Region)) {
            (Some(at), _) => Some((Place::Postcode, at)),
            (None, region) => region.map(|at| (Place::Region, at)),
        };
        let phone = column(Role::Phone).or(column(Role::Mobile));
        let (Some((by, place)), Some(phone)) = (place, phone) else {
            return AreaCodes::default();
        };
        let mut area = AreaCodes {
            by,
            ..AreaCodes::default()
        };
        let pairs: Vec<Option<(String, String)>> = rows
            .iter()
            .map(|row| {
                let place = row.get(place)?.as_deref()?;
                let place = match by {
                    Place::Postcode => postcode_key(place, None)?,
                    Place::Region => region_key(place),
                };
                let number = phone_key(row.get(phone)?.as_deref()?, Some(mapping.locale.into()))?;
                number
                    .starts_with(mapping.locale.country_code())
                    .then_some(())?;
                Some((place, number))
            })
            .collect();
        for (place, number) in pairs.iter().flatten() {
            area.rows += 1;
            area.codes.add(code(number).unwrap_or_default());
            area.blocks.add(block(number));
            let parts = area.parts_of(number);
            for (step, (digits, part)) in STEPS.iter().enumerate() {
                let Some(head) = head(by, place, *digits) else {
                    continue;
                };
                area.places[step].add(head);
                if let (Some(place), Some(part)) = (area.places[step].number(head), parts.of(*part))
                {
                    *area.together[step].entry((place, part)).or_default() += 1;
                }
            }
        }
        let fits = pairs.into_iter().map(|pair| {
            let (place, number) = pair?;
            let fit = area.look(&area.home_at(&place), &area.parts_of(&number), 1);
            Some((place, fit))
        });
        area.fits = fits.collect();
        area
    }

    /// Where a row of the table is, as [`AreaCodes::place`] has it, and how its number stands to that, seen from the
    /// other rows. `None` where it has no number, or nothing is known.
    pub(super) fn of_row(&self, row: usize) -> Option<(&str, Fit)> {
        let (place, fit) = self.fits.get(row)?.as_ref()?;
        Some((place, *fit))
    }

    /// Where an address is.
    pub(super) fn place(&self, address: &Address) -> String {
        match self.by {
            Place::Postcode => address.postcode.replace('-', ""),
            Place::Region => region_key(&address.region),
        }
    }

    /// The places that a place lies in, itself first, everywhere last.
    pub(super) fn around<'p>(&self, place: &'p str) -> impl Iterator<Item = &'p str> + use<'p> {
        let by = self.by;
        let heads = AROUND
            .into_iter()
            .filter_map(move |digits| head(by, place, digits));
        heads.chain([""])
    }

    /// What is known of a place.
    pub(super) fn home_at(&self, place: &str) -> Home {
        let mut home = Home([None; STEPS.len()]);
        for ((digits, _), (counted, own)) in STEPS.iter().zip(self.places.iter().zip(&mut home.0)) {
            *own = head(self.by, place, *digits).and_then(|head| counted.number(head));
        }
        home
    }

    /// What is known of a number.
    pub(super) fn parts(&self, number: &PhoneNumber) -> Parts {
        self.parts_of(number.as_str())
    }

    fn parts_of(&self, number: &str) -> Parts {
        Parts {
            code: code(number).and_then(|code| self.codes.number(code)),
            block: self.blocks.number(block(number)),
        }
    }

    /// How a number that nobody has yet would stand to an address.
    pub(super) fn fit(&self, home: &Home, parts: &Parts) -> Fit {
        self.look(home, parts, 0)
    }

    /// The same, where `own` of the rows have both and do not count.
    fn look(&self, home: &Home, parts: &Parts, own: u32) -> Fit {
        let hundredths = |value: f64| (100.0 * value).round() as i32;
        let less = |count: u32| f64::from(count.saturating_sub(own));
        let mut fit = [0; 1 + STEPS.len()];
        fit[0] = hundredths((1.0 + less(self.codes.count(parts.code))).ln());
        let rows = less(self.rows).max(1.0);
        for (step, (_, part)) in STEPS.iter().enumerate() {
            let (place, number) = (home.0[step], parts.of(*part));
            let seen = match (place, number) {
                (Some(place), Some(number)) => self.together[step].get(&(place, number)).copied(),
                _ => None,
            };
            let counted = match part {
                Part::Code => &self.codes,
                Part::Block => &self.blocks,
            };
            let chance = less(self.places[step].count(place)) * less(counted.count(number)) / rows;
            fit[step + 1] = hundredths(((less(seen.unwrap_or(0)) + DOUBT) / (chance + DOUBT)).ln());
        }
        Fit(fit)
    }
}

fn region_key(text: &str) -> String {
    text.trim().to_uppercase()
}

/// So many digits of a postcode; a region has no parts.
fn head(by: Place, place: &str, digits: usize) -> Option<&str> {
    match by {
        Place::Postcode => place.get(..digits),
        Place::Region => Some(place),
    }
}

/// The first digits of a number in E.164, the country's among them.
fn code(number: &str) -> Option<&str> {
    let country = [Locale::JaJp, Locale::EnUs].map(Locale::country_code);
    let own = country
        .iter()
        .find(|country| number.starts_with(**country))?;
    number.get(..own.len() + CODE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::MappedColumn;

    fn area(place: Role, rows: &[(&str, &str)]) -> AreaCodes {
        let mapping = Mapping {
            locale: Locale::EnUs,
            columns: vec![
                MappedColumn::told("place", place),
                MappedColumn::told("tel", Role::Phone),
            ],
            related: Vec::new(),
        };
        let columns = ["place".to_owned(), "tel".to_owned()];
        let row =
            |(place, tel): &(&str, &str)| vec![Some((*place).to_owned()), Some((*tel).to_owned())];
        let rows: Vec<Row> = rows.iter().map(row).collect();
        AreaCodes::of(&mapping, &columns, &rows)
    }

    fn fit(area: &AreaCodes, place: &str, number: &str) -> Fit {
        let number: PhoneNumber = number.parse().unwrap();
        area.fit(&area.home_at(place), &area.parts(&number))
    }

    #[test]
    fn a_number_fits_where_its_code_is_seen_and_more_so_where_no_other_is() {
        let mut rows = vec![("10001", "212-555-0100"); 30];
        rows.extend([("10001", "914-555-0100"); 10]);
        rows.extend([("94105", "415-555-0100"); 20]);
        let area = area(Role::Postcode, &rows);
        let strange = |place, number| fit(&area, place, number).strange();
        let [often, seldom, never] =
            ["+12125550199", "+19145550199", "+14155550199"].map(|number| strange("10001", number));
        assert!(
            often <= seldom + 20 && seldom + 500 < never,
            "{often} {seldom} {never}"
        );
        assert!(strange("94105", "+14155550199") < often);
        // The neighbours of the next postcode say less, but something.
        let next = strange("10003", "+12125550199");
        assert!(often < next && next < strange("10003", "+14155550199"));
        // A code that nobody has tells nothing of where.
        assert_eq!(
            strange("10001", "+13125550199"),
            strange("94105", "+13125550199")
        );
    }

    #[test]
    fn a_row_does_not_speak_for_itself() {
        let mut rows = vec![("10001", "212-555-0100"); 30];
        rows.push(("10001", "907-555-0100"));
        rows.push(("10001", ""));
        let area = area(Role::Postcode, &rows);
        let (place, own) = area.of_row(30).unwrap();
        assert_eq!(place, "10001");
        // As if it were a new number there; but one row less has that postcode.
        assert!(own.from(fit(&area, "10001", "+13125550100")) < 20);
        assert!(own.from(fit(&area, "10001", "+12125550199")) > 100);
        assert_eq!(area.of_row(31), None);
    }

    #[test]
    fn without_postcodes_the_region_tells() {
        let mut rows = vec![("NY", "212-555-0100"); 20];
        rows.extend([("ca", "415-555-0100"); 20]);
        let area = area(Role::Region, &rows);
        let strange = |place, number| fit(&area, &region_key(place), number).strange();
        assert!(strange("CA", "+14155550199") < strange("CA", "+12125550199"));
    }
}
