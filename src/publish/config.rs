//! What `[evidence]` says about places outside.

use std::path::PathBuf;

use serde::Deserialize;

/// The part of `[evidence]` that says where checkpoints go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublishConfig {
    /// The log's name, which its checkpoints begin with: by convention a URL without its scheme, such as
    /// `shop.example/otori`. It is settled when the log is first signed.
    pub origin: Option<String>,
    /// A time-stamping authority (RFC 3161), by URL.
    pub tsa: Option<String>,
    /// Certificates (PEM) of the authorities that are trusted. Without them the certificate in a timestamp
    /// is taken as it is.
    pub tsa_roots: Option<PathBuf>,
    /// Certificates (PEM) that vouch for the hosts of `tsa` and of witnesses, beside those that the
    /// operating system trusts: for hosts inside of the house.
    pub http_roots: Option<PathBuf>,
    /// Who keeps checkpoints.
    pub witness: Vec<WitnessConfig>,
}

/// `[[evidence.witness]]`: exactly one of `directory`, `mail` and `url`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WitnessConfig {
    /// Its name in the log.
    pub name: String,
    /// A directory of its own, best on a medium that is written once: each checkpoint is a file there.
    pub directory: Option<PathBuf>,
    /// Mail addresses; the mail goes through the relay of `[alert]`.
    pub mail: Vec<String>,
    /// A witness that speaks C2SP's tlog-witness protocol, by its submission URL.
    pub url: Option<String>,
    /// The public key of that witness.
    pub key: Option<String>,
    /// At most one checkpoint in so many hours; mails have 24 without it, the others each checkpoint.
    pub every_hours: Option<u32>,
}
