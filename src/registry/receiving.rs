//! Messages, and the sightings that come of them.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::agreeing::begin_with_calls;
use super::called::Call;
use super::drills;
use super::joining::{alone, incident_of, join_incident, join_stray};
use super::judging::{Question, ROUNDS};
use super::probes;
use super::several::{Among, Insert};
use super::store::{Row, Touched, Tx, Value};
use super::witness::Table;
use super::{Error, Message, NewSighting, Registry, Result, SightingFilter, from_micros, micros};
use crate::canary::{BatchId, Channel, Sighting, SightingKind, SourceName};
use crate::evidence::{Act, hex};

pub(super) const ENVELOPE: &str = "message envelope";
pub(super) const RAW: &str = "message raw";

const UNSETTLED: Among = Among {
    before: "select id, at, channel, envelope, raw from message where settled = 0 and id in",
    first: 0,
    then: "order by id",
};
const IN_ORDER: Among = Among {
    before: "select id from message where id in",
    first: 0,
    then: "order by id for update",
};
/// Behind the watched columns, the number.
const CLAIM: Among = Among {
    before: "update message set settled = 1 where settled = 0 and id in",
    first: 0,
    then: "returning at, channel, same_as, repeats, envelope, raw, settled, id",
};
/// The watched columns.
const SIGHTINGS: Insert = Insert {
    into: "insert into sighting (message, at, channel, kind, source, batch, canary, actor, incident)",
    columns: 9,
    then: "returning id, actor",
};
/// Where the sealed actor stands among them.
const ACTOR: usize = 7;

#[derive(Serialize, Deserialize)]
struct Envelope {
    envelope: String,
    recipients: Vec<String>,
}

/// A message's envelope and recipients as they are stored and hashed: JSON.
pub fn envelope_text(envelope: &str, recipients: &[String]) -> Vec<u8> {
    let envelope = Envelope {
        envelope: envelope.to_owned(),
        recipients: recipients.to_vec(),
    };
    serde_json::to_vec(&envelope).expect("texts are JSON")
}

/// The recipients in a message's envelope as it was sealed.
pub(super) fn recipients(envelope: &[u8]) -> Result<Vec<String>> {
    let envelope: Envelope = serde_json::from_slice(envelope)
        .map_err(|_| Error::Damaged("a message's envelope".to_owned()))?;
    Ok(envelope.recipients)
}

impl Registry {
    /// What stands before a message when the log hashes it ([`message_hash`](crate::evidence::message_hash)), in hexadecimal. Whoever is
    /// handed the message is handed this too, and can compare.
    pub fn raw_salt(&self, message: i64) -> String {
        hex(&self.vault.lasting_tag("raw salt", &message.to_string()))
    }

    /// The key of the hashes by which a source's canaries are kept out of billing and the like. It stays the
    /// same when the registry's key is changed, so that a filter can be brought up to date.
    pub fn suppression_key(&self, source: &SourceName) -> [u8; 32] {
        let tag = self.vault.lasting_tag("suppression", source.as_str());
        tag.try_into().expect("HMAC-SHA256 gives 32 bytes")
    }

    /// Stored messages that nobody has settled yet, oldest first.
    ///
    /// # Errors
    /// The store fails, or a message does not open.
    pub async fn unsettled(&self, limit: u32) -> Result<Vec<Message>> {
        self.unsettled_but(&HashSet::new(), limit, u64::MAX).await
    }

    /// The same without some of them, and no more than have so many bytes together; but one in any case.
    ///
    /// # Errors
    /// See [`Registry::unsettled`].
    pub async fn unsettled_but(
        &self,
        without: &HashSet<i64>,
        limit: u32,
        bytes: u64,
    ) -> Result<Vec<Message>> {
        loop {
            let ids = self.unsettled_ids(without, limit, bytes).await?;
            let rows = self.store.fetch_among(&UNSETTLED, Vec::new, &ids).await?;
            // Somebody else may have settled all of these in between, which says nothing of those behind them.
            if !rows.is_empty() || ids.is_empty() {
                return rows.iter().map(|row| self.read_message(row)).collect();
            }
        }
    }

    async fn unsettled_ids(
        &self,
        without: &HashSet<i64>,
        limit: u32,
        bytes: u64,
    ) -> Result<Vec<i64>> {
        let seen = u32::try_from(without.len()).unwrap_or(u32::MAX);
        let sql = "select id, cast(length(raw) as bigint) from message where settled = 0 order by id limit $1";
        let rows = self
            .store
            .fetch(sql, vec![limit.saturating_add(seen).into()])
            .await?;
        let (mut ids, mut together) = (Vec::new(), 0_u64);
        for row in &rows {
            let (id, size) = (row.int(0)?, size(row.int(1)?));
            if without.contains(&id) {
                continue;
            }
            together = together.saturating_add(size);
            if ids.len() >= limit as usize || (together > bytes && !ids.is_empty()) {
                break;
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// How many stored messages nobody has settled yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unsettled_count(&self) -> Result<u64> {
        let sql = "select count(*) from message where settled = 0";
        let rows = self.store.fetch(sql, vec![]).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        u64::try_from(count).map_err(|_| Error::Damaged("message".to_owned()))
    }

    /// One stored message, for whoever examines a sighting; `None` if there is none, or its content was
    /// erased.
    ///
    /// # Errors
    /// The store fails, or the message does not open.
    pub async fn message(&self, id: i64) -> Result<Option<Message>> {
        let rows = self
            .store
            .fetch(
                "select id, at, channel, envelope, raw from message
                 where id = $1 and not exists (select 1 from erasure where message = $1)",
                vec![id.into()],
            )
            .await?;
        rows.first().map(|row| self.read_message(row)).transpose()
    }

    pub(super) fn read_message(&self, row: &Row) -> Result<Message> {
        let id = row.int(0)?;
        let damaged = || Error::Damaged(format!("message {id}"));
        let envelope = self.vault.open(ENVELOPE, &row.bytes(3)?)?;
        let envelope: Envelope = serde_json::from_slice(&envelope).map_err(|_| damaged())?;
        Ok(Message {
            id,
            at: from_micros(row.int(1)?, "message")?,
            channel: Channel::from_name(&row.text(2)?).ok_or_else(damaged)?,
            envelope: envelope.envelope,
            recipients: envelope.recipients,
            raw: self.vault.open(RAW, &row.bytes(4)?)?.to_vec(),
        })
    }

    /// In one transaction: stores a message's sightings, joins each alarm, and each recipient check by a
    /// network that has checked several canaries, to the incident of its source that it belongs to,
    /// queues one alert per incident touched, and marks the message settled. A message settled by somebody else in the meantime is left alone (`None`).
    ///
    /// # Errors
    /// The store fails; then the message stays unsettled.
    pub async fn settle(
        &self,
        message: i64,
        sightings: &[NewSighting],
    ) -> Result<Option<Vec<Sighting>>> {
        self.settle_drill(message, sightings, None).await
    }

    /// The same for a message that brings a drill's token. If it is the first that does, its sightings of
    /// kind `Drill` are that drill; if not, they are alarms.
    ///
    /// # Errors
    /// See [`Registry::settle`].
    pub async fn settle_drill(
        &self,
        message: i64,
        sightings: &[NewSighting],
        drill: Option<i64>,
    ) -> Result<Option<Vec<Sighting>>> {
        let mut round = 0;
        loop {
            let tx = self.begin_round(&mut round).await?;
            match self.settle_in(tx, message, sightings, drill).await? {
                Settled::Done(settled) => return Ok(settled),
                Settled::Asks(questions) => self.judgements.answer_all(questions).await,
            }
        }
    }

    /// A transaction that is given up where it has to ask what calls say, but for the last round.
    pub(super) async fn begin_round(&self, round: &mut usize) -> Result<Tx> {
        let mut tx = self.store.begin().await?;
        tx.last_round = *round >= ROUNDS;
        *round += 1;
        Ok(tx)
    }

    pub(super) async fn settle_in(
        &self,
        mut tx: Tx,
        message: i64,
        sightings: &[NewSighting],
        drill: Option<i64>,
    ) -> Result<Settled<Option<Vec<Sighting>>>> {
        let Some(claimed) = claim(&mut tx, &[message]).await?.remove(&message) else {
            return Ok(Settled::Done(None));
        };
        let drill = match drill {
            Some(id) => drills::claim(&mut tx, id, claimed.at).await?.then_some(id),
            None => None,
        };
        let (stored, act) = self
            .store_sightings(&mut tx, &claimed, sightings, drill.is_some())
            .await?;
        if !tx.questions.is_empty() {
            return Ok(Settled::Asks(tx.give_up().await?));
        }
        let Some(drill) = drill else {
            self.commit(tx, act).await?;
            return Ok(Settled::Done(Some(stored)));
        };
        let now = OffsetDateTime::now_utc();
        self.append(&mut tx, act, now, true).await?;
        let seen = stored.iter().find(|s| s.kind == SightingKind::Drill);
        let seen = seen.map(|sighting| sighting.id);
        let late = drills::seen(&mut tx, drill, seen, micros(now)).await?;
        let act = Act::DrillSeen { drill, message };
        match late {
            None => self.commit(tx, act).await?,
            Some(why) => {
                self.append(&mut tx, act, now, true).await?;
                self.commit(tx, drills::failed(drill, &why)).await?;
            }
        }
        Ok(Settled::Done(Some(stored)))
    }

    /// Settles several messages that bring no drill in one transaction, all or none of those that nobody
    /// else has settled: many that come at once cost little more than one. The numbers of those that this
    /// call has settled.
    ///
    /// # Errors
    /// The store fails; then all of them stay unsettled.
    pub async fn settle_all(&self, settlements: &[(i64, Vec<NewSighting>)]) -> Result<Vec<i64>> {
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        let mut round = 0;
        loop {
            let tx = self.begin_round(&mut round).await?;
            match self.settle_all_in(tx, settlements).await? {
                Settled::Done(settled) => return Ok(settled),
                Settled::Asks(questions) => self.judgements.answer_all(questions).await,
            }
        }
    }

    async fn settle_all_in(
        &self,
        mut tx: Tx,
        settlements: &[(i64, Vec<NewSighting>)],
    ) -> Result<Settled<Vec<i64>>> {
        let numbers: Vec<i64> = settlements.iter().map(|(message, _)| *message).collect();
        let mut ours = claim(&mut tx, &numbers).await?;
        let mut claimed = Vec::with_capacity(settlements.len());
        for (message, sightings) in settlements {
            if let Some(message) = ours.remove(message) {
                claimed.push((message, sightings));
            }
        }
        // Two receivers that settle at once lock messages by their numbers, then all incidents.
        let source = |sightings: &[NewSighting]| sightings.iter().find_map(|s| s.source.clone());
        claimed.sort_by_cached_key(|(_, sightings)| source(sightings));
        if claimed.is_empty() {
            return Ok(Settled::Done(Vec::new()));
        }
        let settled = claimed.iter().map(|(one, _)| one.message).collect();
        let (strays, others): (Vec<_>, Vec<_>) = claimed
            .into_iter()
            .partition(|(message, sightings)| message.strays(sightings));
        let mut acts = self.store_strays(&mut tx, &strays).await?;
        for (message, sightings) in &others {
            let stored = self.store_sightings(&mut tx, message, sightings, false);
            let (_, act) = stored.await?;
            acts.push((act, std::mem::take(&mut tx.touched)));
        }
        if !tx.questions.is_empty() {
            return Ok(Settled::Asks(tx.give_up().await?));
        }
        self.append_all(&mut tx, acts, OffsetDateTime::now_utc(), true)
            .await?;
        tx.commit().await?;
        Ok(Settled::Done(settled))
    }

    /// Stores what messages have become that point at no source; the acts for the log, and what each has written.
    async fn store_strays(
        &self,
        tx: &mut Tx,
        claimed: &[(Claimed, &Vec<NewSighting>)],
    ) -> Result<Vec<(Act, Touched)>> {
        let mut rows = Vec::new();
        let mut of_actor: HashMap<Vec<u8>, (usize, String)> = HashMap::new();
        for (place, (message, sightings)) in claimed.iter().enumerate() {
            for sighting in *sightings {
                let kind = match sighting.kind {
                    SightingKind::Drill => SightingKind::Alarm,
                    kind => kind,
                };
                let row = self.sighting_row(message, kind, sighting, None)?;
                let sha256 = Table::Sighting.hash_written(&row);
                if let Some(Value::Bytes(Some(actor))) = row.get(ACTOR) {
                    of_actor.insert(actor.clone(), (place, sha256));
                }
                rows.push(row);
            }
        }
        let mut touched: Vec<Touched> = Vec::with_capacity(claimed.len());
        for (message, _) in claimed {
            let mut of = Touched::new();
            let key = message.message.to_string();
            of.insert((Table::Message, key), Some(message.sha256.clone()));
            touched.push(of);
        }
        let mut numbers: Vec<Vec<i64>> = vec![Vec::new(); claimed.len()];
        for row in &tx.insert_rows(&SIGHTINGS, rows).await? {
            let id = row.int(0)?;
            let (place, sha256) = of_actor
                .remove(&row.bytes(1)?)
                .ok_or_else(|| Error::Damaged(format!("sighting {id}")))?;
            numbers[place].push(id);
            touched[place].insert((Table::Sighting, id.to_string()), Some(sha256));
        }
        let of = claimed.iter().zip(numbers).zip(touched);
        let act = |(((message, _), mut sightings), touched): ((&(Claimed, _), Vec<i64>), _)| {
            sightings.sort_unstable();
            let act = Act::MessageSettled {
                message: message.message,
                sightings,
                incidents: Vec::new(),
            };
            (act, touched)
        };
        Ok(of.map(act).collect())
    }

    /// A sighting's row, in the order of [`SIGHTINGS`].
    fn sighting_row(
        &self,
        of: &Claimed,
        kind: SightingKind,
        sighting: &NewSighting,
        incident: Option<i64>,
    ) -> Result<Vec<Value>> {
        let actor =
            serde_json::to_vec(&sighting.actor).map_err(|_| Error::Damaged("actor".to_owned()))?;
        Ok(vec![
            of.message.into(),
            of.at.into(),
            of.channel.as_str().into(),
            kind.name().into(),
            sighting.source.as_ref().map(SourceName::as_str).into(),
            sighting.batch.as_ref().map(BatchId::as_str).into(),
            sighting.canary.as_ref().map(|id| id.as_str()).into(),
            // Random, so that no two are alike.
            self.vault.seal("actor", &actor)?.into(),
            incident.into(),
        ])
    }

    /// Stores what a message has become; the act for the log.
    pub(super) async fn store_sightings(
        &self,
        tx: &mut Tx,
        claimed: &Claimed,
        sightings: &[NewSighting],
        drill: bool,
    ) -> Result<(Vec<Sighting>, Act)> {
        let Claimed {
            message,
            at,
            channel,
            repeats,
            sha256,
        } = claimed;
        let (message, at) = (*message, *at);
        let way =
            Channel::from_name(channel).ok_or_else(|| Error::Damaged("message".to_owned()))?;
        tx.touch_known(Table::Message, message, sha256.clone());
        if sightings.iter().any(|sighting| sighting.source.is_some()) {
            alone(tx).await?;
        }
        let call = Call {
            message,
            at,
            channel: way,
            sightings,
            drill,
        };
        let point = self.note_call(tx, &call).await?;
        let mut stored: Vec<Sighting> = Vec::with_capacity(sightings.len());
        for sighting in sightings {
            let kind = match sighting.kind {
                SightingKind::Drill if !drill => SightingKind::Alarm,
                kind => kind,
            };
            let network = self.probing(sighting);
            let washes = match &network {
                Some(network) => self.washes(tx, network, sighting, at).await?,
                None => false,
            };
            let incident = match &sighting.source {
                Some(source) if kind == SightingKind::Alarm || washes => {
                    let actor = self.actor_tags(way, sighting);
                    // A call may be anybody's: it opens nothing unless it says a name, or others agree.
                    let stray = matches!(way, Channel::Phone | Channel::Sms)
                        && sighting.actor.named.is_none();
                    let known = match stray {
                        true => incident_of(tx, source, &actor, at, self.quiet).await?,
                        false => None,
                    };
                    let agree = match point.filter(|_| stray && known.is_none()) {
                        Some(point) => self.calls_agree(tx, source, (message, point), at).await?,
                        None => false,
                    };
                    match known {
                        Some(id) => {
                            join_stray(tx, id, &actor, at).await?;
                            Some(id)
                        }
                        None if stray && !agree => None,
                        None => {
                            let id = join_incident(tx, source, &actor, at, self.quiet).await?;
                            if agree {
                                begin_with_calls(tx, id, source, at).await?;
                            }
                            Some(id)
                        }
                    }
                }
                _ => None,
            };
            let news = match incident {
                Some(incident) => is_news(tx, incident, channel, kind, sighting).await?,
                None => false,
            };
            let row = self.sighting_row(claimed, kind, sighting, incident)?;
            let sha256 = Table::Sighting.hash_written(&row);
            let rows = tx.insert_rows(&SIGHTINGS, vec![row]).await?;
            let id = rows.first().map_or(Ok(0), |row| row.int(0))?;
            tx.touch_known(Table::Sighting, id, sha256);
            if let Some(network) = network {
                probes::keep(tx, id, network, sighting, at).await?;
            }
            if let Some(incident) = incident {
                super::alerts::queue(tx, incident, id, at, news).await?;
            }
            stored.push(Sighting {
                id,
                message,
                at: from_micros(at, "message")?,
                channel: way,
                source: sighting.source.clone(),
                canary: sighting.canary.clone(),
                batch: sighting.batch.clone(),
                kind,
                actor: sighting.actor.clone(),
                incident,
                repeats: u32::try_from(*repeats).unwrap_or(u32::MAX),
                forgotten: false,
                erased: false,
            });
        }
        let mut incidents: Vec<i64> = stored.iter().filter_map(|s| s.incident).collect();
        incidents.sort_unstable();
        incidents.dedup();
        let act = Act::MessageSettled {
            message,
            sightings: stored.iter().map(|sighting| sighting.id).collect(),
            incidents,
        };
        Ok((stored, act))
    }

    /// What a settled message has become.
    ///
    /// # Errors
    /// The store fails, or a sighting does not open.
    pub async fn sightings_of(&self, message: i64) -> Result<Vec<Sighting>> {
        let rows = self
            .store
            .fetch(
                "select sighting.id, sighting.message, sighting.at, sighting.channel,
                        sighting.kind, sighting.source, sighting.batch, sighting.canary,
                        sighting.actor, sighting.incident, message.repeats,
                        source_key.forgotten_at, erasure.rule
                 from sighting join message on message.id = sighting.message
                 left join source_key on source_key.source = sighting.source
                 left join erasure on erasure.message = sighting.message
                 where sighting.message = $1 order by sighting.id",
                vec![message.into()],
            )
            .await?;
        rows.iter().map(|row| self.sighting(row)).collect()
    }

    /// Sightings, newest first.
    ///
    /// # Errors
    /// The store fails, or a sighting does not open.
    pub async fn sightings(&self, filter: &SightingFilter) -> Result<Vec<Sighting>> {
        let rows = self
            .store
            .fetch(
                "select sighting.id, sighting.message, sighting.at, sighting.channel,
                        sighting.kind, sighting.source, sighting.batch, sighting.canary,
                        sighting.actor, sighting.incident, message.repeats,
                        source_key.forgotten_at, erasure.rule
                 from sighting join message on message.id = sighting.message
                 left join source_key on source_key.source = sighting.source
                 left join erasure on erasure.message = sighting.message
                 where ($1 is null or sighting.source = $1) and sighting.at >= $2
                 order by sighting.at desc, sighting.id desc limit $3",
                vec![
                    filter.source.as_ref().map(SourceName::as_str).into(),
                    filter.since.map_or(i64::MIN, micros).into(),
                    filter.limit.map_or(i64::MAX, i64::from).into(),
                ],
            )
            .await?;
        rows.iter().map(|row| self.sighting(row)).collect()
    }

    fn sighting(&self, row: &Row) -> Result<Sighting> {
        let id = row.int(0)?;
        let damaged = || Error::Damaged(format!("sighting {id}"));
        let actor = self.vault.open("actor", &row.bytes(8)?)?;
        let parse = |text: Option<String>| text.map(|t| t.parse()).transpose();
        Ok(Sighting {
            id,
            message: row.int(1)?,
            at: from_micros(row.int(2)?, "sighting")?,
            channel: Channel::from_name(&row.text(3)?).ok_or_else(damaged)?,
            kind: SightingKind::from_name(&row.text(4)?).ok_or_else(damaged)?,
            source: parse(row.text_or_null(5)?).map_err(|_| damaged())?,
            batch: row.text_or_null(6)?.map(BatchId::from_text),
            canary: match row.text_or_null(7)? {
                Some(id) => Some(id.parse().map_err(|_| damaged())?),
                None => None,
            },
            actor: serde_json::from_slice(&actor).map_err(|_| damaged())?,
            incident: row.int_or_null(9)?,
            repeats: u32::try_from(row.int(10)?).unwrap_or(u32::MAX),
            forgotten: row.text_or_null(7)?.is_some() && row.int_or_null(11)?.is_some(),
            erased: row.text_or_null(12)?.is_some(),
        })
    }
}

fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or_default()
}

/// What came of a transaction that settles.
pub(super) enum Settled<T> {
    Done(T),
    /// It was given up: this has to be known.
    Asks(Vec<Question>),
}

/// A message that this transaction settles.
pub(super) struct Claimed {
    message: i64,
    pub(super) at: i64,
    channel: String,
    repeats: i64,
    /// The digest of its row, as it is from now on.
    sha256: String,
}

impl Claimed {
    /// Whether these say nothing of any source, so that they join nothing, whatever came before.
    fn strays(&self, sightings: &[NewSighting]) -> bool {
        let call = ["phone", "sms"].contains(&self.channel.as_str());
        let mut all = sightings.iter();
        !call && all.all(|sighting| sighting.source.is_none() && sighting.network.is_none())
    }
}

/// Takes messages to settle them: those that nobody else has.
pub(super) async fn claim(tx: &mut Tx, messages: &[i64]) -> Result<HashMap<i64, Claimed>> {
    if tx.locks_rows() && messages.len() > 1 {
        // In the order that every receiver keeps.
        tx.fetch_among(&IN_ORDER, Vec::new, messages).await?;
    }
    let rows = tx.fetch_among(&CLAIM, Vec::new, messages).await?;
    let mut claimed = HashMap::with_capacity(rows.len());
    for row in &rows {
        let message = row.int(7)?;
        let of = Claimed {
            message,
            at: row.int(0)?,
            channel: row.text(1)?,
            repeats: row.int(3)?,
            sha256: Table::Message.hash(std::slice::from_ref(row))?,
        };
        claimed.insert(message, of);
    }
    Ok(claimed)
}

/// Whether the incident has not yet seen this canary on this channel in this way. A letter always is: they are
/// few, and a person has said what it is.
async fn is_news(
    tx: &mut Tx,
    incident: i64,
    channel: &str,
    kind: SightingKind,
    sighting: &NewSighting,
) -> Result<bool> {
    if channel == Channel::Post.name() {
        return Ok(true);
    }
    let canary = sighting.canary.as_ref().map(|id| id.as_str());
    // The sighting that is asked about is stored next, so that another one like it is no news.
    let like = format!("n{incident} {channel} {} {canary:?}", kind.name());
    if !tx.known.insert(like.into_bytes()) {
        return Ok(false);
    }
    let rows = tx
        .fetch(
            "select 1 from sighting where incident = $1 and channel = $2 and kind = $4
             and (canary = $3 or (canary is null and $3 is null)) limit 1",
            vec![
                incident.into(),
                channel.into(),
                canary.into(),
                kind.name().into(),
            ],
        )
        .await?;
    Ok(rows.is_empty())
}
