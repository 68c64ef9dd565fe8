//! `otori backup`.

use std::path::PathBuf;

use serde::Serialize;
use time::OffsetDateTime;

use super::passphrase::passphrase;
use super::{Global, Outcome, Output};
use crate::backup;
use crate::evidence::Act;

/// Write the whole workspace into one encrypted file
///
/// Configuration, keys and registry as one moment holds them, whatever `serve` does meanwhile. The
/// passphrase is OTORI_PASSPHRASE, or asked for; without it nobody can read the file, and neither can
/// you.
#[derive(clap::Args)]
pub struct Args {
    /// The file to write; one that exists is left as it is
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave the keys and secrets out: the registry in it then opens only with a key kept elsewhere
    #[arg(long)]
    without_keys: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    file: &'a std::path::Path,
    files: usize,
    rows: u64,
    bytes: u64,
    sha256: &'a str,
    with_keys: bool,
    /// Files that otori.toml names outside of the workspace.
    not_included: &'a [PathBuf],
}

/// Runs `otori backup`.
///
/// # Errors
/// The file exists or cannot be written, or the registry fails; then there is none.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let words = passphrase(true)?;
    let with_keys = !args.without_keys;
    let now = OffsetDateTime::now_utc();
    let file = &args.file;
    let made = backup::make(&workspace, &registry, with_keys, &words, file, now).await?;
    let act = Act::BackedUp {
        sha256: made.sha256.clone(),
        with_keys,
    };
    registry.record(act, OffsetDateTime::now_utc()).await?;
    for path in &made.outside {
        eprintln!(
            "warning: {} is outside of the workspace and not in the backup",
            path.display()
        );
    }
    let document = Document {
        file,
        files: made.files,
        rows: made.rows,
        bytes: made.bytes,
        sha256: &made.sha256,
        with_keys,
        not_included: &made.outside,
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{}: {} files and {} rows, {} bytes.",
            file.display(),
            made.files,
            made.rows,
            made.bytes
        )?;
        writeln!(out, "SHA-256 {}", made.sha256)
    })?;
    Ok(Outcome::Done)
}
