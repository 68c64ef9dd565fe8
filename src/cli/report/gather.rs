//! What a report is made of, read from the registry and its log.

use time::{Duration, OffsetDateTime};

use super::withhold::Withhold;
use crate::evidence::Act;
use crate::registry::{Registry, SightingFilter};
use crate::report::Lang;
use crate::report::control::{Gathered, Period, Watched};
use crate::workspace::Workspace;

/// Reads everything that the report tells of.
///
/// # Errors
/// The registry fails, or a key of the log does not read. That the log is not as it was written is
/// no error but told in the report.
pub(super) async fn gather(
    workspace: &Workspace,
    registry: &Registry,
    period: Period,
    verified_within: Duration,
    lang: Lang,
    made_at: OffsetDateTime,
) -> anyhow::Result<Gathered> {
    // Signed first, so that what the report tells stands under a signature.
    let unsigned = workspace.sign_log(registry).await.err();
    let trust = workspace.trust()?;
    let check = registry.check(&trust).await?;
    let mut acts = registry.acts().await?;
    if acts
        .iter_mut()
        .any(|entry| reason(&mut entry.act).is_some())
    {
        let withhold = Withhold::new(&registry.canaries(None).await?, lang);
        for text in acts.iter_mut().filter_map(|entry| reason(&mut entry.act)) {
            withhold.from(text);
        }
    }
    let sources = registry.sources().await?;
    let sources = sources.into_iter().map(|source| Watched {
        engine: engine(&source.url),
        name: source.name,
        table: source.table,
        added_at: source.added_at,
    });
    let incidents = registry.incidents().await?;
    Ok(Gathered {
        made_at,
        made_by: registry.by().to_owned(),
        period,
        verified_within,
        origin: workspace.signer()?.verifier().name().to_owned(),
        keys: trust.keys.iter().map(ToString::to_string).collect(),
        sources: sources.collect(),
        batches: registry.batches(None).await?,
        forgotten: registry.forgotten().await?,
        pool: registry
            .pool()
            .await?
            .iter()
            .map(|one| one.point.kind())
            .collect(),
        drills: registry.drills(None, u32::MAX).await?,
        sightings: registry.sightings(&SightingFilter::default()).await?,
        weights: registry.weigh(&incidents).await?,
        incidents,
        acts,
        checkpoints: registry.checkpoints(u32::MAX).await?,
        check,
        unsigned: unsigned.map(|error| error.to_string()),
        receivers: registry.receivers().await?,
        alerts_configured: alerts_configured(workspace),
    })
}

/// What somebody typed freely in an act.
fn reason(act: &mut Act) -> Option<&mut String> {
    match act {
        Act::Revealed { reason, .. } => reason.as_mut(),
        Act::Requested { why, .. } => why.as_mut(),
        _ => None,
    }
}

/// The kind of database behind a URL, of which nothing else is told.
fn engine(url: &str) -> &'static str {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => "SQLite",
        Some("csv") => "CSV",
        Some("postgres" | "postgresql") => "PostgreSQL",
        Some("mysql" | "mariadb") => "MySQL",
        _ => "?",
    }
}

#[cfg(feature = "receive")]
fn alerts_configured(workspace: &Workspace) -> Option<bool> {
    let alert = &workspace.config().alert;
    let mail = alert.relay.is_some() && alert.from.is_some() && !alert.to.is_empty();
    Some(mail || !alert.webhook.is_empty() || alert.syslog.is_some())
}

#[cfg(not(feature = "receive"))]
fn alerts_configured(_workspace: &Workspace) -> Option<bool> {
    None
}
