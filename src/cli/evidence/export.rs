//! `otori evidence export`.

use std::path::PathBuf;

use serde::Serialize;
use time::OffsetDateTime;

use crate::bundle::{self, Wanted};
use crate::cli::{Global, Outcome, Output, pair};
use crate::custody::TwoPersonAct;
use crate::publish::Missed;

/// Options of `otori evidence export`.
#[derive(clap::Args)]
pub struct Args {
    /// Where the bundle goes: a ZIP file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only what belongs to this incident
    #[arg(long, value_name = "ID")]
    incident: Option<i64>,
}

#[derive(Serialize)]
struct Document {
    bundle: String,
    sha256: String,
    messages: usize,
    entries: usize,
    key: String,
}

/// Runs it.
///
/// # Errors
/// There is no such incident, the file is there already, or it cannot be written.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let act = TwoPersonAct::Reveal;
    let subject = match args.incident {
        Some(id) => format!("evidence of incident {id}"),
        None => "evidence of every incident".to_owned(),
    };
    if !pair::may_go_on(global, &workspace, &registry, act, &subject, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    let wanted = Wanted {
        incident: args.incident,
    };
    let now = OffsetDateTime::now_utc();
    let made = bundle::make(&workspace, &registry, wanted, &args.out, now).await?;
    for Missed { place, why } in &made.missed {
        eprintln!("warning: {place} has not got the newest checkpoint: {why}");
    }
    let document = Document {
        bundle: args.out.display().to_string(),
        sha256: made.sha256,
        messages: made.messages,
        entries: made.entries,
        key: workspace.signer()?.verifier().to_string(),
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{}: {} messages and {} entries of the log",
            document.bundle, document.messages, document.entries
        )?;
        writeln!(out, "SHA-256 {}", document.sha256)?;
        writeln!(
            out,
            "check it anywhere with: otori evidence verify {} --key '{}'",
            document.bundle, document.key
        )?;
        writeln!(
            out,
            "it holds mails as they came, canaries' addresses among them: hand it to nobody else"
        )
    })?;
    Ok(Outcome::Done)
}
