//! `otori unplant`.

use anyhow::bail;
use serde::Serialize;

use super::ask::confirm;
use super::opened::Opened;
use super::{Global, Outcome, Output, pair};
use crate::canary::{BatchId, CanaryId, SourceName};
use crate::custody::TwoPersonAct;
use crate::plant;

/// Remove exactly the planted rows of a source, and nothing else
///
/// A row is removed if its key and its content are what was planted. The registry keeps the canaries:
/// lists that were taken while they stood there still name their source.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// Only this batch
    #[arg(long, value_name = "BATCH")]
    batch: Option<String>,
    /// Remove rows that somebody has changed since they were planted, too
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    batches: Vec<&'a str>,
    removed: usize,
    altered_removed: Vec<&'a str>,
    missing: Vec<&'a str>,
}

/// Runs `otori unplant`.
///
/// # Errors
/// See [`plant::Error`]; then nothing was removed.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let _held = registry.exclusive().await?;
    let opened = Opened::named(&registry, &args.name).await?;
    let table = opened.table().await?;
    let only = args.batch.map(BatchId::from_text);
    let batches = plant::removable(&registry, &args.name, only.as_ref()).await?;
    let canaries: usize = batches.iter().map(|batch| batch.canaries).sum();
    let question = format!(
        "Remove {canaries} canaries ({} batches) from {} of source {}?",
        batches.len(),
        table,
        args.name
    );
    if !confirm(global, &question)? {
        bail!("nothing was removed");
    }
    // Exactly these batches are approved: one that was planted since takes another request.
    let names: Vec<&str> = batches.iter().map(|batch| batch.id.as_str()).collect();
    let subject = names.join(" ") + if args.force { " --force" } else { "" };
    let act = TwoPersonAct::Unplant;
    if !pair::may_go_on(global, &workspace, &registry, act, &subject, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    let done = plant::unplant(&registry, &opened.database, &table, &batches, args.force).await?;
    let drip = registry.drip(&args.name).await?;
    if drip.is_some_and(|drip| drip.next_at.is_some()) {
        eprintln!(
            "note: canaries go on arriving in {name} one by one: otori drip {name} --stop",
            name = args.name
        );
    }
    let ids = |list: &[CanaryId]| -> Vec<String> { list.iter().map(ToString::to_string).collect() };
    let (altered, missing) = (ids(&done.altered), ids(&done.missing));
    let document = Document {
        source: &args.name,
        batches: done.batches.iter().map(BatchId::as_str).collect(),
        removed: done.removed.len() + done.altered.len(),
        altered_removed: altered.iter().map(String::as_str).collect(),
        missing: missing.iter().map(String::as_str).collect(),
    };
    Output::new(global).result(&document, |out| {
        writeln!(out, "{} canaries removed from {}.", document.removed, table)?;
        for canary in &altered {
            writeln!(
                out,
                "  {canary} had been changed, and was removed as it was"
            )?;
        }
        for canary in &missing {
            writeln!(out, "  {canary} was gone already")?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
