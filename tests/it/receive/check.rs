//! `otori serve --check`: what is wrong is said before anybody is kept waiting for it.

use std::process::Output;

use serde_json::Value;

use crate::harness::Otori;

/// What the check says; its exit status must agree, and its words must be the document's.
#[track_caller]
fn check(otori: &Otori) -> (bool, Vec<(String, String, String)>) {
    let ports = ["--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let run = |json: &[&str]| -> Output {
        let mut command = otori.command(&["serve", "--check"]);
        command.args(json).output().unwrap()
    };
    let with = |more: &[&str]| {
        let text = std::fs::read_to_string(otori.dir().join("otori.toml")).unwrap();
        match text.contains("smtp = \"127.0.0.1:2525\"") {
            true => run(&[more, &ports].concat()),
            false => run(more),
        }
    };
    let output = with(&["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let ok = document["ok"].as_bool().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!ok)), "{document}");
    let words = String::from_utf8(with(&[]).stdout).unwrap();
    let points = document["points"].as_array().unwrap().iter();
    let points = points.map(|point| {
        let text = |key: &str| point[key].as_str().unwrap().to_owned();
        let why = text("why");
        assert!(words.contains(&why), "{why}: {words}");
        (text("point"), text("state"), why)
    });
    (ok, points.collect())
}

/// Writes the configuration anew.
fn configure(otori: &Otori, change: impl Fn(&str) -> String) {
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(&text)).unwrap();
}

#[tokio::test]
async fn a_new_workspace_is_sound_and_each_fault_is_named() {
    let otori = Otori::new().await;
    let (ok, points) = check(&otori);
    assert!(ok, "{points:?}");
    assert!(points.iter().all(|(_, state, _)| state != "wrong"));
    for point in [
        "configuration",
        "registry",
        "ports",
        "secrets",
        "files",
        "domains",
        "people",
    ] {
        let sound = points
            .iter()
            .any(|(is, state, _)| is == point && state == "ok");
        assert!(sound, "{point}: {points:?}");
    }
    let before = otori.registry.acts().await.unwrap().len();
    super::starttls::certificate(otori.dir());
    std::fs::write(otori.dir().join("other.pem"), another()).unwrap();
    otori.write_secret("short.token", "short");
    otori.write_secret("open.url", "https://hooks.example/t0psecret");
    let wide = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(otori.dir().join("open.url"), wide).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|at| (at, taken)).unwrap();

    let sound = std::fs::read_to_string(otori.dir().join("otori.toml")).unwrap();
    let receive = |line: &str| sound.replacen("[receive]", &format!("[receive]\n{line}"), 1);
    let end = |lines: &str| format!("{sound}\n{lines}\n");
    let cases = [
        (receive("nonsense = 1"), "configuration", "unknown field"),
        (
            sound.replace("sqlite:registry.db", "sqlite:nowhere/registry.db"),
            "registry",
            "nowhere",
        ),
        (
            receive(&format!("lmtp = \"{}\"", taken.0)),
            "ports",
            "LMTP cannot listen",
        ),
        (
            sound.replace("smtp = \"127.0.0.1:2525\"", "smtp = \"0.0.0.0:0\""),
            "hostname",
            "hostname = \"mx1.shop.example\"",
        ),
        (
            end("[receive.tls]\ncertificate = 'cert.pem'\nkey = 'none.pem'"),
            "certificate",
            "none.pem",
        ),
        (
            end("[receive.tls]\ncertificate = 'other.pem'\nkey = 'key.pem'"),
            "certificate",
            "other.pem",
        ),
        (
            receive("metrics_token_file = 'short.token'"),
            "secrets",
            "too short",
        ),
        (
            end("[[alert.webhook]]\nname = 'chat'\nurl_file = 'open.url'"),
            "files",
            "chmod 600",
        ),
        (
            end("[[alert.webhook]]\nname = 'chat'\nurl = 'http://hooks.example/t0psecret'"),
            "alerts",
            "must be https://",
        ),
        (
            end("[alert.syslog]\nto = 'logs.example'"),
            "alerts",
            "must be like udp://",
        ),
        (
            sound.replace("[alert]", "[alert]\nrelay = 'mail.example'"),
            "alerts",
            "must be like smtp://",
        ),
        (
            sound.replace("catch_all = [", "catch_all = [\"stranger.example\", "),
            "domains",
            "stranger.example",
        ),
        (
            receive("public_url = 'hooks'"),
            "public_url",
            "must be like",
        ),
        (
            end("[receive.report]\npublic = true\npath = '/hooks/phone'"),
            "report",
            "not one of our own",
        ),
        (receive("maildir = 'mail'"), "files", "has no new/ and cur/"),
        (
            receive(&format!(
                "lmtp = \"{0}\"\nsocketmap = \"{0}\"",
                crate::ports::free()
            )),
            "ports",
            "socketmap cannot listen",
        ),
        (receive("hostname = ''"), "limits", "hostname is not a name"),
        (
            receive("banner = \"ESMTP\\r\\n220 x\""),
            "limits",
            "banner has a control character",
        ),
        (
            end("[receive.sip]\nserver = \"PBX\\r\\nVia: x\""),
            "limits",
            "sip.server is empty or has a control character",
        ),
        (
            end("[receive.limits]\nmemory_bytes = 1000"),
            "limits",
            "limits.memory_bytes is 1000, less than message_bytes",
        ),
        (
            receive("hostname = 'not_a..name'"),
            "hostname",
            "no name of a host",
        ),
        (
            end("[receive.post]\ntesseract = '/no/such'"),
            "post",
            "tesseract: there is no /no/such",
        ),
        (
            receive("answer_delay_ms = 9000000"),
            "limits",
            "answer_delay_ms",
        ),
        (
            end("[receive.limits]\nmessage_bytes = 0"),
            "limits",
            "limits.message_bytes is 0",
        ),
        (
            end("[receive.limits]\nline_bytes = 1"),
            "limits",
            "limits.line_bytes is 1",
        ),
    ];
    for (text, point, says) in cases {
        configure(&otori, |_| text.clone());
        let (ok, points) = check(&otori);
        assert!(!ok, "{says}: {points:?}");
        let named = points
            .iter()
            .any(|(is, state, why)| is == point && state == "wrong" && why.contains(says));
        assert!(named, "{point}, {says}: {points:?}");
        assert!(!format!("{points:?}").contains("t0psecret"), "{points:?}");
    }
    configure(&otori, |_| sound.clone());
    assert_eq!(
        otori.registry.acts().await.unwrap().len(),
        before,
        "looking leaves no trace"
    );
}

/// A certificate with another key than the workspace's.
fn another() -> Vec<u8> {
    let other = tempfile::tempdir().unwrap();
    super::starttls::certificate(other.path());
    std::fs::read(other.path().join("cert.pem")).unwrap()
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_wrong_and_one_that_ends_soon_is_told_of() {
    let otori = Otori::new().await;
    for (days, wanted, says) in [
        ("-1", "wrong", "has ended"),
        ("3", "warning", "it ends on"),
        ("90", "ok", "fit"),
    ] {
        for file in ["cert.pem", "key.pem"] {
            let _ = std::fs::remove_file(otori.dir().join(file));
        }
        let now = time::OffsetDateTime::now_utc();
        let start = now - time::Duration::days(30);
        let length = 30 + days.parse::<i64>().unwrap();
        let stamp = start.format(time::macros::format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second]"
        ));
        let made = std::process::Command::new("faketime")
            .arg(stamp.unwrap())
            .args([
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ])
            .args([
                "-days",
                &length.to_string(),
                "-subj",
                "/CN=mx1.decoys.example",
            ])
            .args(["-addext", "subjectAltName=DNS:mx1.decoys.example"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .env("TZ", "UTC")
            .current_dir(otori.dir())
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(otori.dir().join("key.pem"), private).unwrap();
        configure(&otori, |text| match text.contains("[receive.tls]\ncert") {
            true => text.to_owned(),
            false => format!("{text}\n[receive.tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n"),
        });
        let (ok, points) = check(&otori);
        assert_eq!(ok, wanted != "wrong");
        let told = points.iter().any(|(point, state, why)| {
            point == "certificate" && state == wanted && why.contains(says)
        });
        assert!(told, "{days}: {points:?}");
    }
    // Its name is not the one in the banner.
    configure(&otori, |text| {
        text.replacen("[receive]", "[receive]\nhostname = 'mx9.decoys.example'", 1)
    });
    let (_, points) = check(&otori);
    let told = points
        .iter()
        .any(|(_, state, why)| state == "warning" && why.contains("not for mx9"));
    assert!(told, "{points:?}");
}

#[tokio::test]
async fn what_is_misspelt_or_not_there_and_who_shares_a_token_is_told() {
    let otori = Otori::new().await;
    let token = otori.secret("keys/mailroom.token");
    std::fs::write(otori.dir().join("keys/operator.token"), token).unwrap();
    configure(&otori, |text| {
        format!(
            "{text}\n[receive.auth]\nresolvers = ['127.0.0.1:5353']\n\
             [[receive.expected]]\nsource = 'shpo'\ndomains = ['shop.example']\n\
             [[evidence.witness]]\nname = 'tape'\ndirectory = 'not/mounted'\n"
        )
    });
    let (_, points) = check(&otori);
    for (point, says) in [
        ("auth", "'shpo'"),
        ("people", "same token"),
        ("evidence", "'tape'"),
    ] {
        let told = points
            .iter()
            .any(|(of, state, why)| of == point && state == "warning" && why.contains(says));
        assert!(told, "{point}: {points:?}");
    }
}
