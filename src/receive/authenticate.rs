//! Whether a mail is from whom it says. It is asked when the mail is settled, long after its `250`, and only of
//! the resolvers that the configuration names: without one nothing is asked.
//!
//! A mail proves its author's domain by DMARC; where that domain has no policy, by a signature, or a client that SPF
//! lets send, of the same organisation. ARC alone proves nothing, since whoever forwards can begin a chain.
//!
//! Strangers choose the domains that are asked for, so theirs may answer late or never: each mail has a bounded
//! time, mails are asked for together, and only a resolver that itself is silent is left alone for a while.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use mail_auth::common::verify::VerifySignature;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use mail_auth::hickory_resolver::net::NetError;
use mail_auth::hickory_resolver::proto::rr::RecordType;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::understand::{Sender, registrable};
use crate::canary::{Authentication, Campaign, Checked, Domain, SourceName};

/// For all that is asked for one mail.
const PATIENCE: Duration = Duration::from_secs(8);
/// For one question, which is asked twice.
const QUESTION: Duration = Duration::from_secs(2);
/// Before what failed for a while is asked again.
const AGAIN: Duration = Duration::from_millis(500);
/// A silent resolver is left alone for so long at first, and at most.
const AWAY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// Signatures that are told of.
const SIGNATURES: usize = 10;

/// `[receive.auth]`: who says whether a mail is from whom it claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Mail servers of ours that stand in front, by the names under which they write `Authentication-Results`
    /// (`mx.our.example`): what they found is believed of mail that they hand on by LMTP, a maildir, a pipe or IMAP.
    /// They must take out such fields that strangers bring under their name (RFC 8601, section 5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted: Vec<String>,
    /// DNS resolvers with their ports (`127.0.0.1:53`). Without any, nothing is asked.
    pub resolvers: Vec<SocketAddr>,
}

impl AuthConfig {
    /// What is wrong with it, if anything is.
    pub fn wrong(&self) -> Option<String> {
        let plain = |name: &&String| {
            name.is_empty() || name.contains(|c: char| c.is_whitespace() || ";\"()".contains(c))
        };
        let wrong = self.trusted.iter().find(plain)?;
        Some(format!(
            "auth: trusted has '{wrong}', which is no name of a server: write it as it stands behind Authentication-Results"
        ))
    }
}

/// `[[receive.expected]]`: who writes to a source's customers on its behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedConfig {
    /// The source.
    pub source: SourceName,
    /// Domains of the authors of its mails; those below them count as well.
    pub domains: Vec<Domain>,
}

/// Asks who a mail is from.
pub struct Authenticator {
    trusted: Vec<String>,
    resolver: Option<Resolver>,
    expected: Expected,
}

/// Who is expected to write. Clones share it, so that it can change while mails are settled.
#[derive(Clone, Default)]
pub(super) struct Expected(Arc<RwLock<Who>>);

/// Who writes at any time, and what is planned.
#[derive(Clone, Default)]
struct Who {
    always: Vec<ExpectedConfig>,
    calendar: Arc<[Campaign]>,
}

impl Expected {
    /// These, from now on.
    pub fn set(&self, expected: &[ExpectedConfig], calendar: Vec<Campaign>) {
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *now = Who {
            always: expected.to_vec(),
            calendar: calendar.into(),
        };
    }

    /// What is planned.
    pub fn calendar(&self) -> Arc<[Campaign]> {
        self.now().calendar.clone()
    }

    fn now(&self) -> RwLockReadGuard<'_, Who> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Resolver {
    asks: MessageAuthenticator,
    /// The same without a memory, to see whether anybody is there.
    looks: MessageAuthenticator,
    /// Until when it is left alone, and for how long the next time.
    away: Mutex<(Option<Instant>, Duration)>,
}

impl Authenticator {
    /// One that asks the resolvers of the configuration.
    ///
    /// # Errors
    /// The resolver's sockets cannot be made; in words.
    pub fn new(
        auth: &AuthConfig,
        expected: &[ExpectedConfig],
        calendar: Vec<Campaign>,
    ) -> Result<Authenticator, String> {
        let made = |remember| asking(&auth.resolvers, remember).map_err(|error| error.to_string());
        let resolver = match auth.resolvers.is_empty() {
            true => None,
            false => Some(Resolver {
                asks: made(true)?,
                looks: made(false)?,
                away: Mutex::new((None, AWAY.0)),
            }),
        };
        if let Some(wrong) = auth.wrong() {
            return Err(wrong);
        }
        let authenticator = Authenticator {
            trusted: auth.trusted.clone(),
            resolver,
            expected: Expected::default(),
        };
        authenticator.expected.set(expected, calendar);
        Ok(authenticator)
    }

    /// Who is expected to write, to be changed.
    pub(super) fn expected(&self) -> Expected {
        self.expected.clone()
    }

    /// One that asks nobody.
    pub fn off() -> Authenticator {
        Authenticator {
            trusted: Vec::new(),
            resolver: None,
            expected: Expected::default(),
        }
    }

    /// Whether a mail that came then, with this proven author, is one that the source's customers get on its behalf.
    pub fn expects(&self, source: &SourceName, proven: &str, at: OffsetDateTime) -> bool {
        let own = |domain: &Domain| {
            let below = proven.strip_suffix(domain.as_str());
            below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        };
        let who = self.expected.now();
        let mut of = who.always.iter().filter(|one| one.source == *source);
        of.any(|one| one.domains.iter().any(own))
            || who
                .calendar
                .iter()
                .any(|one| one.expects(source, proven, at))
    }

    /// Whether a mail that says it is from this organisation's domain says that it is from somebody who writes
    /// to the source's customers on its behalf.
    pub fn writes_for(&self, source: &SourceName, organisation: &str) -> bool {
        let who = self.expected.now();
        let same = |domain: &Domain| registrable(domain.as_str()).as_deref() == Some(organisation);
        let mut of = who.always.iter().filter(|one| one.source == *source);
        let mut planned = who.calendar.iter().filter(|one| one.source == *source);
        of.any(|one| one.domains.iter().any(same)) || planned.any(|one| same(&one.sender))
    }

    /// What the server in front has found, where there is one that is believed.
    fn told(&self, sender: &Sender, raw: &[u8]) -> Option<Authentication> {
        // Whoever speaks with us himself is a stranger, and so is his header.
        if self.trusted.is_empty() || sender.peer.is_some() {
            return None;
        }
        let results = results::of(raw, &self.trusted)?;
        let passed = |checked: &Checked| checked.result == "pass";
        let domain = |checked: &Checked| checked.domain.clone().filter(|_| passed(checked));
        let author = AuthenticatedMessage::parse(raw).and_then(|mail| author(&mail));
        let proven = author.filter(|author| match &results.dmarc {
            Some(dmarc) if dmarc.result != "none" => domain(dmarc).as_ref() == Some(author),
            // Who has no policy has not said that its own signature is to count for less.
            _ => {
                let all = results.dkim.iter().chain(&results.spf);
                let ours = registrable(author);
                let same = |domain: String| ours.is_some() && registrable(&domain) == ours;
                all.filter_map(domain).any(same)
            }
        });
        let mut dkim = results.dkim;
        dkim.truncate(SIGNATURES);
        Some(Authentication {
            spf: results.spf,
            dkim,
            dmarc: results.dmarc,
            arc: results.arc,
            proven,
            by: Some(results.by),
            not_checked: None,
        })
    }

    /// What can be known of a mail's sender.
    pub(super) async fn of(&self, sender: &Sender, raw: &[u8]) -> Authentication {
        // A stranger's bytes must not be able to stop the worker.
        let told = std::panic::AssertUnwindSafe(|| self.told(sender, raw));
        if let Some(told) = std::panic::catch_unwind(told).unwrap_or_default() {
            return told;
        }
        let Some(resolver) = &self.resolver else {
            return Authentication::not_checked("no resolver is configured");
        };
        if resolver.is_away() {
            return Authentication::not_checked("the resolver is away");
        }
        let asked = async {
            let first = resolver.ask(sender, raw).await;
            if !first.1 {
                return Some(first.0);
            }
            tokio::time::sleep(AGAIN).await;
            let (mut second, again) = resolver.ask(sender, raw).await;
            if again {
                second.not_checked = Some("a domain's records could not be had".to_owned());
            }
            (!again || !resolver.looks_away().await).then_some(second)
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Some(found)) => found,
            Ok(None) => Authentication::not_checked("the resolver is away"),
            Err(_) => match resolver.looks_away().await {
                true => Authentication::not_checked("the resolver is away"),
                false => Authentication::not_checked("a domain's records did not come in time"),
            },
        }
    }
}

fn asking(servers: &[SocketAddr], remember: bool) -> Result<MessageAuthenticator, NetError> {
    let server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            let ConnectionConfig { port, .. } = connection;
            *port = address.port();
        }
        server
    };
    let servers = servers.iter().map(server).collect();
    let mut options = ResolverOpts::default();
    options.timeout = QUESTION;
    options.attempts = 1;
    options.use_hosts_file = ResolveHosts::Never;
    if !remember {
        options.cache_size = 0;
    }
    MessageAuthenticator::new(
        ResolverConfig::from_parts(None, Vec::new(), servers),
        options,
    )
}

impl Resolver {
    fn is_away(&self) -> bool {
        let away = self.away.lock().unwrap_or_else(|lock| lock.into_inner());
        away.0.is_some_and(|until| Instant::now() < until)
    }

    /// Asks for the root's name servers, which every resolver has: any answer is one.
    async fn looks_away(&self) -> bool {
        let answer = self.looks.0.lookup(".", RecordType::NS).await;
        let there = matches!(answer, Ok(_) | Err(NetError::Dns(_)));
        let mut away = self.away.lock().unwrap_or_else(|lock| lock.into_inner());
        if there {
            *away = (None, AWAY.0);
        } else {
            tracing::warn!(
                seconds = away.1.as_secs(),
                "no resolver answers: mails are settled unchecked"
            );
            *away = (Some(Instant::now() + away.1), (away.1 * 2).min(AWAY.1));
        }
        !there
    }

    /// What the methods find, and whether anything failed that may go well later.
    async fn ask(&self, sender: &Sender, raw: &[u8]) -> (Authentication, bool) {
        // Strictly: a signature over a part of the text proves nothing of the rest.
        let Some(mail) = AuthenticatedMessage::parse(raw) else {
            return (Authentication::not_checked("it has no header"), false);
        };
        let signatures = self.asks.verify_dkim(&mail).await;
        // An address literal (a@[192.0.2.1]) is no name to ask for: RFC 7208, section 4.3.
        let mail_from = sender.from.rsplit_once('@').map(|(_, domain)| domain);
        let mail_from = mail_from.filter(|domain| !domain.starts_with('['));
        let claimed = mail_from.unwrap_or(&sender.helo).to_owned();
        let spf = match sender.peer {
            Some(peer) => {
                let asked = match mail_from {
                    Some(_) => {
                        SpfParameters::verify_mail_from(peer, &sender.helo, "mx", &sender.from)
                    }
                    None => SpfParameters::verify_ehlo(peer, &sender.helo, "mx"),
                };
                self.asks.verify_spf(asked).await
            }
            None => SpfOutput::new(claimed.clone()).with_result(SpfResult::None),
        };
        let dmarc = DmarcParameters::new(&mail, &signatures, &claimed, &spf);
        let dmarc = self.asks.verify_dmarc(dmarc).await;
        let arc = self.asks.verify_arc(&mail).await;

        let mut passed: Vec<&str> = Vec::new();
        let mut dkim: Vec<Checked> = Vec::new();
        let mut again = spf.result() == SpfResult::TempError;
        for output in &signatures {
            let domain = output.signature().map(VerifySignature::domain);
            again |= matches!(output.result(), DkimResult::TempError(_));
            if *output.result() == DkimResult::Pass {
                passed.extend(domain);
            }
            if dkim.len() < SIGNATURES && *output.result() != DkimResult::None {
                dkim.push(Checked {
                    result: signed(output.result()).to_owned(),
                    domain: domain.map(str::to_lowercase),
                });
            }
        }
        if spf.result() == SpfResult::Pass {
            passed.push(&claimed);
        }
        again |= matches!(dmarc.result(), DmarcResult::TempError(_));
        let mut proven = None;
        if let Some(author) = author(&mail) {
            let ours = registrable(&author);
            let same = |domain: &&str| ours.is_some() && registrable(domain) == ours;
            let proves = match (dmarc.dmarc_record().is_some(), dmarc.result()) {
                (_, DmarcResult::Pass) => true,
                // Who has no policy has not said that its own signature is to count for less.
                (false, DmarcResult::None) => passed.iter().any(same),
                _ => false,
            };
            proven = proves.then_some(author);
        }
        // What is proven is so whatever else failed.
        again &= proven.is_none();
        let sealer = arc
            .sets()
            .last()
            .map(|set| set.seal.header.d.to_lowercase());
        let found = Authentication {
            spf: Some(Checked {
                result: policy_framework(spf.result()).to_owned(),
                domain: Some(claimed.to_lowercase()).filter(|claimed| !claimed.is_empty()),
            }),
            dkim,
            dmarc: Some(Checked {
                result: policy(&dmarc.result(), dmarc.dmarc_record().is_some()).to_owned(),
                domain: Some(dmarc.domain().to_lowercase()).filter(|domain| !domain.is_empty()),
            }),
            arc: (*arc.result() != DkimResult::None).then(|| Checked {
                result: signed(arc.result()).to_owned(),
                domain: sealer,
            }),
            proven,
            by: None,
            not_checked: None,
        };
        (found, again)
    }
}

/// The one domain of all that a mail says are its authors.
fn author(mail: &AuthenticatedMessage<'_>) -> Option<String> {
    let mut domains = mail.from.iter().map(|from| from.rsplit_once('@'));
    let first = domains.next()??.1.to_lowercase();
    let same = |other: Option<(&str, &str)>| {
        other.is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(&first))
    };
    domains.all(same).then_some(first)
}

fn signed(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
        DkimResult::None => "none",
    }
}

fn policy_framework(result: SpfResult) -> &'static str {
    match result {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    }
}

/// A policy by which nothing passed is a failure, though no method said so.
fn policy(result: &DmarcResult, has_policy: bool) -> &'static str {
    match (result, has_policy) {
        (DmarcResult::Pass, _) => "pass",
        (DmarcResult::TempError(_), _) => "temperror",
        (DmarcResult::PermError(_), _) => "permerror",
        (DmarcResult::Fail(_), _) | (DmarcResult::None, true) => "fail",
        (DmarcResult::None, false) => "none",
    }
}

mod results;
#[cfg(test)]
mod tests;
