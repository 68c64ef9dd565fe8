//! SIGHUP: what can change while the receiver runs is read again.
//!
//! These are the certificate, who is expected to write (the campaign calendar, too), and whom alerts go to. All of it is looked at first: a
//! mistake anywhere leaves everything as it was.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Log;
use crate::alert::{self, Places};
use crate::cli::Global;
use crate::receive::{ReceiveConfig, Running};
use crate::registry::Registry;
use crate::workspace::{Config, Workspace};

/// Whoever tells people of incidents; it can give way to another.
pub(super) struct Alerts {
    registry: Registry,
    stop: CancellationToken,
    retire: CancellationToken,
    workers: JoinSet<()>,
}

impl Alerts {
    /// Starts telling these places.
    pub fn start(registry: Registry, places: Places, stop: CancellationToken) -> Alerts {
        let mut alerts = Alerts {
            registry,
            stop,
            retire: CancellationToken::new(),
            workers: JoinSet::new(),
        };
        alerts.tell(places);
        alerts
    }

    fn tell(&mut self, places: Places) {
        self.retire = CancellationToken::new();
        self.workers.spawn(alert::run_until(
            self.registry.clone(),
            places,
            self.retire.clone(),
            self.stop.clone().cancelled_owned(),
        ));
    }

    /// Goes on with these. What is being sent to the former ones is sent.
    fn replace(&mut self, places: Places) {
        while self.workers.try_join_next().is_some() {}
        self.retire.cancel();
        self.tell(places);
    }

    /// Waits until it has ended; whether it did so well.
    pub async fn ended(mut self) -> Result<(), tokio::task::JoinError> {
        while let Some(ended) = self.workers.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// What is in use.
pub(super) struct InUse {
    receive: ReceiveConfig,
}

impl InUse {
    /// What was read at the start.
    pub fn of(config: &Config) -> InUse {
        InUse {
            receive: config.receive.clone(),
        }
    }

    /// Reads the configuration again, and says what came of it.
    pub async fn reload(
        &mut self,
        global: &Global,
        log: Log,
        running: &Running,
        alerts: &mut Alerts,
    ) {
        match self.take(global, running, alerts).await {
            Ok(told) => {
                log.say(&format!("otori.toml was read again: {}", told.join("; ")));
            }
            Err(error) => log.warn(&format!(
                "otori.toml was not taken, and everything stays as it was: {error:#}"
            )),
        }
    }

    async fn take(
        &mut self,
        global: &Global,
        running: &Running,
        alerts: &mut Alerts,
    ) -> anyhow::Result<Vec<String>> {
        let workspace = Workspace::find(global.workspace.as_deref())?;
        let config = workspace.config();
        let places = Places::new(&config.alert, workspace.dir())?;
        running.reload(&config.receive)?;
        let mut told = Vec::new();
        if self.receive.tls.is_some() {
            told.push("the certificate for STARTTLS".to_owned());
        }
        let sources = config.receive.expected.len();
        told.push(format!("expected senders of {sources} sources"));
        let names = match places.is_empty() {
            true => "nobody".to_owned(),
            false => places.names().join(", "),
        };
        told.push(format!("alerts go to {names}"));
        alerts.replace(places);
        self.receive.expected.clone_from(&config.receive.expected);
        if config.receive.campaigns.is_some() {
            told.push("the campaign calendar".to_owned());
        }
        self.receive.campaigns.clone_from(&config.receive.campaigns);
        if self.receive != config.receive {
            told.push("other changes in [receive] wait for the next start".to_owned());
        }
        alerts
            .registry
            .configured(&workspace.config_sha256()?)
            .await?;
        Ok(told)
    }
}
