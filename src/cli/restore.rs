//! `otori restore`.

use std::path::PathBuf;

use serde::Serialize;

use super::passphrase::passphrase;
use super::{Global, Outcome, Output};
use crate::backup;
use crate::workspace::MASTER_KEY_FILE;

/// Bring a workspace back from a backup
///
/// The backup is checked to its end before anything is written. DIR must be empty or not there; the
/// registry comes back where it was, and must be empty there too, or at another place.
#[derive(clap::Args)]
pub struct Args {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The directory that becomes the workspace
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Put the registry here: sqlite:PATH (relative to DIR), or postgres://…
    #[arg(long, value_name = "URL")]
    registry: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    workspace: &'a std::path::Path,
    files: usize,
    rows: u64,
    with_keys: bool,
    made_by: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    made_at: time::OffsetDateTime,
}

/// Runs `otori restore`.
///
/// # Errors
/// The backup is not whole, or another passphrase's; the directory is not empty; nothing is written
/// then.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let words = passphrase(false)?;
    let url = args.registry.as_deref();
    let restored = backup::restore(&args.file, &args.dir, url, &words).await?;
    let dir = args.dir.canonicalize()?;
    let document = Document {
        workspace: &dir,
        files: restored.contents.files,
        rows: restored.rows,
        with_keys: restored.contents.with_keys,
        made_by: &restored.contents.made_by,
        made_at: restored.contents.made_at,
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{} is the workspace as it was at {}: {} files, {} rows.",
            dir.display(),
            document.made_at,
            document.files,
            document.rows
        )?;
        if document.with_keys {
            return writeln!(out, "What came in since is not in it.");
        }
        writeln!(
            out,
            "The keys are not in the backup: put the registry's into {} (or give OTORI_KEY), and keys/evidence.key and \
             keys/evidence.old beside it before the first command, or the log is signed by a new key that nobody knows.",
            dir.join(MASTER_KEY_FILE).display()
        )
    })?;
    Ok(Outcome::Done)
}
