//! The registry's story, told on both engines.

use otori::canary::{
    Actor, Batch, Canary, CanaryId, Cell, Channel, ContactPoint, Details, IncidentState,
    PlantedRow, SightingKind, SourceName, State,
};
use otori::notation::Role;
use otori::persona::{Address, Household, Locale, NamePart, Person, Sex};
use otori::registry::{
    Accepted, Added, Error, Mark, MasterKey, NewMessage, NewSighting, Registry, SightingFilter,
    Source,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::macros::{date, datetime};

use crate::servers;

const PLANTED: time::OffsetDateTime = datetime!(2026-01-10 03:00 UTC);

fn part(written: &str, kana: &str) -> NamePart {
    NamePart {
        written: written.to_owned(),
        kana: kana.to_owned(),
    }
}

fn household() -> Household {
    Household {
        locale: Locale::JaJp,
        guardian: Person {
            family: part("髙橋", "タカハシ"),
            given: part("圭祐", "ケイスケ"),
            sex: Sex::Male,
            birth: date!(1972 - 04 - 01),
        },
        children: vec![Person {
            family: part("髙橋", "タカハシ"),
            given: part("ひなた", "ヒナタ"),
            sex: Sex::Female,
            birth: date!(2006 - 11 - 30),
        }],
        address: Address {
            postcode: "1000013".to_owned(),
            region: "東京都".to_owned(),
            city: "千代田区".to_owned(),
            city_kana: "トウキョウトチヨダク".to_owned(),
            town: "霞が関".to_owned(),
            town_kana: "カスミガセキ".to_owned(),
            block: "9-12-8".to_owned(),
            building: Some("囮ハイツ".to_owned()),
            unit: Some("707".to_owned()),
        },
        landline: Some("+81301234567".to_owned()),
        mobile: None,
        email: Some("keisuke.takahashi@decoys.example".to_owned()),
    }
}

fn canary(source: &SourceName, number: u32, seed: u64, points: Vec<i64>) -> Canary {
    let household = household();
    let cell = |column: &str, role, value: &str| Cell {
        column: column.to_owned(),
        role,
        value: Some(value.to_owned()),
    };
    Canary {
        id: CanaryId::random(&mut StdRng::seed_from_u64(seed)),
        source: source.clone(),
        batch: otori::canary::BatchId::new(source, number),
        state: State::Planned,
        details: Details {
            rows: vec![PlantedRow {
                table: "会員".to_owned(),
                cells: vec![
                    cell("氏名", Role::Name, "髙橋　圭祐"),
                    cell("電話", Role::Phone, "03-0123-4567"),
                ],
                key: vec![],
                ..PlantedRow::default()
            }],
            household,
        },
        points,
        versions: Vec::new(),
    }
}

fn batch(source: &SourceName, number: u32, canaries: usize) -> Batch {
    Batch {
        id: otori::canary::BatchId::new(source, number),
        source: source.clone(),
        planted_at: PLANTED,
        unplanted_at: None,
        state: State::Planned,
        canaries,
        rows_at: 20_000,
    }
}

fn mail(id: &str) -> NewMessage {
    NewMessage {
        at: datetime!(2026-03-01 12:00 UTC),
        channel: Channel::Mail,
        envelope: r#"{"from":"list@broker.example"}"#.to_owned(),
        recipients: vec!["keisuke.takahashi@decoys.example".to_owned()],
        raw: b"Subject: an offer\r\n\r\nDear customer".to_vec(),
        same_as: Some(id.to_owned()),
    }
}

/// Everything that the registry does, in the order of a year.
async fn story(url: &str, home: &std::path::Path, key: &MasterKey) -> Registry {
    let registry = Registry::create(url, home, key).await.unwrap();

    // Contact points: all or none, known ones left alone.
    let points: Vec<(ContactPoint, Option<u32>)> = vec![
        (
            ContactPoint::MailDomain("decoys.example".parse().unwrap()),
            None,
        ),
        (
            ContactPoint::Phone("03-0123-4567".parse().unwrap()),
            Some(3),
        ),
    ];
    let added = registry.add_contact_points(&points, PLANTED).await.unwrap();
    assert_eq!(added, Added { added: 2, known: 0 });
    let again = registry.add_contact_points(&points, PLANTED).await.unwrap();
    assert_eq!(again, Added { added: 0, known: 2 });
    let pool = registry.pool().await.unwrap();
    assert_eq!(
        pool.iter().map(|e| e.point.clone()).collect::<Vec<_>>(),
        points.iter().map(|p| p.0.clone()).collect::<Vec<_>>()
    );
    assert_eq!(pool[1].cap_per_source, Some(3));

    // Sources: one name, one source.
    let school: SourceName = "school".parse().unwrap();
    let source = Source {
        name: school.clone(),
        url: "postgres://app:hunter2secret@db.example/school".to_owned(),
        table: "会員".to_owned(),
        mapping: "{}".to_owned(),
        added_at: PLANTED,
    };
    registry.add_source(&source).await.unwrap();
    assert!(matches!(
        registry.add_source(&source).await,
        Err(Error::SourceTaken(_))
    ));
    assert_eq!(registry.source(&school).await.unwrap(), source);
    let unknown = registry.source(&"shop".parse().unwrap()).await.unwrap_err();
    assert!(
        unknown.to_string().contains("registered are: school"),
        "{unknown}"
    );

    // One planting act at a time, whoever asks.
    let other = Registry::open(url, home, key).await.unwrap();
    let held = registry.exclusive().await.unwrap();
    assert!(matches!(other.exclusive().await, Err(Error::Busy)));
    drop(held);
    let mut tries = 0;
    while other.exclusive().await.is_err() {
        // A server frees the lock when it sees the connection close.
        tries += 1;
        assert!(tries < 100, "the lock is never freed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    // A batch that comes to nothing frees its contact points and is found by nobody.
    let ids: Vec<i64> = pool.iter().map(|entry| entry.id).collect();
    let lost = canary(&school, 1, 1, ids.clone());
    registry
        .register_batch(&batch(&school, 1, 1), std::slice::from_ref(&lost))
        .await
        .unwrap();
    assert_eq!(
        registry.pool().await.unwrap()[0].given,
        [(school.clone(), 1)]
    );
    registry
        .set_batch_state(&lost.batch, State::Void, PLANTED)
        .await
        .unwrap();
    assert_eq!(registry.pool().await.unwrap()[0].given, []);
    assert_eq!(
        registry
            .find(Mark::Email, "Keisuke.Takahashi@Decoys.Example")
            .await
            .unwrap(),
        []
    );

    // A number is used once, and a batch with a wrong one registers nothing.
    let wrong = canary(&school, 1, 2, vec![]);
    assert!(
        registry
            .register_batch(&batch(&school, 1, 1), &[wrong])
            .await
            .is_err()
    );
    let next = registry.next_batch(&school).await.unwrap();
    assert_eq!(next.as_str(), "school-2");
    let mut live = canary(&school, 2, 3, ids);
    let twin = canary(&school, 2, 3, vec![]);
    assert!(
        registry
            .register_batch(&batch(&school, 2, 2), &[live.clone(), twin])
            .await
            .is_err(),
        "an id repeats"
    );
    assert_eq!(
        registry.batches(None).await.unwrap().len(),
        1,
        "all or none"
    );
    registry
        .register_batch(&batch(&school, 2, 1), std::slice::from_ref(&live))
        .await
        .unwrap();
    live.details.rows[0].key = vec![("id".to_owned(), "471147114711".to_owned())];
    live.state = State::Live;
    registry
        .batch_is_live(&live.batch, std::slice::from_ref(&live))
        .await
        .unwrap();
    assert_eq!(
        registry.batch_canaries(&live.batch).await.unwrap(),
        [live.clone()]
    );
    assert_eq!(registry.canaries(Some(&school)).await.unwrap().len(), 2);
    let batches = registry.batches(Some(&school)).await.unwrap();
    assert_eq!(batches[1].state, State::Live);
    assert_eq!(
        (
            batches[1].canaries,
            batches[1].rows_at,
            batches[1].planted_at
        ),
        (1, 20_000, PLANTED)
    );

    // Any spelling finds it.
    for (mark, spelling) in [
        (Mark::Email, "KEISUKE.TAKAHASHI@decoys.example"),
        (Mark::Phone, "+81-3-0123-4567"),
        (Mark::Name, "高橋圭祐 様"),
        (Mark::Name, "髙橋 ひなた"),
        (Mark::Kana, "ﾀｶﾊｼ ｹｲｽｹ"),
        (Mark::Kana, "たかはし　ひなた"),
        (
            Mark::Address,
            "東京都千代田区霞が関９丁目１２番８号 囮ハイツ ７０７号室",
        ),
        (Mark::Address, "千代田区霞ヶ関9-12-8-707"),
    ] {
        let found = registry.find(mark, spelling).await.unwrap();
        assert_eq!(found, [live.clone()], "{mark:?} {spelling}");
    }
    assert_eq!(
        registry
            .find(Mark::Email, "nobody@decoys.example")
            .await
            .unwrap(),
        []
    );

    // A message counts once, however often it is sent again.
    let accepted = registry
        .accept(&[mail("<1@x>"), mail("<2@x>"), mail("<1@x>")])
        .await
        .unwrap();
    let [
        Accepted::New(first),
        Accepted::New(second),
        Accepted::Repeat(repeat),
    ] = accepted[..]
    else {
        panic!("{accepted:?}");
    };
    assert_eq!(first, repeat);
    let waiting = registry.unsettled(10).await.unwrap();
    assert_eq!(
        waiting.iter().map(|m| m.id).collect::<Vec<_>>(),
        [first, second]
    );
    assert_eq!(waiting[0].raw, mail("").raw);
    assert_eq!(waiting[0].recipients, mail("").recipients);

    let alarm = NewSighting {
        source: Some(school.clone()),
        canary: Some(live.id.clone()),
        batch: Some(live.batch.clone()),
        kind: SightingKind::Alarm,
        actor: Actor {
            from: "list@broker.example".to_owned(),
            summary: "an offer".to_owned(),
            ..Actor::default()
        },
        network: None,
    };
    let noise = NewSighting {
        source: None,
        canary: None,
        batch: None,
        kind: SightingKind::Noise,
        actor: Actor::default(),
        network: None,
    };
    let settled = registry
        .settle(first, &[alarm.clone(), noise])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        settled[0].incident,
        registry.incidents().await.unwrap().first().map(|i| i.id)
    );
    assert_eq!((settled[0].repeats, settled[1].incident), (1, None));
    assert_eq!(
        registry
            .settle(first, std::slice::from_ref(&alarm))
            .await
            .unwrap(),
        None,
        "settled once"
    );
    // Together, all or none; one that is settled already stays as it is.
    let mut homeless = alarm.clone();
    homeless.source = Some("nowhere".parse().unwrap());
    let together = [
        (second, vec![alarm.clone()]),
        (first, vec![homeless.clone()]),
    ];
    let ours = registry.settle_all(&together).await.unwrap();
    assert_eq!(ours, [second], "somebody else has counted the first one");
    assert_eq!(registry.sightings_of(first).await.unwrap().len(), 2);
    let third = registry.accept(&[mail("<3@x>"), mail("<4@x>")]).await;
    let [Accepted::New(third), Accepted::New(fourth)] = third.unwrap()[..] else {
        panic!("both are new");
    };
    let broken = [(third, vec![alarm.clone()]), (fourth, vec![homeless])];
    assert!(
        registry.settle_all(&broken).await.is_err(),
        "there is no such source"
    );
    assert_eq!(registry.unsettled(10).await.unwrap().len(), 2);
    assert_eq!(registry.sightings_of(third).await.unwrap(), []);
    let both = [(third, vec![]), (fourth, vec![])];
    registry.settle_all(&both).await.unwrap();
    let incidents = registry.incidents().await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(
        (
            incidents[0].sightings,
            incidents[0].canaries,
            incidents[0].state
        ),
        (2, 1, IncidentState::Open)
    );
    assert_eq!(registry.unsettled(10).await.unwrap().len(), 0);
    let of_school = SightingFilter {
        source: Some(school),
        ..Default::default()
    };
    let sightings = registry.sightings(&of_school).await.unwrap();
    assert_eq!(sightings.len(), 2);
    assert_eq!(sightings[1].actor.summary, "an offer");
    let later = SightingFilter {
        since: Some(datetime!(2026-03-02 00:00 UTC)),
        ..Default::default()
    };
    assert_eq!(registry.sightings(&later).await.unwrap(), []);

    // One alert for the incident, kept until somebody takes it.
    let now = datetime!(2026-03-01 12:00:01 UTC);
    let due = registry.due_alerts(now, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(
        due[0].body.contains(live.id.as_str()) && !due[0].body.contains("keisuke"),
        "{}",
        due[0].body
    );
    deliver(&registry, now).await;

    // Any other key is refused.
    let wrong = Registry::open(url, home, &MasterKey::generate()).await;
    assert!(matches!(wrong, Err(Error::WrongKey)));
    registry
}

/// Two places, one of which fails once: each is told once.
async fn deliver(registry: &Registry, now: time::OffsetDateTime) {
    let places = ["mail".to_owned(), "chat".to_owned()];
    let due = async |place: &str, at| registry.due_deliveries(place, at, 10).await.unwrap();
    // Nobody is to be told: it waits.
    assert_eq!(registry.hand_on_alerts(&[], now).await.unwrap(), 0);
    assert_eq!(registry.alerts_waiting().await.unwrap(), 1);
    assert_eq!(registry.hand_on_alerts(&places, now).await.unwrap(), 1);
    assert_eq!(registry.hand_on_alerts(&places, now).await.unwrap(), 0);
    let (mail, chat) = (due("mail", now).await, due("chat", now).await);
    assert_eq!((mail.len(), chat.len()), (1, 1));
    // Of two receivers one sends it, until its claim is over.
    let later = datetime!(2026-03-01 12:05 UTC);
    let claim = async |alert, at| registry.claim_delivery(alert, at, later).await.unwrap();
    assert!(claim(&chat[0], now).await);
    assert!(!claim(&chat[0], now).await);
    assert!(due("chat", now).await.is_empty());
    assert_eq!(due("chat", later).await.len(), 1);
    registry
        .delivery_failed(&chat[0], now, Some(later), "451 later")
        .await
        .unwrap();
    registry.alert_delivered(&mail[0], now).await.unwrap();
    assert!(due("mail", later).await.is_empty());
    assert!(due("chat", now).await.is_empty());
    let again = due("chat", later).await;
    assert_eq!((again[0].attempts, again[0].failing_since), (1, Some(now)));
    assert!(!claim(&chat[0], later).await, "it was tried since");
    // Given up, taken back, told.
    let dead = registry.delivery_failed(&again[0], later, None, "451 later");
    dead.await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 0);
    assert_eq!(registry.alerts_dead().await.unwrap(), 1);
    let open = registry.open_alerts().await.unwrap();
    assert_eq!(open[0].dead_at, Some(later));
    let id = open[0].id;
    let retried = registry.retry_alert(id, Some("mail"), later).await.unwrap();
    assert!(retried.is_empty(), "mail has taken it");
    assert_eq!(
        registry.retry_alert(id, None, later).await.unwrap(),
        ["chat"]
    );
    let again = due("chat", later).await;
    registry.alert_delivered(&again[0], later).await.unwrap();
    assert_eq!(registry.alerts_waiting().await.unwrap(), 0);
    assert_eq!(registry.alerts_dead().await.unwrap(), 0);
}

/// While somebody else settles, only an empty answer says that nothing waits.
#[tokio::test]
async fn an_empty_answer_says_that_nothing_waits() {
    let home = tempfile::tempdir().unwrap();
    let key = MasterKey::generate();
    let registry = Registry::create("sqlite:registry.db", home.path(), &key).await;
    let registry = registry.unwrap();
    let many: Vec<NewMessage> = (0..100).map(|n| mail(&format!("<many{n}@x>"))).collect();
    let accepted = registry.accept(&many).await.unwrap();
    let settling = async {
        for message in accepted {
            let Accepted::New(id) = message else {
                panic!("each is new");
            };
            registry.settle_all(&[(id, vec![])]).await.unwrap();
        }
    };
    let looking = async {
        while !registry.unsettled(1).await.unwrap().is_empty() {}
        registry.unsettled_count().await.unwrap()
    };
    assert_eq!(tokio::join!(settling, looking).1, 0);
}

/// What must not be read in a copy of the registry.
fn secrets() -> Vec<&'static str> {
    vec![
        "髙橋",
        "高橋",
        "圭祐",
        "ひなた",
        "タカハシ",
        "ケイスケ",
        "霞が関",
        "囮ハイツ",
        "1000013",
        "03-0123-4567",
        "0301234567",
        "81301234567",
        "keisuke",
        "takahashi@",
        "decoys.example",
        "1972-04-01",
        "broker.example",
        "an offer",
        "Dear customer",
        "hunter2secret",
        "471147114711",
    ]
}

#[tokio::test]
async fn the_story_on_sqlite() {
    let home = tempfile::tempdir().unwrap();
    let key = MasterKey::generate();
    story("sqlite:registry.db", home.path(), &key).await;
    // Nothing is folded into the main file first: the log beside it is searched as well.
    let mut seen = false;
    for name in ["registry.db", "registry.db-wal"] {
        let Ok(bytes) = std::fs::read(home.path().join(name)) else {
            continue;
        };
        for secret in secrets() {
            let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(secret);
            let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for needle in [secret.as_bytes(), &cp932, &utf16] {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{name} shows {secret}");
            }
        }
        seen |= bytes.windows(6).any(|window| window == b"school");
    }
    assert!(seen, "the search itself works");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(home.path().join("registry.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_story_on_postgres() {
    let home = tempfile::tempdir().unwrap();
    let url = servers::postgres().await;
    story(&url, home.path(), &MasterKey::generate()).await;
    let dump = std::process::Command::new("pg_dump")
        .arg("--data-only")
        .arg(&url)
        .output()
        .unwrap();
    let dump = match dump.status.success() {
        true => String::from_utf8(dump.stdout).unwrap(),
        false => panic!("{}", String::from_utf8_lossy(&dump.stderr)),
    };
    assert!(dump.contains("school-2"), "the search itself works");
    for secret in secrets() {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        // Sealed fields are printed as hexadecimal digits, in which a short number may turn up.
        let long_enough = hex.len() >= 12;
        assert!(!dump.contains(secret), "the dump shows {secret}");
        assert!(
            !long_enough || !dump.contains(&hex),
            "the dump shows {secret}"
        );
    }
}

/// Canaries are opened in pages, on several threads: none is lost, none comes twice, and they keep their order.
async fn more_than_a_page(url: &str) {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::create(url, home.path(), &MasterKey::generate())
        .await
        .unwrap();
    let mut registered = Vec::new();
    for (name, number, count) in [
        ("school", 1, 470),
        ("shop", 1, 20),
        ("school", 2, 45),
        ("shop", 2, 5),
    ] {
        let name: SourceName = name.parse().unwrap();
        if number == 1 {
            let source = Source {
                name: name.clone(),
                url: "csv:none.csv".to_owned(),
                table: "会員".to_owned(),
                mapping: "{}".to_owned(),
                added_at: PLANTED,
            };
            registry.add_source(&source).await.unwrap();
        }
        let seed = registered.len() as u64;
        let new = (0..count).map(|n| canary(&name, number, seed + n, vec![]));
        let new: Vec<Canary> = new.collect();
        let batch = batch(&name, number, new.len());
        registry.register_batch(&batch, &new).await.unwrap();
        registered.extend(new);
    }
    let ids = |canaries: &[Canary]| -> Vec<(String, String)> {
        let id = |canary: &Canary| (canary.source.to_string(), canary.id.to_string());
        canaries.iter().map(id).collect()
    };
    assert_eq!(
        ids(&registry.canaries(None).await.unwrap()),
        ids(&registered)
    );
    for name in ["school", "shop"] {
        let name: SourceName = name.parse().unwrap();
        let of = registry.canaries(Some(&name)).await.unwrap();
        let own = registered.iter().filter(|canary| canary.source == name);
        let own: Vec<Canary> = own.cloned().collect();
        assert_eq!(ids(&of), ids(&own));
        assert!(of[0].details == own[0].details, "what was sealed is opened");
    }
}

#[tokio::test]
async fn more_than_a_page_on_sqlite() {
    more_than_a_page("sqlite:registry.db").await;
}

#[tokio::test]
async fn more_than_a_page_on_postgres() {
    more_than_a_page(&servers::postgres().await).await;
}

#[tokio::test]
async fn a_registry_that_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    let key = MasterKey::generate();
    let missing = Registry::open("sqlite:registry.db", home.path(), &key).await;
    assert!(matches!(missing, Err(Error::Missing(_))));
    let strange = Registry::open("oracle://app:pw@db/x", home.path(), &key).await;
    let said = strange.err().unwrap().to_string();
    assert!(said.contains("oracle") && !said.contains("pw"), "{said}");
    let dead = Registry::open("postgres://app:pw@127.0.0.1:9/x", home.path(), &key).await;
    let said = dead.err().unwrap().to_string();
    assert!(!said.contains("pw"), "{said}");
}
