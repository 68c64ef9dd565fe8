//! The `[alert]` section of `otori.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::relay::RelayConfig;

/// Whom an incident is told, and through which mail server. Without `relay`, alerts wait in the
/// registry until there is one.
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
    /// The sender (`otori@shop.example`).
    pub from: Option<String>,
    /// Who is told.
    pub to: Vec<String>,
}

impl AlertConfig {
    /// The mail server; `None` if there is no relay.
    pub fn server(&self) -> Option<RelayConfig<'_>> {
        Some(RelayConfig {
            section: "alert",
            relay: self.relay.as_deref()?,
            user: self.user.as_deref(),
            password_file: self.password_file.as_ref(),
            from: self.from.as_deref(),
        })
    }
}
