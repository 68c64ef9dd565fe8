//! Whether a text calls a canary by name: whoever does has more than an address or a number.

use std::collections::HashSet;

use crate::canary::{Canary, Named};
use crate::notation::{fold, phone_key};
use crate::persona::{Household, Person};

/// Those whom the text calls by their whole name; if there are none, by their family name.
pub fn named<'a>(canaries: &'a [Canary], text: &str) -> Option<(Vec<&'a Canary>, Named)> {
    let text = Text::new(text);
    let by = |called: fn(&Text, &Person) -> bool| -> Vec<&'a Canary> {
        let people = |canary: &&Canary| {
            people(&canary.details.household).any(|person| called(&text, person))
        };
        canaries.iter().filter(people).collect()
    };
    let whole = by(|text, person| {
        let (family, given) = (&person.family, &person.given);
        text.says(&[&family.written, &given.written]) || text.says(&[&family.kana, &given.kana])
    });
    if !whole.is_empty() {
        return Some((whole, Named::Whole));
    }
    let family = |text: &Text, person: &Person| {
        text.says(&[&person.family.written]) || text.says(&[&person.family.kana])
    };
    let family = by(family);
    (!family.is_empty()).then_some((family, Named::Family))
}

/// Whether a mail's text says more of a canary's people than the address tells that it was sent to, since whoever guesses
/// addresses takes names from them too: a whole name, a family name as one is addressed, or a number.
pub fn named_beyond(household: &Household, address: &str, text: &str) -> bool {
    let text = Text::new(text);
    let local = fold(address.rsplit_once('@').map_or(address, |(local, _)| local));
    let told = |name: &str| local.contains(&fold(name));
    let named = people(household).any(|person| {
        let (family, given) = (&person.family, &person.given);
        let says = |family: &str, given: &str| {
            let whole = text.says(&[family, given]) && !(told(family) && told(given));
            whole || text.addresses(family) && !told(family)
        };
        says(&family.written, &given.written) || says(&family.kana, &given.kana)
    });
    let mut numbers = household.mobile.iter().chain(&household.landline);
    named || numbers.any(|number| text.has_number(number))
}

fn people(household: &Household) -> impl Iterator<Item = &Person> {
    std::iter::once(&household.guardian).chain(&household.children)
}

/// A text in which names are looked for.
struct Text {
    words: HashSet<String>,
    /// Without spaces, and with hiragana made katakana.
    squeezed: String,
}

impl Text {
    fn new(text: &str) -> Text {
        let folded = fold(text);
        let words = folded.split(|c: char| !c.is_alphanumeric());
        Text {
            words: words.map(str::to_owned).collect(),
            squeezed: squeezed(&folded),
        }
    }

    /// Whether the text has this name, given in its parts. Latin letters are compared by words, since
    /// Lee is in every sleep; Japanese is written without spaces.
    fn says(&self, parts: &[&str]) -> bool {
        let folded: Vec<String> = parts.iter().map(|part| fold(part)).collect();
        if folded.iter().any(String::is_empty) {
            return false;
        }
        if folded.iter().all(|part| part.is_ascii()) {
            return folded.iter().all(|part| self.words.contains(part));
        }
        let name = squeezed(&folded.concat());
        // One letter is in every text.
        name.chars().count() >= 2 && self.squeezed.contains(&name)
    }

    /// Whether somebody of this family name is addressed.
    fn addresses(&self, family: &str) -> bool {
        let name = squeezed(&fold(family));
        if name.is_empty() {
            return false;
        }
        if name.is_ascii() {
            return self.words.contains(&name)
                && TITLES.iter().any(|one| self.words.contains(*one));
        }
        HONORIFICS
            .iter()
            .any(|honorific| self.squeezed.contains(&format!("{name}{honorific}")))
    }

    /// Whether a number (E.164) stands in it, however it is written.
    fn has_number(&self, number: &str) -> bool {
        let runs = self
            .squeezed
            .split(|c: char| !(c.is_ascii_digit() || "+-().".contains(c)));
        let mut runs = runs.filter(|run| run.len() >= 9);
        let key = phone_key(number, None);
        key.is_some() && runs.any(|run| phone_key(run, None) == key)
    }
}

/// How people are addressed, behind their family name.
const HONORIFICS: [&str; 5] = ["様", "サマ", "サン", "殿", "先生"];
/// And before it.
const TITLES: [&str; 5] = ["mr", "mrs", "ms", "miss", "dear"];

fn squeezed(folded: &str) -> String {
    folded
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            // The hiragana block lies 0x60 below the katakana block.
            '\u{3041}'..='\u{3096}' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::{Address, Locale, NamePart, Sex};

    #[test]
    fn what_an_address_tells_is_no_knowledge() {
        let household = |family: (&str, &str), given: (&str, &str)| {
            let part = |(written, kana): (&str, &str)| NamePart {
                written: written.to_owned(),
                kana: kana.to_owned(),
            };
            Household {
                locale: Locale::JaJp,
                guardian: Person {
                    family: part(family),
                    given: part(given),
                    sex: Sex::Female,
                    birth: time::macros::date!(1972 - 04 - 01),
                },
                children: Vec::new(),
                address: Address {
                    postcode: "1000013".to_owned(),
                    region: "東京都".to_owned(),
                    city: "千代田区".to_owned(),
                    city_kana: String::new(),
                    town: "霞が関".to_owned(),
                    town_kana: String::new(),
                    block: "9-12-8".to_owned(),
                    building: None,
                    unit: None,
                },
                landline: Some("+81301234567".to_owned()),
                mobile: None,
                email: None,
            }
        };
        let lee = household(("Lee", "リー"), ("Mark", "マーク"));
        let tanaka = household(("田中", "タナカ"), ("陽子", "ヨウコ"));
        for (of, address, text, known) in [
            (&lee, "mark.lee@decoys.example", "Dear Mark Lee", false),
            (&lee, "mark.lee@decoys.example", "Dear Mr. Lee", false),
            // The domain says nothing.
            (&lee, "ml7@market.lee.example", "Dear Mark Lee", true),
            (&lee, "mark7@decoys.example", "Dear Mark Lee", true),
            (&lee, "mark7@decoys.example", "Dear Mr. Lee", true),
            (&lee, "mark7@decoys.example", "Mark, sleep well", false),
            (&lee, "mark.lee@decoys.example", "マーク・リー様", true),
            (&tanaka, "y.tanaka@decoys.example", "田中 陽子様", true),
            (&tanaka, "y.tanaka@decoys.example", "たなかさん", true),
            (&tanaka, "y.tanaka@decoys.example", "田中まで電話を", false),
            (&tanaka, "y.tanaka@decoys.example", "tanaka", false),
            (&tanaka, "tanaka@decoys.example", "電話 03-0123-9999", false),
            (&tanaka, "tanaka@decoys.example", "電話 03-0123-4567", true),
        ] {
            assert_eq!(named_beyond(of, address, text), known, "{address}: {text}");
        }
    }

    #[test]
    fn who_is_addressed_or_called_is_known() {
        let text = Text::new("田中 様\nお電話は ０９０－００００－０１２３ か 03(0123)4567 まで");
        assert!(text.addresses("田中") && !text.addresses("中村") && !text.addresses(""));
        for number in ["+819000000123", "+81301234567"] {
            assert!(text.has_number(number), "{number}");
        }
        assert!(!text.has_number("+819000000124") && !text.has_number(""));
        let text = Text::new("Dear Ms. Lee, your sleep counts");
        assert!(text.addresses("Lee") && !text.addresses("Dearing"));
        assert!(!Text::new("Lee counts").addresses("Lee"));
    }

    #[test]
    fn names_are_found_in_texts() {
        for (text, parts, found) in [
            ("髙橋 圭祐様 ご入会の件", ["高橋", "圭祐"].as_slice(), true),
            ("たかはしさまですか", &["タカハシ"], true),
            ("Dear Ann LEE, call us", &["Lee", "Ann"], true),
            ("sleep well, Annette", &["Lee", "Ann"], false),
            ("高橋様", &["高橋", "圭祐"], false),
            ("", &[""], false),
            ("林檎", &["林"], false),
        ] {
            assert_eq!(Text::new(text).says(parts), found, "{text}");
        }
    }
}
