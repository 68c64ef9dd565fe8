//! Postcodes and ZIP codes.

use super::super::{Region, postcode_key};
use super::widen;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Style {
    Hyphen,
    Plain,
    MarkHyphen,
    MarkPlain,
    /// A number, without leading zeros.
    Number,
}

/// How a postcode is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostcodeFormat {
    region: Region,
    style: Style,
    wide: bool,
}

impl PostcodeFormat {
    pub(super) fn usual(region: Region) -> PostcodeFormat {
        let style = if region == Region::Jp {
            Style::Hyphen
        } else {
            Style::Plain
        };
        PostcodeFormat {
            region,
            style,
            wide: false,
        }
    }

    pub(super) fn all() -> impl Iterator<Item = PostcodeFormat> {
        use Style::*;
        let japanese =
            [Hyphen, Plain, MarkHyphen, MarkPlain, Number].map(|style| (Region::Jp, style));
        let american = [Plain, Number].map(|style| (Region::Us, style));
        let all = japanese.into_iter().chain(american);
        let narrow = all.clone().map(|(region, style)| PostcodeFormat {
            region,
            style,
            wide: false,
        });
        let wide = all
            .filter(|(region, style)| *region == Region::Jp && *style != Number)
            .map(|(region, style)| PostcodeFormat {
                region,
                style,
                wide: true,
            });
        narrow.chain(wide)
    }

    pub(super) fn example(&self) -> String {
        self.write(if self.region == Region::Jp {
            "0600001"
        } else {
            "02134"
        })
    }

    /// The country whose codes these are.
    pub fn region(&self) -> Region {
        self.region
    }

    /// Writes the digits of a postcode.
    pub fn write(&self, digits: &str) -> String {
        let hyphened = || match digits.split_at_checked(3) {
            Some((first, last)) => format!("{first}-{last}"),
            None => digits.to_owned(),
        };
        let text = match self.style {
            Style::Hyphen => hyphened(),
            Style::Plain => digits.to_owned(),
            Style::MarkHyphen => format!("〒{}", hyphened()),
            Style::MarkPlain => format!("〒{digits}"),
            Style::Number => digits.trim_start_matches('0').to_owned(),
        };
        if self.wide { widen(&text) } else { text }
    }

    /// The digits of a postcode in this column.
    pub fn read(&self, text: &str) -> Option<String> {
        postcode_key(text, Some(self.region))
    }
}

pub(super) fn recognise(samples: &[&str]) -> Option<(PostcodeFormat, f64)> {
    super::best(PostcodeFormat::all(), samples, |format, sample| {
        format
            .read(sample)
            .is_some_and(|digits| format.write(&digits) == *sample)
    })
}
