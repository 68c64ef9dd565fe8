//! A Japanese shop's customer table on any engine, a workspace that owns contact points for it, and
//! the source registered.

use std::collections::BTreeMap;

use otori::canary::{ContactPoint, PostalDrop};
use otori::database::Engine;
use otori::notation::{Codes, Mapping, Surroundings, cells};
use otori::persona::{Address, Generator, Locale, Seeds, Shape};
use otori::registry::Source;
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::OffsetDateTime;
use time::macros::{date, datetime};

use super::ground::Ground;
use crate::harness::Otori;

/// What the columns of the shop's table mean.
pub const MAPPING: &str = r#"{"locale": "ja_JP", "columns": {
    "id": {"role": "id"},
    "会員番号": {"role": "code"},
    "氏名": {"role": "name"},
    "フリガナ": {"role": "name_kana"},
    "郵便番号": {"role": "postcode"},
    "住所": {"role": "address"},
    "電話": {"role": "phone"},
    "メール": {"role": "email"},
    "生年月日": {"role": "birth_date"},
    "性別": {"role": "sex", "format": "男/女"},
    "プラン": {"role": "other"},
    "登録日時": {"role": "created_at"}}}"#;

fn table(engine: Engine) -> String {
    let id = match engine {
        Engine::Sqlite => "integer primary key",
        Engine::Postgres => "bigint generated always as identity primary key",
        _ => "bigint auto_increment primary key",
    };
    let time = if engine == Engine::MySql {
        "datetime"
    } else {
        "timestamp"
    };
    format!(
        "create table 顧客 (id {id}, 会員番号 varchar(12) not null unique, 氏名 varchar(40) not null, フリガナ varchar(60),
            郵便番号 char(8) not null, 住所 varchar(200) not null, 電話 varchar(20), メール varchar(80) unique,
            生年月日 date, 性別 varchar(4), プラン varchar(10) not null, 登録日時 {time} not null)"
    )
}

/// Customers made by the same generator, written in the same notation.
fn customers(count: usize) -> Vec<Vec<(String, Option<String>)>> {
    let mapping = Mapping::from_json(MAPPING).unwrap();
    let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
    let mut rng = StdRng::seed_from_u64(7);
    let columns = vec!["プラン".to_owned()];
    let rows: Vec<Vec<Option<String>>> = ["A", "A", "B", "B"]
        .map(|plan| vec![Some(plan.to_owned())])
        .into();
    let mut codes = BTreeMap::from([(
        "会員番号".to_owned(),
        Codes::learn(["M-000100", "M-000101", "M-000103"]).unwrap(),
    )]);
    let mut made = Vec::new();
    for number in 0..count {
        let household =
            generator.household(&mut rng, date!(2026 - 01 - 01), &Shape::adults(25..=60));
        let mut around = Surroundings {
            now: datetime!(2025-01-01 10:00 +9) + time::Duration::minutes(number as i64 * 97),
            columns: &columns,
            rows: &rows,
            codes: &mut codes,
        };
        let row = cells(&mapping, &household, None, &mut around, &mut rng);
        let unique = |column: &str, value: String| {
            if column == "メール" {
                format!("{number}.{value}")
            } else {
                value
            }
        };
        made.push(
            row.into_iter()
                .map(|cell| {
                    let value = cell.value.map(|value| unique(&cell.column, value));
                    (cell.column, value)
                })
                .collect(),
        );
    }
    made
}

/// A workspace with a pool, and a registered source of that engine with customers in it.
pub async fn prepared(engine: Engine, count: usize) -> (Otori, Ground) {
    prepared_for(Otori::new().await, engine, count).await
}

/// The same for this workspace.
pub async fn prepared_for(otori: Otori, engine: Engine, count: usize) -> (Otori, Ground) {
    let ground = Ground::bare(engine).await;
    let customers = customers(count);
    if engine == Engine::Csv {
        let mut writer = csv::Writer::from_path(ground.dir.path().join("customers.csv")).unwrap();
        writer
            .write_record(customers[0].iter().map(|(name, _)| name))
            .unwrap();
        for row in &customers {
            writer
                .write_record(
                    row.iter()
                        .map(|(_, value)| value.as_deref().unwrap_or_default()),
                )
                .unwrap();
        }
        writer.flush().unwrap();
    } else {
        ground.run(&table(engine)).await;
        let quoted = |value: &Option<String>| {
            value.as_ref().map_or("NULL".to_owned(), |text| {
                format!("'{}'", text.replace('\'', "''"))
            })
        };
        let names: Vec<&str> = customers[0].iter().map(|(name, _)| name.as_str()).collect();
        let rows: Vec<String> = customers
            .iter()
            .map(|row| {
                format!(
                    "({})",
                    row.iter()
                        .map(|(_, value)| quoted(value))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            })
            .collect();
        ground
            .run(&format!(
                "insert into 顧客 ({}) values {}",
                names.join(", "),
                rows.join(", ")
            ))
            .await;
    }
    let phone = |number: &str| (ContactPoint::Phone(number.parse().unwrap()), None);
    let drop = ContactPoint::Drop(Box::new(PostalDrop {
        locale: Locale::JaJp,
        address: Address {
            postcode: "1000013".to_owned(),
            region: "東京都".to_owned(),
            city: "千代田区".to_owned(),
            city_kana: String::new(),
            town: "霞が関".to_owned(),
            town_kana: String::new(),
            block: "9-12-8".to_owned(),
            building: Some("囮ハイツ".to_owned()),
            unit: None,
        },
        typed: "東京都千代田区霞が関9-12-8 囮ハイツ".to_owned(),
        units: "101-160".parse().unwrap(),
    }));
    let points = [
        phone("090-0123-0001"),
        phone("090-0123-0002"),
        phone("03-0123-0003"),
        (
            ContactPoint::MailDomain("second.example".parse().unwrap()),
            None,
        ),
        (drop, None),
    ];
    otori
        .registry
        .add_contact_points(&points, OffsetDateTime::now_utc())
        .await
        .unwrap();
    let mut mapping = Mapping::from_json(MAPPING).unwrap();
    if engine == Engine::Csv {
        mapping.columns.retain(|column| column.column != "id");
    }
    register(&otori, "shop", &ground.url, &mapping).await;
    (otori, ground)
}

/// Registers the shop's table as a source.
pub async fn register(otori: &Otori, name: &str, url: &str, mapping: &Mapping) {
    let source = Source {
        name: name.parse().unwrap(),
        url: url.to_owned(),
        table: "顧客".to_owned(),
        mapping: mapping.to_json(),
        added_at: OffsetDateTime::now_utc(),
    };
    otori.registry.add_source(&source).await.unwrap();
}

/// Every row of the shop's table, byte for byte.
pub async fn dump(ground: &Ground) -> Vec<String> {
    match ground.engine {
        Engine::Csv => {
            let text = std::fs::read_to_string(ground.dir.path().join("customers.csv")).unwrap();
            text.lines().map(str::to_owned).collect()
        }
        _ => ground.dump("顧客").await,
    }
}

/// Runs the program, which must fail; what it said.
#[track_caller]
pub fn failed(otori: &Otori, args: &[&str]) -> String {
    let output = otori.command(args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}
