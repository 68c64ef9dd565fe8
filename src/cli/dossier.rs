//! `otori dossier`: a verb of its own, beside `otori report`, since it makes documents and changes
//! nothing about the incident.

mod bundle;
mod canaries;
pub(super) mod gather;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Global, Outcome, Output, pair, who};
use crate::custody::{Right, TwoPersonAct};
use crate::evidence::Act;
use crate::report::Lang;
use crate::report::dossier::Facts;
use crate::report::pdf::FontFiles;

/// Make an incident's dossier: what is known, a summary for the police, and drafts of the reports and
/// letters that have to be written, with their deadlines
///
/// Every document is a draft for counsel. What is not known is a marked blank; a file of --facts fills
/// what only you can know (organisation, representative, address, contact, dpo, counsel, authority,
/// eu_authority, police, database, people, eu_people, sensitive, cause, harm, response, publication,
/// prevention, other, firm, broker, answer_by, web; each a text, or { en = "…", ja = "…" }): see
/// examples/facts.toml.
#[derive(clap::Args)]
pub struct Args {
    /// The incident's number (see otori incidents)
    #[arg(value_name = "ID")]
    id: i64,
    /// The directory to make; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// When the leak came to be known, with its offset (2026-03-02T10:00:00+09:00): deadlines are
    /// counted from it. Without it, the incident's opening
    #[arg(long, value_name = "TIME", value_parser = moment)]
    known_at: Option<OffsetDateTime>,
    /// Language of the documents
    #[arg(long, value_name = "LANG", default_value = "both")]
    lang: Languages,
    /// Formats of the documents; dossier.json is always made
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "html,pdf"
    )]
    format: Vec<Format>,
    /// What only you can know, in TOML
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// The font of PDFs, if not the system's Japanese one
    #[arg(long, value_name = "FILE")]
    font: Option<PathBuf>,
    /// Put the names and addresses of the canaries reached into the dossier and the police summary;
    /// each is a look at a canary that enters the log, and may take a second person
    #[arg(long)]
    reveal: bool,
    /// Why the canaries are revealed, for the log; it must not hold a canary's details
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Languages {
    En,
    Ja,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Pdf,
}

impl Languages {
    fn all(self) -> &'static [Lang] {
        match self {
            Languages::En => &[Lang::En],
            Languages::Ja => &[Lang::Ja],
            Languages::Both => &Lang::ALL,
        }
    }
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        "give a moment with its offset, such as 2026-03-02T10:00:00+09:00: deadlines hang on the hour"
            .to_owned()
    })
}

#[derive(Serialize)]
struct Document {
    incident: i64,
    directory: String,
    files: Vec<String>,
    manifest_sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    known_at: OffsetDateTime,
    known_at_said: bool,
    deadlines: [crate::report::dossier::Deadline; 5],
}

/// Runs `otori dossier`.
///
/// # Errors
/// There is no such incident, the directory exists, the facts or the font do not read, or something
/// cannot be written; then there is no directory.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let now = OffsetDateTime::now_utc();
    // `exists` would follow a link that leads nowhere.
    ensure!(
        args.out.symlink_metadata().is_err(),
        "{} exists already: a dossier goes into a directory of its own, so name one that does not exist",
        args.out.display()
    );
    ensure!(
        args.known_at.is_none_or(|known| known <= now),
        "--known-at lies in the future: nothing is known before its time"
    );
    let facts = match &args.facts {
        Some(path) => {
            let place = || path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(place)?;
            Facts::read(&text).with_context(place)?
        }
        None => Facts::default(),
    };
    let font = match (args.format.contains(&Format::Pdf), &args.font) {
        (false, _) => None,
        (true, Some(path)) => Some(FontFiles::named(path)?),
        (true, None) => Some(FontFiles::find()?),
    };

    let (workspace, registry) = global.open().await?;
    let incident = registry.incident(args.id).await?;
    let subject = format!("incident {}", incident.id);
    if args.reveal {
        who::require(global, &workspace, &registry, Right::Reveal).await?;
        let (act, why) = (TwoPersonAct::Reveal, args.reason.as_deref());
        if !pair::may_go_on(global, &workspace, &registry, act, &subject, why).await? {
            return Ok(Outcome::CheckFailed);
        }
    }
    // What is shown about the log is a checkpoint over all that came before.
    workspace.sign_log(&registry).await?;
    let mut case = gather::case(
        &workspace,
        &registry,
        &incident,
        args.known_at,
        args.reveal,
        now,
    )
    .await?;
    if args.reveal {
        let reason = args.reason.clone();
        case.revealed = canaries::reveal(&registry, &case, &subject, reason, now).await?;
    }

    let bundle = bundle::Bundle::render(
        &case,
        &facts,
        args.lang.all(),
        args.format.contains(&Format::Html),
        font.as_ref(),
    )?;
    let staged = bundle.stage(&args.out)?;
    // In the log before it is in anybody's hands.
    let act = Act::DossierMade {
        incident: incident.id,
        manifest: bundle.manifest_sha256(),
    };
    registry.record(act, now).await?;
    staged.publish()?;

    let document = Document {
        incident: incident.id,
        directory: args.out.display().to_string(),
        files: bundle.names(),
        manifest_sha256: bundle.manifest_sha256(),
        known_at: case.known_at,
        known_at_said: case.known_at_said,
        deadlines: crate::report::dossier::deadlines(case.known_at, now),
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{}: the dossier of incident {}, {} files, each a draft for counsel",
            document.directory,
            document.incident,
            document.files.len()
        )?;
        gather::deadline_lines(out, &case)
    })?;
    Ok(Outcome::Done)
}
