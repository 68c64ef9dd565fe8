//! Whether a value of a row is nearly a value of a canary: the whole folded texts are compared,
//! whatever brought the two together.

use super::super::normalise::Class;
use super::edit::slip;
use super::how::How;
use super::slips::bare;
use smallvec::SmallVec;

/// A birth, as far as a key says it.
pub type Date = (i32, u8, u8);

/// How a row's key is nearly a planted one of the same class; `None` where it is the same, or another.
///
/// What is too short to bear a slip is never nearly anything: too many strangers would be.
pub fn near(class: Class, row: &str, planted: &str) -> Option<How> {
    if row == planted || !is_compared(class) {
        return None;
    }
    match class {
        Class::Name | Class::Kana if planted.is_ascii() => latin(row, planted),
        Class::Name => text(
            row,
            planted,
            Least {
                slip: 3,
                two: 9,
                cut: 2,
            },
        ),
        Class::Kana => text(
            row,
            planted,
            Least {
                slip: 4,
                two: 9,
                cut: 3,
            },
        ),
        Class::Birth => birth(date(row)?, date(planted)?),
        Class::Phone => phone(row, planted),
        Class::Email => email(row, planted),
        Class::Address => address(row, planted),
        _ => None,
    }
}

/// Whether a value of a class may be nearly another. Nearly one that is short, or shared with a whole town, says nothing.
pub const fn is_compared(class: Class) -> bool {
    !matches!(class, Class::Given | Class::Block | Class::Postcode)
}

/// The letters of a value, few of which have more.
type Letters = SmallVec<[char; 32]>;

/// What a text must have to be compared nearly.
struct Least {
    /// Letters of the shorter text, for one slip.
    slip: usize,
    /// The same for two.
    two: usize,
    /// Letters that a cut leaves.
    cut: usize,
}

fn text(row: &str, planted: &str, least: Least) -> Option<How> {
    let letters = |text: &str| text.chars().map(bare).collect::<Letters>();
    let (row, planted) = (letters(row), letters(planted));
    let shorter = row.len().min(planted.len());
    if row == planted {
        return (shorter >= 2).then_some(How::LookAlike);
    }
    if shorter >= least.cut && planted.starts_with(&row) {
        return u8::try_from(row.len()).ok().map(How::CutAfter);
    }
    let most = if shorter >= least.two { 2 } else { 1 };
    (shorter >= least.slip).then(|| slip(&row, &planted, most))?
}

/// Latin names are words in alphabetical order, which a slip in a first letter changes.
fn latin(row: &str, planted: &str) -> Option<How> {
    let (row_words, words): (Vec<&str>, Vec<&str>) =
        (row.split(' ').collect(), planted.split(' ').collect());
    let without = |more: &[&str], fewer: &[&str]| {
        fewer.iter().all(|word| more.contains(word)) && more.len() == fewer.len() + 1
    };
    if without(&words, &row_words) && row.len() >= 3 {
        return Some(How::WordMissing);
    }
    if row_words.len() != words.len() {
        return text(
            row,
            planted,
            Least {
                slip: 6,
                two: 12,
                cut: 6,
            },
        );
    }
    let mut left: Vec<&str> = row_words;
    let mut other = Vec::new();
    for word in words {
        match left.iter().position(|found| *found == word) {
            Some(place) => {
                left.remove(place);
            }
            None => other.push(word),
        }
    }
    match (&left[..], &other[..]) {
        // One word may differ, and the other stands beside it.
        ([found], [word]) => text(
            found,
            word,
            Least {
                slip: 3,
                two: 12,
                cut: 3,
            },
        )
        .filter(|_| planted.len() > word.len() || word.len() >= 6),
        _ => text(
            row,
            planted,
            Least {
                slip: 6,
                two: 12,
                cut: 6,
            },
        ),
    }
}

/// A key of a birth in parts.
pub fn date(key: &str) -> Option<Date> {
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    let two = |tens: u8, ones: u8| {
        let (tens, ones) = (digit(tens), digit(ones));
        (tens < 10 && ones < 10).then(|| tens * 10 + ones)
    };
    // All births of people.
    if let [c, d, y, z, b'-', m, n, b'-', e, f] = *key.as_bytes() {
        let year = i32::from(two(c, d)?) * 100 + i32::from(two(y, z)?);
        return Some((year, two(m, n)?, two(e, f)?));
    }
    let (rest, day) = key.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

fn birth(row: Date, planted: Date) -> Option<How> {
    let ((y, m, d), (year, month, day)) = (row, planted);
    match (y == year, m == month, d == day) {
        (true, false, false) if (m, d) == (day, month) => Some(How::DayMonth),
        (false, true, true) => mistyped(y, year).then_some(How::Year),
        (true, false, true) => Some(How::Month),
        (true, true, false) => Some(How::Day),
        _ => None,
    }
}

/// Whether a year is another one by one slip: a digit, two that changed places, or the century.
fn mistyped(row: i32, planted: i32) -> bool {
    let digits = |year: i32| year.to_string().chars().collect::<Vec<char>>();
    row.abs_diff(planted) == 100 || slip(&digits(row), &digits(planted), 1).is_some()
}

/// The digits of a number as its country dials them within, since what a cut leaves has no country code: the zero that
/// is dialled first, or nothing, and what follows.
pub fn dialled(key: &str) -> (&'static str, &str) {
    match key.strip_prefix("+81") {
        Some(rest) => ("0", rest),
        None => {
            let rest = key.strip_prefix("+1");
            ("", rest.unwrap_or(key.trim_start_matches(['+', PART])))
        }
    }
}

/// What a key begins with that is a part of a number only: no whole key does.
pub const PART: char = '~';

/// Fewer digits than this could be anybody's.
pub const FEWEST_DIGITS: usize = 7;

fn phone(row: &str, planted: &str) -> Option<How> {
    let letters = |text: &str| {
        let (zero, rest) = dialled(text);
        zero.chars().chain(rest.chars()).collect::<Letters>()
    };
    let (row, planted) = (letters(row), letters(planted));
    let kept = u8::try_from(row.len()).ok()?;
    if row.len() >= FEWEST_DIGITS && row.len() < planted.len() {
        if planted.starts_with(&row) {
            return Some(How::CutAfter(kept));
        }
        if planted.ends_with(&row) {
            return Some(How::CutBefore(kept));
        }
    }
    (row.len() >= FEWEST_DIGITS).then(|| slip(&row, &planted, 1))?
}

fn email(row: &str, planted: &str) -> Option<How> {
    let (local, domain) = row.rsplit_once('@')?;
    let (own_local, own_domain) = planted.rsplit_once('@')?;
    if domain == own_domain {
        return text(
            local,
            own_local,
            Least {
                slip: 4,
                two: 10,
                cut: 4,
            },
        );
    }
    let letters = |text: &str| text.chars().collect::<Letters>();
    let (domain, own_domain) = (letters(domain), letters(own_domain));
    let cut = domain.len() >= 3 && own_domain.starts_with(&domain);
    let one = || slip(&domain, &own_domain, 2).is_some();
    (local == own_local && local.len() >= 4 && (cut || one())).then_some(How::Domain)
}

/// Town and numbers of an address key.
pub fn place(key: &str) -> Option<(&str, &str)> {
    key.rsplit_once(' ')
}

fn address(row: &str, planted: &str) -> Option<How> {
    let ((town, numbers), (own_town, own_numbers)) = (place(row)?, place(planted)?);
    let letters = |text: &str| text.chars().collect::<Letters>();
    if numbers == own_numbers {
        // A number alone is a house in every street.
        if !numbers.contains('-') && town.chars().count() < 4 {
            return None;
        }
        // 字 before a town, or the town before a 字, is often left out.
        if own_town.ends_with(town) && town.chars().count() >= 2 {
            return Some(How::WordMissing);
        }
        return text(
            town,
            own_town,
            Least {
                slip: 2,
                two: 9,
                cut: 2,
            },
        );
    }
    if town != own_town {
        return None;
    }
    let (row, planted) = (letters(numbers), letters(own_numbers));
    if planted.starts_with(&row) && planted.get(row.len()) == Some(&'-') && numbers.contains('-') {
        return u8::try_from(row.len()).ok().map(How::CutAfter);
    }
    (row.len().min(planted.len()) >= 5).then(|| slip(&row, &planted, 1))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_the_same() {
        use Class::*;
        for (class, row, planted, how) in [
            (Name, "佐藤架子", "佐藤加子", How::Differs),
            (Name, "佐藤架", "佐藤架子", How::CutAfter(3)),
            (Name, "佐藤", "佐藤架子", How::CutAfter(2)),
            (Name, "大田架子", "太田架子", How::LookAlike),
            (Name, "佐籐架子", "佐藤架子", How::Differs),
            (Name, "john smath", "john smith", How::Differs),
            (Name, "jhon smith", "john smith", How::Swapped),
            (Name, "smith zohn", "john smith", How::Differs),
            (Name, "john smi", "john smith", How::CutAfter(3)),
            (Name, "smith", "john smith", How::WordMissing),
            (Kana, "ヤマタタロウ", "ヤマダタロウ", How::LookAlike),
            (Kana, "ヤマダタロ", "ヤマダタロウ", How::CutAfter(5)),
            (Kana, "ヤマダタコウヘ", "ヤマダタロウヘ", How::Differs),
            (Birth, "1972-01-04", "1972-04-01", How::DayMonth),
            (Birth, "2072-04-01", "1972-04-01", How::Year),
            (Birth, "1927-04-01", "1972-04-01", How::Year),
            (Birth, "1973-04-01", "1972-04-01", How::Year),
            (Birth, "1972-04-11", "1972-04-01", How::Day),
            (Birth, "1972-05-01", "1972-04-01", How::Month),
            (Phone, "+819001234576", "+819001234567", How::Swapped),
            (Phone, "+819001234568", "+819001234567", How::Differs),
            (Phone, "~0900123456", "+819001234567", How::CutAfter(10)),
            (Phone, "~01234567", "+819001234567", How::CutBefore(8)),
            (Phone, "+12025550124", "+12025550123", How::Differs),
            (
                Email,
                "kako.sat@mail.example",
                "kako.sato@mail.example",
                How::CutAfter(8),
            ),
            (
                Email,
                "kako.sa1o@mail.example",
                "kako.sato@mail.example",
                How::Differs,
            ),
            (
                Email,
                "kak0.sato@mail.example",
                "kako.sato@mail.example",
                How::LookAlike,
            ),
            (
                Email,
                "kako.sato@mial.example",
                "kako.sato@mail.example",
                How::Domain,
            ),
            (
                Address,
                "霞か関 9-12-8-203",
                "霞が関 9-12-8-203",
                How::LookAlike,
            ),
            (
                Address,
                "霞が閲 9-12-8-203",
                "霞が関 9-12-8-203",
                How::Differs,
            ),
            (
                Address,
                "霞が関 9-12-8-208",
                "霞が関 9-12-8-203",
                How::Differs,
            ),
            (
                Address,
                "霞が関 9-12",
                "霞が関 9-12-8-203",
                How::CutAfter(4),
            ),
        ] {
            assert_eq!(near(class, row, planted), Some(how), "{row} for {planted}");
        }
    }

    #[test]
    fn what_is_another_value() {
        use Class::*;
        for (class, row, planted) in [
            (Name, "佐藤架子", "佐藤架子"),
            (Name, "佐藤架子", "佐藤一郎"),
            (Name, "林一", "林二"),
            (Name, "john smith", "jane smith"),
            (Name, "佐", "佐藤架子"),
            (Kana, "ヤマダタロウ", "ヤマダハナコ"),
            (Birth, "1973-05-01", "1972-04-01"),
            (Birth, "2010-04-01", "1972-04-01"),
            (Phone, "+819001234500", "+819001234567"),
            (Phone, "~4567", "+819001234567"),
            (Email, "kako.sato@other.example", "kako.sato@mail.example"),
            (Email, "a@mial.example", "a@mail.example"),
            (Address, "永田町 9-12-8-203", "霞が関 9-12-8-203"),
            (Address, "霞が関 1-2-3", "霞が関 9-12-8-203"),
            (Address, "霞が関 9", "霞が関 9-12-8-203"),
            (Postcode, "1000013", "1000014"),
        ] {
            assert_eq!(near(class, row, planted), None, "{row} for {planted}");
        }
    }
}
