//! The texts of a watch, all in one: a million canaries have tens of millions, and each of its own costs more than
//! what it says.

use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Texts, one behind the other, each behind its length, which is a letter or two of that code.
#[derive(Default)]
pub(super) struct Texts(String);

/// Where a text begins in [`Texts`], low byte first: a terabyte of them is more than any memory holds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub(super) struct Span([u8; 5]);

impl Span {
    /// Of no letters.
    pub const EMPTY: Span = Span([0; 5]);

    fn at(start: usize) -> Span {
        let [a, b, c, d, e, ..] = (start as u64).to_le_bytes();
        Span([a, b, c, d, e])
    }

    fn start(self) -> usize {
        let [a, b, c, d, e] = self.0;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]) as usize
    }
}

/// No record of a list is nearly as long.
const LONGEST: usize = (1 << 24) - 1;
/// A length of fewer bits is one letter; the others are two, of which the first tells what is above these bits.
const SHORT: u32 = 10;
/// What the first of two letters begins with: no letter of a short length does.
const LONG: u32 = 0x10000;

impl Texts {
    /// Of what [`Texts::all`] gave.
    pub fn of(all: String) -> Texts {
        Texts(all)
    }

    /// All of them, one behind the other.
    pub fn all(&self) -> &str {
        &self.0
    }

    /// Keeps a text; of one that is longer than any record of a list can be, its beginning.
    pub fn put(&mut self, text: &str) -> Span {
        if self.0.is_empty() {
            // The empty one.
            self.0.push('\0');
        }
        let text = &text[..text.floor_char_boundary(LONGEST)];
        let start = self.0.len();
        let length = text.len() as u32;
        let above = (length >> SHORT > 0).then_some(LONG | length >> SHORT);
        let letters = above.into_iter().chain([length & ((1 << SHORT) - 1)]);
        self.0.extend(letters.filter_map(char::from_u32));
        self.0.push_str(text);
        Span::at(start)
    }

    /// Gives room back that no text has taken.
    pub fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }

    /// A text that was kept here.
    pub fn get(&self, span: Span) -> &str {
        let mut rest = self.0[span.start()..].chars();
        let mut letter = || rest.next().map_or(0, u32::from);
        let length = match letter() {
            short @ ..LONG => short,
            above => (above - LONG) << SHORT | letter(),
        };
        &rest.as_str()[..length as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_what_was_put() {
        let mut texts = Texts::default();
        assert_eq!(texts.get(Span::EMPTY), "");
        let all = ["霞が関".to_owned(), String::new(), "a".to_owned()].into_iter();
        let lengths = [127, 128, 1_023, 1_024, 1_025, 70_000];
        let all = all.chain(lengths.map(|length| "b".repeat(length)));
        let put: Vec<_> = all.map(|text| (texts.put(&text), text)).collect();
        for (span, text) in put {
            assert_eq!(texts.get(span), text);
        }
        assert_eq!(texts.get(Span::EMPTY), "");
        let long = "あ".repeat(LONGEST / 3 + 1);
        let span = texts.put(&long);
        assert_eq!(texts.get(span).len(), LONGEST / 3 * 3);
    }
}
