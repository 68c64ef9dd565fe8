//! Calls and text messages: providers tell us by webhooks.

mod generic;
mod twilio;
mod vonage;

pub(super) use twilio::Twilio;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use serde::Serialize;
use time::OffsetDateTime;

use super::http::Site;
use super::{Accepted, NotStored};
use crate::canary::Channel;
use crate::registry::NewMessage;

/// A webhook's body is a form or a JSON document of a few hundred bytes.
const BODY: usize = 64 << 10;

/// What a provider says of a call, stored beside its raw body.
#[derive(Serialize)]
struct Contact<'a> {
    /// Who brought the message: the provider, or a proxy in front of us.
    peer: IpAddr,
    provider: &'a str,
    from: &'a str,
    to: &'a str,
    text: &'a str,
    /// When it was, as the provider says.
    at: Option<&'a str>,
    id: &'a str,
    /// The stored call that this tells more of (a recording's metadata); it is no contact of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<i64>,
}

impl Contact<'_> {
    async fn store(
        &self,
        site: &Site,
        channel: Channel,
        raw: Vec<u8>,
        same_as: String,
    ) -> Result<Accepted, NotStored> {
        let message = NewMessage {
            at: OffsetDateTime::now_utc(),
            channel,
            envelope: serde_json::to_string(self).map_err(|_| NotStored)?,
            recipients: vec![self.to.to_owned()],
            raw,
            same_as: Some(same_as),
        };
        site.intake.accept(message).await
    }
}

/// The routes of the phone webhooks. Those without a secret are not there.
pub(super) fn routes(site: &Site) -> Router<Arc<Site>> {
    let mut routes = Router::new();
    if site.twilio.is_some() {
        routes = routes.merge(twilio::routes());
    }
    if site.vonage_secret.is_some() {
        routes = routes.merge(vonage::routes());
    }
    if site.phone_secret.is_some() {
        routes = routes.route("/hooks/phone", post(generic::phone));
    }
    routes.layer(DefaultBodyLimit::max(BODY))
}
