//! A key of each source's own: what its canaries are sealed under. Destroying it forgets them, while
//! everything else, and the log, stays as it is.

use time::OffsetDateTime;

use super::store::Tx;
use super::vault::Vault;
use super::witness::Table;
use super::{Error, MasterKey, Registry, Result, from_micros, micros};
use crate::canary::SourceName;
use crate::evidence::Act;

pub(super) fn place(source: &str) -> String {
    format!("source_key {source}")
}

/// What `forget` destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Canaries whose details are gone.
    pub canaries: usize,
    /// Whether the database may hold remains in places that only it can clear: another process was
    /// reading.
    pub remains: bool,
}

impl Registry {
    /// Makes a source's key, in the transaction that registers the source.
    pub(super) async fn make_source_key(&self, tx: &mut Tx, source: &str) -> Result<()> {
        let sealed = self.wrap(source, &MasterKey::generate())?;
        tx.execute(
            "insert into source_key (source, sealed) values ($1, $2)",
            vec![source.into(), sealed.into()],
        )
        .await?;
        tx.touch(Table::SourceKey, source);
        Ok(())
    }

    /// The vault of a source's canaries, to write into.
    pub(super) async fn source_vault(&self, tx: &mut Tx, source: &SourceName) -> Result<Vault> {
        let rows = tx
            .fetch(
                "select sealed from source_key where source = $1",
                vec![source.as_str().into()],
            )
            .await?;
        let wrapped = match rows.first() {
            Some(row) => row.bytes_or_null(0)?,
            None => return Err(Error::Damaged(place(source.as_str()))),
        };
        match wrapped {
            Some(wrapped) => self.unwrap(source.as_str(), &wrapped),
            None => Err(Error::Forgotten(source.to_string())),
        }
    }

    fn wrap(&self, source: &str, key: &MasterKey) -> Result<Vec<u8>> {
        self.vault.seal(&place(source), key.to_hex().as_bytes())
    }

    /// The vault that a wrapped key opens.
    pub(super) fn unwrap(&self, source: &str, wrapped: &[u8]) -> Result<Vault> {
        let place = place(source);
        let text = self.vault.open(&place, wrapped)?;
        let text = std::str::from_utf8(&text).map_err(|_| Error::Damaged(place.clone()))?;
        let key = MasterKey::from_hex(text).map_err(|_| Error::Damaged(place))?;
        Ok(Vault::new(&key))
    }

    /// Gives keys to the sources of a registry that is older than they are, and seals their canaries
    /// under them.
    pub(super) async fn give_source_keys(&self) -> Result<()> {
        let without = "select name from source
                       where not exists (select 1 from source_key where source_key.source = source.name)";
        if self.store.fetch(without, vec![]).await?.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        if tx.locks_rows() {
            tx.execute("lock table source_key in exclusive mode", vec![])
                .await?;
        }
        let (mut sources, mut canaries) = (0, 0);
        for row in tx.fetch(without, vec![]).await? {
            let source = row.text(0)?;
            self.make_source_key(&mut tx, &source).await?;
            sources += 1;
            let name: SourceName = source.parse().map_err(|_| Error::Damaged(source.clone()))?;
            let own = self.source_vault(&mut tx, &name).await?;
            let sealed = tx
                .fetch(
                    "select canary.id, canary.sealed from canary
                     join batch on batch.id = canary.batch where batch.source = $1",
                    vec![source.as_str().into()],
                )
                .await?;
            for row in sealed {
                let id = row.text(0)?;
                let place = format!("canary {id}");
                let plain = self.vault.open(&place, &row.bytes(1)?)?;
                tx.execute(
                    "update canary set sealed = $1 where id = $2",
                    vec![own.seal(&place, &plain)?.into(), id.as_str().into()],
                )
                .await?;
                tx.touch(Table::Canary, id);
                canaries += 1;
            }
        }
        if sources == 0 {
            // Another process was faster.
            return Ok(());
        }
        self.commit(tx, Act::SourceKeysMade { sources, canaries })
            .await
    }

    /// The sources whose canaries are forgotten, and since when.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forgotten(&self) -> Result<Vec<(SourceName, OffsetDateTime)>> {
        let rows = self
            .store
            .fetch(
                "select source, forgotten_at from source_key
                 where forgotten_at is not null order by source",
                vec![],
            )
            .await?;
        let read = |row: &super::store::Row| {
            let source = row.text(0)?;
            let at = from_micros(row.int(1)?, &place(&source))?;
            let source = source.parse().map_err(|_| Error::Damaged(source.clone()))?;
            Ok((source, at))
        };
        rows.iter().map(read).collect()
    }

    /// Destroys the details of a source's canaries for ever: their key, what they are found by, and
    /// the sealed details themselves. Ids, batches and sightings stay, and the log holds.
    ///
    /// # Errors
    /// [`Error::StillStanding`] if any may stand in the source, [`Error::Forgotten`] if they are
    /// forgotten already, [`Error::UnknownSource`], or the store fails; then nothing was destroyed.
    pub async fn forget(&self, source: &SourceName, at: OffsetDateTime) -> Result<Forgotten> {
        self.source(source).await?;
        let mut tx = self.store.begin().await?;
        let name = || vec![source.as_str().into()];
        self.source_vault(&mut tx, source).await?;
        let standing = tx
            .fetch(
                "select id from batch
                 where source = $1 and state in ('planned', 'handed_out', 'live') order by number",
                name(),
            )
            .await?;
        if !standing.is_empty() {
            let batches: Result<Vec<String>> = standing.iter().map(|row| row.text(0)).collect();
            return Err(Error::StillStanding {
                source_name: source.to_string(),
                batches: batches?.join(", "),
            });
        }
        let ids = tx
            .fetch(
                "select canary.id from canary join batch on batch.id = canary.batch
                 where batch.source = $1",
                name(),
            )
            .await?;
        for row in &ids {
            let id = row.text(0)?;
            tx.execute(
                "delete from canary_mark where canary = $1",
                vec![id.as_str().into()],
            )
            .await?;
            tx.execute(
                "update canary set sealed = $1 where id = $2",
                vec![Vec::new().into(), id.as_str().into()],
            )
            .await?;
            let versions = tx
                .execute(
                    "delete from canary_version where canary = $1",
                    vec![id.as_str().into()],
                )
                .await?;
            if versions > 0 {
                tx.touch(Table::CanaryVersion, &id);
            }
            tx.touch(Table::CanaryMark, &id);
            tx.touch(Table::Canary, &id);
        }
        tx.execute(
            "update source_key set sealed = null, forgotten_at = $1 where source = $2",
            vec![micros(at).into(), source.as_str().into()],
        )
        .await?;
        tx.touch(Table::SourceKey, source);
        let act = Act::Forgotten {
            source: source.to_string(),
            canaries: ids.len(),
        };
        self.commit(tx, act).await?;
        Ok(Forgotten {
            canaries: ids.len(),
            remains: !self.store.sweep().await?,
        })
    }
}
