//! `otori evidence verify`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::cli::{Global, Outcome, Output};
use crate::evidence::{Checked, Proof, Verifier};
use crate::registry::{LogCheck, Problem};

/// Options of `otori evidence verify`.
#[derive(clap::Args)]
pub struct Args {
    /// A proof, made by `otori evidence prove`; it is checked without workspace, registry and key
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The public key that must have signed the proof, as the log's owner has published it
    #[arg(long, value_name = "KEY", requires = "file")]
    key: Option<Verifier>,
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    entries: u64,
    root: String,
    signed: u64,
    checkpoints: usize,
    rows: usize,
    problems: &'a [Problem],
    notes: &'a [String],
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
    match args.file {
        Some(file) => proof(&file, args.key.as_ref(), global),
        None => log(global).await,
    }
}

async fn log(global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open_to_check().await?;
    let check = registry
        .check(&workspace.verifiers()?, workspace.anchor()?.as_deref())
        .await?;
    let document = Document {
        ok: check.problems.is_empty(),
        entries: check.entries,
        root: check.root.into(),
        signed: check.signed,
        checkpoints: check.checkpoints,
        rows: check.rows,
        problems: &check.problems,
        notes: &check.notes,
    };
    Output::new(global).result(&document, |out| words(&check, out))?;
    Ok(outcome(document.ok))
}

fn words(check: &LogCheck, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for Problem { place, what } in &check.problems {
        writeln!(out, "{place}: {what}")?;
    }
    for note in &check.notes {
        writeln!(out, "note: {note}")?;
    }
    writeln!(
        out,
        "{} entries, {} of them under a signed checkpoint; {} rows of the registry compared",
        check.entries, check.signed, check.rows
    )?;
    match check.problems.len() {
        0 => writeln!(out, "ok: everything is as it was written"),
        1 => writeln!(out, "NOT ok: 1 place is not as it was written"),
        many => writeln!(out, "NOT ok: {many} places are not as they were written"),
    }
}

fn proof(file: &Path, key: Option<&Verifier>, global: &Global) -> anyhow::Result<Outcome> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    let read: Proof = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no proof of otori", file.display()))?;
    let checked = read.check(key);
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
            writeln!(out, "signed by {}", checked.key)?;
            match key {
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
