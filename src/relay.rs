//! A mail server that takes mails of ours: the one for alerts, and the outside path of drills.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use crate::workspace::read_private;

/// A mail server that does not answer within this time has not taken the mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The section does not say what it should.
    #[error("otori.toml, [{section}]: {message}")]
    Config {
        /// Which section.
        section: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The password cannot be read, or others can read it.
    #[error(transparent)]
    Password(#[from] crate::workspace::Error),
}

/// What a section of `otori.toml` says of its mail server.
pub struct RelayConfig<'a> {
    /// The section's name.
    pub section: &'static str,
    /// `smtp://host:25`, `smtp://host:587?tls=required` or `smtps://host`.
    pub relay: &'a str,
    /// User name there.
    pub user: Option<&'a str>,
    /// File with the password, relative to the workspace.
    pub password_file: Option<&'a PathBuf>,
    /// Our own sender.
    pub from: Option<&'a str>,
}

/// A mail server, and as whom we write through it.
pub struct Relay {
    /// Takes mails.
    pub transport: AsyncSmtpTransport<Tokio1Executor>,
    /// Our sender.
    pub from: Mailbox,
}

impl RelayConfig<'_> {
    /// What is wrong with the section, as an error.
    pub fn wrong(&self, message: impl Into<String>) -> Error {
        Error::Config {
            section: self.section,
            message: message.into(),
        }
    }

    /// A mail address that the section names.
    ///
    /// # Errors
    /// It is none.
    pub fn address(&self, text: &str) -> Result<Mailbox, Error> {
        let parsed = text.parse::<Mailbox>();
        parsed.map_err(|_| self.wrong(format!("'{text}' is not a mail address")))
    }

    /// Makes it ready; nothing is connected yet. To be called, and dropped, inside a tokio runtime.
    ///
    /// # Errors
    /// Something is missing, is no address or URL, holds a password, or would send one in plain text.
    pub fn open(&self, dir: &Path) -> Result<Relay, Error> {
        let url = url::Url::parse(self.relay).map_err(|error| {
            self.wrong(format!(
                "relay must be like smtp://mail.shop.example:25: {error}"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                self.wrong("relay holds a user or a password: give them as user and password_file")
            );
        }
        let from = self.from.map(|text| self.address(text)).transpose()?;
        let from = from.ok_or_else(|| self.wrong("from is missing: say as whom mails are sent"))?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.relay)
            .map_err(|error| self.wrong(format!("relay: {error}")))?
            .timeout(Some(PATIENCE));
        match (self.user, self.password_file) {
            (Some(user), Some(file)) => {
                let tls = url.scheme() == "smtps"
                    || url
                        .query_pairs()
                        .any(|(key, value)| key == "tls" && value == "required");
                if !tls && !is_loopback(&url) {
                    return Err(self.wrong(
                        "the password would be sent in plain text: use smtps://, or ?tls=required",
                    ));
                }
                let password = zeroize::Zeroizing::new(read_private(&dir.join(file))?);
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                builder = builder.credentials(Credentials::new(user.to_owned(), password));
            }
            (None, None) => {}
            _ => return Err(self.wrong("user and password_file belong together")),
        }
        Ok(Relay {
            transport: builder.build(),
            from,
        })
    }
}

/// Whether a URL points at this machine.
pub fn is_loopback(url: &url::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
