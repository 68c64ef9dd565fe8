//! What keeps the receiver from starting.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the receiver does not start. What goes wrong later is logged, and the client told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `[receive]` does not say what it should.
    #[error("otori.toml, [receive]: {0}")]
    Config(String),
    /// A certificate or key that cannot be used.
    #[error("{path}: {message}; [receive.tls] wants a PEM certificate chain and its PEM key")]
    Tls {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A secret that cannot be read, or that others can.
    #[error(transparent)]
    Secret(#[from] crate::secret::Error),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address} for {what}: {source}")]
    Bind {
        /// SMTP or HTTP.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}
