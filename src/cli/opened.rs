//! A registered source with its database, opened for the commands that plant, verify and remove.

use anyhow::Context;
use time::OffsetDateTime;

use crate::canary::SourceName;
use crate::database::{Database, DatabaseUrl, Table};
use crate::notation::Mapping;
use crate::persona::{Generator, Lexicon, Seeds};
use crate::plant::{self, Settled};
use crate::registry::{Registry, Source};

/// A source, its mapping and its database.
pub(super) struct Opened {
    pub(super) source: Source,
    pub(super) mapping: Mapping,
    pub(super) database: Database,
}

/// Makes the people of a source, and reads names.
pub(super) struct People {
    generator: Generator,
    lexicon: Lexicon,
}

impl Opened {
    /// Opens the source of that name.
    pub(super) async fn named(registry: &Registry, name: &SourceName) -> anyhow::Result<Opened> {
        Opened::of(registry.source(name).await?).await
    }

    /// Opens a source.
    pub(super) async fn of(source: Source) -> anyhow::Result<Opened> {
        let context = || format!("source {}", source.name);
        let url: DatabaseUrl = source.url.parse().with_context(context)?;
        let mapping = Mapping::from_json(&source.mapping).with_context(context)?;
        let database = Database::connect(&url).await.with_context(context)?;
        Ok(Opened {
            source,
            mapping,
            database,
        })
    }

    /// Whom its canaries are made from.
    pub(super) fn people(&self, seeds: &Seeds) -> People {
        let locale = self.mapping.locale;
        People {
            generator: Generator::new(seeds, locale),
            lexicon: Lexicon::new(seeds, locale),
        }
    }

    /// What to plan `count` canaries with, past no warning.
    pub(super) fn ask<'a>(
        &'a self,
        registry: &'a Registry,
        people: &'a People,
        count: usize,
        now: OffsetDateTime,
    ) -> plant::Ask<'a> {
        plant::Ask {
            registry,
            database: &self.database,
            source: &self.source,
            mapping: &self.mapping,
            generator: &people.generator,
            lexicon: &people.lexicon,
            count,
            force: false,
            choose: false,
            stealth_limit: None,
            now,
        }
    }

    /// Its table, as the catalog describes it now.
    pub(super) async fn table(&self) -> anyhow::Result<Table> {
        let table = self.database.table(&self.source.table).await;
        table.with_context(|| format!("source {}", self.source.name))
    }

    /// Settles what a crash left, and tells of it on standard error.
    pub(super) async fn settle(&self, registry: &Registry, table: &Table) -> anyhow::Result<()> {
        let batches = registry.batches(Some(&self.source.name)).await?;
        let settled = plant::settle(registry, &self.database, table, &batches).await?;
        tell(&settled);
        Ok(())
    }
}

/// Tells what became of batches that were open.
pub(super) fn tell(settled: &[(crate::canary::Batch, Settled)]) {
    for (batch, outcome) in settled {
        match outcome {
            Settled::Live => eprintln!(
                "batch {}: all {} canaries stand in the table; it is live",
                batch.id, batch.canaries
            ),
            Settled::Void => eprintln!(
                "batch {}: its planting was broken off before anything was written; it is void",
                batch.id
            ),
            Settled::Waiting(arrived) => eprintln!(
                "batch {}: handed out; {arrived} of {} canaries have arrived",
                batch.id, batch.canaries
            ),
        }
    }
}
