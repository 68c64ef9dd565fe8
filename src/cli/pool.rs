//! `otori pool`: contact points that the operator owns.

mod import;
mod list;

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output};
use crate::canary::{ContactPoint, PostalDrop, Units};
use crate::persona::{Gazetteer, Locale};
use crate::registry::Added;

/// Contact points that you own: mail domains, mailboxes, phone numbers, postal drops
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Add contact points that you own
    #[command(subcommand)]
    Add(Add),
    /// Add contact points from a CSV file with the columns kind,value,postcode,address,units (and
    /// cap): all of them, or none if one is wrong
    Import {
        /// The file; kinds are mail, mailbox, phone and drop
        file: PathBuf,
    },
    /// What is owned, what is given, what is left
    List,
}

#[derive(Subcommand)]
enum Add {
    /// A mail domain of which every address reaches the receiver
    Mail {
        /// Such as mail.example
        #[arg(required = true, value_name = "DOMAIN")]
        domains: Vec<String>,
        #[command(flatten)]
        cap: Cap,
    },
    /// A single mailbox, at a provider or elsewhere: one canary
    Mailbox {
        /// Such as hanako@provider.example
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// A telephone number; several canaries of a source share it
    Phone {
        /// In Japanese notation (090-...) or international (+81...)
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
        #[command(flatten)]
        cap: Cap,
    },
    /// A postal address with units, or with variants of its spelling
    Drop {
        /// 〒, or ZIP code
        #[arg(long)]
        postcode: String,
        /// The address; a building's name stands last
        #[arg(long)]
        address: String,
        /// Rooms (101-999), or names parted by '|' ("c/o Aoki|East Wing"): one canary each; 'none' for a house,
        /// which carries one canary
        #[arg(long, default_value = "101-999")]
        units: String,
        #[command(flatten)]
        cap: Cap,
    },
}

#[derive(clap::Args)]
struct Cap {
    /// At most so many canaries of one source get it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cap: Option<u32>,
}

#[derive(Serialize)]
struct Document {
    added: usize,
    known: usize,
}

/// Runs `otori pool`.
///
/// # Errors
/// A contact point is not one, the file cannot be read, or the registry fails; then nothing was
/// added.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let points = match args.act {
        Act::List => return list::run(global).await,
        Act::Import { file } => {
            let (workspace, _) = global.open().await?;
            import::read(&file, &Gazetteer::new(&workspace.seeds()?))?
        }
        Act::Add(add) => points(add, global)?,
    };
    let (_, registry) = global.open().await?;
    let added = registry
        .add_contact_points(&points, OffsetDateTime::now_utc())
        .await?;
    report(added, global)?;
    Ok(Outcome::Done)
}

fn points(add: Add, global: &Global) -> anyhow::Result<Vec<(ContactPoint, Option<u32>)>> {
    let parsed = match add {
        Add::Mail { domains, cap } => {
            let points = domains
                .iter()
                .map(|d| d.parse().map(ContactPoint::MailDomain));
            (points.collect::<Result<Vec<_>, _>>()?, cap.cap)
        }
        Add::Mailbox { addresses } => {
            let points = addresses
                .iter()
                .map(|a| a.parse().map(ContactPoint::Mailbox));
            (points.collect::<Result<Vec<_>, _>>()?, None)
        }
        Add::Phone { numbers, cap } => {
            let points = numbers.iter().map(|n| n.parse().map(ContactPoint::Phone));
            (points.collect::<Result<Vec<_>, _>>()?, cap.cap)
        }
        Add::Drop {
            postcode,
            address,
            units,
            cap,
        } => {
            let workspace = crate::workspace::Workspace::find(global.workspace.as_deref())?;
            let gazetteer = Gazetteer::new(&workspace.seeds()?);
            let drop = postal_drop(&gazetteer, &postcode, &address, &units)?;
            (vec![drop], cap.cap)
        }
    };
    let (points, cap) = parsed;
    Ok(points.into_iter().map(|point| (point, cap)).collect())
}

/// Reads a postal drop as the operator typed it.
pub(super) fn postal_drop(
    gazetteer: &Gazetteer,
    postcode: &str,
    typed: &str,
    units: &str,
) -> anyhow::Result<ContactPoint> {
    let units: Units = units.parse()?;
    let digits = crate::notation::postcode_key(postcode, None).with_context(|| {
        format!("'{postcode}' is neither a Japanese postcode (100-0013) nor a ZIP code (12345)")
    })?;
    let locale = match digits.len() {
        7 => Locale::JaJp,
        _ => Locale::EnUs,
    };
    Ok(ContactPoint::Drop(Box::new(PostalDrop {
        locale,
        address: gazetteer.split_address(locale, &digits, typed)?,
        typed: typed.trim().to_owned(),
        units,
    })))
}

fn report(added: Added, global: &Global) -> anyhow::Result<()> {
    let Added { added, known } = added;
    Output::new(global).result(&Document { added, known }, |out| {
        write!(out, "{added} added")?;
        if known > 0 {
            write!(out, ", {known} in the pool already and left as they are")?;
        }
        writeln!(out)
    })
}
