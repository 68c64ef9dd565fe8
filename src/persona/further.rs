//! What needs no truth about a place: names for further locales, company names, filler text. They
//! come from the `fake` crate.
//!
//! Its contact data is never used: its mail addresses are at domains that exist, its telephone
//! numbers may be somebody's.

use fake::Fake;
use fake::faker::{company::raw::CompanyName, lorem::raw::Sentence, name::raw as name};
use fake::locales::{DE_DE, EN, FR_FR, IT_IT, JA_JP, PT_BR};
use rand::Rng;

use super::{Locale, NamePart};

/// A locale of which we have names but no places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Further {
    /// France.
    French,
    /// Germany.
    German,
    /// Italy.
    Italian,
    /// Brazil.
    Brazilian,
}

/// Family name and given name of somebody in a further locale, without kana.
pub fn name<R: Rng + ?Sized>(locale: Further, rng: &mut R) -> (NamePart, NamePart) {
    let (family, given): (String, String) = match locale {
        Further::French => (
            name::LastName(FR_FR).fake_with_rng(rng),
            name::FirstName(FR_FR).fake_with_rng(rng),
        ),
        Further::German => (
            name::LastName(DE_DE).fake_with_rng(rng),
            name::FirstName(DE_DE).fake_with_rng(rng),
        ),
        Further::Italian => (
            name::LastName(IT_IT).fake_with_rng(rng),
            name::FirstName(IT_IT).fake_with_rng(rng),
        ),
        Further::Brazilian => (
            name::LastName(PT_BR).fake_with_rng(rng),
            name::FirstName(PT_BR).fake_with_rng(rng),
        ),
    };
    let part = |written| NamePart {
        written,
        kana: String::new(),
    };
    (part(family), part(given))
}

/// A company's name, as an employer or a customer's firm.
pub fn company<R: Rng + ?Sized>(locale: Locale, rng: &mut R) -> String {
    match locale {
        Locale::JaJp => CompanyName(JA_JP).fake_with_rng(rng),
        Locale::EnUs => CompanyName(EN).fake_with_rng(rng),
    }
}

/// A sentence of `words` meaningless words, for a column of remarks.
pub fn remark<R: Rng + ?Sized>(words: std::ops::Range<usize>, rng: &mut R) -> String {
    Sentence(EN, words).fake_with_rng(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn further_people_have_names_and_the_seed_decides_them() {
        let draw = || {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
            let names: Vec<(String, String)> = [
                Further::French,
                Further::German,
                Further::Italian,
                Further::Brazilian,
            ]
            .map(|locale| name(locale, &mut rng))
            .map(|(family, given)| (family.written, given.written))
            .into();
            let firms = [Locale::JaJp, Locale::EnUs].map(|locale| company(locale, &mut rng));
            (names, firms, remark(3..8, &mut rng))
        };
        let (names, firms, remark) = draw();
        assert!(
            names
                .iter()
                .all(|(family, given)| !family.is_empty() && !given.is_empty())
        );
        assert!(firms.iter().all(|firm| !firm.is_empty()));
        assert!(
            (3..8).contains(&remark.split_whitespace().count()),
            "{remark}"
        );
        assert_eq!(draw(), (names, firms, remark));
    }
}
