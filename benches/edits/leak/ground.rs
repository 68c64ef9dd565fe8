//! The table that leaks.

use otori::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use otori::notation::Role;
use otori::persona::{Generator, Household, Locale, Seeds, Shape};
use otori::trace::Watch;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use time::OffsetDateTime;
use time::macros::{date, datetime};

/// When the lists are examined.
pub const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);

/// The columns of a Japanese table.
const JAPANESE: [(&str, Role); 8] = [
    ("会員番号", Role::Id),
    ("氏名", Role::Name),
    ("フリガナ", Role::NameKana),
    ("郵便番号", Role::Postcode),
    ("住所", Role::Address),
    ("電話番号", Role::Phone),
    ("メールアドレス", Role::Email),
    ("生年月日", Role::BirthDate),
];

/// The columns of an American one.
const AMERICAN: [(&str, Role); 9] = [
    ("customer_id", Role::Id),
    ("name", Role::Name),
    ("address", Role::Address),
    ("city", Role::City),
    ("state", Role::Region),
    ("zip", Role::Postcode),
    ("phone", Role::Phone),
    ("email", Role::Email),
    ("date_of_birth", Role::BirthDate),
];

/// One customer as the table has them.
#[derive(Clone)]
pub struct Row {
    pub household: Household,
    pub cells: Vec<String>,
}

/// A table, or what has become of it.
#[derive(Clone)]
pub struct Table {
    pub columns: Vec<(&'static str, Role)>,
    pub rows: Vec<Row>,
}

impl Table {
    /// The place of a column; `None` where it has been cut.
    pub fn place(&self, role: Role) -> Option<usize> {
        self.columns.iter().position(|(_, found)| *found == role)
    }

    /// The table with some of its columns only.
    pub fn only(&self, roles: &[Role]) -> Table {
        let places: Vec<usize> = roles.iter().filter_map(|role| self.place(*role)).collect();
        let pick = |cells: &[String]| places.iter().map(|at| cells[*at].clone()).collect();
        Table {
            columns: places.iter().map(|at| self.columns[*at]).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| Row {
                    household: row.household.clone(),
                    cells: pick(&row.cells),
                })
                .collect(),
        }
    }
}

/// A table with its canaries, and what the registry knows of them.
pub struct Ground {
    pub locale: Locale,
    pub table: Table,
    pub canaries: Vec<Canary>,
    pub source: SourceName,
    pub batch: Batch,
}

impl Ground {
    /// A table of `strangers` customers and `planted` canaries.
    pub fn new(locale: Locale, strangers: usize, planted: usize, seed: u64) -> Ground {
        let generator = Generator::new(&Seeds::embedded(), locale);
        let mut rng = StdRng::seed_from_u64(seed);
        let columns: Vec<(&str, Role)> = match locale {
            Locale::JaJp => JAPANESE.into(),
            Locale::EnUs => AMERICAN.into(),
        };
        let source: SourceName = "shop".parse().expect("a name");
        let id = BatchId::new(&source, 1);
        let adults = Shape::adults(20..=80);
        let on = date!(2026 - 01 - 01);
        let person = |rng: &mut StdRng| generator.household(rng, on, &adults);
        let mut rows: Vec<Row> = (0..strangers)
            .map(|number| {
                let mut household = person(&mut rng);
                household.email = Some(format!("{}@isp.test", local(&household, number)));
                row(household, number)
            })
            .collect();
        let drops: Vec<Household> = (0..planted.div_ceil(90))
            .map(|_| person(&mut rng))
            .collect();
        let canaries: Vec<Canary> = (0..planted)
            .map(|number| {
                let mut household = person(&mut rng);
                give_contact_points(&mut household, &drops[number / 90], number);
                let row = row(household.clone(), strangers + number);
                let cells = columns.iter().zip(&row.cells);
                let cells = cells.filter(|((_, role), _)| *role != Role::Id);
                let cells = cells.map(|((column, role), value)| Cell {
                    column: (*column).to_owned(),
                    role: *role,
                    value: Some(value.clone()),
                });
                let planted = PlantedRow {
                    table: "customers".to_owned(),
                    cells: cells.collect(),
                    key: Vec::new(),
                    ..PlantedRow::default()
                };
                rows.push(row);
                Canary {
                    id: CanaryId::random(&mut rng),
                    source: source.clone(),
                    batch: id.clone(),
                    state: State::Live,
                    details: Details {
                        household,
                        rows: vec![planted],
                    },
                    points: Vec::new(),
                    versions: Vec::new(),
                }
            })
            .collect();
        rows.shuffle(&mut rng);
        let batch = Batch {
            id,
            source: source.clone(),
            planted_at: datetime!(2026-01-10 09:30 UTC),
            unplanted_at: None,
            state: State::Live,
            canaries: planted,
            rows_at: strangers as u64,
        };
        Ground {
            locale,
            table: Table { columns, rows },
            canaries,
            source,
            batch,
        }
    }

    /// What the registry looks for.
    pub fn watch(&self) -> Watch {
        let (sources, batches) = ([self.source.clone()], [self.batch.clone()]);
        Watch::new(&sources, &batches, &self.canaries)
    }
}

/// A mailbox, a number that a dozen canaries share, and a room of a drop.
fn give_contact_points(household: &mut Household, drop: &Household, number: usize) {
    household.email = Some(format!("{}@mail.example", local(household, number)));
    let address = &mut household.address;
    *address = drop.address.clone();
    address.unit = Some(format!("{}", 101 + number % 90));
    match household.locale {
        Locale::JaJp => {
            address.building = Some(address.building.take().unwrap_or("囮ハイツ".to_owned()));
            household.mobile = Some(format!("+8190000001{:02}", number / 12 % 100));
        }
        Locale::EnUs => household.mobile = Some(format!("+1202555{:04}", 100 + number / 12 % 100)),
    }
}

fn local(household: &Household, number: usize) -> String {
    let generated = household.email.as_deref().unwrap_or("mail@");
    let local = generated.split('@').next().unwrap_or_default();
    format!("{local}.{number}")
}

fn row(household: Household, number: usize) -> Row {
    let phone = household.mobile.as_ref().or(household.landline.as_ref());
    let phone = phone.cloned().unwrap_or_default();
    let (person, address) = (&household.guardian, &household.address);
    let email = household.email.clone().unwrap_or_default();
    let birth = person.birth.to_string();
    let (family, given) = (&person.family, &person.given);
    let id = format!("{}", 100_000 + number);
    let cells = match household.locale {
        Locale::JaJp => vec![
            id,
            format!("{} {}", family.written, given.written),
            format!("{} {}", family.kana, given.kana),
            format!("{}-{}", &address.postcode[..3], &address.postcode[3..]),
            japanese_address(&household),
            grouped(&phone.replacen("+81", "0", 1)),
            email,
            birth,
        ],
        Locale::EnUs => {
            let unit = address.unit.as_ref();
            let unit = unit.map(|unit| format!(" Apt {unit}")).unwrap_or_default();
            let national = phone.trim_start_matches("+1");
            vec![
                id,
                format!("{} {}", given.written, family.written),
                format!("{}{unit}", address.block),
                address.city.clone(),
                address.region.clone(),
                address.postcode.clone(),
                match national.len() {
                    10 => format!(
                        "({}) {}-{}",
                        &national[..3],
                        &national[3..6],
                        &national[6..]
                    ),
                    _ => national.to_owned(),
                },
                email,
                birth,
            ]
        }
    };
    Row { household, cells }
}

fn japanese_address(household: &Household) -> String {
    let address = &household.address;
    let block: Vec<&str> = address.block.split('-').collect();
    let block = match block[..] {
        [a, b, c] => format!("{a}丁目{b}番{c}号"),
        [a, b] => format!("{a}番地{b}"),
        _ => format!("{}番地", address.block),
    };
    let mut text = format!("{}{}{}{block}", address.region, address.city, address.town);
    if let Some(building) = &address.building {
        text.push(' ');
        text.push_str(building);
    }
    if let Some(unit) = &address.unit {
        text.push_str(unit);
        text.push_str("号室");
    }
    text
}

fn grouped(national: &str) -> String {
    match national.len() {
        11 => format!("{}-{}-{}", &national[..3], &national[3..7], &national[7..]),
        10 => format!("{}-{}-{}", &national[..2], &national[2..6], &national[6..]),
        _ => national.to_owned(),
    }
}

/// A number from 0 on, below a bound, for edits that choose.
pub fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}
