//! `otori trace` as an analyst runs it: on dumps of real databases, on lists as brokers make them, and
//! on files that are no lists.

mod decision;
mod edits;
mod kept;
mod lists;
mod near;
mod parts;
mod report;
mod versions;
mod watchlist;
mod wrong;

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::process::Command;

use otori::canary::{Canary, SourceName, State};
use otori::database::Engine;
use otori::notation::Role;
use otori::persona::{Generator, Household, Locale, Seeds, Shape};
use otori::trace::{Settings, Watch};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::date;

use crate::harness::Otori;
use crate::plant::ground::Ground;
use crate::plant::shop::{MAPPING, dump, failed, prepared, register};

/// Registers a second shop of 300 customers and plants 20 canaries into it: the one that is innocent.
async fn innocent(otori: &Otori) -> Ground {
    let (_, ground) = prepared(Engine::Sqlite, 300).await;
    let mapping = otori::notation::Mapping::from_json(MAPPING).unwrap();
    register(otori, "other", &ground.url, &mapping).await;
    otori.json(&["plant", "other", "--count", "20"]);
    ground
}

/// More drops and numbers, for large batches.
fn enlarge(otori: &Otori) {
    let drop = [
        "--postcode",
        "460-0001",
        "--address",
        "愛知県名古屋市中区三の丸9-7-3 メゾン三の丸",
    ];
    let mut args = vec!["pool", "add", "drop"];
    args.extend(drop);
    args.extend(["--units", "101-999"]);
    otori.json(&args);
    let numbers: Vec<String> = (0..40).map(|n| format!("090-0123-1{n:03}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    otori.json(&[&["pool", "add", "phone"], &numbers[..]].concat());
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[track_caller]
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output.stdout
}

/// The shop's table as the database's own client dumps it.
fn client_dump(ground: &Ground) -> Vec<u8> {
    let url: url::Url = ground.url.parse().unwrap();
    let sql = "select * from 顧客";
    match ground.engine {
        Engine::Postgres => run(Command::new("psql")
            .args(["-X", "--csv", "-c", sql])
            .arg(&ground.url)),
        _ => run(Command::new("mariadb")
            .args([
                "--no-defaults",
                "--batch",
                "--default-character-set=utf8mb4",
                "-h",
            ])
            .arg(url.host_str().unwrap())
            .args([
                "-P",
                &url.port().unwrap().to_string(),
                "-u",
                url.username(),
                "-e",
                sql,
            ])
            .arg(url.path().trim_start_matches('/'))
            .env("MYSQL_PWD", url.password().unwrap())),
    }
}

async fn from_plant_to_trace(engine: Engine) {
    let (otori, ground) = prepared(engine, 3_000).await;
    let before = dump(&ground).await;
    enlarge(&otori);
    let _other = innocent(&otori).await;
    let planted = otori.json(&["plant", "shop", "--count", "500"]);
    assert_eq!(planted["planted"], 500);
    let verified = otori.json(&["verify", "shop"]);
    assert_eq!(verified["sources"][0]["intact"], 500);

    let list = otori.dir().join("dump");
    std::fs::write(&list, client_dump(&ground)).unwrap();
    let traced = otori.json(&["trace", list.to_str().unwrap()]);
    assert_eq!(text(&traced["verdict"]), "attributed", "{traced}");
    assert_eq!(traced["file"]["rows"], 3_500);
    let sources = traced["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1, "{sources:?}");
    let named = &sources[0];
    assert_eq!(
        (text(&named["source"]), &named["found"], &named["live"]),
        ("shop", &Value::from(500), &Value::from(500))
    );
    assert!(named["share"]["low"].as_f64().unwrap() > 0.98, "{named}");
    assert_eq!(traced["cleared"][0]["source"], "other");
    assert!(traced["false_accusation_probability"].as_f64().unwrap() <= 1e-6);
    let canaries = traced["canaries"].as_array().unwrap();
    assert_eq!(canaries.len(), 500);

    let removed = otori.json(&["unplant", "shop", "--yes"]);
    assert_eq!(removed["removed"], 500);
    assert_eq!(dump(&ground).await, before);
    // The list was made while they stood: it is still traced.
    let again = otori.json(&["trace", list.to_str().unwrap()]);
    assert_eq!(again["sources"][0]["source"], "shop");
}

#[tokio::test]
async fn five_hundred_on_postgres_dumped_by_psql() {
    from_plant_to_trace(Engine::Postgres).await;
}

#[tokio::test]
async fn five_hundred_on_mariadb_dumped_by_its_client() {
    from_plant_to_trace(Engine::MySql).await;
}

/// A broker's line: name, kana, postcode, address, phone, birth date.
type Line = [String; 6];

fn stranger(household: &Household) -> Line {
    let (person, address) = (&household.guardian, &household.address);
    let phone = household.mobile.as_ref().or(household.landline.as_ref());
    [
        format!("{} {}", person.family.written, person.given.written),
        format!("{} {}", person.family.kana, person.given.kana),
        address.postcode.clone(),
        format!(
            "{}{}{}{}{}",
            address.region,
            address.city,
            address.town,
            address.block,
            address.building.as_deref().unwrap_or_default()
        ),
        phone.cloned().unwrap_or_default().replace("+81", "0"),
        person.birth.to_string(),
    ]
}

fn planted_line(canary: &Canary) -> Line {
    let cell = |wanted: Role| {
        let cells = &canary.details.rows[0].cells;
        let cell = cells.iter().find(|cell| cell.role == wanted).unwrap();
        cell.value.clone().unwrap_or_default()
    };
    [
        Role::Name,
        Role::NameKana,
        Role::Postcode,
        Role::Address,
        Role::Phone,
        Role::BirthDate,
    ]
    .map(cell)
}

const HEADER: [&str; 6] = [
    "氏名",
    "フリガナ",
    "郵便番号",
    "住所",
    "電話番号",
    "生年月日",
];

/// The leaked shop's canaries among strangers, in random order.
struct Broker {
    otori: Otori,
    _grounds: [Ground; 2],
    lines: Vec<Line>,
    strangers: Vec<Line>,
}

impl Broker {
    async fn new() -> Broker {
        let (otori, ground) = prepared(Engine::Sqlite, 300).await;
        enlarge(&otori);
        let other = innocent(&otori).await;
        otori.json(&["plant", "shop", "--count", "30"]);
        let shop: SourceName = "shop".parse().unwrap();
        let canaries = otori.registry.canaries(Some(&shop)).await.unwrap();
        let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
        let mut rng = StdRng::seed_from_u64(11);
        let adults = Shape::adults(20..=80);
        let strangers: Vec<Line> = (0..3_000)
            .map(|_| stranger(&generator.household(&mut rng, date!(2026 - 01 - 01), &adults)))
            .collect();
        let mut lines: Vec<Line> = canaries.iter().map(planted_line).collect();
        lines.extend(strangers.iter().cloned());
        lines.shuffle(&mut rng);
        Broker {
            otori,
            _grounds: [ground, other],
            lines,
            strangers,
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.otori.dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The verdict about a list.
    #[track_caller]
    fn trace(&self, name: &str, bytes: &[u8]) -> Value {
        let path = self.write(name, bytes);
        self.otori.json(&["trace", path.to_str().unwrap()])
    }

    /// The verdict, which must name the shop and clear the other.
    #[track_caller]
    fn named(&self, name: &str, bytes: &[u8]) -> Value {
        let traced = self.trace(name, bytes);
        assert_eq!(text(&traced["verdict"]), "attributed", "{name}: {traced}");
        let sources = traced["sources"].as_array().unwrap();
        assert_eq!(sources.len(), 1, "{name}");
        assert_eq!(text(&sources[0]["source"]), "shop", "{name}");
        assert_eq!(text(&traced["cleared"][0]["source"]), "other", "{name}");
        traced
    }

    /// All lines, of some of the columns.
    fn list(&self, columns: &[usize], delimiter: &str, header: bool) -> String {
        let head: Line = HEADER.map(str::to_owned);
        let head = header.then_some(&head);
        let line = |line: &Line| {
            let cells: Vec<&str> = columns
                .iter()
                .map(|column| line[*column].as_str())
                .collect();
            cells.join(delimiter) + "\r\n"
        };
        head.into_iter().chain(&self.lines).map(line).collect()
    }
}

#[tokio::test]
async fn lists_as_brokers_write_them() {
    let broker = Broker::new().await;
    let all = [0, 1, 2, 3, 4, 5];
    let csv = broker.list(&all, ",", true);
    let traced = broker.named("plain.csv", csv.as_bytes());
    assert_eq!(traced["file"]["rows"], 3_030);
    assert_eq!(text(&traced["file"]["encoding"]), "utf-8");
    assert_eq!(traced["sources"][0]["found"], 30);

    let turned = broker.list(&[5, 3, 0, 4, 2, 1], "\t", false);
    let traced = broker.named("turned.tsv", turned.as_bytes());
    assert_eq!(text(&traced["file"]["format"]), "tsv");
    let roles: Vec<&str> = traced["file"]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| text(&column["role"]))
        .collect();
    assert_eq!(
        roles,
        [
            "birth_date",
            "address",
            "name",
            "phone",
            "postcode",
            "name_kana"
        ]
    );

    let (cp932, _, lost) = encoding_rs::SHIFT_JIS.encode(&csv);
    let traced = broker.named("windows.csv", &cp932);
    assert_eq!(text(&traced["file"]["encoding"]), "cp932", "{lost}");

    // New forms of characters, half-width kana, another notation of dates and of addresses.
    let rewritten = csv
        .replace('髙', "高")
        .replace('﨑', "崎")
        .replace('-', "－")
        .replace("囮ハイツ", "　囮ﾊｲﾂ")
        .chars()
        .map(|c| match c {
            '0'..='9' => char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap(),
            other => other,
        })
        .collect::<String>();
    broker.named("rewritten.csv", rewritten.as_bytes());
}

/// Name with its kana, address with its unit, phone, birth date: of two that are left, any two name
/// the source, whatever else has been cut.
#[tokio::test]
async fn any_two_columns_that_are_left_name_the_source() {
    let broker = Broker::new().await;
    let marks = [0, 1, 3, 4, 5];
    for one in marks {
        for other in marks {
            if one < other && (one, other) != (0, 1) {
                let list = broker.list(&[one, other], ",", true);
                let name = format!("{}-{}.csv", HEADER[one], HEADER[other]);
                let traced = broker.named(&name, list.as_bytes());
                assert_eq!(traced["sources"][0]["found"], 30, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn lists_that_hold_no_canary() {
    let broker = Broker::new().await;
    let line = |line: &Line| line.join(",") + "\n";
    let strangers: String = broker.strangers.iter().map(line).collect();
    let traced = broker.trace("strangers.csv", strangers.as_bytes());
    assert_eq!(text(&traced["verdict"]), "no_canary", "{traced}");
    let cleared = traced["cleared"].as_array().unwrap();
    assert_eq!(cleared.len(), 2);
    // Thirty canaries miss a leak of 10% with probability 0.042.
    let below = cleared.iter().find(|c| c["source"] == "shop").unwrap()["share_below"].clone();
    assert!((0.08..0.12).contains(&below.as_f64().unwrap()), "{below}");

    let mute: String = (0..500).map(|n| format!("{n},blue\n")).collect();
    let traced = broker.trace("mute.csv", mute.as_bytes());
    assert_eq!(text(&traced["verdict"]), "inconclusive");
    assert_eq!(traced["cleared"].as_array().unwrap().len(), 0);
    assert_eq!(traced["not_shown"].as_array().unwrap().len(), 2);

    // One number that both shops' canaries may share, on a stranger's row, accuses nobody.
    let mut chance: Vec<Line> = broker.strangers.clone();
    let planted = broker
        .lines
        .iter()
        .find(|line| line[3].contains("囮ハイツ"))
        .unwrap();
    chance[7][4].clone_from(&planted[4]);
    let chance: String = chance.iter().map(line).collect();
    let traced = broker.trace("chance.csv", chance.as_bytes());
    assert_eq!(text(&traced["verdict"]), "inconclusive", "{traced}");
}

#[tokio::test]
async fn rows_that_are_spoilt_are_counted_shown_and_examined() {
    let broker = Broker::new().await;
    let mut rng = StdRng::seed_from_u64(5);
    let mut list = HEADER.join(",") + "\n";
    for line in &broker.lines {
        let mut text = line.join(",");
        match rng.random_range(0..20) {
            0 => text += ",,\"",
            1 => text = text.replacen(',', ",\0", 1),
            2 => text = format!("\"{text}"),
            3 => text = text.split_once(',').unwrap().1.to_owned(),
            _ => {}
        }
        list += &(text + "\n");
    }
    let traced = broker.named("spoilt.csv", list.as_bytes());
    let bad = &traced["file"]["bad_rows"];
    assert!(
        (200..1_200).contains(&bad["count"].as_u64().unwrap()),
        "{bad}"
    );
    assert!(!text(&bad["first"][0]["why"]).is_empty());
    assert!(
        traced["sources"][0]["found"].as_u64().unwrap() >= 27,
        "{}",
        traced["sources"][0]
    );
}

#[tokio::test]
async fn what_is_no_list_is_told() {
    let otori = Otori::new().await;
    let dir = otori.dir().to_str().unwrap().to_owned();
    let missing = format!("{dir}/missing.csv");
    let empty = format!("{dir}/empty.csv");
    std::fs::write(&empty, b"").unwrap();
    let no_list = format!("{dir}/nothing");
    std::fs::create_dir(&no_list).unwrap();
    for (file, words) in [
        (&no_list, "is empty"),
        (&missing, "no such file"),
        (&empty, "is empty"),
    ] {
        let told = failed(&otori, &["trace", file]);
        assert!(
            told.contains(words) && told.contains(file.as_str()),
            "{told}"
        );
    }
    let output = otori.command(&["trace"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    // One bad file among several does not keep the others from being examined.
    let good = format!("{dir}/good.csv");
    std::fs::write(&good, "a,b\nc,d\n").unwrap();
    let output = otori
        .command(&["trace", &good, &missing, "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lists: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(lists["lists"].as_array().unwrap().len(), 1);
}

/// A line of 3 GB with a canary's row behind it: read in bounded memory, and the row is found.
#[tokio::test]
async fn three_gigabytes_in_one_line() {
    let broker = Broker::new().await;
    let shop: SourceName = "shop".parse().unwrap();
    let canaries = broker.otori.registry.canaries(None).await.unwrap();
    let batches = broker.otori.registry.batches(None).await.unwrap();
    assert!(batches.iter().all(|batch| batch.state == State::Live));
    let watch = Watch::new(&[shop], &batches, &canaries);
    let tail = broker.list(&[0, 1, 2, 3, 4, 5], ",", false);
    let head: String = tail
        .lines()
        .take(200)
        .map(|line| format!("{line}\n"))
        .collect();
    let input = Cursor::new(head)
        .chain(std::io::repeat(b'x').take(3 << 30))
        .chain(Cursor::new(format!("\n{tail}")));
    let settings = Settings::new(OffsetDateTime::now_utc());
    let report = tokio::task::spawn_blocking(move || {
        let report = otori::trace::trace(&watch, "endless", input, &settings, &mut |_| {});
        let report = report.unwrap();
        let shown = serde_json::to_value(otori::trace::Document::from(&report)).unwrap();
        (report.list.bytes, shown)
    });
    let (bytes, shown) = report.await.unwrap();
    assert!(bytes > 3 << 30);
    assert_eq!(shown["sources"][0]["found"], 30, "{shown}");
    assert!(shown["file"]["bad_rows"]["count"].as_u64().unwrap() >= 1);
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 2 << 20, "{kilobytes} kB");
}

/// A dialling machine has ours among its numbers, and so has a list with one number in every row: that
/// names nobody, and clears nobody either.
#[tokio::test]
async fn numbers_that_anybody_could_have_made_name_and_clear_nobody() {
    let broker = Broker::new().await;
    let list = |numbers: &mut dyn Iterator<Item = String>| {
        let lines = numbers.map(|number| number + "\r\n");
        ["電話番号\r\n".to_owned()]
            .into_iter()
            .chain(lines)
            .collect::<String>()
    };
    let dialled = |n: u32| format!("090-0123-{n:04}");
    let ours = broker
        .lines
        .iter()
        .find(|line| line[3].contains("囮ハイツ"));
    let one = ours.unwrap()[4].clone();
    for (name, text) in [
        ("dialled.csv", list(&mut (0..10_000).map(dialled))),
        ("a-part.csv", list(&mut (1_000..2_000).map(dialled))),
        ("one.csv", list(&mut (0..1_000).map(|_| one.clone()))),
    ] {
        let traced = broker.trace(name, text.as_bytes());
        assert_ne!(traced["verdict"], "attributed", "{name}: {traced}");
        let cleared = traced["cleared"].as_array().unwrap();
        let shop = |cleared: &Value| cleared["source"] == "shop";
        assert!(!cleared.iter().any(shop), "{name}: {traced}");
    }
}
