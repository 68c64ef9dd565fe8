//! Mail addresses.

use super::super::fold::fold;

/// A mail address in lower case and half width, without its plus tag, `mailto:`, angle brackets and
/// display name. `None` for what is no address.
pub fn email_key(text: &str) -> Option<String> {
    let mut key = String::new();
    email_key_into(text, &mut key).then_some(key)
}

/// The same into a buffer, in place of what is in it; `false` for what is no address.
pub fn email_key_into(text: &str, key: &mut String) -> bool {
    if plain_email_into(text, key) {
        return true;
    }
    key.clear();
    let read = read(text);
    key.push_str(read.as_deref().unwrap_or_default());
    read.is_some()
}

/// The same of an address as nearly all are written, with which nothing else stands; `false` for any other.
pub fn plain_email_into(text: &str, key: &mut String) -> bool {
    let plain = is_plain(text);
    if plain {
        key.clear();
        key.push_str(text);
        key.make_ascii_lowercase();
    }
    plain
}

/// Whether a text is an address as nearly all are written, of which only the letters' case is folded.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(at) = memchr::memchr(b'@', bytes) else {
        return false;
    };
    let (local, domain) = (&bytes[..at], &bytes[at + 1..]);
    // To ask on costs less than to stop at the first that is not.
    let (mut sound, mut dots, mut behind_dot) = (true, 0, true);
    for byte in domain {
        let dot = *byte == b'.';
        sound &= PLAIN[usize::from(*byte)] & !(dot & behind_dot);
        dots += usize::from(dot);
        behind_dot = dot;
    }
    for byte in local {
        sound &= PLAIN[usize::from(*byte)];
    }
    sound && dots > 0 && !behind_dot && !local.is_empty() && text.len() <= LONGEST
}

/// What stands in an address as nearly all are written, but for its @.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        plain[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.');
        byte += 1;
    }
    plain
};

/// No address is longer.
const LONGEST: usize = 400;

fn read(text: &str) -> Option<String> {
    if !text.contains(['@', '＠']) || text.len() > LONGEST {
        return None;
    }
    let folded = fold(super::bare(text));
    let address = match (folded.rfind('<'), folded.rfind('>')) {
        (Some(open), Some(close)) if open < close => &folded[open + 1..close],
        _ => folded.as_str(),
    };
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    let address = address
        .split_once('?')
        .map_or(address, |(before, _)| before);
    let address = address.trim_matches(|c| matches!(c, ' ' | ',' | ';' | '"' | '\''));
    let (local, domain) = address.rsplit_once('@')?;
    // A space beside the @ is a typist's, and the ideographic full stop a keyboard's.
    let (local, domain) = (local.trim_end(), domain.trim_start().replace('。', "."));
    let domain = domain.trim_end_matches('.');
    let local = match local.split_once('+') {
        Some((before, _)) if !before.is_empty() => before,
        _ => local,
    };
    let bad = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"/".contains(c);
    let label = |label: &str| !label.is_empty() && !label.contains(bad);
    let valid = !local.is_empty()
        && !local.contains(|c| bad(c) && c != '/')
        && !local.contains('@')
        && domain.contains('.')
        && domain.split('.').all(label);
    valid.then(|| format!("{local}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_is_the_same(text in "[a-zA-Z0-9._+@-]{0,4}[a-z@.]{0,3}@[a-zA-Z.-]{0,4}[a-z@.]{0,3}|[ -~＠]{0,12}") {
            if is_plain(&text) {
                prop_assert_eq!(read(&text), Some(text.to_ascii_lowercase()));
            }
            prop_assert_eq!(email_key(&text), read(&text));
        }
    }

    #[test]
    fn one_address_has_one_key() {
        for text in [
            "Kako.Sato@Mail.Example",
            "kako.sato@mail.example",
            "ｋａｋｏ．ｓａｔｏ＠ｍａｉｌ．ｅｘａｍｐｌｅ",
            " kako.sato+shop@mail.example ",
            "mailto:kako.sato@mail.example",
            "Kako <kako.sato@mail.example>",
            "'kako.sato@mail.example'",
            "kako.sato@mail.example.",
            "MAILTO:Kako.Sato@mail.example?subject=x",
            "架子 ＜kako.sato＠mail.example＞",
            "<kako.sato@mail.example>,",
            "kako.sato @ mail.example",
            "kako.sato＠mail。example",
            "kako.sato+x+y@mail.example;",
        ] {
            assert_eq!(
                email_key(text).as_deref(),
                Some("kako.sato@mail.example"),
                "{text}"
            );
        }
        for text in [
            "",
            "@",
            "a@b",
            "a b@c.example",
            "a@@b.example",
            "a@.example",
            "kako",
        ] {
            assert_eq!(email_key(text), None, "{text}");
        }
    }
}
