//! Canaries are like the rows that stand in the table, as `otori plant --dry-run` shows them.

use std::collections::{BTreeMap, HashSet};

use otori::database::Engine;

use super::shop::prepared;
use crate::harness::Otori;

/// The rows that would be planted, by column.
fn shown(otori: &Otori, count: usize) -> Vec<BTreeMap<String, Option<String>>> {
    let count = count.to_string();
    let document = otori.json(&["plant", "shop", "--count", &count, "--dry-run", "--force"]);
    let columns = document["dry_run"]["columns"].as_array().unwrap();
    let rows = document["dry_run"]["rows"].as_array().unwrap();
    let row = |row: &serde_json::Value| {
        let cells = columns.iter().zip(row.as_array().unwrap());
        cells
            .map(|(column, cell)| {
                (
                    column.as_str().unwrap().to_owned(),
                    cell.as_str().map(str::to_owned),
                )
            })
            .collect()
    };
    rows.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_written_by_one_hand() {
    let (otori, ground) = prepared(Engine::Sqlite, 600).await;
    // One clerk puts a wide space into names and leaves readings out; the other does neither.
    ground
        .run("update 顧客 set 氏名 = replace(氏名, ' ', '　'), フリガナ = null, プラン = 'B' where id % 2 = 0")
        .await;
    ground
        .run("update 顧客 set プラン = 'A' where id % 2 = 1")
        .await;
    let mut hands = HashSet::new();
    for row in shown(&otori, 40) {
        let wide = row["氏名"].as_deref().unwrap().contains('\u{3000}');
        assert_eq!(row["フリガナ"].is_none(), wide);
        assert_eq!(row["プラン"].as_deref(), Some(if wide { "B" } else { "A" }));
        hands.insert(wide);
    }
    assert_eq!(hands.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_mail_addresses_that_nobody_has_ends_nothing() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground.run("update 顧客 set メール = null").await;
    let rows = shown(&otori, 20);
    let addresses: HashSet<&str> = rows
        .iter()
        .filter_map(|row| row["メール"].as_deref())
        .collect();
    assert_eq!(addresses.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_takes_one_canary_and_has_no_room_number() {
    let (otori, _ground) = prepared(Engine::Sqlite, 300).await;
    let house = [
        "pool",
        "add",
        "drop",
        "--postcode",
        "100-0013",
        "--address",
        "東京都千代田区霞が関8-88",
        "--units",
        "none",
    ];
    otori.json(&house);
    let rows = shown(&otori, 20);
    let at_home = rows
        .iter()
        .filter(|row| row["住所"].as_deref().unwrap().contains("8-88"));
    let addresses: Vec<&str> = at_home.map(|row| row["住所"].as_deref().unwrap()).collect();
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    assert!(addresses[0].ends_with("8-88"), "{addresses:?}");
}
