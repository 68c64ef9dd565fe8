//! Against a name server that the test feeds, with signatures made by mail-auth's signer.

use std::collections::HashMap;
use std::net::IpAddr;

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_parser::decoders::base64::base64_decode;
use tokio::net::UdpSocket;

use super::*;

/// The key pair of RFC 8463, appendix A.
const SECRET: &[u8] = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC: &[u8] = b"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const MAIL: &str =
    "From: Shop <news@shop.example>\r\nTo: you@decoys.example\r\nSubject: Sale\r\n\r\nNow.\r\n";

/// Answers TXT questions; `broken` is a name whose servers fail.
async fn name_server(records: &[(&str, &str)], broken: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let records: HashMap<String, String> = records
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut packet).await {
            let mut at = 12;
            let mut name = Vec::new();
            while packet[at] != 0 {
                let end = at + 1 + usize::from(packet[at]);
                name.push(String::from_utf8_lossy(&packet[at + 1..end]).to_lowercase());
                at = end;
            }
            let name = name.join(".");
            let question = &packet[12..(at + 5).min(length)];
            let asks_text = question[question.len() - 3] == 16;
            let text = records.get(&name).filter(|_| asks_text);
            let code = match text {
                _ if name.ends_with(broken) && !broken.is_empty() => 2,
                Some(_) => 0,
                None => 3,
            };
            let mut answer = packet[..2].to_vec();
            answer.extend([
                0x81,
                0x80 | code,
                0,
                1,
                0,
                u8::from(text.is_some()),
                0,
                0,
                0,
                0,
            ]);
            answer.extend(question);
            if let Some(text) = text {
                let length = u8::try_from(text.len()).unwrap();
                answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
                answer.extend(text.as_bytes());
            }
            socket.send_to(&answer, client).await.unwrap();
        }
    });
    address
}

fn asks(resolver: SocketAddr) -> Authenticator {
    let auth = AuthConfig {
        resolvers: vec![resolver],
    };
    let expected = ExpectedConfig {
        source: "shop".parse().unwrap(),
        domains: vec!["shop.example".parse().unwrap()],
    };
    Authenticator::new(&auth, &[expected]).unwrap()
}

fn signed_by(domain: &str, expires: u64) -> String {
    let decoded = |text| base64_decode(text).unwrap();
    let key = Ed25519Key::from_seed_and_public_key(&decoded(SECRET), &decoded(PUBLIC)).unwrap();
    let signer = DkimSigner::from_key(key).domain(domain).selector("s");
    let signer = signer
        .headers(["From", "To", "Subject"])
        .expiration(expires);
    let signature = signer.sign(MAIL.as_bytes()).unwrap();
    signature.to_header() + MAIL
}

fn from(mail_from: &str, peer: Option<&str>) -> Sender {
    Sender {
        from: mail_from.to_owned(),
        helo: "mx.example".to_owned(),
        peer: peer.map(|peer| peer.parse::<IpAddr>().unwrap()),
    }
}

#[tokio::test]
async fn a_signature_of_the_author_proves_and_a_changed_or_foreign_one_does_not() {
    let records = [
        ("s._domainkey.shop.example", KEY),
        ("s._domainkey.broker.example", KEY),
        ("_dmarc.shop.example", "v=DMARC1; p=reject"),
    ];
    let asks = asks(name_server(&records, "").await);
    let nobody = from("bounce@broker.example", None);
    let good = asks
        .of(&nobody, signed_by("shop.example", 3600).as_bytes())
        .await;
    assert_eq!(
        good.proven.as_deref(),
        Some("shop.example"),
        "{}",
        good.words()
    );
    assert_eq!(good.dmarc.as_ref().unwrap().result, "pass");
    assert_eq!(good.spf.as_ref().unwrap().result, "none");
    let changed = signed_by("shop.example", 3600).replace("Now.", "Pay.");
    let changed = asks.of(&nobody, changed.as_bytes()).await;
    assert_eq!((changed.proven, changed.not_checked), (None, None));
    let foreign = asks
        .of(&nobody, signed_by("broker.example", 3600).as_bytes())
        .await;
    assert_eq!(foreign.dkim[0].result, "pass");
    assert_eq!(foreign.dmarc.as_ref().unwrap().result, "fail");
    assert_eq!(foreign.proven, None);
    let unsigned = asks.of(&nobody, MAIL.as_bytes()).await;
    assert_eq!(unsigned.dmarc.as_ref().unwrap().result, "fail");
    let two = MAIL.replace("Shop <", "a@broker.example, Shop <");
    assert_eq!(asks.of(&nobody, two.as_bytes()).await.proven, None);
}

#[tokio::test]
async fn a_client_that_the_author_lets_send_proves_without_a_policy() {
    let records = [("shop.example", "v=spf1 ip4:192.0.2.1 -all")];
    let asks = asks(name_server(&records, "").await);
    let raw = MAIL.as_bytes();
    let ours = asks
        .of(&from("b@shop.example", Some("192.0.2.1")), raw)
        .await;
    assert_eq!(
        ours.proven.as_deref(),
        Some("shop.example"),
        "{}",
        ours.words()
    );
    let other = asks
        .of(&from("b@shop.example", Some("192.0.2.9")), raw)
        .await;
    assert_eq!(other.spf.as_ref().unwrap().result, "fail");
    assert_eq!(other.proven, None);
    // No client, no SPF; and a client of another domain's proves that domain only.
    let none = asks.of(&from("b@shop.example", None), raw).await;
    assert_eq!(none.proven, None);
}

#[tokio::test]
async fn a_failed_signature_hides_no_failure_that_passes() {
    let records = [("s._domainkey.shop.example", KEY)];
    let asks = asks(name_server(&records, "broken.example").await);
    let changed = signed_by("shop.example", 3600).replace("Now.", "Pay.");
    let sender = from("b@broken.example", Some("192.0.2.1"));
    let found = asks.of(&sender, changed.as_bytes()).await;
    assert_eq!(found.spf.as_ref().unwrap().result, "temperror");
    assert_eq!(
        found.not_checked.as_deref(),
        Some("a domain's records could not be had")
    );
    // The resolver did answer: a stranger's broken domain stops nobody's checks.
    let good = signed_by("shop.example", 3600);
    let good = asks.of(&from("", None), good.as_bytes()).await;
    assert_eq!(
        good.proven.as_deref(),
        Some("shop.example"),
        "{}",
        good.words()
    );
}

#[tokio::test]
async fn a_resolver_that_is_away_is_left_alone() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let asks = asks(silent.local_addr().unwrap());
    let sender = from("b@shop.example", Some("192.0.2.1"));
    for _ in 0..2 {
        let found = asks.of(&sender, MAIL.as_bytes()).await;
        assert_eq!(found, Authentication::not_checked("the resolver is away"));
    }
    let off = Authenticator::off().of(&sender, MAIL.as_bytes()).await;
    assert_eq!(
        off.not_checked.as_deref(),
        Some("no resolver is configured")
    );
}

#[test]
fn only_a_sources_own_domains_are_expected() {
    let asks = asks("127.0.0.1:1".parse().unwrap());
    let shop: SourceName = "shop".parse().unwrap();
    assert!(asks.expects(&shop, "shop.example") && asks.expects(&shop, "news.shop.example"));
    assert!(!asks.expects(&shop, "workshop.example") && !asks.expects(&shop, "example"));
    assert!(!asks.expects(&"club".parse().unwrap(), "shop.example"));
}
