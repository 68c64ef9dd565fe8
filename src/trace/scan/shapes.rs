//! How the rows of a list write their values: which kinds of digits, hyphens, spaces and signs.
//!
//! Two texts that are equal after folding can still be written in many ways. How common each way is in
//! this list, its own rows say; a canary that is written in a rare one was copied from where it was
//! planted. Thirty-two thousand shapes at the most are counted for each class and length, whatever the list
//! holds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::super::normalise::Class;

/// Rows by the shape in which they write a value of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shapes(HashMap<u32, u64>);

/// A shape takes this many bits; class and length stand above them.
const BITS: u32 = 15;

impl Shapes {
    /// Counts one row's value: its folded text, and what was written.
    pub fn count(&mut self, class: Class, text: &str, written: &str) {
        *self.0.entry(code(class, text, written)).or_default() += 1;
    }

    /// Adds another part's counts.
    pub fn add(&mut self, other: &Shapes) {
        for (code, rows) in &other.0 {
            *self.0.entry(*code).or_default() += rows;
        }
    }

    /// The share of the list's values of the same class and length that are written in the shape of
    /// this one, it among them: 1 where nothing is known.
    pub fn share(&self, class: Class, text: &str, written: &str) -> f64 {
        let code = code(class, text, written);
        let alike = self
            .0
            .iter()
            .filter(|(other, _)| *other >> BITS == code >> BITS);
        let all: u64 = alike.map(|(_, rows)| rows).sum();
        let same = self.0.get(&code).copied().unwrap_or_default();
        (same + 1) as f64 / (all + 1) as f64
    }
}

/// Class, length and shape in one number. Length is what folding leaves of it: how many numbers an
/// address has, how many digits a number; it decides which signs there can be.
fn code(class: Class, text: &str, written: &str) -> u32 {
    let length = match class {
        Class::Address | Class::Block => text.bytes().filter(|byte| *byte == b'-').count(),
        _ => text.chars().count(),
    };
    (class as u32) << (BITS + 4) | (length.min(15) as u32) << BITS | shape(written)
}

fn shape(written: &str) -> u32 {
    let mut digit_before = false;
    let mut shape = 0;
    for c in written.trim().chars() {
        let kind = match c {
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => 0,
            '0'..='9' => 1,
            '-' => 2,
            '－' => 3,
            '\u{2010}'..='\u{2015}' | '\u{2212}' => 4,
            'ー' if digit_before => 14,
            ' ' => 5,
            '\u{3000}' => 6,
            '丁' | '年' | '条' => 7,
            '地' | '月' => 8,
            '番' | '号' | '日' => 9,
            '\u{ff61}'..='\u{ff9f}' => 10,
            '\u{3041}'..='\u{3096}' => 11,
            'A'..='Z' => 12,
            '(' | ')' | '/' | '.' | '（' | '）' | '／' | '．' => 13,
            _ => {
                digit_before = false;
                continue;
            }
        };
        digit_before = kind <= 1;
        shape |= 1 << kind;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_way_of_writing_is_rare() {
        let mut shapes = Shapes::default();
        let key = "+819001234567";
        for row in 0..1_000 {
            let written = if row % 100 == 0 {
                "090(0123)4567"
            } else {
                "090-0123-4567"
            };
            shapes.count(Class::Phone, key, written);
        }
        let share = |written: &str| shapes.share(Class::Phone, key, written);
        assert!((share("090-0123-4567") - 0.99).abs() < 0.01);
        assert!((share("090(0123)4567") - 0.01).abs() < 0.002);
        assert!(share("０９０－０１２３－４５６７") < 0.002);
        // Nothing is known of landlines here, nor of names.
        assert_eq!(
            shapes.share(Class::Phone, "+81301234567", "03-0123-4567"),
            1.0
        );
        assert_eq!(shapes.share(Class::Name, "佐藤架子", "佐藤　架子"), 1.0);
        let mut twice = shapes.clone();
        twice.add(&shapes);
        assert_eq!(twice.0.values().sum::<u64>(), 2_000);
    }

    #[test]
    fn each_sign_makes_another_shape() {
        let ways = [
            "霞が関9-12-8 203",
            "霞が関９－１２－８　２０３",
            "霞が関9丁目12番8号 203",
            "霞が関9ー12ー8 203",
            "霞が関9−12−8 203",
            "霞が関9-12-8　203",
            "霞が関9-12-8(203)",
        ];
        let mut shapes: Vec<u32> = ways.iter().map(|way| shape(way)).collect();
        shapes.sort_unstable();
        shapes.dedup();
        assert_eq!(shapes.len(), ways.len());
        assert_eq!(shape("佐藤 架子"), shape("鈴木 一郎"));
        assert_eq!(
            shape("スカイタワー"),
            shape("ハイツ"),
            "a long vowel is no hyphen"
        );
    }
}
