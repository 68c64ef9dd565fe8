//! Customers' reports, counted.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::{Registry, Result, UNKNOWN_SOURCE, micros};
use crate::canary::SourceName;

/// A day in microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

impl Registry {
    /// How many reports came in for a source on each of the last days up to that of `until` (UTC), oldest
    /// first: as many days as it has been watched, at most `most`. Without a source: all of them but those
    /// that belong to the incident of one, and those of a source that is younger than these days: what it
    /// brings would look like more than ordinarily.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reports_by_day(
        &self,
        source: Option<&SourceName>,
        until: OffsetDateTime,
        most: usize,
    ) -> Result<Vec<u64>> {
        let last = day(micros(until));
        let (reports, since) = match source {
            Some(source) => {
                let sql = "select at from sighting where channel = 'report' and source = $1";
                let rows = self.store.fetch(sql, vec![source.as_str().into()]).await?;
                let days: Result<Vec<i64>> = rows.iter().map(|row| Ok(day(row.int(0)?))).collect();
                let added = day(micros(self.source(source).await?.added_at));
                (vec![days?], vec![Some(added)])
            }
            None => self.reports_of_each().await?,
        };
        // Reports of before it was registered show that it was watched.
        let begun: Vec<Option<i64>> = (reports.iter().zip(&since))
            .map(|(days, since)| days.iter().chain(since).copied().min())
            .collect();
        let Some(first) = begun.iter().flatten().min() else {
            return Ok(Vec::new());
        };
        let watched = usize::try_from(last - first + 1).unwrap_or(0).min(most);
        let begin = last - watched as i64 + 1;
        let mut counts = vec![0; watched];
        for ((days, since), begun) in reports.iter().zip(&since).zip(&begun) {
            if since.is_some() && begun.is_some_and(|begun| begun > begin) {
                continue;
            }
            for day in days {
                let place = usize::try_from(day - begin);
                if let Some(count) = place.ok().and_then(|place| counts.get_mut(place)) {
                    *count += 1;
                }
            }
        }
        Ok(counts)
    }

    /// The days of the reports of each source that no incident of one explains, and since which day the
    /// source is registered; those that name no source have none.
    async fn reports_of_each(&self) -> Result<(Vec<Vec<i64>>, Vec<Option<i64>>)> {
        let sql = "select source, at from sighting where channel = 'report'
                   and (incident is null or source = $1)";
        let rows = self.store.fetch(sql, vec![UNKNOWN_SOURCE.into()]).await?;
        let mut of_source: HashMap<Option<String>, Vec<i64>> = HashMap::new();
        for row in &rows {
            let named = row.text_or_null(0)?.filter(|name| name != UNKNOWN_SOURCE);
            of_source.entry(named).or_default().push(day(row.int(1)?));
        }
        let mut reports = vec![of_source.remove(&None).unwrap_or_default()];
        let mut since = vec![None];
        for source in self.sources().await? {
            let name = Some(source.name.to_string());
            reports.push(of_source.remove(&name).unwrap_or_default());
            since.push(Some(day(micros(source.added_at))));
        }
        Ok((reports, since))
    }
}

fn day(at: i64) -> i64 {
    at.div_euclid(DAY)
}
