//! `otori source profile`: what a table's customers are like, without any customer.

use std::collections::HashMap;

use otori::database::Engine;
use serde_json::Value;

use super::shop::prepared;

/// Every text that stands in a document.
fn texts<'v>(value: &'v Value, out: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => out.push(text),
        Value::Array(all) => all.iter().for_each(|one| texts(one, out)),
        Value::Object(all) => all.values().for_each(|one| texts(one, out)),
        _ => {}
    }
}

fn named<'v>(profile: &'v Value, name: &str) -> &'v Value {
    let traits = profile["traits"].as_array().unwrap();
    let found = traits.iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {profile}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_few_customers_stands_in_a_profile() {
    let (otori, ground) = prepared(Engine::Sqlite, 600).await;
    let profile = otori.json(&["source", "profile", "shop"]);
    assert_eq!(profile["rows"], 600);
    let mut told = Vec::new();
    texts(&profile, &mut told);
    let table = ground.table("顧客").await;
    let rows = ground.database().await.sample(&table, 1000).await.unwrap();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    // Keys are numbers that anything may hold.
    for cell in rows.iter().flat_map(|row| &row[1..]).flatten() {
        *counts.entry(cell).or_default() += 1;
    }
    // A whole value of a few, longer than what parts and shapes are made of, is told nowhere.
    let leaked: Vec<&&str> = counts
        .iter()
        .filter(|(value, count)| **count < 10 && value.chars().count() >= 3)
        .map(|(value, _)| value)
        .filter(|value| told.iter().any(|told| told.contains(**value)))
        .collect();
    assert_eq!(leaked, Vec::<&&str>::new());
    // Of a few, not even their number.
    let traits = profile["traits"].as_array().unwrap();
    assert!(
        traits.iter().all(|one| one["rows"].as_u64().unwrap() >= 10),
        "{profile}"
    );
    // What many share is told.
    let plans = profile["columns"].as_array().unwrap();
    let plan = plans.iter().find(|one| one["column"] == "プラン").unwrap();
    let values = plan["values"]["common"].as_array().unwrap();
    assert_eq!(values.len(), 2, "{plan}");
    assert_eq!(
        named(&profile, "step from key to key")["common"][0]["value"],
        "1"
    );
    // What is read out of names, addresses and numbers is held against the rest.
    let together = profile["together"].to_string();
    assert!(
        together.contains("region") && together.contains("first digits of the number"),
        "{together}"
    );
    let needle = "step from key to key".as_bytes();
    for file in ["registry.db", "registry.db-wal"] {
        let bytes = std::fs::read(otori.dir().join(file)).unwrap_or_default();
        assert!(
            !bytes.windows(needle.len()).any(|part| part == needle),
            "a profile in clear"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_are_no_customers_and_a_change_is_told() {
    let (otori, ground) = prepared(Engine::Sqlite, 400).await;
    let first = otori.json(&["source", "profile", "shop"]);
    assert!(first["since"].is_null());
    otori.json(&["plant", "shop", "--count", "30", "--force"]);
    let planted = otori.json(&["source", "profile", "shop"]);
    assert_eq!(planted["rows"], 400);
    assert_eq!(planted["since"]["changes"], Value::Array(Vec::new()));
    ground
        .run("update 顧客 set プラン = 'C' where id % 3 = 0")
        .await;
    let changed = otori.json(&["source", "profile", "shop"]);
    assert_eq!(changed["since"]["changes"][0]["what"], "values of プラン");
    let apart = changed["since"]["changes"][0]["apart"].as_f64().unwrap();
    assert!((0.28..0.38).contains(&apart), "{apart}");
    // The last one is kept, also while the database is away.
    ground.run("alter table 顧客 rename to 旧").await;
    let kept = otori.json(&["source", "profile", "shop", "--kept"]);
    assert_eq!(kept["columns"], changed["columns"]);
    let failed = otori
        .command(&["source", "profile", "shop"])
        .output()
        .unwrap();
    assert!(!failed.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_few_has_no_profile() {
    let (otori, _ground) = prepared(Engine::Sqlite, 50).await;
    let output = otori
        .command(&["source", "profile", "shop"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("50 customers") && told.contains("200"),
        "{told}"
    );
    let none = otori
        .command(&["source", "profile", "shop", "--kept"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8(none.stderr)
            .unwrap()
            .contains("no profile of shop was kept yet")
    );
}
