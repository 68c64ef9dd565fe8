//! Names and readings.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

use super::super::fold::{ends, fold, fold_into, fold_kanji, has_japanese, is_kana, is_kanji};

/// What is put behind a Japanese name, longest first.
const JAPANESE_TITLES: [&str; 17] = [
    "ご家族様",
    "御一同様",
    "ちゃん",
    "チャン",
    "先生",
    "御中",
    "さま",
    "さん",
    "くん",
    "サマ",
    "サン",
    "クン",
    "様",
    "殿",
    "君",
    "嬢",
    "氏",
];

/// What is put behind a reading, as a word of its own.
const KANA_TITLES: [&str; 9] = [
    "様",
    "殿",
    "サマ",
    "さま",
    "サン",
    "さん",
    "チャン",
    "ちゃん",
    "クン",
];

const LATIN_TITLES: [&str; 12] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "sr", "jr", "esq",
];

/// Whether a word of a name, folded, is a title that stands alone: `mrs.`, 様.
pub fn is_title(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    LATIN_TITLES.contains(&word) || JAPANESE_TITLES.contains(&word)
}

/// A name is a line of at most so many characters.
const LONGEST: usize = 60;

/// A name of a person in any script: title and spaces gone, folded. Latin names as
/// [`latin_name_key`]. `None` for what no name looks like (digits, `@`, empty).
pub fn name_key(text: &str) -> Option<String> {
    let mut key = String::new();
    name_key_into(text, &mut key).then_some(key)
}

/// The same into a buffer, in place of what is in it; `false` for what no name looks like.
pub fn name_key_into(text: &str, key: &mut String) -> bool {
    key.clear();
    if text.len() > LONGEST * 4 {
        return false;
    }
    let plain = plain_name(untitled(text).chars(), &mut |letter| key.push(letter));
    plain.is_some() || read_name(text, key)
}

/// A name without the title that whole lists have, where it is sure to be one; with it where it is not.
pub fn untitled(text: &str) -> &str {
    let name = text.strip_suffix('様').map(str::trim);
    // ご家族様 and 御一同様 are titles, too; what is left of a name has two letters.
    let sure = |name: &&str| !name.ends_with(['族', '同']) && name.chars().nth(1).is_some();
    name.filter(sure).unwrap_or(text)
}

/// A name that is not as nearly all are.
fn read_name(text: &str, key: &mut String) -> bool {
    key.clear();
    if !has_japanese(text) {
        key.push_str(latin_name_key(text).as_deref().unwrap_or_default());
        return !key.is_empty();
    }
    fold_into(text, key);
    let strange = |byte| {
        matches!(
            byte,
            b'0'..=b'9'
                | b'@'
                | b'/'
                | b'\\'
                | b'#'
                | b'"'
                | b'<'
                | b'>'
                | b':'
                | b';'
                | b'_'
                | b'='
        )
    };
    if key.bytes().any(strange) {
        return false;
    }
    strip_title(key);
    let parts = |c| matches!(c, ' ' | '・' | '.' | ',' | '、');
    if key.contains(parts) {
        key.retain(|c| !parts(c));
    }
    !key.is_empty()
}

/// Gives the letters of the key of a name of ideographs and kana as nearly all are written, without the way over the
/// folded text, and says whether there is an ideograph among them; `None` where the name is not sure to be such a one,
/// and some of them may have been given.
pub fn plain_name(text: impl Iterator<Item = char>, give: &mut impl FnMut(char)) -> Option<bool> {
    let codes = &*PLAIN;
    // The code of the last letter, all of them together, and whether a gap has stood behind the last.
    let (mut last, mut all, mut parted) = (0, 0, false);
    for c in text {
        let mut code = *codes.get(c as usize)?;
        if code & SIGN != 0 {
            let before = if parted { GAP } else { letter_of(last)? };
            match letter_of(code)? {
                GAP => {
                    parted = true;
                    continue;
                }
                STRANGE => return None,
                // 佐々木 is 佐佐木.
                '々' if is_kanji(before) => code = last,
                'ー' if !is_kana(before) => return None,
                _ => {}
            }
        }
        give(letter_of(code)?);
        all |= code;
        (last, parted) = (code, false);
    }
    (last != 0 && last & TITLE == 0).then_some(all & KANJI != 0)
}

/// Stands for what parts a name's words.
const GAP: char = ' ';
/// Stands for a letter that wants a closer look.
const STRANGE: char = '\0';
/// What a letter is folded to, in its code.
const LETTER: u32 = 0xFFFF;
/// It is written as an ideograph.
const KANJI: u32 = 1 << 16;
/// A title may end with it.
const TITLE: u32 = 1 << 17;
/// What it is hangs on the letters beside it, or it is none.
const SIGN: u32 = 1 << 18;
/// A kana of half width, which may be joined with a sound mark first.
const HALF: u32 = 1 << 19;
/// A kana that ends with an O, or with a U.
const ON_O: u32 = 1 << 20;
const ON_U: u32 = 1 << 21;
/// Behind such a one it only makes the vowel longer.
const LENGTHENS_O: u32 = ON_O << LENGTHENS;
const LENGTHENS_U: u32 = ON_U << LENGTHENS;
const LENGTHENS: u32 = 2;

/// The letter of a code.
#[inline]
fn letter_of(code: u32) -> Option<char> {
    char::from_u32(code & LETTER)
}

/// What letters of names are folded to, with what is known of them.
static PLAIN: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let code = |code: u32| {
        let (folded, kanji) = match char::from_u32(code) {
            Some(' ' | '\u{3000}') => (GAP, 0),
            Some(c @ ('\u{4E00}'..='\u{9FA5}' | '々')) => (fold_kanji(c), KANJI),
            Some(c @ ('ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー')) => (fold_kanji(c), 0),
            _ => (STRANGE, 0),
        };
        let titled = |title: &&str| title.ends_with(folded);
        let title = match JAPANESE_TITLES.iter().any(titled) {
            true => TITLE,
            false => 0,
        };
        let sign = match folded {
            GAP | STRANGE | '々' | 'ー' => SIGN,
            _ => 0,
        };
        folded as u32 | kanji | title | sign
    };
    (0..=LETTER).map(code).collect()
});

/// Gives the letters of the key of a reading in kana of either width, in the same way; whether it is sure to be one.
pub fn plain_kana(text: impl Iterator<Item = char> + Clone, give: &mut impl FnMut(char)) -> bool {
    let codes = &*PLAIN_KANA;
    let code_of = |c: char| codes.get(c as usize).copied();
    let (mut before, mut last, mut parted) = (0, 0, false);
    let mut rest = text;
    while let Some(c) = rest.next() {
        let Some(mut code) = code_of(c) else {
            return false;
        };
        if code & (SIGN | HALF) != 0 {
            let Some(mut letter) = letter_of(code) else {
                return false;
            };
            match letter {
                GAP => {
                    parted = true;
                    continue;
                }
                'ー' => continue,
                STRANGE => return false,
                _ => {}
            }
            let mark = match rest.clone().next() {
                Some('ﾞ') => Some('\u{3099}'),
                Some('ﾟ') => Some('\u{309A}'),
                _ => None,
            };
            if let Some(mark) = mark {
                let Some(voiced) = compose(letter, mark) else {
                    return false;
                };
                letter = voiced;
                rest.next();
            }
            code = code_of(letter).unwrap_or_default();
        }
        if code >> LENGTHENS & last & (ON_O | ON_U) == 0 {
            give(letter_of(code).unwrap_or(STRANGE));
            (before, last) = (last, code);
        }
    }
    // Behind a gap there may be a title: サマ, サン, クン or チャン.
    let end = (letter_of(before), letter_of(last));
    let titled = matches!(
        end,
        (Some('サ'), Some('マ')) | (Some('サ' | 'ク' | 'ヤ'), Some('ン'))
    );
    last != 0 && !(parted && titled)
}

/// What letters of readings are compared as, and those of half width in full; ー for what is passed over.
static PLAIN_KANA: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let large = |code: u32| match char::from_u32(code) {
        Some(' ' | '\u{3000}') => (GAP, SIGN),
        Some('ー' | 'ｰ' | '・') => ('ー', SIGN),
        Some(c @ ('ぁ'..='ゖ' | 'ァ'..='ヺ')) => {
            let large = large_katakana(c);
            let kinds = [
                (lengthens(large, 'オ'), ON_O),
                (lengthens(large, 'ウ') && !lengthens(large, 'オ'), ON_U),
                (lengthens('オ', large), LENGTHENS_O),
                (lengthens('ウ', large), LENGTHENS_U),
            ];
            let kinds = kinds.into_iter().filter(|(is_such, _)| *is_such);
            (large, kinds.fold(0, |all, (_, kind)| all | kind))
        }
        Some(c @ 'ｦ'..='ﾝ') => {
            let wide = fold(c.encode_utf8(&mut [0; 4]));
            (wide.chars().next().unwrap_or(STRANGE), HALF)
        }
        _ => (STRANGE, SIGN),
    };
    (0..=LETTER)
        .map(large)
        .map(|(letter, kind)| letter as u32 | kind)
        .collect()
});

fn strip_title(name: &mut String) {
    for title in JAPANESE_TITLES {
        // Two characters must be left: 殿 and さん begin or are names by themselves.
        if !ends(name, title) {
            continue;
        }
        let rest = name[..name.len() - title.len()].trim_end();
        if rest.chars().count() >= 2 {
            let keep = rest.len();
            name.truncate(keep);
            return;
        }
    }
}

/// The reading of a name (or of an address): any width, hiragana or katakana, small kana made large,
/// long vowels and spaces gone, ヅ as ズ and ヲ as オ. `None` unless the text is kana throughout.
///
/// オオノ, オウノ and オーノ are one key, and so is オノ: over the seed names two random people share a
/// family name's key 1.007 times as often as with the vowels written, and a given name's 1.01 times.
pub fn kana_key(text: &str) -> Option<String> {
    let mut key = String::new();
    kana_key_into(text, &mut String::new(), &mut key).then_some(key)
}

/// The same into a buffer, in place of what is in it; `false` for what no reading is. Another buffer takes the folded
/// text.
pub fn kana_key_into(text: &str, folded: &mut String, key: &mut String) -> bool {
    key.clear();
    if text.is_ascii() || text.len() > LONGEST * 4 {
        return false;
    }
    plain_kana(text.chars(), &mut |letter| key.push(letter)) || read_kana(text, folded, key)
}

/// A reading that is not as nearly all are.
fn read_kana(text: &str, folded: &mut String, key: &mut String) -> bool {
    key.clear();
    fold_into(text, folded);
    let titled = folded
        .rsplit_once(' ')
        .filter(|(_, title)| KANA_TITLES.contains(title));
    let body = titled
        .map_or(folded.as_str(), |(name, _)| name)
        .trim_end_matches(['様', '殿']);
    let mut last = ' ';
    for c in body.chars() {
        match c {
            ' ' | 'ー' | '-' | '~' | '・' | '.' | ',' | '\u{3099}' | '\u{309A}' => {}
            c if is_kana(c) => {
                let large = large_katakana(c);
                if !lengthens(last, large) {
                    key.push(large);
                    last = large;
                }
            }
            _ => return false,
        }
    }
    !key.is_empty()
}

/// Kana that end with an O, of which オ and ウ are a longer one, and those that end with a U.
const O_ROW: [char; 14] = [
    'オ', 'コ', 'ソ', 'ト', 'ノ', 'ホ', 'モ', 'ヨ', 'ロ', 'ゴ', 'ゾ', 'ド', 'ボ', 'ポ',
];
const U_ROW: [char; 13] = [
    'ウ', 'ク', 'ス', 'ツ', 'ヌ', 'フ', 'ム', 'ユ', 'ル', 'グ', 'ズ', 'ブ', 'プ',
];

/// Whether a kana only makes the vowel before it longer: オオ, コウ, ユウ.
fn lengthens(before: char, c: char) -> bool {
    match c {
        'ウ' => O_ROW.contains(&before) || U_ROW.contains(&before),
        'オ' => O_ROW.contains(&before),
        _ => false,
    }
}

fn large_katakana(c: char) -> char {
    // The hiragana block lies 0x60 below the katakana block.
    let katakana = match c {
        '\u{3041}'..='\u{3096}' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        _ => c,
    };
    match katakana {
        'ァ' => 'ア',
        'ィ' | 'ヰ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' | 'ヱ' => 'エ',
        'ォ' | 'ヲ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヅ' => 'ズ',
        'ヂ' => 'ジ',
        other => other,
    }
}

/// A name in Latin letters: accents, titles, `Jr`, middle initials and punctuation gone, the words in
/// alphabetical order, because `Family, Given` and `Given Family` are the same person.
pub fn latin_name_key(text: &str) -> Option<String> {
    if text.len() > LONGEST * 2 {
        return None;
    }
    let plain: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        let folded = fold(text);
        folded.nfd().filter(|c| !is_combining_mark(*c)).collect()
    };
    let letter = |c: char| c.is_alphabetic() && !has_japanese(c.encode_utf8(&mut [0; 4]));
    let allowed =
        |c: char| letter(c) || matches!(c, ' ' | '\t' | '-' | '\'' | '.' | ',' | '(' | ')');
    if !plain.chars().all(allowed) {
        return None;
    }
    // O'Brien is one word, Smith-Jones two.
    let joined: String = plain.chars().filter(|c| !matches!(c, '\'' | '.')).collect();
    let all: Vec<&str> = joined
        .split(|c| !letter(c))
        .filter(|word| !word.is_empty())
        .collect();
    let mut words: Vec<&str> = all
        .iter()
        .copied()
        .filter(|word| !LATIN_TITLES.contains(word) && !matches!(*word, "ii" | "iii" | "iv"))
        .collect();
    if words.iter().filter(|word| word.len() > 1).count() >= 2 {
        words.retain(|word| word.len() > 1);
    }
    if words.is_empty() {
        words = all;
    }
    words.sort_unstable();
    let key = words.join(" ");
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_name_has_one_key() {
        for same in [
            &[
                "佐藤 架子",
                "佐藤　架子",
                "佐藤架子様",
                "佐藤 架子 殿",
                " 佐藤架子さん",
                "佐藤架子君",
                "佐藤 架子 ご家族様",
            ][..],
            &["澤田 德子", "沢田徳子"],
            &["磯崎 聡", "礒﨑　聰"],
            &["吉田 斎", "𠮷田 齋", "吉田齊", "吉田 斉"],
            &["葛\u{E0101}西 瑠美", "葛西 璢美"],
            &["髙橋 一郎", "高橋一郎"],
            &["渡邉恵", "渡辺 惠", "渡邊恵"],
            &["佐々木 実", "佐佐木實"],
            &[
                "John Q. Sample",
                "SAMPLE, JOHN",
                "Mr. John Sample",
                "john sample jr",
                "Ｊｏｈｎ　Ｓａｍｐｌｅ",
            ],
            &["José Núñez", "JOSE NUNEZ"],
            &["Ann O'Brien", "OBRIEN ANN", "Ann O’Brien"],
        ] {
            let keys: Vec<_> = same.iter().map(|name| name_key(name)).collect();
            assert!(
                keys[0].is_some() && keys.iter().all(|key| key == &keys[0]),
                "{same:?}: {keys:?}"
            );
        }
    }

    #[test]
    fn what_is_no_name_has_no_key() {
        for text in [
            "",
            "  ",
            "090-0123-4567",
            "a@b.example",
            "1972/04/01",
            "東京都千代田区1-2",
        ] {
            assert_eq!(name_key(text), None, "{text}");
        }
        assert_eq!(
            name_key("様").as_deref(),
            Some("様"),
            "a title alone is not stripped away"
        );
        assert_eq!(latin_name_key("Sr").as_deref(), Some("sr"));
    }

    #[test]
    fn one_reading_has_one_key() {
        for same in [
            &[
                "ヤマダ タロウ",
                "ﾔﾏﾀﾞ ﾀﾛｳ",
                "やまだ　たろう",
                "ヤマダタロウ",
                "ヤマダ　タロウ様",
            ][..],
            &["オオツカ キョウコ", "ｵｵﾂｶ ｷﾖｳｺ", "おおつか きょうこ"],
            &[
                "オーノ",
                "ｵ-ﾉ",
                "オ―ノ",
                "オノ",
                "オオノ",
                "おおの",
                "オウノ",
                "オオーノ",
            ],
            &[
                "ヤマダ ユウコ",
                "ヤマダ ユーコ",
                "ﾔﾏﾀﾞ ﾕｳｺ サマ",
                "やまだ ゆうこ さん",
            ],
            &["コウノ リョウ", "コーノ リョー", "ｺｳﾉ ﾘﾖｳ"],
            &["ミヅキ", "ミズキ", "みずき"],
        ] {
            let keys: Vec<_> = same.iter().map(|name| kana_key(name)).collect();
            assert!(
                keys[0].is_some() && keys.iter().all(|key| key == &keys[0]),
                "{same:?}: {keys:?}"
            );
        }
        for text in ["", "山田", "ヤマダ太郎", "yamada", "ヤマダ1", "ー"] {
            assert_eq!(kana_key(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_to_a_name_is_the_same(text in "[一-龠々高髙邊ぁ-ゖァ-ヺーん様君子族 　a・]{0,7}様?") {
            let (mut short, mut long) = (String::new(), String::new());
            let name = untitled(&text);
            let kanji = plain_name(name.chars(), &mut |letter| short.push(letter));
            if let Some(kanji) = kanji {
                prop_assert_eq!(kanji, name.chars().any(|c| is_kanji(c) || c == '々'));
                prop_assert!(read_name(&text, &mut long), "{text}");
                prop_assert_eq!(short, long);
            }
        }

        #[test]
        fn the_short_way_to_a_reading_is_the_same(text in "[ぁ-ゖァ-ヺｦ-ﾟｯｳｶﾊﾞﾟー・ 　様a]{0,8}") {
            let (mut short, mut long) = (String::new(), String::new());
            if plain_kana(text.chars(), &mut |letter| short.push(letter)) {
                prop_assert!(read_kana(&text, &mut String::new(), &mut long), "{text}");
                prop_assert_eq!(short, long);
            }
        }
    }

    #[test]
    fn most_names_go_the_short_way() {
        let plain = |name: &str| plain_name(untitled(name).chars(), &mut |_| ());
        for name in ["佐々木 架子", "髙橋　一郎", "山本さくら", "佐藤　架子　様"]
        {
            assert_eq!(plain(name), Some(true), "{name}");
        }
        assert_eq!(plain("さくら"), Some(false));
        for name in [
            "佐藤御一同様",
            "佐様",
            "佐藤殿",
            "佐藤 れん",
            "Kako Sato",
            "佐藤１",
            "　",
        ] {
            assert_eq!(plain(name), None, "{name}");
        }
        for (kana, read) in [
            ("ﾀｶﾊｼ ｼﾞｮｳｼﾞ", "タカハシジヨジ"),
            ("さとう　かこ", "サトカコ"),
            ("オーノ", "オノ"),
            ("ｻﾄｳ ﾚﾝ", "サトレン"),
        ] {
            let mut key = String::new();
            assert!(
                plain_kana(kana.chars(), &mut |letter| key.push(letter)),
                "{kana}"
            );
            assert_eq!(key, read);
        }
        for titled in ["サトウ サマ", "さとう　さん", "ｻﾄｳ ｸﾝ", "サトウ チャン"]
        {
            assert!(!plain_kana(titled.chars(), &mut |_| ()), "{titled}");
            assert_eq!(kana_key(titled).as_deref(), Some("サト"), "{titled}");
        }
    }
}
