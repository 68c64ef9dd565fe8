//! The shape of a text: which kinds of letters stand in it, and what parts them.

/// Digits as 9, Latin letters as A and a, kanji, hiragana and katakana each as one of theirs, their half-
/// and full-width forms likewise; a run of one kind is written once with `+`. What is no letter stays.
pub(super) fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut last = None;
    let mut run = false;
    for c in text.chars() {
        let kind = kind(c);
        if last == Some(kind) && kind.is_alphanumeric() {
            if !run {
                out.push('+');
            }
            run = true;
            continue;
        }
        out.push(kind);
        (last, run) = (Some(kind), false);
    }
    out
}

fn kind(c: char) -> char {
    match c {
        '0'..='9' => '9',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '\u{FF10}'..='\u{FF19}' => '９',
        '\u{FF21}'..='\u{FF3A}' => 'Ａ',
        '\u{FF41}'..='\u{FF5A}' => 'ａ',
        '\u{3041}'..='\u{309F}' => 'あ',
        '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' => 'ア',
        '\u{FF66}'..='\u{FF9F}' => 'ｱ',
        c if c.is_lowercase() => 'a',
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => '漢',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn letters_are_told_by_their_kind() {
        assert_eq!(shape("千代田区霞が関1-2-30"), "漢+あ漢9-9-9+");
        assert_eq!(shape("ﾔﾏﾀﾞ ﾀﾛｳ"), "ｱ+ ｱ+");
        assert_eq!(shape("O'Brien"), "A'Aa+");
        assert_eq!(shape("０９０－"), "９+－");
        assert_eq!(shape(""), "");
    }
}
