//! `otori key`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::ask::confirm;
use super::{Global, Outcome, Output};
use crate::evidence::Act;
use crate::registry::Registry;
use crate::secret;
use crate::workspace::{MASTER_KEY_FILE, Workspace};

/// Keys and secrets
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Replace a key or a secret by a new one
    ///
    /// `registry` is the key that seals the registry: every sealed field is sealed anew, in one step.
    /// `evidence` is the key that signs the evidence log: the old one signs that it gives way.
    /// `phone` is the secret of the phone webhook, and a person's name their token: for a time the old
    /// one is taken, too.
    Rotate {
        /// registry, evidence, phone, or the name of a person in otori.toml
        #[arg(value_name = "KEY")]
        key: String,
        /// How long an old secret is taken beside the new one: 30m, 24h, 7d
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = overlap)]
        overlap: Duration,
    },
}

#[derive(Serialize)]
struct Document {
    rotated: String,
    file: PathBuf,
    /// Until when the old secret is taken.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    old_until: Option<OffsetDateTime>,
}

fn overlap(text: &str) -> Result<Duration, String> {
    let seconds = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ if text == "0" => return Ok(Duration::ZERO),
        _ => 0,
    };
    let count = text.get(..text.len().saturating_sub(1));
    match count.and_then(|count| count.parse::<u32>().ok()) {
        Some(count) if seconds > 0 => Ok(Duration::seconds(i64::from(count) * seconds)),
        _ => Err("give 30m, 24h, 7d, or 0".to_owned()),
    }
}

/// Runs `otori key`.
///
/// # Errors
/// There is no such key, it is not a file of ours, or something fails; then the old one is in use.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let Verb::Rotate { key, overlap } = args.verb;
    let (workspace, registry) = global.open().await?;
    let document = match key.as_str() {
        "registry" => registry_key(global, &workspace, &registry).await?,
        "evidence" => Document {
            rotated: "evidence".to_owned(),
            file: workspace.rotate_signing_key(&registry).await?,
            old_until: None,
        },
        name => shared_secret(&workspace, &registry, name, overlap).await?,
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{} is new: {}.",
            document.rotated,
            document.file.display()
        )?;
        match document.old_until {
            Some(until) => writeln!(out, "The old one is taken until {until}."),
            None if document.rotated == "evidence" => writeln!(
                out,
                "The old key's checkpoints still hold; publish the new public key: otori evidence key"
            ),
            None => writeln!(
                out,
                "The old key opens nothing any more, except backups made before: keep a copy of the new one."
            ),
        }
    })?;
    Ok(Outcome::Done)
}

async fn registry_key(
    global: &Global,
    workspace: &Workspace,
    registry: &Registry,
) -> anyhow::Result<Document> {
    let question = "Seal the whole registry with a new key?";
    if !confirm(global, question)? {
        bail!("the key is as it was");
    }
    workspace.rotate_registry_key(registry, &mut |_| {}).await?;
    Ok(Document {
        rotated: "registry".to_owned(),
        file: workspace.dir().join(MASTER_KEY_FILE),
        old_until: None,
    })
}

async fn shared_secret(
    workspace: &Workspace,
    registry: &Registry,
    name: &str,
    overlap: Duration,
) -> anyhow::Result<Document> {
    let people = &workspace.config().people;
    let person = people.iter().find(|person| person.name == name);
    let file = match person {
        Some(person) => person.token_file.clone(),
        None if name == "phone" => {
            phone_secret(workspace).context("otori.toml has no secret_file in [receive.phone]")?
        }
        None => {
            let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
            bail!(
                "there is no key named '{name}': say registry, evidence, phone, or a person ({})",
                names.join(", ")
            );
        }
    };
    let path = workspace.dir().join(&file);
    let now = OffsetDateTime::now_utc();
    let until = secret::rotate(&path, overlap, now)?;
    let key = file.display().to_string();
    registry.record(Act::KeyRotated { key }, now).await?;
    Ok(Document {
        rotated: name.to_owned(),
        file: path,
        old_until: Some(until),
    })
}

#[cfg(feature = "receive")]
fn phone_secret(workspace: &Workspace) -> Option<PathBuf> {
    workspace.config().receive.phone.secret_file.clone()
}

#[cfg(not(feature = "receive"))]
fn phone_secret(_: &Workspace) -> Option<PathBuf> {
    None
}
