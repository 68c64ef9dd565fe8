//! Attempts to log in with a canary's address, told by the source's application.

use std::time::Instant;

use otori::canary::{Channel, SightingKind};
use otori::receive::{LoginConfig, ReceiveConfig};
use otori::registry::SightingFilter;
use serde_json::Value;
use time::OffsetDateTime;

use super::post::{PNG, file};
use super::web::{Answer, Call, signed_for};
use super::{HANAKO, KEISUKE};
use crate::harness::{Otori, Receiver, Who};

const SECRET: &str = "a secret of the shop's own application";

async fn tell(receiver: &Receiver, secret: &str, at: i64, body: &str) -> Answer {
    let call = signed_for("/hooks/login", secret, (at, at), body);
    call.send(receiver.http).await
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn config(otori: &Otori) -> ReceiveConfig {
    otori.write_secret("keys/login.secret", SECRET);
    ReceiveConfig {
        login: LoginConfig {
            secret_file: Some("keys/login.secret".into()),
        },
        ..otori.config()
    }
}

#[tokio::test]
async fn a_canarys_account_is_an_alarm_and_a_customers_leaves_no_trace() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let attempt = |account: &str, kind: &str, id: &str| {
        serde_json::json!({ "account": account, "kind": kind, "ip": "192.0.2.7",
            "user_agent": "<script>1</script>'; drop table message;--", "id": id })
        .to_string()
    };
    let mut took = Vec::new();
    for (account, kind, id) in [
        (KEISUKE.mail.to_uppercase().as_str(), "login", "1"),
        ("customer@shop.example", "login", "2"),
        ("03-0123-4567", "password_reset", "3"),
        (KEISUKE.mail, "login", "1"),
    ] {
        let begun = Instant::now();
        let answer = tell(&receiver, SECRET, now(), &attempt(account, kind, id)).await;
        took.push(begun.elapsed().as_millis());
        // The same answer, whoever it was, and never before the beat.
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"accepted":true}"#)
        );
    }
    assert!(took.iter().all(|millis| *millis >= 50), "{took:?}");
    otori.settled().await;
    let mut found = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    found.sort_by_key(|sighting| sighting.id);
    assert_eq!(found.len(), 2);
    let [login, reset] = &found[..] else { panic!() };
    assert_eq!(login.canary, Some(school[0].id.clone()));
    assert_eq!(
        (login.channel, login.kind, login.repeats),
        (Channel::Login, SightingKind::Alarm, 1)
    );
    assert_eq!(login.actor.from, "192.0.2.7");
    assert!(
        login
            .actor
            .summary
            .starts_with("an attempt to log in <script>")
    );
    assert!(login.incident.is_some() && reset.incident == login.incident);
    assert_eq!(reset.source.as_ref().unwrap().as_str(), "school");
    // Nothing of the customer is kept, and what strangers wrote is shown as text.
    assert!(otori.registry.message(3).await.unwrap().is_none());
    let shown = otori.json(&["sightings"]);
    assert_eq!(shown["sightings"].as_array().unwrap().len(), 2);
    receiver.stop().await;
}

/// The number is shared by canaries of both sources, and so are name and address of one of them.
#[tokio::test]
async fn what_fits_canaries_of_two_sources_is_an_incident_that_accuses_neither() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let twin = Who {
        mail: "keisuke.2@decoys.example",
        ..KEISUKE
    };
    otori.plant("shop", &[twin, HANAKO]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let attempt =
        serde_json::json!({ "account": "03-0123-4567", "kind": "login", "ip": "192.0.2.7" });
    let told = tell(&receiver, SECRET, now(), &attempt.to_string()).await;
    assert_eq!(told.status, 200);
    let letter = [
        ("addressee", "髙橋 圭祐"),
        ("address", "東京都千代田区霞が関9-12-8 囮ハイツ707"),
        ("sender", "名簿屋"),
    ];
    let answer = file(&otori, &receiver, &letter, PNG).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    otori.settled().await;
    receiver.stop().await;

    let shown = otori.json(&["sightings"]);
    let sightings = shown["sightings"].as_array().unwrap();
    assert_eq!(sightings.len(), 2);
    for one in sightings {
        assert_eq!(
            (&one["kind"], &one["source"]),
            (&"alarm".into(), &"unknown-source".into())
        );
        assert_eq!(
            (&one["canary"], &one["incident"]),
            (&Value::Null, &1.into())
        );
        let summary = one["summary"].as_str().unwrap();
        let both = "fits canaries of school and shop alike";
        assert!(summary.starts_with(both), "{summary}");
    }
    let shown = otori.json(&["incidents"]);
    let [incident] = &shown["incidents"].as_array().unwrap()[..] else {
        panic!("{shown}")
    };
    assert_eq!(incident["source"], "unknown-source");
    let weight = otori.json(&["incidents", "show", "1"])["weight"].clone();
    assert_eq!(weight["verdict"], "inconclusive", "{weight}");
    let alerts = otori.json(&["alerts"]);
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1, "{alerts}");
}

#[tokio::test]
async fn forged_old_and_broken_attempts_are_refused_and_tell_nothing() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let good = serde_json::json!({ "account": KEISUKE.mail, "kind": "login", "ip": "192.0.2.7" });
    let good = good.to_string();
    assert_eq!(
        tell(&receiver, "another secret of somebody", now(), &good)
            .await
            .status,
        403
    );
    assert_eq!(
        tell(&receiver, SECRET, now() - 600, &good).await.status,
        403
    );
    let unsigned = Call::post("/hooks/login", good.as_str())
        .send(receiver.http)
        .await;
    assert_eq!(unsigned.status, 403);
    for broken in [
        "{",
        r#"{"account": "", "kind": "login", "ip": "192.0.2.7"}"#,
        r#"{"account": "keisuke@", "kind": "keisuke", "ip": "192.0.2.7"}"#,
        r#"{"account": "a@b.example", "kind": "login", "ip": "keisuke"}"#,
        r#"{"account": "a@b.example", "kind": "login", "ip": "::1", "at": "yesterday"}"#,
    ] {
        let answer = tell(&receiver, SECRET, now(), broken).await;
        assert_eq!(answer.status, 400, "{broken}");
        assert!(!answer.body.contains("keisuke"), "{}", answer.body);
    }
    let long = format!(r#"{{"account": "{}"}}"#, "a".repeat(1 << 20));
    assert_eq!(tell(&receiver, SECRET, now(), &long).await.status, 413);
    assert!(otori.registry.message(1).await.unwrap().is_none());

    // The same request twice counts once, also without an id of its own.
    let at = now();
    for _ in 0..2 {
        assert_eq!(tell(&receiver, SECRET, at, &good).await.status, 200);
    }
    otori.settled().await;
    let found = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    assert_eq!(
        found
            .iter()
            .map(|sighting| sighting.repeats)
            .collect::<Vec<_>>(),
        [1]
    );
    receiver.stop().await;

    // Without a secret there is no such page.
    let receiver = otori.receive(&otori.config()).await;
    assert_eq!(tell(&receiver, SECRET, now(), &good).await.status, 404);
    receiver.stop().await;
}
