//! What the bytes of a list say: UTF-8, CP932, EUC-JP, ISO-2022-JP, Windows-1252 or UTF-16.
//!
//! Lists are merged from many hands, so the encoding is settled record by record: the file's start
//! gives a guess, and a record that does not read in it is read in another one. Sound UTF-8 with a
//! letter of three bytes is UTF-8 whatever the guess: 山田 happens to be sound CP932 too, and reads
//! 螻ｱ逕ｰ there. Between the Japanese encodings the bytes that each of them uses most decide.

use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::{EUC_JP, ISO_2022_JP, SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";
const ESCAPE: u8 = 0x1b;

/// The encoding of a file, or of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, and so ASCII.
    Utf8,
    /// Windows-31J, which Japanese Windows calls Shift_JIS.
    Cp932,
    /// What Unix machines in Japan wrote.
    EucJp,
    /// Seven bits with escapes, as in mail.
    Iso2022Jp,
    /// Latin-1 with the letters that Windows adds.
    Latin1,
    /// UTF-16, low byte first; like the next one it is turned into UTF-8 before anything else is done.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Cp932 => "cp932",
            Encoding::EucJp => "euc-jp",
            Encoding::Iso2022Jp => "iso-2022-jp",
            Encoding::Latin1 => "windows-1252",
            Encoding::Utf16Le | Encoding::Utf16Be => "utf-16",
        }
    }

    /// Whether its bytes can be cut at line ends and delimiters as ASCII can.
    pub const fn is_plain(self) -> bool {
        !matches!(
            self,
            Encoding::Iso2022Jp | Encoding::Utf16Le | Encoding::Utf16Be
        )
    }
}

/// Guesses from a file's start how its records are encoded, and how long its byte order mark is.
pub fn guess(start: &[u8]) -> (Encoding, usize) {
    match start {
        [0xff, 0xfe, ..] => return (Encoding::Utf16Le, 2),
        [0xfe, 0xff, ..] => return (Encoding::Utf16Be, 2),
        [0xef, 0xbb, 0xbf, ..] => return (Encoding::Utf8, UTF8_BOM.len()),
        _ => {}
    }
    if let Some(encoding) = utf16(start) {
        return (encoding, 0);
    }
    // One broken byte must not make a UTF-8 file a Japanese one: most lines decide.
    let all = [
        Encoding::Utf8,
        Encoding::Cp932,
        Encoding::EucJp,
        Encoding::Iso2022Jp,
        Encoding::Latin1,
    ];
    let mut lines = [0_usize; 5];
    for line in start.split(|byte| *byte == b'\n') {
        if line.is_ascii() && !escapes(line) {
            continue;
        }
        let found = if std::str::from_utf8(line).is_ok() && !escapes(line) {
            Some(Encoding::Utf8)
        } else {
            judge(line)
        };
        let place = found.and_then(|found| all.iter().position(|encoding| *encoding == found));
        if let Some(place) = place {
            lines[place] += 1;
        }
    }
    // The first of equals: max_by_key would take the last.
    let most = (0..all.len()).rev().max_by_key(|place| lines[*place]);
    (most.map_or(Encoding::Utf8, |place| all[place]), 0)
}

/// UTF-16 without a mark: digits, delimiters and line ends have a zero on the same side.
fn utf16(start: &[u8]) -> Option<Encoding> {
    let look = &start[..start.len().min(64 << 10) & !1];
    let zeros = |side: usize| {
        let bytes = look.iter().skip(side).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (first, second) = (zeros(0), zeros(1));
    let units = look.len() / 2;
    let (encoding, zeros, others) = if second > first {
        (Encoding::Utf16Le, second, first)
    } else {
        (Encoding::Utf16Be, first, second)
    };
    if units < 8 || zeros * 50 < units || others * 10 > zeros {
        return None;
    }
    let coding = match encoding {
        Encoding::Utf16Le => UTF_16LE,
        _ => UTF_16BE,
    };
    let text = coding.decode_without_bom_handling(look).0;
    let odd = text.chars().filter(|c| {
        matches!(*c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}') || c.is_control() && !c.is_whitespace()
    });
    (odd.count() * 100 <= units).then_some(encoding)
}

/// Whether something in it may be ISO-2022-JP.
pub fn escapes(bytes: &[u8]) -> bool {
    memchr::memchr(ESCAPE, bytes).is_some()
}

/// The text of many records one behind the other, where [`decode`] would say of each that it is in the encoding that was
/// guessed, and take longer.
pub fn decode_all(bytes: &[u8], guess: Encoding) -> Option<&str> {
    let text = || simdutf8::basic::from_utf8(bytes).ok();
    (is_utf8(guess) && !escapes(bytes)).then(text).flatten()
}

/// Whether records of a file in an encoding are in UTF-8. UTF-16 and ISO-2022-JP files are by the time their records come
/// to be decoded.
const fn is_utf8(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Utf8) || !encoding.is_plain()
}

/// The text of a record of a list in CP932, of which [`decode`] would say the same, and take longer; `None` where that is
/// not sure. The text is put into a buffer, which grows and is used again.
pub fn decode_cp932<'t>(bytes: &[u8], room: &'t mut Vec<u8>) -> Option<&'t str> {
    // No letter of UTF-8 begins with such a byte.
    let first = bytes.iter().find(|byte| !byte.is_ascii())?;
    if !matches!(first, 0x81..=0xbf) || !common_cp932(bytes) {
        return None;
    }
    // A kana of half width becomes three bytes; whatever is put down is put down in eight.
    let longest = bytes.len() * 3 + 8;
    if room.len() < longest {
        room.resize(longest, 0);
    }
    let letters = &**CP932;
    let (mut rest, mut end) = (bytes.iter(), 0);
    while let Some(first) = rest.next() {
        let letter = match first {
            0..=0x7f => {
                room[end] = *first;
                end += 1;
                // Digits and mail addresses come in longer runs.
                if let Some(next) = rest.as_slice().first_chunk()
                    && u64::from_le_bytes(*next) & 0x8080_8080_8080_8080 == 0
                {
                    *room[end..].first_chunk_mut()? = *next;
                    end += next.len();
                    rest = rest.as_slice()[next.len()..].iter();
                }
                continue;
            }
            // U+FF61 to U+FF9F.
            0xa1..=0xbf => u32::from_le_bytes([0xef, 0xbd, *first, 3]),
            0xc0..=0xdf => u32::from_le_bytes([0xef, 0xbe, *first - 0x40, 3]),
            _ => letters[usize::from(*first) << 8 | usize::from(*rest.next()?)],
        };
        if letter == 0 {
            return None;
        }
        *room[end..].first_chunk_mut()? = letter.to_le_bytes();
        end += (letter >> 24) as usize;
    }
    simdutf8::basic::from_utf8(&room[..end]).ok()
}

/// The letters of two bytes in CP932: their bytes in UTF-8, the first one lowest, and above them how many these are; 0 for
/// what is no letter.
static CP932: LazyLock<Box<[u32; 1 << 16]>> = LazyLock::new(|| {
    let letter = |code: u16| {
        let bytes = code.to_be_bytes();
        let lead = matches!(bytes[0], 0x81..=0x9f | 0xe0..=0xfc);
        let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&bytes);
        let text = text.filter(|text| lead && text.chars().count() == 1);
        match text.as_deref().map(str::as_bytes) {
            Some([one, two]) => u32::from_le_bytes([*one, *two, 0, 2]),
            Some([one, two, three]) => u32::from_le_bytes([*one, *two, *three, 3]),
            _ => 0,
        }
    };
    let mut letters = Box::new([0; 1 << 16]);
    (0..=u16::MAX)
        .zip(letters.iter_mut())
        .for_each(|(code, place)| *place = letter(code));
    letters
});

/// Decodes a record; `None` as encoding says that it is sound in none, and some of it is lost.
pub fn decode(bytes: &[u8], guess: Encoding) -> (Cow<'_, str>, Option<Encoding>) {
    if bytes.is_ascii() && !escapes(bytes) {
        // Cannot fail, and the lossy form says so without an unwrap.
        return (String::from_utf8_lossy(bytes), Some(guess));
    }
    let guess_utf8 = is_utf8(guess);
    let three = || bytes.iter().any(|byte| *byte >= 0xe0);
    if !bytes.is_ascii()
        && let Ok(text) = simdutf8::basic::from_utf8(bytes)
        && (guess_utf8 || three())
    {
        let encoding = if guess_utf8 { guess } else { Encoding::Utf8 };
        return (Cow::Borrowed(text), Some(encoding));
    }
    let sound = match guess {
        Encoding::Cp932 if common_cp932(bytes) => with(bytes, Encoding::Cp932),
        Encoding::EucJp | Encoding::Latin1 if !escapes(bytes) => with(bytes, guess),
        _ => None,
    };
    let sound = sound.or_else(|| {
        let found = judge(bytes).or((guess == Encoding::Cp932).then_some(guess))?;
        with(bytes, found)
    });
    if let Some((text, encoding)) = sound {
        return (text, Some(encoding));
    }
    let lossy = match guess {
        Encoding::Cp932 => SHIFT_JIS.decode_without_bom_handling(bytes).0,
        Encoding::EucJp => EUC_JP.decode_without_bom_handling(bytes).0,
        _ => String::from_utf8_lossy(bytes),
    };
    (lossy, None)
}

/// Decodes in one encoding, if the bytes are sound in it.
fn with(bytes: &[u8], encoding: Encoding) -> Option<(Cow<'_, str>, Encoding)> {
    let coding = match encoding {
        Encoding::Cp932 => SHIFT_JIS,
        Encoding::EucJp => EUC_JP,
        Encoding::Iso2022Jp => ISO_2022_JP,
        Encoding::Latin1 => WINDOWS_1252,
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => return None,
    };
    if encoding == Encoding::Latin1 && !is_latin(bytes) {
        return None;
    }
    let text = coding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some((text, encoding))
}

/// The encoding of a record that is not UTF-8.
fn judge(bytes: &[u8]) -> Option<Encoding> {
    if escapes(bytes) {
        return with(bytes, Encoding::Iso2022Jp).map(|_| Encoding::Iso2022Jp);
    }
    if is_latin(bytes) {
        return Some(Encoding::Latin1);
    }
    // A name that was cut in the middle of a letter is UTF-8 all the same.
    if is_broken_utf8(bytes) {
        return None;
    }
    let sound = |encoding| with(bytes, encoding).is_some();
    match (sound(Encoding::Cp932), sound(Encoding::EucJp)) {
        (true, true) if !common_cp932(bytes) && is_euc(bytes) => Some(Encoding::EucJp),
        (true, _) => Some(Encoding::Cp932),
        (false, true) => Some(Encoding::EucJp),
        (false, false) => None,
    }
}

/// Bytes that CP932 begins its kana and common letters with, and that EUC-JP never has.
fn common_cp932(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .any(|byte| matches!(byte, 0x81..=0x8d | 0x90..=0x9f))
}

/// Of bytes that are sound in both: half-width kana of CP932 stay below 0xe0 and come in any number; letters of
/// EUC-JP come in pairs, whose first bytes are those of kana and common kanji.
fn is_euc(bytes: &[u8]) -> bool {
    let runs = || {
        bytes
            .split(|byte| *byte < 0x80)
            .filter(|run| !run.is_empty())
    };
    if runs().any(|run| run.contains(&0x8f) || run.contains(&0x8e)) {
        return true;
    }
    if runs().any(|run| run.len() % 2 == 1) {
        return false;
    }
    let pairs = || runs().flat_map(|run| run.chunks_exact(2));
    let high = bytes.iter().any(|byte| *byte >= 0xe0);
    let common = pairs().all(|pair| matches!(pair[0], 0xa1..=0xa5 | 0xb0..=0xcf));
    let kana = pairs()
        .filter(|pair| matches!(pair[0], 0xa4 | 0xa5))
        .count();
    let count = pairs().count();
    high || kana * 2 > count || common && count >= 4
}

/// Letters with accents, alone or in twos among letters without. What else could have them alone are
/// kanji so rare that nobody is called by them.
fn is_latin(bytes: &[u8]) -> bool {
    let mut letters = 0;
    let mut place = 0;
    while let Some(found) = bytes[place..].iter().position(|byte| *byte >= 0x80) {
        let start = place + found;
        let run = bytes[start..].iter().take_while(|byte| **byte >= 0x80);
        let end = start + run.count();
        let letter = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_alphabetic);
        let beside = letter(end) || start > 0 && letter(start - 1);
        let accents = bytes[start..end]
            .iter()
            .all(|byte| (0xc0..0xff).contains(byte));
        // An apostrophe, a dash, a non-breaking space or an ordinal sign of Windows.
        let sign =
            end - start == 1 && matches!(bytes[start], 0x80 | 0x91..=0x97 | 0xa0 | 0xaa | 0xba);
        if !(end - start <= 2 && (accents && beside || sign)) {
            return false;
        }
        letters += usize::from(accents);
        place = end;
    }
    letters > 0
}

fn is_broken_utf8(bytes: &[u8]) -> bool {
    let (mut letters, mut faults) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        letters += chunk.valid().chars().filter(|c| *c > '\u{7ff}').count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    letters >= 2 && faults * 2 <= letters
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_bad_byte_does_not_make_a_utf_8_file_japanese() {
        let mut file = "氏名,電話\n山田太郎,0301234567\n".repeat(50).into_bytes();
        file.extend(b"\x8eR\x93c\n");
        assert_eq!(guess(&file), (Encoding::Utf8, 0));
        let (text, encoding) = decode(b"\x8eR\x93c", Encoding::Utf8);
        assert_eq!((text.as_ref(), encoding), ("山田", Some(Encoding::Cp932)));
        let (_, lost) = decode(b"abc\xff\xff", Encoding::Utf8);
        assert_eq!(lost, None);
        // A column of so many bytes cuts letters in two.
        let cut = &"千葉県山武市".as_bytes()[..17];
        let (text, lost) = decode(cut, Encoding::Utf8);
        assert_eq!((text.as_ref(), lost), ("千葉県山武\u{fffd}", None));
    }

    #[test]
    fn half_width_kana_follow_the_guess() {
        let (cp932, _, _) = SHIFT_JIS.encode("ﾃｱ");
        assert!(
            std::str::from_utf8(&cp932).is_ok(),
            "the pair is valid in both"
        );
        let (text, _) = decode(&cp932, Encoding::Cp932);
        assert_eq!(text, "ﾃｱ");
    }

    /// Every letter, by itself and behind another, and bytes that are none.
    #[test]
    fn cp932_is_decoded_as_by_the_library() {
        let mut room = Vec::new();
        let all = (0..=u16::MAX).map(u16::to_be_bytes);
        let all = all.flat_map(|pair| [pair.to_vec(), [b"\x93c,a1".as_slice(), &pair].concat()]);
        let mut letters = 0;
        for bytes in all {
            let (text, encoding) = decode(&bytes, Encoding::Cp932);
            if let Some(own) = decode_cp932(&bytes, &mut room) {
                assert_eq!((own, Some(Encoding::Cp932)), (text.as_ref(), encoding));
                letters += 1;
            }
        }
        assert!(letters > 15_000, "{letters}");
    }

    proptest! {
        #[test]
        fn a_record_in_cp932_is_decoded_as_by_the_library(
            text in "[山田ﾔﾏﾀﾞ×Я①髙a-c,0-9 ]{0,40}",
            odd in prop::option::of((0_usize..80, any::<u8>())),
        ) {
            let mut bytes = SHIFT_JIS.encode(&text).0.into_owned();
            if let Some((place, odd)) = odd
                && let Some(byte) = bytes.get_mut(place)
            {
                *byte = odd;
            }
            let mut room = Vec::new();
            if let Some(own) = decode_cp932(&bytes, &mut room) {
                let (text, encoding) = decode(&bytes, Encoding::Cp932);
                prop_assert_eq!((own, Some(Encoding::Cp932)), (text.as_ref(), encoding));
            } else {
                // What begins with a rare letter, is cut or is none takes the longer way.
                prop_assert!(odd.is_some() || !text.starts_with('田'));
            }
        }
    }

    /// What each encoding makes of a text, and whether it is read back whatever the file's other lines
    /// are in.
    #[test]
    fn each_line_is_read_in_its_own_encoding() {
        let japanese = [
            "山田 太郎,ヤマダ タロウ,100-0001,東京都千代田区千代田1-1",
            "髙橋　花子,たかはし　はなこ,090-0123-4567",
            "中村",
            "ソ十表能",
        ];
        let all = [
            (SHIFT_JIS, Encoding::Cp932),
            (EUC_JP, Encoding::EucJp),
            (ISO_2022_JP, Encoding::Iso2022Jp),
            (encoding_rs::UTF_8, Encoding::Utf8),
        ];
        for text in japanese {
            for (coding, encoding) in all {
                // JIS X 0208 has no 髙.
                let text = match encoding {
                    Encoding::Iso2022Jp | Encoding::EucJp => text.replace('髙', "高"),
                    _ => text.to_owned(),
                };
                let (bytes, _, lost) = coding.encode(&text);
                assert!(!lost);
                for guess in [
                    Encoding::Utf8,
                    Encoding::Cp932,
                    Encoding::EucJp,
                    Encoding::Latin1,
                ] {
                    // Two kanji of EUC-JP are four half-width kana of CP932: there the file decides.
                    if text == "中村" && encoding == Encoding::EucJp && guess != encoding {
                        continue;
                    }
                    let (read, found) = decode(&bytes, guess);
                    assert_eq!(
                        (read.as_ref(), found),
                        (text.as_str(), Some(encoding)),
                        "{guess:?}"
                    );
                }
            }
        }
        for text in ["José Müller,Straße 5", "Zoë O’Neill", "Ann\u{e9}e"] {
            let (bytes, _, _) = WINDOWS_1252.encode(text);
            for guess in [Encoding::Utf8, Encoding::Cp932, Encoding::Latin1] {
                let (read, found) = decode(&bytes, guess);
                if guess != Encoding::Cp932 || !common_cp932(&bytes) {
                    assert_eq!((read.as_ref(), found), (text, Some(Encoding::Latin1)));
                }
            }
        }
    }

    /// Among records as they are, an escape, a byte that is no UTF-8, and an encoding that is not UTF-8.
    #[test]
    fn many_records_are_decoded_as_each_of_them_is() {
        let sound = ["山田 太郎", "abc", "", "José"];
        let odd: [&[u8]; 4] = [b"", b"\x1b$B;3ED\x1b(B", b"\x8eR\x93c", b"abc\xff\xff"];
        for (odd, guess) in odd.iter().flat_map(|odd| {
            let guesses = [Encoding::Utf8, Encoding::Iso2022Jp, Encoding::Cp932];
            guesses.map(|guess| (odd, guess))
        }) {
            let mut bytes = sound.concat().into_bytes();
            bytes.extend(*odd);
            let all = decode_all(&bytes, guess);
            assert_eq!(all.is_some(), odd.is_empty() && guess != Encoding::Cp932);
            let mut start = 0;
            for record in sound {
                let end = start + record.len();
                if let Some(text) = all {
                    let each = decode(&bytes[start..end], guess);
                    assert_eq!(each, (text[start..end].into(), Some(guess)));
                }
                start = end;
            }
        }
    }

    #[test]
    fn files_are_known_by_most_of_their_lines() {
        let list = "1,山田 太郎,ﾔﾏﾀﾞ ﾀﾛｳ,千代田区\n2,鈴木,ｽｽﾞｷ,港区\n".repeat(20);
        for (coding, encoding) in [
            (SHIFT_JIS, Encoding::Cp932),
            (EUC_JP, Encoding::EucJp),
            (ISO_2022_JP, Encoding::Iso2022Jp),
        ] {
            assert_eq!(guess(&coding.encode(&list).0), (encoding, 0));
        }
        let (kana, _, _) = SHIFT_JIS.encode("ﾔﾏﾀﾞ ﾀﾛｳ\nｽｽﾞｷ ｼﾞﾛｳ\nﾅｶﾑﾗ ﾊﾅｺ\n");
        assert_eq!(guess(&kana).0, Encoding::Cp932);
        let (latin, _, _) = WINDOWS_1252.encode("José;Müller\nZoë;Bäcker\n");
        assert_eq!(guess(&latin).0, Encoding::Latin1);
        let wide: Vec<u8> = list.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(guess(&wide), (Encoding::Utf16Be, 0));
        let wide: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(guess(&wide), (Encoding::Utf16Le, 0));
        assert_eq!(guess(b"a,\0b\nc,d\n").0, Encoding::Utf8);
    }
}
