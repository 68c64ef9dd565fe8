//! Canaries kept out of what the source's own people count, by the filters that `otori suppress` writes.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use hmac::{Hmac, KeyInit, Mac};
use otori::database::Engine;
use serde_json::Value;
use sha2::Sha256;

use super::ground::Ground;
use super::shop::{failed, prepared};
use crate::harness::Otori;

/// What the database's own client answers to a script.
pub(super) fn client(ground: &Ground, script: &str) -> String {
    let url = url::Url::parse(&ground.url).unwrap();
    let password = url.password().unwrap();
    let mut command = match ground.engine {
        Engine::Postgres => {
            let mut psql = Command::new("psql");
            psql.args(["-qAt", "-v", "ON_ERROR_STOP=1", &ground.url]);
            psql
        }
        _ => {
            let mut mariadb = Command::new("mariadb");
            mariadb
                .args(["--no-defaults", "--default-character-set=utf8mb4", "-N"])
                .args(["-u", url.username()])
                .args(["-h", url.host_str().unwrap()])
                .args(["-P", &url.port().unwrap().to_string()])
                .arg(url.path().trim_start_matches('/'))
                .env("MYSQL_PWD", password);
            mariadb
        }
    };
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    let done = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    String::from_utf8(done.stdout).unwrap()
}

/// The hash of a text under a key in hexadecimal.
pub(super) fn hashed(key: &str, text: &str) -> String {
    let secret: Vec<u8> = (0..32)
        .map(|place| u8::from_str_radix(&key[2 * place..2 * place + 2], 16).unwrap())
        .collect();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&secret).unwrap();
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys of the canaries' rows.
async fn keys(otori: &Otori) -> BTreeSet<String> {
    let canaries = otori.registry.canaries(None).await.unwrap();
    let rows = canaries.iter().flat_map(|canary| &canary.details.rows);
    rows.map(|row| row.key[0].1.clone()).collect()
}

/// The keys that the view leaves out.
fn missing(ground: &Ground) -> BTreeSet<String> {
    let quote = if ground.engine == Engine::Postgres {
        '"'
    } else {
        '`'
    };
    let of = |name: &str| format!("{quote}{name}{quote}");
    let (table, view) = (of("顧客"), of("現顧客"));
    let script = format!("select id from {table} where id not in (select id from {view});\n");
    client(ground, &script).lines().map(str::to_owned).collect()
}

async fn kept_out(engine: Engine) {
    let (otori, ground) = prepared(engine, 300).await;
    let told = failed(&otori, &["suppress", "shop"]);
    assert!(told.contains("no canary stands in shop"), "{told}");
    otori.json(&["plant", "shop", "--count", "20"]);
    let file = otori.dir().join("first.sql");
    let made = |name: &str| {
        let file = otori.dir().join(name);
        let words = [
            "suppress",
            "shop",
            "--view",
            "現顧客",
            "--out",
            file.to_str().unwrap(),
        ];
        let made = otori.json(&words);
        (std::fs::read_to_string(&file).unwrap(), made)
    };
    let (script, told) = made("first.sql");
    assert_eq!(
        (&told["canaries"], &told["unkeyed"]),
        (&Value::from(20), &Value::from(0))
    );
    // Nothing of a canary stands in it, and nothing says how many there are or what it is for.
    for canary in otori.registry.canaries(None).await.unwrap() {
        for (_, value) in canary
            .written()
            .filter(|(_, value)| value.chars().count() > 3)
        {
            assert!(
                !script.contains(value),
                "a value of a canary is in the script"
            );
        }
    }
    // The test's own database has the name in it.
    let database = ground.url.rsplit('/').next().unwrap();
    let named = script.replace(database, "").to_lowercase();
    assert!(!named.contains("otori") && !named.contains("canar"));
    client(&ground, &script);
    assert_eq!(missing(&ground), keys(&otori).await);

    // After another batch it is made anew, and put over the first.
    otori.json(&["plant", "shop", "--count", "10"]);
    assert_eq!(missing(&ground).len(), 20);
    let (script, _) = made("second.sql");
    client(&ground, &script);
    let hidden = missing(&ground);
    assert_eq!(hidden, keys(&otori).await);
    assert_eq!(hidden.len(), 30);
    let told = failed(
        &otori,
        &["suppress", "shop", "--out", file.to_str().unwrap()],
    );
    assert!(told.contains("is there already"), "{told}");
}

#[tokio::test]
async fn kept_out_on_postgres() {
    kept_out(Engine::Postgres).await;
}

#[tokio::test]
async fn kept_out_on_mariadb() {
    kept_out(Engine::MySql).await;
}

#[tokio::test]
async fn hashes_for_a_program_outside() {
    let (otori, _ground) = prepared(Engine::Sqlite, 100).await;
    otori.json(&["plant", "shop", "--count", "5"]);
    let told = failed(&otori, &["suppress", "shop"]);
    assert!(
        told.contains("SQLite has no SHA-256") && told.contains("--csv"),
        "{told}"
    );
    assert!(!otori.dir().join("suppress.sql").exists());

    let (csv, key) = (
        otori.dir().join("hashes.csv"),
        otori.dir().join("hashes.key"),
    );
    let words = ["suppress", "shop", "--csv", csv.to_str().unwrap()];
    otori.json(&[&words[..], &["--key-file", key.to_str().unwrap()]].concat());
    let hex = std::fs::read_to_string(&key).unwrap();
    let tag = |kind: &str, text: &str| format!("{kind},{}", hashed(&hex, text));
    let text = std::fs::read_to_string(&csv).unwrap();
    // One table needs no name.
    assert!(text.starts_with("of,hmac_sha256\n"), "{text}");
    let lines: BTreeSet<&str> = text.lines().skip(1).collect();
    // Three kinds, each filled up.
    for kind in ["key", "mail", "phone"] {
        let count = lines.iter().filter(|line| line.starts_with(kind)).count();
        assert!(count.is_power_of_two() && count >= 64, "{kind}: {count}");
    }
    // What a later canary may get is known before.
    for entry in otori.registry.pool().await.unwrap() {
        let point = entry.point.identity();
        match entry.point.kind().name() {
            "mailbox" => assert!(lines.contains(tag("mail", &point).as_str())),
            "phone" => assert!(lines.contains(tag("phone", &point).as_str())),
            _ => {}
        }
    }
    for canary in otori.registry.canaries(None).await.unwrap() {
        let row = &canary.details.rows[0];
        assert!(lines.contains(tag("key", &row.key[0].1).as_str()));
        for (role, value) in canary.written() {
            match role.name() {
                "email" => assert!(lines.contains(tag("mail", &value.to_lowercase()).as_str())),
                "phone" | "mobile" => {
                    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                    let phone = format!("+81{}", digits.trim_start_matches('0'));
                    assert!(lines.contains(tag("phone", &phone).as_str()));
                }
                _ => {}
            }
        }
    }
    assert!(
        !lines.contains(tag("key", "1").as_str()),
        "a customer is kept out"
    );
}
