//! `otori trace layout`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::Outcome;
use crate::trace::parts::Laid;
use crate::workspace::Unnamed;

/// Understand a list by its first rows, so that stretches of it can be read elsewhere
///
/// Writes JSON with the columns' names and meanings and no row: delimiter, encoding, and how dates are
/// written. What was misunderstood can be put right in it.
#[derive(clap::Args)]
pub struct Args {
    /// The list, or its first rows: some thousand of them, with the header
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the layout goes; without it to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// The list cannot be read, or is no text of rows.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let shown = || args.file.display().to_string();
    let laid = if args.file.as_os_str() == "-" {
        Laid::of(std::io::stdin().lock())
    } else {
        Laid::of(File::open(&args.file).with_context(shown)?)
    };
    let text = laid.with_context(shown)?.to_json() + "\n";
    let Some(out) = &args.out else {
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(Outcome::Done);
    };
    let write = || {
        let file = Unnamed::begin(out, ".otori-layout-")?;
        file.handle()?.write_all(text.as_bytes())?;
        file.replace()
    };
    write().with_context(|| out.display().to_string())?;
    Ok(Outcome::Done)
}

/// The layout that a file says.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(path: &Path) -> anyhow::Result<Laid> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(shown)?;
    Laid::from_json(&text).with_context(shown)
}
