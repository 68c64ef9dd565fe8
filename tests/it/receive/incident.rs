//! Which incident a sighting joins, what people write to one, and whom it knows.

use otori::canary::{
    Actor, Canary, Channel, IncidentState, Named, NoteKind, Origin, Sighting, SightingKind,
};
use otori::evidence::Act;
use otori::registry::{Accepted, IncidentConfig, NewMessage, NewSighting, Registry};
use time::{Duration, OffsetDateTime};

use super::web::Call;
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{NUMBER, Otori, PEOPLE, PLANTED};
use crate::servers;

/// A contact with a canary so many days after the planting.
struct Contact<'a> {
    day: i64,
    canary: &'a Canary,
    channel: Channel,
    actor: Actor,
}

fn actor(from: &str) -> Actor {
    Actor {
        from: from.to_owned(),
        summary: "an offer".to_owned(),
        ..Actor::default()
    }
}

fn mail<'a>(day: i64, canary: &'a Canary, from: &str) -> Contact<'a> {
    Contact {
        day,
        canary,
        channel: Channel::Mail,
        actor: actor(from),
    }
}

fn alarm(canary: &Canary, actor: &Actor) -> NewSighting {
    NewSighting {
        source: Some(canary.source.clone()),
        canary: Some(canary.id.clone()),
        batch: Some(canary.batch.clone()),
        kind: SightingKind::Alarm,
        actor: actor.clone(),
        network: None,
    }
}

async fn stored(registry: &Registry, channel: Channel, at: OffsetDateTime) -> i64 {
    let message = NewMessage {
        at,
        channel,
        envelope: "{}".to_owned(),
        // A call's number; who a mail reached is said by its sighting.
        recipients: vec![NUMBER.to_owned()],
        raw: Vec::new(),
        same_as: None,
    };
    let accepted = registry.accept(&[message]).await.unwrap();
    let [Accepted::New(id)] = accepted[..] else {
        panic!("{accepted:?}");
    };
    id
}

async fn settled(registry: &Registry, contact: Contact<'_>) -> Sighting {
    let at = PLANTED + Duration::days(contact.day);
    let id = stored(registry, contact.channel, at).await;
    let alarm = alarm(contact.canary, &contact.actor);
    let settled = registry.settle(id, &[alarm]).await.unwrap();
    settled.unwrap().remove(0)
}

/// The incident that a contact joins.
async fn joined(registry: &Registry, contact: Contact<'_>) -> i64 {
    settled(registry, contact).await.incident.unwrap()
}

fn quiet(days: u16) -> IncidentConfig {
    IncidentConfig {
        quiet_days: days.try_into().unwrap(),
        ..IncidentConfig::default()
    }
}

async fn by_time_and_actor(registry: &str) {
    let otori = Otori::on(registry).await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let registry = otori.registry.clone().joining(&quiet(30));
    let one = &school[0];

    let first = joined(&registry, mail(1, one, "sales@broker.example")).await;
    // Close in time, whoever it is; the window moves on with each.
    assert_eq!(joined(&registry, mail(31, one, "a@b.example")).await, first);
    assert_eq!(joined(&registry, mail(61, one, "c@d.example")).await, first);
    // Another source has its own.
    let other = joined(&registry, mail(61, &shop[0], "c@d.example")).await;
    assert_ne!(other, first);
    // Long after, and nobody has seen this actor.
    let second = joined(&registry, mail(92, one, "new@else.example")).await;
    assert!(![first, other].contains(&second));
    let incident = registry.incident(second).await.unwrap();
    assert_eq!(incident.follows, Some(first));
    assert_eq!(registry.incident(first).await.unwrap().follows, None);
    // Long after the first, and close to the second, but by an actor of the first.
    let known = mail(93, &school[1], "Sales@Broker.example");
    assert_eq!(joined(&registry, known).await, first);
    // An actor on another way: the number that a mail had printed calls.
    let mut printed = mail(94, one, "new@else.example");
    printed.actor.origin = Some(Box::new(Origin {
        phones: vec!["+81301239999".to_owned()],
        ..Origin::default()
    }));
    assert_eq!(joined(&registry, printed).await, second);
    let called = Contact {
        day: 500,
        canary: one,
        channel: Channel::Phone,
        actor: actor("03-0123-9999"),
    };
    assert_eq!(joined(&registry, called).await, second);

    // A closed incident stays closed, whoever comes; what follows it says so.
    for id in [first, second] {
        let judged = registry.judge_incident(id, IncidentState::Closed, Some("done"));
        judged.await.unwrap();
    }
    let third = joined(&registry, mail(500, one, "sales@broker.example")).await;
    let incident = registry.incident(third).await.unwrap();
    assert_eq!(
        (incident.state, incident.follows),
        (IncidentState::Open, Some(second))
    );
    assert_eq!(
        registry.incident(first).await.unwrap().state,
        IncidentState::Closed
    );
    // Its actor was seen at both.
    let same = registry.same_actor(third).await.unwrap();
    let same: Vec<i64> = same.into_iter().map(|(id, _)| id).collect();
    assert_eq!(same, [first]);
    let same = registry.same_actor(other).await.unwrap();
    assert_eq!(same, [(first, one.source.clone())]);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

#[tokio::test]
async fn incidents_are_joined_by_time_and_actor() {
    by_time_and_actor("sqlite:registry.db").await;
}

#[tokio::test]
async fn incidents_are_joined_by_time_and_actor_on_postgres() {
    by_time_and_actor(&servers::postgres().await).await;
}

/// What many senders have in common joins nothing.
#[tokio::test]
async fn a_list_server_for_hire_is_no_actor() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    let registry = otori.registry.clone().joining(&quiet(1));
    let hired = |day, sender: usize| {
        let mut contact = mail(day, &school[0], &format!("x@sender{sender}.example"));
        contact.actor.origin = Some(Box::new(Origin {
            unsubscribe: vec!["hire.example".to_owned()],
            ..Origin::default()
        }));
        contact
    };
    let first = joined(&registry, hired(1, 0)).await;
    assert_eq!(joined(&registry, hired(100, 1)).await, first);
    for sender in 2..10 {
        joined(&registry, hired(100, sender)).await;
    }
    assert_ne!(joined(&registry, hired(300, 11)).await, first);
    // Whoever is known by more than that, is known still.
    assert_eq!(joined(&registry, hired(600, 3)).await, first);
}

/// Two receivers that have the same to open at once open it once, and wait for nobody in a circle.
async fn at_once(registry: &str) {
    let otori = Otori::on(registry).await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let mut receivers = Vec::new();
    for receiver in 0..4_usize {
        let registry = otori.workspace.registry().await.unwrap();
        let mut alarms: Vec<NewSighting> = [&school[0], &shop[0], &school[1]]
            .map(|canary| alarm(canary, &actor(&format!("x@r{receiver}.example"))))
            .to_vec();
        // Each meets the sources in another order.
        alarms.rotate_left(receiver % 3);
        receivers.push(tokio::spawn(async move {
            // A year between them: each time a new incident is due at both sources.
            for year in 0..5 {
                let at = PLANTED + Duration::days(365 * year);
                let id = stored(&registry, Channel::Mail, at).await;
                registry.settle(id, &alarms).await.unwrap().unwrap();
            }
        }));
    }
    for receiver in receivers {
        receiver.await.unwrap();
    }
    let incidents = otori.registry.incidents().await.unwrap();
    let sightings: u64 = incidents.iter().map(|incident| incident.sightings).sum();
    assert_eq!(sightings, 4 * 5 * 3);
    for source in [&school[0].source, &shop[0].source] {
        let of_source = incidents.iter().filter(|one| one.source == *source);
        let mut opened: Vec<OffsetDateTime> = of_source.map(|one| one.opened_at).collect();
        let all = opened.len();
        opened.sort_unstable();
        opened.dedup();
        assert_eq!(opened.len(), all, "two were opened at one moment");
    }
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_open_an_incident_once() {
    at_once("sqlite:registry.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_open_an_incident_once_on_postgres() {
    at_once(&servers::postgres().await).await;
}

#[tokio::test]
async fn the_window_is_configured() {
    let otori = Otori::new().await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let with = |days: &str| text.replace("# quiet_days = 90", &format!("quiet_days = {days}"));
    assert_ne!(with("7"), text);
    std::fs::write(&path, with("7")).unwrap();
    let workspace = otori::workspace::Workspace::find(Some(otori.dir())).unwrap();
    let registry = workspace.registry().await.unwrap();
    let school = otori.plant("school", &[KEISUKE]).await;
    let first = joined(&registry, mail(1, &school[0], "a@b.example")).await;
    assert_ne!(
        joined(&registry, mail(9, &school[0], "c@d.example")).await,
        first
    );
    std::fs::write(&path, with("0")).unwrap();
    let wrong = otori.command(&["incidents"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        said.contains("otori.toml: line ") && said.contains("nonzero"),
        "{said}"
    );
}

/// Owner, remarks and judgements stand in one line of time; a remark that names a canary is withheld.
async fn told(registry: &str) {
    let otori = Otori::on(registry).await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    for canary in &school {
        settled(&otori.registry, mail(1, canary, "sales@broker.example")).await;
    }
    let now = OffsetDateTime::now_utc();
    let mail = ["mail".to_owned()];
    otori.registry.hand_on_alerts(&mail, now).await.unwrap();
    let due = otori.registry.due_deliveries("mail", now, 1).await.unwrap();
    otori.registry.alert_delivered(&due[0], now).await.unwrap();
    otori.json(&["incidents", "assign", "1", "anna"]);
    otori.json(&["incidents", "assign", "1", "ben"]);
    let noted = otori.json(&["incidents", "note", "1", "asked the broker"]);
    assert_eq!((&noted["incident"], &noted["note"]), (&1.into(), &3.into()));
    otori.json(&["incidents", "note", "1", "髙橋 圭祐 was written to"]);
    otori.json(&["incidents", "confirm", "1", "--why", "a list is sold"]);
    let shown = otori.json(&["incidents", "show", "1"]);
    assert_eq!(shown["owner"], "ben");
    let timeline = shown["timeline"].as_array().unwrap();
    let whats: Vec<&str> = timeline
        .iter()
        .map(|moment| moment["what"].as_str().unwrap())
        .collect();
    let wanted = [
        "sightings",
        "alerted",
        "owned",
        "owned",
        "noted",
        "noted",
        "judged",
    ];
    assert_eq!(whats, wanted);
    assert_eq!(
        (&timeline[0]["count"], &timeline[0]["canaries"]),
        (&2.into(), &2.into())
    );
    assert_eq!(timeline[4]["note"], "asked the broker");
    assert!(timeline[4]["by"].is_string());
    assert_eq!(timeline[5]["note"], serde_json::Value::Null);
    assert_eq!(timeline[6]["why"], "a list is sold");
    let listed = otori.json(&["incidents"]);
    assert_eq!(listed["incidents"][0]["owner"], "ben");

    // Kept sealed, under a new key too, and hashed in the log.
    let notes = otori.registry.notes(1).await.unwrap();
    assert_eq!(notes.len(), 4);
    assert_eq!(notes[2].text, "asked the broker");
    let text = serde_json::to_string(&otori.registry.acts().await.unwrap()).unwrap();
    assert!(text.contains("incident_noted") && !text.contains("asked the broker"));
    otori.json(&["key", "rotate", "registry", "--yes"]);
    let registry = otori.workspace.registry().await.unwrap();
    assert_eq!(registry.notes(1).await.unwrap(), notes);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);

    // What makes no sense is refused in words.
    for (args, why) in [
        (
            &["incidents", "note", "9", "x"][..],
            "there is no incident 9",
        ),
        (&["incidents", "note", "1", " "], "the remark is empty"),
        (&["incidents", "assign", "1", ""], "a name is one line"),
    ] {
        let output = otori.command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{said}");
    }
    let gone = registry.note_incident(9, NoteKind::Note, "x", now).await;
    assert!(gone.is_err());
}

#[tokio::test]
async fn an_incident_has_an_owner_and_a_history() {
    told("sqlite:registry.db").await;
}

#[tokio::test]
async fn an_incident_has_an_owner_and_a_history_on_postgres() {
    told(&servers::postgres().await).await;
}

/// The same mail with a number to call printed in it.
fn printing(mut contact: Contact<'_>) -> Contact<'_> {
    contact.actor.origin = Some(Box::new(Origin {
        phones: vec!["+81301239999".to_owned()],
        ..Origin::default()
    }));
    contact
}

/// Contacts of one actor belong together, whatever canary, source and way they came by.
#[tokio::test]
async fn an_actor_is_known_across_sources_and_channels() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let registry = &otori.registry;
    let first = settled(registry, printing(mail(1, &school[0], "a@broker.example"))).await;
    let called = Contact {
        day: 2,
        canary: &shop[0],
        channel: Channel::Phone,
        actor: Actor {
            named: Some(Named::Family),
            ..actor("03-0123-9999")
        },
    };
    let second = settled(registry, called).await;
    let other = settled(registry, mail(3, &school[1], "x@else.example")).await;
    let found = otori.json(&["actors"]);
    let found = found["actors"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0]["sightings"],
        serde_json::json!([first.id, second.id])
    );
    assert_eq!(found[0]["sources"], serde_json::json!(["school", "shop"]));
    assert_eq!(found[0]["channels"], serde_json::json!(["mail", "phone"]));
    assert_eq!(found[0]["why"][0]["kind"], "phone");
    assert_eq!(found[0]["why"][0]["contacts"], 2);
    assert_eq!(found[1]["sightings"], serde_json::json!([other.id]));
    let several = otori.json(&["actors", "--several"]);
    assert_eq!(several["actors"].as_array().unwrap().len(), 1);
    let shown = otori.command(&["incidents", "show", "1"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let merged =
        "the same actor was seen at source shop (incident 2): the two lists may have been merged";
    assert!(shown.contains(merged), "{shown}");
}

/// The verdict weighs all channels, and the page and the command say the same.
async fn weighed(registry: &str) {
    let otori = Otori::on(registry).await;
    let school = otori.plant("school", &PEOPLE).await;
    otori.plant("shop", &[JIRO]).await;
    let shown = |otori: &Otori| otori.json(&["incidents", "show", "1"])["weight"].clone();
    let log10 = |weight: &serde_json::Value| weight["log10_lr"].as_f64().unwrap();

    settled(&otori.registry, mail(60, &school[0], "a@broker.example")).await;
    let one = shown(&otori);
    assert_eq!(one["verdict"], "inconclusive");
    assert!((0.5..2.0).contains(&log10(&one)), "{one}");
    // Again, and by somebody else: one contact point is one.
    settled(&otori.registry, mail(60, &school[0], "b@else.example")).await;
    assert_eq!(shown(&otori)["channels"], one["channels"]);
    settled(&otori.registry, mail(60, &school[1], "a@broker.example")).await;
    let two = shown(&otori);
    settled(&otori.registry, mail(60, &school[2], "a@broker.example")).await;
    let three = shown(&otori);
    assert!(log10(&one) < log10(&two) && log10(&two) < log10(&three));
    assert_eq!(three["verdict"], "leak");
    let of_mail = &three["channels"][0];
    assert_eq!(of_mail["channel"], "mail");
    assert_eq!(
        (&of_mail["points"], &of_mail["reached"]),
        (&3.into(), &3.into())
    );
    assert_eq!(of_mail["elsewhere_points"], 1);
    // A call to the number that they all share is one of one.
    let called = Contact {
        day: 60,
        canary: &school[0],
        channel: Channel::Phone,
        actor: actor("03-0123-9999"),
    };
    settled(&otori.registry, called).await;
    let with_call = shown(&otori);
    let of_phone = with_call["channels"].as_array().unwrap().iter();
    let of_phone = of_phone
        .clone()
        .find(|one| one["channel"] == "phone")
        .unwrap();
    assert_eq!(
        (&of_phone["points"], &of_phone["reached"]),
        (&1.into(), &1.into())
    );
    assert!((log10(&with_call) - log10(&three)).abs() < 0.3);

    let receiver = otori.receive(&otori.config()).await;
    let token = otori.secret("keys/operator.token");
    let get = |path: &str| {
        Call::get(path)
            .basic("operator", &token)
            .send(receiver.http)
    };
    let page = get("/incidents/1").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("leak: ") && page.body.contains("Leak or chance"));
    assert!(
        page.body.contains("mail, alarm: sightings: 4, canaries: 3"),
        "{}",
        page.body
    );
    assert_eq!(get("/incidents/9").await.status, 404);
    assert_eq!(
        Call::get("/incidents/1").send(receiver.http).await.status,
        401
    );
    let front = get("/").await;
    assert!(
        front.body.contains("href=\"/incidents/1\""),
        "{}",
        front.body
    );
    receiver.stop().await;
}

#[tokio::test]
async fn an_incident_is_weighed() {
    weighed("sqlite:registry.db").await;
}

#[tokio::test]
async fn an_incident_is_weighed_on_postgres() {
    weighed(&servers::postgres().await).await;
}

/// A canary whose details somebody was shown carries less: they may have got out from us.
#[tokio::test]
async fn a_canary_that_was_shown_carries_less() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &PEOPLE).await;
    otori.plant("shop", &[JIRO]).await;
    settled(&otori.registry, mail(20, &school[0], "a@broker.example")).await;
    let weight = || otori.json(&["incidents", "show", "1"])["weight"].clone();
    let kept = weight();
    assert!(kept["log10_lr"].as_f64().unwrap() > 1.5, "{kept}");
    assert_eq!(kept["limited_by"], serde_json::Value::Null);
    let act = Act::Revealed {
        canary: school[0].id.to_string(),
        source: "school".to_owned(),
        reason: None,
    };
    let shown = otori.registry.record(act, OffsetDateTime::now_utc());
    shown.await.unwrap();
    let shown = weight();
    assert_eq!(
        (&shown["log10_lr"], &shown["limited_by"]),
        (&1.0.into(), &"canaries".into())
    );
    assert_eq!(shown["support"], "weak support");
}
