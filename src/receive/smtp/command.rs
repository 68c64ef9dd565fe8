//! A command line to a command. The grammar is smtp-proto's; what it lets through and we must not is
//! dealt with here, and so is what ordinary servers let through and it does not: senders that no grammar
//! has but old mobile networks and local machines do, and paths without or with too many brackets. Whoever
//! writes like that has a list too.

use std::borrow::Cow;

use smtp_proto::{Error, Request};

/// Octets of a path (RFC 5321, section 4.5.3.1.3).
const LONGEST: usize = 256;

/// Reads one command line without its ending.
///
/// # Errors
/// The answer that the client gets.
pub fn parse(line: &str) -> Result<Request<String>, String> {
    if let Some(greeting) = greeting(line) {
        return read(&greeting);
    }
    let strict = read(line);
    let said = match strict {
        Err(said) => said,
        parsed => return parsed,
    };
    lenient(line).ok_or(said)
}

/// A greeting with one space before its one name.
fn greeting(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let verb = words.next()?;
    let greets = ["EHLO", "HELO", "LHLO"]
        .iter()
        .any(|own| verb.eq_ignore_ascii_case(own));
    words
        .next()
        .filter(|_| greets)
        .map(|host| format!("{verb} {host}"))
}

fn read(line: &str) -> Result<Request<String>, String> {
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

/// Whether a line begins a request of the web.
pub fn is_web(line: &str) -> bool {
    ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT "]
        .iter()
        .any(|verb| line.starts_with(verb))
}

/// Whether a line begins a chunk of a message.
pub fn is_chunk(line: &str) -> bool {
    let verb = line.split_whitespace().next();
    verb.is_some_and(|verb| verb.eq_ignore_ascii_case("BDAT"))
}

/// What an ordinary server understands of a line that the grammar does not have. Parameters are the grammar's.
fn lenient(line: &str) -> Option<Request<String>> {
    let (verb, rest) = line.trim().split_once(char::is_whitespace)?;
    let (of, rest) = rest.trim_start().split_once(':')?;
    let of = of.trim_end();
    let (path, parameters) = path(rest.trim_start())?;
    // In the place of the path stands one that the grammar has.
    let put = |placeholder: &str| read(&format!("{verb} {of}:<{placeholder}> {parameters}")).ok();
    match put("a@b.invalid")? {
        Request::Mail { mut from } if of.eq_ignore_ascii_case("from") => {
            from.address = path;
            Some(Request::Mail { from })
        }
        Request::Rcpt { mut to } if of.eq_ignore_ascii_case("to") && path.contains('@') => {
            to.address = path;
            Some(Request::Rcpt { to })
        }
        _ => None,
    }
}

/// A path, without brackets however many, and what stands behind it.
fn path(text: &str) -> Option<(String, &str)> {
    let (path, parameters) = match text.strip_prefix('<') {
        Some(inner) => {
            let close = inner.find('>')?;
            let behind = &inner[close..];
            (&inner[..close], behind.trim_start_matches('>'))
        }
        None => text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())),
    };
    let path = path.trim_matches(['<', ' ', '\t']);
    // What quotes, lists or escapes is the grammar's alone to read.
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()\\,;\"".contains(c);
    let fits = !path.is_empty() && path.len() <= LONGEST && !path.contains(odd);
    let parted = parameters.is_empty() || parameters.starts_with(char::is_whitespace);
    (fits && parted).then(|| (path.to_owned(), parameters.trim()))
}

/// An address as it is written in an envelope: smtp-proto takes the quotes off a local part, and
/// `a b@c` and `"a b"@c` must not be told apart by who reads them.
pub fn written(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let atom =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    // taro..h@ is what some mobile networks gave; a dot more needs no quotes to be read in one way.
    if !local.is_empty() && local.chars().all(|c| c == '.' || atom(c)) {
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
    fn what_ordinary_servers_take_is_taken() {
        for (line, address) in [
            ("MAIL FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
            (
                "MAIL FROM:<a@[IPv6:2001:db8::1]> SIZE=9",
                "a@[IPv6:2001:db8::1]",
            ),
            ("MAIL FROM:<taro..h@m.example>", "taro..h@m.example"),
            ("MAIL FROM:<taro.@m.example>", "taro.@m.example"),
            ("MAIL FROM:<root>", "root"),
            ("mail from:<MAILER-DAEMON> body=8bitmime", "MAILER-DAEMON"),
            ("MAIL FROM:a@b.example", "a@b.example"),
            ("MAIL FROM:a@b.example SIZE=9", "a@b.example"),
            ("MAIL FROM:\t<a@b.example>", "a@b.example"),
            ("MAIL  FROM : <a@b.example>", "a@b.example"),
            ("MAIL FROM:<<a@b.example>>", "a@b.example"),
            ("MAIL FROM:< a@b.example >", "a@b.example"),
            ("MAIL FROM:<>", ""),
        ] {
            match parse(line) {
                Ok(Request::Mail { from }) => assert_eq!(written(&from.address), address, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        for line in [
            "RCPT TO:a@x.example",
            "RCPT TO:<<a@x.example>>",
            "RCPT TO:\t< a@x.example >",
        ] {
            assert_eq!(recipient(line), "a@x.example", "{line}");
        }
        for line in [
            "EHLO  x.example",
            "HELO \t x.example",
            "ehlo x.example  ",
            "EHLO x.example y",
        ] {
            match parse(line) {
                Ok(Request::Ehlo { host } | Request::Helo { host }) => {
                    assert_eq!(host, "x.example")
                }
                other => panic!("{line}: {other:?}"),
            }
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
            "MAIL FROM:",
            "MAIL FROM:a b@c",
            "MAIL FROM:<a",
            "MAIL TO:a@b",
            "RCPT TO:a",
            "RCPT TO:<a>",
            "RCPT FROM:<a@b>",
            "MAIL FROM:<a@b>x",
            "MAIL FROM:a@b SIZE=x",
            "MAIL FROM:a,b@c",
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
