//! Who might have a mailbox, where a table shows too few customers to learn their names from.

use rand::Rng;

use crate::persona::{Household, Lexicon, Locale, NamePart, Person};

use super::mailbox::{self, Holder, Spelt};
use super::{held, part};

/// Persons made until one has the given name that an address tells: of its sex, and of the years that have it.
const TRIES: usize = 2_000;

/// The names of the seed tables, by the letters that they have in a mail address.
pub(crate) struct Holders {
    families: Spelt,
    given: Spelt,
}

impl Holders {
    /// The names of a locale.
    pub(crate) fn of(lexicon: &Lexicon, locale: Locale) -> Holders {
        let known = |(written, kana): (&str, &str)| (part(written, kana), 0);
        Holders {
            families: Spelt::of(locale, lexicon.families().map(known)),
            given: Spelt::of(locale, lexicon.given_names().map(known)),
        }
    }

    /// Makes somebody of the household's guardian who might have the mailbox. `stranger` makes people from the seed
    /// tables. Whose name no address tells stays who it was.
    pub(crate) fn fit<R: Rng + ?Sized>(
        &self,
        household: &mut Household,
        stranger: &mut dyn FnMut(&mut R) -> Person,
        rng: &mut R,
    ) {
        let address = household.email.clone().unwrap_or_default();
        let Some((local, _)) = address.split_once('@') else {
            return;
        };
        let holder = mailbox::holder(local, &self.families, &self.given, rng);
        let locale = household.locale;
        // Of a `k.sato` and a `yumiko.k` one name is told, and what the other begins with.
        let open = holder.initial.is_some();
        if holder.given.is_some() || (open && holder.family.is_some()) {
            let same = |name: &NamePart| match &holder.given {
                Some(given) if name.kana.is_empty() => name.written == given.written,
                Some(given) => name.kana == given.kana,
                None => holder.of_given(locale, name),
            };
            let born = |person: &Person| {
                (holder.year).is_none_or(|year| (person.birth.year() - year).abs() < 15)
            };
            let own = household.guardian.given.clone();
            let like = (0..TRIES)
                .map(|_| stranger(rng))
                .find(|person| same(&person.given) && born(person));
            match like {
                Some(like) => {
                    let guardian = &mut household.guardian;
                    (guardian.given, guardian.sex) = (like.given, like.sex);
                    // Parents stay as old as their children let them be.
                    if household.children.is_empty() {
                        guardian.birth = like.birth;
                    }
                }
                // A rare name: nobody knows whose.
                None => household.guardian.given = holder.given.clone().unwrap_or(own),
            }
        }
        if open && holder.given.is_some() {
            let mut others = (0..TRIES).map(|_| stranger(rng).family);
            if let Some(family) = others.find(|name| holder.of_family(locale, name)) {
                household.guardian.family = family;
            }
        }
        let told = Holder {
            given: None,
            year: holder.year.filter(|_| household.children.is_empty()),
            ..holder
        };
        household.guardian = held(household.guardian.clone(), told);
        for child in &mut household.children {
            child.family = household.guardian.family.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use time::macros::date;

    use super::*;
    use crate::persona::{Generator, Seeds, Sex, Shape};

    #[test]
    fn a_mailbox_that_names_somebody_is_that_persons() {
        let seeds = Seeds::embedded();
        let generator = Generator::new(&seeds, Locale::JaJp);
        let holders = Holders::of(&Lexicon::new(&seeds, Locale::JaJp), Locale::JaJp);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let (today, shape) = (date!(2026 - 11 - 29), Shape::adults(20..=79));
        for _ in 0..20 {
            let mut household = generator.household(&mut rng, today, &shape);
            household.email = Some("mao.kataoka37@mail.example".to_owned());
            let mut stranger = |rng: &mut rand_chacha::ChaCha8Rng| {
                generator.household(rng, today, &shape).guardian
            };
            holders.fit(&mut household, &mut stranger, &mut rng);
            let guardian = &household.guardian;
            assert_eq!(guardian.family.kana, "カタオカ");
            assert_eq!(guardian.given.kana, "マオ");
            assert_eq!(guardian.sex, Sex::Female);
            household.email = Some("m-kataoka@mail.example".to_owned());
            holders.fit(&mut household, &mut stranger, &mut rng);
            let guardian = &household.guardian;
            assert_eq!(guardian.family.kana, "カタオカ");
            let first = guardian.given.kana.chars().next().unwrap();
            assert!("マミムメモ".contains(first), "{first}");
            household.email = Some("yumiko.k@mail.example".to_owned());
            holders.fit(&mut household, &mut stranger, &mut rng);
            let guardian = &household.guardian;
            assert_eq!(guardian.given.kana, "ユミコ");
            let first = guardian.family.kana.chars().next().unwrap();
            assert!("カキクケコ".contains(first), "{first}");
            household.email = Some("qxqx0412@mail.example".to_owned());
            let before = household.clone();
            holders.fit(&mut household, &mut stranger, &mut rng);
            assert_eq!(household, before);
        }
    }
}
