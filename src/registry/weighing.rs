//! Gathers what [`weigh`](crate::weigh) needs to judge an incident: the contact points of each source, and
//! which of them were reached.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use super::agreeing::CallBook;
use super::{Error, Registry, Result, from_micros, micros};
use crate::canary::{Channel, ContactKind, Incident, Named, SightingKind, SourceName, State};
use crate::evidence::{Act, Entry};
use crate::weigh::{Reach, Seen, Standing, Way, Weight, named, verdict};

const YEAR: f64 = 365.25 * 24.0 * 3600.0;

/// A source's contact points.
#[derive(Default)]
struct Points {
    since: Option<OffsetDateTime>,
    mail: u32,
    phone: u32,
    post: u32,
}

impl Points {
    fn of(&self, way: Way) -> u32 {
        match way {
            Way::Mail | Way::Probe | Way::Login => self.mail,
            Way::Phone => self.phone,
            Way::Post => self.post,
            // Nothing that a report could name is ours.
            Way::Report => u32::from(self.since.is_some()),
        }
    }

    /// For how many years they had been there; `None` if they were not.
    fn years(&self, at: OffsetDateTime) -> Option<f64> {
        let since = self.since.filter(|since| *since <= at)?;
        Some((at - since).as_seconds_f64() / YEAR)
    }
}

/// A contact point that was reached.
struct Reached {
    source: SourceName,
    incident: Option<i64>,
    way: Way,
    /// The canary or number; empty where several canaries may have been meant.
    point: String,
    /// Whether it is a canary.
    canary: bool,
    /// Of a call: the canary whose name the caller said, and how.
    named: Option<(String, Named)>,
    at: OffsetDateTime,
}

/// Everything that incidents are weighed by.
struct Known {
    points: HashMap<SourceName, Points>,
    reached: Vec<Reached>,
    calls: CallBook,
    /// Canaries whose details somebody was shown.
    shown: HashSet<String>,
}

impl Registry {
    /// How much better a leak explains each incident than chance does.
    ///
    /// # Errors
    /// The store fails, or something does not read.
    pub async fn weigh(&self, incidents: &[Incident]) -> Result<Vec<Weight>> {
        if incidents.is_empty() {
            return Ok(Vec::new());
        }
        let mut reached = self.reached_canaries().await?;
        reached.extend(self.reached_numbers().await?);
        let mut tx = self.store.begin_snapshot().await?;
        let calls = self.call_book(&mut tx, i64::MIN, i64::MAX).await?;
        tx.commit().await?;
        let known = Known {
            points: self.points().await?,
            reached,
            calls,
            shown: self.shown().await?,
        };
        Ok(incidents.iter().map(|one| known.weigh(one)).collect())
    }

    async fn points(&self) -> Result<HashMap<SourceName, Points>> {
        let mut sources: HashMap<SourceName, Points> = HashMap::new();
        for batch in self.batches(None).await? {
            if matches!(batch.state, State::Planned | State::Void) {
                continue;
            }
            let points = sources.entry(batch.source).or_default();
            let planted = batch.planted_at;
            points.since = Some(points.since.map_or(planted, |since| since.min(planted)));
        }
        for entry in self.pool().await? {
            for (source, given) in &entry.given {
                let points = sources.entry(source.clone()).or_default();
                match entry.point.kind() {
                    ContactKind::Mail | ContactKind::Mailbox => points.mail += given,
                    // However many canaries share it.
                    ContactKind::Phone => points.phone += 1,
                    ContactKind::Drop => points.post += given,
                }
            }
        }
        Ok(sources)
    }

    async fn reached_canaries(&self) -> Result<Vec<Reached>> {
        let rows = self
            .store
            .fetch(
                "select source, incident, channel, kind, canary, min(at) from sighting
                 where kind in ('alarm', 'probe') and source is not null
                 group by source, incident, channel, kind, canary",
                vec![],
            )
            .await?;
        let mut reached = Vec::with_capacity(rows.len());
        for row in &rows {
            let damaged = || Error::Damaged("a sighting".to_owned());
            let channel = Channel::from_name(&row.text(2)?).ok_or_else(damaged)?;
            let kind = SightingKind::from_name(&row.text(3)?).ok_or_else(damaged)?;
            let canary = row.text_or_null(4)?;
            reached.push(Reached {
                source: row.text(0)?.parse().map_err(|_| damaged())?,
                incident: row.int_or_null(1)?,
                way: Way::of(channel, kind),
                canary: canary.is_some(),
                point: canary.unwrap_or_default(),
                named: None,
                at: from_micros(row.int(5)?, "sighting")?,
            });
        }
        // What counts of a call is the number.
        reached.retain(|one| one.way != Way::Phone || one.canary);
        Ok(reached)
    }

    async fn reached_numbers(&self) -> Result<Vec<Reached>> {
        let sql = "select sighting.source, sighting.incident, sighting.canary, called.point, called.named,
                          min(sighting.at), max(sighting.at)
                   from sighting join called on called.message = sighting.message
                   where sighting.channel in ('phone', 'sms') and sighting.kind = 'alarm'
                     and sighting.source is not null and called.point is not null
                   group by sighting.source, sighting.incident, sighting.canary, called.point, called.named";
        let rows = self.store.fetch(sql, vec![]).await?;
        let mut reached = Vec::with_capacity(rows.len());
        for row in &rows {
            let source: SourceName =
                (row.text(0)?.parse()).map_err(|_| Error::Damaged("a sighting".to_owned()))?;
            let named = match row.int(4)? {
                1 => Some(Named::Family),
                2 => Some(Named::Whole),
                _ => None,
            };
            for at in [5, 6] {
                reached.push(Reached {
                    source: source.clone(),
                    incident: row.int_or_null(1)?,
                    way: Way::Phone,
                    point: row.int(3)?.to_string(),
                    canary: false,
                    named: row.text_or_null(2)?.zip(named),
                    at: from_micros(row.int(at)?, "sighting")?,
                });
            }
        }
        Ok(reached)
    }

    async fn shown(&self) -> Result<HashSet<String>> {
        let sql = "select entry from evidence where seq >= 0
                   and (entry like '%\"act\":\"revealed\"%' or entry like '%\"act\":\"proved\"%')";
        let mut shown = HashSet::new();
        for row in self.store.fetch(sql, vec![]).await? {
            let entry: Entry = serde_json::from_str(&row.text(0)?)
                .map_err(|_| Error::Damaged("an entry of the evidence log".to_owned()))?;
            if let Act::Revealed { canary, .. } | Act::Proved { canary } = entry.act {
                shown.insert(canary);
            }
        }
        Ok(shown)
    }
}

impl Known {
    fn weigh(&self, incident: &Incident) -> Weight {
        let seen: Vec<Seen> = (Way::ALL.into_iter())
            .map(|way| Seen {
                way,
                here: self.here(incident, way),
                elsewhere: self.elsewhere(incident, way),
            })
            .collect();
        verdict(&seen, self.calls(incident), self.standing(incident))
    }

    /// What the calls up to the incident's last one say, and that callers said names.
    fn calls(&self, incident: &Incident) -> f64 {
        let ours = self.reached.iter();
        let ours = ours.filter(|one| one.incident == Some(incident.id) && one.way == Way::Phone);
        let last = ours.clone().map(|one| one.at).max();
        let at = micros(last.unwrap_or(incident.last_at));
        let agree = self.calls.weigh(incident.source.as_str(), at).log10_lr;
        let mut names: HashMap<&str, Named> = HashMap::new();
        for (canary, how) in ours.filter_map(|one| one.named.as_ref()) {
            let said = names.entry(canary).or_insert(*how);
            *said = (*said).max(*how);
        }
        agree + names.values().map(|how| named(*how)).sum::<f64>()
    }

    fn here(&self, incident: &Incident, way: Way) -> Reach {
        let points = self.points.get(&incident.source);
        let ours = self.reached.iter();
        let ours = ours.filter(|one| one.incident == Some(incident.id));
        Reach {
            points: points.map_or(0, |points| points.of(way)),
            reached: distinct(ours, way),
            years: points
                .and_then(|points| points.years(incident.last_at))
                .unwrap_or_default(),
        }
    }

    fn elsewhere(&self, incident: &Incident, way: Way) -> Vec<Reach> {
        let at = incident.last_at;
        let others = self.points.iter();
        let others = others.filter(|(source, _)| **source != incident.source);
        others
            .filter_map(|(source, points)| {
                let theirs = self.reached.iter();
                let theirs = theirs.filter(|one| one.source == *source && one.at <= at);
                let count = points.of(way);
                Some(Reach {
                    points: count,
                    reached: distinct(theirs, way).min(count),
                    years: points.years(at)?,
                })
            })
            .collect()
    }

    /// What the canaries reached may carry; a number that is shared is as good as one.
    fn standing(&self, incident: &Incident) -> Standing {
        let ours = self.reached.iter();
        let ours = ours.filter(|one| one.incident == Some(incident.id));
        let (canaries, numbers): (HashSet<_>, HashSet<_>) = ours
            .map(|one| (one.canary, one.point.as_str()))
            .partition(|(canary, _)| *canary);
        let shown = canaries.iter().filter(|(_, id)| self.shown.contains(*id));
        let shown = u32::try_from(shown.count()).unwrap_or(u32::MAX);
        let canaries = u32::try_from(canaries.len()).unwrap_or(u32::MAX);
        // A call that named its canary is known by both, and counts once.
        let numbers = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        Standing {
            kept: match canaries {
                0 => numbers,
                _ => canaries - shown,
            },
            shown,
        }
    }
}

/// Different contact points reached this way. What may have meant several canaries is one where nothing
/// else came.
fn distinct<'a>(reached: impl Iterator<Item = &'a Reached>, way: Way) -> u32 {
    let mut points: HashSet<&str> = HashSet::new();
    let mut written: HashSet<&str> = HashSet::new();
    let mut unclear = false;
    for one in reached {
        match one.way {
            // A number, not whom it was for.
            Way::Phone if one.canary => {}
            of if of == way && one.point.is_empty() => unclear = true,
            of if of == way => {
                points.insert(&one.point);
            }
            Way::Mail => {
                written.insert(&one.point);
            }
            _ => {}
        }
    }
    if way == Way::Probe {
        // Whoever checks an address and writes to it has come once.
        points.retain(|point| !written.contains(point));
    }
    let count = u32::try_from(points.len()).unwrap_or(u32::MAX);
    count.max(u32::from(unclear))
}
