//! What a mail server in front has found: its `Authentication-Results` (RFC 8601).
//!
//! Anybody can write such a field into a mail. One is believed only in a mail that such a server has handed on,
//! and only under that server's own name; it takes out what strangers bring under its name (section 5 there).
//! Should it not, what stands highest counts, where it writes its own.

use super::super::ingest;
use crate::canary::Checked;

/// Fields looked at, and methods in each.
const FIELDS: usize = 20;
const METHODS: usize = 50;
/// Results as RFC 8601, section 2.7, and those who use it, name them.
const RESULTS: [&str; 9] = [
    "pass",
    "fail",
    "softfail",
    "neutral",
    "none",
    "temperror",
    "permerror",
    "policy",
    "hardfail",
];

/// What a server says that is believed.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Results {
    /// Its name.
    pub by: String,
    pub spf: Option<Checked>,
    pub dkim: Vec<Checked>,
    pub dmarc: Option<Checked>,
    pub arc: Option<Checked>,
}

/// What servers of these names have found; `None` if none of them says anything.
pub(super) fn of(raw: &[u8], trusted: &[String]) -> Option<Results> {
    let mut results = Results::default();
    let fields = ingest::fields(raw, "Authentication-Results");
    for field in fields.into_iter().take(FIELDS) {
        let plain = without_comments(&field);
        let mut parts = split(&plain).into_iter();
        let head = parts.next().unwrap_or_default();
        let by = head.split_whitespace().next().unwrap_or_default();
        let by = by.trim_matches('"');
        if !trusted.iter().any(|name| name.eq_ignore_ascii_case(by)) {
            continue;
        }
        let mut here = Results::default();
        for part in parts.take(METHODS) {
            here.take(&part);
        }
        results.under(here);
        if results.by.is_empty() {
            results.by = by.to_ascii_lowercase();
        }
    }
    (!results.by.is_empty()).then_some(results)
}

impl Results {
    /// One method, its result and its properties.
    fn take(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else {
            return;
        };
        let method = method.split('/').next().unwrap_or_default();
        let result = result.to_ascii_lowercase();
        if !RESULTS.contains(&result.as_str()) {
            return;
        }
        let properties: Vec<(String, &str)> = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches('"')))
            .collect();
        let domain = |names: &[&str]| {
            let named = |name: &&str| {
                let filled = |(is, value): &&(String, &str)| is == name && !value.is_empty();
                properties.iter().find(filled)
            };
            let value = names.iter().find_map(named).map(|(_, value)| *value)?;
            let domain = value.rsplit('@').next().unwrap_or_default();
            (!domain.is_empty() && domain.len() < 256).then(|| domain.to_lowercase())
        };
        let checked = |names| Checked {
            result,
            domain: domain(names),
        };
        match method.to_ascii_lowercase().as_str() {
            "spf" if self.spf.is_none() => {
                self.spf = Some(checked(&["smtp.mailfrom", "smtp.helo"]));
            }
            "dkim" => self.dkim.push(checked(&["header.d", "header.i"])),
            "dmarc" if self.dmarc.is_none() => self.dmarc = Some(checked(&["header.from"])),
            "arc" if self.arc.is_none() => self.arc = Some(checked(&["header.d"])),
            _ => {}
        }
    }

    /// What stands in a field below: it tells of methods that none above has told of.
    fn under(&mut self, below: Results) {
        self.spf = self.spf.take().or(below.spf);
        self.dmarc = self.dmarc.take().or(below.dmarc);
        self.arc = self.arc.take().or(below.arc);
        if self.dkim.is_empty() {
            self.dkim = below.dkim;
        }
    }
}

/// The text without its comments, which nest and may hold anything; and with no space around `=`.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut depth, mut quoted) = (0_u32, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if depth > 0 => drop(characters.next()),
            // A quotation mark that is written so ends nothing, here and for who reads on.
            '\\' if quoted => {
                plain.extend(characters.next().map(|c| if c == '"' { '_' } else { c }))
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                plain.push(c);
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => {
                depth -= 1;
                plain.push(' ');
            }
            _ if depth > 0 => {}
            c if c.is_whitespace() && !quoted && plain.ends_with('=') => {}
            '=' if !quoted => {
                plain.truncate(plain.trim_end().len());
                plain.push('=');
            }
            c => plain.push(c),
        }
    }
    plain
}

/// Its parts between semicolons that are not quoted.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        match (c, parts.last_mut()) {
            (';', _) if !quoted => parts.push(String::new()),
            // What is quoted is one word.
            (c, Some(last)) if quoted && c.is_whitespace() => last.push('_'),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Option<Results> {
        let trusted = ["mx.our.example".to_owned()];
        of(format!("{header}\r\n\r\nbody\r\n").as_bytes(), &trusted)
    }

    fn shown(checked: &Option<Checked>) -> (&str, Option<&str>) {
        let checked = checked.as_ref().unwrap();
        (&checked.result, checked.domain.as_deref())
    }

    #[test]
    fn what_our_server_found_is_read_however_it_is_written() {
        let read = read(
            "Authentication-Results: MX.our.example 1;\r\n\
             \tdkim=pass (2048-bit key; secure \\) dkim=fail) header.d=Shop.example\r\n\
             \t header.i=@shop.example; dkim = fail reason=\"bad; spf=pass\" header.i=@other.example;\r\n\
             \tspf=softfail (a (nested; dmarc=pass) comment) smtp.mailfrom=bounce@lists.example;\r\n\
             \tdmarc=pass (p=reject dis=none) header.from=shop.example; iprev=pass; x",
        );
        let read = read.unwrap();
        assert_eq!(read.by, "mx.our.example");
        assert_eq!(shown(&read.dmarc), ("pass", Some("shop.example")));
        assert_eq!(shown(&read.spf), ("softfail", Some("lists.example")));
        let dkim: Vec<_> = read.dkim.iter().map(|one| one.result.as_str()).collect();
        assert_eq!(dkim, ["pass", "fail"]);
        assert_eq!(read.dkim[1].domain.as_deref(), Some("other.example"));
        assert!(read.arc.is_none());
    }

    #[test]
    fn a_quoted_sender_says_nothing_of_its_own() {
        let sender =
            r#""a\"; dmarc=pass header.from=shop.example; dkim=pass header.d=shop.example; x=\"""#;
        let header = format!(
            "Authentication-Results: mx.our.example; spf=pass smtp.mailfrom={sender}@evil.example; dmarc=fail header.from=shop.example"
        );
        let read = read(&header).unwrap();
        assert_eq!(shown(&read.dmarc), ("fail", Some("shop.example")));
        assert!(read.dkim.is_empty());
        assert_eq!(shown(&read.spf), ("pass", Some("evil.example")));
        let bounce = super::tests::read(
            "Authentication-Results: mx.our.example; spf=pass smtp.mailfrom=\"\" smtp.helo=mail.shop.example",
        );
        assert_eq!(
            shown(&bounce.unwrap().spf),
            ("pass", Some("mail.shop.example"))
        );
    }

    #[test]
    fn a_strangers_field_is_nothing_and_what_is_highest_counts() {
        for forged in [
            "Authentication-Results: mx.elsewhere.example; dmarc=pass header.from=shop.example",
            "Authentication-Results: mx.our.example.evil.example; dmarc=pass",
            "Authentication-Results: (mx.our.example) evil.example; dmarc=pass",
            "X-Authentication-Results: mx.our.example; dmarc=pass",
            "Subject: x\r\n Authentication-Results: mx.our.example; dmarc=pass",
            "Subject: x\r\n\r\nAuthentication-Results: mx.our.example; dmarc=pass",
        ] {
            assert!(read(forged).is_none(), "{forged}");
        }
        let two = "Authentication-Results: mx.our.example; dmarc=fail header.from=shop.example\r\n\
                   Authentication-Results: mx.our.example; dmarc=pass header.from=shop.example; arc=pass";
        let two = read(two).unwrap();
        assert_eq!(shown(&two.dmarc).0, "fail");
        assert_eq!(shown(&two.arc).0, "pass");
        let nothing = read("Authentication-Results: mx.our.example; none").unwrap();
        assert!(nothing.dmarc.is_none() && nothing.spf.is_none());
    }

    proptest! {
        #[test]
        fn any_field_is_read(text in "[ -~é\"();=\\\\\t]{0,120}") {
            let _ = read(&format!("Authentication-Results: mx.our.example; {text}"));
        }
    }
}
