//! Canaries that aged tell an old list from a new one.

use otori::database::Engine;
use serde_json::Value;

use super::{client_dump, text};
use crate::harness::Otori;
use crate::plant::shop::prepared;

#[track_caller]
fn traced(otori: &Otori, name: &str, list: &[u8]) -> Value {
    let file = otori.dir().join(name);
    std::fs::write(&file, list).unwrap();
    let traced = otori.json(&["trace", file.to_str().unwrap()]);
    assert_eq!(text(&traced["verdict"]), "attributed", "{traced}");
    assert_eq!(traced["sources"][0]["found"], 20, "{traced}");
    traced
}

/// In how many canaries' rows each version was recognised.
fn versions(traced: &Value) -> [usize; 3] {
    let canaries = traced["canaries"].as_array().unwrap();
    [1, 2, 3].map(|number| {
        canaries
            .iter()
            .filter(|one| one["version"] == number)
            .count()
    })
}

async fn dated_by_versions(engine: Engine) {
    let (otori, ground) = prepared(engine, 400).await;
    otori.json(&["plant", "shop", "--count", "20"]);
    let old = client_dump(&ground);
    let tended = otori.json(&["tend", "shop", "--rate", "1e12"]);
    assert_eq!(tended["sources"][0]["changed"], 20, "{tended}");
    assert_eq!(tended["sources"][0]["changes"][0]["columns"][0], "住所");
    let new = client_dump(&ground);
    let canaries = otori.registry.canaries(None).await.unwrap();
    let change = canaries[0].versions[1].from;
    let change = Value::from(
        change
            .format(&time::format_description::well_known::Rfc3339)
            .unwrap(),
    );

    let before = traced(&otori, "old", &old);
    let window = &before["sources"][0]["window"];
    assert_eq!(window["not_after"], change, "{window}");
    assert_ne!(window["not_before"], change, "{window}");
    assert_eq!(versions(&before), [20, 0, 0]);
    let after = traced(&otori, "new", &new);
    let window = &after["sources"][0]["window"];
    assert_eq!(window["not_before"], change, "{window}");
    assert_eq!(window["not_after"], Value::Null, "{window}");
    assert_eq!(versions(&after), [0, 20, 0]);
    let said = otori
        .command(&["trace", otori.dir().join("new").to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains(" (version 2) in row "), "{said}");

    // Two takings in one list: each canary is found once, and the window leaves nothing out.
    let mut both = old.clone();
    let start = new.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    both.extend_from_slice(&new[start..]);
    let merged = traced(&otori, "both", &both);
    let window = &merged["sources"][0]["window"];
    assert_eq!(window["one_taking"], false, "{window}");
    assert_ne!(window["not_before"], change, "{window}");
    assert_eq!(window["not_after"], Value::Null, "{window}");

    // Without the column that changed, the list does not tell the versions apart.
    let texts = String::from_utf8(new.clone()).unwrap();
    let between = if engine == Engine::Postgres {
        ','
    } else {
        '\t'
    };
    let cut: String = texts
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(between).collect();
            let kept = cells.iter().enumerate().filter(|(place, _)| *place != 5);
            let kept: Vec<&str> = kept.map(|(_, cell)| *cell).collect();
            kept.join(&between.to_string()) + "\n"
        })
        .collect();
    let without = traced(&otori, "without", cut.as_bytes());
    assert_eq!(versions(&without), [0, 0, 0]);
    assert_ne!(without["sources"][0]["window"]["not_before"], change);

    // Parts say of which versions their rows are, too.
    let part = otori.json(&[
        "trace",
        "--partial",
        otori.dir().join("new").to_str().unwrap(),
    ]);
    let file = otori.dir().join("part.json");
    std::fs::write(&file, part.to_string()).unwrap();
    let merged = otori.json(&["trace", "merge", file.to_str().unwrap()]);
    assert_eq!(versions(&merged), [0, 20, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_tell_an_old_list_from_a_new_one_postgres() {
    dated_by_versions(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_tell_an_old_list_from_a_new_one_mariadb() {
    dated_by_versions(Engine::MySql).await;
}
