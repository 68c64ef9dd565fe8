//! `[[receive.imap]]`: one mailbox at an ordinary provider.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::canary::MailAddress;

/// A mailbox that is read over IMAP. Nothing in it is changed: mails stay, and stay unseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapConfig {
    /// What it is called in logs, `/readyz` and metrics, where its address is not shown.
    pub name: String,
    /// The provider's server.
    pub host: String,
    /// Its port; without it 993, or 143 where TLS does not begin the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the conversation is encrypted.
    #[serde(default)]
    pub tls: ImapTls,
    /// PEM file with the authority that the server's certificate leads to; without it, those that this machine
    /// trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// As whom to log in.
    pub user: String,
    /// File (0600) with the password. It is read at each look, so that a new one is used at once.
    pub password_file: PathBuf,
    /// The contact point that this mailbox is; without it, `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<MailAddress>,
    /// Its folders that are read; a provider's filter puts much of what comes to a canary with the junk.
    #[serde(default = "inbox")]
    pub folders: Vec<String>,
    /// Seconds between two looks.
    #[serde(default = "minute")]
    pub every_seconds: u64,
}

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

fn minute() -> u64 {
    60
}

/// How a conversation is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImapTls {
    /// From its first byte (RFC 8314).
    #[default]
    Implicit,
    /// After STARTTLS; without it no password is sent.
    Starttls,
    /// Not at all: on this machine alone.
    None,
}

impl ImapConfig {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            ImapTls::Implicit => 993,
            ImapTls::Starttls | ImapTls::None => 143,
        })
    }

    /// How long to wait between two looks.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    /// The contact point that it is.
    ///
    /// # Errors
    /// `user` is no mail address, and `address` is not there; or another key does not say what it should.
    pub fn checked(&self) -> Result<MailAddress, String> {
        let wrong = |what: &str| Err(format!("imap '{}': {what}", self.name));
        let plain = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        if !plain(&self.name) {
            return Err("an [[receive.imap]] has no name, or one that is no plain text".to_owned());
        }
        if !plain(&self.host) || !plain(&self.user) {
            return wrong("host and user must be there, and plain text");
        }
        if self.folders.is_empty() || !self.folders.iter().all(|folder| plain(folder)) {
            return wrong("folders must name one at least, as folders = [\"INBOX\", \"Junk\"]");
        }
        if self.every_seconds == 0 {
            return wrong("every_seconds must be 1 at least; providers expect 60 or more");
        }
        let here = self.host == "localhost"
            || (self.host.parse::<IpAddr>()).is_ok_and(|ip| ip.is_loopback());
        if self.tls == ImapTls::None && !here {
            return wrong(
                "the password would cross the network in plain text: take tls = \"implicit\" or \"starttls\"",
            );
        }
        match (&self.address, self.user.parse::<MailAddress>()) {
            (Some(address), _) => Ok(address.clone()),
            (None, Ok(user)) => Ok(user),
            (None, Err(_)) => {
                wrong("user is no mail address: say with address = \"…\" which contact point it is")
            }
        }
    }
}

/// What is wrong with the mailboxes that are to be read, if anything is; else the contact point of each.
///
/// # Errors
/// One does not say what it should, or two have the same name.
pub fn checked(all: &[ImapConfig]) -> Result<Vec<MailAddress>, String> {
    for (at, one) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.name == one.name) {
            return Err(format!("imap '{}': two mailboxes are called so", one.name));
        }
    }
    all.iter().map(ImapConfig::checked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lines: &str) -> Result<ImapConfig, toml::de::Error> {
        let start =
            "name = 'p'\nhost = 'imap.p.example'\nuser = 'a@p.example'\npassword_file = 'k'\n";
        toml::from_str(&format!("{start}{lines}"))
    }

    #[test]
    fn what_is_not_said_is_the_usual() {
        let plain = config("").unwrap();
        assert_eq!((plain.port(), plain.tls), (993, ImapTls::Implicit));
        assert_eq!(plain.folders, ["INBOX"]);
        assert_eq!(plain.checked().unwrap().as_str(), "a@p.example");
        let other = config("tls = 'starttls'\naddress = 'b@p.example'").unwrap();
        assert_eq!(other.port(), 143);
        assert_eq!(other.checked().unwrap().as_str(), "b@p.example");
    }

    #[test]
    fn a_password_in_plain_text_stays_on_this_machine() {
        assert!(config("tls = 'none'").unwrap().checked().is_err());
        let mut here = config("tls = 'none'").unwrap();
        here.host = "127.0.0.1".to_owned();
        assert!(here.checked().is_ok());
        assert!(checked(&[here.clone(), here]).is_err(), "one name twice");
        for wrong in [
            "folders = []",
            "every_seconds = 0",
            "folders = ['a\\u000ab']",
        ] {
            assert!(
                config(&wrong.replace('\'', "\""))
                    .unwrap()
                    .checked()
                    .is_err()
            );
        }
    }
}
