//! `otori suppress`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::opened::Opened;
use super::{Global, Outcome, Output, pair};
use crate::canary::SourceName;
use crate::custody::TwoPersonAct;
use crate::database::{Filter, Table, filter_script};
use crate::evidence::Act;
use crate::plant::{Suppression, pad};
use crate::workspace::{Unnamed, write_private};

/// Keep a source's canaries out of billing, mailings, counts and models
///
/// Writes a script for the source's own database (PostgreSQL or MySQL): a view of the table without the
/// canaries, which billing reads in the table's place, and one of each related table that they have rows in. It
/// knows the rows by keyed hashes of their primary keys, filled up with others so that their number says nothing. Run
/// it again after each planting.
///
/// With --csv it writes such hashes of keys, mail addresses (lower case, no plus tag) and phone numbers
/// (E.164) for a program outside of the database, and the key (HMAC-SHA256) into a file apart. The mailboxes and
/// numbers of the pool are among them, so that a canary that `otori drip` brings later is known by these before. Where
/// canaries have rows in related tables, a third column names the table: `key` is of the customer table,
/// `related_key` of the others.
///
/// What it protects: no row, address or number of a canary is in the files, and the hashes say nothing
/// without the key. What it does not: whoever may read both the table and the view sees what is missing
/// in the view, and whoever has hashes, key and a copy of the table finds the canaries in it. Grant the
/// view to those that bill, not to those that may read the table; a copy of the whole database holds both, so
/// where the canaries are to stand a thief with such a copy, filter outside of it.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// Where the script goes: a file that must not be there yet
    #[arg(
        long,
        value_name = "FILE",
        default_value = "suppress.sql",
        conflicts_with = "csv"
    )]
    out: PathBuf,
    /// Name of the view, beside the table; without it, the table's with _counted. Those of related tables have its
    /// name with theirs behind it
    #[arg(long, value_name = "NAME", conflicts_with = "csv")]
    view: Option<String>,
    /// Write hashes for a program outside of the database, into this file that must not be there yet
    #[arg(long, value_name = "FILE", requires = "key_file")]
    csv: Option<PathBuf>,
    /// Where the key of the hashes goes, in hexadecimal: a file that must not be there yet
    #[arg(long, value_name = "FILE", requires = "csv")]
    key_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    source: SourceName,
    file: String,
    sha256: String,
    view: Option<String>,
    /// The view of each related table.
    related_views: Vec<RelatedView>,
    /// Related tables without a primary key, in which no row is known.
    unfiltered: Vec<String>,
    key_file: Option<String>,
    canaries: usize,
    /// Canaries that the filter does not know by their rows' keys.
    unkeyed: usize,
}

#[derive(Serialize)]
struct RelatedView {
    table: String,
    view: String,
}

/// Runs `otori suppress`.
///
/// # Errors
/// The source has no canaries, its database cannot hash or the table has no key, a file is there already
/// or cannot be written; then no file is left.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let source = registry.source(&args.name).await?;
    let subject = format!("filter of {}", args.name);
    let act = TwoPersonAct::Reveal;
    if !pair::may_go_on(global, &workspace, &registry, act, &subject, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    let file = args.csv.as_ref().unwrap_or(&args.out);
    for file in [Some(file), args.key_file.as_ref()].into_iter().flatten() {
        if file.exists() {
            bail!(
                "{} is there already: name another, or remove it",
                file.display()
            );
        }
    }
    let key = Zeroizing::new(registry.suppression_key(&args.name));
    let canaries = registry.canaries(Some(&args.name)).await?;
    let pool = registry.pool().await?;
    let mut made = Suppression::new(&key, &canaries, &pool);
    if made.canaries == 0 {
        bail!(
            "no canary stands in {}, so there is nothing to keep out: `otori plant` first",
            args.name
        );
    }
    let (mut view, mut related_views, mut unfiltered) = (None, Vec::new(), Vec::new());
    let text = if args.csv.is_some() {
        let without_key = made.beside.extract_if(.., |_, tags| tags.is_empty());
        unfiltered.extend(without_key.map(|(table, _)| table));
        csv(&source.table, &mut made)?
    } else {
        let opened = Opened::of(source).await?;
        let table = opened.table().await?;
        pad(&mut made.keys, &mut rand::rng());
        let counted = |table: &str| format!("{table}_counted");
        let name = args.view.clone().unwrap_or_else(|| counted(&table.name));
        let script = |table: &Table, view: &str, tags: &[[u8; 32]]| {
            let key = &key;
            filter_script(opened.database.engine(), table, &Filter { key, tags, view })
        };
        let mut text = script(&table, &name, &made.keys)?;
        for (beside, mut tags) in made.beside {
            let table = opened.database.table(&beside).await?;
            if table.primary_key.is_empty() {
                unfiltered.push(beside);
                continue;
            }
            pad(&mut tags, &mut rand::rng());
            let view = match &args.view {
                Some(name) => format!("{name}_{}", table.name),
                None => counted(&table.name),
            };
            text += &script(&table, &view, &tags)?;
            related_views.push(RelatedView {
                table: beside,
                view,
            });
        }
        view = Some(name);
        text
    };
    let written = Unnamed::begin(file, ".otori-suppress-").with_context(|| shown(file))?;
    let mut handle = written.handle()?;
    handle
        .write_all(text.as_bytes())
        .with_context(|| shown(file))?;
    let sha256 = written.sha256().with_context(|| shown(file))?;
    // Recorded first: a filter that nobody knows of must not be handed out.
    let act = Act::Suppressed {
        source: args.name.to_string(),
        sha256: sha256.clone(),
        canaries: made.canaries,
    };
    registry.record(act, OffsetDateTime::now_utc()).await?;
    if let Some(key_file) = &args.key_file {
        let text = Zeroizing::new(crate::evidence::hex(&*key) + "\n");
        write_private(key_file, text.as_bytes())?;
    }
    written.name().with_context(|| shown(file))?;
    let document = Document {
        source: args.name,
        file: shown(file),
        sha256,
        view,
        related_views,
        unfiltered,
        key_file: args.key_file.as_deref().map(shown),
        canaries: made.canaries,
        unkeyed: made.unkeyed.len(),
    };
    Output::new(global).result(&document, |out| words(&document, out))?;
    Ok(Outcome::Done)
}

fn shown(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// Hashes by what they are of; where rows stand in several tables, a third column names the table. Keys of related
/// tables are of another kind, since a key may be a customer's in one table and a canary's in the next.
fn csv(table: &str, made: &mut Suppression) -> anyhow::Result<String> {
    let mut kinds = vec![
        ("key", table, &mut made.keys),
        ("mail", "", &mut made.mails),
        ("phone", "", &mut made.phones),
    ];
    let several = !made.beside.is_empty();
    let beside = made.beside.iter_mut();
    kinds.extend(beside.map(|(table, tags)| ("related_key", table.as_str(), tags)));
    let width = if several { 3 } else { 2 };
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record(&["of", "hmac_sha256", "table"][..width])?;
    for (kind, table, tags) in kinds {
        if tags.is_empty() {
            continue;
        }
        pad(tags, &mut rand::rng());
        for tag in tags {
            lines.write_record(&[kind, &crate::evidence::hex(&*tag), table][..width])?;
        }
    }
    Ok(String::from_utf8(lines.into_inner()?)?)
}

fn words(document: &Document, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{}: {} canaries of {}",
        document.file, document.canaries, document.source
    )?;
    if document.unkeyed > 0 {
        writeln!(
            out,
            "{} of them stand in rows whose key is not known: `otori verify {}` looks for it, in a table that has one",
            document.unkeyed, document.source
        )?;
    }
    for table in &document.unfiltered {
        writeln!(
            out,
            "{table} has no primary key: canaries' rows are known there by what they refer to alone"
        )?;
    }
    match (&document.view, &document.key_file) {
        (Some(view), _) => writeln!(
            out,
            "run it in the database; {} the {} without them",
            match &document.related_views[..] {
                [] => format!("the view {view} is"),
                several => {
                    let names = several.iter().map(|one| one.view.as_str());
                    let names: Vec<&str> = std::iter::once(view.as_str()).chain(names).collect();
                    format!("the views {} are", names.join(", "))
                }
            },
            if document.related_views.is_empty() {
                "table"
            } else {
                "tables"
            }
        ),
        (_, Some(key)) => writeln!(
            out,
            "the key is in {key}; keep the two apart until they are needed"
        ),
        _ => Ok(()),
    }?;
    match document.view {
        Some(_) => writeln!(
            out,
            "after each planting, and each canary that a drip brings, make it anew"
        ),
        None => writeln!(
            out,
            "after each planting, make it anew; the pool's mailboxes and numbers are in it already"
        ),
    }
}
