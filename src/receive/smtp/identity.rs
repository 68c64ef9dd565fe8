//! What makes a second copy of a mail the same mail.
//!
//! A client whose connection broke before it read our 250 sends again. The copy has the same
//! Message-ID, the same envelope and the same body, though a relay may have put another trace line
//! on top. A mail without a Message-ID is never taken for a copy: two such are two contacts.

use sha2::{Digest, Sha256};

/// The identity of a mail with a Message-ID, as 64 hex digits; `None` without.
pub fn same_as(from: &str, recipients: &[String], raw: &[u8]) -> Option<String> {
    let (header, body) = split(raw);
    let id = message_id(header)?;
    let mut recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    recipients.sort_unstable();
    let parts = [id.as_slice(), from.as_bytes()]
        .into_iter()
        .chain(recipients.iter().map(|r| r.as_bytes()))
        .chain([body]);
    Some(hash_of(parts))
}

/// One hash of several parts, none of which can pass for the end of another: 64 hex digits.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    crate::receive::hex(&hash.finalize())
}

/// Header and body, parted at the first empty line.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    if raw.starts_with(b"\r\n") || raw.starts_with(b"\n") {
        return (b"", raw);
    }
    let crlf = raw.windows(4).position(|w| w == b"\r\n\r\n");
    let lf = raw.windows(2).position(|w| w == b"\n\n");
    match (crlf, lf) {
        (Some(at), Some(lf)) if lf < at => (&raw[..=lf], &raw[lf + 1..]),
        (Some(at), _) => (&raw[..at + 2], &raw[at + 2..]),
        (None, Some(at)) => (&raw[..=at], &raw[at + 1..]),
        (None, None) => (raw, b""),
    }
}

/// The first Message-ID's value without white space; `None` if there is none, or it is empty.
fn message_id(header: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"message-id";
    let mut lines = header.split(|&b| b == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_at_checked(NAME.len()) else {
            continue;
        };
        let Some(value) = value.trim_ascii_start().strip_prefix(b":") else {
            continue;
        };
        if !name.eq_ignore_ascii_case(NAME) {
            continue;
        }
        let mut id = value.to_vec();
        while let Some(folded) = lines.next_if(|l| l.starts_with(b" ") || l.starts_with(b"\t")) {
            id.extend_from_slice(folded);
        }
        id.retain(|b| !b.is_ascii_whitespace());
        return (!id.is_empty()).then_some(id);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identity(raw: &str) -> Option<String> {
        same_as("a@x.example", &["b@y.example".to_owned()], raw.as_bytes())
    }

    #[test]
    fn a_retry_is_the_same_and_another_mail_is_not() {
        let first = identity("Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody\r\n");
        assert!(first.is_some());
        let again =
            identity("Received: by r\r\nMESSAGE-ID:\r\n <1@x>\r\nSubject: s\r\n\r\nbody\r\n");
        assert_eq!(first, again);
        for other in [
            "Message-ID: <2@x>\r\nSubject: s\r\n\r\nbody\r\n",
            "Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody!\r\n",
        ] {
            assert_ne!(first, identity(other));
        }
        let elsewhere = same_as(
            "a@x.example",
            &["c@y.example".to_owned()],
            b"Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody\r\n",
        );
        assert_ne!(first, elsewhere);
    }

    #[test]
    fn without_a_message_id_there_is_no_identity() {
        for raw in [
            "",
            "\r\n",
            "Subject: s\r\n\r\nMessage-ID: <1@x>\r\n",
            "\r\nMessage-ID: <1@x>\r\n",
            "Message-ID:\r\n\r\n",
            "Message-ID-Not: <1@x>\r\n\r\n",
            "X: y\n\nMessage-ID: <1@x>\r\n\r\n",
        ] {
            assert_eq!(identity(raw), None, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = same_as("", &[], &raw);
        }
    }
}
