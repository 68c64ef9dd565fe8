//! What of a value may come again in another row.

use unicode_normalization::UnicodeNormalization;

use super::Contact;
use crate::notation::address_key;

/// A part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The whole value.
    Whole,
    /// The kinds of its letters.
    Shape,
    /// The first word.
    FirstWord,
    /// The last word.
    LastWord,
    /// The domain of a mail address.
    Domain,
    /// Its local part without digits.
    Local,
    /// The kinds of letters of the local part.
    LocalShape,
    /// A telephone number without its last four digits.
    Block,
    /// The first three letters or digits.
    Head,
    /// The last two.
    Tail,
    /// The value with every number written as 0.
    Letters,
    /// What stands before the first digit (of an address: up to the town).
    Stem,
    /// The house of an address, however it is written: its town and numbers without the room.
    House,
}

impl Part {
    /// Parts that say something beside another column's: others hardly come again.
    pub(super) fn pairs(self) -> bool {
        matches!(
            self,
            Part::Whole
                | Part::Shape
                | Part::FirstWord
                | Part::LastWord
                | Part::Domain
                | Part::Block
                | Part::Head
                | Part::Stem
                | Part::House
        )
    }

    /// How a sentence names it, after the column's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Whole => "",
            Part::Shape => ", its kinds of letters",
            Part::FirstWord => ", its first word",
            Part::LastWord => ", its last word",
            Part::Domain => ", its domain",
            Part::Local => ", its local part without digits",
            Part::LocalShape => ", the kinds of letters of its local part",
            Part::Block => ", its number block",
            Part::Head => ", its beginning",
            Part::Tail => ", its last two characters",
            Part::Letters => ", without its numbers",
            Part::Stem => ", up to its first number",
            Part::House => ", its house",
        }
    }
}

/// The kind of a letter: digit, case, script, width; other signs are their own kind.
fn kind(sign: char) -> char {
    match sign {
        '0'..='9' => '9',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '\u{3041}'..='\u{309f}' => 'h',
        '\u{30a1}'..='\u{30ff}' => 'k',
        '\u{ff66}'..='\u{ff9f}' => 'w',
        '\u{ff10}'..='\u{ff19}' => 'N',
        other if !other.is_ascii() && other.is_alphabetic() => 'K',
        other => other,
    }
}

/// The kinds of a text's letters, runs written once.
pub(super) fn shape(text: &str) -> String {
    let mut out = String::new();
    let (mut last, mut run) = (None, false);
    for sign in text.chars().map(kind) {
        if last == Some(sign) {
            if !run {
                out.push('+');
            }
            run = true;
        } else {
            out.push(sign);
            run = false;
        }
        last = Some(sign);
    }
    out
}

/// Parts of a value that is not empty, in a column of such contact points.
pub(super) fn parts(text: &str, contact: Option<Contact>) -> Vec<(Part, String)> {
    let mut out = vec![(Part::Whole, text.to_owned()), (Part::Shape, shape(text))];
    let mut words = text.split_whitespace();
    if let (Some(first), Some(last)) = (words.next(), words.next_back()) {
        out.push((Part::FirstWord, first.to_owned()));
        out.push((Part::LastWord, last.to_owned()));
    }
    if let Some((local, domain)) = text.rsplit_once('@') {
        out.push((Part::Domain, domain.to_owned()));
        let bare = local.chars().filter(|c| !c.is_ascii_digit());
        out.push((Part::Local, bare.collect()));
        out.push((Part::LocalShape, shape(local)));
    }
    let flat: String = text.nfkc().collect();
    let digits: String = flat.chars().filter(char::is_ascii_digit).collect();
    let long = flat.chars().count();
    if digits.len() >= 9 && digits.len() * 2 >= long {
        out.push((Part::Block, digits[..digits.len() - 4].to_owned()));
        out.push((Part::Head, digits[..3].to_owned()));
        out.push((Part::Tail, digits[digits.len() - 2..].to_owned()));
    } else if long > 4 {
        out.push((Part::Head, flat.chars().take(3).collect()));
        out.push((Part::Tail, flat.chars().skip(long - 2).collect()));
        out.push((Part::Letters, without_numbers(&flat)));
        let stem: String = flat.chars().take_while(|c| !c.is_ascii_digit()).collect();
        if !stem.is_empty() && stem.len() < flat.len() {
            out.push((Part::Stem, stem));
        }
    }
    if contact == Some(Contact::Place)
        && let Some(key) = address_key(text)
    {
        out.push((Part::House, key.block()));
    }
    out
}

fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_number = false;
    for sign in text.chars() {
        match sign.is_ascii_digit() {
            true if in_number => {}
            true => out.push('0'),
            false => out.push(sign),
        }
        in_number = sign.is_ascii_digit();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, wanted: Part) -> Option<String> {
        let found = parts(text, None)
            .into_iter()
            .find(|(part, _)| *part == wanted);
        found.map(|(_, value)| value)
    }

    #[test]
    fn a_house_is_the_same_whatever_the_room_and_the_notation() {
        let house = |text: &str| {
            let mut all = parts(text, Some(Contact::Place)).into_iter();
            all.find(|(part, _)| *part == Part::House)
                .map(|(_, value)| value)
        };
        let one = house("青葉市緑町3-12-8-405").unwrap();
        assert_eq!(
            house("青葉市緑町３丁目１２番８号　緑ハイツ101号室"),
            Some(one.clone())
        );
        assert_ne!(house("青葉市緑町3-12-9-405"), Some(one));
        assert_eq!(
            house("4821 Elm St Apt 4B"),
            house("4821 Elm Street, Unit 12")
        );
        assert!(house("4821 Elm St Apt 4B").is_some());
        assert_eq!(house("緑ハイツ"), None);
        // What is no address is not read as one.
        assert_eq!(part("青葉市緑町3-12-8-405", Part::House), None);
    }

    #[test]
    fn a_value_is_taken_apart_as_a_thief_would() {
        assert_eq!(
            part("０９０－１２３４－５６７８", Part::Block).unwrap(),
            "0901234"
        );
        assert_eq!(
            part("k.sato77@mail.example", Part::Local).unwrap(),
            "k.sato"
        );
        assert_eq!(
            part("k.sato77@mail.example", Part::Domain).unwrap(),
            "mail.example"
        );
        assert_eq!(
            part("青葉市緑町3-12-405", Part::Stem).unwrap(),
            "青葉市緑町"
        );
        assert_eq!(
            part("青葉市緑町3-12-405", Part::Letters).unwrap(),
            "青葉市緑町0-0-0"
        );
        assert_eq!(part("山田　太郎", Part::LastWord).unwrap(), "太郎");
        assert_eq!(part("山田", Part::LastWord), None);
        assert_eq!(shape("ｻﾄｳ Taro 1２3"), "w+ Aa+ 9N9");
    }
}
