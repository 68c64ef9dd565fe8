//! Alerts to a web address: otori's own JSON, or what Slack and Teams take.
//!
//! Nothing but the configured address is asked: redirections are not followed. Requests may be signed, and
//! carry a name that is the same for every try, so that a receiver can tell a repeat.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use super::text::Told;
use super::{Error, WebhookConfig, WebhookFormat};
use crate::registry::Alert;
use crate::relay::is_loopback;
use crate::secret::Secret;
use crate::workspace::read_private;

/// A receiver that does not answer within this time has not taken the alert.
const PATIENCE: Duration = Duration::from_secs(20);

/// The address, or the file that holds it.
enum Address {
    Given(Url),
    /// Read anew for every alert: one that was replaced is used at once.
    File(PathBuf),
}

/// One web address that is told.
pub struct Webhook {
    table: String,
    address: Address,
    format: WebhookFormat,
    secret: Option<Secret>,
    client: reqwest::Client,
}

impl Webhook {
    /// The webhook that a table of the configuration asks for; nothing is connected yet.
    ///
    /// # Errors
    /// It names no address, or two, or one that is not HTTPS; or a file cannot be used.
    pub fn new(config: &WebhookConfig, dir: &Path) -> Result<Webhook, Error> {
        let table = format!("[[alert.webhook]] '{}'", config.name);
        let wrong = |message: String| Error::config(&table, message);
        let address = match (&config.url, &config.url_file) {
            (Some(text), None) => Address::Given(parse(text, &table)?),
            (None, Some(file)) => Address::File(dir.join(file)),
            _ => return Err(wrong("say either url or url_file".to_owned())),
        };
        let mut client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("otori");
        if let Some(file) = &config.roots {
            let path = dir.join(file);
            let read = crate::roots::read(&path);
            for root in read.map_err(|error| wrong(format!("roots: {error}")))? {
                let root = reqwest::Certificate::from_der(&root);
                let broken = |error| wrong(format!("roots: {}: {error}", path.display()));
                client = client.add_root_certificate(root.map_err(broken)?);
            }
        }
        let secret = config.secret_file.as_deref();
        let secret = secret.map(|file| Secret::read(dir, file)).transpose()?;
        let client = client.build().map_err(|error| wrong(error.to_string()))?;
        let webhook = Webhook {
            table,
            address,
            format: config.format,
            secret,
            client,
        };
        webhook.url()?;
        Ok(webhook)
    }

    fn url(&self) -> Result<Url, Error> {
        match &self.address {
            Address::Given(url) => Ok(url.clone()),
            Address::File(path) => parse(&Zeroizing::new(read_private(path)?), &self.table),
        }
    }

    /// Sends one alert.
    ///
    /// # Errors
    /// The address cannot be reached, or does not answer 2xx.
    pub async fn send(&self, alert: &Alert, told: &Told) -> Result<(), Error> {
        let body = match self.format {
            WebhookFormat::Generic => generic(alert, told),
            WebhookFormat::Slack => slack(told),
            WebhookFormat::Teams => teams(told),
        };
        let body = body.to_string().into_bytes();
        let mut request = self
            .client
            .post(self.url()?)
            .header("content-type", "application/json")
            .header("x-otori-alert", told.name(alert));
        if let Some(secret) = &self.secret {
            let timestamp = OffsetDateTime::now_utc().unix_timestamp().to_string();
            let signature = secret.hmac_sha256(&[timestamp.as_bytes(), b".", &body]);
            let signature = crate::evidence::hex(&signature);
            request = request
                .header("x-otori-timestamp", timestamp)
                .header("x-otori-signature", format!("sha256={signature}"));
        }
        let answer = request.body(body).send().await.map_err(unreached)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Error::Answer(status.as_u16())),
        }
    }
}

/// An address that alerts may go to in the open: HTTPS, or this machine.
fn parse(text: &str, table: &str) -> Result<Url, Error> {
    let wrong = |message: &str| Error::config(table, message);
    let url = Url::parse(text.trim());
    let url = url.map_err(|_| wrong("its address must be like https://host/path"))?;
    match url.scheme() {
        "https" if url.host_str().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(wrong(
            "its address must be https://: an alert would cross the network in plain text",
        )),
        _ => Err(wrong("its address must be like https://host/path")),
    }
}

/// Why, from the lowest cause, and without the address.
fn unreached(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut below = std::error::Error::source(&error);
    while let Some(error) = below {
        why = error.to_string();
        below = error.source();
    }
    Error::Unreached(why)
}

/// The facts as the registry gives them, with what a person reads.
fn generic(alert: &Alert, told: &Told) -> Value {
    let facts: Value = serde_json::from_str(&alert.body).unwrap_or_default();
    json!({
        "version": 1,
        "id": told.name(alert),
        "alert": alert.id,
        "kind": told.kind(),
        "subject": told.subject(),
        "text": told.text(),
        "facts": facts,
    })
}

fn slack(told: &Told) -> Value {
    let plain = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;")
    };
    let (subject, text) = (plain(&told.subject()), plain(&told.text()));
    json!({ "text": format!("*{subject}*\n```\n{text}```") })
}

fn teams(told: &Told) -> Value {
    let block = |text: String, more: Value| {
        let mut block = json!({ "type": "TextBlock", "text": text, "wrap": true });
        if let (Value::Object(block), Value::Object(more)) = (&mut block, more) {
            block.extend(more);
        }
        block
    };
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [
                    block(told.subject(), json!({ "weight": "Bolder", "size": "Medium" })),
                    // A single line break is none in a card.
                    block(told.text().replace('\n', "\n\n"), json!({ "fontType": "Monospace" })),
                ],
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_may_be_written_to_and_is_never_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let new = |toml: &str| {
            let config: WebhookConfig = toml::from_str(toml).unwrap();
            assert!(!format!("{config:?}").contains("t0psecret"));
            Webhook::new(&config, dir.path())
        };
        assert!(new("name = 'a'\nurl = 'https://hooks.example/t0psecret'").is_ok());
        assert!(new("name = 'a'\nurl = 'http://127.0.0.1:9/t0psecret'").is_ok());
        let exposed = dir.path().join("exposed.url");
        std::fs::write(&exposed, "https://hooks.example/t0psecret").unwrap();
        let wide = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&exposed, wide).unwrap();
        for (wrong, says) in [
            ("name = 'a'", "either url or url_file"),
            (
                "name = 'a'\nurl = 'http://hooks.example/t0psecret'",
                "must be https://",
            ),
            ("name = 'a'\nurl = 't0psecret'", "must be like"),
            (
                "name = 'a'\nurl = 'ftp://x.example/t0psecret'",
                "must be like",
            ),
            ("name = 'a'\nurl_file = 'exposed.url'", "chmod 600"),
            ("name = 'a'\nurl_file = 'none'", "none"),
        ] {
            let error = new(wrong).err().unwrap().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
            assert!(!error.contains("t0psecret"), "{error}");
        }
    }
}
