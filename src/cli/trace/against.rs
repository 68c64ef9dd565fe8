//! What a list is examined against: the registry's canaries, or those of a watch list.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use time::OffsetDateTime;

use crate::cli::Global;
use crate::evidence::Act;
use crate::registry::Registry;
use crate::trace::Watch;

/// The canaries, and where it is recorded that a list was examined.
pub struct Against {
    pub watch: Watch,
    /// Whoever traces with a watch list has no workspace: nothing is recorded.
    registry: Option<Registry>,
}

impl Against {
    /// The canaries of a watch list, or else of the workspace.
    ///
    /// # Errors
    /// The file is no watch list, or the workspace does not open.
    pub async fn open(watchlist: Option<&Path>, global: &Global) -> anyhow::Result<Against> {
        if let Some(path) = watchlist {
            let shown = || path.display().to_string();
            let file = File::open(path).with_context(shown)?;
            let watch = Watch::from_watchlist(BufReader::new(file)).with_context(shown)?;
            return Ok(Against {
                watch,
                registry: None,
            });
        }
        let (_, registry) = global.open().await?;
        let sources = registry.sources().await?;
        let names: Vec<_> = sources.into_iter().map(|source| source.name).collect();
        let batches = registry.batches(None).await?;
        let canaries = registry.canaries(None).await?;
        let watch = Watch::new(&names, &batches, &canaries);
        Ok(Against {
            watch: watch.forgetting(registry.forgotten().await?),
            registry: Some(registry),
        })
    }

    /// Records what was done, where there is a workspace.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn record(&self, acts: Vec<Act>, now: OffsetDateTime) -> anyhow::Result<()> {
        if let Some(registry) = &self.registry {
            for act in acts {
                let recorded = registry.record(act, now).await;
                recorded.context("the list was examined, but that could not be recorded")?;
            }
        }
        Ok(())
    }
}
