//! Alerts: told until somebody has taken them.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otori::alert::{self, AlertConfig, Places};
use otori::canary::{Actor, Canary, Channel, Origin, SenderDomain, SightingKind};
use otori::evidence::Act;
use otori::registry::{Accepted, NewMessage, NewSighting};
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{HANAKO, KEISUKE};
use crate::harness::{Otori, Who};

/// A mail server that refuses the first messages, and then takes them.
pub async fn sink(refusals: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let (url, seen, _) = sink_for(refusals, None).await;
    (url, seen)
}

/// The same, for those alone who log in by this line, if there is one; and what was refused before that.
async fn sink_for(
    refusals: usize,
    login: Option<String>,
) -> (String, Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mails = Arc::clone(&seen);
    let turned_away = Arc::new(Mutex::new(Vec::new()));
    let strangers = Arc::clone(&turned_away);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mails = Arc::clone(&mails);
            let strangers = Arc::clone(&strangers);
            let login = login.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.get_mut().write_all(b"220 sink\r\n").await.unwrap();
                let (mut line, mut mail, mut inside) = (String::new(), String::new(), false);
                let mut known = login.is_none();
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
                        _ if command.starts_with("EHLO ") => "250-sink\r\n250 AUTH PLAIN LOGIN\r\n",
                        _ if !known && Some(line.trim_end()) == login.as_deref() => {
                            known = true;
                            "235 welcome\r\n"
                        }
                        _ if !known => {
                            strangers.lock().unwrap().push(command.clone());
                            "535 who are you\r\n"
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
    (url, seen, turned_away)
}

/// A mail that has reached the canary.
pub async fn sight(otori: &Otori, canary: &Canary) {
    sight_by(otori, canary, None).await;
}

async fn sight_by(otori: &Otori, canary: &Canary, pretends: Option<&str>) {
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
            origin: pretends.map(|domain| {
                let domain = domain.to_owned();
                let proven = false;
                Box::new(Origin {
                    sender: Some(SenderDomain { domain, proven }),
                    impersonates: true,
                    ..Origin::default()
                })
            }),
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
    let claim = registry.claim_delivery(&told[0], now, now + time::Duration::SECOND);
    assert!(claim.await.unwrap());
    sight(&otori, &school[0]).await;
    // More of the same is told ten minutes later, so that a flood of mail is not a flood of alerts.
    let later = now + time::Duration::minutes(11);
    hand_on(later).await;
    registry.alert_delivered(&told[0], now).await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 1);
    assert!(due(now + time::Duration::minutes(9)).await.is_empty());
    let told = due(later).await;
    let claim = registry.claim_delivery(&told[0], later, later + time::Duration::SECOND);
    assert!(claim.await.unwrap());
    // Another canary is news, and told at once.
    sight(&otori, &school[1]).await;
    hand_on(OffsetDateTime::now_utc()).await;
    registry.alert_delivered(&told[0], later).await.unwrap();
    let rest = due(later).await;
    assert!(
        rest[0].body.contains(school[1].id.as_str()),
        "{}",
        rest[0].body
    );
    registry.alert_delivered(&rest[0], later).await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 0);

    // Nor is one told at once that comes when the first has arrived already.
    sight(&otori, &school[0]).await;
    let third = later + time::Duration::minutes(1);
    hand_on(third + time::Duration::minutes(10)).await;
    assert!(due(third).await.is_empty());
    assert_eq!(due(third + time::Duration::minutes(10)).await.len(), 1);
    otori.json(&["evidence", "verify"]);
}

/// Whoever reads the alert has to know that somebody writes in our name, whatever else has come in since.
#[tokio::test]
async fn who_writes_in_our_name_is_told_of_many_mails() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    sight_by(&otori, &school[0], Some("school.example")).await;
    for _ in 0..3 {
        sight(&otori, &school[1]).await;
    }
    let now = OffsetDateTime::now_utc() + time::Duration::HOUR;
    let alerts = otori.registry.due_alerts(now, 9).await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&alerts[0].body).unwrap();
    assert_eq!(told["sightings"], 4);
    assert_eq!(told["impersonates"], serde_json::json!(["school.example"]));
    assert_eq!(told["latest"].get("impersonates"), None);
}

#[tokio::test]
async fn news_is_told_at_once_and_hastens_what_waits() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let names: Vec<String> = (0..9)
        .map(|n| format!("canary{n}@decoys.example"))
        .collect();
    let people: Vec<_> = (names.iter().zip([
        "701", "702", "703", "704", "705", "706", "707", "708", "709",
    ]))
    .map(|(mail, unit)| Who {
        mail,
        unit,
        ..KEISUKE
    })
    .collect();
    let school = otori.plant("school", &people).await;
    let places = ["mail".to_owned()];
    let start = OffsetDateTime::now_utc() + time::Duration::SECOND;
    let mut told = Vec::new();
    let mut tell = async |minutes: i64| {
        let at = start + time::Duration::minutes(minutes);
        registry.hand_on_alerts(&places, at).await.unwrap();
        for alert in registry.due_deliveries("mail", at, 10).await.unwrap() {
            registry.alert_delivered(&alert, at).await.unwrap();
            told.push((minutes, alert.body));
        }
    };
    sight(&otori, &school[0]).await;
    tell(0).await;
    // The same again waits at the place; another canary is told, and the same with it.
    sight(&otori, &school[0]).await;
    tell(1).await;
    sight(&otori, &school[1]).await;
    tell(2).await;
    sight(&otori, &school[2]).await;
    tell(3).await;
    // A list that is used on one canary after the other is a flood, however new each is.
    for (canary, minute) in school[3..].iter().zip(4..) {
        sight(&otori, canary).await;
        tell(minute).await;
    }
    for minute in 10..15 {
        tell(minute).await;
    }
    let minutes: Vec<i64> = told.iter().map(|(minute, _)| *minute).collect();
    assert_eq!(minutes, [0, 2, 3, 10]);
    assert!(told[1].1.contains("\"sightings\":3"), "{}", told[1].1);
    assert!(told[3].1.contains("\"canaries\":9"), "{}", told[3].1);
}

#[tokio::test]
async fn what_waits_at_a_place_that_is_no_more_goes_to_the_others() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let school = otori.plant("school", &[KEISUKE]).await;
    let minutes = time::Duration::minutes;
    let before = ["slack".to_owned(), "chat".to_owned()];
    let after = ["chat".to_owned(), "mail".to_owned()];
    let due = async |place: &str, at| registry.due_deliveries(place, at, 10).await.unwrap();
    sight(&otori, &school[0]).await;
    let now = OffsetDateTime::now_utc() + time::Duration::SECOND;
    registry.hand_on_alerts(&before, now).await.unwrap();
    let at_chat = due("chat", now).await.remove(0);
    registry.alert_delivered(&at_chat, now).await.unwrap();
    let at_slack = due("slack", now).await.remove(0);
    let failed = registry.delivery_failed(&at_slack, now, Some(now + minutes(1)), "it is gone");
    failed.await.unwrap();

    // Another receiver may serve it: it is waited for until it is clear that nobody does.
    assert_eq!(
        registry
            .hand_on_alerts(&after, now + minutes(5))
            .await
            .unwrap(),
        0
    );
    let later = now + minutes(12);
    assert_eq!(registry.hand_on_alerts(&before, later).await.unwrap(), 0);
    assert_eq!(registry.hand_on_alerts(&[], later).await.unwrap(), 0);
    assert_eq!(registry.hand_on_alerts(&after, later).await.unwrap(), 1);
    assert_eq!(registry.hand_on_alerts(&after, later).await.unwrap(), 0);
    assert!(due("slack", later).await.is_empty());
    assert!(due("chat", later).await.is_empty(), "it was told");
    let at_mail = due("mail", later).await.remove(0);
    assert_eq!(at_mail.body, at_chat.body);
    registry.alert_delivered(&at_mail, later).await.unwrap();
    assert_eq!(otori.json(&["alerts"]), serde_json::json!({ "alerts": [] }));
    otori.json(&["evidence", "verify"]);
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
async fn the_relay_is_logged_in_to_and_its_password_told_to_nobody_else() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    let plain = STANDARD.encode("\0otori\0open sesame");
    let (relay, seen, turned_away) = sink_for(0, Some(format!("AUTH PLAIN {plain}"))).await;
    let config = |password: &str| {
        let _ = std::fs::remove_file(otori.dir().join("keys/relay.secret"));
        otori.write_secret("keys/relay.secret", password);
        AlertConfig {
            relay: Some(relay.clone()),
            from: Some("otori@shop.example".to_owned()),
            to: vec!["security@shop.example".to_owned()],
            user: Some("otori".to_owned()),
            password_file: Some("keys/relay.secret".into()),
            ..AlertConfig::default()
        }
    };
    let run = |password: &str| {
        let places = Places::new(&config(password), otori.dir()).unwrap();
        let stop = CancellationToken::new();
        let token = stop.clone().cancelled_owned();
        (
            stop,
            tokio::spawn(alert::run(otori.registry.clone(), places, token)),
        )
    };
    sight(&otori, &school[0]).await;
    // A wrong password: it is told why nothing is taken, without the password.
    let (stop, worker) = run("close sesame");
    for _ in 0..400 {
        if otori.json(&["alerts"])["alerts"][0]["state"] == "failing" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    let why = otori.json(&["alerts"])["alerts"][0]["why"].to_string();
    assert!(why.contains("535") && !why.contains("sesame"), "{why}");
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(turned_away.lock().unwrap().len(), 1);

    // The same file with the right one, for the next receiver.
    let (stop, worker) = run("open sesame");
    otori.json(&["alerts", "retry", "1"]);
    for _ in 0..400 {
        if otori.registry.alerts_waiting().await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    let mails = seen.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(!mails[0].contains("sesame"));
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
