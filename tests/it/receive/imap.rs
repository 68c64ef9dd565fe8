//! Mailboxes at a provider: Dovecot, as Debian has it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::crash::{SERVE, Server};
use super::dovecot::{Dovecot, PASSWORD};
use super::web::Call;
use crate::harness::{Otori, Who};

const TARO: Who<'static> = Who {
    family: ("山田", "ヤマダ"),
    given: ("太郎", "タロウ"),
    unit: "710",
    mail: "taro@provider.example",
};
const SENDER: &str = "list@broker.example";

fn mail(number: u32) -> String {
    // A list's mail does not name whom it goes to.
    format!(
        "From: Shop <{SENDER}>\nTo: undisclosed-recipients:;\nMessage-ID: <{number}@broker.example>\n\
         Subject: mail {number}\n\nbuy {number}\n"
    )
}

/// A workspace that owns the mailbox, has given it to a canary, and reads it.
async fn reading(lines: &str) -> Otori {
    let otori = Otori::new().await;
    otori.json(&["pool", "add", "mailbox", TARO.mail]);
    otori.plant("school", &[TARO]).await;
    otori.write_secret("provider.password", &format!("{PASSWORD}\n"));
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let section = format!(
        "[[receive.imap]]\nname = \"provider\"\nhost = \"127.0.0.1\"\nuser = \"{}\"\n\
         password_file = \"provider.password\"\nevery_seconds = 1\n{lines}\n",
        TARO.mail
    );
    std::fs::write(&path, format!("{text}\n{section}")).unwrap();
    otori
}

fn sightings(otori: &Otori) -> Vec<Value> {
    let shown = otori.json(&["sightings", "--limit", "1000"]);
    shown["sightings"].as_array().unwrap().clone()
}

/// Waits until so many sightings are there; then a moment more, in which no other may come.
async fn count(otori: &Otori, count: usize) -> Vec<Value> {
    for _ in 0..600 {
        if sightings(otori).len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let all = sightings(otori);
    assert_eq!(all.len(), count, "{all:?}");
    all
}

/// Waits until the server has read its mailboxes after this moment.
async fn looked(server: &Server) {
    let time = |text: String| text.lines().nth(1).unwrap_or_default().to_owned();
    let first = time(Call::get("/readyz").send(server.http).await.body);
    for _ in 0..600 {
        let now = time(Call::get("/readyz").send(server.http).await.body);
        // The second look that ends from here on began behind this moment.
        if now.contains("read at") && now != first {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no look has ended: {first}");
}

async fn until(server: &Server, path: &str, wanted: &str) -> String {
    let mut body = String::new();
    for _ in 0..600 {
        let answer = Call::get(path).send(server.http).await;
        body = answer.body;
        if answer.status == 200 && body.contains(wanted) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{wanted} does not come: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_counted_once_and_the_mailbox_stays_as_it_is() {
    let dovecot = Dovecot::start();
    let root = format!(
        "tls = \"implicit\"\nport = {}\nroot = {:?}",
        dovecot.tls,
        dovecot.dir().join("cert.pem")
    );
    let folders = "folders = [\"INBOX\", \"Junk\", \"迷惑メール\"]";
    let otori = reading(&format!("{root}\n{folders}")).await;
    // One was there before anybody looked.
    dovecot.deliver(TARO.mail, "INBOX", SENDER, &mail(1));
    let server = Server::start(&otori);
    let first = count(&otori, 1).await;
    assert_eq!(first[0]["source"], "school");
    assert_eq!(first[0]["kind"], "alarm");
    assert_eq!(first[0]["from"], SENDER);
    dovecot.deliver(TARO.mail, "INBOX", SENDER, &mail(2));
    dovecot.deliver(TARO.mail, "Junk", SENDER, &mail(3));
    dovecot.deliver(TARO.mail, "迷惑メール", SENDER, &mail(4));
    count(&otori, 4).await;
    let text = Call::get("/metrics").send(server.http).await.body;
    assert!(
        text.contains("otori_imap_up{mailbox=\"provider\"} 1\n"),
        "{text}"
    );
    assert!(server.terminate().success());

    // A restart looks only at what is new; under another numbering, what is known is recognised.
    let messages = || async { otori.registry.acts().await.unwrap().len() };
    let server = Server::start(&otori);
    looked(&server).await;
    let before = messages().await;
    looked(&server).await;
    assert_eq!(messages().await, before, "nothing is read again");
    let numbers = [
        "mailbox",
        "update",
        "-u",
        TARO.mail,
        "--uid-validity",
        "4711",
        "INBOX",
    ];
    dovecot.doveadm(&numbers);
    dovecot.deliver(TARO.mail, "INBOX", SENDER, &mail(5));
    let all = count(&otori, 5).await;
    looked(&server).await;
    count(&otori, 5).await;
    let repeated = all.iter().filter(|one| one["repeats"] == 1).count();
    assert_eq!(repeated, 2, "the two that were in INBOX before: {all:?}");
    assert!(server.terminate().success());

    let left = dovecot.doveadm(&[
        "fetch",
        "-u",
        TARO.mail,
        "hdr.subject flags",
        "mailbox",
        "*",
    ]);
    let subjects = left.lines().filter(|line| line.contains("mail ")).count();
    assert_eq!(subjects, 5, "{left}");
    for flag in ["Seen", "Deleted", "Answered", "Flagged"] {
        assert!(!left.contains(flag), "{left}");
    }
    assert!(otori.json(&["evidence", "verify"])["ok"].as_bool().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_by_starttls_survive_a_kill_and_a_server_that_goes() {
    let mut dovecot = Dovecot::start();
    let root = format!(
        "tls = \"starttls\"\nport = {}\nroot = {:?}",
        dovecot.plain,
        dovecot.dir().join("cert.pem")
    );
    let otori = reading(&root).await;
    for number in 0..200 {
        dovecot.deliver(TARO.mail, "INBOX", SENDER, &mail(number));
    }
    let server = Server::start(&otori);
    // Killed while it reads.
    for _ in 0..600 {
        if !sightings(&otori).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    let server = Server::start(&otori);
    count(&otori, 200).await;
    looked(&server).await;

    dovecot.down();
    until(&server, "/readyz", "imap provider: failing since 20").await;
    until(
        &server,
        "/metrics",
        "otori_imap_up{mailbox=\"provider\"} 0\n",
    )
    .await;
    dovecot.up();
    dovecot.deliver(TARO.mail, "INBOX", SENDER, &mail(200));
    let all = count(&otori, 201).await;
    until(&server, "/readyz", "imap provider: read at 20").await;
    let subjects: std::collections::BTreeSet<_> = all
        .iter()
        .map(|one| one["summary"].as_str().unwrap())
        .collect();
    assert_eq!(subjects.len(), 201);
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_smtp_brought_is_no_second_contact_and_a_large_one_is_no_loss() {
    let dovecot = Dovecot::start();
    let otori = reading(&format!("tls = \"none\"\nport = {}", dovecot.plain)).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replacen("[receive]", "[receive]\nlimits.message_bytes = 1500000", 1);
    std::fs::write(&path, text).unwrap();
    let server = Server::start(&otori);
    let id = "Message-ID: <both@broker.example>";
    let smtp = server.smtp.to_string();
    let sent = std::process::Command::new("swaks")
        .args(["--server", &smtp, "--from", SENDER, "--to", TARO.mail])
        .args(["--data", &format!("{id}\nSubject: both\n\nbuy\n")])
        .output()
        .unwrap();
    assert!(sent.status.success(), "{sent:?}");
    count(&otori, 1).await;
    // As the provider's server has it: it writes down who the sender was.
    let stored = otori.registry.message(1).await.unwrap().unwrap();
    let stored = String::from_utf8(stored.raw).unwrap().replace("\r\n", "\n");
    let same = format!("Return-Path: <{SENDER}>\nReceived: by provider.example\n{stored}");
    dovecot.deliver(TARO.mail, "INBOX", SENDER, &same);
    let lines = "0123456789 and so on, to the end of a long line\n".repeat(40_000);
    dovecot.deliver(
        TARO.mail,
        "INBOX",
        SENDER,
        &format!("Message-ID: <l@x>\nSubject: large\n\n{lines}"),
    );
    let all = count(&otori, 2).await;
    let both = all.iter().find(|one| one["summary"] == "both").unwrap();
    assert_eq!(both["repeats"], 1, "{all:?}");
    let large = all.iter().find(|one| one["summary"] == "large").unwrap();
    let found = otori.registry.sightings(&Default::default()).await.unwrap();
    let found = found
        .iter()
        .find(|one| Some(one.id) == large["id"].as_i64())
        .unwrap();
    let message = otori
        .registry
        .message(found.message)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(message.raw.len(), 1 << 20, "its beginning");
    assert!(
        message.envelope.contains("\"via\":\"imap\",\"cut\":"),
        "{}",
        message.envelope
    );
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_server_are_told_without_secrets() {
    let dovecot = Dovecot::start();
    let root = format!(
        "port = {}\nroot = {:?}",
        dovecot.tls,
        dovecot.dir().join("cert.pem")
    );
    let otori = reading(&root).await;
    let secret = otori.dir().join("provider.password");
    std::fs::write(&secret, "wr0ng-and-secret").unwrap();
    let log = otori.dir().join("log");
    let told = async |wanted: &str| {
        let mut command = otori.command(&SERVE);
        command.stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
        let server = Server::by(command);
        until(&server, "/readyz", "imap provider: failing since 20").await;
        assert!(server.terminate().success());
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains(wanted), "{text}");
        for secret in ["wr0ng", "taro", "provider.example"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    };
    told("the server refuses user or password").await;
    // A certificate that leads to nobody whom this machine trusts: no password is sent.
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("root = "))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, without).unwrap();
    let tried = |dovecot: &Dovecot| dovecot.log().matches("auth failed").count();
    let before = tried(&dovecot);
    told("no TLS with it").await;
    assert_eq!(tried(&dovecot), before, "{}", dovecot.log());
    assert_eq!(sightings(&otori).len(), 0);
}
