//! `otori drill [NAME]`.

use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use serde::Serialize;
use time::OffsetDateTime;

use super::aim::{Target, targets};
use super::ways::Ways;
use crate::canary::{Channel, Drill, DrillState, DrillsDocument, SourceName};
use crate::cli::{Global, Outcome, Output};
use crate::registry::{NewDrill, Registry};

/// How often the registry is asked how the drills stand.
const LOOK: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub(super) struct SendArgs {
    /// Only this source; without it, all
    name: Option<SourceName>,
    /// Only this channel; without it, each that the source's canaries have
    #[arg(long, value_enum)]
    channel: Option<Way>,
    /// Seconds until a drill has to have been heard and told of
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    wait: u32,
    /// Return at once; the receiver watches over the deadline, which [drill] in otori.toml sets
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Way {
    /// A mail through the relay of [drill]
    Mail,
    /// A call, as the telephone provider reports it
    Phone,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    drills: DrillsDocument<'a>,
    /// Channels that could be drilled if otori.toml said how.
    not_drilled: &'a [NotDrilled],
}

#[derive(Serialize)]
struct NotDrilled {
    source: SourceName,
    channel: Channel,
    why: &'static str,
}

pub(super) async fn run(args: SendArgs, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let ways = Ways::new(&workspace, None)?;
    let targets = wanted(&registry, &args).await?;
    let config = workspace.config();
    if config.alert.is_empty() {
        eprintln!(
            "warning: otori.toml names nobody in [alert]: a drill passes when its alert is taken, and nobody is told here"
        );
    }
    let patience = match args.no_wait {
        true => config.drill.deadline.0,
        false => time::Duration::seconds(args.wait.into()),
    };
    let mut not_drilled = Vec::new();
    let mut sent = Vec::new();
    for target in &targets {
        if let Some(why) = ways.missing(target.channel) {
            not_drilled.push(NotDrilled {
                source: target.source.clone(),
                channel: target.channel,
                why,
            });
            continue;
        }
        sent.push(send(&registry, &ways, target, patience).await?);
    }
    if !args.no_wait {
        wait(&registry, &mut sent).await?;
    }
    let document = Document {
        drills: DrillsDocument::new(&sent),
        not_drilled: &not_drilled,
    };
    Output::new(global).result(&document, |out| {
        for drill in &sent {
            line(out, drill)?;
        }
        for NotDrilled {
            source,
            channel,
            why,
        } in &not_drilled
        {
            let (source, channel) = (source.as_str(), channel.name());
            writeln!(out, "{source:<12} {channel:<5} not drilled: {why}")?;
        }
        Ok(())
    })?;
    let failed = sent.iter().any(|drill| drill.state == DrillState::Failed);
    Ok(match failed || !not_drilled.is_empty() {
        true => Outcome::CheckFailed,
        false => Outcome::Done,
    })
}

/// What is to be drilled.
async fn wanted(registry: &Registry, args: &SendArgs) -> anyhow::Result<Vec<Target>> {
    let names: Vec<SourceName> = match &args.name {
        Some(name) => vec![registry.source(name).await?.name],
        None => {
            let sources = registry.sources().await?;
            sources.into_iter().map(|source| source.name).collect()
        }
    };
    let mut all = targets(registry, &names).await?;
    if let Some(way) = args.channel {
        let channel = match way {
            Way::Mail => Channel::Mail,
            Way::Phone => Channel::Phone,
        };
        all.retain(|target| target.channel == channel);
    }
    for name in &names {
        if !all.iter().any(|target| target.source == *name) {
            eprintln!(
                "{name}: no canary that stands there has a contact point of these channels; a letter goes by otori drill post {name}"
            );
        }
    }
    if all.is_empty() {
        bail!("there is nothing to drill: no live canary can be written to or called");
    }
    Ok(all)
}

/// Sends one drill; it is registered, and may have failed, when this returns.
async fn send(
    registry: &Registry,
    ways: &Ways,
    target: &Target,
    patience: time::Duration,
) -> anyhow::Result<Drill> {
    let aim = target.any();
    let now = OffsetDateTime::now_utc();
    let new = NewDrill {
        channel: target.channel,
        source: target.source.clone(),
        canary: aim.canary.clone(),
        scheduled: false,
        sent_at: now,
        due_at: now + patience,
    };
    let begun = registry.begin_drill(&new, None).await?;
    let Some(drill) = begun else {
        bail!("the drill was not begun");
    };
    if let Err(error) = ways.send(registry, &drill, &aim).await {
        let now = OffsetDateTime::now_utc();
        registry
            .drill_failed(drill.id, &error.to_string(), now)
            .await?;
    }
    Ok(registry.drill(drill.id).await?)
}

/// Waits until each has passed or failed; their deadlines see to it that this ends.
async fn wait(registry: &Registry, drills: &mut [Drill]) -> anyhow::Result<()> {
    loop {
        registry
            .fail_overdue_drills(OffsetDateTime::now_utc())
            .await?;
        for drill in drills.iter_mut() {
            *drill = registry.drill(drill.id).await?;
        }
        if drills
            .iter()
            .all(|drill| drill.state != DrillState::Waiting)
        {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A drill in one line.
pub(super) fn line(out: &mut dyn Write, drill: &Drill) -> std::io::Result<()> {
    write!(
        out,
        "{:<12} {:<5} {:<7} {}",
        drill.source.as_str(),
        drill.channel.name(),
        drill.state.name(),
        drill.canary
    )?;
    for (what, moment) in [
        ("accepted", drill.accepted_at),
        ("seen", drill.seen_at),
        ("told", drill.alerted_at),
    ] {
        if let Some(seconds) = drill.seconds_to(moment) {
            write!(out, "  {what} after {seconds:.2} s")?;
        }
    }
    match &drill.why {
        Some(why) => writeln!(out, "\n{:19}{why}", ""),
        None => writeln!(out),
    }
}
