//! Mail over real sockets.

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use otori::canary::{Channel, ContactPoint, SightingKind};
use otori::receive::{Limits, ReceiveConfig};
use otori::registry::SightingFilter;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, PLANTED, Receiver};

/// The next answer, of one line or several, must begin so.
pub async fn expect<S: AsyncRead + Unpin>(stream: &mut BufReader<S>, starts: &str) {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert!(
            line.starts_with(&starts[..3]),
            "wanted {starts}, got {line:?}"
        );
        if line.as_bytes()[3] == b' ' {
            assert!(line.starts_with(starts), "wanted {starts}, got {line:?}");
            return;
        }
    }
}

pub async fn say<S: AsyncWrite + AsyncRead + Unpin>(stream: &mut BufReader<S>, text: &str) {
    stream.get_mut().write_all(text.as_bytes()).await.unwrap();
    stream.get_mut().flush().await.unwrap();
}

/// Begins a message in a session that was greeted: what is said next is its text.
pub async fn begin_message(client: &mut BufReader<TcpStream>) {
    say(
        client,
        "HELO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@decoys.example>\r\nDATA\r\n",
    )
    .await;
    for code in ["250 ", "250 2.1.0", "250 2.1.5", "354 "] {
        expect(client, code).await;
    }
}

pub fn mail(to: &[&str], subject: &str) -> Message {
    let to = to
        .iter()
        .fold(Message::builder(), |mail, to| mail.to(to.parse().unwrap()));
    to.from("名簿屋 <list@broker.example>".parse().unwrap())
        .subject(subject)
        .message_id(None)
        .body("Dear customer".to_owned())
        .unwrap()
}

fn client(receiver: &Receiver) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(receiver.smtp.port())
        .build()
}

#[tokio::test]
async fn a_mail_names_its_source_and_raises_an_incident() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let to = [
        KEISUKE.mail,
        "HANA88@decoys.example",
        JIRO.mail,
        "nobody@decoys.example",
    ];
    client(&receiver)
        .send(mail(&to, "特別なご案内"))
        .await
        .unwrap();
    otori.settled().await;
    receiver.stop().await;

    let shown = otori.json(&["sightings"]);
    let rows = shown["sightings"].as_array().unwrap();
    // Every recipient is credited, and who fits nobody is kept as noise.
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["source"].as_str(),
                row["canary"].as_str(),
                row["kind"].as_str().unwrap(),
            )
        })
        .collect();
    found.sort();
    let mut wanted = vec![
        (None, None, "noise"),
        (Some("school"), Some(school[0].id.as_str()), "alarm"),
        (Some("school"), Some(school[1].id.as_str()), "alarm"),
        (Some("shop"), Some(shop[0].id.as_str()), "alarm"),
    ];
    wanted.sort();
    assert_eq!(found, wanted);
    let alarm = rows.iter().find(|row| row["source"] == "shop").unwrap();
    assert_eq!(alarm["channel"], "mail");
    assert_eq!(alarm["batch"], shop[0].batch.to_string());
    assert_eq!(alarm["from"], "list@broker.example");
    assert_eq!(
        alarm["summary"],
        "特別なご案内 (From: 名簿屋 <list@broker.example>)"
    );
    let incidents = otori.json(&["incidents"]);
    let incidents = incidents["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 2);
    let of_school = incidents
        .iter()
        .find(|incident| incident["source"] == "school")
        .unwrap();
    assert_eq!(
        (
            of_school["sightings"].as_u64(),
            of_school["canaries"].as_u64()
        ),
        (Some(2), Some(2))
    );
    let only = otori.json(&["sightings", "--source", "shop"]);
    assert_eq!(only["sightings"].as_array().unwrap().len(), 1);
    let none = otori.json(&["sightings", "--since", "2100-01-01"]);
    assert_eq!(none["sightings"].as_array().unwrap().len(), 0);
    let words = otori.command(&["sightings"]).output().unwrap();
    assert!(
        String::from_utf8(words.stdout)
            .unwrap()
            .contains(school[0].id.as_str())
    );
}

#[tokio::test]
async fn the_same_mail_twice_counts_once_and_without_an_id_twice() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&otori.config()).await;
    let same = mail(&[KEISUKE.mail], "once");
    client(&receiver).send(same.clone()).await.unwrap();
    client(&receiver).send(same).await.unwrap();
    for _ in 0..2 {
        let envelope =
            lettre::address::Envelope::new(None, vec![KEISUKE.mail.parse().unwrap()]).unwrap();
        client(&receiver)
            .send_raw(&envelope, b"Subject: each\r\n\r\nx\r\n")
            .await
            .unwrap();
    }
    otori.settled().await;
    receiver.stop().await;
    let sightings = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    let mut found: Vec<_> = sightings
        .iter()
        .map(|s| {
            (
                s.actor.summary.as_str().chars().take(4).collect::<String>(),
                s.repeats,
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("each".to_owned(), 0),
            ("each".to_owned(), 0),
            ("once".to_owned(), 1)
        ]
    );
    assert!(
        sightings
            .iter()
            .all(|s| s.channel == Channel::Mail && s.kind == SightingKind::Alarm)
    );
}

#[tokio::test]
async fn a_domain_added_while_it_runs_is_received_for() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    // A new domain has no canary's mailbox yet, but this one.
    let later = ["postmaster@later.example"];
    let refused = client(&receiver).send(mail(&later, "x")).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    let point = (
        ContactPoint::MailDomain("later.example".parse().unwrap()),
        None,
    );
    otori
        .registry
        .add_contact_points(&[point], PLANTED)
        .await
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while client(&receiver).send(mail(&later, "x")).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "never received for");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    receiver.stop().await;
}

#[tokio::test]
async fn a_client_has_its_share_of_connections_and_no_more() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        limits: Limits {
            connections_per_address: 2,
            ..Limits::default()
        },
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let mut first = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut first, "220 ").await;
    let mut second = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut second, "220 ").await;
    let mut third = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut third, "421 4.7.0").await;
    say(&mut first, "QUIT\r\n").await;
    expect(&mut first, "221 ").await;
    let mut rest = String::new();
    first.read_to_string(&mut rest).await.unwrap();
    // The seat is given back when the session has ended, which the client cannot see to the moment.
    loop {
        let mut next = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
        let mut line = String::new();
        next.read_line(&mut line).await.unwrap();
        if line.starts_with("220 ") {
            break;
        }
    }
    receiver.stop().await;
}

#[tokio::test]
async fn stopping_lets_a_message_end_and_tells_the_idle() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let mut idle = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut idle, "220 ").await;
    let mut busy = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut busy, "220 ").await;
    begin_message(&mut busy).await;
    let stopping = tokio::spawn(receiver.stop());
    expect(&mut idle, "421 4.3.2").await;
    say(&mut busy, "text\r\n.\r\n").await;
    expect(&mut busy, "250 2.0.0 Ok: queued").await;
    expect(&mut busy, "421 4.3.2").await;
    stopping.await.unwrap();
    assert_eq!(
        otori.registry.message(1).await.unwrap().unwrap().raw,
        b"text\r\n"
    );
}

#[tokio::test]
async fn the_silent_are_sent_away() {
    let otori = Otori::new().await;
    let limits = Limits {
        command_seconds: 1,
        data_seconds: 1,
        ..Limits::default()
    };
    let config = ReceiveConfig {
        limits,
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let mut idle = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut idle, "220 ").await;
    let mut stuck = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    let half = "HELO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@decoys.example>\r\nDATA\r\nhalf";
    say(&mut stuck, half).await;
    for code in ["220 ", "250 ", "250 2.1.0", "250 2.1.5", "354 "] {
        expect(&mut stuck, code).await;
    }
    for mut client in [idle, stuck] {
        expect(&mut client, "421 4.4.2").await;
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "");
    }
    receiver.stop().await;
    assert!(otori.registry.message(1).await.unwrap().is_none());
}
