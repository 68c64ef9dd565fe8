//! Japanese addresses: prefecture, city, town, numbers, building, unit, in any notation.
//!
//! There is no gazetteer here: where a city ends is told by 市, 区, 郡, 町 and 村 with rules for the
//! names that hold these characters themselves. A wrong cut is the same cut on both sides, as long as
//! both sides have the city; the marks of a town cut off too far are still told apart by their numbers.

use super::super::super::fold::{is_kana, is_kanji};
use super::AddressKey;
use super::numerals::to_digits;

/// The 47 prefectures, folded.
pub(in super::super::super) const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

/// Parts a leading prefecture from the rest.
pub(in super::super::super) fn split_prefecture(text: &str) -> (&str, &str) {
    let found = PREFECTURES.iter().find(|name| text.starts_with(**name));
    text.split_at(found.map_or(0, |name| name.len()))
}

/// Reads a folded address.
pub(super) fn read(folded: &str) -> Option<AddressKey> {
    let text = to_digits(without_postcode(folded));
    let start = numbers_start(&text)?;
    let place: String = text[..start]
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '、'))
        .collect();
    if !place.chars().any(|c| is_kanji(c) || is_kana(c)) || is_date(&text[start..]) {
        return None;
    }
    let (region, rest) = split_prefecture(&place);
    let (city, town) = split_city(rest, !region.is_empty());
    let town = plain_town(town);
    let (mut numbers, tail) = read_numbers(&text[start..])?;
    let (building, mut unit) = read_building(tail);
    // Without a building, a fourth number is the unit, and so is a third that is too high for a house.
    if unit.is_empty() && building.is_empty() && may_hold_unit(&numbers) {
        unit = numbers.pop().unwrap_or_default();
    }
    let block = numbers.join("-");
    Some(AddressKey {
        region: region.to_owned(),
        city: city.to_owned(),
        town: if town.is_empty() {
            plain_town(city)
        } else {
            town
        },
        numbers: if unit.is_empty() {
            block
        } else {
            format!("{block}-{unit}")
        },
        building,
        unit,
    })
}

/// 昭和47年4月1日 has numbers behind a name too.
fn is_date(numbers: &str) -> bool {
    numbers
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with('年')
}

fn may_hold_unit(numbers: &[String]) -> bool {
    numbers.len() > 3 || numbers.len() == 3 && numbers[2].len() >= 3
}

fn without_postcode(text: &str) -> &str {
    let body = text.trim_start_matches(['〒', ' ']);
    let end = body
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(body.len());
    let digits = body[..end].bytes().filter(u8::is_ascii_digit).count();
    if digits == 7 {
        body[end..].trim_start()
    } else {
        body
    }
}

/// Where the town ends: the first digits that no name swallows (北1条西, 3番町, 東5線).
fn numbers_start(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let start = at + text[at..].find(|c: char| c.is_ascii_digit())?;
        let rest = text[start..].trim_start_matches(|c: char| c.is_ascii_digit());
        at = text.len() - rest.len();
        let named = ["番町", "条", "線", "ヶ", "ケ"]
            .iter()
            .any(|mark| rest.starts_with(mark));
        if start > 0 && !named {
            return Some(start);
        }
        if !named {
            return None;
        }
    }
}

/// Parts the city from the town; `placed` says that a prefecture stood before it.
fn split_city(text: &str, placed: bool) -> (&str, &str) {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    // The end, in bytes, of the name that closes with `mark` at or behind character `from`.
    let end = |from: usize, marks: &[char], longest: usize| {
        let mut at = from + 1;
        while at < chars.len().min(from + longest) {
            if marks.contains(&chars[at].1) {
                // 四日市市, 大町町, 玉村町: the name itself ends with the character.
                if chars
                    .get(at + 1)
                    .is_some_and(|(_, next)| marks.contains(next))
                {
                    at += 1;
                }
                return Some(at + 1);
            }
            at += 1;
        }
        None
    };
    let cut = |end: usize| {
        let bytes = chars.get(end).map_or(text.len(), |(byte, _)| *byte);
        text.split_at(bytes)
    };
    let is = |at: usize, c: char| chars.get(at).is_some_and(|(_, found)| *found == c);

    let city = end(0, &['市'], 8).filter(|city| {
        // 五日市 and 市場 are towns (四日市市 has been taken whole), 余市郡 and 余市町 are no cities.
        let doubled = *city >= 2 && is(city - 2, '市');
        let small = *city == 2 && is(2, '町') && ['余', '上', '下'].iter().any(|c| is(0, *c));
        let day = *city >= 2 && is(city - 2, '日') && !doubled;
        !day && !small && !is(*city, '場') && !is(*city, '郡')
    });
    let county = end(0, &['郡'], 6).filter(|county| city.is_none_or(|city| city > county + 2));
    let ward = end(0, &['区'], 5);
    if let Some(ward) = ward.filter(|ward| {
        city.is_none_or(|city| *ward < city) && county.is_none_or(|county| *ward < county)
    }) {
        return cut(ward);
    }
    if let Some(county) = county {
        return cut(end(county, &['町', '村'], 8).unwrap_or(county));
    }
    if let Some(city) = city {
        return cut(end(city, &['区'], 5).unwrap_or(city));
    }
    // A county left out, or an island that has none: told by the prefecture before it.
    if placed && let Some(village) = end(0, &['町', '村'], 6) {
        return cut(village);
    }
    ("", text)
}

/// A town without 大字 and 字, and without the ヶ, の and ツ that are written in three ways or not at all.
fn plain_town(town: &str) -> String {
    let chars: Vec<char> = town.replace("大字", "").chars().collect();
    let kanji = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(|c| is_kanji(*c))
    };
    let mut out = String::with_capacity(town.len());
    for (at, c) in chars.iter().enumerate() {
        let between = kanji(at.checked_sub(1)) && kanji(Some(at + 1));
        let particle = matches!(
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
        );
        let aza = *c == '字'
            && !matches!(
                at.checked_sub(1).map(|at| chars[at]),
                Some('十' | '文' | '名' | '八' | '赤')
            );
        let dropped = between && particle || aza && kanji(Some(at + 1));
        if !dropped && !matches!(c, 'ー' | '-') {
            out.push(*c);
        }
    }
    out
}

/// The chain of block numbers, and what stands behind it.
fn read_numbers(text: &str) -> Option<(Vec<String>, &str)> {
    let mut numbers: Vec<String> = Vec::with_capacity(4);
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 6 {
            break;
        }
        let number = rest[..digits].trim_start_matches('0');
        let behind = &rest[digits..];
        // `203号室` right behind the block, or `12階`, belongs to the building.
        if !numbers.is_empty()
            && ["号室", "階", "f", "棟"]
                .iter()
                .any(|mark| behind.trim_start().starts_with(mark))
        {
            break;
        }
        numbers.push(if number.is_empty() {
            "0".to_owned()
        } else {
            number.to_owned()
        });
        let marked = [
            "丁目",
            "番地の",
            "番地ノ",
            "番地",
            "番の",
            "番",
            "丁",
            "-",
            "の",
            "ノ",
            "之",
        ]
        .iter()
        .find_map(|mark| behind.strip_prefix(mark));
        let Some(next) = marked else {
            rest = behind.strip_prefix('号').unwrap_or(behind);
            break;
        };
        rest = next.trim_start_matches(['-', ' ']);
    }
    (!numbers.is_empty()).then_some((numbers, rest))
}

/// Building and unit of what stands behind the block: `霞ハイツ203号室`, `A棟203`, `203`, `#203`.
fn read_building(tail: &str) -> (String, String) {
    let tail = to_digits(tail);
    // A space between digits parts a building's number from the unit: コーポ2 203.
    let parts: Vec<&str> = tail.split([' ', '、', ',', '#', '・']).collect();
    let mut joined = String::with_capacity(tail.len());
    for part in parts {
        if joined.ends_with(|c: char| c.is_ascii_digit())
            && part.starts_with(|c: char| c.is_ascii_digit())
        {
            joined.push('-');
        }
        joined.push_str(part);
    }
    let body = ["号室", "号", "室"]
        .iter()
        .find_map(|mark| joined.strip_suffix(mark))
        .unwrap_or(&joined);
    let name = body.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = body[name.len()..].trim_start_matches('0');
    if number.is_empty() {
        return (plain_building(body), String::new());
    }
    // A wing belongs to the unit: A棟203, A-203, 2号棟203. But コーポ2-203 is a house of its own name.
    let bare = name.trim_end_matches(['-', 'ー']);
    let wingless = bare.trim_end_matches("号棟").trim_end_matches('棟');
    let numbered = wingless.trim_end_matches(|c: char| c.is_ascii_digit());
    let lettered = wingless.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let wing = if wingless.len() < bare.len() {
        &wingless[numbered.len().min(lettered.len())..]
    } else if wingless.len() - lettered.len() == 1 {
        &wingless[lettered.len()..]
    } else {
        ""
    };
    let building = &wingless[..wingless.len() - wing.len()];
    (plain_building(building), format!("{wing}{number}"))
}

fn plain_building(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, ' ' | 'ー' | '-' | '・' | '(' | ')'))
        .collect()
}
