//! How the mailboxes that are read stand, for `/readyz`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::metrics::metrics;

/// The state of each mailbox by its name. Clones share it.
#[derive(Clone, Default)]
pub struct Mailboxes(Arc<Mutex<BTreeMap<String, Stand>>>);

#[derive(Clone, Copy)]
enum Stand {
    /// It has not been looked into yet.
    Awaited,
    Read(OffsetDateTime),
    /// Since when looks have failed.
    Failing(OffsetDateTime),
}

impl Mailboxes {
    fn put(&self, name: &str, change: impl FnOnce(Stand) -> Stand) {
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(name).copied().unwrap_or(Stand::Awaited);
        all.insert(name.to_owned(), change(before));
    }

    /// It is going to be looked into.
    pub(super) fn awaited(&self, name: &str) {
        self.put(name, |before| before);
    }

    /// It was read; whether looks had failed before.
    pub(super) fn read(&self, name: &str, now: OffsetDateTime) -> bool {
        let mut failed = false;
        self.put(name, |before| {
            failed = matches!(before, Stand::Failing(_));
            Stand::Read(now)
        });
        metrics().mailbox_read(name, now.unix_timestamp());
        failed
    }

    /// A look failed; whether it is the first that did.
    pub(super) fn failed(&self, name: &str, now: OffsetDateTime) -> bool {
        let mut first = true;
        self.put(name, |before| match before {
            Stand::Failing(since) => {
                first = false;
                Stand::Failing(since)
            }
            _ => Stand::Failing(now),
        });
        metrics().mailbox_failed(name);
        first
    }

    /// A line for each, without addresses and reasons: whoever may ask for it is told no more.
    pub fn lines(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = String::new();
        for (name, stand) in all.iter() {
            let (word, at) = match stand {
                Stand::Awaited => ("not looked into yet", None),
                Stand::Read(at) => ("read at ", Some(at)),
                Stand::Failing(since) => ("failing since ", Some(since)),
            };
            let at = at.and_then(|at| at.format(&Rfc3339).ok());
            // Writing into a text cannot fail.
            let _ = writeln!(lines, "imap {name}: {word}{}", at.unwrap_or_default());
        }
        lines
    }
}
