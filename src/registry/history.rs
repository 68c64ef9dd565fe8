//! What has happened to an incident, told from everything that the registry and its log know of it; and
//! which other incidents know the same actor.

use std::collections::HashSet;

use super::{Error, Registry, Result, from_micros};
use crate::canary::{Channel, MANY, Moment, MomentKind, NoteKind, SightingKind, SourceName};
use crate::evidence::{Act, Entry};

impl Registry {
    /// What has happened to an incident, in order: its sightings by the day, alerts, judgements, notes.
    ///
    /// # Errors
    /// The store fails, or something does not read.
    pub async fn timeline(&self, incident: i64) -> Result<Vec<Moment>> {
        let mut moments = self.seen_by_day(incident).await?;
        let sql = "select sent_at, place from delivery where incident = $1 and sent_at is not null";
        for row in self.store.fetch(sql, vec![incident.into()]).await? {
            moments.push(Moment {
                at: from_micros(row.int(0)?, "alert")?,
                by: None,
                what: MomentKind::Alerted {
                    place: row.text(1)?,
                },
            });
        }
        moments.extend(self.told_by_mail(incident).await?);
        moments.extend(self.judgements(incident).await?);
        for note in self.notes(incident).await? {
            moments.push(Moment {
                at: note.at,
                by: Some(note.by),
                what: match note.kind {
                    NoteKind::Note => MomentKind::Noted {
                        note: Some(note.text),
                    },
                    NoteKind::Owner => MomentKind::Owned { owner: note.text },
                },
            });
        }
        moments.sort_by_key(|moment| moment.at);
        Ok(moments)
    }

    async fn seen_by_day(&self, incident: i64) -> Result<Vec<Moment>> {
        let rows = self
            .store
            .fetch(
                "select channel, kind, min(at), max(at), count(*), count(distinct canary)
                 from sighting where incident = $1
                 group by channel, kind, at / 86400000000 order by min(at)",
                vec![incident.into()],
            )
            .await?;
        let mut moments = Vec::with_capacity(rows.len());
        for row in &rows {
            let damaged = || Error::Damaged(format!("a sighting of incident {incident}"));
            let count = |place: usize| u64::try_from(row.int(place)?).map_err(|_| damaged());
            let channel = Channel::from_name(&row.text(0)?).ok_or_else(damaged)?;
            let kind = SightingKind::from_name(&row.text(1)?).ok_or_else(damaged)?;
            moments.push(Moment {
                at: from_micros(row.int(2)?, "sighting")?,
                by: None,
                what: MomentKind::Sightings {
                    channel: channel.name(),
                    kind: kind.name(),
                    count: count(4)?,
                    canaries: count(5)?,
                    until: from_micros(row.int(3)?, "sighting")?,
                },
            });
        }
        Ok(moments)
    }

    /// Alerts of the time when mail was the only place: they had no deliveries, and stand in the log alone.
    async fn told_by_mail(&self, incident: i64) -> Result<Vec<Moment>> {
        let sql = "select entry from evidence
                   where seq >= 0 and entry like '%\"act\":\"alert_tried\"%'
                     and entry not like '%\"place\":%' order by seq";
        let ours = "select id from alert where incident = $1";
        let ours = self.store.fetch(ours, vec![incident.into()]).await?;
        let ours: Result<HashSet<i64>> = ours.iter().map(|row| row.int(0)).collect();
        let ours = ours?;
        let mut moments = Vec::new();
        for row in self.store.fetch(sql, vec![]).await? {
            let entry: Entry = serde_json::from_str(&row.text(0)?)
                .map_err(|_| Error::Damaged("an entry of the evidence log".to_owned()))?;
            if let Act::AlertTried {
                alert,
                sent: true,
                place: None,
            } = entry.act
                && ours.contains(&alert)
            {
                moments.push(Moment {
                    at: entry.at,
                    by: None,
                    what: MomentKind::Alerted {
                        place: "mail".to_owned(),
                    },
                });
            }
        }
        Ok(moments)
    }

    /// What people made of it stands in the log alone.
    async fn judgements(&self, incident: i64) -> Result<Vec<Moment>> {
        let sql = "select entry from evidence
                   where seq >= 0 and entry like '%\"act\":\"incident_changed\"%' order by seq";
        let mut moments = Vec::new();
        for row in self.store.fetch(sql, vec![]).await? {
            let entry: Entry = serde_json::from_str(&row.text(0)?)
                .map_err(|_| Error::Damaged("an entry of the evidence log".to_owned()))?;
            if let Act::IncidentChanged {
                incident: of,
                state,
                why,
            } = entry.act
                && of == incident
            {
                moments.push(Moment {
                    at: entry.at,
                    by: Some(entry.by),
                    what: MomentKind::Judged { state, why },
                });
            }
        }
        Ok(moments)
    }

    /// Other incidents that know an actor of this one, with their sources: of another source, the two lists
    /// may have been merged, or bought by one buyer.
    ///
    /// # Errors
    /// The store fails.
    pub async fn same_actor(&self, incident: i64) -> Result<Vec<(i64, SourceName)>> {
        let rows = self
            .store
            .fetch(
                "select distinct incident.id, incident.source
                 from incident_actor as mine
                 join incident_actor as theirs on theirs.tag = mine.tag
                 join incident on incident.id = theirs.incident
                 where mine.incident = $1 and theirs.incident <> $1
                   and (select count(distinct sender) from incident_actor as every
                        where every.tag = mine.tag) <= $2
                 order by incident.id",
                vec![incident.into(), (MANY as i64).into()],
            )
            .await?;
        let mut others = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = row.int(0)?;
            let source = row.text(1)?.parse();
            others.push((
                id,
                source.map_err(|_| Error::Damaged(format!("incident {id}")))?,
            ));
        }
        Ok(others)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::{MasterKey, Registry};
    use super::*;

    /// As it stood when mail was the only place that was told.
    #[tokio::test]
    async fn alerts_of_an_older_registry_stand_in_the_timeline() {
        let home = tempfile::tempdir().unwrap();
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", home.path(), &key);
        let registry = registry.await.unwrap();
        let mut tx = registry.store.begin().await.unwrap();
        for sql in [
            "insert into source (name, sealed, added_at) values ('s', x'00', 1)",
            "insert into incident (source, state, opened_at, last_at) values ('s', 'open', 1, 1)",
            "insert into message (at, channel, envelope, raw) values (1, 'mail', x'00', x'00')",
            "insert into sighting (message, at, channel, kind, actor, incident) values (1, 1, 'mail', 'alarm', x'00', 1)",
            "insert into alert (incident, sighting, due_at, sent_at, attempts) values (1, 1, 1, 2, 2)",
        ] {
            tx.execute(sql, vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let told = OffsetDateTime::now_utc();
        for (alert, sent) in [(1, false), (1, true), (7, true)] {
            let tx = registry.store.begin().await.unwrap();
            let place = None;
            let act = Act::AlertTried { alert, sent, place };
            registry.commit(tx, act).await.unwrap();
        }
        let moments = registry.timeline(1).await.unwrap();
        let alerted: Vec<&Moment> = (moments.iter())
            .filter(
                |moment| matches!(&moment.what, MomentKind::Alerted { place } if place == "mail"),
            )
            .collect();
        assert_eq!(alerted.len(), 1, "{moments:?}");
        assert!(alerted[0].at >= told);
    }
}
