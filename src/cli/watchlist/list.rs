//! `otori watchlist list`.

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::{Global, Outcome, Output};
use crate::evidence::{Act, Pseudonym};

#[derive(Serialize)]
struct Document {
    watchlists: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    by: String,
    recipient: String,
    sha256: String,
    canaries: usize,
    sources: Vec<Pseudonym>,
}

/// Runs it: the evidence log says what was handed out.
///
/// # Errors
/// The registry fails.
pub async fn run(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let entries = registry.acts().await?.into_iter();
    let watchlists = entries.filter_map(|entry| match entry.act {
        Act::WatchlistExported {
            recipient,
            sha256,
            canaries,
            pseudonyms,
            ..
        } => Some(Line {
            at: entry.at,
            by: entry.by,
            recipient,
            sha256,
            canaries,
            sources: pseudonyms,
        }),
        _ => None,
    });
    let document = Document {
        watchlists: watchlists.collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.watchlists.is_empty() {
            return writeln!(out, "No watch list has been handed out.");
        }
        for list in &document.watchlists {
            let (day, canaries) = (list.at.date(), list.canaries);
            writeln!(
                out,
                "{day}  {}: {canaries} canaries, by {}",
                list.recipient, list.by
            )?;
            writeln!(out, "  SHA-256 {}", list.sha256)?;
            for source in &list.sources {
                writeln!(out, "  {} is {}", source.pseudonym, source.source)?;
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
