//! What has happened to an incident, in order, and what people have written to it.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

/// What a person has written to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A remark.
    Note,
    /// Who is to see to it from now on.
    Owner,
}

impl NoteKind {
    /// The name in the registry and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            NoteKind::Note => "note",
            NoteKind::Owner => "owner",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<NoteKind> {
        [NoteKind::Note, NoteKind::Owner]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A remark, or who an incident was given to. It is never changed, only followed by the next.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: OffsetDateTime,
    /// Who wrote it.
    pub by: String,
    /// What it is.
    pub kind: NoteKind,
    /// The remark, or the owner's name.
    pub text: String,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something that has happened to an incident.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When; of several sightings, the first.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Which person did it; `None` for what came by itself.
    pub by: Option<String>,
    /// What it was.
    #[serde(flatten)]
    pub what: MomentKind,
}

impl std::fmt::Debug for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What can happen to an incident.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MomentKind {
    /// Sightings of one kind on one channel on one day.
    Sightings {
        /// By which way.
        channel: &'static str,
        /// What they say.
        kind: &'static str,
        /// How many.
        count: u64,
        /// Different canaries among them.
        canaries: u64,
        /// The latest of them.
        #[serde(with = "rfc3339")]
        until: OffsetDateTime,
    },
    /// A place has taken an alert.
    Alerted {
        /// Which one.
        place: String,
    },
    /// A person has judged it.
    Judged {
        /// The state from then on.
        state: String,
        /// Why.
        why: Option<String>,
    },
    /// A person was made its owner.
    Owned {
        /// Who.
        owner: String,
    },
    /// A person has written a remark.
    Noted {
        /// The remark; `None`: withheld, because it names a canary.
        note: Option<String>,
    },
}

impl Moment {
    /// The moment in words, without its time.
    pub fn words(&self) -> String {
        let by = self.by.as_deref().unwrap_or("nobody");
        match &self.what {
            MomentKind::Sightings {
                channel,
                kind,
                count,
                canaries,
                ..
            } => format!("{channel}, {kind}: sightings: {count}, canaries: {canaries}"),
            MomentKind::Alerted { place } => format!("an alert was taken by {place}"),
            MomentKind::Judged {
                state,
                why: Some(why),
            } => format!("{state} by {by}: {why}"),
            MomentKind::Judged { state, why: None } => format!("{state} by {by}"),
            MomentKind::Owned { owner } => format!("given to {owner} by {by}"),
            MomentKind::Noted { note: Some(note) } => format!("note by {by}: {note}"),
            MomentKind::Noted { note: None } => {
                format!("note by {by} (withheld: it names a canary)")
            }
        }
    }
}
