//! `otori incidents show`: what is known about one incident.

use std::io::Write;

use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::{Moment, SourceName};
use crate::cli::dossier::gather;
use crate::cli::{Global, Outcome, Output, minute};
use crate::report::Lang;
use crate::report::dossier::{Case, Deadline, deadlines, lines};
use crate::weigh::Weight;

/// Options of `otori incidents show`.
#[derive(clap::Args)]
pub struct Args {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    case: &'a Case,
    deadlines: [Deadline; 5],
    /// The incident of the same source that was opened before it.
    follows: Option<i64>,
    owner: Option<String>,
    /// Other incidents that know an actor of this one.
    same_actor: Vec<Other>,
    timeline: Vec<Moment>,
    /// Whether a leak or chance explains it.
    weight: Option<Weight>,
}

/// Another incident, by the same actor.
#[derive(Serialize)]
struct Other {
    incident: i64,
    source: String,
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let now = OffsetDateTime::now_utc();
    let (workspace, registry) = global.open().await?;
    let incident = registry.incident(args.id).await?;
    let case = gather::case(&workspace, &registry, &incident, None, false, now).await?;
    let same_actor = registry.same_actor(incident.id).await?;
    let weights = registry.weigh(std::slice::from_ref(&incident)).await?;
    let other = |(incident, source): (i64, SourceName)| Other {
        incident,
        source: source.to_string(),
    };
    let document = Document {
        case: &case,
        deadlines: deadlines(case.known_at, now),
        follows: incident.follows,
        owner: incident.owner.clone(),
        same_actor: same_actor.into_iter().map(other).collect(),
        timeline: gather::timeline(&registry, &incident).await?,
        weight: weights.into_iter().next(),
    };
    Output::new(global).result(&document, |out| {
        for line in lines(&case, Lang::En) {
            writeln!(out, "{line}")?;
        }
        gather::deadline_lines(out, &case)?;
        rest(out, &document)
    })?;
    Ok(Outcome::Done)
}

/// What belongs to the incident and to no document that is handed out.
fn rest(out: &mut dyn Write, document: &Document<'_>) -> std::io::Result<()> {
    if let Some(owner) = &document.owner {
        writeln!(out, "  owner: {owner}")?;
    }
    if let Some(before) = document.follows {
        writeln!(out, "  it follows incident {before}")?;
    }
    for Other { incident, source } in &document.same_actor {
        let same = *source == document.case.source;
        let meaning = match same {
            true => "",
            false => ": the two lists may have been merged, or bought by one buyer",
        };
        writeln!(
            out,
            "  the same actor was seen at source {source} (incident {incident}){meaning}"
        )?;
    }
    if let Some(weight) = &document.weight {
        writeln!(out, "  leak or chance: {}", weight.words())?;
        for channel in &weight.channels {
            writeln!(out, "    {}", channel.words())?;
        }
    }
    writeln!(out, "  what has happened:")?;
    for moment in &document.timeline {
        writeln!(out, "    {}  {}", minute(moment.at), moment.words())?;
    }
    Ok(())
}
