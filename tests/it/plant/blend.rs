//! Canaries are like the rows that stand in the table, as `otori plant --dry-run` shows them.

use std::collections::{BTreeMap, HashSet};

use otori::database::Engine;

use super::shop::{failed, prepared};
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
async fn where_nobody_has_a_mail_address_no_canary_has_one() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground.run("update 顧客 set メール = null").await;
    let rows = shown(&otori, 20);
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row["メール"].is_none()), "{rows:?}");
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

/// Houses and numbers of a canary's own, each number of another block, so that none leads to another.
fn own_points(otori: &Otori, count: usize) {
    let mut file = "kind,value,postcode,address,units,cap\n".to_owned();
    for at in 1..=count {
        file += &format!("drop,,100-0013,東京都千代田区霞が関9-{at},none,\n");
        file += &format!("phone,090-0{at:03}-0123,,,,\n");
    }
    let path = otori.dir().join("own.csv");
    std::fs::write(&path, file).unwrap();
    otori.json(&["pool", "import", path.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_all_canaries_bear_is_found_and_named_and_the_control_shows_nothing() {
    let (otori, ground) = prepared(Engine::Sqlite, 700).await;
    own_points(&otori, 60);
    // The mail domains of the pool would join them.
    ground.run("update 顧客 set メール = null").await;
    otori.json(&["plant", "shop", "--count", "40", "--force"]);
    ground
        .run("update 顧客 set プラン = 'Z' where id > 700")
        .await;
    let output = otori
        .command(&["stealth", "shop", "--json"])
        .output()
        .unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{found}");
    assert_eq!(found["canaries"], 40);
    assert_eq!(found["passed"], false);
    assert!(
        found["with_labels"]["auc"].as_f64().unwrap() > 0.95,
        "{found}"
    );
    let control = &found["control"]["with_labels"];
    let (low, high) = (
        control["low"].as_f64().unwrap(),
        control["high"].as_f64().unwrap(),
    );
    // Five standard errors: the batch is drawn by chance, and so is who is called a canary.
    assert!(low < 0.65 && high > 0.35, "{found}");
    let told = found["gives_away"].to_string();
    assert!(told.contains("プラン"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_customer_is_the_pattern_of_two_canaries_while_there_are_others() {
    let (otori, ground) = prepared(Engine::Sqlite, 1_100).await;
    own_points(&otori, 60);
    // Sixteen customers live near the drops, each with a plan of which there are a few elsewhere.
    ground
        .run("update 顧客 set メール = null, 電話 = '090-0123-' || (1000 + id), 郵便番号 = '060-0001',
            住所 = '北海道札幌市中央区北一条西' || (id % 40 + 1) || '-' || (id % 7 + 1), プラン = 'p' || (id % 16)")
        .await;
    ground
        .run("update 顧客 set 郵便番号 = '100-0013', 住所 = '東京都千代田区霞が関8-' || id where id > 1084")
        .await;
    let mut plans: BTreeMap<String, usize> = BTreeMap::new();
    for row in shown(&otori, 16) {
        *plans.entry(row["プラン"].clone().unwrap()).or_default() += 1;
    }
    // By chance, ten.
    assert!(plans.len() >= 14, "{plans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_that_lead_to_each_other_are_not_called_unseen() {
    let (otori, _ground) = prepared(Engine::Sqlite, 700).await;
    // One building and three numbers for all.
    otori.json(&["plant", "shop", "--count", "40", "--force"]);
    let told = failed(&otori, &["stealth", "shop"]);
    assert!(told.contains("share contact points"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thief_would_see_is_not_planted() {
    let (otori, ground) = prepared(Engine::Sqlite, 1_100).await;
    own_points(&otori, 60);
    // All customers live far away from every house of the pool.
    ground
        .run("update 顧客 set メール = null, 郵便番号 = '060-0001', 住所 = '北海道札幌市中央区北一条西' || (id % 40 + 1) || '-' || (id % 7 + 1)")
        .await;
    let told = failed(&otori, &["plant", "shop", "--count", "40"]);
    assert!(told.contains("stealth_limit"), "{told}");
    let count = || async {
        let table = ground.table("顧客").await;
        ground.database().await.count(&table).await.unwrap()
    };
    assert_eq!(count().await, 1_100);
    let planted = otori.json(&["plant", "shop", "--count", "40", "--force"]);
    let found = &planted["stealth"];
    assert!(found["with_labels"]["low"].as_f64().unwrap() > 0.85);
    // Customers called canaries are looked for as well.
    let control = &found["control"]["with_labels"];
    assert!(control["low"].as_f64().unwrap() < 0.65, "{found}");
    assert!(control["high"].as_f64().unwrap() > 0.35, "{found}");
    assert_eq!(count().await, 1_140);
}

/// What a command wrote for a person, and what it noted.
fn written(otori: &Otori, args: &[&str]) -> (String, String) {
    let output = otori.command(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn small_batches_are_looked_at_together_and_what_was_found_is_told() {
    let (otori, ground) = prepared(Engine::Sqlite, 1_100).await;
    own_points(&otori, 60);
    ground
        .run("update 顧客 set メール = null, 郵便番号 = '060-0001', 住所 = '北海道札幌市中央区北一条西' || (id % 40 + 1) || '-' || (id % 7 + 1)")
        .await;
    let (said, noted) = written(&otori, &["plant", "shop", "--count", "15"]);
    assert!(noted.contains("was not looked at"), "{noted}");
    assert!(noted.contains("20 canaries"), "{noted}");
    assert!(!said.contains("thief"), "{said}");
    // Neither batch is large enough to be judged; both together are.
    let told = failed(&otori, &["plant", "shop", "--count", "15"]);
    assert!(told.contains("stealth_limit"), "{told}");
    assert!(told.contains("the 15 that stand there already"), "{told}");
    let force = ["plant", "shop", "--count", "15", "--force"];
    for args in [[&force[..], &["--dry-run"]].concat(), force.to_vec()] {
        let (said, noted) = written(&otori, &args);
        assert!(noted.contains("stealth_limit"), "{noted}");
        assert!(said.contains("30 canaries, with the 15"), "{said}");
        assert!(said.contains("a thief who knows some canaries"), "{said}");
        assert!(said.contains("most suspicious 1%"), "{said}");
        // Both say that all customers live far away.
        assert!(said.contains("住所") || said.contains("郵便番号"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_small_table_nobody_looks_and_that_is_told() {
    let (otori, _ground) = prepared(Engine::Sqlite, 300).await;
    let (_, noted) = written(&otori, &["plant", "shop", "--count", "25"]);
    assert!(noted.contains("that takes 1000 customers"), "{noted}");
    assert!(noted.contains("has 300"), "{noted}");
}
