//! `otori incidents show`: what is known about one incident.

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::dossier::gather;
use crate::cli::{Global, Outcome, Output};
use crate::report::Lang;
use crate::report::dossier::{Case, Deadline, deadlines, lines};

/// Options of `otori incidents show`.
#[derive(clap::Args)]
pub struct Args {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    case: &'a Case,
    deadlines: [Deadline; 5],
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let now = OffsetDateTime::now_utc();
    let (workspace, registry) = global.open().await?;
    let incident = registry.incident(args.id).await?;
    let case = gather::case(&workspace, &registry, &incident, None, false, now).await?;
    let document = Document {
        case: &case,
        deadlines: deadlines(case.known_at, now),
    };
    Output::new(global).result(&document, |out| {
        for line in lines(&case, Lang::En) {
            writeln!(out, "{line}")?;
        }
        gather::deadline_lines(out, &case)
    })?;
    Ok(Outcome::Done)
}
