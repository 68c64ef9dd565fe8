//! Breaking text into lines: words at spaces, Japanese between any two characters but where the
//! rules of kinsoku forbid it.

use super::fonts::{Fonts, Weight};
use crate::report::page::{Piece, Text, printed_blank};

/// How a stretch of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its weight.
    pub weight: Weight,
    /// A blank that somebody has to fill in.
    pub blank: bool,
}

const PLAIN: Look = Look {
    weight: Weight::Regular,
    blank: false,
};

/// A character and its look.
pub type Letter = (char, Look);

/// A text as letters; `strong` sets all of it in bold.
pub fn letters(text: &Text, strong: bool) -> Vec<Letter> {
    let weight = if strong {
        Weight::Bold
    } else {
        Weight::Regular
    };
    let mut letters = Vec::new();
    for piece in &text.0 {
        let (words, look) = match piece {
            Piece::Plain(words) => (words.clone(), Look { weight, ..PLAIN }),
            Piece::Strong(words) => (
                words.clone(),
                Look {
                    weight: Weight::Bold,
                    ..PLAIN
                },
            ),
            Piece::Blank(what) => (
                printed_blank(what),
                Look {
                    weight,
                    blank: true,
                },
            ),
        };
        letters.extend(words.chars().map(|character| (character, look)));
    }
    letters
}

/// Characters that no line may begin with.
const NOT_FIRST: &str = "、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝〕〉》」』】〙〗｠»’”ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ‐–〜～…‥,.:;?!)]}%％°′″";
/// Characters that no line may end with.
const NOT_LAST: &str = "（［｛〔〈《「『【〘〖｟«‘“([{￥¥＄$£第";

fn is_wide(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a line may end between the two.
fn may_break(before: char, after: char) -> bool {
    if before == ' ' {
        return after != ' ';
    }
    if after == ' ' || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    is_wide(before)
        || is_wide(after)
        // The line of a blank stays whole.
        || (matches!(before, '-' | '/' | '_' | '@') && after != '_')
}

/// Breaks letters into lines of at most `width` at `size`. A stretch that fits no line (a hash, a long
/// address) is broken anywhere.
pub fn break_lines(
    letters: &[Letter],
    fonts: &Fonts<'_>,
    size: f32,
    width: f32,
) -> Vec<Vec<Letter>> {
    let mut lines = Vec::new();
    for paragraph in letters.split(|(character, _)| *character == '\n') {
        fill(paragraph, fonts, size, width, &mut lines);
    }
    lines
}

fn fill(
    letters: &[Letter],
    fonts: &Fonts<'_>,
    size: f32,
    width: f32,
    lines: &mut Vec<Vec<Letter>>,
) {
    let measure = |(character, look): &Letter| {
        let mut buffer = [0; 4];
        fonts.width(look.weight, character.encode_utf8(&mut buffer)) * size
    };
    let mut start = 0;
    loop {
        let mut used = 0.0;
        let mut end = start;
        // The last place in this line at which it may end.
        let mut good = None;
        while end < letters.len() {
            let next = measure(&letters[end]);
            if used + next > width && letters[end].0 != ' ' && end > start {
                break;
            }
            used += next;
            end += 1;
            if end < letters.len() && may_break(letters[end - 1].0, letters[end].0) {
                good = Some((end, used));
            }
        }
        // A break that leaves half of the line empty is worse than one inside of a key or a hash.
        if end < letters.len()
            && let Some((place, _)) =
                good.filter(|(_, used)| *used > width * 0.5 || !is_hash(&letters[start..end]))
        {
            end = place;
        }
        let mut line = letters[start..end].to_vec();
        while line.last().is_some_and(|(character, _)| *character == ' ') {
            line.pop();
        }
        lines.push(line);
        start = end;
        if start >= letters.len() {
            return;
        }
    }
}

/// Whether the last word of these is longer than words are: a key, a hash.
fn is_hash(letters: &[Letter]) -> bool {
    let word = letters.iter().rev();
    let word = word.take_while(|(c, _)| *c != ' ' && !is_wide(*c));
    word.count() > 30
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinsoku_holds() {
        for (before, after) in [
            ('い', '。'),
            ('「', '囮'),
            ('ち', 'ょ'),
            ('a', 'b'),
            ('3', '%'),
            ('第', '8'),
            ('1', '2'),
            ('_', '_'),
            ('_', ']'),
        ] {
            assert!(!may_break(before, after), "{before}{after}");
        }
        for (before, after) in [
            ('囮', '漏'),
            ('。', '次'),
            (' ', 'a'),
            ('は', 'S'),
            ('-', 'x'),
        ] {
            assert!(may_break(before, after), "{before}{after}");
        }
    }
}
