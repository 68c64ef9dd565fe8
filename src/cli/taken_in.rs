//! What the commands that take in files have in common: places that were not understood, and what was
//! counted before.

use serde::Serialize;

use crate::notation::sheet::DateOrder;
use crate::receive::Authenticator;
use crate::registry::{Accepted, NewMessage, Registry, Result};
use crate::workspace::Workspace;

/// Places that are told; more are counted.
const TOLD: usize = 1000;

/// How days are written whose numbers could each be the month.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Order {
    /// 05/11/2026 is 5 November
    DayFirst,
    /// 05/11/2026 is May 11th
    MonthFirst,
}

impl Order {
    pub(super) fn order(self) -> DateOrder {
        match self {
            Order::DayFirst => DateOrder::DayFirst,
            Order::MonthFirst => DateOrder::MonthFirst,
        }
    }
}

/// A place in a file that was not understood.
#[derive(Serialize)]
pub(super) struct Unreadable {
    pub(super) place: String,
    pub(super) why: String,
}

/// Places that were not understood, however many there are.
#[derive(Default, Serialize)]
pub(super) struct Unread {
    pub(super) unreadable: Vec<Unreadable>,
    /// Places beyond those that are listed.
    pub(super) more_unreadable: u64,
}

impl Unread {
    pub(super) fn add(&mut self, place: String, why: impl ToString) {
        if self.unreadable.len() < TOLD {
            let why = why.to_string();
            self.unreadable.push(Unreadable { place, why });
        } else {
            self.more_unreadable += 1;
        }
    }
}

/// Stores messages in one transaction; how many are new, and how many are known already.
pub(super) async fn store(registry: &Registry, messages: &[NewMessage]) -> Result<(u64, u64)> {
    let (mut stored, mut repeats) = (0, 0);
    if messages.is_empty() {
        return Ok((stored, repeats));
    }
    for accepted in registry.accept(messages).await? {
        match accepted {
            Accepted::New(_) => stored += 1,
            Accepted::Repeat(_) => repeats += 1,
        }
    }
    Ok((stored, repeats))
}

/// Who says whether the mails that are settled are from whom they claim, as the configuration has it.
///
/// # Errors
/// The resolvers that it names cannot be used.
pub(super) fn asking(workspace: &Workspace) -> anyhow::Result<Authenticator> {
    let config = &workspace.config().receive;
    let calendar = config.calendar(workspace.dir());
    let calendar = calendar.map_err(|why| anyhow::anyhow!(why))?;
    let made = Authenticator::new(&config.auth, &config.expected, calendar);
    made.map_err(|why| anyhow::anyhow!("[receive.auth]: {why}"))
}
