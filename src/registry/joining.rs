//! Which incident an alarm belongs to.
//!
//! To one of its source that is not closed and that knows the actor; else to the one that it is close to in
//! time; else to a new one. A closed incident is never opened again: the next one follows it. What an
//! incident's actors are known by stands beside it under keyed tags, so that this is told without opening
//! anything, and a flood of one actor adds nothing.

use std::num::NonZeroU16;

use serde::Deserialize;

use super::store::Tx;
use super::witness::Table;
use super::{Error, NewSighting, Registry, Result};
use crate::canary::{ActorKeys, Channel, MANY, SourceName};
use crate::evidence::hex;

const DAY: i64 = 24 * 3600 * 1_000_000;

/// `[incident]`: how sightings are put together.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentConfig {
    /// After so many days without an alarm of its source an incident has gone quiet: the next alarm opens
    /// another, unless it comes from an actor that the quiet one knows.
    pub quiet_days: NonZeroU16,
    /// Calls in which no canary's name was said open an incident from this log10 of their likelihood ratio on
    /// ([`weigh_calls`](crate::weigh::weigh_calls)); 0.5 to 12.
    #[serde(deserialize_with = "powers_of_ten")]
    pub calls_log10_lr: f64,
}

fn powers_of_ten<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    let sound = (0.5..=12.0).contains(&value);
    let why = "calls_log10_lr is 0.5 to 12: calls alone open an incident from there on (2 is a ratio of 100)";
    sound
        .then_some(value)
        .ok_or_else(|| serde::de::Error::custom(why))
}

impl Default for IncidentConfig {
    fn default() -> IncidentConfig {
        IncidentConfig {
            // A bought list is used up within a season.
            quiet_days: const { NonZeroU16::new(90).unwrap() },
            calls_log10_lr: crate::weigh::OPENS,
        }
    }
}

/// What tells a sighting's actor from others, as it is kept.
#[derive(Default)]
pub(super) struct ActorTags {
    /// A tag for each of its keys.
    tags: Vec<Vec<u8>>,
    /// As whom it appears; empty where it does not say.
    sender: Vec<u8>,
    /// All of these together.
    whole: Vec<u8>,
}

impl Registry {
    /// The same registry, putting sightings together as the configuration says.
    #[must_use]
    pub fn joining(mut self, config: &IncidentConfig) -> Registry {
        self.quiet = i64::from(config.quiet_days.get()) * DAY;
        self.calls_open = config.calls_log10_lr;
        self
    }

    /// Tags of whoever made a contact.
    pub(super) fn actor_tags(&self, channel: Channel, sighting: &NewSighting) -> ActorTags {
        let keys = ActorKeys::of(channel, &sighting.actor);
        let tag = |kind: &str, value: &str| {
            let text = format!("{kind} {value}");
            self.vault.lasting_tag("actor", &text)
        };
        let mut tags: Vec<Vec<u8>> = (keys.keys.iter())
            .map(|key| tag(key.kind.name(), &key.value))
            .collect();
        // The tag under which the network stands with the recipients that it checked.
        tags.extend(sighting.network.iter().map(|n| self.network_tag(n)));
        let sender = keys.sender.map(|key| tag(key.kind.name(), &key.value));
        let sender = sender.unwrap_or_default();
        let parts: Vec<String> = tags.iter().chain([&sender]).map(|part| hex(part)).collect();
        let whole = self.vault.lasting_tag("whole actor", &parts.join(" "));
        ActorTags {
            tags,
            sender,
            whole,
        }
    }
}

/// Before anything joins an incident: of two receivers that would open one each, the second finds the
/// first one's. It is taken behind the
/// rows of the messages that are settled and of their drill, and before every other lock.
pub(super) async fn alone(tx: &mut Tx) -> Result<()> {
    if tx.locks_rows() {
        let alone = "lock table incident in share row exclusive mode";
        tx.execute(alone, vec![]).await?;
    }
    Ok(())
}

/// An incident that a sighting may join.
struct Candidate {
    id: i64,
    confirmed: bool,
    last_at: i64,
    /// Whether it is close in time.
    near: bool,
}

/// The incident that an alarm belongs to, of those that there are.
pub(super) async fn incident_of(
    tx: &mut Tx,
    source: &SourceName,
    actor: &ActorTags,
    at: i64,
    quiet: i64,
) -> Result<Option<i64>> {
    let rows = tx
        .fetch(
            "select id, state, opened_at, last_at from incident
             where source = $1 and state <> 'closed' order by id",
            vec![source.as_str().into()],
        )
        .await?;
    let mut candidates = Vec::with_capacity(rows.len());
    for row in &rows {
        let (opened_at, last_at) = (row.int(2)?, row.int(3)?);
        candidates.push(Candidate {
            id: row.int(0)?,
            confirmed: row.text(1)? == "confirmed",
            last_at,
            near: at >= opened_at.saturating_sub(quiet) && at <= last_at.saturating_add(quiet),
        });
    }
    Ok(match &candidates[..] {
        // The ordinary case, and that of every mail of a flood.
        [only] if only.near => Some(only.id),
        [] => None,
        _ => {
            let known = known_to(tx, source, actor).await?;
            let best = |of: &dyn Fn(&&Candidate) -> bool| {
                let fit = candidates.iter().filter(of);
                fit.max_by_key(|one| (one.near, one.confirmed, one.last_at, one.id))
            };
            let best = best(&|one| known.contains(&one.id)).or_else(|| best(&|one| one.near));
            best.map(|one| one.id)
        }
    })
}

/// The incident of an alarm, opened if there is none that it belongs to. What its actor is known by
/// is kept with it. If it begins with this alarm, the stray calls around join it.
pub(super) async fn join_incident(
    tx: &mut Tx,
    source: &SourceName,
    actor: &ActorTags,
    at: i64,
    quiet: i64,
) -> Result<i64> {
    let joined = incident_of(tx, source, actor, at, quiet).await?;
    let rows = match joined {
        Some(id) => {
            tx.fetch(
                "update incident
                 set opened_at = case when $2 < opened_at then $2 else opened_at end,
                     last_at = case when $2 > last_at then $2 else last_at end
                 where id = $1 returning id, opened_at",
                vec![id.into(), at.into()],
            )
            .await?
        }
        None => {
            tx.fetch(
                "insert into incident (source, state, opened_at, last_at)
                 values ($1, 'open', $2, $2) returning id, opened_at",
                vec![source.as_str().into(), at.into()],
            )
            .await?
        }
    };
    let row = rows
        .first()
        .ok_or_else(|| Error::Damaged(format!("incident of {source}")))?;
    let id = row.int(0)?;
    tx.touch(Table::Incident, id);
    if row.int(1)? == at {
        // As an alarm would that came then; but when it began is not for a stray call to say.
        gather_calls(
            tx,
            id,
            source,
            (at.saturating_sub(quiet), at.saturating_add(quiet)),
        )
        .await?;
    }
    keep(tx, id, actor).await?;
    Ok(id)
}

/// Joins a stray call to the incident that it is close to. It opens nothing, so that it has not begun with it either.
pub(super) async fn join_stray(
    tx: &mut Tx,
    incident: i64,
    actor: &ActorTags,
    at: i64,
) -> Result<()> {
    let sql = "update incident set last_at = $2 where id = $1 and last_at < $2";
    if tx.execute(sql, vec![incident.into(), at.into()]).await? > 0 {
        tx.touch(Table::Incident, incident);
    }
    keep(tx, incident, actor).await
}

/// Joins the calls to a source between two moments that have joined nothing to one of its incidents.
pub(super) async fn gather_calls(
    tx: &mut Tx,
    incident: i64,
    source: &SourceName,
    (from, to): (i64, i64),
) -> Result<()> {
    let sql = "update sighting set incident = $1
               where source = $2 and channel in ('phone', 'sms') and kind = 'alarm'
                 and incident is null and at >= $3 and at <= $4
               returning id";
    let values = vec![
        incident.into(),
        source.as_str().into(),
        from.into(),
        to.into(),
    ];
    for row in &tx.fetch(sql, values).await? {
        tx.touch(Table::Sighting, row.int(0)?);
    }
    Ok(())
}

/// Incidents of a source that are not closed and know the actor.
async fn known_to(tx: &mut Tx, source: &SourceName, actor: &ActorTags) -> Result<Vec<i64>> {
    let mut known = Vec::new();
    for tag in &actor.tags {
        let rows = tx
            .fetch(
                "select distinct incident.id from incident_actor
                 join incident on incident.id = incident_actor.incident
                 where incident_actor.tag = $1 and incident.source = $2
                   and incident.state <> 'closed'
                   and (select count(distinct sender) from incident_actor as every
                        where every.tag = $1) <= $3",
                vec![
                    tag.clone().into(),
                    source.as_str().into(),
                    (MANY as i64).into(),
                ],
            )
            .await?;
        for row in &rows {
            known.push(row.int(0)?);
        }
    }
    Ok(known)
}

/// Keeps what the actor is known by. One that the incident knows already costs one look.
async fn keep(tx: &mut Tx, incident: i64, actor: &ActorTags) -> Result<()> {
    if actor.tags.is_empty() {
        return Ok(());
    }
    // It ends in the incident's number, so that it is found with this one alone and joins nothing.
    let mut whole = actor.whole.clone();
    whole.extend(incident.to_be_bytes());
    if !tx.known.insert([b"a", &whole[..]].concat()) {
        return Ok(());
    }
    for tag in std::iter::once(&whole).chain(&actor.tags) {
        let rows = tx
            .fetch(
                "insert into incident_actor (incident, tag, sender) values ($1, $2, $3)
                 on conflict (tag, incident, sender) do nothing returning id",
                vec![
                    incident.into(),
                    tag.clone().into(),
                    actor.sender.clone().into(),
                ],
            )
            .await?;
        match rows.first() {
            Some(row) => tx.touch(Table::IncidentActor, row.int(0)?),
            None if *tag == whole => return Ok(()),
            None => {}
        }
    }
    Ok(())
}
