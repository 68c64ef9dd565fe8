//! `otori evidence`: the log of everything that may have to be proved later.

mod export;
mod prove;
mod publish;
mod verify;

use clap::Subcommand;
use serde::Serialize;

use super::{Global, Outcome, Output};

/// The evidence log: what was done, signed, and whether it is still as it was written
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Check the log and every row of the registry against it; or check a bundle or a proof, anywhere
    Verify(verify::Args),
    /// Open one canary to a stranger: a file that shows that it was registered on its day with these fields,
    /// and nothing of any other canary
    Prove(prove::Args),
    /// Hand out evidence: the messages as they came, and the log that vouches for them, in one ZIP file that is
    /// checked anywhere
    Export(export::Args),
    /// Give the newest checkpoint to the time-stamping authority and the witnesses that otori.toml names; serve
    /// does so by itself
    Publish,
    /// Print the log's public key, to be published where nobody can change it afterwards
    Key,
}

#[derive(Serialize)]
struct Key {
    key: String,
}

/// Runs `otori evidence`.
///
/// # Errors
/// The workspace does not open, or a file cannot be read or written. Evidence that does not hold is told,
/// and is exit status 1.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        Act::Verify(args) => verify::run(args, global).await,
        Act::Prove(args) => prove::run(args, global).await,
        Act::Export(args) => export::run(args, global).await,
        Act::Publish => publish::run(global).await,
        Act::Key => {
            let (workspace, _) = global.open().await?;
            let key = workspace.signer()?.verifier().to_string();
            Output::new(global).result(&Key { key: key.clone() }, |out| writeln!(out, "{key}"))?;
            Ok(Outcome::Done)
        }
    }
}
