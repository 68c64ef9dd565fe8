//! One household as one line of a list, in one of the many notations that lists mix.

use otori::notation::{
    AddressFormat, AddressStart, BlockStyle, Gap, JapaneseAddress, Role, UnitStyle,
};
use otori::persona::Household;
use rand::{Rng, RngExt};
use time::Date;

use super::width::{half_width_kana, wide};

/// The columns in their order.
pub const COLUMNS: [(&str, Role); 8] = [
    ("郵便番号", Role::Postcode),
    ("保護者氏名", Role::Name),
    ("保護者カナ", Role::NameKana),
    ("お子様氏名", Role::ChildName),
    ("住所", Role::Address),
    ("電話番号", Role::Phone),
    ("メールアドレス", Role::Email),
    ("お子様生年月日", Role::ChildBirthDate),
];

/// How one line, or all of a customer table, is written.
#[derive(Clone, Copy)]
pub struct Style {
    gap: &'static str,
    title: bool,
    old_kanji: bool,
    kana: Kana,
    address: JapaneseAddress,
    phone: Phone,
    mail: Mail,
    birth: Birth,
    postcode: Postcode,
}

#[derive(Clone, Copy)]
enum Kana {
    Full,
    Half,
    Hiragana,
}

#[derive(Clone, Copy)]
enum Phone {
    Hyphens,
    Plain,
    Wide,
    International,
    LostZero,
}

#[derive(Clone, Copy)]
enum Mail {
    AsItIs,
    Upper,
    Tagged,
    Wide,
}

#[derive(Clone, Copy)]
enum Birth {
    Iso,
    Slashes,
    Short,
    Kanji,
    Era,
    EraLetter,
    Compact,
}

#[derive(Clone, Copy)]
enum Postcode {
    Hyphen,
    Plain,
    Wide,
    LostZero,
}

/// One of several, each with its share of a hundred.
fn one_of<T: Copy>(rng: &mut impl Rng, choices: &[(u32, T)]) -> T {
    let mut left = rng.random_range(0..choices.iter().map(|(share, _)| share).sum());
    for (share, choice) in choices {
        if left < *share {
            return *choice;
        }
        left -= share;
    }
    choices[0].1
}

impl Style {
    /// Any notation.
    pub fn random(rng: &mut impl Rng) -> Style {
        use BlockStyle::{Banchi, Chome, Hyphens, KanjiChome, Words};
        let gap = [(50, Gap::Wide), (30, Gap::Space), (20, Gap::None)];
        Style {
            gap: one_of(rng, &[(45, "\u{3000}"), (35, " "), (20, "")]),
            title: rng.random_bool(0.05),
            old_kanji: rng.random_bool(0.2),
            kana: one_of(
                rng,
                &[(60, Kana::Full), (25, Kana::Half), (15, Kana::Hiragana)],
            ),
            address: JapaneseAddress {
                start: one_of(
                    rng,
                    &[
                        (70, AddressStart::Region),
                        (25, AddressStart::City),
                        (5, AddressStart::Town),
                    ],
                ),
                block: one_of(
                    rng,
                    &[
                        (55, Hyphens),
                        (15, Words),
                        (15, Chome),
                        (10, KanjiChome),
                        (5, Banchi),
                    ],
                ),
                wide: rng.random_bool(0.3),
                gap: one_of(rng, &gap),
                unit_gap: one_of(rng, &gap),
                unit: one_of(
                    rng,
                    &[
                        (60, UnitStyle::Plain),
                        (25, UnitStyle::Room),
                        (10, UnitStyle::Number),
                        (5, UnitStyle::Hyphen),
                    ],
                ),
            },
            phone: one_of(
                rng,
                &[
                    (55, Phone::Hyphens),
                    (30, Phone::Plain),
                    (7, Phone::Wide),
                    (4, Phone::International),
                    (4, Phone::LostZero),
                ],
            ),
            mail: one_of(
                rng,
                &[
                    (92, Mail::AsItIs),
                    (5, Mail::Upper),
                    (2, Mail::Tagged),
                    (1, Mail::Wide),
                ],
            ),
            birth: one_of(
                rng,
                &[
                    (35, Birth::Iso),
                    (25, Birth::Slashes),
                    (10, Birth::Short),
                    (10, Birth::Kanji),
                    (8, Birth::Era),
                    (4, Birth::EraLetter),
                    (8, Birth::Compact),
                ],
            ),
            postcode: one_of(
                rng,
                &[
                    (60, Postcode::Hyphen),
                    (25, Postcode::Plain),
                    (10, Postcode::Wide),
                    (5, Postcode::LostZero),
                ],
            ),
        }
    }

    /// The household's cells.
    pub fn cells(&self, household: &Household) -> [String; 8] {
        let (guardian, child) = (&household.guardian, household.children.first());
        let child = child.unwrap_or(guardian);
        let phone = household.mobile.as_ref().or(household.landline.as_ref());
        let address = AddressFormat::Japanese(self.address);
        [
            self.postcode(&household.address.postcode),
            self.name(&guardian.family.written, &guardian.given.written),
            self.kana(&guardian.family.kana, &guardian.given.kana),
            self.name(&child.family.written, &child.given.written),
            address
                .write(Role::Address, &household.address)
                .unwrap_or_default(),
            phone.map_or(String::new(), |phone| self.phone(phone)),
            household
                .email
                .as_deref()
                .map_or(String::new(), |mail| self.mail(mail)),
            self.birth(child.birth),
        ]
    }

    fn name(&self, family: &str, given: &str) -> String {
        let title = if self.title { " 様" } else { "" };
        let name = format!("{family}{}{given}{title}", self.gap);
        if !self.old_kanji {
            return name;
        }
        let old = |c| match c {
            '高' => '髙',
            '崎' => '﨑',
            '沢' => '澤',
            '斉' => '齊',
            '斎' => '齋',
            '辺' => '邊',
            '浜' => '濱',
            other => other,
        };
        name.chars().map(old).collect()
    }

    fn kana(&self, family: &str, given: &str) -> String {
        let whole = format!("{family}{}{given}", self.gap);
        match self.kana {
            Kana::Full => whole,
            Kana::Half => half_width_kana(&whole),
            Kana::Hiragana => whole
                .chars()
                .map(|c| match c {
                    'ァ'..='ヶ' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
                    other => other,
                })
                .collect(),
        }
    }

    fn phone(&self, e164: &str) -> String {
        let national = format!("0{}", e164.trim_start_matches("+81"));
        let mobile = national.len() == 11;
        let (first, second) = if mobile { (3, 7) } else { (2, 6) };
        let hyphens = format!(
            "{}-{}-{}",
            &national[..first],
            &national[first..second],
            &national[second..]
        );
        match self.phone {
            Phone::Hyphens => hyphens,
            Phone::Plain => national,
            Phone::Wide => wide(&hyphens),
            Phone::International => e164.to_owned(),
            Phone::LostZero => national[1..].to_owned(),
        }
    }

    fn mail(&self, mail: &str) -> String {
        match self.mail {
            Mail::AsItIs => mail.to_owned(),
            Mail::Upper => mail.to_ascii_uppercase(),
            Mail::Tagged => mail.replacen('@', "+mag@", 1),
            Mail::Wide => wide(mail),
        }
    }

    fn birth(&self, date: Date) -> String {
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let (era, letter, first) = match date.to_calendar_date() {
            (2020.., ..) => ("令和", 'R', 2018),
            (1990..=2018, ..) => ("平成", 'H', 1988),
            (1927..=1988, ..) => ("昭和", 'S', 1925),
            _ => ("", ' ', 0),
        };
        match self.birth {
            Birth::Era if first > 0 => format!("{era}{}年{month}月{day}日", year - first),
            Birth::EraLetter if first > 0 => format!("{letter}{}.{month}.{day}", year - first),
            Birth::Slashes => format!("{year}/{month:02}/{day:02}"),
            Birth::Short => format!("{year}/{month}/{day}"),
            Birth::Kanji => format!("{year}年{month}月{day}日"),
            Birth::Compact => format!("{year}{month:02}{day:02}"),
            _ => format!("{year}-{month:02}-{day:02}"),
        }
    }

    fn postcode(&self, digits: &str) -> String {
        let hyphen = || format!("{}-{}", &digits[..3], &digits[3..]);
        match self.postcode {
            Postcode::Hyphen => hyphen(),
            Postcode::Plain => digits.to_owned(),
            Postcode::Wide => wide(&hyphen()),
            Postcode::LostZero => digits.strip_prefix('0').unwrap_or(digits).to_owned(),
        }
    }
}
