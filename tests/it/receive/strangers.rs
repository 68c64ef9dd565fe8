//! Whatever a stranger sends, the session answers or closes, and stores what it has acknowledged.

use std::sync::Arc;

use otori::receive::smtp::{self, Context, Recipients};
use otori::receive::{Intake, Limits, ReceiveConfig};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::harness::{DOMAIN, Otori};

/// Pieces of sessions, and noise, in any order.
fn session() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "EHLO c.example\r\n",
        "HELO c\r\n",
        "MAIL FROM:<>\r\n",
        "MAIL FROM:<a@b.example> SIZE=10\r\n",
        "RCPT TO:<x@decoys.example>\r\n",
        "RCPT TO:<y@decoys.example>\r\n",
        "RCPT TO:<x@else.example>\r\n",
        "DATA\r\n",
        "DATA\r\ntext\r\n.\r\n",
        "Message-ID: <1@b.example>\r\n\r\n",
        ".\r\n",
        "..\r\n",
        ".\n",
        "\r\n",
        "\n",
        "\r",
        "RSET\r\n",
        "NOOP\r\n",
        "STARTTLS\r\n",
        "BDAT 5 LAST\r\n",
        "BDAT 4\r\ntext",
        "BDAT 0 LAST\r\n",
        "QUIT\r\n",
    ]);
    let piece = prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (1usize..3000).prop_map(|length| vec![b'x'; length]),
    ];
    let pieces = prop::collection::vec(piece, 0..25);
    // Most begin as a mail does, or few would get as far.
    (any::<bool>(), pieces).prop_map(|(begun, pieces)| {
        let start = "HELO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@decoys.example>\r\nDATA\r\n";
        let start = if begun { start.as_bytes() } else { b"" };
        [start, &pieces.concat()].concat()
    })
}

/// What the server answers, the names of queued messages left out, and how many it queued.
async fn answers(context: &Context, bytes: &[u8], piece: usize) -> (String, usize) {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let talk = async {
        for piece in bytes.chunks(piece) {
            if client.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = client.shutdown().await;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        String::from_utf8(said).unwrap()
    };
    let peer = "192.0.2.1".parse().unwrap();
    let (_, said) = tokio::join!(smtp::serve(server, peer, context), talk);
    let queued = said.matches("queued as").count();
    let said = said
        .lines()
        .map(|line| line.split("queued as").next().unwrap());
    (said.collect::<Vec<_>>().join("\n"), queued)
}

#[test]
fn any_session_is_answered_alike_in_any_pieces_and_keeps_its_word() {
    let runtime = Runtime::new().unwrap();
    let (otori, context) = runtime.block_on(async {
        let otori = Otori::new().await;
        let domain = DOMAIN.parse().unwrap();
        let recipients = Recipients::new(otori.registry.clone(), &[domain]);
        recipients.refresh().await;
        let (intake, _) = Intake::start(otori.registry.clone(), Arc::new(Notify::new()));
        let limits = Limits {
            message_bytes: 5000,
            errors: 8,
            ..Limits::default()
        };
        let config = ReceiveConfig {
            hostname: Some("mx1.decoys.example".to_owned()),
            limits,
            ..ReceiveConfig::default()
        };
        let context = Context::new(&config, None, recipients, intake);
        (otori, context)
    });
    let stored = || {
        let messages = runtime.block_on(otori.registry.unsettled(100_000)).unwrap();
        for message in &messages {
            let ours = |to: &String| to.ends_with("@decoys.example");
            assert!(!message.recipients.is_empty() && message.recipients.iter().all(ours));
            assert!(message.raw.len() <= 5000);
        }
        messages.len()
    };
    let mut config = Config::with_cases(200);
    config.failure_persistence = None;
    let with_id = |bytes: &[u8]| {
        bytes
            .windows(10)
            .any(|w| w.eq_ignore_ascii_case(b"message-id"))
    };
    TestRunner::new(config)
        .run(&(session(), 1usize..50), |(bytes, piece)| {
            let before = stored();
            let (said, queued) = runtime.block_on(answers(&context, &bytes, usize::MAX));
            let after = stored();
            if with_id(&bytes) {
                prop_assert!(after - before <= queued);
            } else {
                prop_assert_eq!(after - before, queued);
            }
            for line in said.lines() {
                prop_assert!(
                    line.as_bytes()[..3].iter().all(u8::is_ascii_digit),
                    "{}",
                    line
                );
            }
            let (again, _) = runtime.block_on(answers(&context, &bytes, piece));
            prop_assert_eq!(said, again);
            Ok(())
        })
        .unwrap();
    assert!(stored() > 20, "no message got through: {}", stored());
}
