//! `otori plant`.

use super::{Global, Outcome};

/// Options of `otori plant`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori plant`.
///
/// # Errors
/// Not built yet.
pub async fn run(_args: Args, _global: &Global) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built yet")
}
