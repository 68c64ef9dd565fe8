//! Telephone numbers.

use super::super::{Region, phone_key};
use super::widen;

/// How a telephone number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhoneFormat {
    region: Region,
    pattern: &'static str,
    wide: bool,
}

/// A area code as dialled at home, a the same without its trunk 0, B exchange, C line, K country code.
const JAPANESE: [&str; 16] = [
    "A-B-C", "ABC", "(A)B-C", "A(B)C", "(A) B-C", "A B C", "+KaBC", "+K-a-B-C", "+K a B C",
    "+K a-B-C", "+K-aBC", "KaBC", "A.B.C", "aBC", "A-BC", "A/B/C",
];
const AMERICAN: [&str; 13] = [
    "(A) B-C",
    "A-B-C",
    "ABC",
    "A.B.C",
    "A B C",
    "+KABC",
    "+K A-B-C",
    "+K (A) B-C",
    "K-A-B-C",
    "+K-A-B-C",
    "KABC",
    "(A)B-C",
    "+K A B C",
];

impl PhoneFormat {
    pub(super) const fn hyphens(region: Region) -> PhoneFormat {
        PhoneFormat {
            region,
            pattern: "A-B-C",
            wide: false,
        }
    }

    pub(super) fn all() -> impl Iterator<Item = PhoneFormat> {
        let of = |region, wide| {
            let patterns: &'static [&'static str] = match region {
                Region::Jp => &JAPANESE,
                Region::Us => &AMERICAN,
            };
            patterns.iter().map(move |pattern| PhoneFormat {
                region,
                pattern,
                wide,
            })
        };
        of(Region::Jp, false)
            .chain(of(Region::Us, false))
            .chain(of(Region::Jp, true))
    }

    pub(super) fn example(&self) -> String {
        self.write(if self.region == Region::Jp {
            "+81301234567"
        } else {
            "+12025550123"
        })
    }

    /// The country whose notation this is.
    pub fn region(&self) -> Region {
        self.region
    }

    /// Writes a number given in E.164; one of another country with its country code and nothing between.
    pub fn write(&self, e164: &str) -> String {
        let (country, parts) = match (
            self.region,
            e164.strip_prefix("+81"),
            e164.strip_prefix("+1"),
        ) {
            (Region::Jp, Some(national), _) => ("81", japanese_parts(national)),
            (Region::Us, _, Some(national)) => ("1", american_parts(national)),
            _ => ("", None),
        };
        let Some([area, exchange, line]) = parts else {
            return if self.wide {
                widen(e164)
            } else {
                e164.to_owned()
            };
        };
        let mut out = String::with_capacity(24);
        for c in self.pattern.chars() {
            match c {
                'K' => out += country,
                'A' if self.region == Region::Jp => {
                    out.push('0');
                    out += area;
                }
                'A' | 'a' => out += area,
                'B' => out += exchange,
                'C' => out += line,
                other => out.push(other),
            }
        }
        if self.wide { widen(&out) } else { out }
    }

    /// Reads a number of this column.
    pub fn read(&self, text: &str) -> Option<String> {
        phone_key(text, Some(self.region))
    }
}

fn american_parts(national: &str) -> Option<[&str; 3]> {
    (national.len() == 10 && national.is_ascii())
        .then(|| [&national[..3], &national[3..6], &national[6..]])
}

/// Area code (without its 0), exchange and line of a Japanese number.
fn japanese_parts(national: &str) -> Option<[&str; 3]> {
    if !national.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (area, exchange) = match national.len() {
        // 090, 080, 070, 060, 050, 020; 0800 is free of charge.
        10 if national.starts_with("800") => (3, 3),
        10 => (2, 4),
        9 => {
            let area = area_code_length(national);
            // 0120 and 0570 are written 0120-123-456.
            if matches!(&national[..3], "120" | "570" | "990") {
                (3, 3)
            } else {
                (area, 5 - area)
            }
        }
        _ => return None,
    };
    let (area, rest) = national.split_at(area);
    let (exchange, line) = rest.split_at(exchange);
    Some([area, exchange, line])
}

/// Area codes with four digits behind the 0.
const FOUR: &str = "1267 1372 1374 1377 1392 1397 1398 1456 1457 1466 1547 1558 1564 1586 1587 1632 1634 1635 1648 1654 \
1655 1656 1658 4992 4994 4996 4998 5769 5979 7468 8387 8388 8396 8477 8512 8514 9496 9802 9912 9913 9969";

/// Area codes with two digits behind the 0, and the third digits with which they are longer by one after all.
const TWO: [(&str, &str); 43] = [
    ("11", ""),
    ("17", "2345689"),
    ("18", "245678"),
    ("19", "1234578"),
    ("22", "0345689"),
    ("23", "3457"),
    ("24", "01234678"),
    ("25", "045679"),
    ("26", "013456789"),
    ("27", "046789"),
    ("28", "02345789"),
    ("29", "135679"),
    ("42", "28"),
    ("43", "689"),
    ("44", ""),
    ("45", ""),
    ("46", "03567"),
    ("47", "056789"),
    ("48", "0"),
    ("49", "345"),
    ("52", ""),
    ("53", "1236789"),
    ("54", "45678"),
    ("55", "0134567 8"),
    ("58", "134567"),
    ("59", "4567 89"),
    ("72", "15"),
    ("73", "56789"),
    ("75", ""),
    ("76", "135678"),
    ("77", "0123456789"),
    ("78", ""),
    ("79", "01456789"),
    ("82", "034679"),
    ("83", "345678"),
    ("84", "5678"),
    ("86", "35678 9"),
    ("87", "579"),
    ("88", "0345679"),
    ("89", "2345678"),
    ("92", "0"),
    ("93", "0"),
    ("95", "02345679"),
];
const TWO_MORE: [(&str, &str); 4] = [
    ("96", "45678"),
    ("97", "234567 89"),
    ("98", "0234567"),
    ("99", "34567"),
];

/// How many digits stand between the 0 and the exchange. Numbering plan of Japan's ministry of internal
/// affairs, by first digits; a code unknown here is taken for three digits, the commonest length.
fn area_code_length(national: &str) -> usize {
    if national.starts_with(['3', '6']) {
        return 1;
    }
    // 04 alone is Kashiwa, Tokorozawa, Hanno and Kamogawa.
    if ["420", "429", "471"]
        .iter()
        .any(|code| national.starts_with(code))
        || national.starts_with("4709")
    {
        return 1;
    }
    if FOUR.split(' ').any(|code| national.starts_with(code)) {
        return 4;
    }
    let (area, rest) = national.split_at(2);
    // 077-5 is Otsu with its exchanges of three digits.
    if area == "77" && rest.starts_with('5') {
        return 2;
    }
    let listed = TWO.iter().chain(&TWO_MORE).find(|(code, _)| *code == area);
    match listed {
        Some((_, longer))
            if !rest
                .starts_with(|digit: char| digit.is_ascii_digit() && longer.contains(digit)) =>
        {
            2
        }
        _ => 3,
    }
}

pub(super) fn recognise(samples: &[&str]) -> Option<(PhoneFormat, f64)> {
    // Where bare digits could be of either country, the unequivocal ones among the samples decide.
    let japanese = samples
        .iter()
        .filter(|text| phone_key(text, Some(Region::Us)).is_some_and(|key| key.starts_with("+81")))
        .count();
    let american = samples
        .iter()
        .filter(|text| phone_key(text, Some(Region::Jp)).is_some_and(|key| key.starts_with("+1")))
        .count();
    let region = if american > japanese {
        Region::Us
    } else {
        Region::Jp
    };
    super::best(
        PhoneFormat::all().filter(|format| format.region == region),
        samples,
        |format, sample| {
            format
                .read(sample)
                .is_some_and(|number| format.write(&number) == *sample)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn japanese_numbers_are_parted_behind_their_area_code() {
        let format = PhoneFormat::hyphens(Region::Jp);
        // Exchanges that begin with 0 are never issued.
        for (e164, written) in [
            ("+81301234567", "03-0123-4567"),
            ("+81601234567", "06-0123-4567"),
            ("+819001234567", "090-0123-4567"),
            ("+81450012345", "045-001-2345"),
            ("+81422012345", "0422-01-2345"),
            ("+81471012345", "04-7101-2345"),
            ("+81126701234", "01267-0-1234"),
            ("+81775012345", "077-501-2345"),
            ("+81120001234", "0120-001-234"),
            ("+818000001234", "0800-000-1234"),
            ("+81970012345", "097-001-2345"),
            ("+81980012345", "0980-01-2345"),
            ("+81110012345", "011-001-2345"),
            ("+81520012345", "052-001-2345"),
            ("+81742012345", "0742-01-2345"),
        ] {
            assert_eq!(format.write(e164), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(national in "[1-9][0-9]{8}|[5-9]0[0-9]{8}") {
            let e164 = format!("+81{national}");
            for format in PhoneFormat::all().filter(|format| format.region == Region::Jp) {
                let written = format.write(&e164);
                // `801234567`, a number without its 0, cannot be told from `80` with too few digits; all else can.
                prop_assert_eq!(format.read(&written), Some(e164.clone()), "{}", written);
            }
        }

        #[test]
        fn american_numbers_too(national in "[2-9][0-9]{2}[2-9][0-9]{6}") {
            let e164 = format!("+1{national}");
            for format in PhoneFormat::all().filter(|format| format.region == Region::Us) {
                let written = format.write(&e164);
                prop_assert_eq!(format.read(&written), Some(e164.clone()), "{}", written);
            }
        }
    }
}
