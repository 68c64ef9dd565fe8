//! Who may do what, what takes two people, and that each look at a canary is in the log.

use std::process::Output;

use otori::evidence::Act;
use serde_json::Value;

use crate::harness::{Otori, PEOPLE as CANARIES};

const PEOPLE: [(&str, &str); 5] = [
    ("alice", "admin"),
    ("bob", "admin"),
    ("anna", "analyst"),
    ("post", "mail_room"),
    ("audit", "auditor"),
];

/// A workspace with people of every role; `custody` is the section of that name.
pub async fn house(custody: &str) -> (Otori, String) {
    let otori = Otori::new().await;
    let canary = otori
        .plant("school", &CANARIES[1..2])
        .await
        .remove(0)
        .id
        .to_string();
    let file = otori.dir().join("otori.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = config.split_once("[[people]]").unwrap();
    let after = rest.split_once("[evidence]").unwrap().1;
    let mut text = before.to_owned();
    for (name, role) in PEOPLE {
        otori.write_secret(&format!("keys/{name}.token"), &token(name));
        text += &format!(
            "[[people]]\nname = \"{name}\"\ntoken_file = \"keys/{name}.token\"\nrole = \"{role}\"\n\n"
        );
    }
    text += &format!("[custody]\n{custody}\n\n[evidence]{after}");
    std::fs::write(&file, text).unwrap();
    (otori, canary)
}

fn token(name: &str) -> String {
    format!("{name}-token-of-some-length")
}

pub fn run(otori: &Otori, name: &str, args: &[&str]) -> Output {
    let mut command = otori.command(args);
    command
        .args(["--as", name, "--json"])
        .env("OTORI_TOKEN", token(name));
    command.output().unwrap()
}

#[track_caller]
pub fn done(otori: &Otori, name: &str, args: &[&str]) -> Value {
    let output = run(otori, name, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{name} {args:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
pub fn refused(output: &Output, word: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(word), "{told}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_look_at_a_canary_is_in_the_log_and_a_role_without_the_right_has_none() {
    let (otori, canary) = house("enforce = true").await;
    let shown = done(&otori, "anna", &["reveal", &canary, "--reason", "case 7"]);
    assert_eq!(shown["household"]["guardian"]["given"]["written"], "花子");
    assert_eq!(shown["rows"][0]["cells"][0]["value"], "佐藤 花子");
    for name in ["audit", "post"] {
        refused(
            &run(&otori, name, &["reveal", &canary]),
            "may not see a canary's details",
        );
    }
    refused(
        &run(&otori, "anna", &["pool", "add", "mail", "x.example"]),
        "may not change the workspace",
    );
    refused(
        &run(&otori, "post", &["sightings"]),
        "may not see sightings",
    );
    done(&otori, "audit", &["sightings"]);
    done(&otori, "audit", &["evidence", "verify"]);
    done(&otori, "alice", &["pool", "add", "mail", "x.example"]);

    // Nobody goes without a name, and no name without its token.
    refused(
        &otori.command(&["reveal", &canary]).output().unwrap(),
        "--as NAME",
    );
    let mut command = otori.command(&["reveal", &canary, "--as", "alice"]);
    refused(
        &command.env("OTORI_TOKEN", token("anna")).output().unwrap(),
        "not the token of alice",
    );
    refused(
        &run(&otori, "eve", &["reveal", &canary]),
        "no person named 'eve'",
    );

    let acts = otori.registry.acts().await.unwrap();
    let looks: Vec<_> = acts
        .iter()
        .filter(|entry| matches!(entry.act, Act::Revealed { .. }))
        .collect();
    assert_eq!(looks.len(), 1);
    let wanted = Act::Revealed {
        canary,
        source: "school".to_owned(),
        reason: Some("case 7".to_owned()),
    };
    assert_eq!((&looks[0].act, looks[0].by.as_str()), (&wanted, "anna"));
    let refusals = acts
        .iter()
        .filter(|entry| matches!(entry.act, Act::Refused { .. }));
    assert_eq!(refusals.count(), 7);
}

#[tokio::test]
async fn what_takes_two_people_takes_two() {
    let (otori, canary) = house("enforce = true\nfour_eyes = [\"reveal\"]").await;
    let asked = run(&otori, "anna", &["reveal", &canary, "--reason", "case 7"]);
    assert_eq!(asked.status.code(), Some(1));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let id = asked["request"]["id"].to_string();
    assert!(!asked.to_string().contains("花子"));
    // Asking again makes no second request, and nobody approves their own.
    let again = run(&otori, "anna", &["reveal", &canary]);
    assert_eq!(
        serde_json::from_slice::<Value>(&again.stdout).unwrap()["request"]["id"].to_string(),
        id
    );
    let told = run(&otori, "anna", &["approve", &id]);
    assert_eq!(told.status.code(), Some(1));
    // An auditor may look at requests, and approve none.
    done(&otori, "audit", &["requests"]);
    assert_eq!(
        run(&otori, "audit", &["approve", &id]).status.code(),
        Some(1)
    );
    done(&otori, "alice", &["approve", &id]);
    // The approval is of whom asked, on what was asked, once.
    assert_eq!(
        run(&otori, "bob", &["reveal", &canary]).status.code(),
        Some(1)
    );
    let shown = done(&otori, "anna", &["reveal", &canary]);
    assert_eq!(shown["household"]["guardian"]["given"]["written"], "花子");
    assert_eq!(
        run(&otori, "anna", &["reveal", &canary]).status.code(),
        Some(1)
    );
    // A proof shows the canary too.
    let out = otori.dir().join("proof.json");
    let proof = run(
        &otori,
        "bob",
        &["evidence", "prove", &canary, "--out", out.to_str().unwrap()],
    );
    assert_eq!(proof.status.code(), Some(1));
    assert!(!out.exists());
    let kinds: Vec<String> = otori
        .registry
        .acts()
        .await
        .unwrap()
        .iter()
        .map(|entry| {
            serde_json::to_value(&entry.act).unwrap()["act"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for kind in ["requested", "request_approved", "request_used", "revealed"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}: {kinds:?}");
    }
    assert_eq!(done(&otori, "audit", &["evidence", "verify"])["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_role() {
    let (otori, _) = house("enforce = false").await;
    let workspace = otori::workspace::Workspace::find(Some(otori.dir())).unwrap();
    let people = workspace.config().people.clone();
    let mut config = workspace.config().receive.clone();
    if config.people.is_empty() {
        config.people = people;
    }
    let receiver = otori.receive(&config).await;
    let status = |name: &str, path: &str| {
        let user = format!("{name}:{}", token(name));
        let url = format!("http://{}{path}", receiver.http);
        let output = std::process::Command::new("curl")
            .args([
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "-u",
                &user,
                &url,
            ])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (name, dashboard, drop) in [
        ("alice", "200", "200"),
        ("anna", "200", "403"),
        ("audit", "200", "403"),
        ("post", "403", "200"),
    ] {
        assert_eq!(status(name, "/"), dashboard, "{name}");
        assert_eq!(status(name, "/api/sightings"), dashboard, "{name}");
        assert_eq!(status(name, "/drop"), drop, "{name}");
    }
    receiver.stop().await;
}

#[tokio::test]
async fn custody_that_contradicts_itself_is_told() {
    for (custody, word) in [
        ("four_eyes = [\"reveal\"]", "four_eyes needs enforce"),
        (
            "enforce = true\nrequest_hours = 0",
            "request_hours must be 1 or more",
        ),
        ("four_eyes = [\"sleep\"]", "unknown variant"),
    ] {
        let (otori, _) = house(custody).await;
        refused(&otori.command(&["sightings"]).output().unwrap(), word);
    }
}
