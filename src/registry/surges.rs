//! Customers' reports that are more than ordinarily: the incident that they are.

use time::OffsetDateTime;

use super::joining::{alone, join_incident};
use super::receiving::claim;
use super::store::Tx;
use super::witness::Table;
use super::{Error, NewSighting, Registry, Result, UNKNOWN_SOURCE, alerts, micros};
use crate::canary::{Actor, Channel, Sighting, SightingKind, SourceName};
use crate::evidence::Act;

/// The newest report between two moments that is no incident's: of a source, or of those that name none. None where
/// others of them are an incident's: that surge was shown in its time, whatever a person has made of it.
const NEWEST_LEFT: &str = "select id, at, actor from sighting
     where (source = $1 or ($1 is null and source is null)) and channel = 'report'
       and at >= $2 and at <= $3 and kind = 'noise' and incident is null
       and not exists (select 1 from erasure where erasure.message = sighting.message)
       and not exists (select 1 from sighting as shown
                       where shown.source = $4 and shown.channel = 'report'
                         and shown.incident is not null and shown.at >= $2 and shown.at <= $3)
     order by at desc, id desc limit 1";

impl Registry {
    /// [`Registry::settle`] for the report by which a surge shows: the reports since then that made it are its
    /// incident's, too.
    ///
    /// # Errors
    /// See [`Registry::settle`].
    pub async fn settle_surge(
        &self,
        message: i64,
        sightings: &[NewSighting],
        since: OffsetDateTime,
    ) -> Result<Option<Vec<Sighting>>> {
        let mut tx = self.store.begin().await?;
        // A report is no call.
        tx.last_round = true;
        let Some(claimed) = claim(&mut tx, &[message]).await?.remove(&message) else {
            return Ok(None);
        };
        let (stored, act) = self
            .store_sightings(&mut tx, &claimed, sightings, false)
            .await?;
        for sighting in &stored {
            if let (Some(incident), Some(source)) = (sighting.incident, &sighting.source) {
                gather(&mut tx, incident, source, micros(since), claimed.at).await?;
            }
        }
        self.commit(tx, act).await?;
        Ok(Some(stored))
    }

    /// The reports between two moments have turned out to be a surge: if none of them is an incident's yet, they join
    /// one. The newest tells why: `summary` says so of its note. Without a source they are of the unknown one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn surge_shown(
        &self,
        source: Option<&SourceName>,
        since: OffsetDateTime,
        until: OffsetDateTime,
        summary: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<()> {
        let said = source.map(SourceName::as_str);
        let (since, until) = (micros(since), micros(until));
        let shown_as = said.unwrap_or(UNKNOWN_SOURCE);
        let values = || vec![said.into(), since.into(), until.into(), shown_as.into()];
        // Ordinarily there are none, and nobody has to be kept out.
        if self.store.fetch(NEWEST_LEFT, values()).await?.is_empty() {
            return Ok(());
        }
        let source = match source {
            Some(source) => source.clone(),
            None => self.unknown_source(OffsetDateTime::now_utc()).await?,
        };
        let mut tx = self.store.begin().await?;
        alone(&mut tx).await?;
        // Nobody erases it meanwhile.
        let locked = match tx.locks_rows() {
            true => format!("{NEWEST_LEFT} for update"),
            false => NEWEST_LEFT.to_owned(),
        };
        let Some(newest) = tx.fetch_text(locked, values()).await?.pop() else {
            return Ok(());
        };
        let (id, at) = (newest.int(0)?, newest.int(1)?);
        let damaged = || Error::Damaged(format!("sighting {id}"));
        let actor = self.vault.open("actor", &newest.bytes(2)?)?;
        let mut actor: Actor = serde_json::from_slice(&actor).map_err(|_| damaged())?;
        actor.summary = summary(&actor.summary);
        let sealed = serde_json::to_vec(&actor).map_err(|_| damaged())?;
        let sighting = NewSighting {
            source: Some(source.clone()),
            canary: None,
            batch: None,
            kind: SightingKind::Alarm,
            actor,
            network: None,
        };
        let tags = self.actor_tags(Channel::Report, &sighting);
        let incident = join_incident(&mut tx, &source, &tags, at, self.quiet).await?;
        tx.execute(
            "update sighting set actor = $1 where id = $2",
            vec![self.vault.seal("actor", &sealed)?.into(), id.into()],
        )
        .await?;
        gather(&mut tx, incident, &source, since, until).await?;
        alerts::queue(&mut tx, incident, id, at, true).await?;
        let act = Act::SurgeShown {
            source: source.to_string(),
            incident,
        };
        self.commit(tx, act).await
    }
}

/// Joins the reports of a source between two moments, which were too few to say anything, to the incident of
/// the surge that they turned out to be.
async fn gather(tx: &mut Tx, incident: i64, source: &SourceName, from: i64, to: i64) -> Result<()> {
    // What says nothing of its source is of the unknown one.
    let sql = match source.as_str() {
        UNKNOWN_SOURCE => {
            "update sighting set kind = 'alarm', incident = $1, source = $2
             where source is null and channel = 'report' and at >= $3 and at <= $4
               and kind = 'noise' and incident is null
             returning id, at"
        }
        _ => {
            "update sighting set kind = 'alarm', incident = $1
             where source = $2 and channel = 'report' and at >= $3 and at <= $4
               and kind = 'noise' and incident is null
             returning id, at"
        }
    };
    let values = vec![
        incident.into(),
        source.as_str().into(),
        from.into(),
        to.into(),
    ];
    let mut first = to;
    for row in &tx.fetch(sql, values).await? {
        tx.touch(Table::Sighting, row.int(0)?);
        first = first.min(row.int(1)?);
    }
    let sql = "update incident set opened_at = $1 where id = $2 and opened_at > $1";
    tx.execute(sql, vec![first.into(), incident.into()]).await?;
    Ok(())
}
