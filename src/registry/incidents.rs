//! Incidents: what alarms add up to, and what people make of them.

use super::store::{Row, Tx};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros};
use crate::canary::{Incident, IncidentState, SourceName};
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
                        incident.last_at, count(sighting.id), count(distinct sighting.canary)
                 from incident left join sighting on sighting.incident = incident.id
                 group by incident.id, incident.source, incident.state, incident.opened_at,
                          incident.last_at
                 order by incident.last_at desc, incident.id desc",
                vec![],
            )
            .await?;
        rows.iter().map(incident).collect()
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
}

fn incident(row: &Row) -> Result<Incident> {
    let id = row.int(0)?;
    let damaged = || Error::Damaged(format!("incident {id}"));
    Ok(Incident {
        id,
        source: row.text(1)?.parse().map_err(|_| damaged())?,
        state: IncidentState::from_name(&row.text(2)?).ok_or_else(damaged)?,
        opened_at: from_micros(row.int(3)?, "incident")?,
        last_at: from_micros(row.int(4)?, "incident")?,
        sightings: u64::try_from(row.int(5)?).map_err(|_| damaged())?,
        canaries: u64::try_from(row.int(6)?).map_err(|_| damaged())?,
    })
}

/// The source's confirmed incident, else its open one, opened if there is none; two receivers that
/// open one at once get the same, by the unique index over open ones.
pub(super) async fn join_incident(tx: &mut Tx, source: &SourceName, at: i64) -> Result<i64> {
    let confirmed = tx
        .fetch(
            "update incident
             set opened_at = case when $2 < opened_at then $2 else opened_at end,
                 last_at = case when $2 > last_at then $2 else last_at end
             where state = 'confirmed' and id =
                 (select max(id) from incident where source = $1 and state = 'confirmed')
             returning id",
            vec![source.as_str().into(), at.into()],
        )
        .await?;
    if let Some(row) = confirmed.first() {
        return row.int(0);
    }
    let rows = tx
        .fetch(
            "insert into incident (source, state, opened_at, last_at) values ($1, 'open', $2, $2)
             on conflict (source) where state = 'open' do update
             set opened_at = case when excluded.opened_at < incident.opened_at
                                  then excluded.opened_at else incident.opened_at end,
                 last_at = case when excluded.last_at > incident.last_at
                                then excluded.last_at else incident.last_at end
             returning id",
            vec![source.as_str().into(), at.into()],
        )
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| Error::Damaged(format!("incident of {source}")))?;
    row.int(0)
}
