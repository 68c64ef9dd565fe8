//! The numbers for Prometheus: right, cheap, and nobody's.

use super::crash::{SERVE, Server, send};
use super::web::Call;
use super::{HANAKO, KEISUKE};
use crate::harness::{DOMAIN, Otori};
use crate::servers;

/// The value of a line that begins so.
#[track_caller]
fn value(text: &str, line: &str) -> f64 {
    let found = text
        .lines()
        .find_map(|is| is.strip_prefix(line)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("{line} is not in {text}"));
    found.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_is_counted_and_nobody_is_named() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let catch_all = format!("catch_all = [\"{DOMAIN}\"]");
    std::fs::write(
        &path,
        text.replace(&catch_all, "limits.message_bytes = 2000"),
    )
    .unwrap();
    let server = Server::start(&otori);
    for number in [0, 1, 1] {
        assert!(send(server.smtp, number, "buy").unwrap().starts_with("250"));
    }
    let large = "too much\r\n".repeat(300);
    assert!(send(server.smtp, 3, &large).unwrap().starts_with("552"));
    let hook = Call::post("/hooks/phone", "{}").send(server.http).await;
    assert_eq!(hook.status, 403);
    assert_eq!(
        Call::get("/nothing/keisuke").send(server.http).await.status,
        404
    );
    // Whoever asked for a canary and sent what is too large has sent nothing: that is a check.
    for _ in 0..200 {
        let text = Call::get("/metrics").send(server.http).await.body;
        if value(&text, "otori_probes_total") > 0.0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    otori.settled().await;
    // What was settled is counted behind its being settled.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;

    let answer = Call::get("/metrics").send(server.http).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.headers.contains("application/openmetrics-text"),
        "{}",
        answer.headers
    );
    let text = answer.body;
    for (line, count) in [
        ("otori_connections_total{protocol=\"smtp\"}", 4.0),
        ("otori_open_connections{protocol=\"http\"}", 1.0),
        (
            "otori_messages_total{protocol=\"smtp\",answer=\"accepted\"}",
            3.0,
        ),
        (
            "otori_messages_total{protocol=\"smtp\",answer=\"too_large\"}",
            1.0,
        ),
        ("otori_probes_total", 1.0),
        ("otori_settled_total{channel=\"mail\",kind=\"probe\"}", 1.0),
        ("otori_stored_total{channel=\"mail\"}", 3.0),
        ("otori_repeats_total{channel=\"mail\"}", 1.0),
        ("otori_store_seconds_count", 3.0),
        ("otori_settled_total{channel=\"mail\",kind=\"alarm\"}", 2.0),
        (
            "otori_http_requests_total{route=\"/hooks/phone\",status=\"403\"}",
            1.0,
        ),
        ("otori_store_errors_total", 0.0),
        ("otori_unsettled_messages", 0.0),
        ("otori_alerts_waiting", 1.0),
        ("otori_alerts_dead", 0.0),
        ("otori_registry_readable", 1.0),
        ("otori_certificate_expires_timestamp_seconds", 0.0),
    ] {
        assert_eq!(value(&text, line), count, "{line}: {text}");
    }
    assert!(value(&text, "otori_stored_bytes_total{channel=\"mail\"}") > 50.0);
    for detail in [
        "school",
        "broker",
        "decoys.example",
        "keisuke",
        "C2",
        "127.0.0.1",
    ] {
        assert!(!text.contains(detail), "{detail}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine_or_for_whoever_has_the_token() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    // A proxy on this machine speaks for others.
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
        let call = Call::get("/metrics").header(name, "198.51.100.7");
        assert_eq!(call.send(receiver.http).await.status, 403, "{name}");
    }
    receiver.stop().await;

    otori.write_secret("keys/metrics.token", "a-token-of-some-length");
    let mut config = otori.config();
    config.metrics_token_file = Some("keys/metrics.token".into());
    let receiver = otori.receive(&config).await;
    let ask = async |header: Option<&str>| {
        let call = Call::get("/metrics").header("X-Forwarded-For", "198.51.100.7");
        let call = match header {
            Some(given) => call.header("Authorization", given),
            None => call,
        };
        call.send(receiver.http).await.status
    };
    assert_eq!(ask(None).await, 403);
    assert_eq!(ask(Some("Bearer another-token-of-length")).await, 403);
    assert_eq!(ask(Some("Basic a-token-of-some-length")).await, 403);
    assert_eq!(ask(Some("Bearer a-token-of-some-length")).await, 200);
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_s_end_is_told() {
    let otori = Otori::new().await;
    let mut command = otori.command(&SERVE);
    command.stderr(std::process::Stdio::null());
    super::starttls::certificate(otori.dir());
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap()
        + "\n[receive.tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n";
    std::fs::write(&path, text).unwrap();
    let server = Server::by(command);
    let text = Call::get("/metrics").send(server.http).await.body;
    let until = value(&text, "otori_certificate_expires_timestamp_seconds");
    let now = time::OffsetDateTime::now_utc().unix_timestamp() as f64;
    assert!(until > now, "{until}");
}

/// Both wake for what either has stored, and take the same messages: one of them settles each, and counts it.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_receivers_one_counts_what_is_settled() {
    let otori = Otori::on(&servers::postgres().await).await;
    otori.plant("school", &[KEISUKE]).await;
    let receivers = [Server::start(&otori), Server::start(&otori)];
    let clients = (0..8).map(|client| {
        let to = receivers[client % 2].smtp;
        std::thread::spawn(move || {
            for number in 0..25 {
                let answer = send(to, client * 25 + number, "buy").unwrap();
                assert!(answer.starts_with("250"), "{answer}");
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    clients.into_iter().for_each(|one| one.join().unwrap());
    otori.settled().await;
    // What was settled is counted behind its being settled.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let mut counted = 0.0;
    for receiver in &receivers {
        let text = Call::get("/metrics").send(receiver.http).await.body;
        let lines = text.lines();
        let settled = lines.filter(|line| line.starts_with("otori_settled_total{"));
        let counts = settled.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>());
        counted += counts.map(Result::unwrap).sum::<f64>();
    }
    assert_eq!(counted, 200.0);
}
