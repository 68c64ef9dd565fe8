//! Mailboxes that are there and those that are not, and checks of recipients without a message.

use otori::canary::{Channel, Sighting, SightingKind};
use otori::receive::{Limits, ReceiveConfig};
use otori::registry::SightingFilter;
use sqlx::Connection;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::TcpStream;

use super::crash::Server;
use super::mail::{expect, say};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, Receiver};
use crate::servers;

/// As it is by default, behind a balancer that says where clients come from.
pub(super) fn config(otori: &Otori) -> ReceiveConfig {
    ReceiveConfig {
        catch_all: Vec::new(),
        proxies: vec!["127.0.0.1".parse().unwrap()],
        ..otori.config()
    }
}

/// A session from `peer` that has said MAIL and RCPT for each; the answers must begin so.
pub(super) async fn asked(
    receiver: &Receiver,
    peer: &str,
    recipients: &[(&str, &str)],
) -> BufReader<TcpStream> {
    let mut client = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    let proxy = format!("PROXY TCP4 {peer} 198.51.100.1 4000 25\r\n");
    say(&mut client, &proxy).await;
    expect(&mut client, "220 ").await;
    say(&mut client, "EHLO wash.broker.example\r\n").await;
    expect(&mut client, "250 ").await;
    say(&mut client, "MAIL FROM:<wash@broker.example>\r\n").await;
    expect(&mut client, "250 ").await;
    for (recipient, answer) in recipients {
        say(&mut client, &format!("RCPT TO:<{recipient}>\r\n")).await;
        expect(&mut client, answer).await;
    }
    client
}

pub(super) async fn quit(mut client: BufReader<TcpStream>) {
    say(&mut client, "QUIT\r\n").await;
    expect(&mut client, "221 ").await;
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
}

pub(super) async fn sightings(otori: &Otori) -> Vec<Sighting> {
    let mut all = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    all.sort_by_key(|sighting| sighting.id);
    all
}

#[tokio::test]
async fn a_domain_has_its_canaries_mailboxes_and_no_others() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let upper = KEISUKE.mail.to_uppercase();
    let unknown = "550 5.1.1 <nobody@decoys.example>: Recipient address rejected: User unknown";
    let recipients = [
        (KEISUKE.mail, "250 2.1.5"),
        (upper.as_str(), "250 2.1.5"),
        ("nobody@decoys.example", unknown),
        ("nobody@decoys.example", unknown),
        ("Postmaster@decoys.example", "250 2.1.5"),
        ("abuse@decoys.example", "250 2.1.5"),
        (JIRO.mail, "550 5.1.1"),
        ("x@else.example", "554 5.7.1"),
    ];
    quit(asked(&receiver, "192.0.2.1", &recipients).await).await;
    // Planted a moment ago, and written to at once.
    otori.plant("shop", &[JIRO]).await;
    quit(asked(&receiver, "192.0.2.1", &[(JIRO.mail, "250 ")]).await).await;
    receiver.stop().await;
}

/// Whoever asks by VRFY washes a list as well.
#[tokio::test]
async fn an_address_that_is_verified_is_checked() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let mut client = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    say(&mut client, "PROXY TCP4 192.0.2.7 198.51.100.1 4000 25\r\n").await;
    expect(&mut client, "220 ").await;
    say(&mut client, "EHLO wash.broker.example\r\n").await;
    expect(&mut client, "250 ").await;
    for (asked, answer) in [
        (format!("VRFY {}", KEISUKE.mail), "252 2.0.0"),
        (format!("VRFY <{}>", KEISUKE.mail), "252 2.0.0"),
        ("VRFY nobody@decoys.example".to_owned(), "550 5.1.1"),
        ("VRFY x@else.example".to_owned(), "554 5.7.1"),
        ("VRFY root".to_owned(), "501 5.1.3"),
    ] {
        say(&mut client, &format!("{asked}\r\n")).await;
        expect(&mut client, answer).await;
    }
    quit(client).await;
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].canary.as_ref(), Some(&school[0].id));
    assert_eq!(found[0].kind, SightingKind::Probe);
}

async fn several_checked(registry: &str) {
    let otori = Otori::on(registry).await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    otori.plant("shop", &[JIRO]).await;
    let receiver = otori.receive(&config(&otori)).await;
    // Each way for a session to end: QUIT, RSET and QUIT, and going without a word. Again within the
    // hour, from the same network, it is the same check.
    let ours = [
        (KEISUKE.mail, "250 "),
        ("postmaster@decoys.example", "250 "),
    ];
    quit(asked(&receiver, "192.0.2.7", &ours).await).await;
    let mut reset = asked(&receiver, "192.0.2.8", &ours).await;
    say(&mut reset, "RSET\r\n").await;
    expect(&mut reset, "250 ").await;
    quit(reset).await;
    drop(asked(&receiver, "192.0.2.9", &ours).await);
    // Somebody else, who has only the one.
    quit(asked(&receiver, "198.51.100.7", &[(HANAKO.mail, "250 ")]).await).await;
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].canary.as_ref(), Some(&school[0].id));
    assert_eq!(found[0].source.as_ref().unwrap().as_str(), "school");
    for (sighting, repeats) in found.iter().zip([2, 0]) {
        assert_eq!(sighting.kind, SightingKind::Probe);
        assert_eq!(sighting.channel, Channel::Mail);
        assert_eq!((sighting.incident, sighting.repeats), (None, repeats));
        assert_eq!(sighting.actor.from, "wash@broker.example");
        let summary = &sighting.actor.summary;
        assert!(summary.contains("(wash.broker.example)"), "{summary}");
    }
    assert_eq!(otori.registry.alerts_waiting().await.unwrap(), 0);

    // Another canary, of another source, by the network that had checked one: both are alarms now.
    let receiver = otori.receive(&config(&otori)).await;
    quit(asked(&receiver, "192.0.2.200", &[(JIRO.mail, "250 ")]).await).await;
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    assert_eq!(found.len(), 3);
    let joined: Vec<_> = found.iter().map(|s| s.incident.is_some()).collect();
    assert_eq!(joined, [true, false, true], "{found:?}");
    let incidents = otori.registry.incidents().await.unwrap();
    let mut sources: Vec<&str> = incidents.iter().map(|i| i.source.as_str()).collect();
    sources.sort_unstable();
    assert_eq!(sources, ["school", "shop"]);
    assert_eq!(otori.registry.alerts_waiting().await.unwrap(), 2);
    let shown = otori.json(&["sightings", "--source", "shop"]);
    assert_eq!(shown["sightings"][0]["kind"], "probe");
    assert!(shown["sightings"][0]["incident"].is_number());
    let verified = otori.command(&["evidence", "verify"]).output().unwrap();
    let told = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{told}");
}

#[tokio::test]
async fn several_canaries_checked_from_one_network_are_an_alarm() {
    several_checked("sqlite:registry.db").await;
}

#[tokio::test]
async fn several_canaries_checked_are_an_alarm_on_postgres() {
    several_checked(&servers::postgres().await).await;
}

#[tokio::test]
async fn a_check_that_a_message_follows_is_none() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let both = [(KEISUKE.mail, "250 "), (HANAKO.mail, "250 ")];
    let mut client = asked(&receiver, "192.0.2.7", &both).await;
    say(&mut client, "RSET\r\nMAIL FROM:<a@broker.example>\r\n").await;
    expect(&mut client, "250 ").await;
    expect(&mut client, "250 ").await;
    for (recipient, _) in both {
        say(&mut client, &format!("RCPT TO:<{recipient}>\r\n")).await;
        expect(&mut client, "250 ").await;
    }
    say(&mut client, "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n").await;
    expect(&mut client, "354 ").await;
    expect(&mut client, "250 ").await;
    // And once more, with nothing behind it: the message has said it already.
    say(&mut client, "MAIL FROM:<>\r\n").await;
    expect(&mut client, "250 ").await;
    say(&mut client, &format!("RCPT TO:<{}>\r\n", KEISUKE.mail)).await;
    expect(&mut client, "250 ").await;
    quit(client).await;
    receiver.stop().await;
    otori.settled().await;
    let kinds: Vec<_> = sightings(&otori).await.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [SightingKind::Alarm, SightingKind::Alarm]);
}

#[tokio::test]
async fn a_message_that_breaks_off_was_a_check() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&config(&otori)).await;
    let mut client = asked(&receiver, "192.0.2.7", &[(KEISUKE.mail, "250 ")]).await;
    say(&mut client, "DATA\r\nhalf").await;
    expect(&mut client, "354 ").await;
    drop(client);
    // The server sees the end of the stream when it does.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while sightings(&otori).await.is_empty() {
        assert!(std::time::Instant::now() < deadline, "no sighting");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    receiver.stop().await;
    let kinds: Vec<_> = sightings(&otori).await.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [SightingKind::Probe]);
}

/// What a client says in a row, each with the answer that it must get.
async fn said(client: &mut BufReader<TcpStream>, lines: &[(&str, &str)]) {
    for (line, answer) in lines {
        say(client, &format!("{line}\r\n")).await;
        expect(client, answer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_answered_has_asked_though_the_receiver_is_killed() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    otori.plant("shop", &[JIRO]).await;
    let server = Server::start(&otori);
    let begin = async |from: &str| {
        let mut client = BufReader::new(TcpStream::connect(server.smtp).await.unwrap());
        expect(&mut client, "220 ").await;
        let from = format!("MAIL FROM:<{from}>");
        said(
            &mut client,
            &[("EHLO wash.example", "250"), (&from, "250 ")],
        )
        .await;
        client
    };
    let ask = |who: &str| format!("RCPT TO:<{who}>");
    // One has its mail; one begins a second; one only asks, and one of two is nobody's.
    let mut sender = begin("list@broker.example").await;
    let mail = "Message-ID: <1@broker.example>\r\nSubject: mail\r\n\r\nbuy\r\n.";
    said(
        &mut sender,
        &[
            (&ask(HANAKO.mail), "250 "),
            ("DATA", "354 "),
            (mail, "250 "),
        ],
    )
    .await;
    let mut washer = begin("wash@broker.example").await;
    let nobody = ask("nobody@decoys.example");
    said(
        &mut washer,
        &[(&ask(KEISUKE.mail), "250 "), (&nobody, "250 ")],
    )
    .await;
    // The receiver was killed, and not the client silent.
    let mut inside = begin("late@broker.example").await;
    said(&mut inside, &[(&ask(JIRO.mail), "250 "), ("DATA", "354 ")]).await;
    server.kill();
    let kept = || {
        let all = std::fs::read_dir(otori.dir().join("probes")).unwrap();
        all.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let text = std::fs::read_to_string(&kept()[0]).unwrap();
    assert!(
        text.starts_with("+1 ") && !text.contains("decoys"),
        "{text}"
    );

    // Twice, since a second start must find nothing more.
    for _ in 0..2 {
        let server = Server::start(&otori);
        for _ in 0..200 {
            if otori.json(&["sightings"])["sightings"]
                .as_array()
                .unwrap()
                .len()
                >= 2
            {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        otori.settled().await;
        assert!(server.terminate().success());
        let found = sightings(&otori).await;
        let mut shown: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.actor.from.as_str(),
                    one.kind == SightingKind::Probe,
                    one.repeats,
                )
            })
            .collect();
        shown.sort();
        let wanted = [
            ("list@broker.example", false, 0),
            ("wash@broker.example", true, 0),
        ];
        assert_eq!(shown, wanted);
        assert_eq!(kept(), Vec::<std::path::PathBuf>::new());
    }
}

#[tokio::test]
async fn checks_of_whoever_guesses_names_accuse_nobody_and_hide_nobody_else() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let receiver = otori.receive(&config(&otori)).await;
    for session in 0..3 {
        let names: Vec<String> = (0..8)
            .map(|name| format!("name{session}{name}@decoys.example"))
            .collect();
        let asks: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "550 5.1.1")).collect();
        quit(asked(&receiver, &format!("192.0.2.{session}"), &asks).await).await;
    }
    // Two canaries asked for from one network would be an alarm.
    let both = [(KEISUKE.mail, "250 "), (HANAKO.mail, "250 ")];
    quit(asked(&receiver, "192.0.2.7", &both).await).await;
    for (peer, recipient, text) in [
        ("192.0.2.8", HANAKO.mail, "to hana88"),
        ("192.0.2.8", HANAKO.mail, "あおき　はなこ様"),
        ("203.0.113.5", JIRO.mail, "x"),
    ] {
        let mut client = asked(&receiver, peer, &[(recipient, "250 ")]).await;
        say(
            &mut client,
            &format!("DATA\r\nSubject: x\r\n\r\n{text}\r\n.\r\n"),
        )
        .await;
        expect(&mut client, "354 ").await;
        expect(&mut client, "250 ").await;
        quit(client).await;
    }
    receiver.stop().await;
    otori.settled().await;
    let mut found: Vec<_> = sightings(&otori)
        .await
        .into_iter()
        .map(|one| (one.kind, one.incident, one.actor.summary))
        .collect();
    found.sort_by(|a, b| (a.0.name(), &a.2).cmp(&(b.0.name(), &b.2)));
    let checks = "recipient check by 192.0.2.7 (wash.broker.example), no message; it guesses, and asked for 24 in vain";
    let noise = |summary: &str| (SightingKind::Noise, None, summary.to_owned());
    // Nobody guesses what a canary is called.
    let guessing = "x; its network guesses, and asked for 24 in vain";
    assert_eq!(
        found,
        [
            (SightingKind::Alarm, Some(1), "x".to_owned()),
            (SightingKind::Alarm, Some(1), guessing.to_owned()),
            noise(checks),
            noise(checks),
            noise(guessing),
        ]
    );
}

#[tokio::test]
async fn past_the_room_for_checks_a_recipient_is_put_off_and_none_is_forgotten() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let limits = Limits {
        checks: 3,
        checks_per_network: 2,
        ..Limits::default()
    };
    let receiver = otori
        .receive(&ReceiveConfig {
            limits,
            ..config(&otori)
        })
        .await;
    let full = "452 4.3.1 Insufficient system storage";
    let asks = [
        (KEISUKE.mail, "250 "),
        (HANAKO.mail, "250 "),
        // It has its place.
        (KEISUKE.mail, "250 "),
        (JIRO.mail, "452 4.5.3 Error: too many recipients"),
    ];
    let mut first = asked(&receiver, "192.0.2.7", &asks).await;
    // Others of its network have none, and another network has what is left.
    let neighbour = [(JIRO.mail, full)];
    quit(asked(&receiver, "192.0.2.8", &neighbour).await).await;
    let other = asked(&receiver, "198.51.100.7", &[(JIRO.mail, "250 ")]).await;
    quit(asked(&receiver, "203.0.113.7", &[(JIRO.mail, full)]).await).await;
    // A message gives the places back.
    say(&mut first, "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n").await;
    expect(&mut first, "354 ").await;
    expect(&mut first, "250 ").await;
    quit(first).await;
    quit(asked(&receiver, "203.0.113.7", &[(HANAKO.mail, "250 ")]).await).await;
    quit(other).await;
    receiver.stop().await;
    otori.settled().await;
    let found = sightings(&otori).await;
    let kinds: Vec<_> = found.iter().map(|one| one.kind).collect();
    let (alarm, probe) = (SightingKind::Alarm, SightingKind::Probe);
    assert_eq!(kinds, [alarm, alarm, probe, probe], "{found:?}");
}

/// How many checks waited at most for a registry that was away, before they were thrown away.
const ONCE_TOO_MANY: u32 = 1100;

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_wait_for_the_registry_are_all_stored_in_the_end() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&config(&otori)).await;
    quit(asked(&receiver, "192.0.2.7", &[(KEISUKE.mail, "250 ")]).await).await;
    let path = otori.dir().join("registry.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut busy = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query("begin immediate")
        .execute(&mut busy)
        .await
        .unwrap();
    for number in 0..ONCE_TOO_MANY {
        let peer = std::net::Ipv4Addr::from_bits((10 << 24) + (number << 8)).to_string();
        quit(asked(&receiver, &peer, &[(KEISUKE.mail, "250 ")]).await).await;
    }
    sqlx::query("rollback").execute(&mut busy).await.unwrap();
    receiver.stop().await;
    otori.settled().await;
    assert_eq!(sightings(&otori).await.len() as u32, ONCE_TOO_MANY + 1);
}
