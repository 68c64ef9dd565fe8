//! Who a mail is from, through the program: what pretends to be the house's own is named so, and a server in front
//! is believed where it hands on.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::KEISUKE;
use super::crash::{SERVE, Server};
use super::names::name_server;
use super::places::hook;
use crate::harness::Otori;

/// Sends a mail by swaks, by SMTP or LMTP.
pub(super) fn swaks(server: &str, protocol: &str, from: &str, to: &str, subject: &str, more: &str) {
    let mail = format!("{more}From: School <{from}>\nSubject: {subject}\n\nSee you on Monday.\n");
    let sent = Command::new("swaks")
        .args(["--server", server, "--protocol", protocol])
        .args(["--from", from, "--to", to, "--data", &mail])
        .output()
        .unwrap();
    assert!(sent.status.success(), "{sent:?}");
}

pub(super) async fn sighting(otori: &Otori, subject: &str) -> Value {
    for _ in 0..600 {
        let shown = otori.json(&["sightings"]);
        let all = shown["sightings"].as_array().unwrap();
        let is = |one: &&Value| one["summary"].as_str().unwrap().starts_with(subject);
        if let Some(found) = all.iter().find(is) {
            return found.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{subject} does not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pretends_to_be_our_own_is_named_so_and_a_server_in_front_is_believed() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let names = name_server(&[
        ("_dmarc.school.example", "v=DMARC1; p=reject"),
        ("school.example", "v=spf1 ip4:192.0.2.1 -all"),
    ])
    .await;
    let (place, told) = hook(&["200 OK"]).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!(
        "{text}\n[receive.auth]\nresolvers = [\"{names}\"]\ntrusted = [\"mx.our.example\"]\n\
         [[receive.expected]]\nsource = \"school\"\ndomains = [\"school.example\"]\n\
         [[alert.webhook]]\nname = \"place\"\nurl = \"{place}\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let lmtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = lmtp.local_addr().unwrap().to_string();
    drop(lmtp);
    let mut command = otori.command(&SERVE);
    command
        .args(["--lmtp", &at])
        .stderr(std::process::Stdio::null());
    let server = Server::by(command);
    let smtp = server.smtp.to_string();
    let ours = "info@school.example";

    let found = "Authentication-Results: mx.our.example; dmarc=pass header.from=school.example\n";
    swaks(&at, "LMTP", ours, KEISUKE.mail, "by the server", found);
    let expected = sighting(&otori, "by the server").await;
    assert_eq!(expected["kind"], "expected");
    assert_eq!(expected["origin"]["authentication"]["by"], "mx.our.example");
    // A stranger writes down the same.
    swaks(&smtp, "ESMTP", ours, KEISUKE.mail, "by a stranger", found);
    let forged = sighting(&otori, "by a stranger").await;
    assert_eq!(forged["kind"], "alarm");
    assert_eq!(forged["origin"]["impersonates"], true);
    assert_eq!(
        forged["origin"]["authentication"]["dmarc"]["result"],
        "fail"
    );
    for _ in 0..600 {
        if !told.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let alert: Value = serde_json::from_slice(&told.lock().unwrap()[0].1).unwrap();
    assert_eq!(alert["facts"]["latest"]["impersonates"], "school.example");
    let text = alert["text"].as_str().unwrap();
    assert_eq!(
        alert["facts"]["impersonates"],
        serde_json::json!(["school.example"])
    );
    let words = "Pretends:   a mail says that it is from school.example, who writes for you, and does not prove it\n";
    assert!(text.contains(words), "{text}");
    // Anybody else is who he says, or not, and pretends nothing.
    swaks(
        &smtp,
        "ESMTP",
        "x@broker.example",
        KEISUKE.mail,
        "another",
        "",
    );
    let another = sighting(&otori, "another").await;
    assert_eq!(another["kind"], "alarm");
    assert_eq!(another["origin"].get("impersonates"), None);
    // Of two authors one is shown to whoever reads it.
    let field = "From: School <info@school.example>\n";
    let broker = "x@broker.example";
    swaks(&smtp, "ESMTP", broker, KEISUKE.mail, "two authors", field);
    let two = sighting(&otori, "two authors").await;
    assert_eq!(two["origin"]["impersonates"], true, "{two}");
    let words = otori.command(&["sightings"]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let line = "says that it is from school.example, who writes for you, and does not prove it";
    assert_eq!(words.matches(line).count(), 2, "{words}");
    assert!(server.terminate().success());
}
