//! Canaries age in the tables beside the customers', too.

use std::collections::BTreeMap;

use otori::canary::{Canary, PlantedRow};
use otori::database::Engine;
use otori::persona::{Children, Locale, Shape};

use super::people::{households, insert, joined, q};
use super::{Site, document};

const MEMBERS: usize = 420;
const TABLES: [&str; 4] = ["members", "addresses", "memberships", "children"];

const MAPPING: &str = r#"
locale = "ja_JP"
[columns.id]
role = "id"
[columns.name]
role = "name"
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
[related.columns.changed_at]
role = "updated_at"
[[related]]
table = "memberships"
join = { member_id = "members.id" }
[related.columns.news]
role = "other"
[[related]]
table = "children"
join = { member_id = "members.id" }
rows = "child"
[related.columns.no]
role = "id"
[related.columns.name]
role = "child_name"
[related.columns.birthday]
role = "child_birth_date"
[related.columns.course]
role = "other"
"#;

/// Members with an address of which it is known when it changed; two of three with a membership, and up to three
/// children. Of those who were touched most want the news, and their children all go to another course.
async fn site() -> Site {
    let schema = [
        "create table members (id integer primary key, name text not null, created_at text not null)",
        "create table addresses (id integer primary key, member_id integer not null unique references members(id), postcode text not null,
            address text not null, phone text not null, changed_at text not null)",
        "create table memberships (member_id integer primary key references members(id), news text not null)",
        "create table children (member_id integer not null references members(id), no integer not null, name text not null,
            birthday text not null, course text not null, primary key (member_id, no))",
    ];
    let shape = Shape {
        ages: 30..=50,
        children: Some(Children {
            count: 3..=3,
            ages: 4..=15,
        }),
    };
    let mut rows: [Vec<Vec<String>>; 4] = Default::default();
    for (at, family) in households(Locale::JaJp, MEMBERS, &shape).iter().enumerate() {
        let id = (at + 1).to_string();
        let (person, home) = (&family.guardian, &family.address);
        let (family_name, given) = (&person.family.written, &person.given.written);
        let touched = at % 2 == 0;
        let changed = match touched {
            true => format!(
                "2026-{:02}-{:02} 1{}:20:00",
                at % 9 + 1,
                at % 27 + 1,
                at % 8
            ),
            false => joined(at),
        };
        rows[0].push(vec![
            id.clone(),
            q(&format!("{family_name} {given}")),
            q(&joined(at)),
        ]);
        rows[1].push(vec![
            id.clone(),
            id.clone(),
            q(&format!("{}-{}", &home.postcode[..3], &home.postcode[3..])),
            q(&format!(
                "{}{}{}{}",
                home.region, home.city, home.town, home.block
            )),
            q(&format!("090-0{}-{at:04}", 100 + at % 900)),
            q(&changed),
        ]);
        if at % 3 > 0 {
            let wants = if touched { at % 8 != 0 } else { at % 20 == 1 };
            rows[2].push(vec![id.clone(), q(if wants { "1" } else { "0" })]);
        }
        for (number, child) in family.children.iter().take(at % 4).enumerate() {
            rows[3].push(vec![
                id.clone(),
                (number + 1).to_string(),
                q(&format!("{} {}", child.family.written, child.given.written)),
                q(&child.birth.to_string()),
                q(if touched { "進学" } else { "基礎" }),
            ]);
        }
    }
    let columns = [
        "id, name, created_at",
        "id, member_id, postcode, address, phone, changed_at",
        "member_id, news",
        "member_id, no, name, birthday, course",
    ];
    let data = (TABLES.iter().zip(columns).zip(&rows))
        .map(|((table, columns), rows)| insert(table, columns, rows));
    let statements: Vec<String> = schema.map(str::to_owned).into_iter().chain(data).collect();
    let site = Site::new(Engine::Sqlite, &TABLES, &statements).await;
    document(&site.add_told("members", MAPPING));
    site
}

/// The values of a column in the canary's rows of a table.
pub(super) fn held(canary: &Canary, table: &str, column: &str) -> Vec<String> {
    let rows = canary.details.rows.iter().filter(|row| row.table == table);
    let cell = |row: &PlantedRow| {
        let mut cells = row.cells.iter();
        cells.find(|cell| cell.column == column)?.value.clone()
    };
    rows.filter_map(cell).collect()
}

/// Touches every canary until one has moved, which few changes are; what was told of all of them.
pub(super) fn tended_until_one_moves(site: &Site, column: &str) -> String {
    let mut told = String::new();
    for _ in 0..40 {
        let tended = site.otori.json(&["tend", "shop", "--rate", "1e12"]);
        let source = &tended["sources"][0];
        assert_eq!(source["failed"], serde_json::json!([]), "{tended}");
        told += &source.to_string();
        if source["changes"].to_string().contains(column) {
            return told;
        }
    }
    panic!("nobody has moved: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_table_age_and_no_customers() {
    let site = site().await;
    let before = site.dump().await;
    site.otori.json(&["plant", "shop", "--count", "40"]);
    let planted = site.canaries().await;
    let told = tended_until_one_moves(&site, "\"addresses.address\"");
    for ageing in ["memberships.news", "children.course"] {
        assert!(told.contains(ageing), "{ageing}: {told}");
    }
    for column in [
        "addresses.changed_at",
        "memberships.news",
        "children.course",
    ] {
        assert!(told.contains(&format!("\"{column}\"")), "{column}: {told}");
    }
    let verified = site.verified();
    assert_eq!(verified["intact"], 40, "{verified}");

    // What stands in the tables is what the registry says, and what the customers have is theirs.
    let after = site.dump().await;
    let aged = site.canaries().await;
    for (table, rows) in &before {
        let own = |canary: &Canary| held_rows(canary, table);
        let planted: usize = aged.iter().map(own).sum();
        assert_eq!(site.added(rows, &after[table]), planted);
    }
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut younger = 0;
    for (old, new) in planted.iter().zip(&aged) {
        assert!(new.versions.len() > 1);
        assert!(new.pending().is_none());
        for (table, column) in [
            ("members", "name"),
            ("addresses", "phone"),
            ("addresses", "postcode"),
            ("children", "name"),
        ] {
            assert_eq!(held(old, table, column), held(new, table, column));
        }
        assert_ne!(
            held(old, "addresses", "changed_at"),
            held(new, "addresses", "changed_at")
        );
        for (table, column) in [
            ("addresses", "address"),
            ("memberships", "news"),
            ("children", "course"),
        ] {
            let (old, new) = (held(old, table, column), held(new, table, column));
            *changed.entry(column).or_default() += usize::from(old != new);
            younger += usize::from(column == "course" && old.get(1) != new.get(1));
        }
        let unit = new.details.household.address.unit.as_deref().unwrap();
        assert!(held(new, "addresses", "address")[0].ends_with(unit));
    }
    assert!(
        changed.values().all(|count| (1..40).contains(count)),
        "{changed:?}"
    );
    assert!(younger > 0, "the first child alone has changed");
    site.otori.json(&["unplant", "shop", "--yes"]);
    assert_eq!(site.dump().await, before);
}

/// How many rows a canary has in a table.
fn held_rows(canary: &Canary, table: &str) -> usize {
    let rows = canary.details.rows.iter();
    rows.filter(|row| row.table == table).count()
}
