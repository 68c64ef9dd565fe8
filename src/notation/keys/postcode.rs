//! Postcodes and ZIP codes.

use super::super::fold::fold;
use super::Region;

/// Digits of a postcode: seven in Japan, five in the United States (the four behind are dropped).
///
/// Leading zeros that a spreadsheet took are put back: six digits are Japanese, three or four American.
/// Five are a ZIP code unless `region` says Japan, where they may be 001-0010 without its zeros.
pub fn postcode_key(text: &str, region: Option<Region>) -> Option<String> {
    let mut key = String::new();
    postcode_key_into(text, region, &mut key).then_some(key)
}

/// The same into a buffer, in place of what is in it; `false` for what is no postcode.
pub fn postcode_key_into(text: &str, region: Option<Region>, key: &mut String) -> bool {
    key.clear();
    if region != Some(Region::Us) && plain_into(text, key) {
        return true;
    }
    key.clear();
    let read = read(text, region);
    key.push_str(read.as_deref().unwrap_or_default());
    read.is_some()
}

/// The digits of a Japanese postcode as nearly all are written: in either width, with a hyphen behind the third or
/// without. `false`, with any of them put into the key, for all else.
fn plain_into(text: &str, key: &mut String) -> bool {
    let (head, tail) = match text.as_bytes() {
        [_, _, _, b'-', _, _, _, _] => (text.get(..3), text.get(4..)),
        [_, _, _, _, _, _, _] => (Some(text), Some("")),
        _ => (None, None),
    };
    if let (Some(head), Some(tail)) = (head, tail)
        && head
            .bytes()
            .chain(tail.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        key.push_str(head);
        key.push_str(tail);
        return true;
    }
    for c in text.chars() {
        if matches!(c, '-' | '－') && key.len() == 3 {
            continue;
        }
        match super::digit(c) {
            Some(digit) if key.len() < 7 => key.push(char::from(b'0' + digit)),
            _ => return false,
        }
    }
    key.len() == 7
}

fn read(text: &str, region: Option<Region>) -> Option<String> {
    if text.len() > 40 {
        return None;
    }
    let folded = fold(super::bare(text));
    let body = folded.trim_start_matches(['〒', 'τ', ' ']);
    let body = body.strip_suffix(".0").unwrap_or(body);
    let mut groups = body.split(['-', ' ']).filter(|group| !group.is_empty());
    let (first, second, third) = (groups.next()?, groups.next(), groups.next());
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    if third.is_some() || !digits(first) || !second.is_none_or(digits) {
        return None;
    }
    let japanese = region != Some(Region::Us);
    let american = region != Some(Region::Jp);
    match (first.len(), second.map_or(0, str::len)) {
        (3, 4) if japanese => Some(format!("{first}{}", second.unwrap_or_default())),
        (7, 0) if japanese => Some(first.to_owned()),
        (6, 0) if japanese => Some(format!("0{first}")),
        (5, 0) if region == Some(Region::Jp) => Some(format!("00{first}")),
        (5, 0 | 4) if american => Some(first.to_owned()),
        (9, 0) if american => Some(first[..5].to_owned()),
        (4, 0 | 4) if american => Some(format!("0{first}")),
        (8, 0) if american => Some(format!("0{}", &first[..4])),
        (3, 0) if region == Some(Region::Us) => Some(format!("00{first}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_is_the_same(text in "[0-9]{2,4}[-－ ]{0,2}[0-9]{3,5}|[0-9０-９]{3}[-－]{0,2}[0-9０-９]{3,4}|[0-9０-９.-]{6,9}") {
            for region in [None, Some(Region::Jp), Some(Region::Us)] {
                prop_assert_eq!(postcode_key(&text, region), read(&text, region));
            }
        }
    }

    #[test]
    fn one_postcode_has_one_key() {
        for text in [
            "100-0013",
            "1000013",
            "〒100-0013",
            "〒 100-0013",
            "１００－００１３",
            "100‐0013",
            "'1000013",
            "1000013.0",
        ] {
            assert_eq!(
                postcode_key(text, None).as_deref(),
                Some("1000013"),
                "{text}"
            );
        }
        for text in ["060-0001", "0600001", "600001", "=\"0600001\""] {
            assert_eq!(
                postcode_key(text, None).as_deref(),
                Some("0600001"),
                "{text}"
            );
        }
        assert_eq!(
            postcode_key("10010", Some(Region::Jp)).as_deref(),
            Some("0010010")
        );
        for text in ["02134", "2134", "02134-1001", "2134-1001", "021341001"] {
            assert_eq!(
                postcode_key(text, Some(Region::Us)).as_deref(),
                Some("02134"),
                "{text}"
            );
            assert_eq!(postcode_key(text, None).as_deref(), Some("02134"), "{text}");
        }
        for text in [
            "",
            "〒",
            "abc",
            "12",
            "100-0013-1",
            "0312345678",
            "1972-04-01",
        ] {
            assert_eq!(postcode_key(text, None), None, "{text}");
        }
    }
}
