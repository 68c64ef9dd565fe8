//! Deliveries: an alert is handed on to several places, and each takes it, or fails, by itself. That one has
//! taken it hides no failure of another, and nobody is told again because another one failed.
//!
//! An incident has one open delivery at a place at most: what comes in while a place is away joins it, so that
//! a place which comes back after a weekend is told once, with the counts as they are then.
//!
//! When a place is told is one rule: more of what an incident knows is told ten minutes after the last time;
//! news at once, but no place is told of one incident more than [`AT_ONCE`] times within ten minutes.

use time::OffsetDateTime;

use super::alerts::{NONE, SAME_AGAIN};
use super::store::Tx;
use super::witness::Table;
use super::{Alert, Error, OpenAlert, Registry, Result, from_micros, micros};
use crate::evidence::Act;

/// So often within ten minutes a place is told of one incident's news. A list that is used on a thousand
/// canaries within an hour is news a thousand times, and a flood all the same.
const AT_ONCE: u32 = 3;
/// A delivery that has been due for so long (in microseconds) without a try has nobody who serves its place.
const UNSERVED: i64 = 600 * 1_000_000;

impl Registry {
    /// Hands every alert that is due on to these places; how many. A place that was told of the same
    /// incident lately is told of more of the same later: a flood is one alert and a counter. Without a
    /// place alerts wait. What waits at a place that nobody serves any more is handed on again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hand_on_alerts(&self, places: &[String], now: OffsetDateTime) -> Result<usize> {
        if places.is_empty() {
            return Ok(0);
        }
        let due = "select id from alert where sent_at is null and due_at <= $1 order by due_at, id";
        let due = self.store.fetch(due, vec![micros(now).into()]).await?;
        let mut count = 0;
        for row in &due {
            count += usize::from(self.hand_on(row.int(0)?, places, now).await?);
        }
        let left = "select id, place from delivery
                    where sent_at is null and coalesce(dead_at, due_at) <= $1 and claimed_until <= $1";
        let unserved = micros(now) - UNSERVED;
        for row in self.store.fetch(left, vec![unserved.into()]).await? {
            // One of ours is only behind: no place is given up for another.
            if !places.contains(&row.text(1)?) {
                let moved = self.hand_on_again(row.int(0)?, places, unserved, now);
                count += usize::from(moved.await?);
            }
        }
        Ok(count)
    }

    /// Hands what waits at a place that was taken out of the configuration on to those places that were not
    /// told of it themselves, so that it ends with somebody. Whether nobody else has.
    async fn hand_on_again(
        &self,
        delivery: i64,
        places: &[String],
        unserved: i64,
        now: OffsetDateTime,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let sql = "delete from delivery
                   where id = $1 and sent_at is null and coalesce(dead_at, due_at) <= $2
                     and claimed_until <= $2
                   returning alert, incident, sighting";
        let left = tx
            .fetch(sql, vec![delivery.into(), unserved.into()])
            .await?;
        let Some(row) = left.first() else {
            return Ok(false);
        };
        tx.touch(Table::Delivery, delivery);
        let waits = Waits {
            alert: row.int(0)?,
            incident: row.int_or_null(1)?,
            sighting: row.int_or_null(2)?,
            news: true,
            queued: micros(now),
        };
        let mut told = Vec::new();
        for place in places {
            let has = "select 1 from delivery where alert = $1 and place = $2 limit 1";
            let has = tx.fetch(has, vec![waits.alert.into(), place.as_str().into()]);
            if has.await?.is_empty() {
                waits.queue(&mut tx, place).await?;
                told.push(place.clone());
            }
        }
        let act = Act::AlertHandedOn {
            alert: waits.alert,
            places: told,
        };
        self.commit(tx, act).await?;
        Ok(true)
    }

    async fn hand_on(&self, alert: i64, places: &[String], now: OffsetDateTime) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let sql = "update alert set sent_at = $1 where id = $2 and sent_at is null
                   returning incident, sighting, due_at, news";
        let taken = tx.fetch(sql, vec![micros(now).into(), alert.into()]);
        let taken = taken.await?;
        let Some(row) = taken.first() else {
            // Another receiver was faster.
            return Ok(false);
        };
        let waits = Waits {
            alert,
            incident: row.int_or_null(0)?,
            sighting: row.int_or_null(1)?,
            queued: row.int(2)?,
            news: row.int(3)? == 1,
        };
        for place in places {
            waits.queue(&mut tx, place).await?;
        }
        tx.touch(Table::Alert, alert);
        let places = places.to_vec();
        self.commit(tx, Act::AlertHandedOn { alert, places })
            .await?;
        Ok(true)
    }

    /// What a place is to be told at `now`, oldest first. The body tells the incident as it is now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn due_deliveries(
        &self,
        place: &str,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<Alert>> {
        let sql = "select id, alert, coalesce(sighting, 0), attempts, failing_since from delivery
                   where place = $1 and sent_at is null and dead_at is null
                     and due_at <= $2 and claimed_until <= $2
                   order by due_at, id limit $3";
        let values = vec![place.into(), micros(now).into(), limit.into()];
        let rows = self.store.fetch(sql, values).await?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, sighting) = (row.int(1)?, row.int(2)?);
            let since = row.int_or_null(4)?;
            due.push(Alert {
                id,
                delivery: row.int(0)?,
                place: place.to_owned(),
                sighting,
                body: self.alert_body(id, sighting).await?,
                attempts: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
                failing_since: since.map(|at| from_micros(at, "delivery")).transpose()?,
            });
        }
        Ok(due)
    }

    /// Takes a delivery for oneself until then: of several receivers on one registry one sends it. Whether it
    /// was free.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_delivery(
        &self,
        alert: &Alert,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        // News from here on is not on its way.
        let sql = "update delivery set claimed_until = $1, news = 0
                   where id = $2 and claimed_until <= $3 and attempts = $4 and due_at <= $3
                     and sent_at is null and dead_at is null";
        let values = vec![
            micros(until).into(),
            alert.delivery.into(),
            micros(now).into(),
            alert.attempts.into(),
        ];
        let free = tx.execute(sql, values).await? > 0;
        // Nothing that is evidence has changed: no entry of the log says so.
        tx.commit().await?;
        Ok(free)
    }

    /// A place has accepted a delivery. If more came in while it was on its way, which it did not tell,
    /// the rest is told later. What had been given up about the same incident there is told with it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alert_delivered(&self, alert: &Alert, at: OffsetDateTime) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let now = micros(at);
        let sql = "update delivery set sent_at = $1, dead_at = null, attempts = attempts + 1,
                          claimed_until = 0
                   where id = $2 and sent_at is null
                   returning incident, sighting, news";
        let taken = tx
            .fetch(sql, vec![now.into(), alert.delivery.into()])
            .await?;
        tx.touch(Table::Delivery, alert.delivery);
        if let Some(row) = taken.first() {
            let more = Waits {
                alert: alert.id,
                incident: row.int_or_null(0)?,
                sighting: row.int_or_null(1)?,
                queued: now,
                news: row.int(2)? == 1,
            };
            if more.sighting.unwrap_or(NONE) != alert.sighting {
                let sql = "update delivery set sighting = $1 where id = $2";
                let told = vec![alert.sighting.into(), alert.delivery.into()];
                tx.execute(sql, told).await?;
                more.queue(&mut tx, &alert.place).await?;
            }
        }
        let sql = "update drill set alerted_at = coalesce(alerted_at, $1),
                       state = case when state = 'waiting' then 'passed' else state end
                   where alert = $2 returning id";
        for row in tx.fetch(sql, vec![now.into(), alert.id.into()]).await? {
            tx.touch(Table::Drill, row.int(0)?);
        }
        let mut told_with_it = Vec::new();
        if alert.sighting != NONE {
            let sql = "update delivery set sent_at = $1
                       where sent_at is null and dead_at is not null and id <> $2
                         and place = $3 and incident = (select incident from delivery where id = $2)
                       returning id, alert";
            let values = vec![
                now.into(),
                alert.delivery.into(),
                alert.place.as_str().into(),
            ];
            for row in tx.fetch(sql, values).await? {
                tx.touch(Table::Delivery, row.int(0)?);
                told_with_it.push(row.int(1)?);
            }
        }
        for told in told_with_it {
            let act = tried(told, &alert.place, true);
            self.append(&mut tx, act, at, true).await?;
        }
        self.commit(tx, tried(alert.id, &alert.place, true)).await
    }

    /// A place has not accepted a delivery; it is tried again at `next`, or, without, given up. `why` is kept
    /// for the operator.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delivery_failed(
        &self,
        alert: &Alert,
        at: OffsetDateTime,
        next: Option<OffsetDateTime>,
        why: &str,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let dead = next.is_none().then(|| micros(at));
        let sql = "update delivery
                   set due_at = $1, dead_at = $2, failure = $3, attempts = attempts + 1,
                       failing_since = coalesce(failing_since, $4), claimed_until = 0
                   where id = $5 and sent_at is null";
        let values = vec![
            micros(next.unwrap_or(at)).into(),
            dead.into(),
            why.into(),
            micros(at).into(),
            alert.delivery.into(),
        ];
        tx.execute(sql, values).await?;
        tx.touch(Table::Delivery, alert.delivery);
        self.commit(tx, tried(alert.id, &alert.place, false)).await
    }

    /// Has an alert tried again at once, as if it had never failed, at one place or at every one that has
    /// not taken it; at which.
    ///
    /// # Errors
    /// The store fails.
    pub async fn retry_alert(
        &self,
        alert: i64,
        place: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Vec<String>> {
        let mut tx = self.store.begin().await?;
        let sql = "select id, place, incident, dead_at from delivery
                   where alert = $1 and sent_at is null order by place";
        let rows = tx.fetch(sql, vec![alert.into()]).await?;
        let mut places = Vec::new();
        for row in &rows {
            let at = row.text(1)?;
            if place.is_some_and(|place| place != at) {
                continue;
            }
            let mut id = row.int(0)?;
            if let (Some(incident), Some(_)) = (row.int_or_null(2)?, row.int_or_null(3)?) {
                // A later one about the same incident tells what this one would.
                let sql = "select id from delivery where incident = $1 and place = $2
                           and sent_at is null and dead_at is null";
                let values = vec![incident.into(), at.as_str().into()];
                if let Some(later) = tx.fetch(sql, values).await?.first() {
                    id = later.int(0)?;
                }
            }
            let sql = "update delivery set due_at = $1, dead_at = null, attempts = 0,
                              failing_since = null, claimed_until = 0 where id = $2";
            tx.execute(sql, vec![micros(now).into(), id.into()]).await?;
            tx.touch(Table::Delivery, id);
            places.push(at);
        }
        if places.is_empty() {
            return Ok(places);
        }
        let act = Act::AlertRetried {
            alert,
            places: places.clone(),
        };
        self.commit(tx, act).await?;
        Ok(places)
    }

    /// Alerts that nobody was to be told yet, and those that some place has not accepted, the next to be
    /// tried first; those that were given up stand last.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_alerts(&self) -> Result<Vec<OpenAlert>> {
        let waiting =
            "select alert.id, null, alert.incident, drill.id, alert.attempts, alert.due_at,
                              null, alert.failure, drip_alert.source, campaign.source
                       from alert left join drill on drill.alert = alert.id
                       left join drip_alert on drip_alert.alert = alert.id
                       left join campaign on campaign.alert = alert.id
                       where alert.sent_at is null";
        let handed_on = "select delivery.alert, delivery.place, delivery.incident, drill.id,
                                delivery.attempts, delivery.due_at, delivery.dead_at,
                                delivery.failure, drip_alert.source, campaign.source
                         from delivery left join drill on drill.alert = delivery.alert
                         left join drip_alert on drip_alert.alert = delivery.alert
                         left join campaign on campaign.alert = delivery.alert
                         where delivery.sent_at is null";
        let mut open = Vec::new();
        for (sql, of_places) in [(waiting, false), (handed_on, true)] {
            for row in self.store.fetch(sql, vec![]).await? {
                let (place, dead) = match of_places {
                    true => (row.text_or_null(1)?, row.int_or_null(6)?),
                    false => (None, None),
                };
                open.push(OpenAlert {
                    id: row.int(0)?,
                    place,
                    incident: row.int_or_null(2)?,
                    drill: row.int_or_null(3)?,
                    attempts: u32::try_from(row.int(4)?).unwrap_or(u32::MAX),
                    due_at: from_micros(row.int(5)?, "alert")?,
                    dead_at: dead.map(|at| from_micros(at, "delivery")).transpose()?,
                    failure: row.text_or_null(7)?,
                    drip: row.text_or_null(8)?,
                    campaign: row.text_or_null(9)?,
                });
            }
        }
        open.sort_by(|a, b| {
            let key = |one: &OpenAlert| (one.dead_at.is_some(), one.due_at, one.id);
            key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place))
        });
        Ok(open)
    }

    /// How many alerts some place has still to accept, or nobody was to be told of yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alerts_waiting(&self) -> Result<u64> {
        let sql = "select (select count(*) from alert where sent_at is null)
                        + (select count(distinct alert) from delivery
                           where sent_at is null and dead_at is null)";
        self.count(sql).await
    }

    /// How many deliveries were given up, and nobody has been told of since.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alerts_dead(&self) -> Result<u64> {
        let sql = "select count(*) from delivery where sent_at is null and dead_at is not null";
        self.count(sql).await
    }

    async fn count(&self, sql: &'static str) -> Result<u64> {
        let rows = self.store.fetch(sql, vec![]).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        u64::try_from(count).map_err(|_| Error::Damaged("alert".to_owned()))
    }
}

/// What a place is to be told.
struct Waits {
    alert: i64,
    incident: Option<i64>,
    sighting: Option<i64>,
    /// Whether it tells what the incident did not know.
    news: bool,
    /// From when on, in microseconds.
    queued: i64,
}

impl Waits {
    /// When this place may be told of it.
    async fn due(&self, tx: &mut Tx, place: &str) -> Result<i64> {
        let sql = "select distinct sent_at from delivery
                   where incident = $1 and place = $2 and sent_at is not null
                   order by sent_at desc limit $3";
        let values = vec![self.incident.into(), place.into(), AT_ONCE.into()];
        let told = tx.fetch(sql, values).await?;
        let counts = match self.news {
            true => told.get(AT_ONCE as usize - 1),
            false => told.first(),
        };
        Ok(match counts {
            Some(row) => self.queued.max(row.int(0)? + SAME_AGAIN),
            None => self.queued,
        })
    }

    /// Has a place told, together with what it is still to be told of the same incident. News hastens that,
    /// but for a place that is away: its pauses are its own.
    async fn queue(&self, tx: &mut Tx, place: &str) -> Result<()> {
        let due = self.due(tx, place).await?;
        let sql = "insert into delivery (alert, place, incident, sighting, due_at, news)
                   values ($1, $2, $3, $4, $5, $6)
                   on conflict (incident, place) where sent_at is null and dead_at is null
                   do update set sighting = excluded.sighting,
                       news = case when excluded.news = 1 then 1 else delivery.news end,
                       due_at = case when delivery.attempts = 0 and excluded.due_at < delivery.due_at
                                     then excluded.due_at else delivery.due_at end
                   returning id";
        let values = vec![
            self.alert.into(),
            place.into(),
            self.incident.into(),
            self.sighting.into(),
            due.into(),
            i64::from(self.news).into(),
        ];
        for row in &tx.fetch(sql, values).await? {
            tx.touch(Table::Delivery, row.int(0)?);
        }
        Ok(())
    }
}

fn tried(alert: i64, place: &str, sent: bool) -> Act {
    Act::AlertTried {
        alert,
        sent,
        place: Some(place.to_owned()),
    }
}
