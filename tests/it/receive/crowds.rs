//! Honest senders among those who guess names, and among those who ask until there is no room.

use otori::canary::SightingKind;
use otori::receive::{AuthConfig, ExpectedConfig, Limits, ReceiveConfig};

use super::mail::{expect, say};
use super::names::name_server;
use super::probe::{asked, config, quit, sightings};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::Otori;

/// A shared sending service writes for the source, and for a spammer who tries names.
#[tokio::test]
async fn expected_mail_is_expected_though_its_network_guesses_names() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let names = name_server(&[("school.example", "v=spf1 ip4:192.0.2.0/24 -all")]).await;
    let receiver = otori
        .receive(&ReceiveConfig {
            auth: AuthConfig {
                resolvers: vec![names],
                ..AuthConfig::default()
            },
            expected: vec![ExpectedConfig {
                source: "school".parse().unwrap(),
                domains: vec!["school.example".parse().unwrap()],
            }],
            ..config(&otori)
        })
        .await;
    for session in 0..3 {
        let names: Vec<String> = (0..8)
            .map(|name| format!("name{session}{name}@decoys.example"))
            .collect();
        let asks: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "550 5.1.1")).collect();
        quit(asked(&receiver, "192.0.2.9", &asks).await).await;
    }
    for from in ["info@school.example", "sale@broker.example"] {
        let mut client = asked(&receiver, "192.0.2.7", &[]).await;
        let mail = format!("From: <{from}>\r\nSubject: by {from}\r\n\r\nMonday.\r\n.");
        let lines = [
            ("RSET".to_owned(), "250 "),
            (format!("MAIL FROM:<{from}>"), "250 "),
            (format!("RCPT TO:<{}>", KEISUKE.mail), "250 "),
            ("DATA".to_owned(), "354 "),
            (mail, "250 "),
        ];
        for (line, answer) in lines {
            say(&mut client, &format!("{line}\r\n")).await;
            expect(&mut client, answer).await;
        }
        quit(client).await;
    }
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    let kind = |from: &str| {
        let mut of = found.iter().filter(|one| one.actor.from == from);
        of.next().map(|one| one.kind)
    };
    assert_eq!(
        kind("info@school.example"),
        Some(SightingKind::Expected),
        "{found:?}"
    );
    assert_eq!(kind("sale@broker.example"), Some(SightingKind::Noise));
    assert_eq!(found.len(), 2);
    for one in &found {
        let told = "its network guesses, and asked for 24 in vain";
        assert!(one.actor.summary.contains(told), "{}", one.actor.summary);
    }
}

#[tokio::test]
async fn where_five_networks_have_all_the_room_a_sixth_is_put_off_and_nothing_is_swallowed() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let limits = Limits {
        checks: 10,
        checks_per_network: 2,
        ..Limits::default()
    };
    let receiver = otori
        .receive(&ReceiveConfig {
            limits,
            ..config(&otori)
        })
        .await;
    let both = [(KEISUKE.mail, "250 "), (HANAKO.mail, "250 ")];
    let mut crowd = Vec::new();
    for network in 1..=5 {
        crowd.push(asked(&receiver, &format!("10.0.{network}.7"), &both).await);
    }
    // A mail server keeps its mail after such an answer, and comes again.
    let full = "452 4.3.1 Insufficient system storage";
    let sender = "198.51.100.7";
    let mut client = asked(&receiver, sender, &[(JIRO.mail, full)]).await;
    say(&mut client, "DATA\r\n").await;
    expect(&mut client, "554 5.5.1").await;
    quit(client).await;
    // What there is no mailbox for gets its answer at once: it takes no room.
    let nobody = [("nobody@decoys.example", "550 5.1.1")];
    quit(asked(&receiver, sender, &nobody).await).await;
    // One of the crowd goes. Its checks are stored, and give their places back.
    quit(crowd.remove(0)).await;
    let mut tries = 0;
    let mut client = loop {
        let mut client = asked(&receiver, sender, &[]).await;
        say(&mut client, &format!("RCPT TO:<{}>\r\n", JIRO.mail)).await;
        let mut answer = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut client, &mut answer)
            .await
            .unwrap();
        if answer.starts_with("250 ") {
            break client;
        }
        assert!(answer.starts_with(full) && tries < 200, "{answer}");
        tries += 1;
        quit(client).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    say(&mut client, "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n").await;
    expect(&mut client, "354 ").await;
    expect(&mut client, "250 ").await;
    quit(client).await;
    for client in crowd {
        quit(client).await;
    }
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    let count = |kind| found.iter().filter(|one| one.kind == kind).count();
    assert_eq!(count(SightingKind::Probe), 10, "{found:?}");
    assert_eq!(count(SightingKind::Alarm), 1);
    assert_eq!(found.len(), 11);
}
