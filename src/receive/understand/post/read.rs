//! How alike what was read from a photograph is to a canary's name and address.
//!
//! Nobody has said which line is what, and characters are missing, wrong or split: so name and address are
//! each looked for anywhere in the text, where they fit best.

use std::collections::HashSet;

use crate::notation::{AddressKey, address_key, fold, hyphenated};
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
    /// As it stands there, for names.
    text: Text,
    /// With the numbers of addresses as in 9-12-8, for streets: envelopes written in columns have them in kanji.
    numbered: Text,
    /// Runs of digits and Latin letters, for units.
    words: HashSet<String>,
    /// Without hyphens, for postcodes.
    plain: String,
    /// Postcodes and numbers as a customer bar code has them, which say where a letter goes without a word.
    barred: Vec<(String, String)>,
}

/// Characters, and what is looked at before they are compared.
pub(super) struct Text {
    text: Vec<char>,
    pairs: HashSet<(char, char)>,
    chars: HashSet<char>,
}

impl Read {
    /// Folds what was read.
    pub fn new(text: &str) -> Read {
        let lines: Vec<String> = text.lines().map(fold).collect();
        let numbered: Vec<String> = lines.iter().map(|line| hyphenated(line)).collect();
        let numbered = numbered.join(" ");
        let words = numbered.split(|c: char| !c.is_ascii_alphanumeric());
        let words = words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let text = Text::new(&lines.join(" "));
        Read {
            plain: text.text.iter().filter(|c| **c != '-').collect(),
            barred: lines.iter().filter_map(|line| barred(line)).collect(),
            text,
            numbered: Text::new(&numbered),
            words,
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
            orders.map(|(first, second)| self.text.best(&fold(&format!("{first}{second}"))))
        });
        let name = name.fold(0.0, f64::max);
        let address = &household.address;
        let street = match household.locale {
            Locale::JaJp => hyphenated(&fold(&format!("{}{}", address.town, address.block))),
            Locale::EnUs => fold(&address.block),
        };
        let street = self.numbered.best(&street);
        let code = &address.postcode;
        // A street that was hardly read may still have its postcode.
        let coded = code.len() >= 5 && self.plain.contains(code.as_str());
        let street = if coded { street.max(0.6) } else { street };
        if name + street < LEAST {
            return (name + street) / 2.0;
        }
        let key = address_key(&address.plain(household.locale));
        let goes = |key: &AddressKey| {
            let here = |(at, numbers): &(String, String)| at == code && *numbers == key.numbers;
            self.barred.iter().any(here)
        };
        if key.as_ref().is_some_and(goes) {
            return name / 2.0 + 0.5;
        }
        let unit = match &key {
            Some(key) if !key.unit.is_empty() => {
                let read = self.words.contains(&key.unit) || self.words.contains(&key.numbers);
                if read { street } else { 0.0 }
            }
            _ => street,
        };
        name / 2.0 + street * 0.3 + unit * 0.2
    }
}

/// Postcode and numbers of a line such as `〒100-0013 9-12-8-707`, the postcode in digits alone.
fn barred(line: &str) -> Option<(String, String)> {
    let (code, numbers) = line.strip_prefix('〒')?.split_once(' ')?;
    let code: String = code.chars().filter(|c| *c != '-').collect();
    let is = code.len() == 7 && code.bytes().all(|b| b.is_ascii_digit()) && !numbers.is_empty();
    is.then(|| (code, numbers.to_owned()))
}

impl Text {
    pub fn new(folded: &str) -> Text {
        let text = folded.chars().filter(|c| !c.is_whitespace());
        let text: Vec<char> = text.take(LONGEST).collect();
        Text {
            pairs: text.windows(2).map(|pair| (pair[0], pair[1])).collect(),
            chars: text.iter().copied().collect(),
            text,
        }
    }

    /// How much of a folded text is found where it fits best.
    pub fn best(&self, wanted: &str) -> f64 {
        let wanted: Vec<char> = wanted.chars().filter(|c| !c.is_whitespace()).collect();
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
        let best = |read: &Read, wanted: &str| read.text.best(&fold(wanted));
        let street = |read: &Read, wanted: &str| read.numbered.best(&hyphenated(&fold(wanted)));
        let read =
            Read::new("〒100-0013\n東京都寺区霞が関9-12-8\n\u{2018}Y707\n高橋圭祐tk\nお客様番号");
        assert_eq!(best(&read, "髙橋圭祐"), 1.0);
        assert_eq!(best(&read, "高橋圭裕"), 0.75);
        assert_eq!(best(&read, "渡辺次郎"), 0.0);
        assert_eq!(street(&read, "霞が関9-12-8"), 1.0);
        let columns =
            Read::new("東京都千代田区霞が関九丁目十二番八号\n囮ハイツ七〇七号\n高橋圭祐様");
        assert_eq!(street(&columns, "霞が関9-12-8"), 1.0);
        assert!(columns.words.contains("707"));
        let read = Read::new("Walter Nowhere\n1200 Exampie St Apt 4B");
        assert_eq!(best(&read, "Walter Nowhere"), 1.0);
        assert!(street(&read, "1200 Example St") > 0.9);
        assert!(best(&read, "Quentin Blackmoor") < 0.5);
    }

    proptest! {
        #[test]
        fn likeness_is_a_share(text in any::<String>(), wanted in any::<String>()) {
            let best = Read::new(&text).text.best(&fold(&wanted));
            prop_assert!((0.0..=1.0).contains(&best));
        }
    }
}
