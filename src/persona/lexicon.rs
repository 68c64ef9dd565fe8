//! The names of the seed tables, to be looked up: readings of written names, and where a name that is
//! written without a gap falls apart.

use std::collections::HashMap;

use super::{Locale, Seeds};

/// Written names with their commonest readings.
pub struct Lexicon {
    locale: Locale,
    families: HashMap<String, String>,
    given: HashMap<String, String>,
}

impl Lexicon {
    /// The names of a locale.
    pub fn new(seeds: &Seeds, locale: Locale) -> Lexicon {
        let mut families: HashMap<String, (String, u32)> = HashMap::new();
        let mut given: HashMap<String, (String, u32)> = HashMap::new();
        let note =
            |table: &mut HashMap<String, (String, u32)>, written: &str, kana: &str, weight| {
                let known = table.entry(written.to_owned()).or_default();
                if known.0.is_empty() || weight > known.1 {
                    *known = (kana.to_owned(), weight);
                }
            };
        match locale {
            Locale::JaJp => {
                for (name, weight) in &seeds.ja.families {
                    note(&mut families, &name.written, &name.kana, *weight);
                }
                for name in &seeds.ja.given {
                    note(&mut given, &name.name.written, &name.name.kana, name.weight);
                }
                for era in &seeds.ja.eras {
                    note(&mut given, &era.name.written, &era.name.kana, u32::MAX);
                }
            }
            Locale::EnUs => {
                for (name, weight) in &seeds.en.surnames {
                    note(&mut families, name, "", *weight);
                }
                for name in &seeds.en.given {
                    note(&mut given, &name.name, "", name.births);
                }
            }
        }
        let readings = |table: HashMap<String, (String, u32)>| {
            let pairs = table.into_iter();
            pairs.map(|(written, (kana, _))| (written, kana)).collect()
        };
        Lexicon {
            locale,
            families: readings(families),
            given: readings(given),
        }
    }

    /// The locale of its names.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// The commonest reading of a family name, in full-width katakana; empty where the locale has none.
    pub fn family(&self, written: &str) -> Option<&str> {
        self.families.get(written).map(String::as_str)
    }

    /// The commonest reading of a given name.
    pub fn given(&self, written: &str) -> Option<&str> {
        self.given.get(written).map(String::as_str)
    }

    /// All family names with their readings, in no order.
    pub fn families(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.families.iter();
        names.map(|(written, kana)| (written.as_str(), kana.as_str()))
    }

    /// All given names with their readings, in no order.
    pub fn given_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.given.iter();
        names.map(|(written, kana)| (written.as_str(), kana.as_str()))
    }

    /// Family and given name of a name that is written without a gap: the longest family name of which
    /// the rest is a given name too, else the longest.
    pub fn split<'t>(&self, whole: &'t str) -> Option<(&'t str, &'t str)> {
        let cuts: Vec<usize> = whole.char_indices().map(|(at, _)| at).skip(1).collect();
        let parts = cuts.iter().rev().map(|at| whole.split_at(*at));
        let known: Vec<(&str, &str)> = parts
            .filter(|(family, _)| self.families.contains_key(*family))
            .collect();
        let both = known
            .iter()
            .find(|(_, given)| self.given.contains_key(*given));
        both.or(known.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_gap_falls_apart_where_both_parts_are_names() {
        let lexicon = Lexicon::new(&Seeds::embedded(), Locale::JaJp);
        assert_eq!(lexicon.split("佐藤花子"), Some(("佐藤", "花子")));
        assert_eq!(lexicon.split("長谷川一郎"), Some(("長谷川", "一郎")));
        assert_eq!(lexicon.split("佐藤"), None);
        assert_eq!(lexicon.family("佐藤"), Some("サトウ"));
    }
}
