//! Making a bundle.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::contents::{self, Contents, FORMAT, Item};
use super::{CONTENTS, ENTRIES, Error, KEYS, README, SUMS, at, check, page, zipped};
use crate::canary::{Channel, IncidentsDocument, PictureFormat, Sighting, SightingsDocument};
use crate::evidence::{Act, Entry, hex};
use crate::publish::Missed;
use crate::registry::{Message, Registry, SightingFilter, envelope_text};
use crate::workspace::{self, Unnamed, Workspace, folder};

/// What is to be handed out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The sightings of this incident alone; none: every sighting that is none of noise.
    pub incident: Option<i64>,
}

/// A bundle that was made.
#[derive(Debug)]
pub struct Made {
    /// Messages in it.
    pub messages: usize,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Entries of the log in it.
    pub entries: usize,
    /// Who has not got the checkpoint over them, which so is not stamped or witnessed in the bundle.
    pub missed: Vec<Missed>,
}

/// Files going into the ZIP, and what they hash to.
struct Packer<'a> {
    path: &'a Path,
    zip: ZipWriter<BufWriter<File>>,
    sums: BTreeMap<String, String>,
}

impl Packer<'_> {
    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(content.len() > u32::MAX as usize / 2)
            .unix_permissions(0o600);
        self.zip
            .start_file(name, options)
            .map_err(zipped(self.path))?;
        self.zip.write_all(content).map_err(at(self.path))?;
        self.sums
            .insert(name.to_owned(), hex(&Sha256::digest(content)));
        Ok(())
    }

    fn put_json(&mut self, name: &str, document: &impl serde::Serialize) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(document);
        let text = text.map_err(|error| at(self.path)(error.into()))?;
        self.put(name, &text)
    }
}

/// Makes a bundle; that it was made is in the log first.
///
/// # Errors
/// See [`Error`]; then there is no file.
pub async fn make(
    workspace: &Workspace,
    registry: &Registry,
    wanted: Wanted,
    path: &Path,
    now: OffsetDateTime,
) -> Result<Made, Error> {
    if path.exists() {
        return Err(Error::Exists(path.to_owned()));
    }
    let (sightings, incidents) = gather(registry, wanted).await?;
    // It holds what strangers wrote to canaries: nobody else reads it.
    let file = Unnamed::begin(path, ".otori-evidence-").map_err(at(folder(path)))?;
    let handle = file.handle().map_err(at(path))?;
    let mut packer = Packer {
        path,
        zip: ZipWriter::new(BufWriter::new(handle)),
        sums: BTreeMap::new(),
    };
    let origin = workspace.signer()?.verifier().name().to_owned();
    packer.put(README, page::page(&origin, wanted.incident).as_bytes())?;
    packer.put_json("sightings.json", &SightingsDocument::new(&sightings))?;
    packer.put_json("incidents.json", &IncidentsDocument::new(&incidents))?;
    let custody: Vec<Entry> = custody(registry.acts().await?);
    packer.put_json("custody.json", &custody)?;
    let mut messages = Vec::new();
    let mut numbers: Vec<i64> = sightings.iter().map(|sighting| sighting.message).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let Some(message) = registry.message(number).await? else {
            // What a rule has erased cannot be handed out: the log in the bundle says when, and by which.
            match registry.erased(number).await? {
                Some(_) => continue,
                None => return Err(Error::NoMessage(number)),
            }
        };
        messages.push(put_message(&mut packer, registry, &message)?);
    }
    let files = packer.sums.clone().into_iter();
    let contents = Contents {
        format: FORMAT.to_owned(),
        origin,
        incident: wanted.incident,
        made_at: now,
        made_by: registry.by().to_owned(),
        files: files
            .map(|(path, sha256)| contents::File { path, sha256 })
            .collect(),
        messages,
    };
    packer.put_json(CONTENTS, &contents)?;
    let act = Act::Exported {
        messages: contents.messages.len(),
        incident: wanted.incident,
        manifest: packer.sums[CONTENTS].clone(),
    };
    registry.record(act, now).await?;
    workspace.sign_log(registry).await?;
    // So that the checkpoint over that entry is stamped and witnessed in the bundle itself.
    let missed = match workspace.publisher()? {
        Some(publisher) => publisher
            .publish(registry)
            .await
            .map_err(workspace::Error::from)?,
        None => Vec::new(),
    };
    let entries = put_log(&mut packer, workspace, registry).await?;
    let sums: String = packer
        .sums
        .iter()
        .map(|(name, sum)| format!("{sum}  {name}\n"))
        .collect();
    packer.put(SUMS, sums.as_bytes())?;
    let mut out = packer.zip.finish().map_err(zipped(path))?;
    out.flush().map_err(at(path))?;
    let sha256 = file.sha256().map_err(at(path))?;
    file.name().map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
        _ => at(path)(error),
    })?;
    Ok(Made {
        messages: contents.messages.len(),
        sha256,
        entries,
        missed,
    })
}

async fn gather(
    registry: &Registry,
    wanted: Wanted,
) -> Result<(Vec<Sighting>, Vec<crate::canary::Incident>), Error> {
    let mut incidents = registry.incidents().await?;
    let mut sightings = registry.sightings(&SightingFilter::default()).await?;
    match wanted.incident {
        Some(id) => {
            incidents.retain(|incident| incident.id == id);
            if incidents.is_empty() {
                return Err(Error::NoIncident(id));
            }
            sightings.retain(|sighting| sighting.incident == Some(id));
        }
        // What fits no canary is nobody's evidence, and may be a stranger's private mail.
        None => sightings.retain(|sighting| sighting.source.is_some()),
    }
    Ok((sightings, incidents))
}

/// Who has seen, handed out, asked for or been refused what.
fn custody(entries: Vec<Entry>) -> Vec<Entry> {
    let handled = |entry: &Entry| {
        matches!(
            entry.act,
            Act::Revealed { .. }
                | Act::Proved { .. }
                | Act::Exported { .. }
                | Act::Refused { .. }
                | Act::Requested { .. }
                | Act::RequestApproved { .. }
                | Act::RequestUsed { .. }
                | Act::KeyRotated { .. }
                | Act::SigningKeyChanged { .. }
                | Act::Forgotten { .. }
                | Act::BackedUp { .. }
                | Act::Restored { .. }
        )
    };
    entries.into_iter().filter(handled).collect()
}

fn put_message(
    packer: &mut Packer<'_>,
    registry: &Registry,
    message: &Message,
) -> Result<Item, Error> {
    let folder = format!("messages/{:06}", message.id);
    let raw = match message.channel {
        Channel::Mail => format!("{folder}/message.eml"),
        Channel::Post => format!("{folder}/{}", picture(&message.raw)),
        _ => format!("{folder}/message.txt"),
    };
    let envelope = format!("{folder}/envelope.json");
    packer.put(&raw, &message.raw)?;
    let text = envelope_text(&message.envelope, &message.recipients);
    packer.put(&envelope, &text)?;
    Ok(Item {
        message: message.id,
        channel: message.channel.name().to_owned(),
        at: message.at,
        raw,
        envelope,
        salt: registry.raw_salt(message.id),
    })
}

/// The name under which a picture opens by a double click.
fn picture(bytes: &[u8]) -> &'static str {
    match PictureFormat::of(bytes) {
        Some(PictureFormat::Png) => "letter.png",
        Some(PictureFormat::Jpeg) => "letter.jpg",
        Some(PictureFormat::Pdf) => "letter.pdf",
        Some(PictureFormat::Webp) => "letter.webp",
        // Several pages.
        None if bytes.starts_with(b"PK\x03\x04") => "letter.zip",
        None => "letter.bin",
    }
}

/// The log up to its newest checkpoint, and what signs it.
async fn put_log(
    packer: &mut Packer<'_>,
    workspace: &Workspace,
    registry: &Registry,
) -> Result<usize, Error> {
    let checkpoints = registry.checkpoints(u32::MAX).await?;
    let newest = checkpoints.first().ok_or(Error::Unsigned)?.size;
    let mut texts = registry.entry_texts().await?;
    texts.truncate(usize::try_from(newest).unwrap_or(usize::MAX));
    let mut lines = texts.join("\n");
    lines.push('\n');
    packer.put(ENTRIES, lines.as_bytes())?;
    for checkpoint in &checkpoints {
        let name = check::stem(checkpoint.size);
        packer.put(&format!("{name}.note"), checkpoint.note.as_bytes())?;
        if let Some(token) = &checkpoint.timestamp_token {
            packer.put(&format!("{name}.token"), token)?;
        }
        let witnesses = registry.witnesses_of(checkpoint.size).await?;
        let cosignatures: String = witnesses
            .into_iter()
            .filter_map(|witness| witness.cosignature)
            .collect();
        if !cosignatures.is_empty() {
            packer.put(&format!("{name}.cosignatures"), cosignatures.as_bytes())?;
        }
    }
    let keys: String = workspace
        .verifiers()?
        .iter()
        .map(|key| format!("{key}\n"))
        .collect();
    packer.put(KEYS, keys.as_bytes())?;
    Ok(texts.len())
}
