//! `otori requests`.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::registry::Request;

/// Acts that wait, or waited, for a second person, newest first
#[derive(clap::Args)]
pub struct Args {
    /// Those that are done or expired, too
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    requests: Vec<Entry<'a>>,
}

/// A request as it is published.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    id: i64,
    act: &'a str,
    subject: &'a str,
    why: Option<&'a str>,
    state: &'static str,
    asked_by: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    asked_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    approved_by: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// The request as it stands at `now`.
    pub(super) fn new(request: &'a Request, now: OffsetDateTime) -> Entry<'a> {
        Entry {
            id: request.id,
            act: &request.act,
            subject: &request.subject,
            why: request.why.as_deref(),
            state: request.state(now),
            asked_by: &request.asked_by,
            asked_at: request.asked_at,
            expires_at: request.expires_at,
            approved_by: request.approved_by.as_deref(),
        }
    }
}

/// Runs `otori requests`.
///
/// # Errors
/// The registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let now = OffsetDateTime::now_utc();
    let requests = registry.requests().await?;
    let entries = requests.iter().map(|request| Entry::new(request, now));
    let open = |entry: &Entry<'_>| args.all || matches!(entry.state, "waiting" | "approved");
    let document = Document {
        requests: entries.filter(open).collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.requests.is_empty() {
            return writeln!(out, "No request is open.");
        }
        for entry in &document.requests {
            write!(
                out,
                "{}  {:8}  {} {}  by {}  until {}",
                entry.id,
                entry.state,
                entry.act,
                entry.subject,
                entry.asked_by,
                minute(entry.expires_at),
            )?;
            match entry.why {
                Some(why) => writeln!(out, "  ({why})")?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
