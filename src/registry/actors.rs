//! Contacts with what their actors are known by, for whoever puts them together.

use std::collections::HashMap;

use super::{Registry, Result, SightingFilter};
use crate::canary::{ActorKeys, KeyKind, Sighting, SightingKind};
use crate::evidence::hex;

/// A network is shown by so many bytes of its tag: it is kept nowhere in clear.
const SHOWN: usize = 8;

impl Registry {
    /// Everything that nobody had a reason to send, oldest first, each with what its actor is known by.
    ///
    /// # Errors
    /// The store fails, or a sighting does not open.
    pub async fn contacts(&self) -> Result<Vec<(Sighting, ActorKeys)>> {
        let mut networks: HashMap<i64, Vec<u8>> = HashMap::new();
        let sql = "select sighting, network from probe";
        for row in self.store.fetch(sql, vec![]).await? {
            networks.insert(row.int(0)?, row.bytes(1)?);
        }
        let mut contacts = Vec::new();
        for sighting in self.sightings(&SightingFilter::default()).await? {
            if !matches!(sighting.kind, SightingKind::Alarm | SightingKind::Probe) {
                continue;
            }
            let mut keys = ActorKeys::of(sighting.channel, &sighting.actor);
            if let Some(network) = networks.get(&sighting.id) {
                keys.put(KeyKind::Network, hex(&network[..network.len().min(SHOWN)]));
            }
            contacts.push((sighting, keys));
        }
        contacts.reverse();
        Ok(contacts)
    }
}
