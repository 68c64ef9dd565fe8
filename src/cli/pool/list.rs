//! `otori pool list`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canary::ContactPoint;
use crate::cli::{Global, Outcome, Output};
use crate::registry::PoolEntry;

#[derive(Serialize)]
struct Document {
    pool: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    kind: &'static str,
    value: String,
    /// Canaries that it can carry; none: as many as one likes.
    capacity: Option<usize>,
    cap_per_source: Option<u32>,
    used: u32,
    sources: BTreeMap<String, u32>,
}

fn entry(entry: &PoolEntry) -> Entry {
    let value = match &entry.point {
        ContactPoint::MailDomain(domain) => domain.as_str().to_owned(),
        ContactPoint::Mailbox(address) => address.as_str().to_owned(),
        ContactPoint::Phone(number) => number.as_str().to_owned(),
        ContactPoint::Drop(drop) => {
            format!("{} {} ({})", drop.address.postcode, drop.typed, drop.units)
        }
    };
    let given = entry.given.iter();
    Entry {
        kind: entry.point.kind().name(),
        value,
        capacity: entry.point.capacity(),
        cap_per_source: entry.cap(),
        used: entry.given.iter().map(|(_, count)| count).sum(),
        sources: given
            .map(|(name, count)| (name.to_string(), *count))
            .collect(),
    }
}

/// Runs `otori pool list`.
pub(super) async fn run(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let document = Document {
        pool: registry.pool().await?.iter().map(entry).collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.pool.is_empty() {
            return writeln!(out, "The pool is empty: see `otori pool add --help`.");
        }
        let number = |n: Option<usize>| n.map_or("any".to_owned(), |n| n.to_string());
        writeln!(
            out,
            "{:<8} {:>8} {:>10} {:>6}  contact point",
            "kind", "capacity", "per source", "used"
        )?;
        for entry in &document.pool {
            write!(
                out,
                "{:<8} {:>8} {:>10} {:>6}  {}",
                entry.kind,
                number(entry.capacity),
                number(entry.cap_per_source.map(|cap| cap as usize)),
                entry.used,
                entry.value
            )?;
            let sources: Vec<String> = entry
                .sources
                .iter()
                .map(|(name, n)| format!("{name} {n}"))
                .collect();
            match sources.is_empty() {
                true => writeln!(out)?,
                false => writeln!(out, "  [{}]", sources.join(", "))?,
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
