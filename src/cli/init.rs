//! `otori init`.

use std::path::PathBuf;

use serde::Serialize;

use super::{Global, Outcome, Output};
use crate::workspace::{self, Workspace};

/// Make a workspace: configuration, registry and keys
#[derive(clap::Args)]
pub struct Args {
    /// Where; the current directory without it
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The registry: sqlite:PATH (relative to DIR), or postgres://USER:PASSWORD@HOST/DATABASE where
    /// several receivers share it
    #[arg(long, value_name = "URL", default_value = "sqlite:registry.db")]
    registry: String,
}

#[derive(Serialize)]
struct Document<'a> {
    workspace: &'a std::path::Path,
}

/// Runs `otori init`.
///
/// # Errors
/// The directory is a workspace already, or cannot be written, or the registry cannot be made.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let dir = args
        .dir
        .or_else(|| global.workspace.clone())
        .unwrap_or_else(|| PathBuf::from("."));
    Workspace::create(&dir, &workspace::template(&args.registry)).await?;
    let dir = dir.canonicalize()?;
    Output::new(global).result(&Document { workspace: &dir }, |out| {
        writeln!(out, "{} is a workspace now.", dir.display())?;
        writeln!(
            out,
            "The registry opens only with {}: keep a copy of it in another place.\n",
            dir.join("keys/registry.key").display()
        )?;
        writeln!(
            out,
            "Next: contact points that you own (otori pool add --help),"
        )?;
        writeln!(out, "then a customer table (otori source add --help).")
    })?;
    Ok(Outcome::Done)
}
