//! How alike what was read from a photograph is to a canary's name and address.
//!
//! Nobody has said which line is what, and characters are missing, wrong or split: so name and address are
//! each looked for anywhere in the text, where they fit best.

use std::collections::HashSet;

use crate::notation::{address_key, fold};
use crate::persona::{Household, Locale};

/// Without so much of its characters in the text, a name or a street is not looked for: of a hundred
/// thousand canaries, nearly all end here.
const PRESENT: f64 = 0.5;
/// Where name and street together come to less, the unit is not looked at: it is not shown either way.
const LEAST: f64 = 0.9;
/// Text beyond this is not compared.
const LONGEST: usize = 1500;

/// The text of an envelope, folded once for all comparisons.
pub struct Read {
    text: Vec<char>,
    pairs: HashSet<(char, char)>,
    chars: HashSet<char>,
    /// Runs of digits and Latin letters, for units.
    words: HashSet<String>,
    /// Without hyphens, for postcodes.
    plain: String,
}

impl Read {
    /// Folds what was read.
    pub fn new(text: &str) -> Read {
        let folded = fold(text);
        let words = folded.split(|c: char| !c.is_ascii_alphanumeric());
        let words = words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let text: Vec<char> = folded
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(LONGEST)
            .collect();
        Read {
            pairs: text.windows(2).map(|pair| (pair[0], pair[1])).collect(),
            chars: text.iter().copied().collect(),
            plain: text.iter().filter(|c| **c != '-').collect(),
            words,
            text,
        }
    }

    /// How alike, 0 to 1: half of it is the name, the other half street and unit.
    pub fn likeness(&self, household: &Household) -> f64 {
        let names = std::iter::once(&household.guardian).chain(&household.children);
        let name = names.flat_map(|person| {
            let (family, given) = (&person.family, &person.given);
            let orders = match household.locale {
                Locale::JaJp => [
                    (&family.written, &given.written),
                    (&family.kana, &given.kana),
                ],
                Locale::EnUs => [
                    (&given.written, &family.written),
                    (&family.written, &given.written),
                ],
            };
            orders.map(|(first, second)| self.best(&format!("{first}{second}")))
        });
        let name = name.fold(0.0, f64::max);
        let address = &household.address;
        let street = match household.locale {
            Locale::JaJp => self.best(&format!("{}{}", address.town, address.block)),
            Locale::EnUs => self.best(&address.block),
        };
        let code = &address.postcode;
        // A street that was hardly read may still have its postcode.
        let coded = code.len() >= 5 && self.plain.contains(code.as_str());
        let street = if coded { street.max(0.6) } else { street };
        if name + street < LEAST {
            return (name + street) / 2.0;
        }
        let key = address_key(&address.plain(household.locale));
        let unit = match &key {
            Some(key) if !key.unit.is_empty() => {
                let read = self.words.contains(&key.unit) || self.words.contains(&key.numbers);
                if read { street } else { 0.0 }
            }
            _ => street,
        };
        name / 2.0 + street * 0.3 + unit * 0.2
    }

    /// How much of a text is found where it fits best.
    fn best(&self, wanted: &str) -> f64 {
        let wanted: Vec<char> = fold(wanted)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        if wanted.len() < 2 || self.present(&wanted) < PRESENT {
            return 0.0;
        }
        // One row of the edit distance's table at a time; it may begin and end anywhere in the text.
        let mut row: Vec<usize> = (0..=wanted.len()).collect();
        let mut least = wanted.len();
        for c in &self.text {
            let mut diagonal = row[0];
            for (j, w) in wanted.iter().enumerate() {
                let changed = diagonal + usize::from(c != w);
                diagonal = row[j + 1];
                row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
            }
            least = least.min(row[wanted.len()]);
        }
        1.0 - least as f64 / wanted.len() as f64
    }

    /// The share of its characters that the text has somewhere, and for Latin, where single letters say
    /// nothing, of its pairs.
    fn present(&self, wanted: &[char]) -> f64 {
        let count = if wanted[0].is_ascii() {
            let pairs = wanted
                .windows(2)
                .filter(|pair| self.pairs.contains(&(pair[0], pair[1])));
            return pairs.count() as f64 / (wanted.len() - 1) as f64;
        } else {
            wanted.iter().filter(|c| self.chars.contains(c)).count()
        };
        count as f64 / wanted.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_found_wherever_it_fits_best() {
        let read =
            Read::new("〒100-0013\n東京都寺区霞が関9-12-8\n\u{2018}Y707\n高橋圭祐tk\nお客様番号");
        assert_eq!(read.best("髙橋圭祐"), 1.0);
        assert_eq!(read.best("高橋圭裕"), 0.75);
        assert_eq!(read.best("渡辺次郎"), 0.0);
        assert_eq!(read.best("霞が関9-12-8"), 1.0);
        let read = Read::new("Walter Nowhere\n1200 Exampie St Apt 4B");
        assert_eq!(read.best("Walter Nowhere"), 1.0);
        assert!(read.best("1200 Example St") > 0.9);
        assert!(read.best("Quentin Blackmoor") < 0.5);
    }

    proptest! {
        #[test]
        fn likeness_is_a_share(text in any::<String>(), wanted in any::<String>()) {
            let best = Read::new(&text).best(&wanted);
            prop_assert!((0.0..=1.0).contains(&best));
        }
    }
}
