//! Versions of canaries: registered before they are written to their source, settled by looking.

use std::collections::HashMap;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::marks::note_marks;
use super::several::Among;
use super::store::{Row, Store, Tx};
use super::vault::Vault;
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{BatchId, Canary, CanaryId, Details, PlantedRow, SourceName, Version};
use crate::evidence::{Act, Opening, commitments};
use crate::persona::Household;

const PENDING: &str = "pending";
const LIVE: &str = "live";
const VOID: &str = "void";

fn place(canary: &str, number: i64) -> String {
    format!("canary {canary} version {number}")
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    details: Details,
    /// What opens the commitment; the planted version's stays with its canary.
    #[serde(default)]
    opening: Option<Opening>,
}

/// What is committed to.
#[derive(Serialize)]
struct Committed<'a> {
    canary: &'a CanaryId,
    version: i64,
    source: &'a SourceName,
    household: &'a Household,
    rows: &'a [PlantedRow],
}

/// A canary as it is to become.
#[derive(Clone)]
pub struct Change {
    /// The canary as it is.
    pub canary: Canary,
    /// What it becomes.
    pub details: Details,
}

/// What became of a version that was pending.
#[derive(Clone)]
pub struct Outcome {
    /// The canary.
    pub canary: CanaryId,
    /// The version's number.
    pub number: u32,
    /// What stands there; `None`: it was never written.
    pub stands: Option<Details>,
}

const OF_MARKS: Among = Among {
    before: "select canary, version, state, at, sealed from canary_version
             where state <> 'void' and canary in (select canary from canary_mark
                                                  where mark = $1 and tag in",
    first: 1,
    then: ") order by canary, version",
};

/// Rows of versions by canary, sealed.
#[derive(Default)]
pub(super) struct Kept(HashMap<String, Vec<KeptRow>>);

struct KeptRow {
    number: i64,
    pending: bool,
    at: i64,
    sealed: Vec<u8>,
}

impl Kept {
    fn new(rows: &[Row]) -> Result<Kept> {
        let mut kept: HashMap<String, Vec<KeptRow>> = HashMap::new();
        for row in rows {
            kept.entry(row.text(0)?).or_default().push(KeptRow {
                number: row.int(1)?,
                pending: row.text(2)? == PENDING,
                at: row.int(3)?,
                sealed: row.bytes(4)?,
            });
        }
        Ok(Kept(kept))
    }

    /// Those of a source's canaries, or of all.
    pub(super) async fn of_source(tx: &mut Tx, source: Option<&SourceName>) -> Result<Kept> {
        let sql = "select v.canary, v.version, v.state, v.at, v.sealed
                   from canary_version v join canary on canary.id = v.canary
                   join batch on batch.id = canary.batch
                   where v.state <> 'void' and ($1 is null or batch.source = $1)
                   order by v.canary, v.version";
        let values = vec![source.map(SourceName::as_str).into()];
        Kept::new(&tx.fetch(sql, values).await?)
    }

    /// Those of a batch's canaries.
    pub(super) async fn of_batch(tx: &mut Tx, batch: &BatchId) -> Result<Kept> {
        let sql = "select v.canary, v.version, v.state, v.at, v.sealed
                   from canary_version v join canary on canary.id = v.canary
                   where v.state <> 'void' and canary.batch = $1
                   order by v.canary, v.version";
        Kept::new(&tx.fetch(sql, vec![batch.as_str().into()]).await?)
    }

    /// Those of the canaries that bear a mark under one of these tags.
    pub(super) async fn of_marks(store: &Store, mark: &str, tags: &[Vec<u8>]) -> Result<Kept> {
        let first = || vec![mark.into()];
        Kept::new(&store.fetch_among(&OF_MARKS, first, tags).await?)
    }

    /// Those of one canary.
    pub(super) async fn of_canary(store: &Store, canary: &str) -> Result<Kept> {
        let sql = "select canary, version, state, at, sealed from canary_version
                   where state <> 'void' and canary = $1 order by version";
        Kept::new(&store.fetch(sql, vec![canary.into()]).await?)
    }
}

/// Opens a canary's versions with its source's vault.
pub(super) fn versions_of(own: &Vault, id: &CanaryId, kept: &Kept) -> Result<Vec<Version>> {
    let rows = kept.0.get(id.as_str()).map_or(&[][..], Vec::as_slice);
    let mut versions: Vec<Version> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = place(id.as_str(), row.number);
        let damaged = || Error::Damaged(place.clone());
        let plain = own.open(&place, &row.sealed)?;
        let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        let from = from_micros(row.at, &place)?;
        if let Some(before) = versions.last_mut().filter(|_| !row.pending) {
            before.until = Some(from);
        }
        versions.push(Version {
            number: u32::try_from(row.number).map_err(|_| damaged())?,
            from,
            until: None,
            pending: row.pending,
            details: sealed.details,
        });
    }
    Ok(versions)
}

fn seal(own: &Vault, canary: &CanaryId, number: i64, sealed: &Sealed) -> Result<Vec<u8>> {
    let place = place(canary.as_str(), number);
    let plain = serde_json::to_vec(sealed).map_err(|_| Error::Damaged(place.clone()))?;
    own.seal(&place, &plain)
}

impl Registry {
    /// Registers changes durably as pending, before anything is written to the source, and that
    /// whatever was due until `at` has been looked after. The caller holds [`super::Exclusive`].
    ///
    /// # Errors
    /// A canary has a pending version already, or the store fails; then nothing is registered.
    pub async fn register_versions(
        &self,
        source: &SourceName,
        changes: &[Change],
        at: OffsetDateTime,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let own = self.source_vault(&mut tx, source).await?;
        let mut numbers = Vec::with_capacity(changes.len());
        let mut documents = Vec::with_capacity(changes.len());
        for change in changes {
            let number = self.next_version(&mut tx, &own, &change.canary).await?;
            let committed = Committed {
                canary: &change.canary.id,
                version: number,
                source,
                household: &change.details.household,
                rows: &change.details.rows,
            };
            let damaged = |_| Error::Damaged(place(change.canary.id.as_str(), number));
            documents.push(serde_json::to_string(&committed).map_err(damaged)?);
            numbers.push(number);
        }
        let (commitment, openings) = commitments(documents, || rand::rng().random());
        for ((change, number), opening) in changes.iter().zip(numbers).zip(openings) {
            let id = &change.canary.id;
            let sealed = Sealed {
                details: change.details.clone(),
                opening: Some(opening),
            };
            let sealed = seal(&own, id, number, &sealed)?;
            insert(&mut tx, id, number, PENDING, micros(at), sealed).await?;
            tx.touch(Table::CanaryVersion, id);
            note_marks(&mut tx, &self.vault, id, &change.details.household).await?;
            tx.touch(Table::CanaryMark, id);
        }
        let sql = "insert into tended (source, at) values ($1, $2)
                   on conflict (source) do update set at = excluded.at";
        tx.execute(sql, vec![source.as_str().into(), micros(at).into()])
            .await?;
        tx.touch(Table::Tended, source);
        let act = Act::VersionsRegistered {
            source: source.to_string(),
            canaries: changes.len(),
            commitment,
        };
        self.commit(tx, act).await
    }

    /// The number of a canary's next version; the planted one gets its row with the first change.
    async fn next_version(&self, tx: &mut Tx, own: &Vault, canary: &Canary) -> Result<i64> {
        let sql = "select batch.planted_at, max(v.version), sum(case v.state when 'pending' then 1 else 0 end)
                   from canary join batch on batch.id = canary.batch
                   left join canary_version v on v.canary = canary.id
                   where canary.id = $1 group by batch.planted_at";
        let rows = tx.fetch(sql, vec![canary.id.as_str().into()]).await?;
        let unknown = || Error::UnknownCanary(canary.id.to_string());
        let row = rows.first().ok_or_else(unknown)?;
        if row.int(2)? > 0 {
            return Err(Error::Damaged(format!(
                "canary {} has a change that is not settled",
                canary.id
            )));
        }
        if let Some(newest) = row.int_or_null(1)? {
            return Ok(newest + 1);
        }
        let sealed = Sealed {
            details: canary.details.clone(),
            opening: None,
        };
        let sealed = seal(own, &canary.id, 1, &sealed)?;
        insert(tx, &canary.id, 1, LIVE, row.int(0)?, sealed).await?;
        Ok(2)
    }

    /// Says what became of pending versions.
    ///
    /// # Errors
    /// One of them is not pending, or the store fails; then nothing has changed.
    pub async fn settle_versions(&self, source: &SourceName, outcomes: &[Outcome]) -> Result<()> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let own = self.source_vault(&mut tx, source).await?;
        let (mut live, mut void) = (Vec::new(), Vec::new());
        for Outcome {
            canary,
            number,
            stands,
        } in outcomes
        {
            let place = place(canary.as_str(), i64::from(*number));
            let damaged = || Error::Damaged(place.clone());
            let sql = "select sealed from canary_version
                       where canary = $1 and version = $2 and state = 'pending'";
            let key = || vec![canary.as_str().into(), i64::from(*number).into()];
            let rows = tx.fetch(sql, key()).await?;
            let row = rows.first().ok_or_else(damaged)?;
            let plain = own.open(&place, &row.bytes(0)?)?;
            let mut sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| damaged())?;
            let (state, list) = match stands {
                Some(details) => {
                    sealed.details = details.clone();
                    (LIVE, &mut live)
                }
                None => (VOID, &mut void),
            };
            list.push((canary.to_string(), *number));
            let sealed = seal(&own, canary, i64::from(*number), &sealed)?;
            tx.execute(
                "update canary_version set state = $3, sealed = $4
                 where canary = $1 and version = $2",
                vec![
                    canary.as_str().into(),
                    i64::from(*number).into(),
                    state.into(),
                    sealed.into(),
                ],
            )
            .await?;
            tx.touch(Table::CanaryVersion, canary);
        }
        let act = Act::VersionsSettled {
            source: source.to_string(),
            live,
            void,
        };
        self.commit(tx, act).await
    }

    /// How many canaries of a source there are, and how many versions of them are kept in all; one that has
    /// never changed is a version of itself.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count_versions(&self, source: &SourceName) -> Result<(usize, usize)> {
        let sql = "select count(distinct canary.id), count(distinct v.canary), count(v.canary)
                   from canary join batch on batch.id = canary.batch
                   join source_key on source_key.source = batch.source
                   left join canary_version v on v.canary = canary.id and v.state <> 'void'
                   where batch.source = $1 and source_key.sealed is not null";
        let rows = self.store.fetch(sql, vec![source.as_str().into()]).await?;
        let count = |column: usize| {
            let count = rows.first().map_or(Ok(0), |row| row.int(column))?;
            usize::try_from(count).map_err(|_| Error::Damaged(format!("source {source}")))
        };
        let (canaries, changed, versions) = (count(0)?, count(1)?, count(2)?);
        Ok((canaries, canaries - changed + versions))
    }

    /// Until when a source's canaries have had the changes that were due; `None`: never.
    ///
    /// # Errors
    /// The store fails.
    pub async fn tended_until(&self, source: &SourceName) -> Result<Option<OffsetDateTime>> {
        let sql = "select at from tended where source = $1";
        let rows = self.store.fetch(sql, vec![source.as_str().into()]).await?;
        let at = rows.first().map(|row| from_micros(row.int(0)?, "tended"));
        at.transpose()
    }
}

async fn insert(
    tx: &mut Tx,
    canary: &CanaryId,
    number: i64,
    state: &'static str,
    at: i64,
    sealed: Vec<u8>,
) -> Result<()> {
    let sql = "insert into canary_version (canary, version, state, at, sealed)
               values ($1, $2, $3, $4, $5)";
    let values = vec![
        canary.as_str().into(),
        number.into(),
        state.into(),
        at.into(),
        sealed.into(),
    ];
    tx.execute(sql, values).await.map(|_| ())
}
