//! Bounces are no alarm; what only looks like one is.

use tokio::io::BufReader;
use tokio::net::TcpStream;

use super::mail::{expect, say};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::Otori;

const REPORT: &str = "From: MAILER-DAEMON@mx.example\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nnot delivered\r\n\
    --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
    Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n";

const QMAILS: &str = "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n\
    Hi. This is the qmail-send program at mx.example.\r\n\r\n<a@b.example>:\r\nno mailbox here. (#5.1.1)\r\n\r\n\
    --- Below this line is a copy of the message.\r\n\r\nSubject: hi\r\n";

#[tokio::test]
async fn a_delivery_report_is_noise_and_what_looks_like_one_is_an_alarm() {
    let otori = Otori::new().await;
    let planted = otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let away = "Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\nbuy\r\n";
    let replied = format!("In-Reply-To: <1@forged.example>\r\n{away}");
    let greeting = "渡辺&nbsp;次郎様<br>特別なご案内";
    let knowing = format!(
        "In-Reply-To: <2@forged.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{greeting}\r\n"
    );
    let knowing_qmails = format!("{QMAILS}渡辺次郎様\r\n");
    let stream = TcpStream::connect(receiver.smtp).await.unwrap();
    let mut client = BufReader::new(stream);
    expect(&mut client, "220 ").await;
    say(&mut client, "HELO c.example\r\n").await;
    expect(&mut client, "250 ").await;
    let mails = [
        ("", KEISUKE.mail, REPORT),
        ("", KEISUKE.mail, QMAILS),
        ("", KEISUKE.mail, &replied),
        ("list@broker.example", HANAKO.mail, REPORT),
        ("", HANAKO.mail, away),
        // Like bounces, to somebody whom they know.
        ("", JIRO.mail, &knowing_qmails),
        ("", JIRO.mail, &knowing),
    ];
    for (from, to, text) in mails {
        let begin = format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        say(&mut client, &begin).await;
        for code in ["250 2.1.0", "250 2.1.5", "354 "] {
            expect(&mut client, code).await;
        }
        say(&mut client, &format!("{text}.\r\n")).await;
        expect(&mut client, "250 ").await;
    }
    otori.settled().await;
    receiver.stop().await;

    let shown = otori.json(&["sightings"]);
    let rows = shown["sightings"].as_array().unwrap();
    let kinds = |canary: &str| {
        let rows = rows.iter().filter(|row| row["canary"] == canary);
        let kinds = rows.map(|row| row["kind"].as_str().unwrap());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(kinds(planted[0].id.as_str()), ["noise"; 3]);
    assert_eq!(kinds(planted[1].id.as_str()), ["alarm", "alarm"]);
    assert_eq!(kinds(planted[2].id.as_str()), ["alarm", "alarm"]);
    let incidents = otori.json(&["incidents"]);
    let [incident] = &incidents["incidents"].as_array().unwrap()[..] else {
        panic!("{incidents}");
    };
    assert_eq!(incident["canaries"], 2, "the report's is not in it");
}
