//! The outbox: an alert is queued in the transaction that makes it due, and stays until somebody has
//! accepted it.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::store::Tx;
use super::witness::Table;
use super::{Alert, Error, OpenAlert, Registry, Result, from_micros, micros};
use crate::evidence::Act;

/// More of the same (a canary on a channel that its incident knows) is told at this interval, in
/// microseconds; news is told at once.
const SAME_AGAIN: i64 = 600 * 1_000_000;

/// In the place of a sighting, in an alert that tells of a drill.
const NONE: i64 = 0;

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
    kind: String,
    canary: Option<String>,
    batch: Option<String>,
}

/// The facts of an alert that tells of a drill.
#[derive(Serialize)]
struct DrillBody {
    drill: i64,
    source: String,
    channel: String,
    canary: String,
    state: String,
    sent_at: String,
    due_at: String,
    seen_at: Option<String>,
    why: Option<String>,
    /// When anything at all came last for this source on this channel.
    last_heard: Option<String>,
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

/// Queues the alert of a drill, unless it has one: that one then tells how the drill stands when it is
/// sent.
pub(super) async fn queue_drill(tx: &mut Tx, drill: i64, due: i64) -> Result<()> {
    let has = "select 1 from drill where id = $1 and alert is not null";
    if !tx.fetch(has, vec![drill.into()]).await?.is_empty() {
        return Ok(());
    }
    let sql = "insert into alert (due_at) values ($1) returning id";
    let rows = tx.fetch(sql, vec![due.into()]).await?;
    let alert = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let sql = "update drill set alert = $1 where id = $2";
    tx.execute(sql, vec![alert.into(), drill.into()]).await?;
    tx.touch(Table::Alert, alert);
    tx.touch(Table::Drill, drill);
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
                        latest.id, latest.kind
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
                    kind: row.text(12)?,
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
        alerts.extend(self.due_drill_alerts(now, limit).await?);
        Ok(alerts)
    }

    async fn due_drill_alerts(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<Alert>> {
        let rows = self
            .store
            .fetch(
                "select alert.id, alert.attempts, drill.id, drill.source, drill.channel, drill.canary,
                        drill.state, drill.sent_at, drill.due_at, drill.seen_at, drill.why,
                        (select max(at) from sighting
                         where sighting.source = drill.source and sighting.channel = drill.channel
                           and sighting.at <= drill.due_at)
                 from alert join drill on drill.alert = alert.id
                 where alert.sent_at is null and alert.due_at <= $1
                 order by alert.due_at, alert.id limit $2",
                vec![micros(now).into(), limit.into()],
            )
            .await?;
        let mut alerts = Vec::with_capacity(rows.len());
        for row in rows {
            let body = DrillBody {
                drill: row.int(2)?,
                source: row.text(3)?,
                channel: row.text(4)?,
                canary: row.text(5)?,
                state: row.text(6)?,
                sent_at: rfc3339(row.int(7)?)?,
                due_at: rfc3339(row.int(8)?)?,
                seen_at: row.int_or_null(9)?.map(rfc3339).transpose()?,
                why: row.text_or_null(10)?,
                last_heard: row.int_or_null(11)?.map(rfc3339).transpose()?,
            };
            alerts.push(Alert {
                id: row.int(0)?,
                sighting: NONE,
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
                   where id = $2 and coalesce(sighting, 0) = $3";
        let told = vec![micros(at).into(), alert.id.into(), alert.sighting.into()];
        let mut tx = self.store.begin().await?;
        if tx.execute(sql, told).await? == 0 {
            let sql =
                "update alert set due_at = $1, attempts = 0 where id = $2 and sent_at is null";
            let later = micros(at) + SAME_AGAIN;
            tx.execute(sql, vec![later.into(), alert.id.into()]).await?;
        }
        let sql = "update drill set alerted_at = $1,
                       state = case when state = 'waiting' then 'passed' else state end
                   where alert = $2 returning id";
        let told = vec![micros(at).into(), alert.id.into()];
        for row in tx.fetch(sql, told).await? {
            tx.touch(Table::Drill, row.int(0)?);
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

    /// Alerts that nobody has accepted yet, the next to be tried first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_alerts(&self) -> Result<Vec<OpenAlert>> {
        let rows = self
            .store
            .fetch(
                "select alert.id, alert.incident, drill.id, alert.attempts, alert.due_at, alert.failure
                 from alert left join drill on drill.alert = alert.id
                 where alert.sent_at is null order by alert.due_at, alert.id",
                vec![],
            )
            .await?;
        let open = rows.iter().map(|row| {
            Ok(OpenAlert {
                id: row.int(0)?,
                incident: row.int_or_null(1)?,
                drill: row.int_or_null(2)?,
                attempts: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
                due_at: from_micros(row.int(4)?, "alert")?,
                failure: row.text_or_null(5)?,
            })
        });
        open.collect()
    }

    /// How many alerts nobody has accepted yet.
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
