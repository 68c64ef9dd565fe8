//! The log as a machine reads it: every line an object, and nobody's details in any of them.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use super::crash::{SERVE, Server};
use super::web::{Call, signed};
use super::{KEISUKE, post};
use crate::harness::Otori;
use crate::ports::free;

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

/// The other ways in, with answers that are right and wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_calls_letters_attempts_and_reports_has_no_detail_either() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    otori.write_secret(
        "keys/login.secret",
        "a secret of the shop's own application",
    );
    let config = otori.dir().join("otori.toml");
    let sip = free();
    let text = std::fs::read_to_string(&config).unwrap();
    let text = format!(
        "{text}\n[receive.sip]\nlisten = '{sip}'\n\n[receive.login]\nsecret_file = 'keys/login.secret'\n"
    );
    std::fs::write(&config, text).unwrap();
    let file = otori.dir().join("log");
    let mut command = otori.command(&SERVE);
    command
        .args(["--log", "json"])
        .env("OTORI_LOG", "otori=trace")
        .stderr(File::create(&file).unwrap());
    let server = Server::by(command);

    let invite = "INVITE sip:0301234567@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP c.example;rport;branch=z9hG4bKa\r\n\
        From: \"Meiboya\" <sip:0301239999@c.example>;tag=f\r\nTo: <sip:0301234567@pbx.example>\r\n\
        Call-ID: called-1@c.example\r\nCSeq: 1 INVITE\r\nContact: <sip:0301239999@c.example>\r\n\
        Content-Length: 0\r\n\r\n";
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    for sent in [
        invite,
        &invite.replace("CSeq: 1 INVITE", "CSeq: x"),
        "\0no SIP 0301239999",
    ] {
        socket.send_to(sent.as_bytes(), sip).unwrap();
    }
    let mut heard = [0; 4096];
    let length = socket.recv(&mut heard).unwrap();
    assert!(heard[..length].starts_with(b"SIP/2.0 "));

    let phone = otori.secret("keys/phone.secret");
    let called = serde_json::json!({ "to": "03-0123-4567", "from": "+81301239999", "kind": "sms",
        "text": "髙橋 圭祐様 bargain-body", "id": "1" });
    let attempt = serde_json::json!({ "account": KEISUKE.mail, "kind": "login", "ip": "192.0.2.7",
        "user_agent": "bargain-agent" });
    let login = "a secret of the shop's own application";
    let calls = [
        (signed("/hooks/phone", &phone, &called.to_string()), 200),
        (signed("/hooks/phone", "wrong", &called.to_string()), 403),
        (
            signed("/hooks/phone", &phone, "{\"to\": \"03-0123-4567"),
            400,
        ),
        (signed("/hooks/login", login, &attempt.to_string()), 200),
        (signed("/hooks/login", "wrong", &attempt.to_string()), 403),
    ];
    for (call, status) in calls {
        let answer = call.send(server.http).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let letter = [
        ("addressee", "髙橋 圭祐"),
        ("address", "東京都千代田区霞が関9-12-8 囮ハイツ707"),
        ("sender", "株式会社名簿屋"),
        ("note", "bargain-note"),
    ];
    let mailroom = otori.secret("keys/mailroom.token");
    let filed = post::form(&letter, post::PNG).basic("mailroom", &mailroom);
    assert_eq!(filed.send(server.http).await.status, 200);
    let refused = post::form(&letter, b"bargain-picture").basic("mailroom", "hunter-token");
    assert_eq!(refused.send(server.http).await.status, 401);
    let lost = Call::get("/drop/bargain-path?q=keisuke")
        .send(server.http)
        .await;
    assert!((400..500).contains(&lost.status), "{lost:?}");

    // A file whose lines are wrong, and one that is right, by the program itself.
    let records = otori.dir().join("records.csv");
    std::fs::write(
        &records,
        "to,from,at\n03-0123-4567,0301239999,yesterday\n03-0123-4567,0301239999,\n",
    )
    .unwrap();
    let mut import = otori.command(&["calls", "import"]);
    import.arg(&records).env("OTORI_LOG", "otori=trace");
    let imported = import.output().unwrap();
    otori.settled().await;
    assert!(server.terminate().success());
    let log = std::fs::read_to_string(file).unwrap() + &String::from_utf8_lossy(&imported.stderr);
    assert!(log.contains("SIP on "), "{log}");
    for detail in [
        "keisuke",
        "decoys.example",
        "髙橋",
        "圭祐",
        "囮ハイツ",
        "0123-4567",
        "0301234567",
        "301239999",
        "Meiboya",
        "名簿屋",
        "called-1",
        "bargain",
        "hunter-token",
        login,
        phone.trim(),
    ] {
        assert!(!log.contains(detail), "{detail} is in the log: {log}");
    }
}
