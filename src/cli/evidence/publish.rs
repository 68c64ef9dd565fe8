//! `otori evidence publish`.

use anyhow::bail;
use serde::Serialize;

use crate::cli::{Global, Outcome, Output};

#[derive(Serialize)]
struct Document {
    published: bool,
    missed: Vec<Missed>,
}

#[derive(Serialize)]
struct Missed {
    place: String,
    why: String,
}

/// Runs it.
///
/// # Errors
/// The configuration names no place, or contradicts itself, or the registry fails.
pub async fn run(global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let Some(publisher) = workspace.publisher()? else {
        bail!(
            "otori.toml names no place outside for the log's checkpoints: set tsa in [evidence], or add an [[evidence.witness]]"
        );
    };
    workspace.sign_log(&registry).await?;
    let missed = publisher.publish(&registry).await?;
    let missed: Vec<Missed> = missed
        .into_iter()
        .map(|missed| Missed {
            place: missed.place,
            why: missed.why.to_string(),
        })
        .collect();
    let document = Document {
        published: missed.is_empty(),
        missed,
    };
    Output::new(global).result(&document, |out| {
        for Missed { place, why } in &document.missed {
            writeln!(out, "{place} has not got the newest checkpoint: {why}")?;
        }
        match document.published {
            true => writeln!(
                out,
                "ok: everybody whose time it is has the newest checkpoint"
            ),
            false => Ok(()),
        }
    })?;
    Ok(match document.published {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}
