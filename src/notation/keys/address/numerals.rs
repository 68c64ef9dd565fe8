//! Kanji numerals in addresses: 九丁目十二番八号, 一二三四番地, 二〇三号室.

/// What makes a numeral before it a number rather than part of a name (三番町 is one, 三軒茶屋 is not).
const COUNTERS: [&str; 6] = ["丁目", "番", "号", "条", "線", "階"];

/// Writes kanji numerals as digits where a counter, or a hyphen between numbers, shows them to be numbers.
pub(super) fn to_digits(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let run = chars[at..]
            .iter()
            .take_while(|c| value(**c).is_some() || **c == '十' || **c == '百')
            .count();
        if run == 0 {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let numeral = &chars[at..at + run];
        let behind: String = chars[at + run..].iter().take(2).collect();
        let counted = COUNTERS.iter().any(|counter| behind.starts_with(counter))
            || behind.starts_with('丁') && chars.get(at + run + 1).is_none_or(|c| is_number(*c));
        let chained = is_separator(chars.get(at + run))
            && chars.get(at + run + 1).is_some_and(|c| is_number(*c));
        let follows = out.ends_with('-')
            || out.ends_with(['の', 'ノ', '之'])
                && out
                    .trim_end_matches(['の', 'ノ', '之'])
                    .ends_with(|c: char| c.is_ascii_digit());
        match number(numeral) {
            Some(number) if counted || chained || follows => out.push_str(&number.to_string()),
            _ => out.extend(numeral),
        }
        at += run;
    }
    out
}

fn is_number(c: char) -> bool {
    c.is_ascii_digit() || value(c).is_some() || c == '十'
}

fn is_separator(c: Option<&char>) -> bool {
    matches!(c, Some('-' | 'の' | 'ノ' | '之'))
}

fn value(c: char) -> Option<u32> {
    "〇一二三四五六七八九"
        .chars()
        .position(|digit| digit == c)
        .and_then(|at| u32::try_from(at).ok())
}

/// 十二 and 一二 are both twelve, 百二十 is a hundred and twenty.
fn number(numeral: &[char]) -> Option<u32> {
    if numeral.iter().all(|c| value(*c).is_some()) {
        return numeral
            .iter()
            .try_fold(0u32, |sum, c| sum.checked_mul(10)?.checked_add(value(*c)?));
    }
    let (mut sum, mut digit) = (0u32, None);
    for c in numeral {
        match c {
            '百' => sum = sum.checked_add(digit.take().unwrap_or(1) * 100)?,
            '十' => sum = sum.checked_add(digit.take().unwrap_or(1) * 10)?,
            c => digit = Some(value(*c)?),
        }
    }
    sum.checked_add(digit.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::to_digits;

    #[test]
    fn only_numbers_become_digits() {
        for (text, digits) in [
            ("霞が関九丁目十二番八号", "霞が関9丁目12番8号"),
            ("古谷上一二三四番地", "古谷上1234番地"),
            ("九-十二-八", "9-12-8"),
            ("九の十二の八", "9の12の8"),
            ("百二十三番地", "123番地"),
            ("三軒茶屋二丁目", "三軒茶屋2丁目"),
            ("三の丸", "三の丸"),
            ("八丁堀", "八丁堀"),
            ("六本木", "六本木"),
        ] {
            assert_eq!(to_digits(text), digits);
        }
    }
}
