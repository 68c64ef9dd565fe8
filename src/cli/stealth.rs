//! `otori stealth`.

use std::io::Write;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use time::OffsetDateTime;

use super::opened::Opened;
use super::{Global, Outcome, Output};
use crate::canary::{SourceName, State};
use crate::plant::{self, Audit, Period};
use crate::registry::Registry;
use crate::stealth::{Caught, Findings, LEAST_CANARIES, LEAST_CUSTOMERS, LEAST_GROUPS, Unjudged};
use crate::workspace::Workspace;

/// Try to pick the canaries out of their table, as a thief would
///
/// Two thieves look: one knows nothing and drops what is strange, one knows four fifths of the canaries and
/// learns from them to find the rest. A control calls as many customers canaries, of whom nobody can know
/// anything: it has to come out at 0.5. Without canaries in the table, a batch is drawn and judged without being
/// planted. Exits with 1 beyond the limit.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// Customers read into memory, at most
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(500..=100_000))]
    sample: u32,
    /// Where no canary stands yet: how many to draw and judge
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(20..=10_000))]
    count: u32,
    /// The area under the ROC curve, 0.5 to 1, beyond which the canaries show; without it, [plant]
    /// stealth_limit
    #[arg(long, value_parser = area)]
    limit: Option<f64>,
    /// The same seed judges the same rows alike
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn area(text: &str) -> Result<f64, String> {
    let value: f64 = text
        .parse()
        .map_err(|_| format!("'{text}' is not a number"))?;
    match (0.5..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(format!(
            "{text} does not lie between 0.5 (nothing shows) and 1"
        )),
    }
}

/// What the two thieves reach, in JSON.
#[derive(Serialize)]
pub(super) struct Found {
    canaries: usize,
    customers: usize,
    groups: usize,
    with_labels: Reached,
    without_labels: Reached,
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<Control>,
    gives_away: Vec<GivesAway>,
}

#[derive(Serialize)]
struct Control {
    with_labels: Reached,
    without_labels: Reached,
}

#[derive(Serialize)]
struct Reached {
    auc: f64,
    low: f64,
    high: f64,
    level: f64,
    caught_at_1_percent: f64,
    caught_at_5_percent: f64,
}

#[derive(Serialize)]
struct GivesAway {
    share: f64,
    auc_alone: f64,
    what: String,
}

impl Control {
    fn of((known, unknown): &(Caught, Caught)) -> Control {
        Control {
            with_labels: Reached::of(known),
            without_labels: Reached::of(unknown),
        }
    }
}

impl Reached {
    fn of(caught: &Caught) -> Reached {
        Reached {
            auc: caught.auc,
            low: caught.low,
            high: caught.high,
            level: 0.95,
            caught_at_1_percent: caught.at_1_percent,
            caught_at_5_percent: caught.at_5_percent,
        }
    }
}

impl Found {
    pub(super) fn of(findings: &Findings) -> Found {
        Found {
            canaries: findings.canaries,
            customers: findings.customers,
            groups: findings.groups,
            with_labels: Reached::of(&findings.with_labels),
            without_labels: Reached::of(&findings.without_labels),
            control: findings.control.as_ref().map(Control::of),
            gives_away: findings
                .telling
                .iter()
                .map(|telling| GivesAway {
                    share: telling.share,
                    auc_alone: telling.alone,
                    what: telling.sentence.clone(),
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    /// "planted": the canaries of the table; "drawn": a batch that was not planted.
    judged: &'static str,
    against: &'static str,
    limit: f64,
    passed: bool,
    #[serde(flatten)]
    found: Found,
    /// What speaks against these findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Runs `otori stealth`.
///
/// # Errors
/// The table cannot be read; there are too few canaries or customers to say anything.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let opened = Opened::named(&registry, &args.name).await?;
    let table = opened.table().await?;
    let canaries = registry.canaries(None).await?;
    let canaries: Vec<_> = canaries
        .into_iter()
        .filter(|canary| canary.source == args.name)
        .filter(|canary| matches!(canary.state, State::Live | State::HandedOut))
        .collect();
    let limit = args.limit.unwrap_or(workspace.config().plant.stealth_limit);
    let (findings, judged, against) = if canaries.is_empty() {
        let findings = drawn(&args, &workspace, &registry, &opened).await?;
        (findings, "drawn", BEFORE)
    } else {
        let Audit {
            customers,
            canaries,
            period,
            findings,
        } = plant::audit(
            &opened.database,
            &table,
            &opened.mapping,
            &canaries,
            args.sample as usize,
            args.seed,
        )
        .await?;
        let findings = findings.map_err(|why| {
            unsaid(
                why,
                &format!("{table} shows {canaries} canaries among {customers} customers"),
            )
        })?;
        (findings, "planted", told(period))
    };
    let passed = findings.with_labels.low <= limit && findings.without_labels.low <= limit;
    let document = Document {
        source: &args.name,
        judged,
        against,
        limit,
        passed,
        found: Found::of(&findings),
        notes: findings.doubt().into_iter().collect(),
    };
    for note in &document.notes {
        eprintln!("note: {note}");
    }
    Output::new(global).result(&document, |out| write(out, &document))?;
    Ok(match passed {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}

/// Among whom canaries are looked for before they stand in the table.
const BEFORE: &str =
    "customers who joined of late; keys, codes and times are not looked at before planting";

fn told(period: Period) -> &'static str {
    match period {
        Period::SinceFirst => "customers who joined since the first canary did",
        Period::OfLate => {
            "customers who joined of late (too few have since the first canary did; a batch planted in one go shows by its times)"
        }
        Period::All => "all customers (no column says when a row was made)",
    }
}

/// A batch that is drawn as `plant` would, and not planted.
async fn drawn(
    args: &Args,
    workspace: &Workspace,
    registry: &Registry,
    opened: &Opened,
) -> anyhow::Result<Findings> {
    let seeds = workspace.seeds()?;
    let people = opened.people(&seeds);
    let now = OffsetDateTime::now_utc();
    let ask = plant::Ask {
        force: true,
        choose: true,
        stealth_limit: Some(1.0),
        ..opened.ask(registry, &people, args.count as usize, now)
    };
    let mut rng = StdRng::seed_from_u64(args.seed);
    let planned = plant::plan(&ask, &mut rng).await?;
    let seen = format!(
        "{}: {} canaries were drawn",
        planned.table,
        planned.canaries.len()
    );
    planned.stealth.map_err(|why| unsaid(why, &seen))
}

/// Why nothing can be said, and what to do.
fn unsaid(why: Unjudged, seen: &str) -> anyhow::Error {
    match why {
        Unjudged::TooFew => anyhow::anyhow!(
            "{seen}: with less than {LEAST_CANARIES} canaries or {LEAST_CUSTOMERS} customers of their time (before planting, 1,000 rows) nothing can be said"
        ),
        Unjudged::TooFewGroups(groups) => anyhow::anyhow!(
            "{seen}, and these canaries share contact points, so that they are {groups} groups in all: whoever finds one of a group finds its neighbours, and at least {LEAST_GROUPS} groups are needed to say what else shows; add numbers and drops to the pool before you plant more: otori pool add --help"
        ),
    }
}

fn write(out: &mut dyn Write, document: &Document<'_>) -> std::io::Result<()> {
    let found = &document.found;
    let what = match document.judged {
        "drawn" => "drawn canaries (none stands in the table yet)",
        _ => "canaries",
    };
    writeln!(
        out,
        "{} {what}, {} groups by contact point, looked for among {} {}.\n",
        found.canaries, found.groups, found.customers, document.against
    )?;
    figures(out, found, usize::MAX)?;
    let verdict = match document.passed {
        true => "Within the limit",
        false => "BEYOND the limit",
    };
    writeln!(
        out,
        "\n{verdict} of {} (0.5: nothing shows; 1: all is seen).",
        document.limit
    )
}

/// What the thieves reach, and the first things that give canaries away.
fn figures(out: &mut dyn Write, found: &Found, most: usize) -> std::io::Result<()> {
    writeln!(
        out,
        "{:<34} {:>5}  {:<14}  caught among the most suspicious 1%, 5%",
        "", "AUC", "95% interval"
    )?;
    let mut line = |name: &str, reached: &Reached| {
        writeln!(
            out,
            "{name:<34} {:>5.3}  {:.3} to {:.3}  {:>5.1}%, {:.1}%",
            reached.auc,
            reached.low,
            reached.high,
            100.0 * reached.caught_at_1_percent,
            100.0 * reached.caught_at_5_percent
        )
    };
    line("a thief who knows some canaries", &found.with_labels)?;
    line("a thief who knows none", &found.without_labels)?;
    if let Some(control) = &found.control {
        line("control, who knows some", &control.with_labels)?;
        line("control, who knows none", &control.without_labels)?;
    }
    if !found.gives_away.is_empty() {
        writeln!(
            out,
            "\nWhat the thief who knows some goes by (share of what was learnt; AUC by it alone):"
        )?;
    }
    for one in found.gives_away.iter().take(most) {
        writeln!(
            out,
            "  {:>4.0}%  {:.2}  {}",
            100.0 * one.share,
            one.auc_alone,
            one.what
        )?;
    }
    Ok(())
}

/// Things that give a batch away that are told with it; `otori stealth` and `--json` tell the others.
const TOLD: usize = 3;

/// What a look at a batch found, for who plants it: nothing where it was not looked at, which a note tells.
pub(super) fn brief(out: &mut dyn Write, found: &Found, standing: usize) -> std::io::Result<()> {
    let together = match standing {
        0 => String::new(),
        standing => format!(", with the {standing} that stand there already"),
    };
    let among = match standing {
        0 => BEFORE,
        _ => {
            "customers who joined of late or since the first of these; keys, codes and times are not looked at before planting"
        }
    };
    writeln!(
        out,
        "\nWould a thief pick them out? {} canaries{together}, looked for among {} {among}.\n",
        found.canaries, found.customers
    )?;
    figures(out, found, TOLD)
}
