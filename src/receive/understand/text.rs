//! Text from strangers, made fit to be shown.

use crate::notation::turns;

/// Longest text kept, in characters.
const LONGEST: usize = 200;

/// One line without control characters, without marks that turn the direction of writing around
/// (they make `gpj.exe` look like `exe.jpg`), and not too long.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control() || turns(c))
        .filter(|word| !word.is_empty());
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_a_line() {
        assert_eq!(one_line(" a\r\n\tb \u{1b}[31mc\u{202e}d "), "a b [31mc d");
        assert_eq!(one_line(&"囮".repeat(500)).chars().count(), 201);
    }

    proptest! {
        #[test]
        fn nothing_steers_a_terminal(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.contains(char::is_control));
            prop_assert!(line.chars().count() <= LONGEST + 1);
        }
    }
}
