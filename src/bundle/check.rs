//! Checking a bundle, with nothing but the bundle and, best, the log's key as it was published.

use std::collections::{BTreeMap, BTreeSet};

use rustls::pki_types::CertificateDer;

use super::contents::{Contents, FORMAT, Item};
use super::{Bundle, CONTENTS, ENTRIES, Error, KEYS, SUMS};
use crate::evidence::{Checkpoint, Cosigner, Frontier, Stamp, Verifier, leaf_hash, message_hash};
use crate::registry::Problem;

/// What a check has found.
#[derive(Debug)]
pub struct BundleCheck {
    /// The log's name.
    pub origin: String,
    /// The incident that the bundle is about.
    pub incident: Option<i64>,
    /// Messages in it.
    pub messages: usize,
    /// Entries of the log in it.
    pub entries: u64,
    /// The key that the newest checkpoint is signed by.
    pub key: Option<Verifier>,
    /// The newest timestamp that holds, and the entries below it.
    pub stamp: Option<(u64, Stamp)>,
    /// Witnesses whose signature holds, each with the entries below the newest checkpoint that it signed.
    pub witnesses: BTreeMap<String, u64>,
    /// What does not hold; empty: nothing.
    pub problems: Vec<Problem>,
}

/// The parts of an entry that are looked at, whichever act it tells: a newer otori may know more acts.
#[derive(serde::Deserialize)]
struct Line {
    seq: u64,
    act: String,
    #[serde(default)]
    manifest: Option<String>,
    #[serde(default)]
    messages: serde_json::Value,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

/// What the log says, as far as a bundle needs it.
#[derive(Default)]
struct Told {
    /// The hash of each message when it was first accepted.
    accepted: BTreeMap<i64, String>,
    /// The lists of contents that were handed out, and the entry that says so.
    exported: BTreeMap<String, u64>,
    /// Signing keys that gave way: at which entry, from which, to which.
    keys: Vec<(u64, String, String)>,
}

impl BundleCheck {
    fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem {
            place: place.into(),
            what: what.into(),
        });
    }
}

/// Checks everything in a bundle. `wanted` is the log's key as its owner has published it; `roots` vouch for
/// time-stamping authorities, `cosigners` are witnesses that the reader trusts.
///
/// # Errors
/// The list of contents does not read, so that there is nothing to check against.
pub fn check(
    bundle: &mut Bundle,
    wanted: Option<&Verifier>,
    roots: &[CertificateDer<'_>],
    cosigners: &[Cosigner],
) -> Result<BundleCheck, Error> {
    let list = bundle.text(CONTENTS)?;
    let mut check = BundleCheck {
        origin: String::new(),
        incident: None,
        messages: 0,
        entries: 0,
        key: None,
        stamp: None,
        witnesses: BTreeMap::new(),
        problems: Vec::new(),
    };
    let contents: Option<Contents> = serde_json::from_str(&list)
        .ok()
        .filter(|contents: &Contents| contents.format == FORMAT);
    if contents.is_none() {
        check.problem(CONTENTS, "it does not read as the list of a bundle");
    }
    for name in bundle.strange() {
        check.problem(
            name,
            "it is a link, or has a name that no file of a bundle has",
        );
    }
    let keys = keys(bundle, &mut check);
    let mut checkpoints = checkpoints(bundle, &keys, &mut check);
    let told = log(bundle, &mut checkpoints, &mut check);
    trusted_key(wanted, &checkpoints, &told, &mut check);
    for key in &keys {
        let text = key.to_string();
        let signed = checkpoints.values().any(|one| one.key == *key);
        let named = |(_, from, to): &(u64, String, String)| *from == text || *to == text;
        if !signed && !told.keys.iter().any(named) {
            check.problem(
                KEYS,
                format!("{text} has signed nothing here, and the log does not name it"),
            );
        }
    }
    for one in checkpoints.values().filter(|one| one.holds) {
        vouched(bundle, one, roots, cosigners, &mut check);
    }
    for cosigner in cosigners {
        if !check.witnesses.contains_key(cosigner.name()) {
            check.problem(
                format!("the witness {}", cosigner.name()),
                "it has signed no checkpoint of this bundle",
            );
        }
    }
    if let Some(contents) = contents {
        check.origin = contents.origin.clone();
        check.incident = contents.incident;
        check.messages = contents.messages.len();
        let manifest = bundle.sha256(CONTENTS)?;
        let signed = checkpoints.keys().next_back().copied().unwrap_or(0);
        if told
            .exported
            .get(&manifest)
            .is_none_or(|seq| *seq >= signed)
        {
            check.problem(
                CONTENTS,
                "the log does not say that this list was handed out: it was changed, or is another's",
            );
        }
        files(bundle, &contents, &checkpoints, &mut check);
        for item in &contents.messages {
            message(bundle, &contents, item, &told, &mut check);
        }
    }
    sums(bundle, &mut check);
    Ok(check)
}

/// Every file is in `SHA256SUMS`, and as it says; what was told of a file before is not told again.
fn sums(bundle: &mut Bundle, check: &mut BundleCheck) {
    let told: BTreeSet<String> = check.problems.iter().map(|p| p.place.clone()).collect();
    let Ok(text) = bundle.text(SUMS) else {
        return check.problem(SUMS, "missing, or it does not read");
    };
    let mut listed = BTreeSet::from([SUMS.to_owned()]);
    for line in text.lines() {
        let Some((sum, name)) = line.split_once("  ") else {
            check.problem(SUMS, "it does not read");
            continue;
        };
        listed.insert(name.to_owned());
        if told.contains(name) {
            continue;
        }
        if !bundle.names().contains(name) {
            check.problem(name, "missing");
        } else {
            match bundle.sha256(name) {
                Ok(found) if found == sum => {}
                Ok(_) => check.problem(name, "changed: it is not the file that SHA256SUMS lists"),
                Err(error) => check.problem(name, error.to_string()),
            }
        }
    }
    for name in bundle.names().difference(&listed) {
        if !told.contains(name) {
            check.problem(name.as_str(), "it was put there: no list has it");
        }
    }
}

/// A checkpoint in a bundle, signed by one of the log's keys.
struct Signed {
    note: String,
    checkpoint: Checkpoint,
    key: Verifier,
    /// Whether the entries below it are those that it signs.
    holds: bool,
}

/// The name of a checkpoint's files, without their ending.
pub(super) fn stem(size: u64) -> String {
    format!("log/checkpoint-{size:012}")
}

fn keys(bundle: &mut Bundle, check: &mut BundleCheck) -> Vec<Verifier> {
    let mut keys: Vec<Verifier> = Vec::new();
    match bundle.text(KEYS) {
        Ok(text) => {
            for line in text.lines() {
                match line.parse() {
                    Ok(key) => keys.push(key),
                    Err(error) => check.problem(KEYS, format!("{error}")),
                }
            }
        }
        Err(error) => check.problem(KEYS, error.to_string()),
    }
    keys
}

/// The checkpoints whose signature holds, by size; a file's name says its size, so there is one of each.
fn checkpoints(
    bundle: &mut Bundle,
    keys: &[Verifier],
    check: &mut BundleCheck,
) -> BTreeMap<u64, Signed> {
    let mut found = BTreeMap::new();
    let names: Vec<String> = bundle.names().iter().cloned().collect();
    for name in names.iter().filter(|name| name.ends_with(".note")) {
        let note = match bundle.text(name) {
            Ok(note) => note,
            Err(error) => {
                check.problem(name.as_str(), error.to_string());
                continue;
            }
        };
        let opened = keys
            .iter()
            .find_map(|key| Some((Checkpoint::open(&note, key).ok()?, key.clone())));
        let Some((checkpoint, key)) = opened else {
            check.problem(name.as_str(), "none of the log's keys has signed it");
            continue;
        };
        let size = checkpoint.size;
        if size == 0 || *name != format!("{}.note", stem(size)) {
            check.problem(
                name.as_str(),
                format!("it signs {size} entries, and its name says another number"),
            );
            continue;
        }
        let holds = false;
        let signed = Signed {
            note,
            checkpoint,
            key,
            holds,
        };
        found.insert(size, signed);
    }
    found
}

/// Who vouches for a checkpoint that holds: the authority that stamped it, the witnesses who signed it.
fn vouched(
    bundle: &mut Bundle,
    one: &Signed,
    roots: &[CertificateDer<'_>],
    cosigners: &[Cosigner],
    check: &mut BundleCheck,
) {
    let size = one.checkpoint.size;
    let name = format!("{}.token", stem(size));
    if bundle.names().contains(&name) {
        let held = bundle
            .bytes(&name)
            .map_err(|error| error.to_string())
            .and_then(|token| {
                Stamp::open(&token, one.note.as_bytes(), roots).map_err(|error| error.to_string())
            });
        match held {
            Ok(stamp) => check.stamp = Some((size, stamp)),
            Err(why) => check.problem(name, why),
        }
    }
    if let Ok(lines) = bundle.text(&format!("{}.cosignatures", stem(size))) {
        for cosigner in cosigners {
            if cosigner.open(&one.note, &lines).is_ok() {
                check.witnesses.insert(cosigner.name().to_owned(), size);
            }
        }
    }
}

/// Reads the log: every entry in its place, the roots that the checkpoints sign.
fn log(
    bundle: &mut Bundle,
    checkpoints: &mut BTreeMap<u64, Signed>,
    check: &mut BundleCheck,
) -> Told {
    let mut told = Told::default();
    let mut frontier = Frontier::default();
    let mut good = 0;
    let read = bundle.lines(ENTRIES, |line| {
        let seq = frontier.size();
        frontier.push(leaf_hash(line));
        match serde_json::from_slice::<Line>(line) {
            Ok(entry) if entry.seq == seq => told.note(entry),
            _ => check.problem(
                format!("{ENTRIES}, line {}", seq + 1),
                "it is not the entry of this place",
            ),
        }
        let size = frontier.size();
        if let Some(signed) = checkpoints.get_mut(&size) {
            signed.holds = signed.checkpoint.root == frontier.root();
            match signed.holds {
                true => good = size,
                false => check.problem(
                    format!("{ENTRIES}, lines {} to {size}", good + 1),
                    format!("one of them was changed, removed or swapped: they are not what the checkpoint over {size} entries signs"),
                ),
            }
        }
    });
    if let Err(error) = read {
        check.problem(ENTRIES, error.to_string());
    }
    check.entries = frontier.size();
    match checkpoints.keys().next_back() {
        None => check.problem("log", "no checkpoint in it is signed"),
        Some(last) if *last > frontier.size() => check.problem(
            ENTRIES,
            format!(
                "it is cut off: it has {} entries, and {last} were signed",
                frontier.size()
            ),
        ),
        Some(last) if *last < frontier.size() => check.problem(
            format!("{ENTRIES}, lines {} to {}", last + 1, frontier.size()),
            "no checkpoint signs them",
        ),
        Some(_) => {}
    }
    told
}

impl Told {
    fn note(&mut self, entry: Line) {
        match (entry.act.as_str(), entry.manifest, entry.from, entry.to) {
            ("exported", Some(manifest), ..) => {
                self.exported.insert(manifest, entry.seq);
            }
            ("signing_key_changed", _, Some(from), Some(to)) => {
                self.keys.push((entry.seq, from, to));
            }
            ("messages_accepted", ..) => {
                let messages = serde_json::from_value::<Vec<(i64, String)>>(entry.messages);
                for (message, hash) in messages.unwrap_or_default() {
                    // The same message again, with other words of its transport, is not the one that is kept.
                    self.accepted.entry(message).or_insert(hash);
                }
            }
            _ => {}
        }
    }
}

/// The key of the newest checkpoint must be the one that was published, or one that this one, key after key,
/// has given way to under its own signature.
fn trusted_key(
    wanted: Option<&Verifier>,
    checkpoints: &BTreeMap<u64, Signed>,
    told: &Told,
    check: &mut BundleCheck,
) {
    let Some((_, Signed { key: newest, .. })) = checkpoints.last_key_value() else {
        return;
    };
    check.key = Some(newest.clone());
    let Some(wanted) = wanted else {
        return;
    };
    // A change of keys that was begun and not ended leaves the old one in use.
    let mut trusted = BTreeSet::from([wanted.to_string()]);
    for (seq, from, to) in &told.keys {
        let vouched = checkpoints
            .iter()
            .any(|(size, one)| one.holds && size > seq && one.key.to_string() == *from);
        if trusted.contains(from) && vouched {
            trusted.insert(to.clone());
        }
    }
    if !trusted.contains(&newest.to_string()) {
        check.problem(
            "the log's key",
            format!("its newest checkpoint is signed by {newest}, and not by {wanted} or a key that this one has given way to"),
        );
    }
}

/// Every file of the list is there, and as it was; and every message's files are on the list.
fn files(
    bundle: &mut Bundle,
    contents: &Contents,
    checkpoints: &BTreeMap<u64, Signed>,
    check: &mut BundleCheck,
) {
    let mut listed = BTreeSet::new();
    for file in &contents.files {
        listed.insert(file.path.as_str());
        if !bundle.names().contains(&file.path) {
            check.problem(file.path.as_str(), "missing");
            continue;
        }
        match bundle.sha256(&file.path) {
            Ok(found) if found == file.sha256 => {}
            Ok(_) => check.problem(
                file.path.as_str(),
                "changed: it is not the file that was handed out",
            ),
            Err(error) => check.problem(file.path.as_str(), error.to_string()),
        }
    }
    let strange = |name: &&String| {
        let of_log = checkpoints.keys().any(|size| {
            let ending = name.strip_prefix(&stem(*size));
            matches!(ending, Some(".note" | ".token" | ".cosignatures"))
        });
        let known = of_log || [CONTENTS, SUMS, ENTRIES, KEYS].contains(&name.as_str());
        !known && !listed.contains(name.as_str())
    };
    let strangers: Vec<String> = bundle.names().iter().filter(strange).cloned().collect();
    for name in strangers {
        check.problem(name, "it was put there: contents.json does not have it");
    }
}

/// A message is the one that the log says was accepted.
fn message(
    bundle: &mut Bundle,
    contents: &Contents,
    item: &Item,
    told: &Told,
    check: &mut BundleCheck,
) {
    let place = format!("message {}", item.message);
    let listed = |name: &str| contents.files.iter().any(|file| file.path == name);
    if !listed(&item.raw) || !listed(&item.envelope) {
        return check.problem(place, "its files are not on the list");
    }
    let (Ok(raw), Ok(envelope)) = (bundle.bytes(&item.raw), bundle.bytes(&item.envelope)) else {
        return check.problem(place, "its files do not read");
    };
    match told.accepted.get(&item.message) {
        Some(hash) if *hash == message_hash(&item.salt, &envelope, &raw) => {}
        Some(_) => check.problem(
            place,
            "it is not the message that the log says was accepted",
        ),
        None => check.problem(place, "the log does not know that it was accepted"),
    }
}
