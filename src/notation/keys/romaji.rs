//! Japanese names in Latin letters.
//!
//! 大野 洋子 is Ohno Yoko on her passport, OONO YOUKO in a mainframe and Ôno Yôko in a library; Shinji is
//! Sinzi to her teacher. All of them come to the same letters here, and so does her reading in kana, which
//! is known: it is spelt in one habit and goes the same way. The letters are no spelling of their own
//! (long vowels and doubled consonants are gone), and are only compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::super::fold::{fold, has_japanese};
use super::latin_name_key;
use crate::persona::romaji::hepburn;

/// The letters of a name in romaji, its words in alphabetical order, since either name comes first.
/// `None` unless it has at least two words that could be Japanese.
pub fn romaji_key(text: &str) -> Option<String> {
    // Most names of a Japanese list.
    if has_japanese(text) {
        return None;
    }
    let plain: String = if text.is_ascii() {
        text.to_owned()
    } else {
        fold(text)
            .nfd()
            .filter(|c| !is_combining_mark(*c))
            .collect()
    };
    let key = latin_name_key(&plain)?;
    letters(key.split(' '))
}

/// The letters of a name by the readings of its parts.
pub fn romaji_key_of_kana(parts: &[&str]) -> Option<String> {
    let spelt: Vec<String> = parts.iter().map(|part| hepburn(&fold(part))).collect();
    letters(spelt.iter().map(String::as_str))
}

fn letters<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut words: Vec<String> = words.map(word).collect::<Option<_>>()?;
    words.sort_unstable();
    (words.len() > 1).then(|| words.join(" "))
}

/// One word, `None` where it has a letter that romaji has not.
fn word(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(|c: char| !c.is_ascii_lowercase() || "lqx".contains(c)) {
        return None;
    }
    // From Hepburn to the plainest consonants; the order matters.
    let mut plain = text.to_owned();
    for (from, to) in [
        ("tch", "ch"),
        ("cch", "ch"),
        ("shi", "si"),
        ("sh", "sy"),
        ("chi", "ti"),
        ("ch", "ty"),
        ("tsu", "tu"),
        ("dzu", "zu"),
        ("du", "zu"),
        ("jy", "zy"),
        ("dy", "zy"),
        ("ji", "zi"),
        ("di", "zi"),
        ("j", "zy"),
        ("f", "h"),
        ("wo", "o"),
        ("mb", "nb"),
        ("mp", "np"),
        ("mm", "nm"),
    ] {
        if plain.contains(from) {
            plain = plain.replace(from, to);
        }
    }
    let mut out = once(&plain);
    if out.contains("ou") {
        out = once(&out.replace("ou", "o"));
    }
    // キヨ and キョ are one where small kana are written large.
    for (from, to) in [("iya", "ya"), ("iyu", "yu"), ("iyo", "yo")] {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Every letter once, without an h that only lengthens (Ohno, Satoh): no vowel follows it.
fn once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let long = letter == 'h' && !letters.peek().is_some_and(|next| "aiueoy".contains(*next));
        if !long && !out.ends_with(letter) {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_habit_comes_to_the_letters_of_the_reading() {
        for (kana, spellings) in [
            (
                ["オオノ", "ヨウコ"],
                &[
                    "Ohno Yoko",
                    "OONO YOUKO",
                    "Yoko Ono",
                    "Ôno, Yôko",
                    "ono yohko",
                    "Ōno Yōko",
                    "ＯＮＯ　ＹＯＫＯ",
                ][..],
            ),
            (
                ["サトウ", "シンイチ"],
                &[
                    "Sato Shin'ichi",
                    "SATOU SHINICHI",
                    "Satoh Sinniti",
                    "sinniti satô",
                ],
            ),
            (
                ["ホンマ", "ジュンコ"],
                &["Homma Junko", "Honma Jyunko", "HONMA ZYUNKO"],
            ),
            (
                ["ハットリ", "チヅル"],
                &["Hattori Chizuru", "Hattori Tiduru", "HATTORI CHIDURU"],
            ),
            (
                ["ツチヤ", "フミオ"],
                &["Tsuchiya Fumio", "Tutiya Humio", "Mr. Fumio Tsuchiya"],
            ),
            (
                ["ｲﾉｳｴ", "ｷﾖｳｺ"],
                &["Inoue Kyoko", "INOUE KYOUKO", "Kyôko Inoue"],
            ),
            (["エッチュウ", "マリー"], &["Etchu Mari", "Ecchuu Marii"]),
        ] {
            let key = romaji_key_of_kana(&kana);
            assert!(key.is_some(), "{kana:?}");
            for spelling in spellings {
                assert_eq!(romaji_key(spelling), key, "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_no_romaji_has_no_key() {
        for text in [
            "",
            "Yoko",
            "山田 太郎",
            "Alex Miller",
            "a@b.example",
            "123 Main St",
        ] {
            assert_eq!(romaji_key(text), None, "{text}");
        }
        assert_ne!(romaji_key("Sato Yoko"), romaji_key("Saito Yoko"));
    }

    proptest! {
        #[test]
        fn a_passport_and_a_typist_agree(
            family in "([カキクサシタツナニヒマミヤワ]|[キシチリ][ャュョ]|[コト]ウ|ンマ|ッタ){2,4}",
            given in "([アカケコサタノミヨリロ]|[ジチリ]ュ[ンウ]|[オト]ー?|ヨウ|ユウ){1,4}",
        ) {
            let passport = crate::persona::romaji::passport(&format!("{family} {given}"));
            let typed = hepburn(&format!("{family} {given}"));
            prop_assume!(passport.split(' ').filter(|word| word.len() > 1).count() == 2);
            prop_assert_eq!(romaji_key(&passport), romaji_key(&typed));
        }
    }
}
