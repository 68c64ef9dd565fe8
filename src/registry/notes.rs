//! What people write to an incident: remarks, and who is to see to it. Nothing of it is ever changed; it is
//! sealed, since a remark may say more than it should, and the log holds a hash of it.

use super::store::Row;
use super::vault::Vault;
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{Note, NoteKind};
use crate::evidence::{Act, hex, message_hash};

/// Where an incident's notes are sealed: one moved to another incident does not open.
pub(super) fn place(incident: i64) -> String {
    format!("note on incident {incident}")
}

/// A note's text.
pub(super) fn open(vault: &Vault, incident: i64, sealed: &[u8]) -> Result<String> {
    let plain = vault.open(&place(incident), sealed)?;
    String::from_utf8(plain.to_vec()).map_err(|_| Error::Damaged(place(incident)))
}

impl Registry {
    /// Writes to an incident: a remark, or its new owner. The note's number.
    ///
    /// # Errors
    /// [`Error::UnknownIncident`], or the store fails.
    pub async fn note_incident(
        &self,
        incident: i64,
        kind: NoteKind,
        text: &str,
        at: time::OffsetDateTime,
    ) -> Result<i64> {
        let mut tx = self.store.begin().await?;
        let known = "select 1 from incident where id = $1";
        if tx.fetch(known, vec![incident.into()]).await?.is_empty() {
            return Err(Error::UnknownIncident(incident));
        }
        let sealed = self.vault.seal(&place(incident), text.as_bytes())?;
        let rows = tx
            .fetch(
                "insert into incident_note (incident, at, author, kind, sealed)
                 values ($1, $2, $3, $4, $5) returning id",
                vec![
                    incident.into(),
                    micros(at).into(),
                    self.by().into(),
                    kind.name().into(),
                    sealed.into(),
                ],
            )
            .await?;
        let id = rows.first().map_or(Ok(0), |row| row.int(0))?;
        tx.touch(Table::IncidentNote, id);
        let act = Act::IncidentNoted {
            incident,
            note: id,
            kind: kind.name().to_owned(),
            sha256: message_hash(&self.note_salt(id), &[], text.as_bytes()),
        };
        self.commit(tx, act).await?;
        Ok(id)
    }

    /// What stands before a note when the log hashes it: nobody can try texts out against the hash.
    fn note_salt(&self, note: i64) -> String {
        hex(&self.vault.lasting_tag("note salt", &note.to_string()))
    }

    /// What was written to an incident, in order.
    ///
    /// # Errors
    /// The store fails, or a note does not open.
    pub async fn notes(&self, incident: i64) -> Result<Vec<Note>> {
        let sql = "select id, at, author, kind, sealed from incident_note
                   where incident = $1 order by id";
        let rows = self.store.fetch(sql, vec![incident.into()]).await?;
        let note = |row: &Row| {
            let id = row.int(0)?;
            Ok(Note {
                id,
                at: from_micros(row.int(1)?, "note")?,
                by: row.text(2)?,
                kind: NoteKind::from_name(&row.text(3)?)
                    .ok_or_else(|| Error::Damaged(format!("note {id}")))?,
                text: open(&self.vault, incident, &row.bytes(4)?)?,
            })
        };
        rows.iter().map(note).collect()
    }
}
