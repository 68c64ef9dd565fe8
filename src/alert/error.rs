//! What can be wrong with an alert, or with the place that it goes to. Nothing here repeats a URL of a
//! webhook: whoever knows that of a channel may write there.

/// Why alerts cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `[alert]` does not say what it should about its mail server, or the password cannot be read.
    #[error(transparent)]
    Relay(#[from] crate::relay::Error),
    /// A place does not say what it should.
    #[error("otori.toml, {place}: {message}")]
    Config {
        /// Which table.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// A secret cannot be used.
    #[error(transparent)]
    Secret(#[from] crate::secret::Error),
    /// A file cannot be read, or others can read it.
    #[error(transparent)]
    File(#[from] crate::workspace::Error),
    /// The registry's facts are not what this version reads.
    #[error("alert {0} is unreadable: it was queued by another version of otori")]
    Unreadable(i64),
    /// The mail could not be made.
    #[error("the mail could not be made: {0}")]
    Make(#[from] lettre::error::Error),
    /// The mail server did not take it.
    #[error("the mail server did not take it: {0}")]
    Refused(#[from] lettre::transport::smtp::Error),
    /// A webhook answered something else than 2xx.
    #[error("the webhook answered {0}")]
    Answer(u16),
    /// A webhook could not be reached.
    #[error("the webhook could not be reached: {0}")]
    Unreached(String),
    /// The log server could not be reached, or broke off.
    #[error("the log server did not take it: {0}")]
    Syslog(std::io::Error),
    /// It took too long.
    #[error("there was no answer within {0} seconds")]
    Slow(u64),
}

impl Error {
    /// An error about a table of `otori.toml`.
    pub(super) fn config(place: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Config {
            place: place.into(),
            message: message.into(),
        }
    }
}
