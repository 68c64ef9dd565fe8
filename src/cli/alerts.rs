//! `otori alerts`.

mod retry;

use clap::Subcommand;
use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::registry::OpenAlert;

/// Alerts that some place has not taken yet: how often each was tried, when it is next, and why it failed
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Subcommand)]
enum Act {
    /// Try an alert again at once, where it was given up or waits for its next try
    Retry(retry::Args),
}

#[derive(Serialize)]
struct Document {
    alerts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    alert: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drill: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    attempts: u32,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    next: Option<OffsetDateTime>,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    given_up: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl From<OpenAlert> for Row {
    fn from(alert: OpenAlert) -> Row {
        Row {
            alert: alert.id,
            place: alert.place,
            state: match (alert.dead_at, alert.attempts) {
                (Some(_), _) => "dead",
                (None, 0) => "waiting",
                (None, _) => "failing",
            },
            incident: alert.incident,
            drill: alert.drill,
            drip: alert.drip,
            campaign: alert.campaign,
            attempts: alert.attempts,
            next: alert.dead_at.is_none().then_some(alert.due_at),
            given_up: alert.dead_at,
            why: alert.failure.filter(|_| alert.attempts > 0),
        }
    }
}

/// Runs `otori alerts`.
///
/// # Errors
/// The workspace does not open, there is no such alert, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        None => list(global).await,
        Some(Act::Retry(args)) => retry::run(args, global).await,
    }
}

async fn list(global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let alerts = registry.open_alerts().await?;
    let document = Document {
        alerts: alerts.into_iter().map(Row::from).collect(),
    };
    let nobody = workspace.config().alert.is_empty();
    Output::new(global).result(&document, |out| {
        if document.alerts.is_empty() {
            return writeln!(out, "No alert waits: all are sent.");
        }
        for row in &document.alerts {
            let about = match (row.incident, row.drill, &row.drip) {
                (None, None, None) if row.campaign.is_some() => {
                    format!(
                        "campaign of {}",
                        row.campaign.as_deref().unwrap_or_default()
                    )
                }
                (Some(incident), ..) => format!("incident {incident}"),
                (None, Some(drill), _) => format!("drill {drill}"),
                (None, None, Some(source)) => format!("drip of {source}"),
                (None, None, None) => "nothing known".to_owned(),
            };
            let place = match &row.place {
                Some(place) => format!("to {place}"),
                None => "to nobody yet".to_owned(),
            };
            let next = match (row.next, row.given_up) {
                (_, Some(given_up)) => format!("given up: {}", minute(given_up)),
                (Some(next), None) => format!("next: {}", minute(next)),
                (None, None) => String::new(),
            };
            write!(
                out,
                "alert {}  {place}  {}  {about}  tries: {}  {next}",
                row.alert, row.state, row.attempts
            )?;
            match &row.why {
                Some(why) => writeln!(out, "  {why}")?,
                None => writeln!(out)?,
            }
        }
        if nobody {
            writeln!(
                out,
                "Nobody is told: fill in [alert] in otori.toml, and start otori serve anew."
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
