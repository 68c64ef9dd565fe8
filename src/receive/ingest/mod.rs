//! Mail that comes as files: a mailbox that was saved, a maildir that another server fills, one mail
//! on standard input, what a provider hands out over IMAP. A file is a contact like a session is: stored durably first, and counted once.

pub mod files;
mod maildir;
mod mbox;

use std::borrow::Cow;

use mail_parser::MessageParser;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::smtp::identity::{hash_of, same_as};
use super::smtp::{Recipients, Standing};
use crate::canary::{Channel, MailAddress};
use crate::registry::NewMessage;

pub(super) use maildir::Maildir;
pub use mbox::{Mbox, Piece};

/// A header larger than this is not searched for recipients.
const HEADER: usize = 1 << 20;
/// Addresses looked at in one header: the rest is a list, and no recipient.
const ADDRESSES: usize = 20_000;
/// Where servers write for whom a mail was, the most reliable first.
const DELIVERED: [&str; 3] = ["Delivered-To", "X-Original-To", "Envelope-To"];

/// Why a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not begin with a header.
    #[error("this is no mail: it does not begin with a header")]
    NoMail,
    /// Nobody whom it names is ours.
    #[error("no recipient of ours")]
    NotOurs,
    /// Whether a recipient is ours cannot be told now.
    #[error("the registry could not be asked for its recipients; try again")]
    Unknown,
}

/// What is stored beside a mail that came as a file.
#[derive(Serialize)]
struct Envelope<'a> {
    from: &'a str,
    via: &'static str,
    /// How long it is, where only its beginning was had.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<usize>,
    /// When it was sent, as it says itself: it informs, and proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
}

/// By which way a mail came.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// `file` or `imap`.
    pub via: &'static str,
    /// How long it is, where only its beginning was had.
    pub cut: Option<usize>,
}

impl Origin {
    /// As a file, whole.
    pub const FILE: Origin = Origin {
        via: "file",
        cut: None,
    };
}

/// The message to store for a mail in a file. `to` are its recipients, as whoever has delivered it says;
/// without any, those of ours whom its header names.
///
/// # Errors
/// It is no mail, or reaches nobody of ours as far as can be told.
pub async fn message(
    recipients: &Recipients,
    to: &[MailAddress],
    raw: Vec<u8>,
    at: OffsetDateTime,
    origin: Origin,
) -> Result<NewMessage, Refused> {
    if !begins_with_header(&raw) {
        return Err(Refused::NoMail);
    }
    // A stranger's bytes must not be able to stop the import of the others.
    let header = std::panic::catch_unwind(|| header(&raw)).map_err(|_| Refused::NoMail)?;
    let to: Vec<String> = match to {
        [] => ours(recipients, &header).await?,
        to => to.iter().map(|to| to.as_str().to_owned()).collect(),
    };
    let envelope = Envelope {
        from: &header.from,
        via: origin.via,
        cut: origin.cut,
        sent: header.sent,
    };
    Ok(NewMessage {
        at,
        channel: Channel::Mail,
        envelope: serde_json::to_string(&envelope).map_err(|_| Refused::NoMail)?,
        same_as: Some(identity(&header.from, &to, &raw)),
        recipients: to,
        raw,
    })
}

/// The same identity as SMTP gives the mail, which came with CR LF; without a Message-ID the file's
/// own bytes, trace lines and all: only a copy of the file has the same.
fn identity(from: &str, to: &[String], raw: &[u8]) -> String {
    let raw = crlf(raw);
    same_as(from, to, &raw).unwrap_or_else(|| {
        // No Message-ID has a space in it.
        let parts = [b"a file".as_slice(), from.as_bytes()];
        let to = to.iter().map(String::as_bytes);
        hash_of(parts.into_iter().chain(to).chain([raw.as_ref()]))
    })
}

fn crlf(raw: &[u8]) -> Cow<'_, [u8]> {
    let bare = |at: usize| raw[at] == b'\n' && (at == 0 || raw[at - 1] != b'\r');
    if !(0..raw.len()).any(bare) {
        return Cow::Borrowed(raw);
    }
    let mut lines = Vec::with_capacity(raw.len() + raw.len() / 32);
    for (at, byte) in raw.iter().enumerate() {
        if bare(at) {
            lines.push(b'\r');
        }
        lines.push(*byte);
    }
    Cow::Owned(lines)
}

/// Whether the first line is a field: a name of visible characters and a colon.
fn begins_with_header(raw: &[u8]) -> bool {
    let line = raw.split(|&b| b == b'\n').next().unwrap_or_default();
    let name = line.split(|&b| b == b':').next().unwrap_or_default();
    let visible = |b: &u8| b.is_ascii_graphic();
    name.len() < line.len() && !name.is_empty() && name.trim_ascii_end().iter().all(visible)
}

#[derive(Default)]
struct Header {
    from: String,
    sent: Option<String>,
    delivered: Vec<String>,
    addressed: Vec<String>,
}

fn header(raw: &[u8]) -> Header {
    let raw = &raw[..raw.len().min(HEADER)];
    let mut header = Header::default();
    let Some(parsed) = MessageParser::default().parse_headers(raw) else {
        return header;
    };
    for (name, value) in parsed.headers_raw() {
        if name.eq_ignore_ascii_case("Return-Path") && header.from.is_empty() {
            header.from = bare(value).to_owned();
        }
        let delivered = DELIVERED.iter().any(|of| name.eq_ignore_ascii_case(of));
        if delivered && header.delivered.len() < ADDRESSES {
            header.delivered.push(bare(value).to_owned());
        }
    }
    let lists = [parsed.to(), parsed.cc(), parsed.bcc()];
    let all = lists.into_iter().flatten().flat_map(|list| list.iter());
    let addresses = all.filter_map(|one| one.address());
    header.addressed = addresses.take(ADDRESSES).map(str::to_owned).collect();
    let sent = parsed.date().map(mail_parser::DateTime::to_timestamp);
    header.sent = sent
        .and_then(|sent| OffsetDateTime::from_unix_timestamp(sent).ok())
        .and_then(|sent| sent.format(&Rfc3339).ok());
    header
}

/// The fields of this name in a mail's header, the highest first, each on one line.
pub(super) fn fields(raw: &[u8], wanted: &str) -> Vec<String> {
    let raw = &raw[..raw.len().min(HEADER)];
    let mut fields: Vec<String> = Vec::new();
    let mut inside = false;
    for line in raw.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(last) = fields.last_mut().filter(|_| inside) {
                last.push_str(&text);
            }
            continue;
        }
        let named = text.split_once(':');
        let named = named.filter(|(name, _)| name.trim_end().eq_ignore_ascii_case(wanted));
        inside = named.is_some();
        fields.extend(named.map(|(_, value)| value.to_owned()));
    }
    fields
}

/// An address as `Return-Path` and `Delivered-To` have it, without its brackets.
fn bare(value: &str) -> &str {
    value.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Those of ours who got the mail: by what a server has written where there is some, or else by whom
/// the mail addresses.
async fn ours(recipients: &Recipients, header: &Header) -> Result<Vec<String>, Refused> {
    for named in [&header.delivered, &header.addressed] {
        let mut ours: Vec<String> = Vec::new();
        for one in named {
            let Ok(address) = one.parse::<MailAddress>() else {
                continue;
            };
            if ours.iter().any(|known| known.eq_ignore_ascii_case(one)) {
                continue;
            }
            let is_ours = match recipients.standing(&address).await {
                Standing::Ours => true,
                Standing::Unknown => return Err(Refused::Unknown),
                Standing::NoMailbox => false,
                // A canary's domain may have left the pool since.
                Standing::Foreign => match recipients.is_canary(address.as_str()).await {
                    Some(is) => is,
                    None => return Err(Refused::Unknown),
                },
            };
            if is_ours {
                ours.push(address.as_str().to_owned());
            }
        }
        if !ours.is_empty() {
            return Ok(ours);
        }
    }
    Err(Refused::NotOurs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_says_for_whom_and_from_whom() {
        let raw = b"Return-Path: <bounce@broker.example>\nDelivered-To:\n a@decoys.example\n\
            To: B <b@decoys.example>, group: c@decoys.example;\nDate: Thu, 1 Jan 2026 09:00:00 +0900\n\nTo: x@y.example\n";
        let header = header(raw);
        assert_eq!(header.from, "bounce@broker.example");
        assert_eq!(header.delivered, ["a@decoys.example"]);
        assert_eq!(header.addressed, ["b@decoys.example", "c@decoys.example"]);
        assert_eq!(header.sent.as_deref(), Some("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn ten_thousand_recipients_are_looked_at() {
        let strangers: Vec<String> = (0..10_000).map(|n| format!("a{n}@x.example")).collect();
        let raw = format!(
            "To: {},\n canary@decoys.example\n\nhi\n",
            strangers.join(",\n ")
        );
        let header = header(raw.as_bytes());
        assert_eq!(header.addressed.len(), 10_001);
        assert_eq!(header.addressed.last().unwrap(), "canary@decoys.example");
    }

    #[test]
    fn a_copy_with_other_line_ends_is_the_same_mail() {
        let to = ["a@decoys.example".to_owned()];
        let of = |raw: &str| identity("x@broker.example", &to, raw.as_bytes());
        let smtp = same_as(
            "x@broker.example",
            &to,
            b"Message-ID: <1@x>\r\n\r\none\r\ntwo\r\n",
        );
        assert_eq!(
            Some(of("Received: y\nMessage-ID: <1@x>\n\none\ntwo\n")),
            smtp
        );
        assert_eq!(of("Subject: a\n\nb\n"), of("Subject: a\r\n\r\nb\r\n"));
        assert_ne!(
            of("Subject: a\n\nb\n"),
            of("Received: z\nSubject: a\n\nb\n")
        );
    }

    #[test]
    fn what_has_no_header_is_no_mail() {
        for raw in ["", "\n", "hello\n", "\u{89}PNG\r\n: x", "a b: c\n", ": x\n"] {
            assert!(!begins_with_header(raw.as_bytes()), "{raw:?}");
        }
        assert!(begins_with_header(b"Subject : x"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (header(&raw), begins_with_header(&raw));
            let once = crlf(&raw);
            prop_assert_eq!(crlf(&once), once.as_ref());
        }
    }
}
