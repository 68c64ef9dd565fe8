//! Recipient checks without a message. One says that somebody has the address; several canaries checked
//! from one network say that somebody washes a list that holds them, which is an alarm.

use super::joining::join_incident;
use super::store::Tx;
use super::witness::Table;
use super::{Error, NewSighting, Registry, Result};
use crate::canary::{Actor, Channel, SightingKind, SourceName};

/// Different canaries that one network must have checked.
const SEVERAL: i64 = 2;
/// Within so many microseconds.
const WITHIN: i64 = 30 * 24 * 3600 * 1_000_000;

/// Where a sealed check lies.
const KEPT: &str = "probe journal";

impl Registry {
    /// The tag of the network from which a sighting is a check of a canary.
    pub(super) fn probing(&self, sighting: &NewSighting) -> Option<Vec<u8>> {
        let network = sighting.network.as_ref()?;
        let probe = sighting.kind == SightingKind::Probe && sighting.canary.is_some();
        probe.then(|| self.network_tag(network))
    }

    /// Seals what a receiver keeps of a check outside the registry until it is stored.
    ///
    /// # Errors
    /// It is too large.
    pub fn seal_probe(&self, plain: &[u8]) -> Result<Vec<u8>> {
        self.vault.seal(KEPT, plain)
    }

    /// Opens it again.
    ///
    /// # Errors
    /// It is damaged, or of another key.
    pub fn open_probe(&self, sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>> {
        self.vault.open(KEPT, sealed)
    }

    pub(super) fn network_tag(&self, network: &str) -> Vec<u8> {
        self.vault.lasting_tag("network", network)
    }

    /// Whether with this check the network has checked several canaries. If so, its earlier checks join
    /// their sources' incidents; all of them are touched and have an alert.
    pub(super) async fn washes(
        &self,
        tx: &mut Tx,
        network: &[u8],
        sighting: &NewSighting,
        at: i64,
    ) -> Result<bool> {
        let Some(earlier) = others(tx, network, sighting, at).await? else {
            return Ok(false);
        };
        for check in earlier {
            let (source, then) = (&check.source, check.at);
            let actor = self.vault.open("actor", &check.actor)?;
            let actor: Actor = serde_json::from_slice(&actor)
                .map_err(|_| Error::Damaged(format!("sighting {}", check.id)))?;
            let made = NewSighting {
                actor,
                ..sighting.clone()
            };
            let actor = self.actor_tags(Channel::Mail, &made);
            let incident = join_incident(tx, source, &actor, then, self.quiet).await?;
            let sql = "update sighting set incident = $1 where id = $2";
            tx.execute(sql, vec![incident.into(), check.id.into()])
                .await?;
            tx.touch(Table::Sighting, check.id);
            super::alerts::queue(tx, incident, check.id, at, true).await?;
        }
        Ok(true)
    }
}

/// A check that had joined no incident.
struct Check {
    id: i64,
    source: SourceName,
    at: i64,
    actor: Vec<u8>,
}

/// The network's checks that have joined no incident yet, if with this one it has checked several canaries.
async fn others(
    tx: &mut Tx,
    network: &[u8],
    sighting: &NewSighting,
    at: i64,
) -> Result<Option<Vec<Check>>> {
    if tx.locks_rows() {
        // Two receivers that each settle one check of a network would see one check each.
        let alone = "lock table probe in share row exclusive mode";
        tx.execute(alone, vec![]).await?;
    }
    let canary = sighting.canary.as_ref().map(|id| id.as_str());
    let rows = tx
        .fetch(
            "select count(distinct canary) from probe
             where network = $1 and at between $2 and $3 and canary <> $4",
            vec![
                network.to_vec().into(),
                (at - WITHIN).into(),
                (at + WITHIN).into(),
                canary.into(),
            ],
        )
        .await?;
    let others = rows.first().map_or(Ok(0), |row| row.int(0))?;
    if others + 1 < SEVERAL {
        return Ok(None);
    }
    let earlier = tx
        .fetch(
            "select sighting.id, sighting.source, sighting.at, sighting.actor
             from probe join sighting on sighting.id = probe.sighting
             where probe.network = $1 and probe.at between $2 and $3
               and sighting.incident is null and sighting.source is not null
             order by sighting.id",
            vec![
                network.to_vec().into(),
                (at - WITHIN).into(),
                (at + WITHIN).into(),
            ],
        )
        .await?;
    let mut checks = Vec::with_capacity(earlier.len());
    for row in earlier {
        if let Ok(source) = row.text(1)?.parse() {
            checks.push(Check {
                id: row.int(0)?,
                source,
                at: row.int(2)?,
                actor: row.bytes(3)?,
            });
        }
    }
    Ok(Some(checks))
}

/// Keeps from where a canary was checked.
pub(super) async fn keep(
    tx: &mut Tx,
    id: i64,
    network: Vec<u8>,
    sighting: &NewSighting,
    at: i64,
) -> Result<()> {
    let canary = sighting.canary.as_ref().map(|id| id.as_str());
    let sql = "insert into probe (sighting, network, canary, at) values ($1, $2, $3, $4)";
    let values = vec![id.into(), network.into(), canary.into(), at.into()];
    tx.execute(sql, values).await?;
    tx.touch(Table::Probe, id);
    Ok(())
}
