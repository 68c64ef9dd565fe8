//! A drip is set, or stopped.

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use super::Args;
use super::arrive::leave_to_the_clock;
use super::learn::learn;
use super::list::{Shown, times};
use crate::canary::SourceName;
use crate::cli::opened::Opened;
use crate::cli::{Global, Outcome, Output, minute};
use crate::database::Engine;
use crate::drip::{Course, Intensity};
use crate::plant;
use crate::registry::{NewDrip, Registry};
use crate::workspace::Workspace;

/// A greater share of a table's new rows shows.
const SHOWS: f64 = 0.02;

#[derive(Serialize)]
struct Document {
    drip: Shown,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Stopped<'a> {
    source: &'a SourceName,
    stopped: bool,
}

/// A day, as `2026-12-31`.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| "write the day as 2026-12-31".to_owned())
}

pub(super) async fn set(
    args: &Args,
    per_mille: u32,
    name: &SourceName,
    global: &Global,
    workspace: &Workspace,
    registry: &Registry,
) -> anyhow::Result<Outcome> {
    let opened = Opened::named(registry, name).await?;
    if opened.database.engine() == Engine::Csv {
        bail!(
            "source {name} is a file, which nobody joins by and by: plant into it at once, with otori plant"
        );
    }
    let table = opened.table().await?;
    let now = OffsetDateTime::now_utc();
    let mut rng = StdRng::from_seed(rand::random());
    // What would keep a canary out is told now, not in the night.
    let seeds = workspace.seeds()?;
    let people = opened.people(&seeds);
    let ask = opened.ask(registry, &people, 1, now);
    let mut planned = plant::plan(&ask, &mut rng).await?;
    leave_to_the_clock(&opened, &table, &mut planned.canaries);
    plant::rehearse(&opened.database, &table, planned.canaries)
        .await
        .context("one canary was tried, and taken back; no drip was set")?;
    let mut notes = planned.notes;
    let shown = learn(&opened, &table, now).await?;
    let intensity = match args.hours {
        Some(hours) => Intensity::told(hours, shown.clock),
        None => shown.intensity,
    };
    let until = match args.until {
        None => None,
        Some(last) => {
            let behind = last.next_day().context("the calendar ends there")?;
            let until = behind.midnight().assume_offset(intensity.offset());
            if until <= now {
                bail!("--until {last} is over: give a day to come, or leave it out");
            }
            Some(until)
        }
    };
    let per_week = f64::from(per_mille) / 1000.0;
    if let Some(rows) = shown.rows_a_week.filter(|rows| per_week > rows * SHOWS) {
        notes.push(format!(
            "the table gains about {rows:.0} rows a week: {per_week} canaries beside them are {:.0} % of its new customers, and so many may show",
            per_week / (rows + per_week) * 100.0
        ));
    }
    let course = Course {
        intensity: &intensity,
        per_week,
        until,
        owed: 0,
    };
    let new = NewDrip {
        source: name.clone(),
        per_mille,
        next_at: course.next(now, &mut rng),
        intensity: intensity.clone(),
        until,
        set_at: now,
    };
    notes.push(format!(
        "no filter of otori suppress {name} knows the rows of canaries that are still to come: make it anew now and then; that of --csv knows the pool's mailboxes and numbers before"
    ));
    if new.next_at.is_none() {
        bail!("no canary would come in time: give more a week, or a later day");
    }
    registry.set_drip(&new).await?;
    if !workspace.config().drip.by_serve {
        notes.push(
            "by_serve is off in [drip]: canaries come while `otori drip --run` runs".to_owned(),
        );
    }
    for note in &notes {
        eprintln!("note: {note}");
    }
    let drip = registry.drip(name).await?.context("it was just set")?;
    let document = Document {
        drip: Shown::new(&drip),
        notes,
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{per_week} canaries a week arrive in {name} {}; the first at {}.",
            times(intensity.basis()),
            new.next_at.map_or_else(String::new, minute)
        )?;
        match until {
            Some(until) => writeln!(
                out,
                "None comes after {}.",
                minute(until - Duration::SECOND)
            ),
            None => Ok(()),
        }
    })?;
    Ok(Outcome::Done)
}

pub(super) async fn stop(
    global: &Global,
    registry: &Registry,
    name: &SourceName,
) -> anyhow::Result<Outcome> {
    let stopped = registry.stop_drip(name, OffsetDateTime::now_utc()).await?;
    let document = Stopped {
        source: name,
        stopped,
    };
    Output::new(global).result(&document, |out| match stopped {
        true => writeln!(
            out,
            "No more canaries arrive in {name}. Those that are there stay: see otori unplant."
        ),
        false => writeln!(out, "No drip runs in {name}."),
    })?;
    Ok(Outcome::Done)
}
