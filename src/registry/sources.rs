//! Sources.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::witness::Table;
use super::{Error, Registry, Result, Source, from_micros, micros};
use crate::canary::SourceName;
use crate::evidence::Act;

/// What an incident points at that is a leak of one of our sources, and nobody knows of which. No source is
/// registered by this name, and none is listed.
pub const UNKNOWN_SOURCE: &str = "unknown-source";

#[derive(Serialize, Deserialize)]
struct Sealed {
    url: String,
    table: String,
    mapping: String,
}

pub(super) fn place(name: &str) -> String {
    format!("source {name}")
}

impl Registry {
    /// Registers a source; a name that is taken is an error.
    ///
    /// # Errors
    /// [`Error::SourceTaken`], or the store fails.
    pub async fn add_source(&self, source: &Source) -> Result<()> {
        match source.name.as_str() {
            UNKNOWN_SOURCE => Err(Error::SourceTaken(source.name.to_string())),
            _ => self.insert_source(source).await,
        }
    }

    /// The source that stands for one that nobody knows; it is there from its first incident on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unknown_source(&self, now: OffsetDateTime) -> Result<SourceName> {
        let place = || Error::Damaged(place(UNKNOWN_SOURCE));
        let name: SourceName = UNKNOWN_SOURCE.parse().map_err(|_| place())?;
        let source = Source {
            name: name.clone(),
            url: String::new(),
            table: String::new(),
            mapping: String::new(),
            added_at: now,
        };
        match self.insert_source(&source).await {
            Ok(()) | Err(Error::SourceTaken(_)) => Ok(name),
            Err(error) => Err(error),
        }
    }

    async fn insert_source(&self, source: &Source) -> Result<()> {
        let sealed = Sealed {
            url: source.url.clone(),
            table: source.table.clone(),
            mapping: source.mapping.clone(),
        };
        let place = place(source.name.as_str());
        let plain = serde_json::to_vec(&sealed).map_err(|_| Error::Damaged(place.clone()))?;
        let mut tx = self.store.begin().await?;
        let new = tx
            .execute(
                "insert into source (name, sealed, added_at) values ($1, $2, $3)
                 on conflict (name) do nothing",
                vec![
                    source.name.as_str().into(),
                    self.vault.seal(&place, &plain)?.into(),
                    micros(source.added_at).into(),
                ],
            )
            .await?;
        if new == 0 {
            return Err(Error::SourceTaken(source.name.to_string()));
        }
        tx.touch(Table::Source, &source.name);
        self.make_source_key(&mut tx, source.name.as_str()).await?;
        let act = Act::SourceAdded {
            source: source.name.to_string(),
        };
        self.commit(tx, act).await
    }

    /// The source of that name.
    ///
    /// # Errors
    /// [`Error::UnknownSource`] with the names there are, or the store fails.
    pub async fn source(&self, name: &SourceName) -> Result<Source> {
        let mut sources = self.every_source().await?;
        match sources.iter().position(|source| source.name == *name) {
            Some(place) => Ok(sources.swap_remove(place)),
            None => Err(Error::UnknownSource {
                name: name.to_string(),
                known: known(&self.sources().await?),
            }),
        }
    }

    /// All sources by name.
    ///
    /// # Errors
    /// The store fails, or an entry does not open.
    pub async fn sources(&self) -> Result<Vec<Source>> {
        let mut sources = self.every_source().await?;
        sources.retain(|source| source.name.as_str() != UNKNOWN_SOURCE);
        Ok(sources)
    }

    async fn every_source(&self) -> Result<Vec<Source>> {
        let rows = self
            .store
            .fetch(
                "select name, sealed, added_at from source order by name",
                vec![],
            )
            .await?;
        let mut sources = Vec::with_capacity(rows.len());
        for row in rows {
            let name = row.text(0)?;
            let place = place(&name);
            let plain = self.vault.open(&place, &row.bytes(1)?)?;
            let damaged = || Error::Damaged(place.clone());
            let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| damaged())?;
            sources.push(Source {
                name: name.parse().map_err(|_| damaged())?,
                url: sealed.url,
                table: sealed.table,
                mapping: sealed.mapping,
                added_at: from_micros(row.int(2)?, &place)?,
            });
        }
        Ok(sources)
    }
}

fn known(sources: &[Source]) -> String {
    if sources.is_empty() {
        return "none is registered yet: see `otori source add --help`".to_owned();
    }
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    format!("registered are: {}", names.join(", "))
}
