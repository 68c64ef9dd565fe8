//! STARTTLS, and what an attacker puts in front of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use otori::receive::{ReceiveConfig, TlsConfig};
use otori::relay::RelayConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use super::KEISUKE;
use super::mail::{expect, mail, say};
use crate::harness::Otori;

/// A self-signed certificate for 127.0.0.1 in the workspace, made by openssl.
#[track_caller]
pub fn certificate(dir: &Path) -> TlsConfig {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "3650",
        ])
        .args([
            "-subj",
            "/CN=mx1.decoys.example",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        // A certificate that signs others is not taken for a server's own.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    std::fs::set_permissions(
        dir.join("key.pem"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    TlsConfig {
        certificate: "cert.pem".into(),
        key: "key.pem".into(),
    }
}

#[tokio::test]
async fn starttls_carries_mail() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let config = ReceiveConfig {
        tls: Some(certificate(otori.dir())),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let root =
        Certificate::from_pem(&std::fs::read(otori.dir().join("cert.pem")).unwrap()).unwrap();
    let tls = TlsParameters::builder("127.0.0.1".to_owned())
        .add_root_certificate(root)
        .build_rustls()
        .unwrap();
    let client = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(receiver.smtp.port())
        .tls(Tls::Required(tls))
        .build();
    client.send(mail(&[KEISUKE.mail], "sealed")).await.unwrap();
    // As our own alerts go out: an authority of one's own is believed where the configuration names it.
    let relay = format!("smtp://{}?tls=required", receiver.smtp);
    let roots = PathBuf::from("cert.pem");
    let through = |roots| RelayConfig {
        section: "alert",
        relay: &relay,
        user: None,
        password_file: None,
        roots,
        from: Some("otori@school.example"),
    };
    let ours = through(Some(&roots)).open(otori.dir()).unwrap().transport;
    ours.send(mail(&[KEISUKE.mail], "relayed")).await.unwrap();
    let others = through(None).open(otori.dir()).unwrap().transport;
    let refused = others.send(mail(&[KEISUKE.mail], "not relayed")).await;
    refused.unwrap_err();
    let plain = format!("smtp://{}", receiver.smtp);
    let plain = RelayConfig {
        relay: &plain,
        ..through(Some(&roots))
    };
    let error = plain.open(otori.dir()).err().unwrap().to_string();
    assert!(error.contains("roots are for TLS"), "{error}");
    let message = &otori.registry.message(1).await.unwrap().unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&message.envelope).unwrap();
    assert_eq!(envelope["tls"], true);
    receiver.stop().await;
}

#[tokio::test]
async fn what_is_smuggled_before_the_handshake_is_forgotten() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        tls: Some(certificate(otori.dir())),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let mut plain = BufReader::new(TcpStream::connect(receiver.smtp).await.unwrap());
    expect(&mut plain, "220 ").await;
    say(&mut plain, "EHLO attacker.example\r\n").await;
    expect(&mut plain, "250 ").await;
    // One packet: STARTTLS, and what a man in the middle wants the client to have said inside.
    say(
        &mut plain,
        "STARTTLS\r\nRSET\r\nMAIL FROM:<evil@broker.example>\r\nRCPT TO:<x@decoys.example>\r\n",
    )
    .await;
    expect(&mut plain, "220 2.0.0").await;

    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(otori.dir().join("cert.pem")).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let sealed = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut sealed = BufReader::new(sealed.connect(name, plain.into_inner()).await.unwrap());
    // No answer to the smuggled commands waits here, no greeting is remembered, and no second
    // handshake is offered.
    say(&mut sealed, "MAIL FROM:<a@broker.example>\r\n").await;
    expect(&mut sealed, "503 5.5.1 Error: send HELO/EHLO first").await;
    say(
        &mut sealed,
        "EHLO client.example\r\nSTARTTLS\r\nRCPT TO:<x@decoys.example>\r\n",
    )
    .await;
    let mut lines = String::new();
    for _ in 0..8 {
        sealed.read_line(&mut lines).await.unwrap();
    }
    assert!(!lines.contains("250-STARTTLS"), "{lines}");
    assert!(
        lines.contains("503 5.5.1 Error: TLS already active"),
        "{lines}"
    );
    expect(&mut sealed, "503 5.5.1 Error: need MAIL").await;
    say(&mut sealed, "QUIT\r\n").await;
    expect(&mut sealed, "221 ").await;
    receiver.stop().await;
    assert!(otori.registry.message(1).await.unwrap().is_none());
}

/// The certificate that a client is shown, as openssl sees it, and whether it got one at all.
#[track_caller]
pub fn shown(smtp: std::net::SocketAddr) -> String {
    let asked = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-connect"])
        .arg(smtp.to_string())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let begin = text.find("-----BEGIN CERTIFICATE-----");
    let end = text.find("-----END CERTIFICATE-----");
    text[begin.unwrap_or_else(|| panic!("{text}"))..end.unwrap()].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let otori = Otori::new().await;
    let config = ReceiveConfig {
        tls: Some(certificate(otori.dir())),
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let first = shown(receiver.smtp);
    assert_eq!(first, shown(receiver.smtp));
    certificate(otori.dir());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while shown(receiver.smtp) == first {
        assert!(std::time::Instant::now() < deadline, "never read again");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    let second = shown(receiver.smtp);
    // Half a renewal, or none: a key that does not fit, and a file that is no certificate.
    let whole = std::fs::read(otori.dir().join("cert.pem")).unwrap();
    std::fs::write(otori.dir().join("cert.pem"), "in the making").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(shown(receiver.smtp), second);
    std::fs::write(otori.dir().join("cert.pem"), whole).unwrap();
    let mail = otori.dir().join("mail.eml");
    std::fs::write(&mail, "Subject: sealed\r\n\r\ntext\r\n").unwrap();
    let sent = Command::new("curl")
        .args(["--silent", "--show-error", "--insecure", "--ssl-reqd"])
        .arg(format!("smtp://{}/client.example", receiver.smtp))
        .args(["--mail-from", "a@broker.example"])
        .args(["--mail-rcpt", "x@decoys.example", "--upload-file"])
        .arg(mail)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success(), "{told}");
    receiver.stop().await;
    let message = otori.registry.message(1).await.unwrap().unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&message.envelope).unwrap();
    assert_eq!(envelope["tls"], true);
}
