//! What reaches a canary, and what it adds up to.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{BatchId, CanaryId, Origin, SourceName};

/// The way in which a contact came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail over SMTP.
    Mail,
    /// A voice call.
    Phone,
    /// A text message.
    Sms,
    /// A letter in a postal drop.
    Post,
    /// A log-in attempt with a canary's address.
    Login,
    /// A customer's own report.
    Report,
}

/// What a sighting says about its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SightingKind {
    /// A contact that nobody had a reason to make.
    Alarm,
    /// A recipient check without a message.
    Probe,
    /// The source's own mail.
    Expected,
    /// Our own test.
    Drill,
    /// Fits no canary, or says nothing.
    Noise,
}

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ }) => {
        impl $type {
            /// The name in the registry and in JSON.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
            /// The value of that name.
            pub fn from_name(name: &str) -> Option<$type> {
                match name { $($name => Some($type::$variant),)+ _ => None }
            }
        }
    };
}
named!(Channel { Mail = "mail", Phone = "phone", Sms = "sms", Post = "post", Login = "login", Report = "report" });
named!(SightingKind { Alarm = "alarm", Probe = "probe", Expected = "expected", Drill = "drill", Noise = "noise" });
named!(IncidentState { Open = "open", Confirmed = "confirmed", Closed = "closed" });

/// How much of a canary's name a caller said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// A family name, which a stranger may have by chance.
    Family = 1,
    /// Family and given name.
    Whole = 2,
}

/// Who made the contact, as far as the message says so itself. Nothing here is authenticated.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actor {
    /// Envelope sender, caller's number, or the sender on the envelope.
    pub from: String,
    /// One line: a subject, a length of call, a letter's sender.
    pub summary: String,
    /// What a mail shows of whoever is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
    /// How a caller called a canary by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<Named>,
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Actor(redacted)")
    }
}

/// One contact that reached a canary, or that fits none (`canary` and `source` empty).
///
/// A call to a number that several canaries share names what they have in common: the source where
/// they agree, the batch and the canary only where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its number in the registry.
    pub id: i64,
    /// The registry number of the stored message that it comes from.
    pub message: i64,
    /// When it came.
    pub at: OffsetDateTime,
    /// By which way.
    pub channel: Channel,
    /// The source that it points at.
    pub source: Option<SourceName>,
    /// The canary that was reached.
    pub canary: Option<CanaryId>,
    /// The canary's batch.
    pub batch: Option<BatchId>,
    /// What it says.
    pub kind: SightingKind,
    /// Who, as told by the message.
    pub actor: Actor,
    /// The incident that it joined.
    pub incident: Option<i64>,
    /// How often the very same message came again (an SMTP client's retry).
    pub repeats: u32,
    /// Whether the details of the canary that it reached are destroyed.
    pub forgotten: bool,
    /// Whether what the message said was destroyed by a rule of `[retention]`: who wrote is then not known any more,
    /// unless it belongs to an incident.
    pub erased: bool,
}

/// Where an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Raised, not yet judged by a person.
    Open,
    /// Judged to be a leak.
    Confirmed,
    /// Done with.
    Closed,
}

/// The sightings that point at one leak of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number in the registry.
    pub id: i64,
    /// The source.
    pub source: SourceName,
    /// Its state.
    pub state: IncidentState,
    /// First sighting, but for stray calls that came before: they have joined it, and it has not begun with them.
    pub opened_at: OffsetDateTime,
    /// Latest sighting.
    pub last_at: OffsetDateTime,
    /// Sightings in it.
    pub sightings: u64,
    /// Different canaries among them.
    pub canaries: u64,
    /// The incident of the same source that was opened before it.
    pub follows: Option<i64>,
    /// Who is to see to it.
    pub owner: Option<String>,
}
