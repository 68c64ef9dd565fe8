//! Recipient checks: whoever asks for a canary's address and then sends nothing is washing a list that
//! holds it, before the list is used or sold.
//!
//! It is noticed when the session ends, however it ends, and stored as a message without content. A receiver that
//! is killed before has it in its journal ([`super::journal`]).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::Recipients;
use super::guesses::Guesses;
use super::identity::hash_of;
use super::journal::Journal;
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

/// Who asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    peer: IpAddr,
    network: String,
    tls: bool,
    helo: String,
    from: String,
}

/// A recipient that was asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Check {
    #[serde(with = "time::serde::timestamp")]
    at: OffsetDateTime,
    client: Client,
    recipient: String,
    /// How many addresses the network had asked for in vain when the session ended, where it guesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed: Option<usize>,
}

/// Its number in the journal, where there is one.
type Numbered = (Option<u64>, Check);

/// The way to the keeper of probes; clones share it.
#[derive(Clone)]
pub(super) struct Probes {
    ended: mpsc::Sender<Vec<Numbered>>,
    journal: Option<Journal>,
}

impl Probes {
    /// Starts the keeper; it ends when all handles are gone. With a journal, `left` is what was in it.
    pub fn start(
        recipients: Recipients,
        intake: Intake,
        journal: Option<Journal>,
        left: Vec<(u64, Check)>,
    ) -> Probes {
        let (ended, waiting) = mpsc::channel(WAITING);
        if !left.is_empty() {
            tracing::info!(
                checks = left.len(),
                "recipient checks of a receiver that was killed are stored"
            );
            let left = left.into_iter();
            // There is room: nobody else knows the channel yet.
            let _ = ended.try_send(left.map(|(number, check)| (Some(number), check)).collect());
        }
        tokio::spawn(keep(waiting, recipients, intake, journal.clone()));
        Probes { ended, journal }
    }
}

async fn keep(
    mut waiting: mpsc::Receiver<Vec<Numbered>>,
    recipients: Recipients,
    intake: Intake,
    journal: Option<Journal>,
) {
    while let Some(mut left) = waiting.recv().await {
        let mut pause = PAUSES.0;
        while let Some((number, check)) = left.last() {
            let kept = match recipients.is_canary(&check.recipient).await {
                Some(true) => {
                    let stored = intake.accept(check.message()).await.is_ok();
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
                if let Some(journal) = &journal {
                    journal.done(*number);
                }
                left.pop();
            } else if waiting.is_closed() {
                match &journal {
                    Some(_) => tracing::warn!(
                        left = left.len(),
                        "recipient checks wait for the next start"
                    ),
                    None => tracing::error!(left = left.len(), "recipient checks are not stored"),
                }
                break;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

impl Check {
    fn message(&self) -> NewMessage {
        let client = &self.client;
        let envelope = Envelope {
            peer: client.peer,
            helo: &client.helo,
            from: &client.from,
            tls: client.tls,
            smtputf8: false,
            lmtp: false,
            queued_as: "",
            probe: Some(client.network.clone()),
            guessed: self.guessed,
        };
        let hour = self.at.unix_timestamp() / SAME;
        let same = [
            "probe",
            &client.network,
            &self.recipient.to_lowercase(),
            &hour.to_string(),
        ];
        NewMessage {
            at: self.at,
            channel: Channel::Mail,
            envelope: serde_json::to_string(&envelope).expect("texts are JSON"),
            recipients: vec![self.recipient.clone()],
            raw: Vec::new(),
            same_as: Some(hash_of(same.map(str::as_bytes))),
        }
    }
}

/// What a session has asked for. Dropped with it, it tells the keeper of probes.
pub(super) struct Asked {
    probes: Probes,
    guesses: Guesses,
    /// Who asks is known.
    guessing: bool,
    client: Client,
    open: BTreeMap<String, Numbered>,
    served: BTreeSet<String>,
}

impl Asked {
    /// Nothing yet.
    pub fn new(
        probes: Probes,
        guesses: Guesses,
        peer: IpAddr,
        protocol: Protocol,
        tls: bool,
    ) -> Asked {
        let client = Client {
            peer,
            // Who stands behind a mail server that hands messages on is not known here.
            network: match protocol {
                Protocol::Smtp => network(peer),
                Protocol::Lmtp => String::new(),
            },
            tls,
            helo: String::new(),
            from: String::new(),
        };
        Asked {
            probes,
            guesses,
            guessing: protocol == Protocol::Smtp,
            client,
            open: BTreeMap::new(),
            served: BTreeSet::new(),
        }
    }

    /// This one was accepted by RCPT in a transaction. It is in the journal before it is answered.
    pub fn asked(&mut self, recipient: &str, from: &str, helo: Option<&str>) {
        if self.guessing {
            self.guesses.asked(self.client.peer, recipient, true);
        }
        let known = self.served.contains(recipient) || self.open.contains_key(recipient);
        if known || self.open.len() + self.served.len() >= MOST {
            return;
        }
        let helo = helo.unwrap_or_default();
        if self.client.from != from || self.client.helo != helo {
            helo.clone_into(&mut self.client.helo);
            from.clone_into(&mut self.client.from);
        }
        let check = Check {
            at: OffsetDateTime::now_utc(),
            client: self.client.clone(),
            recipient: recipient.to_owned(),
            guessed: None,
        };
        let number = self.probes.journal.as_ref();
        let number = number.map(|journal| journal.asked(&check));
        self.open.insert(recipient.to_owned(), (number, check));
    }

    /// This one is no mailbox of ours.
    pub fn in_vain(&self, recipient: &str) {
        if self.guessing {
            self.guesses.asked(self.client.peer, recipient, false);
        }
    }

    /// How many addresses the client's network has asked for in vain, if it guesses.
    pub fn guessed(&self) -> Option<usize> {
        let guessing = self.guessing.then_some(self.client.peer);
        guessing.and_then(|peer| self.guesses.dictionary(peer))
    }

    /// A message to them is on its way: killed now, the receiver must not say at its next start that none came.
    pub fn sending(&mut self, recipients: &[String]) {
        let Some(journal) = &self.probes.journal else {
            return;
        };
        let open = &mut self.open;
        let numbers = recipients
            .iter()
            .filter_map(|recipient| open.get_mut(recipient)?.0.take());
        journal.done(numbers);
    }

    /// A message came for them; or it did, and it was our fault that it was not taken.
    pub fn served(&mut self, recipients: &[String]) {
        let mut done = Vec::new();
        for recipient in recipients {
            if let Some((number, _)) = self.open.remove(recipient) {
                done.extend(number);
                self.served.insert(recipient.clone());
            }
        }
        if let Some(journal) = &self.probes.journal {
            journal.done(done);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let guessed = self.guessed();
        let left = std::mem::take(&mut self.open).into_values();
        let left = left.map(|(number, check)| (number, Check { guessed, ..check }));
        let left = left.collect();
        if self.probes.ended.try_send(left).is_err() {
            tracing::error!("recipient checks are not stored: too many wait already");
        }
    }
}
