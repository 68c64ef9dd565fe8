//! The `[alert]` section of `otori.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::relay::RelayConfig;

/// Whom an incident is told, and by which ways: a mail server, webhooks, syslog. Each is told by itself.
/// Without any, alerts wait in the registry until there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertConfig {
    /// The mail server: `smtp://host:25` (plain), `smtp://host:587?tls=required` (STARTTLS) or
    /// `smtps://host` (TLS from the start). No user or password here.
    pub relay: Option<String>,
    /// User name at the relay.
    pub user: Option<String>,
    /// File (0600, relative to the workspace) with the password at the relay.
    pub password_file: Option<PathBuf>,
    /// Root certificates (PEM) of a house of one's own, taken beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<PathBuf>,
    /// The sender (`otori@shop.example`).
    pub from: Option<String>,
    /// Who is told.
    pub to: Vec<String>,
    /// Web addresses that are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<WebhookConfig>,
    /// A log server that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog: Option<SyslogConfig>,
}

/// One web address that is told: `[[alert.webhook]]`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// What it is called in lists, the log and metrics.
    pub name: String,
    /// Where: `https://…`; plain `http://` only to this machine.
    pub url: Option<String>,
    /// File (0600, relative to the workspace) that holds the URL: whoever knows that of a Slack or Teams
    /// channel may write there.
    pub url_file: Option<PathBuf>,
    /// How the body looks.
    pub format: WebhookFormat,
    /// File (0600) with the secret that signs each request, as our own webhook for phones takes it:
    /// `X-Otori-Signature: sha256=` and the hex HMAC-SHA-256 of `<X-Otori-Timestamp>.<body>`.
    pub secret_file: Option<PathBuf>,
    /// Root certificates (PEM) of a house of one's own, taken beside the system's.
    pub roots: Option<PathBuf>,
}

impl std::fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookConfig({})", self.name)
    }
}

/// How a webhook's body looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// Otori's own JSON: the facts, and a subject and a text for people.
    #[default]
    Generic,
    /// A message of Slack, which Mattermost takes too.
    Slack,
    /// An adaptive card, as Teams' workflows take it.
    Teams,
}

/// A log server: `[alert.syslog]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogConfig {
    /// Where: `udp://host:514`, `tcp://host:601` or `unix:/dev/log`. UDP does not say whether anything came.
    pub to: String,
    /// The facility: `user`, `daemon`, `auth`, `authpriv`, or `local0` to `local7`.
    #[serde(default = "authpriv")]
    pub facility: String,
}

fn authpriv() -> String {
    "authpriv".to_owned()
}

impl AlertConfig {
    /// Whether anybody is told at all.
    pub fn is_empty(&self) -> bool {
        self.relay.is_none() && self.webhook.is_empty() && self.syslog.is_none()
    }

    /// Every file that the section names, and whether it is a secret.
    pub fn files(&self) -> impl Iterator<Item = (&PathBuf, bool)> {
        let hooks = self.webhook.iter().flat_map(|hook| {
            let secrets = [&hook.url_file, &hook.secret_file].into_iter().flatten();
            secrets
                .map(|file| (file, true))
                .chain(hook.roots.iter().map(|file| (file, false)))
        });
        self.password_file
            .iter()
            .map(|file| (file, true))
            .chain(self.roots.iter().map(|file| (file, false)))
            .chain(hooks)
    }

    /// The mail server; `None` if there is no relay.
    pub fn server(&self) -> Option<RelayConfig<'_>> {
        Some(RelayConfig {
            section: "alert",
            relay: self.relay.as_deref()?,
            user: self.user.as_deref(),
            password_file: self.password_file.as_ref(),
            roots: self.roots.as_ref(),
            from: self.from.as_deref(),
        })
    }
}
