//! `[[people]]` and `[custody]` of `otori.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Role;

/// A person, or a program, with a token of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonConfig {
    /// User name.
    pub name: String,
    /// File with the token: at least 16 characters, from a generator.
    pub token_file: PathBuf,
    /// What the person may do. Older files say `access`.
    #[serde(default, alias = "access")]
    pub role: Role,
}

/// An act that can be made to take two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwoPersonAct {
    /// `otori reveal`.
    Reveal,
    /// `otori unplant`.
    Unplant,
    /// `otori forget`.
    Forget,
}

impl TwoPersonAct {
    /// The act's name in `otori.toml`, in the registry and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            TwoPersonAct::Reveal => "reveal",
            TwoPersonAct::Unplant => "unplant",
            TwoPersonAct::Forget => "forget",
        }
    }
}

/// `[custody]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustodyConfig {
    /// Whether every command asks who it is and looks at the role.
    pub enforce: bool,
    /// Acts that another person must approve.
    pub four_eyes: Vec<TwoPersonAct>,
    /// Hours within which a request is approved and carried out.
    pub request_hours: u32,
}

impl Default for CustodyConfig {
    fn default() -> CustodyConfig {
        CustodyConfig {
            enforce: false,
            four_eyes: Vec::new(),
            request_hours: 24,
        }
    }
}

impl CustodyConfig {
    /// What contradicts itself, in words.
    pub(crate) fn wrong(&self, people: &[PersonConfig]) -> Option<String> {
        for (place, person) in people.iter().enumerate() {
            let name = &person.name;
            let twice = people[..place].iter().any(|other| other.name == *name);
            if name.is_empty() || name.contains(':') || twice {
                return Some(format!(
                    "people: '{name}' cannot be a user name: it is empty, has a colon, or is there twice"
                ));
            }
        }
        if !self.four_eyes.is_empty() && !self.enforce {
            return Some(
                "custody: four_eyes needs enforce = true, or nobody knows whose eyes they are"
                    .to_owned(),
            );
        }
        if self.enforce && !people.iter().any(|person| person.role == Role::Admin) {
            return Some(
                "custody: enforce = true needs [[people]] with an admin, or nobody could do anything"
                    .to_owned(),
            );
        }
        (self.request_hours == 0).then(|| "custody: request_hours must be 1 or more".to_owned())
    }
}
