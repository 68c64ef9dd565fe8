//! `otori incidents assign` and `note`: what people write to an incident.

use anyhow::bail;
use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::NoteKind;
use crate::cli::{Global, Outcome, Output};

/// A remark is no longer than this, in bytes.
const LONGEST: usize = 16 << 10;

/// Options of `otori incidents assign`.
#[derive(clap::Args)]
pub struct Assign {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
    /// Who is to see to it
    #[arg(value_name = "NAME")]
    name: String,
}

/// Options of `otori incidents note`.
#[derive(clap::Args)]
pub struct Args {
    /// The incident's number
    #[arg(value_name = "ID")]
    id: i64,
    /// The remark; whoever may look at incidents reads it, so it should not hold a canary's details
    #[arg(value_name = "TEXT")]
    text: String,
}

#[derive(Serialize)]
struct Document {
    incident: i64,
    note: i64,
    kind: NoteKind,
}

pub(super) async fn assign(args: Assign, global: &Global) -> anyhow::Result<Outcome> {
    write(args.id, NoteKind::Owner, &args.name, global).await
}

pub(super) async fn note(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    write(args.id, NoteKind::Note, &args.text, global).await
}

async fn write(id: i64, kind: NoteKind, text: &str, global: &Global) -> anyhow::Result<Outcome> {
    let text = text.trim();
    match kind {
        NoteKind::Owner if text.is_empty() || text.contains(char::is_control) => {
            bail!("a name is one line that is not empty: otori incidents assign {id} NAME");
        }
        NoteKind::Note if text.is_empty() => {
            bail!("the remark is empty: otori incidents note {id} TEXT");
        }
        _ if text.len() > LONGEST => {
            bail!(
                "the text has {} bytes: at most {LONGEST} are kept",
                text.len()
            );
        }
        _ => {}
    }
    let (_, registry) = global.open().await?;
    let now = OffsetDateTime::now_utc();
    let note = registry.note_incident(id, kind, text, now).await?;
    let document = Document {
        incident: id,
        note,
        kind,
    };
    Output::new(global).result(&document, |out| match kind {
        NoteKind::Owner => writeln!(out, "incident {id}  owner: {text}"),
        NoteKind::Note => writeln!(out, "incident {id}  note {note} is kept"),
    })?;
    Ok(Outcome::Done)
}
