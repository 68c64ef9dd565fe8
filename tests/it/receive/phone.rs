//! Phone webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use otori::canary::{Channel, Sighting};
use otori::receive::ReceiveConfig;
use otori::registry::SightingFilter;
use time::OffsetDateTime;

use super::web::{self, Answer, Call};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, Receiver};

fn signed(secret: &str, at: i64, body: &str) -> Call {
    signed_for(secret, at, at, body)
}

/// Signed for one second, and sent as if it were of another.
fn signed_for(secret: &str, at: i64, sent_at: i64, body: &str) -> Call {
    web::signed_for("/hooks/phone", secret, (at, sent_at), body)
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

pub async fn tell(otori: &Otori, receiver: &Receiver, body: serde_json::Value) -> Answer {
    let secret = otori.secret("keys/phone.secret");
    signed(&secret, now(), &body.to_string())
        .send(receiver.http)
        .await
}

async fn sightings(otori: &Otori) -> Vec<Sighting> {
    otori.settled().await;
    let mut sightings = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    // What cannot be settled with others is settled after them.
    sightings.sort_by_key(|sighting| (sighting.message, sighting.id));
    sightings
}

#[tokio::test]
async fn a_call_points_at_what_its_canaries_share() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let call = |kind: &str, text: &str, id: &str| serde_json::json!({ "to": "03-0123-4567", "from": "+81300000000", "at": "2026-03-01T09:00:00+09:00", "kind": kind, "text": text, "id": id });
    for (kind, text, id) in [
        ("call", "", "1"),
        ("sms", "髙橋 圭祐様 塾のご案内", "2"),
        ("sms", "アオキさんに特別なご案内", "3"),
        ("sms", "ご案内", "4"),
    ] {
        let answer = tell(&otori, &receiver, call(kind, text, id)).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"accepted":true,"repeat":false}"#)
        );
    }
    // Retried by the telephone system.
    let again = tell(&otori, &receiver, call("call", "", "1")).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (200, r#"{"accepted":true,"repeat":true}"#)
    );
    let elsewhere = serde_json::json!({ "to": "+12025550123", "kind": "call" });
    assert_eq!(tell(&otori, &receiver, elsewhere).await.status, 200);

    let found = sightings(&otori).await;
    let seen: Vec<_> = found
        .iter()
        .map(|s| {
            (
                s.channel,
                s.source.as_ref().map(|s| s.as_str()),
                s.canary.clone(),
                s.repeats,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Channel::Phone, Some("school"), None, 1),
            (Channel::Sms, Some("school"), Some(school[0].id.clone()), 0),
            (Channel::Sms, Some("school"), Some(school[1].id.clone()), 0),
            (Channel::Sms, Some("school"), None, 0),
            (Channel::Phone, None, None, 0),
        ]
    );
    assert_eq!(found[0].batch, Some(school[0].batch.clone()));
    assert_eq!(found[1].actor.from, "+81300000000");

    // Another source with the same number: a call alone no longer tells which.
    otori.plant("shop", &[JIRO]).await;
    let _ = tell(&otori, &receiver, call("call", "", "5")).await;
    let _ = tell(&otori, &receiver, call("sms", "渡辺次郎様", "6")).await;
    let found = sightings(&otori).await;
    assert_eq!(found[5].source, None);
    assert_eq!(found[6].source.as_ref().unwrap().as_str(), "shop");
    receiver.stop().await;
}

#[tokio::test]
async fn forged_and_old_webhooks_are_refused() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let secret = otori.secret("keys/phone.secret");
    let body = r#"{"to":"03-0123-4567","kind":"call"}"#;
    for (call, status) in [
        (Call::post("/hooks/phone", body), 403),
        (signed("not the secret at all", now(), body), 403),
        (signed(&secret, now() - 301, body), 403),
        (signed(&secret, now() + 400, body), 403),
        (signed(&secret, i64::MIN, body), 403),
        (signed_for(&secret, now() - 400, now(), body), 403),
        (signed(&secret, now(), "{}"), 400),
        (signed(&secret, now(), r#"{"to":"","kind":"call"}"#), 400),
        (
            signed(&secret, now(), r#"{"to":"1","kind":"call","at":"noon"}"#),
            400,
        ),
        (signed(&secret, now(), "not json"), 400),
        (
            signed(
                &secret,
                now(),
                &format!(
                    r#"{{"to":"1","kind":"sms","text":"{}"}}"#,
                    "x".repeat(70_000)
                ),
            ),
            413,
        ),
    ] {
        assert_eq!(call.send(receiver.http).await.status, status);
    }
    assert!(otori.registry.message(1).await.unwrap().is_none());

    // Replayed within the five minutes: counted once.
    let at = now();
    for repeat in ["false", "true"] {
        let answer = signed(
            &secret,
            at,
            r#"{"to":"03-0123-4567","kind":"call","from":"x"}"#,
        )
        .send(receiver.http)
        .await;
        assert!(
            answer.body.contains(&format!("\"repeat\":{repeat}")),
            "{answer:?}"
        );
    }
    receiver.stop().await;
}

#[tokio::test]
async fn twilio_is_known_by_its_signature() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    otori.write_secret("keys/twilio.token", "0123456789abcdef0123456789abcdef\n");
    let mut config = ReceiveConfig {
        public_url: Some("https://hooks.shop.example/".to_owned()),
        ..otori.config()
    };
    config.phone.twilio_token_file = Some("keys/twilio.token".into());
    let receiver = otori.receive(&config).await;

    // Made with openssl dgst -sha1 -hmac over the URL and the sorted parameters.
    let sms = "ToCountry=JP&MessageSid=SM0123456789&Body=%E9%AB%98%E6%A9%8B%E5%9C%AD%E7%A5%90%E6%A7%98+%2B1&From=%2B12025550123&To=%2B81301234567";
    let sms_signature = "jYqyMggj8XUrAH1CmOyBcPZ861M=";
    let voice = "CallSid=CA0123456789&From=%2B12025550123&To=%2B81301234567&CallStatus=ringing";
    let voice_signature = "B441k6FIOOuI+IF1X/3Cog7FyvM=";
    let send = async |path: &str, body: &str, signature: &str| {
        Call::post(path, body)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Twilio-Signature", signature)
            .send(receiver.http)
            .await
    };
    let answer = send("/hooks/twilio/sms", sms, sms_signature).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "<Response/>"));
    assert!(answer.headers.contains("content-type: text/xml"));
    let answer = send("/hooks/twilio/voice?line=1", voice, voice_signature).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "<Response><Reject/></Response>")
    );
    // Twilio tries again when it has not heard our answer.
    assert_eq!(
        send("/hooks/twilio/sms", sms, sms_signature).await.status,
        200
    );

    let changed = sms.replace("0123&To", "0124&To");
    for (path, body, signature) in [
        ("/hooks/twilio/sms", sms, ""),
        ("/hooks/twilio/sms", sms, "AAAA"),
        ("/hooks/twilio/sms", sms, voice_signature),
        ("/hooks/twilio/sms", changed.as_str(), sms_signature),
        ("/hooks/twilio/voice", voice, voice_signature),
        ("/hooks/twilio/voice?line=2", voice, voice_signature),
        ("/hooks/twilio/sms?line=1", sms, sms_signature),
    ] {
        assert_eq!(
            send(path, body, signature).await.status,
            403,
            "{path} {signature}"
        );
    }
    let unsigned = Call::post("/hooks/twilio/sms", sms);
    assert_eq!(unsigned.send(receiver.http).await.status, 403);
    receiver.stop().await;

    let found = sightings(&otori).await;
    let seen: Vec<_> = found
        .iter()
        .map(|s| {
            (
                s.channel,
                s.repeats,
                s.source.is_some(),
                s.actor.summary.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Channel::Sms, 1, true, "高橋圭祐様 +1"),
            (Channel::Phone, 0, true, ""),
        ]
    );
}

#[tokio::test]
async fn what_was_said_after_the_tone_is_a_contact_beside_its_call() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let token = "0123456789abcdef0123456789abcdef";
    otori.write_secret("keys/twilio.token", token);
    let mut config = ReceiveConfig {
        public_url: Some("https://hooks.shop.example".to_owned()),
        ..otori.config()
    };
    config.phone.twilio_token_file = Some("keys/twilio.token".into());
    let receiver = otori.receive(&config).await;
    let send = async |path: &str, parameters: &[(&str, &str)]| {
        let mut sorted = parameters.to_vec();
        sorted.sort_unstable();
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
        mac.update(format!("https://hooks.shop.example{path}").as_bytes());
        for (name, value) in &sorted {
            mac.update(format!("{name}{value}").as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(parameters).finish();
        Call::post(path, body)
            .header("X-Twilio-Signature", &signature)
            .send(receiver.http)
            .await
            .status
    };
    let call = [
        ("CallSid", "CA1"),
        ("From", "+12025550123"),
        ("To", "+81301234567"),
    ];
    let said = [
        ("TranscriptionSid", "TR1"),
        ("TranscriptionText", "高橋圭祐さんはいますか"),
    ];
    let said = [&call[..], &said[..]].concat();
    assert_eq!(send("/hooks/twilio/voice", &call).await, 200);
    for _ in 0..2 {
        assert_eq!(send("/hooks/twilio/transcription", &said).await, 200);
    }
    assert_eq!(send("/hooks/twilio/transcription", &call).await, 400);
    receiver.stop().await;
    let found = sightings(&otori).await;
    let seen: Vec<_> = found
        .iter()
        .map(|s| (s.canary.clone(), s.repeats))
        .collect();
    assert_eq!(seen, [(None, 0), (Some(school[0].id.clone()), 1)]);
}

/// Base64 of HMAC-SHA-1, by openssl.
fn openssl(token: &str, text: &str) -> String {
    let program = r#"printf %s "$2" | openssl dgst -sha1 -hmac "$1" -binary | openssl base64 -A"#;
    let done = std::process::Command::new("sh")
        .args(["-c", program, "sh", token, text])
        .output()
        .unwrap();
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test]
async fn a_recording_is_kept_with_its_call_and_a_json_body_is_signed_whole() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let token = "0123456789abcdef0123456789abcdef";
    otori.write_secret("keys/twilio.token", token);
    let mut config = ReceiveConfig {
        public_url: Some("https://hooks.shop.example".to_owned()),
        ..otori.config()
    };
    config.phone.twilio_token_file = Some("keys/twilio.token".into());
    let receiver = otori.receive(&config).await;
    let send = async |path: &str, signed: &str, body: &str| {
        let signature = openssl(token, &format!("https://hooks.shop.example{signed}"));
        let call = Call::post(path, body).header("X-Twilio-Signature", &signature);
        call.send(receiver.http).await.status
    };
    let voice = "/hooks/twilio/voice";
    let signed = format!("{voice}CallSidCA7From+12025550123To+81301234567");
    let call = "CallSid=CA7&From=%2B12025550123&To=%2B81301234567";
    assert_eq!(send(voice, &signed, call).await, 200);
    // Nothing listens at that address, and nothing asks.
    let recording = "/hooks/twilio/recording";
    let url = "http://127.0.0.1:9/RE1";
    let signed =
        format!("{recording}CallSidCA7RecordingDuration12RecordingSidRE1RecordingUrl{url}");
    let body = "CallSid=CA7&RecordingSid=RE1&RecordingDuration=12&RecordingUrl=http%3A%2F%2F127.0.0.1%3A9%2FRE1";
    for _ in 0..2 {
        assert_eq!(send(recording, &signed, body).await, 200);
    }
    assert_eq!(send(recording, recording, body).await, 403);
    // Of a call that we were not told of it is the first that we hear.
    let unknown = "CallSid=CA8&RecordingSid=RE2";
    let signed = format!("{recording}CallSidCA8RecordingSidRE2");
    assert_eq!(send(recording, &signed, unknown).await, 400);
    let told = "CallSid=CA8&From=%2B12025550123&RecordingSid=RE2&To=%2B81301234567";
    let signed = format!("{recording}CallSidCA8From+12025550123RecordingSidRE2To+81301234567");
    assert_eq!(send(recording, &signed, told).await, 200);

    let json = r#"{"CallSid":"CA9","From":"+12025550123","To":"+81301234567"}"#;
    let hash = std::process::Command::new("sh")
        .args([
            "-c",
            "printf %s \"$1\" | sha256sum | cut -c1-64",
            "sh",
            json,
        ])
        .output()
        .unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    let path = format!("{voice}?bodySHA256={}", hash.trim());
    assert_eq!(send(&path, &path, json).await, 200);
    let other = json.replace("CA9", "CA0");
    assert_eq!(send(&path, &path, &other).await, 403);
    assert_eq!(send(&path, voice, json).await, 403);
    receiver.stop().await;
    let seen: Vec<_> = sightings(&otori).await;
    // The recording is the second message, and no contact.
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen.iter().all(|s| s.message != 2 && s.repeats == 0));
    let kept = otori.registry.message(2).await.unwrap().unwrap();
    assert!(kept.envelope.contains("\"call\":1"), "{}", kept.envelope);
    assert!(
        String::from_utf8(kept.raw)
            .unwrap()
            .contains("RecordingDuration=12")
    );
}
