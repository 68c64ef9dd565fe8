//! Mailboxes at ordinary providers, read over IMAP: a canary whose address is one cannot have its mail sent here.
//!
//! Each is looked into every minute or so. Nothing there is changed: no flag, no mail, and nobody is answered. How
//! far each folder has been read is kept in the registry, so that a restart counts nothing twice.

mod config;
mod connect;
mod folder;
mod state;

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

pub use config::{ImapConfig, ImapTls, checked};
pub use state::Mailboxes;

use connect::Failed;
use folder::Look;

use super::smtp::{Recipients, Standing};
use super::{Error, Intake};
use crate::canary::MailAddress;
use crate::registry::Registry;

/// The longest pause after failures.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// The shortest one after a refused password: providers lock accounts that are tried again and again.
const REFUSED: Duration = Duration::from_secs(5 * 60);
/// A whole look may take so long; a full mailbox goes on in the next one.
const LOOK: Duration = Duration::from_secs(30 * 60);

/// What the mailboxes share.
#[derive(Clone)]
pub(super) struct Post {
    pub dir: PathBuf,
    pub registry: Registry,
    pub recipients: Recipients,
    pub intake: Intake,
    /// Larger mails are not had whole.
    pub largest: usize,
    pub state: Mailboxes,
}

/// Mailboxes that are to be read.
pub(super) struct Readers {
    all: Vec<(ImapConfig, MailAddress)>,
    post: Post,
}

impl Readers {
    /// These.
    ///
    /// # Errors
    /// The configuration does not say what it should.
    pub fn new(config: &[ImapConfig], post: Post) -> Result<Readers, Error> {
        let addresses = checked(config).map_err(Error::Config)?;
        for one in config {
            post.state.awaited(&one.name);
        }
        Ok(Readers {
            all: config.iter().cloned().zip(addresses).collect(),
            post,
        })
    }

    /// Looks into all of them every now and then, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let each = self.all.into_iter().map(|(config, address)| {
            let (post, stop) = (self.post.clone(), stop.clone());
            async move { post.keep_reading(&config, &address, &stop).await }
        });
        futures_util::future::join_all(each).await;
    }
}

impl Post {
    async fn keep_reading(
        &self,
        config: &ImapConfig,
        address: &MailAddress,
        stop: &CancellationToken,
    ) {
        let name = config.name.as_str();
        let mut failures = 0;
        loop {
            let look = tokio::time::timeout(LOOK, self.look(config, address));
            let Some(looked) = stop.run_until_cancelled(look).await else {
                return;
            };
            let now = OffsetDateTime::now_utc();
            let pause = match looked.unwrap_or(Err(Failed::Silent)) {
                Ok(mails) => {
                    failures = 0;
                    if self.state.read(name, now) {
                        tracing::info!(imap = name, mails, "a mailbox can be read again");
                    }
                    config.every()
                }
                Err(why) => {
                    failures += 1;
                    if self.state.failed(name, now) {
                        tracing::error!(imap = name, %why, "a mailbox is not read; tried again");
                    }
                    pause_after(&why, failures, config.every())
                }
            };
            let slept = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            if slept.is_none() {
                return;
            }
        }
    }

    /// Looks into one mailbox; how many mails were stored.
    async fn look(&self, config: &ImapConfig, address: &MailAddress) -> Result<usize, Failed> {
        if !self.is_ours(address).await? {
            let why = "its address is no contact point of ours: otori pool add mailbox ADDRESS";
            return Err(Failed::Ours(why.to_owned()));
        }
        let mut talk = connect::log_in(config, &self.dir).await?;
        let look = Look {
            registry: &self.registry,
            recipients: &self.recipients,
            intake: &self.intake,
            address,
            largest: self.largest,
            host: &config.host,
            user: &config.user,
        };
        let mut mails = 0;
        let mut failed = None;
        for folder in &config.folders {
            match look.at_folder(&mut talk, folder).await {
                Ok(stored) => mails += stored,
                // One that is not there keeps no other from being read.
                Err(why @ (Failed::Folder(_) | Failed::Numbers(_))) => failed = Some(why),
                Err(why) => return Err(why),
            }
        }
        // Who does not say goodbye has read the mails all the same.
        let _ = connect::in_time(talk.logout()).await;
        failed.map_or(Ok(mails), Err)
    }

    async fn is_ours(&self, address: &MailAddress) -> Result<bool, Failed> {
        match self.recipients.standing(address).await {
            Standing::Ours => Ok(true),
            Standing::NoMailbox | Standing::Foreign => Ok(false),
            Standing::Unknown => Err(Failed::Ours("the registry cannot be read".to_owned())),
        }
    }
}

/// How long to wait after so many failures in a row.
fn pause_after(why: &Failed, failures: u32, every: Duration) -> Duration {
    let doubled = every.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let shortest = match why {
        Failed::LogIn => REFUSED,
        _ => every,
    };
    doubled.min(LONGEST.max(every)).max(shortest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let every = Duration::from_secs(60);
        let minutes = |why, failures| pause_after(&why, failures, every).as_secs() / 60;
        let away = || Failed::Silent;
        let grown = [1, 2, 3, 4, 5, 6, 99].map(|failures| minutes(away(), failures));
        assert_eq!(grown, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(minutes(Failed::LogIn, 1), 5);
        let rare = Duration::from_secs(7200);
        assert_eq!(pause_after(&away(), 9, rare), rare);
    }
}
