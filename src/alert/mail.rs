//! Alerts by mail.

use std::path::Path;

use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::text::Told;
use super::{AlertConfig, Error};
use crate::registry::Alert;
use crate::relay::Relay;

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
        let Some(server) = config.server() else {
            return Ok(None);
        };
        let Relay { transport, from } = server.open(dir)?;
        let to = config.to.iter().map(|text| server.address(text));
        let to = to.collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(server.wrong("to is missing: say who is told").into());
        }
        Ok(Some(Mailer {
            transport,
            from,
            to,
        }))
    }

    /// Sends one alert to everybody. It counts as sent when the server has taken it for somebody;
    /// recipients that it refuses are logged.
    ///
    /// # Errors
    /// The server cannot be reached, or took it for nobody.
    pub async fn send(&self, alert: &Alert, told: &Told) -> Result<(), Error> {
        let message = self.message(alert, told)?.formatted();
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

    fn message(&self, alert: &Alert, told: &Told) -> Result<Message, Error> {
        // The same for every try; another one when there is more to tell, and for the same numbers
        // in another registry.
        let domain = self.from.email.domain();
        let message_id = format!("<{}@{domain}>", told.name(alert));
        let addressed = self.to.iter().fold(
            Message::builder().from(self.from.clone()),
            |builder: MessageBuilder, to| builder.to(to.clone()),
        );
        Ok(addressed
            .message_id(Some(message_id))
            .subject(told.subject())
            .header(ContentType::TEXT_PLAIN)
            .body(told.text())?)
    }
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
