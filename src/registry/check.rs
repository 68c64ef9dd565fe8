//! Whether the log and the registry are as they were written: every entry in its place, every
//! checkpoint signed over the entries that stand below it, every row as its last entry left it.

use std::collections::{BTreeMap, BTreeSet};

use rustls::pki_types::CertificateDer;
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::log::{SignedCheckpoint, Witnessed, checkpoint, witnessed};
use super::store::{Row, Tx};
use super::witness::Table;
use super::{Registry, Result};
use crate::evidence::{
    Checkpoint, Cosigner, Entry, Frontier, Hash, InvalidCheckpoint, InvalidNote, Stamp, Verifier,
};

/// Entries read at a time.
const PAGE: i64 = 2_000;
/// Clocks of receivers that share a registry may be so far apart.
const APART: Duration = Duration::seconds(5);

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: an entry, a checkpoint, a row, the file.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// What a log is checked against: everything that is not in the registry itself.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The log's public keys, the present one and those before it.
    pub keys: Vec<Verifier>,
    /// Checkpoints known outside of the registry: where each is kept, and the note.
    pub kept: Vec<(String, String)>,
    /// Where a checkpoint should be kept that could not be looked at, and why.
    pub unread: Vec<String>,
    /// The roots of time-stamping authorities; with none, their certificates are taken as they are.
    pub roots: Vec<CertificateDer<'static>>,
    /// The keys of witnesses that sign, each behind the witness's name.
    pub cosigners: Vec<(String, Cosigner)>,
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct LogCheck {
    /// Entries in the log.
    pub entries: u64,
    /// The root over them.
    pub root: Hash,
    /// Entries below the newest checkpoint that holds.
    pub signed: u64,
    /// Checkpoints.
    pub checkpoints: usize,
    /// Checkpoints under a timestamp that holds; the newest with the authority's time and name.
    pub stamped: usize,
    /// The newest of them.
    pub newest_stamp: Option<(u64, Stamp)>,
    /// Checkpoints under a witness's signature that holds.
    pub cosigned: usize,
    /// Rows of the registry that were compared.
    pub rows: usize,
    /// What is wrong; empty: nothing.
    pub problems: Vec<Problem>,
    /// What an examiner should know though it is no proof of anything: clocks that went back, a witness's
    /// directory that is not there.
    pub notes: Vec<String>,
}

/// The state of a row as the log tells it.
struct Expected {
    sha256: String,
    seq: u64,
    at: OffsetDateTime,
}

/// In which state the log leaves the registry.
#[derive(Default)]
struct Left {
    rows: BTreeMap<(Table, String), Expected>,
    /// The receivers that have begun and not ended.
    running: BTreeSet<String>,
}

impl LogCheck {
    fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem {
            place: place.into(),
            what: what.into(),
        });
    }
}

impl Registry {
    /// Checks the whole log and every row that it knows.
    ///
    /// # Errors
    /// The store fails. What is wrong with the log or the rows is no error but in the result.
    pub async fn check(&self, trust: &Trust) -> Result<LogCheck> {
        let mut check = LogCheck {
            entries: 0,
            root: Frontier::default().root(),
            signed: 0,
            checkpoints: 0,
            stamped: 0,
            newest_stamp: None,
            cosigned: 0,
            rows: 0,
            problems: Vec::new(),
            notes: trust.unread.clone(),
        };
        for line in self.store.integrity().await? {
            check.problem("the registry's file", line);
        }
        // One moment of the registry: a receiver may go on writing.
        let mut tx = self.store.begin_snapshot().await?;
        let sql = "select size, at, note, timestamp_token from checkpoint order by size";
        let checkpoints = tx.fetch(sql, vec![]).await?;
        let checkpoints: Vec<SignedCheckpoint> =
            checkpoints.iter().map(checkpoint).collect::<Result<_>>()?;
        check.checkpoints = checkpoints.len();
        let mut opened: BTreeMap<u64, Vec<Checkpoint>> = BTreeMap::new();
        let mut keep = |found: Checkpoint| opened.entry(found.size).or_default().push(found);
        for signed in &checkpoints {
            let place = format!("checkpoint {}", signed.size);
            match open(&signed.note, &trust.keys) {
                Ok(found) if found.size == signed.size => keep(found),
                Ok(other) => check.problem(place, format!("it signs {} entries", other.size)),
                Err(why) => check.problem(place, why.to_string()),
            }
            stamp(signed, trust, &mut check);
        }
        let sql = "select size, witness, at, cosignature from witnessed order by size, witness";
        for row in tx.fetch(sql, vec![]).await? {
            cosignature(&witnessed(&row)?, &checkpoints, trust, &mut check);
        }
        for (place, note) in &trust.kept {
            match open(note, &trust.keys) {
                Ok(kept) => keep(kept),
                Err(why) => check.problem(place.as_str(), why.to_string()),
            }
        }
        let before = "select count(*) from evidence where seq < 0";
        if tx
            .fetch(before, vec![])
            .await?
            .first()
            .map_or(Ok(0), |row| row.int(0))?
            > 0
        {
            check.problem(
                "before entry 0",
                "entries were put there: the log begins with 0",
            );
        }
        let Left { rows, running } = walk(&mut tx, &mut check, &opened).await?;
        let receivers = self.check_receivers(&mut tx, &running).await?;
        check.problems.extend(receivers);
        compare(&mut tx, &mut check, rows).await?;
        Ok(check)
    }
}

/// Every entry in order: hashes, places, and the roots at checkpoints.
async fn walk(
    tx: &mut Tx,
    check: &mut LogCheck,
    opened: &BTreeMap<u64, Vec<Checkpoint>>,
) -> Result<Left> {
    let mut left = Left::default();
    let mut frontier = Frontier::default();
    let mut good = 0;
    let (mut next, mut latest) = (0_i64, OffsetDateTime::UNIX_EPOCH);
    loop {
        let sql = "select seq, entry, hash from evidence where seq >= $1 order by seq limit $2";
        let page = tx.fetch(sql, vec![next.into(), PAGE.into()]).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let seq = row.int(0)?;
            if seq > next {
                let gone = match seq - next {
                    1 => format!("entry {next}"),
                    _ => format!("entries {next} to {}", seq - 1),
                };
                check.problem(gone, "removed from the log");
            }
            next = seq + 1;
            let (text, hash) = entry(row, seq as u64, check);
            frontier.push(hash);
            if let Some(text) = text {
                note(&text, seq as u64, &mut latest, &mut left, check);
            }
            let size = frontier.size();
            for checkpoint in opened.get(&size).into_iter().flatten() {
                if checkpoint.root == frontier.root() {
                    (good, check.signed) = (size, size);
                } else {
                    check.problem(
                            format!("entries {good} to {}", size - 1),
                            format!("their hash is not the one that the checkpoint over {size} entries signs: one of them was changed, or the registry was set back and written on"),
                        );
                }
            }
        }
    }
    (check.entries, check.root) = (frontier.size(), frontier.root());
    let last = opened.keys().next_back().copied();
    if let Some(last) = last.filter(|last| *last > frontier.size()) {
        check.problem(
                "the log's end",
                format!(
                    "it has {} entries, but a checkpoint over {last} was signed: the registry was set back to an older state, or its newest entries were removed",
                    frontier.size()
                ),
            );
    }
    let head = tx
        .fetch("select size, frontier from evidence_head", vec![])
        .await?;
    let fits = |row: &Row| {
        Ok::<_, super::Error>(
            row.int(0)? as u64 == frontier.size() && row.bytes(1)? == frontier.to_bytes(),
        )
    };
    if !matches!(&head[..], [row] if fits(row)?) {
        check.problem("the log's head", "it does not fit the entries");
    }
    Ok(left)
}

/// Every row against the state in which the log says it was left, and every row that the log does
/// not know.
async fn compare(
    tx: &mut Tx,
    check: &mut LogCheck,
    expected: BTreeMap<(Table, String), Expected>,
) -> Result<()> {
    check.rows = expected.len();
    for ((table, key), left) in &expected {
        let place = format!("{} {key}", table.name());
        let since = format!("entry {} of {}", left.seq, left.at.date());
        match table.digest(tx, key).await {
            Ok(now) if now.sha256 == left.sha256 => {}
            Ok(now) if now.sha256.is_empty() => {
                check.problem(place, format!("removed since {since}"))
            }
            Ok(_) if left.sha256.is_empty() => check.problem(
                place,
                format!("it is there again, though {since} removed it"),
            ),
            Ok(_) => check.problem(place, format!("changed since {since}")),
            Err(error) => check.problem(
                place,
                format!("it does not read any more ({error}); it was written by {since}"),
            ),
        }
    }
    for table in Table::ALL {
        let known: BTreeSet<&str> = expected
            .keys()
            .filter(|(of, _)| of == table)
            .map(|(_, key)| key.as_str())
            .collect();
        for key in table.keys(tx).await? {
            if !known.contains(key.as_str()) {
                check.problem(format!("{} {key}", table.name()), "it was put there by something else than otori: no entry of the log has written it");
            }
        }
    }
    Ok(())
}

/// A checkpoint's timestamp: whether it holds, and whether its time fits ours.
fn stamp(signed: &SignedCheckpoint, trust: &Trust, check: &mut LogCheck) {
    let Some(token) = &signed.timestamp_token else {
        return;
    };
    let size = signed.size;
    match Stamp::open(token, signed.note.as_bytes(), &trust.roots) {
        Ok(stamp) => {
            if stamp.at.saturating_add(APART) < signed.at {
                check.notes.push(format!(
                    "checkpoint {size} says that it was signed at {}, and was stamped before that, at {}: this machine's clock was ahead",
                    signed.at, stamp.at
                ));
            }
            check.stamped += 1;
            check.newest_stamp = Some((size, stamp));
        }
        Err(why) => check.problem(format!("checkpoint {size}, its timestamp"), why.to_string()),
    }
}

/// What a witness has signed: whether it holds over our checkpoint.
fn cosignature(
    told: &Witnessed,
    checkpoints: &[SignedCheckpoint],
    trust: &Trust,
    check: &mut LogCheck,
) {
    let Some(lines) = &told.cosignature else {
        return;
    };
    let mut keys = trust.cosigners.iter();
    // A witness that is no longer configured cannot be checked, and is no finding.
    let Some((_, key)) = keys.find(|(name, _)| *name == told.witness) else {
        return;
    };
    let place = format!("checkpoint {}, the witness '{}'", told.size, told.witness);
    let signed = checkpoints.iter().find(|signed| signed.size == told.size);
    match signed.map(|signed| key.open(&signed.note, lines)) {
        Some(Ok(_)) => check.cosigned += 1,
        // The row itself is under the log; only nobody vouches for it who is asked now.
        Some(Err(InvalidNote::Unsigned(_))) => check.notes.push(format!(
            "{place}: it has another key now, and what it signed then cannot be checked"
        )),
        Some(Err(why)) => check.problem(place, why.to_string()),
        None => check.problem(place, "the checkpoint that it signed is gone"),
    }
}

fn open(note: &str, keys: &[Verifier]) -> std::result::Result<Checkpoint, InvalidCheckpoint> {
    let mut first = None;
    for key in keys {
        match Checkpoint::open(note, key) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or(InvalidCheckpoint::Malformed))
}

/// An entry's text, if it is the one that was hashed, and the hash that stands in the tree.
fn entry(row: &Row, seq: u64, check: &mut LogCheck) -> (Option<String>, Hash) {
    let kept = row.bytes(2).ok().and_then(|bytes| Hash::from_slice(&bytes));
    let text = row.text(1).ok();
    let hashed = text.as_deref().map(Entry::hash);
    let place = format!("entry {seq}");
    match (text, hashed, kept) {
        (Some(text), Some(hashed), Some(kept)) if hashed == kept => (Some(text), kept),
        (_, _, Some(kept)) => {
            check.problem(
                place,
                "its text was changed: it is not the one that was hashed",
            );
            (None, kept)
        }
        (text, hashed, None) => {
            check.problem(place, "its hash was changed");
            (text, hashed.unwrap_or(Hash([0; 32])))
        }
    }
}

/// Reads an entry: it must stand in its place, and tells in which state its rows were left, and which
/// receivers run behind it.
fn note(text: &str, seq: u64, latest: &mut OffsetDateTime, left: &mut Left, check: &mut LogCheck) {
    /// What every entry has, whichever act it tells: a newer otori may know more acts.
    #[derive(serde::Deserialize)]
    struct Common {
        seq: u64,
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        act: String,
        #[serde(default)]
        run: String,
        #[serde(default)]
        rows: Vec<crate::evidence::RowDigest>,
    }
    let Ok(entry) = serde_json::from_str::<Common>(text) else {
        return check.problem(format!("entry {seq}"), "it does not read");
    };
    if entry.seq != seq {
        check.problem(
            format!("entry {seq}"),
            format!(
                "entry {} stands in its place: they were swapped or renumbered",
                entry.seq
            ),
        );
    }
    if entry.at.saturating_add(APART) < *latest {
        check.notes.push(format!(
            "the clock went back before entry {seq}, from {latest} to {}",
            entry.at
        ));
    }
    *latest = (*latest).max(entry.at);
    match entry.act.as_str() {
        "receiver_started" => drop(left.running.insert(entry.run)),
        "receiver_stopped" | "receiver_lost" => drop(left.running.remove(&entry.run)),
        _ => {}
    }
    for row in entry.rows {
        match Table::named(&row.table) {
            Some(table) => {
                let state = Expected {
                    sha256: row.sha256,
                    seq,
                    at: entry.at,
                };
                left.rows.insert((table, row.key), state);
            }
            None => check.problem(
                format!("entry {seq}"),
                format!(
                    "it names a table '{}' that this otori does not know: use the newest",
                    row.table
                ),
            ),
        }
    }
}
