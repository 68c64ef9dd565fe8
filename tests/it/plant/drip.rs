//! Canaries that arrive one by one, through the program as an operator runs it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use otori::canary::{Batch, SourceName, State};
use otori::database::Engine;
use otori::drip::{Hours, Intensity};
use otori::notation::Mapping;
use otori::registry::{NewDrip, Tried};
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset};

use super::ground::Ground;
use super::shop::{MAPPING, dump, failed, prepared, prepared_for, register};
use crate::evidence::sql;
use crate::harness::Otori;
use crate::receive::crash::Server;
use crate::servers;

const CUSTOMERS: usize = 300;

fn shop() -> SourceName {
    "shop".parse().unwrap()
}

/// The shop's drip, as `otori drip` shows it.
#[track_caller]
fn shown(otori: &Otori) -> Value {
    otori.json(&["drip"])["drips"][0].clone()
}

/// Waits until so many canaries have arrived.
async fn arrived(otori: &Otori, count: u64) {
    let started = Instant::now();
    loop {
        let drip = shown(otori);
        if drip["arrived"].as_u64().unwrap() >= count {
            return;
        }
        // A guard against a hang, not a measure.
        assert!(started.elapsed() < Duration::from_secs(300), "{drip}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn batches(otori: &Otori) -> Vec<Batch> {
    otori.registry.batches(Some(&shop())).await.unwrap()
}

/// Everything that must hold once a drip is stopped: each arrival one canary, in the table and in the
/// registry, and nothing else.
async fn sound(otori: &Otori, ground: &Ground, before: &[String]) -> usize {
    let stopped = otori.json(&["drip", "shop", "--stop"]);
    assert_eq!(stopped["stopped"], true);
    assert_eq!(otori.json(&["drip", "shop", "--stop"])["stopped"], false);
    // What was broken off is settled by the next look.
    otori.json(&["drip", "--run", "--minutes", "0"]);
    let drip = shown(otori);
    assert_eq!(
        (&drip["state"], &drip["next_at"], &drip["failing"]),
        (&Value::from("stopped"), &Value::Null, &Value::Null),
        "{drip}"
    );
    let batches = batches(otori).await;
    let live: Vec<&Batch> = batches
        .iter()
        .filter(|batch| batch.state == State::Live)
        .collect();
    assert!(batches.iter().all(|batch| batch.canaries == 1));
    assert!(
        batches
            .iter()
            .all(|batch| matches!(batch.state, State::Live | State::Void))
    );
    let times: BTreeSet<_> = live.iter().map(|batch| batch.planted_at).collect();
    assert_eq!(times.len(), live.len(), "two at one moment");
    assert_eq!(drip["arrived"], live.len(), "{drip}");
    let last = live.iter().max_by_key(|batch| batch.planted_at).unwrap();
    assert_eq!(drip["last_batch"], last.id.to_string());

    let rows = dump(ground).await;
    assert_eq!(rows.len(), before.len() + live.len());
    assert!(before.iter().all(|row| rows.contains(row)));
    let verified = &otori.json(&["verify"])["sources"][0];
    assert_eq!(
        (&verified["live"], &verified["intact"]),
        (&Value::from(live.len()), &Value::from(live.len()))
    );
    let log = otori.json(&["evidence", "verify"]);
    assert_eq!(log["ok"], true, "{log}");
    live.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_lets_canaries_arrive_on_sqlite_though_it_is_killed() {
    let (otori, ground) = prepared(Engine::Sqlite, CUSTOMERS).await;
    let before = dump(&ground).await;
    let set = otori.json(&["drip", "shop", "--per-week", "400000"]);
    assert_eq!(set["drip"]["state"], "running");
    assert_eq!(set["drip"]["times"]["kind"], "learnt", "{set}");
    assert!(set["notes"].to_string().contains("may show"), "{set}");
    // Killed again and again at whatever step it is.
    for turn in 1..=6 {
        let server = Server::start(&otori);
        tokio::time::sleep(Duration::from_millis(2_500 + 370 * turn)).await;
        server.kill();
    }
    let server = Server::start(&otori);
    let so_far = shown(&otori)["arrived"].as_u64().unwrap();
    arrived(&otori, so_far + 2).await;
    assert!(server.terminate().success());
    sound(&otori, &ground, &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_receivers_on_one_postgres_registry_plant_one_for_each_arrival() {
    let otori = Otori::on(&servers::postgres().await).await;
    let (otori, ground) = prepared_for(otori, Engine::Postgres, CUSTOMERS).await;
    // The database's own clock, which is not that of the customers' country.
    ground
        .run("alter table 顧客 alter column 登録日時 set default (now() at time zone 'utc')")
        .await;
    let before = dump(&ground).await;
    otori.json(&["drip", "shop", "--per-week", "400000"]);
    let started = OffsetDateTime::now_utc();
    let servers = [(); 2].map(|()| Server::start(&otori));
    arrived(&otori, 6).await;
    for server in servers {
        assert!(server.terminate().success());
    }
    let count = sound(&otori, &ground, &before).await;
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let [from, to] = [started, OffsetDateTime::now_utc()].map(|at| at.format(format).unwrap());
    let mut of_late = 0;
    let each = |row: &[Option<String>]| {
        let made = row[0].as_deref().unwrap();
        of_late += usize::from(made >= from.as_str() && made[..19] <= *to);
    };
    let table = ground.table("顧客").await;
    let scan = ground.database().await;
    scan.scan(&table, &["登録日時"], each).await.unwrap();
    assert_eq!(of_late, count);
    let canaries = otori.registry.canaries(Some(&shop())).await.unwrap();
    let mut cells = canaries
        .iter()
        .flat_map(|canary| &canary.details.rows[0].cells);
    assert!(cells.clone().any(|cell| cell.column == "氏名"));
    assert!(cells.all(|cell| cell.column != "登録日時"));
}

/// Makes the next arrival one of so many seconds ago.
async fn due_since(otori: &Otori, seconds: i64) {
    let at = OffsetDateTime::now_utc() - time::Duration::seconds(seconds);
    let micros = at.unix_timestamp_nanos() / 1_000;
    let statement = format!("update drip set next_at = {micros}");
    assert_eq!(sql(&otori.dir().join("registry.db"), &statement).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_put_off_and_comes_without_a_burst() {
    let (otori, ground) = prepared(Engine::Sqlite, CUSTOMERS).await;
    let before = dump(&ground).await;
    otori.json(&["drip", "shop", "--per-week", "70"]);
    // Nothing ran for three weeks.
    due_since(&otori, 21 * 86_400).await;
    otori.json(&["drip", "--run", "--minutes", "0"]);
    let drip = shown(&otori);
    let owed = drip["owed"].as_u64().unwrap();
    // 211 are expected; the deviation is 14.5.
    assert!((140..=280).contains(&owed), "{drip}");
    let format = &time::format_description::well_known::Rfc3339;
    let next = OffsetDateTime::parse(drip["next_at"].as_str().unwrap(), format).unwrap();
    assert!(next > OffsetDateTime::now_utc(), "{drip}");
    assert_eq!(dump(&ground).await, before);
    assert!(batches(&otori).await.is_empty());
    // One that is due now comes now, and pays for one that was missed, or for none.
    due_since(&otori, 1).await;
    otori.json(&["drip", "shop", "--run", "--minutes", "0"]);
    let drip = shown(&otori);
    let left = drip["owed"].as_u64().unwrap();
    assert!(left == owed || left + 1 == owed, "{drip}");
    assert_eq!(drip["arrived"], 1);
    assert_eq!(sound(&otori, &ground, &before).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_canaries_out_is_told_and_tried_again() {
    let (otori, ground) = prepared(Engine::Postgres, CUSTOMERS).await;
    let before = dump(&ground).await;
    otori.json(&["drip", "shop", "--per-week", "3.5"]);
    ground
        .run("create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no more customers'; end $$")
        .await;
    ground
        .run("create trigger refuse before insert on 顧客 for each row execute function refuse()")
        .await;
    for tries in 1..=2 {
        due_since(&otori, 1).await;
        let output = otori
            .command(&["--json", "drip", "--run", "--minutes", "0"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let drip = shown(&otori);
        let why = drip["failing"]["why"].as_str().unwrap();
        assert_eq!(drip["state"], "failing");
        assert_eq!(drip["failing"]["tries"], tries);
        // Which words a trigger of the shop's says is not repeated: a customer could be in them.
        assert!(
            why.contains("a trigger refuse() of table public.顧客 refused a row"),
            "{why}"
        );
        // The second may be the first one's, made up for.
        let owed = drip["owed"].as_i64().unwrap();
        assert!((1..=tries).contains(&owed), "{drip}");
        let password = url::Url::parse(&ground.url).unwrap();
        let password = password.password().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("refuse()"), "{said}");
        for secret in [password, "no more customers"] {
            assert!(!said.contains(secret), "{said}");
            assert!(!why.contains(secret), "{why}");
        }
    }
    assert_eq!(dump(&ground).await, before);
    ground.run("drop trigger refuse on 顧客").await;
    due_since(&otori, 1).await;
    otori.json(&["drip", "--run", "--minutes", "0"]);
    assert_eq!(shown(&otori)["failing"], Value::Null);
    assert_eq!(sound(&otori, &ground, &before).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_when_it_is_set() {
    let (otori, ground) = prepared(Engine::Sqlite, CUSTOMERS).await;
    let told = failed(
        &otori,
        &["drip", "shop", "--per-week", "5", "--until", "2020-01-01"],
    );
    assert!(told.contains("is over"), "{told}");
    for wrong in [
        &["drip", "shop", "--per-week", "0"][..],
        &["drip", "shop", "--per-week", "many"],
        &["drip", "shop", "--per-week", "5", "--until", "soon"],
        &["drip", "shop", "--per-week", "5", "--hours", "22"],
        &["drip", "--per-week", "5"],
        &["drip", "shop", "--stop", "--per-week", "5"],
    ] {
        let output = otori.command(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let told = failed(&otori, &["drip", "nobody", "--per-week", "5"]);
    assert!(told.contains("nobody"), "{told}");
    let told = otori.json(&["drip", "shop", "--per-week", "5", "--hours", "9-17"]);
    assert_eq!(told["drip"]["times"]["kind"], "told", "{told}");
    // Without times the hours are those in which people are awake.
    ground.run("update 顧客 set 登録日時 = ''").await;
    let told = otori.json(&["drip", "shop", "--per-week", "5", "--until", "2099-12-31"]);
    assert_eq!(told["drip"]["times"]["kind"], "waking", "{told}");
    assert_eq!(told["drip"]["until"], "2099-12-31T15:00:00Z", "{told}");
    ground.run("delete from 顧客").await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(told.contains("has no rows"), "{told}");

    let (otori, _ground) = prepared(Engine::Csv, CUSTOMERS).await;
    let told = failed(&otori, &["drip", "shop", "--per-week", "5"]);
    assert!(told.contains("otori plant"), "{told}");
    assert_eq!(otori.json(&["drip"])["drips"], Value::Array(vec![]));
}

/// Many tables have the day of joining before the time at which the row was made.
#[tokio::test(flavor = "multi_thread")]
async fn hours_are_learnt_though_a_day_alone_stands_before_them() {
    let (otori, ground) = prepared(Engine::Sqlite, CUSTOMERS).await;
    ground.run("alter table 顧客 add column 入会日 text").await;
    ground.run("update 顧客 set 入会日 = date(登録日時)").await;
    let time = r#""登録日時": {"role": "created_at"}"#;
    let both = format!(r#""入会日": {{"role": "created_at"}}, {time}"#);
    let mapping = Mapping::from_json(&MAPPING.replace(time, &both)).unwrap();
    register(&otori, "club", &ground.url, &mapping).await;
    let told = otori.json(&["drip", "club", "--per-week", "5"]);
    let times = &told["drip"]["times"];
    assert_eq!(
        (&times["kind"], &times["hours"]),
        (&Value::from("learnt"), &Value::from(true)),
        "{told}"
    );
}

async fn one_arrival_is_taken_once(otori: Otori) {
    otori.plant("school", &[]).await;
    let source: SourceName = "school".parse().unwrap();
    let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
    let hour = time::Duration::HOUR;
    let hours: Hours = "0-24".parse().unwrap();
    let new = NewDrip {
        source: source.clone(),
        per_mille: 7_000,
        intensity: Intensity::told(hours, UtcOffset::UTC),
        until: None,
        next_at: Some(now),
        set_at: now,
    };
    let registry = &otori.registry;
    registry.set_drip(&new).await.unwrap();
    let batch = registry.next_batch(&source).await.unwrap();
    let take = |due, next| registry.take_arrival(&source, due, &batch, Some(next), 0);
    assert!(take(now, now + hour).await.unwrap());
    // Another receiver, which saw the same arrival.
    assert!(!take(now, now + hour).await.unwrap());
    // One that is to follow waits until it is known how this one ended.
    assert!(!take(now + hour, now + 2 * hour).await.unwrap());
    // It died before it had registered anything.
    let ended = registry.arrival_tried(&source, None, &Tried::Ended, now);
    ended.await.unwrap();
    let drip = registry.drip(&source).await.unwrap().unwrap();
    assert_eq!((drip.owed, drip.arrived), (1, 0));
    assert!(drip.pending.is_none() && drip.next_at == Some(now + hour));

    // For a day it fails: then somebody is told, once.
    let fail = |due, at, next| {
        let why = "the database is away".to_owned();
        let tried = Tried::Failed {
            why,
            next_at: Some(next),
        };
        async move {
            registry
                .arrival_tried(&source_of(), Some(due), &tried, at)
                .await
        }
    };
    let due = now + hour;
    let later = now + 30 * hour;
    fail(due, due, later).await.unwrap();
    // Two receivers that fail at one arrival are one failure.
    fail(due, due, later).await.unwrap();
    let drip = registry.drip(&source).await.unwrap().unwrap();
    assert_eq!((drip.owed, drip.failing.unwrap().tries), (2, 1));
    let alerts = |at| registry.due_alerts(at, 10);
    let known = alerts(later).await.unwrap().len();
    fail(later, later, later + hour).await.unwrap();
    fail(later + hour, later + hour, later + 2 * hour)
        .await
        .unwrap();
    let told = alerts(later + hour).await.unwrap();
    assert_eq!(told.len(), known + 1);
    let body: Value = serde_json::from_str(&told.last().unwrap().body).unwrap();
    assert_eq!(
        (&body["drip"], &body["tries"]),
        (&"school".into(), &3.into())
    );
    assert_eq!(body["why"], "the database is away");

    assert!(registry.stop_drip(&source, later).await.unwrap());
    let drip = registry.drip(&source).await.unwrap().unwrap();
    assert_eq!((drip.next_at, drip.owed), (None, 0));
    assert!(!take(later + 2 * hour, later + 3 * hour).await.unwrap());
}

fn source_of() -> SourceName {
    "school".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_arrival_is_taken_once_on_sqlite() {
    one_arrival_is_taken_once(Otori::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_arrival_is_taken_once_on_postgres() {
    one_arrival_is_taken_once(Otori::on(&servers::postgres().await).await).await;
}
