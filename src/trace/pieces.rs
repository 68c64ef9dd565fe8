//! A cell that holds several values: '山田 太郎 様 090-0123-4567 東京都…', or a whole line of text.

/// A cell of more words is a text, in which nobody looks for names.
const MOST_WORDS: usize = 40;

/// The pieces that may be values: single words, two or three words without digits (a name with its
/// title), and from each word with a digit, or the one before it, all that follows and is no contact
/// point (an address). Nothing for a cell of one value.
pub(super) fn pieces(cell: &str) -> Vec<&str> {
    let words = words(cell);
    let has_digit = |word: &str| {
        word.chars()
            .any(|c| c.is_ascii_digit() || ('０'..='９').contains(&c))
    };
    let numbers = words.iter().filter(|(_, word)| has_digit(word)).count();
    if words.len() < 2 || words.len() > MOST_WORDS || words.len() == 2 && numbers == 0 {
        return Vec::new();
    }
    let end = |at: usize| words[at].0 + words[at].1.len();
    let mut pieces: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    for (at, (start, word)) in words.iter().enumerate() {
        let plain = |at: usize| {
            words
                .get(at)
                .is_some_and(|(_, word)| !has_digit(word) && !word.contains(['@', '＠']))
        };
        for length in [2, 3] {
            if (at..at + length).all(plain) {
                pieces.push(&cell[*start..end(at + length - 1)]);
            }
        }
        if has_digit(word) && !is_contact(word) {
            let last = (at..words.len())
                .take_while(|at| !is_contact(words[*at].1))
                .last();
            let last = last.unwrap_or(at);
            for first in [at, at.saturating_sub(1)] {
                if last > first {
                    pieces.push(&cell[words[first].0..end(last)]);
                }
            }
        }
    }
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// The words of a cell, each with its place.
fn words(cell: &str) -> Vec<(usize, &str)> {
    let parts =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '、' | '，' | '|' | '\t' | '／');
    let mut start = 0;
    let mut words = Vec::new();
    for word in cell.split_inclusive(parts) {
        let bare = word.trim_end_matches(parts);
        if !bare.is_empty() {
            words.push((start, bare));
        }
        start += word.len();
    }
    words
}

/// A mail address, or as many digits as a telephone number has.
fn is_contact(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().any(char::is_alphabetic);
    word.contains(['@', '＠']) || digits >= 9 && !letters
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn every_value_of_a_merged_cell_is_a_piece() {
        let cell = "山田 太郎 様 090-0123-4567 千代田区霞が関 9-12-8 霞ハイツ203 a@b.example";
        let pieces = pieces(cell);
        for value in [
            "山田 太郎",
            "山田 太郎 様",
            "090-0123-4567",
            "千代田区霞が関 9-12-8 霞ハイツ203",
            "a@b.example",
        ] {
            assert!(pieces.contains(&value), "{value}: {pieces:?}");
        }
    }

    #[test]
    fn a_cell_of_one_value_has_no_pieces() {
        for cell in ["", "山田太郎", "山田 太郎", "090-0123-4567", "a@b.example"] {
            assert!(pieces(cell).is_empty(), "{cell}");
        }
    }
}
