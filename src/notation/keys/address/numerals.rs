//! Kanji numerals in addresses: 九丁目十二番八号, 一二三四番地, 二〇三号室.

use std::borrow::Cow;

use super::super::super::fold::begins;

/// What makes a numeral before it a number rather than part of a name (三番町 is one, 三軒茶屋 is not).
const COUNTERS: [&str; 14] = [
    "丁目", "町目", "番", "号", "条", "線", "階", "地割", "の通", "ノ通", "通り", "の町", "ノ町",
    "之町",
];

/// What stands behind each number of a block.
const BLOCK: [&str; 8] = ["丁目", "町目", "番地の", "番地", "番の", "番", "号", "丁"];

/// What parts the numbers of a block beside the hyphen.
pub(super) const PARTS: [char; 4] = ['の', 'ノ', '之', '丿'];

/// Writes kanji numerals as digits where a counter, or a hyphen between numbers, shows them to be numbers.
pub(super) fn to_digits(text: &str) -> Cow<'_, str> {
    let Some(mut start) = text.find(is_numeral) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        out.push_str(&rest[..start]);
        let behind = rest[start..].trim_start_matches(is_numeral);
        let numeral = &rest[start..rest.len() - behind.len()];
        let mut following = behind.chars();
        let [next, second, third] = [(); 3].map(|()| following.next());
        let counted = COUNTERS.iter().any(|counter| begins(behind, counter))
            || next == Some('丁') && second.is_none_or(is_number);
        let chained = next.is_some_and(is_separator)
            && (second.is_some_and(is_number)
                || second.is_some_and(is_letter) && third.is_some_and(is_number));
        let follows = || {
            out.ends_with('-')
                || out
                    .strip_suffix(is_letter)
                    .is_some_and(|out| out.ends_with('-'))
                || out.ends_with(PARTS) && out.trim_end_matches(PARTS).ends_with(is_digit)
                || next.is_none_or(|next| next == ' ')
                    && is_behind_number(out.trim_end_matches(PARTS))
        };
        // 1一3: somebody took the numeral for a hyphen.
        if numeral == "一" && out.ends_with(is_digit) && next.is_some_and(is_digit) {
            out.push('-');
        } else {
            match number(numeral).filter(|_| counted || chained || follows()) {
                Some(number) => {
                    if out.ends_with(is_digit) {
                        out.push(' ');
                    }
                    out.push_str(&number.to_string());
                }
                None => out.push_str(numeral),
            }
        }
        rest = behind;
        match rest.find(is_numeral) {
            Some(next) => start = next,
            None => break,
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A text with its numbers in digits and a hyphen where a block has its counters: 九丁目十二番八号 is 9-12-8, and so is
/// 9丁目12-8. Where the address begins need not be known.
pub(super) fn hyphenated(text: &str) -> String {
    let text = match ending(text) {
        Some((name, number)) => Cow::Owned(format!("{name}{number}")),
        None => Cow::Borrowed(text),
    };
    let text = to_digits(&text);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        let counter = BLOCK.iter().find_map(|counter| rest.strip_prefix(counter));
        match counter.filter(|_| out.ends_with(is_digit)) {
            Some(behind) if behind.starts_with(is_digit) => {
                out.push('-');
                rest = behind;
            }
            Some(behind) if behind.chars().next().is_none_or(char::is_whitespace) => rest = behind,
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// The number that a text ends with in kanji, where nothing behind it says that it is one: 串本一二三四.
pub(super) fn ending(text: &str) -> Option<(&str, u32)> {
    let name = text.trim_end_matches(is_numeral);
    let numeral = &text[name.len()..];
    // A single one ends names: 町屋一 is none, 本庄二 may be.
    (numeral.chars().nth(1).is_some()).then_some((name, number(numeral)?))
}

/// A name with its small numerals as digits, for 六本木 and 6本木, 二十四軒 and 24軒.
pub(super) fn plain(name: &str) -> Cow<'_, str> {
    if !name.contains(is_numeral) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(is_numeral) {
        let behind = rest[start..].trim_start_matches(is_numeral);
        let run = &rest[start..rest.len() - behind.len()];
        out.push_str(&rest[..start]);
        // 百 and 千 are names more often than numbers (百人町, 千石).
        match number(run).filter(|_| !run.contains(['百', '千'])) {
            Some(number) => out.push_str(&number.to_string()),
            None => out.push_str(run),
        }
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// 9番地五, 9番地の五: the last number of a block needs no counter of its own.
fn is_behind_number(text: &str) -> bool {
    let marks = ["番地", "番", "丁目", "丁"];
    let number = marks.iter().find_map(|mark| text.strip_suffix(mark));
    number.is_some_and(|number| number.ends_with(is_digit))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_number(c: char) -> bool {
    is_digit(c) || is_numeral(c)
}

fn is_numeral(c: char) -> bool {
    value(c).is_some() || power(c).is_some()
}

/// What goes before a number of a block: 14-イ22, 14-a22.
pub(super) fn is_letter(c: char) -> bool {
    matches!(
        c,
        'イ' | 'ロ' | 'ハ' | 'ニ' | 'ホ' | 'ヘ' | 'ト' | '甲' | '乙' | '丙' | '丁' | 'a'..='d'
    )
}

fn is_separator(c: char) -> bool {
    c == '-' || PARTS.contains(&c)
}

/// Digits, among them those of deeds (壱弐参), folded.
fn value(c: char) -> Option<u32> {
    Some(match c {
        '〇' | '零' => 0,
        '一' | '壱' => 1,
        '二' | '弐' => 2,
        '三' | '参' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn power(c: char) -> Option<u32> {
    Some(match c {
        '十' | '拾' => 10,
        '百' => 100,
        '千' => 1_000,
        _ => return None,
    })
}

/// 十二 and 一二 are both twelve, 千二百三十四 and 一二三四 the same. `None` for what is no number.
pub fn number(numeral: &str) -> Option<u32> {
    if numeral.chars().all(|c| value(c).is_some()) {
        return numeral
            .chars()
            .try_fold(0u32, |sum, c| sum.checked_mul(10)?.checked_add(value(c)?));
    }
    let (mut sum, mut digit) = (0u32, None);
    for c in numeral.chars() {
        match power(c) {
            Some(power) => sum = sum.checked_add(digit.take().unwrap_or(1) * power)?,
            None if digit.is_some() => return None,
            None => digit = value(c),
        }
    }
    sum.checked_add(digit.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_become_digits() {
        for (text, digits) in [
            ("霞が関九丁目十二番八号", "霞が関9丁目12番8号"),
            ("古谷上一二三四番地", "古谷上1234番地"),
            ("九-十二-八", "9-12-8"),
            ("九の十二の八", "9の12の8"),
            ("百二十三番地", "123番地"),
            ("千二百三十四番地", "1234番地"),
            ("壱番地弐号", "1番地2号"),
            ("九丁目二十三番百五号", "9丁目23番105号"),
            ("1一3", "1-3"),
            ("十四-イ二十二", "14-イ22"),
            ("九番地五", "9番地5"),
            ("九番地五 五光ハイツ", "9番地5 五光ハイツ"),
            ("九番地の五", "9番地の5"),
            ("九番地三田ハイツ", "9番地三田ハイツ"),
            ("九番地の三田ハイツ", "9番地の三田ハイツ"),
            ("三軒茶屋二丁目", "三軒茶屋2丁目"),
            ("三の丸", "三の丸"),
            ("八丁堀", "八丁堀"),
            ("六本木", "六本木"),
        ] {
            assert_eq!(to_digits(text), digits);
        }
    }

    #[test]
    fn a_number_at_the_end_needs_no_counter() {
        assert_eq!(ending("串本一二三四"), Some(("串本", 1234)));
        assert_eq!(ending("串本千二百三十四"), Some(("串本", 1234)));
        assert_eq!(ending("町屋一"), None);
        assert_eq!(ending("霞が関"), None);
    }

    #[test]
    fn a_block_has_hyphens_whatever_its_counters() {
        for (written, plain) in [
            (
                "東京都千代田区霞が関九丁目十二番八号",
                "東京都千代田区霞が関9-12-8",
            ),
            ("霞が関9丁目12-8", "霞が関9-12-8"),
            ("霞が関9-12-8", "霞が関9-12-8"),
            ("九丁目十二番地八 様", "9-12-8 様"),
            ("9番地の8", "9-8"),
            ("囮ハイツ七〇七号", "囮ハイツ707"),
            ("囮ハイツ七〇七", "囮ハイツ707"),
            ("囮ハイツ七〇七号室", "囮ハイツ707号室"),
            ("三番町四-五", "3番町4-5"),
            ("1200 Example St", "1200 Example St"),
            ("", ""),
        ] {
            assert_eq!(hyphenated(written), plain, "{written}");
        }
    }

    #[test]
    fn names_are_equal_in_digits_and_in_kanji() {
        for (name, digits) in [
            ("六本木", "6本木"),
            ("二十四軒", "24軒"),
            ("百人町", "百人町"),
            ("千石", "千石"),
            ("霞が関", "霞が関"),
        ] {
            assert_eq!(plain(name), digits);
        }
    }
}
