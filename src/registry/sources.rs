//! Sources.

use serde::{Deserialize, Serialize};

use super::witness::Table;
use super::{Error, Registry, Result, Source, from_micros, micros};
use crate::canary::SourceName;
use crate::evidence::Act;

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
        let mut sources = self.sources().await?;
        match sources.iter().position(|source| source.name == *name) {
            Some(place) => Ok(sources.swap_remove(place)),
            None => Err(Error::UnknownSource {
                name: name.to_string(),
                known: known(&sources),
            }),
        }
    }

    /// All sources by name.
    ///
    /// # Errors
    /// The store fails, or an entry does not open.
    pub async fn sources(&self) -> Result<Vec<Source>> {
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
