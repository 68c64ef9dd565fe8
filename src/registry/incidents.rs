//! Incidents: what alarms add up to, and what people make of them.

use super::notes;
use super::store::Row;
use super::witness::Table;
use super::{Error, Registry, Result, from_micros};
use crate::canary::{Incident, IncidentState};
use crate::evidence::Act;

impl Registry {
    /// Incidents, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn incidents(&self) -> Result<Vec<Incident>> {
        let rows = self
            .store
            .fetch(
                "select incident.id, incident.source, incident.state, incident.opened_at,
                        incident.last_at, count(sighting.id), count(distinct sighting.canary),
                        (select max(id) from incident as before
                         where before.source = incident.source and before.id < incident.id),
                        (select sealed from incident_note as given
                         where given.incident = incident.id and given.kind = 'owner'
                         order by given.id desc limit 1)
                 from incident left join sighting on sighting.incident = incident.id
                 group by incident.id, incident.source, incident.state, incident.opened_at,
                          incident.last_at
                 order by incident.last_at desc, incident.id desc",
                vec![],
            )
            .await?;
        rows.iter().map(|row| self.read_incident(row)).collect()
    }

    /// One incident.
    ///
    /// # Errors
    /// [`Error::UnknownIncident`], or the store fails.
    pub async fn incident(&self, id: i64) -> Result<Incident> {
        let incidents = self.incidents().await?;
        let found = incidents.into_iter().find(|incident| incident.id == id);
        found.ok_or(Error::UnknownIncident(id))
    }

    /// Writes down what a person makes of an incident: confirmed, or closed. It never goes back.
    ///
    /// # Errors
    /// [`Error::UnknownIncident`], [`Error::IncidentJudged`], or the store fails.
    pub async fn judge_incident(
        &self,
        id: i64,
        state: IncidentState,
        why: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        // The condition stands in the update, so that of two people who judge at once one is told.
        let from = match state {
            IncidentState::Confirmed => {
                "update incident set state = $1 where id = $2 and state = 'open'"
            }
            _ => "update incident set state = $1 where id = $2 and state <> 'closed'",
        };
        let changed = tx
            .execute(from, vec![state.name().into(), id.into()])
            .await?;
        if changed == 0 {
            drop(tx);
            let state = self.incident(id).await?.state.name();
            return Err(Error::IncidentJudged { id, state });
        }
        tx.touch(Table::Incident, id);
        let act = Act::IncidentChanged {
            incident: id,
            state: state.name().to_owned(),
            why: why.map(str::to_owned),
        };
        self.commit(tx, act).await
    }

    fn read_incident(&self, row: &Row) -> Result<Incident> {
        let id = row.int(0)?;
        let damaged = || Error::Damaged(format!("incident {id}"));
        let owner = row.bytes_or_null(8)?;
        let owner = owner.map(|sealed| notes::open(&self.vault, id, &sealed));
        Ok(Incident {
            id,
            source: row.text(1)?.parse().map_err(|_| damaged())?,
            state: IncidentState::from_name(&row.text(2)?).ok_or_else(damaged)?,
            opened_at: from_micros(row.int(3)?, "incident")?,
            last_at: from_micros(row.int(4)?, "incident")?,
            sightings: u64::try_from(row.int(5)?).map_err(|_| damaged())?,
            canaries: u64::try_from(row.int(6)?).map_err(|_| damaged())?,
            follows: row.int_or_null(7)?,
            owner: owner.transpose()?,
        })
    }
}
