//! Recipient checks: whoever asks for a canary's address and then sends nothing is washing a list that
//! holds it, before the list is used or sold.
//!
//! It is noticed when the session ends, however it ends, and stored as a message without content. A receiver that
//! is killed before has it in its journal ([`journal`]). There is room for so many at a time ([`room`]).

mod journal;
mod keeper;
mod left;
mod room;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::guesses::Guesses;
use super::identity::hash_of;
use super::network::{around, network};
use super::obey::Envelope;
use super::session::Protocol;
use crate::canary::Channel;
use crate::registry::NewMessage;

pub(super) use journal::Journal;
pub(super) use keeper::Probes;
pub(super) use room::Room;

use room::Place;

/// Checks of one address by one network within so many seconds are counted as one sighting that came
/// again.
const SAME: i64 = 3600;
/// So much is kept of what a client calls itself, in characters: a name or an address of the longest kind.
const NAME: usize = 256;
/// Addresses to which a message came are remembered, so many of one session. Whoever asks for one of them again
/// after so many others has checked it.
const SERVED: usize = 1000;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Client {
    peer: IpAddr,
    network: String,
    tls: bool,
    helo: String,
    from: String,
}

/// A recipient that was asked for.
#[derive(Serialize, Deserialize)]
struct Check {
    #[serde(with = "time::serde::timestamp")]
    at: OffsetDateTime,
    #[serde(with = "shared")]
    client: Arc<Client>,
    recipient: String,
    /// How many addresses the network had asked for in vain by then, where it guesses. When the session ends more
    /// is known; of a receiver that was killed this is all, and whoever did not seem to guess has checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guessed: Option<usize>,
}

/// Written as if each check had its own.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Client;

    pub fn serialize<S: Serializer>(client: &Arc<Client>, to: S) -> Result<S::Ok, S::Error> {
        client.as_ref().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Client>, D::Error> {
        Client::deserialize(from).map(Arc::new)
    }
}

impl Check {
    /// What is stored of it, where the network had asked for so many in vain in the end.
    fn message(&self, guessed: Option<usize>) -> NewMessage {
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
            guessed,
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

/// A check that no message has followed yet.
struct Open {
    /// Its number in the journal, where there is one.
    number: Option<u64>,
    check: Arc<Check>,
    /// Given back with it.
    _place: Place,
}

/// There is no room for another check: the client is to come again.
#[derive(Debug)]
pub(super) struct NoRoom;

/// What a session has asked for. Dropped with it, it tells the keeper of probes.
pub(super) struct Asked {
    probes: Probes,
    guesses: Guesses,
    /// Who asks is known.
    guessing: bool,
    client: Arc<Client>,
    open: BTreeMap<String, Open>,
    /// Hashes.
    served: HashSet<u64>,
    hasher: RandomState,
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
            client: Arc::new(client),
            open: BTreeMap::new(),
            served: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// This one is to be accepted by RCPT in a transaction. It is in the journal before it is answered.
    ///
    /// # Errors
    /// There is no room for it, so that it must not be accepted.
    pub fn asked(&mut self, recipient: &str, from: &str, helo: Option<&str>) -> Result<(), NoRoom> {
        let known = self.open.contains_key(recipient) || self.was_served(recipient);
        let place = match known {
            true => None,
            false => {
                let network = self.guessing.then(|| around(self.client.peer));
                Some(self.probes.room.take(network).ok_or(NoRoom)?)
            }
        };
        if self.guessing {
            self.guesses.asked(self.client.peer, recipient, true);
        }
        let Some(place) = place else {
            return Ok(());
        };
        let (helo, from) = (clipped(helo.unwrap_or_default()), clipped(from));
        if self.client.from != from || self.client.helo != helo {
            let client = Arc::make_mut(&mut self.client);
            helo.clone_into(&mut client.helo);
            from.clone_into(&mut client.from);
        }
        let check = Arc::new(Check {
            at: OffsetDateTime::now_utc(),
            client: Arc::clone(&self.client),
            recipient: recipient.to_owned(),
            guessed: self.guessed(),
        });
        let journal = self.probes.journal.as_ref();
        let open = Open {
            number: journal.map(|journal| journal.asked(&check)),
            check,
            _place: place,
        };
        self.open.insert(recipient.to_owned(), open);
        Ok(())
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

    /// The same of a mail: a network that has found several of ours is not believed to guess all that it mails.
    pub fn guessed_before_mail(&self) -> Option<usize> {
        let guessing = self.guessing.then_some(self.client.peer);
        guessing.and_then(|peer| self.guesses.luckless(peer))
    }

    /// A message to them is on its way: killed now, the receiver must not say at its next start that none came.
    pub fn sending(&mut self, recipients: &[String]) {
        let Some(journal) = &self.probes.journal else {
            return;
        };
        let open = &mut self.open;
        let numbers = recipients
            .iter()
            .filter_map(|recipient| open.get_mut(recipient)?.number.take());
        journal.done(numbers);
    }

    /// A message came for them; or it did, and it was our fault that it was not taken.
    pub fn served(&mut self, recipients: &[String]) {
        let mut done = Vec::new();
        for recipient in recipients {
            if let Some(open) = self.open.remove(recipient) {
                done.extend(open.number);
                if self.served.len() >= SERVED {
                    self.served.clear();
                }
                self.served.insert(self.hasher.hash_one(recipient));
            }
        }
        if let Some(journal) = &self.probes.journal {
            journal.done(done);
        }
    }

    fn was_served(&self, recipient: &str) -> bool {
        !self.served.is_empty() && self.served.contains(&self.hasher.hash_one(recipient))
    }
}

/// The beginning of a name.
fn clipped(name: &str) -> &str {
    let end = name
        .char_indices()
        .nth(NAME)
        .map_or(name.len(), |(at, _)| at);
    &name[..end]
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let guessed = self.guessed();
        let left = std::mem::take(&mut self.open).into_values();
        self.probes.keep(left.collect(), guessed);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::registry::{MasterKey, Registry};

    /// A registry in this directory, with a key of its own.
    pub async fn registry(dir: &Path) -> Registry {
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", dir, &key);
        registry.await.unwrap()
    }

    pub fn check(recipient: &str) -> Arc<Check> {
        let client = Client {
            peer: IpAddr::from([192, 0, 2, 7]),
            network: "192.0.2.0/24".to_owned(),
            tls: false,
            helo: "wash.broker.example".to_owned(),
            from: String::new(),
        };
        Arc::new(Check {
            at: OffsetDateTime::UNIX_EPOCH,
            client: Arc::new(client),
            recipient: recipient.to_owned(),
            guessed: None,
        })
    }

    #[test]
    fn a_check_is_read_as_it_was_written() {
        let text = serde_json::to_string(&*check("a@decoys.example")).unwrap();
        let written = r#"{"at":0,"client":{"peer":"192.0.2.7","network":"192.0.2.0/24","tls":false,"helo":"wash.broker.example","from":""},"recipient":"a@decoys.example"}"#;
        assert_eq!(text, written);
        let read: Check = serde_json::from_str(&text).unwrap();
        assert!(read.client == check("").client && read.recipient == "a@decoys.example");
    }

    #[test]
    fn what_a_client_calls_itself_is_bounded() {
        assert_eq!(clipped(&"東".repeat(1000)), "東".repeat(NAME));
        assert_eq!(clipped("wash.example"), "wash.example");
    }
}
