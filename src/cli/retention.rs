//! `otori retention`.

use clap::Subcommand;
use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output};
use crate::retention::{self, RetentionConfig};

/// How long contents of messages are kept
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Erase now what [retention] in otori.toml lets go; `otori serve` does so once a day
    Apply(Apply),
}

#[derive(clap::Args)]
struct Apply {
    /// Only say what would be erased
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    dry_run: bool,
    rules: &'a RetentionConfig,
    erased: retention::Outcome,
}

/// Runs `otori retention`.
///
/// # Errors
/// The workspace does not open, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let Act::Apply(Apply { dry_run }) = args.act;
    let (workspace, registry) = global.open().await?;
    let rules = &workspace.config().retention;
    let now = OffsetDateTime::now_utc();
    let erased = match dry_run {
        true => retention::due(&registry, rules, now).await?,
        false => retention::apply(&registry, rules, now).await?,
    };
    let document = Document {
        dry_run,
        rules,
        erased,
    };
    Output::new(global).result(&document, |out| {
        if rules.is_empty() {
            return writeln!(
                out,
                "Everything is kept: otori.toml has no noise_days, expected_days or closed_days in [retention]."
            );
        }
        let would = if dry_run { "would be " } else { "" };
        writeln!(
            out,
            "{} messages {would}erased ({} of noise, {} expected or drills, {} of closed incidents), {} bytes. Their hashes stay.",
            erased.messages(),
            erased.noise,
            erased.expected,
            erased.closed,
            erased.bytes
        )?;
        if erased.damaged > 0 {
            writeln!(
                out,
                "{} messages do not open, and stay as they are: `otori evidence verify` says whether they were altered.",
                erased.damaged
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
