//! What a thief sees of canaries whose rows stand in several tables.

use otori::database::Engine;
use otori::persona::{Locale, Shape};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index;
use serde_json::Value;

use super::super::ground::Ground;
use super::people::{households, insert, joined, q};
use super::{Site, document};
use crate::harness::Otori;

const MEMBERS: usize = 1_100;
const POOL: usize = 60;

const MAPPING: &str = r#"
locale = "ja_JP"
[columns.id]
role = "id"
[columns.name]
role = "name"
[columns.kana]
role = "name_kana"
[columns.created_at]
role = "created_at"
[[related]]
table = "addresses"
join = { member_id = "members.id" }
[related.columns.id]
role = "id"
[related.columns.postcode]
role = "postcode"
[related.columns.address]
role = "address"
[related.columns.phone]
role = "phone"
[[related]]
table = "memberships"
join = { member_id = "members.id" }
[related.columns.plan]
role = "other"
"#;

/// Members who live in the town of the pool's houses, each with an address, two of three with a membership; and a pool of
/// houses and numbers of which none leads to another.
async fn town() -> Site {
    let schema = [
        "create table members (id integer primary key, name text not null, kana text not null, created_at text not null)",
        "create table addresses (id integer primary key, member_id integer not null unique references members(id), postcode text not null,
            address text not null, phone text not null)",
        "create table memberships (member_id integer primary key references members(id), plan text not null)",
    ];
    // Drawn: a sequence has a regularity that a thief would find.
    let mut rng = StdRng::seed_from_u64(5);
    let homes: Vec<String> = index::sample(&mut rng, 4 * 390, MEMBERS + POOL)
        .iter()
        .map(|at| format!("東京都千代田区霞が関{}-{}", 9 + at % 4, 10 + at / 4))
        .collect();
    let phones: Vec<String> = index::sample(&mut rng, 8_999_999, MEMBERS + POOL)
        .iter()
        .map(|at| format!("090-0{:03}-{:04}", 100 + at / 10_000, at % 10_000))
        .collect();
    let people = households(Locale::JaJp, MEMBERS, &Shape::adults(25..=70));
    let (mut members, mut addresses, mut memberships) = (Vec::new(), Vec::new(), Vec::new());
    for (at, family) in people.iter().enumerate() {
        let person = &family.guardian;
        members.push(vec![
            q(&format!(
                "{} {}",
                person.family.written, person.given.written
            )),
            q(&format!("{} {}", person.family.kana, person.given.kana)),
            q(&joined(at)),
        ]);
        addresses.push(vec![
            (at + 1).to_string(),
            q("100-0013"),
            q(&homes[at]),
            q(&phones[at]),
        ]);
        if at % 3 > 0 {
            memberships.push(vec![(at + 1).to_string(), q(["A", "B"][at / 3 % 2])]);
        }
    }
    let site = Site {
        otori: Otori::new().await,
        ground: Ground::bare(Engine::Sqlite).await,
        tables: vec!["members", "addresses", "memberships"],
    };
    let data = [
        insert("members", "name, kana, created_at", &members),
        insert(
            "addresses",
            "member_id, postcode, address, phone",
            &addresses,
        ),
        insert("memberships", "member_id, plan", &memberships),
    ];
    for statement in schema.into_iter().chain(data.iter().map(String::as_str)) {
        site.ground.run(statement).await;
    }
    let mut file = "kind,value,postcode,address,units,cap\n".to_owned();
    for at in MEMBERS..MEMBERS + POOL {
        file += &format!("drop,,100-0013,{},none,\n", homes[at]);
        file += &format!("phone,{},,,,\n", phones[at]);
    }
    let path = site.otori.dir().join("own.csv");
    std::fs::write(&path, file).unwrap();
    site.otori.json(&["pool", "import", path.to_str().unwrap()]);
    document(&site.add_told("members", MAPPING));
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn each_column_is_held_against_the_same_column_and_related_rows_are_looked_at() {
    let site = town().await;
    // No --force: what is held against another column shows at once.
    let planted = site.otori.json(&["plant", "shop", "--count", "30"]);
    assert_eq!(planted["planted"], 30);
    let low = planted["stealth"]["with_labels"]["low"].as_f64().unwrap();
    assert!(low < 0.85, "{}", planted["stealth"]);

    // A mark in a related table alone.
    site.ground
        .run(&format!(
            "update addresses set address = address || '　様方' where member_id > {MEMBERS}"
        ))
        .await;
    let output = site
        .otori
        .command(&["stealth", "shop", "--json"])
        .output()
        .unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{found}");
    assert_eq!(found["canaries"], 30);
    let told = found["gives_away"].to_string();
    assert!(told.contains("addresses.address"), "{told}");
}
