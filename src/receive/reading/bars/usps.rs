//! The United States' Intelligent Mail barcode: who mails by its Mailer ID, the piece's serial number, and the ZIP code
//! down to the delivery point (USPS-B-3200).

use std::sync::LazyLock;

use super::Bar;

/// Bars of a code.
pub const BARS: usize = 65;
/// Characters of thirteen bits that the bars hold.
const CHARACTERS: usize = 10;
const BITS: usize = 13;
/// Codewords that have five of a character's bits set; two are set in the others.
const FIVES: usize = 1287;
const TWOS: usize = 78;
/// How often the last codeword, halved, can differ.
const LAST: u128 = 636;
/// The first codeword is raised by this where the eleventh check bit is set.
const RAISED: u128 = 659;

/// Where each character's bits are, from the lowest of the first on: by bar, descenders first, ascenders behind them
/// (table 22 of the specification).
#[rustfmt::skip]
const PLACES: [u8; CHARACTERS * BITS] = [
    67, 6, 78, 16, 86, 95, 34, 40, 45, 113, 117, 121, 62,
    87, 18, 104, 41, 76, 57, 119, 115, 72, 97, 2, 127, 26,
    105, 35, 122, 52, 114, 7, 24, 82, 68, 63, 94, 44, 77,
    112, 70, 100, 39, 30, 107, 15, 125, 85, 10, 65, 54, 88,
    20, 106, 46, 66, 8, 116, 29, 61, 99, 80, 90, 37, 123,
    51, 25, 84, 129, 56, 4, 109, 96, 28, 36, 47, 11, 71,
    33, 102, 21, 9, 17, 49, 124, 79, 64, 91, 42, 69, 53,
    60, 14, 1, 27, 103, 126, 75, 89, 50, 120, 19, 32, 110,
    92, 111, 130, 59, 31, 12, 81, 43, 55, 5, 74, 22, 101,
    128, 58, 118, 48, 108, 38, 98, 93, 23, 83, 13, 73, 3,
];

/// The codeword of each character, or `None`.
static CODEWORDS: LazyLock<Vec<Option<u16>>> = LazyLock::new(|| {
    let mut codewords = vec![None; 1 << BITS];
    let mut first = 0;
    for (set, count) in [(5, FIVES), (2, TWOS)] {
        // Pairs that mirror each other from below, those that mirror themselves from above.
        let (mut low, mut high) = (first, first + count - 1);
        for character in (0..1_u16 << BITS).filter(|bits| bits.count_ones() == set) {
            let mirrored = character.reverse_bits() >> (16 - BITS);
            if mirrored == character {
                codewords[usize::from(character)] = Some(high as u16);
                high -= 1;
            } else if mirrored > character {
                codewords[usize::from(character)] = Some(low as u16);
                codewords[usize::from(mirrored)] = Some(low as u16 + 1);
                low += 2;
            }
        }
        first += count;
    }
    codewords
});

/// What a code says, as `USPS 01-234-567094-987654321`, which is barcode, service, Mailer ID and serial number, and
/// `ZIP 01234-5678-91`, where it has one. `None` where these bars are none.
pub fn read(bars: &[Bar]) -> Option<Vec<String>> {
    if bars.len() != BARS {
        return None;
    }
    let descends = bars
        .iter()
        .map(|bar| matches!(bar, Bar::Full | Bar::Descender));
    let ascends = bars
        .iter()
        .map(|bar| matches!(bar, Bar::Full | Bar::Ascender));
    let set: Vec<bool> = descends.chain(ascends).collect();
    let mut check = 0_u16;
    let mut words = [0_u128; CHARACTERS];
    for (number, (places, word)) in PLACES.chunks(BITS).zip(&mut words).enumerate() {
        let bits = places.iter().enumerate();
        let character = bits.fold(0_u16, |character, (bit, place)| {
            character | u16::from(set[usize::from(*place) - 1]) << bit
        });
        let plain = CODEWORDS[usize::from(character)];
        // A set check bit turns all bits of its character over.
        let turned = || CODEWORDS[usize::from(!character & ((1 << BITS) - 1))];
        check |= u16::from(plain.is_none()) << number;
        *word = u128::from(plain.or_else(turned)?);
    }
    if words[0] >= RAISED {
        words[0] -= RAISED;
        check |= 1 << CHARACTERS;
    }
    let last = words[CHARACTERS - 1];
    if !last.is_multiple_of(2) || last / 2 >= LAST {
        return None;
    }
    let radix = (FIVES + TWOS) as u128;
    let middle = &words[1..CHARACTERS - 1];
    let all = middle.iter().fold(words[0], |sum, word| sum * radix + word);
    let all = all * LAST + last / 2;
    if all >> 102 != 0 || checked(all) != check {
        return None;
    }
    said(all)
}

/// The check sequence of 102 bits (section 2.2.2 of the specification).
fn checked(value: u128) -> u16 {
    const GENERATOR: u16 = 0xf35;
    const MASK: u16 = 0x7ff;
    (0..102).rev().fold(MASK, |check, bit| {
        let next = u16::from(value >> bit & 1 == 1) ^ (check >> 10);
        (check << 1 ^ if next == 1 { GENERATOR } else { 0 }) & MASK
    })
}

fn said(mut value: u128) -> Option<Vec<String>> {
    // The tracking code's second digit is one of five.
    let mut take = |radix: u128| {
        let digit = value % radix;
        value /= radix;
        char::from(b'0' + digit as u8)
    };
    let mut digits: Vec<char> = (0..18).map(|_| take(10)).collect();
    digits.extend([take(5), take(10)]);
    let code: String = digits.into_iter().rev().collect();
    // Mailer IDs that begin with 9 have nine digits, which the serial number lacks.
    let mailer = if code[5..].starts_with('9') { 14 } else { 11 };
    let tracking = [&code[..2], &code[2..5], &code[5..mailer], &code[mailer..]].join("-");
    const FIVE: u128 = 100_000;
    const NINE: u128 = 1_000_000_000;
    let zip = match value {
        0 => return Some(vec![format!("USPS {tracking}")]),
        1..=FIVE => format!("{:05}", value - 1),
        _ if value <= FIVE + NINE => {
            let zip = format!("{:09}", value - 1 - FIVE);
            format!("{}-{}", &zip[..5], &zip[5..])
        }
        _ => {
            let zip = format!("{:011}", value - 1 - FIVE - NINE);
            let point = zip.get(9..).filter(|point| point.len() == 2)?;
            format!("{}-{}-{point}", &zip[..5], &zip[5..9])
        }
    };
    Some(vec![format!("USPS {tracking}"), format!("ZIP {zip}")])
}

#[cfg(test)]
mod tests {
    use super::super::tests::bars;
    use super::*;

    /// The specification's example.
    const EXAMPLE: &str = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA";

    /// The others were written by zint 2.11: `zint -b 85 -d …`.
    #[test]
    fn what_others_wrote_is_read() {
        for (written, says) in [
            (EXAMPLE, "USPS 01-234-567094-987654321, ZIP 01234-5678-91"),
            (
                "ATTFATTDTTADTAATTDTDTATTDAFDDFADFDFTFFFFFTATFAAAATDFFTDAADFTFDTDT",
                "USPS 01-234-567094-987654321",
            ),
            (
                "DTTAFADDTTFTDTFTFDTDDADADAFADFATDDFTAAAFDTTADFAAATDFDTDFADDDTDFFT",
                "USPS 01-234-567094-987654321, ZIP 01234",
            ),
            (
                "ADFTTAFDTTTTFATTADTAAATFTFTATDAAAFDDADATATDTDTTDFDTDATADADTDFFTFA",
                "USPS 01-234-567094-987654321, ZIP 01234-5678",
            ),
            (
                "ADAFAATTAATTADAFTAAFFDFADDFDATTATFAATTFAAAADDDTTDFTADAFADFDFFFFDF",
                "USPS 53-379-900123456-928301, ZIP 51135-7594-61",
            ),
        ] {
            let said = read(&bars(written)).unwrap();
            assert_eq!(said.join(", "), says);
        }
    }

    /// One bar that is taken for another is noticed, whichever it is.
    #[test]
    fn a_wrong_bar_is_noticed() {
        let sound = bars(EXAMPLE);
        for place in 0..sound.len() {
            for other in [Bar::Full, Bar::Ascender, Bar::Descender, Bar::Tracker] {
                let mut wrong = sound.clone();
                wrong[place] = other;
                assert_eq!(read(&wrong).is_some(), wrong == sound, "{place}");
            }
        }
    }
}
