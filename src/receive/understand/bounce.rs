//! Bounces: some server tells a canary that a mail in its name did not arrive, or answers it by itself.
//!
//! Whoever forges senders takes them from lists too, but the one that reports is no more than a bystander:
//! such a mail says nothing of who has the list, and is noise. Its header alone is not believed, since
//! whoever has the list can write one: the sender must be null (RFC 5321, 4.5.5; RFC 3834, 3.3), which newsletters'
//! never is, for they want their bounces; and the mail must be made as one of these:
//! - a delivery report (RFC 3464),
//! - what servers write that know none: qmail's, which has the paragraphs of QSBMF, and Exim's, which names the
//!   recipients that failed in its header and in its text,
//! - an automatic reply (RFC 3834) to some mail that it names. Canaries write to nobody.
//!
//! Any of these is easily made, so whoever asks looks as well whether it knows whom it writes to. `Auto-Submitted` alone
//! hides nothing: it is one line, and newsletters have it.

use mail_parser::{HeaderName, Message, MimeHeaders};

use super::origin::with_mail;

/// Whether a mail from this envelope sender is a bounce. Of a mail that lay in a `file`, only its
/// `Return-Path` can say that its sender was null: without one nobody knows.
pub fn is(sender: &str, file: bool, raw: &[u8]) -> bool {
    let null = |mail: &Message<'_>| {
        let path = mail.header_raw("Return-Path");
        !file || path.is_some_and(|path| path.trim() == "<>")
    };
    let bounce = |mail: Option<&Message<'_>>| {
        mail.is_some_and(|mail| {
            let shaped = is_report(mail) || is_qmails(mail) || is_exims(mail) || is_reply(mail);
            shaped && null(mail) && !is_lists(mail)
        })
    };
    // A mail that cannot be read is not taken for harmless.
    sender.is_empty() && with_mail(raw, bounce).unwrap_or(false)
}

/// Whether it is from a mailing list or a newsletter, as no bounce is.
fn is_lists(mail: &Message<'_>) -> bool {
    let mut fields = ["List-Id", "List-Unsubscribe"].into_iter();
    fields.any(|field| mail.header_raw(field).is_some())
}

fn is_report(mail: &Message<'_>) -> bool {
    let Some(kind) = mail.content_type() else {
        return false;
    };
    let named =
        |name: Option<&str>, is: &str| name.is_some_and(|name| name.eq_ignore_ascii_case(is));
    named(Some(kind.ctype()), "multipart")
        && named(kind.subtype(), "report")
        && named(kind.attribute("report-type"), "delivery-status")
        && mail.parts.iter().any(|part| {
            part.content_type().is_some_and(|kind| {
                named(Some(kind.ctype()), "message")
                    && (named(kind.subtype(), "delivery-status")
                        // RFC 6533, for addresses that are not ASCII.
                        || named(kind.subtype(), "global-delivery-status"))
            })
        })
}

/// QSBMF (https://cr.yp.to/proto/qsbmf.txt): a greeting, a paragraph for each recipient, and a break behind which the
/// mail stands that failed.
fn is_qmails(mail: &Message<'_>) -> bool {
    let text = mail.body_text(0).filter(|_| mail.parts.len() == 1);
    text.is_some_and(|text| {
        let text = text.replace("\r\n", "\n");
        let mut paragraphs = text.trim_start().split("\n\n").map(str::trim_start);
        let mut lines = text.lines();
        paragraphs
            .next()
            .is_some_and(|first| first.starts_with("Hi. This is the "))
            && paragraphs.next().is_some_and(is_recipient)
            && lines.any(|line| line.starts_with("---"))
    })
}

/// Whether a paragraph tells why a recipient did not get it.
fn is_recipient(paragraph: &str) -> bool {
    let address = paragraph.lines().next().unwrap_or_default().trim_end();
    address.starts_with('<') && address.contains('@') && address.ends_with(">:")
}

/// Exim's, which names the recipients in a field of its own and again in its text.
fn is_exims(mail: &Message<'_>) -> bool {
    let failed = mail.header_raw("X-Failed-Recipients").unwrap_or_default();
    let mut failed = failed
        .split(',')
        .map(str::trim)
        .filter(|one| one.contains('@'));
    let text = mail.body_text(0).unwrap_or_default();
    automatic(mail) && failed.any(|one| text.contains(one))
}

fn is_reply(mail: &Message<'_>) -> bool {
    let names = |header: HeaderName<'_>| {
        let header = mail.header_raw(header);
        header.is_some_and(|header| header.contains('<') && header.contains('@'))
    };
    automatic(mail) && (names(HeaderName::InReplyTo) || names(HeaderName::References))
}

/// Whether it says that it is an answer that nobody has written.
fn automatic(mail: &Message<'_>) -> bool {
    let says = mail.header_raw("Auto-Submitted").unwrap_or_default();
    says.trim().to_ascii_lowercase().starts_with("auto-replied")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "From: MAILER-DAEMON@mx.example\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=Delivery-Status; boundary=b\r\n\r\n--b\r\n\r\nnot delivered\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
        Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n";

    #[test]
    fn a_report_with_a_null_sender_is_one() {
        assert!(is("", false, REPORT.as_bytes()));
        assert!(
            !is("", true, REPORT.as_bytes()),
            "a file that names no sender"
        );
        let filed = format!("Return-Path: <>\r\n{REPORT}");
        assert!(is("", true, filed.as_bytes()));
        let global = REPORT.replace("message/delivery", "message/global-delivery");
        assert!(is("", false, global.as_bytes()));
        let listed = format!("List-Id: <offers.broker.example>\r\n{REPORT}");
        assert!(!is("", false, listed.as_bytes()));
    }

    const QMAILS: &str = "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\nHi. This is the \
        qmail-send program at mx.example.\r\nI'm afraid I wasn't able to deliver your message.\r\n\r\n\
        <a@b.example>:\r\nno mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy.\r\n";
    const EXIMS: &str = "X-Failed-Recipients: a@b.example\r\nAuto-Submitted: auto-replied\r\n\
        From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nSubject: Mail delivery failed\r\n\r\n\
        It failed:\r\n\r\n  a@b.example\r\n    no such user\r\n";
    const AWAY: &str = "Auto-Submitted: auto-replied (vacation)\r\nFrom: b@shop.example\r\n\
        In-Reply-To: <1@forged.example>\r\nSubject: Auto: hi\r\n\r\nback on Monday\r\n";

    #[test]
    fn older_servers_reports_and_automatic_replies_are_bounces() {
        for mail in [QMAILS, EXIMS, AWAY] {
            assert!(is("", false, mail.as_bytes()), "{mail}");
            assert!(!is("list@broker.example", false, mail.as_bytes()));
        }
        let listed = format!("List-Unsubscribe: <https://broker.example/>\r\n{AWAY}");
        assert!(!is("", false, listed.as_bytes()));
        for (mail, line, other) in [
            (QMAILS, "Hi. This is the", "Hi. Here is the"),
            (QMAILS, "<a@b.example>:", "Buy our things:"),
            (QMAILS, "--- Below", "Below"),
            (EXIMS, "X-Failed-Recipients: a@b.example\r\n", ""),
            (EXIMS, "Recipients: a@b.example", "Recipients:"),
            (EXIMS, "  a@b.example", "  buy our things"),
            (EXIMS, "Auto-Submitted: auto-replied\r\n", ""),
            (AWAY, "auto-replied (vacation)", "auto-generated"),
            (AWAY, "auto-replied (vacation)", "no"),
            (AWAY, "In-Reply-To: <1@forged.example>\r\n", ""),
        ] {
            let otherwise = mail.replace(line, other);
            assert_ne!(otherwise, mail);
            assert!(!is("", false, otherwise.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_merely_looks_like_one_is_none() {
        let none = |from: &str, file, raw: &[u8]| !is(from, file, raw);
        assert!(none("list@broker.example", false, REPORT.as_bytes()));
        let without = REPORT.replace("message/delivery-status", "text/plain");
        assert!(none("", false, without.as_bytes()));
        let other = REPORT.replace("Delivery-Status", "feedback-report");
        assert!(none("", false, other.as_bytes()));
        assert!(none(
            "",
            false,
            b"Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\nbuy\r\n"
        ));
        assert!(none("", false, b""));
        // Too many parts to be read.
        let many = REPORT.to_owned() + &"Content-Type: text/plain\r\n".repeat(3000);
        assert!(none("", false, many.as_bytes()));
    }
}
