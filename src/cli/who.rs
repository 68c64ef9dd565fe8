//! Who runs a command, and whether they may.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Global;
use crate::custody::{PersonConfig, Right, right_of};
use crate::evidence::Act;
use crate::registry::Registry;
use crate::secret::Secret;
use crate::workspace::Workspace;

/// The token, in the environment.
const TOKEN: &str = "OTORI_TOKEN";

/// Lets a command go on, in the name of whoever runs it: a person who says a name and proves it, or
/// the operating system's user where nobody has to. What is refused is recorded first.
///
/// # Errors
/// The person is unknown, does not prove it, or may not; or the registry fails.
pub(super) async fn admit(
    global: &Global,
    workspace: &Workspace,
    registry: Registry,
) -> anyhow::Result<Registry> {
    let right = right_of(&global.command);
    let Some(name) = &global.person else {
        if workspace.config().custody.enforce && right.is_some() {
            let why = "nobody said who they are";
            record(&registry, global, why).await?;
            bail!(
                "otori {}: this workspace asks who you are: say --as NAME (or OTORI_AS), and give your token in {TOKEN} or on the terminal",
                global.command
            );
        }
        return Ok(registry);
    };
    let Some(person) = person(workspace, name) else {
        record(&registry, global, "an unknown name").await?;
        bail!("otori.toml has no person named '{name}' in [[people]]");
    };
    if !proven(workspace.dir(), person)? {
        let why = format!("a wrong token for {name}");
        record(&registry, global, &why).await?;
        bail!("that is not the token of {name}");
    }
    let registry = registry.acting_as(name);
    if let Some(right) = right {
        require(global, workspace, &registry, right).await?;
    }
    Ok(registry)
}

/// Refuses whoever says a name whose role has not the right, and records that.
///
/// # Errors
/// The role has not the right, or the registry fails.
pub(super) async fn require(
    global: &Global,
    workspace: &Workspace,
    registry: &Registry,
    right: Right,
) -> anyhow::Result<()> {
    let Some(person) = global.person.as_deref().and_then(|n| person(workspace, n)) else {
        return Ok(());
    };
    let role = person.role;
    if role.may(right) {
        return Ok(());
    }
    let why = format!("the role {} may not {}", role.name(), right.words());
    record(registry, global, &why).await?;
    bail!("otori {}: {why} ({})", global.command, person.name)
}

fn person<'a>(workspace: &'a Workspace, name: &str) -> Option<&'a PersonConfig> {
    let people = &workspace.config().people;
    people.iter().find(|person| person.name == name)
}

/// Whether the token given is the person's.
fn proven(dir: &Path, person: &PersonConfig) -> anyhow::Result<bool> {
    let secret = Secret::read(dir, &person.token_file)?;
    let given = match std::env::var(TOKEN) {
        Ok(token) => Zeroizing::new(token),
        Err(_) => ask(&person.name)?,
    };
    Ok(secret.is(given.trim()))
}

fn ask(name: &str) -> anyhow::Result<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the token of {name} on: give it in {TOKEN}");
    }
    super::ask::hidden(&format!("Token of {name}: ")).context("the token could not be read")
}

async fn record(registry: &Registry, global: &Global, why: &str) -> anyhow::Result<()> {
    let act = Act::Refused {
        what: format!("otori {}", global.command),
        why: why.to_owned(),
    };
    Ok(registry.record(act, OffsetDateTime::now_utc()).await?)
}
