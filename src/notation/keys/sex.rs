//! Sex.

use super::super::fold::fold;
use crate::persona::Sex;

/// Sex in words, letters or the codes of ISO 5218 (1 male, 2 female). 0 and 1 have no common meaning:
/// a column that uses them needs its own [`super::super::SexFormat`].
pub fn sex_key(text: &str) -> Option<Sex> {
    if text.len() > 24 {
        return None;
    }
    match fold(super::bare(text)).as_str() {
        "m" | "male" | "man" | "boy" | "1" | "01" | "男" | "男性" | "男子" | "男児" | "おとこ"
        | "オトコ" | "ダンセイ" | "♂" => Some(Sex::Male),
        "f" | "female" | "woman" | "girl" | "2" | "02" | "女" | "女性" | "女子" | "女児"
        | "おんな" | "オンナ" | "ジョセイ" | "♀" | "w" => Some(Sex::Female),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_letters_and_codes() {
        for text in ["M", "ｍ", "male", "男", "男性", "1"] {
            assert_eq!(sex_key(text), Some(Sex::Male), "{text}");
        }
        for text in ["F", "Ｆ", "Female", "女", "女性", "2"] {
            assert_eq!(sex_key(text), Some(Sex::Female), "{text}");
        }
        for text in ["", "0", "9", "不明", "x"] {
            assert_eq!(sex_key(text), None, "{text}");
        }
    }
}
