//! Drills against real receivers: heard and told of, or an alert; and nobody hides behind one.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use otori::alert::{self, AlertConfig, Places};
use otori::canary::{Canary, Channel, Drill, DrillState, Sighting, SightingKind};
use otori::database::Engine;
use otori::evidence::Act;
use otori::registry::{Accepted, Busy, NewDrill, NewMessage, SightingFilter};
use otori::workspace::Workspace;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::{Otori, PEOPLE, Receiver};
use crate::plant::shop::{dump, prepared};
use crate::receive::alert::sink;
use crate::receive::crash::Server;
use crate::receive::post::{PNG, file};
use crate::servers;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

type Mails = Arc<Mutex<Vec<String>>>;

/// Writes keys into sections of otori.toml.
fn configure(otori: &Otori, sections: &[(&str, String)]) {
    let path = otori.dir().join("otori.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (section, keys) in sections {
        let head = format!("[{section}]\n");
        assert_eq!(text.matches(&head).count(), 1, "{section}");
        text = text.replace(&head, &format!("{head}{keys}\n"));
    }
    std::fs::write(&path, text).unwrap();
}

/// The outside path leads to `smtp`, and the webhook to `http`.
fn ways(smtp: &str, http: &str) -> [(&'static str, String); 2] {
    [
        (
            "drill",
            format!("relay = \"{smtp}\"\nfrom = \"info@outside.example\""),
        ),
        ("receive", format!("public_url = \"http://{http}\"")),
    ]
}

fn told_by(relay: &str) -> (&'static str, String) {
    (
        "alert",
        format!(
            "relay = \"{relay}\"\nfrom = \"otori@shop.example\"\nto = [\"security@shop.example\"]"
        ),
    )
}

/// A receiver in this process, with what sends its alerts, and a security team's mail server.
struct House {
    receiver: Receiver,
    mails: Mails,
    stop: CancellationToken,
}

impl House {
    async fn new(otori: &Otori) -> House {
        let receiver = otori.receive(&otori.config()).await;
        let (relay, mails) = sink(0).await;
        let config = AlertConfig {
            relay: Some(relay.clone()),
            from: Some("otori@shop.example".to_owned()),
            to: vec!["security@shop.example".to_owned()],
            ..AlertConfig::default()
        };
        let places = Places::new(&config, otori.dir()).unwrap();
        let stop = CancellationToken::new();
        let registry = otori.registry.clone();
        tokio::spawn(alert::run(registry, places, stop.clone().cancelled_owned()));
        let [drill, receive] = ways(
            &format!("smtp://{}", receiver.smtp),
            &receiver.http.to_string(),
        );
        configure(otori, &[drill, receive, told_by(&relay)]);
        House {
            receiver,
            mails,
            stop,
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.receiver.stop().await;
    }
}

async fn run(otori: &Otori, args: &[&str]) -> (Value, Output) {
    let mut command = otori.command(args);
    command.arg("--json");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (document, output)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn mail_saying(mails: &Mails, words: &str) -> String {
    until(words, async || {
        let mails = mails.lock().unwrap();
        mails.iter().find(|mail| mail.contains(words)).cloned()
    })
    .await
}

async fn sightings(otori: &Otori) -> Vec<Sighting> {
    otori.settled().await;
    let filter = SightingFilter::default();
    let mut found = otori.registry.sightings(&filter).await.unwrap();
    found.sort_by_key(|sighting| sighting.id);
    found
}

fn kinds(found: &[Sighting]) -> Vec<SightingKind> {
    found.iter().map(|sighting| sighting.kind).collect()
}

/// A real mail.
async fn mail(smtp: std::net::SocketAddr, from: &str, to: &str, data: String) {
    let (smtp, from, to) = (smtp.to_string(), from.to_owned(), to.to_owned());
    let sent = tokio::task::spawn_blocking(move || {
        Command::new("swaks")
            .args(["--server", &smtp, "--from", &from, "--to", &to])
            .args(["--data", &data])
            .stdout(Stdio::null())
            .status()
            .unwrap()
    });
    assert!(sent.await.unwrap().success());
}

async fn begin(otori: &Otori, canary: &Canary, channel: Channel) -> Drill {
    let now = OffsetDateTime::now_utc();
    let new = NewDrill {
        channel,
        source: canary.source.clone(),
        canary: canary.id.clone(),
        scheduled: false,
        sent_at: now,
        due_at: now + time::Duration::minutes(5),
    };
    let begun = otori.registry.begin_drill(&new, None).await.unwrap();
    begun.unwrap()
}

#[track_caller]
fn sound(otori: &Otori) {
    let verified = otori.json(&["evidence", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_heard_told_of_and_no_incident() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let house = House::new(&otori).await;
    let (document, output) = run(&otori, &["drill"]).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{document}\n{}",
        told(&output)
    );
    let drills = document["drills"].as_array().unwrap();
    let channels: Vec<&str> = drills
        .iter()
        .map(|drill| drill["channel"].as_str().unwrap())
        .collect();
    assert_eq!(channels, ["mail", "phone"]);
    for drill in drills {
        assert_eq!(drill["state"], "passed", "{drill}");
        assert_eq!(drill["source"], "school");
        let moment = |key: &str| drill[key].as_str().unwrap().to_owned();
        assert!(moment("sent_at") <= moment("accepted_at"), "{drill}");
        assert!(moment("accepted_at") <= moment("seen_at"), "{drill}");
        assert!(moment("seen_at") <= moment("alerted_at"), "{drill}");
        let latency = drill["latency_seconds"].as_f64().unwrap();
        assert!(latency > 0.0 && latency < 30.0, "{drill}");
    }
    let found = sightings(&otori).await;
    assert_eq!(kinds(&found), [SightingKind::Drill; 2]);
    // A number that all of them share: the drill still tells whom it called.
    for (sighting, drill) in found.iter().zip(drills) {
        let canary = sighting.canary.as_ref().unwrap();
        assert_eq!(drill["canary"], canary.as_str());
    }
    assert!(otori.registry.incidents().await.unwrap().is_empty());

    // What went by the outside path says nothing of what it is.
    let raw = otori.registry.message(1).await.unwrap().unwrap().raw;
    let raw = String::from_utf8_lossy(&raw).to_lowercase();
    for word in ["otori", "drill", "canary", "test"] {
        assert!(!raw.contains(word), "{word}: {raw}");
    }
    // The alerts are marked, and hold no detail.
    for channel in ["mail", "phone"] {
        let subject = format!("no alarm: school is heard by {channel}");
        let mail = mail_saying(&house.mails, &subject).await;
        for detail in ["decoys.example", "髙橋", "123-4567", "301234567"] {
            assert!(!mail.contains(detail), "{mail}");
        }
    }
    let listed = otori.json(&["drill", "list", "school"]);
    assert_eq!(listed["drills"].as_array().unwrap().len(), 2);
    assert_eq!(listed["drills"][0]["state"], "passed");
    let acts = otori.registry.acts().await.unwrap();
    let of = |wanted: fn(&Act) -> bool| acts.iter().filter(|entry| wanted(&entry.act)).count();
    assert_eq!(of(|act| matches!(act, Act::DrillSent { .. })), 2);
    assert_eq!(of(|act| matches!(act, Act::DrillSeen { .. })), 2);
    sound(&otori);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_nobody_hides_behind_a_drill() {
    hiding(Otori::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_nobody_hides_behind_a_drill() {
    hiding(Otori::on(&servers::postgres().await).await).await;
}

async fn hiding(otori: Otori) {
    let school = otori.plant("school", &PEOPLE).await;
    let receiver = otori.receive(&otori.config()).await;
    let to = |at: usize| PEOPLE[at].mail;
    let data = |token: &str, subject: &str| {
        format!("Message-ID: <{token}@outside.example>\nSubject: {subject}\n\nhello\n")
    };
    let drill = begin(&otori, &school[0], Channel::Mail).await;
    let token = otori.registry.drill_token(&drill);
    let smtp = receiver.smtp;

    // A token that was made up, while a drill is awaited.
    let forged = "0123456789abcdef0123456789abcdef";
    mail(smtp, "a@thief.example", to(0), data(forged, "forged")).await;
    // The right one, to somebody else.
    mail(smtp, "a@thief.example", to(1), data(&token, "elsewhere")).await;
    assert_eq!(
        kinds(&sightings(&otori).await),
        [SightingKind::Alarm, SightingKind::Alarm]
    );
    assert_eq!(
        otori.registry.drill(drill.id).await.unwrap().accepted_at,
        None
    );
    // The drill, with a Message-ID of the relay's own: its text has the number too, whatever its encoding.
    let base64 = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(format!("受付番号　{token}\n"))
    };
    let relayed = format!(
        "Message-ID: <x1@relay.example>\nSubject: hi\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: base64\n\n{base64}\n"
    );
    mail(smtp, "info@outside.example", to(0), relayed).await;
    let found = sightings(&otori).await;
    assert_eq!(found[2].kind, SightingKind::Drill);
    assert_eq!(found[2].incident, None);
    let incidents = otori.registry.incidents().await.unwrap();
    assert_eq!(incidents[0].sightings, 2);

    // Whoever has seen it on its way and says it again.
    mail(smtp, "a@thief.example", to(0), data(&token, "replayed")).await;
    let found = sightings(&otori).await;
    assert_eq!(found[3].kind, SightingKind::Alarm);
    assert_eq!(found[3].incident, Some(incidents[0].id));

    // Two at once with one token: one of them is the drill.
    let second = begin(&otori, &school[2], Channel::Mail).await;
    let token = otori.registry.drill_token(&second);
    let one = mail(smtp, "a@thief.example", to(2), data(&token, "one"));
    let other = mail(smtp, "b@thief.example", to(2), data(&token, "other"));
    tokio::join!(one, other);
    let found = sightings(&otori).await;
    let mut last = kinds(&found[4..]);
    last.sort_by_key(|kind| kind.name());
    assert_eq!(last, [SightingKind::Alarm, SightingKind::Drill]);

    // A mail to the drill's canary and to another one besides: only the one is the drill.
    let wide = begin(&otori, &school[1], Channel::Mail).await;
    let token = otori.registry.drill_token(&wide);
    let both = format!("{},{}", to(0), to(1));
    mail(smtp, "a@thief.example", &both, data(&token, "two")).await;
    let found = sightings(&otori).await;
    let last: Vec<_> = found[6..]
        .iter()
        .map(|sighting| (sighting.canary.clone().unwrap(), sighting.kind))
        .collect();
    assert!(
        last.contains(&(school[1].id.clone(), SightingKind::Drill)),
        "{last:?}"
    );
    assert!(
        last.contains(&(school[0].id.clone(), SightingKind::Alarm)),
        "{last:?}"
    );

    // A call has its own: what a mail's drill carries is worth nothing there, and the other way round.
    let third = begin(&otori, &school[0], Channel::Phone).await;
    let token = otori.registry.drill_token(&third);
    mail(smtp, "a@thief.example", to(0), data(&token, "a call's")).await;
    assert_eq!(
        sightings(&otori).await.pop().unwrap().kind,
        SightingKind::Alarm
    );

    receiver.stop().await;
    sound(&otori);
}

/// A message that was stored at that time.
async fn came(otori: &Otori, to: &str, token: &str, at: OffsetDateTime) -> SightingKind {
    let message = NewMessage {
        at,
        channel: Channel::Mail,
        envelope: "{}".to_owned(),
        recipients: vec![to.to_owned()],
        raw: format!("Message-ID: <{token}@x.example>\r\n\r\n").into_bytes(),
        same_as: None,
    };
    let accepted = otori.registry.accept(&[message]).await.unwrap();
    assert!(matches!(accepted[..], [Accepted::New(_)]));
    sightings(otori).await.pop().unwrap().kind
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_drill_stays_failed_and_a_token_ends() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &PEOPLE).await;
    let receiver = otori.receive(&otori.config()).await;
    let (late, over) = (
        begin(&otori, &school[0], Channel::Mail).await,
        begin(&otori, &school[1], Channel::Mail).await,
    );
    let token = |drill: &Drill| otori.registry.drill_token(drill);
    let now = late.due_at + time::Duration::seconds(1);
    let failed = otori.registry.fail_overdue_drills(now).await.unwrap();
    assert_eq!(failed.len(), 2);
    // Twice is once.
    assert!(
        otori
            .registry
            .fail_overdue_drills(now)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(otori.registry.alerts_waiting().await.unwrap(), 2);

    // Kept back by a relay: no incident, and no success either.
    let hour = late.due_at + time::Duration::hours(1);
    let kind = came(&otori, PEOPLE[0].mail, &token(&late), hour).await;
    assert_eq!(kind, SightingKind::Drill);
    let late = otori.registry.drill(late.id).await.unwrap();
    assert_eq!(late.state, DrillState::Failed);
    assert_eq!(
        late.why.as_deref(),
        Some("it came 3600 seconds after its deadline")
    );
    // So does one whose deadline nobody had looked at.
    let unnoticed = begin(&otori, &school[2], Channel::Mail).await;
    let hour = unnoticed.due_at + time::Duration::hours(1);
    let kind = came(&otori, PEOPLE[2].mail, &token(&unnoticed), hour).await;
    assert_eq!(kind, SightingKind::Drill);
    let unnoticed = otori.registry.drill(unnoticed.id).await.unwrap();
    assert_eq!(unnoticed.state, DrillState::Failed);
    let acts = otori.registry.acts().await.unwrap();
    let failed = acts
        .iter()
        .filter(|entry| matches!(entry.act, Act::DrillFailed { .. }));
    // Two by the clock, two by coming late.
    assert_eq!(failed.count(), 4);
    // Nobody keeps a token for later.
    let week = over.due_at + time::Duration::days(7);
    let kind = came(&otori, PEOPLE[1].mail, &token(&over), week).await;
    assert_eq!(kind, SightingKind::Alarm);
    receiver.stop().await;
    sound(&otori);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_failure_and_an_alert() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let house = House::new(&otori).await;
    // An outside path that takes mails and delivers them nowhere.
    let (nowhere, swallowed) = sink(0).await;
    let path = otori.dir().join("otori.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let smtp = format!("smtp://{}", house.receiver.smtp);
    std::fs::write(&path, config.replace(&smtp, &nowhere)).unwrap();
    let (document, output) = run(&otori, &["drill", "--channel", "mail", "--wait", "1"]).await;
    assert_eq!(output.status.code(), Some(1), "{document}");
    let drill = &document["drills"][0];
    assert_eq!(drill["state"], "failed");
    assert_eq!(drill["why"], "nothing came by its deadline");
    assert_eq!(drill["seen_at"], Value::Null);
    assert_eq!(swallowed.lock().unwrap().len(), 1);
    let mail = mail_saying(
        &house.mails,
        "school: nothing heard by mail, drill 1 failed",
    )
    .await;
    assert!(mail.contains("before that, never"), "{mail}");

    // One that does not even take them, and one that is not there.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("smtp://{}", dead.local_addr().unwrap());
    drop(dead);
    let (refusing, _) = sink(usize::MAX).await;
    for (relay, why) in [
        (nobody, "did not take the mail"),
        (refusing, "the relay of [drill] refused the mail (451)"),
    ] {
        std::fs::write(&path, config.replace(&smtp, &relay)).unwrap();
        let (document, output) = run(&otori, &["drill", "school", "--channel", "mail"]).await;
        assert_eq!(output.status.code(), Some(1), "{document}");
        let drill = &document["drills"][0];
        let said = drill["why"].as_str().unwrap();
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("decoys.example"), "{said}");
    }
    house.close().await;
    sound(&otori);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_cannot_be_drilled_is_told_with_what_to_write() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let (document, output) = run(&otori, &["drill", "--channel", "mail"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document["drills"], serde_json::json!([]));
    let why = document["not_drilled"][0]["why"].as_str().unwrap();
    assert!(why.contains("relay") && why.contains("[drill]"), "{why}");
    // Without a receiver, the call is not even put through.
    let (document, output) = run(&otori, &["drill", "--channel", "phone", "--wait", "5"]).await;
    assert_eq!(output.status.code(), Some(1));
    let why = document["drills"][0]["why"].as_str().unwrap();
    assert!(why.contains("cannot be reached"), "{why}");
    // A password in the file, or a sender that is missing, is an error of its own.
    configure(
        &otori,
        &[("drill", "relay = \"smtp://127.0.0.1:1\"".to_owned())],
    );
    let (_, output) = run(&otori, &["drill"]).await;
    assert!(
        told(&output).contains("otori.toml, [drill]: from is missing"),
        "{}",
        told(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_reported_as_twilio_does() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    otori.write_secret("keys/twilio.token", "0123456789abcdef0123456789abcdef");
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = port.local_addr().unwrap();
    drop(port);
    let mut config = otori.config();
    config.public_url = Some(format!("http://{http}"));
    config.phone.twilio_token_file = Some("keys/twilio.token".into());
    let free = "127.0.0.1:0".parse().unwrap();
    let listeners = otori::receive::Listeners::bind(free, http).await.unwrap();
    let stop = CancellationToken::new();
    let running = otori::receive::start(
        otori.registry.clone(),
        &config,
        otori.dir(),
        listeners,
        stop.clone().cancelled_owned(),
    );
    let running = running.await.unwrap();
    configure(
        &otori,
        &[
            ("receive", format!("public_url = \"http://{http}\"")),
            (
                "receive.phone",
                "twilio_token_file = \"keys/twilio.token\"".to_owned(),
            ),
        ],
    );
    let (document, output) = run(&otori, &["drill", "--channel", "phone", "--no-wait"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(document["drills"][0]["state"], "waiting");
    let found = sightings(&otori).await;
    assert_eq!(kinds(&found), [SightingKind::Drill]);
    assert!(
        found[0].actor.from.starts_with("+120255501"),
        "{}",
        found[0].actor.from
    );
    // Nobody is told: seen is not passed.
    let later = OffsetDateTime::now_utc() + time::Duration::hours(1);
    let failed = otori.registry.fail_overdue_drills(later).await.unwrap();
    let why = failed[0].why.as_deref().unwrap();
    assert!(
        why.starts_with("it was seen in time, but its alert"),
        "{why}"
    );
    stop.cancel();
    running.stopped().await;
}

/// A row that was written while the clock was a year ahead does not keep the schedule still for a year.
#[tokio::test]
async fn a_drill_that_lies_ahead_does_not_stop_the_schedule() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &PEOPLE).await;
    let now = OffsetDateTime::now_utc();
    let ahead = now + time::Duration::days(365);
    let new = |sent_at: OffsetDateTime| NewDrill {
        channel: Channel::Mail,
        source: school[0].source.clone(),
        canary: school[0].id.clone(),
        scheduled: true,
        sent_at,
        due_at: sent_at + time::Duration::hours(1),
    };
    let busy = Busy {
        channel_since: ahead,
        any_since: now - time::Duration::hours(1),
        any_until: now + otori::drill::CLOCKS,
    };
    let begin = async |sent_at, busy| {
        let begun = otori.registry.begin_drill(&new(sent_at), busy).await;
        begun.unwrap().is_some()
    };
    assert!(begin(ahead, None).await);
    assert!(begin(now, Some(busy)).await);
    // And that one does.
    assert!(!begin(now, Some(busy)).await);
}

/// The schedule of two receivers on one registry: one drill at a time, no burst, none twice.
#[tokio::test(flavor = "multi_thread")]
async fn two_receivers_on_postgres_share_one_schedule() {
    let otori = Otori::on(&servers::postgres().await).await;
    otori.plant("school", &PEOPLE).await;
    let house = House::new(&otori).await;
    configure(&otori, &[("drill", "every = \"4s\"".to_owned())]);
    let servers = [Server::start(&otori), Server::start(&otori)];
    let drills = until("six drills passed", async || {
        let drills = otori.registry.drills(None, 100).await.unwrap();
        let passed = drills
            .iter()
            .filter(|drill| drill.state == DrillState::Passed);
        (passed.count() >= 6).then_some(drills)
    })
    .await;
    for server in servers {
        assert!(server.terminate().success());
    }
    assert!(drills.iter().all(|drill| drill.scheduled));
    let mut all: Vec<OffsetDateTime> = drills.iter().map(|drill| drill.sent_at).collect();
    all.sort();
    for pair in all.windows(2) {
        assert!(
            pair[1] - pair[0] > time::Duration::milliseconds(490),
            "{all:?}"
        );
    }
    for channel in [Channel::Mail, Channel::Phone] {
        let own = drills.iter().filter(|drill| drill.channel == channel);
        let mut own: Vec<OffsetDateTime> = own.map(|drill| drill.sent_at).collect();
        own.sort();
        assert!(own.len() >= 2, "{own:?}");
        for pair in own.windows(2) {
            assert!(
                pair[1] - pair[0] > time::Duration::milliseconds(3590),
                "{own:?}"
            );
        }
    }
    assert!(otori.registry.incidents().await.unwrap().is_empty());
    house.close().await;
    sound(&otori);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_drill_outlives_the_receiver_that_sent_it() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let (nowhere, swallowed) = sink(0).await;
    let (security, mails) = sink(0).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("secret_file = ", "# secret_file = ")).unwrap();
    configure(
        &otori,
        &[
            (
                "drill",
                format!(
                    "relay = \"{nowhere}\"\nfrom = \"info@outside.example\"\nevery = \"30d\"\ndeadline = \"3s\""
                ),
            ),
            told_by(&security),
        ],
    );
    let server = Server::start(&otori);
    until("a drill is sent", async || {
        (swallowed.lock().unwrap().len() == 1).then_some(())
    })
    .await;
    server.kill();
    let drills = otori.registry.drills(None, 10).await.unwrap();
    assert_eq!(drills.len(), 1);
    assert_eq!(drills[0].state, DrillState::Waiting);

    let server = Server::start(&otori);
    let mail = mail_saying(&mails, "school: nothing heard by mail").await;
    assert!(mail.contains(drills[0].canary.as_str()), "{mail}");
    // It is not sent again: its time is in the registry.
    let drills = otori.registry.drills(None, 10).await.unwrap();
    assert_eq!(drills.len(), 1);
    assert_eq!(drills[0].state, DrillState::Failed);
    assert_eq!(swallowed.lock().unwrap().len(), 1);
    assert!(server.terminate().success());
    sound(&otori);
}

/// The letter's number as the mail room reads it.
fn number(page: &str) -> String {
    let (_, rest) = page.split_once("お客様番号　").unwrap();
    rest.chars().take(9).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_closed_by_its_number_alone() {
    let (otori, _ground) = prepared(Engine::Sqlite, 120).await;
    otori.json(&["plant", "shop", "--count", "3"]);
    let house = House::new(&otori).await;
    let letter = otori.dir().join("letter.html");
    let out = letter.to_str().unwrap();
    let args = ["drill", "post", "shop", "--out", out, "--due", "7"];
    let written = otori.json(&args);
    let drill = &written["drills"][0];
    assert_eq!(
        (&drill["channel"], &drill["state"]),
        (&"post".into(), &"waiting".into())
    );
    let page = std::fs::read_to_string(&letter).unwrap();
    let canary = drill["canary"].as_str().unwrap().parse().unwrap();
    let canary = otori.registry.canary_of(&canary).await.unwrap();
    let household = &canary.details.household;
    let unit = household.address.unit.as_ref().unwrap();
    let door = format!("囮ハイツ　{unit}号室");
    for shown in [
        "<html lang=\"ja\">",
        "〒100-0013",
        "東京都千代田区霞が関9-12-8",
        &door,
        &format!(
            "{}　{}　様",
            household.guardian.family.written, household.guardian.given.written
        ),
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for outside in ["http:", "https:", "src=", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&letter).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // That it was shown is in the log; a letter is not written over.
    let acts = otori.registry.acts().await.unwrap();
    assert!(acts.iter().any(|entry| matches!(&entry.act,
        Act::Revealed { canary: shown, .. } if *shown == *canary.id.as_str())));
    let (_, again) = run(&otori, &args).await;
    assert!(
        told(&again).contains("is there already"),
        "{}",
        told(&again)
    );

    // A firm that bought the list writes in the same days.
    let name = format!(
        "{}{}",
        household.guardian.family.written, household.guardian.given.written
    );
    let address = format!("東京都千代田区霞が関9-12-8 囮ハイツ{unit}");
    let fields = |note: &'static str| {
        [
            ("addressee", name.clone()),
            ("address", address.clone()),
            ("note", note.to_owned()),
        ]
    };
    async fn post(
        otori: &Otori,
        house: &House,
        fields: &[(&str, String)],
        picture: &[u8],
    ) -> String {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let answer = file(otori, &house.receiver, &fields, picture).await;
        assert_eq!(answer.status, 200);
        answer.body
    }
    let other = post(&otori, &house, &fields("名簿を見て"), PNG).await;
    assert!(!other.contains("a drill"), "{other}");
    assert_eq!(kinds(&sightings(&otori).await), [SightingKind::Alarm]);

    // The mail room mistypes everything but the number.
    let number = number(&page);
    let typed = [
        ("addressee", "佐籐".to_owned()),
        ("address", String::new()),
        (
            "note",
            format!("番号 {}", number.to_lowercase().replace('-', " ")),
        ),
    ];
    let filed = post(&otori, &house, &typed, PNG).await;
    assert!(filed.contains("This letter was a drill"), "{filed}");
    assert!(filed.contains(canary.id.as_str()), "{filed}");
    let found = sightings(&otori).await;
    assert_eq!(found[1].kind, SightingKind::Drill);
    assert_eq!(found[1].canary.as_ref(), Some(&canary.id));
    let id = drill["id"].as_i64().unwrap();
    until("the drill passes", async || {
        let drill = otori.registry.drill(id).await.unwrap();
        (drill.state == DrillState::Passed).then_some(())
    })
    .await;

    // The next one goes to somebody else, and is not filed at all.
    let second = otori.dir().join("second.html");
    let written = otori.json(&["drill", "post", "shop", "--out", second.to_str().unwrap()]);
    assert_ne!(written["drills"][0]["canary"], canary.id.as_str());
    let later = OffsetDateTime::now_utc() + time::Duration::days(11);
    let failed = otori.registry.fail_overdue_drills(later).await.unwrap();
    assert_eq!(failed.len(), 1);
    let due = otori.registry.due_alerts(later, 10).await.unwrap();
    assert!(
        due.iter()
            .any(|alert| alert.body.contains("\"failed\"") && alert.body.contains("\"post\""))
    );
    house.close().await;
    sound(&otori);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_takes_two_people_where_reveal_does() {
    let (otori, _ground) = prepared(Engine::Sqlite, 120).await;
    otori.json(&["plant", "shop", "--count", "3"]);
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    otori.write_secret("keys/second.token", "second-token-of-some-length");
    let text = text.replace(
        "[custody]",
        "[[people]]\nname = \"second\"\ntoken_file = \"keys/second.token\"\nrole = \"admin\"\n\n[custody]",
    );
    let text = text.replace(
        "enforce = false",
        "enforce = true\nfour_eyes = [\"reveal\"]",
    );
    std::fs::write(&path, text).unwrap();
    let operator = otori.secret("keys/operator.token");
    let act = |name: &str, token: &str, args: &[&str]| {
        let mut command = otori.command(args);
        command
            .args(["--json", "--as", name])
            .env("OTORI_TOKEN", token);
        command.output().unwrap()
    };
    let letter = otori.dir().join("letter.html");
    let args = ["drill", "post", "shop", "--out", letter.to_str().unwrap()];
    let asked = act("operator", &operator, &args);
    assert_eq!(asked.status.code(), Some(1), "{}", told(&asked));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert!(!letter.exists());
    assert!(otori.registry.drills(None, 10).await.unwrap().is_empty());
    let request = asked["request"]["id"].as_i64().unwrap().to_string();
    let approved = act(
        "second",
        "second-token-of-some-length",
        &["approve", &request],
    );
    assert!(approved.status.success(), "{}", told(&approved));
    let done = act("operator", &operator, &args);
    assert!(done.status.success(), "{}", told(&done));
    assert!(letter.exists());
    // The mail room drills nobody, and sees no drill.
    let token = otori.secret("keys/mailroom.token");
    for args in [
        &["drill"][..],
        &["drill", "list"],
        &["drill", "leak", "shop"],
    ] {
        let refused = act("mailroom", &token, args);
        assert_eq!(refused.status.code(), Some(1));
        assert!(told(&refused).contains("may not"), "{}", told(&refused));
    }
}

fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_drilled_on_every_engine() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MySql] {
        let (otori, ground) = prepared(engine, 2_000).await;
        otori.json(&["plant", "shop", "--count", "40"]);
        let (before, names) = (dump(&ground).await, files(otori.dir()));
        let temporary = tempfile::tempdir().unwrap();
        let mut command = otori.command(&["drill", "leak", "shop", "--share", "0.5", "--json"]);
        let output = command.env("TMPDIR", temporary.path()).output().unwrap();
        assert!(output.status.success(), "{engine:?}: {}", told(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let drill = &document["leak_drill"];
        assert_eq!(drill["named"], true, "{drill}");
        assert_eq!(drill["sources"], serde_json::json!(["shop"]));
        assert_eq!(drill["table_rows"], 2_040);
        let taken = drill["canaries"].as_u64().unwrap();
        assert!((5..=35).contains(&taken), "{drill}");
        let share = drill["share"].as_f64().unwrap();
        assert!((0.4..=0.6).contains(&share), "{drill}");
        let estimate = drill["estimate"]["share"].as_f64().unwrap();
        assert!((0.2..=0.8).contains(&estimate), "{drill}");
        // Nothing was written anywhere but into the log.
        assert_eq!(dump(&ground).await, before);
        assert_eq!(files(otori.dir()), names);
        assert_eq!(files(temporary.path()), Vec::<String>::new());
        let acts = otori.registry.acts().await.unwrap();
        let recorded = acts.iter().any(|entry| {
            matches!(&entry.act, Act::LeakDrilled { named, canaries, .. }
                if named == &["shop"] && *canaries == taken)
        });
        assert!(recorded);
        sound(&otori);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_canaries_name_nobody_and_that_is_said() {
    let (otori, _ground) = prepared(Engine::Sqlite, 300).await;
    // None at all, then some of which none is likely to be drawn.
    let (document, output) = run(&otori, &["drill", "leak", "shop", "--share", "1"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let drill = &document["leak_drill"];
    assert_eq!(
        (&drill["named"], &drill["possible"]),
        (&false.into(), &false.into())
    );
    assert_eq!(drill["canaries"], 0);
    otori.json(&["plant", "shop", "--count", "10"]);
    let (document, output) = run(&otori, &["drill", "leak", "shop", "--rows", "1"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(document["leak_drill"]["rows"], 1);
    assert_eq!(document["leak_drill"]["possible"], false);
    // All of it, sold as it is and made over.
    for edits in [
        "none",
        "columns,order,notation,encoding,mistypes",
        "mistypes",
    ] {
        let args = ["drill", "leak", "shop", "--share", "1", "--edits", edits];
        let (document, output) = run(&otori, &args).await;
        assert_eq!(output.status.code(), Some(0), "{edits}: {}", told(&output));
        let drill = &document["leak_drill"];
        assert_eq!(
            (&drill["named"], &drill["canaries"]),
            (&true.into(), &10.into()),
            "{drill}"
        );
    }
}

/// A trace that cannot name the source although it should is a failure, not a remark.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_named_fails_the_leak_drill() {
    let (otori, ground) = prepared(Engine::Sqlite, 300).await;
    otori.json(&["plant", "shop", "--count", "10"]);
    // A mapping that leaves the thief nothing that tells people apart.
    let workspace = Workspace::find(Some(otori.dir())).unwrap();
    let registry = workspace.registry().await.unwrap();
    let mapping = r#"{"locale": "ja_JP", "columns": {"性別": {"role": "sex"}}}"#;
    let blind = otori::registry::Source {
        name: "blind".parse().unwrap(),
        url: ground.url.clone(),
        table: "顧客".to_owned(),
        mapping: mapping.to_owned(),
        added_at: OffsetDateTime::now_utc(),
    };
    registry.add_source(&blind).await.unwrap();
    // Its canaries are the shop's rows: moved there as if they had been planted for it.
    let canaries = registry.canaries(None).await.unwrap();
    let id = registry.next_batch(&blind.name).await.unwrap();
    let mut batch = registry.batches(None).await.unwrap().remove(0);
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    let moved: Vec<Canary> = canaries
        .iter()
        .map(|canary| Canary {
            id: otori::canary::CanaryId::random(&mut rng),
            source: blind.name.clone(),
            batch: id.clone(),
            ..canary.clone()
        })
        .collect();
    batch.id = id.clone();
    batch.source = blind.name.clone();
    batch.state = otori::canary::State::Planned;
    registry.register_batch(&batch, &moved).await.unwrap();
    registry.batch_is_live(&id, &moved).await.unwrap();
    let (document, output) = run(&otori, &["drill", "leak", "blind", "--share", "1"]).await;
    assert_eq!(
        output.status.code(),
        Some(1),
        "{document} {}",
        told(&output)
    );
    let drill = &document["leak_drill"];
    assert_eq!(
        (&drill["named"], &drill["possible"]),
        (&false.into(), &true.into())
    );
}
