//! One look into one folder: what is behind the last number that was looked at is stored, and then the number.
//!
//! Stored first: a stop in between makes the next look find the same mails, which are recognised. The folder is
//! opened by EXAMINE and mails are had by BODY.PEEK, so that no flag of theirs changes.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use futures_util::TryStreamExt;
use time::OffsetDateTime;

use super::connect::{Failed, Talk, in_time};
use crate::canary::MailAddress;
use crate::receive::Intake;
use crate::receive::ingest::{Origin, Refused, message};
use crate::receive::smtp::Recipients;
use crate::registry::{FolderRead, Registry};

/// Mails had together, so that they share a transaction, and their bytes.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: usize = 16 << 20;
/// Of a mail that is too large so much is had: its header, and what it begins with.
const START: usize = 1 << 20;

/// What a look needs.
pub(super) struct Look<'a> {
    pub registry: &'a Registry,
    pub recipients: &'a Recipients,
    pub intake: &'a Intake,
    /// The contact point that the mailbox is.
    pub address: &'a MailAddress,
    /// Mails of more bytes are not had whole.
    pub largest: usize,
    pub host: &'a str,
    pub user: &'a str,
}

/// A mail that is there.
#[derive(Clone, Copy)]
struct There {
    uid: u32,
    bytes: usize,
}

impl Look<'_> {
    /// Stores what is new in a folder; how many mails.
    ///
    /// # Errors
    /// The server or the registry failed; what was stored until then is stored.
    pub async fn at_folder(&self, talk: &mut Talk, folder: &str) -> Result<usize, Failed> {
        let registry = |error: crate::registry::Error| Failed::Ours(error.to_string());
        let name = encoded(folder);
        let opened = in_time(talk.examine(&name)).await;
        let opened = opened.map_err(|failed| match failed {
            Failed::Talk => Failed::Folder(folder.to_owned()),
            other => other,
        })?;
        let numbering = opened.uid_validity;
        let uid_validity = numbering.ok_or_else(|| Failed::Numbers(folder.to_owned()))?;
        let place = self.registry.folder_place(self.host, self.user, folder);
        let known = self.registry.folder_read(&place).await.map_err(registry)?;
        // Under another numbering everything is looked at again, and what is known is recognised.
        let known = known.filter(|known| known.uid_validity == uid_validity);
        let last = known.map_or(0, |known| known.uid);
        // What is behind is asked for as `last+1:*`, which always has the last mail in it.
        if opened.exists == 0 || opened.uid_next.is_some_and(|next| next <= last + 1) {
            return Ok(0);
        }
        let mut behind = there(talk, last).await?.into_iter().peekable();
        let mut stored = 0;
        while behind.peek().is_some() {
            let mut together = Vec::new();
            let mut bytes = 0;
            while together.len() < TOGETHER
                && bytes < TOGETHER_BYTES
                && let Some(mail) = behind.next_if(|mail| {
                    // A large one comes by itself.
                    together.is_empty() || bytes + self.had(*mail) <= TOGETHER_BYTES
                })
            {
                bytes += self.had(mail);
                together.push(mail);
            }
            stored += self.take(talk, &together).await?;
            let uid = together.last().map_or(last, |mail| mail.uid);
            let read = FolderRead { uid_validity, uid };
            let moved = self.registry.read_folder(&place, read).await;
            moved.map_err(registry)?;
        }
        Ok(stored)
    }

    fn had(&self, mail: There) -> usize {
        match mail.bytes > self.largest {
            true => mail.bytes.min(START),
            false => mail.bytes,
        }
    }

    /// Stores these.
    async fn take(&self, talk: &mut Talk, mails: &[There]) -> Result<usize, Failed> {
        let whole = |mail: &&There| mail.bytes <= self.largest;
        let numbers: Vec<String> = mails
            .iter()
            .filter(whole)
            .map(|mail| mail.uid.to_string())
            .collect();
        let mut had = Vec::with_capacity(mails.len());
        if !numbers.is_empty() {
            let all = "(UID INTERNALDATE BODY.PEEK[])";
            had.extend(fetched(talk, &numbers.join(","), all).await?);
        }
        for mail in mails.iter().filter(|mail| !whole(mail)) {
            let start = format!("(UID INTERNALDATE BODY.PEEK[]<0.{START}>)");
            had.extend(fetched(talk, &mail.uid.to_string(), &start).await?);
        }
        let stored = had.into_iter().map(|(uid, at, raw)| {
            let there = mails.iter().find(|mail| mail.uid == uid);
            let cut = there.map(|there| there.bytes);
            self.store(uid, at, raw, cut.filter(|bytes| *bytes > self.largest))
        });
        let stored = futures_util::future::try_join_all(stored).await?;
        Ok(stored.into_iter().filter(|stored| *stored).count())
    }

    /// Stores one mail; `false` if it is none.
    async fn store(
        &self,
        uid: u32,
        at: OffsetDateTime,
        raw: Vec<u8>,
        cut: Option<usize>,
    ) -> Result<bool, Failed> {
        let origin = Origin { via: "imap", cut };
        let to = std::slice::from_ref(self.address);
        match message(self.recipients, to, raw, at, origin).await {
            Ok(message) => {
                let stored = self.intake.accept(message).await;
                stored.map_err(|error| Failed::Ours(error.to_string()))?;
                Ok(true)
            }
            Err(Refused::Unknown) => Err(Failed::Ours(Refused::Unknown.to_string())),
            Err(why) => {
                tracing::warn!(uid, %why, "what lies in a mailbox is not taken");
                Ok(false)
            }
        }
    }
}

/// The mails behind a number, in order.
async fn there(talk: &mut Talk, last: u32) -> Result<Vec<There>, Failed> {
    let Some(first) = last.checked_add(1) else {
        return Ok(Vec::new());
    };
    let set = format!("{first}:*");
    let mut listed = in_time(talk.uid_fetch(&set, "(UID RFC822.SIZE)")).await?;
    let mut there = Vec::new();
    while let Some(fetch) = in_time(listed.try_next()).await? {
        let size = usize::try_from(fetch.size.unwrap_or_default()).unwrap_or(usize::MAX);
        match fetch.uid {
            Some(uid) if uid > last => there.push(There { uid, bytes: size }),
            _ => {}
        }
    }
    there.sort_unstable_by_key(|mail| mail.uid);
    there.dedup_by_key(|mail| mail.uid);
    Ok(there)
}

/// Number, time of arrival and content of mails.
async fn fetched(
    talk: &mut Talk,
    set: &str,
    items: &str,
) -> Result<Vec<(u32, OffsetDateTime, Vec<u8>)>, Failed> {
    let mut answers = in_time(talk.uid_fetch(set, items)).await?;
    let mut mails = Vec::new();
    while let Some(fetch) = in_time(answers.try_next()).await? {
        let (Some(uid), Some(body)) = (fetch.uid, fetch.body()) else {
            continue;
        };
        let now = OffsetDateTime::now_utc();
        let arrived = fetch.internal_date().map(|date| date.timestamp());
        let arrived = arrived.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        // A provider whose clock is fast does not make a mail come tomorrow.
        let at = arrived.unwrap_or(now).min(now);
        mails.push((uid, at, body.to_vec()));
    }
    Ok(mails)
}

/// A folder's name as IMAP writes it (RFC 9051, appendix A.1): what is not ASCII in a base64 of its own. A
/// name of ASCII is taken as the server lists it.
fn encoded(name: &str) -> String {
    const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    if name.is_ascii() {
        return name.to_owned();
    }
    let mut written = String::new();
    let mut other = Vec::new();
    let flush = |other: &mut Vec<u8>, written: &mut String| {
        if !other.is_empty() {
            written.push('&');
            written.push_str(&BASE64.encode(&*other));
            written.push('-');
            other.clear();
        }
    };
    for character in name.chars() {
        if character.is_ascii() {
            flush(&mut other, &mut written);
            written.push(character);
            if character == '&' {
                written.push('-');
            }
        } else {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units);
            other.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut other, &mut written);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_imap_writes_them() {
        // The second is the example of RFC 9051, appendix A.1; the last is what Dovecot lists.
        for (name, written) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("&U,BTFw-", "&U,BTFw-"),
            ("a&é", "a&-&AOk-"),
            ("迷惑メール", "&j,dg0TDhMPww6w-"),
        ] {
            assert_eq!(encoded(name), written);
        }
    }
}
