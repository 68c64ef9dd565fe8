//! The town: its letters, and the numbers within its name.
//!
//! 北一条西2丁目, 拓北6条2丁目, 上大川前通十一番町 and 第1地割 have numbers that some write with their
//! counter and some without. So the counters go, the letters stay together, and the numbers go before
//! those of the block in the order in which they stand: 北1条西2-3-4 and 北1西2-3-4 are both
//! 北西 1-2-3-4.

use std::borrow::Cow;

use super::super::super::fold::{begins, is_kana, is_kanji};
use super::numerals::{PARTS, plain};

/// What follows a number that is part of a town's name.
const COUNTERS: [&str; 14] = [
    "条",
    "番町",
    "番丁",
    "地割",
    "号線",
    "線",
    "の通り",
    "ノ通り",
    "通り",
    "の町",
    "ノ町",
    "之町",
    "の丁",
    "ノ丁",
];

/// Letters that a town's name may be written with and without: those of counters, of 大字 and 小字, of particles, and
/// numerals. Whatever the notation, the others stand in the text in the order of the key, and nothing but such letters,
/// signs and digits between them.
pub const LOOSE: &str = "条番町丁地割号線通り目第大小字之のノヶケヵカがガゖゕかツッつっ丿ー\
    〇零一壱二弐三参四五六七八九十拾百千";

/// What a number of the block is followed by, at the head of an address too.
const BLOCK_MARKS: [&str; 9] = ["年", "丁目", "町目", "番", "号", "-", "の", "ノ", "之"];

/// A town read as far as its block.
pub(super) struct Town<'a> {
    /// Its letters, plain.
    pub letters: String,
    /// The numbers within its name.
    pub counted: Vec<String>,
    /// What stands behind it, from the block's first digit on.
    pub rest: &'a str,
}

/// Reads a town; `None` where no number stands behind it.
pub(super) fn read(text: &str) -> Option<Town<'_>> {
    let mut letters = String::with_capacity(text.len());
    let mut counted = Vec::new();
    let mut counter = "";
    let mut rest = text;
    loop {
        let start = rest.bytes().position(|byte| byte.is_ascii_digit())?;
        letters.push_str(&rest[..start]);
        let end = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        let behind = &rest[start + end..];
        let digits = &rest[start..rest.len() - behind.len()];
        let behind_space = behind.trim_start();
        if let Some(word) = counter_of(behind_space) {
            counted.push(digits.trim_start_matches('0').to_owned());
            if let Some(without) = letters.strip_suffix('第') {
                letters.truncate(without.len());
            }
            rest = &behind_space[word.len()..];
            if counter.is_empty() {
                counter = word;
            }
        } else if is_name(&letters, behind) {
            letters.push_str(digits);
            rest = behind;
        } else {
            rest = &rest[start..];
            break;
        }
    }
    for change in [without_particles, plain] {
        if let Some(changed) = owned(change(&letters)) {
            letters = changed;
        }
    }
    if letters.is_empty() && !counter.is_empty() {
        // 三番町 is nothing but its number: the counter is its name.
        letters = counter.replace("番丁", "番町");
    }
    Some(Town {
        letters,
        counted,
        rest,
    })
}

/// What was made of a text; `None` where it stayed as it was.
fn owned(text: Cow<'_, str>) -> Option<String> {
    match text {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// The counter that a number in a town's name has; empty where it was left out before a direction.
fn counter_of(behind: &str) -> Option<&'static str> {
    if let Some(word) = COUNTERS.iter().find(|word| begins(behind, word)) {
        return Some(word);
    }
    let turned = |text: &str| {
        let next = text.strip_prefix(['東', '西', '南', '北']);
        next.is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
    };
    if turned(behind) {
        return Some("");
    }
    // 平和通1丁目南6番16号
    behind
        .strip_prefix("丁目")
        .filter(|next| turned(next))
        .map(|_| "丁目")
}

/// Whether digits are letters of a name: 6本木, 4ヶ村.
fn is_name(before: &str, behind: &str) -> bool {
    if behind.starts_with(['ヶ', 'ケ']) {
        return true;
    }
    before.is_empty()
        && behind.starts_with(|c| is_kanji(c) || is_kana(c))
        && !behind.starts_with('丁')
        && !BLOCK_MARKS.iter().any(|mark| begins(behind, mark))
}

/// A town without 大字 and 字, without what stands in brackets, and without the ヶ, の and ツ that are
/// written in three ways or not at all.
fn without_particles(town: &str) -> Cow<'_, str> {
    if !town.contains(|c| {
        is_particle(c) || PARTS.contains(&c) || matches!(c, '字' | '(' | 'ー' | '-' | ' ')
    }) {
        return Cow::Borrowed(town);
    }
    let town = without_brackets(town);
    let town = match town.contains('字') {
        true => Cow::Owned(town.replace("大字", "").replace("小字", "")),
        false => town,
    };
    let chars: Vec<char> = town.chars().collect();
    let kanji = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(|c| is_kanji(*c) || c.is_ascii_digit())
    };
    let mut out = String::with_capacity(town.len());
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1);
        let between = kanji(before) && kanji(Some(at + 1));
        let particle = is_particle(*c);
        // 十字, 文字 and the like are names; a town may begin with 字.
        let named = before.is_some_and(|at| "十文名八赤".contains(chars[at]));
        let aza = *c == '字' && !named && at + 1 < chars.len();
        // ハの74: the particle leads to the number.
        let last = at > 0 && at + 1 == chars.len() && PARTS.contains(c);
        let dropped = between && particle || aza || last;
        if !dropped && !matches!(c, 'ー' | '-' | ' ') {
            out.push(*c);
        }
    }
    Cow::Owned(out)
}

/// What is written between two characters of a name in several ways or not at all.
fn is_particle(c: char) -> bool {
    matches!(
        c,
        'ヶ' | 'ケ'
            | 'ヵ'
            | 'カ'
            | 'が'
            | 'ガ'
            | 'ゖ'
            | 'の'
            | 'ノ'
            | '之'
            | 'ツ'
            | 'ッ'
            | 'つ'
            | 'っ'
    )
}

fn without_brackets(text: &str) -> Cow<'_, str> {
    if !text.contains('(') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('(') {
        out.push_str(before);
        rest = behind.split_once(')').map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A city in the place of a town that has none: the village without its county.
pub(super) fn of_city(city: &str) -> String {
    let village = city.split_once('郡').map_or(city, |(_, village)| village);
    let village = if village.is_empty() { city } else { village };
    plain(&without_particles(village)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_within_a_name_go_before_those_of_the_block() {
        for (text, letters, counted, rest) in [
            ("北1条西2丁目3-4", "北西", &["1"][..], "2丁目3-4"),
            ("北1西2-3-4", "北西", &["1"], "2-3-4"),
            ("上大川前通11番町1881-2", "上大川前通", &["11"], "1881-2"),
            ("第1地割上村43-25", "上村", &["1"], "43-25"),
            ("太田5の通り23番地1", "太田", &["5"], "23番地1"),
            ("平和通1丁目南6番16号", "平和通南", &["1"], "6番16号"),
            ("1番町99", "番町", &["1"], "99"),
            ("6本木9-9-9", "6本木", &[], "9-9-9"),
            ("六本木9-9-9", "6本木", &[], "9-9-9"),
            ("ハの74-2", "ハ", &[], "74-2"),
            ("裏ノ(南栄町)8", "裏", &[], "8"),
            ("大字鹿渡字台1234", "鹿渡台", &[], "1234"),
        ] {
            let town = read(text).unwrap();
            assert_eq!(
                (town.letters.as_str(), &town.counted[..], town.rest),
                (
                    letters,
                    &counted.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()[..],
                    rest
                ),
                "{text}"
            );
        }
        assert!(read("霞が関").is_none());
    }
}
