//! `otori source`.

use super::{Global, Outcome};

/// Options of `otori source`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori source`.
///
/// # Errors
/// Not built yet.
pub async fn run(_args: Args, _global: &Global) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built yet")
}
