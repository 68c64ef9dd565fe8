//! `otori alerts retry`.

use anyhow::bail;
use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::{Global, Outcome, Output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The alert's number, as `otori alerts` shows it
    #[arg(value_name = "ID")]
    alert: i64,
    /// Only at this place; without it, at every place that has not taken the alert
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
}

#[derive(Serialize)]
struct Document {
    alert: i64,
    places: Vec<String>,
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let Args { alert, place } = args;
    let now = OffsetDateTime::now_utc();
    let places = registry.retry_alert(alert, place.as_deref(), now).await?;
    if places.is_empty() {
        let of_place = place.map_or(String::new(), |place| format!(" to {place}"));
        bail!("alert {alert}{of_place} does not wait anywhere: see `otori alerts`");
    }
    Output::new(global).result(&Document { alert, places }, |out| {
        writeln!(
            out,
            "Alert {alert} is tried again by the receiver (otori serve)."
        )
    })?;
    Ok(Outcome::Done)
}
