//! A small HTTP client that can also lie, and the pages, the API and the door.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{HANAKO, KEISUKE};
use crate::harness::Otori;

/// A request in the making.
pub struct Call {
    method: &'static str,
    path: String,
    headers: String,
    body: Vec<u8>,
}

/// A webhook's request that is signed now.
pub fn signed(path: &str, secret: &str, body: &str) -> Call {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    signed_for(path, secret, (now, now), body)
}

/// Signed for the first second, and sent as if it were of the other.
pub fn signed_for(path: &str, secret: &str, (at, sent_at): (i64, i64), body: &str) -> Call {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let tag = mac.finalize().into_bytes();
    let signature: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    Call::post(path, body)
        .header("X-Otori-Timestamp", &sent_at.to_string())
        .header("X-Otori-Signature", &format!("sha256={signature}"))
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Call {
    pub fn get(path: &str) -> Call {
        Call {
            method: "GET",
            path: path.to_owned(),
            headers: String::new(),
            body: Vec::new(),
        }
    }

    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Call {
        Call {
            method: "POST",
            body: body.into(),
            ..Call::get(path)
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    pub fn basic(self, user: &str, token: &str) -> Call {
        let given = STANDARD.encode(format!("{user}:{token}"));
        self.header("Authorization", &format!("Basic {given}"))
    }

    pub async fn send(self, to: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n",
            self.method,
            self.path,
            self.body.len(),
            self.headers
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has refused already does not read the rest.
        let _ = stream.write_all(&self.body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {answer:?}"));
        Answer {
            status: head[9..12].parse().unwrap(),
            headers: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
}

#[tokio::test]
async fn who_asks_for_nothing_keeps_nobody_waiting() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(receiver.http).await.unwrap();
        if number % 2 == 0 {
            // Half a header is no question.
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        }
        idle.push(stream);
    }
    let began = Instant::now();
    assert_eq!(Call::get("/livez").send(receiver.http).await.status, 200);
    // They would be cut off after ten seconds.
    assert!(began.elapsed() < Duration::from_secs(5));
    let mut first = Vec::new();
    let closed = idle[0].read_to_end(&mut first);
    let closed = tokio::time::timeout(Duration::from_secs(5), closed).await;
    assert!(closed.is_ok(), "the first has left");
}

#[tokio::test]
async fn health_is_open_and_everything_else_is_closed() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    assert_eq!(Call::get("/livez").send(receiver.http).await.status, 200);
    assert_eq!(Call::get("/readyz").send(receiver.http).await.status, 200);
    let (operator, mailroom) = (
        otori.secret("keys/operator.token"),
        otori.secret("keys/mailroom.token"),
    );
    for path in ["/", "/drop", "/api/sightings", "/api/incidents"] {
        let closed = Call::get(path).send(receiver.http).await;
        assert_eq!(closed.status, 401, "{path}");
        assert!(
            !format!("{}{}", closed.headers, closed.body).contains("otori"),
            "{closed:?}"
        );
        for (user, token) in [
            ("operator", "wrong"),
            ("operator", ""),
            ("", operator.as_str()),
            ("mailroom", operator.as_str()),
            ("nobody", operator.as_str()),
        ] {
            assert_eq!(
                Call::get(path)
                    .basic(user, token)
                    .send(receiver.http)
                    .await
                    .status,
                401,
                "{path} {user}"
            );
        }
        let open = Call::get(path)
            .basic("operator", &operator)
            .send(receiver.http)
            .await;
        assert_eq!(open.status, 200, "{path}");
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(open.headers.contains(header), "{path}: {}", open.headers);
        }
        let limited = Call::get(path)
            .basic("mailroom", &mailroom)
            .send(receiver.http)
            .await;
        assert_eq!(
            limited.status,
            if path == "/drop" { 200 } else { 403 },
            "{path}"
        );
    }
    for header in ["Basic", "Basic !!!", "Bearer x", "Basic b3BlcmF0b3I="] {
        let call = Call::get("/").header("Authorization", header);
        assert_eq!(call.send(receiver.http).await.status, 401, "{header}");
    }
    assert_eq!(
        Call::get("/hooks/phone").send(receiver.http).await.status,
        405
    );
    // Twilio has no token here.
    assert_eq!(
        Call::post("/hooks/twilio/sms", "")
            .send(receiver.http)
            .await
            .status,
        404
    );
    receiver.stop().await;
}

#[tokio::test]
async fn the_dashboard_shows_what_came_and_escapes_it() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let evil = "<script>alert(1)</script>";
    let mail = format!(
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{}>\r\nDATA\r\nSubject: {evil}\r\n\r\n.\r\nQUIT\r\n",
        KEISUKE.mail
    );
    let mut stream = TcpStream::connect(receiver.smtp).await.unwrap();
    stream.write_all(mail.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.contains("queued as"), "{answers}");
    otori.settled().await;
    let token = otori.secret("keys/operator.token");
    let page = Call::get("/")
        .basic("operator", &token)
        .send(receiver.http)
        .await;
    assert!(page.body.contains(school[0].id.as_str()), "{}", page.body);
    assert!(
        page.body.contains("&lt;script&gt;alert(1)"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script"), "{}", page.body);

    let api = Call::get("/api/sightings?source=school&limit=5")
        .basic("operator", &token)
        .send(receiver.http)
        .await;
    let served: serde_json::Value = serde_json::from_str(&api.body).unwrap();
    assert_eq!(served, otori.json(&["sightings"]));
    let api = Call::get("/api/incidents")
        .basic("operator", &token)
        .send(receiver.http)
        .await;
    let served: serde_json::Value = serde_json::from_str(&api.body).unwrap();
    assert_eq!(served, otori.json(&["incidents"]));
    for wrong in ["source=%20", "since=yesterday", "limit=-1", "sauce=x"] {
        let call = Call::get(&format!("/api/sightings?{wrong}")).basic("operator", &token);
        assert_eq!(call.send(receiver.http).await.status, 400, "{wrong}");
    }
    receiver.stop().await;
}
