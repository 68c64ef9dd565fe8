//! Canaries kept out of billing, mailings, counts and models, without a list of them.
//!
//! What is handed out are keyed hashes (HMAC-SHA256): of the rows' primary keys for a filter within the
//! database, and of keys, mail addresses and phone numbers for one outside of it. Without the key nobody
//! can tell whether a value is a canary's; with the key and the hashes one can ask it of any value that one
//! has, which is what a filter is for.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use rand::{Rng, RngExt};
use sha2::Sha256;

use crate::canary::{Canary, CanaryId, ContactPoint, PlantedRow, State};
use crate::database::BETWEEN;
use crate::notation::{Role, email_key, phone_key};
use crate::registry::PoolEntry;

/// The least number of hashes: fewer are filled up.
const LEAST: usize = 64;

/// Hashes of what stands of canaries in a source.
pub struct Suppression {
    /// Of the primary keys of the rows in the customer table.
    pub keys: Vec<[u8; 32]>,
    /// Of those of the rows in each table beside it; nothing for a table without a key.
    pub beside: BTreeMap<String, Vec<[u8; 32]>>,
    /// Of the rows' mail addresses, in lower case and without a plus tag.
    pub mails: Vec<[u8; 32]>,
    /// Of their phone numbers, in E.164.
    pub phones: Vec<[u8; 32]>,
    /// Canaries in it.
    pub canaries: usize,
    /// Canaries that stand in no row whose key is known: they are not kept out by their keys.
    pub unkeyed: Vec<CanaryId>,
}

impl Suppression {
    /// Hashes under `key` of those canaries that stand in the source, or may; and of the mailboxes and numbers of the
    /// pool, so that who comes by and by is known before.
    pub fn new(key: &[u8; 32], canaries: &[Canary], pool: &[PoolEntry]) -> Suppression {
        let mut made = Suppression {
            keys: Vec::new(),
            beside: BTreeMap::new(),
            mails: Vec::new(),
            phones: Vec::new(),
            canaries: 0,
            unkeyed: Vec::new(),
        };
        let standing = |canary: &&Canary| matches!(canary.state, State::Live | State::HandedOut);
        for canary in canaries.iter().filter(standing) {
            made.canaries += 1;
            // The first row is that of the customer table.
            let mut tags = canary.details.rows.iter().map(|row| key_tag(key, row));
            match tags.next().flatten() {
                Some(own) => made.keys.push(own),
                None => made.unkeyed.push(canary.id.clone()),
            }
            for (row, own) in canary.details.rows.iter().skip(1).zip(tags) {
                made.beside
                    .entry(row.table.clone())
                    .or_default()
                    .extend(own);
            }
            for (role, value) in canary.written() {
                match role {
                    Role::Email => made
                        .mails
                        .extend(email_key(value).map(|mail| tag(key, &mail))),
                    Role::Phone | Role::Mobile => {
                        let region = Some(canary.details.household.locale.into());
                        let phone = phone_key(value, region);
                        made.phones.extend(phone.map(|phone| tag(key, &phone)));
                    }
                    _ => {}
                }
            }
        }
        for entry in pool {
            let text = entry.point.identity();
            match &entry.point {
                ContactPoint::Mailbox(_) => made
                    .mails
                    .extend(email_key(&text).map(|mail| tag(key, &mail))),
                ContactPoint::Phone(_) => made
                    .phones
                    .extend(phone_key(&text, None).map(|phone| tag(key, &phone))),
                _ => {}
            }
        }
        let own = [&mut made.keys, &mut made.mails, &mut made.phones];
        for tags in own.into_iter().chain(made.beside.values_mut()) {
            tags.sort_unstable();
            tags.dedup();
        }
        made
    }
}

/// Fills hashes up with others that are nobody's, to a power of two, and sorts them: neither their number
/// nor their order says how many canaries there are.
pub fn pad(tags: &mut Vec<[u8; 32]>, rng: &mut impl Rng) {
    let wanted = tags.len().next_power_of_two().max(LEAST);
    tags.resize_with(wanted, || rng.random());
    tags.sort_unstable();
}

/// The hash of a row's primary key, if it is known.
fn key_tag(key: &[u8; 32], row: &PlantedRow) -> Option<[u8; 32]> {
    let values: Vec<&str> = row.key.iter().map(|(_, value)| value.as_str()).collect();
    let joined = values.join(BETWEEN.encode_utf8(&mut [0; 4]));
    (!values.is_empty()).then(|| tag(key, &joined))
}

/// HMAC-SHA256 of a text (RFC 2104).
fn tag(key: &[u8; 32], text: &str) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .expect("HMAC takes a key of any length (RFC 2104)");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
