//! A report that may leave the house.
//!
//! It keeps the verdict and its numbers, the canaries' ids, the marks on which they agree, rows, and the
//! list's length and SHA-256, by which anybody who has the list can check which one it was. It says
//! nothing that stands in the list, nor what the columns, the files and the tables in it are called, and
//! nothing of the house: sources and batches are numbered. A slice is left out, because it tells where
//! the canaries found live and when they were born.

use super::report::{Listed, Part, Report};
use super::watch::Watch;
use crate::canary::{BatchId, SourceName};

/// What sources and batches are called.
#[derive(Clone, Debug)]
pub(super) struct Redacted {
    sources: Vec<SourceName>,
    batches: Vec<BatchId>,
}

impl Redacted {
    /// Sources are numbered in the order of their names, which is that of `otori source list`.
    fn new(watch: &Watch) -> Redacted {
        let number = |number: usize| format!("source-{number}").parse();
        let sources: Vec<SourceName> = (1..=watch.sources.len())
            .filter_map(|n| number(n).ok())
            .collect();
        let mut numbers = vec![0_u32; sources.len()];
        let mut source_of = vec![0_usize; watch.batches.len()];
        for canary in &watch.canaries {
            source_of[canary.batch as usize] = canary.source as usize;
        }
        let batch = |source: usize| {
            let number = numbers.get_mut(source)?;
            *number += 1;
            Some(BatchId::new(sources.get(source)?, *number))
        };
        let batches = source_of.into_iter().filter_map(batch).collect();
        Redacted { sources, batches }
    }

    pub fn source(&self, index: usize) -> &SourceName {
        &self.sources[index]
    }

    pub fn batch(&self, index: u32) -> &BatchId {
        &self.batches[index as usize]
    }
}

impl Report<'_> {
    /// Takes out what nobody outside may see. What is recorded of the trace stays as it is.
    pub fn redact(&mut self) {
        self.redacted = Some(Redacted::new(self.watch));
        redact(&mut self.list);
        for found in &mut self.decision.sources {
            found.slice = None;
        }
        for cleared in &mut self.decision.cleared {
            cleared.slices.clear();
        }
    }
}

fn redact(list: &mut Listed) {
    "the list".clone_into(&mut list.name);
    for (number, file) in (1..).zip(&mut list.files) {
        file.name = format!("file {number}");
    }
    let several = list.parts.len() > 1;
    for (number, part) in (1..).zip(&mut list.parts) {
        let Part {
            name,
            columns,
            broken,
            ..
        } = part;
        *name = if several {
            format!("part {number}")
        } else {
            String::new()
        };
        for column in columns {
            column.header = None;
        }
        // Why may name an entry of an archive.
        if let Some(why) = broken {
            "part of it could not be read".clone_into(why);
        }
    }
}
