//! `otori incidents`.

use super::{Global, Outcome};

/// Options of `otori incidents`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori incidents`.
///
/// # Errors
/// Not built yet.
pub async fn run(_args: Args, _global: &Global) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built yet")
}
