//! `otori letters`: the mail room without its page.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;

use super::{Global, Outcome, Output, minute};
use crate::canary::{CanaryId, Sighting, SightingsDocument};
use crate::receive::post::{By, confirmed, message, proposed, unpacked};
use crate::receive::reading::Reader;
use crate::receive::understand::{self, Candidate, Letter};
use crate::registry::{Accepted, Message, NewMessage, Registry, letter_identity};

/// File letters, and say for whom those are that wait
///
/// Without a command: the letters whose photographs are stored and that nobody has confirmed.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// File a letter by its pictures
    ///
    /// With --addressee or --address it counts at once. Without, the pictures are stored, Tesseract reads
    /// them, and the canaries that they may mean are listed for `otori letters confirm`.
    File {
        /// PNG, JPEG, WebP or PDF: front, back and further pages of one letter
        #[arg(required = true, value_name = "PICTURE")]
        pictures: Vec<PathBuf>,
        #[command(flatten)]
        typed: Typed,
    },
    /// Say for whom a letter is that waits; then it counts
    Confirm {
        /// The number under which its photographs are stored
        number: i64,
        /// The canary that it is for
        #[arg(long, value_name = "ID", conflicts_with = "none")]
        canary: Option<CanaryId>,
        /// It is for none of the canaries
        #[arg(long)]
        none: bool,
        #[command(flatten)]
        typed: Typed,
    },
}

/// What is on the envelope.
#[derive(clap::Args)]
struct Typed {
    /// To whom it is
    #[arg(long, value_name = "NAME")]
    addressee: Option<String>,
    /// The addressee's postcode
    #[arg(long, value_name = "CODE")]
    postcode: Option<String>,
    /// The addressee's address with its unit
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// From whom it is
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// The sender's address
    #[arg(long, value_name = "ADDRESS")]
    return_address: Option<String>,
    /// The day on the postmark
    #[arg(long, value_name = "DAY")]
    postmark: Option<String>,
    /// Customer numbers on it
    #[arg(long, value_name = "NUMBERS")]
    customer: Option<String>,
    /// What else there is to say
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Typed {
    /// What was typed, and for the rest what is known otherwise.
    fn over(self, known: Letter) -> Letter {
        Letter {
            addressee: self.addressee.unwrap_or(known.addressee),
            postcode: self.postcode.unwrap_or(known.postcode),
            address: self.address.unwrap_or(known.address),
            sender: self.sender.unwrap_or(known.sender),
            return_address: self.return_address.unwrap_or(known.return_address),
            postmark: self.postmark.unwrap_or(known.postmark),
            customer: self.customer.unwrap_or(known.customer),
            note: self.note.unwrap_or(known.note),
            ..Letter::default()
        }
    }
}

#[derive(Serialize)]
struct Waiting {
    number: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

#[derive(Serialize)]
struct WaitingDocument {
    waiting: Vec<Waiting>,
}

#[derive(Serialize)]
struct StoredDocument {
    number: i64,
    /// Whether it waits for `otori letters confirm`.
    waits: bool,
    /// Whether it was filed before.
    repeat: bool,
    candidates: Vec<Choice>,
    /// Why what was read is not all there is.
    problems: Vec<String>,
    sightings: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Choice {
    canary: CanaryId,
    source: String,
    likeness: f64,
}

/// Runs `otori letters`.
///
/// # Errors
/// A picture cannot be read or is none, there is no such letter, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.command {
        None => list(global).await,
        Some(Command::File { pictures, typed }) => file(pictures, typed, global).await,
        Some(Command::Confirm {
            number,
            canary,
            none,
            typed,
        }) => confirm(number, canary, none, typed, global).await,
    }
}

async fn list(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let waiting = registry.letters_waiting().await?;
    let waiting = waiting
        .into_iter()
        .map(|(number, at)| Waiting { number, at });
    let document = WaitingDocument {
        waiting: waiting.collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.waiting.is_empty() {
            return writeln!(out, "No letter waits to be confirmed.");
        }
        let line = |letter: &Waiting| (letter.number, minute(letter.at));
        document
            .waiting
            .iter()
            .map(line)
            .try_for_each(|(number, at)| {
                writeln!(out, "{number}  {at}  (otori letters confirm {number})")
            })
    })?;
    Ok(Outcome::Done)
}

fn by(global: &Global) -> By<'_> {
    By {
        name: global.person.as_deref().unwrap_or("command line"),
        peer: None,
    }
}

async fn file(pictures: Vec<PathBuf>, typed: Typed, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let letter = typed.over(Letter::default());
    let waits = understand::unsure(&registry, &letter).await?;
    let mut pages = Vec::new();
    for picture in &pictures {
        let page = std::fs::read(picture);
        pages.push(page.with_context(|| format!("{} cannot be read", picture.display()))?);
    }
    let message = message(
        &letter,
        pages.clone(),
        waits,
        by(global),
        OffsetDateTime::now_utc(),
    )?;
    let (message, accepted) = store(&registry, message).await?;
    let mut document = StoredDocument {
        number: message.id,
        waits,
        repeat: matches!(accepted, Accepted::Repeat(_)),
        candidates: Vec::new(),
        problems: Vec::new(),
        sightings: None,
    };
    let settled = understand::settle(&registry, &message).await?;
    if waits {
        let read = Reader::new(&workspace.config().receive.post)
            .read(pages)
            .await;
        document.problems = read.problems;
        let found = understand::matches_read(&registry, &letter, &read.reading.text).await?;
        document.candidates = choices(&found);
    } else {
        document.sightings = Some(shown(&settled)?);
    }
    Output::new(global).result(&document, |out| words(&document, &settled, out))?;
    Ok(Outcome::Done)
}

async fn confirm(
    number: i64,
    canary: Option<CanaryId>,
    none: bool,
    typed: Typed,
    global: &Global,
) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let photographs = registry.message(number).await?;
    let Some(photographs) = photographs.filter(understand::waits) else {
        bail!("no letter waits under the number {number}; `otori letters` lists those that do");
    };
    if let Some(letter) = registry.stored_as(&letter_identity(number)).await? {
        bail!(
            "letter {number} was confirmed before: it is filed as {letter}; if that was wrong, file its pictures again with --addressee and --address"
        );
    }
    if let Some(canary) = &canary {
        registry.canary_of(canary).await?;
    }
    let told = typed.addressee.is_some() || typed.address.is_some();
    if canary.is_none() && !none && !told {
        bail!(
            "say for whom letter {number} is: --canary ID, --addressee NAME, --address ADDRESS, or --none"
        );
    }
    let reader = Reader::new(&workspace.config().receive.post);
    let read = reader.read(unpacked(photographs.raw.clone())).await;
    let mut known = proposed(&photographs, &read.fields);
    if told {
        // What was typed decides for whom it is: nothing that was read mixes with it.
        known.addressee.clear();
        known.postcode.clear();
        known.address.clear();
    }
    let mut letter = typed.over(known);
    letter.canary = canary;
    letter.nobody = none;
    let now = OffsetDateTime::now_utc();
    let message = confirmed(
        number,
        photographs.raw,
        &letter,
        Some(&read.reading),
        by(global),
        now,
    );
    let (message, accepted) = store(&registry, message).await?;
    let settled = understand::settle(&registry, &message).await?;
    let document = StoredDocument {
        number: message.id,
        waits: false,
        repeat: matches!(accepted, Accepted::Repeat(_)),
        candidates: Vec::new(),
        problems: read.problems,
        sightings: Some(shown(&settled)?),
    };
    Output::new(global).result(&document, |out| words(&document, &settled, out))?;
    Ok(Outcome::Done)
}

async fn store(registry: &Registry, message: NewMessage) -> anyhow::Result<(Message, Accepted)> {
    let stored = registry.accept(std::slice::from_ref(&message)).await;
    let stored = stored.context(
        "the letter could not be stored; file it again: what is stored already is not counted twice",
    )?;
    let accepted = *stored.first().context("the registry stored nothing")?;
    let (Accepted::New(id) | Accepted::Repeat(id)) = accepted;
    let message = Message {
        id,
        at: message.at,
        channel: message.channel,
        envelope: message.envelope,
        recipients: message.recipients,
        raw: Vec::new(),
    };
    Ok((message, accepted))
}

fn shown(sightings: &[Sighting]) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::to_value(SightingsDocument::new(sightings))?["sightings"].take())
}

fn choices(found: &[Candidate]) -> Vec<Choice> {
    let choice = |candidate: &Candidate| Choice {
        canary: candidate.canary.clone(),
        source: candidate.source.to_string(),
        likeness: (candidate.likeness * 100.0).round() / 100.0,
    };
    found.iter().map(choice).collect()
}

fn words(
    document: &StoredDocument,
    sightings: &[Sighting],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let number = document.number;
    let before = if document.repeat { ", as before" } else { "" };
    for problem in &document.problems {
        writeln!(out, "Not read: {problem}")?;
    }
    if !document.waits {
        writeln!(out, "Filed as {number}{before}.")?;
        for sighting in sightings {
            let canary = sighting
                .canary
                .as_ref()
                .map_or("no canary", |id| id.as_str());
            let source = sighting
                .source
                .as_ref()
                .map_or("-", |source| source.as_str());
            writeln!(out, "{}  {source}  {canary}", sighting.kind.name())?;
        }
        return Ok(());
    }
    writeln!(
        out,
        "Stored as {number}{before}; it counts when it is confirmed:"
    )?;
    for choice in &document.candidates {
        writeln!(
            out,
            "  otori letters confirm {number} --canary {}   {}, {:.0}% alike",
            choice.canary,
            choice.source,
            choice.likeness * 100.0
        )?;
    }
    writeln!(
        out,
        "  otori letters confirm {number} --addressee NAME --address ADDRESS"
    )?;
    writeln!(out, "  otori letters confirm {number} --none")
}
