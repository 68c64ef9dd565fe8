//! SMTP sessions written down: `tests/fixtures/smtp/*.txt`.
//!
//! `C:` is a line that the client sends, with CR LF; `C+` a piece that it sends as it is. Both know
//! the escapes `\r`, `\n`, `\0` and `\\`. What stands without an answer between goes out in one piece.
//! `S:` is a line that the server answers, `*` standing for the rest of it; `S-` says that the server
//! closes. `=` is a message that must have been stored: sender, recipients, bytes, parted by ` | `.
//! `limits NAME=N…` sets limits, `closed registry` takes the registry away, `lmtp` speaks LMTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use otori::receive::smtp::{self, Context, Protocol, Recipients};
use otori::receive::{Intake, Limits, ReceiveConfig};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Notify;

use crate::harness::{DOMAIN, Otori};

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b'0') => 0,
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    bytes
}

fn escape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\\', "\\\\");
    text.replace('\r', "\\r")
        .replace('\n', "\\n")
        .replace('\0', "\\0")
}

fn set(limits: &mut Limits, setting: &str) {
    let (name, value) = setting.split_once('=').unwrap();
    let value: usize = value.parse().unwrap();
    match name {
        "message_bytes" => limits.message_bytes = value,
        "memory_bytes" => limits.memory_bytes = value,
        "recipients" => limits.recipients = value,
        "line_bytes" => limits.line_bytes = value,
        "errors" => limits.errors = u32::try_from(value).unwrap(),
        other => panic!("no limit named {other}"),
    }
}

/// Plays one transcript; the client's bytes go out in pieces of at most `piece`.
async fn play(path: &Path, piece: usize) {
    let script = std::fs::read_to_string(path).unwrap();
    let at = |number: usize| format!("{}:{} in pieces of {piece}", path.display(), number + 1);
    let otori = Otori::new().await;
    let mailbox = otori::canary::ContactPoint::Mailbox("box@mail.example".parse().unwrap());
    let points = [(mailbox, None)];
    otori
        .registry
        .add_contact_points(&points, crate::harness::PLANTED)
        .await
        .unwrap();

    let mut limits = Limits::default();
    let recipients = Recipients::new(otori.registry.clone(), &[DOMAIN.parse().unwrap()]);
    recipients.refresh().await;
    for line in script.lines() {
        if let Some(settings) = line.strip_prefix("limits ") {
            settings
                .split_whitespace()
                .for_each(|setting| set(&mut limits, setting));
        }
    }
    let (intake, writer) = Intake::start(otori.registry.clone(), Arc::new(Notify::new()));
    if script.lines().any(|line| line == "closed registry") {
        // The table is gone, as far as the receiver can see.
        let file = otori.dir().join("registry.db");
        let url = format!("sqlite:{}", file.display());
        let mut raw = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
            .await
            .unwrap();
        sqlx::query("alter table message rename to gone")
            .execute(&mut raw)
            .await
            .unwrap();
    }
    let config = ReceiveConfig {
        hostname: Some("mx1.decoys.example".to_owned()),
        limits,
        ..ReceiveConfig::default()
    };
    let context = Context::new(&config, None, recipients, intake);
    let lmtp = script.lines().any(|line| line == "lmtp");
    let protocol = if lmtp { Protocol::Lmtp } else { Protocol::Smtp };
    let (client, server) = tokio::io::duplex(1 << 16);
    let session = tokio::spawn(async move {
        let peer = "192.0.2.1".parse().unwrap();
        // The client may go without a word.
        let _ = smtp::talk(server, peer, protocol, &context).await;
    });
    let (reader, mut writer_half) = tokio::io::split(client);
    let mut reader = BufReader::new(reader);
    let mut pending = Vec::new();
    let mut stored = Vec::new();
    for (number, line) in script.lines().enumerate() {
        if let Some(message) = line.strip_prefix("= ") {
            stored.push(message.to_owned());
            continue;
        }
        let (kind, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match kind {
            "C:" => {
                pending.extend(unescape(rest));
                pending.extend(b"\r\n");
            }
            "C+" => pending.extend(unescape(rest)),
            "S:" | "S-" => {
                for bytes in pending.chunks(piece) {
                    // A server that has closed does not read.
                    let _ = writer_half.write_all(bytes).await;
                }
                pending.clear();
                let answer = async {
                    let mut answer = String::new();
                    reader.read_line(&mut answer).await.unwrap();
                    answer
                };
                let answer = tokio::time::timeout(Duration::from_secs(20), answer).await;
                let answer = answer.unwrap_or_else(|_| panic!("no answer at {}", at(number)));
                if kind == "S-" {
                    assert_eq!(answer, "", "{}", at(number));
                } else if let Some(start) = rest.strip_suffix('*') {
                    assert!(answer.starts_with(start), "{}: {answer}", at(number));
                } else {
                    assert_eq!(answer, format!("{rest}\r\n"), "{}", at(number));
                }
            }
            _ => assert!(
                line.is_empty()
                    || line.starts_with(['#'])
                    || line.starts_with("limits ")
                    || ["closed registry", "lmtp"].contains(&line),
                "{}: {line}",
                at(number)
            ),
        }
    }
    let _ = writer_half.write_all(&pending).await;
    writer_half.shutdown().await.unwrap();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "{}: said at the end", path.display());
    drop((reader, writer_half));
    session.await.unwrap();
    writer.await.unwrap();
    if script.lines().any(|line| line == "closed registry") {
        return;
    }
    let mut found = Vec::new();
    for message in otori.registry.unsettled(100).await.unwrap() {
        let envelope: serde_json::Value = serde_json::from_str(&message.envelope).unwrap();
        let from = envelope["from"].as_str().unwrap();
        let to = message.recipients.join(",");
        found.push(format!("{from} | {to} | {}", escape(&message.raw)));
    }
    assert_eq!(found, stored, "{}", path.display());
}

#[tokio::test]
async fn sessions_go_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/smtp");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for piece in [1, 7, usize::MAX] {
            play(&path, piece).await;
        }
        played += 1;
    }
    assert!(played >= 12, "{played} transcripts");
}
