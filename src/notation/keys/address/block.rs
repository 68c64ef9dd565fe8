//! The block: the chain of numbers behind the town.

use std::borrow::Cow;

use super::super::super::fold::begins;
use super::numerals::is_letter;

/// What stands between two numbers of a chain, longest first.
const JOINTS: [&str; 17] = [
    "丁目",
    "町目",
    "番地の",
    "番地ノ",
    "番地之",
    "番地丿",
    "番地",
    "番の",
    "番ノ",
    "番",
    "丁",
    "号の",
    "-",
    "の",
    "ノ",
    "之",
    "丿",
];

/// What tells that a number behind a hyphen is the building's or the unit's.
const BUILDING_MARKS: [&str; 8] = ["号室", "号棟", "号館", "番館", "階", "棟", "室", "f"];

/// A chain longer than this is no block.
const LONGEST: usize = 6;

/// The numbers, and what stands behind them. `None` where there is none.
pub(super) fn read(text: &str) -> Option<(Vec<Cow<'_, str>>, &str)> {
    let mut numbers = Vec::with_capacity(4);
    let mut rest = text;
    while numbers.len() < LONGEST {
        let Some((number, behind)) = one(rest, numbers.is_empty()) else {
            break;
        };
        numbers.push(number);
        // Most blocks are digits and hyphens, and nothing stands behind them.
        if behind.is_empty() || behind.starts_with('-') {
            rest = behind.trim_start_matches(['-', ' ']);
            continue;
        }
        let joint = JOINTS.iter().find_map(|joint| {
            let next = begins(behind, joint).then(|| &behind[joint.len()..])?;
            // 5の通り, and ノース behind the block, are names.
            let worded = matches!(*joint, "の" | "ノ" | "之" | "丿" | "号の");
            (!worded || one(next, false).is_some()).then_some(next)
        });
        match joint {
            Some(next) => rest = next.trim_start_matches(['-', ' ']),
            None => {
                rest = behind.strip_prefix('号').unwrap_or(behind);
                break;
            }
        }
    }
    (!numbers.is_empty()).then_some((numbers, rest))
}

/// One number of the chain: `12`, `イ22`, `甲3`.
fn one(text: &str, first: bool) -> Option<(Cow<'_, str>, &str)> {
    let lettered = text
        .strip_prefix(is_letter)
        .filter(|behind| !first && behind.starts_with(|c: char| c.is_ascii_digit()));
    let body = lettered.unwrap_or(text);
    let letter = &text[..text.len() - body.len()];
    let end = body.bytes().take_while(u8::is_ascii_digit).count();
    let behind = &body[end..];
    let digits = &body[..body.len() - behind.len()];
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    let next = behind.trim_start();
    let building = !next.is_empty() && BUILDING_MARKS.iter().any(|mark| begins(next, mark));
    // 301C, but not 12apartment
    let unit = behind.starts_with(|c: char| c.is_ascii_lowercase());
    if !first && (building || unit) {
        return None;
    }
    let number = digits.trim_start_matches('0');
    let number = if number.is_empty() { "0" } else { number };
    let number = match letter.is_empty() {
        true => Cow::Borrowed(number),
        false => Cow::Owned([letter, number].concat()),
    };
    Some((number, behind))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_chain_ends_where_the_building_begins() {
        for (text, numbers, tail) in [
            ("9丁目12番8号", "9 12 8", ""),
            ("9-12-8霞ハイツ203", "9 12 8", "霞ハイツ203"),
            ("9-12-8-203号室", "9 12 8", "203号室"),
            ("9-12-8-203", "9 12 8 203", ""),
            ("9-12-8 203", "9 12 8", " 203"),
            ("9の12の8", "9 12 8", ""),
            ("12番地の8", "12 8", ""),
            ("12番3号の5", "12 3 5", ""),
            ("14-イ22", "14 イ22", ""),
            ("1-5-301c", "1 5", "301c"),
            ("1-5-1番館", "1 5", "1番館"),
            ("009-08", "9 8", ""),
            ("9丁9番9号", "9 9 9", ""),
        ] {
            let (found, rest) = read(text).unwrap();
            assert_eq!((found.join(" ").as_str(), rest), (numbers, tail), "{text}");
        }
        assert!(read("霞ハイツ").is_none());
    }
}
