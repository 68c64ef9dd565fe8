//! `otori source add`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use time::OffsetDateTime;

use super::view::{Document, View};
use crate::canary::SourceName;
use crate::cli::{Global, Outcome, Output};
use crate::database::{Database, DatabaseUrl, Engine};
use crate::notation::{MappedColumn, MappingFile, Role};
use crate::registry::{Registry, Source};
use crate::source::{Proposal, Question, Survey, understand, understand_related};

/// Options of `otori source add`.
#[derive(clap::Args)]
pub struct Args {
    /// A name for the source: letters, digits, '-', '_' and '.'
    name: SourceName,
    /// sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME, mysql://USER:PASSWORD@HOST/NAME or csv:PATH
    #[arg(long)]
    url: DatabaseUrl,
    /// The table with the customers, with its schema where it needs one; not needed for a CSV file
    #[arg(long)]
    table: Option<String>,
    /// A TOML file that says what columns mean ([columns.NAME] role = "…", format = "…"), and which tables
    /// hold more of a customer ([[related]] table = "…", join = { … }); see examples/sources
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// What a column means, such as --map nm2=given_name; goes before the file
    #[arg(long, value_name = "COLUMN=ROLE", value_parser = parse_map)]
    map: Vec<(String, Role)>,
}

fn parse_map(text: &str) -> Result<(String, Role), String> {
    let (column, role) = text
        .rsplit_once('=')
        .ok_or_else(|| format!("'{text}' is not COLUMN=ROLE"))?;
    let role = role
        .trim()
        .parse()
        .map_err(|error: crate::notation::UnknownRole| error.to_string())?;
    Ok((column.to_owned(), role))
}

/// Runs `otori source add`.
///
/// # Errors
/// See [`super::run`].
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let url = args
        .url
        .absolute(&std::env::current_dir().context("the current directory")?);
    let mut told = told(&args)?;
    let Some(typed) = table_name(&args) else {
        bail!("say which table holds the customers: --table NAME");
    };
    refuse_name(&registry, &args.name).await?;
    let database = Database::connect(&url).await?;
    let survey = Survey::of(&database, &typed).await?;
    let table = survey.table.to_string();
    refuse_table(&registry, &url, &table).await?;

    let mut proposal = understand(&survey, &told)?;
    let asked = global.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal();
    if !asked && !proposal.questions.is_empty() {
        ask(&proposal.questions, &mut told)?;
        proposal = understand(&survey, &told)?;
    }
    let locale = proposal.mapping.locale;
    let related = understand_related(&database, &survey, &told.related, locale).await?;
    proposal.mapping.related = related.related;
    proposal.questions.extend(related.questions);
    proposal.warnings.extend(related.warnings);
    let beside = proposal.mapping.related.iter().flat_map(|one| &one.columns);
    let recognised = beside
        .chain(&proposal.mapping.columns)
        .any(|column| column.role.is_mark());
    if proposal.questions.is_empty() && !recognised {
        bail!(
            "no column of {table} holds a name, an address, a number or a mail address: nobody could recognise a canary in it; map the columns that do (--map COLUMN=ROLE)"
        );
    }
    let skipped = database.ragged()?;
    if skipped > 0 {
        eprintln!(
            "warning: {skipped} lines of {url} have another number of fields than the header; they are left out"
        );
    }
    for warning in &proposal.warnings {
        eprintln!("warning: {warning}");
    }
    let view = View::new(
        &args.name,
        &url,
        Some(&survey),
        &proposal,
        &workspace,
        &registry,
    )
    .await?;
    let registered = proposal.questions.is_empty();
    if registered {
        let source = Source {
            name: args.name.clone(),
            url: url.secret().to_owned(),
            table,
            mapping: proposal.mapping.to_json(),
            added_at: OffsetDateTime::now_utc(),
        };
        registry.add_source(&source).await?;
    }
    let document = Document {
        registered,
        ..view.document()
    };
    Output::new(global).result(&document, |out| {
        view.write(out)?;
        if registered {
            writeln!(
                out,
                "\nRegistered. Plant with: otori plant {} --count N",
                args.name
            )?;
        }
        Ok(())
    })?;
    if registered {
        return Ok(Outcome::Done);
    }
    eprint!("{}", questions(&proposal));
    Ok(Outcome::CheckFailed)
}

/// What is open, and the options that settle it.
fn questions(proposal: &Proposal) -> String {
    let mut text = "error: nothing was registered, because this is not settled:\n".to_owned();
    for question in &proposal.questions {
        text += &format!("  {}\n    say {}\n", question.text, question.answer);
    }
    text + "every role: otori source add --help; or say it in a file: --mapping FILE\n"
}

fn table_name(args: &Args) -> Option<String> {
    match &args.table {
        Some(table) => Some(table.clone()),
        None if args.url.engine() == Engine::Csv => {
            let path = args.url.path()?;
            Some(path.file_name()?.to_string_lossy().into_owned())
        }
        None => None,
    }
}

/// What the operator says: the mapping file, and --map before it.
fn told(args: &Args) -> anyhow::Result<MappingFile> {
    let mut told = match &args.mapping {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the mapping file {} cannot be read", path.display()))?;
            MappingFile::read(&text).with_context(|| path.display().to_string())?
        }
        None => MappingFile::default(),
    };
    for (column, role) in &args.map {
        match told.columns.iter_mut().find(|told| told.column == *column) {
            Some(told) if told.role == *role => {}
            Some(told) => *told = MappedColumn::told(column, *role),
            None => told.columns.push(MappedColumn::told(column, *role)),
        }
    }
    if let Some((column, ..)) = args
        .map
        .iter()
        .enumerate()
        .find_map(|(at, (column, role))| {
            args.map[..at]
                .iter()
                .find(|(one, other)| one == column && other != role)
        })
    {
        bail!("column '{column}' is mapped to two roles: say it once");
    }
    Ok(told)
}

async fn refuse_name(registry: &Registry, name: &SourceName) -> anyhow::Result<()> {
    let taken = registry
        .sources()
        .await?
        .into_iter()
        .any(|source| source.name == *name);
    if taken {
        return Err(crate::registry::Error::SourceTaken(name.to_string()).into());
    }
    Ok(())
}

/// One table is one source: a canary in it must point at one only.
async fn refuse_table(registry: &Registry, url: &DatabaseUrl, table: &str) -> anyhow::Result<()> {
    let same = registry
        .sources()
        .await?
        .into_iter()
        .find(|source| source.url == url.secret() && source.table == table);
    if let Some(source) = same {
        bail!(
            "table {table} of {url} is registered already, as source '{}': a canary must point at one source only",
            source.name
        );
    }
    Ok(())
}

/// Asks at the terminal, question by question.
fn ask(questions: &[Question], told: &mut MappingFile) -> anyhow::Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    for question in questions {
        eprintln!("{}", question.text);
        loop {
            let first = question
                .candidates
                .first()
                .map_or("other", |role| role.name());
            eprint!("  role [{first}]: ");
            std::io::stderr().flush()?;
            let Some(line) = lines.next().transpose()? else {
                bail!("nothing was registered: the question was not answered");
            };
            let answer = if line.trim().is_empty() {
                first
            } else {
                line.trim()
            };
            match answer.parse::<Role>() {
                Ok(role) => {
                    told.columns
                        .push(MappedColumn::told(&question.column, role));
                    break;
                }
                Err(error) => eprintln!("  {error}"),
            }
        }
    }
    Ok(())
}
