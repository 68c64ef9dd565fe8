//! Mail addresses.

use super::super::fold::fold;

/// A mail address in lower case and half width, without its plus tag, `mailto:`, angle brackets and
/// display name. `None` for what is no address.
pub fn email_key(text: &str) -> Option<String> {
    if !text.contains(['@', '＠']) || text.len() > 400 {
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
