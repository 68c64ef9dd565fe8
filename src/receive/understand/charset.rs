//! Letters that the mail reader would lose: what character sets are called, where none is named, and what is cut.
//!
//! Japanese mailers write `cp932` and `iso-2022-jp-ms` where the registry of character sets has `Shift_JIS` and
//! `ISO-2022-JP`: the octets are the same, and a telephone number in them is lost to whoever does not know the name.
//! Others name none, or cut a letter in two between two encoded words.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
// With padding or without: mailers write both.
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT as BASE64;

use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use super::shifted;
use crate::notation::encoding::{self, Encoding};

const ESCAPE: u8 = 0x1b;
/// The names of mailers, in lower case, and what the octets are read as.
const ALIASES: &[(&str, &str)] = &[
    ("cp932", "shift_jis"),
    ("ms932", "shift_jis"),
    ("cp943", "shift_jis"),
    ("cp943c", "shift_jis"),
    ("iso-2022-jp-ms", "iso-2022-jp"),
    ("iso-2022-jp-1", "iso-2022-jp"),
    ("iso-2022-jp-2", "iso-2022-jp"),
    ("iso-2022-jp-3", "iso-2022-jp"),
    ("iso-2022-jp-2004", "iso-2022-jp"),
    ("cp50220", "iso-2022-jp"),
    ("cp50221", "iso-2022-jp"),
    ("cp50222", "iso-2022-jp"),
    ("cp51932", "euc-jp"),
    ("eucjp-ms", "euc-jp"),
    ("eucjp-win", "euc-jp"),
    ("euc-jp-ms", "euc-jp"),
    ("cp949", "euc-kr"),
    ("uhc", "euc-kr"),
    ("unicode-1-1-utf-7", "utf-7"),
    // Their letters with accents are at the same places.
    ("ibm437", "ibm850"),
    ("cp437", "ibm850"),
];
/// No name is longer.
const LONGEST: usize = 20;
/// Text of an encoded word; RFC 2047 has 75 octets for all of it, and mailers that do not care have more.
const WORD: usize = 1000;

/// A header is looked at so far.
pub(super) const HEADER: usize = 256 << 10;

/// A mail as the mail reader can read it.
pub(super) struct Readable<'a> {
    /// Its octets.
    pub raw: Cow<'a, [u8]>,
    /// Its header as it came, and as it was made readable.
    header: Places,
    /// The names in all of it.
    names: Places,
}

impl Readable<'_> {
    /// Where an octet was in the mail as it came.
    pub fn came(&self, at: usize) -> usize {
        self.header.came(self.names.came(at))
    }
}

/// Where octets were changed: behind which octet here, and behind which octet as it came.
#[derive(Default)]
struct Places(Vec<(usize, usize)>);

impl Places {
    fn came(&self, at: usize) -> usize {
        let behind = self.0.partition_point(|(here, _)| *here <= at);
        match behind.checked_sub(1).map(|last| self.0[last]) {
            Some((here, came)) => came + (at - here),
            None => at,
        }
    }
}

/// Text of which some is written anew.
struct Rewrite<'a> {
    raw: &'a [u8],
    out: Vec<u8>,
    copied: usize,
    places: Places,
}

impl<'a> Rewrite<'a> {
    fn of(raw: &'a [u8]) -> Rewrite<'a> {
        Rewrite {
            raw,
            out: Vec::new(),
            copied: 0,
            places: Places::default(),
        }
    }

    /// Puts other octets in the place of these, which are behind all that were put before.
    fn put(&mut self, place: Range<usize>, octets: &[u8]) {
        self.out
            .extend_from_slice(&self.raw[self.copied..place.start]);
        self.out.extend_from_slice(octets);
        self.copied = place.end;
        self.places.0.push((self.out.len(), self.copied));
    }

    fn done(mut self) -> (Cow<'a, [u8]>, Places) {
        if self.places.0.is_empty() {
            return (Cow::Borrowed(self.raw), self.places);
        }
        self.out.extend_from_slice(&self.raw[self.copied..]);
        (Cow::Owned(self.out), self.places)
    }
}

/// A mail whose header says what it says in words that the mail reader knows, and whose parts' character sets have
/// known names (`=?cp932?B?…?=`, `charset="cp932"`).
pub(super) fn readable(raw: &[u8]) -> Readable<'_> {
    let (plain, header) = header(raw);
    match plain {
        Cow::Borrowed(raw) => {
            let (raw, names) = named(raw);
            Readable { raw, header, names }
        }
        Cow::Owned(plain) => {
            let (named, names) = named(&plain);
            Readable {
                raw: Cow::Owned(named.into_owned()),
                header,
                names,
            }
        }
    }
}

fn named(raw: &[u8]) -> (Cow<'_, [u8]>, Places) {
    let mut rewrite = Rewrite::of(raw);
    let mut at = 0;
    while let Some(place) = next(raw, at) {
        let label = &raw[place..];
        let length = label.iter().take(LONGEST).take_while(|c| is_of_name(**c));
        let length = length.count();
        let alias = ALIASES
            .iter()
            .find(|(name, _)| label[..length].eq_ignore_ascii_case(name.as_bytes()));
        if let Some((_, name)) = alias {
            rewrite.put(place..place + length, name.as_bytes());
        }
        at = place + length;
    }
    rewrite.done()
}

/// The header's lines without a character set as UTF-8, and encoded words that follow each other as one: RFC 2047
/// wants each word to be whole, and many a mailer cuts a letter in two.
fn header(raw: &[u8]) -> (Cow<'_, [u8]>, Places) {
    let head = &raw[..end_of_header(raw)];
    let mut rewrite = Rewrite::of(raw);
    let guess = if plain(head) {
        Encoding::Utf8
    } else {
        guess(head)
    };
    let mut at = 0;
    while at < head.len() {
        let rest = &head[at..];
        let word = rest.starts_with(b"=?").then(|| joined(rest)).flatten();
        if let Some((length, word)) = word {
            rewrite.put(at..at + length, &word);
            at += length;
            continue;
        }
        let next = at + until_word(rest);
        let text = &head[at..next];
        if !plain(text)
            && let (utf8, Some(found)) = encoding::decode(text, guess)
            && found != Encoding::Utf8
        {
            rewrite.put(at..next, utf8.as_bytes());
        }
        at = next;
    }
    rewrite.done()
}

/// Up to what may be the next encoded word, or the line's end. Between the escapes of ISO-2022-JP no `=` begins a word: it
/// is half of a letter.
fn until_word(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = memchr::memchr3(b'=', b'\n', ESCAPE, &rest[at..]) {
        let place = at + next;
        at = place + 1;
        if rest[place] == ESCAPE {
            if rest[at..].starts_with(b"$") {
                let letters = memchr::memchr2(b'\n', ESCAPE, &rest[at..]);
                at = letters.map_or(rest.len(), |letters| at + letters);
            }
        } else if place > 0 {
            return place;
        }
    }
    rest.len()
}

/// Whether it is ASCII, and not ISO-2022-JP.
pub(super) fn plain(text: &[u8]) -> bool {
    text.is_ascii() && !encoding::escapes(text)
}

fn end_of_header(raw: &[u8]) -> usize {
    let raw = &raw[..raw.len().min(HEADER)];
    let ends = memchr::memchr_iter(b'\n', raw);
    ends.filter(|end| matches!(raw[end + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
        .map(|end| end + 1)
        .next()
        .unwrap_or(raw.len())
}

/// What most of a text is in: all of it together says more than two letters of a line.
fn guess(text: &[u8]) -> Encoding {
    let (_, whole) = encoding::decode(text, Encoding::Utf8);
    whole.unwrap_or_else(|| encoding::guess(text).0)
}

/// Text without a character set, or with one that it is not in.
pub(super) fn guessed(octets: &[u8]) -> String {
    let guess = guess(octets);
    let lines = octets.split_inclusive(|octet| *octet == b'\n');
    lines
        .map(|line| encoding::decode(line, guess).0)
        .collect::<String>()
}

/// An encoded word of RFC 2047.
struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    /// The octets of Base64; the text of the other encoding, as it is.
    content: Cow<'a, [u8]>,
    length: usize,
}

impl<'a> Word<'a> {
    /// The one that this begins with; `None` for one that cannot be decoded.
    fn of(raw: &'a [u8]) -> Option<Word<'a>> {
        let mut parts = raw.strip_prefix(b"=?")?.splitn(4, |octet| *octet == b'?');
        let (charset, kind, text, behind) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let fits = charset.len() <= LONGEST && charset.iter().all(|c| is_of_name(*c));
        let fits = fits && behind.starts_with(b"=") && text.len() <= WORD;
        if !fits || text.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        let (base64, content) = match kind {
            b"b" | b"B" => (true, Cow::Owned(BASE64.decode(text).ok()?)),
            b"q" | b"Q" => (false, Cow::Borrowed(text)),
            _ => return None,
        };
        Some(Word {
            charset,
            base64,
            content,
            length: 2 + charset.len() + 1 + kind.len() + 1 + text.len() + 2,
        })
    }
}

/// Encoded words of one character set, and nothing but space between them: how long they are, and one word in their
/// place. `None` if there is one only, and the mail reader knows its character set. Each word is decoded once, however many
/// a stranger has sent.
fn joined(raw: &[u8]) -> Option<(usize, Vec<u8>)> {
    let first = Word::of(raw)?;
    let (charset, base64) = (first.charset, first.base64);
    let alone = first.length;
    let (mut length, mut content) = (alone, first.content.into_owned());
    loop {
        let gap = raw[length..].iter().take_while(|c| c.is_ascii_whitespace());
        let gap = gap.count();
        let next = Word::of(&raw[length + gap..]).filter(|word| {
            gap > 0 && word.base64 == base64 && word.charset.eq_ignore_ascii_case(charset)
        });
        let Some(word) = next else {
            break;
        };
        length += gap + word.length;
        content.extend_from_slice(&word.content);
    }
    let name = str::from_utf8(charset).unwrap_or_default();
    if let Some(read) = shifted::reader(name) {
        let octets = match base64 {
            true => Some(Cow::Borrowed(&content[..])),
            false => {
                let spaces = content.iter().map(|c| if *c == b'_' { b' ' } else { *c });
                let spaces: Vec<u8> = spaces.collect();
                quoted_printable_decode(&spaces).map(Cow::Owned)
            }
        };
        // What cannot be decoded is joined all the same: the words are not looked at again.
        if let Some(octets) = octets {
            let text = BASE64.encode(read(&octets));
            return Some((length, format!("=?utf-8?B?{text}?=").into_bytes()));
        }
    }
    if length == alone {
        return None;
    }
    let one = match base64 {
        true => [
            b"=?",
            charset,
            b"?B?",
            BASE64.encode(content).as_bytes(),
            b"?=",
        ]
        .concat(),
        false => [b"=?", charset, b"?Q?", &content, b"?="].concat(),
    };
    Some((length, one))
}

/// Where the next name begins, at or behind `from`.
fn next(raw: &[u8], from: usize) -> Option<usize> {
    const CHARSET: &[u8] = b"charset";
    let places = memchr::memchr2_iter(b'=', b'?', &raw[from..]).map(|place| from + place);
    places
        .filter_map(|place| {
            if raw[place] == b'?' {
                // The mark behind the first one of an encoded word.
                return (place > from && raw[place - 1] == b'=').then_some(place + 1);
            }
            let before = raw[from..place].trim_ascii_end();
            let begins = before.len().checked_sub(CHARSET.len())?;
            let named = before[begins..].eq_ignore_ascii_case(CHARSET);
            let behind = &raw[place + 1..];
            let gap = behind
                .iter()
                .take(LONGEST)
                .take_while(|c| matches!(c, b' ' | b'\t' | b'"' | b'\''));
            named.then(|| place + 1 + gap.count())
        })
        .next()
}

fn is_of_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Japanese mail is written in.
    pub const CODINGS: [&encoding_rs::Encoding; 4] = [
        encoding_rs::SHIFT_JIS,
        encoding_rs::EUC_JP,
        encoding_rs::ISO_2022_JP,
        encoding_rs::UTF_8,
    ];

    #[test]
    fn names_of_mailers_become_those_of_the_registry() {
        for (written, read) in [
            (
                "Subject: =?cp932?B?gqA=?= =?CP932?Q?=82=A0?=",
                "Subject: =?shift_jis?B?gqA=?= =?shift_jis?Q?=82=A0?=",
            ),
            (
                "Content-Type: text/plain; charset=\"ISO-2022-JP-MS\"\r\n",
                "Content-Type: text/plain; charset=\"iso-2022-jp\"\r\n",
            ),
            (
                "charset = cp50221; format=flowed",
                "charset = iso-2022-jp; format=flowed",
            ),
            (
                "charset=utf-8 charset=cp932x charset=",
                "charset=utf-8 charset=cp932x charset=",
            ),
            ("cp932 and =?utf-8?Q?cp932?=", "cp932 and =?utf-8?Q?cp932?="),
            ("", ""),
        ] {
            assert_eq!(&readable(written.as_bytes()).raw[..], read.as_bytes());
        }
    }

    #[test]
    fn words_that_follow_each_other_are_one() {
        for (written, read) in [
            // 東 is e6 9d b1, and is cut in two.
            (
                "S: =?utf-8?B?5p0=?=\r\n =?UTF-8?b?sQ?= x",
                "S: =?utf-8?B?5p2x?= x",
            ),
            (
                "=?utf-8?q?=E6=9D?= =?utf-8?Q?=B1?=",
                "=?utf-8?Q?=E6=9D=B1?=",
            ),
            // What stands between them, or is of another set, keeps them apart.
            (
                "=?utf-8?B?5p0=?= a =?utf-8?B?sQ==?=",
                "=?utf-8?B?5p0=?= a =?utf-8?B?sQ==?=",
            ),
            (
                "=?utf-8?B?5p0=?==?utf-8?B?sQ==?=",
                "=?utf-8?B?5p0=?==?utf-8?B?sQ==?=",
            ),
            (
                "=?utf-8?B?5p0=?= =?utf-7?B?sQ==?=",
                "=?utf-8?B?5p0=?= =?utf-7?B?sQ==?=",
            ),
            (
                "=?utf-8?B?5p0=?= =?utf-8?B?!?=",
                "=?utf-8?B?5p0=?= =?utf-8?B?!?=",
            ),
            // One that cannot be decoded costs those before it nothing.
            (
                "=?utf-8?B?5p0=?= =?utf-8?B?sQ==?= =?utf-8?B?!?=",
                "=?utf-8?B?5p2x?= =?utf-8?B?!?=",
            ),
            // A body's are not its.
            (
                "\r\n\r\n=?utf-8?Q?a?= =?utf-8?Q?b?=",
                "\r\n\r\n=?utf-8?Q?a?= =?utf-8?Q?b?=",
            ),
        ] {
            assert_eq!(
                String::from_utf8_lossy(&readable(written.as_bytes()).raw),
                read
            );
        }
    }

    #[test]
    fn a_header_without_a_character_set_is_read() {
        let subject = "Subject: 名簿のご案内\r\nFrom: 見本 <a@b.example>\r\n";
        for coding in CODINGS {
            let (head, _, _) = coding.encode(subject);
            let mail = [&head[..], b"\r\n\x82\xa0\r\n"].concat();
            let read = readable(&mail);
            let expected = [subject.as_bytes(), b"\r\n\x82\xa0\r\n"].concat();
            assert_eq!(&read.raw[..], &expected[..], "{}", coding.name());
            assert_eq!(read.came(expected.len() - 3), mail.len() - 3);
            assert_eq!(guessed(&head), subject, "{}", coding.name());
        }
    }

    #[test]
    fn places_that_touch_are_told_apart() {
        let mail = b"S: =?cp932?B?gqA=?= =?cp932?B?gqA=?=\x82\xa0\r\n\r\nx";
        let read = readable(mail);
        let shown = String::from_utf8_lossy(&read.raw);
        assert_eq!(shown, "S: =?shift_jis?B?gqCCoA==?=あ\r\n\r\nx");
        assert_eq!(read.came(shown.len() - 1), mail.len() - 1);
        let letter = shown.find('あ').unwrap();
        assert_eq!(&mail[read.came(letter)..][..2], b"\x82\xa0");
    }

    proptest! {
        #[test]
        fn anything_is_read(
            raw in prop::collection::vec(prop::sample::select(vec![
                &b"charset"[..], b"=", b"?", b"\"", b" ", b"cp932", b"utf-8", b"=?cp932?B?gqA=?=", b"=?utf-8?q?x?=",
                b"\x82\xa0", b"\x1b$B", b"\xa4", b"a", b"\r\n", b"\xe3\x81\x82",
            ] as Vec<&[u8]>), 0..40).prop_map(|pieces| pieces.concat())
        ) {
            let once = readable(&raw);
            // What stands behind a place that was changed, stood there, unless it is a letter that was changed too.
            let (plain, header) = header(&raw);
            for (place, (here, came)) in header.0.iter().enumerate() {
                // What became nothing has its place where the next begins.
                if header.0.get(place + 1).is_some_and(|next| next.0 == *here) {
                    continue;
                }
                prop_assert_eq!(header.came(*here), *came);
                let behind = raw[*came..].first();
                if behind.is_none_or(|octet| octet.is_ascii() && *octet != b'\x1b') {
                    prop_assert_eq!(plain[*here..].first(), behind);
                }
            }
            for (here, came) in &once.names.0 {
                prop_assert_eq!(once.names.came(*here), *came);
                prop_assert_eq!(&once.raw[*here..].first(), &plain[*came..].first());
            }
            prop_assert_eq!(once.came(once.raw.len()), raw.len());
        }
    }
}
