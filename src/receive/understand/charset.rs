//! Names of character sets that the mail reader does not know, given those that it does.
//!
//! Japanese mailers write `cp932` and `iso-2022-jp-ms` where the registry of character sets has `Shift_JIS` and
//! `ISO-2022-JP`: the octets are the same, and a telephone number in them is lost to whoever does not know the name.

use std::borrow::Cow;

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

/// A mail with known names.
pub(super) struct Known<'a> {
    /// Its octets.
    pub raw: Cow<'a, [u8]>,
    /// Where names were changed: behind which octet here, and behind which octet as the mail came.
    changed: Vec<(usize, usize)>,
}

impl Known<'_> {
    /// Where an octet was in the mail as it came.
    pub fn came(&self, at: usize) -> usize {
        let behind = self.changed.partition_point(|(here, _)| *here <= at);
        match behind.checked_sub(1).map(|last| self.changed[last]) {
            Some((here, came)) => came + (at - here),
            None => at,
        }
    }
}

/// The mail with known names, of encoded words (`=?cp932?B?…?=`) and of parts (`charset="cp932"`).
pub(super) fn known(raw: &[u8]) -> Known<'_> {
    let mut out = Vec::new();
    let mut changed = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(place) = next(raw, at) {
        let label = &raw[place..];
        let length = label.iter().take(LONGEST).take_while(|c| is_of_name(**c));
        let length = length.count();
        let alias = ALIASES
            .iter()
            .find(|(name, _)| label[..length].eq_ignore_ascii_case(name.as_bytes()));
        if let Some((_, name)) = alias {
            out.extend_from_slice(&raw[copied..place]);
            out.extend_from_slice(name.as_bytes());
            copied = place + length;
            changed.push((out.len(), copied));
        }
        at = place + length;
    }
    let raw = match copied {
        0 => Cow::Borrowed(raw),
        _ => {
            out.extend_from_slice(&raw[copied..]);
            Cow::Owned(out)
        }
    };
    Known { raw, changed }
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
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            assert_eq!(&known(written.as_bytes()).raw[..], read.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn anything_is_read(raw in r#"(charset|=|\?|"| |cp932|utf-8|[a-z\r\n]){0,40}"#) {
            let once = known(raw.as_bytes());
            prop_assert_eq!(&known(&once.raw).raw[..], &once.raw[..]);
            // What stands behind a name that was changed, stood there.
            for (here, came) in &once.changed {
                prop_assert_eq!(once.came(*here), *came);
                prop_assert_eq!(&once.raw[*here..].first(), &raw.as_bytes()[*came..].first());
            }
            prop_assert_eq!(once.came(once.raw.len()), raw.len());
        }
    }
}
