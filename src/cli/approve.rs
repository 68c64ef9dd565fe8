//! `otori approve`.

use serde::Serialize;
use time::OffsetDateTime;

use super::requests::Entry;
use super::{Global, Outcome, Output, who};
use crate::custody::{Right, right_of};

/// Approve what another person has asked for, once
///
/// Only a person who could do the act may approve it, and nobody approves their own.
#[derive(clap::Args)]
pub struct Args {
    /// The request's number (see otori requests)
    #[arg(value_name = "ID")]
    id: i64,
}

#[derive(Serialize)]
struct Document<'a> {
    request: Entry<'a>,
}

/// Runs `otori approve`.
///
/// # Errors
/// There is no such request, it is one's own, or it is not waiting any more.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let request = registry.request(args.id).await?;
    let right = right_of(&request.act).unwrap_or(Right::Manage);
    who::require(global, &workspace, &registry, right).await?;
    let now = OffsetDateTime::now_utc();
    let request = registry.approve(args.id, now).await?;
    let document = Document {
        request: Entry::new(&request, now),
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "Request {} is approved: {} may {} {} once.",
            request.id, request.asked_by, request.act, request.subject
        )
    })?;
    Ok(Outcome::Done)
}
