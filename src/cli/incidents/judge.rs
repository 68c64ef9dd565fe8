//! `otori incidents confirm` and `close`: what a person makes of an incident.

use serde::Serialize;

use crate::canary::IncidentState;
use crate::cli::{Global, Outcome, Output};

/// Options of `otori incidents confirm`.
#[derive(clap::Args)]
pub struct Args {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
    /// Why, for the log; it must not hold a canary's details
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

/// Options of `otori incidents close`.
#[derive(clap::Args)]
pub struct Close {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
    /// Why, for the log; it must not hold a canary's details
    #[arg(long, value_name = "TEXT")]
    why: String,
}

#[derive(Serialize)]
struct Document {
    incident: i64,
    source: String,
    state: IncidentState,
}

pub(super) async fn confirm(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let state = IncidentState::Confirmed;
    judge(args.id, state, args.why.as_deref(), global).await
}

pub(super) async fn close(args: Close, global: &Global) -> anyhow::Result<Outcome> {
    judge(args.id, IncidentState::Closed, Some(&args.why), global).await
}

async fn judge(
    id: i64,
    state: IncidentState,
    why: Option<&str>,
    global: &Global,
) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    registry.judge_incident(id, state, why).await?;
    let incident = registry.incident(id).await?;
    let document = Document {
        incident: id,
        source: incident.source.to_string(),
        state,
    };
    Output::new(global).result(&document, |out| {
        let source = &document.source;
        writeln!(out, "incident {id}  {source}  {}", state.name())
    })?;
    Ok(Outcome::Done)
}
