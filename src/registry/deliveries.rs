//! Deliveries: an alert is handed on to several places, and each takes it, or fails, by itself. That one has
//! taken it hides no failure of another, and nobody is told again because another one failed.
//!
//! An incident has one open delivery at a place at most: what comes in while a place is away joins it, so that
//! a place which comes back after a weekend is told once, with the counts as they are then.

use time::OffsetDateTime;

use super::alerts::{NONE, SAME_AGAIN};
use super::witness::Table;
use super::{Alert, Error, OpenAlert, Registry, Result, from_micros, micros};
use crate::evidence::Act;

impl Registry {
    /// Hands every alert that is due on to these places; how many. A place that was told of the same
    /// incident lately is told later: a flood is one alert and a counter. Without a place alerts wait.
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
        Ok(count)
    }

    async fn hand_on(&self, alert: i64, places: &[String], now: OffsetDateTime) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let sql = "update alert set sent_at = $1 where id = $2 and sent_at is null
                   returning incident, sighting, due_at";
        let taken = tx.fetch(sql, vec![micros(now).into(), alert.into()]);
        let taken = taken.await?;
        let Some(row) = taken.first() else {
            // Another receiver was faster.
            return Ok(false);
        };
        let (incident, sighting, queued) = (row.int_or_null(0)?, row.int_or_null(1)?, row.int(2)?);
        for place in places {
            let last = "select max(sent_at) from delivery where incident = $1 and place = $2";
            let last = tx.fetch(last, vec![incident.into(), place.as_str().into()]);
            let last = last
                .await?
                .first()
                .map_or(Ok(None), |row| row.int_or_null(0))?;
            let due = last.map_or(queued, |last| queued.max(last + SAME_AGAIN));
            let made = tx
                .fetch(
                    "insert into delivery (alert, place, incident, sighting, due_at)
                     values ($1, $2, $3, $4, $5)
                     on conflict (incident, place) where sent_at is null and dead_at is null
                     do update set sighting = excluded.sighting
                     returning id",
                    vec![
                        alert.into(),
                        place.as_str().into(),
                        incident.into(),
                        sighting.into(),
                        due.into(),
                    ],
                )
                .await?;
            for row in &made {
                tx.touch(Table::Delivery, row.int(0)?);
            }
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
        let sql = "update delivery set claimed_until = $1
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
                   where id = $2 and coalesce(sighting, 0) = $3 and sent_at is null";
        let told = vec![now.into(), alert.delivery.into(), alert.sighting.into()];
        if tx.execute(sql, told).await? == 0 {
            let sql = "update delivery set due_at = $1, attempts = 0, failing_since = null,
                              failure = null, claimed_until = 0
                       where id = $2 and sent_at is null";
            let later = vec![(now + SAME_AGAIN).into(), alert.delivery.into()];
            tx.execute(sql, later).await?;
        }
        tx.touch(Table::Delivery, alert.delivery);
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
                              null, alert.failure
                       from alert left join drill on drill.alert = alert.id
                       where alert.sent_at is null";
        let handed_on = "select delivery.alert, delivery.place, delivery.incident, drill.id,
                                delivery.attempts, delivery.due_at, delivery.dead_at,
                                delivery.failure
                         from delivery left join drill on drill.alert = delivery.alert
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

fn tried(alert: i64, place: &str, sent: bool) -> Act {
    Act::AlertTried {
        alert,
        sent,
        place: Some(place.to_owned()),
    }
}
