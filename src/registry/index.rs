//! What is kept of the canaries beside the registry: under which key, and whether it still holds.
//!
//! The key is worked out from those of all sources: whoever forgets one of them makes every copy of what was sealed under
//! it unreadable. Whether canaries have changed since is read off the log, which carries the state of every row that
//! was written (see [`super::log`]).

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::store::Tx;
use super::vault::Vault;
use super::{Error, MasterKey, Registry, Result};

/// What the entries name that a watch is made from, in their JSON.
const NAMED: [&str; 5] = ["source", "source_key", "batch", "canary", "canary_version"];

/// A place in the log: what was read of the registry afterwards is at least as new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlace {
    /// Entries before it.
    size: i64,
    /// The hash of the last of them.
    hash: Vec<u8>,
}

/// Seals what is kept beside the registry.
pub struct IndexSeal(Vault);

impl IndexSeal {
    /// Seals a piece; `place` says which it is.
    ///
    /// # Errors
    /// It is too large.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.0.seal(place, plain)
    }

    /// Opens a piece that was sealed for the same place.
    ///
    /// # Errors
    /// It was sealed for another, under another key, or has been changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.0.open(place, sealed)
    }
}

impl Registry {
    /// Where the log ends.
    ///
    /// # Errors
    /// The store fails, or the log has no entry.
    pub async fn log_place(&self) -> Result<LogPlace> {
        let sql = "select seq, hash from evidence order by seq desc limit 1";
        let rows = self.store.fetch(sql, vec![]).await?;
        let last = rows.first();
        let last = last.ok_or_else(|| Error::Damaged("the evidence log".to_owned()))?;
        Ok(LogPlace {
            size: last.int(0)? + 1,
            hash: last.bytes(1)?,
        })
    }

    /// Whether the log tells of no change since to what a watch is made from: sources and their keys, batches, canaries
    /// and their versions. `false` also where this is not the registry that the place was read from, or not any more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unchanged_since(&self, place: &LogPlace) -> Result<bool> {
        let mut tx = self.store.begin_snapshot().await?;
        let unchanged = unchanged_since(&mut tx, place).await?;
        tx.commit().await?;
        Ok(unchanged)
    }

    /// The seal of what is kept of all sources that are not forgotten.
    ///
    /// # Errors
    /// The store fails, or a key does not open.
    pub async fn index_seal(&self) -> Result<IndexSeal> {
        let sql = "select source, sealed from source_key where sealed is not null order by source";
        let mut wrapped = Vec::new();
        for row in self.store.fetch(sql, vec![]).await? {
            wrapped.push((row.text(0)?, row.bytes(1)?));
        }
        // Engines sort text by their own rules.
        wrapped.sort();
        let mut key = self.vault.tag("watch index", "");
        for (source, wrapped) in wrapped {
            let own = self.unwrap(&source, &wrapped)?;
            key = own.tag("watch index", &hex(&key));
        }
        let key = MasterKey::from_hex(&hex(&key));
        let key = key.map_err(|_| Error::Damaged("source_key".to_owned()))?;
        Ok(IndexSeal(Vault::new(&key)))
    }
}

async fn unchanged_since(tx: &mut Tx, place: &LogPlace) -> Result<bool> {
    let last = "select hash from evidence where seq = $1";
    let rows = tx.fetch(last, vec![(place.size - 1).into()]).await?;
    let hash = rows.first().map(|row| row.bytes(0)).transpose()?;
    if hash.as_deref() != Some(&place.hash[..]) {
        return Ok(false);
    }
    let patterns = NAMED.map(|table| format!("%\"table\":\"{table}\"%").into());
    let values = std::iter::once(place.size.into()).chain(patterns).collect();
    let changed = "select 1 from evidence
                   where seq >= $1 and (entry like $2 or entry like $3 or entry like $4
                                        or entry like $5 or entry like $6)
                   limit 1";
    Ok(tx.fetch(changed, values).await?.is_empty())
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(crate::evidence::hex(bytes))
}
