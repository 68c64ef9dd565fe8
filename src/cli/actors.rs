//! `otori actors`: who used the data, put together from everything that they are known by.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::canary::{Channel, Cluster, Contact, KeyKind, Sighting, clusters};

/// Names under which an actor appears that are shown.
const NAMES: usize = 5;

/// Who used the data, across canaries, sources and channels: contacts that have a number, a list, an
/// address, a proven domain, a network or two other domains in common
#[derive(clap::Args)]
pub struct Args {
    /// Only those of several contacts
    #[arg(long)]
    several: bool,
}

#[derive(Serialize)]
struct Document {
    actors: Vec<Actor>,
}

/// One actor, as far as can be told.
#[derive(Serialize)]
struct Actor {
    sightings: Vec<i64>,
    incidents: BTreeSet<i64>,
    sources: BTreeSet<String>,
    channels: Vec<Channel>,
    canaries: BTreeSet<String>,
    #[serde(with = "time::serde::rfc3339")]
    first_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    /// As whom it appeared, at most so many.
    from: Vec<String>,
    /// What its contacts have in common.
    why: Vec<Why>,
}

#[derive(Serialize)]
struct Why {
    kind: KeyKind,
    value: String,
    contacts: usize,
}

/// Runs `otori actors`.
///
/// # Errors
/// The registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let (mut sightings, mut contacts) = (HashMap::new(), Vec::new());
    for (sighting, actor) in registry.contacts().await? {
        let id = sighting.id;
        contacts.push(Contact { id, actor });
        sightings.insert(id, sighting);
    }
    let clusters = clusters(&contacts);
    let actors = clusters
        .iter()
        .filter(|cluster| !args.several || cluster.contacts.len() > 1)
        .filter_map(|cluster| actor(cluster, &sightings));
    let document = Document {
        actors: actors.collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.actors.is_empty() {
            return writeln!(
                out,
                "No actor: nobody who can be told from others has used a canary."
            );
        }
        document
            .actors
            .iter()
            .try_for_each(|actor| lines(out, actor))
    })?;
    Ok(Outcome::Done)
}

fn actor(cluster: &Cluster, sightings: &HashMap<i64, Sighting>) -> Option<Actor> {
    let seen: Vec<&Sighting> = (cluster.contacts.iter())
        .filter_map(|id| sightings.get(id))
        .collect();
    let mut actor = Actor {
        sightings: cluster.contacts.clone(),
        incidents: seen.iter().filter_map(|one| one.incident).collect(),
        sources: (seen.iter().filter_map(|one| one.source.as_ref()))
            .map(ToString::to_string)
            .collect(),
        channels: Vec::new(),
        canaries: (seen.iter().filter_map(|one| one.canary.as_ref()))
            .map(ToString::to_string)
            .collect(),
        first_at: seen.iter().map(|one| one.at).min()?,
        last_at: seen.iter().map(|one| one.at).max()?,
        from: Vec::new(),
        why: (cluster.links.iter().filter(|link| link.contacts > 1))
            .map(|link| Why {
                kind: link.key.kind,
                value: link.key.value.clone(),
                contacts: link.contacts,
            })
            .collect(),
    };
    for one in seen {
        if !actor.channels.contains(&one.channel) {
            actor.channels.push(one.channel);
        }
        let from = &one.actor.from;
        if !from.is_empty() && actor.from.len() < NAMES && !actor.from.contains(from) {
            actor.from.push(from.clone());
        }
    }
    Some(actor)
}

fn lines(out: &mut dyn Write, actor: &Actor) -> std::io::Result<()> {
    let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join(", ");
    let channels: Vec<&str> = actor.channels.iter().map(|one| one.name()).collect();
    writeln!(
        out,
        "{}  sightings: {}  canaries: {}  sources: {}  by: {}  {} to {}",
        actor.from.join(", "),
        actor.sightings.len(),
        actor.canaries.len(),
        list(&actor.sources),
        channels.join(", "),
        minute(actor.first_at),
        minute(actor.last_at),
    )?;
    let incidents: Vec<String> = actor.incidents.iter().map(ToString::to_string).collect();
    if !incidents.is_empty() {
        writeln!(out, "    incidents: {}", incidents.join(", "))?;
    }
    for Why {
        kind,
        value,
        contacts,
    } in &actor.why
    {
        let kind = kind.name();
        writeln!(out, "    in common: {kind} {value} ({contacts} contacts)")?;
    }
    if actor.sources.len() > 1 {
        writeln!(
            out,
            "    seen at several sources: their lists may have been merged, or bought by one buyer"
        )?;
    }
    Ok(())
}
