//! `otori source show`.

use super::view::View;
use crate::canary::SourceName;
use crate::cli::{Global, Outcome, Output};
use crate::database::{Database, DatabaseUrl};
use crate::notation::Mapping;
use crate::source::{Proposal, Survey};

/// Options of `otori source show`.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
}

/// Runs `otori source show`.
///
/// # Errors
/// There is no such source, or the registry fails. A database that cannot be reached is told, and what is
/// registered is shown all the same.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let source = registry.source(&args.name).await?;
    let url: DatabaseUrl = source.url.parse()?;
    let mapping = Mapping::from_json(&source.mapping)?;
    let survey = match Database::connect(&url).await {
        Ok(database) => Survey::of(&database, &source.table).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = &survey {
        eprintln!("warning: {error}; types, rows and a preview are not shown");
    }
    let proposal = Proposal {
        mapping,
        questions: Vec::new(),
        warnings: Vec::new(),
    };
    let view = View::new(
        &args.name,
        &url,
        survey.as_ref().ok(),
        &proposal,
        &workspace,
        &registry,
    )
    .await?;
    let mut document = view.document();
    document.table = source.table;
    let (canaries, versions) = registry.count_versions(&args.name).await?;
    document.versions = Some(versions);
    Output::new(global).result(&document, |out| {
        view.write(out)?;
        match versions > canaries {
            true => writeln!(
                out,
                "\n{canaries} canaries in {versions} versions: see `otori tend --help`"
            ),
            false => Ok(()),
        }
    })?;
    Ok(Outcome::Done)
}
