//! `otori alerts`.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::registry::OpenAlert;

/// Alerts that nobody has taken yet: how often each was tried, when it is next, and why it failed
#[derive(clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct Document {
    alerts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    alert: i64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drill: Option<i64>,
    attempts: u32,
    #[serde(with = "time::serde::rfc3339")]
    next: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl From<OpenAlert> for Row {
    fn from(alert: OpenAlert) -> Row {
        Row {
            alert: alert.id,
            state: match alert.attempts {
                0 => "waiting",
                _ => "failing",
            },
            incident: alert.incident,
            drill: alert.drill,
            attempts: alert.attempts,
            next: alert.due_at,
            why: alert.failure.filter(|_| alert.attempts > 0),
        }
    }
}

/// Runs `otori alerts`.
///
/// # Errors
/// The workspace does not open, or the registry fails.
pub async fn run(_: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let alerts = registry.open_alerts().await?;
    let document = Document {
        alerts: alerts.into_iter().map(Row::from).collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.alerts.is_empty() {
            return writeln!(out, "No alert waits: all are sent.");
        }
        for row in &document.alerts {
            let about = match (row.incident, row.drill) {
                (Some(incident), _) => format!("incident {incident}"),
                (None, Some(drill)) => format!("drill {drill}"),
                (None, None) => "nothing known".to_owned(),
            };
            let next = minute(row.next);
            write!(
                out,
                "alert {}  {}  {about}  tries: {}  next: {next}",
                row.alert, row.state, row.attempts
            )?;
            match &row.why {
                Some(why) => writeln!(out, "  {why}")?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
