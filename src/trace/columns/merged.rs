//! Columns into which somebody has put several values of a person together, and lists that are prose.

use crate::notation::{
    AddressKey, Region, address_key, birth_key, email_key, fold, kana_key, name_key, phone_key,
    postcode_key,
};
use crate::trace::normalise::Class;
use crate::trace::pieces::pieces;

/// How many values are looked at.
const LOOK: usize = 200;

/// What the cells of a merged column hold, each in at least half of them; `None` for a column of one thing. A
/// postcode before an address, or a building's name behind it, do not make it two; a name before it does.
pub fn merged(values: &[&str], region: Option<Region>) -> Option<Vec<Class>> {
    let filled = values.iter().filter(|value| !value.is_empty()).take(LOOK);
    let seen: Vec<Vec<Class>> = filled.map(|value| classes(value, region)).collect();
    let often =
        |class: &Class| seen.iter().filter(|seen| seen.contains(class)).count() * 2 > seen.len();
    let apart = [Class::Email, Class::Phone, Class::Birth, Class::Address];
    let both = |seen: &&Vec<Class>| {
        let several = apart.iter().filter(|class| seen.contains(class)).count();
        let named = seen.contains(&Class::Name) || seen.contains(&Class::Kana);
        let place = seen.contains(&Class::Address);
        several >= 2 || several == 1 && named && !place
    };
    let several = seen.iter().filter(both).count();
    let addressed = filled_with(values, is_addressed);
    if several.max(addressed) * 2 <= seen.len() {
        return None;
    }
    Some(Class::ALL.into_iter().filter(often).collect())
}

fn filled_with(values: &[&str], of: impl Fn(&str) -> bool) -> usize {
    let filled = values.iter().filter(|value| !value.is_empty()).take(LOOK);
    filled.filter(|value| of(value)).count()
}

/// Whether a name stands before an address, as on a letter: what begins with a region or a city is whole, so that
/// the words before it are none of it.
fn is_addressed(value: &str) -> bool {
    let mut start = 0;
    for word in value.split_inclusive(char::is_whitespace) {
        let (before, rest) = value.split_at(start);
        start += word.len();
        let of_place = |c: char| c.is_numeric() || "都道府県市区町村郡〒".contains(c);
        if before.is_empty() || before.contains(of_place) {
            if before.is_empty() {
                continue;
            }
            return false;
        }
        let whole = word.chars().any(char::is_numeric);
        let placed = |key: &AddressKey| !key.region.is_empty() || !key.city.is_empty();
        if whole && name_key(before).is_some() && address_key(rest).is_some_and(|key| placed(&key))
        {
            return true;
        }
    }
    false
}

fn classes(value: &str, region: Option<Region>) -> Vec<Class> {
    let mut found = Vec::new();
    for piece in pieces(value) {
        let digits = fold(piece).bytes().filter(u8::is_ascii_digit).count();
        if piece.contains('@') {
            found.extend(email_key(piece).map(|_| Class::Email));
        } else if digits >= 5 && birth_key(piece).is_some() {
            found.push(Class::Birth);
        } else if digits >= 9 && phone_key(piece, region).is_some() {
            found.push(Class::Phone);
        } else if digits == 7 && postcode_key(piece, region).is_some() {
            found.push(Class::Postcode);
        } else if digits > 0 {
            let address = address_key(piece);
            let placed = address.filter(|key| !key.city.is_empty() || !key.region.is_empty());
            found.extend(placed.iter().flat_map(|_| [Class::Address, Class::Block]));
        } else if kana_key(piece).is_some() {
            found.push(Class::Kana);
        } else if name_key(piece).is_some() {
            found.push(Class::Name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_several_things_is_told_from_one_of_one() {
        let jp = Some(Region::Jp);
        let prose = "山田 太郎 様 ヤマダ タロウ 〒100-0001 東京都千代田区千代田1-1 090-0123-4567 1980-01-02";
        let classes = merged(&[prose; 3], jp).unwrap();
        for class in [
            Class::Name,
            Class::Kana,
            Class::Phone,
            Class::Birth,
            Class::Address,
        ] {
            assert!(classes.contains(&class), "{class:?}");
        }
        let addressed = "山田 太郎 様 東京都千代田区千代田1-1 千代田ハイツ 203";
        for two in [
            "山田 太郎 様 090-0123-4567",
            "ヤマダ タロウ a@b.example",
            addressed,
        ] {
            assert!(merged(&[two; 3], jp).is_some(), "{two}");
        }
        for one in [
            "東京都 千代田区 千代田1-1",
            "千代田区 千代田 1-1 千代田ハイツ 203",
            "〒100-0001 東京都千代田区千代田1-1 千代田ハイツ 203",
            "山田 太郎 様",
            "090-0123-4567",
            "2026-01-02 12:30:00",
            "",
        ] {
            assert_eq!(merged(&[one; 3], jp), None, "{one}");
        }
    }
}
