//! Japanese addresses as they are typed.

use super::{Address, AddressError, Gazetteer, Place, fold, postcode_digits};

const EXAMPLE: &str = "'東京都千代田区霞が関9-12-8'";

pub(super) fn postcode(typed: &str) -> Option<String> {
    postcode_digits(typed, 7)
}

pub(super) fn split(
    gazetteer: &Gazetteer,
    typed_postcode: &str,
    typed: &str,
) -> Result<Address, AddressError> {
    let Some(postcode) = postcode(typed_postcode) else {
        return Err(AddressError::Postcode {
            typed: typed_postcode.to_owned(),
            wanted: "seven digits such as 100-0013",
        });
    };
    let mut places = gazetteer.locate_ja(&postcode);
    if places.is_empty() {
        return Err(AddressError::Unknown { postcode });
    }
    // The longest town that fits is the one that was meant (霞が関 before 霞).
    places.sort_by_key(|place| std::cmp::Reverse(place.town.len()));
    let text = fold(typed);
    let text = without_postcode(&text, &postcode);

    let mut blocks_only = false;
    for place in &places {
        let rest = after(text, place.region);
        let rest = after_city(rest, place.city);
        if place.town.is_empty() {
            return whole_city(place, rest, typed, postcode);
        }
        if let Some(rest) = after_town(rest, place.town) {
            return finish(place, rest, typed, postcode);
        }
        let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
        if numbered && places.len() == 1 {
            return finish(place, rest, typed, postcode);
        }
        blocks_only |= numbered;
    }
    let listed: Vec<String> = places.iter().map(describe).collect();
    let (typed, places) = (typed.to_owned(), listed.join(", "));
    Err(if blocks_only {
        AddressError::Several {
            postcode,
            typed,
            places,
        }
    } else {
        AddressError::Disagrees {
            postcode,
            typed,
            places,
        }
    })
}

fn describe(place: &Place) -> String {
    format!("{}{}{}", place.region, place.city, place.town)
}

/// Without a postcode that was typed in front of the address once more.
fn without_postcode<'a>(text: &'a str, postcode: &str) -> &'a str {
    let bare = text.trim_start_matches('〒').trim_start();
    for form in [
        postcode.to_owned(),
        format!("{}-{}", &postcode[..3], &postcode[3..]),
    ] {
        if let Some(rest) = bare.strip_prefix(&form)
            && !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        {
            return rest.trim_start();
        }
    }
    bare
}

/// What follows `part`, or all of it where it is not there.
fn after<'a>(text: &'a str, part: &str) -> &'a str {
    strip(text, part).unwrap_or(text)
}

/// What follows the city, written with or without its 郡, or its ward alone.
fn after_city<'a>(text: &'a str, city: &str) -> &'a str {
    let county = city.split_once('郡').map(|(_, rest)| rest);
    let ward = city.split_once('市').map(|(_, rest)| rest);
    let forms = [Some(city), county, ward];
    let mut forms = forms.into_iter().flatten().filter(|form| !form.is_empty());
    forms.find_map(|form| strip(text, form)).unwrap_or(text)
}

/// What follows the town, written with or without 大字 or 字; `None` if another one stands there.
fn after_town<'a>(text: &'a str, town: &str) -> Option<&'a str> {
    let bare = |text: &'a str| after(after(text, "大"), "字");
    strip(text, town).or_else(|| strip(bare(text), after(after(town, "大"), "字")))
}

/// `text` without `part` in front, where spellings of one name count as the same.
fn strip<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let part = fold(part);
    let mut rest = text.chars();
    for wanted in part.chars() {
        if same(rest.next()?) != same(wanted) {
            return None;
        }
    }
    Some(rest.as_str().trim_start())
}

/// One character for those that are exchanged in place names.
fn same(c: char) -> char {
    match c {
        'ヶ' | 'ケ' | 'が' | 'ガ' | 'ヵ' => 'ケ',
        'ノ' | '之' | 'の' => 'ノ',
        'ッ' | 'ツ' | 'つ' | 'っ' => 'ツ',
        '髙' => '高',
        '﨑' => '崎',
        '澤' => '沢',
        '濱' | '濵' => '浜',
        '邊' | '邉' => '辺',
        '龍' => '竜',
        '條' => '条',
        '嶋' => '島',
        '廣' => '広',
        '櫻' => '桜',
        '淵' => '渕',
        c => c,
    }
}

/// A postcode for the rest of a city: what stands before the first number is the town.
fn whole_city(
    place: &Place,
    rest: &str,
    typed: &str,
    postcode: String,
) -> Result<Address, AddressError> {
    let regions = ["都", "道", "府", "県"];
    let number = rest
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (town, rest) = rest.split_at(number);
    let elsewhere = town
        .chars()
        .nth(2)
        .is_some_and(|c| regions.contains(&c.to_string().as_str()));
    if elsewhere {
        return Err(AddressError::Disagrees {
            postcode,
            typed: typed.to_owned(),
            places: describe(place),
        });
    }
    let place = Place {
        town: town.trim(),
        ..*place
    };
    finish(&place, rest, typed, postcode)
}

fn finish(
    place: &Place,
    rest: &str,
    typed: &str,
    postcode: String,
) -> Result<Address, AddressError> {
    match block(rest) {
        Some((block, building)) => {
            let separator = |c: char| c.is_whitespace() || "、,・/".contains(c);
            Ok(place.address(postcode, block, building.trim_matches(separator)))
        }
        None => Err(AddressError::NoBlock {
            typed: typed.to_owned(),
            example: EXAMPLE,
        }),
    }
}

/// Splits `9丁目12番8号 霞ハイツ` into `9-12-8` and what follows. A hamlet or a letter in front of
/// the numbers (`字大開67`, `甲541`) stays in front of them.
fn block(text: &str) -> Option<(String, &str)> {
    let digit = |c: char| c.is_ascii_digit();
    let kanji = |c: char| "〇一二三四五六七八九十".contains(c);
    let counted = |text: &str| {
        let end = text.find(|c: char| !kanji(c)).unwrap_or(text.len());
        end > 0 && text[end..].starts_with("丁目")
    };
    let start = text
        .char_indices()
        .map(|(i, _)| i)
        .find(|&i| text[i..].starts_with(digit) || counted(&text[i..]))?;
    let mut out = text[..start].trim().to_owned();
    let mut rest = &text[start..];
    let mut first = true;
    loop {
        let end = rest.find(|c: char| !digit(c)).unwrap_or(rest.len());
        let (number, behind) = if end > 0 {
            (rest[..end].to_owned(), &rest[end..])
        } else if counted(rest) {
            let end = rest.find(|c: char| !kanji(c)).unwrap_or(rest.len());
            (kanji_number(&rest[..end]).to_string(), &rest[end..])
        } else {
            break;
        };
        if !first {
            out.push('-');
        }
        first = false;
        out.push_str(&number);
        rest = behind;
        let marks = ["丁目", "番地の", "番地", "番の", "番", "号"];
        let mark = marks.iter().find(|mark| behind.starts_with(**mark));
        let hyphen = behind.starts_with(|c: char| "-ー‐‑‒–—―−ノの".contains(c));
        if let Some(mark) = mark {
            rest = &behind[mark.len()..];
            if *mark == "号" {
                break;
            }
            rest = rest.trim_start_matches(['-', '−', 'ー']);
        } else if hyphen {
            let joined = behind.chars().next().map_or(0, char::len_utf8);
            if !behind[joined..].starts_with(digit) {
                break;
            }
            rest = &behind[joined..];
        } else {
            break;
        }
    }
    Some((out, rest))
}

/// Up to 99, as 丁目 are counted.
fn kanji_number(text: &str) -> u32 {
    let mut total = 0;
    let mut digit = 0;
    for c in text.chars() {
        match "〇一二三四五六七八九".chars().position(|known| known == c) {
            Some(value) => digit = digit * 10 + value as u32,
            None => {
                total += digit.max(1) * 10;
                digit = 0;
            }
        }
    }
    total + digit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_in_every_notation() {
        for (typed, block_is, building) in [
            ("9-12-8 霞ハイツ", "9-12-8", " 霞ハイツ"),
            ("9丁目12番8号霞ハイツ", "9-12-8", "霞ハイツ"),
            ("9丁目12-8", "9-12-8", ""),
            ("九丁目12番地の8", "9-12-8", ""),
            ("二十三丁目4", "23-4", ""),
            ("9ー12ー8", "9-12-8", ""),
            ("1番地", "1", ""),
            ("字大開67", "字大開67", ""),
            ("甲2690-1", "甲2690-1", ""),
            ("573-27パレス21", "573-27", "パレス21"),
        ] {
            assert_eq!(
                block(typed),
                Some((block_is.to_owned(), building)),
                "{typed}"
            );
        }
        assert_eq!(block("霞ハイツ"), None);
    }
}
