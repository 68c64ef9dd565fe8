//! A certificate from a real ACME authority: Debian's Pebble, which asks the receiver over HTTP.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use otori::receive::{AcmeConfig, ReceiveConfig};

use super::starttls::{certificate, shown};
use crate::harness::Otori;
use crate::ports::free;

/// An authority and the name server that it asks, which says 127.0.0.1 to every name.
struct Authority {
    children: [Child; 2],
    directory: String,
    management: SocketAddr,
    /// Where it asks for answers, in the place of port 80.
    asks: SocketAddr,
    /// What both have said.
    log: PathBuf,
}

impl Authority {
    fn start(dir: &Path) -> Authority {
        let names = free();
        let (listen, management, asks, answers) = (free(), free(), free(), free());
        certificate(dir);
        let config = serde_json::json!({"pebble": {
            "listenAddress": listen, "managementListenAddress": management,
            "certificate": dir.join("cert.pem"), "privateKey": dir.join("key.pem"),
            "httpPort": asks.port(), "tlsPort": free().port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let file = dir.join("pebble.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut dns = Command::new("pebble-challtestsrv");
        dns.args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
            .args(["-defaultIPv6", "", "-dns01", &names.to_string()])
            .args(["-management", &answers.to_string()]);
        let mut pebble = Command::new("pebble");
        pebble
            .arg("-config")
            .arg(&file)
            .args(["-dnsserver", &names.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            // Some good nonces are refused, as RFC 8555 lets an authority do.
            .env("PEBBLE_WFE_NONCEREJECT", "5");
        let log = dir.join("authority.log");
        let said = File::create(&log).unwrap();
        let children = [&mut dns, &mut pebble].map(|command| {
            command
                .stdout(said.try_clone().unwrap())
                .stderr(said.try_clone().unwrap())
                .spawn()
                .unwrap()
        });
        let authority = Authority {
            children,
            directory: format!("https://{listen}/dir"),
            management,
            asks,
            log,
        };
        // An order that comes before the name server is up fails.
        authority.until(
            || TcpStream::connect(answers).is_ok() && !authority.root().is_empty(),
            "Pebble does not answer",
        );
        authority
    }

    /// The root of the certificates that it gives, PEM.
    fn root(&self) -> Vec<u8> {
        let url = format!("https://{}/roots/0", self.management);
        let asked = Command::new("curl").args(["-sk", &url]).output().unwrap();
        asked.stdout
    }

    fn config(&self) -> AcmeConfig {
        AcmeConfig {
            directory: self.directory.clone(),
            names: vec!["mx1.decoys.example".parse().unwrap()],
            agree_to_terms: true,
            contact: Vec::new(),
            listen: Some(self.asks),
            root: Some("cert.pem".into()),
        }
    }

    /// Waits until it is `done`.
    fn until(&self, mut done: impl FnMut() -> bool, what: &str) {
        // Long enough for two more orders after one that has failed: those come after one and three minutes.
        let deadline = Instant::now() + Duration::from_secs(420);
        while !done() {
            if Instant::now() > deadline {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("{what}: {said}");
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The subject's names and the issuer of what a client is shown; empty while STARTTLS is not offered.
fn names(smtp: SocketAddr) -> String {
    let asked = Command::new("openssl")
        .args([
            "s_client",
            "-starttls",
            "smtp",
            "-connect",
            &smtp.to_string(),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut read = Command::new("openssl")
        .args(["x509", "-noout", "-ext", "subjectAltName", "-issuer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = read.stdin.take().unwrap();
    // openssl closes its input at once where there is no certificate in it.
    let _ = std::io::Write::write_all(&mut input, &asked.stdout);
    drop(input);
    String::from_utf8_lossy(&read.wait_with_output().unwrap().stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_got_from_an_authority_and_got_again_for_other_names() {
    let otori = Otori::new().await;
    let authority = Authority::start(otori.dir());
    let config = ReceiveConfig {
        acme: Some(authority.config()),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    authority.until(
        || names(receiver.smtp).contains("DNS:mx1.decoys.example"),
        "no certificate was got",
    );
    assert!(
        names(receiver.smtp).contains("Pebble"),
        "{}",
        names(receiver.smtp)
    );
    let first = shown(receiver.smtp);
    let folder = otori.dir().join("acme");
    for file in ["certificate.pem", "account.json"] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(folder.join(file)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let account = std::fs::read(folder.join("account.json")).unwrap();
    receiver.stop().await;

    // It is used again as long as it is good, and shown from the first client on.
    let receiver = otori.receive(&config).await;
    assert_eq!(shown(receiver.smtp), first);
    receiver.stop().await;

    // Another name is not in it, so that it is ordered anew, by the same account.
    let mut acme = authority.config();
    acme.names.push("mx2.decoys.example".parse().unwrap());
    let config = ReceiveConfig {
        acme: Some(acme),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    authority.until(
        || names(receiver.smtp).contains("DNS:mx2.decoys.example"),
        "no certificate for both names",
    );
    receiver.stop().await;
    assert_eq!(std::fs::read(folder.join("account.json")).unwrap(), account);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_taken_while_no_authority_answers() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        acme: Some(AcmeConfig {
            directory: format!("https://{}/dir", free()),
            names: vec!["mx1.decoys.example".parse().unwrap()],
            agree_to_terms: true,
            contact: Vec::new(),
            listen: None,
            root: None,
        }),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let sent = Command::new("swaks")
        .args([
            "--server",
            &receiver.smtp.to_string(),
            "--to",
            "x@decoys.example",
        ])
        .args(["--from", "a@broker.example", "--helo", "client.example"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&sent.stdout);
    assert!(sent.status.success(), "{said}");
    assert!(!said.contains("STARTTLS"), "{said}");
    receiver.stop().await;
}

#[tokio::test]
async fn terms_are_the_operators_to_agree_to() {
    let otori = Otori::new().await;
    std::fs::write(
        otori.dir().join("otori.toml"),
        format!(
            "{}\n[receive.acme]\ndirectory = \"https://ca.example/directory\"\nnames = [\"mx1.decoys.example\"]\n",
            std::fs::read_to_string(otori.dir().join("otori.toml")).unwrap()
        ),
    )
    .unwrap();
    let refused = otori.command(&super::crash::SERVE).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("agree_to_terms = true"), "{told}");
}
