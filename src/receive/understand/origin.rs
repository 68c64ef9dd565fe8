//! The actor behind a mail: its sender's domain, its list, where its links lead, what is printed in it.
//!
//! Everything is bounded, and a mail of many parts is read in a thread of its own: it may be made to bring
//! its reader down.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{
    Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};
use sha2::{Digest, Sha256};

use super::charset::{self, Readable};
use super::{one_line, shifted};
use crate::canary::{Actor, Attachment, Authentication, MailAddress, Origin, SenderDomain};
use crate::notation::{fold, phone_key};
use crate::receive::hex;
use crate::registry::{Mark, Registry, Result};

/// A mail with more parts is not read: the reader's memory and stack grow with them.
const PARTS: usize = 2000;
/// A mail of so many is read where we are: any stack has room for it, and a thread costs more than the mail.
const SHALLOW: usize = 32;
/// Stack for reading and dropping a mail of so many parts inside each other.
const STACK: usize = 64 << 20;
/// Text looked at, in bytes.
const TEXT: usize = 1 << 20;
/// The longest link.
const LINK: usize = 2048;
/// Domains, attachments; and printed addresses and numbers, each.
const MANY: usize = 100;
const FEW: usize = 20;

/// What a mail shows of whoever is behind it, `None` if that is nothing; and what else is looked for in it, if it can be
/// read.
pub fn origin<T: Send>(
    raw: &[u8],
    also: impl FnOnce(&Message<'_>) -> T + Send,
) -> (Option<T>, Option<Box<Origin>>) {
    let readable = charset::readable(raw);
    let read = with_mail(&readable.raw, |mail| {
        mail.map(|mail| (also(mail), of(raw, &readable, mail)))
    });
    let (also, found) = match read {
        Ok(Some((also, found))) => (Some(also), found),
        Ok(None) => (None, Origin::default()),
        Err(why) => {
            let unread = Some(why.to_owned());
            let found = Origin {
                unread,
                ..Origin::default()
            };
            (None, found)
        }
    };
    let shown = (found != Origin::default()).then(|| Box::new(found));
    (also, shown)
}

/// What a mail says to whoever reads it: to whom it is, its subject, its text and those of mails in it. `None` where it
/// cannot be read whole: it is too long, or has an attachment that is no text and no picture.
pub(super) fn words(raw: &[u8]) -> Option<String> {
    let readable = charset::readable(raw);
    let said = with_mail(&readable.raw, |mail| {
        let mut said = String::new();
        say(mail?, Some(&readable.raw), &mut said).then_some(said)
    });
    said.ok().flatten()
}

/// Adds what a mail says; whether that is all of it. Mails in it have been decoded already.
fn say(mail: &Message<'_>, raw: Option<&[u8]>, said: &mut String) -> bool {
    let to = mail.to().into_iter().flat_map(|to| to.iter());
    for shown in to.filter_map(|to| to.name()).chain(mail.subject()) {
        said.push_str(shown);
        said.push('\n');
    }
    mail.parts.iter().all(|part| {
        match &part.body {
            PartType::Text(decoded) | PartType::Html(decoded) => {
                let text = raw.and_then(|raw| text(part, raw));
                let text = text.unwrap_or(Cow::Borrowed(decoded));
                match part.body {
                    PartType::Html(_) => said.push_str(&html_to_text(&text)),
                    _ => said.push_str(&text),
                }
                said.push('\n');
            }
            PartType::Message(inside) => return say(inside, None, said),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                let kind = part.content_type();
                let is =
                    |wanted| kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case(wanted));
                // What a server tells of a mail that failed (RFC 3464) is lines of text.
                if is("message") {
                    said.push_str(&String::from_utf8_lossy(bytes));
                } else if !is("image") {
                    return false;
                }
            }
            PartType::Multipart(_) => {}
        }
        said.len() <= TEXT
    })
}

/// What is known of a mail whose reader failed.
pub(super) fn unread() -> Origin {
    Origin {
        unread: Some("its reader failed".to_owned()),
        ..Origin::default()
    }
}

/// Reads a mail where nothing that it does can harm: a panic or a deep nest is an error.
pub(super) fn with_mail<T: Send>(
    raw: &[u8],
    look: impl FnOnce(Option<&Message<'_>>) -> T + Send,
) -> std::result::Result<T, &'static str> {
    const NAME: &[u8] = b"content-type";
    let begun = memchr::memchr2_iter(b'C', b'c', raw);
    let parts = begun.filter(|at| {
        let name = raw.get(*at..*at + NAME.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    });
    let parts = parts.take(PARTS + 1).count();
    if parts > PARTS {
        return Err("it has too many parts");
    }
    let read = move || look(MessageParser::default().parse(raw).as_ref());
    if parts <= SHALLOW {
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
        return read.map_err(|_| "its reader failed");
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        let thread = builder.spawn_scoped(scope, read);
        let thread = thread.map_err(|_| "there was no thread to read it in")?;
        thread.join().map_err(|_| "its reader failed")
    })
}

/// Notes what is known of a mail's sender. Only the domain that it says it is from can be proven.
pub fn authenticated(actor: &mut Actor, known: &Authentication) {
    let origin = actor.origin.get_or_insert_default();
    if let Some(sender) = origin.sender.as_mut() {
        let proven = known.proven.as_deref().and_then(registrable);
        sender.proven = proven.as_ref() == Some(&sender.domain);
    }
    origin.authentication = Some(known.clone());
}

/// Takes out what is a canary's own: a mail often says to whom it is written.
pub async fn withhold(
    registry: &Registry,
    recipients: &[String],
    origin: &mut Origin,
) -> Result<()> {
    let to = |address: &String| recipients.iter().any(|to| to.eq_ignore_ascii_case(address));
    origin.addresses.retain(|address| !to(address));
    without_canaries(registry, Mark::Email, &mut origin.addresses).await?;
    without_canaries(registry, Mark::Phone, &mut origin.phones).await
}

async fn without_canaries(registry: &Registry, mark: Mark, of: &mut Vec<String>) -> Result<()> {
    if of.is_empty() {
        return Ok(());
    }
    let written = std::mem::take(of);
    let values = written.iter().map(String::as_str);
    let borne = registry.borne(mark, values).await?;
    let others = written
        .iter()
        .filter(|value| !borne.contains(value.as_str()));
    *of = others.cloned().collect();
    Ok(())
}

/// The domains of its authors, as they are written: that of the field and the address that count where there is one, first.
fn authors(mail: &Message<'_>) -> Vec<String> {
    let first = mail.from().and_then(|from| from.first());
    let fields = mail.headers().iter();
    let fields = fields.filter(|field| field.name == HeaderName::From);
    let all = fields.filter_map(|field| field.value.as_address());
    let all = all.flat_map(|addresses| addresses.iter());
    let mut domains = Vec::new();
    for author in first.into_iter().chain(all).take(MANY) {
        let domain = author
            .address()
            .and_then(|address| address.rsplit_once('@'));
        let domain = domain.map(|(_, domain)| one_line(&domain.to_lowercase()));
        put(&mut domains, FEW, domain);
    }
    domains
}

/// `raw` as it came; `mail` was read from what is `readable` of it.
fn of(raw: &[u8], readable: &Readable<'_>, mail: &Message<'_>) -> Origin {
    let mut origin = Origin::default();
    let mut authors = authors(mail).into_iter();
    origin.sender = authors.next().and_then(|domain| {
        Some(SenderDomain {
            domain: registrable(&domain)?,
            proven: false,
        })
    });
    // Of one organisation, or of none, they are several all the same: nobody can say which of them counts.
    let sender = origin.sender.as_ref().map(|sender| &sender.domain);
    origin.also_from = authors
        .map(|domain| match registrable(&domain) {
            Some(other) if Some(&other) != sender => other,
            _ => domain,
        })
        .collect();
    let list = mail.header_raw("List-Id").unwrap_or_default();
    let list = list.rsplit_once('<').map_or(list, |(_, id)| id);
    let list = one_line(list.trim().trim_end_matches('>'));
    origin.list = (!list.is_empty()).then_some(list);
    let unsubscribe = mail.header_raw("List-Unsubscribe").unwrap_or_default();
    for target in unsubscribe.split(['<', '>', ',']).take(MANY) {
        let written = target.trim().split_once("mailto:");
        let written = written.and_then(|(_, to)| to.split('?').next()?.rsplit_once('@'));
        let domain = match written {
            Some((_, domain)) => registrable(domain),
            None => host(target.trim()),
        };
        put(&mut origin.unsubscribe, MANY, domain);
    }
    let mut left = TEXT;
    for part in &mail.parts {
        let Some(text) = text(part, &readable.raw) else {
            continue;
        };
        let text = &text[..text.floor_char_boundary(left)];
        left -= text.len();
        for link in links(text) {
            put(&mut origin.links, MANY, host(link));
        }
        let text = fold(text);
        printed_addresses(&text, &mut origin.addresses);
        printed_phones(&text, &mut origin.phones);
    }
    origin.attachments = mail
        .attachments()
        .take(MANY)
        .map(|part| {
            let content = match &part.body {
                PartType::Message(_) => {
                    let (from, to) = (part.raw_body_offset(), part.raw_end_offset());
                    let came = readable.came(from as usize)..readable.came(to as usize);
                    raw.get(came).unwrap_or_default()
                }
                _ => part.contents(),
            };
            let kind = part.content_type().map(|kind| match kind.subtype() {
                Some(sub) => format!("{}/{sub}", kind.ctype()),
                None => kind.ctype().to_owned(),
            });
            Attachment {
                name: one_line(part.attachment_name().unwrap_or_default()),
                media_type: one_line(&kind.unwrap_or_default()),
                bytes: content.len() as u64,
                sha256: hex(&Sha256::digest(content)),
            }
        })
        .collect();
    if mail.attachment_count() > MANY {
        origin.unread = Some(format!("attachments beyond {MANY}"));
    } else if left == 0 {
        origin.unread = Some("the rest of a long text".to_owned());
    }
    origin
}

/// The text of a part of the mail that was read from `raw`, in whatever character set it turns out to be where none is
/// named that says more than that there are letters.
fn text<'m>(part: &'m MessagePart<'_>, raw: &[u8]) -> Option<Cow<'m, str>> {
    let (PartType::Text(text) | PartType::Html(text)) = &part.body else {
        return None;
    };
    let named = part
        .content_type()
        .and_then(|kind| kind.attribute("charset"));
    let says = named.is_some_and(|name| {
        let weak = ["us-ascii", "ascii", "utf-8", "utf8"];
        !weak.iter().any(|weak| name.eq_ignore_ascii_case(weak))
    });
    let shifted = named.and_then(shifted::reader);
    if shifted.is_none() && (says || charset::plain(text.as_bytes())) {
        return Some(Cow::Borrowed(text));
    }
    let body = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let octets = raw.get(body).and_then(|body| match part.encoding {
        Encoding::None => Some(Cow::Borrowed(body)),
        Encoding::Base64 => base64_decode(body).map(Cow::Owned),
        Encoding::QuotedPrintable => quoted_printable_decode(body).map(Cow::Owned),
    });
    let read = |octets: Cow<'_, [u8]>| shifted.unwrap_or(charset::guessed)(&octets);
    Some(octets.map_or(Cow::Borrowed(text), |octets| Cow::Owned(read(octets))))
}

fn put(list: &mut Vec<String>, most: usize, item: Option<String>) {
    if let Some(item) = item
        && list.len() < most
        && !list.contains(&item)
    {
        list.push(item);
    }
}

/// The domain that somebody has registered, of this or one below it.
pub fn registrable(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.').to_lowercase();
    let ascii = url::Host::parse(&domain).ok()?.to_string();
    psl::domain_str(&ascii).map(str::to_owned)
}

/// Where a link leads: a registrable domain, or an address.
fn host(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok()?;
    match url.host()? {
        url::Host::Domain(domain) => registrable(domain),
        address => Some(address.to_string()),
    }
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(move |(at, _)| {
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let before = at
                .checked_sub(scheme.len())
                .and_then(|from| text.get(from..at));
            before.is_some_and(|before| before.eq_ignore_ascii_case(scheme))
        })?;
        let link = &text[at - scheme.len()..];
        let link = &link[..link.floor_char_boundary(LINK)];
        let end = link.find(|c: char| c.is_whitespace() || "\"'<>()[]、。".contains(c));
        Some(&link[..end.unwrap_or(link.len())])
    })
}

fn printed_addresses(text: &str, found: &mut Vec<String>) {
    if !text.contains('@') {
        return;
    }
    let part = |c: char| c.is_ascii_alphanumeric() || "._%+-@".contains(c);
    for word in text.split(|c| !part(c)).filter(|word| word.contains('@')) {
        let word = word.trim_matches(['.', '-']);
        let address = word.parse::<MailAddress>().ok();
        let address = address.filter(|address| registrable(address.domain()).is_some());
        put(found, FEW, address.map(|a| a.as_str().to_lowercase()));
    }
}

/// Only what begins as a whole number does: a price or an order is none.
fn printed_phones(text: &str, found: &mut Vec<String>) {
    let part = |c: char| c.is_ascii_digit() || "+-() ".contains(c);
    // Most runs are short, and most text has none: they cost nothing here.
    for run in text.split(|c| !part(c)).filter(|run| run.len() >= 9) {
        let run = run.trim_matches(|c: char| " -)".contains(c));
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        if run.starts_with(['0', '+', '(']) && (9..=15).contains(&digits) {
            put(found, FEW, phone_key(run, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(raw: &[u8]) -> Option<Box<Origin>> {
        origin(raw, |_| ()).1
    }

    const MAIL: &str = "From: Shop <news@mail.broker.co.jp>\r\nList-Id: Offers <offers.broker.co.jp>\r\n\
        List-Unsubscribe: <https://u.leave.example/x>, <mailto:out@a.gone.example?subject=x>\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/html; charset=utf-8\r\n\r\n<a href=\"HTTPS://click.track.example/?u=1\">x</a> \
        http://192.0.2.7/ http://www.track.example Info@Shop.example, call 03-0123-9999 order 123456789\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a\u{202e}b.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n";

    #[test]
    fn what_a_mail_shows_of_its_sender_is_found() {
        let origin = *shown(MAIL.as_bytes()).unwrap();
        let sender = origin.sender.as_ref().unwrap();
        assert_eq!(
            (sender.domain.as_str(), sender.proven),
            ("broker.co.jp", false)
        );
        assert_eq!(origin.list.as_deref(), Some("offers.broker.co.jp"));
        assert_eq!(origin.unsubscribe, ["leave.example", "gone.example"]);
        assert_eq!(origin.links, ["track.example", "192.0.2.7"]);
        assert_eq!(origin.addresses, ["info@shop.example"]);
        assert_eq!(origin.phones, ["+81301239999"]);
        let [attached] = &origin.attachments[..] else {
            panic!("{}", origin.attachments.len());
        };
        assert_eq!(attached.media_type, "application/pdf");
        assert_eq!(attached.bytes, 5);
        assert!(!attached.name.contains('\u{202e}'));
        assert_eq!(attached.sha256, hex(&Sha256::digest(b"hello")));
        assert_eq!(format!("{origin:?}"), "Origin(redacted)");
    }

    #[test]
    fn several_authors_are_told_however_they_are_written() {
        for (from, sender, also) in [
            ("From: a@x.shop.example\r\n", Some("shop.example"), &[][..]),
            (
                "From: a@broker.example\r\nFrom: b@mail.shop.example\r\n",
                Some("shop.example"),
                &["broker.example"],
            ),
            (
                "From: a@shop.example, b@x.shop.example\r\n",
                Some("shop.example"),
                &["x.shop.example"],
            ),
            (
                "From: a@localhost, b@shop.example\r\n",
                None,
                &["shop.example"],
            ),
        ] {
            let origin = shown(format!("{from}Subject: x\r\n\r\nx\r\n").as_bytes()).unwrap();
            let found = origin.sender.as_ref().map(|sender| sender.domain.as_str());
            let mut all: Vec<&str> = origin.also_from.iter().map(String::as_str).collect();
            all.extend(found);
            let mut wanted = also.to_vec();
            wanted.extend(sender);
            all.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(all, wanted, "{from}");
        }
    }

    #[test]
    fn mails_inside_each_other_bring_nobody_down() {
        let nested = |deep: usize| {
            let mut mail = "Content-Type: message/rfc822\r\n\r\n".repeat(deep);
            mail.push_str("Subject: x\r\n\r\nhttp://a.example\r\n");
            mail
        };
        let read = shown(nested(1000).as_bytes()).unwrap();
        assert_eq!(read.attachments.len(), 1);
        let unread = shown(nested(100_000).as_bytes()).unwrap();
        assert_eq!(unread.unread.as_deref(), Some("it has too many parts"));
    }

    #[test]
    fn a_reader_that_fails_is_told() {
        for parts in [0, SHALLOW, SHALLOW + 1] {
            let mail = "Content-Type: message/rfc822\r\n\r\n".repeat(parts) + "A: b\r\n\r\n";
            let failed = with_mail(mail.as_bytes(), |_| -> () { panic!("on purpose") });
            assert_eq!(failed, Err("its reader failed"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = shown(&raw);
        }
        #[test]
        fn any_text_is_searched(text in "([ -~]|é|囮|https?://|@|\\+81){0,60}") {
            let _ = shown(format!("From: a@b.example\r\n\r\n{text}").as_bytes());
        }
    }
}
