//! What a receiver stands on gives way: the disk is full, the registry's server is away. What has got
//! its 250 is there once, and everybody else is told to come again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::KEISUKE;
use super::crash::{SERVE, Server, assert_each_once, send};
use crate::harness::Otori;
use crate::servers;

/// Bytes that are on the small disk besides the workspace, until somebody makes room.
const BALLAST: usize = 4 << 20;
/// Without a disk that may be filled: the largest file that the server may write, in KiB.
const LARGEST: usize = 8 << 10;

/// A mail that takes room.
fn large() -> String {
    format!("{}\r\n", "x".repeat(998)).repeat(64)
}

/// Sends the mails from `first` on until one is put off; its number.
fn fill(to: SocketAddr, mut next: usize, body: &str) -> usize {
    loop {
        let answer = send(to, next, body).unwrap();
        if !answer.starts_with("250") {
            assert!(answer.starts_with("4"), "mail {next}: {answer}");
            return next;
        }
        next += 1;
        assert!(next < 1000, "the disk is not small");
    }
}

/// Whether it says that it can store what comes.
fn ready(server: &Server) -> String {
    let url = format!("http://{}/readyz", server.http);
    let status = ["-s", "-o", "/dev/null", "-w", "%{http_code}", &url];
    let asked = Command::new("curl").args(status).output().unwrap();
    String::from_utf8(asked.stdout).unwrap()
}

async fn until_ready(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while ready(server) != "200" {
        assert!(Instant::now() < deadline, "it is not ready");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// `tests/run` mounts a disk of a few megabytes where it may. Where it may not, and says so, the system
/// refuses the server's writes because of their place in the file.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_mail_is_put_off_and_none_is_lost() {
    let disk = std::env::var_os("OTORI_TEST_SMALL_DISK").map(PathBuf::from);
    let dir = match &disk {
        Some(disk) => tempfile::tempdir_in(disk).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let otori = Otori::at(dir, "sqlite:registry.db").await;
    otori.plant("school", &[KEISUKE]).await;
    let ballast = otori.dir().join("ballast");
    std::fs::write(&ballast, vec![0; BALLAST]).unwrap();
    let mut server = match &disk {
        Some(_) => Server::start(&otori),
        None => {
            let serve = otori.command(&SERVE);
            let mut limited = Command::new("bash");
            let script = format!("trap '' XFSZ; ulimit -f {LARGEST}; exec \"$@\"");
            limited.args(["-c", &script, "bash"]);
            limited.arg(serve.get_program()).args(serve.get_args());
            limited.stderr(Stdio::null());
            Server::by(limited)
        }
    };
    let body = large();
    let first = fill(server.smtp, 0, &body);
    assert!(first > 10, "{first} mails fit");
    // Small ones may still find a gap: then they have their 250, and must be there.
    let mut mails = first + 1;
    let mut put_off = vec![first];
    for number in mails..mails + 20 {
        let answer = send(server.smtp, number, "small").unwrap();
        assert!(
            answer.starts_with("250") || answer.starts_with("4"),
            "{answer}"
        );
        if !answer.starts_with("250") {
            put_off.push(number);
        }
    }
    mails += 20;
    let last = fill(server.smtp, mails, &body);
    put_off.push(last);
    mails = last + 1;
    assert_eq!(ready(&server), "503");
    std::fs::remove_file(&ballast).unwrap();
    if disk.is_none() {
        // It may have had no room to write down that it stops, and says so; it has not come down.
        let code = server.terminate().code();
        assert!(matches!(code, Some(0 | 1)), "{code:?}");
        server = Server::start(&otori);
    }
    for number in put_off {
        let is_large = [first, last].contains(&number);
        let body = if is_large { &body } else { "small" };
        let answer = send(server.smtp, number, body).unwrap();
        assert!(answer.starts_with("250"), "mail {number}: {answer}");
    }
    assert_eq!(ready(&server), "200");
    otori.settled().await;
    assert!(server.terminate().success());
    assert_each_once(&otori, mails, 0);
    // It fails where the log is broken.
    otori.json(&["evidence", "verify"]);
}

/// How a wire is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    /// Nobody answers, as when a network falls apart.
    Silent,
    /// Connections end, as when a server stops.
    Cut,
}

/// A wire to a server that can be cut.
async fn wire(to: SocketAddr) -> (SocketAddr, watch::Sender<Wire>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (state, watched) = watch::channel(Wire::Whole);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(carry(client, to, watched.clone()));
        }
    });
    (address, state)
}

/// Carries one connection until the wire is cut. Where it falls silent, the connection stays open and says no
/// more, and ends when the wire is whole again, as when the machines in between have forgotten it.
async fn carry(mut client: TcpStream, to: SocketAddr, mut state: watch::Receiver<Wire>) {
    // Whoever comes while nobody answers waits.
    let ready = state.wait_for(|now| *now != Wire::Silent).await;
    if !ready.is_ok_and(|now| *now == Wire::Whole) {
        return;
    }
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = state.wait_for(|now| *now != Wire::Whole) => {}
    }
    let _ = state.wait_for(|now| *now != Wire::Silent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_away_for_a_minute_loses_and_doubles_nothing() {
    let mut url = url::Url::parse(&servers::postgres().await).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let (address, state) = wire(server.parse().unwrap()).await;
    url.set_port(Some(address.port())).unwrap();
    let otori = Arc::new(Otori::on(url.as_str()).await);
    otori.plant("school", &[KEISUKE]).await;
    let server = Server::start(&otori);
    let to = server.smtp;

    // Each client sends its own mails, and tries each until it has its 250.
    let begun = Instant::now();
    let (clients, each) = (4, 40);
    let sending: Vec<_> = (0..clients)
        .map(|client| {
            std::thread::spawn(move || {
                let mut put_off = 0;
                for number in client * each..(client + 1) * each {
                    loop {
                        let answer = send(to, number, "buy").unwrap();
                        if answer.starts_with("250") {
                            break;
                        }
                        assert!(answer.starts_with("4"), "mail {number}: {answer}");
                        put_off += 1;
                        std::thread::sleep(Duration::from_millis(200));
                    }
                    // They still send when the registry goes, and when it comes back.
                    std::thread::sleep(Duration::from_millis(100));
                }
                put_off
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (away, seconds) in [(Wire::Cut, 30), (Wire::Silent, 30)] {
        until_ready(&server).await;
        state.send(away).unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_eq!(ready(&server), "503");
        state.send(Wire::Whole).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    until_ready(&server).await;
    let put_off = tokio::task::spawn_blocking(move || {
        let joined = sending.into_iter().map(|client| client.join().unwrap());
        joined.sum::<i32>()
    });
    assert!(put_off.await.unwrap() > 0, "nobody was put off");
    assert!(begun.elapsed() > Duration::from_secs(60));
    otori.settled().await;
    assert!(server.terminate().success());
    assert_each_once(&otori, clients * each, 0);
}
