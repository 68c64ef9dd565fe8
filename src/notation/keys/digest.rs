//! Hashed contact points: lists for advertising, and dumps of careful services, hold the MD5, SHA-1 or
//! SHA-256 of a mail address or a telephone number instead of the thing itself.
//!
//! Nothing can be read back out of a digest. But what was planted is known, in the few forms in which it
//! would have been hashed, and these can be hashed again. A salt that nobody knows ends it.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::Region;

/// A hash that lists are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashName {
    /// MD5, of 16 bytes.
    Md5,
    /// SHA-1, of 20 bytes.
    Sha1,
    /// SHA-256, of 32 bytes.
    Sha256,
}

impl HashName {
    /// Every one.
    pub const ALL: [HashName; 3] = [HashName::Md5, HashName::Sha1, HashName::Sha256];

    /// Its name in keys.
    const fn name(self) -> &'static str {
        match self {
            HashName::Md5 => "md5",
            HashName::Sha1 => "sha1",
            HashName::Sha256 => "sha256",
        }
    }

    const fn length(self) -> usize {
        match self {
            HashName::Md5 => 16,
            HashName::Sha1 => 20,
            HashName::Sha256 => 32,
        }
    }

    /// The key of a text's digest, as [`digest_key`] reads it from a list.
    pub fn key_of(self, text: &str) -> String {
        let bytes = match self {
            HashName::Md5 => Md5::digest(text).to_vec(),
            HashName::Sha1 => Sha1::digest(text).to_vec(),
            HashName::Sha256 => Sha256::digest(text).to_vec(),
        };
        key(self, &bytes)
    }

    /// The hash of a key of [`digest_key`]; `None` for a key of anything else.
    pub fn of_key(key: &str) -> Option<HashName> {
        let (name, _) = key.split_once(':')?;
        HashName::ALL.into_iter().find(|hash| hash.name() == name)
    }
}

impl std::fmt::Display for HashName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            HashName::Md5 => "MD5",
            HashName::Sha1 => "SHA-1",
            HashName::Sha256 => "SHA-256",
        })
    }
}

/// The digest in a cell: hexadecimal in either case or Base64 in either alphabet, padded or not, behind
/// the hash's name or alone. `None` for what is as long as none.
pub fn digest_key(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(|c| matches!(c, '"' | '\''));
    // Nearly every cell is no digest; that must cost nothing.
    if !(22..=72).contains(&text.len()) || !text.is_ascii() || text.contains(['@', ' ']) {
        return None;
    }
    let body = text.rsplit_once([':', '}']).map_or(text, |(_, body)| body);
    let body = ["0x", "0X", "\\x"]
        .iter()
        .find_map(|mark| body.strip_prefix(mark))
        .unwrap_or(body);
    let bytes = hexadecimal(body).or_else(|| base64(body))?;
    let hash = HashName::ALL
        .into_iter()
        .find(|hash| hash.length() == bytes.len())?;
    Some(key(hash, &bytes))
}

/// The texts that a mail address would be hashed as, the usual one first: trimmed and in lower case,
/// then as it was written and in upper case.
pub fn hashed_email_forms(written: &str) -> Vec<String> {
    let written = written.trim();
    let forms = [
        written.to_lowercase(),
        written.to_owned(),
        written.to_uppercase(),
    ];
    distinct(forms.into_iter().chain(super::email_key(written)))
}

/// The texts that a number would be hashed as: E.164 with and without its plus sign, national digits
/// with and without the zero, as it was written, and a mobile's groups.
pub fn hashed_phone_forms(written: &str, region: Option<Region>) -> Vec<String> {
    let Some(e164) = super::phone_key(written, region) else {
        return Vec::new();
    };
    let plain = e164.trim_start_matches('+').to_owned();
    let mut forms = vec![e164.clone(), plain, written.trim().to_owned()];
    if let Some(national) = e164.strip_prefix("+81") {
        forms.extend([format!("0{national}"), national.to_owned()]);
        if let Some((network, rest)) = national
            .split_at_checked(2)
            .filter(|_| national.len() == 10)
        {
            let (first, second) = rest.split_at(4);
            forms.push(format!("0{network}-{first}-{second}"));
        }
    } else if let Some(national) = e164.strip_prefix("+1") {
        forms.push(national.to_owned());
    }
    distinct(forms.into_iter())
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !text.is_empty() && !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

fn key(hash: HashName, bytes: &[u8]) -> String {
    let mut key = String::with_capacity(8 + 2 * bytes.len());
    key.push_str(hash.name());
    key.push(':');
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            key.extend(char::from_digit(u32::from(half), 16));
        }
    }
    key
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    GeneralPurpose::new(alphabet, CONFIG).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_key_however_it_is_written() {
        let key = HashName::Sha256.key_of("kako@mail.example");
        let hex = &key["sha256:".len()..];
        let bytes = hexadecimal(hex).unwrap();
        let standard = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
        for written in [
            hex.to_owned(),
            hex.to_uppercase(),
            format!(" {hex} "),
            format!("sha256:{hex}"),
            format!("0x{hex}"),
            format!("{{SHA256}}{standard}"),
            standard,
            url,
        ] {
            assert_eq!(digest_key(&written).as_ref(), Some(&key), "{written}");
        }
        assert_eq!(HashName::of_key(&key), Some(HashName::Sha256));
    }

    #[test]
    fn the_hashes_are_those_of_the_world() {
        // RFC 1321 and FIPS 180: digests of abc.
        for (hash, hex) in [
            (HashName::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashName::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                HashName::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            assert_eq!(hash.key_of("abc"), format!("{}:{hex}", hash.name()));
            assert_eq!(digest_key(hex), Some(hash.key_of("abc")));
        }
    }

    #[test]
    fn what_is_no_digest_has_no_key() {
        for text in [
            "",
            "090-0123-4567",
            "kako.sato@mail.example",
            "東京都千代田区霞が関9丁目12番8号 霞ハイツ203号室",
            "900150983cd24fb0d6963f7d28e17f7",
            "900150983cd24fb0d6963f7d28e17f7200",
            "12 Main Street, Springfield, IL",
        ] {
            assert_eq!(digest_key(text), None, "{text}");
        }
        for key in ["kako@mail.example", "+819001234567", "x:y"] {
            assert_eq!(HashName::of_key(key), None);
        }
    }

    #[test]
    fn numbers_are_hashed_in_their_usual_forms() {
        assert_eq!(
            hashed_phone_forms("090-0123-4567", None),
            [
                "+819001234567",
                "819001234567",
                "090-0123-4567",
                "09001234567",
                "9001234567"
            ]
        );
        assert_eq!(
            hashed_email_forms(" Kako.Sato+x@mail.example"),
            [
                "kako.sato+x@mail.example",
                "Kako.Sato+x@mail.example",
                "KAKO.SATO+X@MAIL.EXAMPLE",
                "kako.sato@mail.example"
            ]
        );
    }
}
