//! Canaries whose rows stand in several tables that refer to each other.

mod aged;
mod family;
mod known;
mod people;
mod refused;
mod seen;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use otori::canary::Canary;
use otori::database::Engine;
use serde_json::Value;

use super::ground::Ground;
use crate::harness::Otori;

/// A customer database of several tables, and a workspace with contact points for it.
pub struct Site {
    pub otori: Otori,
    pub ground: Ground,
    pub tables: Vec<&'static str>,
}

impl Site {
    /// Runs the statements in an empty database.
    pub async fn new(engine: Engine, tables: &[&'static str], statements: &[String]) -> Site {
        let site = Site {
            otori: Otori::new().await,
            ground: Ground::bare(engine).await,
            tables: tables.to_vec(),
        };
        for statement in statements {
            site.ground.run(statement).await;
        }
        let drops: [&[&str]; 2] = [
            &[
                "--postcode",
                "100-0013",
                "--address",
                "東京都千代田区霞が関9-12-8 囮ハイツ",
                "--units",
                "101-399",
            ],
            &[
                "--postcode",
                "12345",
                "--address",
                "99900 Example Ave, Schenectady",
                "--units",
                "1-90",
            ],
        ];
        for drop in drops {
            site.otori.json(&[&["pool", "add", "drop"], drop].concat());
        }
        site.otori.json(&[
            "pool",
            "add",
            "phone",
            "090-0123-0001",
            "090-0123-0002",
            "090-0123-0003",
            "090-0123-0004",
            "090-0123-0005",
            "090-0123-0006",
            "090-0123-0007",
            "090-0123-0008",
            "090-0123-0009",
            "090-0123-0010",
            "090-0123-0011",
            "090-0123-0012",
            "03-0123-0003",
            "+1 202-555-0117",
            "+1 518-555-0142",
            "+1 212-555-0143",
            "+1 315-555-0144",
            "+1 312-555-0145",
            "+1 202-555-0146",
            "+1 202-555-0147",
            "+1 518-555-0148",
        ]);
        site
    }

    /// `otori source add` with a mapping file of `examples/sources`.
    pub fn add(&self, table: &str, mapping: &str) -> Output {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/sources")
            .join(mapping);
        let args = [
            "source",
            "add",
            "shop",
            "--url",
            &self.ground.url,
            "--table",
            table,
            "--mapping",
        ];
        self.otori
            .command(&args)
            .arg(path)
            .arg("--json")
            .output()
            .unwrap()
    }

    /// The same with a mapping of the test's own.
    pub fn add_told(&self, table: &str, mapping: &str) -> Output {
        let path = self.otori.dir().join("told.toml");
        std::fs::write(&path, mapping).unwrap();
        self.add(table, path.to_str().unwrap())
    }

    /// Every row of every table.
    pub async fn dump(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut all = BTreeMap::new();
        for table in &self.tables {
            all.insert(*table, self.ground.dump(table).await);
        }
        all
    }

    pub async fn canaries(&self) -> Vec<Canary> {
        self.otori.registry.canaries(None).await.unwrap()
    }

    /// Rows of which the table has more than before.
    pub fn added(&self, before: &[String], after: &[String]) -> usize {
        assert!(
            before.iter().all(|row| after.contains(row)),
            "a customer's row was changed"
        );
        after.len() - before.len()
    }

    #[track_caller]
    pub fn verified(&self) -> Value {
        let Output { stdout, .. } = self
            .otori
            .command(&["verify", "shop", "--json"])
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&stdout).unwrap();
        document["sources"][0].clone()
    }

    /// The database's own client, as an administrator would call it.
    fn client(&self) -> Command {
        match self.ground.engine {
            Engine::Sqlite => {
                let mut command = Command::new("sqlite3");
                command
                    .args(["-bail", "-csv", "-header"])
                    .arg(self.ground.url.trim_start_matches("sqlite:"));
                command
            }
            Engine::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-qX", "--csv", "-v", "ON_ERROR_STOP=1", &self.ground.url]);
                command
            }
            _ => {
                let url = url::Url::parse(&self.ground.url).unwrap();
                let port = url.port().unwrap().to_string();
                let mut command = Command::new("mariadb");
                command.args([
                    "--no-defaults",
                    "--default-character-set=utf8mb4",
                    "--batch",
                ]);
                command.args(["-h", "127.0.0.1", "-P", &port, "-u", url.username()]);
                command
                    .env("MYSQL_PWD", url.password().unwrap())
                    .arg(url.path().trim_matches('/'));
                command
            }
        }
    }

    /// Runs a script in the database's own client; what that printed.
    pub fn administer(&self, script: &Path) -> Vec<u8> {
        let run = self
            .client()
            .stdin(std::fs::File::open(script).unwrap())
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        run.stdout
    }

    /// What a thief takes with one statement, in the hands of an analyst: the trace of that list.
    pub fn leaked(&self, statement: &str) -> Value {
        let (script, list) = (
            self.otori.dir().join("leak.sql"),
            self.otori.dir().join("leak.csv"),
        );
        std::fs::write(&script, format!("{statement};\n")).unwrap();
        std::fs::write(&list, self.administer(&script)).unwrap();
        self.otori.json(&["trace", list.to_str().unwrap()])
    }

    /// Planted, found again, removed; handed out, run by an administrator, found, removed. What stood there
    /// before stands there afterwards, byte for byte. A list that a thief took with `leak` while they stood
    /// there names the source. Returns the canaries of the first planting.
    pub async fn story(&self, count: usize, leak: &str) -> Vec<Canary> {
        let number = count.to_string();
        let before = self.dump().await;
        let shown = self
            .otori
            .json(&["plant", "shop", "--count", &number, "--dry-run"]);
        assert_eq!(shown["dry_run"]["rows"].as_array().unwrap().len(), count);
        assert_eq!(self.dump().await, before);

        let planted = self.otori.json(&["plant", "shop", "--count", &number]);
        assert_eq!(planted["planted"], count);
        let canaries = self.canaries().await;
        let after = self.dump().await;
        let rows: usize = canaries
            .iter()
            .map(|canary| canary.details.rows.len())
            .sum();
        let added = before
            .iter()
            .map(|(table, rows)| self.added(rows, &after[table]));
        assert_eq!(added.sum::<usize>(), rows);
        let verified = self.verified();
        assert_eq!(
            (&verified["live"], &verified["intact"]),
            (&Value::from(count), &Value::from(count)),
            "{verified}"
        );
        let traced = self.leaked(leak);
        assert_eq!(traced["verdict"], "attributed", "{traced}");
        let named = &traced["sources"][0];
        assert_eq!(
            (&named["source"], &named["found"]),
            (&Value::from("shop"), &Value::from(count)),
            "{traced}"
        );

        self.otori.json(&["unplant", "shop", "--yes"]);
        assert_eq!(self.dump().await, before);

        let script = self.otori.dir().join("batch.sql");
        let path = script.to_str().unwrap();
        self.otori
            .json(&["plant", "shop", "--count", &number, "--sql", path]);
        assert_eq!(self.dump().await, before);
        let verified = self.verified();
        assert_eq!(
            (&verified["handed_out"], &verified["arrived"]),
            (&Value::from(count), &Value::from(0))
        );
        self.administer(&script);
        let verified = self.verified();
        assert_eq!(
            (&verified["live"], &verified["intact"]),
            (&Value::from(count), &Value::from(count)),
            "{verified}"
        );
        self.otori.json(&["unplant", "shop", "--yes"]);
        assert_eq!(self.dump().await, before);
        canaries
    }
}

/// What a command that failed said.
#[track_caller]
pub fn told(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub fn document(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
