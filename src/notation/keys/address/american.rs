//! Addresses of the United States: house number, street, unit, and what follows the first comma.

use super::AddressKey;

/// Street types, directions and ordinals in the post office's short forms.
const SHORT: [(&str, &str); 36] = [
    ("street", "st"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("road", "rd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("circle", "cir"),
    ("boulevard", "blvd"),
    ("place", "pl"),
    ("terrace", "ter"),
    ("parkway", "pkwy"),
    ("highway", "hwy"),
    ("trail", "trl"),
    ("square", "sq"),
    ("way", "way"),
    ("turnpike", "tpke"),
    ("expressway", "expy"),
    ("crossing", "xing"),
    ("heights", "hts"),
    ("mount", "mt"),
    ("saint", "st"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("northeast", "ne"),
    ("northwest", "nw"),
    ("southeast", "se"),
    ("southwest", "sw"),
    ("fort", "ft"),
    ("point", "pt"),
    ("ridge", "rdg"),
    ("creek", "crk"),
    ("junction", "jct"),
    ("alley", "aly"),
];

const UNIT_WORDS: [&str; 12] = [
    "apt",
    "apartment",
    "unit",
    "suite",
    "ste",
    "rm",
    "room",
    "#",
    "no",
    "fl",
    "floor",
    "lot",
];

/// Reads a folded address.
pub(super) fn read(folded: &str) -> Option<AddressKey> {
    if folded.contains('@') {
        return None;
    }
    let mut lines = folded
        .split([',', ';'])
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let street = lines.next()?;
    let mut words: Vec<String> = street
        .replace('#', " # ")
        .split(' ')
        .map(plain)
        .filter(|word| !word.is_empty())
        .collect();
    let mut places: Vec<&str> = Vec::new();
    for line in lines {
        let first = line.split([' ', '.']).next().unwrap_or_default();
        if line.starts_with('#') || UNIT_WORDS.contains(&first) {
            words.extend(
                line.replace('#', " # ")
                    .split(' ')
                    .map(plain)
                    .filter(|word| !word.is_empty()),
            );
        } else {
            places.push(line);
        }
    }
    if let Some(number) = post_box(&words) {
        return Some(AddressKey {
            town: "po box".to_owned(),
            numbers: number,
            ..AddressKey::default()
        });
    }
    let unit_at = words
        .iter()
        .skip(2)
        .position(|word| UNIT_WORDS.contains(&word.as_str()))
        .map(|at| at + 2);
    let (street, unit) = match unit_at {
        Some(at) => {
            let unit: String = words[at..]
                .iter()
                .filter(|word| !UNIT_WORDS.contains(&word.as_str()))
                .map(String::as_str)
                .collect();
            (&words[..at], unit.replace('-', ""))
        }
        None => (&words[..], String::new()),
    };
    let (number, street) = street.split_first()?;
    let house = number.bytes().take_while(u8::is_ascii_digit).count();
    let named = street
        .iter()
        .any(|word| word.chars().any(|c| c.is_ascii_alphabetic()));
    if house == 0 || house > 6 || number.len() > house + 4 || !named {
        return None;
    }
    let street: Vec<&str> = street.iter().map(|word| short(word)).collect();
    let region = places.last().and_then(|line| {
        line.split(' ')
            .find(|word| word.len() == 2 && places.len() > 1)
    });
    Some(AddressKey {
        region: region.unwrap_or_default().to_owned(),
        city: places.first().copied().unwrap_or_default().to_owned(),
        town: street.join(" "),
        numbers: if unit.is_empty() {
            number.clone()
        } else {
            format!("{number}-{unit}")
        },
        building: String::new(),
        unit,
    })
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '.' | '\'' | '(' | ')'))
        .collect()
}

fn short(word: &str) -> &str {
    SHORT
        .iter()
        .find(|(long, _)| *long == word)
        .map_or(word, |(_, short)| *short)
}

fn post_box(words: &[String]) -> Option<String> {
    let at = words.iter().position(|word| word == "box")?;
    let office = matches!(words[..at].concat().as_str(), "po" | "postoffice");
    let number = words
        .get(at + 1)
        .filter(|number| number.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    office.then(|| number.clone())
}
