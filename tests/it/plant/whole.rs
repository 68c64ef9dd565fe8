//! The whole way through the command line: people, contact points, rows; in and out again.

use std::collections::{BTreeSet, HashMap};

use otori::canary::{SourceName, State};
use otori::database::Engine;
use otori::notation::Mapping;
use otori::registry::Source;
use serde_json::Value;
use time::OffsetDateTime;

use super::shop::{MAPPING, dump, failed, prepared};
use crate::harness::DOMAIN;

async fn whole(engine: Engine) {
    let (otori, ground) = prepared(engine, 300).await;
    let before = dump(&ground).await;
    let shop: SourceName = "shop".parse().unwrap();

    // Nothing is written by a dry run.
    let shown = otori.json(&["plant", "shop", "--count", "3", "--dry-run"]);
    assert_eq!(shown["dry_run"]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(dump(&ground).await, before);
    assert!(otori.registry.batches(None).await.unwrap().is_empty());

    let planted = otori.json(&["plant", "shop", "--count", "30"]);
    assert_eq!(
        (&planted["planted"], &planted["batch"]),
        (&Value::from(30), &Value::from("shop-1"))
    );
    assert_eq!(planted["canaries"].as_array().unwrap().len(), 30);
    let canaries = otori.registry.canaries(Some(&shop)).await.unwrap();
    assert!(canaries.iter().all(|canary| canary.state == State::Live));

    // Only owned contact points, each unit once, each number several times, every code new.
    let mut loads: HashMap<String, usize> = HashMap::new();
    let mut units = BTreeSet::new();
    for canary in &canaries {
        let cells: HashMap<&str, &str> = canary.details.rows[0]
            .cells
            .iter()
            .map(|cell| {
                (
                    cell.column.as_str(),
                    cell.value.as_deref().unwrap_or_default(),
                )
            })
            .collect();
        // Some customers have no mail address, and so have some canaries.
        let mail = cells["メール"];
        let owned = || {
            [DOMAIN, "second.example"]
                .iter()
                .any(|domain| mail.ends_with(domain))
        };
        assert!(mail.is_empty() || owned(), "{mail}");
        assert!(
            cells["住所"].contains("囮ハイツ") && cells["郵便番号"].replace('-', "") == "1000013",
            "{}",
            cells["住所"]
        );
        assert!(
            cells["会員番号"].starts_with("M-00"),
            "{}",
            cells["会員番号"]
        );
        assert!(["A", "B"].contains(&cells["プラン"]));
        assert!(units.insert(canary.details.household.address.unit.clone().unwrap()));
        *loads.entry(cells["電話"].to_owned()).or_default() += 1;
    }
    let owned = [
        "090-0123-0001",
        "090-0123-0002",
        "03-0123-0003",
        "03-0123-4567",
    ];
    assert!(
        loads.keys().all(|number| owned.contains(&number.as_str())),
        "{loads:?}"
    );
    assert_eq!(
        loads.len(),
        2,
        "half of four numbers tell more sources apart: {loads:?}"
    );
    assert!(loads.values().all(|load| *load == 15), "{loads:?}");

    let verified = otori.json(&["verify"]);
    assert_eq!(verified["sources"][0]["intact"], 30, "{verified}");
    let shown = otori.json(&["plan", "shop"]);
    assert_eq!(
        (&shown["customers"], &shown["live"]),
        (&Value::from(300), &Value::from(30))
    );

    // A second batch keeps the numbers of the first and repeats nothing.
    otori.json(&["plant", "shop", "--count", "10"]);
    let canaries = otori.registry.canaries(Some(&shop)).await.unwrap();
    let numbers: BTreeSet<&str> = canaries
        .iter()
        .flat_map(|canary| {
            canary
                .written()
                .filter(|(role, _)| role.name() == "phone")
                .map(|(_, text)| text)
        })
        .collect();
    assert_eq!(numbers.len(), 2);
    let units: BTreeSet<_> = canaries
        .iter()
        .map(|canary| &canary.details.household.address.unit)
        .collect();
    assert_eq!(units.len(), 40);

    // 20 of 60 units are left.
    let told = failed(&otori, &["plant", "shop", "--count", "21"]);
    assert!(
        told.contains("lacks 1 units of postal drops") && told.contains("pool add drop"),
        "{told}"
    );

    let told = failed(&otori, &["unplant", "shop"]);
    assert!(
        told.contains("Remove 40 canaries (2 batches)") && told.contains("--yes"),
        "{told}"
    );
    let removed = otori.json(&["unplant", "shop", "--yes", "--batch", "shop-2"]);
    assert_eq!(removed["removed"], 10);
    let removed = otori.json(&["unplant", "shop", "--yes"]);
    assert_eq!(removed["removed"], 30);
    assert_eq!(dump(&ground).await, before);
}

#[tokio::test]
async fn the_whole_way_on_sqlite() {
    whole(Engine::Sqlite).await;
}

#[tokio::test]
async fn the_whole_way_on_postgres() {
    whole(Engine::Postgres).await;
}

#[tokio::test]
async fn the_whole_way_on_mariadb() {
    whole(Engine::MySql).await;
}

#[tokio::test]
async fn the_whole_way_in_a_csv_file() {
    whole(Engine::Csv).await;
}

#[tokio::test]
async fn statements_for_an_administrator() {
    for engine in super::ground::ENGINES {
        let (otori, ground) = prepared(engine, 120).await;
        let file = ground.dir.path().join("batch.sql");
        let path = file.to_str().unwrap();
        let shown = otori.json(&["plant", "shop", "--count", "4", "--sql", path]);
        assert_eq!(
            (&shown["planted"], &shown["handed_out"]["canaries"]),
            (&Value::from(0), &Value::from(4))
        );
        let told = failed(&otori, &["plant", "shop", "--count", "4", "--sql", path]);
        assert!(told.contains("exists already"), "{told}");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            otori.json(&["verify", "shop"])["sources"][0]["handed_out"],
            4
        );
        ground.run(&std::fs::read_to_string(&file).unwrap()).await;
        let verified = otori.json(&["verify", "shop"]);
        let entry = &verified["sources"][0];
        assert_eq!(
            (&entry["live"], &entry["intact"], &entry["handed_out"]),
            (&Value::from(4), &Value::from(4), &Value::from(0))
        );
        let told = failed(
            &otori,
            &[
                "plant",
                "shop",
                "--count",
                "4",
                "--sql",
                "/proc/no/batch.sql",
            ],
        );
        assert!(told.contains("cannot be written"), "{told}");
        assert_eq!(
            otori
                .registry
                .batches(None)
                .await
                .unwrap()
                .last()
                .unwrap()
                .state,
            State::Void
        );
        let csv = ground.dir.path().join("batch.csv");
        otori.json(&[
            "plant",
            "shop",
            "--count",
            "2",
            "--csv",
            csv.to_str().unwrap(),
        ]);
        assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), 3);
    }
}

#[tokio::test]
async fn what_cannot_be_planted_is_told_and_nothing_is_written() {
    let (otori, ground) = prepared(Engine::Sqlite, 120).await;
    let mapping = Mapping::from_json(MAPPING).unwrap();
    let before = ground.dump("顧客").await;
    ground.run("create view 一覧 as select * from 顧客").await;
    ground
        .run("create table 空 as select * from 顧客 where 1 = 0")
        .await;
    let mut cases: Vec<(&str, Mapping, &str, &str)> = vec![
        ("view", mapping.clone(), "一覧", "is a view"),
        ("empty", mapping.clone(), "空", "has no rows"),
        (
            "gone",
            mapping.clone(),
            "顧各",
            "there is no table '顧各'; there is: 顧客",
        ),
    ];
    let mut stray = mapping.clone();
    stray.columns[2].column = "姓名".to_owned();
    cases.push(("stray", stray, "顧客", "has no column 姓名"));
    let mut unresolved = mapping.clone();
    unresolved
        .columns
        .retain(|column| column.column != "プラン");
    cases.push((
        "unresolved",
        unresolved,
        "顧客",
        "not settled what these columns mean: プラン",
    ));
    let mut bare = mapping.clone();
    for column in &mut bare.columns {
        (column.role, column.format) = (otori::notation::Role::Other, None);
    }
    cases.push(("bare", bare, "顧客", "nobody could recognise"));
    for (name, mapping, table, told) in cases {
        let source = Source {
            name: name.parse().unwrap(),
            url: ground.url.clone(),
            table: table.to_owned(),
            mapping: mapping.to_json(),
            added_at: OffsetDateTime::now_utc(),
        };
        otori.registry.add_source(&source).await.unwrap();
        let error = failed(&otori, &["plant", name, "--count", "3"]);
        assert!(error.contains(told), "{name}: {error}");
    }
    assert_eq!(ground.dump("顧客").await, before);
    assert!(otori.registry.batches(None).await.unwrap().is_empty());
}

/// A number that a customer has is not given, and a table that wants numbers unique gets each once.
#[tokio::test]
async fn numbers_that_customers_have_or_that_must_be_unique() {
    let (otori, ground) = prepared(Engine::Sqlite, 120).await;
    ground
        .run("update 顧客 set 電話 = '+81 90 0123 0001' where id = 5")
        .await;
    ground
        .run("create unique index 電話番号 on 顧客 (電話)")
        .await;
    let told = failed(&otori, &["plant", "shop", "--count", "4"]);
    assert!(told.contains("lacks 1 telephone numbers"), "{told}");
    otori.json(&["plant", "shop", "--count", "3"]);
    let canaries = otori.registry.canaries(None).await.unwrap();
    let numbers: BTreeSet<&str> = canaries
        .iter()
        .flat_map(|canary| {
            canary
                .written()
                .filter(|(role, _)| role.name() == "phone")
                .map(|(_, text)| text)
        })
        .collect();
    assert_eq!(numbers.len(), 3);
    assert!(!numbers.contains("090-0123-0001"));
}

/// Most numbers of a pool may be customers': one pass over the table tells all of them, so planting does not give up.
#[tokio::test]
async fn of_a_pool_of_which_customers_have_most_numbers_the_others_are_given() {
    let (otori, ground) = prepared(Engine::Sqlite, 340).await;
    ground
        .run("update 顧客 set 電話 = '090-0124-' || printf('%04d', id)")
        .await;
    ground
        .run("create unique index 電話番号 on 顧客 (電話)")
        .await;
    let numbers: Vec<String> = (1..=400)
        .map(|number| format!("090-0124-{number:04}"))
        .collect();
    let mut add = vec!["pool", "add", "phone"];
    add.extend(numbers.iter().map(String::as_str));
    otori.json(&add);
    otori.json(&["plant", "shop", "--count", "50"]);
    let canaries = otori.registry.canaries(None).await.unwrap();
    let written = canaries.iter().flat_map(|canary| canary.written());
    let given: BTreeSet<&str> = written
        .filter(|(role, _)| role.name() == "phone")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(given.len(), 50);
    assert!(
        given
            .iter()
            .all(|number| *number > "090-0124-0340" || *number < "090-0124")
    );
}
