//! `otori ingest`.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use time::OffsetDateTime;

use super::taken_in::{self, Unread, Unreadable};
use super::{Global, Outcome, Output};
use crate::canary::MailAddress;
use crate::receive::ingest::{Mbox, Origin, Piece, Refused, files, message};
use crate::receive::smtp::Recipients;
use crate::receive::understand;
use crate::registry::{NewMessage, Registry};

/// Mails stored by one transaction at most, and their bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 32 << 20;

/// Take in mail from files: .eml, mbox, maildirs, directories of them, or - for standard input
///
/// Each mail is counted once, however often it is read. Its recipients are those of ours whom it names
/// in Delivered-To, X-Original-To or Envelope-To, or else in To, Cc or Bcc, unless --to says who they are.
#[derive(clap::Args)]
pub struct Args {
    /// Files and directories; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A recipient of these mails, whatever they say themselves; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<MailAddress>,
    /// For a mail server's pipe: whatever fails ends with status 75, so that the server keeps the mail and
    /// tries again, and the receiver settles what is stored
    #[arg(long, requires = "to")]
    pipe: bool,
}

#[derive(Default, Serialize)]
struct Document {
    files: u64,
    mails: u64,
    stored: u64,
    repeats: u64,
    without_recipient: u64,
    /// Of how many only the beginning was taken, since they are larger than `message_bytes`.
    cut: u64,
    #[serde(flatten)]
    unread: Unread,
}

/// Runs `otori ingest`.
///
/// # Errors
/// The workspace does not open, or the registry fails: what was stored until then is counted once when
/// the same files are read again.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let pipe = args.pipe;
    match ingest(args, global).await {
        Ok(Outcome::Done) => Ok(Outcome::Done),
        Ok(_) if pipe => Ok(Outcome::TryAgain),
        Err(error) if pipe => {
            eprintln!("error: {}", super::told(&error));
            Ok(Outcome::TryAgain)
        }
        other => other,
    }
}

async fn ingest(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let config = &workspace.config().receive;
    let recipients = Recipients::new(registry.clone(), &config.catch_all);
    recipients.refresh().await;
    let mut importer = Importer {
        registry: &registry,
        recipients,
        to: args.to,
        largest: config.limits.message_bytes,
        batch: Vec::new(),
        bytes: 0,
        document: Document::default(),
    };
    for path in &args.files {
        importer.path(path).await?;
    }
    importer.store().await?;
    let document = importer.document;
    if !args.pipe {
        let left =
            understand::settle_waiting(&registry, &super::taken_in::asking(&workspace)?).await?;
        if left > 0 {
            eprintln!("warning: {left} stored messages could not be settled yet");
        }
    }
    Output::new(global).result(&document, |out| words(&document, out))?;
    Ok(if document.unread.unreadable.is_empty() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

struct Importer<'a> {
    registry: &'a Registry,
    recipients: Recipients,
    to: Vec<MailAddress>,
    largest: usize,
    batch: Vec<NewMessage>,
    bytes: usize,
    document: Document,
}

impl Importer<'_> {
    async fn path(&mut self, path: &Path) -> anyhow::Result<()> {
        if path == Path::new("-") {
            let input = Box::new(BufReader::new(io::stdin()));
            return self.file("standard input", input).await;
        }
        let (found, failed) = files::files(path);
        for (path, error) in failed {
            self.document.unread.add(path.display().to_string(), error);
        }
        for path in found {
            let place = path.display().to_string();
            match std::fs::File::open(&path) {
                Ok(file) => self.file(&place, Box::new(BufReader::new(file))).await?,
                Err(error) => {
                    self.document.files += 1;
                    self.document.unread.add(place, error);
                }
            }
        }
        Ok(())
    }

    async fn file(&mut self, file: &str, input: Box<dyn BufRead + Send>) -> anyhow::Result<()> {
        self.document.files += 1;
        let mut empty = true;
        for piece in Mbox::new(input, self.largest) {
            empty = false;
            match piece {
                Ok(Piece::Mail(line, raw)) => {
                    self.mail(format!("{file}:{line}"), raw, None).await?;
                }
                Ok(Piece::Beginning(line, raw, bytes)) => {
                    self.mail(format!("{file}:{line}"), raw, Some(bytes))
                        .await?;
                }
                Err(error) => {
                    self.document.unread.add(file.to_owned(), error);
                    return Ok(());
                }
            }
        }
        if empty {
            self.document.unread.add(file.to_owned(), "it is empty");
        }
        Ok(())
    }

    /// `cut`: of how many bytes it is, where only its beginning was read.
    async fn mail(
        &mut self,
        place: String,
        raw: Vec<u8>,
        cut: Option<usize>,
    ) -> anyhow::Result<()> {
        let now = OffsetDateTime::now_utc();
        let origin = Origin {
            cut,
            ..Origin::FILE
        };
        let read = message(&self.recipients, &self.to, raw, now, origin).await;
        // What does not begin as a mail is none.
        self.document.mails += u64::from(!matches!(read, Err(Refused::NoMail)));
        match read {
            Ok(message) => {
                self.document.cut += u64::from(cut.is_some());
                self.bytes += message.raw.len();
                self.batch.push(message);
                if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
                    self.store().await?;
                }
            }
            Err(Refused::NotOurs) => self.document.without_recipient += 1,
            Err(Refused::NoMail) => self.document.unread.add(place, Refused::NoMail),
            Err(refused @ Refused::Unknown) => return Err(refused).context(place),
        }
        Ok(())
    }

    async fn store(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let stored = taken_in::store(self.registry, &batch).await;
        let (stored, repeats) = stored.context(
            "the mails could not be stored; read the same files again: what is stored already is not counted twice",
        )?;
        self.document.stored += stored;
        self.document.repeats += repeats;
        Ok(())
    }
}

fn words(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{} mails in {} files: {} stored, {} known already, {} without a recipient of ours.",
        document.mails,
        document.files,
        document.stored,
        document.repeats,
        document.without_recipient,
    )?;
    if document.cut > 0 {
        writeln!(
            out,
            "Of {} mails only the beginning was taken: they are larger than message_bytes of [receive.limits].",
            document.cut
        )?;
    }
    for Unreadable { place, why } in &document.unread.unreadable {
        writeln!(out, "Not read: {place}: {why}")?;
    }
    match document.unread.more_unreadable {
        0 => Ok(()),
        more => writeln!(out, "And {more} more that were not read."),
    }
}
