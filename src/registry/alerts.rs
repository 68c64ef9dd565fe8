//! The outbox: an alert is queued in the transaction that makes it due, and waits until it is handed on to
//! the places that are to be told ([`super::deliveries`]).

use std::collections::BTreeSet;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::store::Tx;
use super::witness::Table;
use super::{Alert, Error, Registry, Result, from_micros, micros};
use crate::canary::Actor;

/// More of the same (a canary on a channel that its incident knows) is told at this interval, in
/// microseconds; news is told at once ([`super::deliveries`]).
pub(super) const SAME_AGAIN: i64 = 600 * 1_000_000;

/// So many of an incident's mails, the first and the latest, are looked at for whom they say they are from: a flood lies
/// between them.
const LOOKED_AT: u32 = 250;

/// In the place of a sighting, in an alert that tells of a drill or a drip.
pub(super) const NONE: i64 = 0;

/// An alert's facts, without a canary's details.
#[derive(Serialize)]
struct Body {
    incident: i64,
    source: String,
    opened_at: String,
    sightings: i64,
    canaries: i64,
    /// Whom mails of the incident say that they are from, where that is somebody who writes for the source and it is not.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    impersonates: BTreeSet<String>,
    latest: Latest,
}

#[derive(Serialize)]
struct Latest {
    at: String,
    channel: String,
    kind: String,
    canary: Option<String>,
    batch: Option<String>,
    /// Whom the latest mail says that it is from, where that is somebody who writes for the source and it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonates: Option<String>,
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

/// The facts of an alert that tells of a drip.
#[derive(Serialize)]
struct DripBody {
    drip: String,
    /// Whether it fails still.
    failing_since: Option<String>,
    tries: u32,
    why: Option<String>,
    /// When a canary arrived last.
    last_at: Option<String>,
    /// Arrivals that were missed.
    owed: u32,
}

/// The facts of an alert that tells of a mailing that did not come.
#[derive(Serialize)]
struct CampaignBody {
    campaign: String,
    sender: String,
    planned: String,
    until: String,
    state: String,
    canaries: i64,
    came: i64,
    late: i64,
    unproven: i64,
    /// The chance of so few while all is well.
    chance: f64,
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
            "insert into alert (incident, sighting, due_at, news) values ($1, $2, $3, $4)
         on conflict (incident) where sent_at is null do update
         set sighting = excluded.sighting,
             news = case when excluded.news = 1 then 1 else alert.news end,
             due_at = case when alert.attempts = 0 and excluded.due_at < alert.due_at
                           then excluded.due_at else alert.due_at end
         returning id",
            vec![
                incident.into(),
                sighting.into(),
                due.into(),
                i64::from(news).into(),
            ],
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
    /// Alerts that are due at `now` and not handed on to any place yet, oldest first. The body tells the
    /// incident as it is now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn due_alerts(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<Alert>> {
        let sql = "select id, coalesce(sighting, 0), attempts from alert
                   where sent_at is null and due_at <= $1 order by due_at, id limit $2";
        let values = vec![micros(now).into(), limit.into()];
        let rows = self.store.fetch(sql, values).await?;
        let mut alerts = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, sighting) = (row.int(0)?, row.int(1)?);
            alerts.push(Alert {
                id,
                delivery: 0,
                place: String::new(),
                sighting,
                body: self.alert_body(id, sighting).await?,
                attempts: u32::try_from(row.int(2)?).unwrap_or(u32::MAX),
                failing_since: None,
            });
        }
        Ok(alerts)
    }

    /// What an alert tells, as it is now: its incident with this sighting as the latest, or its drill.
    pub(super) async fn alert_body(&self, alert: i64, sighting: i64) -> Result<String> {
        let body = match sighting {
            NONE => match self.drill_body(alert).await? {
                None => match self.drip_body(alert).await? {
                    None => self.campaign_body(alert).await?,
                    drip => drip,
                },
                drill => drill,
            },
            _ => self.incident_body(alert, sighting).await?,
        };
        body.ok_or_else(|| Error::Damaged(format!("alert {alert}")))
    }

    async fn incident_body(&self, alert: i64, sighting: i64) -> Result<Option<String>> {
        let rows = self
            .store
            .fetch(
                "select incident.id, incident.source, incident.opened_at,
                        latest.at, latest.channel, latest.canary, latest.batch,
                        (select count(*) from sighting where sighting.incident = incident.id),
                        (select count(distinct canary) from sighting
                         where sighting.incident = incident.id),
                        latest.kind, latest.actor
                 from alert
                 join incident on incident.id = alert.incident
                 join sighting as latest on latest.id = $2
                 where alert.id = $1",
                vec![alert.into(), sighting.into()],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let body = Body {
            incident: row.int(0)?,
            source: row.text(1)?,
            opened_at: rfc3339(row.int(2)?)?,
            sightings: row.int(7)?,
            canaries: row.int(8)?,
            impersonates: self.impersonated_in(alert, sighting).await?,
            latest: Latest {
                at: rfc3339(row.int(3)?)?,
                channel: row.text(4)?,
                kind: row.text(9)?,
                canary: row.text_or_null(5)?,
                batch: row.text_or_null(6)?,
                impersonates: impersonated(&self.vault.open("actor", &row.bytes(10)?)?),
            },
        };
        Ok(serde_json::to_string(&body).ok())
    }

    /// Whom the mails of an alert's incident falsely say that they are from: one of many is told as well as the latest, and
    /// to a place as well that was not told for long.
    async fn impersonated_in(&self, alert: i64, latest: i64) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for order in ["", "desc"] {
            let sql = format!(
                "select mail.actor from alert
                 join sighting as mail on mail.incident = alert.incident and mail.channel = 'mail'
                 where alert.id = $1 and mail.kind = 'alarm' and mail.id <= $2
                 order by mail.id {order} limit $3"
            );
            let values = vec![alert.into(), latest.into(), LOOKED_AT.into()];
            for row in &self.store.fetch_text(sql, values).await? {
                found.extend(impersonated(&self.vault.open("actor", &row.bytes(0)?)?));
            }
        }
        Ok(found)
    }

    async fn drill_body(&self, alert: i64) -> Result<Option<String>> {
        let rows = self
            .store
            .fetch(
                "select drill.id, drill.source, drill.channel, drill.canary, drill.state,
                        drill.sent_at, drill.due_at, drill.seen_at, drill.why,
                        (select max(at) from sighting
                         where sighting.source = drill.source and sighting.channel = drill.channel
                           and sighting.at <= drill.due_at)
                 from drill where drill.alert = $1",
                vec![alert.into()],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let body = DrillBody {
            drill: row.int(0)?,
            source: row.text(1)?,
            channel: row.text(2)?,
            canary: row.text(3)?,
            state: row.text(4)?,
            sent_at: rfc3339(row.int(5)?)?,
            due_at: rfc3339(row.int(6)?)?,
            seen_at: row.int_or_null(7)?.map(rfc3339).transpose()?,
            why: row.text_or_null(8)?,
            last_heard: row.int_or_null(9)?.map(rfc3339).transpose()?,
        };
        Ok(serde_json::to_string(&body).ok())
    }

    async fn drip_body(&self, alert: i64) -> Result<Option<String>> {
        let sql = "select source from drip_alert where alert = $1";
        let rows = self.store.fetch(sql, vec![alert.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let source = row.text(0)?;
        let name = source.parse().map_err(|_| Error::Damaged(place(alert)))?;
        let drip = self.drip(&name).await?;
        let failing = drip.as_ref().and_then(|drip| drip.failing.as_ref());
        let last = drip.as_ref().and_then(|drip| drip.last.as_ref());
        let body = DripBody {
            drip: source,
            failing_since: failing
                .map(|failing| rfc3339(micros(failing.since)))
                .transpose()?,
            tries: failing.map_or(0, |failing| failing.tries),
            why: failing.map(|failing| failing.why.clone()),
            last_at: last.map(|(at, _)| rfc3339(micros(*at))).transpose()?,
            owed: drip.as_ref().map_or(0, |drip| drip.owed),
        };
        Ok(serde_json::to_string(&body).ok())
    }

    async fn campaign_body(&self, alert: i64) -> Result<Option<String>> {
        let sql = "select source, sender, planned_at, until_at, state, canaries, in_time, late, unproven, chance
                   from campaign where alert = $1";
        let rows = self.store.fetch(sql, vec![alert.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let body = CampaignBody {
            campaign: row.text(0)?,
            sender: row.text(1)?,
            planned: rfc3339(row.int(2)?)?,
            until: rfc3339(row.int(3)?)?,
            state: row.text(4)?,
            canaries: row.int(5)?,
            came: row.int(6)? + row.int(7)?,
            late: row.int(7)?,
            unproven: row.int(8)?,
            chance: row.int(9)? as f64 / 1e6,
        };
        Ok(serde_json::to_string(&body).ok())
    }
}

fn place(alert: i64) -> String {
    format!("alert {alert}")
}

/// The domain that a mail's sender has falsely claimed, if it is one of whoever writes for the source.
fn impersonated(actor: &[u8]) -> Option<String> {
    let actor: Actor = serde_json::from_slice(actor).ok()?;
    actor.origin?.pretended().map(str::to_owned)
}

fn rfc3339(at: i64) -> Result<String> {
    from_micros(at, "alert")?
        .format(&Rfc3339)
        .map_err(|_| Error::Damaged("alert".to_owned()))
}
