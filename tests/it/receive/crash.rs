//! The real program, killed while it receives: what was acknowledged is there once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use super::KEISUKE;
use crate::harness::Otori;
use crate::servers;

const CLIENTS: usize = 8;

/// `otori serve` as a process of its own; killed when dropped.
pub struct Server {
    child: Child,
    smtp: SocketAddr,
}

impl Server {
    pub fn start(otori: &Otori) -> Server {
        let args = [
            "--json",
            "serve",
            "--smtp",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ];
        let mut child = otori
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let bound: serde_json::Value = serde_json::from_str(&line).unwrap();
        let smtp = bound["smtp"].as_str().unwrap().parse().unwrap();
        Server { child, smtp }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit status.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill")
            .arg(pid)
            .status()
            .unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends one mail; whether it was answered with 250.
fn send(to: SocketAddr, number: usize) -> std::io::Result<bool> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut answer = |wanted: &str| {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok::<bool, std::io::Error>(line.starts_with(wanted))
    };
    let mut steps = vec![("220", String::new())];
    steps.push(("250", "HELO client.example\r\n".to_owned()));
    steps.push(("250", "MAIL FROM:<list@broker.example>\r\n".to_owned()));
    steps.push(("250", format!("RCPT TO:<{}>\r\n", KEISUKE.mail)));
    steps.push(("354", "DATA\r\n".to_owned()));
    let mail = format!(
        "Message-ID: <{number}@broker.example>\r\nSubject: mail {number}\r\n\r\nbuy\r\n.\r\n"
    );
    steps.push(("250", mail));
    for (wanted, text) in steps {
        writer.write_all(text.as_bytes())?;
        if !answer(wanted)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_what_was_acknowledged_is_there_once_whatever_is_killed() {
    killed(Otori::new().await, 1000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_what_was_acknowledged_is_there_once_whatever_is_killed() {
    killed(Otori::on(&servers::postgres().await).await, 300).await;
}

async fn killed(otori: Otori, mails: usize) {
    otori.plant("school", &[KEISUKE]).await;
    let mut server = Server::start(&otori);
    let address = Arc::new(RwLock::new(server.smtp));
    let next = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let tries = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, next, acknowledged, tries) = (
                Arc::clone(&address),
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
                        tries.fetch_add(1, Ordering::SeqCst);
                        let to = *address.read().unwrap();
                        if send(to, number).unwrap_or(false) {
                            break acknowledged.lock().unwrap().push(number);
                        }
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            })
        })
        .collect();
    for goal in [mails / 7, mails * 2 / 5, mails * 7 / 10] {
        while acknowledged.lock().unwrap().len() < goal {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        server = Server::start(&otori);
        *address.write().unwrap() = server.smtp;
    }
    for client in clients {
        client.join().unwrap();
    }
    otori.settled().await;
    assert!(server.terminate().success());

    assert_eq!(acknowledged.lock().unwrap().len(), mails);
    assert!(
        tries.load(Ordering::SeqCst) > mails,
        "no kill hit a mail on its way"
    );
    let shown = otori.json(&["sightings", "--limit", "5000"]);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for sighting in shown["sightings"].as_array().unwrap() {
        assert_eq!(sighting["source"], "school");
        *counts
            .entry(sighting["summary"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let wanted: BTreeMap<String, usize> = (0..mails)
        .map(|number| (format!("mail {number}"), 1))
        .collect();
    assert_eq!(counts, wanted);
    let incidents = otori.json(&["incidents"]);
    assert_eq!(incidents["incidents"][0]["sightings"], mails);
}
