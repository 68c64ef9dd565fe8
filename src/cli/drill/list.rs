//! `otori drill list`.

use time::OffsetDateTime;

use super::send::line;
use crate::canary::{DrillState, DrillsDocument, SourceName};
use crate::cli::{Global, Outcome, Output, minute};

/// Show what drills there were, newest first
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only this source's
    name: Option<SourceName>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    if let Some(name) = &args.name {
        registry.source(name).await?;
    }
    let mut drills = registry.drills(args.name.as_ref(), args.limit).await?;
    let now = OffsetDateTime::now_utc();
    for drill in &mut drills {
        // Where no receiver runs, nobody has written it down yet.
        if drill.state == DrillState::Waiting && drill.due_at < now {
            drill.state = DrillState::Failed;
            drill.why = Some("its deadline is over; the receiver has not noted it yet".to_owned());
        }
    }
    Output::new(global).result(&DrillsDocument::new(&drills), |out| {
        if drills.is_empty() {
            return writeln!(out, "There was no drill yet: see otori drill --help.");
        }
        drills.iter().try_for_each(|drill| {
            let at = minute(drill.sent_at);
            write!(out, "{at}  ")?;
            line(out, drill)
        })
    })?;
    Ok(Outcome::Done)
}
