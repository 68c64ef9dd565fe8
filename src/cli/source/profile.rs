//! `otori source profile`.

use std::io::Write;

use anyhow::Context;
use serde::Serialize;
use time::OffsetDateTime;

use crate::blend::{Change, ColumnProfile, Mix, Profile};
use crate::canary::SourceName;
use crate::cli::opened::Opened;
use crate::cli::{Global, Outcome, Output};
use crate::persona::Lexicon;
use crate::plant;

/// Options of `otori source profile`.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// Rows that are read, at most
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(200..=1_000_000))]
    sample: u32,
    /// Show the profile that was kept last; the database is not asked
    #[arg(long)]
    kept: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
    /// What has changed since the profile that was kept before.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Since>,
    #[serde(flatten)]
    profile: &'a Profile,
}

#[derive(Serialize)]
struct Since {
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
    changes: Vec<Change>,
}

/// Runs `otori source profile`.
///
/// # Errors
/// There is no such source, its table cannot be read or has too few customers, or none was kept yet.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let source = registry.source(&args.name).await?;
    let before = match registry.profile(&args.name).await? {
        Some((at, text)) => {
            let read = serde_json::from_str::<Profile>(&text);
            Some((
                at,
                read.with_context(|| format!("the kept profile of {}", args.name))?,
            ))
        }
        None => None,
    };
    let output = Output::new(global);
    if args.kept {
        let (taken_at, profile) = before.with_context(|| {
            format!(
                "no profile of {0} was kept yet: otori source profile {0}",
                args.name
            )
        })?;
        return show(&args.name, taken_at, &profile, None, &output);
    }
    let opened = Opened::of(source).await?;
    let table = opened.table().await?;
    let seeds = workspace.seeds()?;
    let canaries = registry.canaries(Some(&args.name)).await?;
    let now = OffsetDateTime::now_utc();
    let profile = plant::profile(
        &opened.database,
        &table,
        &opened.mapping,
        &Lexicon::new(&seeds, opened.mapping.locale),
        &canaries,
        args.sample as usize,
        now.date(),
    )
    .await?;
    let text = serde_json::to_string(&profile)?;
    registry.keep_profile(&args.name, &text, now).await?;
    let since = before.map(|(taken_at, before)| Since {
        taken_at,
        changes: before.changes(&profile),
    });
    show(&args.name, now, &profile, since, &output)
}

fn show(
    source: &SourceName,
    taken_at: OffsetDateTime,
    profile: &Profile,
    since: Option<Since>,
    output: &Output,
) -> anyhow::Result<Outcome> {
    let document = Document {
        source,
        taken_at,
        since,
        profile,
    };
    output.result(&document, |out| write(out, &document))?;
    Ok(Outcome::Done)
}

/// The first few of a mix, and what is left.
fn in_short(mix: &Mix) -> String {
    const SHOWN: usize = 6;
    let mut parts: Vec<String> = mix
        .common
        .iter()
        .take(SHOWN)
        .map(|one| format!("{} {:.0}%", one.value, 100.0 * one.share))
        .collect();
    let rest: f64 = mix.common.iter().skip(SHOWN).map(|one| one.share).sum();
    if rest + mix.folded >= 0.005 {
        parts.push(format!("others {:.0}%", 100.0 * (rest + mix.folded)));
    }
    if mix.alone >= 0.005 {
        parts.push(format!("(one row's alone {:.0}%)", 100.0 * mix.alone));
    }
    parts.join(", ")
}

fn write(out: &mut dyn Write, document: &Document<'_>) -> std::io::Result<()> {
    let profile = document.profile;
    writeln!(
        out,
        "{}: {} customers were looked at; what fewer than {} of them have is not named.\n",
        document.source, profile.rows, profile.folded_below
    )?;
    for column in &profile.columns {
        write_column(out, column)?;
    }
    writeln!(
        out,
        "\nempty together: {}",
        in_short(&named(&profile.empty))
    )?;
    writeln!(out)?;
    for one in &profile.traits {
        writeln!(out, "{}: {}", one.name, in_short(&one.mix))?;
    }
    if !profile.together.is_empty() {
        writeln!(out, "\nHang together (Cramér's V, 0 to 1):")?;
    }
    for one in profile.together.iter().take(10) {
        let [left, right] = &one.columns;
        writeln!(out, "  {:.2}  {left} and {right}", one.strength)?;
    }
    match &document.since {
        Some(since) if since.changes.is_empty() => {
            writeln!(
                out,
                "\nIn columns, spelling, values and persons nothing has changed since {} beyond chance.",
                since.taken_at.date()
            )
        }
        Some(since) => {
            writeln!(
                out,
                "\nChanged since {} (share of the rows):",
                since.taken_at.date()
            )?;
            for change in &since.changes {
                writeln!(out, "  {:>3.0}%  {}", 100.0 * change.apart, change.what)?;
            }
            Ok(())
        }
        None => Ok(()),
    }
}

fn write_column(out: &mut dyn Write, column: &ColumnProfile) -> std::io::Result<()> {
    let told = match (&column.values, &column.deciles) {
        (Some(values), _) => in_short(values),
        (None, Some(deciles)) => {
            let each: Vec<String> = deciles.iter().map(f64::to_string).collect();
            format!("deciles {}", each.join(" "))
        }
        (None, None) => in_short(&column.shapes),
    };
    let filled = match column.filled {
        1.0 => String::new(),
        share => format!(", {:.1}% filled", 100.0 * share),
    };
    writeln!(out, "{} ({}{filled}): {told}", column.column, column.role)
}

/// Rows in which nothing is empty have a name of their own.
fn named(mix: &Mix) -> Mix {
    let mut named = mix.clone();
    for one in &mut named.common {
        if one.value.is_empty() {
            one.value = "nothing".to_owned();
        }
    }
    named
}
