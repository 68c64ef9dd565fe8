//! Witnesses: people with a mailbox, a directory, or a service that speaks C2SP's tlog-witness protocol
//! (c2sp.org/tlog-witness): it is shown that the log continues what it saw before, and signs that it does.

use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncTransport, Message};

use super::http::{Http, http_url};
use super::{Error, Given, WitnessConfig};
use crate::evidence::{Cosigner, consistency};
use crate::registry::{Registry, SignedCheckpoint};
use crate::relay::Relay;

/// So often a witness may say that it has seen another size than we thought.
const TRIES: u32 = 10;

/// How a checkpoint reaches a witness.
pub enum Way {
    /// As a file in this directory.
    Shelf(PathBuf),
    /// By mail to these addresses.
    Mail(Vec<Mailbox>),
    /// By HTTP to this URL, answered under this key.
    Http(url::Url, Cosigner),
}

/// A witness of the configuration.
pub struct Witness {
    /// Its name in the log.
    pub name: String,
    /// How checkpoints reach it.
    pub way: Way,
    /// At most one checkpoint in so many hours; 0: each.
    pub every_hours: u32,
}

impl Witness {
    pub(super) fn new(config: &WitnessConfig, dir: &Path) -> Result<Witness, Error> {
        let wrong = |what: String| Err(Error::Config(what));
        let name = config.name.clone();
        if name.is_empty() {
            return wrong("a witness has no name".to_owned());
        }
        let way = match (&config.directory, &config.mail[..], &config.url) {
            (Some(shelf), [], None) => Way::Shelf(dir.join(shelf)),
            (None, to @ [_, ..], None) => {
                let mut mailboxes = Vec::new();
                for text in to {
                    let Ok(mailbox) = text.parse() else {
                        return wrong(format!(
                            "the witness '{name}': '{text}' is not a mail address"
                        ));
                    };
                    mailboxes.push(mailbox);
                }
                Way::Mail(mailboxes)
            }
            (None, [], Some(url)) => {
                let place = format!("the witness '{name}': url");
                let url = http_url(&place, url)?;
                let Some(key) = &config.key else {
                    return wrong(format!(
                        "the witness '{name}' has no key: without it nobody can tell its answer from another's"
                    ));
                };
                match key.parse() {
                    Ok(key) => Way::Http(url, key),
                    Err(_) => {
                        return wrong(format!(
                            "the key of the witness '{name}' is none: it must be NAME+KEYID+KEY of an Ed25519 cosigner (c2sp.org/tlog-cosignature)"
                        ));
                    }
                }
            }
            _ => {
                return wrong(format!(
                    "the witness '{name}' needs exactly one of directory, mail and url"
                ));
            }
        };
        let hours = match way {
            Way::Mail(_) => 24,
            Way::Shelf(_) | Way::Http(..) => 0,
        };
        Ok(Witness {
            name,
            way,
            every_hours: config.every_hours.unwrap_or(hours),
        })
    }
}

/// Sends the checkpoint to people who keep their mail.
pub async fn mailed(relay: &Relay, to: &[Mailbox], newest: &SignedCheckpoint) -> Result<(), Error> {
    let origin = newest.note.lines().next().unwrap_or_default();
    let subject = format!("Checkpoint {} of {origin}", newest.size);
    let mut builder = Message::builder().from(relay.from.clone()).subject(subject);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    // The note stands alone, so that the mail's text, saved as a file, is one.
    let message = builder
        .header(ContentType::TEXT_PLAIN)
        .body(newest.note.clone())?;
    relay.transport.send(message).await?;
    Ok(())
}

/// Shows the witness that the log continues what it saw at `last`, and returns its checked cosignature.
pub async fn cosigned(
    http: &Http,
    registry: &Registry,
    (url, key): (&url::Url, &Cosigner),
    last: u64,
    newest: &SignedCheckpoint,
) -> Result<Given, Error> {
    let mut address = url.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().push("add-checkpoint");
    }
    let leaves = registry.leaf_hashes(newest.size).await?;
    let host = url.host_str().unwrap_or_default();
    let mut old = last;
    // It may have seen another size than we think, and other processes of ours may be as fast as we.
    for _ in 0..TRIES {
        let proof = consistency(&leaves, usize::try_from(old).unwrap_or(usize::MAX));
        let lines: String = proof
            .into_iter()
            .map(|hash| format!("{}\n", String::from(hash)))
            .collect();
        let body = format!("old {old}\n{lines}\n{}", newest.note);
        let answer = http
            .post(&address, "text/plain; charset=utf-8", body.into_bytes())
            .await?;
        let text = String::from_utf8_lossy(&answer.body);
        match answer.status {
            200 => {
                key.open(&newest.note, &text)?;
                // Lines of other keys are nobody's that we know.
                let own = |line: &&str| key.open(&newest.note, &format!("{line}\n")).is_ok();
                let line = text.lines().find(own).unwrap_or_default();
                return Ok(Given::Taken(Some(format!("{line}\n"))));
            }
            409 => match text.trim().parse::<u64>() {
                Ok(seen) if seen > newest.size => {
                    return super::overtaken(registry, seen, newest.size).await;
                }
                Ok(seen) if seen != old => old = seen,
                _ => {
                    return Err(Error::Answer(format!(
                        "{host} has seen another log under this name: the registry was set back and written on; run `otori evidence verify`"
                    )));
                }
            },
            404 => {
                return Err(Error::Answer(format!(
                    "{host} does not know this log: give its operator the line that `otori evidence key` prints"
                )));
            }
            403 => {
                return Err(Error::Answer(format!(
                    "{host} knows this log under another key: give its operator the line that `otori evidence key` prints"
                )));
            }
            422 => {
                return Err(Error::Answer(format!(
                    "{host} says that the log does not continue what it has seen: the registry was set back and written on; run `otori evidence verify`"
                )));
            }
            status => return Err(Error::Answer(format!("{host} answered HTTP {status}"))),
        }
    }
    Err(Error::Answer(format!("{host} changes its mind")))
}
