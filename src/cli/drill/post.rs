//! `otori drill post`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::aim::{kinds, reached_at, stands};
use crate::canary::{Canary, CanaryId, Channel, DrillsDocument, SourceName};
use crate::cli::{Global, Outcome, Output, pair};
use crate::custody::TwoPersonAct;
use crate::drill::letter;
use crate::evidence::Act;
use crate::registry::{NewDrill, Registry};
use crate::workspace::write_private;

/// Write a letter to a canary for somebody to print and post, and expect it on the mail room's page
///
/// The letter shows where a canary lives: that it was shown enters the evidence log, and where
/// reveal takes two people, so does this. Its reference line holds a customer number; the drill has
/// passed when the mail room files the letter with that number in the note. Nothing else will do,
/// since a real letter to the same canary in the same days must stay an alarm. A letter that is not filed by
/// its due date is an alert.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The source whose canary is written to
    name: SourceName,
    /// The page to write (HTML, one A4 sheet); it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Days until it has to have been filed
    #[arg(long, value_name = "DAYS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=365))]
    due: u16,
    /// This canary, instead of the one whose last letter is longest ago
    #[arg(long)]
    canary: Option<CanaryId>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    drills: DrillsDocument<'a>,
    letter: &'a PathBuf,
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    if args.out.exists() {
        bail!(
            "{} is there already: a letter that was written is not written over",
            args.out.display()
        );
    }
    let canary = chosen(&registry, &args).await?;
    let act = TwoPersonAct::Reveal;
    let (subject, why) = (canary.id.as_str(), Some("a postal drill"));
    if !pair::may_go_on(global, &workspace, &registry, act, subject, why).await? {
        return Ok(Outcome::CheckFailed);
    }
    let now = OffsetDateTime::now_utc();
    let revealed = Act::Revealed {
        canary: canary.id.to_string(),
        source: canary.source.to_string(),
        reason: why.map(str::to_owned),
    };
    registry.record(revealed, now).await?;
    let new = NewDrill {
        channel: Channel::Post,
        source: canary.source.clone(),
        canary: canary.id.clone(),
        scheduled: false,
        sent_at: now,
        due_at: now + Duration::days(args.due.into()),
    };
    let begun = registry.begin_drill(&new, None).await?;
    let drill = begun.context("the drill was not begun")?;
    let code = registry.drill_code(&drill);
    let sender = workspace.config().drill.sender.as_deref();
    if sender.is_none() {
        eprintln!(
            "note: the letter names no sender: write sender, in lines, into [drill] of otori.toml"
        );
    }
    let household = &canary.details.household;
    let page = letter(household, &code, now.date(), sender.unwrap_or_default());
    if let Err(error) = write_private(&args.out, page.as_bytes()) {
        let why = "the letter could not be written to its file";
        registry.drill_failed(drill.id, why, now).await?;
        return Err(error.into());
    }
    let drills = [drill];
    let document = Document {
        drills: DrillsDocument::new(&drills),
        letter: &args.out,
    };
    Output::new(global).result(&document, |out| {
        let [drill] = &drills;
        writeln!(
            out,
            "Drill {}: a letter to canary {} of {} is in {}.",
            drill.id,
            drill.canary,
            drill.source,
            args.out.display()
        )?;
        writeln!(
            out,
            "Print it, post it, and remove the file. It has to be filed by {}, with its customer number in the note.",
            drill.due_at.date()
        )
    })?;
    Ok(Outcome::Done)
}

/// The canary to write to: the same one when the command is given again after an approval.
async fn chosen(registry: &Registry, args: &Args) -> anyhow::Result<Canary> {
    registry.source(&args.name).await?;
    let kinds = kinds(registry).await?;
    let mut canaries = registry.canaries(Some(&args.name)).await?;
    canaries.retain(|canary| stands(canary) && reached_at(canary, Channel::Post, &kinds).is_some());
    if let Some(id) = &args.canary {
        let named = canaries.into_iter().find(|canary| canary.id == *id);
        return named.with_context(|| {
            format!(
                "{id} is no canary that stands in {} and lives at a postal drop",
                args.name
            )
        });
    }
    let letters = registry.drills(Some(&args.name), u32::MAX).await?;
    let last = |canary: &Canary| {
        let own = letters
            .iter()
            .filter(|drill| drill.channel == Channel::Post);
        let own = own.filter(|drill| drill.canary == canary.id);
        own.map(|drill| drill.sent_at).max()
    };
    let longest_ago = canaries
        .into_iter()
        .min_by_key(|canary| (last(canary), canary.id.clone()));
    longest_ago.with_context(|| {
        format!(
            "no canary that stands in {} lives at a postal drop of yours: see otori pool add drop",
            args.name
        )
    })
}
