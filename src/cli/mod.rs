//! The command line: one file per verb; the only place where features meet.

#[cfg(feature = "plant")]
mod ask;
#[cfg(all(feature = "plant", feature = "receive", feature = "trace"))]
mod demo;
mod incidents;
mod init;
#[cfg(feature = "plant")]
mod opened;
mod output;
#[cfg(feature = "plant")]
mod plan;
#[cfg(feature = "plant")]
mod plant;
mod pool;
#[cfg(feature = "receive")]
mod serve;
mod sightings;
#[cfg(feature = "plant")]
mod source;
#[cfg(feature = "trace")]
mod trace;
#[cfg(feature = "plant")]
mod unplant;
#[cfg(feature = "plant")]
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use output::Output;

use crate::registry::Registry;
use crate::workspace::Workspace;

// The modules are named above and not by the macro: rustfmt does not look into macros for files.
macro_rules! verbs {
    ($($(#[$attr:meta])* $variant:ident = $module:ident,)+) => {
        #[derive(Subcommand)]
        enum Verb {
            $($(#[$attr])* $variant($module::Args),)+
        }

        async fn dispatch(verb: Verb, global: &Global) -> anyhow::Result<Outcome> {
            match verb {
                $($(#[$attr])* Verb::$variant(args) => $module::run(args, global).await,)+
            }
        }
    };
}

verbs! {
    #[cfg(all(feature = "plant", feature = "receive", feature = "trace"))] Demo = demo,
    Init = init,
    Pool = pool,

    #[cfg(feature = "plant")] Source = source,
    #[cfg(feature = "plant")] Plan = plan,
    #[cfg(feature = "plant")] Plant = plant,
    #[cfg(feature = "plant")] Verify = verify,
    #[cfg(feature = "plant")] Unplant = unplant,
    #[cfg(feature = "receive")] Serve = serve,
    Sightings = sightings,
    Incidents = incidents,
    #[cfg(feature = "trace")] Trace = trace,
}

/// What a command came to, beside its output: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit status 0.
    Done,
    /// Exit status 1: a check did not hold; the output says which.
    CheckFailed,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The workspace; without it, the nearest otori.toml at or above the current directory
    #[arg(long, global = true, env = "OTORI_WORKSPACE", value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Print exactly one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes to every question
    #[arg(long, global = true)]
    pub yes: bool,
}

impl Global {
    /// Opens the workspace that the options ask for, and its registry.
    pub(crate) async fn open(&self) -> anyhow::Result<(Workspace, Registry)> {
        let workspace = Workspace::find(self.workspace.as_deref())?;
        let registry = workspace.registry().await?;
        Ok((workspace, registry))
    }
}

/// Plants fake customers into real databases, watches their mail, phones and letter boxes, and pins
/// a leaked list to its source.
#[derive(Parser)]
#[command(
    name = "otori",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Otori {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let otori = Otori::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads to run on: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(dispatch(otori.verb, &otori.global)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}
