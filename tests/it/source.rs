//! `otori source` on SQLite and CSV: what is understood, what is asked, what is refused.

use std::path::PathBuf;
use std::process::Output;

use otori::notation::Role;
use otori::persona::Locale;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::harness::Otori;
use crate::notation::{SCHOOL, Spec, rows};

/// A workspace and a customer database.
struct Shop {
    otori: Otori,
}

impl Shop {
    async fn new() -> Shop {
        Shop {
            otori: Otori::new().await,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.otori.dir().join(name)
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path("shop.db").display())
    }

    async fn sql(&self, statements: &[String]) {
        let url = format!("{}?mode=rwc", self.url());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        for statement in statements {
            sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
    }

    /// A table of generated people; `extra` columns are declared as they stand.
    async fn table(&self, name: &str, specs: &[Spec], extra: &str, count: usize) {
        let columns: Vec<String> = specs
            .iter()
            .map(|(header, ..)| format!("\"{header}\" text"))
            .collect();
        let mut sql = vec![format!(
            "create table {name} ({}{extra})",
            columns.join(", ")
        )];
        let names: Vec<String> = specs
            .iter()
            .map(|(header, ..)| format!("\"{header}\""))
            .collect();
        for row in rows(Locale::JaJp, specs, count) {
            let values: Vec<String> = row
                .iter()
                .map(|value| format!("'{}'", value.replace('\'', "''")))
                .collect();
            sql.push(format!(
                "insert into {name} ({}) values ({})",
                names.join(", "),
                values.join(", ")
            ));
        }
        self.sql(&sql).await;
    }

    fn source(&self, args: &[&str]) -> Output {
        std::process::Command::new(env!("CARGO_BIN_EXE_otori"))
            .arg("source")
            .args(args)
            .current_dir(self.otori.dir())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    fn add(&self, name: &str, table: &str, more: &[&str]) -> Output {
        let url = self.url();
        let mut args = vec!["add", name, "--url", &url, "--table", table];
        args.extend(more);
        self.source(&args)
    }

    fn list(&self) -> Vec<Value> {
        json(&self.source(&["list", "--json"]))["sources"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Runs `source add`, which must fail with exit status 1 and these words, and register nothing.
    #[track_caller]
    fn refused(&self, output: &Output, words: &[&str]) {
        let told = stderr(output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        for word in words {
            assert!(told.contains(word), "no '{word}' in: {told}");
        }
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn column<'a>(document: &'a Value, name: &str) -> &'a Value {
    let columns = document["columns"].as_array().unwrap();
    columns
        .iter()
        .find(|column| column["column"] == name)
        .unwrap()
}

#[tokio::test]
async fn a_school_s_table_is_understood_registered_and_shown() {
    let shop = Shop::new().await;
    shop.table(
        "生徒",
        SCHOOL,
        ", id integer primary key, コース text default '標準', 備考 text",
        120,
    )
    .await;
    let added = shop.add("school", "生徒", &["--json"]);
    assert_eq!(added.status.code(), Some(0), "{}", stderr(&added));
    let document = json(&added);
    assert_eq!(
        (&document["source"], &document["engine"], &document["rows"]),
        (&"school".into(), &"SQLite".into(), &120.into())
    );
    assert_eq!(document["registered"], true);
    for (header, role, example) in SCHOOL {
        let column = column(&document, header);
        assert_eq!(
            (column["role"].as_str(), column["format"].as_str()),
            (Some(role.name()), Some(*example))
        );
        assert!(column["confidence"].as_f64().unwrap() >= 0.9);
    }
    assert_eq!(column(&document, "id")["role"], "id");
    assert_eq!(column(&document, "備考")["role"], "skip");
    // The harness's pool has a mail domain and a number, and no drop.
    assert_eq!(document["pool_lacks"], serde_json::json!(["drop"]));
    let preview = document["preview"].as_array().unwrap();
    assert_eq!(preview.len(), 3);
    assert!(
        preview.iter().all(|row| row[2] == "03-0123-4567"),
        "an owned number"
    );

    let shown = json(&shop.source(&["show", "school", "--json"]));
    assert_eq!(shown["columns"], document["columns"]);
    let words = shop.source(&["show", "school"]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(
        words.contains("保護者氏名") && words.contains("pool empty: would be a postal address"),
        "{words}"
    );
    let list = shop.list();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["table"], "生徒");

    // The name is taken, and so is the table.
    shop.refused(
        &shop.add("school", "生徒", &[]),
        &["a source named 'school' is registered already"],
    );
    shop.refused(
        &shop.add("other", "生徒", &[]),
        &["registered already, as source 'school'"],
    );
    shop.refused(
        &shop.source(&["show", "nobody"]),
        &["no source named 'nobody'", "school"],
    );
    assert_eq!(shop.list().len(), 1);
}

/// A Japanese table's clock shows Japan's time, as planting writes it.
#[tokio::test]
async fn a_preview_has_the_table_s_clock() {
    let shop = Shop::new().await;
    let made = ", created_at text default '2026-01-02 03:04:05'";
    shop.table("members", &SCHOOL[..8], made, 60).await;
    let document = json(&shop.add("school", "members", &["--json"]));
    assert_eq!(column(&document, "created_at")["role"], "created_at");
    let now = time::OffsetDateTime::now_utc() + time::Duration::hours(9);
    for row in document["preview"].as_array().unwrap() {
        let hour = |at: time::OffsetDateTime| format!("{} {:02}:", at.date(), at.hour());
        let earlier = hour(now - time::Duration::minutes(5));
        let shown = row[8].as_str().unwrap();
        let fits = |hour: &str| shown.starts_with(hour);
        assert!(fits(&hour(now)) || fits(&earlier), "{shown}");
    }
}

#[tokio::test]
async fn what_is_unclear_is_asked_and_nothing_is_registered() {
    let shop = Shop::new().await;
    shop.table("members", &SCHOOL[..8], ", sx text", 60).await;
    shop.sql(&[
        "update members set sx = cast(rowid % 2 as text)".to_owned(),
        "alter table members rename column sx to sex".to_owned(),
    ])
    .await;
    let output = shop.add("members", "members", &["--yes"]);
    shop.refused(
        &output,
        &["nothing was registered", "column 'sex'", "--map sex="],
    );
    let document = json(&shop.add("members", "members", &["--json"]));
    assert_eq!(document["registered"], false);
    assert_eq!(document["unresolved"][0]["column"], "sex");
    assert!(shop.list().is_empty());

    let output = shop.add("members", "members", &["--map", "sex=other"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no primary key"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_mapping_file_says_what_it_means() {
    let shop = Shop::new().await;
    shop.table("members", SCHOOL, ", tenant text not null default '7'", 30)
        .await;
    let file = shop.path("m.toml");
    let path = file.to_str().unwrap().to_owned();
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        shop.add("members", "members", &["--mapping", &path, "--json"])
    };
    shop.refused(
        &with("[columns.telephone]\nrole = \"phone\"\n"),
        &["'telephone'", "郵便番号", "tenant"],
    );
    shop.refused(
        &with("[columns.tenant]\nrole = \"othr\"\n"),
        &["m.toml", "line 2", "othr"],
    );
    shop.refused(
        &with("[columns.tenant]\nrol = \"other\"\n"),
        &["line 2", "rol"],
    );
    shop.refused(
        &with("[columns.\"生年月日\"]\nrole = \"child_birth_date\"\nformat = \"some day\"\n"),
        &["some day", "1972-04-01"],
    );
    let dir = shop.otori.dir().to_str().unwrap();
    shop.refused(
        &shop.add("members", "members", &["--mapping", dir]),
        &["cannot be read"],
    );
    assert!(shop.list().is_empty());
    let output = with(
        "[columns.tenant]\nrole = \"other\"\nvalue = \"42\"\n[columns.\"性別\"]\nrole = \"child_sex\"\nformat = \"男性/女性\"\n",
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(column(&document, "性別")["format"], "男性/女性");
    let last = document["preview"][0]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last, "42");
}

#[tokio::test]
async fn what_cannot_be_a_source_is_refused() {
    let shop = Shop::new().await;
    shop.table("customers", SCHOOL, "", 20).await;
    shop.sql(&[
        "create view everybody as select * from customers".to_owned(),
        "create table blank (id integer primary key, email text not null, name text)".to_owned(),
        "create table sales (id integer primary key, price integer)".to_owned(),
        "insert into sales (price) values (100), (200)".to_owned(),
    ])
    .await;
    shop.refused(
        &shop.add("a", "custmers", &[]),
        &["no table 'custmers'", "customers"],
    );
    shop.refused(
        &shop.add("a", "everybody", &[]),
        &["view", "register the table"],
    );
    shop.refused(
        &shop.add("a", "blank", &[]),
        &["no rows", "--map email=email", "--map name=name"],
    );
    shop.refused(
        &shop.add("a", "sales", &[]),
        &["nobody could recognise a canary"],
    );
    let told = shop.add(
        "a",
        "blank",
        &["--map", "email=email", "--map", "name=name"],
    );
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));

    let dir = shop.otori.dir().to_str().unwrap().to_owned();
    std::fs::write(shop.path("empty.db"), "").unwrap();
    for (url, words) in [
        (format!("sqlite:{dir}/missing.db"), "there is no file"),
        (format!("sqlite:{dir}"), "not a file but"),
        (format!("sqlite:{dir}/empty.db"), "empty (0 bytes)"),
        (format!("csv:{dir}"), "not a file but"),
        (format!("csv:{dir}/empty.db"), "empty"),
        (
            "postgres://otori:hush@127.0.0.1:1/shop".to_owned(),
            "no connection to postgres://otori:***@127.0.0.1:1/shop",
        ),
    ] {
        let output = shop.source(&["add", "b", "--url", &url, "--table", "customers"]);
        shop.refused(&output, &[words]);
        assert!(!stderr(&output).contains("hush"));
    }
    let output = shop.source(&["add", "b", "--url", "oracle:x", "--table", "t"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = shop.add("b", "customers", &["--map", "氏名=nmae"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("nmae") && stderr(&output).contains("family_name_kana"));
}

#[tokio::test]
async fn a_csv_file_is_a_source_without_naming_a_table() {
    let shop = Shop::new().await;
    let mut text: String = SCHOOL
        .iter()
        .map(|(header, ..)| *header)
        .collect::<Vec<_>>()
        .join(",")
        + "\n";
    for row in rows(Locale::JaJp, SCHOOL, 40) {
        text += &(row.join(",") + "\n");
    }
    text += "ragged,line\n";
    std::fs::write(shop.path("export.csv"), text).unwrap();
    let output = shop.source(&["add", "partner", "--url", "csv:export.csv", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 lines"), "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(
        (&document["engine"], &document["rows"]),
        (&"CSV".into(), &40.into())
    );
    // Stored so that it means the same from any directory.
    assert!(
        shop.list()[0]["url"]
            .as_str()
            .unwrap()
            .contains(shop.otori.dir().to_str().unwrap())
    );
}

/// Some generated people have no mail address; as canaries they get one, and are shown with it.
#[tokio::test]
async fn every_canary_of_a_table_with_mail_addresses_is_shown_with_one() {
    let shop = Shop::new().await;
    let mail = ("メールアドレス", Role::Email, "lower case");
    let columns: Vec<Spec> = SCHOOL.iter().copied().chain([mail]).collect();
    shop.table("生徒", &columns, "", 60).await;
    for number in 0..8 {
        let name = format!("school-{number}");
        shop.sql(&[format!("create table t{number} as select * from 生徒")])
            .await;
        let added = json(&shop.add(&name, &format!("t{number}"), &["--json"]));
        for row in added["preview"].as_array().unwrap() {
            let address = row[SCHOOL.len()].as_str().unwrap_or_default();
            assert!(address.ends_with("@decoys.example"), "{row}");
        }
    }
}

/// A pool with numbers and drops of two countries: a Japanese table is shown, and planned for, with the
/// Japanese ones only.
#[tokio::test]
async fn contact_points_of_another_country_are_not_counted_and_not_shown() {
    let shop = Shop::new().await;
    shop.table("生徒", SCHOOL, "", 60).await;
    let pool = |args: &[&str]| shop.otori.json(&[&["pool", "add"], args].concat());
    pool(&["phone", "+1 202-555-0117", "+1 312-555-0142"]);
    pool(&[
        "drop",
        "--postcode",
        "12345",
        "--address",
        "99900 Juniper Ave, Schenectady",
    ]);
    let kasumi = [
        "--postcode",
        "100-0013",
        "--address",
        "東京都千代田区霞が関9-12-8 霞ハイツ",
    ];
    pool(&[&["drop"], &kasumi[..], &["--units", "101-110"]].concat());
    let added = json(&shop.add("school", "生徒", &["--json"]));
    let columns = added["columns"].as_array().unwrap();
    let place = |role: &str| {
        columns
            .iter()
            .position(|column| column["role"] == role)
            .unwrap()
    };
    for row in added["preview"].as_array().unwrap() {
        assert_eq!(row[place("phone")], "03-0123-4567");
        assert!(
            row[place("address")].as_str().unwrap().contains("霞ハイツ"),
            "{row}"
        );
    }
    let planned = shop.otori.json(&["plan", "school"]);
    let room = |kind: &str| {
        let pool = planned["pool"].as_array().unwrap();
        pool.iter().find(|room| room["kind"] == kind).unwrap()["canaries"].clone()
    };
    assert_eq!(room("drops"), 10);
    assert_eq!(room("phone numbers"), 20);
}
