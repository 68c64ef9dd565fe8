//! A customer's report: by itself it points at nothing; more of them than ordinarily are an alarm of the
//! source whose customers they are, or, where they do not say whose, of a source that is not known.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::one_line;
use crate::canary::{Actor, SightingKind, SourceName};
use crate::receive::report::{Report, Surge, days, lately};
use crate::registry::{Error, Message, NewSighting, Registry, Result, UNKNOWN_SOURCE};

/// What a report comes to, and, of a surge, since when it has been one.
pub async fn sighting(
    registry: &Registry,
    message: &Message,
) -> Result<(NewSighting, Option<OffsetDateTime>)> {
    let report: Report = serde_json::from_str(&message.envelope).unwrap_or_default();
    let source = match report.source {
        Some(name) if name.as_str() == UNKNOWN_SOURCE => None,
        Some(name) => match registry.source(&name).await {
            Ok(source) => Some(source.name),
            // It was told of a source that is none.
            Err(Error::UnknownSource { .. }) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let surge = days(registry, source.as_ref(), message.at, 1).await?.1;
    let source = match (source, &surge) {
        (None, Some(_)) => Some(registry.unknown_source(message.at).await?),
        (source, _) => source,
    };
    let summary = match &surge {
        None => report.note.clone(),
        Some(surge) => told(surge, &report.note),
    };
    let since = surge.map(|surge| surge.since(message.at));
    let sighting = NewSighting {
        source,
        canary: None,
        batch: None,
        kind: match surge {
            Some(_) => SightingKind::Alarm,
            None => SightingKind::Noise,
        },
        actor: Actor {
            from: one_line(&report.about),
            summary: one_line(&summary),
            ..Actor::default()
        },
        network: None,
    };
    Ok((sighting, since))
}

fn told(surge: &Surge, note: &str) -> String {
    format!(
        "{} reports within {} days, where {:.1} were to be expected (chance {:.0e}): {note}",
        surge.reports, surge.days, surge.expected, surge.chance
    )
}

/// Looks again at the last week's reports of these sources, and at those of all, now that others have come in which may
/// be older: what turns out to be a surge is an alarm.
///
/// # Errors
/// The registry fails.
pub async fn look_back(
    registry: &Registry,
    sources: &BTreeSet<Option<SourceName>>,
    now: OffsetDateTime,
) -> Result<()> {
    let named = sources.iter().flatten();
    let named = named.filter(|name| name.as_str() != UNKNOWN_SOURCE);
    let each = named.map(Some).chain([None]);
    for source in each {
        for (surge, until) in lately(registry, source, now).await? {
            let since = surge.since(until);
            let summary = |note: &str| one_line(&told(&surge, note));
            registry.surge_shown(source, since, until, &summary).await?;
        }
    }
    Ok(())
}
