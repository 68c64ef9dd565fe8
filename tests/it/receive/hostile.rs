//! Mails made to break who reads them: each is stored, counted once, and stops nobody.

use otori::receive::{LoginConfig, ReceiveConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::web::{Call, signed};
use super::{HANAKO, JIRO, KEISUKE, post};
use crate::harness::{Otori, Receiver};

/// A multipart in a multipart, so deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut text = String::new();
    for level in 0..depth {
        text +=
            &format!("Content-Type: multipart/mixed; boundary=\"b{level}\"\r\n\r\n--b{level}\r\n");
    }
    text += "Content-Type: text/plain\r\n\r\nin the middle\r\n";
    for level in (0..depth).rev() {
        text += &format!("--b{level}--\r\n");
    }
    text.into_bytes()
}

/// Hands a mail over; it must be acknowledged.
async fn deliver(receiver: &Receiver, helo: &str, from: &str, to: &str, mail: &[u8]) {
    let mut stream = TcpStream::connect(receiver.smtp).await.unwrap();
    let envelope = format!("EHLO {helo}\r\nMAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
    stream.write_all(envelope.as_bytes()).await.unwrap();
    stream.write_all(mail).await.unwrap();
    stream.write_all(b"\r\n.\r\nQUIT\r\n").await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.contains("queued as"), "{answers}");
}

/// The one sighting of this mail address's canary.
fn sighting(otori: &Otori, canary: &str) -> serde_json::Value {
    let shown = otori.json(&["sightings"]);
    let all = shown["sightings"].as_array().unwrap();
    let mut its = all.iter().filter(|sighting| sighting["canary"] == canary);
    let first = its
        .next()
        .unwrap_or_else(|| panic!("none of {canary}: {shown}"));
    assert!(its.next().is_none(), "{shown}");
    first.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_nested_a_thousand_deep_and_charsets_that_lie_are_counted_once() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let from = "list@broker.example";
    let deep = [b"Subject: deep\r\nMIME-Version: 1.0\r\n", &nested(1000)[..]].concat();
    deliver(&receiver, "c.example", from, KEISUKE.mail, &deep).await;
    // Neither UTF-8 nor ISO-2022-JP is what they say they are, and the third is no charset at all.
    let lies = b"Subject: =?UTF-8?B?gsiC8YLGgqA=?= =?ISO-2022-JP?Q?=1B$B=FF=FE?= =?x-none?Q?=80=81?=\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B\xff\xfe\x80\x1b";
    deliver(&receiver, "c.example", from, HANAKO.mail, lies).await;
    // Whoever comes next is heard.
    deliver(
        &receiver,
        "c.example",
        from,
        JIRO.mail,
        b"Subject: plain\r\n\r\nbuy",
    )
    .await;
    otori.settled().await;
    receiver.stop().await;
    let subjects = school.iter().map(|canary| {
        let sighting = sighting(&otori, canary.id.as_str());
        assert_eq!(sighting["from"], from);
        sighting["summary"].as_str().unwrap().to_owned()
    });
    let subjects: Vec<String> = subjects.collect();
    assert_eq!(
        (subjects[0].as_str(), subjects[2].as_str()),
        ("deep", "plain")
    );
    assert!(!subjects[1].contains(char::is_control), "{subjects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_html_in_every_field_of_a_mail_are_words() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE]).await;
    let receiver = otori.receive(&otori.config()).await;
    let evil = "'\"><script>alert(1)</script>'; drop table message;--";
    let mail = format!(
        "From: \"{0}\" <a@broker.example>\r\nTo: {0}\r\nSubject: {0}\r\nMessage-ID: <{0}>\r\n\
         List-Id: {0}\r\nList-Unsubscribe: <https://broker.example/{0}>\r\nContent-Type: text/html; \
         name=\"{0}\"\r\n\r\n<img src=x onerror=alert(1)>{0}",
        evil.replace('"', "\\\"")
    );
    let from = "\"'><script>1</script>';drop table sighting;--\"@broker.example";
    deliver(
        &receiver,
        "<script>';--",
        from,
        KEISUKE.mail,
        mail.as_bytes(),
    )
    .await;
    otori.settled().await;
    let canary = school[0].id.as_str();
    let shown = sighting(&otori, canary);
    let summary = shown["summary"].as_str().unwrap();
    assert!(summary.contains("drop table message;--"), "{shown}");
    let token = otori.secret("keys/operator.token");
    let incident = format!("/incidents/{}", shown["incident"]);
    for path in ["/", incident.as_str()] {
        let call = Call::get(path).basic("operator", &token);
        let page = call.send(receiver.http).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        // The incident's page tells no subjects.
        if path == "/" {
            assert!(page.body.contains(canary), "{}", page.body);
            assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
        }
        for tag in ["<script", "<img", "'\">"] {
            assert!(!page.body.contains(tag), "{path}: {tag}: {}", page.body);
        }
    }
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_megabytes_is_stored_and_counted_once() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO, JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let long = format!("Subject: long\r\nX: {}\r\n\r\nbuy", "x".repeat(8 << 20));
    let folded = format!(
        "Subject: folded\r\nX: a{}\r\n\r\nbuy",
        "\r\n b".repeat(1 << 20)
    );
    let many = format!("Subject: many\r\n{}\r\nbuy", "X-Y: z\r\n".repeat(500_000));
    let from = "list@broker.example";
    for (mail, who) in [(&long, KEISUKE), (&folded, HANAKO), (&many, JIRO)] {
        deliver(&receiver, "c.example", from, who.mail, mail.as_bytes()).await;
    }
    otori.settled().await;
    receiver.stop().await;
    for (canary, subject) in school.iter().zip(["long", "folded", "many"]) {
        assert_eq!(sighting(&otori, canary.id.as_str())["summary"], subject);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_html_in_every_field_of_calls_letters_attempts_and_reports_are_words() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    otori.write_secret("keys/login.secret", "of the shop's own application");
    let config = ReceiveConfig {
        login: LoginConfig {
            secret_file: Some("keys/login.secret".into()),
        },
        ..otori.config()
    };
    let receiver = otori.receive(&config).await;
    let evil = "'\"><script>alert(1)</script><img src=x>'; drop table sighting;--";
    let phone = otori.secret("keys/phone.secret");
    let secret = otori.secret("keys/login.secret");
    for kind in ["call", "sms"] {
        let call = serde_json::json!({ "to": "03-0123-4567", "from": evil, "kind": kind,
            "text": format!("髙橋 圭祐様 {evil}"), "id": format!("{kind} {evil}") });
        let told = signed("/hooks/phone", &phone, &call.to_string());
        assert_eq!(told.send(receiver.http).await.status, 200);
    }
    let attempt = serde_json::json!({ "account": HANAKO.mail, "kind": "login", "ip": "192.0.2.7",
        "user_agent": evil, "id": evil });
    let told = signed("/hooks/login", secret.trim(), &attempt.to_string());
    assert_eq!(told.send(receiver.http).await.status, 200);
    let fields: Vec<(&str, &str)> = ["sender", "return_address", "postmark", "customer", "note"]
        .into_iter()
        .map(|field| (field, evil))
        .chain([
            ("addressee", "青木 花子"),
            ("address", "東京都千代田区霞が関9-12-8 囮ハイツ708"),
        ])
        .collect();
    let filed = post::file(&otori, &receiver, &fields, post::PNG).await;
    assert_eq!(filed.status, 200, "{}", filed.body);
    // Whoever it is for is typed by hand as well, and shown again where it is nobody.
    let lost = [
        ("addressee", evil),
        ("postcode", evil),
        ("address", evil),
        ("note", evil),
    ];
    let again = post::file(&otori, &receiver, &lost, post::PNG).await;
    let records = otori.dir().join("records.csv");
    let quoted = evil.replace('"', "\"\"");
    let line = format!(
        "to,from,id,duration,kind\n03-0123-4567,\"{quoted}\",\"{quoted}\",\"{quoted}\",call\n"
    );
    std::fs::write(&records, line).unwrap();
    otori.json(&["calls", "import", records.to_str().unwrap()]);
    let reports = otori.dir().join("reports.csv");
    let line = format!(
        "at,about,via,id,note\n2026-01-05,\"{quoted}\",\"{quoted}\",\"{quoted}\",\"{quoted}\"\n"
    );
    std::fs::write(&reports, line).unwrap();
    otori.json(&["reports", "import", reports.to_str().unwrap()]);
    otori.settled().await;

    let shown = otori.json(&["sightings"]);
    let sightings = shown["sightings"].as_array().unwrap();
    assert_eq!(sightings.len(), 7, "{shown}");
    let says = |sighting: &&serde_json::Value| {
        let text = sighting.to_string();
        text.contains("<script>") && text.contains("drop table sighting")
    };
    assert!(sightings.iter().all(|one| says(&one)), "{shown}");
    let (operator, mailroom) = (
        otori.secret("keys/operator.token"),
        otori.secret("keys/mailroom.token"),
    );
    let incidents = otori.json(&["incidents"]);
    let incidents = incidents["incidents"].as_array().unwrap();
    assert!(!incidents.is_empty());
    let mut pages = vec![filed, again];
    for incident in incidents {
        let path = format!("/incidents/{}", incident["id"]);
        pages.push(
            Call::get(&path)
                .basic("operator", &operator)
                .send(receiver.http)
                .await,
        );
    }
    for (path, user, token) in [
        ("/", "operator", &operator),
        ("/drop", "mailroom", &mailroom),
    ] {
        pages.push(Call::get(path).basic(user, token).send(receiver.http).await);
    }
    for page in &pages {
        assert_eq!(page.status, 200, "{page:?}");
        for tag in ["<script", "<img", "'\">"] {
            assert!(!page.body.contains(tag), "{tag}: {}", page.body);
        }
    }
    assert!(
        pages
            .iter()
            .any(|page| page.body.contains("&lt;script&gt;"))
    );
    otori.json(&["evidence", "verify"]);
    receiver.stop().await;
}
