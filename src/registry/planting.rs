//! Batches and canaries.

use std::collections::{HashMap, HashSet, VecDeque};

use rand::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::task::{JoinError, spawn_blocking};

use super::marks::note_marks;
use super::store::{Row, Tx, Value};
use super::vault::Vault;
use super::versions::{Kept, versions_of};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{Batch, BatchId, Canary, CanaryId, Details, PlantedRow, SourceName, State};
use crate::evidence::{Act, Opening, commitments};
use crate::persona::Household;

/// Canaries are read and opened so many at a time: more are no faster, and are in memory several times over.
const PAGE: i64 = 50;

fn place(id: &CanaryId) -> String {
    format!("canary {id}")
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    details: Details,
    points: Vec<i64>,
    #[serde(default)]
    opening: Option<Opening>,
}

/// The same without what opens its commitment, which only a proof needs, and which is longer than the rest.
#[derive(Deserialize)]
struct Plain {
    details: Details,
    points: Vec<i64>,
}

/// What is committed to: the canary as it is written, before the database gives it keys.
#[derive(Serialize)]
struct Committed<'a> {
    canary: &'a CanaryId,
    source: &'a SourceName,
    batch: &'a BatchId,
    household: &'a Household,
    rows: &'a [PlantedRow],
}

fn committed(canary: &Canary) -> Result<String> {
    let committed = Committed {
        canary: &canary.id,
        source: &canary.source,
        batch: &canary.batch,
        household: &canary.details.household,
        rows: &canary.details.rows,
    };
    serde_json::to_string(&committed).map_err(|_| Error::Damaged(place(&canary.id)))
}

impl Registry {
    /// Registers a batch with its canaries durably, in state `Planned` or `HandedOut`, before
    /// anything is written to the source. `batch.id` must be [`Registry::next_batch`], taken under
    /// the same [`super::Exclusive`].
    ///
    /// # Errors
    /// The number is taken, a canary's id repeats, or the store fails; then nothing is registered.
    pub async fn register_batch(&self, batch: &Batch, canaries: &[Canary]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let number = next_number(&mut tx, &batch.source).await?;
        if batch.id != BatchId::new(&batch.source, number) {
            return Err(Error::UnknownBatch(batch.id.to_string()));
        }
        tx.execute(
            "insert into batch (id, source, number, state, planted_at, unplanted_at, rows_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            vec![
                batch.id.as_str().into(),
                batch.source.as_str().into(),
                number.into(),
                batch.state.name().into(),
                micros(batch.planted_at).into(),
                batch.unplanted_at.map(micros).into(),
                i64::try_from(batch.rows_at).unwrap_or(i64::MAX).into(),
            ],
        )
        .await?;
        tx.touch(Table::Batch, &batch.id);
        let own = self.source_vault(&mut tx, &batch.source).await?;
        let documents: Result<Vec<String>> = canaries.iter().map(committed).collect();
        let (commitment, openings) = commitments(documents?, || rand::rng().random());
        for (canary, opening) in canaries.iter().zip(openings) {
            tx.execute(
                "insert into canary (id, batch, sealed) values ($1, $2, $3)",
                vec![
                    canary.id.as_str().into(),
                    batch.id.as_str().into(),
                    seal(&own, canary, Some(opening))?.into(),
                ],
            )
            .await?;
            for table in [Table::Canary, Table::CanaryPoint, Table::CanaryMark] {
                tx.touch(table, &canary.id);
            }
            for point in &canary.points {
                tx.execute(
                    "insert into canary_point (canary, point) values ($1, $2) on conflict do nothing",
                    vec![canary.id.as_str().into(), (*point).into()],
                )
                .await?;
            }
            note_marks(&mut tx, &self.vault, &canary.id, &canary.details.household).await?;
        }
        let act = Act::BatchRegistered {
            batch: batch.id.to_string(),
            source: batch.source.to_string(),
            canaries: canaries.len(),
            commitment,
        };
        self.commit(tx, act).await
    }

    /// The id that the source's next batch will have.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_batch(&self, source: &SourceName) -> Result<BatchId> {
        let mut tx = self.store.begin().await?;
        let number = next_number(&mut tx, source).await?;
        Ok(BatchId::new(source, number))
    }

    /// The batches that were planted after a moment: nothing that came up to then can be theirs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn planted_after(&self, at: OffsetDateTime) -> Result<HashSet<BatchId>> {
        let sql = "select id from batch where planted_at > $1";
        let rows = self.store.fetch(sql, vec![micros(at).into()]).await?;
        let id = |row: &Row| Ok(BatchId::from_text(row.text(0)?));
        rows.iter().map(id).collect()
    }

    /// Sets the state of a batch; `at` becomes `unplanted_at` for `Unplanted`. `Void` frees the
    /// contact points.
    ///
    /// # Errors
    /// [`Error::UnknownBatch`], or the store fails.
    pub async fn set_batch_state(
        &self,
        batch: &BatchId,
        state: State,
        at: OffsetDateTime,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let act = set_state(&mut tx, batch, state, at).await?;
        self.commit(tx, act).await
    }

    /// Stores the details anew of canaries whose keys the database has now given, and makes the
    /// batch `Live`, all in one transaction.
    ///
    /// # Errors
    /// [`Error::UnknownBatch`], or the store fails; then nothing has changed.
    pub async fn batch_is_live(&self, batch: &BatchId, canaries: &[Canary]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        // A batch is one source's, so one key opens and seals all of it.
        let own = match canaries.first() {
            Some(canary) => Some(self.source_vault(&mut tx, &canary.source).await?),
            None => None,
        };
        let mut openings: HashMap<String, Option<Opening>> = HashMap::new();
        if let Some(own) = &own {
            let sql = "select id, sealed from canary where batch = $1";
            for row in tx.fetch(sql, vec![batch.as_str().into()]).await? {
                let id = row.text(0)?;
                let known: CanaryId = id.parse().map_err(|_| Error::Damaged(id.clone()))?;
                let opening = unseal::<Sealed>(own, &known, &row.bytes(1)?)?.opening;
                openings.insert(id, opening);
            }
        }
        for (canary, own) in canaries.iter().zip(own.iter().cycle()) {
            let opening = openings
                .remove(canary.id.as_str())
                .ok_or_else(|| Error::UnknownCanary(canary.id.to_string()))?;
            tx.execute(
                "update canary set sealed = $1 where id = $2 and batch = $3",
                vec![
                    seal(own, canary, opening)?.into(),
                    canary.id.as_str().into(),
                    batch.as_str().into(),
                ],
            )
            .await?;
            tx.touch(Table::Canary, &canary.id);
        }
        let act = set_state(&mut tx, batch, State::Live, OffsetDateTime::UNIX_EPOCH).await?;
        self.commit(tx, act).await
    }

    /// All batches, or one source's, oldest first, whatever their state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn batches(&self, source: Option<&SourceName>) -> Result<Vec<Batch>> {
        let rows = self
            .store
            .fetch(
                "select batch.id, batch.source, batch.state, batch.planted_at, batch.unplanted_at,
                        batch.rows_at, count(canary.id)
                 from batch left join canary on canary.batch = batch.id
                 where $1 is null or batch.source = $1
                 group by batch.id, batch.source, batch.number, batch.state, batch.planted_at,
                          batch.unplanted_at, batch.rows_at
                 order by batch.planted_at, batch.source, batch.number",
                vec![source.map(SourceName::as_str).into()],
            )
            .await?;
        rows.iter().map(batch).collect()
    }

    /// All canaries, or one source's, in planting order, whatever their state.
    ///
    /// # Errors
    /// The store fails, or a canary does not open.
    pub async fn canaries(&self, source: Option<&SourceName>) -> Result<Vec<Canary>> {
        let mut canaries = Vec::new();
        let mut keep = |canary| canaries.push(canary);
        self.each_canary(source, &mut keep).await?;
        Ok(canaries)
    }

    /// The same, one by one, for whoever need not keep them.
    ///
    /// # Errors
    /// The store fails, or a canary does not open; some were given by then.
    pub async fn each_canary(
        &self,
        source: Option<&SourceName>,
        give: &mut (dyn FnMut(Canary) + Send),
    ) -> Result<()> {
        let mut tx = self.store.begin_snapshot().await?;
        self.each_canary_in(&mut tx, source, give).await?;
        // One that is only dropped ends some time later, and holds its tables until then.
        tx.commit().await
    }

    /// The same as a transaction sees them.
    pub(super) async fn canaries_in(
        &self,
        tx: &mut Tx,
        source: Option<&SourceName>,
    ) -> Result<Vec<Canary>> {
        let mut canaries = Vec::new();
        let mut keep = |canary| canaries.push(canary);
        self.each_canary_in(tx, source, &mut keep).await?;
        Ok(canaries)
    }

    /// Pages are opened on other threads while the next is read: of a million canaries, most of the time is spent on
    /// opening them.
    async fn each_canary_in(
        &self,
        tx: &mut Tx,
        source: Option<&SourceName>,
        give: &mut (dyn FnMut(Canary) + Send),
    ) -> Result<()> {
        // A cross join keeps SQLite to this order: it would sort all of them for every page.
        let sql = "select canary.id, batch.source, batch.id, batch.state, canary.sealed,
                          source_key.sealed, canary.seq
                   from canary cross join batch cross join source_key
                   where canary.seq > $2 and batch.id = canary.batch
                     and source_key.source = batch.source and source_key.sealed is not null
                     and ($1 is null or batch.source = $1)
                   order by canary.seq limit $3";
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let kept = std::sync::Arc::new(Kept::of_source(tx, source).await?);
        let (mut opening, mut last) = (VecDeque::new(), i64::MIN);
        loop {
            let source = source.map(SourceName::as_str);
            let values = vec![source.into(), last.into(), PAGE.into()];
            let rows = tx.fetch(sql, values).await?;
            let Some(row) = rows.last() else { break };
            last = row.int(6)?;
            let (registry, kept) = (self.clone(), kept.clone());
            opening.push_back(spawn_blocking(move || registry.open_page(&rows, &kept)));
            if opening.len() > threads
                && let Some(page) = opening.pop_front()
            {
                opened(page.await)?.into_iter().for_each(&mut *give);
            }
        }
        for page in opening {
            opened(page.await)?.into_iter().for_each(&mut *give);
        }
        Ok(())
    }

    /// Opens rows as [`Registry::canary`] does; a source's key only where another source's rows begin.
    pub(super) fn open_page(&self, rows: &[Row], kept: &Kept) -> Result<Vec<Canary>> {
        let mut own: Option<(String, Vec<u8>, Vault)> = None;
        let open = |row: &Row| {
            let (source, wrapped) = (row.text(1)?, row.bytes(5)?);
            let vault = match own.take() {
                Some((of, known, vault)) if of == source && known == wrapped => vault,
                _ => self.unwrap(&source, &wrapped)?,
            };
            let canary = canary(&vault, row, kept);
            own = Some((source, wrapped, vault));
            canary
        };
        rows.iter().map(open).collect()
    }

    /// The canaries of one batch, in planting order.
    ///
    /// # Errors
    /// The store fails, or a canary does not open.
    pub async fn batch_canaries(&self, batch: &BatchId) -> Result<Vec<Canary>> {
        let mut tx = self.store.begin_snapshot().await?;
        let rows = tx
            .fetch(
                "select canary.id, batch.source, batch.id, batch.state, canary.sealed,
                        source_key.sealed
                 from canary join batch on batch.id = canary.batch
                 join source_key on source_key.source = batch.source
                 where source_key.sealed is not null and batch.id = $1
                 order by canary.seq",
                vec![batch.as_str().into()],
            )
            .await?;
        let kept = Kept::of_batch(&mut tx, batch).await?;
        tx.commit().await?;
        self.open_page(&rows, &kept)
    }

    /// What opens a canary's commitment; `None` for one that was planted before there was a log.
    ///
    /// # Errors
    /// There is no such canary, the store fails, or it does not open.
    pub async fn opening(&self, canary: &CanaryId) -> Result<Option<Opening>> {
        let mut tx = self.store.begin().await?;
        self.opening_in(&mut tx, canary).await
    }

    async fn opening_in(&self, tx: &mut Tx, canary: &CanaryId) -> Result<Option<Opening>> {
        let sql = "select canary.sealed, source_key.sealed, source_key.source from canary
                   join batch on batch.id = canary.batch
                   join source_key on source_key.source = batch.source where canary.id = $1";
        let rows = tx.fetch(sql, vec![canary.as_str().into()]).await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::UnknownCanary(canary.to_string()))?;
        let source = row.text(2)?;
        match row.bytes_or_null(1)? {
            None => Err(Error::Forgotten(source)),
            Some(key) => {
                let own = self.unwrap(&source, &key)?;
                Ok(unseal::<Sealed>(&own, canary, &row.bytes(0)?)?.opening)
            }
        }
    }

    /// One canary.
    ///
    /// # Errors
    /// [`Error::UnknownCanary`], [`Error::Forgotten`], or the store fails.
    pub async fn canary_of(&self, id: &CanaryId) -> Result<Canary> {
        let sql = "select canary.id, batch.source, batch.id, batch.state, canary.sealed,
                          source_key.sealed
                   from canary join batch on batch.id = canary.batch
                   join source_key on source_key.source = batch.source where canary.id = $1";
        let rows = self.store.fetch(sql, vec![id.as_str().into()]).await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::UnknownCanary(id.to_string()))?;
        match row.bytes_or_null(5)? {
            Some(_) => self.canary(row).await,
            None => Err(Error::Forgotten(row.text(1)?)),
        }
    }

    /// Reads a row of id, source, batch, state, sealed, the source's key.
    pub(super) async fn canary(&self, row: &Row) -> Result<Canary> {
        let kept = Kept::of_canary(&self.store, &row.text(0)?).await?;
        canary(&self.unwrap(&row.text(1)?, &row.bytes(5)?)?, row, &kept)
    }
}

/// Opens a row with its source's vault.
fn canary(own: &Vault, row: &Row, kept: &Kept) -> Result<Canary> {
    let id = row.text(0)?;
    let id: CanaryId = id.parse().map_err(|_| Error::Damaged(id.clone()))?;
    let damaged = || Error::Damaged(place(&id));
    let plain: Plain = unseal(own, &id, &row.bytes(4)?)?;
    let versions = versions_of(own, &id, kept)?;
    let newest = versions.iter().rev().find(|version| !version.pending);
    let now = newest.map(|version| version.details.clone());
    Ok(Canary {
        source: row.text(1)?.parse().map_err(|_| damaged())?,
        batch: BatchId::from_text(row.text(2)?),
        state: State::from_name(&row.text(3)?).ok_or_else(damaged)?,
        id,
        details: now.unwrap_or(plain.details),
        points: plain.points,
        versions,
    })
}

/// What a thread has opened; if that has panicked, so does this one. It is cancelled only together with
/// whoever waits for it.
fn opened(page: std::result::Result<Result<Vec<Canary>>, JoinError>) -> Result<Vec<Canary>> {
    page.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn seal(own: &Vault, canary: &Canary, opening: Option<Opening>) -> Result<Vec<u8>> {
    let place = place(&canary.id);
    let sealed = Sealed {
        details: canary.details.clone(),
        points: canary.points.clone(),
        opening,
    };
    let plain = serde_json::to_vec(&sealed).map_err(|_| Error::Damaged(place.clone()))?;
    own.seal(&place, &plain)
}

fn unseal<T: DeserializeOwned>(own: &Vault, id: &CanaryId, sealed: &[u8]) -> Result<T> {
    let place = place(id);
    let plain = own.open(&place, sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Error::Damaged(place))
}

async fn next_number(tx: &mut Tx, source: &SourceName) -> Result<u32> {
    let rows = tx
        .fetch(
            "select coalesce(max(number), 0) + 1 from batch where source = $1",
            vec![source.as_str().into()],
        )
        .await?;
    let number = rows.first().map_or(Ok(1), |row| row.int(0))?;
    u32::try_from(number).map_err(|_| Error::Damaged(format!("batches of {source}")))
}

async fn set_state(
    tx: &mut Tx,
    batch: &BatchId,
    state: State,
    unplanted_at: OffsetDateTime,
) -> Result<Act> {
    let unplanted_at = (state == State::Unplanted).then(|| micros(unplanted_at));
    let touched = tx
        .execute(
            "update batch set state = $1, unplanted_at = $2 where id = $3",
            vec![
                state.name().into(),
                Value::Int(unplanted_at),
                batch.as_str().into(),
            ],
        )
        .await?;
    if touched == 0 {
        return Err(Error::UnknownBatch(batch.to_string()));
    }
    tx.touch(Table::Batch, batch);
    Ok(Act::BatchChanged {
        batch: batch.to_string(),
        state: state.name().to_owned(),
    })
}

fn batch(row: &Row) -> Result<Batch> {
    let id = row.text(0)?;
    let damaged = || Error::Damaged(format!("batch {id}"));
    Ok(Batch {
        source: row.text(1)?.parse().map_err(|_| damaged())?,
        state: State::from_name(&row.text(2)?).ok_or_else(damaged)?,
        planted_at: from_micros(row.int(3)?, &id)?,
        unplanted_at: match row.int_or_null(4)? {
            Some(at) => Some(from_micros(at, &id)?),
            None => None,
        },
        rows_at: u64::try_from(row.int(5)?).map_err(|_| damaged())?,
        canaries: usize::try_from(row.int(6)?).map_err(|_| damaged())?,
        id: BatchId::from_text(id),
    })
}
