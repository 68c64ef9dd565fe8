//! Widths that only mainframes and forms still use.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// ASCII in full width.
pub fn wide(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        other => other,
    };
    text.chars().map(wide).collect()
}

static HALF: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for half in '\u{ff66}'..='\u{ff9d}' {
        for mark in ["", "\u{ff9e}", "\u{ff9f}"] {
            let half = format!("{half}{mark}");
            let full: String = half.nfkc().collect();
            if full.chars().count() == 1 {
                table.insert(full, half);
            }
        }
    }
    table
});

/// Katakana in half width, ﾀﾞ in two characters.
pub fn half_width_kana(text: &str) -> String {
    let half = |c: char| match c {
        '\u{3000}' => " ".to_owned(),
        c => HALF
            .get(c.encode_utf8(&mut [0; 4]) as &str)
            .cloned()
            .unwrap_or_else(|| c.to_string()),
    };
    text.chars().map(half).collect()
}
