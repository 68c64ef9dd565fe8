//! `otori forget`.

use anyhow::bail;
use serde::Serialize;
use time::OffsetDateTime;

use super::ask::confirm;
use super::{Global, Outcome, Output, pair};
use crate::canary::{SourceName, State};
use crate::custody::TwoPersonAct;

/// Destroy the details of a source's canaries for ever
///
/// Their key, what they are found by and the details themselves are destroyed; ids, batches,
/// sightings and the evidence log stay, and the log still holds. A list that they are in is not
/// recognised any more. Only for a source without live canaries.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    #[arg(value_name = "NAME")]
    name: SourceName,
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    forgotten: usize,
    /// Whether the database may still hold remains of what was removed.
    remains: bool,
}

/// Runs `otori forget`.
///
/// # Errors
/// Canaries may stand in the source, or they are forgotten already; then nothing was destroyed.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let _held = registry.exclusive().await?;
    registry.source(&args.name).await?;
    let batches = registry.batches(Some(&args.name)).await?;
    let count: usize = batches
        .iter()
        .filter(|batch| batch.state == State::Unplanted)
        .map(|batch| batch.canaries)
        .sum();
    let question = format!(
        "Destroy the details of {count} canaries of source {} for ever? Lists taken while they stood there will not be recognised.",
        args.name
    );
    if !confirm(global, &question)? {
        bail!("nothing was destroyed");
    }
    let (act, subject) = (TwoPersonAct::Forget, args.name.as_str());
    if !pair::may_go_on(global, &workspace, &registry, act, subject, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    // Nothing more can be planted into it.
    registry
        .stop_drip(&args.name, OffsetDateTime::now_utc())
        .await?;
    let done = registry
        .forget(&args.name, OffsetDateTime::now_utc())
        .await?;
    let document = Document {
        source: &args.name,
        forgotten: done.canaries,
        remains: done.remains,
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{} canaries of {} are forgotten.",
            done.canaries, args.name
        )?;
        if done.remains {
            writeln!(
                out,
                "Another process was reading: stop it and run any command, so that what was removed is overwritten."
            )?;
        }
        writeln!(
            out,
            "Backups made before still hold them: destroy those, or `otori key rotate registry` and every \
             copy of the key that was. Mails that reached them stay, as evidence."
        )
    })?;
    Ok(Outcome::Done)
}
