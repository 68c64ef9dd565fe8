//! Those who use the stolen rows: a real mail, a real webhook, a real form.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::Request;
use hyper_util::rt::TokioIo;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sha1::Sha1;
use tokio::net::TcpStream;

/// A scan of an envelope: the sender's corner, as a mail room's camera sees it.
const ENVELOPE: &[u8] = include_bytes!("envelope.png");

/// Sends an advertisement, as a firm that bought the list would; returns when the receiver has
/// answered 250.
///
/// # Errors
/// The receiver did not take it.
pub(super) async fn mail(smtp: SocketAddr, to: &str, japanese: bool) -> anyhow::Result<()> {
    let (subject, body) = match japanese {
        true => (
            "【ご案内】秋の特別キャンペーン",
            "お得な商品のお知らせです。\r\n",
        ),
        false => ("A special offer for you", "Only this week.\r\n"),
    };
    let message = Message::builder()
        .message_id(None)
        .from("Sales <sales@list-buyer.example>".parse()?)
        .to(to.parse()?)
        .subject(subject)
        .body(body.to_owned())?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.ip().to_string())
        .port(smtp.port())
        .build();
    transport
        .send(message)
        .await
        .context("the receiver did not take the mail")?;
    Ok(())
}

/// Reports a call as Twilio does: a form, signed with the account's auth token.
///
/// # Errors
/// The receiver did not answer 2xx.
pub(super) async fn call(
    http: SocketAddr,
    public_url: &str,
    token: &str,
    from: &str,
    to: &str,
) -> anyhow::Result<()> {
    let path = "/hooks/twilio/voice";
    let mut parameters = [
        ("CallSid", "CA00000000000000000000000000000001"),
        ("CallStatus", "ringing"),
        ("From", from),
        ("To", to),
    ];
    parameters.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes())?;
    mac.update(public_url.as_bytes());
    mac.update(path.as_bytes());
    for (name, value) in parameters {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature);
    post(http, request, body.into_bytes()).await
}

/// Files a letter, as the mail room does: the picture, and what is written on the envelope.
///
/// # Errors
/// The receiver did not answer 2xx.
pub(super) async fn letter(
    http: SocketAddr,
    token: &str,
    addressee: &str,
    postcode: &str,
    address: &str,
) -> anyhow::Result<()> {
    const BOUNDARY: &str = "otori-demo-7d1f";
    let mut body = Vec::new();
    for (name, value) in [
        ("addressee", addressee),
        ("postcode", postcode),
        ("address", address),
        ("sender", "List Buyer K.K., Juku Division"),
        ("note", ""),
    ] {
        let part = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let part = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"scan.png\"\r\n\
         content-type: image/png\r\n\r\n"
    );
    body.extend_from_slice(part.as_bytes());
    body.extend_from_slice(ENVELOPE);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let credentials = STANDARD.encode(format!("mailroom:{token}"));
    let request = Request::post("/drop")
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .header("authorization", format!("Basic {credentials}"));
    post(http, request, body).await
}

async fn post(
    http: SocketAddr,
    request: hyper::http::request::Builder,
    body: Vec<u8>,
) -> anyhow::Result<()> {
    let stream = TcpStream::connect(http).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = request
        .header("host", http.to_string())
        .body(axum::body::Body::from(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    ensure!(status.is_success(), "the receiver answered {status}");
    drop(sender);
    // The connection's own end says nothing that the status has not said.
    let _ = connection.await;
    Ok(())
}
