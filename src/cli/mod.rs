//! The command line: one file per verb; the only place where features meet.

mod actors;
mod alerts;
mod approve;
mod ask;
mod backup;
#[cfg(all(feature = "plant", feature = "trace"))]
mod broker;
#[cfg(feature = "receive")]
mod calls;
#[cfg(feature = "receive")]
mod campaigns;
#[cfg(all(feature = "plant", feature = "receive", feature = "trace"))]
mod demo;
#[cfg(feature = "report")]
mod dossier;
#[cfg(feature = "receive")]
mod drill;
#[cfg(feature = "plant")]
mod drip;
mod evidence;
mod forget;
mod incidents;
#[cfg(feature = "receive")]
mod ingest;
mod init;
mod key;
#[cfg(feature = "receive")]
mod letters;
#[cfg(feature = "plant")]
mod opened;
mod output;
mod pair;
mod passphrase;
#[cfg(feature = "plant")]
mod plan;
#[cfg(feature = "plant")]
mod plant;
mod pool;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "receive")]
mod reports;
mod requests;
mod restore;
mod retention;
mod reveal;
#[cfg(feature = "receive")]
mod serve;
mod sightings;
#[cfg(feature = "plant")]
mod source;
#[cfg(feature = "plant")]
mod stealth;
#[cfg(feature = "plant")]
mod suppress;
#[cfg(feature = "receive")]
mod taken_in;
#[cfg(feature = "plant")]
mod tend;
#[cfg(feature = "trace")]
mod trace;
#[cfg(feature = "plant")]
mod unplant;
#[cfg(feature = "plant")]
mod verify;
#[cfg(feature = "trace")]
mod watchlist;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use output::{Output, minute};

use crate::publish::Missed;
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
    #[cfg(feature = "plant")] Drip = drip,
    #[cfg(feature = "plant")] Stealth = stealth,
    #[cfg(feature = "plant")] Verify = verify,
    #[cfg(feature = "plant")] Tend = tend,
    #[cfg(feature = "plant")] Unplant = unplant,
    #[cfg(feature = "plant")] Suppress = suppress,
    #[cfg(feature = "receive")] Serve = serve,
    #[cfg(feature = "receive")] Ingest = ingest,
    #[cfg(feature = "receive")] Calls = calls,
    #[cfg(feature = "receive")] Campaigns = campaigns,
    #[cfg(feature = "receive")] Letters = letters,
    #[cfg(feature = "receive")] Drill = drill,
    Sightings = sightings,
    Incidents = incidents,
    Actors = actors,
    Alerts = alerts,
    #[cfg(feature = "receive")] Reports = reports,
    #[cfg(feature = "report")] Dossier = dossier,
    Evidence = evidence,
    #[cfg(feature = "report")] Report = report,
    Retention = retention,
    Reveal = reveal,
    Requests = requests,
    Approve = approve,
    Key = key,
    Backup = backup,
    Restore = restore,
    Forget = forget,
    #[cfg(feature = "trace")] Trace = trace,
    #[cfg(feature = "trace")] Watchlist = watchlist,
}

/// What a command came to, beside its output: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit status 0.
    Done,
    /// Exit status 1: a check did not hold; the output says which.
    CheckFailed,
    /// Exit status 75, by which a mail server's pipe is told to keep the mail and come again.
    TryAgain,
}

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// The workspace; without it, the nearest otori.toml at or above the current directory
    #[arg(long, global = true, env = "OTORI_WORKSPACE", value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Print exactly one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Who you are; the token that proves it is in OTORI_TOKEN, or is asked for
    #[arg(long = "as", global = true, env = "OTORI_AS", value_name = "NAME")]
    pub person: Option<String>,
    /// Answer yes to every question
    #[arg(long, global = true)]
    pub yes: bool,
    /// What the command has opened: its log is signed when the command ends
    #[arg(skip)]
    opened: Session,
    /// The command's words (`source add`), which say what right it takes.
    #[arg(skip)]
    pub command: String,
}

/// The workspace and registry of one command.
#[derive(Clone, Default)]
struct Session(Arc<OnceLock<(Workspace, Registry)>>);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Global {
    /// Opens the workspace that the options ask for, and its registry, in the name of whoever runs the
    /// command, if they may.
    pub(crate) async fn open(&self) -> anyhow::Result<(Workspace, Registry)> {
        let workspace = Workspace::find(self.workspace.as_deref())?;
        let registry = workspace.registry().await?;
        let registry = who::admit(self, &workspace, registry).await?;
        registry.configured(&workspace.config_sha256()?).await?;
        // A command opens one workspace; were it to open it again, it is the same.
        let _ = self.opened.0.set((workspace.clone(), registry.clone()));
        Ok((workspace, registry))
    }

    /// The same, for whoever examines the log: nothing enters it but a refusal, and nothing is signed
    /// afterwards.
    pub(crate) async fn open_to_check(&self) -> anyhow::Result<(Workspace, Registry)> {
        let workspace = Workspace::find(self.workspace.as_deref())?;
        let registry = workspace.registry().await?;
        let registry = who::admit(self, &workspace, registry).await?;
        Ok((workspace, registry))
    }

    /// Signs what the command has brought into the evidence log, and publishes the checkpoint where the
    /// configuration says so. That this fails takes nothing back, and is told.
    async fn sign_log(&self) {
        let Some((workspace, registry)) = self.opened.0.get() else {
            return;
        };
        match workspace.sign_log(registry).await {
            Ok(None) => {}
            Ok(Some(_)) => match publish(workspace, registry).await {
                Ok(missed) => missed.iter().for_each(|Missed { place, why }| {
                    eprintln!("warning: {place} has not got the newest checkpoint of the evidence log: {why}");
                }),
                Err(error) => eprintln!("warning: the evidence log was not published: {error}"),
            },
            Err(error) => eprintln!("warning: the evidence log could not be signed: {error}"),
        }
    }
}

/// The newest checkpoint to every place that the configuration names; those that did not get it.
async fn publish(
    workspace: &Workspace,
    registry: &Registry,
) -> Result<Vec<Missed>, crate::workspace::Error> {
    match workspace.publisher()? {
        Some(publisher) => Ok(publisher.publish(registry).await?),
        None => Ok(Vec::new()),
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
    let matches = match Otori::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() && is_pipe() => {
            let _ = error.print();
            return ExitCode::from(75);
        }
        Err(error) => error.exit(),
    };
    let mut otori = Otori::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    otori.global.command = words(&matches);
    #[cfg(feature = "trace")]
    if matches!(otori.verb, Verb::Trace(_)) {
        trace::ask_for_huge();
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads to run on: {error}");
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(async {
        let outcome = dispatch(otori.verb, &otori.global).await;
        otori.global.sign_log().await;
        outcome
    });
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(1),
        Ok(Outcome::TryAgain) => ExitCode::from(75),
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::from(1)
        }
    }
}

/// Whether a mail server has started us for a mail, which it would send back if it were told of any other failure.
fn is_pipe() -> bool {
    let words: Vec<_> = std::env::args_os().collect();
    let has = |word: &str| words.iter().any(|is| is == word);
    has("ingest") && has("--pipe")
}

/// Says that the command was used wrongly, as the parser does.
#[cfg(any(feature = "trace", feature = "report"))]
fn usage(message: &str) -> ! {
    clap::Error::raw(
        clap::error::ErrorKind::ValueValidation,
        format!("{message}\n"),
    )
    .exit()
}

/// An error with its causes; what an error has told of its cause is not told again.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
    }
    told
}

/// The words of the command that was given.
fn words(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut inner = matches.subcommand();
    while let Some((word, matches)) = inner {
        words.push(word);
        inner = matches.subcommand();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    #[test]
    fn a_cause_is_told_once() {
        let error = std::fs::read("/none/such").unwrap_err();
        let told = super::told(&anyhow::Error::new(error).context("x.csv"));
        assert_eq!(told, "x.csv: No such file or directory (os error 2)");
        let inner: Result<(), _> = Err(anyhow::anyhow!("the disk is full"));
        let outer = inner
            .context("the registry failed: the disk is full")
            .context("not recorded");
        assert_eq!(
            super::told(&outer.unwrap_err()),
            "not recorded: the registry failed: the disk is full"
        );
    }
}
