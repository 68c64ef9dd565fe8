//! Guardians with their children and memberships, on SQLite and in a PostgreSQL schema of its own with
//! domains, enumerations, citext, JSON and generated columns.

use std::collections::{BTreeMap, BTreeSet};

use otori::database::{BETWEEN, Engine};
use otori::notation::Role;
use otori::persona::{Children, Locale, Shape};
use serde_json::Value;

use super::super::suppress::{client, hashed};
use super::people::{households, insert, joined, q};
use super::{Site, document};

const FAMILIES: usize = 320;

fn schema(engine: Engine) -> Vec<String> {
    let statements: &[&str] = match engine {
        Engine::Sqlite => &[
            "create table guardians (id integer primary key, name text not null, kana text, postcode text not null, address text not null,
                tel text, email text unique, created_at text not null)",
            "create table children (guardian_id integer not null references guardians(id), no integer not null, name text not null, kana text,
                birthday date not null, sex text check (sex in ('男', '女')), grade text, primary key (guardian_id, no))",
            "create table memberships (id integer primary key, guardian_id integer not null unique references guardians(id), plan text not null,
                since date not null, prefs text)",
        ],
        _ => &[
            "create extension citext",
            "create schema crm",
            "create type crm.plan as enum ('basic', 'plus')",
            "create domain crm.postcode as char(8) check (value ~ '^[0-9]{3}-[0-9]{4}$')",
            "create table crm.guardians (id bigint generated always as identity primary key, name varchar(40) not null, kana varchar(60),
                postcode crm.postcode not null, address text not null, tel varchar(20), email citext unique, created_at timestamp not null,
                \"Mail Domain\" text generated always as (split_part(email::text, '@', 2)) stored)",
            "create table crm.children (guardian_id bigint not null references crm.guardians(id), no int not null, name varchar(40) not null,
                kana varchar(60), birthday date not null, sex varchar(2) check (sex in ('男', '女')), grade varchar(10), primary key (guardian_id, no))",
            "create table crm.memberships (id serial primary key, guardian_id bigint not null unique references crm.guardians(id),
                plan crm.plan not null, since date not null, prefs jsonb)",
            "create function crm.touch() returns trigger language plpgsql as $$ begin return new; end $$",
            "create trigger touched before insert on crm.memberships for each row execute function crm.touch()",
        ],
    };
    statements.iter().map(|text| (*text).to_owned()).collect()
}

/// Most have one child, some two, three or none; two of three have a membership.
fn rows(engine: Engine) -> Vec<String> {
    let shape = Shape {
        ages: 30..=50,
        children: Some(Children {
            count: 3..=3,
            ages: 4..=15,
        }),
    };
    let (mut guardians, mut children, mut memberships) = (Vec::new(), Vec::new(), Vec::new());
    for (at, family) in households(Locale::JaJp, FAMILIES, &shape)
        .iter()
        .enumerate()
    {
        let id = at + 1;
        let (person, home) = (&family.guardian, &family.address);
        let address = format!("{}{}{}{}", home.region, home.city, home.town, home.block);
        let postcode = format!("{}-{}", &home.postcode[..3], &home.postcode[3..]);
        guardians.push(vec![
            q(&format!(
                "{} {}",
                person.family.written, person.given.written
            )),
            q(&format!("{} {}", person.family.kana, person.given.kana)),
            q(&postcode),
            q(&address),
            q(&format!("090-0{}-{:04}", 100 + at % 900, at)),
            q(&format!(
                "{}{id}@mail.example",
                ["a.b", "hana", "m-", "taro"][at % 4]
            )),
            q(&joined(at)),
        ]);
        let count = [1, 2, 1, 0, 1, 2, 3][at % 7];
        for (number, child) in family.children.iter().take(count).enumerate() {
            children.push(vec![
                id.to_string(),
                (number + 1).to_string(),
                q(&format!("{} {}", child.family.written, child.given.written)),
                q(&format!("{} {}", child.family.kana, child.given.kana)),
                q(&child.birth.to_string()),
                q(if child.sex == otori::persona::Sex::Male {
                    "男"
                } else {
                    "女"
                }),
                q(["年少", "小1", "小2", "小3"][(at + number) % 4]),
            ]);
        }
        if at % 3 > 0 {
            memberships.push(vec![
                id.to_string(),
                q(["basic", "plus"][at % 2]),
                q(&joined(at)[..10]),
                q(&format!("{{\"news\": {}}}", at % 2 == 0)),
            ]);
        }
    }
    let schema = if engine == Engine::Postgres {
        "crm."
    } else {
        ""
    };
    let into = |table: &str| format!("{schema}{table}");
    vec![
        insert(
            &into("guardians"),
            "name, kana, postcode, address, tel, email, created_at",
            &guardians,
        ),
        insert(
            &into("children"),
            "guardian_id, no, name, kana, birthday, sex, grade",
            &children,
        ),
        insert(
            &into("memberships"),
            "guardian_id, plan, since, prefs",
            &memberships,
        ),
    ]
}

pub(super) async fn families(engine: Engine) -> (Site, &'static str) {
    let statements = [schema(engine), rows(engine)].concat();
    let (tables, main): (&[&str], _) = match engine {
        Engine::Postgres => (
            &["crm.guardians", "crm.children", "crm.memberships"],
            "crm.guardians",
        ),
        _ => (&["guardians", "children", "memberships"], "guardians"),
    };
    let site = Site::new(engine, tables, &statements).await;
    let mapping = include_str!("../../../../examples/sources/household.toml");
    let added = match engine {
        Engine::Postgres => site.add_told(main, &mapping.replace("table = \"", "table = \"crm.")),
        _ => site.add(main, "household.toml"),
    };
    let added = document(&added);
    let related = added["related"].as_array().unwrap();
    assert_eq!(related.len(), 2);
    let roles = |at: usize| -> BTreeMap<String, String> {
        let columns = related[at]["columns"].as_array().unwrap();
        let role = |column: &Value, key: &str| column[key].as_str().unwrap().to_owned();
        columns
            .iter()
            .map(|column| (role(column, "column"), role(column, "role")))
            .collect()
    };
    let children = roles(0);
    assert_eq!(
        (
            children["name"].as_str(),
            children["birthday"].as_str(),
            children["sex"].as_str()
        ),
        ("child_name", "child_birth_date", "child_sex")
    );
    // A guardian who was born when the membership began could have no children.
    assert_eq!(roles(1)["since"], "created_at");
    (site, main)
}

/// A program outside of the database knows their rows in every table, and nobody else's of the same key.
async fn outside(site: &Site) {
    let [csv, key] = ["hashes.csv", "hashes.key"].map(|name| site.otori.dir().join(name));
    let (csv, key) = (csv.to_str().unwrap(), key.to_str().unwrap());
    site.otori
        .json(&["suppress", "shop", "--csv", csv, "--key-file", key]);
    let hex = std::fs::read_to_string(key).unwrap();
    let text = std::fs::read_to_string(csv).unwrap();
    let lines: BTreeSet<&str> = text.lines().collect();
    assert!(text.starts_with("of,hmac_sha256,table\n"), "{text}");
    for canary in site.canaries().await {
        if canary.state != otori::canary::State::Live {
            continue;
        }
        for (at, row) in canary.details.rows.iter().enumerate() {
            let of = if at == 0 { "key" } else { "related_key" };
            let key: Vec<&str> = row.key.iter().map(|(_, value)| value.as_str()).collect();
            let tag = hashed(&hex, &key.join(&BETWEEN.to_string()));
            let line = format!("{of},{tag},{}", row.table);
            assert!(lines.contains(line.as_str()), "{line}");
        }
    }
    for name in [csv, key] {
        std::fs::remove_file(name).unwrap();
    }
}

/// No table counts a row of theirs where the views are read in its place.
async fn kept_out(site: &Site) {
    let script = site.otori.dir().join("counted.sql");
    let words = ["suppress", "shop", "--view", "counted", "--out"];
    let made = site
        .otori
        .json(&[&words[..], &[script.to_str().unwrap()]].concat());
    assert_eq!(made["related_views"].as_array().unwrap().len(), 2, "{made}");
    client(&site.ground, &std::fs::read_to_string(&script).unwrap());
    let canaries = site.canaries().await;
    let live = canaries
        .iter()
        .filter(|canary| canary.state == otori::canary::State::Live);
    let rows: Vec<_> = live.flat_map(|canary| &canary.details.rows).collect();
    for (table, view) in [
        ("guardians", "counted"),
        ("children", "counted_children"),
        ("memberships", "counted_memberships"),
    ] {
        let own = rows.iter().filter(|row| row.table.ends_with(table)).count();
        let count = format!(
            "select (select count(*) from crm.{table}) - (select count(*) from crm.{view})"
        );
        assert_eq!(
            client(&site.ground, &count).trim(),
            own.to_string(),
            "{table}"
        );
    }
    outside(site).await;
    client(
        &site.ground,
        "drop view crm.counted, crm.counted_children, crm.counted_memberships",
    );
}

async fn whole(engine: Engine) {
    let (site, main) = families(engine).await;
    let beside = main.replace("guardians", "children");
    let all = format!(
        "select g.name, g.postcode, g.address, g.tel, c.name as child_name, c.birthday as child_birthday
         from {main} g left join {beside} c on c.guardian_id = g.id"
    );
    let canaries = site.story(60, &all).await;
    // So many children, and memberships for as many, as the customers have.
    let mut children: BTreeMap<usize, usize> = BTreeMap::new();
    let mut members = 0;
    for canary in &canaries {
        let rows = &canary.details.rows;
        let of = |table: &str| rows.iter().filter(|row| row.table.ends_with(table)).count();
        *children.entry(of("children")).or_default() += 1;
        members += of("memberships");
        assert_eq!(of("children"), canary.details.household.children.len());
        let names: Vec<&str> = rows
            .iter()
            .flat_map(|row| &row.cells)
            .filter(|cell| cell.role == Role::ChildName)
            .filter_map(|cell| cell.value.as_deref())
            .collect();
        let family = &canary.details.household.guardian.family.written;
        assert!(
            names.iter().all(|name| name.starts_with(family.as_str())),
            "a family has one name"
        );
        assert_eq!(
            names.len(),
            names.iter().collect::<std::collections::HashSet<_>>().len()
        );
    }
    let of = |count: usize| children.get(&count).copied().unwrap_or(0);
    assert!(
        (2..=24).contains(&of(0)) && of(1) > of(0) && of(2) >= 7 && of(3) >= 2,
        "{children:?}"
    );
    assert!((20..=58).contains(&members), "{members}");

    // Nothing says when rows of theirs change: what is left are moves.
    site.otori.json(&["plant", "shop", "--count", "10"]);
    let tended = site.otori.json(&["tend", "shop", "--rate", "1e12"]);
    let told = &tended["sources"][0];
    assert_eq!(told["failed"], Value::Array(Vec::new()));
    assert_eq!(told["changed"], 10, "{tended}");
    assert!(told["changes"].to_string().contains("address"), "{tended}");
    if engine == Engine::Postgres {
        kept_out(&site).await;
    }
    let verified = site.verified();
    assert_eq!(verified["intact"], 10, "{verified}");
    site.otori.json(&["unplant", "shop", "--yes"]);

    // What somebody changes in a related table is told with its table; what is gone, too.
    site.otori.json(&["plant", "shop", "--count", "10"]);
    let canaries = site.canaries().await;
    let live = canaries
        .iter()
        .filter(|canary| canary.state == otori::canary::State::Live);
    let mut mothers = live.filter(|canary| !canary.details.household.children.is_empty());
    let key = |canary: &otori::canary::Canary| canary.details.rows[0].key[0].1.clone();
    let (one, other) = (mothers.next().unwrap(), mothers.next().unwrap());
    // The children's table alone names the source, too.
    let table = beside.replace("crm.", "");
    let traced = site.leaked(&format!("select {table}.* from {beside}"));
    assert_eq!(traced["sources"][0]["source"], "shop", "{traced}");
    site.ground
        .run(&format!(
            "update {beside} set grade = '大1' where no = 1 and guardian_id = {}",
            key(one)
        ))
        .await;
    site.ground
        .run(&format!(
            "delete from {beside} where no = 1 and guardian_id = {}",
            key(other)
        ))
        .await;
    let verified = site.verified();
    assert_eq!(
        (
            &verified["intact"],
            &verified["altered"],
            &verified["missing"]
        ),
        (&Value::from(8), &Value::from(2), &Value::from(0))
    );
    let altered = verified["altered_canaries"].to_string();
    assert!(
        altered.contains("children.grade") && altered.contains("children (its row is gone)"),
        "{altered}"
    );
    let refused = site
        .otori
        .command(&["unplant", "shop", "--yes"])
        .output()
        .unwrap();
    assert!(
        super::told(&refused).contains("changed since"),
        "{refused:?}"
    );
    site.otori.json(&["unplant", "shop", "--yes", "--force"]);
    let left = site.dump().await;
    assert_eq!(left[main].len(), FAMILIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn families_on_sqlite() {
    whole(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn families_on_postgres() {
    whole(Engine::Postgres).await;
}
