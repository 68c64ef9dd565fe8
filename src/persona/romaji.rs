//! Kana to Hepburn romaji, in the two habits that mail addresses have.

use std::borrow::Cow;

/// The Hepburn spelling of a kana text in lower-case ASCII, kana by kana: `サトウ ヨウコ` gives
/// `satou youko`. Hiragana and katakana are read; of anything else only spaces, ASCII letters and
/// digits stay.
pub fn hepburn(kana: &str) -> String {
    spell(kana, Habit::Typed)
}

/// The Hepburn spelling of passports, without long vowels: `サトウ ヨウコ` gives `sato yoko`, and `ン`
/// before b, m and p is `m`. Where two words meet (`イノウエ`, `マツウラ`) both vowels stay.
pub fn passport(kana: &str) -> String {
    spell(kana, Habit::Passport)
}

#[derive(Clone, Copy, PartialEq)]
enum Habit {
    Typed,
    Passport,
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        _ => c,
    }
}

fn spell(kana: &str, habit: Habit) -> String {
    let text: Vec<char> = kana.chars().map(katakana).collect();
    let mut out = String::with_capacity(kana.len());
    let mut doubled = false;
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        let next = text.get(at + 1).copied();
        at += 1;
        if habit == Habit::Passport && is_long(&text, at - 1) {
            continue;
        }
        let syllable: Cow<'static, str> = match (base(c), next.and_then(glide)) {
            (Some(base), Some(vowel)) => {
                if let Some(joined) = join(base, vowel) {
                    at += 1;
                    joined.into()
                } else {
                    base.into()
                }
            }
            (Some(base), None) => base.into(),
            (None, _) => match c {
                'ッ' => {
                    doubled = true;
                    continue;
                }
                'ー' => match out.chars().last() {
                    Some(vowel) if habit == Habit::Typed && "aiueo".contains(vowel) => {
                        vowel.to_string().into()
                    }
                    _ => continue,
                },
                ' ' | '\u{3000}' => " ".into(),
                c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase().to_string().into(),
                _ => continue,
            },
        };
        let first = syllable.chars().next().unwrap_or(' ');
        if std::mem::take(&mut doubled) && first.is_ascii_alphabetic() && !"aiueon".contains(first)
        {
            out.push(if first == 'c' { 't' } else { first });
        }
        if habit == Habit::Passport && "bmp".contains(first) && out.ends_with('n') {
            // Only ン leaves an n without a vowel behind it.
            out.pop();
            out.push('m');
        }
        out.push_str(&syllable);
    }
    out
}

/// Whether the kana at this place only lengthens the vowel before it.
fn is_long(text: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else {
        return false;
    };
    let o_row = "オコソトノホモヨロゴゾドボポョ".contains(before);
    match (text[at], text.get(at + 1)) {
        ('ウ', Some('エ')) => false,
        ('ウ', _) => o_row || "ユュ".contains(before),
        ('オ', Some(_)) => o_row,
        _ => false,
    }
}

fn glide(c: char) -> Option<&'static str> {
    Some(match c {
        'ャ' => "ya",
        'ュ' => "yu",
        'ョ' => "yo",
        'ァ' => "a",
        'ィ' => "i",
        'ゥ' => "u",
        'ェ' => "e",
        'ォ' => "o",
        _ => return None,
    })
}

fn join(base: &str, glide: &str) -> Option<String> {
    let stem = &base[..base.len() - 1];
    let vowel = &glide[glide.len() - 1..];
    Some(match (base, glide.len()) {
        ("shi" | "chi" | "ji", _) => format!("{stem}{vowel}"),
        ("ki" | "ni" | "hi" | "mi" | "ri" | "gi" | "bi" | "pi", 2) => format!("{stem}y{vowel}"),
        ("fu" | "vu" | "tsu", 1) => format!("{stem}{vowel}"),
        ("te" | "de", 1) => format!("{stem}{vowel}"),
        ("u", 1) => format!("w{vowel}"),
        ("i", 1) if vowel == "e" => "ye".to_owned(),
        _ => return None,
    })
}

fn base(c: char) -> Option<&'static str> {
    Some(match c {
        'ア' | 'ァ' => "a",
        'イ' | 'ィ' | 'ヰ' => "i",
        'ウ' | 'ゥ' => "u",
        'エ' | 'ェ' | 'ヱ' => "e",
        'オ' | 'ォ' | 'ヲ' => "o",
        'カ' | 'ヵ' => "ka",
        'キ' => "ki",
        'ク' => "ku",
        'ケ' | 'ヶ' => "ke",
        'コ' => "ko",
        'サ' => "sa",
        'シ' => "shi",
        'ス' => "su",
        'セ' => "se",
        'ソ' => "so",
        'タ' => "ta",
        'チ' => "chi",
        'ツ' => "tsu",
        'テ' => "te",
        'ト' => "to",
        'ナ' => "na",
        'ニ' => "ni",
        'ヌ' => "nu",
        'ネ' => "ne",
        'ノ' => "no",
        'ハ' => "ha",
        'ヒ' => "hi",
        'フ' => "fu",
        'ヘ' => "he",
        'ホ' => "ho",
        'マ' => "ma",
        'ミ' => "mi",
        'ム' => "mu",
        'メ' => "me",
        'モ' => "mo",
        'ヤ' | 'ャ' => "ya",
        'ユ' | 'ュ' => "yu",
        'ヨ' | 'ョ' => "yo",
        'ラ' => "ra",
        'リ' => "ri",
        'ル' => "ru",
        'レ' => "re",
        'ロ' => "ro",
        'ワ' | 'ヮ' => "wa",
        'ン' => "n",
        'ガ' => "ga",
        'ギ' => "gi",
        'グ' => "gu",
        'ゲ' => "ge",
        'ゴ' => "go",
        'ザ' => "za",
        'ジ' | 'ヂ' => "ji",
        'ズ' | 'ヅ' => "zu",
        'ゼ' => "ze",
        'ゾ' => "zo",
        'ダ' => "da",
        'デ' => "de",
        'ド' => "do",
        'バ' => "ba",
        'ビ' => "bi",
        'ブ' => "bu",
        'ベ' => "be",
        'ボ' => "bo",
        'パ' => "pa",
        'ピ' => "pi",
        'プ' => "pu",
        'ペ' => "pe",
        'ポ' => "po",
        'ヴ' => "vu",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_spelt_in_both_habits() {
        for (kana, typed, short) in [
            ("サトウ ヨウコ", "satou youko", "sato yoko"),
            ("オオノ", "oono", "ono"),
            ("イノウエ", "inoue", "inoue"),
            ("マツウラ", "matsuura", "matsuura"),
            ("リュウノスケ", "ryuunosuke", "ryunosuke"),
            ("ジュンイチ", "junichi", "junichi"),
            ("ホンマ", "honma", "homma"),
            ("ハットリ", "hattori", "hattori"),
            ("エッチュウ", "etchuu", "etchu"),
            ("さくら", "sakura", "sakura"),
            ("トオル", "tooru", "toru"),
            ("セノオ", "senoo", "senoo"),
            ("キョウコ", "kyouko", "kyoko"),
            ("シェリー", "sherii", "sheri"),
            ("キタ１０", "kita", "kita"),
        ] {
            assert_eq!(
                (hepburn(kana), passport(kana)),
                (typed.into(), short.into()),
                "{kana}"
            );
        }
    }

    proptest! {
        #[test]
        fn kana_becomes_ascii(kana in "[ァ-ヶー]{0,20}", any in "\\PC{0,20}") {
            for text in [kana, any] {
                prop_assert!(hepburn(&text).is_ascii());
                prop_assert!(passport(&text).is_ascii());
            }
        }

        #[test]
        fn hiragana_is_read_as_katakana(kana in "[ァ-ヴ]{0,20}") {
            let hiragana: String = kana.chars().map(|c| char::from_u32(c as u32 - 0x60).unwrap()).collect();
            prop_assert_eq!(hepburn(&kana), hepburn(&hiragana));
        }
    }
}
