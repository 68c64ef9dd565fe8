//! SIGHUP: what can change without a restart does, and a mistake changes nothing.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::crash::{SERVE, Server};
use super::names::name_server;
use super::places::hook;
use super::starttls::{certificate, shown};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::Otori;

fn swaks(server: &Server, from: &str, to: &str, subject: &str) {
    let smtp = server.smtp.to_string();
    let sent = Command::new("swaks")
        .args(["--server", &smtp, "--from", from, "--to", to])
        .args(["--h-Subject", subject])
        .output()
        .unwrap();
    assert!(sent.status.success(), "{sent:?}");
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to this: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_places_and_certificate_are_read_again_and_a_mistake_changes_nothing() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    otori.plant("club", &[HANAKO]).await;
    otori.plant("shop", &[JIRO]).await;
    certificate(otori.dir());
    let names = name_server(&[("news.school.example", "v=spf1 ip4:127.0.0.1 -all")]).await;
    let (first, told_first) = hook(&["200 OK"]).await;
    let (second, told_second) = hook(&["200 OK"]).await;
    let path = otori.dir().join("otori.toml");
    let plain = std::fs::read_to_string(&path).unwrap();
    let start = format!(
        "{plain}\n[receive.auth]\nresolvers = [\"{names}\"]\n\
         [receive.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"
    );
    let place = |url: &str| format!("[[alert.webhook]]\nname = \"place\"\nurl = \"{url}\"\n");
    let expected = "[[receive.expected]]\nsource = \"school\"\ndomains = [\"school.example\"]\n";
    std::fs::write(&path, format!("{start}{}", place(&first))).unwrap();
    let log = otori.dir().join("log");
    let mut command = otori.command(&SERVE);
    command.stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let server = Server::by(command);
    let logged = |text: &str| {
        let log = std::fs::read_to_string(&log).unwrap();
        log.matches(text).count()
    };
    let kind = |subject: &str| {
        let shown = otori.json(&["sightings"]);
        let all = shown["sightings"].as_array().unwrap().clone();
        let is = |one: &&serde_json::Value| {
            one["summary"]
                .as_str()
                .is_some_and(|summary| summary.contains(subject))
        };
        all.iter()
            .find(is)
            .map(|one| one["kind"].as_str().unwrap().to_owned())
    };
    let news = "info@news.school.example";
    swaks(&server, news, KEISUKE.mail, "before");
    until("told", || told_first.lock().unwrap().len() == 1).await;
    assert_eq!(kind("before").as_deref(), Some("alarm"));

    // Three mistakes: no TOML, a place that is none, and half a renewed certificate.
    let renewed = format!("{start}{}{expected}", place(&second));
    let whole = std::fs::read(otori.dir().join("cert.pem")).unwrap();
    let certificate_before = shown(server.smtp);
    for (mistakes, (text, pem)) in [
        ("[receive\n".to_owned(), whole.as_slice()),
        (
            renewed.replace("name = \"place\"", "name = \"a place\""),
            &whole,
        ),
        (renewed.clone(), b"in the making"),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(&path, text).unwrap();
        std::fs::write(otori.dir().join("cert.pem"), pem).unwrap();
        server.hang_up();
        until("refused", || {
            logged("otori.toml was not taken") == mistakes + 1
        })
        .await;
    }
    std::fs::write(&path, format!("{start}{}", place(&first))).unwrap();
    std::fs::write(otori.dir().join("cert.pem"), &whole).unwrap();
    assert_eq!(shown(server.smtp), certificate_before);
    swaks(&server, news, HANAKO.mail, "between");
    until("told", || told_first.lock().unwrap().len() == 2).await;
    assert_eq!(told_second.lock().unwrap().len(), 0);

    certificate(otori.dir());
    std::fs::write(&path, &renewed).unwrap();
    server.hang_up();
    until("taken", || logged("otori.toml was read again: ") == 1).await;
    assert_ne!(shown(server.smtp), certificate_before);
    swaks(&server, news, KEISUKE.mail, "after");
    until("settled", || kind("after").is_some()).await;
    assert_eq!(kind("after").as_deref(), Some("expected"));
    swaks(&server, "x@broker.example", JIRO.mail, "stranger");
    until("told", || told_second.lock().unwrap().len() == 1).await;
    assert_eq!(told_first.lock().unwrap().len(), 2);
    assert!(server.terminate().success());
}
