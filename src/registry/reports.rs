//! Customers' reports, counted.

use time::OffsetDateTime;

use super::{Registry, Result, UNKNOWN_SOURCE, micros};
use crate::canary::SourceName;

/// A day in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

impl Registry {
    /// How many reports came in for a source on each of the last days up to that of `until` (UTC), oldest
    /// first: as many days as it has been watched, at most `most`. Without a source: all of them but those
    /// that belong to the incident of one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reports_by_day(
        &self,
        source: Option<&SourceName>,
        until: OffsetDateTime,
        most: usize,
    ) -> Result<Vec<u64>> {
        let (at, added) = match source {
            Some(source) => {
                let sql = "select at from sighting where channel = 'report' and source = $1";
                let at = self.store.fetch(sql, vec![source.as_str().into()]);
                (at.await?, Some(self.source(source).await?.added_at))
            }
            None => {
                let sql = "select at from sighting where channel = 'report'
                           and (incident is null or source = $1)";
                let at = self.store.fetch(sql, vec![UNKNOWN_SOURCE.into()]).await?;
                let sources = self.sources().await?;
                (at, sources.iter().map(|source| source.added_at).min())
            }
        };
        let days: Result<Vec<i64>> = (at.iter())
            .map(|row| Ok(row.int(0)?.div_euclid(DAY)))
            .collect();
        let days = days?;
        let last = micros(until).div_euclid(DAY);
        // Reports of before it was registered show that it was watched.
        let first = days.iter().copied().min();
        let first = first
            .into_iter()
            .chain(added.map(|at| micros(at).div_euclid(DAY)))
            .min();
        let watched = first.map_or(0, |first| last - first + 1);
        let watched = usize::try_from(watched).unwrap_or(0).min(most);
        let begin = last - watched as i64 + 1;
        let mut counts = vec![0; watched];
        for day in days {
            let place = usize::try_from(day - begin);
            if let Some(count) = place.ok().and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        }
        Ok(counts)
    }
}
