//! `otori evidence prove`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::CanaryId;
use crate::cli::{Global, Outcome, Output, pair};
use crate::custody::TwoPersonAct;
use crate::evidence::{Act, Proof, inclusion};
use crate::publish::Missed;
use crate::workspace::write_private;

/// Options of `otori evidence prove`.
#[derive(clap::Args)]
pub struct Args {
    /// The canary, as sightings and traces name it
    canary: CanaryId,
    /// Where the proof goes; it holds this canary's details
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Document<'a> {
    canary: &'a str,
    file: String,
}

/// Runs it.
///
/// # Errors
/// There is no such canary, it was planted before there was a log, or the file exists.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let id = args.canary.as_str();
    let Some(opening) = registry.opening(&args.canary).await? else {
        bail!(
            "canary {id} was planted before this registry had an evidence log: nothing was committed to then"
        );
    };
    let act = TwoPersonAct::Reveal;
    if !pair::may_go_on(global, &workspace, &registry, act, id, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    // That the canary was shown is in the log before it is shown.
    let act = Act::Proved {
        canary: id.to_owned(),
    };
    registry.record(act, OffsetDateTime::now_utc()).await?;
    workspace.sign_log(&registry).await?;
    for Missed { place, why } in crate::cli::publish(&workspace, &registry).await? {
        eprintln!("warning: {place} has not got the newest checkpoint: {why}");
    }
    let texts = registry.entry_texts().await?;
    let registers = |text: &&String| {
        let entry: Option<crate::evidence::Entry> = serde_json::from_str(text).ok();
        matches!(entry.map(|entry| entry.act), Some(Act::BatchRegistered { batch, .. }) if opening.is_of(&batch))
    };
    let place = texts
        .iter()
        .position(|text| registers(&text))
        .context("the log has no entry of the canary's batch: run `otori evidence verify`")?;
    let checkpoint = registry
        .checkpoints(1)
        .await?
        .into_iter()
        .next()
        .context("the log is not signed yet")?;
    let leaves = registry.leaf_hashes(checkpoint.size).await?;
    let proof = Proof::new(
        id,
        opening,
        texts[place].clone(),
        inclusion(&leaves, place),
        (checkpoint.note, checkpoint.timestamp_token),
        &workspace.signer()?.verifier(),
    );
    proof
        .check(None, &[])
        .context("the registry does not prove this canary: run `otori evidence verify`")?;
    write_private(&args.out, &serde_json::to_vec_pretty(&proof)?)?;
    let document = Document {
        canary: id,
        file: args.out.display().to_string(),
    };
    Output::new(global).result(&document, |out| {
        writeln!(out, "{}: it shows canary {id} and no other; check it anywhere with: otori evidence verify {}", document.file, document.file)
    })?;
    Ok(Outcome::Done)
}
