//! The real program, killed while it receives: what was acknowledged is there once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use super::KEISUKE;
use crate::harness::Otori;
use crate::servers;

const CLIENTS: usize = 8;
/// What starts a server on free ports.
pub const SERVE: [&str; 6] = [
    "--json",
    "serve",
    "--smtp",
    "127.0.0.1:0",
    "--http",
    "127.0.0.1:0",
];

/// `otori serve` as a process of its own; killed when dropped.
pub struct Server {
    child: Child,
    pub smtp: SocketAddr,
    pub http: SocketAddr,
}

impl Server {
    pub fn start(otori: &Otori) -> Server {
        let mut command = otori.command(&SERVE);
        command.stderr(Stdio::null());
        Server::by(command)
    }

    /// The one that this command starts.
    pub fn by(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let bound: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = |of: &str| bound[of].as_str().unwrap().parse().unwrap();
        Server {
            smtp: address("smtp"),
            http: address("http"),
            child,
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The most memory that it has held, in kilobytes.
    pub fn most_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(told.unwrap().success());
    }

    /// SIGTERM, and its exit status.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status().unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends one mail; the answer to it, or the first one that is not as it should be.
pub fn send(to: SocketAddr, number: usize, body: &str) -> std::io::Result<String> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(90)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut answer = || {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok::<String, std::io::Error>(line)
    };
    let mut steps = vec![("220", String::new())];
    steps.push(("250", "HELO client.example\r\n".to_owned()));
    steps.push(("250", "MAIL FROM:<list@broker.example>\r\n".to_owned()));
    steps.push(("250", format!("RCPT TO:<{}>\r\n", KEISUKE.mail)));
    steps.push(("354", "DATA\r\n".to_owned()));
    let mail = format!(
        "Message-ID: <{number}@broker.example>\r\nSubject: mail {number}\r\n\r\n{body}\r\n.\r\n"
    );
    steps.push(("250", mail));
    let mut last = String::new();
    for (wanted, text) in steps {
        writer.write_all(text.as_bytes())?;
        last = answer()?;
        if !last.starts_with(wanted) {
            break;
        }
    }
    Ok(last)
}

/// Whether a mail was answered with 250.
fn sent(to: SocketAddr, number: usize) -> bool {
    send(to, number, "buy").is_ok_and(|answer| answer.starts_with("250"))
}

/// Each of the mails up to `mails` has become one sighting. A client whose session was cut by a kill between
/// RCPT and DATA has asked for the address and, in that session, sent nothing: up to `cut` such checks are
/// sightings too.
#[track_caller]
pub fn assert_each_once(otori: &Otori, mails: usize, cut: usize) {
    let shown = otori.json(&["sightings", "--limit", "5000"]);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for sighting in shown["sightings"].as_array().unwrap() {
        assert_eq!(sighting["source"], "school");
        *counts
            .entry(sighting["summary"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let of_checks = |summary: &str| summary.starts_with("recipient check by ");
    let checks: usize = counts
        .extract_if(.., |summary, _| of_checks(summary))
        .map(|(_, count)| count)
        .sum();
    assert!(checks <= cut, "{checks} of {cut}");
    let wanted: BTreeMap<String, usize> = (0..mails)
        .map(|number| (format!("mail {number}"), 1))
        .collect();
    assert_eq!(counts, wanted);
    let incidents = otori.json(&["incidents"]);
    let joined = incidents["incidents"][0]["sightings"].as_u64().unwrap();
    // One check alone may be too little to join.
    assert!(
        (mails..=mails + checks).contains(&(joined as usize)),
        "{joined}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_what_was_acknowledged_is_there_once_whatever_is_killed() {
    killed(Otori::new().await, 1000, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_what_was_acknowledged_is_there_once_whatever_is_killed() {
    killed(Otori::on(&servers::postgres().await).await, 300, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_receivers_on_one_registry_either_may_be_killed() {
    killed(Otori::on(&servers::postgres().await).await, 300, 2).await;
}

/// Some receivers on one registry, one after the other killed while clients try them in turn.
async fn killed(otori: Otori, mails: usize, receivers: usize) {
    otori.plant("school", &[KEISUKE]).await;
    let mut servers: Vec<Server> = (0..receivers).map(|_| Server::start(&otori)).collect();
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.smtp).collect();
    let addresses = Arc::new(RwLock::new(addresses));
    let next = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let tries = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (addresses, next, acknowledged, tries) = (
                Arc::clone(&addresses),
                Arc::clone(&next),
                Arc::clone(&acknowledged),
                Arc::clone(&tries),
            );
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= mails {
                        return;
                    }
                    // A mail client tries until it has its 250.
                    loop {
                        let turn = tries.fetch_add(1, Ordering::SeqCst);
                        let to = addresses.read().unwrap()[turn % receivers];
                        if sent(to, number) {
                            break acknowledged.lock().unwrap().push(number);
                        }
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            })
        })
        .collect();
    for (turn, goal) in [mails / 7, mails * 2 / 5, mails * 7 / 10]
        .iter()
        .enumerate()
    {
        while acknowledged.lock().unwrap().len() < *goal {
            std::thread::sleep(Duration::from_millis(1));
        }
        let turn = turn % receivers;
        servers.remove(turn).kill();
        servers.insert(turn, Server::start(&otori));
        addresses.write().unwrap()[turn] = servers[turn].smtp;
    }
    for client in clients {
        client.join().unwrap();
    }
    otori.settled().await;
    for server in servers {
        assert!(server.terminate().success());
    }

    assert_eq!(acknowledged.lock().unwrap().len(), mails);
    assert!(
        tries.load(Ordering::SeqCst) > mails,
        "no kill hit a mail on its way"
    );
    // A kill can cut the session of each client.
    assert_each_once(&otori, mails, 3 * CLIENTS);
}
