//! `otori pool list`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::ContactPoint;
use crate::cli::{Global, Outcome, Output};
use crate::registry::{BurnIn, PoolEntry};

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
    /// Of a telephone number: what came to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<Heard>,
}

#[derive(Serialize)]
struct Heard {
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// Calls and text messages since then.
    calls: u32,
    /// Days until a canary got it, or until now.
    burn_in_days: i64,
    /// Calls in these days.
    burn_in_calls: u32,
}

impl Heard {
    fn new(number: &BurnIn, now: OffsetDateTime) -> Heard {
        Heard {
            since: number.since,
            calls: number.calls,
            burn_in_days: number.lasted(now).whole_days(),
            burn_in_calls: number.before,
        }
    }
}

fn entry(entry: &PoolEntry, heard: Option<Heard>) -> Entry {
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
        heard,
    }
}

/// Runs `otori pool list`.
pub(super) async fn run(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let now = OffsetDateTime::now_utc();
    let numbers = registry.burn_in().await?;
    let numbers: HashMap<i64, &BurnIn> = numbers.iter().map(|one| (one.point, one)).collect();
    let heard = |id| numbers.get(&id).map(|number| Heard::new(number, now));
    let pool = registry.pool().await?;
    let document = Document {
        pool: pool.iter().map(|one| entry(one, heard(one.id))).collect(),
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
            if !sources.is_empty() {
                write!(out, "  [{}]", sources.join(", "))?;
            }
            if let Some(heard) = &entry.heard {
                let Heard {
                    since,
                    calls,
                    burn_in_days: days,
                    burn_in_calls: before,
                } = heard;
                write!(
                    out,
                    "  {calls} calls since {}, {before} in {days} days of burn-in",
                    since.date()
                )?;
            }
            writeln!(out)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
