//! A workspace with many canaries, made without a customer database: the registry holds what
//! `otori plant` would have registered.

use std::collections::HashSet;
use std::time::Instant;

use otori::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use otori::persona::{Generator, Household, Locale, Seeds, Shape};
use otori::registry::{Registry, Source};
use otori::trace::Watch;
use otori::workspace::{Workspace, template};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use time::OffsetDateTime;
use time::macros::{date, datetime};

use super::style::{COLUMNS, Style};

/// Sources among which the canaries are divided.
pub const SOURCES: usize = 10;
/// Rows that each source is said to have.
const ROWS_AT: u64 = 8_000_000;
/// Canaries to a building that is ours, and to a number.
const UNITS: usize = 800;
const TO_A_NUMBER: usize = 50;

/// All canaries, the same for the same count.
pub fn canaries(count: usize) -> (Vec<Batch>, Vec<Canary>) {
    let mut rng = ChaCha8Rng::seed_from_u64(2014);
    let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
    let shape = Shape::families(3..=18);
    let mut drop = generator
        .household(&mut rng, date!(2026 - 01 - 01), &shape)
        .address;
    let mut batches = Vec::new();
    let mut canaries = Vec::with_capacity(count);
    let mut ids = HashSet::new();
    for source in 0..SOURCES {
        let name: SourceName = format!("source-{source}").parse().expect("a plain word");
        let style = Style::random(&mut rng);
        let here = count / SOURCES + usize::from(source < count % SOURCES);
        let id = BatchId::new(&name, 1);
        batches.push(Batch {
            id: id.clone(),
            source: name.clone(),
            planted_at: datetime!(2025-04-01 0:00 UTC) + time::Duration::days(source as i64),
            unplanted_at: None,
            state: State::Live,
            canaries: here,
            rows_at: ROWS_AT,
        });
        for _ in 0..here {
            let number = canaries.len();
            let mut household = generator.household(&mut rng, date!(2026 - 01 - 01), &shape);
            if number % UNITS == 0 {
                drop = household.address.clone();
                drop.building = Some("囮ハイツ".to_owned());
            }
            household.address = drop.clone();
            household.address.unit = Some((101 + number % UNITS).to_string());
            household.mobile = Some(format!("+81900{:07}", number / TO_A_NUMBER));
            household.email = Some(format!(
                "k{number}.{:03}@mail{source}.example",
                rng.random_range(0..1000)
            ));
            // Of so many, two would be called the same: planting draws again, too.
            let mut own = CanaryId::random(&mut rng);
            while !ids.insert(own.clone()) {
                own = CanaryId::random(&mut rng);
            }
            canaries.push(Canary {
                id: own,
                source: name.clone(),
                batch: id.clone(),
                state: State::Live,
                details: details(household, &style),
                points: Vec::new(),
                versions: Vec::new(),
            });
        }
    }
    (batches, canaries)
}

fn details(household: Household, style: &Style) -> Details {
    let cells = COLUMNS.iter().zip(style.cells(&household));
    let cells = cells.map(|((column, role), value)| Cell {
        column: (*column).to_owned(),
        role: *role,
        value: Some(value),
    });
    let row = PlantedRow {
        table: "顧客".to_owned(),
        cells: cells.collect(),
        key: Vec::new(),
        ..PlantedRow::default()
    };
    Details {
        rows: vec![row],
        household,
    }
}

/// A workspace at `dir` that has registered them.
pub async fn workspace(dir: &std::path::Path, batches: &[Batch], canaries: &[Canary]) {
    let workspace = Workspace::create(dir, &template("sqlite:registry.db"))
        .await
        .expect("the directory is new");
    let key = workspace.master_key().expect("the key has just been made");
    let registry = Registry::open("sqlite:registry.db", dir, &key)
        .await
        .expect("the registry has just been made");
    for batch in batches {
        let source = Source {
            name: batch.source.clone(),
            url: "csv:nowhere.csv".to_owned(),
            table: "顧客".to_owned(),
            mapping: "{}".to_owned(),
            added_at: OffsetDateTime::now_utc(),
        };
        registry.add_source(&source).await.expect("a new source");
        let of = |canary: &&Canary| canary.batch == batch.id;
        let own: Vec<Canary> = canaries.iter().filter(of).cloned().collect();
        let start = Instant::now();
        registry
            .register_batch(batch, &own)
            .await
            .expect("a new batch");
        eprintln!("{} canaries registered: {:.2?}", own.len(), start.elapsed());
    }
    registry.close().await;
}

/// Reads what [`workspace`] has registered, as `otori trace` does, and says how long each step takes.
pub async fn open(dir: &std::path::Path) {
    let mut start = Instant::now();
    let mut told = |step: &str| {
        eprintln!("{step}: {:.2?}", start.elapsed());
        start = Instant::now();
    };
    let workspace = Workspace::find(Some(dir)).expect("a workspace that was made");
    let registry = workspace.registry().await.expect("a registry that opens");
    told("opened");
    let batches = registry.batches(None).await.expect("batches");
    told("batches");
    let canaries = registry.canaries(None).await.expect("canaries");
    told("canaries");
    let watch = Watch::new(&[], &batches, &canaries);
    told("indexed");
    println!("{} canaries of {} batches", watch.len(), batches.len());
}
