//! Delivery reports: some server tells a canary that a mail in its name did not arrive.
//!
//! Whoever forges senders takes them from lists too, but the one that reports is no more than a bystander:
//! such a mail says nothing of who has the list, and is noise. Its header alone is not believed, since
//! whoever has the list can write one: the sender must be null (RFC 5321, 4.5.5) and the mail really made as
//! a delivery report (RFC 3464). `Auto-Submitted` alone hides nothing: it is one line, and newsletters have it.

use mail_parser::{Message, MimeHeaders};

use super::origin::with_mail;

/// Whether a mail from this envelope sender is a delivery report. Of a mail that lay in a `file`, only its
/// `Return-Path` can say that its sender was null: without one nobody knows.
pub fn is(sender: &str, file: bool, raw: &[u8]) -> bool {
    let null = |mail: &Message<'_>| {
        let path = mail.header_raw("Return-Path");
        !file || path.is_some_and(|path| path.trim() == "<>")
    };
    let report =
        |mail: Option<&Message<'_>>| mail.is_some_and(|mail| null(mail) && is_report(mail));
    // A mail that cannot be read is not taken for harmless.
    sender.is_empty() && with_mail(raw, report).unwrap_or(false)
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
    }

    #[test]
    fn what_merely_looks_like_one_is_none() {
        assert!(!is("list@broker.example", false, REPORT.as_bytes()));
        let without = REPORT.replace("message/delivery-status", "text/plain");
        assert!(!is("", false, without.as_bytes()));
        let other = REPORT.replace("Delivery-Status", "feedback-report");
        assert!(!is("", false, other.as_bytes()));
        assert!(!is(
            "",
            false,
            b"Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\nbuy\r\n"
        ));
        assert!(!is("", false, b""));
        // Too many parts to be read.
        let many = REPORT.to_owned() + &"Content-Type: text/plain\r\n".repeat(3000);
        assert!(!is("", false, many.as_bytes()));
    }
}
