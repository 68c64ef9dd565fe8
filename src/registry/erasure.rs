//! Destroying the contents of messages, and keeping what can still prove them.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use super::letters::letter_identity;
use super::receiving::{ENVELOPE, RAW, envelope_text};
use super::store::{Row, Tx};
use super::witness::Table;
use super::{Error, Message, Registry, Result, from_micros, micros};
use crate::canary::{Actor, Channel};
use crate::evidence::{Act, Entry, ErasedMessage, content_hash};

/// By which rule a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It reached no canary, or is a call that agreed with no other and is too old for an incident that opens now.
    Noise,
    /// It was expected, or a drill.
    Expected,
    /// Every incident that it belongs to is closed.
    Closed,
}

impl Rule {
    /// The rule's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Noise => "noise",
            Rule::Expected => "expected",
            Rule::Closed => "closed",
        }
    }
}

/// A message that a rule says may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasable {
    /// Its registry number.
    pub message: i64,
    /// Its length as it is stored.
    pub bytes: u64,
}

/// What became of messages that were to be erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Those that are.
    pub messages: Vec<Erasable>,
    /// Registry numbers of those that do not open, which stay.
    pub damaged: Vec<i64>,
}

impl Registry {
    /// Settled messages that a rule says may go `now`: they came before `before`, or their last incident was closed
    /// before then.
    ///
    /// # Errors
    /// The store fails.
    pub async fn erasable(
        &self,
        rule: Rule,
        before: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Vec<Erasable>> {
        let mut values = vec![micros(before).into()];
        let sql = match rule {
            // A letter without a sighting is photographs that wait for somebody to say what is on them, and a stray
            // call of a source waits for an incident that it is close to. What belongs to a call (its recording) has no
            // sighting either: it stays as long as any incident may be the call's. A lone check of an address is nobody's.
            Rule::Noise => {
                values.push(micros(now).saturating_sub(self.quiet).into());
                "select message.id, cast(length(message.raw) as bigint) from message
                 where message.settled = 1 and message.at < $1
                   and (message.channel not in ('post', 'phone', 'sms')
                        or exists (select 1 from sighting where sighting.message = message.id)
                        or message.channel <> 'post'
                           and not exists (select 1 from incident where state <> 'closed'))
                   and not exists (select 1 from sighting where sighting.message = message.id
                                   and (incident is not null
                                        or kind not in ('noise', 'probe')
                                           and not (kind = 'alarm' and channel in ('phone', 'sms')
                                                    and (source is null or at < $2))))
                   and not exists (select 1 from erasure where erasure.message = message.id)
                 order by message.id"
            }
            Rule::Expected => {
                "select message.id, cast(length(message.raw) as bigint) from message
                 where message.settled = 1 and message.at < $1
                   and exists (select 1 from sighting where sighting.message = message.id
                               and kind in ('expected', 'drill'))
                   and not exists (select 1 from sighting where sighting.message = message.id
                                   and (kind not in ('noise', 'expected', 'drill')
                                        or incident is not null))
                   and not exists (select 1 from erasure where erasure.message = message.id)
                 order by message.id"
            }
            Rule::Closed => return self.of_closed(before).await,
        };
        let rows = self.store.fetch(sql, values).await?;
        let due: Result<Vec<Erasable>> = rows.iter().map(erasable).collect();
        self.with_photographs(rule, due?).await
    }

    /// The photographs of which a letter was made go with it: they are the same pictures.
    async fn with_photographs(&self, rule: Rule, mut due: Vec<Erasable>) -> Result<Vec<Erasable>> {
        let going: HashSet<i64> = due.iter().map(|one| one.message).collect();
        let sql = "select message.same_as, message.id, erasure.rule from message
                   left join erasure on erasure.message = message.id
                   where message.channel = 'post' and message.same_as is not null";
        let mut letters = HashSet::new();
        for row in &self.store.fetch(sql, vec![]).await? {
            let gone = row.text_or_null(2)?.is_some_and(|by| by == rule.name());
            if gone || going.contains(&row.int(1)?) {
                letters.insert(row.bytes(0)?);
            }
        }
        let sql = "select message.id, cast(length(message.raw) as bigint) from message
                   where message.channel = 'post' and message.settled = 1
                     and not exists (select 1 from sighting where sighting.message = message.id)
                     and not exists (select 1 from erasure where erasure.message = message.id)";
        for row in &self.store.fetch(sql, vec![]).await? {
            let photographs = erasable(row)?;
            let letter = letter_identity(photographs.message);
            if letters.contains(&self.vault.lasting_tag("same_as", &letter)) {
                due.push(photographs);
            }
        }
        due.sort_unstable_by_key(|one| one.message);
        Ok(due)
    }

    async fn of_closed(&self, before: OffsetDateTime) -> Result<Vec<Erasable>> {
        let closed = self.incidents_closed().await?;
        let sql = "select message.id, cast(length(message.raw) as bigint), sighting.incident
                   from message join sighting on sighting.message = message.id
                   where message.settled = 1 and message.at < $1 and sighting.incident is not null
                     and not exists (select 1 from sighting as other
                                     join incident on incident.id = other.incident
                                     where other.message = message.id and incident.state <> 'closed')
                     and not exists (select 1 from erasure where erasure.message = message.id)
                   order by message.id";
        let mut found: Vec<(Erasable, bool)> = Vec::new();
        for row in self.store.fetch(sql, vec![micros(before).into()]).await? {
            let long = closed.get(&row.int(2)?).is_some_and(|at| *at < before);
            let message = erasable(&row)?;
            match found.last_mut() {
                Some((last, all)) if last.message == message.message => *all &= long,
                _ => found.push((message, long)),
            }
        }
        found.retain(|(_, long)| *long);
        let found = found.into_iter().map(|(message, _)| message);
        self.with_photographs(Rule::Closed, found.collect()).await
    }

    /// When each incident was closed, as the log says.
    async fn incidents_closed(&self) -> Result<HashMap<i64, OffsetDateTime>> {
        let sql = "select entry from evidence where entry like '%\"act\":\"incident_changed\"%'";
        let mut closed = HashMap::new();
        for row in self.store.fetch(sql, vec![]).await? {
            let Ok(entry) = serde_json::from_str::<Entry>(&row.text(0)?) else {
                continue;
            };
            if let Act::IncidentChanged {
                incident, state, ..
            } = entry.act
                && state == "closed"
            {
                closed.insert(incident, entry.at);
            }
        }
        Ok(closed)
    }

    /// Destroys the contents of messages that a rule lets go; those that another process has erased in the
    /// meantime are left out of what is returned. A message that does not open is left as it is: no hash
    /// could stand for it.
    ///
    /// # Errors
    /// The store fails; then none of them was erased.
    pub async fn erase(
        &self,
        rule: Rule,
        messages: &[Erasable],
        at: OffsetDateTime,
    ) -> Result<Erased> {
        let mut tx = self.store.begin().await?;
        let mut erased = Erased::default();
        let mut hashes = Vec::new();
        for erasable in messages {
            let id = erasable.message;
            let sql = "select id, at, channel, envelope, raw from message where id = $1";
            let rows = tx.fetch(sql, vec![id.into()]).await?;
            let Some(row) = rows.first() else { continue };
            let Ok(message) = self.read_message(row) else {
                erased.damaged.push(id);
                continue;
            };
            if let Some(hash) = self.erase_one(&mut tx, rule, message, at).await? {
                erased.messages.push(*erasable);
                hashes.push(hash);
            }
        }
        if !hashes.is_empty() {
            let act = Act::MessagesErased {
                rule: rule.name().to_owned(),
                messages: hashes,
            };
            self.commit(tx, act).await?;
        }
        Ok(erased)
    }

    async fn erase_one(
        &self,
        tx: &mut Tx,
        rule: Rule,
        message: Message,
        at: OffsetDateTime,
    ) -> Result<Option<ErasedMessage>> {
        let id = message.id;
        let salt = self.raw_salt(id);
        let envelope = envelope_text(&message.envelope, &message.recipients);
        let hash = ErasedMessage {
            message: id,
            envelope: content_hash(&salt, &envelope),
            raw: content_hash(&salt, &message.raw),
        };
        let sql = "insert into erasure (message, at, rule, bytes, envelope_hash, raw_hash)
                   values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
        let values = vec![
            id.into(),
            micros(at).into(),
            rule.name().into(),
            i64::try_from(message.raw.len()).unwrap_or(i64::MAX).into(),
            hash.envelope.as_str().into(),
            hash.raw.as_str().into(),
        ];
        if tx.execute(sql, values).await? == 0 {
            return Ok(None);
        }
        tx.touch(Table::Erasure, id);
        // Which of our own numbers was called, a person may want to see still.
        let numbers = match message.channel {
            Channel::Phone | Channel::Sms => message.recipients.as_slice(),
            _ => &[],
        };
        let sql = "update message set envelope = $1, raw = $2 where id = $3";
        let nothing = vec![
            self.vault
                .seal(ENVELOPE, &envelope_text("{}", numbers))?
                .into(),
            self.vault.seal(RAW, b"")?.into(),
            id.into(),
        ];
        tx.execute(sql, nothing).await?;
        tx.touch(Table::Message, id);
        if rule != Rule::Closed {
            // Who wrote to nobody is nobody's evidence.
            let nobody = serde_json::to_vec(&Actor::default())
                .map_err(|_| Error::Damaged("actor".to_owned()))?;
            let sql = "update sighting set actor = $1 where message = $2 returning id";
            let values = vec![self.vault.seal("actor", &nobody)?.into(), id.into()];
            for row in tx.fetch(sql, values).await? {
                tx.touch(Table::Sighting, row.int(0)?);
            }
        }
        Ok(Some(hash))
    }

    /// When a message's content was erased, and by which rule.
    ///
    /// # Errors
    /// The store fails.
    pub async fn erased(&self, message: i64) -> Result<Option<(OffsetDateTime, String)>> {
        let sql = "select at, rule from erasure where message = $1";
        let rows = self.store.fetch(sql, vec![message.into()]).await?;
        let read = |row: &Row| Ok((from_micros(row.int(0)?, "erasure")?, row.text(1)?));
        rows.first().map(read).transpose()
    }

    /// Has what was erased overwritten where it lies, as far as that holds nobody up.
    ///
    /// # Errors
    /// The store fails.
    pub async fn overwrite_erased(&self) -> Result<()> {
        self.store.settle_file().await
    }
}

fn erasable(row: &Row) -> Result<Erasable> {
    Ok(Erasable {
        message: row.int(0)?,
        bytes: u64::try_from(row.int(1)?).unwrap_or_default(),
    })
}
