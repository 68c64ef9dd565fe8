//! `otori source list`.

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::{Global, Outcome, Output};
use crate::database::DatabaseUrl;

#[derive(Serialize)]
struct Document {
    sources: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    source: String,
    /// Without its password.
    url: String,
    engine: &'static str,
    table: String,
    #[serde(with = "time::serde::rfc3339")]
    added_at: OffsetDateTime,
}

/// Runs `otori source list`.
///
/// # Errors
/// The registry fails.
pub async fn run(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let mut sources = Vec::new();
    for source in registry.sources().await? {
        let url: DatabaseUrl = source.url.parse()?;
        sources.push(Entry {
            source: source.name.to_string(),
            url: url.to_string(),
            engine: url.engine().name(),
            table: source.table,
            added_at: source.added_at,
        });
    }
    let document = Document { sources };
    Output::new(global).result(&document, |out| {
        if document.sources.is_empty() {
            return writeln!(
                out,
                "No source is registered: see `otori source add --help`."
            );
        }
        for entry in &document.sources {
            writeln!(
                out,
                "{}  {}  {}  {}",
                entry.source, entry.engine, entry.table, entry.url
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
