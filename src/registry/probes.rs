//! Recipient checks without a message. One says that somebody has the address; several canaries checked
//! from one network say that somebody washes a list that holds them, which is an alarm.

use super::incidents::join_incident;
use super::store::Tx;
use super::witness::Table;
use super::{NewSighting, Registry, Result};
use crate::canary::{SightingKind, SourceName};

/// Different canaries that one network must have checked.
const SEVERAL: i64 = 2;
/// Within so many microseconds.
const WITHIN: i64 = 30 * 24 * 3600 * 1_000_000;

impl Registry {
    /// The tag of the network from which a sighting is a check of a canary.
    pub(super) fn probing(&self, sighting: &NewSighting) -> Option<Vec<u8>> {
        let network = sighting.network.as_ref()?;
        let probe = sighting.kind == SightingKind::Probe && sighting.canary.is_some();
        probe.then(|| self.vault.lasting_tag("network", network))
    }
}

/// Whether with this check the network has checked several canaries. If so, its earlier checks join their
/// sources' incidents; all of them are touched and have an alert.
pub(super) async fn washes(
    tx: &mut Tx,
    network: &[u8],
    sighting: &NewSighting,
    at: i64,
) -> Result<bool> {
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
        return Ok(false);
    }
    let earlier = tx
        .fetch(
            "select sighting.id, sighting.source, sighting.at
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
    for row in earlier {
        let (id, source, then) = (row.int(0)?, row.text(1)?, row.int(2)?);
        let Ok(source) = source.parse::<SourceName>() else {
            continue;
        };
        let incident = join_incident(tx, &source, then).await?;
        let sql = "update sighting set incident = $1 where id = $2";
        tx.execute(sql, vec![incident.into(), id.into()]).await?;
        tx.touch(Table::Sighting, id);
        tx.touch(Table::Incident, incident);
        super::alerts::queue(tx, incident, id, at, true).await?;
    }
    Ok(true)
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
