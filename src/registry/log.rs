//! The evidence log: every write of the registry ends in an entry that says what was done and in which
//! state it left the rows that it wrote.
//!
//! Entries are the leaves of a Merkle tree (RFC 9162). The head row holds the tree's right edge, so that
//! appending costs the same however long the log is; on PostgreSQL locking it is what puts writers in
//! an order. It is locked last, behind whatever else a transaction locks, so nobody waits in a circle.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use time::OffsetDateTime;

use super::several::Insert;
use super::store::{Row, Touched, Tx};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::evidence::{Act, Checkpoint, Entry, Frontier, Hash, RowDigest, Signer};

const ENTRIES: Insert = Insert {
    into: "insert into evidence (seq, entry, hash)",
    columns: 3,
    then: "",
};

/// A checkpoint as the registry keeps it.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// Entries below it.
    pub size: u64,
    /// When it was signed.
    pub at: OffsetDateTime,
    /// The signed note.
    pub note: String,
    /// An RFC 3161 token over the note, DER.
    pub timestamp_token: Option<Vec<u8>>,
}

/// A checkpoint in a witness's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Entries below the checkpoint.
    pub size: u64,
    /// The witness's name in the configuration.
    pub witness: String,
    /// When it was given the checkpoint, by our clock.
    pub at: OffsetDateTime,
    /// Its signature's line, if it is a witness that signs.
    pub cosignature: Option<String>,
}

impl Registry {
    /// The same registry, writing in somebody's name.
    #[must_use]
    pub fn acting_as(mut self, name: &str) -> Registry {
        self.by = name.into();
        self
    }

    /// Who writes.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Appends an act that has changed nothing in the registry itself.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record(&self, act: Act, at: OffsetDateTime) -> Result<()> {
        let mut tx = self.store.begin().await?;
        self.append(&mut tx, act, at, true).await?;
        tx.commit().await
    }

    /// Every entry of the log, in order.
    ///
    /// # Errors
    /// The store fails, or an entry does not read.
    pub async fn acts(&self) -> Result<Vec<Entry>> {
        let sql = "select seq, entry, hash from evidence where seq >= 0 order by seq";
        let rows = self.store.fetch(sql, vec![]).await?;
        let read = |row: &Row| {
            let damaged = |seq: i64| Error::Damaged(format!("entry {seq} of the evidence log"));
            let seq = row.int(0)?;
            serde_json::from_str(&row.text(1)?).map_err(|_| damaged(seq))
        };
        rows.iter().map(read).collect()
    }

    /// Says that the configuration is now this one (SHA-256, hexadecimal); what the log knows already does
    /// not enter it again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn configured(&self, sha256: &str) -> Result<()> {
        let known = self
            .store
            .fetch(
                "select value from meta where name = 'configuration'",
                vec![],
            )
            .await?;
        let same = |row: &Row| Ok::<_, Error>(row.bytes(0)? == sha256.as_bytes());
        if known.first().map(same).transpose()?.unwrap_or(false) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.execute(
            "insert into meta (name, value) values ('configuration', $1)
             on conflict (name) do update set value = excluded.value",
            vec![sha256.as_bytes().to_vec().into()],
        )
        .await?;
        tx.touch(Table::Meta, "configuration");
        let act = Act::Configured {
            sha256: sha256.to_owned(),
        };
        self.commit(tx, act).await
    }

    /// The hashes of the first entries, in order.
    ///
    /// # Errors
    /// The store fails, or a hash is none.
    pub async fn leaf_hashes(&self, size: u64) -> Result<Vec<Hash>> {
        let sql = "select hash from evidence where seq >= 0 and seq < $1 order by seq";
        let rows = self
            .store
            .fetch(sql, vec![i64::try_from(size).unwrap_or(i64::MAX).into()])
            .await?;
        let damaged = || Error::Damaged("a hash of the evidence log".to_owned());
        rows.iter()
            .map(|row| Hash::from_slice(&row.bytes(0)?).ok_or_else(damaged))
            .collect()
    }

    /// The texts of all entries as they are hashed, in order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn entry_texts(&self) -> Result<Vec<String>> {
        let sql = "select entry from evidence where seq >= 0 order by seq";
        let rows = self.store.fetch(sql, vec![]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// The log's latest checkpoints, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn checkpoints(&self, limit: u32) -> Result<Vec<SignedCheckpoint>> {
        let sql =
            "select size, at, note, timestamp_token from checkpoint order by size desc limit $1";
        let rows = self.store.fetch(sql, vec![limit.into()]).await?;
        rows.iter().map(checkpoint).collect()
    }

    /// Signs the log as it stands, if anything but a checkpoint has entered it since the last one.
    /// `anchor` is the newest checkpoint that is known outside of the registry.
    ///
    /// # Errors
    /// [`Error::LogForked`] if the log is not a continuation of the anchor: the registry was set back to
    /// an older state. The store fails.
    pub async fn checkpoint(
        &self,
        signer: &Signer,
        anchor: Option<&Checkpoint>,
    ) -> Result<Option<SignedCheckpoint>> {
        let mut tx = self.store.begin().await?;
        let frontier = head(&mut tx).await?;
        if let Some(anchor) = anchor {
            let root = String::from(anchor.root);
            if !has_signed(&mut tx, anchor.size, &root).await? {
                let (anchor, size) = (anchor.size, frontier.size());
                return Err(Error::LogForked { anchor, size });
            }
        }
        if !unsigned(&mut tx).await? {
            return Ok(None);
        }
        let (size, root, at) = (frontier.size(), frontier.root(), OffsetDateTime::now_utc());
        let origin = signer.verifier().name().to_owned();
        let note = Checkpoint { origin, size, root }.sign(signer);
        tx.execute(
            "insert into checkpoint (size, at, note) values ($1, $2, $3)",
            vec![
                (size as i64).into(),
                micros(at).into(),
                note.as_str().into(),
            ],
        )
        .await?;
        tx.touch(Table::Checkpoint, size);
        self.commit(tx, Act::Checkpointed { size, root }).await?;
        Ok(Some(SignedCheckpoint {
            size,
            at,
            note,
            timestamp_token: None,
        }))
    }

    /// Whether the log has a checkpoint of that size with that root, in base64: what is known of it
    /// elsewhere belongs to the same history. Whether its signature holds is for `evidence verify`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn has_signed(&self, size: u64, root: &str) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        has_signed(&mut tx, size, root).await
    }

    /// Keeps the token that a time-stamping authority gave for a checkpoint.
    ///
    /// # Errors
    /// There is no such checkpoint, or the store fails.
    pub async fn checkpoint_stamped(&self, size: u64, token: &[u8]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let touched = tx
            .execute(
                "update checkpoint set timestamp_token = $1 where size = $2",
                vec![token.to_vec().into(), (size as i64).into()],
            )
            .await?;
        if touched == 0 {
            return Err(Error::Damaged(format!("checkpoint {size}")));
        }
        tx.touch(Table::Checkpoint, size);
        self.commit(tx, Act::CheckpointStamped { size }).await
    }

    /// The newest checkpoint that a witness has been given, and when.
    ///
    /// # Errors
    /// The store fails.
    pub async fn witnessed(&self, witness: &str) -> Result<Option<Witnessed>> {
        let sql = "select size, witness, at, cosignature from witnessed
                   where witness = $1 order by size desc limit 1";
        let rows = self.store.fetch(sql, vec![witness.into()]).await?;
        rows.first().map(witnessed).transpose()
    }

    /// What witnesses have answered to a checkpoint.
    ///
    /// # Errors
    /// The store fails.
    pub async fn witnesses_of(&self, size: u64) -> Result<Vec<Witnessed>> {
        let sql = "select size, witness, at, cosignature from witnessed
                   where size = $1 order by witness";
        let rows = self.store.fetch(sql, vec![(size as i64).into()]).await?;
        rows.iter().map(witnessed).collect()
    }

    /// Keeps that a witness has been given a checkpoint, and what it answered.
    ///
    /// # Errors
    /// There is no such checkpoint, or the store fails.
    pub async fn checkpoint_witnessed(
        &self,
        size: u64,
        witness: &str,
        cosignature: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.execute(
            "insert into witnessed (size, witness, at, cosignature) values ($1, $2, $3, $4)
             on conflict (size, witness) do update set at = excluded.at, cosignature = excluded.cosignature",
            vec![
                (size as i64).into(),
                witness.into(),
                micros(OffsetDateTime::now_utc()).into(),
                cosignature.into(),
            ],
        )
        .await?;
        tx.touch(Table::Witnessed, size);
        let witness = witness.to_owned();
        self.commit(tx, Act::Witnessed { size, witness }).await
    }

    /// Ends a transaction: the act and what it wrote enter the log, and all of it becomes durable.
    pub(super) async fn commit(&self, mut tx: Tx, act: Act) -> Result<()> {
        self.append(&mut tx, act, OffsetDateTime::now_utc(), true)
            .await?;
        tx.commit().await
    }

    /// Ends the transaction that changes the key.
    pub(super) async fn commit_rekeyed(&self, mut tx: Tx, act: Act) -> Result<()> {
        let now = OffsetDateTime::now_utc();
        self.append(&mut tx, act, now, false).await?;
        tx.commit().await
    }

    /// Appends an act with every row that the transaction has touched since the last one.
    pub(super) async fn append(
        &self,
        tx: &mut Tx,
        act: Act,
        at: OffsetDateTime,
        keyed: bool,
    ) -> Result<()> {
        let touched = std::mem::take(&mut tx.touched);
        self.append_all(tx, vec![(act, touched)], at, keyed).await
    }

    /// Appends acts, each with the rows that it has touched.
    pub(super) async fn append_all(
        &self,
        tx: &mut Tx,
        acts: Vec<(Act, Touched)>,
        at: OffsetDateTime,
        keyed: bool,
    ) -> Result<()> {
        let (mut frontier, key) = head_and_key(tx).await?;
        match key {
            _ if !keyed => {}
            Some(key) if *key == *self.key_check => {}
            Some(_) => return Err(Error::KeyChanged),
            // Behind the head's lock, so that no other key can come between.
            None => self.key_is_current_in(tx).await?,
        }
        // What several acts have written is read once.
        let mut read: HashMap<(Table, String), RowDigest> = HashMap::new();
        let mut entries = Vec::with_capacity(acts.len());
        for (act, touched) in acts {
            // Behind the head's lock: whoever wrote rows of the same key in the meantime is seen.
            let mut rows: Vec<RowDigest> = Vec::with_capacity(touched.len());
            for ((table, key), known) in touched {
                rows.push(match known {
                    Some(sha256) => RowDigest {
                        table: table.name().to_owned(),
                        key,
                        sha256,
                    },
                    None => match read.entry((table, key)) {
                        MapEntry::Occupied(there) => there.get().clone(),
                        MapEntry::Vacant(place) => {
                            let digest = table.digest(tx, &place.key().1).await?;
                            place.insert(digest).clone()
                        }
                    },
                });
            }
            let seq = frontier.size();
            let by = self.by.to_string();
            let entry = Entry {
                seq,
                at,
                by,
                act,
                rows,
            };
            let entry = entry.text();
            let hash = Entry::hash(&entry);
            frontier.push(hash);
            let hash = hash.0.to_vec();
            entries.push(vec![(seq as i64).into(), entry.into(), hash.into()]);
        }
        tx.insert_rows(&ENTRIES, entries).await?;
        tx.execute(
            "update evidence_head set size = $1, frontier = $2 where id = 1",
            vec![(frontier.size() as i64).into(), frontier.to_bytes().into()],
        )
        .await?;
        Ok(())
    }

    /// Begins the log of a registry that has none; what stands in it is taken over as it is.
    pub(super) async fn open_log(&self) -> Result<()> {
        let begun = "select 1 from evidence_head";
        if !self.store.fetch(begun, vec![]).await?.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let insert = "insert into evidence_head (id, size, frontier) values (1, 0, $1) on conflict do nothing";
        if tx.execute(insert, vec![Vec::new().into()]).await? == 0 {
            // Another process was faster.
            return Ok(());
        }
        for table in Table::ALL {
            for key in table.keys(&mut tx).await? {
                tx.touch(*table, key);
            }
        }
        self.commit(tx, Act::LogOpened).await
    }
}

async fn has_signed(tx: &mut Tx, size: u64, root: &str) -> Result<bool> {
    let sql = "select note from checkpoint where size = $1";
    let rows = tx.fetch(sql, vec![(size as i64).into()]).await?;
    let note = rows.first().map(|row| row.text(0)).transpose()?;
    // A note's third line is the root.
    Ok(note.is_some_and(|note| note.lines().nth(2) == Some(root)))
}

/// The tree's right edge, locked until the transaction ends.
async fn head(tx: &mut Tx) -> Result<Frontier> {
    Ok(head_and_key(tx).await?.0)
}

/// The same and what was sealed with the registry's key, where nobody can have changed that while the lock was awaited.
async fn head_and_key(tx: &mut Tx) -> Result<(Frontier, Option<Vec<u8>>)> {
    let sql = match tx.locks_rows() {
        true => "select size, frontier from evidence_head where id = 1 for update",
        false => {
            "select size, frontier, (select value from meta where name = 'key_check')
             from evidence_head where id = 1"
        }
    };
    let damaged = || Error::Damaged("the evidence log's head".to_owned());
    let rows = tx.fetch(sql, vec![]).await?;
    let row = rows.first().ok_or_else(damaged)?;
    let size = u64::try_from(row.int(0)?).map_err(|_| damaged())?;
    let frontier = Frontier::from_bytes(size, &row.bytes(1)?).ok_or_else(damaged)?;
    let key = match tx.locks_rows() {
        true => None,
        false => row.bytes_or_null(2)?,
    };
    Ok((frontier, key))
}

/// Whether anything but what is about signatures has entered the log since it was last signed.
async fn unsigned(tx: &mut Tx) -> Result<bool> {
    let newest = tx
        .fetch("select coalesce(max(size), 0) from checkpoint", vec![])
        .await?;
    let signed = newest.first().map_or(Ok(0), |row| row.int(0))?;
    // More than this many are not all about signatures.
    let sql = "select entry from evidence where seq >= $1 order by seq limit 200";
    let since = tx.fetch(sql, vec![signed.into()]).await?;
    for row in &since {
        let entry = serde_json::from_str::<Entry>(&row.text(0)?);
        if entry.is_ok_and(|entry| entry.act.is_of_signing()) {
            continue;
        }
        return Ok(true);
    }
    Ok(since.len() == 200)
}

pub(super) fn witnessed(row: &Row) -> Result<Witnessed> {
    let size = row.int(0)?;
    Ok(Witnessed {
        size: u64::try_from(size).map_err(|_| Error::Damaged(format!("checkpoint {size}")))?,
        witness: row.text(1)?,
        at: from_micros(row.int(2)?, "witness")?,
        cosignature: row.text_or_null(3)?,
    })
}

pub(super) fn checkpoint(row: &Row) -> Result<SignedCheckpoint> {
    let size = row.int(0)?;
    Ok(SignedCheckpoint {
        size: u64::try_from(size).map_err(|_| Error::Damaged(format!("checkpoint {size}")))?,
        at: from_micros(row.int(1)?, "checkpoint")?,
        note: row.text(2)?,
        timestamp_token: row.bytes_or_null(3)?,
    })
}

/// Who runs this process, as far as the operating system knows.
pub(super) fn system_user() -> String {
    let name = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok());
    #[cfg(unix)]
    let uid = std::fs::metadata("/proc/self")
        .map(|process| std::os::unix::fs::MetadataExt::uid(&process))
        .ok();
    #[cfg(not(unix))]
    let uid: Option<u32> = None;
    match (name, uid) {
        (Some(name), Some(uid)) => format!("{name} (uid {uid})"),
        (None, Some(uid)) => format!("uid {uid}"),
        (Some(name), None) => name,
        (None, None) => "unknown".to_owned(),
    }
}
