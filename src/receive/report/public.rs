//! The form for customers themselves, open to everybody: off unless the operator says otherwise.
//!
//! It asks for no name and gives nothing back: not which sources there are, not whether others have written, not
//! even that a robot was noticed. It is one page without a script, in Japanese and English. Each network files few
//! reports in an hour; from where they came is not kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::form::vias;
use super::{Report, Via};
use crate::receive::Error;
use crate::receive::http::page::page;
use crate::receive::http::{Peer, Site};
use crate::receive::smtp::{Network, around};

const TITLE: &str = "心当たりのない連絡のお知らせ / An unexpected contact";
/// A report is some lines of text.
const BODY: usize = 16 << 10;
/// Reports that one network files in an hour.
const AN_HOUR: u32 = 6;
const HOUR: Duration = Duration::from_secs(3600);
/// Networks that are remembered; beyond them nobody new is let in until an hour is over.
const NETWORKS: usize = 20_000;
/// First parts of paths that are our own.
const TAKEN: [&str; 9] = [
    "",
    "api",
    "drop",
    "hooks",
    "incidents",
    "livez",
    "metrics",
    "readyz",
    "report",
];

/// `[receive.report]`: the form for customers themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportConfig {
    /// Whether everybody may file a report.
    pub public: bool,
    /// Where the form is.
    pub path: String,
}

impl Default for ReportConfig {
    fn default() -> ReportConfig {
        ReportConfig {
            public: false,
            path: "/contact-report".to_owned(),
        }
    }
}

impl ReportConfig {
    /// Whether the form can be there.
    ///
    /// # Errors
    /// The path is none, or one of our own.
    pub fn check(&self) -> Result<(), Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let rest = self.path.strip_prefix('/').unwrap_or_default();
        let first = rest.split('/').next().unwrap_or_default();
        match self.path.chars().all(plain) && !TAKEN.contains(&first) {
            true => Ok(()),
            false => Err(Error::Config(format!(
                "report.path '{}' must be a path of letters, digits and hyphens that is not one of our own, like /contact-report",
                self.path
            ))),
        }
    }
}

/// How many reports each network has filed lately.
pub(in crate::receive) struct Public {
    path: String,
    proxies: Vec<Network>,
    filed: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Public {
    pub fn new(config: &ReportConfig, proxies: &[Network]) -> Public {
        Public {
            path: config.path.clone(),
            proxies: proxies.to_vec(),
            filed: Mutex::new(HashMap::new()),
        }
    }

    /// Whether a client may file one more.
    fn may(&self, client: IpAddr, now: Instant) -> bool {
        let mut filed = self.filed.lock().unwrap_or_else(PoisonError::into_inner);
        if filed.len() >= NETWORKS {
            filed.retain(|_, (since, _)| now.duration_since(*since) < HOUR);
        }
        let full = filed.len() >= NETWORKS;
        match filed.entry(around(client)) {
            Entry::Occupied(mut known) => {
                let (since, count) = known.get_mut();
                if now.duration_since(*since) >= HOUR {
                    (*since, *count) = (now, 0);
                }
                *count += 1;
                *count <= AN_HOUR
            }
            Entry::Vacant(_) if full => false,
            Entry::Vacant(new) => {
                new.insert((now, 1));
                true
            }
        }
    }

    /// Who asks: the peer, or whom a proxy of ours names last.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let ours = peer.is_loopback() || self.proxies.iter().any(|own| own.contains(peer));
        let named = headers.get_all("x-forwarded-for").iter().next_back();
        let named = named.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let named = named.and_then(|name| name.trim().parse::<IpAddr>().ok());
        match named {
            Some(named) if ours => named.to_canonical(),
            _ => peer,
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    about: String,
    #[serde(default)]
    via: Via,
    #[serde(default)]
    note: String,
    /// Which showing of the form it is: one that is sent twice is one report.
    #[serde(default)]
    form: String,
    /// A field that no person sees.
    #[serde(default)]
    website: String,
}

/// The form, where it is open.
pub(in crate::receive) fn routes(public: Option<&Public>) -> Router<Arc<Site>> {
    let Some(public) = public else {
        return Router::new();
    };
    Router::new()
        .route(&public.path, get(show).post(file))
        .layer(DefaultBodyLimit::max(BODY))
}

async fn show(State(site): State<Arc<Site>>) -> Response {
    form(&site, StatusCode::OK, &Report::default(), None)
}

fn form(site: &Site, status: StatusCode, report: &Report, problem: Option<&str>) -> Response {
    let path = site.public.as_ref().map_or("", |public| &public.path);
    let number = format!("{:032x}", rand::rng().random::<u128>());
    let body = html! {
        p { "お取引のない会社から郵便・電話・メールなどが届いたときは、こちらからお知らせください。お客様のお名前やご住所は必要ありません。" }
        p.soft { "Tell us if a firm that you never dealt with has written to you or called you. We do not need your name or address." }
        @if let Some(problem) = problem {
            p.alarm role="alert" { (problem) }
        }
        form.card method="post" action=(path) {
            label {
                "どこから来たか（会社名・電話番号など） / Which firm (name, number, address)"
                input type="text" name="about" value=(report.about) maxlength="500" autocomplete="off" required;
            }
            label {
                "手段 / By which way"
                (vias(report.via))
            }
            label {
                "内容（任意） / What it was about (if you like)"
                textarea name="note" rows="3" maxlength="500" { (report.note) }
            }
            div.away aria-hidden="true" {
                label {
                    "この欄には何も入力しないでください / Leave this empty"
                    input type="text" name="website" tabindex="-1" autocomplete="off";
                }
            }
            input type="hidden" name="form" value=(number);
            button type="submit" { "送信する / Send" }
        }
    };
    (status, page(TITLE, &body)).into_response()
}

fn thanks() -> Markup {
    html! {
        div.card {
            p { "お知らせいただき、ありがとうございました。" }
            p.soft { "Thank you for telling us." }
        }
    }
}

async fn file(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(told): Form<Told>,
) -> Response {
    let Some(public) = &site.public else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let report = Report {
        about: told.about,
        via: told.via,
        note: told.note,
        by: "public form".to_owned(),
        ..Report::default()
    };
    if !told.website.is_empty() {
        return page(TITLE, &thanks()).into_response();
    }
    if !public.may(public.client(peer.0, &headers), Instant::now()) {
        let problem = "ただいま混み合っています。しばらくしてからもう一度お送りください / Please send it again later";
        return form(&site, StatusCode::TOO_MANY_REQUESTS, &report, Some(problem));
    }
    let number: String = match told.form.is_empty() {
        true => format!("{:032x}", rand::rng().random::<u128>()),
        false => told.form.chars().take(64).collect(),
    };
    let now = OffsetDateTime::now_utc();
    let raw = serde_json::to_string(&(&report, number)).unwrap_or_default();
    let Ok(message) = report.clone().message(now, raw.as_bytes(), now) else {
        let problem = "どこから来たかを入力してください / Please say which firm it was";
        return form(&site, StatusCode::BAD_REQUEST, &report, Some(problem));
    };
    match site.intake.accept(message).await {
        Ok(_) => page(TITLE, &thanks()).into_response(),
        Err(_) => {
            let problem = "送信できませんでした。もう一度お送りください / It could not be sent: please send it again";
            form(
                &site,
                StatusCode::SERVICE_UNAVAILABLE,
                &report,
                Some(problem),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_files_few_and_everybody_else_some() {
        let public = Public::new(&ReportConfig::default(), &[]);
        let now = Instant::now();
        let may = |client: &str, now| public.may(client.parse().unwrap(), now);
        for host in 1..=AN_HOUR {
            assert!(may(&format!("192.0.2.{host}"), now));
        }
        assert!(!may("192.0.2.250", now));
        assert!(may("198.51.100.1", now));
        assert!(may("192.0.2.250", now + HOUR));
    }

    #[test]
    fn only_our_own_proxies_say_who_asks() {
        let proxy = ["10.1.0.0/16".parse().unwrap()];
        let public = Public::new(&ReportConfig::default(), &proxy);
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "203.0.113.9, 198.51.100.7".parse().unwrap(),
        );
        let client = |peer: &str| public.client(peer.parse().unwrap(), &headers).to_string();
        assert_eq!(client("10.1.2.3"), "198.51.100.7");
        assert_eq!(client("127.0.0.1"), "198.51.100.7");
        assert_eq!(client("192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn the_path_is_a_path_and_not_our_own() {
        let check = |path: &str| {
            let path = path.to_owned();
            ReportConfig { public: true, path }.check().is_ok()
        };
        assert!(check("/contact-report") && check("/shop/dm.html"));
        for wrong in [
            "",
            "/",
            "x",
            "/report",
            "/api/x",
            "/hooks/phone",
            "/{a}",
            "/a b",
            "//x",
        ] {
            assert!(!check(wrong), "{wrong}");
        }
    }
}
