//! Vonage's webhooks, signed here by Python's own libraries.

use std::process::Command;

use otori::canary::Channel;
use otori::registry::SightingFilter;
use serde_json::json;
use time::OffsetDateTime;

use super::web::Call;
use super::{HANAKO, KEISUKE};
use crate::harness::{Otori, Receiver};

const SECRET: &str = "a signature secret of Vonage's length";

/// What a Python program writes.
fn python(program: &str, arguments: &[&str]) -> String {
    let done = Command::new("python3")
        .args(["-c", program])
        .args(arguments)
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{why}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// A token as Vonage makes one, of this body.
fn token(secret: &str, alg: &str, iat: i64, body: &str) -> String {
    const PROGRAM: &str = r#"
import base64, hashlib, hmac, json, sys
secret, alg, iat, body = sys.argv[1:]
def part(data): return base64.urlsafe_b64encode(data).rstrip(b"=")
claims = {"iat": int(iat), "jti": "c5ba8f24", "iss": "Vonage", "api_key": "a1b2c3",
          "payload_hash": hashlib.sha256(body.encode()).hexdigest()}
signed = part(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
mac = b"" if alg == "none" else hmac.new(secret.encode(), signed, hashlib.sha256).digest()
print((signed + b"." + part(mac)).decode())
"#;
    python(PROGRAM, &[secret, alg, &iat.to_string(), body])
}

/// A form of the SMS API with its `sig`, by MD5 with the secret behind (`md5`) or an HMAC (`hmac-…`).
fn form(secret: &str, method: &str, at: i64, id: &str, text: &str) -> String {
    const PROGRAM: &str = r#"
import hashlib, hmac, sys, urllib.parse
secret, method, at, id, text = sys.argv[1:]
told = {"msisdn": "12025550123", "to": "81301234567", "messageId": id, "text": text,
        "type": "text", "message-timestamp": "2026-03-01 09:00:00", "timestamp": at, "nonce": "x&y=z"}
signed = "".join("&" + k + "=" + told[k].replace("&", "_").replace("=", "_") for k in sorted(told))
if method == "md5": told["sig"] = hashlib.md5((signed + secret).encode()).hexdigest()
else: told["sig"] = hmac.new(secret.encode(), signed.encode(), method[5:]).hexdigest().upper()
print(urllib.parse.urlencode(told))
"#;
    python(PROGRAM, &[secret, method, &at.to_string(), id, text])
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

async fn receiver(otori: &Otori) -> Receiver {
    otori.write_secret("keys/vonage.secret", SECRET);
    let mut config = otori.config();
    config.phone.vonage_secret_file = Some("keys/vonage.secret".into());
    otori.receive(&config).await
}

/// What came, by its channel, text, repeats, and whether it reached a source.
async fn seen(otori: &Otori) -> Vec<(Channel, String, u32, bool)> {
    otori.settled().await;
    let all = SightingFilter::default();
    let mut found = otori.registry.sightings(&all).await.unwrap();
    found.sort_by_key(|sighting| sighting.id);
    (found.into_iter())
        .map(|s| (s.channel, s.actor.summary, s.repeats, s.source.is_some()))
        .collect()
}

#[tokio::test]
async fn a_call_counts_once_whichever_webhook_tells_it_first() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = receiver(&otori).await;
    let told = |uuid: &str| {
        json!({ "to": "81301234567", "from": "12025550123", "uuid": uuid, "direction": "inbound",
                "conversation_uuid": "CON-1", "status": "ringing", "timestamp": "2026-03-01T00:00:00Z" })
        .to_string()
    };
    let send = async |path: &str, body: &str| {
        Call::post(path, body)
            .header("Content-Type", "application/json")
            .header(
                "Authorization",
                &format!("Bearer {}", token(SECRET, "HS256", now(), body)),
            )
            .send(receiver.http)
            .await
    };
    let answer = send("/hooks/vonage/answer", &told("aaa")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    assert_eq!(send("/hooks/vonage/event", &told("aaa")).await.status, 200);
    assert_eq!(send("/hooks/vonage/event", &told("bbb")).await.status, 200);
    assert_eq!(send("/hooks/vonage/event", &told("bbb")).await.status, 200);
    // Vonage asks again when it has not heard our answer.
    assert_eq!(send("/hooks/vonage/answer", &told("aaa")).await.status, 200);
    let outbound = told("ccc").replace("inbound", "outbound");
    assert_eq!(send("/hooks/vonage/event", &outbound).await.status, 200);
    let message = json!({ "channel": "sms", "message_uuid": "m1", "to": "81301234567", "from": "12025550123",
                          "timestamp": "2026-03-01T00:00:00Z", "text": "髙橋 圭祐様 ご案内" });
    let message = message.to_string();
    assert_eq!(send("/hooks/vonage/sms", &message).await.status, 200);
    assert_eq!(send("/hooks/vonage/answer", "{}").await.status, 400);
    assert_eq!(send("/hooks/vonage/answer", "[]").await.status, 400);
    assert_eq!(
        seen(&otori).await,
        [
            (Channel::Phone, String::new(), 1, true),
            (Channel::Phone, String::new(), 0, true),
            (Channel::Sms, "髙橋 圭祐様 ご案内".to_owned(), 0, true),
        ]
    );
    receiver.stop().await;
}

#[tokio::test]
async fn forged_and_old_tokens_are_refused() {
    let otori = Otori::new().await;
    let receiver = receiver(&otori).await;
    let body = r#"{"to":"81301234567","from":"1","uuid":"a","direction":"inbound"}"#;
    let right = token(SECRET, "HS256", now(), body);
    let (signed, _) = right.rsplit_once('.').unwrap();
    let tokens = [
        ("another secret of that length", "HS256", now(), body),
        (SECRET, "none", now(), body),
        (SECRET, "HS512", now(), body),
        (SECRET, "HS256", now() - 310, body),
        (SECRET, "HS256", now() + 400, body),
        (SECRET, "HS256", i64::MIN, body),
        (SECRET, "HS256", now(), "{}"),
    ];
    let mut tokens: Vec<String> = tokens
        .into_iter()
        .map(|(secret, alg, at, body)| token(secret, alg, at, body))
        .collect();
    tokens.extend([String::new(), "a.b".to_owned(), format!("{signed}.")]);
    for path in ["answer", "event", "sms"] {
        for token in &tokens {
            let answer = Call::post(&format!("/hooks/vonage/{path}"), body)
                .header("Authorization", &format!("Bearer {token}"))
                .send(receiver.http)
                .await;
            assert_eq!(answer.status, 403, "{path} {token}");
        }
        let answer = Call::post(&format!("/hooks/vonage/{path}"), body);
        assert_eq!(answer.send(receiver.http).await.status, 403, "{path}");
    }
    assert!(otori.registry.message(1).await.unwrap().is_none());
    receiver.stop().await;
    // Without a secret there is no such webhook.
    let receiver = otori.receive(&otori.config()).await;
    let answer = Call::post("/hooks/vonage/sms", body);
    assert_eq!(answer.send(receiver.http).await.status, 404);
    receiver.stop().await;
}

#[tokio::test]
async fn the_older_signature_is_taken_in_every_form() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let receiver = receiver(&otori).await;
    let post = async |body: &str| {
        Call::post("/hooks/vonage/sms", body)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .send(receiver.http)
            .await
            .status
    };
    let methods = ["md5", "hmac-md5", "hmac-sha1", "hmac-sha256", "hmac-sha512"];
    for method in methods {
        let body = form(SECRET, method, now(), method, "a & b = c");
        assert_eq!(post(&body).await, 200, "{method}");
        assert_eq!(post(&body).await, 200, "{method}");
        assert_eq!(post(&body.replace("12025550123", "12025550124")).await, 403);
        assert_eq!(post(&body.replace("&sig=", "&gis=")).await, 403, "{method}");
        let other = form("another secret of that length", method, now(), "o", "x");
        assert_eq!(post(&other).await, 403, "{method}");
        let old = form(SECRET, method, now() - 310, "old", "x");
        assert_eq!(post(&old).await, 403, "{method}");
    }
    // By GET, and as JSON.
    let query = form(SECRET, "hmac-sha256", now(), "by-get", "x");
    let get = Call::get(&format!("/hooks/vonage/sms?{query}"));
    assert_eq!(get.send(receiver.http).await.status, 200);
    let told = form(SECRET, "hmac-sha256", now(), "json", "x");
    let told: serde_json::Map<String, serde_json::Value> =
        url::form_urlencoded::parse(told.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
    let told = serde_json::Value::from(told).to_string();
    let call = Call::post("/hooks/vonage/sms", told);
    let call = call.header("Content-Type", "application/json");
    assert_eq!(call.send(receiver.http).await.status, 200);
    let found = seen(&otori).await;
    let repeats: Vec<u32> = found.iter().map(|(_, _, repeats, _)| *repeats).collect();
    assert_eq!(repeats, [1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(found[0].1, "a & b = c");
    receiver.stop().await;
}
