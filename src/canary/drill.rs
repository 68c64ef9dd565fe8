//! Drills: a real message to a real canary, and how long it took to be told of.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{CanaryId, Channel, SourceName};

/// Where a drill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillState {
    /// Sent; not seen and told of yet.
    Waiting,
    /// Seen and told of by its deadline.
    Passed,
    /// Not sent, not seen or not told of by its deadline.
    Failed,
}

impl DrillState {
    /// The state's name in the registry and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            DrillState::Waiting => "waiting",
            DrillState::Passed => "passed",
            DrillState::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<DrillState> {
        [DrillState::Waiting, DrillState::Passed, DrillState::Failed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// An end-to-end test of one channel of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// Its number in the registry.
    pub id: i64,
    /// The channel tested.
    pub channel: Channel,
    /// The source whose canary was written to.
    pub source: SourceName,
    /// The canary.
    pub canary: CanaryId,
    /// Whether the receiver ran it by itself.
    pub scheduled: bool,
    /// Where it is.
    pub state: DrillState,
    /// When it was handed over to the outside path.
    pub sent_at: OffsetDateTime,
    /// When it has to have been seen and told of.
    pub due_at: OffsetDateTime,
    /// When the receiver acknowledged it.
    pub accepted_at: Option<OffsetDateTime>,
    /// When it had become a sighting.
    pub seen_at: Option<OffsetDateTime>,
    /// When a mail server had taken its alert.
    pub alerted_at: Option<OffsetDateTime>,
    /// Why it failed.
    pub why: Option<String>,
}

impl Drill {
    /// Seconds from sending until `moment`.
    pub fn seconds_to(&self, moment: Option<OffsetDateTime>) -> Option<f64> {
        // Two hosts' clocks may be a little apart.
        moment.map(|moment| (moment - self.sent_at).as_seconds_f64().max(0.0))
    }
}

/// `{"drills": […]}`, as `otori drill --json` prints it. Its keys stay; more may come.
#[derive(Serialize)]
pub struct DrillsDocument<'a> {
    drills: Vec<DrillEntry<'a>>,
}

#[derive(Serialize)]
struct DrillEntry<'a> {
    id: i64,
    source: &'a str,
    channel: Channel,
    canary: &'a str,
    scheduled: bool,
    state: DrillState,
    #[serde(with = "time::serde::rfc3339")]
    sent_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    accepted_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    seen_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    alerted_at: Option<OffsetDateTime>,
    /// From sending to alert, of a message that was heard.
    latency_seconds: Option<f64>,
    #[serde(with = "time::serde::rfc3339")]
    due_at: OffsetDateTime,
    why: Option<&'a str>,
}

impl<'a> DrillsDocument<'a> {
    /// The document of these drills, in their order.
    pub fn new(drills: &'a [Drill]) -> DrillsDocument<'a> {
        let entry = |drill: &'a Drill| DrillEntry {
            id: drill.id,
            source: drill.source.as_str(),
            channel: drill.channel,
            canary: drill.canary.as_str(),
            scheduled: drill.scheduled,
            state: drill.state,
            sent_at: drill.sent_at,
            accepted_at: drill.accepted_at,
            seen_at: drill.seen_at,
            alerted_at: drill.alerted_at,
            latency_seconds: drill
                .seen_at
                .and_then(|_| drill.seconds_to(drill.alerted_at)),
            due_at: drill.due_at,
            why: drill.why.as_deref(),
        };
        DrillsDocument {
            drills: drills.iter().map(entry).collect(),
        }
    }
}
