//! Formats: how a column writes its values.
//!
//! A format is named by an example, everywhere a person meets it: `1972-04-01`, `昭和47年4月1日`,
//! `(03)0123-4567`, `ﾔﾏﾀﾞ ﾀﾛｳ`, `M/F` (male, then female). What the example shows is what is written.
//!
//! A format is recognised by trial: of all that a role can have, the one that would have written most
//! of the samples exactly as they are.

mod address;
mod date;
mod kana;
mod name;
mod phone;
mod postcode;
mod sex;
mod text;
mod timestamp;

pub use address::{
    AddressFormat, AddressStart, AmericanAddress, BlockStyle, Gap, JapaneseAddress, StreetType,
    UnitStyle, UnitWord,
};
pub use date::DateFormat;
pub use kana::{KanaFormat, Script};
pub use name::{NameFormat, Separator};
pub use phone::PhoneFormat;
pub use postcode::PostcodeFormat;
pub use sex::SexFormat;
pub use text::TextFormat;
pub use timestamp::TimestampFormat;

use super::Role;

/// How a column writes its values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text in the letters' own or in one case: mail addresses, parts of Latin names, cities.
    Text(TextFormat),
    /// A date.
    Date(DateFormat),
    /// A point in time.
    Timestamp(TimestampFormat),
    /// A telephone number.
    Phone(PhoneFormat),
    /// A postcode or ZIP code.
    Postcode(PostcodeFormat),
    /// A whole name.
    Name(NameFormat),
    /// A reading, of a name or a part of one.
    Kana(KanaFormat),
    /// Sex.
    Sex(SexFormat),
    /// An address, or a part of one that holds numbers.
    Address(AddressFormat),
}

/// A text that names no format of its role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "'{text}' is not a format of the role {role}; write it as in one of these examples: {examples}"
)]
pub struct UnknownFormat {
    text: String,
    role: Role,
    examples: String,
}

/// What kind of format a role has.
enum Kind {
    Text,
    Date,
    Timestamp,
    Phone,
    Postcode,
    Name,
    Kana { whole: bool },
    Sex,
    Address,
}

fn kind(role: Role) -> Option<Kind> {
    use Role::*;
    Some(match role {
        Name | ChildName => Kind::Name,
        FamilyName | GivenName | ChildFamilyName | ChildGivenName | Email | Region | City
        | Town => Kind::Text,
        NameKana | ChildNameKana | AddressKana => Kind::Kana { whole: true },
        FamilyNameKana | GivenNameKana | ChildFamilyNameKana | ChildGivenNameKana => {
            Kind::Kana { whole: false }
        }
        Postcode => Kind::Postcode,
        Address | Address1 | Address2 | Street | Block | Building => Kind::Address,
        Phone | Mobile => Kind::Phone,
        BirthDate | ChildBirthDate => Kind::Date,
        Sex | ChildSex => Kind::Sex,
        CreatedAt | UpdatedAt => Kind::Timestamp,
        Age | Id | Code | Other | Skip => return None,
    })
}

impl Format {
    /// The format that a role's column has when nothing is known of its values; `None` for roles that
    /// have none (ids, codes, ages).
    pub fn default_of(role: Role, locale: crate::persona::Locale) -> Option<Format> {
        let american = locale == crate::persona::Locale::EnUs;
        let region = locale.into();
        Some(match kind(role)? {
            Kind::Text => Format::Text(TextFormat::AsWritten),
            Kind::Date => Format::Date(DateFormat::iso()),
            Kind::Timestamp => Format::Timestamp(TimestampFormat::iso()),
            Kind::Phone => Format::Phone(PhoneFormat::hyphens(region)),
            Kind::Postcode => Format::Postcode(PostcodeFormat::usual(region)),
            Kind::Name => Format::Name(NameFormat::usual(region)),
            Kind::Kana { .. } => Format::Kana(KanaFormat::default()),
            Kind::Sex => Format::Sex(SexFormat::letters()),
            Kind::Address if american => {
                Format::Address(AddressFormat::American(AmericanAddress::default()))
            }
            Kind::Address => Format::Address(AddressFormat::Japanese(JapaneseAddress::default())),
        })
    }

    /// The format that would have written most of `samples`, and the share that it would have. Empty
    /// samples count for nothing; `None` when no format of the role fits any.
    pub fn recognise(role: Role, samples: &[&str]) -> Option<(Format, f64)> {
        Format::recognise_beside(role, samples, None)
    }

    /// The same where a column is known to be written as `usual`: an address that has no unit, say, shows nothing of
    /// how units are written.
    pub fn recognise_beside(
        role: Role,
        samples: &[&str],
        usual: Option<&Format>,
    ) -> Option<(Format, f64)> {
        let samples: Vec<&str> = samples
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        if samples.is_empty() {
            return None;
        }
        let samples = samples.as_slice();
        match kind(role)? {
            Kind::Text => {
                Some(text::recognise(samples)).map(|(format, share)| (Format::Text(format), share))
            }
            Kind::Date => {
                date::recognise(samples).map(|(format, share)| (Format::Date(format), share))
            }
            Kind::Timestamp => timestamp::recognise(samples)
                .map(|(format, share)| (Format::Timestamp(format), share)),
            Kind::Phone => {
                phone::recognise(samples).map(|(format, share)| (Format::Phone(format), share))
            }
            Kind::Postcode => postcode::recognise(samples)
                .map(|(format, share)| (Format::Postcode(format), share)),
            Kind::Name => {
                name::recognise(samples).map(|(format, share)| (Format::Name(format), share))
            }
            Kind::Kana { whole } => {
                kana::recognise(samples, whole).map(|(format, share)| (Format::Kana(format), share))
            }
            Kind::Sex => {
                sex::recognise(samples).map(|(format, share)| (Format::Sex(format), share))
            }
            Kind::Address => {
                let usual = match usual {
                    Some(Format::Address(usual)) => Some(*usual),
                    _ => None,
                };
                address::recognise(role, samples, usual)
                    .map(|(format, share)| (Format::Address(format), share))
            }
        }
    }

    /// The format's name: an example of what it writes in a column of that role.
    pub fn example(&self, role: Role) -> String {
        match self {
            Format::Text(format) => format.example().to_owned(),
            Format::Date(format) => format.example(),
            Format::Timestamp(format) => format.example(),
            Format::Phone(format) => format.example(),
            Format::Postcode(format) => format.example(),
            Format::Name(format) => format.example(),
            Format::Kana(format) => {
                format.example(matches!(kind(role), Some(Kind::Kana { whole: false })))
            }
            Format::Sex(format) => format.example(),
            Format::Address(format) => format.example(role),
        }
    }

    /// The format that an example names, as [`Format::example`] writes it.
    ///
    /// # Errors
    /// No format of the role writes it so; the error shows some that there are.
    pub fn named(role: Role, text: &str) -> Result<Format, UnknownFormat> {
        let all = Format::all(role);
        if matches!(kind(role), Some(Kind::Sex))
            && let Some(format) = SexFormat::named(text)
        {
            return Ok(Format::Sex(format));
        }
        let unknown = || {
            let mut examples: Vec<String> = all.iter().map(|format| format.example(role)).collect();
            examples.dedup();
            examples.truncate(16);
            let examples = if examples.is_empty() {
                "(it has none)".to_owned()
            } else {
                examples.join(" | ")
            };
            UnknownFormat {
                text: text.to_owned(),
                role,
                examples,
            }
        };
        all.iter()
            .find(|format| format.example(role) == text)
            .cloned()
            .ok_or_else(unknown)
    }

    /// Every format that a role's column can have (of sex: the common ones), the likelier first.
    pub fn all(role: Role) -> Vec<Format> {
        match kind(role) {
            None => Vec::new(),
            Some(Kind::Text) => TextFormat::ALL.into_iter().map(Format::Text).collect(),
            Some(Kind::Date) => DateFormat::all().map(Format::Date).collect(),
            Some(Kind::Timestamp) => TimestampFormat::all().map(Format::Timestamp).collect(),
            Some(Kind::Phone) => PhoneFormat::all().map(Format::Phone).collect(),
            Some(Kind::Postcode) => PostcodeFormat::all().map(Format::Postcode).collect(),
            Some(Kind::Name) => NameFormat::all().map(Format::Name).collect(),
            Some(Kind::Kana { .. }) => KanaFormat::all().map(Format::Kana).collect(),
            Some(Kind::Sex) => SexFormat::all().map(Format::Sex).collect(),
            Some(Kind::Address) => AddressFormat::all().map(Format::Address).collect(),
        }
    }
}

/// The candidate that fits most samples; of equals, the first.
fn best<F, S>(
    candidates: impl Iterator<Item = F>,
    samples: &[S],
    fits: impl Fn(&F, &S) -> bool,
) -> Option<(F, f64)> {
    let (mut best, mut most) = (None, 0);
    for candidate in candidates {
        // As many may fail, and it would be the best yet.
        let mut spare = samples.len() - most;
        let fails = |sample: &&S| !fits(&candidate, sample);
        let failed = samples.iter().filter(fails).take(spare).count();
        spare -= failed;
        if spare > 0 {
            best = Some(candidate);
            most += spare;
        }
    }
    best.map(|format| (format, most as f64 / samples.len() as f64))
}

/// ASCII in full width (`12-3` as `１２－３`).
fn widen(text: &str) -> String {
    let wide = |c: char| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
        other => other,
    };
    text.chars().map(wide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_example_names_one_format_of_its_role() {
        for role in Role::ALL {
            let mut seen = HashSet::new();
            for format in Format::all(*role) {
                let example = format.example(*role);
                let named = Format::named(*role, &example).unwrap();
                assert_eq!(named.example(*role), example);
                // Parts of an address leave out what parts its formats elsewhere, and names in parts too.
                if matches!(
                    kind(*role),
                    Some(Kind::Date | Kind::Phone | Kind::Postcode | Kind::Name | Kind::Timestamp)
                ) {
                    assert!(
                        seen.insert(example.clone()),
                        "{role}: {example} names two formats"
                    );
                }
            }
        }
        let error = Format::named(Role::BirthDate, "yesterday")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("birth_date") && error.contains("1972-04-01"),
            "{error}"
        );
    }

    #[test]
    fn real_life_samples_are_recognised() {
        for (role, samples, example) in [
            (
                Role::BirthDate,
                &["1980-10-11", "1972-04-01", ""][..],
                "1972-04-01",
            ),
            (Role::BirthDate, &["1980/10/11", "1972/4/1"], "1972/4/1"),
            (Role::BirthDate, &["1980/10/11", "1972/04/01"], "1972/04/01"),
            (
                Role::BirthDate,
                &["昭和55年10月11日", "平成元年4月1日"],
                "昭和47年4月1日",
            ),
            (Role::BirthDate, &["S55.10.11", "H1.4.1"], "S47.4.1"),
            (Role::BirthDate, &["10/11/1980", "4/1/1972"], "4/1/1972"),
            (Role::BirthDate, &["23/11/1980", "01/04/1972"], "01/04/1972"),
            (
                Role::BirthDate,
                &["1980-10-11 00:00:00", "1972-04-01 00:00:00"],
                "1972-04-01 00:00:00",
            ),
            (Role::BirthDate, &["19801011", "19720401"], "19720401"),
            (
                Role::BirthDate,
                &["3551011", "3470401", "4010401"],
                "3470401",
            ),
            (Role::BirthDate, &["801011", "720401", "991231"], "720401"),
            (
                Role::Phone,
                &["090-0123-4567", "03-0123-4567", "0422-01-2345"],
                "03-0123-4567",
            ),
            (Role::Phone, &["09001234567", "0301234567"], "0301234567"),
            (
                Role::Phone,
                &["(03)0123-4567", "(0422)01-2345"],
                "(03)0123-4567",
            ),
            (
                Role::Phone,
                &["03(0123)4567", "090(0123)4567"],
                "03(0123)4567",
            ),
            (
                Role::Phone,
                &["+819001234567", "+81301234567"],
                "+81301234567",
            ),
            (
                Role::Phone,
                &[
                    "９００１２３４５６７",
                    "０９００１２３４５６７",
                    "０９００１２３４５６８",
                ],
                "０３０１２３４５６７",
            ),
            (Role::Phone, &["9001234567", "301234567"], "301234567"),
            (
                Role::Phone,
                &["(202) 555-0123", "(312) 555-0199"],
                "(202) 555-0123",
            ),
            (Role::Phone, &["202-555-0123"], "202-555-0123"),
            (Role::Phone, &["2025550123"], "2025550123"),
            (Role::Postcode, &["100-0013", "060-0001"], "060-0001"),
            (Role::Postcode, &["1000013", "0600001"], "0600001"),
            (Role::Postcode, &["1000013", "600001"], "600001"),
            (Role::Postcode, &["〒100-0013"], "〒060-0001"),
            (Role::Postcode, &["１００－００１３"], "０６０－０００１"),
            (Role::Postcode, &["02134", "62701"], "02134"),
            (Role::Postcode, &["2134", "62701"], "2134"),
            (Role::Name, &["佐藤 架子", "髙橋 一郎"], "山田 太郎"),
            (Role::Name, &["佐藤　架子", "髙橋　一郎"], "山田　太郎"),
            (Role::Name, &["佐藤架子", "髙橋一郎"], "山田太郎"),
            (Role::Name, &["Kako Sample", "John Q Sample"], "Jane Doe"),
            (Role::Name, &["Sample, Kako", "Sample, John"], "Doe, Jane"),
            (Role::Name, &["SAMPLE, KAKO", "SAMPLE, JOHN"], "DOE, JANE"),
            (
                Role::NameKana,
                &["サトウ カコ", "タカハシ イチロウ"],
                "ヤマダ タロウ",
            ),
            (Role::NameKana, &["ｻﾄｳ ｶｺ", "ﾀｶﾊｼ ｲﾁﾛｳ"], "ﾔﾏﾀﾞ ﾀﾛｳ"),
            (Role::NameKana, &["さとうかこ"], "やまだたろう"),
            (Role::FamilyNameKana, &["サトウ", "タカハシ"], "ヤマダ"),
            (Role::Sex, &["M", "F", "F"], "M/F"),
            (Role::Sex, &["1", "2", "1"], "1/2"),
            (Role::Sex, &["0", "1", "1"], "0/1"),
            (Role::Sex, &["女", "男", "不明"], "男/女"),
            (Role::Sex, &["女性"], "男性/女性"),
            (Role::Sex, &["male", "female"], "male/female"),
            (
                Role::Email,
                &["kako@mail.example", "JOHN@mail.example", "a@b.example"],
                "as written",
            ),
            (Role::Email, &["KAKO@MAIL.EXAMPLE"], "UPPER CASE"),
            (
                Role::CreatedAt,
                &["2026-11-01 10:00:01", "2026-11-02 23:59:59"],
                "2026-11-23 21:05:09",
            ),
            (
                Role::CreatedAt,
                &["2026-11-01 10:00:01.123456+00"],
                "2026-11-23 21:05:09.123456+00",
            ),
            (Role::CreatedAt, &["1795476029"], "1795467909"),
        ] {
            let (format, _) =
                Format::recognise(role, samples).unwrap_or_else(|| panic!("{role} {samples:?}"));
            assert_eq!(format.example(role), example, "{role} {samples:?}");
        }
    }
}
