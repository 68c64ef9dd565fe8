//! Mails made to break who reads them: each is stored, counted once, and stops nobody.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::web::Call;
use super::{HANAKO, JIRO, KEISUKE};
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
