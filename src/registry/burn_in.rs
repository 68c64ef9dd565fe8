//! Burn-in: how often a telephone number was called by nobody's doing before it was given to a canary.
//!
//! A number has had owners before us, and robocallers dial whole ranges. What comes to one while no list
//! holds it is its background; it has to be known before a call can say anything.

use time::{Duration, OffsetDateTime};

use super::{Registry, Result, from_micros};

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
    /// The store fails.
    pub async fn burn_in(&self) -> Result<Vec<BurnIn>> {
        let sql =
            "select contact_point.id, contact_point.added_at, given.at, count(called.message),
                          count(case when given.at is null or called.at < given.at then 1 end)
                   from contact_point
                   left join (select canary_point.point as point, min(batch.planted_at) as at
                              from canary_point
                              join canary on canary.id = canary_point.canary
                              join batch on batch.id = canary.batch
                              where batch.state <> 'void'
                              group by canary_point.point) as given
                     on given.point = contact_point.id
                   left join called on called.point = contact_point.id
                                   and called.at >= contact_point.added_at
                   where contact_point.kind = 'phone'
                   group by contact_point.id, contact_point.added_at, given.at
                   order by contact_point.id";
        let count = |calls: i64| u32::try_from(calls).unwrap_or(u32::MAX);
        let mut burn_in = Vec::new();
        for row in &self.store.fetch(sql, vec![]).await? {
            let given = row.int_or_null(2)?;
            burn_in.push(BurnIn {
                point: row.int(0)?,
                since: from_micros(row.int(1)?, "contact_point")?,
                given_at: given.map(|at| from_micros(at, "batch")).transpose()?,
                calls: count(row.int(3)?),
                before: count(row.int(4)?),
            });
        }
        Ok(burn_in)
    }
}
