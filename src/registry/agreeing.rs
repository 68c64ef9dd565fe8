//! Whether calls agree on a leak: one stray robocall opens no incident, several numbers of one source do.

use std::collections::HashMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::joining::gather_calls;
use super::judging::Question;
use super::store::Tx;
use super::witness::Table;
use super::{Error, Registry, Result, micros, pool};
use crate::canary::{ContactPoint, SightingsDocument, SourceName};
use crate::weigh::{CallBackground, CallsWeight, Event, Line, weigh_calls};

const DAY: i64 = 24 * 3600 * 1_000_000;
const YEAR: f64 = 365.25 * DAY as f64;
/// One caller at one number counts once in so long.
const ONCE: i64 = 90 * DAY;
/// More callers at one number say no more of its source.
const CALLERS: i64 = 64;

/// What the calls of the last 90 days say of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallsSaid {
    /// The source.
    pub source: SourceName,
    /// Numbers that canaries of this source alone have.
    pub points: u32,
    /// Those that were called.
    pub reached: u32,
    /// log10 of the likelihood ratio: a leak against background.
    pub log10_lr: f64,
    /// From where on calls alone open an incident.
    pub opens_at: f64,
}

/// `{"sightings": […], "calls": […]}`, as `otori sightings --json` prints and `/api/sightings` answers it.
#[derive(Serialize)]
pub struct Heard<'a> {
    /// What has reached the canaries.
    #[serde(flatten)]
    pub sightings: SightingsDocument<'a>,
    /// What calls say, of each source that had any.
    pub calls: Vec<CallsSaid>,
}

/// A number of the pool, as calls are judged.
struct Number {
    number: String,
    since: i64,
    given_at: Option<i64>,
    /// The source whose canaries alone have it.
    source: Option<String>,
    burn_in: u32,
}

/// The pool's numbers, and who called them.
pub(super) struct CallBook {
    numbers: Vec<Number>,
    /// Number, caller (nothing of one who hides), when; oldest first.
    events: Vec<(usize, Option<u32>, i64)>,
}

impl CallBook {
    /// What the calls of the last 90 days up to a moment say of a source.
    pub(super) fn weigh(&self, source: &str, at: i64) -> CallsWeight {
        let lines: Vec<Line> = (self.numbers.iter())
            .map(|number| {
                let until = number.given_at.map_or(at, |given| given.min(at));
                Line {
                    number: number.number.clone(),
                    burn_in_years: (until - number.since).max(0) as f64 / YEAR,
                    burn_in_events: number.burn_in,
                    years: (at - number.since).max(0) as f64 / YEAR,
                    ours: number.source.as_deref() == Some(source),
                }
            })
            .collect();
        let recent = self.events.iter();
        let recent = recent.filter(|(_, _, then)| *then <= at && *then > at - ONCE);
        let events: Vec<Event> = recent
            .map(|(line, caller, then)| Event {
                line: *line,
                caller: *caller,
                days_ago: (at - then) as f64 / DAY as f64,
            })
            .collect();
        weigh_calls(&CallBackground::of(&lines), &lines, &events)
    }

    /// All that its weight for a source is made of, in an order of its own.
    pub(super) fn told_to(&self, source: &str, mut part: impl FnMut(&[u8])) {
        for number in &self.numbers {
            part(number.number.as_bytes());
            part(&[0, u8::from(number.source.as_deref() == Some(source))]);
            part(&number.since.to_be_bytes());
            part(&number.given_at.unwrap_or(i64::MIN).to_be_bytes());
            part(&number.burn_in.to_be_bytes());
        }
        for (line, caller, at) in &self.events {
            part(&(*line as u64).to_be_bytes());
            part(&caller.map_or(u64::MAX, u64::from).to_be_bytes());
            part(&at.to_be_bytes());
        }
    }

    /// When the numbers of a source were called from a moment on.
    pub(super) fn moments(&self, source: &str, from: i64) -> Vec<i64> {
        let ours = |line: usize| self.numbers[line].source.as_deref() == Some(source);
        let later = self.events.iter();
        let later = later.filter(|(line, _, at)| *at > from && ours(*line));
        later.map(|(_, _, at)| *at).collect()
    }

    /// How many different numbers of a source were called.
    fn called(&self, source: &str) -> usize {
        let ours = |line: &usize| self.numbers[*line].source.as_deref() == Some(source);
        let events = self.events.iter().map(|(line, _, _)| *line);
        let mut called: Vec<usize> = events.filter(ours).collect();
        called.sort_unstable();
        called.dedup();
        called.len()
    }
}

impl Registry {
    /// Whether the calls to a source, with this one at one of its numbers, say that it has leaked as plainly as the
    /// configuration asks for. Where that was not computed yet, the transaction has a question more, and is to be given
    /// up ([`super::judging`]).
    pub(super) async fn calls_agree(
        &self,
        tx: &mut Tx,
        source: &SourceName,
        call: (i64, i64),
        at: i64,
    ) -> Result<bool> {
        let (message, point) = call;
        if !is_new(tx, message, point, at).await? {
            return Ok(false);
        }
        let book = self.call_book(tx, at - ONCE, at + ONCE).await?;
        if book.called(source.as_str()) < 2 {
            return Ok(false);
        }
        let question = Question {
            book,
            source: source.as_str().to_owned(),
            at,
            opens: self.calls_open,
        };
        Ok(match self.judgements.known(&question) {
            Some(agree) => agree,
            None if tx.last_round => self.judgements.answer(&question),
            None => {
                tx.questions.push(question);
                false
            }
        })
    }

    /// What the calls of the last 90 days say of each source that had any, or of one.
    ///
    /// # Errors
    /// The store fails, or an entry of the pool does not open.
    pub async fn calls_say(
        &self,
        only: Option<&SourceName>,
        now: OffsetDateTime,
    ) -> Result<Vec<CallsSaid>> {
        let now = micros(now);
        let mut tx = self.store.begin_snapshot().await?;
        let book = self.call_book(&mut tx, now - ONCE, now).await?;
        tx.commit().await?;
        let sources = book.events.iter();
        let sources = sources.filter_map(|(line, _, _)| book.numbers[*line].source.as_deref());
        let wanted = |source: &&str| only.is_none_or(|only| only.as_str() == *source);
        let mut sources: Vec<&str> = sources.filter(wanted).collect();
        sources.sort_unstable();
        sources.dedup();
        let say = |name: &str| {
            let weight = book.weigh(name, now);
            Ok(CallsSaid {
                source: name.parse().map_err(|_| Error::Damaged(name.to_owned()))?,
                points: weight.points,
                reached: weight.reached,
                log10_lr: weight.log10_lr,
                opens_at: self.calls_open,
            })
        };
        sources.into_iter().map(say).collect()
    }

    /// From how many powers of ten on calls alone open an incident.
    pub fn calls_open_at(&self) -> f64 {
        self.calls_open
    }

    /// The pool's numbers, and who called them for the first time in 90 days between two moments.
    pub(super) async fn call_book(&self, tx: &mut Tx, from: i64, to: i64) -> Result<CallBook> {
        let mut numbers = Vec::new();
        let mut places = HashMap::new();
        for row in &tx.fetch(NUMBERS, vec![ONCE.into()]).await? {
            let place = pool::place(&row.bytes(1)?);
            let plain = self.vault.open(&place, &row.bytes(2)?)?;
            let point: ContactPoint =
                serde_json::from_slice(&plain).map_err(|_| Error::Damaged(place))?;
            let (first, last) = (row.text_or_null(5)?, row.text_or_null(6)?);
            places.insert(row.int(0)?, numbers.len());
            numbers.push(Number {
                number: point.identity(),
                since: row.int(3)?,
                given_at: row.int_or_null(4)?,
                source: first.filter(|first| last.as_ref() == Some(first)),
                burn_in: u32::try_from(row.int(7)?).unwrap_or(u32::MAX),
            });
        }
        let mut callers: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut events = Vec::new();
        let values = vec![from.into(), to.into(), ONCE.into()];
        for row in &tx.fetch(EVENTS, values).await? {
            let Some(line) = places.get(&row.int(0)?) else {
                continue;
            };
            let caller = row.bytes(1)?;
            let next = u32::try_from(callers.len()).unwrap_or(u32::MAX);
            let caller = match caller.is_empty() {
                true => None,
                false => Some(*callers.entry(caller).or_insert(next)),
            };
            events.push((*line, caller, row.int(2)?));
        }
        Ok(CallBook { numbers, events })
    }
}

/// The pool's numbers; of each, how many new callers it had in its burn-in.
const NUMBERS: &str = "select contact_point.id, contact_point.identity, contact_point.sealed,
           contact_point.added_at, given.at, given.first, given.last,
           (select count(*) from called
            where called.point = contact_point.id and called.at >= contact_point.added_at
              and (given.at is null or called.at < given.at)
              and not exists (select 1 from called as before
                              where before.point = called.point and before.caller = called.caller
                                and before.at >= called.at - $1
                                and (before.at < called.at
                                     or (before.at = called.at and before.message < called.message))))
    from contact_point
    left join (select canary_point.point as point, min(batch.planted_at) as at,
                      min(batch.source) as first, max(batch.source) as last
               from canary_point
               join canary on canary.id = canary_point.canary
               join batch on batch.id = canary.batch
               where batch.state <> 'void'
               group by canary_point.point) as given
      on given.point = contact_point.id
    where contact_point.kind = 'phone'
    order by contact_point.id";

/// Who called which number for the first time in 90 days.
const EVENTS: &str = "select point, caller, at from called
    where at >= $1 and at <= $2 and caller is not null
      and not exists (select 1 from called as before
                      where before.point = called.point and before.caller = called.caller
                        and before.at >= called.at - $3
                        and (before.at < called.at
                             or (before.at = called.at and before.message < called.message)))
    order by at, message";

/// Joins the calls to a source that agree with one to the incident that they have opened. It begins with the first of
/// them.
pub(super) async fn begin_with_calls(
    tx: &mut Tx,
    incident: i64,
    source: &SourceName,
    at: i64,
) -> Result<()> {
    let (from, to) = (at - ONCE, at + ONCE);
    gather_calls(tx, incident, source, (from + 1, to - 1)).await?;
    let sql = "select min(at), max(at) from sighting where incident = $1 and at > $2 and at < $3";
    let values = vec![incident.into(), from.into(), to.into()];
    let rows = tx.fetch(sql, values).await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let (first, last) = (row.int_or_null(0)?, row.int_or_null(1)?);
    let sql = "update incident
               set opened_at = case when $1 < opened_at then $1 else opened_at end,
                   last_at = case when $2 > last_at then $2 else last_at end
               where id = $3";
    let values = vec![
        first.unwrap_or(at).into(),
        last.unwrap_or(at).into(),
        incident.into(),
    ];
    tx.execute(sql, values).await?;
    tx.touch(Table::Incident, incident);
    Ok(())
}

/// Whether a call is the first of its caller at its number in 90 days, and one of not too many.
async fn is_new(tx: &mut Tx, message: i64, point: i64, at: i64) -> Result<bool> {
    let sql = "select count(*) from called as one
               join called as before on before.point = one.point and before.caller = one.caller
                                     and before.message <> one.message
               where one.message = $1 and before.at >= $2 and before.at <= $3";
    let values = vec![message.into(), (at - ONCE).into(), at.into()];
    let known = tx.fetch(sql, values).await?;
    if known.first().map_or(Ok(0), |row| row.int(0))? > 0 {
        return Ok(false);
    }
    let sql = "select count(*) from (select distinct caller from called
                                     where point = $1 and at >= $2 and at <= $3) as callers";
    let values = vec![point.into(), (at - ONCE).into(), at.into()];
    let callers = tx.fetch(sql, values).await?;
    Ok(callers.first().map_or(Ok(0), |row| row.int(0))? <= CALLERS)
}
