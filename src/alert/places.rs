//! The places that are told.

use std::collections::BTreeSet;
use std::path::Path;

use super::mail::Mailer;
use super::syslog::Syslog;
use super::text::Told;
use super::webhook::Webhook;
use super::{AlertConfig, Error};
use crate::registry::Alert;

const MAIL: &str = "mail";
const SYSLOG: &str = "syslog";

enum Way {
    Mail(Mailer),
    Webhook(Webhook),
    Syslog(Syslog),
}

/// A place that is told.
pub struct Place {
    name: String,
    way: Way,
}

/// Every place that the configuration names.
#[derive(Default)]
pub struct Places(Vec<Place>);

impl Place {
    /// Its name in lists, the log and metrics: `mail`, `syslog`, or a webhook's own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells it one alert.
    ///
    /// # Errors
    /// The place did not take it.
    pub async fn send(&self, alert: &Alert) -> Result<(), Error> {
        let told: Told =
            serde_json::from_str(&alert.body).map_err(|_| Error::Unreadable(alert.id))?;
        match &self.way {
            Way::Mail(mailer) => mailer.send(alert, &told).await,
            Way::Webhook(webhook) => webhook.send(alert, &told).await,
            Way::Syslog(syslog) => syslog.send(alert, &told).await,
        }
    }
}

impl Places {
    /// The places that the configuration asks for; nothing is connected yet. Paths are relative to `dir`.
    /// To be called, and dropped, inside a tokio runtime.
    ///
    /// # Errors
    /// A place does not say what it should, or a secret cannot be used.
    pub fn new(config: &AlertConfig, dir: &Path) -> Result<Places, Error> {
        let mut places = Vec::new();
        let mut put = |name: &str, way| {
            let name = name.to_owned();
            places.push(Place { name, way });
        };
        if let Some(mailer) = Mailer::new(config, dir)? {
            put(MAIL, Way::Mail(mailer));
        }
        let mut names = BTreeSet::from([MAIL, SYSLOG]);
        for hook in &config.webhook {
            let name = hook.name.as_str();
            let wrong = |why: &str| Error::config(format!("[[alert.webhook]] '{name}'"), why);
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
                return Err(wrong(
                    "name must be 1 to 40 letters, digits, '-' or '_': it stands in lists and metrics",
                ));
            }
            if !names.insert(name) {
                return Err(wrong("name is taken: each place has its own"));
            }
            put(name, Way::Webhook(Webhook::new(hook, dir)?));
        }
        if let Some(syslog) = &config.syslog {
            put(SYSLOG, Way::Syslog(Syslog::new(syslog)?));
        }
        Ok(Places(places))
    }

    /// Whether nobody is told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|place| place.name.clone()).collect()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_place_has_a_name_of_its_own() {
        let new = |toml: &str| Places::new(&toml::from_str(toml).unwrap(), Path::new("/nowhere"));
        assert!(new("").unwrap().is_empty());
        let hook =
            |name: &str| format!("[[webhook]]\nname = '{name}'\nurl = 'https://x.example'\n");
        let two = format!("{}{}[syslog]\nto = 'unix:/dev/log'", hook("a"), hook("b-2"));
        assert_eq!(new(&two).unwrap().names(), ["a", "b-2", "syslog"]);
        for wrong in [
            hook("a") + &hook("a"),
            hook("mail"),
            hook(""),
            hook("a b"),
            hook("社内"),
        ] {
            assert!(new(&wrong).is_err(), "{wrong}");
        }
    }
}
