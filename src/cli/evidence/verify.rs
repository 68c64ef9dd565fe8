//! `otori evidence verify`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustls::pki_types::CertificateDer;
use serde::Serialize;

use crate::bundle::{self, Bundle};
use crate::cli::{Global, Outcome, Output};
use crate::evidence::{Checked, Cosigner, Proof, Stamp, Verifier};
use crate::notation::tame;
use crate::registry::{LogCheck, Problem};

/// Options of `otori evidence verify`.
#[derive(clap::Args)]
pub struct Args {
    /// A bundle of `otori evidence export` (the ZIP file, or the directory that it was unpacked into) or a proof of
    /// `otori evidence prove`; it is checked without workspace, registry and key
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The public key that must have signed the bundle or proof, as the log's owner has published it
    #[arg(long, value_name = "KEY", requires = "file")]
    key: Option<Verifier>,
    /// A checkpoint that was kept elsewhere, such as a witness's mail: the log must continue it
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    checkpoint: Vec<PathBuf>,
    /// Certificates (PEM) of the time-stamping authorities that you trust
    #[arg(long, value_name = "FILE", requires = "file")]
    tsa_roots: Option<PathBuf>,
    /// The public key of a witness that must have signed one of a bundle's checkpoints
    #[arg(long, value_name = "KEY", requires = "file")]
    witness: Vec<Cosigner>,
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    entries: u64,
    root: String,
    signed: u64,
    checkpoints: usize,
    stamped: usize,
    cosigned: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_stamp: Option<StampDocument>,
    rows: usize,
    problems: &'a [Problem],
    notes: &'a [String],
}

#[derive(Serialize)]
struct StampDocument {
    size: u64,
    #[serde(with = "time::serde::rfc3339")]
    at: time::OffsetDateTime,
    authority: String,
    trusted: bool,
}

impl StampDocument {
    fn new((size, stamp): &(u64, Stamp)) -> StampDocument {
        StampDocument {
            size: *size,
            at: stamp.at,
            authority: stamp.authority.clone(),
            trusted: stamp.trusted,
        }
    }
}

#[derive(Serialize)]
struct ProofDocument {
    ok: bool,
    #[serde(flatten)]
    checked: Option<Checked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Runs it.
///
/// # Errors
/// See [`super::run`].
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match &args.file {
        Some(file) if Bundle::is_one(file) => bundled(file, &args, global),
        Some(file) => proof(file, &args, global),
        None => log(&args.checkpoint, global).await,
    }
}

async fn log(kept: &[PathBuf], global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open_to_check().await?;
    let mut trust = workspace.trust()?;
    for file in kept {
        let place = file.display().to_string();
        let note = std::fs::read_to_string(file).with_context(|| place.clone())?;
        // Mail programs change line ends, and what stands around a text.
        let note = format!("{}\n", note.replace("\r\n", "\n").trim());
        trust.kept.push((place, note));
    }
    let check = registry.check(&trust).await?;
    let document = Document {
        ok: check.problems.is_empty(),
        entries: check.entries,
        root: check.root.into(),
        signed: check.signed,
        checkpoints: check.checkpoints,
        stamped: check.stamped,
        cosigned: check.cosigned,
        newest_stamp: check.newest_stamp.as_ref().map(StampDocument::new),
        rows: check.rows,
        problems: &check.problems,
        notes: &check.notes,
    };
    Output::new(global).result(&document, |out| words(&check, out))?;
    Ok(outcome(document.ok))
}

fn words(check: &LogCheck, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for Problem { place, what } in &check.problems {
        writeln!(out, "{}: {}", tame(place), tame(what))?;
    }
    for note in &check.notes {
        writeln!(out, "note: {}", tame(note))?;
    }
    writeln!(
        out,
        "{} entries, {} of them under a signed checkpoint; {} rows of the registry compared",
        check.entries, check.signed, check.rows
    )?;
    if let Some((size, stamp)) = &check.newest_stamp {
        stamped(out, *size, stamp)?;
    }
    if check.cosigned > 0 {
        writeln!(
            out,
            "{} checkpoints are signed by witnesses",
            check.cosigned
        )?;
    }
    match check.problems.len() {
        0 => writeln!(out, "ok: everything is as it was written"),
        1 => writeln!(out, "NOT ok: 1 place is not as it was written"),
        many => writeln!(out, "NOT ok: {many} places are not as they were written"),
    }
}

#[derive(Serialize)]
struct BundleDocument<'a> {
    ok: bool,
    origin: &'a str,
    incident: Option<i64>,
    messages: usize,
    entries: u64,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_stamp: Option<StampDocument>,
    witnesses: &'a BTreeMap<String, u64>,
    problems: &'a [Problem],
}

fn bundled(file: &Path, args: &Args, global: &Global) -> anyhow::Result<Outcome> {
    let roots = roots(args)?;
    let mut bundle = Bundle::open(file)?;
    let check = bundle::check(&mut bundle, args.key.as_ref(), &roots, &args.witness)?;
    let key = check.key.as_ref().map(ToString::to_string);
    let document = BundleDocument {
        ok: check.problems.is_empty(),
        origin: &check.origin,
        incident: check.incident,
        messages: check.messages,
        entries: check.entries,
        key: key.clone(),
        newest_stamp: check.stamp.as_ref().map(StampDocument::new),
        witnesses: &check.witnesses,
        problems: &check.problems,
    };
    Output::new(global).result(&document, |out| {
        for Problem { place, what } in &check.problems {
            writeln!(out, "{}: {}", tame(place), tame(what))?;
        }
        writeln!(
            out,
            "{} messages, {} entries of the log {}",
            check.messages,
            check.entries,
            tame(&check.origin)
        )?;
        if let Some((size, stamp)) = &check.stamp {
            stamped(out, *size, stamp)?;
        }
        for (witness, size) in &check.witnesses {
            let witness = tame(witness);
            writeln!(
                out,
                "the witness {witness} has signed the first {size} entries"
            )?;
        }
        if let Some(key) = &key {
            writeln!(out, "signed by {}", tame(key))?;
        }
        if args.key.is_none() {
            writeln!(
                out,
                "compare this key with the one that the log's owner has published, or say --key"
            )?;
        }
        match check.problems.len() {
            0 => writeln!(out, "ok: everything is as it was handed out"),
            1 => writeln!(out, "NOT ok: 1 place is not as it was handed out"),
            many => writeln!(out, "NOT ok: {many} places are not as they were handed out"),
        }
    })?;
    Ok(outcome(document.ok))
}

/// The roots of time-stamping authorities that the reader trusts.
fn roots(args: &Args) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    Ok(match &args.tsa_roots {
        Some(file) => crate::roots::read(file)?,
        None => Vec::new(),
    })
}

/// A line about the newest timestamp.
fn stamped(out: &mut dyn std::io::Write, size: u64, stamp: &Stamp) -> std::io::Result<()> {
    writeln!(
        out,
        "the newest timestamp is over {size} entries, at {} by {}{}",
        stamp.at,
        tame(&stamp.authority),
        match stamp.trusted {
            true => "",
            false => ", whose certificate nobody vouches for (no roots were given)",
        }
    )
}

fn proof(file: &Path, args: &Args, global: &Global) -> anyhow::Result<Outcome> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    let read: Proof = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no proof of otori", file.display()))?;
    let checked = read.check(args.key.as_ref(), &roots(args)?);
    let document = match &checked {
        Ok(checked) => ProofDocument {
            ok: true,
            checked: Some(checked.clone()),
            why: None,
        },
        Err(error) => ProofDocument {
            ok: false,
            checked: None,
            why: Some(error.to_string()),
        },
    };
    Output::new(global).result(&document, |out| match &checked {
        Err(error) => writeln!(out, "NOT ok: {error}"),
        Ok(checked) => {
            writeln!(
                out,
                "ok: canary {} of source {} was registered in batch {}",
                checked.canary, checked.source, checked.batch
            )?;
            writeln!(out, "at {}, with these fields:", checked.registered_at)?;
            writeln!(out, "{:#}", checked.fields)?;
            if let (Some(at), Some(authority)) = (checked.stamped_at, &checked.authority) {
                let vouched = match args.tsa_roots {
                    Some(_) => "",
                    None => ", whose certificate nobody vouches for (say --tsa-roots)",
                };
                writeln!(out, "stamped at {at} by {authority}{vouched}")?;
            }
            writeln!(out, "signed by {}", checked.key)?;
            match args.key {
                Some(_) => Ok(()),
                None => writeln!(
                    out,
                    "compare this key with the one that the log's owner has published, or say --key"
                ),
            }
        }
    })?;
    Ok(outcome(document.ok))
}

fn outcome(ok: bool) -> Outcome {
    match ok {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    }
}
