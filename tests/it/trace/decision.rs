//! The verdict against generated truth, through the whole pipeline: lists without canaries, lists of one
//! source and of two, slices, lists of telephone numbers.

use std::collections::HashMap;

use otori::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use otori::notation::Role;
use otori::persona::{Generator, Household, Locale, Seeds, Sex, Shape};
use otori::trace::{Document, Interval, Report, Settings, Verdict, Watch, trace};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);
const FIRST: OffsetDateTime = datetime!(2023-02-10 09:30 UTC);
/// Days between two batches of a source.
const APART: i64 = 300;
const BATCHES: u32 = 3;
const SOURCES: usize = 3;

const COLUMNS: [(&str, Role); 8] = [
    ("氏名", Role::Name),
    ("フリガナ", Role::NameKana),
    ("郵便番号", Role::Postcode),
    ("住所", Role::Address),
    ("電話番号", Role::Phone),
    ("生年月日", Role::BirthDate),
    ("性別", Role::Sex),
    ("登録日", Role::CreatedAt),
];

type Line = [String; COLUMNS.len()];

/// Two buildings that we own, in towns where others live too.
const DROPS: [(&str, &str); 2] = [
    ("460-0001", "愛知県名古屋市中区三の丸9-7-3 メゾン三の丸"),
    ("150-0042", "東京都渋谷区宇田川町99-1 囮ハイツ"),
];

/// Three sources of three batches, and people who are in none of them.
struct World {
    sources: Vec<SourceName>,
    batches: Vec<Batch>,
    canaries: Vec<Canary>,
    watch: Watch,
    people: Vec<Line>,
    rng: StdRng,
}

fn line(household: &Household, rng: &mut StdRng) -> Line {
    let (person, address) = (&household.guardian, &household.address);
    let signed_up = date!(2015 - 01 - 01) + Duration::days(rng.random_range(0..3_000));
    [
        format!("{} {}", person.family.written, person.given.written),
        format!("{} {}", person.family.kana, person.given.kana),
        address.postcode.clone(),
        format!(
            "{}{}{}{} {}",
            address.region,
            address.city,
            address.town,
            address.block,
            address.building.as_deref().unwrap_or_default()
        ),
        format!(
            "070-0{:03}-{:04}",
            rng.random_range(0..999),
            rng.random_range(0..9999)
        ),
        person.birth.to_string(),
        match person.sex {
            Sex::Female => "女".to_owned(),
            Sex::Male => "男".to_owned(),
        },
        signed_up.to_string(),
    ]
}

impl World {
    /// `each` canaries in each batch. Numbers are scarce: each source has ten of them, some of which
    /// others have too. Half of the canaries live at our drops, the rest all over the country.
    fn new(seed: u64, each: usize, people: usize, rows_at: u64) -> World {
        let mut rng = StdRng::seed_from_u64(seed);
        let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
        let adults = Shape::adults(20..=60);
        let person = |rng: &mut StdRng| generator.household(rng, date!(2026 - 01 - 01), &adults);
        let sources: Vec<SourceName> = (0..SOURCES)
            .map(|source| format!("source-{source}").parse().unwrap())
            .collect();
        let (mut batches, mut canaries) = (Vec::new(), Vec::new());
        for (place, source) in sources.iter().enumerate() {
            let numbers: Vec<usize> = (0..10).map(|n| (7 * place + n) % 24).collect();
            for batch in 0..BATCHES {
                let id = BatchId::new(source, batch + 1);
                for number in 0..each {
                    let mut household = person(&mut rng);
                    let mut cells = line(&household, &mut rng);
                    if number % 2 == 0 {
                        let (postcode, address) = DROPS[number / 2 % DROPS.len()];
                        let unit = 100 + canaries.len();
                        cells[2] = postcode.to_owned();
                        cells[3] = format!("{address} {unit}");
                        household.address.region = address.chars().take(3).collect();
                    }
                    cells[4] = format!("090-0000-{:04}", numbers[number % numbers.len()]);
                    let cells = COLUMNS.iter().zip(cells);
                    let cells = cells.map(|((column, role), value)| Cell {
                        column: (*column).to_owned(),
                        role: *role,
                        value: Some(value),
                    });
                    canaries.push(Canary {
                        id: CanaryId::random(&mut rng),
                        source: source.clone(),
                        batch: id.clone(),
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
                batches.push(Batch {
                    id,
                    source: source.clone(),
                    planted_at: FIRST + Duration::days(APART * i64::from(batch)),
                    unplanted_at: None,
                    state: State::Live,
                    canaries: each,
                    rows_at,
                });
            }
        }
        let people = (0..people)
            .map(|_| {
                let household = person(&mut rng);
                line(&household, &mut rng)
            })
            .collect();
        World {
            watch: Watch::new(&sources, &batches, &canaries),
            sources,
            batches,
            canaries,
            people,
            rng,
        }
    }

    fn planted(&self, canary: usize) -> Line {
        let cells = &self.canaries[canary].details.rows[0].cells;
        std::array::from_fn(|place| cells[place].value.clone().unwrap())
    }

    fn strangers(&mut self, count: usize) -> Vec<Line> {
        let rng = &mut self.rng;
        (0..count)
            .map(|_| self.people.choose(rng).unwrap().clone())
            .collect()
    }

    /// Places of the canaries of a source that stood at a time.
    fn standing(&self, source: usize, at: OffsetDateTime) -> Vec<usize> {
        let stood = |canary: &Canary| {
            let batch = self.batches.iter().find(|batch| batch.id == canary.batch);
            canary.source == self.sources[source] && batch.unwrap().planted_at <= at
        };
        (0..self.canaries.len())
            .filter(|canary| stood(&self.canaries[*canary]))
            .collect()
    }

    fn examine(&self, lines: &[Line], columns: &[usize], settings: &Settings) -> Report<'_> {
        let row = |cell: &dyn Fn(usize) -> String| {
            let cells: Vec<String> = columns.iter().map(|column| cell(*column)).collect();
            cells.join(",") + "\n"
        };
        let mut text = row(&|column| COLUMNS[column].0.to_owned());
        text.extend(lines.iter().map(|line| row(&|column| line[column].clone())));
        trace(
            &self.watch,
            "list.csv",
            text.as_bytes(),
            settings,
            &mut |_| {},
        )
        .unwrap()
    }

    fn shown(&self, lines: &[Line], columns: &[usize]) -> Value {
        let report = self.examine(lines, columns, &Settings::new(NOW));
        serde_json::to_value(Document::from(&report)).unwrap()
    }
}

/// People who have much in common with each other, or with our canaries, without being them.
fn crowd(world: &mut World, kind: usize, families: &HashMap<String, Vec<usize>>) -> Vec<Line> {
    let size = world.rng.random_range(15..30);
    let mut lines = world.strangers(size);
    match kind {
        // Everybody lives in the town of a drop, in another house.
        1 => {
            let (postcode, address) = DROPS[world.rng.random_range(0..DROPS.len())];
            let town = address.split(['9']).next().unwrap();
            for line in &mut lines {
                line[2] = postcode.to_owned();
                let (block, house) = (world.rng.random_range(1..9), world.rng.random_range(1..30));
                line[3] = format!("{town}{block}-{house}");
            }
        }
        // Everybody has one family name.
        2 => {
            let mut names: Vec<&String> = families.keys().collect();
            names.sort_unstable();
            let family = names.choose(&mut world.rng).unwrap();
            for line in &mut lines {
                let place = families[*family].choose(&mut world.rng).unwrap();
                *line = world.people[*place].clone();
            }
        }
        // Everybody was born on one of ten days, as in a nursery.
        3 => {
            let days: Vec<String> = lines.iter().take(10).map(|line| line[5].clone()).collect();
            for line in &mut lines {
                line[5].clone_from(days.choose(&mut world.rng).unwrap());
            }
        }
        // The same few people again and again.
        4 => {
            lines.truncate(8);
            let few = lines.clone();
            for _ in 0..2 {
                lines.extend(few.iter().cloned());
            }
        }
        _ => {}
    }
    lines
}

#[test]
fn lists_without_canaries_are_accused_at_most_as_often_as_stated() {
    const LISTS: usize = 2_000;
    let mut world = World::new(1, 60, 5_000, 10_000);
    let mut families: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, line) in world.people.iter().enumerate() {
        let family = line[0].split(' ').next().unwrap();
        families.entry(family.to_owned()).or_default().push(place);
    }
    families.retain(|_, places| places.len() > 12);
    assert!(families.len() > 10, "{}", families.len());
    let stated = [0.05, 0.01, 1e-6];
    let mut accused = [0_usize; 3];
    let mut something = 0;
    for list in 0..LISTS {
        let lines = crowd(&mut world, list % 5, &families);
        let mut columns: Vec<usize> = (0..6).collect();
        columns.shuffle(&mut world.rng);
        columns.truncate(world.rng.random_range(2..=6));
        let settings = Settings {
            false_accusation: stated[0],
            ..Settings::new(NOW)
        };
        let decision = world.examine(&lines, &columns, &settings).decision;
        something += usize::from(!decision.sources.is_empty());
        let best = decision.sources.iter().map(|found| found.log10_lr);
        let best = best.fold(f64::NEG_INFINITY, f64::max);
        for (stated, accused) in stated.iter().zip(&mut accused) {
            *accused += usize::from(best >= (SOURCES as f64 / stated).log10());
        }
        if best < (SOURCES as f64 / stated[0]).log10() {
            assert_ne!(decision.verdict, Verdict::Attributed);
        }
    }
    for (stated, accused) in stated.iter().zip(accused) {
        let expected = LISTS as f64 * stated;
        assert!(
            accused as f64 <= expected + 3.0 * expected.sqrt(),
            "{accused} of {LISTS} at {stated}; something was found in {something}"
        );
    }
}

#[test]
fn leaks_of_one_source_have_their_share_rows_and_window() {
    const LISTS: usize = 150;
    const ROWS: usize = 80;
    let mut world = World::new(2, 25, 3_000, ROWS as u64);
    let (mut named, mut share_held, mut rows_held, mut window_held, mut part_held) =
        (0, 0, 0, 0, 0);
    let mut error = 0.0;
    for _ in 0..LISTS {
        let source = world.rng.random_range(0..SOURCES);
        let taken = FIRST + (NOW - FIRST) * world.rng.random::<f64>();
        let share: f64 = world.rng.random_range(0.1..1.0);
        let elsewhere = world.rng.random_range(0..80);
        let standing = world.standing(source, taken);
        let canaries: Vec<usize> = (standing.into_iter())
            .filter(|_| world.rng.random_bool(share))
            .collect();
        let rows = (0..ROWS).filter(|_| world.rng.random_bool(share)).count();
        let mut lines = world.strangers(rows + elsewhere);
        lines.extend(canaries.iter().map(|canary| world.planted(*canary)));
        lines.shuffle(&mut world.rng);
        let decision = world
            .examine(&lines, &[0, 2, 3, 4, 5], &Settings::new(NOW))
            .decision;
        let Some(found) = decision.sources.iter().find(|found| found.named) else {
            continue;
        };
        named += 1;
        assert_eq!(found.source, source);
        assert_eq!(
            decision.sources.iter().filter(|found| found.named).count(),
            1
        );
        let holds = |interval: Interval, truth: f64| {
            usize::from((interval.low - 1e-9..=interval.high + 1e-9).contains(&truth))
        };
        share_held += holds(found.share, share);
        rows_held += holds(found.rows, rows as f64);
        let until = found.not_after.unwrap_or(NOW);
        window_held += usize::from((found.not_before..=until).contains(&taken));
        error += found.share.estimate - share;
        let part = &decision.composition.as_ref().unwrap().parts[0];
        part_held += holds(part.rows, (rows + canaries.len()) as f64);
    }
    let part = |held: usize| held as f64 / named as f64;
    assert!(named > LISTS * 9 / 10, "{named}");
    // As narrow as 150 lists allow; `decide::calibration` looks at thousands.
    for (what, held) in [
        ("share", share_held),
        ("rows", rows_held),
        ("part", part_held),
    ] {
        assert!(
            (0.90..=0.995).contains(&part(held)),
            "{what} {}",
            part(held)
        );
    }
    assert!(part(window_held) >= 0.93, "window {}", part(window_held));
    assert!(
        (error / named as f64).abs() < 0.02,
        "{}",
        error / named as f64
    );
}

#[test]
fn a_list_of_two_sources_gives_each_its_share() {
    let mut world = World::new(3, 30, 5_000, 1_000);
    let mut canaries = world.standing(0, NOW);
    canaries.truncate(canaries.len() / 2);
    canaries.shuffle(&mut world.rng);
    canaries.extend(
        world
            .standing(2, NOW)
            .into_iter()
            .filter(|canary| canary % 10 < 3),
    );
    let mut lines = world.strangers(2_000);
    lines.extend(canaries.iter().map(|canary| world.planted(*canary)));
    let shown = world.shown(&lines, &[0, 1, 2, 3, 4, 5]);
    assert_eq!(shown["verdict"], "attributed", "{shown}");
    let sources = shown["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 2, "{shown}");
    assert_eq!(shown["cleared"][0]["source"], "source-1");
    let parts = shown["composition"]["sources"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    let number = |value: &Value| value.as_f64().unwrap();
    let all: f64 = parts
        .iter()
        .map(|part| number(&part["share"]["estimate"]))
        .sum();
    let rest = number(&shown["composition"]["elsewhere"]["estimate"]);
    assert!((all + rest - 1.0).abs() < 1e-6, "{shown}");
    assert_eq!(shown["threshold"]["sources"], SOURCES);
    assert!((number(&shown["threshold"]["log10_lr"]) - 6.0 - 3_f64.log10()).abs() < 1e-9);
    let fields: Vec<&str> = (shown["fields"].as_array().unwrap().iter())
        .map(|field| field["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "name",
            "name_kana",
            "postcode",
            "address",
            "phone",
            "birth_date"
        ]
    );
    assert!(number(&shown["fields"][4]["share"]) > 0.99, "{shown}");
}

#[test]
fn a_leak_of_one_region_is_told_as_such() {
    let mut world = World::new(4, 40, 2_000, 1_000);
    let tokyo = |world: &World, canary: usize| {
        world.canaries[canary].details.household.address.region == "東京都"
    };
    let standing = world.standing(1, NOW);
    let canaries: Vec<usize> = (standing.into_iter())
        .filter(|canary| tokyo(&world, *canary) && world.rng.random_bool(0.8))
        .collect();
    let mut lines = world.strangers(500);
    lines.extend(canaries.iter().map(|canary| world.planted(*canary)));
    let shown = world.shown(&lines, &[0, 3, 4, 5]);
    let slice = &shown["sources"][0]["slice"];
    assert_eq!(slice["conditions"][0]["attribute"], "region", "{shown}");
    assert_eq!(slice["conditions"][0]["values"][0], "東京都");
    assert_eq!(
        slice["conditions"][0]["values"].as_array().unwrap().len(),
        1
    );
    assert!(slice["conditions"][0]["p"].as_f64().unwrap() <= 0.01);
    assert_eq!(slice["outside_found"], 0);
    let share = &slice["share"];
    assert!(share["low"].as_f64().unwrap() < 0.8 && share["high"].as_f64().unwrap() > 0.8);
    // What would have shown of the others' leaks of one region is told too.
    let cleared = shown["cleared"][0]["slices"].as_array().unwrap();
    let tokyo = cleared
        .iter()
        .find(|slice| slice["value"] == "東京都")
        .unwrap();
    assert!(tokyo["share_below"].as_f64() > shown["cleared"][0]["share_below"].as_f64());
}

#[test]
fn a_list_of_telephone_numbers_alone_names_the_source_whose_set_it_fits() {
    let mut world = World::new(5, 40, 2_000, 1_000);
    let mut lines = world.strangers(300);
    let canaries: Vec<usize> = (world.standing(1, NOW).into_iter())
        .filter(|_| world.rng.random_bool(0.5))
        .collect();
    lines.extend(canaries.iter().map(|canary| world.planted(*canary)));
    let shown = world.shown(&lines, &[4]);
    assert_eq!(shown["verdict"], "attributed", "{shown}");
    assert_eq!(shown["sources"].as_array().unwrap().len(), 1);
    assert_eq!(shown["sources"][0]["source"], "source-1");
    assert!(shown["shared_found"].as_u64().unwrap() > 0);

    // A number that two of them hold is no evidence against either.
    let mut lines = world.strangers(300);
    lines[0][4] = "090-0000-0007".to_owned();
    let shown = world.shown(&lines, &[4]);
    assert_eq!(shown["verdict"], "inconclusive", "{shown}");
    assert!(shown["sources"].as_array().unwrap().is_empty());
}
