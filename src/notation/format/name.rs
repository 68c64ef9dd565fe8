//! Whole names: the order of their parts and what stands between them.

use super::super::Region;
use super::super::fold::has_japanese;
use super::text::TextFormat;
use crate::persona::Person;

/// What stands between the parts of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Separator {
    /// Nothing.
    None,
    /// A space.
    Space,
    /// An ideographic space.
    Wide,
    /// A comma and a space.
    Comma,
}

impl Separator {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Separator::None => "",
            Separator::Space => " ",
            Separator::Wide => "\u{3000}",
            Separator::Comma => ", ",
        }
    }
}

/// How a whole name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameFormat {
    /// Whether the given name comes first.
    pub given_first: bool,
    /// What stands between the parts.
    pub separator: Separator,
    /// The letters' case.
    pub case: TextFormat,
}

impl NameFormat {
    pub(super) fn usual(region: Region) -> NameFormat {
        NameFormat {
            given_first: region == Region::Us,
            separator: Separator::Space,
            case: TextFormat::AsWritten,
        }
    }

    pub(super) fn all() -> impl Iterator<Item = NameFormat> {
        let japanese =
            [Separator::Space, Separator::Wide, Separator::None].map(|separator| NameFormat {
                given_first: false,
                separator,
                case: TextFormat::AsWritten,
            });
        let latin = TextFormat::ALL.into_iter().flat_map(|case| {
            let format = move |given_first, separator| NameFormat {
                given_first,
                separator,
                case,
            };
            [
                format(true, Separator::Space),
                format(false, Separator::Comma),
            ]
        });
        let family_first = [TextFormat::Upper, TextFormat::Lower].map(|case| NameFormat {
            given_first: false,
            separator: Separator::Space,
            case,
        });
        japanese.into_iter().chain(latin).chain(family_first)
    }

    /// Whether it is a way in which Japanese names are written.
    pub(super) fn is_japanese(&self) -> bool {
        !self.given_first
            && self.separator != Separator::Comma
            && self.case == TextFormat::AsWritten
    }

    pub(super) fn example(&self) -> String {
        let (family, given) = if self.is_japanese() {
            ("山田", "太郎")
        } else {
            ("Doe", "Jane")
        };
        self.join(family, given)
    }

    /// Writes a person's name.
    pub fn write(&self, person: &Person) -> String {
        self.join(&person.family.written, &person.given.written)
    }

    fn join(&self, family: &str, given: &str) -> String {
        let separator = self.separator.text();
        let joined = if self.given_first {
            format!("{given}{separator}{family}")
        } else {
            format!("{family}{separator}{given}")
        };
        self.case.write(&joined)
    }
}

pub(super) fn recognise(samples: &[&str]) -> Option<(NameFormat, f64)> {
    let total = samples.len() as f64;
    let share = |fits: &dyn Fn(&str) -> bool| {
        samples.iter().filter(|name| fits(name)).count() as f64 / total
    };
    if share(&has_japanese) >= 0.5 {
        let spaced = share(&|name| name.contains(' '));
        let wide = share(&|name| name.contains('\u{3000}'));
        let (separator, share) = [
            (Separator::Space, spaced),
            (Separator::Wide, wide),
            (Separator::None, 1.0 - spaced - wide),
        ]
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
        return Some((
            NameFormat {
                given_first: false,
                separator,
                case: TextFormat::AsWritten,
            },
            share,
        ));
    }
    let (case, _) = super::text::recognise(samples);
    let comma = share(&|name| name.contains(','));
    let two = share(&|name| name.split_whitespace().count() >= 2);
    if comma >= 0.5 {
        return Some((
            NameFormat {
                given_first: false,
                separator: Separator::Comma,
                case,
            },
            comma,
        ));
    }
    Some((
        NameFormat {
            given_first: true,
            separator: Separator::Space,
            case,
        },
        two,
    ))
    .filter(|_| two > 0.0)
}
