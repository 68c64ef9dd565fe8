//! `otori campaigns`: the mailings that were planned, and what of them came to canaries.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::canary::{CanaryId, judge};

/// Planned mailings, and to how many canaries each came; fails if one did not come
///
/// The calendar is the CSV that `campaigns` in [receive] names. A mailing counts when its mail is proven to be its
/// sender's ([receive.auth]).
#[derive(clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct Document {
    campaigns: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    source: String,
    sender: String,
    #[serde(with = "time::serde::rfc3339")]
    planned: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
    share: f64,
    state: &'static str,
    /// Canaries that stood in the source all the time.
    canaries: usize,
    came: usize,
    late: usize,
    /// Mails that say they are from there, and did not prove it.
    unproven: usize,
    /// The chance of so few while all is well.
    chance: f64,
    /// Canaries that did not get it.
    silent: Vec<CanaryId>,
}

/// Runs `otori campaigns`.
///
/// # Errors
/// The workspace does not open, the calendar is not right, or the registry fails.
pub async fn run(_: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let receive = &workspace.config().receive;
    let calendar = receive
        .calendar(workspace.dir())
        .map_err(anyhow::Error::msg)?;
    let now = OffsetDateTime::now_utc();
    let mut warned = false;
    let mut campaigns = Vec::with_capacity(calendar.len());
    for campaign in &calendar {
        let came = registry.campaign_mail(campaign).await?;
        let judged = judge(campaign, &came, now);
        // What can come no more is told, and nobody can mend it.
        warned |= judged.state.warns() && now <= campaign.ends();
        campaigns.push(Row {
            source: campaign.source.to_string(),
            sender: campaign.sender.as_str().to_owned(),
            planned: campaign.planned.to_offset(time::UtcOffset::UTC),
            until: campaign.until().to_offset(time::UtcOffset::UTC),
            share: campaign.share,
            state: judged.state.name(),
            canaries: came.canaries,
            came: came.in_time + came.late,
            late: came.late,
            unproven: came.unproven,
            chance: judged.chance,
            silent: came.silent,
        });
    }
    let document = Document { campaigns };
    Output::new(global).result(&document, |out| {
        if document.campaigns.is_empty() {
            return writeln!(
                out,
                "No mailing is planned: otori.toml has no campaigns in [receive], or the file is empty."
            );
        }
        for row in &document.campaigns {
            write!(
                out,
                "{}  {}  {}  {}: came to {} of {} canaries",
                minute(row.planned),
                row.source,
                row.sender,
                row.state,
                row.came,
                row.canaries
            )?;
            if row.late > 0 {
                write!(out, ", {} of them late", row.late)?;
            }
            if row.unproven > 0 {
                write!(
                    out,
                    "; {} mails say that they are from its organisation and do not prove it",
                    row.unproven
                )?;
            }
            writeln!(out)?;
        }
        Ok(())
    })?;
    Ok(match warned {
        true => Outcome::CheckFailed,
        false => Outcome::Done,
    })
}
