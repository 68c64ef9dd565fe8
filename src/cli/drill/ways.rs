//! The ways out of the house, as otori.toml has them.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;

use super::aim::Aim;
use crate::canary::{Channel, Drill};
use crate::drill::{Error, Hook, Postman};
use crate::registry::Registry;
use crate::secret::Secret;
use crate::workspace::Workspace;

/// Numbers that nobody has: 202-555-0100 to 0199.
const CALLERS: u64 = 100;

/// By which way each channel is drilled.
pub(in crate::cli) struct Ways {
    mail: Option<Postman>,
    phone: Option<Hook>,
    caller: Option<String>,
}

impl Ways {
    /// What the configuration says. The receiver's own HTTP address is `http`, where it is known.
    ///
    /// # Errors
    /// A section is wrong, or a secret cannot be read.
    pub(in crate::cli) fn new(
        workspace: &Workspace,
        http: Option<SocketAddr>,
    ) -> anyhow::Result<Ways> {
        let config = workspace.config();
        let mail = Postman::new(&config.drill, workspace.dir())?;
        Ok(Ways {
            mail,
            phone: hook(workspace, http).context("[receive.phone]")?,
            caller: config.drill.caller.clone(),
        })
    }

    /// What is to be written into otori.toml before the channel can be drilled.
    pub(super) fn missing(&self, channel: Channel) -> Option<&'static str> {
        match channel {
            Channel::Mail if self.mail.is_none() => Some(
                "otori.toml names no outside path for mail: write relay (such as \"smtp://smtp.provider.example:587?tls=required\") and from (a sender of yours) into [drill]",
            ),
            Channel::Phone if self.phone.is_none() => Some(
                "otori.toml has no secret for telephone webhooks: name secret_file, or twilio_token_file, in [receive.phone]",
            ),
            _ => None,
        }
    }

    /// The same for every channel that is drilled without a person.
    pub(in crate::cli) fn missing_any(&self) -> impl Iterator<Item = &'static str> {
        [Channel::Mail, Channel::Phone]
            .into_iter()
            .filter_map(|channel| self.missing(channel))
    }

    /// Sends the drill's message.
    ///
    /// # Errors
    /// It did not leave the house.
    pub(super) async fn send(
        &self,
        registry: &Registry,
        drill: &Drill,
        aim: &Aim,
    ) -> Result<(), Error> {
        let token = registry.drill_token(drill);
        match (drill.channel, &self.mail, &self.phone) {
            (Channel::Mail, Some(mail), _) => mail.send(&aim.to, aim.locale, &token).await,
            (Channel::Phone, _, Some(hook)) => {
                let caller = self.caller.clone().unwrap_or_else(|| nobody(&token));
                hook.call(&caller, &aim.to, &token).await
            }
            _ => Err(Error::Make),
        }
    }
}

/// A number that nobody has, another one for each drill.
fn nobody(token: &str) -> String {
    let number = token.bytes().map(u64::from).sum::<u64>() % CALLERS;
    format!("+1202555{:04}", 100 + number)
}

fn hook(workspace: &Workspace, http: Option<SocketAddr>) -> anyhow::Result<Option<Hook>> {
    let receive = &workspace.config().receive;
    let base = receive.public_url.clone().unwrap_or_else(|| {
        let mut http = http.unwrap_or(receive.http);
        if http.ip().is_unspecified() {
            http.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{http}")
    });
    let secret = |file| Secret::read(workspace.dir(), file);
    let phone = &receive.phone;
    Ok(match (&phone.twilio_token_file, &phone.secret_file) {
        (Some(file), _) => Some(Hook::twilio(&base, secret(file)?)),
        (None, Some(file)) => Some(Hook::generic(&base, secret(file)?)),
        (None, None) => None,
    })
}
