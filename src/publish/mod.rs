//! Checkpoints leave the house: to a time-stamping authority, and to witnesses who keep them where nobody
//! here can change them. Whoever later rewrites the log, with its key in hand, has them against him.
//!
//! What goes out is the newest checkpoint alone: it covers every entry below, so a day without network
//! loses none of them, only the finer dating of those that were signed that day. Nothing but a size, a
//! hash and a signature goes out, and only to the places that the configuration names.

mod config;
mod http;
mod shelf;
mod tsa;
mod witness;

use std::path::Path;

use time::{Duration, OffsetDateTime};

pub use config::{PublishConfig, WitnessConfig};
pub use shelf::kept;
pub use tsa::roots;

use crate::alert::AlertConfig;
use crate::evidence::Cosigner;
use crate::registry::{Registry, SignedCheckpoint};
use crate::relay::Relay;
use http::Http;
use tsa::Authority;
use witness::{Way, Witness};

/// What can be wrong with the configuration, or with a place that a checkpoint goes to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `[evidence]` does not say what it should.
    #[error("otori.toml, [evidence]: {0}")]
    Config(String),
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of root certificates, `tsa_roots` or `http_roots`.
    #[error("otori.toml, [evidence], root certificates: {0}")]
    Roots(#[from] crate::roots::Error),
    /// A checkpoint is kept that the log does not continue.
    #[error(
        "{0} holds a checkpoint that this log does not continue: the registry was set back and written on, or the file was changed; run `otori evidence verify`"
    )]
    Forked(std::path::PathBuf),
    /// The directory is another log's.
    #[error(
        "{0} is a checkpoint of another log: give each workspace's witness a directory of its own"
    )]
    Foreign(std::path::PathBuf),
    /// The place could not be reached, or did not answer in time.
    #[error("{0}")]
    Http(String),
    /// It answered something that does not do.
    #[error("{0}")]
    Answer(String),
    /// A timestamp that does not hold.
    #[error("the timestamp that it gave does not hold: {0}")]
    Stamp(#[from] crate::evidence::InvalidStamp),
    /// A cosignature that does not hold.
    #[error("the cosignature that it gave does not hold: {0}")]
    Cosignature(#[from] crate::evidence::InvalidNote),
    /// The witness has seen a longer log than ours.
    #[error(
        "it has seen {seen} entries of this log, which has only {ours} now: the registry was set back to an older state; run `otori evidence verify`"
    )]
    SetBack {
        /// Entries that it has seen.
        seen: u64,
        /// Entries below our newest checkpoint.
        ours: u64,
    },
    /// A mail could not be sent.
    #[error("the mail server did not take the mail: {0}")]
    Refused(#[from] lettre::transport::smtp::Error),
    /// A mail could not be made.
    #[error("the mail could not be made: {0}")]
    Make(#[from] lettre::error::Error),
    /// The mail server of `[alert]` cannot be used.
    #[error(transparent)]
    Relay(#[from] crate::relay::Error),
    /// The registry fails.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
}

/// What became of a checkpoint that was given to a witness.
enum Given {
    /// It has it; and its signature, if it signs.
    Taken(Option<String>),
    /// Another process has given it a newer one meanwhile.
    Overtaken,
}

/// A witness has seen more than our checkpoint has: another process was faster, or the registry was set back.
async fn overtaken(registry: &Registry, seen: u64, ours: u64) -> Result<Given, Error> {
    let newest = registry.checkpoints(1).await?;
    match newest.first().is_some_and(|newest| newest.size >= seen) {
        true => Ok(Given::Overtaken),
        false => Err(Error::SetBack { seen, ours }),
    }
}

/// A place that did not get the checkpoint, and why.
#[derive(Debug)]
pub struct Missed {
    /// Its name, as the configuration has it.
    pub place: String,
    /// Why.
    pub why: Error,
}

/// Where checkpoints go.
pub struct Publisher {
    authority: Option<Authority>,
    witnesses: Vec<Witness>,
    http: Http,
    relay: Option<Relay>,
}

impl Publisher {
    /// What the configuration asks for; `None` if it names no place. Paths are relative to `dir`. To be
    /// called, and dropped, inside a tokio runtime.
    ///
    /// # Errors
    /// Something is missing, contradicts itself, or does not read.
    pub fn new(
        config: &PublishConfig,
        alert: &AlertConfig,
        dir: &Path,
    ) -> Result<Option<Publisher>, Error> {
        let authority = Authority::new(config, dir)?;
        let witnesses: Result<Vec<Witness>, Error> = config
            .witness
            .iter()
            .map(|witness| Witness::new(witness, dir))
            .collect();
        let witnesses = witnesses?;
        for (place, witness) in witnesses.iter().enumerate() {
            if witnesses[..place].iter().any(|w| w.name == witness.name) {
                let what = format!("two witnesses are called '{}'", witness.name);
                return Err(Error::Config(what));
            }
        }
        if authority.is_none() && witnesses.is_empty() {
            return Ok(None);
        }
        let mails = |witness: &Witness| matches!(witness.way, Way::Mail(_));
        let relay = match witnesses.iter().find(|witness| mails(witness)) {
            None => None,
            Some(witness) => {
                let server = alert.server().ok_or_else(|| {
                    Error::Config(format!(
                        "the witness '{}' is told by mail, and [alert] names no relay to send it through",
                        witness.name
                    ))
                })?;
                Some(server.open(dir)?)
            }
        };
        Ok(Some(Publisher {
            authority,
            witnesses,
            http: Http::new(config, dir)?,
            relay,
        }))
    }

    /// The public keys of the witnesses that sign.
    pub fn cosigners(config: &PublishConfig) -> Vec<(String, Cosigner)> {
        let key = |witness: &WitnessConfig| {
            let key = witness.key.as_ref()?.parse().ok()?;
            Some((witness.name.clone(), key))
        };
        config.witness.iter().filter_map(key).collect()
    }

    /// Gives the newest checkpoint to every place that has not got it and whose time it is. One place that
    /// fails does not keep it from the others; those that failed are told, and tried again next time.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn publish(&self, registry: &Registry) -> Result<Vec<Missed>, Error> {
        let mut missed = Vec::new();
        let Some(mut newest) = registry.checkpoints(1).await?.pop() else {
            return Ok(missed);
        };
        if let Some(authority) = &self.authority
            && newest.timestamp_token.is_none()
        {
            match authority.stamp(&self.http, &newest).await {
                Ok(token) => {
                    registry.checkpoint_stamped(newest.size, &token).await?;
                    newest.timestamp_token = Some(token);
                }
                Err(why) => missed.push(Missed {
                    place: "the time-stamping authority".to_owned(),
                    why,
                }),
            }
        }
        let given = self
            .witnesses
            .iter()
            .map(|witness| self.give(registry, witness, &newest));
        // All at once: a place that does not answer costs its patience once.
        let given = futures_util::future::join_all(given).await;
        for (witness, given) in self.witnesses.iter().zip(given) {
            match given {
                Ok(Some(Given::Taken(answer))) => {
                    registry
                        .checkpoint_witnessed(newest.size, &witness.name, answer.as_deref())
                        .await?;
                }
                Ok(Some(Given::Overtaken) | None) => {}
                Err(Error::Registry(error)) => return Err(error.into()),
                Err(why) => missed.push(Missed {
                    place: format!("the witness '{}'", witness.name),
                    why,
                }),
            }
        }
        Ok(missed)
    }

    /// Gives a checkpoint to a witness; `None` if it has it, or if it is not its time.
    async fn give(
        &self,
        registry: &Registry,
        witness: &Witness,
        newest: &SignedCheckpoint,
    ) -> Result<Option<Given>, Error> {
        let last = registry.witnessed(&witness.name).await?;
        let now = OffsetDateTime::now_utc();
        let soon = |last: &crate::registry::Witnessed| {
            last.size >= newest.size
                || now - last.at < Duration::hours(i64::from(witness.every_hours))
        };
        if last.as_ref().is_some_and(soon) {
            return Ok(None);
        }
        let last = last.map_or(0, |last| last.size);
        let given = match &witness.way {
            Way::Shelf(dir) => shelf::put(dir, registry, newest).await?,
            Way::Mail(to) => {
                if let Some(relay) = &self.relay {
                    witness::mailed(relay, to, newest).await?;
                }
                Given::Taken(None)
            }
            Way::Http(url, key) => {
                witness::cosigned(&self.http, registry, (url, key), last, newest).await?
            }
        };
        Ok(Some(given))
    }
}
