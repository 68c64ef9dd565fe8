//! Tables in which a canary could not hide, or could not stand: told which and why, and nothing planted.

use otori::canary::State;
use otori::database::Engine;
use otori::notation::Mapping;

use super::ground::Ground;
use super::shop::{MAPPING, dump, failed, prepared, register};
use crate::harness::Otori;

/// Plants, which must be refused with these words, and leave nothing behind.
async fn refused(otori: &Otori, ground: &Ground, count: &str, words: &[&str]) {
    let before = dump(ground).await;
    let told = failed(otori, &["plant", "shop", "--count", count]);
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(dump(ground).await, before, "{told}");
    let batches = otori.registry.batches(None).await.unwrap();
    let left = batches.iter().filter(|batch| batch.state != State::Void);
    assert_eq!(left.count(), 0, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn few_customers_hide_no_canary_and_others_not_any_number() {
    let (otori, ground) = prepared(Engine::Sqlite, 10).await;
    refused(
        &otori,
        &ground,
        "1",
        &["has 10 customers", "even one canary", "--force"],
    )
    .await;
    refused(&otori, &ground, "25", &["has 10 customers"]).await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(told.contains("has 10 customers"), "{told}");
    let planted = otori.json(&["plant", "shop", "--count", "3", "--force"]);
    assert!(
        planted["notes"].to_string().contains("has 10 customers"),
        "{planted}"
    );

    let (otori, ground) = prepared(Engine::Sqlite, 120).await;
    refused(
        &otori,
        &ground,
        "31",
        &["31 canaries beside the 120 customers", "takes 30"],
    )
    .await;
    otori.json(&["plant", "shop", "--count", "20"]);
    // Those that stand there count.
    let told = failed(&otori, &["plant", "shop", "--count", "11"]);
    assert!(told.contains("31 canaries"), "{told}");
}

/// Below 200 customers, too, whoever gets a single mailbox has its name.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_small_table_who_has_a_mailbox_is_named_as_it_is() {
    let (otori, _ground) = prepared(Engine::Sqlite, 150).await;
    let local = [
        "mao.kataoka37",
        "kenichi.suzuki",
        "yamada.hanako",
        "hiroshi_tanaka",
    ];
    for local in local {
        otori.json(&[
            "pool",
            "add",
            "mailbox",
            &format!("{local}@provider.example"),
        ]);
    }
    otori.json(&["plant", "shop", "--count", "24"]);
    let mut seen = 0;
    for canary in otori.registry.canaries(None).await.unwrap() {
        let household = &canary.details.household;
        let mail = household.email.clone().unwrap();
        let reading = match mail.as_str() {
            "mao.kataoka37@provider.example" => "カタオカマオ",
            "kenichi.suzuki@provider.example" => "スズキケンイチ",
            "yamada.hanako@provider.example" => "ヤマダハナコ",
            "hiroshi_tanaka@provider.example" => "タナカヒロシ",
            _ => continue,
        };
        let guardian = &household.guardian;
        let own = format!("{}{}", guardian.family.kana, guardian.given.kana);
        assert_eq!(own, reading);
        seen += 1;
    }
    assert_eq!(seen, local.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_are_empty_in_every_row_are_named() {
    for customers in [150, 300] {
        let (otori, ground) = prepared(Engine::Sqlite, customers).await;
        ground.run("update 顧客 set 住所 = '', メール = null").await;
        let read = format!("empty in each of the {customers} rows");
        let words = [
            "住所",
            "メール",
            &read,
            "the only one",
            "--map COLUMN=skip",
            "--force",
        ];
        refused(&otori, &ground, "3", &words).await;
        let planted = otori.json(&["plant", "shop", "--count", "3", "--force"]);
        assert_eq!(planted["planted"], 3);
    }
    // Nobody could be known by anything.
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground
        .run("update 顧客 set 氏名 = '', フリガナ = null, 住所 = '', 電話 = null, メール = null")
        .await;
    refused(
        &otori,
        &ground,
        "3",
        &["氏名, フリガナ, 住所, 電話, メール"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_in_which_all_have_the_same_are_named() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground
        .run("update 顧客 set 氏名 = 'テスト 太郎', 電話 = '03-0123-9999', プラン = 'A'")
        .await;
    for count in ["3", "30"] {
        let words = ["columns 氏名, 電話 of", "one and the same value", "--force"];
        refused(&otori, &ground, count, &words).await;
    }
    // A plan that all have tells nobody apart.
    ground
        .run("update 顧客 set 氏名 = '客 ' || id, 電話 = '03-0123-' || (8000 + id)")
        .await;
    otori.json(&["plant", "shop", "--count", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_must_be_referred_to_and_is_empty_is_named() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground
        .run("create table 支店 (番号 integer primary key, 名 text)")
        .await;
    ground
        .run("pragma foreign_keys = off; alter table 顧客 add column 支店 integer not null default 1 references 支店 (番号)")
        .await;
    let words = [
        "column 支店 of 顧客 must refer to a row of 支店",
        "has no rows",
        "nothing was planted",
    ];
    refused(&otori, &ground, "3", &words).await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(told.contains("column 支店"), "{told}");
    ground.run("insert into 支店 values (1, '本店')").await;
    otori.json(&["plant", "shop", "--count", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_keep_a_drip_out_is_told_when_it_is_set() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    let before = dump(&ground).await;
    ground
        .run("create trigger 満員 before insert on 顧客 begin select raise(abort, 'no more customers'); end")
        .await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(
        told.contains("a trigger of table 顧客 refused a row") && told.contains("no drip was set"),
        "{told}"
    );
    ground.run("drop trigger 満員").await;
    // No query can ask about a key that the table has not given yet.
    ground
        .run("alter table 顧客 add column 枠 text constraint 定員 check (id <= 300)")
        .await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(
        told.contains("CHECK constraint 定員 of table 顧客"),
        "{told}"
    );
    let drips = otori.json(&["drip"]);
    assert_eq!(drips["drips"].as_array().unwrap().len(), 0, "{drips}");
    ground.run("alter table 顧客 drop column 枠").await;
    otori.json(&["drip", "shop", "--per-week", "5"]);
    assert_eq!(dump(&ground).await, before);
    assert!(otori.registry.batches(None).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_breaks_a_check_of_two_columns_is_drawn_anew() {
    for customers in [150, 300] {
        let (otori, ground) = prepared(Engine::Sqlite, customers).await;
        ground
            .run("update 顧客 set 生年月日 = date(生年月日, '-1 day') where cast(substr(生年月日, 9, 2) as integer) % 3 = 0")
            .await;
        // One person in three that could be drawn breaks it.
        ground
            .run("alter table 顧客 add column 枠 text constraint 誕生日 check (氏名 <> '' and cast(substr(生年月日, 9, 2) as integer) % 3 <> 0)")
            .await;
        let planted = otori.json(&["plant", "shop", "--count", "30"]);
        assert_eq!(planted["planted"], 30);
        assert!(
            !planted["notes"].to_string().contains("誕生日"),
            "{planted}"
        );
        assert_eq!(otori.json(&["verify", "shop"])["sources"][0]["intact"], 30);
        // Whoever was not planted has left no gap between the codes.
        let canaries = otori.registry.canaries(None).await.unwrap();
        let code = |row: &otori::canary::PlantedRow| -> u32 {
            let cell = row
                .cells
                .iter()
                .find(|cell| cell.column == "会員番号")
                .unwrap();
            cell.value.as_deref().unwrap()[2..].parse().unwrap()
        };
        let codes: Vec<u32> = canaries
            .iter()
            .map(|one| code(&one.details.rows[0]))
            .collect();
        let most = 1 + 2 * ((codes[29] - 100) / customers as u32);
        let fits = |two: &[u32]| two[1] > two[0] && two[1] - two[0] <= most;
        assert!(codes.windows(2).all(fits), "{most}: {codes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_no_row_passes_is_named() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    ground
        .run("alter table 顧客 add column 枠 text constraint 締切 check (登録日時 < '2026-01-01')")
        .await;
    refused(
        &otori,
        &ground,
        "20",
        &["none of 100 rows", "CHECK constraint 締切 of table 顧客"],
    )
    .await;
    let mapping = Mapping::from_json(MAPPING).unwrap();
    register(&otori, "other", &ground.url, &mapping).await;
    let told = failed(&otori, &["drip", "other", "--per-week", "5"]);
    assert!(told.contains("締切"), "{told}");
}
