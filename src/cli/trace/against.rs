//! What a list is examined against: the registry's canaries, or those of a watch list.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use time::OffsetDateTime;

use super::kept::Keeping;
use crate::canary::{Canary, SourceName};
use crate::cli::Global;
use crate::evidence::Act;
use crate::registry::Registry;
use crate::trace::{Watch, WatchBuilder};

/// The canaries of the sources that are wanted, for any list.
///
/// # Errors
/// The registry fails, or a canary does not open.
pub async fn watch(
    registry: &Registry,
    wanted: impl Fn(&SourceName) -> bool + Sync,
) -> anyhow::Result<Watch> {
    let sources = registry.sources().await?;
    let mut names: Vec<_> = sources.into_iter().map(|source| source.name).collect();
    names.retain(&wanted);
    let mut batches = registry.batches(None).await?;
    batches.retain(|batch| wanted(&batch.source));
    let mut forgotten = registry.forgotten().await?;
    forgotten.retain(|(name, _)| wanted(name));
    let mut builder = WatchBuilder::new(&names, &batches);
    // A million canaries are not kept beside the watch of them.
    let mut add = |canary: Canary| builder.add(&canary);
    registry.each_canary(None, &mut add).await?;
    Ok(builder.done().forgetting(forgotten))
}

/// The canaries, and where it is recorded that a list was examined.
pub struct Against {
    pub watch: Watch,
    /// Whoever traces with a watch list has no workspace: nothing is recorded.
    registry: Option<Registry>,
    /// Where the watch is to be kept; none where it is kept already.
    keeping: Option<Keeping>,
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
                keeping: None,
            });
        }
        let (workspace, registry) = global.open().await?;
        let keeping = Keeping::begin(workspace.dir(), &registry).await?;
        let kept = match &keeping {
            Some(keeping) => keeping.kept(&registry).await?,
            None => None,
        };
        let (watch, keeping) = match kept {
            Some(watch) => (watch, None),
            None => (watch(&registry, |_| true).await?, keeping),
        };
        Ok(Against {
            watch,
            registry: Some(registry),
            keeping,
        })
    }

    /// Keeps the watch for the next list, where it had to be made.
    pub fn keep(&self) {
        if let Some(keeping) = &self.keeping {
            keeping.keep(&self.watch);
        }
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
