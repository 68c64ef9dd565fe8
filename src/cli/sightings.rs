//! `otori sightings`.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};

use super::{Global, Outcome, Output, minute};
use crate::canary::{Sighting, SightingsDocument, SourceName};
use crate::registry::{Heard, SightingFilter};

/// What has reached the canaries, newest first
#[derive(clap::Args)]
pub struct Args {
    /// Only sightings that point at this source
    #[arg(long, value_name = "NAME")]
    source: Option<SourceName>,
    /// Only sightings since then: 2026-03-01, 2026-03-01T12:00:00Z, or 30m, 12h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<OffsetDateTime>,
    /// At most so many, the newest; with as many in the answer there may be more
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// Runs `otori sightings`.
///
/// # Errors
/// There is no such source, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    if let Some(source) = &args.source {
        registry.source(source).await?;
    }
    let filter = SightingFilter {
        source: args.source,
        since: args.since,
        limit: Some(args.limit),
    };
    let sightings = registry.sightings(&filter).await?;
    let now = OffsetDateTime::now_utc();
    let document = Heard {
        sightings: SightingsDocument::new(&sightings),
        calls: registry.calls_say(filter.source.as_ref(), now).await?,
    };
    Output::new(global).result(&document, |out| {
        if sightings.is_empty() {
            return writeln!(out, "Nothing has come in.");
        }
        sightings
            .iter()
            .try_for_each(|sighting| line(out, sighting))?;
        if sightings.len() == args.limit as usize {
            writeln!(
                out,
                "These are the newest {}; there may be more: --limit N, or --since TIME",
                args.limit
            )?;
        }
        for calls in &document.calls {
            writeln!(
                out,
                "Calls to {} in the last 90 days: {} of its {} numbers were called (log10 of the likelihood ratio {:.1}; calls alone open an incident from {:.1} on).",
                calls.source, calls.reached, calls.points, calls.log10_lr, calls.opens_at
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

fn line(out: &mut dyn std::io::Write, sighting: &Sighting) -> std::io::Result<()> {
    let at = minute(sighting.at);
    let source = sighting
        .source
        .as_ref()
        .map_or("-", |source| source.as_str());
    let canary = sighting
        .canary
        .as_ref()
        .map_or("-", |canary| canary.as_str());
    write!(
        out,
        "{at}  {:5}  {:8}  {source}  {canary}{}  {}  {}",
        sighting.channel.name(),
        sighting.kind.name(),
        if sighting.forgotten {
            " (forgotten)"
        } else {
            ""
        },
        sighting.actor.from,
        sighting.actor.summary,
    )?;
    if sighting.erased {
        write!(out, "  (contents erased by [retention])")?;
    }
    match sighting.repeats {
        0 => writeln!(out)?,
        repeats => writeln!(out, "  (sent {} times)", repeats + 1)?,
    }
    let origin = sighting.actor.origin.as_ref();
    match origin.and_then(|origin| origin.words()) {
        Some(words) => writeln!(out, "    {words}"),
        None => Ok(()),
    }
}

/// A moment, a day, or how long ago.
fn since(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(moment);
    }
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Ok(day.with_time(Time::MIDNIGHT).assume_utc());
    }
    let unit = text.chars().last().and_then(|unit| match unit {
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        _ => None,
    });
    let count = unit.and_then(|_| text[..text.len() - 1].parse::<u32>().ok());
    match (count, unit) {
        (Some(count), Some(unit)) => Ok(OffsetDateTime::now_utc()
            .checked_sub(Duration::seconds(i64::from(count) * unit))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)),
        _ => Err(
            "give a day (2026-03-01), a moment (2026-03-01T12:00:00Z), or 30m, 12h, 7d".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(since("2026-03-01"), Ok(datetime!(2026-03-01 0:00 UTC)));
        assert_eq!(
            since("2026-03-01T09:00:00+09:00"),
            Ok(datetime!(2026-03-01 0:00 UTC))
        );
        let hour_before = |now: OffsetDateTime| now - Duration::hours(1);
        let before = OffsetDateTime::now_utc();
        let hour_ago = since("1h").unwrap();
        let after = OffsetDateTime::now_utc();
        assert!(hour_before(before) <= hour_ago && hour_ago <= hour_before(after));
        for wrong in ["", "d", "-1d", "2026-13-01", "7囮", "99999999999d"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
