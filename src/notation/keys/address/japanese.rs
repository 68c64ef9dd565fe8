//! Japanese addresses: prefecture, city, town, numbers, building, unit, in any notation.
//!
//! Where a city ends is told by the names of `cities`, and by 市, 区, 郡, 町 and 村 where a name is in
//! no table. There is no table of towns: a wrong cut is the same cut on both sides, as long as both
//! sides have the city; the marks of a town cut off too far are still told apart by their numbers.

use std::borrow::Cow;

use super::super::super::fold::{begins, ends, is_kana, is_kanji};
use super::numerals::{ending, to_digits};
use super::{AddressKey, block, building, cities, kyoto, town};

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
    let found = PREFECTURES.iter().find(|name| begins(text, name));
    text.split_at(found.map_or(0, |name| name.len()))
}

/// What columns are called, with a number behind it: 住所1 is no address.
const HEADINGS: [&str; 9] = [
    "住所",
    "所在地",
    "番号",
    "電話",
    "携帯",
    "氏名",
    "名前",
    "項目",
    "備考",
];

/// Reads a folded address, in place of what is in `key`; what is there after `None` means nothing.
pub(super) fn read(folded: &str, key: &mut AddressKey) -> Option<()> {
    let text = to_digits(without_postcode(folded));
    let text = compact(&text);
    let text = without_note(&text);
    let (region, rest) = split_prefecture(text);
    let (city, rest) = split_city(rest, !region.is_empty());
    let rest = with_digits(rest, city)?;
    let rest = kyoto::without_way(&rest).map_or(rest, Cow::Owned);
    let mut found = town::read(&rest)?;
    if is_date(found.rest) {
        return None;
    }
    if found.letters.is_empty() {
        found.letters = town::of_city(city);
    }
    let named = found.letters.chars().any(|c| is_kanji(c) || is_kana(c));
    if !named || HEADINGS.iter().any(|word| ends(&found.letters, word)) {
        return None;
    }
    let (mut numbers, tail) = block::read(found.rest)?;
    let (building, mut unit) = building::read(tail);
    // Without a building, a fourth number is the unit, and so is a third that is too high for a house.
    if unit.is_empty() && building.is_empty() && may_hold_unit(&numbers) {
        unit = numbers.pop().unwrap_or_default().into_owned();
    }
    put(&mut key.region, region);
    put(&mut key.city, city);
    key.town = found.letters;
    key.numbers.clear();
    let counted = found.counted.iter().map(String::as_str);
    let numbers = counted.chain(numbers.iter().map(|number| &**number));
    let numbers = numbers.chain(Some(&*unit).filter(|unit| !unit.is_empty()));
    for (place, number) in numbers.enumerate() {
        // 0番町 is counted as nothing, and has its hyphen.
        if place > 0 {
            key.numbers.push('-');
        }
        key.numbers.push_str(number);
    }
    key.building = building;
    key.unit = unit;
    Some(())
}

fn put(part: &mut String, text: &str) {
    part.clear();
    part.push_str(text);
}

/// Without the spaces and commas that stand between names; one behind a number parts it from the next.
fn compact(text: &str) -> Cow<'_, str> {
    let is_gap = |c| matches!(c, ' ' | ',' | '、');
    if !text.contains(is_gap) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_gap(c) {
            out.push(c);
        } else if out.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            out.push(' ');
        }
    }
    Cow::Owned(out)
}

/// Without a note in brackets before the address: (前期)長野県大町市.
fn without_note(text: &str) -> &str {
    let noted = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    noted.map_or(text, |(_, rest)| rest)
}

/// Parts the city, as it is called today, from the town.
fn split_city(text: &str, placed: bool) -> (&str, Cow<'_, str>) {
    if let Some(cut) = cities::split(text) {
        let rest = if cut.town.is_empty() || cut.rest.starts_with(cut.town) {
            Cow::Borrowed(cut.rest)
        } else {
            Cow::Owned([cut.town, cut.rest].concat())
        };
        return (cut.city, rest);
    }
    let (city, rest) = split_by_marks(text, placed);
    (city, Cow::Borrowed(rest))
}

/// The text with at least one number in digits: an address that ends in kanji numerals is told by its
/// city to be one at all.
fn with_digits<'a>(text: Cow<'a, str>, city: &str) -> Option<Cow<'a, str>> {
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(text);
    }
    let (name, number) = ending(&text).filter(|_| !city.is_empty())?;
    Some(Cow::Owned(format!("{name}{number}")))
}

/// 昭和47年4月1日 has numbers behind a name too.
fn is_date(numbers: &str) -> bool {
    numbers
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with('年')
}

fn may_hold_unit(numbers: &[Cow<'_, str>]) -> bool {
    numbers.len() > 3 || numbers.len() == 3 && numbers[2].len() >= 3
}

pub(super) fn without_postcode(text: &str) -> &str {
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

/// Parts the city from the town where no name is known; `placed` says that a prefecture stood before it.
fn split_by_marks(text: &str, placed: bool) -> (&str, &str) {
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
