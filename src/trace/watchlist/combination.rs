//! Which values have to stand in a row together before a watch list shows a canary.
//!
//! Whoever holds a watch list can try values until one fits. A single value is soon found: there are
//! some 30,000 dates of birth and 300 million telephone numbers. So a list answers only to values
//! that stand together in one row, and only where all that could be tried are many enough.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::normalise::Class;

/// Classes of which a row must hold one value each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Combination(u16);

/// How many values somebody would try who knows the country and its habits, but not the canaries.
/// They are guesses at the guesser: names count as the million that half of a country bears, and a
/// mail domain that nobody knows to be ours is one of some 10^8.
fn guesses(class: Class, domains_known: bool) -> f64 {
    match class {
        Class::Email if domains_known => 1e9,
        Class::Email => 1e17,
        Class::Phone => 3e8,
        Class::Name => 1e6,
        Class::Given => 1e3,
        Class::Kana => 3e5,
        Class::Birth => 3e4,
        Class::Address => 1e8,
        Class::Block => 1e7,
        Class::Postcode => 1e5,
    }
}

/// The name of a class in a watch list.
const fn name(class: Class) -> &'static str {
    match class {
        Class::Email => "email",
        Class::Phone => "phone",
        Class::Name => "name",
        Class::Given => "given",
        Class::Kana => "kana",
        Class::Birth => "birth",
        Class::Address => "address",
        Class::Block => "block",
        Class::Postcode => "postcode",
    }
}

/// Classes of one kind follow from each other: who has guessed one has nearly guessed the others.
const fn kind(class: Class) -> u8 {
    match class {
        Class::Email => 0,
        Class::Phone => 1,
        Class::Name | Class::Kana | Class::Given => 2,
        Class::Birth => 3,
        Class::Address | Class::Block | Class::Postcode => 4,
    }
}

/// More values than these add nothing that a list with so many columns lacks.
const MOST: u32 = 3;

impl Combination {
    /// Every combination that takes at least so many guesses, the smallest of each: what holds
    /// another one needs no entry of its own.
    pub fn catalogue(floor: f64, domains_known: bool) -> Vec<Combination> {
        let mut all: Vec<Combination> = (1..1_u16 << Class::ALL.len())
            .map(Combination)
            .filter(|set| set.is_sound())
            .filter(|set| set.guesses(domains_known) >= floor)
            .collect();
        all.sort_by_key(|set| (set.0.count_ones(), *set));
        let mut least: Vec<Combination> = Vec::new();
        for set in all {
            if !least.iter().any(|smaller| smaller.is_in(set)) {
                least.push(set);
            }
        }
        least
    }

    /// The number that goes into its tags.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Its classes.
    pub fn classes(self) -> impl Iterator<Item = Class> {
        Class::ALL
            .into_iter()
            .filter(move |class| self.0 & (1 << *class as u16) != 0)
    }

    /// Whether all its classes are among those of another set.
    pub const fn is_in(self, other: Combination) -> bool {
        self.0 & !other.0 == 0
    }

    /// The set of some classes.
    pub fn of(classes: impl Iterator<Item = Class>) -> Combination {
        Combination(classes.fold(0, |set, class| set | 1 << class as u16))
    }

    /// How many guesses it takes to try all of it.
    pub fn guesses(self, domains_known: bool) -> f64 {
        self.classes()
            .map(|class| guesses(class, domains_known))
            .product()
    }

    /// Whether a watch list can have it.
    fn is_sound(self) -> bool {
        (1..=MOST).contains(&self.0.count_ones()) && self.is_independent()
    }

    fn is_independent(self) -> bool {
        let mut kinds: Vec<u8> = self.classes().map(kind).collect();
        kinds.sort_unstable();
        kinds.windows(2).all(|pair| pair[0] != pair[1])
    }
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, class) in self.classes().enumerate() {
            f.write_str(if place > 0 { " and " } else { "" })?;
            f.write_str(name(class))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Combination {
    type Error = String;
    fn try_from(text: String) -> Result<Combination, String> {
        let class = |part: &str| Class::ALL.into_iter().find(|class| name(*class) == part);
        let classes: Option<Vec<Class>> = text.split(" and ").map(class).collect();
        classes
            .map(|classes| Combination::of(classes.into_iter()))
            .filter(|set| set.is_sound())
            .ok_or_else(|| format!("'{text}' is no combination of values"))
    }
}

impl From<Combination> for String {
    fn from(set: Combination) -> String {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(floor: f64, domains_known: bool) -> Vec<Vec<Class>> {
        let sets = Combination::catalogue(floor, domains_known);
        sets.iter().map(|set| set.classes().collect()).collect()
    }

    #[test]
    fn nothing_that_is_soon_tried_stands_alone() {
        let usual = named(1e12, false);
        assert!(usual.contains(&vec![Class::Email]));
        assert!(usual.contains(&vec![Class::Phone, Class::Birth]));
        assert!(usual.contains(&vec![Class::Name, Class::Birth, Class::Postcode]));
        for weak in [
            vec![Class::Phone],
            vec![Class::Address],
            vec![Class::Name, Class::Birth],
            vec![Class::Name, Class::Kana],
        ] {
            assert!(!usual.contains(&weak), "{weak:?}");
        }
        assert!(!named(1e12, true).contains(&vec![Class::Email]));
        assert!(named(1e12, true).contains(&vec![Class::Email, Class::Birth]));
        assert!(named(1e10, false).contains(&vec![Class::Name, Class::Birth]));
        assert!(named(1e8, false).contains(&vec![Class::Phone]));
    }

    #[test]
    fn no_combination_holds_another_one() {
        let all = Combination::catalogue(1e12, false);
        for one in &all {
            assert!(one.guesses(false) >= 1e12);
            assert_eq!(all.iter().filter(|other| other.is_in(*one)).count(), 1);
            assert_eq!(Combination::try_from(one.to_string()), Ok(*one));
        }
        for bad in ["", "shoe", "name and kana", "phone and phone shoe"] {
            assert!(Combination::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
