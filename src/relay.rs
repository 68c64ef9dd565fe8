//! A mail server that takes mails of ours: the one for alerts, and the outside path of drills.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use crate::roots;
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
    /// Root certificates (PEM) of a house of one's own, taken beside the system's.
    pub roots: Option<&'a PathBuf>,
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
        if let Some(file) = self.roots {
            builder = builder.tls(self.tls(&url, &dir.join(file))?);
        }
        match (self.user, self.password_file) {
            (Some(user), Some(file)) => {
                let sure = ["smtps", "required"].contains(&encryption(&url).as_str());
                if !sure && !is_loopback(&url) {
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

    /// The encryption that the URL asks for, with the roots of a file beside the system's.
    fn tls(&self, url: &url::Url, file: &Path) -> Result<Tls, Error> {
        let unread = |why: String| self.wrong(format!("roots: {why}"));
        let broken =
            |error: lettre::transport::smtp::Error| unread(format!("{}: {error}", file.display()));
        let host = url.host_str().unwrap_or_default();
        let mut parameters = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
        for root in roots::read(file).map_err(|error| unread(error.to_string()))? {
            let root = Certificate::from_der(root.to_vec());
            parameters = parameters.add_root_certificate(root.map_err(broken)?);
        }
        let parameters = parameters.build_rustls();
        let parameters = parameters.map_err(broken)?;
        match encryption(url).as_str() {
            "smtps" => Ok(Tls::Wrapper(parameters)),
            "required" => Ok(Tls::Required(parameters)),
            "opportunistic" => Ok(Tls::Opportunistic(parameters)),
            _ => Err(self.wrong(
                "roots are for TLS, and relay asks for none: use smtps://, or ?tls=required",
            )),
        }
    }
}

/// How a relay's URL wants its conversation to be encrypted: `smtps`, or what its `tls` says; else nothing.
fn encryption(url: &url::Url) -> String {
    if url.scheme() == "smtps" {
        return "smtps".to_owned();
    }
    let said = url.query_pairs().find(|(key, _)| key == "tls");
    said.map(|(_, value)| value.into_owned())
        .unwrap_or_default()
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
