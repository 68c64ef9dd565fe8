//! Gathers what is known about an incident from the registry and its log.

use std::collections::HashMap;
use std::io::Write;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::canaries::Names;
use crate::canary::{Channel, Incident, Moment, MomentKind, Sighting, SourceName, State};
use crate::evidence::{Act, Checkpoint, Entry, hex};
use crate::notation::{Mapping, Role};
use crate::registry::{Registry, SightingFilter};
use crate::report::Lang;
use crate::report::dossier::{
    Access, AccessKind, Actor, Case, Change, Fields, LogState, Planted, Seen, Trace, Verification,
    deadlines,
};
use crate::workspace::Workspace;

/// A line of what a stranger says of himself is no longer than this, in the documents and in JSON.
const LONGEST: usize = 300;

/// Everything known. The moment of knowledge is `known_at`, or the incident's opening; with `reveal`,
/// what a message can be compared by is told of each.
///
/// # Errors
/// The registry fails.
pub(crate) async fn case(
    workspace: &Workspace,
    registry: &Registry,
    incident: &Incident,
    known_at: Option<OffsetDateTime>,
    reveal: bool,
    now: OffsetDateTime,
) -> anyhow::Result<Case> {
    let source = &incident.source;
    let entries = registry.acts().await?;
    let names = names(registry, source).await?;
    let logged = logged(&entries);
    let filter = SightingFilter {
        source: Some(source.clone()),
        ..SightingFilter::default()
    };
    let mut sightings = Vec::new();
    for sighting in registry.sightings(&filter).await?.iter().rev() {
        if sighting.incident == Some(incident.id) {
            sightings.push(seen(registry, sighting, &names, &logged, reveal).await?);
        }
    }
    let fields = registry.source(source).await?.mapping;
    let batches = registry.batches(Some(source)).await?;
    let mut case = Case {
        incident: incident.id,
        source: source.to_string(),
        state: incident.state,
        opened_at: incident.opened_at,
        last_at: incident.last_at,
        known_at: known_at.unwrap_or(incident.opened_at),
        known_at_said: known_at.is_some(),
        made_at: now,
        weight: registry.weigh(std::slice::from_ref(incident)).await?.pop(),
        history: Vec::new(),
        batches: batches
            .iter()
            // What was broken off never stood there.
            .filter(|batch| !matches!(batch.state, State::Planned | State::Void))
            .map(|batch| Planted {
                batch: batch.id.to_string(),
                canaries: batch.canaries,
                planted_at: batch.planted_at,
                unplanted_at: batch.unplanted_at,
                state: batch.state.name(),
                customers: batch.rows_at,
            })
            .collect(),
        verifications: Vec::new(),
        actors: actors(&sightings),
        sightings,
        traces: Vec::new(),
        accesses: Vec::new(),
        fields: self::fields(&fields),
        log: log(workspace, registry).await?,
        revealed: Vec::new(),
    };
    for entry in entries {
        note(&mut case, entry, source, &names);
    }
    Ok(case)
}

/// What would name one of a source's canaries.
async fn names(registry: &Registry, source: &SourceName) -> anyhow::Result<Names> {
    let canaries = registry.canaries(Some(source)).await?;
    Ok(Names::new(&canaries, &registry.pool().await?))
}

/// What has happened to an incident, in order; a text that names a canary is withheld.
///
/// # Errors
/// The registry fails.
pub(crate) async fn timeline(
    registry: &Registry,
    incident: &Incident,
) -> anyhow::Result<Vec<Moment>> {
    let names = names(registry, &incident.source).await?;
    let mut moments = registry.timeline(incident.id).await?;
    for moment in &mut moments {
        let text = match &mut moment.what {
            MomentKind::Judged { why, .. } => why,
            MomentKind::Noted { note } => note,
            _ => continue,
        };
        if text.as_ref().is_some_and(|text| names.are_in(text, None)) {
            *text = None;
        }
    }
    Ok(moments)
}

/// Writes the deadlines, for a person at a terminal.
pub(crate) fn deadline_lines(out: &mut dyn Write, case: &Case) -> std::io::Result<()> {
    let said = match case.known_at_said {
        true => "as stated",
        false => "the incident's opening: say --known-at if it was another moment",
    };
    let known = crate::report::when::minute(Lang::En, case.known_at);
    writeln!(out, "  known since {known} ({said})")?;
    for deadline in deadlines(case.known_at, case.made_at) {
        writeln!(out, "  {}", deadline.line(case.known_at.offset()))?;
    }
    Ok(())
}

/// The salted hash of each message, as the log has it.
fn logged(entries: &[Entry]) -> HashMap<i64, String> {
    let mut hashes = HashMap::new();
    for entry in entries {
        if let Act::MessagesAccepted { messages } = &entry.act {
            for (message, hash) in messages {
                // The same message again is not the one that is kept.
                hashes.entry(*message).or_insert_with(|| hash.clone());
            }
        }
    }
    hashes
}

async fn seen(
    registry: &Registry,
    sighting: &Sighting,
    names: &Names,
    logged: &HashMap<i64, String>,
    reveal: bool,
) -> anyhow::Result<Seen> {
    let told_of = reveal || sighting.channel == Channel::Mail;
    let raw = match told_of {
        true => registry.message(sighting.message).await?,
        false => None,
    };
    let canary = sighting.canary.as_ref().map(|id| id.as_str());
    let told = |text: &str| {
        // Nobody can tell any more whether a text names somebody who is forgotten.
        let kept = sighting.forgotten || names.are_in(text, canary);
        (!kept).then(|| text.chars().take(LONGEST).collect::<String>())
    };
    Ok(Seen {
        sighting: sighting.id,
        message: sighting.message,
        at: sighting.at,
        channel: sighting.channel,
        canary: canary.map(str::to_owned),
        batch: sighting.batch.as_ref().map(ToString::to_string),
        from: told(&sighting.actor.from),
        summary: told(&sighting.actor.summary),
        repeats: sighting.repeats,
        sha256: raw.map(|message| hex(&Sha256::digest(&message.raw))),
        logged: logged.get(&sighting.message).cloned(),
        salt: reveal.then(|| registry.raw_salt(sighting.message)),
    })
}

/// Sightings by who they say they come from, the busiest first.
fn actors(sightings: &[Seen]) -> Vec<Actor> {
    let mut actors: Vec<(Actor, Vec<&str>)> = Vec::new();
    let mut places: HashMap<Option<&str>, usize> = HashMap::new();
    for seen in sightings {
        let place = *places.entry(seen.from.as_deref()).or_insert(actors.len());
        if place == actors.len() {
            let actor = Actor {
                from: seen.from.clone(),
                channels: Vec::new(),
                sightings: 0,
                canaries: 0,
                first_at: seen.at,
                last_at: seen.at,
            };
            actors.push((actor, Vec::new()));
        }
        let (actor, canaries) = &mut actors[place];
        actor.sightings += 1;
        actor.first_at = actor.first_at.min(seen.at);
        actor.last_at = actor.last_at.max(seen.at);
        if !actor.channels.contains(&seen.channel) {
            actor.channels.push(seen.channel);
        }
        if let Some(canary) = seen.canary.as_deref()
            && !canaries.contains(&canary)
        {
            canaries.push(canary);
            actor.canaries += 1;
        }
    }
    let mut actors: Vec<Actor> = actors.into_iter().map(|(actor, _)| actor).collect();
    actors.sort_by_key(|actor| (std::cmp::Reverse(actor.sightings), actor.first_at));
    actors
}

/// What the table holds about people; `None` if its mapping does not read.
fn fields(mapping: &str) -> Option<Fields> {
    let mapping = Mapping::from_json(mapping).ok()?;
    let beside = mapping.related.iter().flat_map(|related| &related.columns);
    let roles = mapping
        .columns
        .iter()
        .chain(beside)
        .map(|column| column.role);
    Some(Fields {
        unclear: roles.clone().filter(|role| *role == Role::Other).count(),
        roles: roles
            .filter(|role| !matches!(role, Role::Other | Role::Skip))
            .collect(),
    })
}

async fn log(workspace: &Workspace, registry: &Registry) -> anyhow::Result<Option<LogState>> {
    let Some(newest) = registry.checkpoints(1).await?.into_iter().next() else {
        return Ok(None);
    };
    let keys = workspace.verifiers()?;
    let opened = keys
        .iter()
        .find_map(|key| Some((Checkpoint::open(&newest.note, key).ok()?, key)));
    let Some((checkpoint, key)) = opened else {
        anyhow::bail!(
            "the newest checkpoint of the evidence log is not signed by this workspace: run `otori evidence verify`"
        );
    };
    Ok(Some(LogState {
        size: checkpoint.size,
        root: String::from(checkpoint.root),
        signed_at: newest.at,
        stamped: newest.timestamp_token.is_some(),
        key: key.to_string(),
    }))
}

/// Takes from an entry of the log what bears on the case.
fn note(case: &mut Case, entry: Entry, source: &SourceName, names: &Names) {
    let (at, by) = (entry.at, entry.by);
    let here = |name: &str| name == source.as_str();
    let access = |what, canary| Access {
        at,
        by: by.clone(),
        what,
        canary,
    };
    match entry.act {
        Act::Verified {
            source,
            live,
            intact,
            altered,
            missing,
        } if here(&source) => case.verifications.push(Verification {
            at,
            live,
            intact,
            altered,
            missing,
        }),
        Act::IncidentChanged {
            incident,
            state,
            why,
        } if incident == case.incident => case.history.push(Change {
            at,
            by,
            state,
            // Somebody may have written more than they should.
            why: why.filter(|why| !names.are_in(why, None)),
        }),
        Act::Traced {
            list,
            verdict,
            sources,
            false_accusation_probability,
            list_rows,
            findings,
            cleared,
        } => {
            let names_source = sources.iter().any(|name| here(name));
            let finding = findings.into_iter().find(|found| here(&found.source));
            let cleared = cleared.into_iter().find(|clear| here(&clear.source));
            if names_source || finding.is_some() || cleared.is_some() {
                case.traces.push(Trace {
                    at,
                    by,
                    list,
                    rows: list_rows,
                    verdict,
                    names_source,
                    false_accusation_probability,
                    finding,
                    cleared,
                });
            }
        }
        Act::Revealed { canary, source, .. } if here(&source) => {
            case.accesses
                .push(access(AccessKind::Revealed, Some(canary)));
        }
        Act::Proved { canary } if names.know(&canary) => {
            case.accesses.push(access(AccessKind::Proved, Some(canary)));
        }
        Act::Exported { .. } => case.accesses.push(access(AccessKind::Exported, None)),
        Act::Forgotten { source, .. } if here(&source) => {
            case.accesses.push(access(AccessKind::Forgotten, None));
        }
        Act::DossierMade { incident, .. } if incident == case.incident => {
            case.accesses.push(access(AccessKind::Dossier, None));
        }
        _ => {}
    }
}
