//! Readings: full-width katakana, half-width katakana or hiragana, and what parts family and given name.

use super::name::Separator;
use crate::persona::Person;

/// The script of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    /// ヤマダ
    Katakana,
    /// ﾔﾏﾀﾞ
    HalfWidth,
    /// やまだ
    Hiragana,
}

/// How a reading is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KanaFormat {
    /// The script.
    pub script: Script,
    /// What stands between family and given name.
    pub separator: Separator,
}

impl Default for KanaFormat {
    fn default() -> KanaFormat {
        KanaFormat {
            script: Script::Katakana,
            separator: Separator::Space,
        }
    }
}

/// Katakana whose half-width form is one or two characters, in the order of the half-width block.
const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ";
const UNVOICED: &str = "カキクケコサシスセソタチツテトハヒフヘホウ";
const HALF_VOICED: &str = "パピプペポ";
const HALF_UNVOICED: &str = "ハヒフヘホ";

fn half_width(c: char, out: &mut String) {
    let plain = |c: char| {
        let at = FULL.chars().position(|full| full == c)?;
        char::from_u32(0xFF61 + u32::try_from(at).ok()?)
    };
    let base = |set: &str, of: &str| {
        set.chars()
            .position(|full| full == c)
            .and_then(|at| of.chars().nth(at))
    };
    if c == '\u{3000}' {
        out.push(' ');
    } else if let Some(half) = plain(c) {
        out.push(half);
    } else if let Some(half) = base(VOICED, UNVOICED).and_then(plain) {
        out.extend([half, 'ﾞ']);
    } else if let Some(half) = base(HALF_VOICED, HALF_UNVOICED).and_then(plain) {
        out.extend([half, 'ﾟ']);
    } else {
        // ヰ, ヱ, ヮ, ヵ and ヶ have no half-width form; tables hold their large modern kana.
        match c {
            'ヰ' => out.push('ｲ'),
            'ヱ' => out.push('ｴ'),
            'ヮ' => out.push('ﾜ'),
            'ヵ' => out.push('ｶ'),
            'ヶ' => out.push('ｹ'),
            other => out.push(other),
        }
    }
}

impl Script {
    /// Writes full-width katakana in this script.
    pub fn write(self, katakana: &str) -> String {
        match self {
            Script::Katakana => katakana.to_owned(),
            Script::HalfWidth => {
                let mut out = String::with_capacity(katakana.len());
                katakana.chars().for_each(|c| half_width(c, &mut out));
                out
            }
            Script::Hiragana => {
                let hiragana = |c: char| match c {
                    '\u{30A1}'..='\u{30F6}' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
                    other => other,
                };
                katakana.chars().map(hiragana).collect()
            }
        }
    }

    fn of(text: &str) -> Option<Script> {
        text.chars().find_map(|c| match c {
            '\u{3041}'..='\u{3096}' => Some(Script::Hiragana),
            '\u{30A1}'..='\u{30FA}' => Some(Script::Katakana),
            '\u{FF66}'..='\u{FF9D}' => Some(Script::HalfWidth),
            _ => None,
        })
    }
}

impl KanaFormat {
    pub(super) fn all() -> impl Iterator<Item = KanaFormat> {
        [Script::Katakana, Script::HalfWidth, Script::Hiragana]
            .into_iter()
            .flat_map(|script| {
                [Separator::Space, Separator::Wide, Separator::None]
                    .map(|separator| KanaFormat { script, separator })
            })
    }

    pub(super) fn example(&self, part: bool) -> String {
        if part {
            self.script.write("ヤマダ")
        } else {
            self.join("ヤマダ", "タロウ")
        }
    }

    /// Writes the reading of a person's whole name.
    pub fn write(&self, person: &Person) -> String {
        self.join(&person.family.kana, &person.given.kana)
    }

    fn join(&self, family: &str, given: &str) -> String {
        format!(
            "{}{}{}",
            self.script.write(family),
            self.separator.text(),
            self.script.write(given)
        )
    }
}

pub(super) fn recognise(samples: &[&str], whole: bool) -> Option<(KanaFormat, f64)> {
    super::best(KanaFormat::all(), samples, |format, sample| {
        let separator = match () {
            () if sample.contains('\u{3000}') => Separator::Wide,
            () if sample.contains(' ') => Separator::Space,
            () => Separator::None,
        };
        Script::of(sample) == Some(format.script) && (!whole || separator == format.separator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::kana_key;
    use proptest::prelude::*;

    #[test]
    fn voiced_and_small_kana_have_half_width_forms() {
        assert_eq!(Script::HalfWidth.write("ガッキョウヴァパン"), "ｶﾞｯｷｮｳｳﾞｧﾊﾟﾝ");
        assert_eq!(Script::Hiragana.write("ヴァンダー"), "ゔぁんだー");
    }

    proptest! {
        #[test]
        fn a_reading_survives_every_script(text in "[ァ-ヴ]{1,12}") {
            for script in [Script::Katakana, Script::HalfWidth, Script::Hiragana] {
                prop_assert_eq!(kana_key(&script.write(&text)), kana_key(&text), "{}", script.write(&text));
            }
        }
    }
}
