//! What the operator of the story does: a workspace, a pool, sources, batches.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::OffsetDateTime;

use super::world::Company;
use crate::canary::{Canary, ContactPoint, PhoneNumber};
use crate::cli::opened::Opened;
use crate::cli::pool::postal_drop;
use crate::database::{Database, DatabaseUrl};
use crate::notation::MappingFile;
use crate::persona::{Gazetteer, Seeds};
use crate::plant;
use crate::registry::{Registry, Source};
use crate::source::{Survey, understand};

/// Contact points of the story. Nobody can be reached through any of them: reserved domains, numbers
/// that are never issued (Japan: an exchange that begins with 0; United States: 555-01xx), houses
/// beyond the end of their streets.
const DOMAINS: [&str; 3] = [
    "kawasemi-mail.example",
    "post.hinoki.example",
    "letters.test",
];
const NUMBERS: [&str; 24] = [
    "090-0137-2281",
    "090-0415-7702",
    "070-0622-1934",
    "070-0318-6640",
    "090-0846-3317",
    "070-0091-5526",
    "03-0317-4482",
    "03-0561-9037",
    "03-0148-2275",
    "03-0218-3346",
    "070-0750-1128",
    "070-0233-8815",
    "090-0504-6092",
    "03-0912-7731",
    "+1 202-555-0117",
    "+1 312-555-0142",
    "+1 415-555-0163",
    "+1 617-555-0129",
    "+1 206-555-0188",
    "+1 512-555-0151",
    "+1 303-555-0174",
    "+1 503-555-0136",
    "+1 615-555-0195",
    "+1 704-555-0108",
];
const DROPS: [(&str, &str, &str); 3] = [
    ("100-0013", "東京都千代田区霞が関9-12-8 霞ハイツ", "101-420"),
    (
        "460-0001",
        "愛知県名古屋市中区三の丸9-7-3 メゾン三の丸",
        "101-420",
    ),
    ("12345", "99900 Juniper Ave, Schenectady", "1-400"),
];

/// Whether a number (E.164) is one of the story's.
pub(super) fn owns(phone: &str) -> bool {
    static OWNED: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let numbers = NUMBERS.iter().filter_map(|typed| typed.parse().ok());
        numbers
            .map(|number: PhoneNumber| number.as_str().to_owned())
            .collect()
    });
    OWNED.contains(phone)
}

/// Puts the story's contact points into the pool; how many.
pub(super) async fn pool(
    registry: &Registry,
    seeds: &Seeds,
    at: OffsetDateTime,
) -> anyhow::Result<usize> {
    let mut points = Vec::new();
    for domain in DOMAINS {
        points.push((ContactPoint::MailDomain(domain.parse()?), None));
    }
    for number in NUMBERS {
        points.push((ContactPoint::Phone(number.parse()?), None));
    }
    let gazetteer = Gazetteer::new(seeds);
    for (postcode, address, units) in DROPS {
        points.push((postal_drop(&gazetteer, postcode, address, units)?, None));
    }
    Ok(registry.add_contact_points(&points, at).await?.added)
}

/// Registers a company's database as `source add` does; how many columns were understood.
pub(super) async fn source(
    registry: &Registry,
    company: Company,
    dir: &Path,
    at: OffsetDateTime,
) -> anyhow::Result<usize> {
    let url = format!("sqlite:{}", company.file(dir).display());
    let database = Database::connect(&url.parse::<DatabaseUrl>()?).await?;
    let survey = Survey::of(&database, company.table()).await?;
    let proposal = understand(&survey, &MappingFile::default())?;
    if let Some(question) = proposal.questions.first() {
        bail!("{}: {}", company.name(), question.text);
    }
    let source = Source {
        name: company.name().parse()?,
        url,
        table: company.table().to_owned(),
        mapping: proposal.mapping.to_json(),
        added_at: at,
    };
    registry.add_source(&source).await?;
    Ok(proposal.mapping.columns.len())
}

/// Plants a batch as `plant` does, on that day.
pub(super) async fn plant(
    registry: &Registry,
    company: Company,
    seeds: &Seeds,
    count: usize,
    at: OffsetDateTime,
    seed: u64,
) -> anyhow::Result<Vec<Canary>> {
    let opened = Opened::named(registry, &company.name().parse()?).await?;
    let _held = registry.exclusive().await?;
    let people = opened.people(seeds);
    let ask = opened.ask(registry, &people, count, at);
    let plan = plant::plan(&ask, &mut StdRng::seed_from_u64(seed)).await?;
    plant::plant(
        registry,
        &opened.database,
        &plan.table,
        &plan.batch,
        plan.canaries,
        &mut |_| {},
    )
    .await
    .with_context(|| format!("planting into {}", company.name()))
}
