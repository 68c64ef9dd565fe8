//! The log as a machine reads it: every line an object, and nobody's details in any of them.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::KEISUKE;
use super::crash::{SERVE, Server};
use crate::harness::Otori;

#[tokio::test]
async fn a_log_as_json_has_no_address_number_name_or_body() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let file = otori.dir().join("log");
    let mut command = otori.command(&SERVE);
    command
        .args(["--log", "json"])
        .env("OTORI_LOG", "otori=trace")
        .stderr(File::create(&file).unwrap());
    let server = Server::by(command);

    let mut client = TcpStream::connect(server.smtp).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut answers = BufReader::new(client.try_clone().unwrap());
    let mut answered = |wanted: &str| {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert!(line.starts_with(wanted), "{line}");
    };
    let to = format!("RCPT TO:<{}>\r\n", KEISUKE.mail);
    let body = "From: Hayashi <hayashi@broker.example>\r\nSubject: bargain-subject\r\n\r\n\
                Dear 髙橋 圭祐, call 090-0123-4567 about bargain-body\r\n.\r\n";
    answered("220");
    for (step, wanted) in [
        ("HELO broker-host.example\r\n", "250"),
        ("MAIL FROM:<hayashi@broker.example>\r\n", "250"),
        ("RCPT TO:<nobody.here@broker.example>\r\n", "554"),
        (&to, "250"),
        ("DATA\r\n", "354"),
        (body, "250"),
    ] {
        client.write_all(step.as_bytes()).unwrap();
        answered(wanted);
    }
    otori.settled().await;
    let smtp = format!("SMTP on {}", server.smtp);
    assert!(server.terminate().success());

    let log = std::fs::read_to_string(file).unwrap();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let says = |text: &str| lines.iter().any(|line| line["message"] == text);
    assert!(says("stopping"), "{log}");
    assert!(says(&smtp), "{log}");
    for detail in [
        "keisuke",
        "hayashi",
        "nobody.here",
        "broker-host",
        "decoys.example",
        "髙橋",
        "圭祐",
        "0123-4567",
        "bargain",
    ] {
        assert!(!log.contains(detail), "{detail} is in the log: {log}");
    }
}
