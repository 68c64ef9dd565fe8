//! Where a city ends: the municipalities of Japan as the post names them, and what older lists call them.
//!
//! The names are those of `seeds/ja_JP/cities.csv`, each with and without its county or its city, for
//! a list that leaves these out. Names that are no more stand beside what they became, in
//! [`RENAMED`]: the larger mergers and renamings from 2001 on, from public knowledge. A town that kept
//! its old municipality's name in front (津久井町中野) says so there. What is in neither table is cut
//! by the characters 市, 区, 郡, 町 and 村 alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::super::super::fold::fold;
use super::numerals::to_digits;
use super::renamed::RENAMED;

const CITIES: &str = include_str!("../../../../seeds/ja_JP/cities.csv");

/// No name is longer, in characters.
const LONGEST: usize = 14;

/// What a name at the head of an address stands for.
struct Named {
    /// The city as it is called today, as far as the name says.
    city: Box<str>,
    /// What the old name goes on as in front of the town.
    town: Box<str>,
    /// A town or village without its county: many a quarter of a city bears the same name.
    bare: bool,
}

/// An address cut behind its city.
pub(super) struct Cut<'a> {
    /// The city's name of today, in the spelling that is compared.
    pub city: &'static str,
    /// What goes before the rest.
    pub town: &'static str,
    /// What stands behind the city.
    pub rest: &'a str,
}

static TABLE: LazyLock<HashMap<Box<str>, Named, RandomState>> = LazyLock::new(|| {
    let mut table = HashMap::default();
    let names = CITIES
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .filter_map(|line| line.split(',').nth(2))
        .map(plain);
    let mut put = |name: &str, city: &str, town: &str, bare| {
        let named = Named {
            city: city.into(),
            town: town.into(),
            bare,
        };
        // A whole name goes before a part of another.
        table.entry(name.into()).or_insert(named);
    };
    let names: Vec<String> = names.collect();
    for name in &names {
        put(
            name,
            name,
            "",
            name.ends_with(['町', '村']) && !name.contains('郡'),
        );
    }
    for name in &names {
        if let Some((county, village)) = parted(name, '郡') {
            put(village, village, "", true);
            put(county, county, "", false);
        } else if let Some((city, ward)) = parted(name, '市') {
            put(city, city, "", false);
            put(ward, ward, "", false);
        }
    }
    for (old, new, town) in RENAMED {
        let (new, town) = (plain(new), plain(town));
        put(&plain(old), &new, &town, false);
        if let Some((_, village)) = parted(&plain(old), '郡') {
            put(village, &new, &town, true);
        }
    }
    table
});

/// What the cities that a town without a name is called by were called before: 北条市 for 松山市.
static FORMER: LazyLock<HashMap<String, Vec<String>, RandomState>> = LazyLock::new(|| {
    let mut former: HashMap<String, Vec<String>, RandomState> = HashMap::default();
    for (old, new, _) in RENAMED {
        let names = former.entry(super::town::of_city(&plain(new))).or_default();
        let old = plain(old);
        names.extend(parted(&old, '郡').map(|(_, village)| village.to_owned()));
        names.push(old);
    }
    former
});

/// Names of yesterday of a city that stands in the place of a town, as keys have it ([`super::AddressKey::town`]).
pub fn former_names(town: &str) -> &'static [String] {
    FORMER.get(town).map_or(&[], Vec::as_slice)
}

/// A name in two behind a county or a city, where something stands behind it.
fn parted(name: &str, mark: char) -> Option<(&str, &str)> {
    let (at, _) = name.char_indices().skip(1).find(|(_, c)| *c == mark)?;
    let (first, second) = name.split_at(at + mark.len_utf8());
    // 市 within 四日市市 and 郡 within 上郡町 part nothing.
    (second.chars().count() > 1).then_some((first, second))
}

fn plain(name: &str) -> String {
    to_digits(&fold(name)).chars().map(loose).collect()
}

/// The characters that a municipality's name is written with in several ways; each is as long as what
/// stands for it, so that places in the text stay.
fn loose(c: char) -> char {
    match c {
        'ヶ' | 'ヵ' | 'ガ' | 'が' | 'か' | 'カ' | 'ゖ' | 'ゕ' => 'ケ',
        'の' | '之' => 'ノ',
        'ッ' | 'っ' | 'つ' => 'ツ',
        c => c,
    }
}

/// Cuts an address behind its city; `None` where no known name stands at its head.
pub(super) fn split(text: &str) -> Option<Cut<'_>> {
    let mut head = String::with_capacity(LONGEST * 3);
    let (mut ends, mut count) = ([0; LONGEST], 0);
    for (place, c) in text.chars().take(LONGEST).enumerate() {
        head.push(loose(c));
        if place > 0 && matches!(c, '市' | '区' | '町' | '村' | '郡') {
            ends[count] = head.len();
            count += 1;
        }
    }
    ends[..count].iter().rev().find_map(|&end| {
        let named = TABLE.get(&head[..end])?;
        let rest = &text[end..];
        // 朝日町1-2 is a quarter: a village's address has one of its own behind it.
        let quarter = rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit());
        // 八日市場 is no 場 in a city 八日市.
        let within = rest.starts_with(['市', '郡', '場']);
        if within || named.bare && quarter {
            return None;
        }
        Some(Cut {
            city: &named.city,
            town: &named.town,
            rest,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Option<(String, String)> {
        let folded = fold(text);
        split(&to_digits(&folded))
            .map(|cut| (cut.city.to_owned(), format!("{}{}", cut.town, cut.rest)))
    }

    #[test]
    fn a_city_is_cut_off_whatever_is_left_out() {
        for (text, city, town) in [
            ("千代田区霞が関", "千代田区", "霞が関"),
            ("横浜市港北区日吉本町", "横浜市港北区", "日吉本町"),
            ("横浜市日吉本町", "横浜市", "日吉本町"),
            ("港北区日吉本町", "港北区", "日吉本町"),
            ("四日市市諏訪町", "四日市市", "諏訪町"),
            ("市川市八幡", "市川市", "八幡"),
            ("廿日市市天神", "廿日市市", "天神"),
            ("余市郡余市町朝日町", "余市郡余市町", "朝日町"),
            ("赤穂郡上郡町竹万", "赤穂郡上郡町", "竹万"),
            ("鎌ヶ谷市南初富", "鎌ケ谷市", "南初富"),
            ("鎌が谷市南初富", "鎌ケ谷市", "南初富"),
            ("三条市東三条", "3条市", "東3条"),
            ("浦和市高砂", "さいたま市浦和区", "高砂"),
        ] {
            let found = cut(text).unwrap_or_else(|| panic!("{text} is not cut"));
            assert_eq!(found, (city.to_owned(), town.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_bare_village_needs_a_quarter() {
        assert!(cut("余市町朝日町").is_some());
        assert!(cut("朝日町").is_none());
        assert!(cut("朝日町9-9").is_none());
        assert!(cut("霞が関").is_none());
    }

    #[test]
    fn what_was_renamed_leads_to_names_of_today() {
        for (old, new, _) in RENAMED {
            let city = plain(new);
            assert!(
                TABLE.contains_key(city.as_str()),
                "{old} became {new}, which is no city"
            );
            assert!(
                TABLE
                    .get(plain(old).as_str())
                    .is_some_and(|named| *named.city == *city),
                "{old} is a city of today"
            );
        }
    }
}
