//! The dashboard: what has reached us, and what we hold.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Site, api, page};
use crate::canary::{Batch, ContactKind, Incident, Sighting, SightingKind, State as Life};
use crate::registry::{PoolEntry, Registry, Result, SightingFilter, Source};
use crate::weigh::Weight;

/// Sightings shown.
const LATEST: u32 = 50;

struct Content {
    incidents: Vec<Incident>,
    weights: Vec<Weight>,
    sightings: Vec<Sighting>,
    sources: Vec<Source>,
    batches: Vec<Batch>,
    pool: Vec<PoolEntry>,
    alerts: u64,
    dead: u64,
}

pub(super) async fn show(State(site): State<Arc<Site>>) -> Response {
    match content(&site.registry).await {
        Ok(content) => page::page("Sightings", &body(&content)).into_response(),
        Err(error) => api::failed(&error),
    }
}

async fn content(registry: &Registry) -> Result<Content> {
    let latest = SightingFilter {
        limit: Some(LATEST),
        ..SightingFilter::default()
    };
    let incidents = registry.incidents().await?;
    Ok(Content {
        weights: registry.weigh(&incidents).await?,
        incidents,
        sightings: registry.sightings(&latest).await?,
        sources: registry.sources().await?,
        batches: registry.batches(None).await?,
        pool: registry.pool().await?,
        alerts: registry.alerts_waiting().await?,
        dead: registry.alerts_dead().await?,
    })
}

fn body(content: &Content) -> Markup {
    let live = |batch: &&Batch| batch.state == Life::Live;
    let canaries: usize = content
        .batches
        .iter()
        .filter(live)
        .map(|b| b.canaries)
        .sum();
    html! {
        div.numbers {
            (number("incidents", content.incidents.len()))
            (number("sources", content.sources.len()))
            (number("live canaries", canaries))
            (number("alerts waiting", content.alerts))
            // Otherwise nobody looks at a number that is always none.
            @if content.dead > 0 { (number("alerts given up", content.dead)) }
        }
        h2 { "Incidents" }
        div.card { (incidents(&content.incidents, &content.weights)) }
        h2 { "Latest sightings" }
        div.card { (sightings(&content.sightings)) }
        h2 { "Sources" }
        div.card { (sources(&content.sources, &content.batches)) }
        h2 { "Contact points" }
        div.card { (pool(&content.pool)) }
        p.soft { a href="/drop" { "File a letter" } " · " a href="/api/sightings" { "JSON" } }
    }
}

fn number(what: &str, count: impl maud::Render) -> Markup {
    html! { div { b { (count) } span.soft { (what) } } }
}

fn incidents(incidents: &[Incident], weights: &[Weight]) -> Markup {
    html! {
        @if incidents.is_empty() {
            p.good { "Nobody has used a canary." }
        } @else {
            table {
                tr { th { "no." } th { "source" } th { "state" } th { "leak or chance" } th { "owner" } th { "first" } th { "latest" } th.n { "sightings" } th.n { "canaries" } }
                @for (incident, weight) in incidents.iter().zip(weights) {
                    tr {
                        td { a href={ "/incidents/" (incident.id) } { (incident.id) } }
                        td.alarm { (incident.source) }
                        td { (incident.state.name()) }
                        td { (weight.verdict.name()) " " span.soft { (format!("{:+.1}", weight.log10_lr)) } }
                        td { @if let Some(owner) = &incident.owner { (owner) } }
                        td { (minute(incident.opened_at)) }
                        td { (minute(incident.last_at)) }
                        td.n { (incident.sightings) }
                        td.n { (incident.canaries) }
                    }
                }
            }
        }
    }
}

fn sightings(sightings: &[Sighting]) -> Markup {
    html! {
        @if sightings.is_empty() {
            p.soft { "Nothing has come in." }
        } @else {
            table {
                tr { th { "when" } th { "by" } th { "kind" } th { "source" } th { "canary" } th { "from" } th { "what" } }
                @for sighting in sightings {
                    tr {
                        td { (minute(sighting.at)) }
                        td { (sighting.channel.name()) }
                        td.alarm[sighting.kind == SightingKind::Alarm] { (sighting.kind.name()) }
                        td { @if let Some(source) = &sighting.source { (source) } }
                        td { @if let Some(canary) = &sighting.canary { code { (canary) } }
                            @if sighting.forgotten { span.soft { " forgotten" } }
                        }
                        td.wide { (sighting.actor.from) }
                        td.wide {
                            (sighting.actor.summary)
                            @if sighting.erased { span.soft { " (contents erased by [retention])" } }
                            @if sighting.repeats > 0 { span.soft { " (sent " (sighting.repeats + 1) " times)" } }
                        }
                    }
                }
            }
        }
    }
}

fn sources(sources: &[Source], batches: &[Batch]) -> Markup {
    let of = |source: &Source| {
        batches
            .iter()
            .filter(|batch| batch.source == source.name)
            .collect::<Vec<_>>()
    };
    html! {
        @if sources.is_empty() {
            p.soft { "None yet." }
        } @else {
            table {
                tr { th { "source" } th { "table" } th.n { "batches" } th.n { "live canaries" } th { "last planted" } }
                @for (source, batches) in sources.iter().map(|source| (source, of(source))) {
                    tr {
                        td { (source.name) }
                        td { (source.table) }
                        td.n { (batches.len()) }
                        td.n { (batches.iter().filter(|b| b.state == Life::Live).map(|b| b.canaries).sum::<usize>()) }
                        td { @if let Some(last) = batches.iter().map(|b| b.planted_at).max() { (minute(last)) } }
                    }
                }
            }
        }
    }
}

fn pool(pool: &[PoolEntry]) -> Markup {
    let kinds = [
        (ContactKind::Mail, "mail domains"),
        (ContactKind::Mailbox, "mailboxes"),
        (ContactKind::Phone, "phone numbers"),
        (ContactKind::Drop, "postal drops"),
    ];
    html! {
        table {
            tr { th { "kind" } th.n { "owned" } th.n { "given to canaries" } }
            @for (kind, name) in kinds {
                @let of_kind = pool.iter().filter(|entry| entry.point.kind() == kind).collect::<Vec<_>>();
                tr {
                    td { (name) }
                    td.n { (of_kind.len()) }
                    td.n { (of_kind.iter().flat_map(|entry| &entry.given).map(|(_, count)| count).sum::<u32>()) }
                }
            }
        }
    }
}

pub(super) fn minute(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]"))
        .unwrap_or_default()
}
