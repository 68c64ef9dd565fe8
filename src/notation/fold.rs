//! One spelling for what people, mainframes and spreadsheets spell in many ways.

use unicode_normalization::char::compose;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::kanji;

/// Folds a text: NFKC, lower case, one kind of dash and wave, single spaces, no variation selectors
/// or zero-width characters, new kanji for old (高 for 髙), 々 written out.
///
/// It is idempotent, and is applied to both sides of every comparison; nobody reads its result.
pub fn fold(text: &str) -> String {
    let mut folded = String::new();
    fold_into(text, &mut folded);
    folded
}

/// The same into a buffer, in place of what is in it: a list has ten cells to a row, and each would cost memory of its
/// own.
pub fn fold_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        fold_ascii(text, folded);
    } else if fold_common(text, folded).is_none() {
        *folded = fold_rare(text);
    }
}

fn fold_rare(text: &str) -> String {
    let mut folded = fold_once(text);
    // Dropping and lower-casing can bring a letter and a mark together that NFKC now composes; a
    // second pass over so rare a text is cheaper than a check of every other.
    for _ in 0..3 {
        if is_nfkc_quick(folded.chars()) == IsNormalized::Yes {
            break;
        }
        let again = fold_once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn fold_ascii(text: &str, out: &mut String) {
    let gap = |byte: u8| byte <= b' ' || byte == 0x7F;
    if !text.bytes().any(gap) {
        out.push_str(text);
        return out.make_ascii_lowercase();
    }
    for word in text.split(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out.make_ascii_lowercase();
}

/// Half-width katakana from U+FF66 to U+FF9D, in full width.
const WIDE: [char; 56] = [
    'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア', 'イ', 'ウ', 'エ', 'オ',
    'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ', 'テ', 'ト', 'ナ',
    'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ', 'ヤ', 'ユ',
    'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ン',
];

/// Folds a text of such letters as nearly all Japanese cells are made of, whose NFKC is known without its tables:
/// ASCII, its full-width forms, common ideographs, kana of both widths. The general way takes many times as long.
/// `None` for any other text, of which only a part is in the buffer then.
fn fold_common(text: &str, out: &mut String) -> Option<()> {
    let mut folded = Folded::new(text.len(), out);
    // Nearly all letters stay as they are, and are taken together.
    let mut staying = 0;
    for (at, c) in text.char_indices() {
        let stays = match c {
            '\u{4E00}'..='\u{9FA5}' => kanji::fold(c) == c,
            'ぁ'..='ゖ' | 'ァ'..='ヺ' | '0'..='9' | 'a'..='z' | '-' => true,
            _ => false,
        };
        if stays {
            folded.last = Some(c);
            continue;
        }
        folded.text.push_str(&text[staying..at]);
        staying = at + c.len_utf8();
        let plain = match c {
            '\u{00}'..='\u{7F}'
            | '\u{4E00}'..='\u{9FA5}'
            | 'ぁ'..='ゖ'
            | 'ァ'..='ヺ'
            | 'ー'
            | '々' => c,
            '\u{3000}' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0)?,
            '\u{FF66}'..='\u{FF9D}' => WIDE[c as usize - 0xFF66],
            // A half-width sound mark becomes one with the kana before it, which folding has left as it was.
            '\u{FF9E}' | '\u{FF9F}' => {
                let mark = if c == '\u{FF9E}' {
                    '\u{3099}'
                } else {
                    '\u{309A}'
                };
                compose(folded.text.pop()?, mark)?
            }
            _ => return None,
        };
        folded.push(plain);
    }
    folded.text.push_str(&text[staying..]);
    folded.done();
    Some(())
}

fn fold_once(text: &str) -> String {
    let mut out = String::new();
    let mut folded = Folded::new(text.len(), &mut out);
    let normal = text.chars().filter(|c| !is_invisible(*c)).nfkc();
    normal.for_each(|c| folded.push(c));
    folded.done();
    out
}

/// A text that is folded character by character, of what NFKC leaves.
struct Folded<'a> {
    text: &'a mut String,
    last: Option<char>,
}

impl Folded<'_> {
    fn new(length: usize, text: &mut String) -> Folded<'_> {
        text.clear();
        text.reserve(length);
        Folded { text, last: None }
    }

    fn push(&mut self, c: char) {
        // The commonest first.
        let plain = match c {
            '\u{4E00}'..='\u{9FFF}' => kanji::fold(c),
            '0'..='9' | 'a'..='z' | '-' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' => c,
            c if c.is_whitespace() || c.is_control() => {
                if self.last.is_none_or(|last| last == ' ') {
                    return;
                }
                ' '
            }
            '\u{2010}'..='\u{2015}'
            | '\u{2212}'
            | '\u{2043}'
            | '\u{02D7}'
            | '\u{2500}'
            | '\u{2501}'
            | '\u{2796}'
            | '\u{FE63}' => '-',
            // The long-vowel mark is one only behind kana; elsewhere somebody meant a hyphen.
            'ー' if !self.last.is_some_and(is_kana) => '-',
            '\u{301C}' | '\u{223C}' | '\u{FF5E}' | '\u{3030}' => '~',
            '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`' | '\u{00B4}' => '\'',
            '\u{201C}' | '\u{201D}' | '\u{2033}' => '"',
            '々' => self.last.filter(|last| is_kanji(*last)).unwrap_or('々'),
            c if c.is_ascii() => c.to_ascii_lowercase(),
            c if is_kanji(c) => kanji::fold(c),
            c => {
                // All but the last of a letter that lower-cases to several.
                let mut lower = c.to_lowercase();
                let mut kept = lower.next().unwrap_or(c);
                for more in lower {
                    self.text.push(kept);
                    kept = more;
                }
                kept
            }
        };
        self.text.push(plain);
        self.last = Some(plain);
    }

    fn done(self) {
        if self.text.ends_with(' ') {
            self.text.pop();
        }
    }
}

/// Variation selectors (among them those of ideographs), zero-width characters, soft hyphen, BOM.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{200B}'..='\u{200F}' | '\u{2060}'
        | '\u{FEFF}' | '\u{00AD}' | '\u{202A}'..='\u{202E}' | '\u{180B}'..='\u{180D}')
}

/// The form that stands for an ideograph and its variants: 高 for 髙. Any other letter stays.
pub fn fold_kanji(c: char) -> char {
    kanji::fold(c)
}

/// Whether `c` is an ideograph.
pub(super) fn is_kanji(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' | '々' | '〆')
}

/// Whether `c` is full-width kana, the long-vowel mark included.
pub(super) fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | 'ー')
}

/// Whether a text begins with a word. Of a list of words nearly all differ in the first letter, which is seen here
/// without a call.
#[inline]
pub(super) fn begins(text: &str, word: &str) -> bool {
    match (text.as_bytes(), word.as_bytes()) {
        ([a, b, c, ..], [d, e, f, ..]) if (a, b, c) != (d, e, f) => false,
        _ => text.starts_with(word),
    }
}

/// Whether a text ends with a word, in the same way.
#[inline]
pub(super) fn ends(text: &str, word: &str) -> bool {
    match (text.as_bytes(), word.as_bytes()) {
        ([.., a, b, c], [.., d, e, f]) if (a, b, c) != (d, e, f) => false,
        _ => text.ends_with(word),
    }
}

/// Whether a text is written in Japanese script in any part.
pub fn has_japanese(text: &str) -> bool {
    text.chars()
        .any(|c| is_kanji(c) || is_kana(c) || matches!(c, '\u{FF66}'..='\u{FF9F}'))
}

/// Whether a character turns the direction of what stands around it, so that a text shows as another one.
pub const fn turns(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text from outside, fit to be shown: it moves no cursor, and hides nothing.
pub fn tame(text: &str) -> String {
    let wild = |c: &char| c.is_control() || turns(*c);
    text.chars().filter(|c| !wild(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fold_common(text: &str) -> Option<String> {
        let mut folded = String::new();
        super::fold_common(text, &mut folded).map(|()| folded)
    }

    #[test]
    fn spellings_of_one_text_fold_alike() {
        for (one, other) in [
            ("髙橋", "高橋"),
            ("渡邊", "渡辺"),
            ("渡邉", "渡辺"),
            ("齋藤", "斉藤"),
            ("葛\u{E0100}城", "葛城"),
            ("濵﨑", "浜崎"),
            ("𠮷田", "吉田"),
            ("佐々木", "佐佐木"),
            ("ﾔﾏﾀﾞ　ﾀﾛｳ", "ヤマダ タロウ"),
            ("１２−３", "12-3"),
            ("12‐3", "12-3"),
            ("12ー3", "12-3"),
            ("１２－３", "12-3"),
            ("12―3", "12-3"),
            ("9〜12", "9～12"),
            ("  Ａｂｃ\u{3000}d ", "abc d"),
            ("㈱", "(株)"),
            ("\u{FEFF}abc", "ABC"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
        assert_eq!(
            fold("スカイタワー203"),
            "スカイタワー203",
            "a long vowel stays one"
        );
    }

    proptest! {
        #[test]
        fn words_are_found_at_either_end(text in "[あい丁a]{0,6}", word in "[あい丁a]{0,3}") {
            prop_assert_eq!(begins(&text, &word), text.starts_with(&word));
            prop_assert_eq!(ends(&text, &word), text.ends_with(&word));
        }

        #[test]
        fn what_was_in_the_buffer_does_not_matter(text in "[ -~]{0,12}|\\PC{0,12}", before in "\\PC{0,12}") {
            let mut folded = before;
            fold_into(&text, &mut folded);
            prop_assert_eq!(&folded, &fold(&text));
            if text.is_ascii() {
                let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
                prop_assert_eq!(folded, words.join(" ").to_lowercase());
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,12}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_short_way_is_the_same(text in "[\\x00-~Ａ-～０-９ァ-ヺぁ-ゖー々一-龠ｦ-ﾟ 　-]{0,12}") {
            if let Some(short) = fold_common(&text) {
                prop_assert_eq!(short, fold_once(&text));
            }
        }

        #[test]
        fn folding_japanese_twice_changes_nothing(text in "[ァ-ヺぁ-ゖー々一-龠０-９ｦ-ﾟ‐-―\u{FE0F}\u{3099} 　]{0,12}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
