//! `/metrics`, for Prometheus: to this machine, or to whoever has the token.
//!
//! With a token everybody has to show it. Without, only this machine may look; what a proxy hands on comes
//! from somebody else, though the connection comes from here, and is refused.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use super::{Peer, Site};
use crate::metrics::{Standing, metrics};
use crate::receive::in_time;

/// A registry that does not answer within this time is shown as one that cannot be read.
const PATIENCE: Duration = Duration::from_secs(3);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What a proxy says of whom it speaks for.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    if !may(&site, peer, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let asked = async {
        Ok(Standing {
            unsettled: site.registry.unsettled_count().await?,
            alerts_waiting: site.registry.alerts_waiting().await?,
            alerts_dead: site.registry.alerts_dead().await?,
            campaigns_missing: site
                .registry
                .campaigns_missing(OffsetDateTime::now_utc())
                .await?,
        })
    };
    let standing = in_time(PATIENCE, asked).await.ok();
    let text = metrics().text(standing);
    ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response()
}

fn may(site: &Site, peer: Peer, headers: &HeaderMap) -> bool {
    let Some(token) = &site.metrics_token else {
        return peer.0.is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name));
    };
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("bearer") && token.is(given.trim())
    })
}

/// Counts what was asked for, by the route that it met.
pub(super) async fn count(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    metrics().request(route, response.status().as_u16());
    response
}
