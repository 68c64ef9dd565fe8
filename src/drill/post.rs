//! A mail as any firm sends it. Its token stands where every mail has some number: in the Message-ID and in
//! a line of the text.

use std::path::Path;

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncTransport, Message};

use super::{DrillConfig, Error};
use crate::persona::Locale;
use crate::relay::{self, Relay, RelayConfig};

/// Subject and text; `{}` is where the number stands.
type Draft = (&'static str, &'static str);

const JAPANESE: [Draft; 3] = [
    (
        "ご登録内容の確認のお願い",
        "いつもご利用いただき、ありがとうございます。\n\nご登録いただいている内容に変更がないか、\
         お手すきの際にご確認ください。\n変更がない場合、お手続きは必要ありません。\n\n受付番号　{}\n",
    ),
    (
        "資料送付のご案内",
        "お世話になっております。\n\nご請求いただきました資料を、近日中にお送りいたします。\n\
         到着まで今しばらくお待ちください。\n\nお問い合わせ番号　{}\n",
    ),
    (
        "年末年始の営業時間について",
        "平素よりお引き立ていただき、誠にありがとうございます。\n\n年末年始の営業時間は、\
         店頭にてご案内しております。\nどうぞよろしくお願いいたします。\n\n配信番号　{}\n",
    ),
];

const ENGLISH: [Draft; 3] = [
    (
        "Please check your details",
        "Hello,\n\nplease take a moment to check that the details we hold for you are up to date.\n\
         If nothing has changed, there is nothing to do.\n\nReference {}\n",
    ),
    (
        "Your brochure is on its way",
        "Hello,\n\nthank you for your interest. The brochure will be with you in a few days.\n\n\
         Enquiry {}\n",
    ),
    (
        "Opening hours over the holidays",
        "Hello,\n\nour opening hours over the holidays are posted in the shop.\n\
         We look forward to seeing you.\n\nMessage {}\n",
    ),
];

/// Sends drills' mails by the outside path.
pub struct Postman {
    relay: Relay,
}

impl Postman {
    /// The one that the configuration asks for; `None` where it names no relay. To be called, and dropped,
    /// inside a tokio runtime.
    ///
    /// # Errors
    /// See [`RelayConfig::open`].
    pub fn new(config: &DrillConfig, dir: &Path) -> Result<Option<Postman>, relay::Error> {
        let Some(relay) = &config.relay else {
            return Ok(None);
        };
        let server = RelayConfig {
            section: "drill",
            relay,
            user: config.user.as_deref(),
            password_file: config.password_file.as_ref(),
            roots: config.roots.as_ref(),
            from: config.from.as_deref(),
        };
        let relay = server.open(dir)?;
        Ok(Some(Postman { relay }))
    }

    /// Sends one; when this returns, the relay has taken it.
    ///
    /// # Errors
    /// It cannot be made, or the relay did not take it.
    pub async fn send(&self, to: &str, locale: Locale, token: &str) -> Result<(), Error> {
        let from = &self.relay.from;
        let to: Mailbox = to.parse().map_err(|_| Error::Make)?;
        let (subject, text) = draft(locale, token);
        let message = Message::builder()
            .message_id(Some(format!("<{token}@{}>", from.email.domain())))
            .date_now()
            .from(from.clone())
            .to(to.clone())
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| Error::Make)?;
        let envelope = Envelope::new(Some(from.email.clone()), vec![to.email]);
        let envelope = envelope.map_err(|_| Error::Make)?;
        let raw = message.formatted();
        match self.relay.transport.send_raw(&envelope, &raw).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.status() {
                Some(code) => Error::Refused(u16::from(code)),
                None => Error::Relay(error.to_string()),
            }),
        }
    }
}

/// One of several, so that drills do not all read alike.
fn draft(locale: Locale, token: &str) -> (&'static str, String) {
    let drafts = match locale {
        Locale::JaJp => JAPANESE,
        Locale::EnUs => ENGLISH,
    };
    let sum: usize = token.bytes().map(usize::from).sum();
    let (subject, text) = drafts[sum % drafts.len()];
    (subject, text.replace("{}", token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_draft_says_what_it_is() {
        let all = JAPANESE.iter().chain(&ENGLISH);
        for (subject, text) in all {
            assert_eq!(text.matches("{}").count(), 1, "{text}");
            for word in ["otori", "drill", "canary", "囮", "訓練", "テスト", "test"] {
                let said = format!("{subject} {text}").to_lowercase();
                assert!(!said.contains(word), "{word}: {said}");
            }
        }
    }
}
