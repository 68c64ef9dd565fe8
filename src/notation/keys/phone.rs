//! Telephone numbers.

use super::Region;

/// What is written before a number.
const LABELS: [&str; 14] = [
    "telephone",
    "tel",
    "phone",
    "mobile",
    "cell",
    "fax",
    "携帯電話",
    "電話番号",
    "電話",
    "携帯",
    "自宅",
    "連絡先",
    "☎",
    "ph",
];
/// What parts a number from an extension.
const EXTENSIONS: [&str; 7] = ["内線", "代表", "ext", "x", "#", "(", "代"];

/// A number in E.164 (`+819001234567`) out of any notation.
///
/// A spreadsheet's lost leading zero is put back: `9001234567` and `312345678` are Japanese. Ten
/// digits without a zero that could also be American (`8045556666`) are taken for what `region` says,
/// and for American where nothing does.
pub fn phone_key(text: &str, region: Option<Region>) -> Option<String> {
    let mut key = String::new();
    phone_key_into(text, region, &mut key).then_some(key)
}

/// The same into a buffer, in place of what is in it; `false` for what is no number.
pub fn phone_key_into(text: &str, region: Option<Region>, key: &mut String) -> bool {
    key.clear();
    if let Some(national) = plain_phone(text) {
        key.push_str("+81");
        key.extend(national.digits().iter().map(|digit| char::from(*digit)));
        return true;
    }
    let read = read(text, region);
    key.push_str(read.as_deref().unwrap_or_default());
    read.is_some()
}

/// A number of Japan as it is dialled there, without the zero.
pub struct National {
    /// With the zero, which is dialled within the country.
    dialled: [u8; 11],
    len: usize,
}

impl National {
    /// Its nine or ten digits.
    pub fn digits(&self) -> &[u8] {
        &self.dialled[1..self.len]
    }

    /// The same with the zero.
    pub fn dialled(&self) -> &[u8] {
        &self.dialled[..self.len]
    }
}

/// A number of Japan as nearly all are written: digits of either width from the zero or `+81` on, and hyphens between
/// them. `None` for any other text.
pub fn plain_phone(text: &str) -> Option<National> {
    let national = text.strip_prefix(['0', '０']);
    let national = national
        .or_else(|| text.strip_prefix("+81"))
        .filter(|_| text.len() <= LONGEST)?;
    let (mut dialled, mut len) = ([b'0'; 11], 1);
    for c in national.chars().filter(|c| !matches!(c, '-' | '－')) {
        *dialled.get_mut(len)? = b'0' + super::digit(c)?;
        len += 1;
    }
    // 010 leads abroad.
    let digits = &dialled[1..len];
    let sound = is_japanese(digits) && !digits.starts_with(b"10");
    sound.then_some(National { dialled, len })
}

/// No number is written longer.
const LONGEST: usize = 80;

fn read(text: &str, region: Option<Region>) -> Option<String> {
    // Nearly every cell of a list is no number; that must cost nothing.
    if text.len() > LONGEST
        || !text.contains(|c: char| c.is_ascii_digit() || matches!(c, '０'..='９'))
    {
        return None;
    }
    let folded = super::super::fold::fold(super::bare(text));
    let expanded = scientific(&folded);
    let mut body = expanded.as_deref().unwrap_or(&folded);
    for label in LABELS {
        body = body
            .strip_prefix(label)
            .unwrap_or(body)
            .trim_start_matches([':', ' ', '.']);
    }
    let mut digits = String::with_capacity(16);
    let international = body.starts_with('+') || body.starts_with("(+");
    for (at, c) in body.char_indices() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => {}
            ' ' | '-' | '.' | '/' | '~' | ')' | '_' | '・' => {}
            // The long-vowel mark behind kana stays one when folded; behind a bracket it cannot be.
            'ー' => {}
            '(' if digits.len() < 9 => {}
            _ => {
                let rest = &body[at..];
                if digits.len() >= 9 && EXTENSIONS.iter().any(|mark| rest.starts_with(mark)) {
                    break;
                }
                return None;
            }
        }
    }
    // A number cell written out as a float.
    if body.ends_with(".0")
        && !international
        && digits.len() >= 10
        && body.matches('.').count() == 1
    {
        digits.pop();
    }
    let e164 = resolve(&digits, international, region)?;
    Some(format!("+{e164}"))
}

/// A number that a spreadsheet wrote as `9.001234567E+09`; `None` where it has lost digits.
fn scientific(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: usize = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    // It shows six of them by default, and nobody knows the others.
    let sound = whole.len() == 1 && fraction.len() >= 7 && fraction.len() <= exponent;
    (sound && exponent < 15 && digits(whole) && digits(fraction))
        .then(|| format!("{whole}{fraction:0<exponent$}"))
}

fn resolve(digits: &str, international: bool, region: Option<Region>) -> Option<String> {
    if international {
        // 0 behind a country code is a trunk prefix that does not belong there (+81 (0)3 ...).
        let e164 = match digits.strip_prefix("810") {
            Some(rest) => format!("81{rest}"),
            None => digits.to_owned(),
        };
        return valid(&e164).then_some(e164);
    }
    // 010 leads abroad, and back to Japan; where no number follows it is one's own beginning.
    let abroad = digits
        .strip_prefix("01081")
        .or_else(|| digits.strip_prefix("0081"))
        .and_then(|rest| japanese(rest.trim_start_matches('0')));
    if abroad.is_some() {
        return abroad;
    }
    if let Some(rest) = digits.strip_prefix("0111").filter(|rest| rest.len() == 10) {
        return american(rest);
    }
    if let Some(national) = digits.strip_prefix('0') {
        return japanese(national);
    }
    match digits.len() {
        9 if region != Some(Region::Us) => japanese(digits),
        10 => {
            let mobile = matches!(digits.as_bytes(), [b'5'..=b'9', b'0', ..]);
            let one = american(digits);
            let other = if mobile { japanese(digits) } else { None };
            match region {
                Some(Region::Jp) => other.or(one),
                _ => one.or(other),
            }
        }
        11 if digits.starts_with('1') => american(&digits[1..]),
        11 | 12 => japanese(digits.strip_prefix("81")?),
        _ => None,
    }
}

fn japanese(national: &str) -> Option<String> {
    let e164 = format!("81{national}");
    valid(&e164).then_some(e164)
}

/// North American numbers are NXX-NXX-XXXX, N from 2 to 9.
fn american(national: &str) -> Option<String> {
    let e164 = format!("1{national}");
    (valid(&e164) && national.as_bytes()[3] >= b'2').then_some(e164)
}

/// The same rule as `canary::PhoneNumber`, without its allocations; a test holds them together.
fn valid(e164: &str) -> bool {
    match e164.as_bytes() {
        [b'8', b'1', national @ ..] => is_japanese(national),
        [b'1', rest @ ..] => rest.len() == 10 && rest[0] >= b'2',
        other => (8..=15).contains(&other.len()) && other[0] != b'0',
    }
}

/// Whether digits are a number of Japan, without country code or zero.
fn is_japanese(national: &[u8]) -> bool {
    match national.len() {
        9 => national[0] != b'0',
        // Mobiles, IP phones and 0800 only.
        10 => matches!(national, [b'1'..=b'9', b'0', ..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::PhoneNumber;
    use proptest::prelude::*;

    fn key(text: &str) -> Option<String> {
        phone_key(text, None)
    }

    #[test]
    fn one_number_has_one_key() {
        for text in [
            "090-0123-4567",
            "09001234567",
            "+819001234567",
            "+81 90-0123-4567",
            "+81 (0)90 0123 4567",
            "０９０－０１２３－４５６７",
            "090ー0123ー4567",
            "090 0123 4567",
            "090.0123.4567",
            "090(0123)4567",
            "9001234567",
            "819001234567",
            "010-81-90-0123-4567",
            "'09001234567",
            "=\"09001234567\"",
            "TEL:090-0123-4567",
            "携帯 090-0123-4567",
            "9001234567.0",
            "9.001234567E+09",
            "8.19001234567E+11",
            "0081-90-0123-4567",
            "+81-(0)90-0123-4567",
            "(+81) 90 0123 4567",
            "tel:+81-90-0123-4567",
            "℡０９０（０１２３）４５６７",
            "携帯電話：090-0123-4567",
            "90-0123-4567",
            "090‐0123‑4567",
            "090_0123_4567",
        ] {
            assert_eq!(key(text).as_deref(), Some("+819001234567"), "{text}");
        }
        for text in [
            "03-0123-4567",
            "(03)0123-4567",
            "03(0123)4567",
            "0301234567",
            "301234567",
            "+81301234567",
            "03-0123-4567 内線12",
            "03-0123-4567(代)",
            "03-0123-4567代表",
            "+81 (0)3-0123-4567",
            "3-0123-4567",
        ] {
            assert_eq!(key(text).as_deref(), Some("+81301234567"), "{text}");
        }
        for text in [
            "(202) 555-0123",
            "202-555-0123",
            "2025550123",
            "+1 202 555 0123",
            "1-202-555-0123",
            "202.555.0123",
            "202-555-0123 x45",
            "12025550123",
        ] {
            assert_eq!(key(text).as_deref(), Some("+12025550123"), "{text}");
        }
    }

    #[test]
    fn a_region_decides_between_two_countries() {
        assert_eq!(
            phone_key("8042550123", Some(Region::Jp)).as_deref(),
            Some("+818042550123")
        );
        assert_eq!(
            phone_key("8042550123", None).as_deref(),
            Some("+18042550123")
        );
        assert_eq!(phone_key("301234567", Some(Region::Us)), None);
    }

    #[test]
    fn what_is_no_number_has_no_key() {
        for text in [
            "",
            "-",
            "12",
            "1234567",
            "abc",
            "1972/04/01",
            "19720401",
            "東京都9-12-8",
            "00000000000",
            "a1@b.example",
            "1234567890123456",
            "9.00123E+09",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn what_begins_as_one_dials_abroad_may_be_a_whole_number() {
        let number: PhoneNumber = "0108100000".parse().unwrap();
        assert_eq!(key("0108100000").as_deref(), Some(number.as_str()));
        assert_eq!(key("010819001234567").as_deref(), Some("+819001234567"));
    }

    proptest! {
        #[test]
        fn the_short_way_is_the_same(text in "([0０]|[+]81)[0-9０-９－-]{8,13}|0{1,2}[01-]{1,4}[0-9]{0,4}-?[0-9]{4,6}|[0-9０() .ー-]{0,14}") {
            for region in [None, Some(Region::Jp), Some(Region::Us)] {
                prop_assert_eq!(phone_key(&text, region), read(&text, region), "{}", text);
            }
        }

        #[test]
        fn agrees_with_the_canary_s_own_parser(national in "0[1-9][0-9]{8}|0[5-9]0[0-9]{8}|[2-9][0-9]{2}[2-9][0-9]{6}") {
            let number: PhoneNumber = national.parse().unwrap();
            prop_assert_eq!(key(&national), Some(number.as_str().to_owned()));
            prop_assert_eq!(key(number.as_str()), Some(number.as_str().to_owned()));
        }
    }
}
