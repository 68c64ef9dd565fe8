//! Mail from files: saved mailboxes, a server's pipe, a maildir that is watched.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::json;

use super::{HANAKO, KEISUKE};
use crate::harness::{Otori, Receiver};

const LINE: &str = "From list@broker.example Thu Jan  1 09:00:00 2026\n";

/// A mail as a server has left it in a file.
fn saved(number: u32, to: &str) -> String {
    format!(
        "Return-Path: <list@broker.example>\nDelivered-To: {to}\nMessage-ID: <{number}@broker.example>\n\
         To: undisclosed@broker.example\nSubject: mail {number}\n\nbuy\n"
    )
}

fn counts(document: &serde_json::Value) -> [u64; 5] {
    ["files", "mails", "stored", "repeats", "without_recipient"]
        .map(|key| document[key].as_u64().unwrap())
}

fn piped(otori: &Otori, args: &[&str], mail: &str) -> Output {
    let mut child = otori
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that fails early does not read it all.
    let _ = child.stdin.take().unwrap().write_all(mail.as_bytes());
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_counted_once_and_a_broken_one_costs_no_other() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let dir = otori.dir().join("saved");
    std::fs::create_dir_all(dir.join("box/new")).unwrap();
    std::fs::create_dir_all(dir.join("box/cur")).unwrap();
    std::fs::write(dir.join("1.eml"), saved(1, KEISUKE.mail)).unwrap();
    std::fs::write(dir.join("2.EML"), b"\x89PNG\r\n\x1a\n").unwrap();
    std::fs::write(dir.join("3.eml"), b"").unwrap();
    std::fs::write(dir.join("4.txt"), "no mail: and not named like one").unwrap();
    // The first is 1.eml again, and the last is nobody's.
    let mbox: String = [
        saved(1, KEISUKE.mail),
        saved(2, HANAKO.mail),
        saved(3, "a@b.example"),
    ]
    .iter()
    .map(|mail| format!("{LINE}{mail}\n"))
    .collect();
    std::fs::write(dir.join("5.mbox"), mbox).unwrap();
    std::fs::write(dir.join("box/cur/6.x:2,S"), saved(4, KEISUKE.mail)).unwrap();
    let name = dir.to_str().unwrap();

    let Output { status, stdout, .. } =
        otori.command(&["ingest", name, "--json"]).output().unwrap();
    assert_eq!(status.code(), Some(1), "two files could not be read");
    let first: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(counts(&first), [5, 5, 3, 1, 1], "{first}");
    let places: Vec<&str> = first["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["place"].as_str().unwrap())
        .collect();
    let wanted = ["2.EML:1", "3.eml"].map(|file| dir.join(file).display().to_string());
    assert_eq!(places, wanted);

    // Settled by the command itself: no receiver is running.
    let shown = otori.json(&["sightings"]);
    let mut summaries: Vec<_> = shown["sightings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["from"], "list@broker.example");
            assert_eq!(row["kind"], "alarm");
            (row["summary"].as_str().unwrap(), row["repeats"].as_u64())
        })
        .collect();
    summaries.sort();
    assert_eq!(
        summaries,
        [
            ("mail 1", Some(1)),
            ("mail 2", Some(0)),
            ("mail 4", Some(0))
        ]
    );

    std::fs::remove_file(dir.join("2.EML")).unwrap();
    std::fs::remove_file(dir.join("3.eml")).unwrap();
    let again = otori.json(&["ingest", name]);
    assert_eq!(counts(&again), [3, 5, 0, 4, 1], "{again}");
    assert_eq!(again["unreadable"], json!([]));
    let shown = otori.json(&["sightings"]);
    assert_eq!(shown["sightings"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_mail_that_is_too_large_the_beginning_is_counted() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replacen("[receive]", "[receive]\nlimits.message_bytes = 2000", 1);
    std::fs::write(&path, text).unwrap();
    let large = |number, to| saved(number, to) + &"buy more\n".repeat(1000);
    let mbox = format!(
        "{LINE}{}\n{LINE}{}\n",
        large(1, KEISUKE.mail),
        saved(2, HANAKO.mail)
    );
    let file = otori.dir().join("saved.mbox");
    std::fs::write(&file, mbox).unwrap();
    for stored in [2, 0] {
        let document = otori.json(&["ingest", file.to_str().unwrap()]);
        assert_eq!(counts(&document), [1, 2, stored, 2 - stored, 0]);
        assert_eq!(document["cut"], 1, "{document}");
    }
    let maildir = otori.dir().join("Maildir");
    for part in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    deliver(&maildir, "3.a", large(3, HANAKO.mail).as_bytes());
    let mut config = otori.config();
    config.maildir = Some("Maildir".into());
    config.limits.message_bytes = 2000;
    let receiver = otori.receive(&config).await;
    let cur = maildir.join("cur");
    until("it is in cur", || names(&cur) == ["3.a:2,S"]).await;
    otori.settled().await;
    receiver.stop().await;
    let subjects: Vec<String> = repeats(&otori).into_iter().map(|one| one.0).collect();
    assert_eq!(subjects, ["mail 1", "mail 2", "mail 3"]);
    let found = otori.registry.sightings(&Default::default()).await.unwrap();
    for sighting in found.iter().filter(|one| one.actor.summary != "mail 2") {
        let message = otori.registry.message(sighting.message).await.unwrap();
        let message = message.unwrap();
        assert_eq!(message.raw.len(), 2000);
        let cut = message.envelope.contains("\"via\":\"file\",\"cut\":9");
        assert!(cut, "{}", message.envelope);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_mail_that_smtp_brought_is_no_second_contact() {
    let otori = Otori::hit("sqlite:registry.db").await;
    let id = otori.json(&["sightings"])["sightings"][0]["id"]
        .as_i64()
        .unwrap();
    let sighting = &otori.registry.sightings(&Default::default()).await.unwrap()[0];
    assert_eq!(sighting.id, id);
    let message = otori
        .registry
        .message(sighting.message)
        .await
        .unwrap()
        .unwrap();
    let raw = String::from_utf8(message.raw)
        .unwrap()
        .replace("\r\n", "\n");
    let saved = format!(
        "Return-Path: <sales@broker.example>\nDelivered-To: hanako@decoys.example\nReceived: by x\n{raw}"
    );
    let file = otori.dir().join("copy.eml");
    std::fs::write(&file, saved).unwrap();
    let document = otori.json(&["ingest", file.to_str().unwrap()]);
    assert_eq!(counts(&document), [1, 1, 0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_told_to_come_again_when_nothing_was_stored() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let args = ["ingest", "--pipe", "--to", KEISUKE.mail, "-"];
    let mail = "Subject: without an id\n\nbuy\n";
    let stored = piped(&otori, &args, mail);
    assert_eq!(stored.status.code(), Some(0));
    // The receiver settles it, and a second try is the same mail.
    assert_eq!(otori.registry.unsettled(9).await.unwrap().len(), 1);
    assert_eq!(piped(&otori, &args, mail).status.code(), Some(0));
    assert_eq!(otori.registry.unsettled(9).await.unwrap().len(), 1);

    let no_mail = piped(&otori, &args, "");
    assert_eq!(no_mail.status.code(), Some(75));
    std::fs::rename(otori.dir().join("registry.db"), otori.dir().join("away.db")).unwrap();
    let away = piped(&otori, &args, "Subject: another\n\nbuy\n");
    assert_eq!(away.status.code(), Some(75));
    // A mail server would send the mail back if it were told of anything else.
    for wrong in [
        &["ingest", "--pipe", "-"][..],
        &["ingest", "--pipe", "--to", "MAILER-DAEMON", "-"],
        &["ingest", "--pipe", "--to", KEISUKE.mail, "--nonsense", "-"],
    ] {
        let refused = piped(&otori, wrong, mail);
        assert_eq!(refused.status.code(), Some(75), "{wrong:?}");
        assert!(!refused.stderr.is_empty(), "{wrong:?}");
    }
    let without = piped(&otori, &["ingest", "--nonsense", "-"], mail);
    assert_eq!(without.status.code(), Some(2));
}

/// As a server delivers: whole in `tmp`, then moved to `new`.
fn deliver(maildir: &Path, name: &str, mail: &[u8]) {
    std::fs::write(maildir.join("tmp").join(name), mail).unwrap();
    std::fs::rename(
        maildir.join("tmp").join(name),
        maildir.join("new").join(name),
    )
    .unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn watching(otori: &Otori) -> Receiver {
    let mut config = otori.config();
    config.maildir = Some("Maildir".into());
    otori.receive(&config).await
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come to this: {what}");
}

/// Each mail by its subject, with how often it came again.
fn repeats(otori: &Otori) -> Vec<(String, Option<u64>)> {
    let shown = otori.json(&["sightings"]);
    let rows = shown["sightings"].as_array().unwrap().iter();
    let mut shown: Vec<_> = rows
        .map(|row| {
            let summary = row["summary"].as_str().unwrap();
            (summary.to_owned(), row["repeats"].as_u64())
        })
        .collect();
    shown.sort();
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maildir_is_taken_and_what_was_stored_before_a_stop_is_not_counted_again() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let maildir = otori.dir().join("Maildir");
    for part in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    // Killed between storing the first and moving it: it is in the registry, and still in new.
    let first = otori.dir().join("first.eml");
    std::fs::write(&first, saved(1, KEISUKE.mail)).unwrap();
    otori.json(&["ingest", first.to_str().unwrap()]);
    deliver(&maildir, "1.a", saved(1, KEISUKE.mail).as_bytes());

    let receiver = watching(&otori).await;
    deliver(&maildir, "2.b:2,", saved(2, HANAKO.mail).as_bytes());
    deliver(&maildir, "3.c", saved(3, "a@b.example").as_bytes());
    deliver(&maildir, "4.d", b"\x00\xff");
    let cur = maildir.join("cur");
    until("two are in cur", || names(&cur) == ["1.a:2,S", "2.b:2,S"]).await;
    otori.settled().await;
    receiver.stop().await;
    // What is nobody's, and what is no mail, stays.
    assert_eq!(names(&maildir.join("new")), ["3.c", "4.d"]);

    let (one, two) = ("mail 1".to_owned(), "mail 2".to_owned());
    assert_eq!(repeats(&otori), [(one, Some(1)), (two, Some(0))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dovecots_delivery_agent_writes_into_the_maildir_is_taken_once() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let dovecot = super::dovecot::Dovecot::start();
    let from = "list@broker.example";
    // The first delivery makes the maildir.
    dovecot.deliver_into_maildir(from, &saved(1, KEISUKE.mail));
    let mut config = otori.config();
    config.maildir = Some(dovecot.maildir());
    let receiver = otori.receive(&config).await;
    dovecot.deliver_into_maildir(from, &saved(2, HANAKO.mail));
    dovecot.deliver_into_maildir(from, &saved(3, "a@b.example"));
    // A queue that has lost the agent's answer delivers again.
    dovecot.deliver_into_maildir(from, &saved(2, HANAKO.mail));
    let cur = dovecot.maildir().join("cur");
    until("three are in cur", || names(&cur).len() == 3).await;
    otori.settled().await;
    receiver.stop().await;
    // Dovecot's own files, and what is nobody's, are let be.
    assert_eq!(names(&dovecot.maildir().join("new")).len(), 1);
    assert!(names(&dovecot.maildir()).contains(&"dovecot-uidlist".to_owned()));
    let (one, two) = ("mail 1".to_owned(), "mail 2".to_owned());
    assert_eq!(repeats(&otori), [(one, Some(0)), (two, Some(1))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_does_not_start_without_the_maildir_that_it_is_to_watch() {
    let otori = Otori::new().await;
    let text = std::fs::read_to_string(otori.dir().join("otori.toml")).unwrap();
    let text = text.replacen("[receive]", "[receive]\nmaildir = \"none\"", 1);
    std::fs::write(otori.dir().join("otori.toml"), text).unwrap();
    let args = ["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let Output { status, stderr, .. } = otori.command(&args).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let told = String::from_utf8(stderr).unwrap();
    assert!(
        told.contains("[receive]: maildir: there is no directory"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_shows_of_its_sender_is_told_and_nothing_of_the_canary() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let file = otori.dir().join("mail.eml");
    // Its text has the recipient's address, another canary's, and the number of both.
    let mail = format!(
        "Delivered-To: {}\nFrom: Shop <news@mail.broker.co.jp>\nSubject: offer\n\
         List-Id: <offers.broker.co.jp>\n\nhttps://click.track.example/?to=1\n\
         {} {} 03-0123-4567\ndesk@broker.example 03-0123-9999\n",
        KEISUKE.mail, KEISUKE.mail, HANAKO.mail
    );
    std::fs::write(&file, mail).unwrap();
    otori.json(&["ingest", file.to_str().unwrap()]);
    let shown = otori.json(&["sightings"]);
    let origin = json!({
        "sender": { "domain": "broker.co.jp", "proven": false },
        "authentication": { "not_checked": "no resolver is configured" },
        "list": "offers.broker.co.jp",
        "unsubscribe": [],
        "links": ["track.example"],
        "addresses": ["desk@broker.example"],
        "phones": ["+81301239999"],
        "attachments": [],
    });
    assert_eq!(shown["sightings"][0]["origin"], origin);
    let words = otori.command(&["sightings"]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let line = "    sender not checked: no resolver is configured; list offers.broker.co.jp; links to track.example; \
                addresses desk@broker.example; numbers +81301239999\n";
    assert!(words.ends_with(line), "{words}");
}
