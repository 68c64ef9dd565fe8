//! The dossier of an incident: complete, a draft on every page, silent about canaries where it leaves
//! the house, whole or not there at all.

use std::path::{Path, PathBuf};
use std::process::Command;

use otori::canary::{Actor, Canary, Channel, IncidentState, SightingKind};
use otori::evidence::{Act, TracedSource, message_hash};
use otori::registry::{NewMessage, NewSighting, envelope_text};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::custody;
use crate::harness::{Otori, PEOPLE};
use crate::servers;

const DOCUMENTS: [&str; 8] = [
    "dossier",
    "police-summary",
    "appi-prompt-report",
    "appi-final-report",
    "gdpr-article-33",
    "letter-to-firm",
    "letter-to-broker",
    "notice-to-customers",
];
/// What leaves the house for people who must not learn what is watched.
const OUTWARD: [&str; 3] = ["letter-to-firm", "letter-to-broker", "notice-to-customers"];
const FIRST: OffsetDateTime = datetime!(2026-03-01 14:30 UTC);

/// A workspace with three canaries in `school`, whose table is understood.
async fn school() -> (Otori, Vec<Canary>) {
    let otori = Otori::new().await;
    let source = otori::registry::Source {
        name: "school".parse().unwrap(),
        url: "sqlite:none.db".to_owned(),
        table: "会員".to_owned(),
        mapping: r#"{"locale": "ja_JP", "columns": {"氏名": {"role": "name"}, "メール": {"role": "email"}, "子": {"role": "child_name"}, "x": {"role": "other"}}}"#.to_owned(),
        added_at: FIRST,
    };
    otori::notation::Mapping::from_json(&source.mapping).unwrap();
    otori.registry.add_source(&source).await.unwrap();
    let canaries = otori.plant("school", &PEOPLE).await;
    (otori, canaries)
}

/// An alarm with this canary, as the receiver would have stored it.
async fn sighted(otori: &Otori, canary: &Canary, at: OffsetDateTime, from: &str, summary: &str) {
    sighted_by(Channel::Mail, otori, canary, at, from, summary).await;
}

async fn sighted_by(
    channel: Channel,
    otori: &Otori,
    canary: &Canary,
    at: OffsetDateTime,
    from: &str,
    summary: &str,
) {
    let message = NewMessage {
        at,
        channel,
        envelope: "{}".to_owned(),
        recipients: vec![],
        raw: format!("Subject: {summary}\r\n\r\n").into_bytes(),
        same_as: None,
    };
    let accepted = otori.registry.accept(&[message]).await.unwrap();
    let otori::registry::Accepted::New(id) = accepted[0] else {
        panic!("a repeat");
    };
    let sighting = NewSighting {
        source: Some(canary.source.clone()),
        canary: Some(canary.id.clone()),
        batch: Some(canary.batch.clone()),
        kind: SightingKind::Alarm,
        actor: Actor {
            from: from.to_owned(),
            summary: summary.to_owned(),
            ..Actor::default()
        },
        network: None,
    };
    otori.registry.settle(id, &[sighting]).await.unwrap();
}

/// A trace that names the source.
fn traced(found: usize) -> Act {
    Act::Traced {
        list: "ab".repeat(32),
        verdict: "attributed".to_owned(),
        sources: vec!["school".to_owned()],
        false_accusation_probability: 1e-12,
        list_rows: Some(112_048),
        findings: vec![TracedSource {
            source: "school".to_owned(),
            named: true,
            found,
            live: 3,
            log10_lr: 18.25,
            support: "extremely strong support".to_owned(),
            share: [0.66, 0.55, 0.75],
            rows: [13_171, 11_048, 15_128],
            not_before: datetime!(2026-01-10 03:00 UTC),
            not_after: None,
            level: 0.95,
            window_probability: 0.97,
        }],
        cleared: vec![],
    }
}

/// Makes the dossier of incident 1.
#[track_caller]
fn made(otori: &Otori, more: &[&str]) -> (PathBuf, Value) {
    let out = otori.dir().join("dossier");
    let place = out.to_str().unwrap();
    let document = otori.json(&[&["dossier", "1", "--out", place], more].concat());
    (out, document)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A PDF's pages as text.
#[track_caller]
fn pages(path: &Path) -> Vec<String> {
    let output = Command::new("pdftotext")
        .arg("-layout")
        .arg(path)
        .arg("-")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", path.display());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut pages: Vec<String> = text.split('\u{c}').map(str::to_owned).collect();
    // A form feed ends each page.
    assert_eq!(pages.pop().as_deref(), Some(""));
    pages
}

/// Every document as text: its HTML and its PDF, by its name.
fn texts(out: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for lang in ["en", "ja"] {
        for name in DOCUMENTS {
            let path = out.join(lang).join(name);
            let html = read(&path.with_extension("html"));
            let pdf = pages(&path.with_extension("pdf")).concat();
            texts.push((format!("{lang}/{name}"), html + &pdf));
        }
    }
    texts
}

#[tokio::test]
async fn every_document_is_there_in_both_languages_and_each_page_is_a_draft() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "sales@broker.example",
        "An offer",
    )
    .await;
    otori
        .registry
        .record(traced(2), FIRST + Duration::DAY)
        .await
        .unwrap();
    let call = FIRST + Duration::HOUR;
    sighted_by(
        Channel::Phone,
        &otori,
        &canaries[1],
        call,
        "+81301239876",
        "call",
    )
    .await;
    let (out, document) = made(&otori, &[]);

    for (lang, mark, banner) in [
        ("en", "DRAFT for counsel", "DRAFT for review by counsel"),
        ("ja", "弁護士確認用草案", "弁護士確認用の草案です"),
    ] {
        for name in DOCUMENTS {
            let path = out.join(lang).join(name);
            let pages = pages(&path.with_extension("pdf"));
            assert!(pages[0].contains(banner), "{lang}/{name}");
            for page in &pages {
                assert!(page.contains(mark), "{lang}/{name}: {page}");
                assert!(!page.contains('⟦'), "{lang}/{name}");
            }
            let html = read(&path.with_extension("html"));
            assert!(
                html.contains(banner) && html.contains(mark),
                "{lang}/{name}"
            );
            assert!(
                html.contains(&format!("<html lang=\"{lang}\">")),
                "{lang}/{name}"
            );
        }
    }

    // The list of contents names every file, and its hash is in the log.
    let sums = read(&out.join("SHA256SUMS"));
    assert_eq!(sums.lines().count(), 2 * 2 * DOCUMENTS.len() + 1);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(out.join(name)).unwrap();
        assert_eq!(sum, otori::evidence::hex(&Sha256::digest(bytes)), "{name}");
    }
    let manifest = otori::evidence::hex(&Sha256::digest(&sums));
    assert_eq!(document["manifest_sha256"], manifest);
    let acts = otori.registry.acts().await.unwrap();
    let logged = Act::DossierMade {
        incident: 1,
        manifest,
    };
    assert!(acts.iter().any(|entry| entry.act == logged));
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);

    // Everything in data, the raw mail's hash among it.
    let data: Value = serde_json::from_str(&read(&out.join("dossier.json"))).unwrap();
    let raw = Sha256::digest(b"Subject: An offer\r\n\r\n");
    assert_eq!(data["sightings"][0]["sha256"], otori::evidence::hex(&raw));
    // What could be tried out against a hash is told to nobody who is not handed the details.
    assert_eq!(data["sightings"][0].get("salt"), None);
    assert_eq!(data["sightings"][1]["sha256"], Value::Null);
    assert_eq!(data["sightings"][1]["logged"].as_str().unwrap().len(), 64);
    assert_eq!(data["traces"][0]["finding"]["rows"][0], 13_171);
    assert_eq!(data["fields"]["unclear"], 1);
    let shown = otori.json(&["incidents", "show", "1"]);
    let (weight, ratio) = (&data["weight"], data["weight"]["log10_lr"].as_f64());
    assert_eq!(weight["verdict"], shown["weight"]["verdict"], "{shown}");
    let ratio = format!("{:.1}", ratio.unwrap());
    // What came is weighed in what stays in the house and goes to the police, whatever the format.
    for (lang, words) in [("en", "all channels together"), ("ja", "全経路を合わせた")] {
        for (name, text) in texts(&out) {
            let flat: String = text.split_whitespace().collect();
            let words: String = words.split_whitespace().collect();
            let said = flat.matches(&words).count();
            let wanted = match name.strip_prefix(&format!("{lang}/")) {
                Some("dossier" | "police-summary") => 2,
                _ => 0,
            };
            assert_eq!(said, wanted, "{name}");
            assert!(wanted == 0 || flat.contains(&ratio), "{name}: {ratio}");
        }
    }
    assert_eq!(data["deadlines"].as_array().unwrap().len(), 5);

    // The numbers of the trace stand in the dossier, in both languages.
    for (lang, wanted) in [
        (
            "en",
            ["extremely strong support", "13,171", "10^-12", "child"],
        ),
        (
            "ja",
            [
                "極めて強い支持",
                "13,171",
                "10のマイナス12乗",
                "お子様の氏名",
            ],
        ),
    ] {
        let html = read(&out.join(lang).join("dossier.html"));
        for word in wanted {
            assert!(html.contains(word), "{lang}: {word}");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[tokio::test]
async fn the_nine_items_stand_in_their_order() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "sales@broker.example",
        "An offer",
    )
    .await;
    let (out, _) = made(&otori, &["--format", "html"]);
    let japanese = [
        "(1) 概要",
        "(2) 漏えい等が発生し、又は発生したおそれがある個人データの項目",
        "(3) 漏えい等が発生し、又は発生したおそれがある個人データに係る本人の数",
        "(4) 原因",
        "(5) 二次被害又はそのおそれの有無及びその内容",
        "(6) 本人への対応の実施状況",
        "(7) 公表の実施状況",
        "(8) 再発防止のための措置",
        "(9) その他参考となる事項",
    ];
    for name in ["appi-prompt-report", "appi-final-report"] {
        let headings = |lang: &str| -> Vec<String> {
            let html = read(&out.join(lang).join(name).with_extension("html"));
            let parts = html.split("<h2>").skip(1);
            parts
                .map(|part| part.split("</h2>").next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(headings("ja"), japanese, "{name}");
        let english = headings("en");
        assert_eq!(english.len(), 9);
        for (place, heading) in english.iter().enumerate() {
            assert!(
                heading.starts_with(&format!("({}) ", place + 1)),
                "{heading}"
            );
        }
    }
    assert!(!out.join("ja/dossier.pdf").exists());
    let gdpr = read(&out.join("en/gdpr-article-33.html"));
    let places: Vec<_> = ["(a) ", "(b) ", "(c) ", "(d) "]
        .map(|item| gdpr.find(&format!("<h2>{item}")).unwrap())
        .into();
    assert!(places.is_sorted());
}

#[tokio::test]
async fn deadlines_are_counted_from_the_moment_that_is_said_or_from_the_opening() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "sales@broker.example",
        "An offer",
    )
    .await;
    let days = |document: &Value| -> Vec<Value> {
        let deadlines = document["deadlines"].as_array().unwrap().iter();
        deadlines.map(|one| one["last_day"].clone()).collect()
    };
    // The opening: 14:30 UTC on the 1st of March is 23:30 in Japan, still that day.
    let (out, document) = made(&otori, &["--format", "html"]);
    assert_eq!(document["known_at_said"], false);
    let wanted = ["2026-03-04", "2026-03-06", "2026-03-31", "2026-04-30"];
    assert_eq!(days(&document)[..4], wanted);
    assert_eq!(document["deadlines"][0]["careful_day"], "2026-03-03");
    assert_eq!(document["deadlines"][4]["ends_at"], "2026-03-04T14:30:00Z");
    assert_eq!(document["deadlines"][4]["passed"], true);
    let html = read(&out.join("en/dossier.html"));
    assert!(html.contains("assumed: the incident") && html.contains("PASSED"));
    let late = read(&out.join("en/gdpr-article-33.html"));
    assert!(late.contains("The 72 hours have passed"));
    std::fs::remove_dir_all(&out).unwrap();

    // Half an hour later it is Japan's next day.
    let known = [
        "--format",
        "html",
        "--known-at",
        "2026-03-02T00:30:00+09:00",
    ];
    let (out, document) = made(&otori, &known);
    assert_eq!(days(&document)[0], "2026-03-05");
    let html = read(&out.join("en/gdpr-article-33.html"));
    assert!(html.contains("2026-03-04 15:30 UTC = 2026-03-05 00:30 UTC+09:00"));
    assert!(read(&out.join("ja/dossier.html")).contains("申告による"));
}

#[tokio::test]
async fn what_leaves_the_house_names_no_canary() {
    let (otori, canaries) = school().await;
    // Senders and subjects that give a canary away: a forged address, one made for the recipient, a
    // greeting by name, by its reading, and the number that was called.
    for (minute, (from, summary)) in [
        ("hanako@decoys.example", "x"),
        ("bounce-77-hanako=decoys.example@esp.example", "x"),
        ("sales@broker.example", "佐藤 花子様へのご案内"),
        ("sales@broker.example", "ｻﾄｳ ﾊﾅｺ 様"),
        ("sales@broker.example", "your number 03-0123-4567"),
        ("id-4711@broker.example", "plain words"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = FIRST + Duration::minutes(minute as i64);
        sighted(&otori, &canaries[1], at, from, summary).await;
    }
    otori
        .registry
        .record(traced(2), FIRST + Duration::DAY)
        .await
        .unwrap();
    let (out, _) = made(&otori, &[]);
    let details = [
        "花子",
        "佐藤",
        "ハナコ",
        "ﾊﾅｺ",
        "hanako",
        "decoys.example",
        "0123-4567",
        "囮ハイツ",
    ];
    let data = read(&out.join("dossier.json"));
    for (name, text) in texts(&out).into_iter().chain([("json".to_owned(), data)]) {
        for detail in details {
            assert!(!text.contains(detail), "{name} holds {detail}");
        }
        let id = canaries[1].id.as_str();
        let document = name.split('/').next_back().unwrap();
        if OUTWARD.contains(&document) {
            for word in [
                id, "canar", "decoy", "検知", "school", "4711", "14:3", "23:3", "03-01", "3月1日",
            ] {
                assert!(!text.contains(word), "{name} holds {word}");
            }
        }
        if document == "dossier" || document == "police-summary" {
            assert!(text.contains(id), "{name} lacks {id}");
            assert!(text.contains("plain words"), "{name}");
        }
    }
    // Of several senders it is not said which one this firm is.
    let letter = read(&out.join("en/letter-to-firm.html"));
    assert!(letter.contains("only this firm&#39;s") || letter.contains("only this firm's"));
    assert!(letter.contains("extremely strong support") && letter.contains("10^-12"));
    std::fs::remove_dir_all(&out).unwrap();
}

#[tokio::test]
async fn a_letter_to_the_only_sender_names_its_domain_and_the_month() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "id-4711@broker.example",
        "An offer",
    )
    .await;
    let facts = otori.dir().join("facts.toml");
    std::fs::write(&facts, "organisation = { ja = \"株式会社見本\", en = \"Mihon Inc. <b>\" }\nfirm = \"Broker & Sons\"\n").unwrap();
    let (out, _) = made(
        &otori,
        &["--format", "html", "--facts", facts.to_str().unwrap()],
    );
    let english = read(&out.join("en/letter-to-firm.html"));
    for word in [
        "broker.example",
        "2026-03",
        "Mihon Inc. &lt;b&gt;",
        "Broker &amp; Sons",
        "e-mail",
    ] {
        assert!(english.contains(word), "{word}");
    }
    assert!(!english.contains("4711"));
    let japanese = read(&out.join("ja/letter-to-firm.html"));
    assert!(japanese.contains("株式会社見本") && japanese.contains("2026年3月"));
    // Nothing was traced, and nothing is said of a list.
    assert!(!japanese.contains("名簿") && !japanese.contains("対数尤度比"));
    let broker = read(&out.join("en/letter-to-broker.html"));
    assert!(!broker.contains("We have obtained a list"));
    // What nobody knows is a blank.
    assert!(japanese.contains("<mark>[____ 担当弁護士 ____]</mark>"));
}

#[tokio::test]
async fn the_police_get_two_pages_whatever_happens() {
    let (otori, canaries) = school().await;
    for number in 0..500 {
        let from = format!(
            "{}{number}@{}.example",
            "long-".repeat(20),
            "broker".repeat(8)
        );
        let summary = "新春特別キャンペーンのご案内 ".repeat(40);
        let at = FIRST + Duration::hours(number);
        sighted(&otori, &canaries[number as usize % 3], at, &from, &summary).await;
    }
    for day in 0..40 {
        otori
            .registry
            .record(traced(1), FIRST + Duration::days(day))
            .await
            .unwrap();
    }
    let facts = otori.dir().join("facts.toml");
    let long = "とても長い説明。".repeat(200);
    let fields = [
        "police",
        "organisation",
        "address",
        "contact",
        "counsel",
        "database",
        "people",
    ];
    let text: String = fields
        .map(|field| format!("{field} = \"{long}\"\n"))
        .concat();
    std::fs::write(&facts, text).unwrap();
    let more = [
        "--facts",
        facts.to_str().unwrap(),
        "--reveal",
        "--reason",
        "case 7",
    ];
    let (out, _) = made(&otori, &more);
    for lang in ["en", "ja"] {
        let police = pages(&out.join(lang).join("police-summary.pdf"));
        assert!(police.len() <= 2, "{lang}: {} pages", police.len());
        // All of it is there: the last heading, and something below it.
        let last = police.last().unwrap();
        assert!(
            last.contains(if lang == "en" {
                "5. What is not known"
            } else {
                "5 判明していないこと"
            }),
            "{lang}"
        );
    }
    let whole = read(&out.join("en/dossier.html"));
    assert!(whole.matches("long-long-").count() > 500);
}

#[tokio::test]
async fn a_hostile_mail_breaks_no_page() {
    let (otori, canaries) = school().await;
    let summary = format!(
        "</td></table><script>alert(1)</script>\u{202e}desrever\u{2066} ⟦people⟧ \u{7}{}",
        "W".repeat(10_000)
    );
    let from = "\"<img src=http://track.example/x>\"@broker.example";
    sighted(&otori, &canaries[1], FIRST, from, &summary).await;
    let (out, _) = made(&otori, &[]);
    for (name, text) in texts(&out) {
        for wrong in ["\u{202e}", "\u{2066}", "____ people ____", &"W".repeat(400)] {
            assert!(!text.contains(wrong), "{name} holds {wrong:?}");
        }
    }
    for lang in ["en", "ja"] {
        for name in DOCUMENTS {
            let html = read(&out.join(lang).join(name).with_extension("html"));
            assert!(
                !html.contains("<script") && !html.contains("<img"),
                "{lang}/{name}"
            );
        }
    }
    assert!(read(&out.join("en/dossier.html")).contains("&lt;script&gt;"));
    // No cell runs over the sheet's edge: what pdftotext finds at the right is within the page.
    let boxes = Command::new("pdftotext")
        .arg("-bbox")
        .arg(out.join("en/dossier.pdf"))
        .arg("-")
        .output()
        .unwrap();
    let boxes = String::from_utf8(boxes.stdout).unwrap();
    let right = boxes.split("xMax=\"").skip(1);
    let right: Vec<f64> = right
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert!(right.len() > 100);
    assert!(right.iter().all(|x| *x <= 595.28 - 53.0), "{right:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_left() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "sales@broker.example",
        "An offer",
    )
    .await;
    let facts = otori.dir().join("facts.toml");
    std::fs::write(&facts, "people = \"12\"\npeeple = \"13\"\n").unwrap();
    let taken = otori.dir().join("taken");
    std::fs::create_dir(&taken).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", otori.dir().join("link")).unwrap();
    let before = otori.registry.acts().await.unwrap().len();
    let place = |name: &str| otori.dir().join(name).display().to_string();
    let (facts, new) = (facts.display().to_string(), place("new"));
    for (args, word) in [
        (
            vec!["dossier", "1", "--out", &place("taken")],
            "exists already",
        ),
        (
            vec!["dossier", "1", "--out", &place("link")],
            "exists already",
        ),
        (
            vec!["dossier", "1", "--out", &place("facts.toml")],
            "exists already",
        ),
        (
            vec!["dossier", "7", "--out", &new],
            "there is no incident 7",
        ),
        (vec!["incidents", "show", "7"], "there is no incident 7"),
        (vec!["incidents", "confirm", "7"], "there is no incident 7"),
        (
            vec!["dossier", "1", "--out", &new, "--facts", &facts],
            "facts.toml: line 2",
        ),
        (
            vec!["dossier", "1", "--out", &new, "--facts", "none.toml"],
            "none.toml",
        ),
        (
            vec!["dossier", "1", "--out", &new, "--font", &facts],
            "is no TrueType or OpenType font",
        ),
        (
            vec![
                "dossier",
                "1",
                "--out",
                &new,
                "--known-at",
                "2999-01-01T00:00:00Z",
            ],
            "lies in the future",
        ),
        (
            vec!["dossier", "1", "--out", &place("facts.toml/new")],
            "no directory can be made",
        ),
        (
            vec!["dossier", "1", "--out", &place("none/new")],
            "no directory can be made",
        ),
    ] {
        let output = otori.command(&args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {told}");
        assert!(told.contains(word), "{args:?}: {told}");
    }
    for wrong in ["2026-03-01", "2026-03-01T10:00:00"] {
        let args = ["dossier", "1", "--out", &new, "--known-at", wrong];
        let output = otori.command(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    let left = std::fs::read_dir(otori.dir()).unwrap();
    let left: Vec<String> = left
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.starts_with(".otori-dossier") || name == "new"),
        "{left:?}"
    );
    assert!(std::fs::read_dir(&taken).unwrap().next().is_none());
    let acts = otori.registry.acts().await.unwrap();
    let made = acts[before..]
        .iter()
        .filter(|entry| matches!(entry.act, Act::DossierMade { .. }));
    assert_eq!(made.count(), 0);
}

#[tokio::test]
async fn revealing_takes_the_right_a_second_person_and_is_logged() {
    let (otori, canary) = custody::house("enforce = true\nfour_eyes = [\"reveal\"]").await;
    let canary = otori
        .registry
        .canary_of(&canary.parse().unwrap())
        .await
        .unwrap();
    sighted(&otori, &canary, FIRST, "sales@broker.example", "佐藤花子様").await;
    let out = otori.dir().join("dossier");
    let place = out.to_str().unwrap();
    let plain = ["dossier", "1", "--out", place, "--format", "html"];
    let reveal = [&plain[..], &["--reveal", "--reason", "case 7"]].concat();

    custody::done(&otori, "audit", &["incidents", "show", "1"]);
    custody::refused(&custody::run(&otori, "audit", &plain), "may not examine");
    custody::refused(&custody::run(&otori, "post", &plain), "may not examine");
    custody::refused(
        &custody::run(&otori, "audit", &["incidents", "confirm", "1"]),
        "may not examine",
    );
    let asked = custody::run(&otori, "anna", &reveal);
    assert_eq!(asked.status.code(), Some(1));
    assert!(!out.exists());
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(asked["request"]["subject"], "incident 1");
    custody::done(
        &otori,
        "alice",
        &["approve", &asked["request"]["id"].to_string()],
    );
    custody::done(&otori, "anna", &reveal);

    for (name, shown) in [
        ("dossier", true),
        ("police-summary", true),
        ("letter-to-broker", false),
        ("appi-prompt-report", false),
        ("notice-to-customers", false),
    ] {
        let text = read(&out.join("ja").join(name).with_extension("html"));
        assert_eq!(text.contains("佐藤 花子"), shown, "{name}");
        assert_eq!(text.contains("hanako@decoys.example"), shown, "{name}");
    }
    // Whoever is handed the details can compare a message with the log.
    let data: Value = serde_json::from_str(&read(&out.join("dossier.json"))).unwrap();
    let seen = &data["sightings"][0];
    let salt = seen["salt"].as_str().unwrap();
    let raw = "Subject: 佐藤花子様\r\n\r\n".as_bytes();
    let hash = message_hash(salt, &envelope_text("{}", &[]), raw);
    assert_eq!(seen["logged"], hash);
    let acts = otori.registry.acts().await.unwrap();
    let wanted = Act::Revealed {
        canary: canary.id.to_string(),
        source: "school".to_owned(),
        reason: Some("dossier of incident 1: case 7".to_owned()),
    };
    let looks: Vec<_> = acts.iter().filter(|entry| entry.act == wanted).collect();
    assert_eq!(looks.len(), 1);
    assert_eq!(looks[0].by, "anna");
}

/// A confirmed incident takes further sightings, a closed one does not, and none goes back.
async fn judged(registry: &str) {
    let otori = Otori::on(registry).await;
    let canaries = otori.plant("school", &PEOPLE).await;
    let sight = |minute| {
        sighted(
            &otori,
            &canaries[0],
            FIRST + Duration::minutes(minute),
            "a@b.example",
            "x",
        )
    };
    sight(0).await;
    assert_eq!(
        otori.json(&["incidents", "confirm", "1", "--why", "a list is sold"])["state"],
        "confirmed"
    );
    sight(1).await;
    let incidents = otori.registry.incidents().await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(
        (incidents[0].sightings, incidents[0].state),
        (2, IncidentState::Confirmed)
    );
    assert_eq!(incidents[0].last_at, FIRST + Duration::minutes(1));
    let told = otori
        .command(&["incidents", "confirm", "1"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&told.stderr).contains("incident 1 is confirmed already"));
    assert_eq!(
        otori.json(&["incidents", "close", "1", "--why", "done"])["state"],
        "closed"
    );
    for again in [
        &["incidents", "close", "1", "--why", "x"][..],
        &["incidents", "confirm", "1"],
    ] {
        let told = otori.command(again).output().unwrap();
        assert!(String::from_utf8_lossy(&told.stderr).contains("incident 1 is closed already"));
    }
    let told = otori
        .command(&["incidents", "close", "1"])
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    sight(2).await;
    assert_eq!(otori.registry.incidents().await.unwrap().len(), 2);

    let shown = otori.json(&["incidents", "show", "1"]);
    assert_eq!(shown["state"], "closed");
    assert_eq!(shown["history"][0]["why"], "a list is sold");
    assert_eq!(shown["history"][1]["state"], "closed");
    assert_eq!(shown["sightings"].as_array().unwrap().len(), 2);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

#[tokio::test]
async fn incidents_are_judged() {
    judged("sqlite:registry.db").await;
}

#[tokio::test]
async fn incidents_are_judged_on_postgres() {
    judged(&servers::postgres().await).await;
}

#[tokio::test]
async fn a_real_trace_fills_in_the_numbers() {
    let otori = Otori::hit("sqlite:registry.db").await;
    let list = otori.dir().join("list.csv");
    std::fs::write(
        &list,
        "name,mail\n佐藤花子,hanako@decoys.example\n渡邉誠,makoto@decoys.example\n",
    )
    .unwrap();
    let report = otori.json(&["trace", list.to_str().unwrap()]);
    assert_eq!(report["verdict"], "attributed");
    let shown = otori.json(&["incidents", "show", "1"]);
    let found = &shown["traces"][0]["finding"];
    let traced = &report["sources"][0];
    assert_eq!(shown["traces"][0]["rows"], report["file"]["rows"]);
    assert_eq!(found["found"], traced["found"]);
    assert_eq!(found["log10_lr"], traced["log10_lr"]);
    assert_eq!(found["share"][0], traced["share"]["estimate"]);
    assert_eq!(found["not_before"], traced["window"]["not_before"]);
    // The table's mapping says nothing here, and neither does the dossier.
    assert_eq!(shown["fields"], Value::Null);
    assert!(!shown.to_string().contains("hanako"));
}

#[tokio::test]
async fn the_example_of_facts_says_all_that_can_be_said() {
    let (otori, canaries) = school().await;
    sighted(
        &otori,
        &canaries[1],
        FIRST,
        "sales@broker.example",
        "An offer",
    )
    .await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/facts.toml");
    let (out, _) = made(
        &otori,
        &["--format", "html", "--facts", file.to_str().unwrap()],
    );
    let facts = read(&file).parse::<toml::Table>().unwrap();
    let help = otori.command(&["dossier", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split_once("only you can know (").unwrap().1;
    let listed = listed.split_once("; each a text").unwrap().0;
    let mut listed: Vec<&str> = listed.split(',').map(str::trim).collect();
    listed.sort_unstable();
    let mut said: Vec<&str> = facts.keys().map(String::as_str).collect();
    said.sort_unstable();
    assert_eq!(said, listed);
    // Each of them is used somewhere.
    let all: String = ["en", "ja"]
        .iter()
        .flat_map(|lang| {
            DOCUMENTS.map(|name| read(&out.join(lang).join(name).with_extension("html")))
        })
        .collect();
    for (name, fact) in &facts {
        let texts = match fact {
            toml::Value::Table(each) => each.values().collect(),
            same => vec![same],
        };
        for text in texts {
            assert!(all.contains(text.as_str().unwrap()), "{name}");
        }
    }
    // What is left blank is what no file can know in advance.
    let letter = read(&out.join("ja/letter-to-broker.html"));
    assert_eq!(letter.matches("<mark>").count(), 1, "{letter}");
}
