//! A command line to a command. The grammar is smtp-proto's; what it lets through and we must not is
//! dealt with here.

use std::borrow::Cow;

use smtp_proto::{Error, Request};

/// Reads one command line without its ending.
///
/// # Errors
/// The answer that the client gets.
pub fn parse(line: &str) -> Result<Request<String>, String> {
    let ended = format!("{line}\r\n");
    let request: Result<Request<Cow<'_, str>>, Error> =
        Request::parse(&mut ended.as_bytes().iter());
    request.map(Request::into_owned).map_err(|error| {
        match error {
            Error::UnknownCommand => "500 5.5.2 Error: command not recognized",
            Error::InvalidSenderAddress => "501 5.1.7 Bad sender address syntax",
            Error::InvalidRecipientAddress => "501 5.1.3 Bad recipient address syntax",
            Error::SyntaxError { syntax } => return format!("501 5.5.4 Syntax: {syntax}"),
            Error::InvalidParameter { .. } => "501 5.5.4 Error: bad parameter",
            Error::UnsupportedParameter { .. } => "555 5.5.4 Unsupported option",
            // A whole line was given: the parser wanted more where something was missing.
            Error::NeedsMoreData { .. }
            | Error::ResponseTooLong
            | Error::InvalidResponse { .. } => "501 5.5.2 Error: bad syntax",
        }
        .to_owned()
    })
}

/// An address as it is written in an envelope: smtp-proto takes the quotes off a local part, and
/// `a b@c` and `"a b"@c` must not be told apart by who reads them.
pub fn written(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let atom =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if !local.is_empty()
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
    {
        return address.to_owned();
    }
    let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"@{domain}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recipient(line: &str) -> String {
        match parse(line) {
            Ok(Request::Rcpt { to }) => written(&to.address),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn recipients_keep_their_spelling() {
        for (line, address) in [
            ("RCPT TO:<a@x.example>", "a@x.example"),
            ("rcpt to: <A.b+c@X.example>", "A.b+c@X.example"),
            ("RCPT TO:<\"a b\"@x.example>", "\"a b\"@x.example"),
            ("RCPT TO:<\"a@b\"@x.example>", "\"a@b\"@x.example"),
            ("RCPT TO:<\"plain\"@x.example>", "plain@x.example"),
            ("RCPT TO:<@relay.example:a@x.example>", "a@x.example"),
            ("RCPT TO:<囮@x.example>", "囮@x.example"),
        ] {
            assert_eq!(recipient(line), address, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_gets_a_5xx() {
        for line in [
            "",
            " ",
            "HELLO x",
            "MAIL",
            "MAIL FROM",
            "MAIL FROM:a@b",
            "MAIL FROM:<a",
            "EHLO",
            "RCPT TO:<>x",
            "RCPT TO:<\"a@x.example>",
            "MAIL FROM:<a@b> SIZE=x",
            "MAIL FROM:<a@b> FOO=1",
            "STARTTL",
            "DATAX",
        ] {
            let answer = parse(line).unwrap_err();
            assert!(answer.starts_with('5'), "{line}: {answer}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_answered(line in "[^\r\n]{0,200}") {
            let _ = parse(&line);
        }
        #[test]
        fn lines_like_commands_are_answered(line in r#"(MAIL FROM:|RCPT TO:|EHLO |HELO|BDAT |AUTH )[ <>@":.a\\é=,]{0,20}( [A-Z]{1,8}=?[A-Za-z0-9;+:-]{0,9}){0,3}"#) {
            if let Err(answer) = parse(&line) {
                prop_assert!(answer.starts_with('5'));
            }
        }
    }
}
