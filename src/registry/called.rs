//! Which of our numbers was called, when and by whom: what a number's background is counted by, and what
//! calls are judged by, without opening what was said.

use super::marks::folded;
use super::receiving::{ENVELOPE, recipients};
use super::store::Tx;
use super::witness::Table;
use super::{Error, Mark, NewSighting, Registry, Result};
use crate::canary::{Actor, Channel, ContactKind, SightingKind};
use crate::evidence::Act;
use crate::notation::phone_key;

/// What Twilio says of a caller who hides, as it is typed on a telephone's keys: anonymous, restricted,
/// blocked, unknown, unavailable.
const HIDDEN: [&str; 5] = [
    "+266696687",
    "+7378742833",
    "+2562533",
    "+8656696",
    "+86282452253",
];
/// Older calls looked at in one transaction.
const AT_A_TIME: u32 = 1_000;

/// A call or a text message that is settled.
pub(super) struct Call<'a> {
    pub(super) message: i64,
    pub(super) at: i64,
    pub(super) channel: Channel,
    pub(super) sightings: &'a [NewSighting],
    /// Whether a drill has made it.
    pub(super) drill: bool,
}

impl Registry {
    /// Whether a telephone number, however it is spelt, is in the pool.
    ///
    /// # Errors
    /// The store fails.
    pub async fn owns_number(&self, number: &str) -> Result<bool> {
        let Some(identity) = self.number_identity(number) else {
            return Ok(false);
        };
        let sql = "select id from contact_point where identity = $1";
        let rows = self.store.fetch(sql, vec![identity.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// By what the pool knows a number.
    fn number_identity(&self, number: &str) -> Option<Vec<u8>> {
        let number = folded(Mark::Phone, number)?;
        Some(self.vault.tag(ContactKind::Phone.name(), &number))
    }

    /// Notes which number of the pool a call came to; gives the number's place in the pool. What is no call, a
    /// drill's own and what only tells more of another call are none.
    pub(super) async fn note_call(&self, tx: &mut Tx, call: &Call<'_>) -> Result<Option<i64>> {
        let contact = call
            .sightings
            .iter()
            .find(|one| !call.drill || one.kind != SightingKind::Drill);
        let Some(contact) =
            contact.filter(|_| matches!(call.channel, Channel::Phone | Channel::Sms))
        else {
            return Ok(None);
        };
        let sql = "select envelope from message where id = $1";
        let rows = tx.fetch(sql, vec![call.message.into()]).await?;
        let row = (rows.first()).ok_or_else(|| Error::Damaged("message".to_owned()))?;
        let envelope = self.vault.open(ENVELOPE, &row.bytes(0)?)?;
        let Some(point) = self.point_called(tx, &recipients(&envelope)?).await? else {
            return Ok(None);
        };
        let sql =
            "insert into called (message, point, caller, at, named) values ($1, $2, $3, $4, $5)";
        let values = vec![
            call.message.into(),
            point.into(),
            self.caller_tag(&contact.actor.from).into(),
            call.at.into(),
            contact.actor.named.map_or(0, |named| named as i64).into(),
        ];
        tx.execute(sql, values).await?;
        tx.touch(Table::Called, call.message);
        Ok(Some(point))
    }

    /// The place in the pool of the first of these numbers that is in it.
    async fn point_called(&self, tx: &mut Tx, numbers: &[String]) -> Result<Option<i64>> {
        for number in numbers {
            let Some(identity) = self.number_identity(number) else {
                continue;
            };
            let sql = "select id from contact_point where identity = $1";
            let rows = tx.fetch(sql, vec![identity.into()]).await?;
            if let Some(row) = rows.first() {
                return Ok(Some(row.int(0)?));
            }
        }
        Ok(None)
    }

    /// What a caller is told apart by; empty for all who hide.
    fn caller_tag(&self, from: &str) -> Vec<u8> {
        let number = phone_key(from, None).filter(|number| !HIDDEN.contains(&number.as_str()));
        let tag = number.map(|number| self.vault.lasting_tag("caller", &number));
        tag.unwrap_or_default()
    }

    /// Notes the calls of before they were noted.
    pub(super) async fn note_older_calls(&self) -> Result<()> {
        let waiting = "select 1 from called where caller is null limit 1";
        while !self.store.fetch(waiting, vec![]).await?.is_empty() {
            let mut tx = self.store.begin().await?;
            if tx.locks_rows() {
                let alone = "lock table called in share row exclusive mode";
                tx.execute(alone, vec![]).await?;
            }
            let rows = tx
                .fetch(
                    "select called.message, message.envelope,
                            (select sighting.actor from sighting where sighting.message = message.id
                             order by sighting.id limit 1)
                     from called join message on message.id = called.message
                     where called.caller is null order by called.message limit $1",
                    vec![AT_A_TIME.into()],
                )
                .await?;
            let mut calls = 0;
            for row in &rows {
                let message = row.int(0)?;
                let envelope = self.vault.open(ENVELOPE, &row.bytes(1)?)?;
                let actor = self.vault.open("actor", &row.bytes(2)?)?;
                let actor: Actor = serde_json::from_slice(&actor)
                    .map_err(|_| Error::Damaged(format!("a sighting of message {message}")))?;
                match self.point_called(&mut tx, &recipients(&envelope)?).await? {
                    Some(point) => {
                        let sql = "update called set point = $1, caller = $2 where message = $3";
                        let caller = self.caller_tag(&actor.from);
                        let values = vec![point.into(), caller.into(), message.into()];
                        tx.execute(sql, values).await?;
                        tx.touch(Table::Called, message);
                        calls += 1;
                    }
                    None => {
                        let sql = "delete from called where message = $1";
                        tx.execute(sql, vec![message.into()]).await?;
                    }
                }
            }
            if rows.is_empty() {
                // Another process was faster.
                return Ok(());
            }
            self.commit(tx, Act::CallsNoted { calls }).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::{Accepted, MasterKey, NewMessage};
    use super::*;
    use crate::canary::ContactPoint;

    /// A registry that is older than the table knows its calls as soon as it is opened.
    #[tokio::test]
    async fn calls_of_an_older_registry_are_noted() {
        let home = tempfile::tempdir().unwrap();
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", home.path(), &key);
        let registry = registry.await.unwrap();
        let now = OffsetDateTime::now_utc();
        let point = ContactPoint::Phone("03-0123-4567".parse().unwrap());
        let added = registry.add_contact_points(&[(point, None)], now).await;
        assert_eq!(added.unwrap().added, 1);
        let call = |to: &str, from: &str| {
            let message = NewMessage {
                at: now,
                channel: Channel::Phone,
                envelope: "{}".to_owned(),
                recipients: vec![to.to_owned()],
                raw: Vec::new(),
                same_as: None,
            };
            let stray = NewSighting {
                source: None,
                canary: None,
                batch: None,
                kind: SightingKind::Noise,
                actor: Actor {
                    from: from.to_owned(),
                    ..Actor::default()
                },
                network: None,
            };
            (message, stray)
        };
        for (to, from) in [
            ("03-0123-4567", "03-0123-9999"),
            ("+81 3 0123 4567", "anonymous"),
            ("03-0123-4568", "03-0123-9999"),
        ] {
            let (message, stray) = call(to, from);
            let accepted = registry.accept(&[message]).await.unwrap();
            let [Accepted::New(id)] = accepted[..] else {
                panic!("{accepted:?}");
            };
            registry.settle(id, &[stray]).await.unwrap().unwrap();
        }
        let noted = async |registry: &Registry| {
            let sql = "select message, point, caller from called order by message";
            let rows = registry.store.fetch(sql, vec![]).await.unwrap();
            let read = |row: &super::super::store::Row| {
                let caller = row.bytes_or_null(2).unwrap();
                (row.int(0).unwrap(), row.int_or_null(1).unwrap(), caller)
            };
            rows.iter().map(read).collect::<Vec<_>>()
        };
        let at_once = noted(&registry).await;
        assert_eq!(at_once.len(), 2, "no number of ours has no row");
        assert!(at_once[1].2.as_ref().is_some_and(Vec::is_empty), "hidden");
        let mut tx = registry.store.begin().await.unwrap();
        for sql in [
            "update called set point = null, caller = null",
            "insert into called (message, at) values (3, 1)",
        ] {
            tx.execute(sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let again = Registry::open("sqlite:registry.db", home.path(), &key);
        let again = again.await.unwrap();
        assert_eq!(noted(&again).await, at_once);
    }
}
