//! Contact points: what is owned and what is given.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::witness::Table;
use super::{Added, Error, PoolEntry, Registry, Result, micros};
use crate::canary::{ContactPoint, SourceName};
use crate::evidence::Act;

pub(super) fn place(identity: &[u8]) -> String {
    let tag: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("contact_point {tag}")
}

impl Registry {
    /// Adds contact points with their caps per source, all or none. Those that are in the pool
    /// already stay as they are and are counted.
    ///
    /// # Errors
    /// The store fails; then nothing was added.
    pub async fn add_contact_points(
        &self,
        points: &[(ContactPoint, Option<u32>)],
        at: OffsetDateTime,
    ) -> Result<Added> {
        let mut tx = self.store.begin().await?;
        let mut added = Added::default();
        for (point, cap) in points {
            let identity = self.vault.tag(point.kind().name(), &point.identity());
            let plain = serde_json::to_vec(point)
                .map_err(|_| Error::Damaged("a contact point".to_owned()))?;
            let sealed = self.vault.seal(&place(&identity), &plain)?;
            let new = tx
                .fetch(
                    "insert into contact_point (kind, identity, sealed, cap_per_source, added_at)
                     values ($1, $2, $3, $4, $5) on conflict (identity) do nothing returning id",
                    vec![
                        point.kind().name().into(),
                        identity.into(),
                        sealed.into(),
                        (*cap).into(),
                        micros(at).into(),
                    ],
                )
                .await?;
            match new.first() {
                None => added.known += 1,
                Some(row) => {
                    added.added += 1;
                    tx.touch(Table::ContactPoint, row.int(0)?);
                }
            }
        }
        if added.added > 0 {
            let act = Act::PoolChanged { added: added.added };
            self.commit(tx, act).await?;
        }
        Ok(added)
    }

    /// The pool, oldest entry first. A contact point of a batch that came to nothing is free.
    ///
    /// # Errors
    /// The store fails, or an entry does not open.
    pub async fn pool(&self) -> Result<Vec<PoolEntry>> {
        let mut given: HashMap<i64, Vec<(SourceName, u32)>> = HashMap::new();
        let rows = self
            .store
            .fetch(
                "select canary_point.point, batch.source, count(*)
                 from canary_point
                 join canary on canary.id = canary_point.canary
                 join batch on batch.id = canary.batch
                 where batch.state <> 'void'
                 group by canary_point.point, batch.source
                 order by canary_point.point, batch.source",
                vec![],
            )
            .await?;
        for row in rows {
            let source = row.text(1)?;
            let source = source.parse().map_err(|_| Error::Damaged(source.clone()))?;
            let count = u32::try_from(row.int(2)?).unwrap_or(u32::MAX);
            given.entry(row.int(0)?).or_default().push((source, count));
        }
        let rows = self
            .store
            .fetch(
                "select id, identity, sealed, cap_per_source from contact_point order by id",
                vec![],
            )
            .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.int(0)?;
            let place = place(&row.bytes(1)?);
            let plain = self.vault.open(&place, &row.bytes(2)?)?;
            entries.push(PoolEntry {
                id,
                point: serde_json::from_slice(&plain).map_err(|_| Error::Damaged(place))?,
                cap_per_source: row.int_or_null(3)?.and_then(|cap| u32::try_from(cap).ok()),
                given: given.remove(&id).unwrap_or_default(),
            });
        }
        Ok(entries)
    }
}
