//! What the customers of a source are like, as they were looked at last.

use time::OffsetDateTime;

use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::SourceName;
use crate::evidence::{Act, hex};
use sha2::{Digest, Sha256};

/// Where a profile is sealed: one moved to another source does not open.
pub(super) fn place(source: &str) -> String {
    format!("profile of {source}")
}

impl Registry {
    /// Keeps a source's profile, as JSON, in the place of the one before.
    ///
    /// # Errors
    /// [`Error::UnknownSource`], or the store fails.
    pub async fn keep_profile(
        &self,
        source: &SourceName,
        profile: &str,
        at: OffsetDateTime,
    ) -> Result<()> {
        self.source(source).await?;
        let sealed = self
            .vault
            .seal(&place(source.as_str()), profile.as_bytes())?;
        let mut tx = self.store.begin().await?;
        let sql = "insert into source_profile (source, taken_at, sealed) values ($1, $2, $3)
                   on conflict (source) do update
                   set taken_at = excluded.taken_at, sealed = excluded.sealed";
        let values = vec![source.as_str().into(), micros(at).into(), sealed.into()];
        tx.execute(sql, values).await?;
        tx.touch(Table::SourceProfile, source);
        let act = Act::SourceProfiled {
            source: source.to_string(),
            sha256: hex(&Sha256::digest(profile.as_bytes())),
        };
        self.commit(tx, act).await
    }

    /// The profile of a source and when it was taken; `None` where none was.
    ///
    /// # Errors
    /// The store fails, or the profile does not open.
    pub async fn profile(&self, source: &SourceName) -> Result<Option<(OffsetDateTime, String)>> {
        let sql = "select taken_at, sealed from source_profile where source = $1";
        let rows = self.store.fetch(sql, vec![source.as_str().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let own = place(source.as_str());
        let plain = self.vault.open(&own, &row.bytes(1)?)?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| Error::Damaged(own))?;
        Ok(Some((
            from_micros(row.int(0)?, &place(source.as_str()))?,
            text,
        )))
    }
}
