//! Erasure by the operator's rules: contents go, and everything can still be proved.

use otori::canary::{Actor, Canary, Channel, IncidentState, Named, SightingKind};
use otori::evidence::{Act, content_hash};
use otori::registry::{
    Accepted, NewMessage, NewSighting, Registry, SightingFilter, envelope_text, letter_identity,
};
use otori::retention::{self, RetentionConfig};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{HANAKO, KEISUKE};
use crate::harness::{NUMBER, Otori};
use crate::servers;

const ENVELOPE: &str = r#"{"from":"sender@broker.example"}"#;

/// A mail of that age and kind; its number.
async fn came(registry: &Registry, to: Option<&Canary>, kind: SightingKind, days: i64) -> i64 {
    let message = NewMessage {
        at: OffsetDateTime::now_utc() - Duration::days(days),
        channel: Channel::Mail,
        envelope: ENVELOPE.to_owned(),
        recipients: vec![KEISUKE.mail.to_owned()],
        raw: format!("Subject: private words {days}\r\n\r\n").into_bytes(),
        same_as: Some(format!(
            "{:?} {kind:?} {days}",
            to.map(|canary| &canary.source)
        )),
    };
    let accepted = registry.accept(&[message]).await.unwrap();
    let [Accepted::New(id)] = accepted[..] else {
        panic!("{accepted:?}");
    };
    let sighting = NewSighting {
        source: to.map(|canary| canary.source.clone()),
        canary: to.map(|canary| canary.id.clone()),
        batch: to.map(|canary| canary.batch.clone()),
        kind,
        actor: Actor {
            from: "sender@broker.example".to_owned(),
            summary: format!("private words {days}"),
            ..Actor::default()
        },
        network: None,
    };
    registry.settle(id, &[sighting]).await.unwrap();
    id
}

async fn story(otori: Otori) {
    let registry = &otori.registry;
    let school = otori.plant("school", &[KEISUKE]).await;
    let shop = otori.plant("shop", &[KEISUKE]).await;
    let old_noise = came(registry, None, SightingKind::Noise, 31).await;
    let new_noise = came(registry, None, SightingKind::Noise, 29).await;
    let expected = came(registry, Some(&school[0]), SightingKind::Expected, 40).await;
    let closed = came(registry, Some(&school[0]), SightingKind::Alarm, 100).await;
    let open = came(registry, Some(&shop[0]), SightingKind::Alarm, 100).await;
    // Photographs of a letter that nobody has looked at yet are no noise, however long they wait.
    let photographs = NewMessage {
        at: OffsetDateTime::now_utc() - Duration::days(200),
        channel: Channel::Post,
        envelope: r#"{"photographs":1}"#.to_owned(),
        recipients: vec![],
        raw: b"a picture".to_vec(),
        same_as: None,
    };
    let photographs = registry.accept(&[photographs]).await.unwrap();
    let [Accepted::New(photographs)] = photographs[..] else {
        panic!("{photographs:?}");
    };
    registry.settle(photographs, &[]).await.unwrap();
    let done = registry.judge_incident(1, IncidentState::Closed, None);
    done.await.unwrap();
    let count = || async { registry.acts().await.unwrap().len() };
    let kept = async |id| registry.message(id).await.unwrap().is_some();

    // Without rules everything stays, and with days that reach before all time too.
    let now = OffsetDateTime::now_utc();
    let never = RetentionConfig {
        noise_days: Some(u32::MAX),
        ..RetentionConfig::default()
    };
    let never = retention::apply(registry, &never, now).await.unwrap();
    assert_eq!(never.messages(), 0);
    let none = RetentionConfig::default();
    let none = retention::apply(registry, &none, now).await.unwrap();
    assert_eq!(none.messages(), 0);
    let rules = "[retention]\nnoise_days = 30\nclosed_days = 90\n";
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("[retention]\n", rules, 1)).unwrap();
    let asked = otori.json(&["retention", "apply", "--dry-run"]);
    assert_eq!(
        (&asked["dry_run"], &asked["erased"]["noise"]),
        (&json!(true), &json!(1))
    );
    assert!(kept(old_noise).await);
    let before = count().await;
    let done = otori.json(&["retention", "apply"]);
    // The mail is old enough, but its incident was closed today.
    assert_eq!(
        (&done["erased"]["noise"], &done["erased"]["closed"]),
        (&json!(1), &json!(0))
    );
    assert!(!kept(old_noise).await);
    for id in [new_noise, expected, closed, open, photographs] {
        assert!(kept(id).await, "{id}");
    }
    assert_eq!(
        registry.erased(old_noise).await.unwrap().unwrap().1,
        "noise"
    );
    assert!(count().await > before);
    let again = otori.json(&["retention", "apply"]);
    assert_eq!(again["erased"]["noise"], 0);

    // What a copy that somebody kept is held against.
    let acts = registry.acts().await.unwrap();
    let erased = acts.iter().find_map(|entry| match &entry.act {
        Act::MessagesErased { rule, messages } if rule == "noise" => Some(&messages[0]),
        _ => None,
    });
    let (erased, salt) = (erased.unwrap(), registry.raw_salt(old_noise));
    assert_eq!(erased.message, old_noise);
    assert_eq!(
        erased.raw,
        content_hash(&salt, b"Subject: private words 31\r\n\r\n")
    );
    let envelope = envelope_text(ENVELOPE, &[KEISUKE.mail.to_owned()]);
    assert_eq!(erased.envelope, content_hash(&salt, &envelope));
    // Of whoever wrote to nobody nothing is left; that something came is.
    let sightings = registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    assert_eq!(sightings.len(), 5);
    let seen = sightings
        .iter()
        .find(|seen| seen.message == old_noise)
        .unwrap();
    assert_eq!(
        (seen.actor.from.as_str(), seen.actor.summary.as_str()),
        ("", "")
    );
    // It says why it has nothing to say.
    let erased: Vec<i64> = (sightings.iter().filter(|seen| seen.erased))
        .map(|seen| seen.message)
        .collect();
    assert_eq!(erased, [old_noise]);
    let told = otori.command(&["sightings"]).output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    assert_eq!(told.matches("contents erased").count(), 1, "{told}");
    let told = otori.json(&["sightings"]);
    let told = told["sightings"].as_array().unwrap().iter();
    assert_eq!(told.filter(|seen| seen["erased"] == true).count(), 1);
    // One that comes again is known again.
    let again = NewMessage {
        at: now,
        channel: Channel::Mail,
        envelope: ENVELOPE.to_owned(),
        recipients: vec![],
        raw: b"x".to_vec(),
        same_as: Some("None Noise 31".to_owned()),
    };
    assert_eq!(
        registry.accept(&[again]).await.unwrap(),
        [Accepted::Repeat(old_noise)]
    );

    // A quarter later the closed incident's mail goes too, and the open one's stays for ever.
    let rules = RetentionConfig {
        closed_days: Some(90),
        expected_days: Some(30),
        ..RetentionConfig::default()
    };
    let later = now + Duration::days(91);
    let done = retention::apply(registry, &rules, later).await.unwrap();
    assert_eq!((done.noise, done.expected, done.closed), (0, 1, 1));
    assert!(!kept(closed).await && !kept(expected).await && kept(open).await);
    let sightings = registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    let seen = sightings
        .iter()
        .find(|seen| seen.message == closed)
        .unwrap();
    assert_eq!(
        seen.actor.from, "sender@broker.example",
        "the finding stays"
    );
    assert!(seen.erased);

    let verified = otori.command(&["evidence", "verify"]).output().unwrap();
    let told = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{told}");
    // A bundle holds what there is, and checks out.
    let bundle = otori.dir().join("bundle.zip");
    otori.json(&["evidence", "export", "--out", bundle.to_str().unwrap()]);
    otori.json(&["evidence", "verify", bundle.to_str().unwrap()]);
}

#[tokio::test]
async fn contents_go_by_rule_and_the_log_still_holds() {
    story(Otori::new().await).await;
}

#[tokio::test]
async fn on_postgres_too() {
    story(Otori::on(&servers::postgres().await).await).await;
}

#[tokio::test]
async fn nothing_of_it_is_left_in_the_file() {
    let otori = Otori::new().await;
    came(&otori.registry, None, SightingKind::Noise, 31).await;
    let copy = || {
        let read = |name: &str| std::fs::read(otori.dir().join(name)).unwrap_or_default();
        [read("registry.db"), read("registry.db-wal")].concat()
    };
    let url = format!("sqlite:{}", otori.dir().join("registry.db").display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("select raw from message")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let held = |whole: Vec<u8>| whole.windows(sealed.len()).any(|part| part == sealed);
    assert!(held(copy()));
    let rules = RetentionConfig {
        noise_days: Some(30),
        ..RetentionConfig::default()
    };
    let now = OffsetDateTime::now_utc();
    retention::apply(&otori.registry, &rules, now)
        .await
        .unwrap();
    assert!(!held(copy()));
}

/// Stores a message and settles it as these sightings; its number.
async fn stored(registry: &Registry, message: NewMessage, sightings: &[NewSighting]) -> i64 {
    let accepted = registry.accept(&[message]).await.unwrap();
    let [Accepted::New(id)] = accepted[..] else {
        panic!("{accepted:?}");
    };
    registry.settle(id, sightings).await.unwrap();
    id
}

#[tokio::test]
async fn what_a_closed_incident_s_calls_weigh_stays() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let now = OffsetDateTime::now_utc();
    for (source, who) in [("school", KEISUKE), ("shop", HANAKO)] {
        let canary = otori.plant(source, &[who]).await.remove(0);
        let call = NewMessage {
            at: now - Duration::days(1),
            channel: Channel::Phone,
            envelope: "{}".to_owned(),
            recipients: vec![NUMBER.to_owned()],
            raw: b"a call".to_vec(),
            same_as: None,
        };
        let alarm = NewSighting {
            source: Some(canary.source),
            canary: None,
            batch: None,
            kind: SightingKind::Alarm,
            actor: Actor {
                named: Some(Named::Whole),
                ..Actor::default()
            },
            network: None,
        };
        stored(registry, call, &[alarm]).await;
    }
    let incidents = registry.incidents().await.unwrap();
    let before = registry.weigh(&incidents).await.unwrap();
    let closed = registry.judge_incident(1, IncidentState::Closed, None);
    closed.await.unwrap();
    let rules = RetentionConfig {
        closed_days: Some(30),
        ..RetentionConfig::default()
    };
    let done = retention::apply(registry, &rules, now + Duration::days(31)).await;
    assert_eq!(done.unwrap().closed, 1);
    assert!(registry.message(1).await.unwrap().is_none());
    let after = registry.weigh(&incidents).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    otori.json(&["evidence", "verify"]);
}

/// A lone check of an address is nobody's for ever; a call's recording stays as long as its call may be evidence.
#[tokio::test]
async fn lone_checks_go_and_recordings_stay_with_open_incidents() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let school = otori.plant("school", &[KEISUKE]).await;
    let checked = came(registry, Some(&school[0]), SightingKind::Probe, 31).await;
    came(registry, Some(&school[0]), SightingKind::Alarm, 5).await;
    let recording = NewMessage {
        at: OffsetDateTime::now_utc() - Duration::days(31),
        channel: Channel::Phone,
        envelope: "{}".to_owned(),
        recipients: vec![NUMBER.to_owned()],
        raw: b"RecordingSid=RE1".to_vec(),
        same_as: None,
    };
    let recording = stored(registry, recording, &[]).await;
    let rules = RetentionConfig {
        noise_days: Some(30),
        ..RetentionConfig::default()
    };
    let apply = || async {
        let now = OffsetDateTime::now_utc();
        let done = retention::apply(registry, &rules, now).await.unwrap();
        done.messages()
    };
    let kept = async |id| registry.message(id).await.unwrap().is_some();
    assert_eq!(apply().await, 1);
    assert!(!kept(checked).await && kept(recording).await);
    let closed = registry.judge_incident(1, IncidentState::Closed, None);
    closed.await.unwrap();
    assert_eq!(apply().await, 1);
    assert!(!kept(recording).await);
}

#[tokio::test]
async fn one_damaged_message_stops_nothing() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let mut ids = Vec::new();
    for days in [40, 50, 60] {
        ids.push(came(registry, None, SightingKind::Noise, days).await);
    }
    let url = format!("sqlite:{}", otori.dir().join("registry.db").display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    let damage = "update message set raw = x'00112233' where id = $1";
    let damage = sqlx::query(damage).bind(ids[1]).execute(&mut connection);
    damage.await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let rules = "[retention]\nnoise_days = 30\n";
    std::fs::write(&path, text.replacen("[retention]\n", rules, 1)).unwrap();
    let done = otori.json(&["retention", "apply"]);
    assert_eq!(
        (&done["erased"]["noise"], &done["erased"]["damaged"]),
        (&json!(2), &json!(1)),
        "{done}"
    );
    for (id, gone) in ids.iter().zip([true, false, true]) {
        assert_eq!(registry.erased(*id).await.unwrap().is_some(), gone, "{id}");
    }
    let words = otori.command(&["retention", "apply"]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("1 messages do not open"), "{words}");
}

#[tokio::test]
async fn photographs_go_with_the_letter_that_was_made_of_them() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let now = OffsetDateTime::now_utc();
    let photographs = |days| NewMessage {
        at: now - Duration::days(days),
        channel: Channel::Post,
        envelope: r#"{"photographs":1}"#.to_owned(),
        recipients: vec![],
        raw: b"a picture".to_vec(),
        same_as: Some(format!("pictures of {days}")),
    };
    let noise = NewSighting {
        source: None,
        canary: None,
        batch: None,
        kind: SightingKind::Noise,
        actor: Actor::default(),
        network: None,
    };
    let confirmed = stored(registry, photographs(60), &[]).await;
    let waiting = stored(registry, photographs(50), &[]).await;
    let letter = NewMessage {
        at: now - Duration::days(40),
        same_as: Some(letter_identity(confirmed)),
        envelope: "{}".to_owned(),
        ..photographs(40)
    };
    let letter = stored(registry, letter, &[noise]).await;
    let rules = |days| RetentionConfig {
        noise_days: Some(days),
        ..RetentionConfig::default()
    };
    let done = retention::apply(registry, &rules(45), now).await.unwrap();
    assert_eq!(done.noise, 0, "the letter is not old enough");
    let done = retention::apply(registry, &rules(30), now).await.unwrap();
    assert_eq!(done.noise, 2);
    for (id, gone) in [(confirmed, true), (letter, true), (waiting, false)] {
        assert_eq!(registry.erased(id).await.unwrap().is_some(), gone, "{id}");
    }
    let listed = registry.letters_waiting().await.unwrap();
    assert_eq!(
        listed.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [waiting]
    );
    let done = retention::apply(registry, &rules(30), now).await.unwrap();
    assert_eq!(done.noise, 0);
    otori.json(&["evidence", "verify"]);
}
