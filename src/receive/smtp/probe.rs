//! Recipient checks: whoever asks for a canary's address and then sends nothing is washing a list that
//! holds it, before the list is used or sold.
//!
//! It is noticed when the session ends, however it ends, and stored as a message without content.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::Recipients;
use super::identity::hash_of;
use super::network::network;
use super::obey::Envelope;
use super::session::Protocol;
use crate::canary::Channel;
use crate::metrics::metrics;
use crate::receive::Intake;
use crate::registry::NewMessage;

/// Ended sessions with a probe that wait to be stored.
const WAITING: usize = 1000;
/// Addresses that are remembered of one session.
const MOST: usize = 10_000;
/// Pauses after a failure: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// Checks of one address by one network within so many seconds are counted as one sighting that came
/// again.
const SAME: i64 = 3600;

/// What was asked for in a session, and got no message.
struct Probe {
    at: OffsetDateTime,
    peer: IpAddr,
    network: String,
    tls: bool,
    helo: String,
    from: String,
    recipients: Vec<String>,
}

/// The way to the keeper of probes; clones share it.
#[derive(Clone)]
pub(super) struct Probes(mpsc::Sender<Probe>);

impl Probes {
    /// Starts the keeper; it ends when all handles are gone.
    pub fn start(recipients: Recipients, intake: Intake) -> Probes {
        let (probes, waiting) = mpsc::channel(WAITING);
        tokio::spawn(keep(waiting, recipients, intake));
        Probes(probes)
    }
}

async fn keep(mut waiting: mpsc::Receiver<Probe>, recipients: Recipients, intake: Intake) {
    while let Some(probe) = waiting.recv().await {
        let mut left = probe.recipients.clone();
        let mut pause = PAUSES.0;
        while let Some(recipient) = left.last() {
            let kept = match recipients.is_canary(recipient).await {
                Some(true) => {
                    let stored = intake.accept(probe.message(recipient)).await.is_ok();
                    if stored {
                        metrics().probe();
                    }
                    stored
                }
                // Some mailbox of ours: strangers guess at those all day.
                Some(false) => true,
                None => false,
            };
            if kept {
                left.pop();
            } else if waiting.is_closed() {
                tracing::error!(left = left.len(), "recipient checks are not stored");
                break;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

impl Probe {
    fn message(&self, recipient: &str) -> NewMessage {
        let envelope = Envelope {
            peer: self.peer,
            helo: &self.helo,
            from: &self.from,
            tls: self.tls,
            smtputf8: false,
            lmtp: false,
            queued_as: "",
            probe: Some(self.network.clone()),
        };
        let hour = self.at.unix_timestamp() / SAME;
        let same = [
            "probe",
            &self.network,
            &recipient.to_lowercase(),
            &hour.to_string(),
        ];
        NewMessage {
            at: self.at,
            channel: Channel::Mail,
            envelope: serde_json::to_string(&envelope).expect("texts are JSON"),
            recipients: vec![recipient.to_owned()],
            raw: Vec::new(),
            same_as: Some(hash_of(same.map(str::as_bytes))),
        }
    }
}

/// What a session has asked for. Dropped with it, it tells the keeper of probes.
pub(super) struct Asked {
    probes: Probes,
    peer: IpAddr,
    protocol: Protocol,
    tls: bool,
    helo: String,
    from: String,
    open: BTreeSet<String>,
    served: BTreeSet<String>,
}

impl Asked {
    /// Nothing yet.
    pub fn new(probes: Probes, peer: IpAddr, protocol: Protocol, tls: bool) -> Asked {
        Asked {
            probes,
            peer,
            protocol,
            tls,
            helo: String::new(),
            from: String::new(),
            open: BTreeSet::new(),
            served: BTreeSet::new(),
        }
    }

    /// These were accepted by RCPT in a transaction.
    pub fn asked(&mut self, recipient: &str, from: &str, helo: Option<&str>) {
        if self.open.len() + self.served.len() < MOST && !self.served.contains(recipient) {
            self.open.insert(recipient.to_owned());
            from.clone_into(&mut self.from);
            helo.unwrap_or_default().clone_into(&mut self.helo);
        }
    }

    /// A message came for them; or it did, and it was our fault that it was not taken.
    pub fn served(&mut self, recipients: &[String]) {
        for recipient in recipients {
            if self.open.remove(recipient) {
                self.served.insert(recipient.clone());
            }
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let probe = Probe {
            at: OffsetDateTime::now_utc(),
            peer: self.peer,
            // Who stands behind a mail server that hands messages on is not known here.
            network: match self.protocol {
                Protocol::Smtp => network(self.peer),
                Protocol::Lmtp => String::new(),
            },
            tls: self.tls,
            helo: std::mem::take(&mut self.helo),
            from: std::mem::take(&mut self.from),
            recipients: std::mem::take(&mut self.open).into_iter().collect(),
        };
        if self.probes.0.try_send(probe).is_err() {
            tracing::error!("recipient checks are not stored: too many wait already");
        }
    }
}
