//! What drips there are.

use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::SourceName;
use crate::cli::{Global, Outcome, Output, minute};
use crate::drip::{Basis, Drip};
use crate::registry::Registry;

#[derive(Serialize)]
struct Document {
    drips: Vec<Shown>,
}

/// A drip as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    source: SourceName,
    state: &'static str,
    per_week: f64,
    #[serde(with = "time::serde::rfc3339")]
    set_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    next_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_at: Option<OffsetDateTime>,
    last_batch: Option<String>,
    arrived: u32,
    owed: u32,
    times: Basis,
    failing: Option<FailingShown>,
}

#[derive(Serialize)]
struct FailingShown {
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    tries: u32,
    why: String,
}

impl Shown {
    pub(super) fn new(drip: &Drip) -> Shown {
        let (last_at, last_batch) = drip.last.clone().unzip();
        Shown {
            source: drip.source.clone(),
            state: state(drip),
            per_week: drip.per_week(),
            set_at: drip.set_at,
            until: drip.until,
            next_at: drip.next_at,
            last_at,
            last_batch: last_batch.map(|batch| batch.to_string()),
            arrived: drip.arrived,
            owed: drip.owed,
            times: drip.intensity.basis(),
            failing: drip.failing.as_ref().map(|failing| FailingShown {
                since: failing.since,
                tries: failing.tries,
                why: failing.why.clone(),
            }),
        }
    }
}

fn state(drip: &Drip) -> &'static str {
    match (drip.stopped_at, drip.next_at, &drip.failing) {
        (Some(_), ..) => "stopped",
        (None, None, _) => "ended",
        (None, Some(_), Some(_)) => "failing",
        (None, Some(_), None) => "running",
    }
}

/// When canaries come, in words.
pub(super) fn times(basis: Basis) -> String {
    match basis {
        Basis::Learnt { rows, days, hours } => {
            let what = if hours { "weekday and hour" } else { "weekday" };
            format!("by {what} as {rows} rows of its last {days} days")
        }
        Basis::Waking(hours) => {
            format!("evenly from {hours} o'clock: the table does not show when its rows were made")
        }
        Basis::Told(hours) => format!("evenly from {hours} o'clock, as was told"),
    }
}

/// Whether one of the drips fails.
pub(super) async fn failing(
    registry: &Registry,
    only: Option<&SourceName>,
) -> anyhow::Result<bool> {
    let drips = registry.drips().await?;
    let mut ours = drips
        .iter()
        .filter(|drip| only.is_none_or(|only| *only == drip.source));
    Ok(ours.any(|drip| state(drip) == "failing"))
}

pub(super) async fn show(
    global: &Global,
    registry: &Registry,
    only: Option<&SourceName>,
) -> anyhow::Result<Outcome> {
    let mut drips = registry.drips().await?;
    drips.retain(|drip| only.is_none_or(|only| *only == drip.source));
    let document = Document {
        drips: drips.iter().map(Shown::new).collect(),
    };
    Output::new(global).result(&document, |out| {
        if drips.is_empty() {
            return writeln!(out, "No drip is set: see otori drip --help.");
        }
        for drip in &drips {
            writeln!(
                out,
                "{:<20} {:<8} {} a week, {}",
                drip.source.as_str(),
                state(drip),
                drip.per_week(),
                times(drip.intensity.basis())
            )?;
            let moment = |at: Option<OffsetDateTime>| at.map_or("never".to_owned(), minute);
            let last = drip.last.as_ref();
            writeln!(
                out,
                "  last {}{}, next {}, {} arrived{}",
                moment(last.map(|(at, _)| *at)),
                last.map_or(String::new(), |(_, batch)| format!(" ({batch})")),
                moment(drip.next_at),
                drip.arrived,
                match drip.owed {
                    0 => String::new(),
                    owed => format!(", {owed} missed and to come yet"),
                }
            )?;
            if let Some(failing) = &drip.failing {
                writeln!(
                    out,
                    "  failing since {} ({} times in a row): {}",
                    minute(failing.since),
                    failing.tries,
                    failing.why
                )?;
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
