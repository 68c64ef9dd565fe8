//! Another master key: everything that the old one seals or tags is sealed and tagged anew, in one
//! transaction.
//!
//! Canaries are sealed under keys of their sources' own, so only those keys are wrapped anew; what
//! canaries are found by is tagged anew from their details. Two tags of messages (what makes a second
//! copy, and the salt of the hash that the log holds) cannot be made again: their key is kept, sealed.

use super::marks::note_marks;
use super::open::{KEY_CHECK, KEY_CHECK_PLACE};
use super::store::Tx;
use super::vault::{LASTING_PLACE, Vault};
use super::witness::Table;
use super::{
    Error, MasterKey, Registry, Result, notes, pool, profiles, receiving, source_keys, sources,
};
use crate::canary::ContactPoint;
use crate::evidence::Act;

/// How far resealing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResealStep {
    /// Contact points are done.
    Pool,
    /// Sources and their keys are done.
    Sources,
    /// Canaries are found by new tags.
    Marks,
    /// Messages are done.
    Messages,
    /// Sightings are done.
    Sightings,
    /// All is done, and not durable yet.
    Key,
}

impl Registry {
    /// Seals everything under another master key. This handle has the old one, and is of no use
    /// afterwards; neither is that of any other process.
    ///
    /// # Errors
    /// A field does not open, or the store fails; then nothing has changed.
    pub async fn reseal(
        &self,
        new: &MasterKey,
        watch: &mut (dyn FnMut(ResealStep) + Send),
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if tx.locks_rows() {
            // Whoever writes ends before this begins, or finds the key changed when it has ended.
            tx.execute(
                "lock table meta, contact_point, source, source_key, batch, canary, canary_mark, canary_version,
                            message, incident_note, sighting, source_profile in share row exclusive mode",
                vec![],
            )
            .await?;
        }
        self.key_is_current_in(&mut tx).await?;
        let vault = Vault::lasting_as(new, &self.vault);
        self.reseal_pool(&mut tx, &vault).await?;
        watch(ResealStep::Pool);
        self.reseal_sources(&mut tx, &vault).await?;
        self.reseal_profiles(&mut tx, &vault).await?;
        watch(ResealStep::Sources);
        self.retag_canaries(&mut tx, &vault).await?;
        watch(ResealStep::Marks);
        self.reseal_messages(&mut tx, &vault).await?;
        watch(ResealStep::Messages);
        self.reseal_sightings(&mut tx, &vault).await?;
        self.reseal_notes(&mut tx, &vault).await?;
        watch(ResealStep::Sightings);
        for (name, place, plain) in [
            ("key_check", KEY_CHECK_PLACE, KEY_CHECK),
            ("lasting_key", LASTING_PLACE, vault.lasting_key()),
        ] {
            tx.execute(
                "insert into meta (name, value) values ($1, $2)
                 on conflict (name) do update set value = excluded.value",
                vec![name.into(), vault.seal(place, plain)?.into()],
            )
            .await?;
            tx.touch(Table::Meta, name);
        }
        watch(ResealStep::Key);
        let key = "registry".to_owned();
        // The log's own check of the key has been made above: this transaction changes it.
        self.commit_rekeyed(tx, Act::KeyRotated { key }).await
    }

    async fn reseal_pool(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        let rows = tx
            .fetch("select id, identity, sealed from contact_point", vec![])
            .await?;
        for row in rows {
            let id = row.int(0)?;
            let place = pool::place(&row.bytes(1)?);
            let plain = self.vault.open(&place, &row.bytes(2)?)?;
            let point: ContactPoint =
                serde_json::from_slice(&plain).map_err(|_| Error::Damaged(place))?;
            let identity = new.tag(point.kind().name(), &point.identity());
            let sealed = new.seal(&pool::place(&identity), &plain)?;
            tx.execute(
                "update contact_point set identity = $1, sealed = $2 where id = $3",
                vec![identity.into(), sealed.into(), id.into()],
            )
            .await?;
            tx.touch(Table::ContactPoint, id);
        }
        Ok(())
    }

    async fn reseal_sources(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        let rows = tx.fetch("select name, sealed from source", vec![]).await?;
        for row in rows {
            let name = row.text(0)?;
            let sealed = self.anew(new, &sources::place(&name), &row.bytes(1)?)?;
            tx.execute(
                "update source set sealed = $1 where name = $2",
                vec![sealed.into(), name.as_str().into()],
            )
            .await?;
            tx.touch(Table::Source, name);
        }
        let rows = tx
            .fetch(
                "select source, sealed from source_key where sealed is not null",
                vec![],
            )
            .await?;
        for row in rows {
            let name = row.text(0)?;
            let sealed = self.anew(new, &source_keys::place(&name), &row.bytes(1)?)?;
            tx.execute(
                "update source_key set sealed = $1 where source = $2",
                vec![sealed.into(), name.as_str().into()],
            )
            .await?;
            tx.touch(Table::SourceKey, name);
        }
        Ok(())
    }

    async fn retag_canaries(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        // The keys that they open with have just been wrapped anew.
        let renewed = Registry {
            vault: std::sync::Arc::new(new.clone()),
            ..self.clone()
        };
        for canary in renewed.canaries_in(tx, None).await? {
            let id = canary.id.as_str();
            tx.execute("delete from canary_mark where canary = $1", vec![id.into()])
                .await?;
            // Those of every version: a letter may still go to where it was.
            let all = canary.all_details();
            for details in all {
                note_marks(tx, new, &canary.id, &details.household).await?;
            }
            tx.touch(Table::CanaryMark, id);
        }
        Ok(())
    }

    /// One by one: a message may be as large as a mail can be.
    async fn reseal_messages(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        for row in tx.fetch("select id from message", vec![]).await? {
            let id = row.int(0)?;
            let rows = tx
                .fetch(
                    "select envelope, raw from message where id = $1",
                    vec![id.into()],
                )
                .await?;
            let Some(row) = rows.first() else { continue };
            let envelope = self.anew(new, receiving::ENVELOPE, &row.bytes(0)?)?;
            let raw = self.anew(new, receiving::RAW, &row.bytes(1)?)?;
            tx.execute(
                "update message set envelope = $1, raw = $2 where id = $3",
                vec![envelope.into(), raw.into(), id.into()],
            )
            .await?;
            tx.touch(Table::Message, id);
        }
        Ok(())
    }

    async fn reseal_sightings(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        for row in tx.fetch("select id, actor from sighting", vec![]).await? {
            let id = row.int(0)?;
            let actor = self.anew(new, "actor", &row.bytes(1)?)?;
            tx.execute(
                "update sighting set actor = $1 where id = $2",
                vec![actor.into(), id.into()],
            )
            .await?;
            tx.touch(Table::Sighting, id);
        }
        Ok(())
    }

    async fn reseal_notes(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        let sql = "select id, incident, sealed from incident_note";
        for row in tx.fetch(sql, vec![]).await? {
            let (id, place) = (row.int(0)?, notes::place(row.int(1)?));
            let sealed = self.anew(new, &place, &row.bytes(2)?)?;
            let sql = "update incident_note set sealed = $1 where id = $2";
            tx.execute(sql, vec![sealed.into(), id.into()]).await?;
            tx.touch(Table::IncidentNote, id);
        }
        Ok(())
    }

    async fn reseal_profiles(&self, tx: &mut Tx, new: &Vault) -> Result<()> {
        let sql = "select source, sealed from source_profile";
        for row in tx.fetch(sql, vec![]).await? {
            let source = row.text(0)?;
            let sealed = self.anew(new, &profiles::place(&source), &row.bytes(1)?)?;
            let sql = "update source_profile set sealed = $1 where source = $2";
            tx.execute(sql, vec![sealed.into(), source.as_str().into()])
                .await?;
            tx.touch(Table::SourceProfile, source);
        }
        Ok(())
    }

    fn anew(&self, new: &Vault, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        new.seal(place, &self.vault.open(place, sealed)?)
    }
}
