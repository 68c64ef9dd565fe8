//! Customers' reports, counted.

use time::OffsetDateTime;

use super::{Registry, Result, micros};
use crate::canary::SourceName;

/// A day in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

impl Registry {
    /// How many reports came in for a source on each of the last days up to that of `until` (UTC), oldest
    /// first: as many days as it has been watched, at most `most`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reports_by_day(
        &self,
        source: &SourceName,
        until: OffsetDateTime,
        most: usize,
    ) -> Result<Vec<u64>> {
        let last = micros(until).div_euclid(DAY);
        let sql = "select min(at) from sighting where channel = 'report' and source = $1";
        let first = self.store.fetch(sql, vec![source.as_str().into()]).await?;
        let first = first.first().map_or(Ok(None), |row| row.int_or_null(0))?;
        let added = micros(self.source(source).await?.added_at);
        // Reports of before it was registered show that it was watched.
        let first = first
            .map_or(added, |first| first.min(added))
            .div_euclid(DAY);
        let days = usize::try_from(last - first + 1).unwrap_or(0).min(most);
        let begin = last - days as i64 + 1;
        let mut counts = vec![0; days];
        let sql = "select at from sighting
                   where channel = 'report' and source = $1 and at >= $2 and at < $3";
        let from_to = [begin * DAY, (last + 1) * DAY];
        let values = vec![source.as_str().into(), from_to[0].into(), from_to[1].into()];
        for row in self.store.fetch(sql, values).await? {
            let place = usize::try_from(row.int(0)?.div_euclid(DAY) - begin);
            if let Some(count) = place.ok().and_then(|place| counts.get_mut(place)) {
                *count += 1;
            }
        }
        Ok(counts)
    }
}
