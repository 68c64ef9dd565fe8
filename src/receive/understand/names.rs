//! Whether a text calls a canary by name: whoever does has more than an address or a number.

use std::collections::HashSet;

use crate::canary::{Canary, Named};
use crate::notation::fold;
use crate::persona::Person;

/// Those whom the text calls by their whole name; if there are none, by their family name.
pub fn named<'a>(canaries: &'a [Canary], text: &str) -> Option<(Vec<&'a Canary>, Named)> {
    let text = Text::new(text);
    let by = |called: fn(&Text, &Person) -> bool| -> Vec<&'a Canary> {
        let people = |canary: &&Canary| people(canary).any(|person| called(&text, person));
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

/// Whether a mail's text calls somebody of the canary by the whole name, other than as the address does that the mail
/// was sent to: whoever guesses addresses takes names from them too.
pub fn named_beyond(canary: &Canary, address: &str, text: &str) -> bool {
    let text = Text::new(text);
    let address = fold(address);
    people(canary).any(|person| {
        let (family, given) = (&person.family, &person.given);
        let told = |names: [&str; 2]| {
            let names = names.map(fold);
            names.iter().all(|name| address.contains(name.as_str()))
        };
        let says = |names: [&str; 2]| text.says(&names) && !told(names);
        says([&family.written, &given.written]) || says([&family.kana, &given.kana])
    })
}

fn people(canary: &Canary) -> impl Iterator<Item = &Person> {
    let household = &canary.details.household;
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
}

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
