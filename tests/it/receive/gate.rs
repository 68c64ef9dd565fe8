//! Who gets in: proxies and their clients, shares of the places, and those who hold one for nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use otori::receive::{Limits, ReceiveConfig};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::KEISUKE;
use super::mail::{begin_message, expect, say};
use crate::harness::{Otori, Receiver};

async fn connect(smtp: SocketAddr) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(smtp).await.unwrap())
}

/// The first answer of a session that a proxy opens for `peer`.
async fn through(receiver: &Receiver, peer: &str) -> (BufReader<TcpStream>, String) {
    let mut client = connect(receiver.smtp).await;
    let family = if peer.contains(':') {
        ("TCP6", "2001:db8::1")
    } else {
        ("TCP4", "192.0.2.1")
    };
    let header = format!("PROXY {} {peer} {} 4000 25\r\n", family.0, family.1);
    say(&mut client, &header).await;
    let mut line = String::new();
    client.read_line(&mut line).await.unwrap();
    (client, line[..4].to_owned())
}

/// Sends one message in a session that was greeted already.
async fn deliver(client: &mut BufReader<TcpStream>) {
    begin_message(client).await;
    say(client, "text\r\n.\r\n").await;
    expect(client, "250 2.0.0 Ok: queued").await;
}

#[tokio::test]
async fn a_proxy_says_who_its_client_is_and_nobody_else_does() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        proxies: vec!["127.0.0.0/8".parse().unwrap()],
        limits: Limits {
            connections_per_address: 1,
            connections_per_network: 2,
            ..Limits::default()
        },
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let (mut first, greeting) = through(&receiver, "192.0.2.7").await;
    assert_eq!(greeting, "220 ");
    deliver(&mut first).await;
    let message = otori.registry.message(1).await.unwrap().unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&message.envelope).unwrap();
    assert_eq!(envelope["peer"], "192.0.2.7");
    // One place for the address, two for its network, and others are not concerned.
    let (_again, greeting) = through(&receiver, "192.0.2.7").await;
    assert_eq!(greeting, "421 ");
    let (_second, greeting) = through(&receiver, "192.0.2.8").await;
    assert_eq!(greeting, "220 ");
    let (_third, greeting) = through(&receiver, "192.0.2.9").await;
    assert_eq!(greeting, "421 ");
    let (_six, greeting) = through(&receiver, "2001:db8::7").await;
    assert_eq!(greeting, "220 ");
    let (_line, greeting) = through(&receiver, "2001:db8::8").await;
    assert_eq!(greeting, "421 ");
    // A proxy that says nothing of the kind is not served, and learns nothing.
    let mut mute = connect(receiver.smtp).await;
    say(&mut mute, "EHLO client.example\r\n").await;
    let mut said = Vec::new();
    let _ = mute.read_to_end(&mut said).await;
    assert_eq!(said, b"");
    receiver.stop().await;

    let receiver = otori.receive(&otori.config()).await;
    let mut liar = connect(receiver.smtp).await;
    expect(&mut liar, "220 ").await;
    say(&mut liar, "PROXY TCP4 192.0.2.7 192.0.2.1 4000 25\r\n").await;
    expect(&mut liar, "500 5.5.2").await;
    receiver.stop().await;
}

#[tokio::test]
async fn hundreds_who_hold_places_keep_nobody_out() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(connect(receiver.smtp).await);
    }
    for _ in 0..100 {
        let mut stuck = connect(receiver.smtp).await;
        let half = "HELO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@decoys.example>\r\nDATA\r\nhalf";
        say(&mut stuck, half).await;
        held.push(stuck);
    }
    for stuck in &mut held[200..] {
        for code in ["220 ", "250 ", "250 2.1.0", "250 2.1.5", "354 "] {
            expect(stuck, code).await;
        }
    }
    let began = Instant::now();
    let mut client = connect(receiver.smtp).await;
    expect(&mut client, "220 ").await;
    deliver(&mut client).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    drop(held);
    receiver.stop().await;
}

#[tokio::test]
async fn where_there_is_no_room_the_silent_give_way() {
    let otori = Otori::new().await;
    let limits = Limits {
        connections: 10,
        ..Limits::default()
    };
    let config = ReceiveConfig {
        limits,
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut silent = connect(receiver.smtp).await;
        expect(&mut silent, "220 ").await;
        held.push(silent);
    }
    expect(&mut connect(receiver.smtp).await, "421 4.7.0").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    // Whoever speaks stays.
    say(&mut held[0], "NOOP\r\n").await;
    expect(&mut held[0], "250 ").await;
    let mut client = connect(receiver.smtp).await;
    expect(&mut client, "220 ").await;
    deliver(&mut client).await;
    say(&mut held[0], "NOOP\r\n").await;
    expect(&mut held[0], "250 ").await;
    receiver.stop().await;
}

#[tokio::test]
async fn a_message_drop_by_drop_is_cut_off() {
    let otori = Otori::new().await;
    let limits = Limits {
        data_seconds: 1,
        ..Limits::default()
    };
    let config = ReceiveConfig {
        limits,
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let mut slow = connect(receiver.smtp).await;
    expect(&mut slow, "220 ").await;
    begin_message(&mut slow).await;
    let (read, mut write) = slow.into_inner().into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut read = BufReader::new(read);
    let told = tokio::time::timeout(Duration::from_secs(10), expect(&mut read, "421 4.4.2"));
    told.await.expect("it may drip for ever");
    dripping.abort();
    receiver.stop().await;
}

#[tokio::test]
async fn ten_thousand_recipients_are_put_off_beyond_the_limit() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&otori.config()).await;
    let mut client = connect(receiver.smtp).await;
    expect(&mut client, "220 ").await;
    let mut flood = format!(
        "HELO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<{}>\r\n",
        KEISUKE.mail
    );
    for number in 1..10_000 {
        flood += &format!("RCPT TO:<c{number}@decoys.example>\r\n");
    }
    let (read, mut write) = client.into_inner().into_split();
    let mut read = BufReader::new(read);
    let writing = tokio::spawn(async move {
        write.write_all(flood.as_bytes()).await.unwrap();
        write
    });
    expect(&mut read, "250 ").await;
    expect(&mut read, "250 2.1.0").await;
    for number in 0..10_000 {
        let answer = if number < 100 {
            "250 2.1.5"
        } else {
            "452 4.5.3"
        };
        expect(&mut read, answer).await;
    }
    let mut write = writing.await.unwrap();
    write.write_all(b"DATA\r\ntext\r\n.\r\n").await.unwrap();
    expect(&mut read, "354 ").await;
    expect(&mut read, "250 2.0.0").await;
    receiver.stop().await;
    let message = otori.registry.message(1).await.unwrap().unwrap();
    assert_eq!(message.recipients.len(), 100);
    assert_eq!(message.recipients[0], KEISUKE.mail);
}

#[tokio::test]
async fn the_face_of_the_server_is_the_operators() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        hostname: Some("mail.shop.example".to_owned()),
        banner: "ESMTP ready".to_owned(),
        answer_delay_ms: 300,
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let began = Instant::now();
    let mut client = connect(receiver.smtp).await;
    expect(&mut client, "220 mail.shop.example ESMTP ready").await;
    assert!(began.elapsed() >= Duration::from_millis(300));
    let commands =
        "EHLO c\r\nHELP\r\nVRFY root\r\nNOOP\r\nRCPT TO:<a@b.example>\r\nFOO\r\nQUIT\r\n";
    say(&mut client, commands).await;
    let mut all = String::new();
    client.read_to_string(&mut all).await.unwrap();
    assert!(all.contains("221 2.0.0 Bye"), "{all}");
    assert!(!all.to_ascii_lowercase().contains("otori"), "{all}");
    receiver.stop().await;
}

#[tokio::test]
async fn a_mail_server_in_front_hands_on_by_lmtp() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let mut server = otori
        .command(&[
            "--json",
            "serve",
            "--smtp",
            "127.0.0.1:0",
            "--lmtp",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = server.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let bound: serde_json::Value = serde_json::from_str(&line).unwrap();
    let sent = std::process::Command::new("swaks")
        .args(["--protocol", "LMTP", "--server"])
        .arg(bound["lmtp"].as_str().unwrap())
        .args(["--from", "a@broker.example", "--to", KEISUKE.mail])
        .output();
    otori.settled().await;
    server.kill().unwrap();
    server.wait().unwrap();
    let sent = sent.unwrap();
    let told = String::from_utf8_lossy(&sent.stdout);
    assert!(sent.status.success(), "{told}");
    let shown = otori.json(&["sightings"]);
    assert_eq!(shown["sightings"][0]["kind"], "alarm");
}
