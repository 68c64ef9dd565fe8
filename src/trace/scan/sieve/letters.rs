//! What each code unit of an encoding folds to, in one table.
//!
//! The truth about folding is [`fold`] and the keys of `notation`; the table only remembers what they
//! say about each character by itself. A character is plain where they say the same in every
//! surrounding; the few that hang on what stands before them (the long-vowel mark, 々, the voicing
//! marks of half-width kana) have a rule of their own here. Whatever else there is, is odd: a cell
//! that holds it is left to `notation`.

use encoding_rs::SHIFT_JIS;
use unicode_normalization::char::canonical_combining_class;

use crate::notation::{fold, has_japanese, kana_key, name_key};

/// What a character folds to (the low 16 bits) and how it behaves (the flags above).
pub type Letter = u32;

/// Its meaning hangs on more than itself.
pub const ODD: Letter = 1 << 16;
/// Nothing remains of it.
const DROP: Letter = 1 << 17;
/// A long-vowel mark behind kana, a hyphen elsewhere.
const LONG: Letter = 1 << 18;
/// The kanji before it once more.
const REPEAT: Letter = 1 << 19;
/// Voices the kana before it.
const VOICED: Letter = 1 << 20;
/// Half-voices the kana before it.
const HALF_VOICED: Letter = 1 << 21;
/// Makes a text a Japanese one.
pub const JAPANESE: Letter = 1 << 22;
/// No name holds it.
pub const NO_NAME: Letter = 1 << 23;
/// Names are compared without it.
pub const NAMELESS: Letter = 1 << 24;
/// No reading holds it.
pub const NO_KANA: Letter = 1 << 25;
/// Readings are compared without it.
pub const KANALESS: Letter = 1 << 26;
/// A digit in either width, before it is folded.
pub const DIGIT: Letter = 1 << 27;
/// No text of the encoding has it here, or no cell may hold it: a NUL, half a character.
pub const BROKEN: Letter = 1 << 28;

const BEYOND_PLAIN: Letter = ODD | DROP | LONG | REPEAT | VOICED | HALF_VOICED | BROKEN;

const KANA: std::ops::Range<usize> = 0x3040..0x3100;

/// The tables of one encoding.
pub struct Letters {
    units: Box<[Letter]>,
    /// By canonical kana: with a voicing mark, and with a half-voicing one; 0 where there is none.
    voiced: Box<[[Letter; 2]]>,
    /// By canonical kana: as readings are compared.
    readings: Box<[u16]>,
    /// The letters of a lone `-` and `ー`.
    hyphen: Letter,
    long: Letter,
}

/// Whether a letter is none of those that need a rule.
pub fn is_plain(letter: Letter) -> bool {
    letter & BEYOND_PLAIN == 0
}

/// The character that a letter folds to.
pub fn canonical(letter: Letter) -> u32 {
    letter & 0xffff
}

impl Letters {
    /// For UTF-8: by code point.
    pub fn utf8() -> Letters {
        let mut units = vec![ODD; 1 << 16].into_boxed_slice();
        for c in 0xd800..0xe000 {
            units[c] = BROKEN;
        }
        for range in [
            0x01..0x250_u32,
            0x370..0x460,
            0x2000..0x2700,
            0x3000..0x3400,
            0xf900..0xfb00,
            0xfe00..0xfe10,
            0xfe30..0xfe50,
            0xfeff..0xfff0,
        ] {
            for c in range.filter_map(char::from_u32) {
                units[c as usize] = letter(c);
            }
        }
        for block in [0x3400..0x4dc0_u32, 0x4e00..0xa000] {
            ideographs(block, &mut units);
        }
        for broken in ['\0', '\n', '\r'] {
            units[broken as usize] = BROKEN;
        }
        let known = |c: char| units[c as usize];
        let voice = |c: char, mark: char| {
            let mut folded = [c, mark].iter().collect::<String>();
            folded = fold(&folded);
            only(&folded).map_or(0, known)
        };
        let kana = || KANA.filter_map(|c| char::from_u32(c as u32));
        let voiced = kana().map(|c| [voice(c, '\u{3099}'), voice(c, '\u{309a}')]);
        let readings = kana().map(|c| {
            let key = kana_key(&format!("ア{c}ア")).unwrap_or_default();
            between(&key, 'ア').and_then(only).map_or(0, |c| c as u16)
        });
        Letters {
            voiced: voiced.collect(),
            readings: readings.collect(),
            hyphen: units['-' as usize],
            long: units['ー' as usize] & !LONG | 'ー' as u32,
            units,
        }
    }

    /// For CP932: by one byte, or by two of them.
    pub fn cp932(utf8: &Letters) -> Letters {
        let mut units = vec![BROKEN; 1 << 16].into_boxed_slice();
        let decode = |bytes: &[u8]| {
            let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)?;
            let c = only(&text)?;
            Some(utf8.units.get(c as usize).copied().unwrap_or(ODD))
        };
        for byte in 0..=u8::MAX {
            if let Some(letter) = decode(&[byte]) {
                units[usize::from(byte)] = letter;
            }
        }
        for lead in (0x81..=0x9f_u8).chain(0xe0..=0xfc) {
            for trail in (0x40..=0x7e_u8).chain(0x80..=0xfc) {
                if let Some(letter) = decode(&[lead, trail]) {
                    units[usize::from(lead) << 8 | usize::from(trail)] = letter;
                }
            }
        }
        Letters {
            units,
            voiced: utf8.voiced.clone(),
            readings: utf8.readings.clone(),
            ..*utf8
        }
    }

    /// The letter of a code unit.
    pub fn of(&self, unit: usize) -> Letter {
        self.units[unit & 0xffff]
    }

    /// A letter that is not plain, behind the one before it: what it becomes, and whether it takes the
    /// place of that one. `None` where nothing remains; an odd letter stays odd.
    pub fn behind(&self, before: Option<Letter>, letter: Letter) -> Option<(Letter, bool)> {
        let last = before.map_or(0, canonical);
        let is_kana = KANA.contains(&(last as usize)) && self.voiced_place(last).is_some();
        match () {
            () if letter & DROP != 0 => None,
            () if letter & LONG != 0 => {
                let letter = if is_kana { self.long } else { self.hyphen };
                Some((letter | JAPANESE, false))
            }
            () if letter & REPEAT != 0 => match before {
                Some(before) if is_ideograph(last) => Some((before | JAPANESE, false)),
                _ => Some((letter & !REPEAT, false)),
            },
            () if letter & (VOICED | HALF_VOICED) != 0 => {
                let half = usize::from(letter & HALF_VOICED != 0);
                let place = is_kana.then(|| self.voiced_place(last)).flatten();
                let voiced = place.map_or(0, |place| self.voiced[place][half]);
                let odd = voiced == 0 || !is_plain(voiced);
                Some((if odd { ODD } else { voiced }, !odd))
            }
            () => Some((ODD, false)),
        }
    }

    fn voiced_place(&self, c: u32) -> Option<usize> {
        let kana = matches!(c, 0x3041..=0x3096 | 0x30a1..=0x30fa | 0x30fc);
        kana.then(|| c as usize - KANA.start)
    }

    /// A kana as readings are compared; 0 for what is none.
    pub fn reading(&self, letter: Letter) -> u16 {
        let place = (canonical(letter) as usize).wrapping_sub(KANA.start);
        self.readings.get(place).copied().unwrap_or_default()
    }
}

/// Whether a canonical character is an ideograph.
pub fn is_ideograph(c: u32) -> bool {
    matches!(c, 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x3005 | 0x3006)
}

fn only(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// What stands between two letters.
fn between(text: &str, around: char) -> Option<&str> {
    text.strip_prefix(around)?.strip_suffix(around)
}

fn within(around: char, c: char) -> Option<String> {
    let folded = fold(&format!("{around}{c}{around}"));
    between(&folded, around).map(str::to_owned)
}

fn letter(c: char) -> Letter {
    let [Some(kana), Some(kanji), Some(digit)] = ['ア', '山', '1'].map(|a| within(a, c)) else {
        return ODD;
    };
    let pair = |base: char| fold(&format!("{base}{c}"));
    if pair('カ') == "ガ" {
        return VOICED;
    }
    if pair('ハ') == "パ" {
        return HALF_VOICED;
    }
    let traits = traits(c);
    if kana.is_empty() && kanji.is_empty() && digit.is_empty() {
        return DROP;
    }
    match (only(&kana), only(&kanji), only(&digit)) {
        (Some('ー'), Some('-'), Some('-')) => LONG | traits,
        (Some('々'), Some('山'), Some('々')) => REPEAT | traits | '々' as u32,
        (Some(one), Some(two), Some(three)) if one == two && two == three => {
            // A control between words is no space at their ends; one that composes hangs on its base.
            let odd = u32::from(one) > 0xffff
                || canonical_combining_class(one) != 0
                || c.is_control() && !c.is_whitespace();
            if odd { ODD } else { traits | u32::from(one) }
        }
        _ => ODD,
    }
}

/// What names and readings make of a character.
fn traits(c: char) -> Letter {
    let mut traits = 0;
    let mut set = |flag: Letter, holds: bool| traits |= if holds { flag } else { 0 };
    set(JAPANESE, has_japanese(c.encode_utf8(&mut [0; 4])));
    set(DIGIT, matches!(c, '0'..='9' | '０'..='９'));
    let name = name_key(&format!("山{c}山"));
    set(NO_NAME, name.is_none());
    set(NAMELESS, name.as_deref() == Some("山山"));
    let kana = kana_key(&format!("ア{c}ア"));
    set(NO_KANA, kana.is_none());
    set(KANALESS, kana.as_deref() == Some("アア"));
    traits
}

/// Ideographs are many and plain: they are folded all at once.
fn ideographs(block: std::ops::Range<u32>, units: &mut [Letter]) {
    let letters: Vec<char> = block.filter_map(char::from_u32).collect();
    let text: String = letters.iter().collect();
    let folded: Vec<char> = fold(&text).chars().collect();
    let name = name_key("山一山").is_some() && kana_key("ア一ア").is_none();
    if folded.len() != letters.len() || !name {
        // Then nothing is known of them, and all of them are odd.
        return;
    }
    for (c, folded) in letters.into_iter().zip(folded) {
        if let Ok(folded) = u16::try_from(u32::from(folded)) {
            units[c as usize] = JAPANESE | NO_KANA | u32::from(folded);
        }
    }
}
