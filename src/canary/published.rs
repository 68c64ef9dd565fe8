//! Sightings and incidents in the JSON that others build on. Its keys stay; more may come.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Channel, Incident, IncidentState, Origin, Sighting, SightingKind};

/// `{"sightings": […]}`, as `otori sightings --json` prints and `/api/sightings` answers it.
#[derive(Serialize)]
pub struct SightingsDocument<'a> {
    sightings: Vec<SightingEntry<'a>>,
}

#[derive(Serialize)]
struct SightingEntry<'a> {
    id: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    channel: Channel,
    source: Option<&'a str>,
    canary: Option<&'a str>,
    batch: Option<String>,
    kind: SightingKind,
    from: &'a str,
    summary: &'a str,
    incident: Option<i64>,
    repeats: u32,
    /// Whether the canary's details are destroyed.
    forgotten: bool,
    /// Whether what the message said was destroyed by a rule of `[retention]`.
    erased: bool,
    /// What a mail shows of whoever is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a Origin>,
}

impl<'a> SightingsDocument<'a> {
    /// The document of these sightings, in their order.
    pub fn new(sightings: &'a [Sighting]) -> SightingsDocument<'a> {
        let entry = |sighting: &'a Sighting| SightingEntry {
            id: sighting.id,
            at: sighting.at,
            channel: sighting.channel,
            source: sighting.source.as_ref().map(|source| source.as_str()),
            canary: sighting.canary.as_ref().map(|canary| canary.as_str()),
            batch: sighting.batch.as_ref().map(ToString::to_string),
            kind: sighting.kind,
            from: &sighting.actor.from,
            summary: &sighting.actor.summary,
            incident: sighting.incident,
            repeats: sighting.repeats,
            forgotten: sighting.forgotten,
            erased: sighting.erased,
            origin: sighting.actor.origin.as_deref(),
        };
        SightingsDocument {
            sightings: sightings.iter().map(entry).collect(),
        }
    }
}

/// `{"incidents": […]}`, as `otori incidents --json` prints and `/api/incidents` answers it.
#[derive(Serialize)]
pub struct IncidentsDocument<'a> {
    incidents: Vec<IncidentEntry<'a>>,
}

#[derive(Serialize)]
struct IncidentEntry<'a> {
    id: i64,
    source: &'a str,
    state: IncidentState,
    #[serde(with = "time::serde::rfc3339")]
    opened_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    sightings: u64,
    canaries: u64,
    /// The incident of the same source that was opened before it.
    follows: Option<i64>,
    /// Who is to see to it.
    owner: Option<&'a str>,
}

impl<'a> IncidentsDocument<'a> {
    /// The document of these incidents, in their order.
    pub fn new(incidents: &'a [Incident]) -> IncidentsDocument<'a> {
        let entry = |incident: &'a Incident| IncidentEntry {
            id: incident.id,
            source: incident.source.as_str(),
            state: incident.state,
            opened_at: incident.opened_at,
            last_at: incident.last_at,
            sightings: incident.sightings,
            canaries: incident.canaries,
            follows: incident.follows,
            owner: incident.owner.as_deref(),
        };
        IncidentsDocument {
            incidents: incidents.iter().map(entry).collect(),
        }
    }
}
