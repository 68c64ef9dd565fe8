//! Drips: what was set, when the next canary comes, and what became of the last.
//!
//! An arrival is taken before anything is planted: the next one is drawn and written down together with the
//! batch that is about to be registered. Whoever dies behind that leaves a batch that the registry knows of,
//! or none, and the next look settles which: of one arrival there is never more than one canary. Two
//! receivers see the same arrival; the one that changes it first has it.
//!
//! What an operator has set is evidence. When the next canary comes is not: no entry of the log tells it.

use time::{Duration, OffsetDateTime};

use super::store::{Row, Tx, Value};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{BatchId, SourceName, State};
use crate::drip::{Drip, Failing, Intensity};
use crate::evidence::Act;

/// A drip that has failed for so long is told of.
const TOLD_AFTER: Duration = Duration::days(1);

/// `select` of the columns that [`drip`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select source, per_mille, intensity, learnt_at, set_at, until_at, stopped_at, next_at, owed,
                    pending, last_at, last_batch, arrived, failures, failing_since, why from drip ",
            $rest
        )
    };
}

/// A drip that is about to be set.
#[derive(Clone, Debug)]
pub struct NewDrip {
    /// The source.
    pub source: SourceName,
    /// Arrivals a week, in thousandths.
    pub per_mille: u32,
    /// When canaries come.
    pub intensity: Intensity,
    /// None comes from then on.
    pub until: Option<OffsetDateTime>,
    /// The first arrival.
    pub next_at: Option<OffsetDateTime>,
    /// Now.
    pub set_at: OffsetDateTime,
}

/// How an arrival, or a try at one, ended.
#[derive(Clone, Debug)]
pub enum Tried {
    /// Whatever became of the batch that was begun is in the registry.
    Ended,
    /// Nothing was planted, as far as is known.
    Failed {
        /// Why, without a secret or a canary's detail.
        why: String,
        /// The next arrival.
        next_at: Option<OffsetDateTime>,
    },
}

impl Registry {
    /// Sets a source's drip, or sets it anew: what was owed is forgotten, what has arrived is not.
    ///
    /// # Errors
    /// [`Error::UnknownSource`], or the store fails.
    pub async fn set_drip(&self, new: &NewDrip) -> Result<()> {
        self.source(&new.source).await?;
        let mut tx = self.store.begin().await?;
        let sql =
            "insert into drip (source, per_mille, intensity, learnt_at, set_at, until_at, next_at)
                   values ($1, $2, $3, $4, $4, $5, $6)
                   on conflict (source) do update
                   set per_mille = excluded.per_mille, intensity = excluded.intensity,
                       learnt_at = excluded.learnt_at, set_at = excluded.set_at,
                       until_at = excluded.until_at, next_at = excluded.next_at, stopped_at = null,
                       owed = 0, failures = 0, failing_since = null, why = null, alert = null";
        let values = vec![
            new.source.as_str().into(),
            new.per_mille.into(),
            intensity_text(&new.source, &new.intensity)?.into(),
            micros(new.set_at).into(),
            new.until.map(micros).into(),
            new.next_at.map(micros).into(),
        ];
        tx.execute(sql, values).await?;
        tx.touch(Table::Drip, &new.source);
        let act = Act::DripSet {
            source: new.source.to_string(),
            per_week: f64::from(new.per_mille) / 1000.0,
            until: new.until,
        };
        self.commit(tx, act).await
    }

    /// Stops a source's drip; whether it ran.
    ///
    /// # Errors
    /// The store fails.
    pub async fn stop_drip(&self, source: &SourceName, now: OffsetDateTime) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let sql = "update drip set stopped_at = $1, next_at = null, owed = 0
                   where source = $2 and stopped_at is null";
        let values = vec![micros(now).into(), source.as_str().into()];
        if tx.execute(sql, values).await? == 0 {
            tx.commit().await?;
            return Ok(false);
        }
        tx.touch(Table::Drip, source);
        let act = Act::DripStopped {
            source: source.to_string(),
        };
        self.commit(tx, act).await?;
        Ok(true)
    }

    /// Every drip, stopped ones too, by source.
    ///
    /// # Errors
    /// The store fails, or a row does not read.
    pub async fn drips(&self) -> Result<Vec<Drip>> {
        let rows = self.store.fetch(select!("order by source"), vec![]).await?;
        rows.iter().map(drip).collect()
    }

    /// A source's drip.
    ///
    /// # Errors
    /// The store fails, or the row does not read.
    pub async fn drip(&self, source: &SourceName) -> Result<Option<Drip>> {
        let sql = select!("where source = $1");
        let rows = self.store.fetch(sql, vec![source.as_str().into()]).await?;
        rows.first().map(drip).transpose()
    }

    /// Takes the arrival at `due` for a batch that is about to be registered, and writes down the next one.
    /// Whether it was still there to be taken.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_arrival(
        &self,
        source: &SourceName,
        due: OffsetDateTime,
        batch: &BatchId,
        next_at: Option<OffsetDateTime>,
        owed: u32,
    ) -> Result<bool> {
        self.move_arrival(source, due, Some(batch), next_at, owed)
            .await
    }

    /// Puts the arrival at `due`, which was missed, off. Whether it was still there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_arrival_off(
        &self,
        source: &SourceName,
        due: OffsetDateTime,
        next_at: Option<OffsetDateTime>,
        owed: u32,
    ) -> Result<bool> {
        self.move_arrival(source, due, None, next_at, owed).await
    }

    async fn move_arrival(
        &self,
        source: &SourceName,
        due: OffsetDateTime,
        batch: Option<&BatchId>,
        next_at: Option<OffsetDateTime>,
        owed: u32,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let sql = "update drip set next_at = $1, owed = $2, pending = coalesce($3, pending)
                   where source = $4 and next_at = $5 and stopped_at is null
                     and ($3 is null or pending is null)";
        let values = vec![
            next_at.map(micros).into(),
            owed.into(),
            batch.map(BatchId::as_str).into(),
            source.as_str().into(),
            micros(due).into(),
        ];
        let moved = tx.execute(sql, values).await? > 0;
        // Nothing that is evidence has changed.
        tx.commit().await?;
        Ok(moved)
    }

    /// Notes how an arrival that was taken has ended: the registry knows by its batch. One of which nothing
    /// was planted is owed. `due` is the arrival that a failure belongs to, if it was not taken: of two
    /// receivers that fail at one arrival only the first is noted.
    ///
    /// # Errors
    /// The store fails.
    pub async fn arrival_tried(
        &self,
        source: &SourceName,
        due: Option<OffsetDateTime>,
        tried: &Tried,
        now: OffsetDateTime,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if tx.locks_rows() {
            let lock = "select 1 from drip where source = $1 for update";
            tx.fetch(lock, vec![source.as_str().into()]).await?;
        }
        let rows = tx
            .fetch(select!("where source = $1"), vec![source.as_str().into()])
            .await?;
        let Some(mut known) = rows.first().map(drip).transpose()? else {
            return Ok(());
        };
        if due.is_some_and(|due| known.next_at.map(micros) != Some(micros(due))) {
            return Ok(());
        }
        if due.is_some() {
            known.owed = known.owed.saturating_add(1);
        }
        if let Some(batch) = known.pending.take() {
            match batch_state(&mut tx, &batch).await? {
                // Nobody knows yet: the table has to be looked at.
                Some((State::Planned, _)) => known.pending = Some(batch),
                None | Some((State::Void, _)) => known.owed = known.owed.saturating_add(1),
                Some((_, planted_at)) => {
                    known.last = Some((planted_at, batch));
                    known.arrived = known.arrived.saturating_add(1);
                    known.failing = None;
                }
            }
        }
        if let Tried::Failed { why, next_at } = tried {
            let failing = known.failing.take();
            known.failing = Some(Failing {
                since: failing.as_ref().map_or(now, |failing| failing.since),
                tries: failing.map_or(0, |failing| failing.tries).saturating_add(1),
                why: why.clone(),
            });
            known.next_at = *next_at;
        }
        if known.stopped_at.is_some() {
            known.next_at = None;
            known.owed = 0;
        }
        note(&mut tx, &known).await?;
        self.tell(tx, &known, now).await
    }

    /// Queues an alert if a drip has failed for long, and ends the transaction.
    async fn tell(&self, mut tx: Tx, known: &Drip, now: OffsetDateTime) -> Result<()> {
        let long = |failing: &Failing| failing.tries > 1 && now - failing.since >= TOLD_AFTER;
        let told = "select 1 from drip where source = $1 and alert is not null";
        let source = known.source.as_str();
        if !known.failing.as_ref().is_some_and(long)
            || !tx.fetch(told, vec![source.into()]).await?.is_empty()
        {
            return tx.commit().await;
        }
        let sql = "insert into alert (due_at) values ($1) returning id";
        let rows = tx.fetch(sql, vec![micros(now).into()]).await?;
        let alert = rows.first().map_or(Ok(0), |row| row.int(0))?;
        let sql = "update drip set alert = $1 where source = $2";
        tx.execute(sql, vec![alert.into(), source.into()]).await?;
        let sql = "insert into drip_alert (alert, source) values ($1, $2)";
        tx.execute(sql, vec![alert.into(), source.into()]).await?;
        tx.touch(Table::Alert, alert);
        tx.touch(Table::DripAlert, alert);
        let act = Act::DripFailing {
            source: source.to_owned(),
        };
        self.commit(tx, act).await
    }

    /// Keeps what the table showed of late.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drip_learnt(
        &self,
        source: &SourceName,
        intensity: &Intensity,
        now: OffsetDateTime,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let sql = "update drip set intensity = $1, learnt_at = $2 where source = $3";
        let values = vec![
            intensity_text(source, intensity)?.into(),
            micros(now).into(),
            source.as_str().into(),
        ];
        tx.execute(sql, values).await?;
        tx.commit().await
    }
}

async fn note(tx: &mut Tx, known: &Drip) -> Result<()> {
    let (last_at, last_batch) = known.last.clone().unzip();
    let failing = known.failing.as_ref();
    let since = failing.map(|failing| micros(failing.since));
    let sql =
        "update drip set next_at = $1, owed = $2, pending = $3, last_at = $4, last_batch = $5,
                      arrived = $6, failures = $7, failing_since = $8, why = $9,
                      alert = case when $8 is null then null else alert end
               where source = $10";
    let values: Vec<Value> = vec![
        known.next_at.map(micros).into(),
        known.owed.into(),
        known.pending.as_ref().map(BatchId::as_str).into(),
        last_at.map(micros).into(),
        last_batch.as_ref().map(BatchId::as_str).into(),
        known.arrived.into(),
        failing.map_or(0, |failing| failing.tries).into(),
        since.into(),
        failing.map(|failing| failing.why.clone()).into(),
        known.source.as_str().into(),
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// A batch's state, and when it was planted; `None` if it was never registered.
async fn batch_state(tx: &mut Tx, batch: &BatchId) -> Result<Option<(State, OffsetDateTime)>> {
    let sql = "select state, planted_at from batch where id = $1";
    let rows = tx.fetch(sql, vec![batch.as_str().into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let place = format!("batch {batch}");
    let state = State::from_name(&row.text(0)?).ok_or_else(|| Error::Damaged(place.clone()))?;
    Ok(Some((state, from_micros(row.int(1)?, &place)?)))
}

fn intensity_text(source: &SourceName, intensity: &Intensity) -> Result<String> {
    serde_json::to_string(intensity).map_err(|_| Error::Damaged(format!("drip {source}")))
}

fn drip(row: &Row) -> Result<Drip> {
    let source = row.text(0)?;
    let place = format!("drip {source}");
    let damaged = || Error::Damaged(place.clone());
    let moment = |column: usize| {
        let at = row.int_or_null(column)?;
        at.map(|at| from_micros(at, &place)).transpose()
    };
    let count = |column: usize| u32::try_from(row.int(column)?).map_err(|_| damaged());
    let batch = |column: usize| Ok::<_, Error>(row.text_or_null(column)?.map(BatchId::from_text));
    let since = moment(14)?;
    Ok(Drip {
        source: source.parse().map_err(|_| damaged())?,
        per_mille: count(1)?,
        intensity: serde_json::from_str(&row.text(2)?).map_err(|_| damaged())?,
        learnt_at: from_micros(row.int(3)?, &place)?,
        set_at: from_micros(row.int(4)?, &place)?,
        until: moment(5)?,
        stopped_at: moment(6)?,
        next_at: moment(7)?,
        owed: count(8)?,
        pending: batch(9)?,
        last: moment(10)?.zip(batch(11)?),
        arrived: count(12)?,
        failing: match since {
            Some(since) => Some(Failing {
                since,
                tries: count(13)?,
                why: row.text_or_null(15)?.unwrap_or_default(),
            }),
            None => None,
        },
    })
}
