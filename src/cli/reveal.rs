//! `otori reveal`.

use std::io::Write;

use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, pair};
use crate::canary::{Batch, Canary, CanaryId, ContactPoint, PlantedRow};
use crate::custody::TwoPersonAct;
use crate::evidence::Act;
use crate::persona::Household;

/// Show one canary's details: its people, its rows as planted, its contact points
///
/// That it was shown, to whom and why enters the evidence log before anything is shown.
#[derive(clap::Args)]
pub struct Args {
    /// The canary
    #[arg(value_name = "CANARY")]
    canary: CanaryId,
    /// Why, for the log; it must not hold a canary's details
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    canary: &'a CanaryId,
    source: &'a str,
    batch: &'a str,
    state: &'static str,
    #[serde(with = "time::serde::rfc3339::option")]
    planted_at: Option<OffsetDateTime>,
    household: &'a Household,
    rows: &'a [PlantedRow],
    contact_points: Vec<&'a ContactPoint>,
    /// What it was before, and may be by now; empty where it never changed.
    versions: Vec<Revealed<'a>>,
}

/// One version, as far as it differs from what the canary is now.
#[derive(Serialize)]
struct Revealed<'a> {
    version: u32,
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
    pending: bool,
    differs: Vec<(&'a str, Option<&'a str>)>,
}

fn versions(canary: &Canary) -> Vec<Revealed<'_>> {
    let versions = canary.versions.iter().map(|version| {
        let pairs = version.details.rows.iter().zip(&canary.details.rows);
        let cells = pairs.flat_map(|(then, now)| then.cells.iter().zip(&now.cells));
        let differs = cells.filter(|(then, now)| then.value != now.value);
        Revealed {
            version: version.number,
            from: version.from,
            until: version.until,
            pending: version.pending,
            differs: differs
                .map(|(then, _)| (then.column.as_str(), then.value.as_deref()))
                .collect(),
        }
    });
    versions.collect()
}

/// Runs `otori reveal`.
///
/// # Errors
/// There is no such canary, it is forgotten, or the act cannot be recorded.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let canary = registry.canary_of(&args.canary).await?;
    let subject = canary.id.as_str();
    let why = args.reason.as_deref();
    let act = TwoPersonAct::Reveal;
    if !pair::may_go_on(global, &workspace, &registry, act, subject, why).await? {
        return Ok(Outcome::CheckFailed);
    }
    let pool = registry.pool().await?;
    let batches = registry.batches(Some(&canary.source)).await?;
    let revealed = Act::Revealed {
        canary: canary.id.to_string(),
        source: canary.source.to_string(),
        reason: args.reason.clone(),
    };
    registry.record(revealed, OffsetDateTime::now_utc()).await?;

    let given = pool
        .iter()
        .filter(|entry| canary.points.contains(&entry.id));
    let batch = batches.iter().find(|batch| batch.id == canary.batch);
    let document = Document {
        canary: &canary.id,
        source: canary.source.as_str(),
        batch: canary.batch.as_str(),
        state: canary.state.name(),
        planted_at: batch.map(|batch: &Batch| batch.planted_at),
        household: &canary.details.household,
        rows: &canary.details.rows,
        contact_points: given.map(|entry| &entry.point).collect(),
        versions: versions(&canary),
    };
    Output::new(global).result(&document, |out| words(out, &document, &canary))?;
    Ok(Outcome::Done)
}

fn words(out: &mut dyn Write, document: &Document<'_>, canary: &Canary) -> std::io::Result<()> {
    writeln!(
        out,
        "{}  source {}  batch {}  {}",
        document.canary, document.source, document.batch, document.state
    )?;
    let household = &canary.details.household;
    let people = std::iter::once(("guardian", &household.guardian))
        .chain(household.children.iter().map(|child| ("child", child)));
    for (what, person) in people {
        let kana = match person.family.kana.is_empty() {
            true => String::new(),
            false => format!(" ({} {})", person.family.kana, person.given.kana),
        };
        writeln!(
            out,
            "  {what:9} {} {}{kana}, born {}",
            person.family.written, person.given.written, person.birth
        )?;
    }
    let address = &household.address;
    let parts = [
        Some(&address.region),
        Some(&address.city),
        Some(&address.town),
        Some(&address.block),
        address.building.as_ref(),
        address.unit.as_ref(),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    writeln!(
        out,
        "  {:9} {} {}",
        "address",
        address.postcode,
        parts.join(" ")
    )?;
    for (what, value) in [
        ("landline", &household.landline),
        ("mobile", &household.mobile),
        ("mail", &household.email),
    ] {
        if let Some(value) = value {
            writeln!(out, "  {what:9} {value}")?;
        }
    }
    for row in document.rows {
        let key: Vec<String> = row.key.iter().map(|(c, v)| format!("{c}={v}")).collect();
        writeln!(out, "\n  row of {} {}", row.table, key.join(" "))?;
        for cell in &row.cells {
            let value = cell.value.as_deref().unwrap_or("NULL");
            writeln!(out, "    {:20} {value}", cell.column)?;
        }
    }
    for version in &document.versions {
        let until = version
            .until
            .map_or(String::new(), |until| format!(" until {until}"));
        let pending = if version.pending {
            ", not known to be written"
        } else {
            ""
        };
        writeln!(
            out,
            "\n  version {} from {}{until}{pending}",
            version.version, version.from
        )?;
        for (column, value) in &version.differs {
            writeln!(out, "    {column:20} {}", value.unwrap_or("NULL"))?;
        }
    }
    writeln!(out, "\n  contact points")?;
    for point in &document.contact_points {
        writeln!(out, "    {:8} {}", point.kind().name(), point.identity())?;
    }
    Ok(())
}
