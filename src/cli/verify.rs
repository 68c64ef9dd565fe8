//! `otori verify`.

use super::{Global, Outcome};

/// Options of `otori verify`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori verify`.
///
/// # Errors
/// Not built yet.
pub async fn run(_args: Args, _global: &Global) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built yet")
}
