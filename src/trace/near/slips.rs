//! One letter for all that a scanner, or a clerk who copies by eye, takes for each other.

use std::collections::HashMap;

use super::compare::{FEWEST_DIGITS, PART};
use crate::notation::{Region, fold, phone_key};

/// Groups of letters that look alike; the first stands for all. Voicing marks are gone before.
const GROUPS: &str = "\
o0〇○ l1i|ー一 b8 s5 z2 g9q \
口ロ 二ニ 力カ刀 八ハ 工エ 夕タ 卜ト 千チ干于 三ミ ンソ ツシ ワク ヘへ リり \
大太犬 末未 土士 己已巳 人入 治冶 裕祐 荻萩 鳥烏 午牛 崇祟 緑縁 季李 侯候 官宮 \
微徴 推椎 享亨 玲怜 宣宜 幹斡 隆降";

/// The text with each letter replaced by the one that stands for its group: equal for two texts that
/// differ in look-alikes only. Both are folded before.
#[cfg(test)]
pub fn skeleton(text: &str) -> String {
    text.chars().map(bare).collect()
}

/// The letter that stands for a letter's group.
#[inline]
pub fn bare(c: char) -> char {
    char::from_u32(bares()(c)).unwrap_or(c)
}

/// What gives the code of the letter that stands for a letter's group, for who asks it of many.
#[inline]
pub fn bares() -> impl Fn(char) -> u32 + Copy {
    let table = &**TABLE;
    |c| match table.get(c as usize) {
        Some(bare) => u32::from(*bare),
        None => c as u32,
    }
}

/// The last letter that another one may stand for, a common ideograph.
const LAST: u16 = 0x9fff;

/// Kana without its voicing mark: faxes and old half-width systems lose them.
fn unvoiced(c: char) -> char {
    let code = c as u32;
    let bare = match c {
        // か to ぢ and カ to ヂ: each voiced letter stands behind its plain one; ッ shifts the rest.
        'か'..='ぢ' | 'カ'..='ヂ' => code - u32::from(code.is_multiple_of(2)),
        'づ' | 'で' | 'ど' | 'ヅ' | 'デ' | 'ド' => code - 1,
        'は'..='ぽ' => code - (code - 'は' as u32) % 3,
        'ハ'..='ポ' => code - (code - 'ハ' as u32) % 3,
        'ヴ' => 'ウ' as u32,
        _ => code,
    };
    char::from_u32(bare).unwrap_or(c)
}

/// What stands for each letter.
static TABLE: std::sync::LazyLock<Box<[u16]>> = std::sync::LazyLock::new(|| {
    let pairs = GROUPS.split(' ').flat_map(|group| {
        let mut letters = group.chars();
        let first = letters.next();
        letters.filter_map(move |letter| Some((letter, first?)))
    });
    let bare: HashMap<char, char> = pairs.collect();
    let stands = |code: u16| {
        let c = unvoiced(char::from_u32(u32::from(code))?);
        u16::try_from(bare.get(&c).copied().unwrap_or(c) as u32).ok()
    };
    (0..=LAST)
        .map(|code| stands(code).unwrap_or(code))
        .collect()
});

/// A number that is no whole one: with letters read for digits, else what is left of it behind
/// [`PART`], which only near matching looks at.
pub fn number_read(written: &str, region: Option<Region>) -> Option<String> {
    // Twelve digits and what stands between them.
    if written.len() < FEWEST_DIGITS || written.len() > 60 {
        return None;
    }
    let (mut digits, mut read) = (String::new(), 0);
    for c in fold(written).chars() {
        let digit = match c {
            '0'..='9' => c,
            ' ' | '-' | '(' | ')' | '.' | '/' | '+' => continue,
            'o' => '0',
            'l' | 'i' | '|' => '1',
            'z' => '2',
            's' => '5',
            'b' => '8',
            _ => return None,
        };
        read += usize::from(digit != c);
        digits.push(digit);
    }
    if digits.len() < FEWEST_DIGITS || digits.len() > 13 || read > 3 {
        return None;
    }
    let whole = (read > 0).then(|| phone_key(&digits, region));
    whole.flatten().or_else(|| Some(format!("{PART}{digits}")))
}

/// A name in which a scanner read digits for letters, with the letters; `None` for what has no digits, or
/// too many.
pub fn letters_read(written: &str) -> Option<String> {
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    let letters = written.bytes().filter(u8::is_ascii_alphabetic).count();
    if digits == 0 || digits * 3 > letters || !written.is_ascii() {
        return None;
    }
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'l',
        '5' => 's',
        '8' => 'b',
        other => other,
    };
    Some(written.chars().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        for (one, other) in [
            ("O0l1", "o0i1"),
            ("8ill", "bi1l"),
            ("ヤマダ", "ヤマタ"),
            (
                "ガギグゲゴザジズゼゾダヂヅデド",
                "カキクケコサシスセソタチツテト",
            ),
            ("バパビピブプベペボポ", "ハハヒヒフフヘヘホホ"),
            ("ばぱがづで", "ははかつて"),
            ("ロニカ", "口二力"),
            ("太一", "大一"),
            ("ソシ", "ンツ"),
        ] {
            let (one, other) = (one.to_lowercase(), other.to_lowercase());
            assert_eq!(skeleton(&one), skeleton(&other), "{one} {other}");
        }
        for (one, other) in [
            ("ナニヌネノ", "ナニヌネマ"),
            ("佐藤", "斉藤"),
            ("アンヌ", "アンナ"),
        ] {
            assert_ne!(skeleton(one), skeleton(other));
        }
    }

    #[test]
    fn what_a_scanner_read() {
        for (written, key) in [
            ("O90-0l23-4567", Some("+819001234567")),
            ("０90-0123-456", Some("~0900123456")),
            ("0123-4567", Some("~01234567")),
            ("090-0123-45Ｓ7", Some("+819001234557")),
            ("なし", None),
            ("solo ill b", None),
            ("12345", None),
        ] {
            assert_eq!(
                number_read(written, Some(Region::Jp)).as_deref(),
                key,
                "{written}"
            );
        }
        assert_eq!(letters_read("J0hn Sm1th").as_deref(), Some("John Smlth"));
        assert_eq!(letters_read("John Smith"), None);
        assert_eq!(letters_read("A 4711"), None);
    }

    #[test]
    fn each_letter_is_of_one_group() {
        let mut seen = std::collections::HashSet::new();
        for letter in GROUPS.chars().filter(|c| *c != ' ') {
            assert!(seen.insert(letter), "{letter}");
        }
        for c in 'ぁ'..='ヺ' {
            assert_eq!(bare(bare(c)), bare(c), "{c}");
        }
    }
}
