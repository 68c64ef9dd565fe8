//! Whom a mail leads to, beside its sender.

use serde::{Deserialize, Serialize};

use super::Authentication;

/// What a mail shows of whoever is behind it. Nothing of it was followed, fetched or opened.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The organisational domain of its sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<SenderDomain>,
    /// Other domains that it names as its authors', by their organisation; one of the sender's own, or of no
    /// organisation's, as it is written. Ordinary mail has one author.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_from: Vec<String>,
    /// Whether it is from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// Whether it says that it is from somebody who writes for the source, and is found not to be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub impersonates: bool,
    /// Who that is, where it is not `sender` but one of `also_from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impersonated: Option<String>,
    /// The mailing list, as `List-Id` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Registrable domains to which one writes to be left alone.
    pub unsubscribe: Vec<String>,
    /// Registrable domains (or addresses) of its links.
    pub links: Vec<String>,
    /// Mail addresses printed in it, but none of a canary's or a recipient's.
    pub addresses: Vec<String>,
    /// Telephone numbers printed in it, in E.164, but none of a canary's.
    pub phones: Vec<String>,
    /// What is attached.
    pub attachments: Vec<Attachment>,
    /// Why not all of it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// A domain that a mail says it is from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderDomain {
    /// The organisational domain.
    pub domain: String,
    /// Whether it is proven (see [`Authentication`]); else the mail merely says so.
    pub proven: bool,
}

/// A file that came with a mail; it is never opened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name, as the mail says.
    pub name: String,
    /// Its media type, as the mail says.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
}

macro_rules! redacted {
    ($($type:ident)+) => {
        $(impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(redacted)"))
            }
        })+
    };
}
redacted!(Origin SenderDomain Attachment);

impl Origin {
    /// The domain from which it falsely says that it is, where whoever has it writes for the source.
    pub fn pretended(&self) -> Option<&str> {
        let sender = self.sender.as_ref().map(|sender| sender.domain.as_str());
        let claimed = self.impersonated.as_deref().or(sender);
        claimed.filter(|_| self.impersonates)
    }

    /// What is worth a line, in words; `None` if nothing is.
    pub fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        words.extend(self.pretended().map(|domain| {
            format!("says that it is from {domain}, who writes for you, and does not prove it")
        }));
        words.extend(self.authentication.as_ref().map(Authentication::words));
        let mut add = |what: &str, list: &[String]| {
            if !list.is_empty() {
                words.push(format!("{what} {}", list.join(", ")));
            }
        };
        add("also from", &self.also_from);
        add("list", self.list.as_slice());
        add("unsubscribe at", &self.unsubscribe);
        add("links to", &self.links);
        add("addresses", &self.addresses);
        add("numbers", &self.phones);
        let attached = self.attachments.iter();
        let attached: Vec<String> = attached
            .map(|one| format!("{} ({} bytes)", one.name, one.bytes))
            .collect();
        add("attached", &attached);
        add("not read:", self.unread.as_slice());
        (!words.is_empty()).then(|| words.join("; "))
    }
}
