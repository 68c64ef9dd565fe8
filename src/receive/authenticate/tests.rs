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
        ..AuthConfig::default()
    };
    let expected = ExpectedConfig {
        source: "shop".parse().unwrap(),
        domains: vec!["shop.example".parse().unwrap()],
    };
    Authenticator::new(&auth, &[expected], Vec::new()).unwrap()
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
    let now = OffsetDateTime::now_utc();
    assert!(
        asks.expects(&shop, "shop.example", now) && asks.expects(&shop, "news.shop.example", now)
    );
    assert!(!asks.expects(&shop, "workshop.example", now) && !asks.expects(&shop, "example", now));
    assert!(!asks.expects(&"club".parse().unwrap(), "shop.example", now));
}

#[tokio::test]
async fn what_a_server_in_front_found_counts_where_it_handed_the_mail_on() {
    let auth = AuthConfig {
        trusted: vec!["mx.our.example".to_owned()],
        ..AuthConfig::default()
    };
    let asks = Authenticator::new(&auth, &[], Vec::new()).unwrap();
    let with = |results: &str| format!("Authentication-Results: {results}\r\n{MAIL}");
    let handed_on = from("bounce@broker.example", None);
    let found = async |sender: &Sender, results: &str| {
        let found = asks.of(sender, with(results).as_bytes()).await;
        (found.proven, found.by, found.not_checked.is_some())
    };
    let ours = || Some("mx.our.example".to_owned());
    let shop = || Some("shop.example".to_owned());
    let pass = "mx.our.example; dmarc=pass header.from=shop.example";
    assert_eq!(found(&handed_on, pass).await, (shop(), ours(), false));
    // A stranger who speaks with us himself may write what he likes.
    let stranger = from("bounce@broker.example", Some("192.0.2.1"));
    assert_eq!(found(&stranger, pass).await, (None, None, true));
    let elsewhere = "mx.elsewhere.example; dmarc=pass header.from=shop.example";
    assert_eq!(found(&handed_on, elsewhere).await, (None, None, true));
    for (results, proven) in [
        (
            "mx.our.example; dmarc=fail header.from=shop.example; dkim=pass header.d=shop.example",
            None,
        ),
        (
            "mx.our.example; dmarc=pass header.from=broker.example",
            None,
        ),
        (
            "mx.our.example; dmarc=none header.from=shop.example; dkim=pass header.d=shop.example",
            shop(),
        ),
        (
            "mx.our.example; spf=pass smtp.mailfrom=a@mail.shop.example",
            shop(),
        ),
        (
            "mx.our.example; spf=pass smtp.mailfrom=a@broker.example; dkim=fail header.d=shop.example",
            None,
        ),
        ("mx.our.example; none", None),
    ] {
        assert_eq!(
            found(&handed_on, results).await,
            (proven, ours(), false),
            "{results}"
        );
    }
    assert!(
        Authenticator::new(
            &AuthConfig {
                trusted: vec!["a b".to_owned()],
                ..auth
            },
            &[],
            Vec::new()
        )
        .is_err()
    );
}

#[tokio::test]
async fn an_expired_signature_proves_nothing_any_more() {
    let records = [("s._domainkey.shop.example", KEY)];
    let asks = asks(name_server(&records, "").await);
    let mail = signed_by("shop.example", 1);
    let nobody = from("bounce@broker.example", None);
    let fresh = asks.of(&nobody, mail.as_bytes()).await;
    // Its time has come within the second, or not yet.
    assert!(fresh.not_checked.is_none());
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let expired = asks.of(&nobody, mail.as_bytes()).await;
    assert_eq!(expired.proven, None, "{}", expired.words());
    assert_ne!(expired.dkim[0].result, "pass", "{}", expired.words());
}

#[tokio::test]
async fn a_forwarders_chain_is_told_and_proves_no_author() {
    let records = [
        ("s._domainkey.shop.example", KEY),
        ("s._domainkey.list.example", KEY),
        ("_dmarc.shop.example", "v=DMARC1; p=reject"),
    ];
    let asks = asks(name_server(&records, "").await);
    let asked = &asks.resolver.as_ref().unwrap().asks;
    // A list takes a mail that is well signed, writes below it, and vouches for what it found.
    let came = signed_by("shop.example", 3600);
    let parsed = AuthenticatedMessage::parse(came.as_bytes()).unwrap();
    let signatures = asked.verify_dkim(&parsed).await;
    let arc = asked.verify_arc(&parsed).await;
    let results = mail_auth::AuthenticationResults::new("mx.list.example");
    let results = results.with_dkim_results(&signatures, "news@shop.example");
    let goes = format!("{came}-- \r\nThe list\r\n");
    let parsed = AuthenticatedMessage::parse(goes.as_bytes()).unwrap();
    let decoded = |text| base64_decode(text).unwrap();
    let key = Ed25519Key::from_seed_and_public_key(&decoded(SECRET), &decoded(PUBLIC)).unwrap();
    let sealer = mail_auth::arc::ArcSealer::from_key(key)
        .domain("list.example")
        .selector("s");
    let sealer = sealer.headers(["From", "To", "Subject"]);
    let set = sealer.seal(&parsed, &results, &arc).unwrap();
    let forwarded = set.to_header() + &goes;
    let found = asks
        .of(&from("list@list.example", None), forwarded.as_bytes())
        .await;
    assert_eq!(found.proven, None, "{}", found.words());
    // mail-auth calls it neutral: the signature holds, and is not of this text.
    assert_ne!(found.dkim[0].result, "pass", "{}", found.words());
    assert_eq!(found.dmarc.as_ref().unwrap().result, "fail");
    let chain = found.arc.as_ref().unwrap();
    assert_eq!(
        (chain.result.as_str(), chain.domain.as_deref()),
        ("pass", Some("list.example"))
    );
    // Changed behind the forwarder, the chain breaks.
    let broken = asks
        .of(
            &from("", None),
            forwarded.replace("Now.", "Pay.").as_bytes(),
        )
        .await;
    assert_ne!(broken.arc.as_ref().unwrap().result, "pass");
}
