//! How alike what was typed is to a canary's name and address.

use super::Letter;
use super::read::Text;
use crate::notation::{address_key, fold, hyphenated};
use crate::persona::Household;

/// What a part of an address is worth that stands in the canary's as it was typed: no less than a name without one.
const PART: f64 = 0.7;
/// So much of it has to be found there.
const FOUND: f64 = 0.8;

/// A letter's envelope, folded once for all comparisons.
pub struct Typed {
    addressee: String,
    address: String,
    postcode: String,
    /// The address as it may stand within a longer one.
    part: String,
}

impl Typed {
    /// Folds what was typed.
    pub fn new(letter: &Letter) -> Typed {
        let part = hyphenated(&fold(&letter.address));
        // One letter says as much as none.
        let said = part.chars().filter(|c| !c.is_whitespace()).nth(1).is_some();
        let address = said.then(|| door(&letter.address));
        Typed {
            addressee: bare(&letter.addressee),
            address: address.unwrap_or_default(),
            postcode: digits(&letter.postcode),
            part: if said { part } else { String::new() },
        }
    }

    /// How alike; what was not typed counts neither way, but a name or an address alone is never
    /// as good as both.
    pub fn likeness(&self, household: &Household) -> f64 {
        let names = std::iter::once(&household.guardian).chain(&household.children);
        let name = names
            .flat_map(|person| {
                let (family, given) = (&person.family, &person.given);
                [
                    bare(&format!("{}{}", family.written, given.written)),
                    bare(&format!("{}{}", given.written, family.written)),
                    bare(&format!("{}{}", family.kana, given.kana)),
                ]
            })
            .map(|spelling| alike(&self.addressee, &spelling))
            .fold(0.0, f64::max);
        let address = household.address.plain(household.locale);
        let address = alike(&self.address, &door(&address)).max(self.part_of(&address));
        // A ZIP code may be told with its four digits more, or down to the delivery point.
        let code = household.address.postcode.as_str();
        let other = !self.postcode.starts_with(code) && !code.starts_with(&self.postcode);
        let postcode = if other { 0.9 } else { 1.0 };
        match (self.addressee.is_empty(), self.address.is_empty()) {
            (true, true) => 0.0,
            (false, true) => 0.85 * name,
            (true, false) => 0.85 * address * postcode,
            (false, false) => (name + address * postcode) / 2.0,
        }
    }

    /// What it is worth that only a part of an address was typed, a building and its unit, say. A number that the
    /// address has not is another door's, and a town alone is everybody's.
    fn part_of(&self, address: &str) -> f64 {
        let town = self.addressee.is_empty() && !self.part.contains(|c: char| c.is_ascii_digit());
        if self.part.is_empty() || town {
            return 0.0;
        }
        let whole = hyphenated(&fold(address));
        if !numbers(&self.part).all(|number| numbers(&whole).any(|own| own == number)) {
            return 0.0;
        }
        let found = Text::new(&whole).best(&self.part);
        PART * if found >= FOUND { found } else { 0.0 }
    }
}

/// The numbers in an address.
fn numbers(address: &str) -> impl Iterator<Item = &str> {
    let runs = address.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| !run.is_empty())
}

/// A name without spaces and titles.
fn bare(name: &str) -> String {
    let folded: String = fold(name).split_whitespace().collect();
    match folded.strip_suffix(['様', '殿']) {
        Some(name) => name.to_owned(),
        None => folded,
    }
}

/// An address down to the door, without the region and city that senders leave out.
fn door(address: &str) -> String {
    match address_key(address) {
        Some(key) => key.mark(),
        None => fold(address),
    }
}

pub(super) fn digits(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_digit).collect()
}

/// 1 less the share of characters that have to be changed, added or taken away.
fn alike(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 0.0;
    }
    // One row of the edit distance's table at a time.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    1.0 - row[b.len()] as f64 / longest as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn likeness_is_the_share_that_stays() {
        assert_eq!(alike("高橋圭祐", "高橋圭祐"), 1.0);
        assert_eq!(alike("高橋圭裕", "高橋圭祐"), 0.75);
        assert_eq!(alike("高橋圭", "高橋圭祐"), 0.75);
        assert_eq!(alike("", ""), 0.0);
        assert_eq!(alike("ab", "cd"), 0.0);
    }

    proptest! {
        #[test]
        fn likeness_has_no_direction(a in "[a-e]{0,8}", b in "[a-e]{0,8}") {
            prop_assert_eq!(alike(&a, &b), alike(&b, &a));
            prop_assert!((0.0..=1.0).contains(&alike(&a, &b)));
            prop_assert_eq!(alike(&a, &b) == 1.0, a == b && !a.is_empty());
        }
    }
}
