//! A call or a text message. A number is shared by several canaries of a source: what they agree on
//! is what the call says, and a text that calls one of them by name says more.

use std::collections::HashSet;

use serde::Deserialize;

use super::{Reached, one_line};
use crate::canary::{Actor, Canary, Named};
use crate::notation::fold;
use crate::persona::Person;
use crate::registry::{Mark, Message, Registry, Result};

/// What the webhooks store beside the raw body.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    from: String,
    text: String,
    call: Option<i64>,
}

fn envelope(message: &Message) -> Envelope {
    serde_json::from_str(&message.envelope).unwrap_or_default()
}

/// Whether it tells more of a call that is stored, and so is no contact of its own.
pub fn belongs(message: &Message) -> bool {
    envelope(message).call.is_some()
}

/// Whom a call or a text has reached, and how the caller called them.
pub async fn reached(registry: &Registry, message: &Message) -> Result<(Reached, Option<Named>)> {
    let mut canaries = Vec::new();
    for number in &message.recipients {
        canaries.extend(registry.find(Mark::Phone, number).await?);
    }
    // An exchange's records go back to before the number was given: such a call is its background.
    let later = registry.planted_after(message.at).await?;
    canaries.retain(|canary| !later.contains(&canary.batch));
    Ok(match named(&canaries, &envelope(message).text) {
        None => (Reached::of(&canaries), None),
        Some((canaries, how)) => (Reached::of(canaries), Some(how)),
    })
}

/// Who called.
pub fn actor(message: &Message) -> Actor {
    let envelope = envelope(message);
    Actor {
        from: one_line(&envelope.from),
        summary: one_line(&envelope.text),
        ..Actor::default()
    }
}

/// Those whom the text calls by their whole name; if there are none, by their family name.
fn named<'a>(canaries: &'a [Canary], text: &str) -> Option<(Vec<&'a Canary>, Named)> {
    let text = Text::new(text);
    let by = |called: fn(&Text, &Person) -> bool| -> Vec<&'a Canary> {
        let people = |canary: &Canary| {
            let household = &canary.details.household;
            let mut everybody = std::iter::once(&household.guardian).chain(&household.children);
            everybody.any(|person| called(&text, person))
        };
        canaries.iter().filter(|canary| people(canary)).collect()
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
