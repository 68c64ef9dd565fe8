//! Letters whose photographs are stored, and of which nobody has said yet what they are.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::{Registry, Result, from_micros};

/// The identity under which the letter is stored that is made of a message's photographs.
pub fn letter_identity(photographs: i64) -> String {
    format!("letter {photographs}")
}

impl Registry {
    /// The message that was stored with this identity, if one was.
    ///
    /// # Errors
    /// The store fails.
    pub async fn stored_as(&self, same_as: &str) -> Result<Option<i64>> {
        let tag = self.vault.lasting_tag("same_as", same_as);
        let rows = self
            .store
            .fetch(
                "select id from message where same_as = $1",
                vec![tag.into()],
            )
            .await?;
        rows.first().map(|row| row.int(0)).transpose()
    }

    /// Letters that came to no sighting, and whose photographs are there and no other letter was made of:
    /// newest first, with when they came.
    ///
    /// # Errors
    /// The store fails.
    pub async fn letters_waiting(&self) -> Result<Vec<(i64, OffsetDateTime)>> {
        let made = "select same_as from message where channel = 'post' and same_as is not null";
        let made = self.store.fetch(made, vec![]).await?;
        let made: Result<HashSet<Vec<u8>>> = made.iter().map(|row| row.bytes(0)).collect();
        let made = made?;
        let rows = self
            .store
            .fetch(
                "select id, at from message
                 where channel = 'post' and settled = 1
                   and not exists (select 1 from sighting where sighting.message = message.id)
                   and not exists (select 1 from erasure where erasure.message = message.id)
                 order by id desc",
                vec![],
            )
            .await?;
        let mut waiting = Vec::new();
        for row in &rows {
            let id = row.int(0)?;
            if !made.contains(&self.vault.lasting_tag("same_as", &letter_identity(id))) {
                waiting.push((id, from_micros(row.int(1)?, "message")?));
            }
        }
        Ok(waiting)
    }
}
