//! For whom mail is taken: the domains and mailboxes of the pool.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::canary::{ContactPoint, MailAddress};
use crate::registry::{PoolEntry, Registry};

/// How long a contact point that was added by another process may stay unknown.
const REFRESH: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Points {
    domains: HashSet<String>,
    mailboxes: HashSet<String>,
    mailbox_domains: HashSet<String>,
}

#[derive(Default)]
struct Known {
    points: Option<Points>,
    /// The last look at the registry failed: what is not known may be ours all the same.
    stale: bool,
}

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A contact point of ours, or below one.
    Ours,
    /// No mailbox of ours, in a domain in which we have some.
    NoMailbox,
    /// Somebody else's: we do not relay.
    Foreign,
    /// The registry cannot be asked now.
    Unknown,
}

/// The mail contact points of the pool, kept fresh. Clones share them.
#[derive(Clone, Default)]
pub struct Recipients {
    known: Arc<RwLock<Known>>,
}

impl Recipients {
    /// Looks at the pool once.
    pub async fn refresh(&self, registry: &Registry) {
        let pool = registry.pool().await;
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut known = self.known.write().unwrap_or_else(|e| e.into_inner());
        match pool {
            Ok(pool) => {
                *known = Known {
                    points: Some(points(&pool)),
                    stale: false,
                };
            }
            Err(error) => {
                if !known.stale {
                    tracing::error!(%error, "the pool of contact points could not be read");
                }
                known.stale = true;
            }
        }
    }

    /// Looks at the pool every few seconds, for ever.
    pub async fn keep_fresh(self, registry: Registry) {
        loop {
            tokio::time::sleep(REFRESH).await;
            self.refresh(&registry).await;
        }
    }

    /// Whether the pool is known and was readable a moment ago.
    pub fn ready(&self) -> bool {
        let known = self.known.read().unwrap_or_else(|e| e.into_inner());
        known.points.is_some() && !known.stale
    }

    /// What an address is to us.
    pub fn standing(&self, address: &MailAddress) -> Standing {
        let known = self.known.read().unwrap_or_else(|e| e.into_inner());
        let Some(points) = &known.points else {
            return Standing::Unknown;
        };
        let whole = address.as_str().to_ascii_lowercase();
        if points.domains.contains(address.domain()) || points.mailboxes.contains(&whole) {
            Standing::Ours
        } else if known.stale {
            Standing::Unknown
        } else if points.mailbox_domains.contains(address.domain()) {
            Standing::NoMailbox
        } else {
            Standing::Foreign
        }
    }
}

fn points(pool: &[PoolEntry]) -> Points {
    let mut points = Points::default();
    for entry in pool {
        match &entry.point {
            ContactPoint::MailDomain(domain) => {
                points.domains.insert(domain.as_str().to_owned());
            }
            ContactPoint::Mailbox(address) => {
                points
                    .mailboxes
                    .insert(address.as_str().to_ascii_lowercase());
                points.mailbox_domains.insert(address.domain().to_owned());
            }
            ContactPoint::Phone(_) | ContactPoint::Drop(_) => {}
        }
    }
    points
}
