//! The page of one incident: what it says, who is to see to it, what has happened.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::dashboard::minute;
use super::{Site, api, page};
use crate::canary::{Incident, Moment, SourceName};
use crate::registry::{Error, Registry, Result};
use crate::weigh::Weight;

struct Content {
    incident: Incident,
    weight: Option<Weight>,
    same_actor: Vec<(i64, SourceName)>,
    timeline: Vec<Moment>,
}

pub(super) async fn show(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Response {
    match content(&site.registry, id).await {
        Ok(content) => {
            let title = format!("Incident {id}");
            page::page(&title, &body(&content)).into_response()
        }
        Err(Error::UnknownIncident(_)) => {
            let nothing = html! { p.soft { "There is no incident of this number." } };
            let page = page::page("Incident", &nothing);
            (StatusCode::NOT_FOUND, page).into_response()
        }
        Err(error) => api::failed(&error),
    }
}

async fn content(registry: &Registry, id: i64) -> Result<Content> {
    let incident = registry.incident(id).await?;
    let weights = registry.weigh(std::slice::from_ref(&incident)).await?;
    Ok(Content {
        incident,
        weight: weights.into_iter().next(),
        same_actor: registry.same_actor(id).await?,
        timeline: registry.timeline(id).await?,
    })
}

fn body(content: &Content) -> Markup {
    let incident = &content.incident;
    html! {
        p {
            "Source " b { (incident.source) } ", " (incident.state.name())
            ", " (minute(incident.opened_at)) " to " (minute(incident.last_at))
            ", sightings: " (incident.sightings) ", canaries: " (incident.canaries) "."
        }
        @if let Some(owner) = &incident.owner {
            p { "Owner: " b { (owner) } "." }
        }
        @if let Some(before) = incident.follows {
            p { "It follows " (link(before)) "." }
        }
        @for (id, source) in &content.same_actor {
            p {
                "The same actor was seen at source " b { (source) } " (" (link(*id)) ")"
                @if *source != incident.source {
                    ": the two lists may have been merged, or bought by one buyer"
                }
                "."
            }
        }
        @if let Some(weight) = &content.weight {
            h2 { "Leak or chance" }
            div.card { (verdict(weight)) }
        }
        h2 { "What has happened" }
        div.card { (timeline(&content.timeline)) }
        p.soft { a href="/" { "All incidents" } }
    }
}

fn link(id: i64) -> Markup {
    html! { a href={ "/incidents/" (id) } { "incident " (id) } }
}

fn verdict(weight: &Weight) -> Markup {
    html! {
        p { (weight.words()) }
        table {
            tr { th { "by" } th.n { "reached" } th.n { "contact points" } th.n { "elsewhere" } th.n { "of" } th.n { "log10" } }
            @for channel in &weight.channels {
                tr {
                    td { (channel.channel.name()) }
                    td.n { (channel.reached) }
                    td.n { (channel.points) }
                    td.n { (channel.elsewhere_reached) }
                    td.n { (channel.elsewhere_points) }
                    td.n { (format!("{:+.2}", channel.log10_lr)) }
                }
            }
        }
    }
}

fn timeline(moments: &[Moment]) -> Markup {
    html! {
        table {
            @for moment in moments {
                tr {
                    td { (minute(moment.at)) }
                    td.wide { (moment.words()) }
                }
            }
        }
    }
}
