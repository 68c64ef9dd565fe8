//! Japan Post's customer bar code (カスタマバーコード): the postcode, and the numbers of the address down to the room.

use super::Bar;
use super::Bar::{Ascender as A, Descender as D, Full as F, Tracker as T};

/// Bars of a code: a start of two, 21 characters of three, a stop of two.
pub const BARS: usize = 67;
/// Characters of the postcode, and of the numbers that follow it.
const POSTCODE: usize = 7;
const NUMBERS: usize = 13;
/// Characters count modulo this, the check digit among them.
const MODULUS: usize = 19;

/// Each character's bars at the place of its value: ten digits, the hyphen, eight control characters
/// (Japan Post, カスタマバーコード作成マニュアル).
const CHARACTERS: [[Bar; 3]; MODULUS] = [
    [F, T, T],
    [F, F, T],
    [F, D, A],
    [D, F, A],
    [F, A, D],
    [F, T, F],
    [D, A, F],
    [A, F, D],
    [A, D, F],
    [T, F, F],
    [T, F, T],
    [D, A, T],
    [D, T, A],
    [A, D, T],
    [T, D, A],
    [A, T, D],
    [T, A, D],
    [T, T, F],
    [F, F, F],
];
const HYPHEN: usize = 10;
/// Letters are a control character and a digit: from A, from K, from U.
const LETTERS: [(usize, u8); 3] = [(11, b'A'), (12, b'K'), (13, b'U')];
/// Fills what is left behind the numbers.
const FILLING: usize = 14;

/// What a code says, as `〒100-0013 9-12-8-707`; `None` where these bars are none.
pub fn read(bars: &[Bar]) -> Option<String> {
    let [F, D, inner @ .., D, F] = bars else {
        return None;
    };
    if bars.len() != BARS {
        return None;
    }
    let value = |bars: &[Bar]| CHARACTERS.iter().position(|character| character == bars);
    let values: Vec<usize> = inner.chunks(3).map(value).collect::<Option<_>>()?;
    if !values.iter().sum::<usize>().is_multiple_of(MODULUS) {
        return None;
    }
    let (postcode, rest) = values.split_at(POSTCODE);
    let numbers = numbers(&rest[..NUMBERS])?;
    if postcode.iter().any(|digit| *digit > 9) {
        return None;
    }
    let digits = |digits: &[usize]| -> String { digits.iter().map(usize::to_string).collect() };
    let (first, last) = (digits(&postcode[..3]), digits(&postcode[3..]));
    Some(format!("〒{first}-{last} {numbers}").trim_end().to_owned())
}

fn numbers(values: &[usize]) -> Option<String> {
    let mut text = String::new();
    let mut values = values.iter().copied().peekable();
    while let Some(value) = values.next() {
        let letters = LETTERS.iter().find(|(control, _)| *control == value);
        match value {
            0..=9 => text.push(char::from(b'0' + value as u8)),
            HYPHEN => text.push('-'),
            // A letter whose digit was cut off for want of room is left out.
            _ if letters.is_some() && values.peek().is_none() => {}
            FILLING => return values.all(|value| value == FILLING).then_some(text),
            _ => {
                let (_, first) = letters?;
                let letter = values.next().filter(|digit| *digit <= 9)? as u8 + first;
                text.push(letter.is_ascii_uppercase().then_some(char::from(letter))?);
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::bars;
    use super::*;

    /// Written by zint 2.11: `zint -b 76 -d …`.
    #[test]
    fn what_another_program_wrote_is_read() {
        for (written, says) in [
            (
                "FDFFTFTTFTTFTTFTTFFTDFATFFTFTFFTFDATFTADFTFTAFDFTTAFDTDATDATDADFADF",
                "〒100-0013 9-12-8-707",
            ),
            LETTERED,
        ] {
            assert_eq!(read(&bars(written)).as_deref(), Some(says));
        }
    }

    const LETTERED: (&str, &str) = (
        "FDFFTFTFDFAFTTFTTFTTFTFFFTTFTFDADFATFTFADTFTDATFFTAFDTDATDATDAFFFDF",
        "〒153-0005 1-23-4-B7",
    );

    /// One bar that is taken for another is noticed, whichever it is.
    #[test]
    fn a_wrong_bar_is_noticed() {
        let sound = bars(LETTERED.0);
        for place in 0..sound.len() {
            for other in [F, A, D, T] {
                let mut wrong = sound.clone();
                wrong[place] = other;
                assert_eq!(read(&wrong).is_some(), wrong == sound, "{place}");
            }
        }
    }
}
