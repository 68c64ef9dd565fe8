//! The outbox: an alert is queued in the transaction that makes it due, and stays until somebody has
//! accepted it.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::store::Tx;
use super::witness::Table;
use super::{Alert, Error, Registry, Result, from_micros, micros};
use crate::evidence::Act;

/// More of the same (a canary on a channel that its incident knows) is told at this interval, in
/// microseconds; news is told at once.
const SAME_AGAIN: i64 = 600 * 1_000_000;

/// An alert's facts, without a canary's details.
#[derive(Serialize)]
struct Body {
    incident: i64,
    source: String,
    opened_at: String,
    sightings: i64,
    canaries: i64,
    latest: Latest,
}

#[derive(Serialize)]
struct Latest {
    at: String,
    channel: String,
    canary: Option<String>,
    batch: Option<String>,
}

/// Queues an alert for an incident, or hastens the one that is queued already.
pub(super) async fn queue(
    tx: &mut Tx,
    incident: i64,
    sighting: i64,
    at: i64,
    news: bool,
) -> Result<()> {
    let due = if news { at } else { at + SAME_AGAIN };
    let rows = tx
        .fetch(
            "insert into alert (incident, sighting, due_at) values ($1, $2, $3)
         on conflict (incident) where sent_at is null do update
         set sighting = excluded.sighting,
             due_at = case when alert.attempts = 0 and excluded.due_at < alert.due_at
                           then excluded.due_at else alert.due_at end
         returning id",
            vec![incident.into(), sighting.into(), due.into()],
        )
        .await?;
    for row in &rows {
        tx.touch(Table::Alert, row.int(0)?);
    }
    Ok(())
}

impl Registry {
    /// Alerts that are due at `now`, oldest first. The body tells the incident as it is now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn due_alerts(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<Alert>> {
        let rows = self
            .store
            .fetch(
                "select alert.id, alert.attempts, incident.id, incident.source, incident.opened_at,
                        latest.at, latest.channel, latest.canary, latest.batch,
                        (select count(*) from sighting where sighting.incident = incident.id),
                        (select count(distinct canary) from sighting
                         where sighting.incident = incident.id),
                        latest.id
                 from alert
                 join incident on incident.id = alert.incident
                 join sighting as latest on latest.id = alert.sighting
                 where alert.sent_at is null and alert.due_at <= $1
                 order by alert.due_at, alert.id limit $2",
                vec![micros(now).into(), limit.into()],
            )
            .await?;
        let mut alerts = Vec::with_capacity(rows.len());
        for row in rows {
            let body = Body {
                incident: row.int(2)?,
                source: row.text(3)?,
                opened_at: rfc3339(row.int(4)?)?,
                sightings: row.int(9)?,
                canaries: row.int(10)?,
                latest: Latest {
                    at: rfc3339(row.int(5)?)?,
                    channel: row.text(6)?,
                    canary: row.text_or_null(7)?,
                    batch: row.text_or_null(8)?,
                },
            };
            alerts.push(Alert {
                id: row.int(0)?,
                sighting: row.int(11)?,
                body: serde_json::to_string(&body)
                    .map_err(|_| Error::Damaged("alert".to_owned()))?,
                attempts: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
            });
        }
        Ok(alerts)
    }

    /// An alert was accepted by its receiver. If more came in while it was on its way, which it did
    /// not tell, the rest is told later.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alert_sent(&self, alert: &Alert, at: OffsetDateTime) -> Result<()> {
        let sql = "update alert set sent_at = $1, attempts = attempts + 1
                   where id = $2 and sighting = $3";
        let told = vec![micros(at).into(), alert.id.into(), alert.sighting.into()];
        let mut tx = self.store.begin().await?;
        if tx.execute(sql, told).await? == 0 {
            let sql =
                "update alert set due_at = $1, attempts = 0 where id = $2 and sent_at is null";
            let later = micros(at) + SAME_AGAIN;
            tx.execute(sql, vec![later.into(), alert.id.into()]).await?;
        }
        self.alert_tried(tx, alert.id, true).await
    }

    /// An alert was not accepted; it is tried again at `next`. `why` is kept for the operator.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alert_failed(&self, id: i64, next: OffsetDateTime, why: &str) -> Result<()> {
        let sql = "update alert set due_at = $1, failure = $2, attempts = attempts + 1
                   where id = $3 and sent_at is null";
        let mut tx = self.store.begin().await?;
        tx.execute(sql, vec![micros(next).into(), why.into(), id.into()])
            .await?;
        self.alert_tried(tx, id, false).await
    }

    async fn alert_tried(&self, mut tx: Tx, alert: i64, sent: bool) -> Result<()> {
        tx.touch(Table::Alert, alert);
        self.commit(tx, Act::AlertTried { alert, sent }).await
    }

    /// Alerts that nobody has accepted yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alerts_waiting(&self) -> Result<u64> {
        let sql = "select count(*) from alert where sent_at is null";
        let rows = self.store.fetch(sql, vec![]).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        u64::try_from(count).map_err(|_| Error::Damaged("alert".to_owned()))
    }
}

fn rfc3339(at: i64) -> Result<String> {
    from_micros(at, "alert")?
        .format(&Rfc3339)
        .map_err(|_| Error::Damaged("alert".to_owned()))
}
