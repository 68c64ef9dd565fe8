//! A small world for tests: two sources with their canaries, and lists of strangers.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use super::watch::Watch;
use crate::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use crate::notation::Role;
use crate::persona::{Generator, Household, Locale, Seeds, Shape};

/// Today, in tests.
pub const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);

/// The columns of the lists.
pub const COLUMNS: [(&str, Role); 7] = [
    ("氏名", Role::Name),
    ("フリガナ", Role::NameKana),
    ("郵便番号", Role::Postcode),
    ("住所", Role::Address),
    ("電話番号", Role::Phone),
    ("メール", Role::Email),
    ("生年月日", Role::BirthDate),
];

/// One row of a list.
pub type Line = [String; COLUMNS.len()];

/// Two sources of three batches each.
pub struct World {
    pub sources: Vec<SourceName>,
    pub batches: Vec<Batch>,
    pub canaries: Vec<Canary>,
    generator: Generator,
    pub rng: StdRng,
}

impl World {
    /// `each` canaries in each of the six batches.
    pub fn new(seed: u64, each: usize) -> World {
        let mut world = World {
            sources: ["school", "shop"].map(|name| name.parse().unwrap()).into(),
            batches: Vec::new(),
            canaries: Vec::new(),
            generator: Generator::new(&Seeds::embedded(), Locale::JaJp),
            rng: StdRng::seed_from_u64(seed),
        };
        for source in world.sources.clone() {
            for number in 1..=3 {
                let id = BatchId::new(&source, number);
                for _ in 0..each {
                    world.plant(&source, &id);
                }
                world.batches.push(Batch {
                    id,
                    source: source.clone(),
                    planted_at: datetime!(2024-02-10 09:30 UTC)
                        + Duration::days(300 * i64::from(number)),
                    unplanted_at: None,
                    state: State::Live,
                    canaries: each,
                    rows_at: 123_456,
                });
            }
        }
        world
    }

    /// The watch that knows all of it.
    pub fn watch(&self) -> Watch {
        Watch::new(&self.sources, &self.batches, &self.canaries)
    }

    fn plant(&mut self, source: &SourceName, batch: &BatchId) {
        let number = self.canaries.len();
        let (household, line) =
            self.person(&format!("090-0000-{:04}", number % 40), "canary.example");
        let cells = COLUMNS
            .iter()
            .zip(line)
            .map(|((column, role), value)| Cell {
                column: (*column).to_owned(),
                role: *role,
                value: Some(value),
            });
        self.canaries.push(Canary {
            id: CanaryId::random(&mut self.rng),
            source: source.clone(),
            batch: batch.clone(),
            state: State::Live,
            details: Details {
                household,
                rows: vec![PlantedRow {
                    table: "customers".to_owned(),
                    cells: cells.collect(),
                    key: Vec::new(),
                    ..PlantedRow::default()
                }],
            },
            points: Vec::new(),
            versions: Vec::new(),
        });
    }

    fn person(&mut self, phone: &str, domain: &str) -> (Household, Line) {
        let adults = Shape::adults(20..=80);
        let household = self
            .generator
            .household(&mut self.rng, date!(2026 - 01 - 01), &adults);
        let (person, address) = (&household.guardian, &household.address);
        let name = format!("{} {}", person.family.written, person.given.written);
        let kana = format!("{} {}", person.family.kana, person.given.kana);
        let place = [
            &address.region,
            &address.city,
            &address.town,
            &address.block,
        ];
        let mut place: String = place.into_iter().map(String::as_str).collect();
        place.push_str(address.building.as_deref().unwrap_or_default());
        let local = self.rng.random_range(1_000_000..9_999_999);
        let line = [
            name,
            kana,
            address.postcode.clone(),
            place,
            phone.to_owned(),
            format!("{local}@{domain}"),
            person.birth.to_string(),
        ];
        (household, line)
    }

    /// A canary's row as it was planted.
    pub fn planted(&self, canary: usize) -> Line {
        let cells = &self.canaries[canary].details.rows[0].cells;
        std::array::from_fn(|place| cells[place].value.clone().unwrap())
    }

    /// Strangers' rows, and those of some canaries among them.
    pub fn lines(&mut self, strangers: usize, canaries: &[usize]) -> Vec<Line> {
        let mut lines: Vec<Line> = canaries
            .iter()
            .map(|canary| self.planted(*canary))
            .collect();
        for _ in 0..strangers {
            let phone = format!(
                "070-0{:03}-{:04}",
                self.rng.random_range(0..999),
                self.rng.random_range(0..9999)
            );
            lines.push(self.person(&phone, "mail.example").1);
        }
        lines.shuffle(&mut self.rng);
        lines
    }
}

/// Some columns of rows as CSV.
pub fn csv(lines: &[Line], columns: &[usize]) -> String {
    let line = |cells: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = columns.iter().map(|column| cells(*column)).collect();
        cells.join(",") + "\n"
    };
    let head = line(&|column| COLUMNS[column].0.to_owned());
    head + &lines
        .iter()
        .map(|cells| line(&|column| cells[column].clone()))
        .collect::<String>()
}
