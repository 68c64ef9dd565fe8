//! Roles and their rights.

use serde::{Deserialize, Serialize};

/// What a person is to otori.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    #[default]
    #[serde(alias = "all")]
    Admin,
    /// Examines: sightings, traces, one canary at a time.
    Analyst,
    /// Files letters.
    MailRoom,
    /// Reads what proves that the control works, and no canary's details.
    Auditor,
}

/// What an act needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To see sightings, incidents, sources, the log and reports: nothing of a canary but its id.
    Look,
    /// To examine lists and tables, and to see the pool.
    Examine,
    /// To see a canary's details.
    Reveal,
    /// To file a letter.
    File,
    /// To change what there is: plant, remove, keys, backups.
    Manage,
}

impl Role {
    /// The role's name in `otori.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Analyst => "analyst",
            Role::MailRoom => "mail_room",
            Role::Auditor => "auditor",
        }
    }

    /// Whether the role has the right.
    pub const fn may(self, right: Right) -> bool {
        match self {
            Role::Admin => true,
            Role::Analyst => matches!(right, Right::Look | Right::Examine | Right::Reveal),
            Role::MailRoom => matches!(right, Right::File),
            Role::Auditor => matches!(right, Right::Look),
        }
    }
}

impl Right {
    /// What it allows, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Right::Look => "see sightings and the log",
            Right::Examine => "examine lists and tables",
            Right::Reveal => "see a canary's details",
            Right::File => "file letters",
            Right::Manage => "change the workspace",
        }
    }
}
