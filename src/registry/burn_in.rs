//! Burn-in: how often a telephone number was called by nobody's doing before it was given to a canary.
//!
//! A number has had owners before us, and robocallers dial whole ranges. What comes to one while no list
//! holds it is its background; it has to be known before a call can say anything.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use super::receiving::{ENVELOPE, recipients};
use super::{Registry, Result, from_micros};
use crate::canary::ContactPoint;
use crate::notation::phone_key;

/// What is known of a number's background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnIn {
    /// The number's place in the pool.
    pub point: i64,
    /// Since when it has been in the pool, and so listened to.
    pub since: OffsetDateTime,
    /// When it was first given to a canary.
    pub given_at: Option<OffsetDateTime>,
    /// Calls and text messages since then, drills left out; one that its provider told twice counts once.
    pub calls: u32,
    /// Those of them that came before it was given to anybody.
    pub before: u32,
}

impl BurnIn {
    /// How long it has been listened to while no canary held it.
    pub fn lasted(&self, now: OffsetDateTime) -> Duration {
        let until = self.given_at.unwrap_or(now);
        (until - self.since).max(Duration::ZERO)
    }
}

impl Registry {
    /// The background of every telephone number of the pool, oldest entry first.
    ///
    /// # Errors
    /// The store fails, or something does not open.
    pub async fn burn_in(&self) -> Result<Vec<BurnIn>> {
        let sql = "select contact_point.id, contact_point.added_at, min(batch.planted_at)
                   from contact_point
                   left join canary_point on canary_point.point = contact_point.id
                   left join canary on canary.id = canary_point.canary
                   left join batch on batch.id = canary.batch and batch.state <> 'void'
                   where contact_point.kind = 'phone'
                   group by contact_point.id, contact_point.added_at";
        let mut times = HashMap::new();
        for row in &self.store.fetch(sql, vec![]).await? {
            let given = row.int_or_null(2)?;
            let given = given.map(|at| from_micros(at, "batch")).transpose()?;
            let since = from_micros(row.int(1)?, "contact_point")?;
            times.insert(row.int(0)?, (since, given));
        }
        if times.is_empty() {
            return Ok(Vec::new());
        }
        let calls = self.calls().await?;
        let mut burn_in = Vec::with_capacity(times.len());
        for entry in self.pool().await? {
            let (ContactPoint::Phone(number), Some(&(since, given_at))) =
                (&entry.point, times.get(&entry.id))
            else {
                continue;
            };
            let came = phone_key(number.as_str(), None).and_then(|key| calls.get(&key));
            let came = came.into_iter().flatten().filter(|at| **at >= since);
            let before = came
                .clone()
                .filter(|at| given_at.is_none_or(|given| **at < given));
            burn_in.push(BurnIn {
                point: entry.id,
                since,
                given_at,
                calls: u32::try_from(came.count()).unwrap_or(u32::MAX),
                before: u32::try_from(before.count()).unwrap_or(u32::MAX),
            });
        }
        Ok(burn_in)
    }

    /// When each number was called, by its key. What only tells more of a call has no sighting.
    async fn calls(&self) -> Result<HashMap<String, Vec<OffsetDateTime>>> {
        let sql = "select at, envelope from message
                   where channel in ('phone', 'sms')
                     and exists (select 1 from sighting where sighting.message = message.id
                                 and sighting.kind <> 'drill')";
        let mut calls: HashMap<String, Vec<OffsetDateTime>> = HashMap::new();
        for row in &self.store.fetch(sql, vec![]).await? {
            let at = from_micros(row.int(0)?, "message")?;
            let envelope = self.vault.open(ENVELOPE, &row.bytes(1)?)?;
            for number in recipients(&envelope)? {
                let key = phone_key(&number, None).unwrap_or(number);
                calls.entry(key).or_default().push(at);
            }
        }
        Ok(calls)
    }
}
