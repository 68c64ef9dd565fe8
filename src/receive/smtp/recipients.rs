//! For whom mail is taken: the mailboxes of the pool, and in its domains the canaries'.
//!
//! A domain has one of two postures. Ordinarily it has the mailboxes that an ordinary domain has: its
//! canaries', and those that every domain must have; anybody else is refused with 550. Who cleans a
//! list asks for an address that cannot be, and throws out every domain that takes it. A domain that
//! is named as a catch-all takes whatever is written to it, misspelt or not.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::canary::{ContactPoint, Domain, MailAddress};
use crate::receive::in_time;
use crate::registry::{Mark, PoolEntry, Registry};

/// A client waits so long at most for the answer whether an address is ours.
const PATIENCE: Duration = Duration::from_secs(15);
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
    /// Canaries' addresses that were asked for since the last look.
    canaries: HashSet<String>,
    /// The last look at the registry failed: what is not known may be ours all the same.
    stale: bool,
}

/// What an address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Mail is taken for it.
    Ours,
    /// No mailbox of ours, in a domain in which we have some.
    NoMailbox,
    /// Somebody else's: we do not relay.
    Foreign,
    /// The registry cannot be asked now.
    Unknown,
}

/// What the pool says of an address, as far as it does.
enum Glance {
    Sure(Standing),
    /// A domain of ours: it depends on whether a canary has this mailbox.
    Ask,
}

/// Mailboxes that every domain has: RFC 5321, section 4.5.1, and RFC 2142.
const EVERYWHERE: [&str; 2] = ["postmaster", "abuse"];

/// Whom mail is taken for, kept fresh. Clones share it.
#[derive(Clone)]
pub struct Recipients {
    registry: Registry,
    catch_all: Arc<HashSet<String>>,
    known: Arc<RwLock<Known>>,
}

impl Recipients {
    /// Of this registry; the pool has not been looked at yet.
    pub fn new(registry: Registry, catch_all: &[Domain]) -> Recipients {
        let catch_all = catch_all.iter().map(|domain| domain.as_str().to_owned());
        Recipients {
            registry,
            catch_all: Arc::new(catch_all.collect()),
            known: Arc::default(),
        }
    }

    /// Looks at the pool once.
    pub async fn refresh(&self) {
        let pool = in_time(PATIENCE, self.registry.pool()).await;
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match pool {
            Ok(pool) => {
                *known = Known {
                    points: Some(points(&pool)),
                    canaries: HashSet::new(),
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
    pub async fn keep_fresh(self) {
        loop {
            tokio::time::sleep(REFRESH).await;
            self.refresh().await;
        }
    }

    /// Whether the pool is known and was readable a moment ago.
    pub fn ready(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.points.is_some() && !known.stale
    }

    /// Domains that are to take everything and are not in the pool, so that they take nothing.
    pub fn catch_all_in_vain(&self) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(points) = &known.points else {
            return Vec::new();
        };
        let in_vain = self.catch_all.difference(&points.domains);
        in_vain.cloned().collect()
    }

    /// What an address is to us.
    pub async fn standing(&self, address: &MailAddress) -> Standing {
        match self.glance(address) {
            Glance::Sure(standing) => standing,
            Glance::Ask => match self.is_canary(address.as_str()).await {
                Some(true) => {
                    let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                    known.canaries.insert(address.as_str().to_ascii_lowercase());
                    Standing::Ours
                }
                Some(false) => Standing::NoMailbox,
                None => Standing::Unknown,
            },
        }
    }

    /// Whether a canary has this address; `None` if the registry cannot be asked now.
    pub async fn is_canary(&self, address: &str) -> Option<bool> {
        match in_time(PATIENCE, self.registry.bears(Mark::Email, address)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::error!(%error, "a recipient could not be looked up");
                None
            }
        }
    }

    fn glance(&self, address: &MailAddress) -> Glance {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(points) = &known.points else {
            return Glance::Sure(Standing::Unknown);
        };
        let whole = address.as_str().to_ascii_lowercase();
        let domain = address.domain();
        let local = whole.rsplit_once('@').map_or("", |(local, _)| local);
        let ours = points.mailboxes.contains(&whole)
            || known.canaries.contains(&whole)
            || (points.domains.contains(domain)
                && (self.catch_all.contains(domain) || EVERYWHERE.contains(&local)));
        if ours {
            Glance::Sure(Standing::Ours)
        } else if points.domains.contains(domain) {
            Glance::Ask
        } else if known.stale {
            Glance::Sure(Standing::Unknown)
        } else if points.mailbox_domains.contains(domain) {
            Glance::Sure(Standing::NoMailbox)
        } else {
            Glance::Sure(Standing::Foreign)
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
