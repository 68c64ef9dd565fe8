//! Generated households, as canaries and as strangers, for the tests of matching.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;
use time::macros::{date, datetime};

use crate::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use crate::notation::Role;
use crate::persona::{Generator, Household, Locale, Seeds, Shape};
use crate::trace::watch::Watch;

pub const NOW: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);

pub const ROLES: [Role; 7] = [
    Role::Name,
    Role::NameKana,
    Role::Postcode,
    Role::Address,
    Role::Phone,
    Role::Email,
    Role::BirthDate,
];

const HEADER: &str = "氏名,フリガナ,郵便番号,住所,電話番号,メール,生年月日";

pub type Row = [String; 7];

/// Makes people; each seed makes others.
pub struct People {
    generator: Generator,
    shape: Shape,
    rng: StdRng,
}

impl People {
    pub fn new(seed: u64, shape: Shape) -> People {
        People {
            generator: Generator::new(&Seeds::embedded(), Locale::JaJp),
            shape,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub fn household(&mut self) -> Household {
        let today = date!(2026 - 01 - 01);
        self.generator.household(&mut self.rng, today, &self.shape)
    }

    /// A stranger's row.
    pub fn stranger(&mut self) -> Row {
        let household = self.household();
        row(&household, !household.children.is_empty())
    }

    /// Canaries of some sources, one batch each: own numbers, mail domain and building.
    pub fn canaries(&mut self, count: usize, sources: usize) -> (Vec<Batch>, Vec<Canary>) {
        let batches: Vec<Batch> = (0..sources)
            .map(|number| {
                let source: SourceName = format!("source-{number}").parse().unwrap();
                Batch {
                    id: BatchId::new(&source, 1),
                    source,
                    planted_at: datetime!(2024-01-10 00:00 UTC),
                    unplanted_at: None,
                    state: State::Live,
                    canaries: count / sources,
                    rows_at: 100_000,
                }
            })
            .collect();
        let canaries = (0..count).map(|number| self.canary(number, &batches[number % sources]));
        let canaries = canaries.collect();
        (batches, canaries)
    }

    fn canary(&mut self, number: usize, batch: &Batch) -> Canary {
        let mut household = self.household();
        household.mobile = None;
        // Nobody has such a number, strangers of these tests neither.
        household.landline = Some(format!("+81600{:07}", 123 + number * 7 % 9_999_000));
        household.email = Some(format!(
            "u{:05x}.{number}@囮.example",
            self.rng.random::<u16>()
        ));
        household.email = household.email.map(|mail| mail.replace('囮', "otori"));
        household.address.building = Some("囮ハイツ".to_owned());
        household.address.unit = Some((101 + number).to_string());
        let child = !household.children.is_empty();
        let cells = ROLES.into_iter().zip(row(&household, child));
        let cells = cells.map(|(role, value)| Cell {
            column: role.name().to_owned(),
            role: match (role, child) {
                (Role::Name, true) => Role::ChildName,
                (Role::NameKana, true) => Role::ChildNameKana,
                (Role::BirthDate, true) => Role::ChildBirthDate,
                _ => role,
            },
            value: Some(value),
        });
        Canary {
            id: CanaryId::random(&mut self.rng),
            source: batch.source.clone(),
            batch: batch.id.clone(),
            state: State::Live,
            details: Details {
                rows: vec![PlantedRow {
                    table: "会員".to_owned(),
                    cells: cells.collect(),
                    key: Vec::new(),
                    ..PlantedRow::default()
                }],
                household,
            },
            points: Vec::new(),
            versions: Vec::new(),
        }
    }
}

/// A household's row: about its first child, or about the customer.
pub fn row(household: &Household, child: bool) -> Row {
    let person = match household.children.first().filter(|_| child) {
        Some(child) => child,
        None => &household.guardian,
    };
    let address = &household.address;
    let phone = household.landline.as_ref().or(household.mobile.as_ref());
    let phone = phone.cloned().unwrap_or_default().replace("+81", "0");
    let room = address.unit.as_deref().unwrap_or_default();
    [
        format!("{}　{}", person.family.written, person.given.written),
        format!("{}　{}", person.family.kana, person.given.kana),
        address.postcode.clone(),
        format!(
            "{}{}{}{}{}{room}",
            address.region,
            address.city,
            address.town,
            address.block,
            address.building.as_deref().unwrap_or(" ")
        ),
        phone,
        household.email.clone().unwrap_or_default(),
        person.birth.to_string(),
    ]
}

/// The row that was planted.
pub fn planted(canary: &Canary) -> Row {
    let cells = &canary.details.rows[0].cells;
    std::array::from_fn(|place| cells[place].value.clone().unwrap_or_default())
}

pub fn watch(batches: &[Batch], canaries: &[Canary]) -> Watch {
    let sources: Vec<SourceName> = batches.iter().map(|batch| batch.source.clone()).collect();
    Watch::new(&sources, batches, canaries)
}

/// Rows as a list.
pub fn list<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut list = HEADER.to_owned() + "\r\n";
    for row in rows {
        list += &row.join(",");
        list += "\r\n";
    }
    list
}
