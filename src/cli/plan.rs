//! `otori plan`.

use serde::Serialize;

use super::opened::Opened;
use super::{Global, Outcome, Output};
use crate::canary::{ContactPoint, SourceName, State};
use crate::canary::{canaries_needed, notice_probability};
use crate::notation::Mapping;
use crate::plant::Needs;
use crate::registry::PoolEntry;

/// Show how many canaries a source needs, so that a leak of a part of it is noticed
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// The share of the table that a leak would take, 0 to 1; without it, common shares
    #[arg(long, value_parser = fraction)]
    share: Option<f64>,
    /// With which probability a leak of that share has to take a canary, 0 to 1
    #[arg(long, value_parser = fraction, default_value_t = 0.95)]
    confidence: f64,
}

fn fraction(text: &str) -> Result<f64, String> {
    let value: f64 = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|value| value / 100.0),
        None => text.parse(),
    }
    .map_err(|_| format!("'{text}' is not a number"))?;
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(format!(
            "{text} does not lie between 0 and 1 (or 0% and 100%)"
        ))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    customers: u64,
    live: u64,
    confidence: f64,
    shares: Vec<Share>,
    /// What the pool can still give to canaries of this source, by kind.
    pool: Vec<Room>,
}

#[derive(Serialize)]
struct Share {
    share: f64,
    canaries: Option<u64>,
    /// With the canaries that stand there now.
    noticed_now: f64,
}

#[derive(Serialize)]
struct Room {
    kind: &'static str,
    /// None: as many as one likes.
    canaries: Option<u64>,
}

/// Runs `otori plan`.
///
/// # Errors
/// The source's database cannot be read.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let opened = Opened::named(&registry, &args.name).await?;
    let table = opened.table().await?;
    let batches = registry.batches(Some(&args.name)).await?;
    let standing = batches.iter().filter(|batch| batch.state == State::Live);
    let live: u64 = standing.map(|batch| batch.canaries as u64).sum();
    let customers = opened.database.count(&table).await?.saturating_sub(live);
    let shares = match args.share {
        Some(share) => vec![share],
        None => vec![0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5],
    };
    let document = Document {
        source: &args.name,
        customers,
        live,
        confidence: args.confidence,
        shares: shares
            .into_iter()
            .map(|share| Share {
                share,
                canaries: canaries_needed(customers, share, args.confidence),
                noticed_now: notice_probability(customers, live, share),
            })
            .collect(),
        pool: room(&registry.pool().await?, &args.name, &opened.mapping),
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{}: {customers} customers, {live} canaries live.",
            args.name
        )?;
        writeln!(
            out,
            "To notice a leak with {:.1} %:",
            args.confidence * 100.0
        )?;
        writeln!(
            out,
            "{:>12} {:>16} {:>14}",
            "leaked", "canaries needed", "noticed now"
        )?;
        for share in &document.shares {
            let needed = share
                .canaries
                .map_or("-".to_owned(), |canaries| canaries.to_string());
            writeln!(
                out,
                "{:>10.1} % {:>16} {:>12.1} %",
                share.share * 100.0,
                needed,
                share.noticed_now * 100.0
            )?;
        }
        for room in &document.pool {
            let canaries = room
                .canaries
                .map_or("any number of".to_owned(), |canaries| canaries.to_string());
            writeln!(
                out,
                "The pool's {} carry {canaries} further canaries of this source.",
                room.kind
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

/// What the pool can still give to this source. For drops, units that another source's canary had are
/// gone too.
fn room(pool: &[PoolEntry], source: &SourceName, mapping: &Mapping) -> Vec<Room> {
    let needs = Needs::of(mapping);
    let left = |entry: &PoolEntry| -> Option<u64> {
        let count = |own: bool| -> u64 {
            let given = entry
                .given
                .iter()
                .filter(|(name, _)| !own || name == source);
            given.map(|(_, count)| u64::from(*count)).sum()
        };
        let capacity = entry
            .point
            .capacity()
            .map(|capacity| (capacity as u64).saturating_sub(count(false)));
        let cap = entry
            .cap()
            .map(|cap| u64::from(cap).saturating_sub(count(true)));
        match (capacity, cap) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    };
    let sum = |wanted: fn(&ContactPoint) -> bool| {
        let entries = pool
            .iter()
            .filter(|entry| wanted(&entry.point) && entry.point.fits(mapping.locale));
        entries
            .map(left)
            .try_fold(0u64, |sum, left| Some(sum.saturating_add(left?)))
    };
    let mail = |point: &ContactPoint| {
        matches!(
            point,
            ContactPoint::MailDomain(_) | ContactPoint::Mailbox(_)
        )
    };
    let phone = |point: &ContactPoint| matches!(point, ContactPoint::Phone(_));
    let drop = |point: &ContactPoint| matches!(point, ContactPoint::Drop(_));
    let mut rooms = Vec::new();
    if needs.mail {
        rooms.push(Room {
            kind: "mail addresses",
            canaries: sum(mail),
        });
    }
    if needs.phone || needs.mobile {
        rooms.push(Room {
            kind: "phone numbers",
            canaries: sum(phone),
        });
    }
    if needs.drop {
        rooms.push(Room {
            kind: "drops",
            canaries: sum(drop),
        });
    }
    rooms
}

#[cfg(test)]
mod tests {
    #[test]
    fn shares_are_read_as_people_write_them() {
        assert_eq!(super::fraction("1%"), Ok(0.01));
        assert_eq!(super::fraction("0.25"), Ok(0.25));
        for wrong in ["0", "1", "100%", "x", "-3%"] {
            assert!(super::fraction(wrong).is_err(), "{wrong}");
        }
    }
}
