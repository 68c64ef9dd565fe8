//! Call detail records: what a telephone exchange or a provider has written of calls, as CSV.
//!
//! Asterisk's `Master.csv` has no header and always the same columns; other files are understood by their
//! header. A record proves no more than that somebody had it written: it is stored as it came.

mod table;

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::hex;
use crate::canary::Channel;
use crate::registry::NewMessage;

pub use table::{BadLine, Clock, Layout, Role, Unreadable, read};

/// Records of before this are taken for what came now: their day is a typing error.
const OLDEST: Duration = Duration::days(3650);

/// One call or text message.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Line in the file, from 1.
    pub line: u64,
    /// Who called.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// When, if the record says so.
    pub at: Option<OffsetDateTime>,
    /// How long, as the record says.
    pub duration: String,
    /// The exchange's own name of the call.
    pub id: Option<String>,
    /// Whether it was a text message.
    pub sms: bool,
    /// The fields as they stood, between unit separators.
    pub raw: String,
}

/// What is stored beside the record; the webhooks store the same.
#[derive(Serialize)]
struct Envelope<'a> {
    provider: &'static str,
    from: &'a str,
    to: &'a str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    id: &'a str,
}

impl Record {
    /// The message to store. The call's own time is its time, where it can be.
    pub fn message(&self, now: OffsetDateTime) -> NewMessage {
        let possible = |at: &OffsetDateTime| *at <= now && *at > now - OLDEST;
        let unnamed = hex(&Sha256::digest(&self.raw));
        let id = self.id.as_deref().unwrap_or(&unnamed);
        let rfc3339 = time::format_description::well_known::Rfc3339;
        let envelope = Envelope {
            provider: "cdr",
            from: &self.from,
            to: &self.to,
            text: match self.duration.as_str() {
                "" => String::new(),
                duration => format!("lasted {duration}"),
            },
            at: self.at.and_then(|at| at.format(&rfc3339).ok()),
            id,
        };
        NewMessage {
            at: self.at.filter(possible).unwrap_or(now),
            channel: if self.sms {
                Channel::Sms
            } else {
                Channel::Phone
            },
            envelope: serde_json::to_string(&envelope).expect("texts are JSON"),
            recipients: vec![self.to.clone()],
            raw: self.raw.clone().into_bytes(),
            same_as: Some(format!("cdr {id}")),
        }
    }
}
