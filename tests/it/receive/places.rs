//! Alerts to several places: each is told by itself, until it has taken the alert, and then no more.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otori::alert::{self, AlertConfig, Places};
use otori::secret::Secret;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::alert::{sight, sink};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::Otori;

/// One request: its header as it came, in lower case, and its body.
pub(super) type Requests = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A web server that gives these answers in turn, and the last one for ever.
pub(super) async fn hook(answers: &'static [&'static str]) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/t0psecret", listener.local_addr().unwrap());
    let seen = Requests::default();
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut got, mut end) = (Vec::new(), None);
            let (head, body) = loop {
                if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
                    break (String::new(), Vec::new());
                }
                end = end.or_else(|| got.windows(4).position(|four| four == b"\r\n\r\n"));
                let Some(end) = end else { continue };
                let head = String::from_utf8_lossy(&got[..end]).to_lowercase();
                let length = field(&head, "content-length").unwrap().parse::<usize>();
                if got.len() >= end + 4 + length.unwrap() {
                    break (head, got[end + 4..].to_vec());
                }
            };
            let turn = {
                let mut requests = requests.lock().unwrap();
                requests.push((head, body));
                requests.len() - 1
            };
            let answer = answers[turn.min(answers.len() - 1)];
            let answer =
                format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, seen)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Tells what is due until `done` says so, for half a minute at most.
async fn tell_until(otori: &Otori, config: &AlertConfig, mut done: impl AsyncFnMut() -> bool) {
    let places = Places::new(config, otori.dir()).unwrap();
    let stop = CancellationToken::new();
    let registry = otori.registry.clone();
    let worker = tokio::spawn(alert::run(registry, places, stop.clone().cancelled_owned()));
    let mut tries = 0;
    while !done().await {
        tries += 1;
        assert!(tries < 600, "{:?}", otori.registry.open_alerts().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Long enough for a worker that would tell somebody again.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    stop.cancel();
    worker.await.unwrap();
}

fn body(requests: &Requests, turn: usize) -> Value {
    serde_json::from_slice(&requests.lock().unwrap()[turn].1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_that_fails_hides_nothing_and_has_nobody_told_twice() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    // Nobody is to be told yet: the alert waits.
    sight(&otori, &school[0]).await;
    let (relay, mails) = sink(0).await;
    let (generic, told) = hook(&["204 No Content"]).await;
    let (slack, chat) = hook(&["500 Oops", "429 Slow Down", "200 OK"]).await;
    let (teams, cards) = hook(&["202 Accepted"]).await;
    let (elsewhere, strangers) = hook(&["200 OK"]).await;
    let moved = format!("302 Found\r\nLocation: {elsewhere}");
    let (moved, _) = hook(Vec::leak(vec![&*moved.leak()])).await;
    otori.write_secret("keys/slack.url", &slack);
    otori.write_secret("keys/hook.secret", "a secret of some length");
    let config = format!(
        "[alert]\nrelay = '{relay}'\nfrom = 'otori@shop.example'\nto = ['team@shop.example']\n\
         [[alert.webhook]]\nname = 'own'\nurl = '{generic}'\nsecret_file = 'keys/hook.secret'\n\
         [[alert.webhook]]\nname = 'slack'\nurl_file = 'keys/slack.url'\nformat = 'slack'\n\
         [[alert.webhook]]\nname = 'teams'\nurl = '{teams}'\nformat = 'teams'\n\
         [[alert.webhook]]\nname = 'moved'\nurl = '{moved}'\n"
    );
    let config: toml::Table = toml::from_str(&config).unwrap();
    let config: AlertConfig = config["alert"].clone().try_into().unwrap();
    tell_until(&otori, &config, async || chat.lock().unwrap().len() == 3).await;

    let count = |requests: &Requests| requests.lock().unwrap().len();
    assert_eq!(mails.lock().unwrap().len(), 1);
    assert_eq!((count(&told), count(&chat), count(&cards)), (1, 3, 1));
    assert_eq!(count(&strangers), 0, "a redirection is not followed");
    let left = otori.json(&["alerts"]);
    assert_eq!(left["alerts"].as_array().unwrap().len(), 1, "{left}");
    assert_eq!(left["alerts"][0]["place"], "moved");
    assert_eq!(left["alerts"][0]["state"], "failing");
    assert_eq!(left["alerts"][0]["why"], "the webhook answered 302");

    let (head, raw) = told.lock().unwrap()[0].clone();
    let secret = Secret::read(otori.dir(), Path::new("keys/hook.secret")).unwrap();
    let time = field(&head, "x-otori-timestamp").unwrap();
    let signature = field(&head, "x-otori-signature").unwrap();
    let signature: Vec<u8> = signature
        .strip_prefix("sha256=")
        .unwrap()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert!(secret.signed_sha256(&[time.as_bytes(), b".", &raw], &signature));
    let age = OffsetDateTime::now_utc().unix_timestamp() - time.parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age}");
    let own = body(&told, 0);
    assert_eq!(own["kind"], "incident");
    assert_eq!(own["facts"]["latest"]["canary"], school[0].id.as_str());
    assert_eq!(own["id"].as_str(), field(&head, "x-otori-alert"));
    let names: Vec<String> = (0..3)
        .map(|turn| {
            field(&chat.lock().unwrap()[turn].0, "x-otori-alert")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(names.iter().all(|name| name == &names[0]), "{names:?}");
    assert_eq!(own["id"], names[0].as_str());
    let said = body(&chat, 2)["text"].as_str().unwrap().to_owned();
    assert!(
        said.starts_with("*[otori] school: incident 1, 1 sighting*\n"),
        "{said}"
    );
    let card = &body(&cards, 0)["attachments"][0]["content"];
    assert_eq!(card["type"], "AdaptiveCard");
    let everything = format!("{own}{said}{card}{left}");
    for detail in [
        "keisuke",
        "decoys.example",
        "髙橋",
        "secret offer",
        "broker",
        "t0psecret",
    ] {
        assert!(!everything.contains(detail), "{detail}: {everything}");
    }
    let verified = otori.command(&["evidence", "verify"]).output().unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_there_is_not_named_by_its_address() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    sight(&otori, &school[0]).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/t0psecret", gone.local_addr().unwrap());
    drop(gone);
    let config = format!("[[webhook]]\nname = 'gone'\nurl = '{url}'");
    let config: AlertConfig = toml::from_str(&config).unwrap();
    tell_until(&otori, &config, async || {
        otori.registry.open_alerts().await.unwrap()[0].attempts > 0
    })
    .await;
    let shown = otori.json(&["alerts"])["alerts"][0].to_string();
    assert!(shown.contains("refused"), "{shown}");
    assert!(!shown.contains("t0psecret"), "{shown}");
}

#[tokio::test]
async fn a_flood_is_one_alert_and_a_counter_at_every_place() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let school = otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let places = ["mail", "slack", "syslog"].map(str::to_owned);
    let mut told = [0; 3];
    // The last one is away throughout.
    let tell = async |told: &mut [usize; 3], at| {
        registry.hand_on_alerts(&places, at).await.unwrap();
        let mut latest = String::new();
        for (count, place) in told.iter_mut().zip(&places) {
            for alert in registry.due_deliveries(place, at, 10).await.unwrap() {
                *count += 1;
                latest.clone_from(&alert.body);
                match place.as_str() {
                    "syslog" => {
                        let next = at + time::Duration::hours(1);
                        let failed = registry.delivery_failed(&alert, at, Some(next), "away");
                        failed.await.unwrap();
                    }
                    _ => registry.alert_delivered(&alert, at).await.unwrap(),
                }
            }
        }
        latest
    };
    for number in 0..300 {
        // The other canaries are news to the incident, and told together; what follows is more of the same.
        sight(&otori, &school[number % 3]).await;
        if number % 10 == 0 {
            tell(&mut told, OffsetDateTime::now_utc()).await;
        }
    }
    assert_eq!(told, [2, 2, 1]);
    let later = OffsetDateTime::now_utc() + time::Duration::minutes(11);
    let body = tell(&mut told, later).await;
    assert_eq!(told, [3, 3, 1]);
    assert!(body.contains("\"sightings\":300"), "{body}");
    let later = later + time::Duration::hours(1);
    let body = tell(&mut told, later).await;
    assert_eq!(
        told,
        [3, 3, 2],
        "one that was away is told once of everything"
    );
    assert!(body.contains("\"sightings\":300"), "{body}");
}

/// Debian's log server, ended when dropped.
struct Rsyslog(Child);

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it on a port that is free for both protocols, writing to `out`.
fn rsyslog(dir: &Path) -> (Rsyslog, u16) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let at = dir.display();
    let config = format!(
        r#"global(workDirectory="{at}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{port}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{at}/log" UseSpecialParser="off" ParseHostname="on")
template(name="all" type="string" string="%pri-text%|%app-name%|%msgid%|%structured-data%|%msg%\n")
action(type="omfile" file="{at}/out" template="all")
"#
    );
    let file = dir.join("rsyslog.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("/usr/sbin/rsyslogd");
    command.arg("-n").arg("-f").arg(file);
    command.arg("-i").arg(dir.join("rsyslog.pid"));
    (Rsyslog(command.spawn().unwrap()), port)
}

#[tokio::test(flavor = "multi_thread")]
async fn rsyslog_reads_every_fact_by_tcp_udp_and_socket() {
    let otori = Otori::new().await;
    let dir = tempfile::tempdir().unwrap();
    let (server, port) = rsyslog(dir.path());
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let socket = dir.path().join("log");
    let ways = [
        format!("tcp://127.0.0.1:{port}"),
        format!("udp://127.0.0.1:{port}"),
        format!("unix:{}", socket.display()),
    ];
    let read = || std::fs::read_to_string(dir.path().join("out")).unwrap_or_default();
    for (number, way) in ways.iter().enumerate() {
        let source = format!("source-{number}");
        let canaries = otori.plant(&source, &[KEISUKE]).await;
        sight(&otori, &canaries[0]).await;
        let config = format!("[syslog]\nto = '{way}'\nfacility = 'local3'");
        let config: AlertConfig = toml::from_str(&config).unwrap();
        tell_until(&otori, &config, async || read().contains(&source)).await;
        let lines = read();
        let line = lines.lines().find(|line| line.contains(&source)).unwrap();
        let start = format!(
            "local3.alert|otori|incident|[otori@32473 id=\"alert-{}-",
            number + 1
        );
        assert!(line.starts_with(&start), "{way}: {line}");
        for fact in [
            format!(" incident=\"{}\"", number + 1),
            format!(" source=\"{source}\""),
            " channel=\"mail\"".to_owned(),
            format!(" canary=\"{}\"", canaries[0].id),
            format!("[otori] {source}: incident {}, 1 sighting", number + 1),
        ] {
            assert!(line.contains(&fact), "{fact}: {line}");
        }
        assert_eq!(otori.registry.alerts_waiting().await.unwrap(), 0);
    }
    assert_eq!(read().lines().count(), 3, "{}", read());

    // With nobody there, each way but UDP to another host says so.
    drop(server);
    let canaries = otori.plant("late", &[KEISUKE]).await;
    sight(&otori, &canaries[0]).await;
    for way in ways {
        let config = format!("[syslog]\nto = '{way}'");
        let config: AlertConfig = toml::from_str(&config).unwrap();
        let tries = async || otori.registry.open_alerts().await.unwrap()[0].attempts;
        let now = OffsetDateTime::now_utc();
        otori.registry.retry_alert(4, None, now).await.unwrap();
        assert_eq!(tries().await, 0);
        tell_until(&otori, &config, async || tries().await > 0).await;
        let open = otori.registry.open_alerts().await.unwrap();
        let why = open[0].failure.as_deref().unwrap();
        assert!(why.contains("refused"), "{way}: {why}");
    }
}
