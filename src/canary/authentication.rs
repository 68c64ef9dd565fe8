//! Whether a mail is from whom it says (SPF, RFC 7208; DKIM, RFC 6376; DMARC, RFC 9989; ARC, RFC 8617).

use serde::{Deserialize, Serialize};

/// What one method found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The result as RFC 8601 names it: `pass`, `fail`, `none`, `temperror`, …
    pub result: String,
    /// The domain that it is about: of MAIL FROM or HELO, the signer, the author, the last sealer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// What is known of a mail's sender by other than its own word.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Authentication {
    /// Whether its author's domain lets the client send; without a client it is `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spf: Option<Checked>,
    /// Each signature.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<Checked>,
    /// Whether one of these is of the author's organisation, and that has a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Checked>,
    /// Whether those who forwarded it vouch for each other. It proves no author: anybody can begin a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arc: Option<Checked>,
    /// The author's domain, if it is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven: Option<String>,
    /// The mail server that has found this, where it was not found here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why nothing, or not all, was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_checked: Option<String>,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checked(redacted)")
    }
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authentication(redacted)")
    }
}

impl Authentication {
    /// Of a mail that nobody has looked at, and why.
    pub fn not_checked(why: &str) -> Authentication {
        Authentication {
            not_checked: Some(why.to_owned()),
            ..Authentication::default()
        }
    }

    /// In words: what is proven, or what the methods found.
    pub fn words(&self) -> String {
        let mut words = match (&self.proven, &self.not_checked) {
            (Some(domain), _) => format!("proven to be from {domain}"),
            (None, Some(why)) => format!("sender not checked: {why}"),
            (None, None) => "sender not proven".to_owned(),
        };
        let one = |name: &'static str, checked: &Checked| match &checked.domain {
            Some(domain) => format!("{name} {} ({domain})", checked.result),
            None => format!("{name} {}", checked.result),
        };
        let methods = [
            ("spf", &self.spf),
            ("dmarc", &self.dmarc),
            ("arc", &self.arc),
        ];
        let methods = methods.into_iter();
        let found = methods.filter_map(|(name, checked)| Some(one(name, checked.as_ref()?)));
        let signatures = self.dkim.iter().map(|signature| one("dkim", signature));
        let found: Vec<String> = found.chain(signatures).collect();
        if !found.is_empty() {
            words = format!("{words} [{}]", found.join(", "));
        }
        if let Some(by) = &self.by {
            words = format!("{words}, as {by} says");
        }
        words
    }
}
