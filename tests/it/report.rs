//! `otori report`: its figures are the registry's, no format holds a canary's detail, and a file is
//! there whole or not at all.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use otori::canary::{Batch, BatchId, Canary, ContactKind, SourceName, State, smallest_noticed};
use otori::evidence::{Act, hex};
use otori::registry::{LogCheck, Registry};
use otori::report::control::{Control, Gathered, Period, Watched};
use otori::report::pdf::{FontFiles, pdf};
use otori::report::{Lang, html};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Connection, SqliteConnection};
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use crate::custody;
use crate::harness::{DOMAIN, NUMBER, Otori, PEOPLE};
use crate::servers;

const LANGUAGES: [&str; 2] = ["en", "ja"];

/// The day by the clock of the language.
fn day(lang: &str, ago: i64) -> String {
    let hours = if lang == "ja" { 9 } else { 0 };
    let at = OffsetDateTime::now_utc() + Duration::hours(hours) - Duration::days(ago);
    at.date().to_string()
}

/// The command for the last eight days.
fn report(otori: &Otori, lang: &str, more: &[&str]) -> Command {
    let (from, to) = (day(lang, 7), day(lang, 0));
    let mut command = otori.command(&["report", "--from", &from, "--to", &to, "--lang", lang]);
    command.args(more);
    command
}

#[track_caller]
fn json(otori: &Otori, lang: &str) -> Value {
    let output = report(otori, lang, &["--json"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes a report; its file.
#[track_caller]
fn written(otori: &Otori, lang: &str, ending: &str) -> PathBuf {
    let file = otori.dir().join(format!("report-{lang}.{ending}"));
    let more = ["--yes", "--out", file.to_str().unwrap()];
    let output = report(otori, lang, &more).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    file
}

/// What a program that reads PDFs finds in it.
#[track_caller]
fn text_of(pdf: &Path) -> String {
    let output = Command::new("pdftotext")
        .arg(pdf)
        .arg("-")
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Without spaces and line ends, which a layout puts anywhere.
fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

fn kinds(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap();
    let kinds = findings.iter().map(|one| one["kind"].as_str().unwrap());
    kinds.collect()
}

/// A workspace planted and hit, its canaries looked for, shown and traced.
async fn used(registry: &str) -> (Otori, Vec<Canary>) {
    let otori = Otori::hit(registry).await;
    let source: SourceName = "school".parse().unwrap();
    let canaries = otori.registry.canaries(Some(&source)).await.unwrap();
    let now = OffsetDateTime::now_utc();
    let hanako = canaries[1].id.to_string();
    let revealed = |reason: &str| Act::Revealed {
        canary: hanako.clone(),
        source: "school".to_owned(),
        reason: Some(reason.to_owned()),
    };
    for act in [
        Act::Verified {
            source: "school".to_owned(),
            live: 3,
            intact: 2,
            altered: 0,
            missing: 1,
        },
        revealed("case 7, asked by counsel"),
        revealed("a mail went to Hanako@decoys.example"),
        revealed("the letter to 佐藤　花子"),
        Act::BackedUp {
            sha256: "ab".repeat(32),
            with_keys: true,
        },
        Act::LeakDrilled {
            source: "school".to_owned(),
            taken: 12_000,
            canaries: 2,
            list: "cd".repeat(32),
            verdict: "attributed".to_owned(),
            named: vec!["school".to_owned()],
            share: 0.6,
            estimate: Some([0.6, 0.2, 0.9]),
        },
    ] {
        otori.registry.record(act, now).await.unwrap();
    }
    let list = otori.dir().join("list.csv");
    std::fs::write(&list, "name,mail\n佐藤花子,hanako@decoys.example\n").unwrap();
    otori.json(&["trace", list.to_str().unwrap()]);
    (otori, canaries)
}

#[tokio::test]
async fn the_figures_are_those_of_the_registry_on_either_engine() {
    for registry in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let (otori, _) = used(&registry).await;
        let told = json(&otori, "en");
        let source = &told["sources"][0];
        assert_eq!(source["source"], "school");
        assert_eq!(
            (&source["engine"], &source["table"]),
            (&"SQLite".into(), &"会員".into())
        );
        assert_eq!(
            (&source["live"], &source["missing"]),
            (&3.into(), &1.into())
        );
        assert_eq!(source["customers"], 20_000);
        // The missing one is not counted.
        let rows = smallest_noticed(20_000, 2, 0.95).unwrap();
        assert_eq!(source["smallest_leak"]["rows"], rows);
        assert_eq!(told["verification"]["runs"].as_array().unwrap().len(), 1);
        assert_eq!(told["sightings"]["total"], 1);
        assert_eq!(told["sightings"]["counts"][0]["channel"], "mail");
        assert_eq!(told["sightings"]["counts"][0]["kind"], "alarm");
        let days = told["sightings"]["over_time"].as_array().unwrap();
        assert_eq!(days.len(), 8);
        assert_eq!(days[7]["sightings"]["alarm"], 1);
        assert_eq!(told["incidents"][0]["state"], "open");
        let shown = otori.json(&["incidents", "show", "1"]);
        let weight = &told["incidents"][0]["weight"];
        assert_eq!(weight["verdict"], shown["weight"]["verdict"], "{shown}");
        assert_eq!(weight["log10_lr"], shown["weight"]["log10_lr"]);
        assert_eq!(told["traces"].as_array().unwrap().len(), 1);
        assert_eq!(told["leak_drills"][0]["named"], true);
        assert_eq!(told["batches"]["canaries"], 3);
        let mail = &told["channels"][0];
        assert_eq!(
            (&mail["contact_points"], &mail["sightings"]),
            (&1.into(), &1.into())
        );
        let accesses = told["accesses"].as_array().unwrap();
        assert_eq!(accesses[0]["reason"], "case 7, asked by counsel");
        assert!(accesses[1]["reason"].as_str().unwrap().contains("withheld"));
        assert!(accesses[2]["reason"].as_str().unwrap().contains("withheld"));
        assert_eq!(told["log"]["problems"].as_array().unwrap().len(), 0);
        assert_eq!(told["verdict"], "action");
        assert_eq!(
            kinds(&told),
            [
                "damaged",
                "incident_open",
                "coarse",
                "nobody_alerted",
                "untested",
                "no_receiver_known",
                "no_contact_point",
            ]
        );
        assert_eq!(told["findings"][0]["severity"], "act");

        // The checkpoint in it is the log's, and signed by the key in it.
        let key: otori::evidence::Verifier =
            told["log"]["keys"][0].as_str().unwrap().parse().unwrap();
        let note = told["log"]["newest_note"].as_str().unwrap();
        let checkpoint = otori::evidence::Checkpoint::open(note, &key).unwrap();
        assert_eq!(told["log"]["signed"], checkpoint.size);
    }
}

#[tokio::test]
async fn no_format_holds_a_canarys_detail() {
    let (otori, canaries) = used("sqlite:registry.db").await;
    let mut details = vec![DOMAIN.to_owned(), bare(NUMBER), "301234567".to_owned()];
    for (canary, who) in canaries.iter().zip(PEOPLE) {
        details.extend(canary.written().map(|(_, value)| bare(value)));
        let household = &canary.details.household;
        let (address, person) = (&household.address, &household.guardian);
        let local = who.mail.split('@').next().unwrap();
        details.extend([local, &address.block, &address.town, &address.postcode].map(bare));
        details.push(address.building.clone().unwrap());
        details.push(person.birth.to_string());
        for part in [&person.family, &person.given] {
            details.extend([part.written.clone(), part.kana.clone()]);
        }
    }
    // One character is in any text.
    details.retain(|detail| detail.chars().count() > 1);
    let found = |text: &str| {
        let text = bare(text);
        let found = details.iter().filter(|one| text.contains(one.as_str()));
        found.cloned().collect::<Vec<String>>()
    };
    // The search finds what there is.
    let shown = otori.json(&["reveal", canaries[1].id.as_str()]).to_string();
    assert!(found(&shown).len() > 8, "{:?}", found(&shown));
    for lang in LANGUAGES {
        let page = std::fs::read_to_string(written(&otori, lang, "html")).unwrap();
        let printed = text_of(&written(&otori, lang, "pdf"));
        let document = std::fs::read_to_string(written(&otori, lang, "json")).unwrap();
        for text in [&page, &printed, &document] {
            assert_eq!(found(text), Vec::<String>::new(), "{lang}");
            assert!(bare(text).contains("school"));
            // The source's URL is nobody's business either.
            assert!(!text.contains("none.db"));
        }
        assert!(page.contains(canaries[1].id.as_str()));
    }
}

#[tokio::test]
async fn the_pdf_is_text_in_embedded_fonts() {
    let (otori, _) = used("sqlite:registry.db").await;
    let headings = [
        [
            "Is the control working?",
            "Coverage",
            "Channels and downtime",
            "Evidence log, and how to check this report",
            "Standards",
            "What this report does not prove",
        ],
        [
            "統制は機能しているか",
            "監視範囲",
            "経路と停止時間",
            "証跡ログと本報告の検証方法",
            "規格との対応",
            "本報告が証明しないこと",
        ],
    ];
    for (lang, headings) in LANGUAGES.into_iter().zip(headings) {
        let file = written(&otori, lang, "pdf");
        let text = bare(&text_of(&file));
        for heading in headings {
            assert!(text.contains(&bare(heading)), "{heading}");
        }
        // Nothing stood for a letter that the font lacks.
        assert!(!text.contains('〓'));
        let fonts = Command::new("pdffonts").arg(&file).output().unwrap();
        let fonts = String::from_utf8(fonts.stdout).unwrap();
        let lines: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!lines.is_empty());
        for line in lines {
            // Embedded, a subset, with a map to Unicode.
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(words.windows(3).any(|three| three == ["yes"; 3]), "{line}");
        }
        let page = std::fs::read_to_string(written(&otori, lang, "html")).unwrap();
        for heading in headings {
            assert!(page.contains(heading), "{heading}");
        }
    }
}

#[tokio::test]
async fn a_report_is_in_the_log_by_its_hash() {
    let (otori, _) = used("sqlite:registry.db").await;
    let file = written(&otori, "en", "pdf");
    let wanted = hex(&Sha256::digest(std::fs::read(&file).unwrap()));
    let acts = otori.registry.acts().await.unwrap();
    let reported: Vec<&Act> = acts
        .iter()
        .map(|entry| &entry.act)
        .filter(|act| matches!(act, Act::Reported { .. }))
        .collect();
    let told = Act::Reported {
        from: day("en", 7),
        to: day("en", 0),
        sha256: wanted,
    };
    assert_eq!(reported, [&told]);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
    // Printing writes no file, and is no report.
    json(&otori, "en");
    let acts = otori.registry.acts().await.unwrap();
    let reported = acts
        .iter()
        .filter(|one| matches!(one.act, Act::Reported { .. }));
    assert_eq!(reported.count(), 1);
}

#[tokio::test]
async fn nothing_is_said_to_be_nothing() {
    let otori = Otori::new().await;
    let told = json(&otori, "en");
    assert_eq!(told["verdict"], "action");
    assert_eq!(kinds(&told)[0], "nothing_watched");
    let sentences = [
        [
            "No source is registered",
            "No drill was run in this period",
            "No leak drill was run in this period",
            "No verification was run in this period",
            "The log knows of no receiver",
            "No contact reached a canary in this period",
            "No incident was open in this period",
            "No list was examined in this period",
            "Nobody saw or was refused a canary's details",
        ],
        [
            "監視対象が登録されていない",
            "この期間に訓練は行われていない",
            "この期間に模擬漏えい訓練は行われていない",
            "この期間に点検は行われていない",
            "受信サーバーが起動した記録がない",
            "この期間におとり顧客への連絡はなかった",
            "継続中または発生したインシデントはない",
            "この期間に照合した名簿はない",
            "閲覧を拒否された者もいない",
        ],
    ];
    for (lang, sentences) in LANGUAGES.into_iter().zip(sentences) {
        let text = bare(&text_of(&written(&otori, lang, "pdf")));
        for sentence in sentences {
            assert!(text.contains(&bare(sentence)), "{sentence}");
        }
    }
    // A period before there was anything.
    let (otori, _) = used("sqlite:registry.db").await;
    let old = otori.json(&["report", "--from", "2025-01-01", "--to", "2025-01-31"]);
    assert_eq!(old["sources"].as_array().unwrap().len(), 0);
    assert_eq!(old["sightings"]["total"], 0);
    assert_eq!(old["log"]["entries_in_period"], 0);
    assert_eq!(old["receiver"]["known_from"], Value::Null);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_and_leaves_no_file() {
    let otori = Otori::new().await;
    let out = otori.dir().join("out");
    std::fs::create_dir(&out).unwrap();
    let file = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let (today, tomorrow) = (day("en", 0), day("en", -2));
    let run = |args: &[&str]| {
        let output = otori.command(&["report"]).args(args).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    };
    let left = || std::fs::read_dir(&out).unwrap().count();
    let (good, no_dir) = (file("r.pdf"), file("nowhere/r.pdf"));
    for (from, to, out, code, word) in [
        (
            "2026-13-01",
            today.as_str(),
            good.as_str(),
            2,
            "such as 2026-04-01",
        ),
        ("gestern", &today, &good, 2, "such as 2026-04-01"),
        (&today, "2026-01-01", &good, 2, "comes after"),
        ("2026-01-01", &tomorrow, &good, 2, "lies in the future"),
        (
            "2026-01-01",
            &today,
            &file("r.docx"),
            2,
            ".html, .pdf or .json",
        ),
        (
            "2026-01-01",
            &today,
            &file("pdf"),
            2,
            ".html, .pdf or .json",
        ),
        ("2026-01-01", &today, &no_dir, 1, "cannot be written"),
    ] {
        let (status, told) = run(&["--from", from, "--to", to, "--out", out]);
        assert_eq!(status, Some(code), "{told}");
        assert!(told.contains(word), "{told}");
        assert_eq!(left(), 0, "{told}");
    }
    let dates = ["--from", "2026-01-01", "--to", &today];
    let (status, told) = run(&dates);
    assert_eq!(status, Some(2));
    assert!(told.contains("--out"), "{told}");
    let (status, told) = run(&[&dates[..], &["--lang", "fr", "--json"]].concat());
    assert_eq!(status, Some(2));
    assert!(told.contains("say en or ja"), "{told}");
    // A font that is none; a file that is there.
    let toml = otori.dir().join("otori.toml");
    let font = ["--font", toml.to_str().unwrap()];
    let (status, told) = run(&[&dates[..], &["--out", &good], &font].concat());
    assert_eq!(status, Some(1));
    assert!(told.contains("no TrueType or OpenType font"), "{told}");
    assert_eq!(left(), 0);
    std::fs::write(&good, "mine").unwrap();
    let (status, told) = run(&[&dates[..], &["--out", &good]].concat());
    assert_eq!(status, Some(1));
    assert!(told.contains("--yes"), "{told}");
    assert_eq!(std::fs::read_to_string(&good).unwrap(), "mine");
    let (status, _) = run(&[&dates[..], &["--out", &good, "--yes"]].concat());
    assert_eq!((status, left()), (Some(0), 1));
    assert!(std::fs::read(&good).unwrap().starts_with(b"%PDF"));
}

#[tokio::test]
async fn an_auditor_may_and_the_mail_room_may_not() {
    let (otori, _) = custody::house("enforce = true").await;
    let (from, to) = (day("en", 1), day("en", 0));
    let args = ["report", "--from", &from, "--to", &to];
    let told = custody::done(&otori, "audit", &args);
    assert_eq!(told["made_by"], "audit");
    custody::done(&otori, "anna", &args);
    custody::done(&otori, "alice", &args);
    custody::refused(&custody::run(&otori, "post", &args), "may not see");
    let told = custody::done(&otori, "audit", &args);
    assert_eq!(told["accesses"][0]["what"], "refused");
    assert!(kinds(&told).contains(&"refusals"));
}

#[tokio::test]
async fn a_registry_changed_behind_its_back_is_the_first_finding() {
    let (otori, _) = used("sqlite:registry.db").await;
    let url = format!("sqlite:{}", otori.dir().join("registry.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let done = sqlx::query("update incident set last_at = last_at + 1")
        .execute(&mut connection)
        .await;
    assert_eq!(done.unwrap().rows_affected(), 1);
    let told = json(&otori, "en");
    assert!(kinds(&told).contains(&"log_broken"));
    assert_eq!(told["log"]["problems"][0]["place"], "incident 1");
    let text = bare(&text_of(&written(&otori, "ja", "pdf")));
    assert!(text.contains(&bare("証跡ログまたは台帳が記録時の状態と一致しない")));
}

/// A receiver's starts, stops and silences, on either engine.
async fn receivers_story(registry: &Registry) {
    let old = OffsetDateTime::now_utc() - Duration::minutes(10);
    let first = registry.receiver_started("a", "b", old).await.unwrap();
    let last = old + Duration::minutes(1);
    assert!(registry.receiver_alive(&first, last).await.unwrap());
    // Two minutes are a silence, and no end yet.
    let edge = last + Duration::seconds(119);
    let second = registry.receiver_started("c", "d", edge).await.unwrap();
    assert_eq!(registry.receivers().await.unwrap().len(), 2);
    let late = last + Duration::minutes(3);
    assert!(registry.receiver_alive(&second, late).await.unwrap());
    assert!(!registry.receiver_alive(&first, late).await.unwrap());
    registry.receiver_stopped(second.clone()).await.unwrap();
    assert!(registry.receivers().await.unwrap().is_empty());
    let acts: Vec<Act> = registry
        .acts()
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.act)
        .collect();
    let lost = acts.iter().find_map(|act| match act {
        Act::ReceiverLost { run, alive_at } => Some((run.clone(), *alive_at)),
        _ => None,
    });
    // Microseconds are what the registry keeps.
    let (run, alive_at) = lost.unwrap();
    assert_eq!(run, first);
    assert!((alive_at - last).abs() < Duration::milliseconds(1));
    assert!(acts.contains(&Act::ReceiverStopped { run: second }));
}

#[tokio::test]
async fn a_receiver_that_falls_silent_is_entered_in_the_log() {
    receivers_story(&Otori::new().await.registry).await;
    receivers_story(&Otori::on(&servers::postgres().await).await.registry).await;
}

#[tokio::test]
async fn when_somebody_listened_is_told() {
    let otori = Otori::new().await;
    let args = [
        "serve",
        "--smtp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--json",
    ];
    let mut child = otori
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let told = json(&otori, "en");
    assert_eq!(told["receiver"]["up_at_end"], true, "{line}");
    assert_eq!(told["receiver"]["starts"], 1);
    assert!(!kinds(&told).contains(&"nobody_listens"));
    let stopped = Command::new("kill").arg(child.id().to_string()).status();
    assert!(stopped.unwrap().success());
    assert!(child.wait().unwrap().success());
    let told = json(&otori, "en");
    assert_eq!(told["receiver"]["up_at_end"], false);
    assert!(kinds(&told).contains(&"nobody_listens"));
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

/// A large house: forty sources of sixty batches each.
fn large() -> Gathered {
    let made_at = datetime!(2026-07-01 00:00 UTC);
    let name = |number: usize| -> SourceName {
        format!("customers-of-a-rather-long-name-{number:02}")
            .parse()
            .unwrap()
    };
    let from = datetime!(2024-01-01 00:00 UTC);
    let batch = |number: usize| Batch {
        id: BatchId::new(&name(number / 60), number as u32 % 60 + 1),
        source: name(number / 60),
        planted_at: from + Duration::days(number as i64 % 60 * 10),
        unplanted_at: None,
        state: State::Live,
        canaries: 1 + number / 60,
        rows_at: 1_000_000,
    };
    Gathered {
        made_at,
        made_by: "audit".to_owned(),
        period: Period::new(
            date!(2026 - 04 - 01),
            date!(2026 - 06 - 30),
            Lang::Ja,
            made_at,
        )
        .unwrap(),
        verified_within: Duration::days(30),
        origin: "shop.example/otori".to_owned(),
        keys: vec!["shop.example/otori+00000000+key".to_owned()],
        sources: (0..40)
            .map(|number| Watched {
                name: name(number),
                engine: "PostgreSQL",
                table: "public.会員_および_保護者の_とても長い_表の名前".to_owned(),
                added_at: from,
            })
            .collect(),
        batches: (0..2_400).map(batch).collect(),
        forgotten: vec![],
        pool: vec![ContactKind::Mail],
        drills: vec![],
        sightings: vec![],
        incidents: vec![],
        weights: vec![],
        acts: vec![],
        checkpoints: vec![],
        check: LogCheck {
            stamped: 0,
            newest_stamp: None,
            cosigned: 0,
            entries: 0,
            root: otori::evidence::leaf_hash(b""),
            signed: 0,
            checkpoints: 0,
            rows: 0,
            problems: vec![],
            notes: vec![],
        },
        unsigned: None,
        receivers: vec![],
        alerts_configured: Some(true),
    }
}

#[test]
fn forty_sources_of_sixty_batches_are_still_a_document() {
    let gathered = large();
    let control = Control::new(&gathered);
    assert_eq!(control.sources.len(), 40);
    assert_eq!(control.sources[39].live, 60 * 40);
    let fonts = FontFiles::find().unwrap();
    for lang in Lang::ALL {
        let page = control.page(lang);
        assert!(html(&page).matches("<tr>").count() > 80);
        let bytes = pdf(&page, &fonts, gathered.made_at).unwrap();
        if let Ok(dir) = std::env::var("OTORI_TEST_KEEP") {
            std::fs::write(format!("{dir}/large-{}.pdf", lang.tag()), &bytes).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let text = bare(&text_of(file.path()));
        for number in 0..40 {
            assert!(text.contains(&format!("name-{number:02}")));
        }
    }
}
