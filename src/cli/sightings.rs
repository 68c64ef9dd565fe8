//! `otori sightings`.

use super::{Global, Outcome};

/// Options of `otori sightings`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori sightings`.
///
/// # Errors
/// Not built yet.
pub async fn run(_args: Args, _global: &Global) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built yet")
}
