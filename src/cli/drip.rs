//! `otori drip`.

mod arrive;
mod learn;
mod list;
mod run;
mod set;

#[cfg(feature = "receive")]
pub(super) use run::keep;

use super::{Global, Outcome};
use crate::canary::SourceName;
use crate::drip::Hours;

/// Let canaries arrive in a source one by one, at times like real customers'
///
/// `otori drip NAME --per-week N` sets a drip; `otori serve` plants its canaries from then on, each as one
/// batch, like `otori plant NAME --count 1`. They come by weekday and hour as the table's own rows did of
/// late. What was missed, because nothing ran or the database was away, comes later at no more than twice
/// the rate. Without a name, all drips are shown.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: Option<SourceName>,
    /// So many canaries a week, on the average (0.01 to 1000000)
    #[arg(long, value_name = "N", requires = "name", value_parser = per_mille)]
    per_week: Option<u32>,
    /// The last day on which one comes, as 2026-12-31, on the table's clock
    #[arg(long, value_name = "DATE", requires = "per_week", value_parser = set::day)]
    until: Option<time::Date>,
    /// Hours of the day in which they come, on the table's clock, as 8-22, instead of what its rows show
    #[arg(long, value_name = "FROM-TO", requires = "per_week")]
    hours: Option<Hours>,
    /// No more canaries arrive
    #[arg(long, requires = "name", conflicts_with = "per_week")]
    stop: bool,
    /// Plant what falls due from now on, for --minutes: for cron, where `otori serve` does not reach the
    /// databases. Exits with 1 if a canary could not arrive
    #[arg(long, conflicts_with_all = ["per_week", "stop"])]
    run: bool,
    /// How long --run goes on; 0 looks once
    #[arg(long, value_name = "N", requires = "run", default_value_t = 60)]
    minutes: u32,
}

/// Arrivals a week in thousandths.
fn per_mille(text: &str) -> Result<u32, String> {
    let number: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match (0.01..=1_000_000.0).contains(&number) {
        true => Ok((number * 1000.0).round() as u32),
        false => Err("it must be from 0.01 to 1000000".to_owned()),
    }
}

/// Runs `otori drip`.
///
/// # Errors
/// The source cannot be planted into, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    if let Some(name) = &args.name {
        registry.source(name).await?;
    }
    match &args.name {
        _ if args.run => {
            run::run(&workspace, &registry, args.name.as_ref(), args.minutes).await?;
            list::show(global, &registry, args.name.as_ref()).await?;
            Ok(match list::failing(&registry, args.name.as_ref()).await? {
                true => Outcome::CheckFailed,
                false => Outcome::Done,
            })
        }
        Some(name) if args.stop => set::stop(global, &registry, name).await,
        Some(name) => match args.per_week {
            Some(per_mille) => {
                set::set(&args, per_mille, name, global, &workspace, &registry).await
            }
            None => list::show(global, &registry, Some(name)).await,
        },
        None => list::show(global, &registry, None).await,
    }
}
