//! Drills: registered before anything is sent, recognised by a token that only this registry can make, and
//! told through the outbox.
//!
//! A token is a keyed tag of the drill's number, channel, canary and moment. It is kept nowhere, so a copied
//! registry does not tell it, and it is good for one contact with that one canary: the first to bring it is
//! the drill, every other is what it would be without it. Whoever has seen a drill on its way and is
//! faster than it has hidden one contact, and the drill's own arrival is then the alarm.

use time::{Duration, OffsetDateTime};

use super::store::{Row, Tx};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{CanaryId, Channel, Drill, DrillState, SourceName};
use crate::evidence::{Act, hex};

/// The letters of a postal drill's code: none that a bad photo makes another of.
const LETTERS: &[u8; 31] = b"23456789ABCDEFGHJKLMNPRSTUVWXYZ";

/// `select` of the columns that [`drill`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, channel, source, canary, scheduled, state, sent_at, due_at, accepted_at,
                    seen_at, alerted_at, why from drill ",
            $rest
        )
    };
}

/// A drill that is about to be sent.
#[derive(Clone, Debug)]
pub struct NewDrill {
    /// The channel to be tested.
    pub channel: Channel,
    /// The source.
    pub source: SourceName,
    /// The canary that is written to.
    pub canary: CanaryId,
    /// Whether the receiver runs it by itself.
    pub scheduled: bool,
    /// Now.
    pub sent_at: OffsetDateTime,
    /// When it has to have been seen and told of.
    pub due_at: OffsetDateTime,
}

/// What keeps a drill from being sent: the same channel of the same source was tested after
/// `channel_since`, or the schedule tested anything between `any_since` and `any_until`.
#[derive(Clone, Copy, Debug)]
pub struct Busy {
    /// See there.
    pub channel_since: OffsetDateTime,
    /// See there.
    pub any_since: OffsetDateTime,
    /// See there: what lies further ahead was written by a clock that was wrong.
    pub any_until: OffsetDateTime,
}

/// After its deadline a drill that nothing has brought yet is still known for so long: greylisting, or a
/// slow post, is no thief.
fn late(channel: Channel) -> Duration {
    match channel {
        Channel::Post => Duration::days(30),
        _ => Duration::days(1),
    }
}

impl Registry {
    /// Registers a drill durably, before it is sent. `None` if it is not to be sent: asked of whoever is first
    /// in one transaction, so that of two receivers one sends.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_drill(&self, new: &NewDrill, busy: Option<Busy>) -> Result<Option<Drill>> {
        let mut tx = self.store.begin().await?;
        if tx.locks_rows() {
            tx.execute("lock table drill in exclusive mode", vec![])
                .await?;
        }
        if let Some(busy) = busy {
            let rows = tx
                .fetch(
                    "select 1 from drill where (source = $1 and channel = $2 and sent_at > $3)
                     or (scheduled = 1 and sent_at > $4 and sent_at <= $5) limit 1",
                    vec![
                        new.source.as_str().into(),
                        new.channel.name().into(),
                        micros(busy.channel_since).into(),
                        micros(busy.any_since).into(),
                        micros(busy.any_until).into(),
                    ],
                )
                .await?;
            if !rows.is_empty() {
                return Ok(None);
            }
        }
        let rows = tx
            .fetch(
                "insert into drill (channel, source, canary, scheduled, state, sent_at, due_at)
                 values ($1, $2, $3, $4, 'waiting', $5, $6) returning id",
                vec![
                    new.channel.name().into(),
                    new.source.as_str().into(),
                    new.canary.as_str().into(),
                    i64::from(new.scheduled).into(),
                    micros(new.sent_at).into(),
                    micros(new.due_at).into(),
                ],
            )
            .await?;
        let id = rows.first().map_or(Ok(0), |row| row.int(0))?;
        tx.touch(Table::Drill, id);
        let made = one(&mut tx, id).await?;
        let act = Act::DrillSent {
            drill: id,
            channel: new.channel.name().to_owned(),
            source: new.source.to_string(),
            canary: new.canary.to_string(),
            due_at: made.due_at,
        };
        self.commit(tx, act).await?;
        Ok(Some(made))
    }

    /// What the drill's message carries: 32 hexadecimal digits.
    pub fn drill_token(&self, drill: &Drill) -> String {
        hex(&self.drill_tag(drill)[..16])
    }

    /// What the drill's letter carries: eight letters and digits that a person can type.
    pub fn drill_code(&self, drill: &Drill) -> String {
        let tag = self.drill_tag(drill);
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        tag.iter().take(8).map(letter).collect()
    }

    fn drill_tag(&self, drill: &Drill) -> Vec<u8> {
        let Drill {
            id,
            channel,
            canary,
            sent_at,
            ..
        } = drill;
        let bound = format!("{id} {} {canary} {}", channel.name(), micros(*sent_at));
        self.vault.lasting_tag("drill", &bound)
    }

    /// Drills on this channel that a message of that time may be.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drills_awaited(&self, channel: Channel, at: OffsetDateTime) -> Result<Vec<Drill>> {
        let sql =
            select!("where accepted_at is null and channel = $1 and due_at >= $2 order by id");
        let until = micros(at - late(channel));
        let values = vec![channel.name().into(), until.into()];
        let rows = self.store.fetch(sql, values).await?;
        rows.iter().map(drill).collect()
    }

    /// All drills, or one source's, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drills(&self, source: Option<&SourceName>, limit: u32) -> Result<Vec<Drill>> {
        let sql = select!("where $1 is null or source = $1 order by id desc limit $2");
        let values = vec![source.map(SourceName::as_str).into(), limit.into()];
        let rows = self.store.fetch(sql, values).await?;
        rows.iter().map(drill).collect()
    }

    /// One drill.
    ///
    /// # Errors
    /// There is none of that number, or the store fails.
    pub async fn drill(&self, id: i64) -> Result<Drill> {
        let sql = select!("where id = $1");
        let rows = self.store.fetch(sql, vec![id.into()]).await?;
        drill(
            rows.first()
                .ok_or_else(|| Error::Damaged(format!("drill {id}")))?,
        )
    }

    /// For each source and channel that was ever drilled, the newest drill.
    ///
    /// # Errors
    /// The store fails.
    pub async fn latest_drills(&self) -> Result<Vec<Drill>> {
        let sql =
            select!("where id in (select max(id) from drill group by source, channel) order by id");
        let rows = self.store.fetch(sql, vec![]).await?;
        rows.iter().map(drill).collect()
    }

    /// A drill has failed, and an alert tells of it. `why` must hold no canary's detail. One that has ended
    /// already is left alone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drill_failed(&self, id: i64, why: &str, now: OffsetDateTime) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if fail(&mut tx, id, why, now).await? {
            self.commit(tx, failed(id, why)).await?;
        }
        Ok(())
    }

    /// Fails every drill whose deadline is over, and queues an alert for each; which ones. Several
    /// processes may do so at once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn fail_overdue_drills(&self, now: OffsetDateTime) -> Result<Vec<Drill>> {
        let sql = "select drill.id, drill.seen_at, drill.sent_at,
                          (select max(failure) from delivery where delivery.alert = drill.alert)
                   from drill
                   where drill.state = 'waiting' and drill.due_at < $1 order by drill.id";
        let rows = self.store.fetch(sql, vec![micros(now).into()]).await?;
        let mut over = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.int(0)?;
            let why = match (row.int_or_null(1)?, row.text_or_null(3)?) {
                (None, _) => "nothing came by its deadline".to_owned(),
                (Some(_), Some(failure)) => {
                    format!("it was seen in time, but its alert was not taken: {failure}")
                }
                (Some(_), None) => {
                    "it was seen in time, but its alert was not sent: is [alert] filled in, and does otori serve run?"
                        .to_owned()
                }
            };
            let mut tx = self.store.begin().await?;
            // Another process may have been faster.
            if fail(&mut tx, id, &why, now).await? {
                self.commit(tx, failed(id, &why)).await?;
                over.push(self.drill(id).await?);
            }
        }
        Ok(over)
    }
}

pub(super) fn failed(drill: i64, why: &str) -> Act {
    Act::DrillFailed {
        drill,
        why: why.to_owned(),
    }
}

/// Whether the drill was still waiting, and has failed now.
async fn fail(tx: &mut Tx, id: i64, why: &str, now: OffsetDateTime) -> Result<bool> {
    let sql = "update drill set state = 'failed', why = $1 where id = $2 and state = 'waiting'";
    let failed = tx.execute(sql, vec![why.into(), id.into()]).await? > 0;
    if failed {
        super::alerts::queue_drill(tx, id, micros(now)).await?;
        tx.touch(Table::Drill, id);
    }
    Ok(failed)
}

/// A message brings the drill's token: whether it is the first to.
pub(super) async fn claim(tx: &mut Tx, id: i64, at: i64) -> Result<bool> {
    let sql = "update drill set accepted_at = $1 where id = $2 and accepted_at is null";
    Ok(tx.execute(sql, vec![at.into(), id.into()]).await? > 0)
}

/// The drill has become a sighting. One that came behind its deadline stays, or becomes, failed: then why.
pub(super) async fn seen(
    tx: &mut Tx,
    id: i64,
    sighting: Option<i64>,
    now: i64,
) -> Result<Option<String>> {
    let came = one(tx, id).await?;
    let accepted = came.accepted_at.map_or(now, micros);
    let after = accepted - micros(came.due_at);
    let late = (after > 0).then(|| {
        let seconds = after / 1_000_000;
        format!("it came {seconds} seconds after its deadline")
    });
    let state = match late {
        Some(_) => DrillState::Failed,
        None => came.state,
    };
    let why = late.clone().or(came.why);
    tx.execute(
        "update drill set seen_at = $1, sighting = $2, state = $3, why = $4 where id = $5",
        vec![
            now.into(),
            sighting.into(),
            state.name().into(),
            why.into(),
            id.into(),
        ],
    )
    .await?;
    super::alerts::queue_drill(tx, id, now).await?;
    tx.touch(Table::Drill, id);
    Ok(late)
}

async fn one(tx: &mut Tx, id: i64) -> Result<Drill> {
    let sql = select!("where id = $1");
    let rows = tx.fetch(sql, vec![id.into()]).await?;
    drill(
        rows.first()
            .ok_or_else(|| Error::Damaged(format!("drill {id}")))?,
    )
}

fn drill(row: &Row) -> Result<Drill> {
    let id = row.int(0)?;
    let place = format!("drill {id}");
    let damaged = || Error::Damaged(place.clone());
    let moment = |column: usize| {
        let at = row.int_or_null(column)?;
        at.map(|at| from_micros(at, &place)).transpose()
    };
    Ok(Drill {
        id,
        channel: Channel::from_name(&row.text(1)?).ok_or_else(damaged)?,
        source: row.text(2)?.parse().map_err(|_| damaged())?,
        canary: row.text(3)?.parse().map_err(|_| damaged())?,
        scheduled: row.int(4)? != 0,
        state: DrillState::from_name(&row.text(5)?).ok_or_else(damaged)?,
        sent_at: from_micros(row.int(6)?, &place)?,
        due_at: from_micros(row.int(7)?, &place)?,
        accepted_at: moment(8)?,
        seen_at: moment(9)?,
        alerted_at: moment(10)?,
        why: row.text_or_null(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::open::connect_store;
    use super::super::store::Store;

    async fn run(store: &Store, sql: &'static str) -> bool {
        let mut tx = store.begin().await.unwrap();
        let done = tx.execute(sql, vec![]).await.is_ok();
        tx.commit().await.unwrap();
        done
    }

    /// The table of alerts is made anew by the step that brings drills.
    #[tokio::test]
    async fn alerts_of_an_older_registry_are_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let url = "sqlite:registry.db";
        let before = Some(&[1, 2, 5][..]);
        let (store, _) = connect_store(url, dir.path(), true, before).await.unwrap();
        for sql in [
            "insert into source (name, sealed, added_at) values ('s', x'00', 1)",
            "insert into incident (source, state, opened_at, last_at) values ('s', 'open', 1, 1)",
            "insert into message (at, channel, envelope, raw) values (1, 'mail', x'00', x'00')",
            "insert into sighting (message, at, channel, kind, actor, incident) values (1, 1, 'mail', 'alarm', x'00', 1)",
            "insert into alert (incident, sighting, due_at, sent_at) values (1, 1, 1, 2)",
            "insert into alert (incident, sighting, due_at, attempts, failure) values (1, 1, 5, 2, 'no')",
        ] {
            assert!(run(&store, sql).await, "{sql}");
        }
        drop(store);
        let (store, _) = connect_store(url, dir.path(), false, None).await.unwrap();
        let sql = "select id, incident, sighting, due_at, attempts, failure from alert order by id";
        let rows = store.fetch(sql, vec![]).await.unwrap();
        assert_eq!(rows.len(), 2);
        let row = &rows[1];
        let numbers: Vec<i64> = (0..5).map(|column| row.int(column).unwrap()).collect();
        assert_eq!(numbers, [2, 1, 1, 5, 2]);
        assert_eq!(row.text(5).unwrap(), "no");
        // One alert waits for an incident, as before; one for a drill has none.
        let second = "insert into alert (incident, sighting, due_at) values (1, 1, 6)";
        assert!(!run(&store, second).await);
        assert!(run(&store, "insert into alert (due_at) values (7)").await);
        let newest = store.fetch("select max(id) from alert", vec![]).await;
        assert_eq!(newest.unwrap()[0].int(0).unwrap(), 3);
    }
}
