//! The texts of a watch, all in one: a million canaries have tens of millions, and each of its own costs more than
//! what it says.

use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Texts, one behind the other.
#[derive(Default)]
pub(super) struct Texts(String);

/// Where a text stands in [`Texts`]: its start, and in the lowest [`LENGTH`] bits its length.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, FromBytes, IntoBytes, Immutable,
)]
pub(super) struct Span(u64);

impl Span {
    /// Of no letters.
    pub const EMPTY: Span = Span(0);
}

/// Bits of a length. No record of a list is nearly as long.
const LENGTH: u32 = 24;
const LONGEST: usize = (1 << LENGTH) - 1;

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
        let text = &text[..text.floor_char_boundary(LONGEST)];
        let start = self.0.len() as u64;
        self.0.push_str(text);
        Span(start << LENGTH | text.len() as u64)
    }

    /// Gives room back that no text has taken.
    pub fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }

    /// A text that was kept here.
    pub fn get(&self, span: Span) -> &str {
        let start = (span.0 >> LENGTH) as usize;
        let length = span.0 as usize & LONGEST;
        &self.0[start..start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_what_was_put() {
        let mut texts = Texts::default();
        let put = ["霞が関", "", "a", "あ"].map(|text| (text, texts.put(text)));
        for (text, span) in put {
            assert_eq!(texts.get(span), text);
        }
        assert_eq!(texts.get(Span::EMPTY), "");
        let long = "あ".repeat(LONGEST / 3 + 1);
        let span = texts.put(&long);
        assert_eq!(texts.get(span).len(), LONGEST / 3 * 3);
    }
}
