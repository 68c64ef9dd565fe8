//! Customers' own reports, as the desk files them, and the surge that they are.

use otori::canary::{Channel, Sighting, SightingKind};
use otori::receive::Listeners;
use otori::registry::{Rule, SightingFilter, Source, UNKNOWN_SOURCE};
use time::{Duration, OffsetDateTime};

use super::web::{Answer, Call};
use crate::harness::{Otori, Receiver};
use crate::servers;

async fn source(otori: &Otori, name: &str, days: i64) {
    let row = Source {
        name: name.parse().unwrap(),
        url: "sqlite:none.db".to_owned(),
        table: "会員".to_owned(),
        mapping: "{}".to_owned(),
        added_at: OffsetDateTime::now_utc() - Duration::days(days),
    };
    otori.registry.add_source(&row).await.unwrap();
}

fn day(ago: i64) -> String {
    let date = (OffsetDateTime::now_utc() - Duration::days(ago)).date();
    format!("{}/{}/{}", date.year(), u8::from(date.month()), date.day())
}

#[tokio::test]
async fn a_surge_of_reports_opens_an_incident_before_any_canary_is_hit() {
    let otori = Otori::new().await;
    source(&otori, "school", 100).await;
    source(&otori, "shop", 100).await;
    // Now and then a customer says something, which says nothing.
    let mut file = "受付日,会社名,媒体,受付番号,内容\n".to_owned();
    for week in 1..10 {
        file += &format!("{},株式会社どこか,電話,{week},電話がきた\n", day(week * 7));
    }
    file += "いつか,株式会社どこか,電話,x,\n";
    let path = otori.dir().join("desk.csv");
    let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(&file);
    std::fs::write(&path, &cp932).unwrap();
    let words = [
        "reports",
        "import",
        path.to_str().unwrap(),
        "--source",
        "school",
        "--json",
    ];
    for (stored, repeats) in [(9, 0), (0, 9)] {
        let done = otori.command(&words).output().unwrap();
        assert_eq!(done.status.code(), Some(1), "a row was not understood");
        let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(
            (&told["stored"], &told["repeats"]),
            (&stored.into(), &repeats.into())
        );
        let place = told["unreadable"][0]["place"].as_str().unwrap();
        assert!(place.ends_with("desk.csv, line 11"), "{place}");
    }
    assert!(otori.registry.incidents().await.unwrap().is_empty());

    // Then twelve in two days name the same firm, in two spellings.
    let mut file = "at,about,via,source,id\n".to_owned();
    for id in 0..12 {
        let firm = ["㈱ことば辞典", "株式会社ことば辞典"][id % 2];
        file += &format!("{},{firm},DM,school,s{id}\n", day(i64::from(id < 4)));
    }
    let path = otori.dir().join("desk2.csv");
    std::fs::write(&path, &file).unwrap();
    otori.json(&["reports", "import", path.to_str().unwrap()]);
    let incidents = otori.registry.incidents().await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].source.as_str(), "school");
    let found = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    let alarms: Vec<_> = found
        .iter()
        .filter(|s| s.kind == SightingKind::Alarm)
        .collect();
    // The first of them were too few to say anything; they are the incident's all the same.
    assert_eq!(alarms.len(), 12);
    assert!(alarms.iter().all(|s| s.incident == Some(incidents[0].id)));
    assert_eq!((incidents[0].sightings, found.len()), (12, 21));
    let tomorrow = OffsetDateTime::now_utc() + Duration::days(1);
    let noise = otori
        .registry
        .erasable(Rule::Noise, tomorrow, tomorrow)
        .await;
    assert_eq!(noise.unwrap().len(), 9, "an open incident's reports stay");
    assert!(
        alarms
            .iter()
            .all(|s| s.channel == Channel::Report && s.canary.is_none())
    );
    let last = alarms.iter().max_by_key(|alarm| alarm.id).unwrap();
    assert!(
        last.actor.summary.contains("were to be expected"),
        "{}",
        last.actor.summary
    );
    otori.json(&["evidence", "verify"]);

    let shown = otori.json(&["reports"]);
    let entry = |name: &str| {
        let entries = shown["sources"].as_array().unwrap();
        entries
            .iter()
            .find(|entry| entry["source"] == name)
            .unwrap()
    };
    assert!(
        entry("school")["surge"]["reports"].as_u64().unwrap() >= 8,
        "{shown}"
    );
    assert!(entry("shop")["surge"].is_null());
    assert_eq!(shown["firms"][0]["reports"], 12, "{shown}");
}

#[tokio::test]
async fn the_desk_files_a_report_on_its_page_and_over_the_api() {
    let otori = Otori::new().await;
    source(&otori, "school", 100).await;
    let receiver = otori.receive(&otori.config()).await;
    let token = otori.secret("keys/mailroom.token");
    let page = Call::get("/report").send(receiver.http).await;
    assert_eq!(page.status, 401);
    let page = Call::get("/report")
        .basic("mailroom", &token)
        .send(receiver.http)
        .await;
    assert!(
        page.status == 200 && page.body.contains("お客様からの通報"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("<option value=\"school\">"),
        "{}",
        page.body
    );
    let form = "about=%3Cb%3EA%3C%2Fb%3E%27%3B--&via=post&source=school&note=x";
    let filed = Call::post("/report", form)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .basic("mailroom", &token)
        .send(receiver.http)
        .await;
    assert!(
        filed.status == 200 && filed.body.contains("受付番号"),
        "{}",
        filed.body
    );
    let empty = Call::post("/report", "about=+&via=post&source=&note=%3Ci%3E")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .basic("mailroom", &token)
        .send(receiver.http)
        .await;
    assert!(
        empty.status == 400 && empty.body.contains("&lt;i&gt;"),
        "{}",
        empty.body
    );

    let told = serde_json::json!({ "about": "a firm", "via": "sms", "source": "", "at": "2026-11-01", "id": "7" });
    for repeat in [false, true] {
        let answer = Call::post("/api/reports", told.to_string())
            .basic("mailroom", &token)
            .send(receiver.http)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            answer.body.contains(&format!("\"repeat\":{repeat}")),
            "{}",
            answer.body
        );
    }
    for wrong in [
        "{}",
        r#"{"about": ""}"#,
        r#"{"about": "x", "at": "1999-01-01"}"#,
        r#"{"about": "x", "via": "pigeon"}"#,
        r#"{"about": "x", "source": "nowhere"}"#,
        r#"{"about": "x", "source": "a source"}"#,
    ] {
        let answer = Call::post("/api/reports", wrong)
            .basic("mailroom", &token)
            .send(receiver.http)
            .await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let long = "x".repeat(1 << 20);
    let answer = Call::post("/api/reports", long)
        .basic("mailroom", &token)
        .send(receiver.http)
        .await;
    assert_eq!(answer.status, 413);
    otori.settled().await;
    let mut found = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    found.sort_by_key(|sighting| sighting.id);
    let seen: Vec<_> = found
        .iter()
        .map(|s| {
            (
                s.actor.from.as_str(),
                s.source.as_ref().map(|s| s.as_str()),
                s.kind,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("<b>A</b>';--", Some("school"), SightingKind::Noise),
            ("a firm", None, SightingKind::Noise)
        ]
    );
    let operator = otori.secret("keys/operator.token");
    let dashboard = Call::get("/").basic("operator", &operator);
    let dashboard = dashboard.send(receiver.http).await;
    assert_eq!(dashboard.status, 200);
    assert!(!dashboard.body.contains("<b>A</b>"), "{}", dashboard.body);
    let shown = "&lt;b&gt;A&lt;/b&gt;";
    assert!(dashboard.body.contains(shown), "{}", dashboard.body);
    receiver.stop().await;
}

const FORM: &str = "/contact-report";

async fn open(otori: &Otori) -> Receiver {
    let mut config = otori.config();
    config.report.public = true;
    otori.receive(&config).await
}

/// What a customer in that network sends; the answer.
async fn sent(receiver: &Receiver, network: u8, form: &str) -> Answer {
    Call::post(FORM, form)
        .header("Content-Type", "application/x-www-form-urlencoded")
        // As nginx on this machine says.
        .header("X-Forwarded-For", &format!("10.9.9.9, 192.0.{network}.7"))
        .send(receiver.http)
        .await
}

async fn reports(otori: &Otori) -> Vec<Sighting> {
    otori.settled().await;
    let all = SightingFilter::default();
    otori.registry.sightings(&all).await.unwrap()
}

#[tokio::test]
async fn customers_report_by_themselves_and_learn_nothing() {
    let otori = Otori::new().await;
    source(&otori, "school", 100).await;
    let closed = otori.receive(&otori.config()).await;
    assert_eq!(Call::get(FORM).send(closed.http).await.status, 404);
    closed.stop().await;

    let receiver = open(&otori).await;
    let page = Call::get(FORM).send(receiver.http).await;
    assert_eq!(page.status, 200);
    for words in [
        "お取引のない会社",
        "never dealt with",
        "width=device-width",
        "name=\"website\"",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for told in ["school", "otori", "<script", "canar"] {
        assert!(!page.body.to_lowercase().contains(told), "{told}");
    }
    let thanks = sent(&receiver, 1, "about=A%3Cb%3E&via=phone&note=x&form=f1").await;
    assert_eq!(thanks.status, 200);
    // One that is sent twice is one; a robot fills every field, and is told what everybody is told.
    for form in [
        "about=A%3Cb%3E&via=phone&note=x&form=f1",
        "about=B&form=f2&website=spam",
    ] {
        let again = sent(&receiver, 1, form).await;
        assert_eq!((again.status, again.body), (200, thanks.body.clone()));
    }
    let nobody = sent(&receiver, 2, "about=+&note=%3Ci%3E&form=f3").await;
    assert_eq!(nobody.status, 400);
    assert!(nobody.body.contains("&lt;i&gt;"), "{}", nobody.body);
    assert_eq!(sent(&receiver, 2, &"x".repeat(20_000)).await.status, 413);
    // A network has few; the others have theirs.
    for number in 0..6 {
        let form = format!("about=C&form=g{number}");
        assert_eq!(sent(&receiver, 3, &form).await.status, 200, "{number}");
    }
    assert_eq!(sent(&receiver, 3, "about=C&form=g7").await.status, 429);
    assert_eq!(sent(&receiver, 4, "about=D").await.status, 200);
    let found = reports(&otori).await;
    assert_eq!(found.len(), 8);
    let message = otori.registry.message(found[0].message).await.unwrap();
    let message = message.unwrap();
    // From where it came is not kept.
    let kept = format!(
        "{}{}",
        message.envelope,
        String::from_utf8_lossy(&message.raw)
    );
    assert!(
        !kept.contains("192.0.") && !kept.contains("127.0.0.1"),
        "{kept}"
    );
    receiver.stop().await;

    let mut config = otori.config();
    config.report.public = true;
    config.report.path = "/api/sightings".to_owned();
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners::bind(free, free).await.unwrap();
    let registry = otori.registry.clone();
    let never = std::future::pending();
    let wrong = otori::receive::start(registry, &config, otori.dir(), listeners, never).await;
    let wrong = wrong.err().unwrap().to_string();
    assert!(wrong.contains("report.path"), "{wrong}");
}

async fn unknown_source(otori: Otori) {
    source(&otori, "school", 100).await;
    source(&otori, "shop", 100).await;
    let receiver = open(&otori).await;
    for number in 0..4 {
        let form = format!("about=firm&form={number}");
        assert_eq!(sent(&receiver, number, &form).await.status, 200);
        otori.settled().await;
    }
    assert!(
        otori.registry.incidents().await.unwrap().is_empty(),
        "few say nothing"
    );
    for number in 4..9 {
        let form = format!("about=firm&form={number}");
        assert_eq!(sent(&receiver, number, &form).await.status, 200);
        otori.settled().await;
    }
    receiver.stop().await;
    let incidents = otori.registry.incidents().await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].source.as_str(), UNKNOWN_SOURCE);
    let found = reports(&otori).await;
    assert_eq!(found.len(), 9);
    // The first of them were too few to say anything; they are the incident's all the same.
    let incident = Some(incidents[0].id);
    assert!(
        found
            .iter()
            .all(|one| one.incident == incident && one.kind == SightingKind::Alarm)
    );
    // It is no source of anybody's, and nobody registers one by that name.
    let names = otori.registry.sources().await.unwrap();
    assert_eq!(names.len(), 2);
    let taken = [
        "source",
        "add",
        UNKNOWN_SOURCE,
        "--url",
        "sqlite:x.db",
        "--table",
        "t",
        "--yes",
    ];
    let taken = otori.command(&taken).output().unwrap();
    assert_eq!(taken.status.code(), Some(1));
    let shown = otori.json(&["incidents"]);
    assert_eq!(shown["incidents"][0]["source"], UNKNOWN_SOURCE);
    assert!(otori.json(&["reports"])["all"]["reports"].as_u64().unwrap() >= 5);
    let dossier = otori.dir().join("dossier");
    let dossier = ["dossier", "1", "--out", dossier.to_str().unwrap()];
    otori.json(&dossier);
    otori.json(&["evidence", "verify"]);
}

#[tokio::test]
async fn reports_that_name_no_source_are_a_surge_of_an_unknown_one() {
    unknown_source(Otori::new().await).await;
}

#[tokio::test]
async fn on_postgres_too() {
    unknown_source(Otori::on(&servers::postgres().await).await).await;
}

#[tokio::test]
async fn what_all_sources_bring_on_an_ordinary_day_is_no_surge() {
    let otori = Otori::new().await;
    source(&otori, "school", 70).await;
    source(&otori, "shop", 70).await;
    let mut file = "at,about,via,source,id\n".to_owned();
    for id in 0..6 * 70 {
        let source = ["school", "shop"][id % 2];
        file += &format!("{},a firm,DM,{source},s{id}\n", day(1 + id as i64 / 6));
    }
    let path = otori.dir().join("desk.csv");
    std::fs::write(&path, &file).unwrap();
    otori.json(&["reports", "import", path.to_str().unwrap()]);
    let receiver = open(&otori).await;
    for number in 0..9 {
        let form = format!("about=firm&form={number}");
        assert_eq!(sent(&receiver, number, &form).await.status, 200);
    }
    otori.settled().await;
    assert!(otori.registry.incidents().await.unwrap().is_empty());
    assert!(otori.json(&["reports"])["all"].is_null());
    receiver.stop().await;
}

/// Where nothing is known of the ordinary, nothing is said to be ordinary.
#[tokio::test]
async fn of_a_new_source_it_is_told_that_nothing_is_known_yet() {
    let otori = Otori::new().await;
    source(&otori, "shop", 0).await;
    let mut file = "at,about,via,source,id\n".to_owned();
    for id in 0..60 {
        file += &format!("{},a firm,DM,shop,s{id}\n", day(0));
    }
    let path = otori.dir().join("desk.csv");
    std::fs::write(&path, &file).unwrap();
    otori.json(&["reports", "import", path.to_str().unwrap()]);
    let told = otori.json(&["reports"]);
    assert_eq!(told["sources"][0]["watched_days"], 1, "{told}");
    let words = otori.command(&["reports"]).output().unwrap().stdout;
    let words = String::from_utf8(words).unwrap();
    assert!(
        words.contains("not known yet: watched for 1 of 21 days"),
        "{words}"
    );
    assert!(!words.contains("no more than ordinarily"), "{words}");
}

/// What a desk that was taken up lately brings is no surge of those that name no source.
#[tokio::test]
async fn a_source_that_is_new_is_no_surge_of_an_unknown_one() {
    let otori = Otori::new().await;
    source(&otori, "school", 100).await;
    source(&otori, "shop", 9).await;
    let mut file = "at,about,via,source,id\n".to_owned();
    for id in 0..6 * 9 {
        file += &format!("{},a firm,DM,shop,s{id}\n", day(id as i64 / 6));
    }
    let path = otori.dir().join("desk.csv");
    std::fs::write(&path, &file).unwrap();
    otori.json(&["reports", "import", path.to_str().unwrap()]);
    otori.settled().await;
    let receiver = open(&otori).await;
    assert_eq!(sent(&receiver, 1, "about=firm&form=1").await.status, 200);
    otori.settled().await;
    assert!(otori.registry.incidents().await.unwrap().is_empty());
    assert!(otori.json(&["reports"])["all"].is_null());
    // What names none is a surge all the same.
    for number in 2..10 {
        let form = format!("about=firm&form={number}");
        assert_eq!(sent(&receiver, number, &form).await.status, 200);
        otori.settled().await;
    }
    receiver.stop().await;
    let incidents = otori.registry.incidents().await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].source.as_str(), UNKNOWN_SOURCE);
}

/// What is ordinary may be told after what is not: the desk's old reports come in when somebody looks for them.
#[tokio::test]
async fn older_reports_that_come_in_later_show_a_surge() {
    history_behind(Otori::new().await).await;
}

#[tokio::test]
async fn on_postgres_they_do_as_well() {
    history_behind(Otori::on(&servers::postgres().await).await).await;
}

async fn history_behind(otori: Otori) {
    source(&otori, "shop", 0).await;
    let import = |name: &str, rows: &str| {
        let path = otori.dir().join(name);
        std::fs::write(&path, format!("at,about,via,source,id\n{rows}")).unwrap();
        otori.json(&["reports", "import", path.to_str().unwrap()]);
    };
    let mut news = String::new();
    for id in 0..12 {
        let ago = i64::from(id < 4);
        news += &format!("{},a firm,DM,shop,s{id}\n", day(ago));
        news += &format!("{},another,DM,,a{id}\n", day(0));
    }
    import("desk.csv", &news);
    assert!(otori.registry.incidents().await.unwrap().is_empty());
    let mut history = String::new();
    for week in 1..10 {
        history += &format!("{},some firm,call,shop,h{week}\n", day(week * 7));
        history += &format!("{},some firm,call,,i{week}\n", day(week * 7 + 1));
    }
    for _ in 0..2 {
        import("old.csv", &history);
        let mut incidents = otori.registry.incidents().await.unwrap();
        incidents.sort_by_key(|incident| incident.source.to_string());
        let of = |name: &str| {
            let mut all = incidents.iter();
            all.find(|incident| incident.source.as_str() == name)
                .unwrap()
        };
        assert_eq!(incidents.len(), 2);
        let alarms = otori.registry.sightings(&SightingFilter::default()).await;
        let mut alarms = alarms.unwrap();
        alarms.retain(|sighting| sighting.kind == SightingKind::Alarm);
        for incident in [of("shop"), of(UNKNOWN_SOURCE)] {
            let own = || alarms.iter().filter(|s| s.incident == Some(incident.id));
            assert_eq!(incident.sightings, 12, "{}", incident.source);
            assert_eq!(own().count(), 12);
            assert!(own().all(|s| s.source.as_ref() == Some(&incident.source)));
            let said = own().filter(|s| s.actor.summary.contains("were to be expected"));
            assert_eq!(said.count(), 1);
        }
    }
    let due = OffsetDateTime::now_utc() + Duration::days(1);
    assert_eq!(otori.registry.due_alerts(due, 9).await.unwrap().len(), 2);
    otori.json(&["evidence", "verify"]);
}
