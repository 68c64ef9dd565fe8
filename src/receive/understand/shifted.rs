//! Two character sets of seven bits, whose letters of two octets stand between marks: HZ (RFC 1843) and ISO-2022-KR
//! (RFC 1557). Browsers read them no more, so that the reader of character sets has neither; old mailers write them.

/// Reads a text whose octets are in such a character set.
pub(super) type Reader = fn(&[u8]) -> String;

/// The reader of a character set by its name; `None` if it is another one.
pub(super) fn reader(charset: &str) -> Option<Reader> {
    let named = |names: &[&str]| names.iter().any(|name| charset.eq_ignore_ascii_case(name));
    if named(&["hz-gb-2312", "hz"]) {
        Some(hz)
    } else if named(&["iso-2022-kr", "csiso2022kr"]) {
        Some(iso_2022_kr)
    } else {
        None
    }
}

fn hz(octets: &[u8]) -> String {
    let mut plain = Plain::default();
    let mut rest = octets;
    loop {
        rest = match rest {
            [] => break,
            [b'~', b'{', rest @ ..] => plain.shift(true, rest),
            [b'~', b'}', rest @ ..] => plain.shift(false, rest),
            // A line that goes on.
            [b'~', b'\n', rest @ ..] | [b'~', b'\r', b'\n', rest @ ..] => rest,
            [b'~', b'~', rest @ ..] if !plain.shifted => plain.push(b'~', rest),
            [octet, rest @ ..] => plain.push(*octet, rest),
        };
    }
    plain.read(encoding_rs::GBK)
}

fn iso_2022_kr(octets: &[u8]) -> String {
    let mut plain = Plain::default();
    let mut rest = octets;
    loop {
        rest = match rest {
            [] => break,
            [0x1b, b'$', b')', b'C', rest @ ..] => rest,
            [0x0e, rest @ ..] => plain.shift(true, rest),
            [0x0f, rest @ ..] => plain.shift(false, rest),
            [octet, rest @ ..] => plain.push(*octet, rest),
        };
    }
    plain.read(encoding_rs::EUC_KR)
}

/// The same text in eight bits.
#[derive(Default)]
struct Plain {
    octets: Vec<u8>,
    shifted: bool,
}

impl Plain {
    fn shift<'a>(&mut self, shifted: bool, rest: &'a [u8]) -> &'a [u8] {
        self.shifted = shifted;
        rest
    }

    fn read(&self, encoding: &'static encoding_rs::Encoding) -> String {
        let (text, _) = encoding.decode_without_bom_handling(&self.octets);
        text.into_owned()
    }

    /// No shift goes beyond a line.
    fn push<'a>(&mut self, octet: u8, rest: &'a [u8]) -> &'a [u8] {
        self.shifted &= octet != b'\n';
        let letter = self.shifted && (0x21..=0x7e).contains(&octet);
        self.octets.push(if letter { octet | 0x80 } else { octet });
        rest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_between_marks_are_read() {
        let hz = reader("HZ-GB-2312").unwrap();
        // The example of RFC 1843.
        let said =
            hz(b"This sentence is in ASCII.\nThe next is in GB.~{<:Ky2;S{#,NpJ)l6HK!#~}~\nBye.~~");
        let read = "This sentence is in ASCII.\nThe next is in GB.己所不欲，勿施於人。Bye.~";
        assert_eq!(said, read);
        assert_eq!(hz(b"~{#0#9~}~"), "０９~");
        let kr = reader("iso-2022-kr").unwrap();
        assert_eq!(kr(b"\x1b$)CTel \x0e#0#2\x0f-\x0eGQ\nA"), "Tel ０２-한\nA");
        assert!(reader("iso-2022-jp").is_none());
    }

    proptest! {
        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (hz(&octets), iso_2022_kr(&octets));
        }
        #[test]
        fn what_is_written_is_read(text in "[ -}\n己所不欲，０-９한]{0,40}") {
            for (encoding, marks, read) in [
                (encoding_rs::GBK, (&b"~{"[..], &b"~}"[..]), hz as Reader),
                (encoding_rs::EUC_KR, (&b"\x0e"[..], &b"\x0f"[..]), iso_2022_kr),
            ] {
                let mut octets = Vec::new();
                let mut kept = String::new();
                for letter in text.chars() {
                    let one = letter.to_string();
                    let (written, _, unknown) = encoding.encode(&one);
                    if unknown {
                        continue;
                    }
                    kept.push(letter);
                    match letter.is_ascii() {
                        true => octets.push(written[0]),
                        false => {
                            octets.extend(marks.0);
                            octets.extend(written.iter().map(|octet| octet & 0x7f));
                            octets.extend(marks.1);
                        }
                    }
                }
                prop_assert_eq!(read(&octets), kept);
            }
        }
    }
}
