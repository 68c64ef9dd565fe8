//! Messages into the store. Those that come at the same time share a transaction, and with it the wait for the disk.

use std::collections::{HashMap, HashSet};

use super::receiving::{ENVELOPE, RAW, envelope_text};
use super::several::Insert;
use super::store::{Tx, Value};
use super::witness::Table;
use super::{Accepted, Error, NewMessage, Registry, Result, micros};
use crate::evidence::{Act, message_hash};

const MESSAGES: Insert = Insert {
    into: "insert into message (at, channel, same_as, envelope, raw)",
    columns: 5,
    then: "on conflict (same_as) do update set repeats = message.repeats + 1
           returning id, repeats, same_as, envelope",
};

impl Registry {
    /// Stores messages durably, all or none; when this returns, a power cut loses none of them.
    ///
    /// # Errors
    /// The store fails; then none was stored.
    pub async fn accept(&self, messages: &[NewMessage]) -> Result<Vec<Accepted>> {
        let same_as: Vec<Option<Vec<u8>>> = messages
            .iter()
            .map(|message| {
                let text = message.same_as.as_deref()?;
                Some(self.vault.lasting_tag("same_as", text))
            })
            .collect();
        let envelopes: Vec<Vec<u8>> = messages
            .iter()
            .map(|message| envelope_text(&message.envelope, &message.recipients))
            .collect();
        let mut tx = self.store.begin().await?;
        let mut accepted: Vec<Option<Accepted>> = vec![None; messages.len()];
        let mut left: Vec<usize> = (0..messages.len()).collect();
        while !left.is_empty() {
            // One statement writes no row twice: the copy of a mail comes behind the mail.
            let mut first = HashSet::new();
            let alone = |&at: &usize| match &same_as[at] {
                Some(tag) => first.insert(tag.clone()),
                None => true,
            };
            let (now, later) = left.into_iter().partition(alone);
            let now: Vec<usize> = now;
            let mut rows = Vec::with_capacity(now.len());
            for &at in &now {
                let message = &messages[at];
                rows.push(vec![
                    micros(message.at).into(),
                    message.channel.name().into(),
                    same_as[at].clone().into(),
                    self.vault.seal(ENVELOPE, &envelopes[at])?.into(),
                    self.vault.seal(RAW, &message.raw)?.into(),
                ]);
            }
            insert(&mut tx, &now, rows, &mut accepted).await?;
            left = later;
        }
        let damaged = || Error::Damaged("message".to_owned());
        let accepted: Option<Vec<Accepted>> = accepted.into_iter().collect();
        let accepted = accepted.ok_or_else(damaged)?;
        let hashes = messages.iter().zip(&envelopes).zip(&accepted);
        let hashes = hashes.map(|((message, envelope), accepted)| {
            let (Accepted::New(id) | Accepted::Repeat(id)) = *accepted;
            let hash = message_hash(&self.raw_salt(id), envelope, &message.raw);
            (id, hash)
        });
        let act = Act::MessagesAccepted {
            messages: hashes.collect(),
        };
        self.commit(tx, act).await?;
        Ok(accepted)
    }
}

/// Puts messages in, of which no two are the same; notes under their places what they are.
async fn insert(
    tx: &mut Tx,
    places: &[usize],
    rows: Vec<Vec<Value>>,
    accepted: &mut [Option<Accepted>],
) -> Result<()> {
    // Rows come back in any order: a new one is told by its envelope, whose seal is random, and one that was there
    // by what makes it the same.
    let mut news = HashMap::with_capacity(rows.len());
    let mut known = HashMap::new();
    for (&place, row) in places.iter().zip(&rows) {
        if let [at, channel, same_as, envelope, raw] = &row[..] {
            if let Value::Bytes(Some(tag)) = same_as {
                known.insert(tag.clone(), place);
            }
            if let Value::Bytes(Some(sealed)) = envelope {
                let none = Value::Int(Some(0));
                let written = [at, channel, same_as, &none, envelope, raw, &none];
                let sha256 = Table::Message.hash_written(written);
                news.insert(sealed.clone(), (place, sha256));
            }
        }
    }
    for row in &tx.insert_rows(&MESSAGES, rows).await? {
        let id = row.int(0)?;
        let damaged = || Error::Damaged(format!("message {id}"));
        if row.int(1)? == 0 {
            let (place, sha256) = news.remove(&row.bytes(3)?).ok_or_else(damaged)?;
            accepted[place] = Some(Accepted::New(id));
            tx.touch_known(Table::Message, id, sha256);
        } else {
            let tag = row.bytes_or_null(2)?.ok_or_else(damaged)?;
            let place = known.remove(&tag).ok_or_else(damaged)?;
            accepted[place] = Some(Accepted::Repeat(id));
            tx.touch(Table::Message, id);
        }
    }
    Ok(())
}
