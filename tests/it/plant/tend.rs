//! Canaries age: small changes at the table's own rate, each a version in the registry, and no customer's
//! row is ever touched.

use std::collections::HashMap;
use std::process::Command;

use otori::canary::{Canary, SourceName};
use otori::database::{Database, Engine};
use otori::notation::Mapping;
use otori::plant::{self, TendAsk, TendStep};
use otori::registry::Mark;
use otori::workspace::Workspace;
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::OffsetDateTime;

use super::ground::{ENGINES, Ground};
use super::shop::{MAPPING, dump, prepared, register};
use crate::harness::Otori;

const CUSTOMERS: usize = 400;
/// Whoever has been there for a moment is due.
const AT_ONCE: &str = "1e12";

/// The shop with a flag that changes when a row is touched, the moment of its last change, and a column that
/// the database computes; planted with some canaries.
async fn club(engine: Engine, canaries: usize) -> (Otori, Ground) {
    let (otori, ground) = prepared(engine, CUSTOMERS).await;
    let (time, stored) = match engine {
        Engine::Postgres => ("timestamp", "stored"),
        Engine::MySql => ("datetime", "stored"),
        _ => ("text", "virtual"),
    };
    let joined = match engine {
        Engine::MySql => "concat(氏名, プラン)",
        _ => "氏名 || プラン",
    };
    for statement in [
        "alter table 顧客 add column 配信 varchar(4)".to_owned(),
        format!("alter table 顧客 add column 更新日時 {time}"),
        format!(
            "alter table 顧客 add column 検索 varchar(60) generated always as ({joined}) {stored}"
        ),
    ] {
        ground.run(&statement).await;
    }
    let mut moments = String::new();
    let mut flags = String::new();
    for id in 1..=CUSTOMERS {
        // Every second row was touched, and then three in four want the news; before that one in ten does.
        let touched = id % 2 == 0;
        let (hour, minute) = (id * 7 % 12 + 9, id * 11 % 60);
        let moment = match touched {
            true => format!(
                "'2025-0{}-{:02} {hour:02}:{minute:02}:00'",
                id % 8 + 2,
                id % 27 + 1
            ),
            false => "登録日時".to_owned(),
        };
        let moment = match (engine, touched) {
            (Engine::Postgres, true) => format!("timestamp {moment}"),
            _ => moment,
        };
        let wants = if touched { id % 8 != 0 } else { id % 20 == 1 };
        moments += &format!(" when {id} then {moment}");
        flags += &format!(" when {id} then '{}'", u8::from(wants));
    }
    ground
        .run(&format!(
            "update 顧客 set 更新日時 = case id{moments} end, 配信 = case id{flags} end"
        ))
        .await;
    let more = r#", "配信": {"role": "other"}, "更新日時": {"role": "updated_at"}, "検索": {"role": "skip"}}}"#;
    let mapping = MAPPING.strip_suffix("}}").unwrap().to_owned() + more;
    register(
        &otori,
        "club",
        &ground.url,
        &Mapping::from_json(&mapping).unwrap(),
    )
    .await;
    let planted = otori.json(&["plant", "club", "--count", &canaries.to_string()]);
    assert_eq!(planted["planted"], canaries);
    (otori, ground)
}

/// A rank follows from the orders, and those do not change: a rank that moved by itself would be seen at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_column_decides_does_not_change_by_itself() {
    let (otori, ground) = prepared(Engine::Sqlite, CUSTOMERS).await;
    for statement in [
        "alter table 顧客 add column 注文数 integer",
        "alter table 顧客 add column 階級 text",
        "alter table 顧客 add column 更新日時 text",
        // Whoever orders comes back.
        "update 顧客 set 注文数 = case id % 2 when 0 then id % 40 else id % 5 end",
        "update 顧客 set 階級 = case when 注文数 > 8 then 'gold' else 'regular' end",
        "update 顧客 set 更新日時 = case id % 2 when 0 then datetime(登録日時, '+' || (id % 90 + 1) || ' days') else 登録日時 end",
    ] {
        ground.run(statement).await;
    }
    let more = r#", "注文数": {"role": "other"}, "階級": {"role": "other"}, "更新日時": {"role": "updated_at"}}}"#;
    let mapping = MAPPING.strip_suffix("}}").unwrap().to_owned() + more;
    let mapping = Mapping::from_json(&mapping).unwrap();
    register(&otori, "club", &ground.url, &mapping).await;
    otori.json(&["plant", "club", "--count", "40", "--force"]);
    let sound = |canary: &Canary| {
        let cells = cells(canary);
        (cells["階級"] == "gold") == (cells["注文数"].parse::<u32>().unwrap() > 8)
    };
    let before = canaries(&otori).await;
    let few = before.iter().filter(|canary| sound(canary));
    let few = few.filter(|canary| cells(canary)["階級"] == "regular");
    assert!(few.count() > 5, "nobody could move");
    let tended = otori.json(&["tend", "club", "--rate", AT_ONCE]);
    assert!(tended.to_string().contains("階級"), "{tended}");
    let odd = |all: &[Canary]| all.iter().filter(|canary| !sound(canary)).count();
    let after = canaries(&otori).await;
    assert!(
        odd(&after) <= odd(&before),
        "{} of {}",
        odd(&after),
        odd(&before)
    );
}

fn name() -> SourceName {
    "club".parse().unwrap()
}

async fn canaries(otori: &Otori) -> Vec<Canary> {
    otori.registry.canaries(Some(&name())).await.unwrap()
}

fn cells(canary: &Canary) -> HashMap<&str, &str> {
    let cells = canary.details.rows[0].cells.iter();
    cells
        .map(|cell| {
            (
                cell.column.as_str(),
                cell.value.as_deref().unwrap_or_default(),
            )
        })
        .collect()
}

#[track_caller]
fn intact(otori: &Otori, count: usize) {
    let verified = otori.json(&["verify", "club"]);
    assert_eq!(
        (
            &verified["sources"][0]["live"],
            &verified["sources"][0]["intact"]
        ),
        (&count.into(), &count.into()),
        "{verified}"
    );
}

/// The rows that are no canary's, before and after.
fn customers(all: &[String], canaries: &[Canary]) -> Vec<String> {
    let codes: Vec<&str> = canaries
        .iter()
        .map(|canary| cells(canary)["会員番号"])
        .collect();
    let hex = |code: &str| {
        code.bytes()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
    };
    let ours = |row: &&String| {
        codes
            .iter()
            .any(|code| row.contains(code) || row.contains(&hex(code)))
    };
    all.iter().filter(|row| !ours(row)).cloned().collect()
}

async fn ages(engine: Engine) {
    let (otori, ground) = club(engine, 12).await;
    let planted = canaries(&otori).await;
    let before = dump(&ground).await;

    // Nothing is written by a dry run, and at the table's own rate nothing is due in the first second.
    let dry = otori.json(&["tend", "club", "--dry-run", "--rate", AT_ONCE]);
    assert_eq!(dry["sources"][0]["changed"], 12, "{dry}");
    assert_eq!(dry["sources"][0]["ageing_columns"][0], "配信");
    let idle = otori.json(&["tend", "club"]);
    assert_eq!(idle["sources"][0]["changed"], 0, "{idle}");
    assert_eq!(idle["sources"][0]["rate_from"], "learnt", "{idle}");
    assert_eq!(dump(&ground).await, before);
    assert!(
        canaries(&otori)
            .await
            .iter()
            .all(|canary| canary.versions.is_empty())
    );

    let tended = otori.json(&["tend", "club", "--rate", AT_ONCE]);
    let told = &tended["sources"][0];
    assert_eq!(
        (&told["changed"], &told["live"]),
        (&12.into(), &12.into()),
        "{tended}"
    );
    intact(&otori, 12);
    let aged = canaries(&otori).await;
    assert_eq!(
        customers(&dump(&ground).await, &aged),
        customers(&before, &planted)
    );
    let (mut flipped, mut moved) = (0, 0);
    for (old, new) in planted.iter().zip(&aged) {
        assert_eq!(new.versions.len(), 2);
        assert!(new.pending().is_none());
        assert_eq!(new.versions[0].until, Some(new.versions[1].from));
        assert!(new.versions[0].details == old.details && new.versions[1].details == new.details);
        let (old, new) = (cells(old), cells(new));
        assert_ne!(old["更新日時"], new["更新日時"]);
        for same in ["氏名", "メール", "電話", "登録日時", "生年月日", "プラン"] {
            assert_eq!(old[same], new[same]);
        }
        // A letter to where it was is for it, too.
        for details in aged.iter().flat_map(Canary::all_details).take(4) {
            let home = details.household.address.plain(details.household.locale);
            let found = otori.registry.find(Mark::Address, &home).await.unwrap();
            assert_eq!(found.len(), 1);
        }
        flipped += usize::from(old["配信"] != new["配信"]);
        moved += usize::from(old["住所"] != new["住所"]);
        assert!(new["住所"].contains("囮ハイツ"));
    }
    // Of those that did not want the news most do after a touch.
    assert!((1..12).contains(&flipped), "{flipped}");
    let units: std::collections::BTreeSet<String> = aged
        .iter()
        .flat_map(Canary::all_details)
        .map(|details| details.household.address.unit.clone().unwrap())
        .collect();
    assert_eq!(units.len(), 12 + moved);

    let shown = otori.json(&["reveal", aged[0].id.as_str()]);
    assert_eq!(shown["versions"].as_array().unwrap().len(), 2);
    assert_eq!(otori.json(&["source", "show", "club"])["versions"], 24);
    let file = otori.dir().join("proof.json");
    otori.json(&[
        "evidence",
        "prove",
        aged[0].id.as_str(),
        "--out",
        file.to_str().unwrap(),
    ]);
    let checked = otori.json(&["evidence", "verify"]);
    assert_eq!(checked["ok"], true, "{checked}");

    let gone = otori.json(&["unplant", "club", "--yes"]);
    assert_eq!(gone["removed"], 12);
    assert_eq!(dump(&ground).await, customers(&before, &planted));

    // What is forgotten is so in every version.
    let file = otori.dir().join("registry.db");
    let all = "update canary_version set at = at";
    assert_eq!(crate::evidence::sql(&file, all).await, 24);
    otori.json(&["forget", "club", "--yes"]);
    assert_eq!(crate::evidence::sql(&file, all).await, 0);
    let checked = otori.json(&["evidence", "verify"]);
    assert_eq!(checked["ok"], true, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_age_on_sqlite() {
    ages(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_age_on_postgres() {
    ages(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_age_on_mariadb() {
    ages(Engine::MySql).await;
}

/// Who has changed a canary keeps it as it is; the others are tended.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_has_changed_is_left_alone() {
    for engine in ENGINES {
        let (otori, ground) = club(engine, 3).await;
        let planted = canaries(&otori).await;
        let code = cells(&planted[1])["会員番号"].to_owned();
        ground
            .run(&format!(
                "update 顧客 set プラン = 'X' where 会員番号 = '{code}'"
            ))
            .await;
        let before = dump(&ground).await;
        let output = otori
            .command(&["tend", "club", "--rate", AT_ONCE, "--json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = &told["sources"][0];
        assert_eq!(told["altered_canaries"][0], planted[1].id.as_str());
        assert_eq!(told["changed"], 2, "{told}");
        let after = dump(&ground).await;
        let same = after.iter().filter(|row| before.contains(row)).count();
        assert_eq!(same, CUSTOMERS + 1);
        assert!(canaries(&otori).await[1].versions.is_empty());
    }
}

/// The table's own trigger has the last word on the moment of change, and on nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_that_write_into_a_changed_row() {
    for engine in ENGINES {
        let trigger = |column: &str, value: &str| {
            match engine {
            Engine::Sqlite => vec![format!(
                "create trigger t after update on 顧客 begin update 顧客 set {column} = '{value}' where id = new.id; end"
            )],
            Engine::Postgres => vec![
                format!(
                    "create or replace function f() returns trigger language plpgsql as $$ begin new.{column} := '{value}'; return new; end $$"
                ),
                "create or replace trigger t before update on 顧客 for each row execute function f()".to_owned(),
            ],
            _ => vec![format!(
                "create trigger t before update on 顧客 for each row set new.{column} = '{value}'"
            )],
        }
        };
        let drop = match engine {
            Engine::Postgres => "drop trigger t on 顧客",
            _ => "drop trigger t",
        };
        let (otori, ground) = club(engine, 3).await;
        let planted = canaries(&otori).await;

        // One that changes what we did not: taken back, and told.
        for statement in trigger("プラン", "Z") {
            ground.run(&statement).await;
        }
        let before = dump(&ground).await;
        let output = otori
            .command(&["tend", "club", "--rate", AT_ONCE, "--json"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            told["sources"][0]["failed"].as_array().unwrap().len(),
            3,
            "{told}"
        );
        let why = told["sources"][0]["failed"][0]["why"].as_str().unwrap();
        assert!(why.contains("プラン") && why.contains("trigger"), "{why}");
        assert_eq!(dump(&ground).await, before);
        intact(&otori, 3);
        ground.run(drop).await;

        // One that writes the moment itself: what it wrote is what the registry knows.
        for statement in trigger("更新日時", "2030-01-02 03:04:05") {
            ground.run(&statement).await;
        }
        let told = otori.json(&["tend", "club", "--rate", AT_ONCE]);
        assert_eq!(told["sources"][0]["changed"], 3, "{told}");
        intact(&otori, 3);
        let aged = canaries(&otori).await;
        for (old, new) in planted.iter().zip(&aged) {
            assert_eq!(cells(new)["更新日時"], "2030-01-02 03:04:05");
            assert_eq!(cells(old)["プラン"], cells(new)["プラン"]);
            // The changes that were taken back left no version, but their numbers are gone.
            let numbers: Vec<u32> = new.versions.iter().map(|version| version.number).collect();
            assert_eq!(numbers, [1, 3]);
        }
    }
}

/// The receiver tends what is due when it starts, and once a day from then on.
#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_tends_daily_where_it_is_told_to() {
    let (otori, _ground) = club(Engine::Sqlite, 3).await;
    let file = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let daily = text.replace("# daily = true", "daily = true\nrate = 1e12");
    assert_ne!(daily, text);
    std::fs::write(&file, daily).unwrap();
    let serve = ["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut served = otori.command(&serve).spawn().unwrap();
    let mut aged = Vec::new();
    for _ in 0..600 {
        aged = canaries(&otori).await;
        let done = |canary: &Canary| canary.versions.len() == 2 && canary.pending().is_none();
        if aged.iter().all(done) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    served.kill().unwrap();
    served.wait().unwrap();
    let numbers: Vec<usize> = aged.iter().map(|canary| canary.versions.len()).collect();
    assert_eq!(numbers, [2, 2, 2]);
    intact(&otori, 3);
}

/// Files that were handed out stay as they are, and so do rows that no key tells apart.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_row_by_row_is_told() {
    let (otori, _ground) = prepared(Engine::Csv, 50).await;
    otori.json(&["plant", "shop", "--count", "2", "--force"]);
    let output = otori.command(&["tend", "shop"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("stay as they were planted"), "{said}");
}

const CRASHED: usize = 2;
/// Registered; begun, changed and committed of each canary; settled.
const STEPS: usize = 1 + 3 * CRASHED + 1;

async fn tend_in(home: &std::path::Path, step: usize, watch: &mut (dyn FnMut(TendStep) + Send)) {
    let workspace = Workspace::find(Some(home)).unwrap();
    let registry = workspace.registry().await.unwrap();
    let source = registry.source(&name()).await.unwrap();
    let mapping = Mapping::from_json(&source.mapping).unwrap();
    let database = Database::connect(&source.url.parse().unwrap())
        .await
        .unwrap();
    let table = database.table(&source.table).await.unwrap();
    let _held = registry.exclusive().await.unwrap();
    plant::settle_versions(&registry, &database, &table, &source.name)
        .await
        .unwrap();
    let ask = TendAsk {
        registry: &registry,
        database: &database,
        source: &source,
        mapping: &mapping,
        table: &table,
        rate: Some(1e12),
        // Moments of change differ from run to run.
        now: OffsetDateTime::now_utc() + time::Duration::minutes(5 * (1 + step as i64)),
    };
    let mut rng = StdRng::from_seed(rand::random());
    let tending = plant::plan_tending(&ask, &mut rng).await.unwrap();
    assert_eq!(tending.changes.len(), CRASHED);
    plant::tend(&registry, &database, &table, &tending, watch)
        .await
        .unwrap();
}

/// Not a test of its own: the process that [`crash`] starts, which ends itself at the step told.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(step) = std::env::var("OTORI_TEND_STEP") else {
        return;
    };
    let step: usize = step.parse().unwrap();
    let mut left = step;
    let home = std::path::PathBuf::from(std::env::var("OTORI_TEND_HOME").unwrap());
    tend_in(&home, step, &mut |_| {
        if left == 0 {
            std::process::abort();
        }
        left -= 1;
    })
    .await;
    unreachable!("tending has {STEPS} steps");
}

async fn crash(engine: Engine) {
    let (otori, ground) = club(engine, CRASHED).await;
    let planted = canaries(&otori).await;
    let before = customers(&dump(&ground).await, &planted);
    let mut written = 0;
    for step in 0..STEPS {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plant::tend::child", "--nocapture"])
            .env("OTORI_TEND_STEP", step.to_string())
            .env("OTORI_TEND_HOME", otori.dir())
            .output()
            .unwrap();
        use std::os::unix::process::ExitStatusExt;
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.signal(), Some(6), "step {step}: {said}");

        // Until somebody looks both versions are known; then the one that stands there.
        let pending = canaries(&otori)
            .await
            .iter()
            .filter(|one| one.pending().is_some())
            .count();
        assert_eq!(
            pending,
            if step == STEPS - 1 { 0 } else { CRASHED },
            "step {step}"
        );
        intact(&otori, CRASHED);
        let aged = canaries(&otori).await;
        assert!(aged.iter().all(|canary| canary.pending().is_none()));
        assert_eq!(
            customers(&dump(&ground).await, &aged),
            before,
            "step {step}"
        );
        written += match step {
            STEPS.. => 0,
            _ if step == STEPS - 1 => CRASHED,
            _ => step / 3,
        };
        let known: usize = aged.iter().map(|canary| canary.versions.len() - 1).sum();
        assert_eq!(known, written, "step {step}");
    }
    let gone = otori.json(&["unplant", "club", "--yes"]);
    assert_eq!(gone["removed"], CRASHED);
    assert_eq!(dump(&ground).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_step_of_tending_on_sqlite() {
    crash(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_step_of_tending_on_postgres() {
    crash(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_every_step_of_tending_on_mariadb() {
    crash(Engine::MySql).await;
}
