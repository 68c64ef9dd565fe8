//! Alerts: told until somebody has taken them.

use std::sync::{Arc, Mutex};

use otori::alert::{self, AlertConfig, Places};
use otori::canary::{Actor, Canary, Channel, SightingKind};
use otori::evidence::Act;
use otori::registry::{Accepted, NewMessage, NewSighting};
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{HANAKO, KEISUKE};
use crate::harness::Otori;

/// A mail server that refuses the first messages, and then takes them.
pub async fn sink(refusals: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mails = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mails = Arc::clone(&mails);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.get_mut().write_all(b"220 sink\r\n").await.unwrap();
                let (mut line, mut mail, mut inside) = (String::new(), String::new(), false);
                while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                    let command = line.trim_end().to_ascii_uppercase();
                    let answer = match command.as_str() {
                        "." if inside => {
                            inside = false;
                            let mut mails = mails.lock().unwrap();
                            mails.push(std::mem::take(&mut mail));
                            if mails.len() > refusals {
                                "250 taken\r\n"
                            } else {
                                "451 later\r\n"
                            }
                        }
                        _ if inside => {
                            mail += &line;
                            ""
                        }
                        "DATA" => {
                            inside = true;
                            "354 go\r\n"
                        }
                        _ if command.starts_with("RCPT TO:<GONE@") => "550 no\r\n",
                        _ => "250 ok\r\n",
                    };
                    if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    (url, seen)
}

/// A mail that has reached the canary.
pub async fn sight(otori: &Otori, canary: &Canary) {
    let message = NewMessage {
        at: OffsetDateTime::now_utc(),
        channel: Channel::Mail,
        envelope: "{}".to_owned(),
        recipients: vec![KEISUKE.mail.to_owned()],
        raw: b"Subject: secret offer\r\n\r\n".to_vec(),
        same_as: None,
    };
    let accepted = otori.registry.accept(&[message]).await.unwrap();
    let [Accepted::New(id)] = accepted[..] else {
        panic!("{accepted:?}");
    };
    let sighting = NewSighting {
        source: Some(canary.source.clone()),
        canary: Some(canary.id.clone()),
        batch: Some(canary.batch.clone()),
        kind: SightingKind::Alarm,
        actor: Actor {
            from: "list@broker.example".to_owned(),
            summary: "secret offer".to_owned(),
            ..Actor::default()
        },
        network: None,
    };
    otori.registry.settle(id, &[sighting]).await.unwrap();
}

#[tokio::test]
async fn what_comes_while_an_alert_is_on_its_way_is_told_too() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let places = ["mail".to_owned()];
    let hand_on = async |at| registry.hand_on_alerts(&places, at).await.unwrap();
    let due = async |at| registry.due_deliveries("mail", at, 10).await.unwrap();
    sight(&otori, &school[0]).await;
    let now = OffsetDateTime::now_utc();
    hand_on(now).await;
    let told = due(now).await;
    sight(&otori, &school[1]).await;
    hand_on(OffsetDateTime::now_utc()).await;
    registry.alert_delivered(&told[0], now).await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 1);
    // Not at once, so that a flood of mail is not a flood of alerts.
    assert!(due(now + time::Duration::minutes(1)).await.is_empty());
    let later = now + time::Duration::minutes(11);
    let rest = due(later).await;
    assert!(
        rest[0].body.contains(school[1].id.as_str()),
        "{}",
        rest[0].body
    );
    registry.alert_delivered(&rest[0], later).await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 0);

    // Nor is one that comes when the first has arrived already.
    sight(&otori, &school[0]).await;
    let third = later + time::Duration::minutes(1);
    hand_on(third + time::Duration::minutes(10)).await;
    assert!(due(third).await.is_empty());
    assert_eq!(due(third + time::Duration::minutes(10)).await.len(), 1);
}

#[tokio::test]
async fn an_alert_is_told_until_it_is_taken_and_then_no_more() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    let (relay, seen) = sink(1).await;
    let config = AlertConfig {
        relay: Some(relay),
        from: Some("otori@shop.example".to_owned()),
        to: vec![
            "gone@shop.example".to_owned(),
            "security@shop.example".to_owned(),
        ],
        ..AlertConfig::default()
    };
    let places = Places::new(&config, otori.dir()).unwrap();
    let stop = CancellationToken::new();
    let worker = tokio::spawn(alert::run(
        otori.registry.clone(),
        places,
        stop.clone().cancelled_owned(),
    ));

    sight(&otori, &school[0]).await;
    for _ in 0..400 {
        if otori.registry.alerts_waiting().await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(otori.registry.alerts_waiting().await.unwrap(), 0);
    // Long enough for a worker that would send it again.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    stop.cancel();
    worker.await.unwrap();

    let mails = seen.lock().unwrap().clone();
    assert_eq!(mails.len(), 2, "{mails:?}");
    let id = |mail: &str| {
        mail.lines()
            .find(|line| line.starts_with("Message-ID: <alert-1-1."))
            .unwrap()
            .to_owned()
    };
    assert_eq!(id(&mails[0]), id(&mails[1]));
    let mail = &mails[1];
    assert!(
        mail.contains("Subject: [otori] school: incident 1, 1 sighting\r\n"),
        "{mail}"
    );
    assert!(mail.contains(school[0].id.as_str()), "{mail}");
    // Canary ids, and nothing else of a canary or of what it was sent.
    for detail in [
        "keisuke",
        "decoys.example",
        "髙橋",
        "secret offer",
        "broker",
    ] {
        assert!(!mail.contains(detail), "{detail}: {mail}");
    }
}

#[tokio::test]
async fn alerts_that_nobody_took_are_listed_with_why_and_when() {
    let otori = Otori::new().await;
    let empty = otori.json(&["alerts"]);
    assert_eq!(empty, serde_json::json!({ "alerts": [] }));
    let school = otori.plant("school", &[KEISUKE]).await;
    sight(&otori, &school[0]).await;
    let waiting = &otori.json(&["alerts"])["alerts"][0];
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["incident"], 1);
    assert_eq!(waiting["attempts"], 0);

    assert!(waiting.get("place").is_none(), "{waiting}");
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let now = now + time::Duration::SECOND;
    let next = now + time::Duration::minutes(5);
    let registry = &otori.registry;
    let places = ["mail".to_owned()];
    assert_eq!(registry.hand_on_alerts(&places, now).await.unwrap(), 1);
    let due = async |at| registry.due_deliveries("mail", at, 1).await.unwrap();
    let alert = due(now).await.remove(0);
    let failed = registry.delivery_failed(&alert, now, Some(next), "the relay is away");
    failed.await.unwrap();
    let failing = &otori.json(&["alerts"])["alerts"][0];
    assert_eq!(failing["state"], "failing");
    assert_eq!(failing["place"], "mail");
    assert_eq!(failing["attempts"], 1);
    assert_eq!(failing["why"], "the relay is away");
    let shown = next.format(&time::format_description::well_known::Rfc3339);
    assert_eq!(failing["next"], shown.unwrap());
    let words = otori.command(&["alerts"]).output().unwrap().stdout;
    let words = String::from_utf8(words).unwrap();
    assert!(
        words.contains("to mail  failing  incident 1  tries: 1"),
        "{words}"
    );
    assert!(words.contains("the relay is away\n"), "{words}");

    // Given up, it is shown, and whoever has mended the place takes it back: an act in the log.
    let alert = due(next).await.remove(0);
    let dead = registry.delivery_failed(&alert, next, None, "the relay is gone");
    dead.await.unwrap();
    let dead = &otori.json(&["alerts"])["alerts"][0];
    assert_eq!(dead["state"], "dead");
    assert!(
        dead.get("next").is_none() && dead["given_up"].is_string(),
        "{dead}"
    );
    let wrong = otori.command(&["alerts", "retry", "1", "--place", "slack"]);
    let wrong = { wrong }.output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    let retried = otori.json(&["alerts", "retry", "1"]);
    assert_eq!(
        retried,
        serde_json::json!({ "alert": 1, "places": ["mail"] })
    );
    let again = &otori.json(&["alerts"])["alerts"][0];
    assert_eq!(
        (&again["state"], &again["attempts"]),
        (&"waiting".into(), &0.into())
    );
    let acts = otori.registry.acts().await.unwrap();
    let retried =
        |act: &Act| matches!(act, Act::AlertRetried { alert: 1, places } if places == &["mail"]);
    assert!(acts.iter().any(|entry| retried(&entry.act)));
    let alert = due(OffsetDateTime::now_utc()).await.remove(0);
    registry.alert_delivered(&alert, next).await.unwrap();
    assert_eq!(otori.json(&["alerts"]), empty);
    otori.json(&["evidence", "verify"]);
}
