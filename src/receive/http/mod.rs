//! The HTTP side: webhooks, the mail room's page, the dashboard and the API.
//!
//! Whatever is not a signed webhook or a health check needs credentials. It listens on loopback
//! unless told otherwise, and leaves TLS to what stands in front.

mod api;
mod dashboard;
mod guard;
mod incident;
mod metrics;
pub(super) mod page;
mod signed;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(super) use guard::{Door, User};
pub(super) use signed::{refuse, signed};

use super::imap::Mailboxes;
use super::phone::Twilio;
use super::post::Desk;
use super::smtp::{Heard, Recipients, Seat, Seats};
use super::{Error, Intake, Limits, ReceiveConfig, login, phone, post, report};
use crate::custody::Right;
use crate::registry::Registry;
use crate::secret::Secret;

/// Connections at a time. Where all are taken, the one that has asked for nothing for longest gives way; if everybody's
/// request is being answered, the next client waits for one that is done.
const CONNECTIONS: usize = 256;
/// A client has so long to send its header, and so long for all of a request and its answer.
const HEADER: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(120);
/// How long requests may go on when the receiver stops.
const GRACE: Duration = Duration::from_secs(5);

/// What all requests share.
pub(super) struct Site {
    pub registry: Registry,
    pub intake: Intake,
    pub recipients: Recipients,
    pub door: Door,
    pub twilio: Option<Twilio>,
    pub phone_secret: Option<Secret>,
    pub vonage_secret: Option<Secret>,
    pub login_secret: Option<Secret>,
    pub metrics_token: Option<Secret>,
    pub desk: Desk,
    /// Mailboxes elsewhere, and how they stand.
    pub mailboxes: Mailboxes,
    /// The form for customers, where it is open.
    pub public: Option<report::Public>,
}

/// From where a request came.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

impl Site {
    /// Reads the secrets that the configuration names.
    ///
    /// # Errors
    /// A secret cannot be read, others can read it, or it is too short; or Twilio's webhooks have a
    /// token but no public address.
    pub fn new(
        config: &ReceiveConfig,
        dir: &Path,
        registry: Registry,
        intake: Intake,
        recipients: Recipients,
        mailboxes: Mailboxes,
    ) -> Result<Site, Error> {
        let phone = &config.phone;
        let twilio = match (&phone.twilio_token_file, &config.public_url) {
            (Some(file), Some(url)) => Some(Twilio {
                token: Secret::read(dir, file)?,
                public_url: url.trim_end_matches('/').to_owned(),
            }),
            (Some(_), None) => {
                return Err(Error::Config(
                    "phone.twilio_token_file needs public_url: Twilio signs the address that it calls"
                        .to_owned(),
                ));
            }
            (None, _) => None,
        };
        config.report.check()?;
        let public = config.report.public;
        let public = public.then(|| report::Public::new(&config.report, &config.proxies));
        let phone_secret = phone.secret_file.as_deref();
        let metrics_token = config.metrics_token_file.as_deref();
        Ok(Site {
            registry,
            intake,
            recipients,
            door: Door::new(&config.people, config.public_url.as_deref(), dir)?,
            twilio,
            metrics_token: metrics_token
                .map(|file| Secret::read(dir, file))
                .transpose()?,
            phone_secret: phone_secret
                .map(|file| Secret::read(dir, file))
                .transpose()?,
            vonage_secret: phone
                .vonage_secret_file
                .as_deref()
                .map(|file| Secret::read(dir, file))
                .transpose()?,
            login_secret: config
                .login
                .secret_file
                .as_deref()
                .map(|file| Secret::read(dir, file))
                .transpose()?,
            desk: Desk::new(&config.post),
            mailboxes,
            public,
        })
    }
}

/// All routes.
pub(super) fn router(site: Arc<Site>) -> Router {
    let guarded = |right: Right, routes: Router<Arc<Site>>| {
        let guard = middleware::from_fn_with_state((Arc::clone(&site), right), guard::check);
        routes.route_layer(guard)
    };
    let desk = Router::new()
        .route("/", get(dashboard::show))
        .route("/incidents/{id}", get(incident::show))
        .route("/api/sightings", get(api::sightings))
        .route("/api/incidents", get(api::incidents));
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .merge(guarded(Right::Look, desk))
        .merge(guarded(Right::File, post::routes()))
        .merge(guarded(Right::File, report::routes().merge(report::api())))
        .merge(report::public_routes(site.public.as_ref()))
        .merge(phone::routes(&site))
        .merge(login::routes(&site))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn(metrics::count))
        .with_state(site)
}

/// Whether mail, calls and letters can be stored now.
async fn ready(State(site): State<Arc<Site>>) -> Response {
    let wrong = match (site.recipients.ready(), site.intake.stores()) {
        (false, _) => Some("the registry cannot be read\n"),
        (true, false) => Some("messages could not be stored a moment ago; see the log\n"),
        (true, true) => None,
    };
    if let Some(answer) = wrong {
        (StatusCode::SERVICE_UNAVAILABLE, answer).into_response()
    } else {
        // A provider that is away keeps nothing else from being taken.
        format!("ok\n{}", site.mailboxes.lines()).into_response()
    }
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Keeps a client's place while its request is answered.
async fn asking(State(heard): State<Heard>, request: Request, next: Next) -> Response {
    let _busy = heard.busy();
    next.run(request).await
}

/// Serves clients until `shutdown`, then lets requests that have begun end.
pub(super) async fn run(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    tokio::pin!(shutdown);
    let stop = CancellationToken::new();
    let seats = Seats::new(Duration::ZERO);
    // A server in front is the address of everybody.
    let limits = Limits {
        connections: CONNECTIONS,
        connections_per_address: CONNECTIONS,
        connections_per_network: CONNECTIONS,
        ..Limits::default()
    };
    let mut connections = JoinSet::new();
    let mut waiting = None;
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok((stream, peer)) => waiting = Some((stream, peer.ip().to_canonical())),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        if let Some((_, peer)) = &waiting
            && let Some(seat) = seats.take(&limits, *peer)
            && let Some((stream, peer)) = waiting.take()
        {
            let router = router.clone().layer(Extension(Peer(peer)));
            connections.spawn(connection(stream, router, stop.clone(), seat));
        }
    }
    drop(listener);
    stop.cancel();
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests cut off");
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken, seat: Seat) {
    let _open = crate::metrics::metrics().connection("http");
    let asking = middleware::from_fn_with_state(seat.heard(), asking);
    let service = TowerToHyperService::new(router.layer(asking));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        // It has asked for nothing, and somebody else does.
        () = seat.gone() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}
