//! A mail: the envelope says who was reached, the header what it is about. Nothing in it is
//! followed, fetched or answered.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use mail_parser::MessageParser;
use serde::Deserialize;

use super::names::named_beyond;
use super::{Reached, charset, one_line};
use crate::canary::{Actor, Canary, CanaryId, Channel};
use crate::registry::{Mark, Message, Registry, Result};

#[derive(Deserialize)]
struct Envelope {
    from: String,
    #[serde(default)]
    helo: String,
    #[serde(default)]
    peer: Option<IpAddr>,
    #[serde(default)]
    lmtp: bool,
    /// The network of a client that asked for the recipient and sent nothing.
    #[serde(default)]
    probe: Option<String>,
    /// How many addresses that network had asked for in vain, where it guesses.
    #[serde(default)]
    guessed: Option<usize>,
    /// By which other way than SMTP it came.
    #[serde(default)]
    via: Option<String>,
}

fn envelope(message: &Message) -> Option<Envelope> {
    let mail = message.channel == Channel::Mail;
    serde_json::from_str(&message.envelope)
        .ok()
        .filter(|_| mail)
}

/// The network that checked a recipient, if that is all that it did.
pub fn probe(message: &Message) -> Option<String> {
    envelope(message)?.probe
}

/// Whether its network tried names until one was there: a spammer's dictionary, and no list of anybody's.
pub fn guess(message: &Message) -> bool {
    envelope(message).is_some_and(|envelope| envelope.guessed.is_some())
}

/// The canaries of whom a mail says more than the address tells that it was sent to; all of them where it cannot be read
/// whole, since what cannot be read may say anything.
pub async fn known(registry: &Registry, message: &Message) -> Result<HashSet<CanaryId>> {
    let recipients = message.recipients.iter().map(String::as_str);
    let sent_to = registry.find_each(Mark::Email, recipients).await?;
    // A stranger's bytes must not be able to stop the worker.
    let words = std::panic::catch_unwind(|| super::origin::words(&message.raw));
    let words = words.ok().flatten();
    let each = sent_to.into_iter();
    let each = each.flat_map(|(address, canaries)| canaries.into_iter().map(move |c| (address, c)));
    let knows = |address: &str, canary: &Canary| {
        let words = words.as_deref();
        words.is_none_or(|words| named_beyond(&canary.details.household, address, words))
    };
    let known = each.filter(|(address, canary)| knows(address, canary));
    Ok(known.map(|(_, canary)| canary.id).collect())
}

/// Who has sent a mail, as its envelope says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// MAIL FROM; empty for a bounce.
    pub from: String,
    pub helo: String,
    /// The client, where it is the sender's own.
    pub peer: Option<IpAddr>,
}

/// Who has sent it; `None` where there is no message.
pub fn sender(message: &Message) -> Option<Sender> {
    let envelope = envelope(message).filter(|envelope| envelope.probe.is_none())?;
    Some(Sender {
        from: envelope.from,
        helo: envelope.helo,
        peer: envelope.peer.filter(|_| !envelope.lmtp),
    })
}

/// Whether it is what some server writes by itself.
pub fn bounce(message: &Message) -> bool {
    envelope(message).is_some_and(|envelope| {
        envelope.probe.is_none()
            && super::bounce::is(&envelope.from, envelope.via.is_some(), &message.raw)
    })
}

/// Whom addresses belong to, for mails that are looked at together: most of a flood is written to few.
#[derive(Default)]
pub struct Owners(HashMap<String, Reached>);

impl Owners {
    /// Asks for all recipients of mails at once.
    pub async fn of(registry: &Registry, messages: &[Message]) -> Result<Owners> {
        let mails = messages
            .iter()
            .filter(|message| message.channel == Channel::Mail);
        let recipients = mails.flat_map(|message| &message.recipients);
        let found = registry.find_each(Mark::Email, recipients.map(String::as_str));
        let found = found.await?.into_iter();
        let reached = found.map(|(address, canaries)| (address.to_owned(), Reached::of(&canaries)));
        Ok(Owners(reached.collect()))
    }

    /// Whom a recipient's address belongs to.
    pub async fn reached(&self, registry: &Registry, recipient: &str) -> Result<Reached> {
        match self.0.get(recipient) {
            Some(reached) => Ok(reached.clone()),
            None => Ok(Reached::of(&registry.find(Mark::Email, recipient).await?)),
        }
    }
}

/// Who wrote, and about what.
pub fn actor(message: &Message) -> Actor {
    let envelope = envelope(message);
    if let Some(Envelope {
        probe: Some(_),
        from,
        helo,
        peer: Some(peer),
        guessed,
        ..
    }) = &envelope
    {
        let guessed = guessed.map(|vain| format!("; it guesses, and asked for {vain} in vain"));
        let guessed = guessed.unwrap_or_default();
        return Actor {
            from: one_line(from),
            summary: one_line(&format!(
                "recipient check by {peer} ({helo}), no message{guessed}"
            )),
            ..Actor::default()
        };
    }
    let guessed = envelope.as_ref().and_then(|envelope| envelope.guessed);
    let sender = envelope.map(|envelope| envelope.from).unwrap_or_default();
    // A stranger's bytes must not be able to stop the worker: without its header a mail still counts.
    let read = std::panic::catch_unwind(|| super::origin::origin(&message.raw, Header::of));
    let (header, origin) = read.unwrap_or_else(|_| (None, Some(Box::new(super::origin::unread()))));
    let alone = || std::panic::catch_unwind(|| header_alone(&message.raw)).unwrap_or_default();
    let header = header.unwrap_or_else(alone);
    let from = if sender.is_empty() {
        &header.address
    } else {
        &sender
    };
    let summary = if header.from.is_empty() || header.from == *from {
        header.subject
    } else {
        format!("{} (From: {})", header.subject, header.from)
    };
    let summary = match guessed {
        Some(vain) => format!("{summary}; its network guesses, and asked for {vain} in vain"),
        None => summary,
    };
    Actor {
        from: one_line(from),
        summary: one_line(&summary),
        origin,
        ..Actor::default()
    }
}

#[derive(Default)]
struct Header {
    subject: String,
    /// Name and address as shown.
    from: String,
    address: String,
}

impl Header {
    fn of(mail: &mail_parser::Message<'_>) -> Header {
        let sender = mail.from().and_then(|from| from.first());
        let address = sender
            .and_then(|sender| sender.address())
            .unwrap_or_default();
        let name = sender.and_then(|sender| sender.name()).unwrap_or_default();
        Header {
            subject: mail.subject().unwrap_or_default().to_owned(),
            from: if name.is_empty() {
                address.to_owned()
            } else {
                format!("{name} <{address}>")
            },
            address: address.to_owned(),
        }
    }
}

/// The header of a mail that is not read whole.
fn header_alone(raw: &[u8]) -> Header {
    let readable = charset::readable(&raw[..raw.len().min(charset::HEADER)]);
    let mail = MessageParser::default().parse_headers(&readable.raw[..]);
    mail.map(|mail| Header::of(&mail)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    fn read(from: &str, raw: &[u8]) -> Actor {
        actor(&Message {
            id: 1,
            at: OffsetDateTime::UNIX_EPOCH,
            channel: Channel::Mail,
            envelope: serde_json::json!({ "from": from }).to_string(),
            recipients: Vec::new(),
            raw: raw.to_vec(),
        })
    }

    #[test]
    fn japanese_headers_are_read() {
        let raw = b"From: =?ISO-2022-JP?B?GyRCTDtFRBsoQg==?= <info@broker.example>\r\n\
            Subject: =?UTF-8?B?44GK5b6X44Gq44GK55+l44KJ44Gb?=\r\n\r\nbody";
        let actor = read("bounce-1@broker.example", raw);
        assert_eq!(actor.from, "bounce-1@broker.example");
        assert!(
            actor.summary.starts_with("お得なお知らせ (From: "),
            "{}",
            actor.summary
        );
        assert!(
            actor.summary.ends_with("<info@broker.example>)"),
            "{}",
            actor.summary
        );
    }

    #[test]
    fn character_sets_have_their_mailers_names() {
        for label in ["cp932", "CP932", "windows-31j", "Shift_JIS"] {
            let raw = format!("Subject: =?{label}?B?gqiTvg==?=\r\n\r\n");
            assert_eq!(
                read("a@b.example", raw.as_bytes()).summary,
                "お得",
                "{label}"
            );
        }
        let raw = b"From: a@b.example\r\nContent-Type: text/plain; charset=cp932\r\n\r\n\
            \x82\x4F\x82\x52\x81\x7C\x82\x4F\x82\x50\x82\x51\x82\x52\x81\x7C\x82\x54\x82\x54\x82\x54\x82\x54\r\n";
        let origin = read("a@b.example", raw).origin.unwrap();
        assert_eq!(origin.phones, ["+81301235555"], "written in full width");
    }

    #[test]
    fn mails_of_all_countries_are_read() {
        for (label, said) in [
            ("big5", "名單與電話"),
            ("gb2312", "名单和电话"),
            ("gb18030", "名单和电话𠮷"),
            ("euc-kr", "명단과 전화"),
            ("ks_c_5601-1987", "명단과 전화"),
            ("koi8-r", "Список имён"),
            ("windows-1251", "Список имён"),
            ("iso-8859-2", "Łódź, jméno"),
            ("windows-1252", "Größe “naïf”"),
            ("iso-8859-7", "Κατάλογος"),
            ("tis-620", "รายชื่อ"),
            ("iso-2022-jp", "名簿の件"),
            ("euc-jp", "名簿の件"),
            ("utf-8", "名簿の件 𠮷"),
        ] {
            let coding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, lost) = coding.encode(said);
            assert!(!lost, "{label}");
            let word = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let kind = format!("Content-Type: text/plain; charset={label}");
            let head = format!("Subject: =?{label}?B?{word}?=\r\n{kind}\r\n\r\n");
            let raw = [head.as_bytes(), &bytes, b" 03-0123-5555\r\n"].concat();
            let actor = read("a@b.example", &raw);
            assert_eq!(actor.summary, said, "{label}");
            let phones = &actor.origin.unwrap().phones;
            assert_eq!(phones, &["+81301235555"], "{label}");
            let words = super::super::origin::words(&raw).unwrap();
            assert!(words.matches(said).count() == 2, "{label}: {words}");
        }
        let raw = b"Subject: =?UTF-7?Q?+VA18Pw-?=\r\n\r\n";
        assert_eq!(read("a@b.example", raw).summary, "名簿");
    }

    #[test]
    fn what_has_no_character_set_or_a_wrong_one_is_read() {
        // In ISO-2022-JP half of 修 and 充 is `=`, and all of 戎 is `=?`.
        for subject in ["修了者", "充実した住所録", "西戎"] {
            let (raw, _, _) = encoding_rs::ISO_2022_JP.encode(subject);
            let raw = [b"Subject: a=b ", &raw[..], b" =?utf-8?Q?x?=\r\n\r\n"].concat();
            let read = read("a@b.example", &raw).summary;
            assert_eq!(read, format!("a=b {subject} x"));
        }
        let text = "Subject: 名簿の件\r\nFrom: a@b.example\r\nX: y\r\n\r\nお電話は０３－０１２３－５５５５まで\r\n";
        for coding in charset::tests::CODINGS {
            for kind in [
                "X: y",
                "Content-Type: text/plain; charset=us-ascii",
                "Content-Type: text/plain; charset=utf-8",
            ] {
                let mail = text.replace("X: y", kind);
                let (raw, _, _) = coding.encode(&mail);
                let actor = read("a@b.example", &raw);
                assert_eq!(actor.summary, "名簿の件", "{} {kind}", coding.name());
                let phones = &actor.origin.unwrap().phones;
                assert_eq!(phones, &["+81301235555"], "{} {kind}", coding.name());
            }
        }
        // Cut in two between two words, as many mailers do.
        let raw = b"Subject: =?UTF-8?B?5ZCN5w==?=\r\n =?UTF-8?B?sL/jga7ku7Y=?=\r\n\r\n";
        assert_eq!(read("a@b.example", raw).summary, "名簿の件");
    }

    #[test]
    fn what_no_browser_reads_any_more_is_read() {
        for (word, said) in [
            ("=?iso-2022-kr?B?GyQpQw5HUQ8gMQ==?=", "한 1"),
            ("=?HZ-GB-2312?Q?~{<:Ky~}_1?=", "己所 1"),
            (
                "=?hz-gb-2312?B?fns8Og==?=\r\n =?hz-gb-2312?B?S3l+fQ==?=",
                "己所",
            ),
        ] {
            let raw = format!("Subject: {word}\r\n\r\n");
            assert_eq!(read("a@b.example", raw.as_bytes()).summary, said, "{word}");
        }
        let raw = b"From: a@b.example\r\nContent-Type: text/plain; charset=hz-gb-2312\r\n\r\n\
            ~{#0#3#-#0#1#2#3#-#5#5#5#5~}\r\n";
        let origin = read("a@b.example", raw).origin.unwrap();
        assert_eq!(origin.phones, ["+81301235555"]);
    }

    /// Words that cannot be decoded are passed over once, not once for each of them.
    #[test]
    fn many_bad_words_cost_no_more_than_good_ones() {
        let folded = "=?hz?Q?==?=\r\n ".repeat(charset::HEADER / 20);
        let raw = format!("Subject: {folded}\r\n\r\n");
        let readable = charset::readable(raw.as_bytes());
        let words = memchr::memmem::find_iter(&readable.raw, b"=?hz?").count();
        assert!(words <= 1, "{words}");
    }

    #[test]
    fn a_mail_of_too_many_parts_has_a_subject_still() {
        let mail = format!(
            "From: A <a@b.example>\r\nSubject: x\r\n{}\r\n",
            "Content-Type: message/rfc822\r\n\r\n".repeat(3000)
        );
        let actor = read("a@b.example", mail.as_bytes());
        assert_eq!(actor.summary, "x (From: A <a@b.example>)");
        assert!(actor.origin.unwrap().unread.is_some());
    }

    #[test]
    fn a_bounce_is_from_its_header() {
        let actor = read(
            "",
            b"From: mailer@broker.example\r\nSubject: hi\r\n there\r\n\r\n",
        );
        assert_eq!(
            (actor.from.as_str(), actor.summary.as_str()),
            ("mailer@broker.example", "hi there")
        );
        assert_eq!(read("", b""), Actor::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_mail(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            let actor = read("a@b.example", &raw);
            prop_assert!(!actor.summary.contains(char::is_control));
        }
        #[test]
        fn any_header_is_read(raw in "(From|Subject|To): [ -~é=?_<>@\",;:\\r\\n]{0,120}\r\n\r\n") {
            let _ = header_alone(raw.as_bytes());
        }
    }
}
