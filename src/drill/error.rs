//! Why a drill could not be sent.

/// A drill's message did not leave the house. No text here holds a canary's detail: it enters the evidence
/// log and an alert.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The message could not be made.
    #[error("the message could not be made: is 'from' in [drill] a mail address of yours?")]
    Make,
    /// The mail server of the outside path refused it. What it said would repeat the address.
    #[error("the relay of [drill] refused the mail ({0})")]
    Refused(u16),
    /// The mail server of the outside path cannot be reached, or broke off.
    #[error("the relay of [drill] did not take the mail: {0}")]
    Relay(String),
    /// The webhook's address is none.
    #[error("'{0}' is no address of a webhook: look at public_url in [receive]")]
    Url(String),
    /// Nobody answers at the webhook's address.
    #[error("the webhook {place} cannot be reached: {why}")]
    Unreachable {
        /// The address.
        place: String,
        /// What the system said.
        why: String,
    },
    /// The webhook was answered with an error.
    #[error("the webhook {place} answered {status}")]
    Answered {
        /// The address.
        place: String,
        /// The HTTP status.
        status: u16,
    },
}
