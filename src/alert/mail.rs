//! Alerts by mail.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::AlertConfig;
use super::text::Facts;
use crate::registry::Alert;
use crate::workspace::read_private;

/// A mail server that does not answer within this time has not taken the mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why alerts cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `[alert]` does not say what it should.
    #[error("otori.toml, [alert]: {0}")]
    Config(String),
    /// The password cannot be read, or others can read it.
    #[error(transparent)]
    Password(#[from] crate::workspace::Error),
    /// The registry's facts are not what this version reads.
    #[error("alert {0} is unreadable: it was queued by another version of otori")]
    Unreadable(i64),
    /// The mail could not be made.
    #[error("the mail could not be made: {0}")]
    Make(#[from] lettre::error::Error),
    /// The mail server did not take it.
    #[error("the mail server did not take it: {0}")]
    Refused(#[from] lettre::transport::smtp::Error),
}

/// Sends alerts through one mail server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// The mailer that the configuration asks for; `None` where it names no relay. The password's
    /// path is relative to `dir`. To be called, and dropped, inside a tokio runtime.
    ///
    /// # Errors
    /// Something is missing, is no address or URL, holds a password, or would send one in plain text.
    pub fn new(config: &AlertConfig, dir: &Path) -> Result<Option<Mailer>, Error> {
        let Some(relay) = &config.relay else {
            return Ok(None);
        };
        let wrong = |message: &str| Error::Config(message.to_owned());
        let url = url::Url::parse(relay).map_err(|error| {
            wrong(&format!(
                "relay must be like smtp://mail.shop.example:25: {error}"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "relay holds a user or a password: give them as user and password_file",
            ));
        }
        let address = |text: &str| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|_| wrong(&format!("'{text}' is not a mail address")))
        };
        let from = config.from.as_deref().map(address).transpose()?;
        let from = from.ok_or_else(|| wrong("from is missing: say who sends the alerts"))?;
        let to = config.to.iter().map(|text| address(text));
        let to = to.collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(wrong("to is missing: say who is told"));
        }
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(relay)
            .map_err(|error| wrong(&format!("relay: {error}")))?
            .timeout(Some(PATIENCE));
        match (&config.user, &config.password_file) {
            (Some(user), Some(file)) => {
                let tls = url.scheme() == "smtps"
                    || url
                        .query_pairs()
                        .any(|(key, value)| key == "tls" && value == "required");
                if !tls && !is_loopback(&url) {
                    return Err(wrong(
                        "the password would be sent in plain text: use smtps://, or ?tls=required",
                    ));
                }
                let password = zeroize::Zeroizing::new(read_private(&dir.join(file))?);
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                builder = builder.credentials(Credentials::new(user.clone(), password));
            }
            (None, None) => {}
            _ => return Err(wrong("user and password_file belong together")),
        }
        Ok(Some(Mailer {
            transport: builder.build(),
            from,
            to,
        }))
    }

    /// Sends a text to others than those who get alerts.
    ///
    /// # Errors
    /// An address is none, or the server cannot be reached or refuses one of them.
    pub async fn send_text(&self, to: &[String], subject: &str, text: String) -> Result<(), Error> {
        let mut builder = Message::builder().from(self.from.clone()).subject(subject);
        for address in to {
            let mailbox: Mailbox = address
                .parse()
                .map_err(|_| Error::Config(format!("'{address}' is not a mail address")))?;
            builder = builder.to(mailbox);
        }
        let message = builder.header(ContentType::TEXT_PLAIN).body(text)?;
        self.transport.send(message).await?;
        Ok(())
    }

    /// Sends one alert to everybody. It counts as sent when the server has taken it for somebody;
    /// recipients that it refuses are logged.
    ///
    /// # Errors
    /// The server cannot be reached, or took it for nobody.
    pub async fn send(&self, alert: &Alert) -> Result<(), Error> {
        let facts: Facts =
            serde_json::from_str(&alert.body).map_err(|_| Error::Unreadable(alert.id))?;
        let message = self.message(alert, &facts)?.formatted();
        let addresses = || self.to.iter().map(|mailbox| mailbox.email.clone());
        let from = || Some(self.from.email.clone());
        let all = Envelope::new(from(), addresses().collect())?;
        let Err(error) = self.transport.send_raw(&all, &message).await else {
            return Ok(());
        };
        if self.to.len() == 1 || error.status().is_none() {
            return Err(error.into());
        }
        // One bad recipient must not keep the others from being told.
        let mut told = 0;
        for address in addresses() {
            let one = Envelope::new(from(), vec![address])?;
            match self.transport.send_raw(&one, &message).await {
                Ok(_) => told += 1,
                Err(error) => {
                    tracing::error!(alert = alert.id, %error, "a recipient of alerts is refused")
                }
            }
        }
        if told == 0 { Err(error.into()) } else { Ok(()) }
    }

    fn message(&self, alert: &Alert, facts: &Facts) -> Result<Message, Error> {
        // The same for every try; another one when there is more to tell, and for the same numbers
        // in another registry.
        let opened: String = facts
            .opened_at
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let message_id = format!(
            "<alert-{}-{}.{opened}@{}>",
            alert.id,
            alert.sighting,
            self.from.email.domain()
        );
        let addressed = self.to.iter().fold(
            Message::builder().from(self.from.clone()),
            |builder: MessageBuilder, to| builder.to(to.clone()),
        );
        Ok(addressed
            .message_id(Some(message_id))
            .subject(facts.subject())
            .header(ContentType::TEXT_PLAIN)
            .body(facts.text())?)
    }
}

fn is_loopback(url: &url::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_configuration_is_whole_or_none() {
        let new = |toml: &str| Mailer::new(&toml::from_str(toml).unwrap(), Path::new("/nowhere"));
        assert!(new("").unwrap().is_none());
        let people = "from = 'otori@shop.example'\nto = ['a@shop.example']\n";
        assert!(
            new(&format!("relay = 'smtp://127.0.0.1:25'\n{people}"))
                .unwrap()
                .is_some()
        );
        for (wrong, says) in [
            ("relay = 'smtp://127.0.0.1'", "from is missing"),
            (
                "relay = 'smtp://127.0.0.1'\nfrom = 'x'\nto = ['a@shop.example']",
                "'x' is not",
            ),
            (
                "relay = 'smtp://127.0.0.1'\nfrom = 'a@shop.example'",
                "to is missing",
            ),
            ("relay = 'smtp://u:secret@127.0.0.1'", "password_file"),
            ("relay = 'mail.shop.example'", "must be like"),
            (&format!("relay = 'ftp://x.example'\n{people}"), "relay"),
            (
                &format!("relay = 'smtp://x.example'\nuser = 'u'\n{people}"),
                "belong together",
            ),
            (
                &format!("relay = 'smtp://x.example'\nuser = 'u'\npassword_file = 'p'\n{people}"),
                "plain text",
            ),
        ] {
            let error = new(wrong).err().unwrap().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
