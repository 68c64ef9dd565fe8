//! The evidence log: whatever is changed behind its back is found and placed; one canary is proved
//! anywhere, and no other with it.

use std::path::Path;
use std::process::Command;

use otori::canary::{
    Actor, Came, Campaign, CampaignState, Canary, Channel, Judgement, NoteKind, SightingKind,
    SourceName,
};
use otori::drip::Intensity;
use otori::evidence::{Act, Checkpoint, Verifier};
use otori::registry::{Mark, NewDrill, NewDrip, NewMessage, NewSighting, Registry, Tried};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use time::OffsetDateTime;

use crate::harness::{DOMAIN, NUMBER, Otori, PEOPLE};
use crate::servers;

/// A workspace planted, hit and traced, its log signed.
async fn hit(registry: &str) -> Otori {
    let otori = Otori::hit(registry).await;
    let list = otori.dir().join("list.csv");
    std::fs::write(&list, "name,mail\n佐藤花子,hanako@decoys.example\n").unwrap();
    otori.json(&["trace", list.to_str().unwrap()]);
    let canaries = otori.registry.canaries(None).await.unwrap();
    let now = OffsetDateTime::now_utc();
    checked(&otori, &canaries[0], now).await;
    let drill = NewDrill {
        channel: Channel::Mail,
        source: canaries[0].source.clone(),
        canary: canaries[0].id.clone(),
        scheduled: false,
        sent_at: now,
        due_at: now + time::Duration::days(1),
    };
    otori.registry.begin_drill(&drill, None).await.unwrap();
    let places = ["mail".to_owned()];
    let handed_on = otori.registry.hand_on_alerts(&places, now).await;
    assert_eq!(handed_on.unwrap(), 1);
    let noise = NewMessage {
        at: now - time::Duration::days(31),
        channel: Channel::Mail,
        envelope: "{}".to_owned(),
        recipients: Vec::new(),
        raw: b"spam".to_vec(),
        same_as: None,
    };
    let stored = otori.registry.accept(&[noise]).await.unwrap();
    let otori::registry::Accepted::New(noise) = stored[0] else {
        panic!("stored before");
    };
    otori.registry.settle(noise, &[]).await.unwrap();
    let rules = otori::retention::RetentionConfig {
        noise_days: Some(30),
        ..Default::default()
    };
    let erased = otori::retention::apply(&otori.registry, &rules, now).await;
    assert_eq!(erased.unwrap().noise, 1);
    otori.workspace.sign_log(&otori.registry).await.unwrap();
    let newest = otori.registry.checkpoints(1).await.unwrap().remove(0);
    let given = otori
        .registry
        .checkpoint_witnessed(newest.size, "shelf", None);
    given.await.unwrap();
    drips(&otori, now).await;
    mailed(&otori, now).await;
    profiled(&otori, now).await;
    aged(&otori, &canaries[0], now).await;
    let note = otori.registry.note_incident(1, NoteKind::Note, "seen", now);
    note.await.unwrap();
    let run = otori.registry.receiver_started("one", "two", now).await;
    otori
        .registry
        .receiver_alive(&run.unwrap(), now)
        .await
        .unwrap();
    let place = otori
        .registry
        .folder_place("imap.provider.example", "taro", "INBOX");
    let (uid_validity, uid) = (1, 7);
    let read = otori::registry::FolderRead { uid_validity, uid };
    otori.registry.read_folder(&place, read).await.unwrap();
    called(&otori, now).await;
    otori.workspace.sign_log(&otori.registry).await.unwrap();
    otori
}

/// A planned mailing has come.
async fn mailed(otori: &Otori, now: OffsetDateTime) {
    let campaign = Campaign {
        source: "school".parse().unwrap(),
        sender: "school.example".parse().unwrap(),
        planned: now,
        tolerance: time::Duration::HOUR,
        share: 1.0,
        next: None,
    };
    let (came, chance) = (Came::default(), 1.0);
    let state = CampaignState::Nobody;
    let judged = Judgement { state, chance };
    let registry = &otori.registry;
    let kept = registry.campaign_judged(&campaign, &came, judged, now);
    assert!(kept.await.unwrap());
    let again = registry.campaign_judged(&campaign, &came, judged, now);
    assert!(!again.await.unwrap());
}

/// A source's customers were looked at.
async fn profiled(otori: &Otori, now: OffsetDateTime) {
    let source = "school".parse().unwrap();
    let kept = otori.registry.keep_profile(&source, "{}", now);
    kept.await.unwrap();
}

/// A drip is set, and has failed for so long that an alert tells of it.
async fn drips(otori: &Otori, now: OffsetDateTime) {
    let source: SourceName = "school".parse().unwrap();
    let drip = NewDrip {
        source: source.clone(),
        per_mille: 7_000,
        intensity: Intensity::waking(time::UtcOffset::UTC),
        until: None,
        next_at: Some(now),
        set_at: now,
    };
    otori.registry.set_drip(&drip).await.unwrap();
    for at in [now, now + time::Duration::days(2)] {
        let failed = Tried::Failed {
            why: "the database is away".to_owned(),
            next_at: None,
        };
        let noted = otori.registry.arrival_tried(&source, None, &failed, at);
        noted.await.unwrap();
    }
}

/// A canary's row was changed.
async fn aged(otori: &Otori, canary: &Canary, now: OffsetDateTime) {
    let change = otori::registry::Change {
        canary: canary.clone(),
        details: canary.details.clone(),
    };
    let registry = &otori.registry;
    registry
        .register_versions(&canary.source, &[change], now)
        .await
        .unwrap();
    let outcome = otori::registry::Outcome {
        canary: canary.id.clone(),
        number: 2,
        stands: Some(canary.details.clone()),
    };
    registry
        .settle_versions(&canary.source, &[outcome])
        .await
        .unwrap();
}

/// Somebody has called a number of ours.
async fn called(otori: &Otori, at: OffsetDateTime) {
    let message = NewMessage {
        at,
        channel: Channel::Phone,
        envelope: "{}".to_owned(),
        recipients: vec![NUMBER.to_owned()],
        raw: b"a call".to_vec(),
        same_as: None,
    };
    let stored = otori.registry.accept(&[message]).await.unwrap();
    let otori::registry::Accepted::New(id) = stored[0] else {
        panic!("stored before");
    };
    let sighting = NewSighting {
        source: None,
        canary: None,
        batch: None,
        kind: SightingKind::Noise,
        actor: Actor::default(),
        network: None,
    };
    otori.registry.settle(id, &[sighting]).await.unwrap();
}

/// Somebody has asked for a canary's address and sent nothing.
async fn checked(otori: &Otori, canary: &Canary, at: OffsetDateTime) {
    let message = NewMessage {
        at,
        channel: Channel::Mail,
        envelope: "{}".to_owned(),
        recipients: Vec::new(),
        raw: Vec::new(),
        same_as: None,
    };
    let stored = otori.registry.accept(&[message]).await.unwrap();
    let otori::registry::Accepted::New(id) = stored[0] else {
        panic!("stored before");
    };
    let sighting = NewSighting {
        source: Some(canary.source.clone()),
        canary: Some(canary.id.clone()),
        batch: Some(canary.batch.clone()),
        kind: SightingKind::Probe,
        actor: Actor::default(),
        network: Some("192.0.2.0/24".to_owned()),
    };
    let settled = otori.registry.settle(id, &[sighting]).await.unwrap();
    assert_eq!(settled.unwrap()[0].incident, None);
}

/// What `evidence verify` says; its exit status must agree.
#[track_caller]
fn verify(otori: &Otori) -> (bool, Vec<String>) {
    let output = otori
        .command(&["evidence", "verify", "--json"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    let ok = document["ok"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!ok)), "{told}");
    let text = |problem: &Value| {
        format!(
            "{}: {}",
            problem["place"].as_str().unwrap(),
            problem["what"].as_str().unwrap()
        )
    };
    (
        ok,
        document["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect(),
    )
}

pub async fn sql(file: &Path, statement: &str) -> u64 {
    let url = format!("sqlite:{}", file.display());
    // Whoever changes it behind otori's back does not ask for foreign keys.
    let options: SqliteConnectOptions = url.parse().unwrap();
    let options = options.foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    done.rows_affected()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_changed_behind_its_back_is_found_and_placed() {
    let otori = hit("sqlite:registry.db").await;
    let (ok, problems) = verify(&otori);
    assert!(ok, "{problems:?}");
    let file = otori.dir().join("registry.db");
    sql(&file, "select 1").await;
    let sound = std::fs::read(&file).unwrap();
    let cases = [
        (
            "update batch set rows_at = rows_at + 1",
            "batch school-1: changed since entry",
        ),
        (
            "update batch set state = 'void'",
            "batch school-1: changed since entry",
        ),
        (
            "update canary set sealed = zeroblob(100) where seq = 2",
            "canary ",
        ),
        (
            "delete from canary_mark where mark = 'phone'",
            "canary_mark ",
        ),
        ("delete from canary_point where point = 2", "canary_point "),
        (
            "update canary_version set at = at + 1 where version = 2",
            "canary_version ",
        ),
        (
            "update tended set at = 1",
            "tended school: changed since entry",
        ),
        (
            "update message set settled = 0",
            "message 1: changed since entry",
        ),
        (
            "update message set raw = cast(raw || x'00' as blob)",
            "message 1: changed since entry",
        ),
        (
            "update sighting set kind = 'noise'",
            "sighting 1: changed since entry",
        ),
        (
            "update incident set state = 'closed'",
            "incident 1: changed since entry",
        ),
        (
            "update alert set attempts = 9",
            "alert 1: changed since entry",
        ),
        (
            "update delivery set sent_at = 1",
            "delivery 1: changed since entry",
        ),
        (
            "update erasure set raw_hash = 'x'",
            "erasure 3: changed since entry",
        ),
        ("delete from erasure", "erasure 3: removed since entry"),
        ("delete from delivery", "delivery 1: removed since entry"),
        (
            "update source set added_at = 1",
            "source school: changed since entry",
        ),
        (
            "update contact_point set cap_per_source = 1 where id = 1",
            "contact_point 1: changed since entry",
        ),
        (
            "update meta set value = x'00' where name = 'configuration'",
            "meta configuration: changed since entry",
        ),
        (
            "update drill set state = 'passed'",
            "drill 1: changed since entry",
        ),
        ("delete from drill", "drill 1: removed since entry"),
        ("delete from alert", "alert 1: removed since entry"),
        ("update witnessed set at = 1", "witnessed "),
        (
            "update probe set network = x'00'",
            "probe 2: changed since entry",
        ),
        (
            "update incident_actor set sender = x'00' where id = 2",
            "incident_actor 2: changed since entry",
        ),
        (
            "update incident_note set author = 'nobody'",
            "incident_note 1: changed since entry",
        ),
        (
            "delete from incident_note",
            "incident_note 1: removed since entry",
        ),
        (
            "update drip set per_mille = 1",
            "drip school: changed since entry",
        ),
        ("delete from drip", "drip school: removed since entry"),
        ("delete from drip_alert", "drip_alert "),
        (
            "update campaign set state = 'came'",
            "campaign 1: changed since entry",
        ),
        ("delete from campaign", "campaign 1: removed since entry"),
        (
            "update source_profile set taken_at = 1",
            "source_profile school: changed since entry",
        ),
        (
            "delete from source_profile",
            "source_profile school: removed since entry",
        ),
        ("delete from probe", "probe 2: removed since entry"),
        ("update folder set uid = 99", "folder "),
        ("delete from folder", "folder "),
        ("update called set at = at + 1", "called "),
        ("delete from called", "called "),
        ("update receiver set alive_at = alive_at + 1", "receiver "),
        ("update receiver set run = 'x'", "receiver x: "),
        ("delete from receiver", "receiver "),
        (
            "insert into receiver (run, alive_at, tag) values ('y', 1, x'00')",
            "receiver y: ",
        ),
        (
            "insert into evidence (seq, entry, hash) select -1, entry, hash from evidence where seq = 1",
            "before entry 0",
        ),
        (
            "update evidence set entry = replace(entry, '\"at\":\"2', '\"at\":\"9') where seq = 2",
            "entry 2",
        ),
        (
            "insert into alert (incident, sighting, due_at, sent_at) values (1, 1, 1, 1)",
            "alert 3: it was put there by something else",
        ),
        (
            "update checkpoint set note = replace(note, 'otori', 'Otori')",
            "checkpoint ",
        ),
        (
            "delete from checkpoint where size = (select min(size) from checkpoint)",
            "checkpoint ",
        ),
        (
            "update evidence set entry = replace(entry, 'school', 'schooL') where seq = 3",
            "entry 3: its text was changed",
        ),
        (
            "update evidence set hash = zeroblob(32) where seq = 3",
            "entry 3: its text was changed",
        ),
        (
            "delete from evidence where seq = 2",
            "entry 2: removed from the log",
        ),
        (
            "update evidence set seq = case seq when 2 then -3 when 3 then -2 end where seq in (2, 3)",
            "",
        ),
        (
            "delete from evidence where seq >= (select max(seq) - 2 from evidence)",
            "the log's end",
        ),
        (
            "delete from evidence where seq = (select max(seq) from evidence)",
            "the log's head",
        ),
        ("update evidence_head set size = size + 2", "the log's head"),
        (
            "update evidence_head set frontier = zeroblob(length(frontier))",
            "the log's head",
        ),
    ];
    for (statement, place) in cases {
        assert!(sql(&file, statement).await > 0, "{statement}");
        if place.is_empty() {
            sql(&file, "update evidence set seq = -seq where seq < 0").await;
        }
        let (ok, problems) = verify(&otori);
        let wanted = if place.is_empty() {
            "entry 2: entry 3 stands in its place"
        } else {
            place
        };
        assert!(
            !ok && problems.iter().any(|problem| problem.starts_with(wanted)),
            "{statement}: {problems:?}"
        );
        let _ = std::fs::remove_file(file.with_extension("db-wal"));
        let _ = std::fs::remove_file(file.with_extension("db-shm"));
        std::fs::write(&file, &sound).unwrap();
    }
    assert!(verify(&otori).0);
}

/// A row changed with its entry, hash and head rewritten to fit is found by the signature above them.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_rewrites_the_log_itself_lacks_the_signature() {
    let otori = hit("sqlite:registry.db").await;
    let file = otori.dir().join("registry.db");
    let entries = otori.registry.entry_texts().await.unwrap();
    let mut frontier = otori::evidence::Frontier::default();
    for (seq, text) in entries.iter().enumerate() {
        let text = text.replace("\"canaries\":3", "\"canaries\":2");
        let hash = otori::evidence::leaf_hash(text.as_bytes());
        frontier.push(hash);
        let (hex, quoted) = (otori::evidence::hex(&hash.0), text.replace('\'', "''"));
        sql(
            &file,
            &format!("update evidence set entry = '{quoted}', hash = x'{hex}' where seq = {seq}"),
        )
        .await;
    }
    let head = otori::evidence::hex(&frontier.to_bytes());
    sql(
        &file,
        &format!("update evidence_head set frontier = x'{head}'"),
    )
    .await;
    let (ok, problems) = verify(&otori);
    assert!(
        !ok && problems
            .iter()
            .any(|problem| problem.contains("their hash is not the one that the checkpoint")),
        "{problems:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_put_back_is_found_even_when_it_was_written_on() {
    let otori = hit("sqlite:registry.db").await;
    let file = otori.dir().join("registry.db");
    sql(&file, "select 1").await;
    let old = std::fs::read(&file).unwrap();
    otori.json(&["pool", "add", "mail", "later.example"]);
    assert!(verify(&otori).0);
    sql(&file, "select 1").await;
    let _ = std::fs::remove_file(file.with_extension("db-wal"));
    std::fs::write(&file, &old).unwrap();
    let (ok, problems) = verify(&otori);
    assert!(
        !ok && problems[0].starts_with("the log's end"),
        "{problems:?}"
    );
    // Written on, the log is longer than the checkpoint again, and another one.
    for domain in ["one.example", "two.example"] {
        let output = otori
            .command(&["pool", "add", "mail", domain])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("does not continue the checkpoint"), "{told}");
    }
    let (ok, problems) = verify(&otori);
    assert!(
        !ok && problems.iter().any(|problem| problem.contains("set back")),
        "{problems:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_canary_is_proved_without_registry_and_key_and_no_other_with_it() {
    let otori = hit("sqlite:registry.db").await;
    let hanako = otori
        .registry
        .find(Mark::Email, "hanako@decoys.example")
        .await
        .unwrap()
        .remove(0);
    let file = otori.dir().join("proof.json");
    let path = file.to_str().unwrap();
    otori.json(&["evidence", "prove", hanako.id.as_str(), "--out", path]);
    let key = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();

    let elsewhere = tempfile::tempdir().unwrap();
    let check = |text: &str, more: &[&str]| {
        let copy = elsewhere.path().join("proof.json");
        std::fs::write(&copy, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_otori"))
            .args(["evidence", "verify", "proof.json", "--json"])
            .args(more)
            .current_dir(elsewhere.path())
            .env_clear()
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.success(), document["ok"] == true);
        document
    };
    let text = std::fs::read_to_string(&file).unwrap();
    let shown = check(&text, &["--key", &key]);
    assert_eq!(shown["canary"], hanako.id.as_str());
    assert_eq!(
        (&shown["source"], &shown["batch"]),
        (&"school".into(), &"school-1".into())
    );
    assert_eq!(
        shown["fields"]["household"]["guardian"]["given"]["written"],
        "花子"
    );
    for other in [
        "髙橋",
        "圭祐",
        "タカハシ",
        "渡邉",
        "マコト",
        "keisuke@",
        "makoto@",
        "囮ハイツ101",
    ] {
        assert!(!text.contains(other), "{other}");
    }
    // Nothing in it can be changed.
    for (from, to) in [
        ("花子", "桃子"),
        ("school-1", "school-2"),
        ("2026", "2025"),
        (hanako.id.as_str(), "C2345678Z"),
    ] {
        assert!(text.contains(from), "{from}");
        let shown = check(&text.replacen(from, to, 1), &["--key", &key]);
        assert_eq!(shown["ok"], false, "{from}");
        assert!(!shown["why"].as_str().unwrap().is_empty());
    }
    let stranger = hit("sqlite:registry.db").await;
    let other_key = stranger.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = check(&text, &["--key", &other_key]);
    assert!(
        shown["why"].as_str().unwrap().contains("it is signed by"),
        "{shown}"
    );
    // The file holds a canary: it is its owner's only, and is not written over.
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = otori
        .command(&["evidence", "prove", hanako.id.as_str(), "--out", path])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    // That it was shown is in the log.
    let acts = otori.registry.acts().await.unwrap();
    let proved = Act::Proved {
        canary: hanako.id.to_string(),
    };
    assert!(acts.iter().any(|entry| entry.act == proved));
    assert!(verify(&otori).0);
}

/// The log is checked as one moment holds it: a receiver that goes on writing is no finding.
#[tokio::test(flavor = "multi_thread")]
async fn checked_while_a_receiver_writes() {
    for url in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let otori = Otori::on(&url).await;
        otori.plant("school", &PEOPLE).await;
        let receiver = otori.receive(&otori.config()).await;
        let smtp = receiver.smtp.to_string();
        let mails = tokio::task::spawn_blocking(move || {
            Command::new("smtp-source")
                .args(["-s", "4", "-m", "600", "-f", "a@broker.example"])
                .args(["-t", "hanako@decoys.example", &smtp])
                .status()
                .unwrap()
        });
        let mut checks = 0;
        while !mails.is_finished() {
            let (ok, problems) = verify(&otori);
            assert!(ok, "{problems:?}");
            checks += 1;
        }
        assert!(mails.await.unwrap().success() && checks > 0);
        receiver.stop().await;
    }
}

/// Two receivers write at once, on the engine where they can: entries stand in one order, nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_on_postgres() {
    let url = servers::postgres().await;
    let otori = Otori::on(&url).await;
    otori.plant("school", &PEOPLE).await;
    let other = otori.workspace.registry().await.unwrap();
    let write = |registry: Registry, name: &'static str| async move {
        for number in 0..40 {
            let message = NewMessage {
                at: OffsetDateTime::now_utc(),
                channel: Channel::Mail,
                envelope: "{}".to_owned(),
                recipients: vec![format!("x@{DOMAIN}")],
                raw: name.into(),
                same_as: Some(format!("{name} {number}")),
            };
            registry.accept(&[message]).await.unwrap();
        }
    };
    let one = tokio::spawn(write(otori.registry.clone(), "one"));
    let two = tokio::spawn(write(other.acting_as("two"), "two"));
    one.await.unwrap();
    two.await.unwrap();
    let acts = otori.registry.acts().await.unwrap();
    let accepted = acts
        .iter()
        .filter(|entry| matches!(entry.act, Act::MessagesAccepted { .. }));
    assert_eq!(accepted.count(), 80);
    assert_eq!(acts.iter().filter(|entry| entry.by == "two").count(), 40);
    assert!(
        acts.iter()
            .enumerate()
            .all(|(place, entry)| entry.seq == place as u64)
    );
    let (ok, problems) = verify(&otori);
    assert!(ok, "{problems:?}");
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("update message set repeats = 7 where id = 3")
        .execute(&mut connection)
        .await
        .unwrap();
    let (ok, problems) = verify(&otori);
    assert!(
        !ok && problems[0].starts_with("message 3: changed since entry"),
        "{problems:?}"
    );
}

/// The checkpoint as C2SP's format has it, checked by hand with OpenSSL: an implementation that is not
/// ours.
#[tokio::test(flavor = "multi_thread")]
async fn openssl_agrees_with_the_signature_of_a_checkpoint() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let otori = hit("sqlite:registry.db").await;
    let key = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let note = std::fs::read_to_string(otori.dir().join("checkpoint.note")).unwrap();
    let checkpoint = Checkpoint::open(&note, &key.parse::<Verifier>().unwrap()).unwrap();
    assert!(checkpoint.size > 3);
    let (text, signatures) = note.rsplit_once("\n\n").unwrap();
    let signature = STANDARD
        .decode(signatures.trim().rsplit(' ').next().unwrap())
        .unwrap();
    let public = STANDARD.decode(key.splitn(3, '+').nth(2).unwrap()).unwrap();
    // RFC 8410: the key behind the header of its algorithm.
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ][..],
        &public[1..],
    ]
    .concat();
    let at = |name: &str| otori.dir().join(name);
    std::fs::write(at("key.der"), der).unwrap();
    std::fs::write(at("text"), format!("{text}\n")).unwrap();
    std::fs::write(at("signature"), &signature[4..]).unwrap();
    let checked = Command::new("openssl")
        .args([
            "pkeyutl",
            "-verify",
            "-pubin",
            "-keyform",
            "DER",
            "-rawin",
            "-inkey",
            "key.der",
            "-in",
            "text",
            "-sigfile",
            "signature",
        ])
        .current_dir(otori.dir())
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
