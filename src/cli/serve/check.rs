//! `otori serve --check`: what would keep the receiver from starting, or from doing what it is for.
//!
//! Nothing is sent and nobody is asked; ports are taken for a moment to see that they are free. Every check
//! is a function in [`CHECKS`]: whoever adds a section to `otori.toml` adds a line there.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::Serialize;
use time::OffsetDateTime;

use super::Args;
use crate::alert::Places;
use crate::canary::{ContactPoint, Domain, MailAddress, SourceName};
use crate::cli::drill::Ways;
use crate::cli::{Global, Outcome, Output};
use crate::publish;
use crate::receive::smtp::{Tls, certificate_ends};
use crate::receive::{ReceiveConfig, checked_mailboxes};
use crate::registry::PoolEntry;
use crate::secret::Secret;
use crate::workspace::{Config, Workspace, read_private};

/// A certificate that ends within this time is told of.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// What every check is given.
struct Given<'a> {
    args: &'a Args,
    workspace: &'a Workspace,
    /// The contact points, if the registry opens.
    pool: Option<Vec<PoolEntry>>,
    /// The sources, and how many planned mailings did not come, if the registry opens.
    sources: Option<(Vec<SourceName>, u64)>,
}

type Check = fn(&Given<'_>, &mut Points);

/// Every check, in the order in which they are told.
const CHECKS: [Check; 19] = [
    ports,
    limits,
    hostname,
    certificate,
    secrets,
    files,
    domains,
    mailboxes,
    auth,
    campaigns,
    public_url,
    report,
    people,
    alerts,
    retention,
    post,
    drips,
    drills,
    evidence,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    Wrong,
}

#[derive(Serialize)]
struct Point {
    point: &'static str,
    state: State,
    why: String,
}

#[derive(Serialize)]
struct Points {
    ok: bool,
    points: Vec<Point>,
}

impl Points {
    fn put(&mut self, point: &'static str, state: State, why: impl Into<String>) {
        self.ok &= state != State::Wrong;
        let why = why.into();
        self.points.push(Point { point, state, why });
    }

    fn ok(&mut self, point: &'static str, why: impl Into<String>) {
        self.put(point, State::Ok, why);
    }

    fn warn(&mut self, point: &'static str, why: impl Into<String>) {
        self.put(point, State::Warning, why);
    }

    fn wrong(&mut self, point: &'static str, why: impl Into<String>) {
        self.put(point, State::Wrong, why);
    }
}

/// Runs `otori serve --check`.
///
/// # Errors
/// Standard output is closed. What is wrong is no error but in the result.
pub(super) async fn run(args: &Args, global: &Global) -> anyhow::Result<Outcome> {
    let mut points = Points {
        ok: true,
        points: Vec::new(),
    };
    match Workspace::find(global.workspace.as_deref()) {
        Ok(workspace) => {
            points.ok("configuration", "otori.toml reads");
            let (pool, sources) = registry(&workspace, &mut points).await.unzip();
            let given = Given {
                args,
                workspace: &workspace,
                pool,
                sources,
            };
            for check in CHECKS {
                check(&given, &mut points);
            }
        }
        Err(error) => points.wrong("configuration", error.to_string()),
    }
    Output::new(global).result(&points, |out| {
        for Point { point, state, why } in &points.points {
            let state = match state {
                State::Ok => "ok",
                State::Warning => "warning",
                State::Wrong => "WRONG",
            };
            writeln!(out, "{state:<8} {point}: {why}")?;
        }
        match points.ok {
            true => writeln!(out, "The receiver can start."),
            false => writeln!(
                out,
                "The receiver is not as it should be: see what is WRONG."
            ),
        }
    })?;
    Ok(match points.ok {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}

/// What the checks ask of the registry.
type Asked = (Vec<PoolEntry>, (Vec<SourceName>, u64));

/// Whether the registry opens with the key; its contact points, sources and missing mailings.
async fn registry(workspace: &Workspace, points: &mut Points) -> Option<Asked> {
    let opened = async {
        let registry = workspace.registry().await?;
        let sources = registry.sources().await?.into_iter();
        let sources = sources.map(|source| source.name).collect();
        let missing = registry
            .campaigns_missing(OffsetDateTime::now_utc())
            .await?;
        Ok::<_, crate::workspace::Error>((registry.pool().await?, (sources, missing)))
    };
    match opened.await {
        Ok(asked) => {
            points.ok("registry", "it opens with this key");
            Some(asked)
        }
        Err(error) => {
            points.wrong("registry", error.to_string());
            None
        }
    }
}

impl Given<'_> {
    fn config(&self) -> &Config {
        self.workspace.config()
    }

    fn receive(&self) -> &ReceiveConfig {
        &self.config().receive
    }

    fn dir(&self) -> &Path {
        self.workspace.dir()
    }

    fn smtp(&self) -> SocketAddr {
        self.args.smtp.unwrap_or(self.receive().smtp)
    }

    /// Those of the sources that are named which there are not, as far as the registry opens.
    fn unknown<'s>(&self, named: impl Iterator<Item = &'s SourceName>) -> BTreeSet<&'s SourceName> {
        let known = |name: &&SourceName| match &self.sources {
            Some((sources, _)) => sources.contains(name),
            None => true,
        };
        named.filter(|name| !known(name)).collect()
    }
}

fn ports(given: &Given<'_>, points: &mut Points) {
    let receive = given.receive();
    let http = given.args.http.unwrap_or(receive.http);
    let mut open = vec![("SMTP", given.smtp()), ("HTTP", http)];
    open.extend(given.args.lmtp.or(receive.lmtp).map(|lmtp| ("LMTP", lmtp)));
    let sip = given.args.sip.or(receive.sip.listen);
    open.extend(sip.map(|sip| ("SIP", sip)));
    open.extend(receive.socketmap.map(|map| ("socketmap", map)));
    let acme = receive.acme.as_ref().and_then(|acme| acme.listen);
    open.extend(acme.map(|acme| ("ACME", acme)));
    // Each is held while the next is tried: two of them cannot have one port.
    let mut held = Vec::new();
    for (what, address) in open {
        match TcpListener::bind(address) {
            Ok(listener) => {
                held.push(listener);
                points.ok("ports", format!("{what} can listen on {address}"));
            }
            Err(error) => {
                let advice = match error.kind() {
                    std::io::ErrorKind::AddrInUse => {
                        "; does a receiver run already, or is the port named twice? it is not free then"
                    }
                    std::io::ErrorKind::PermissionDenied => {
                        "; a port below 1024 wants the right to it (AmbientCapabilities=CAP_NET_BIND_SERVICE)"
                    }
                    _ => "",
                };
                points.wrong(
                    "ports",
                    format!("{what} cannot listen on {address}: {error}{advice}"),
                );
            }
        }
        if what == "HTTP" && !is_here(address.ip()) {
            points.warn(
                "ports",
                "HTTP is open to other hosts and has no TLS of its own: put a proxy with TLS in front",
            );
        }
        if what == "socketmap" && !is_here(address.ip()) {
            points.warn(
                "ports",
                "socketmap is open to other hosts: whoever asks it learns which addresses are canaries'",
            );
        }
        if what == "LMTP" && !is_here(address.ip()) {
            points.warn(
                "ports",
                "LMTP is open to other hosts; it is for the mail server in front alone",
            );
        }
    }
}

fn is_here(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn limits(given: &Given<'_>, points: &mut Points) {
    let receive = given.receive();
    let ends = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(IpAddr::from);
    let mut proxies = receive.proxies.iter();
    if proxies.any(|network| ends.iter().all(|end| network.contains(*end))) {
        points.warn(
            "limits",
            "proxies names everybody: anybody may say by the PROXY protocol that he is another; name your balancer's addresses",
        );
    }
    let faults = receive.faults();
    if faults.is_empty() {
        points.ok("limits", "a client can be served within them");
    }
    for fault in faults {
        points.wrong("limits", fault);
    }
    let listens = given.args.sip.or(receive.sip.listen).is_some();
    if listens && receive.sip.peers.is_empty() {
        points.warn(
            "sip",
            "peers is empty: anybody may ring, and what a caller says of itself is not believed; name your provider's networks",
        );
    }
}

fn hostname(given: &Given<'_>, points: &mut Points) {
    match &given.receive().hostname {
        Some(name) if name.contains('.') && name.parse::<Domain>().is_err() => points.wrong(
            "hostname",
            format!("'{name}' is no name of a host: an MX is called like mx1.shop.example"),
        ),
        Some(name) if name.contains('.') => points.ok("hostname", format!("the banner says {name}")),
        Some(name) => points.warn(
            "hostname",
            format!("'{name}' is no whole name: an MX is called like mx1.shop.example"),
        ),
        None if is_here(given.smtp().ip()) => {
            points.ok("hostname", "not set; SMTP is on loopback alone");
        }
        None => points.wrong(
            "hostname",
            "not set, though SMTP is open to other hosts: the banner would show this machine's own name; write [receive] hostname = \"mx1.shop.example\"",
        ),
    }
}

fn certificate(given: &Given<'_>, points: &mut Points) {
    const POINT: &str = "certificate";
    let receive = given.receive();
    match (&receive.tls, &receive.acme) {
        (Some(_), Some(_)) => {
            points.wrong(POINT, "both [receive.tls] and [receive.acme] are there")
        }
        (None, Some(acme)) => match acme.check() {
            Ok(()) => points.ok(POINT, "the receiver gets one by ACME"),
            Err(error) => points.wrong(POINT, error.to_string()),
        },
        (Some(tls), None) => {
            if let Err(error) = Tls::load(tls, given.dir()) {
                return points.wrong(POINT, error.to_string());
            }
            let leaf = std::fs::read(given.dir().join(&tls.certificate)).ok();
            let leaf = leaf.and_then(|pem| CertificateDer::from_pem_slice(&pem).ok());
            match &leaf {
                Some(leaf) => dates_and_name(leaf, receive, points),
                None => points.wrong(POINT, "its file holds no certificate"),
            }
        }
        (None, None) if is_here(given.smtp().ip()) => {
            points.ok(POINT, "none; SMTP is on loopback alone")
        }
        (None, None) => points.warn(
            POINT,
            "STARTTLS is not offered: otori.toml has no [receive.tls] and no [receive.acme]",
        ),
    }
}

fn dates_and_name(leaf: &CertificateDer<'_>, receive: &ReceiveConfig, points: &mut Points) {
    const POINT: &str = "certificate";
    let Some(until) = certificate_ends(leaf) else {
        return points.wrong(POINT, "it cannot be read");
    };
    let until = OffsetDateTime::UNIX_EPOCH + until;
    let now = OffsetDateTime::now_utc();
    let day = until.date();
    if until <= now {
        return points.wrong(POINT, format!("it has ended on {day}: renew it"));
    }
    if until - now < SOON {
        points.warn(POINT, format!("it ends on {day}: renew it"));
    } else {
        points.ok(POINT, format!("certificate and key fit; it ends on {day}"));
    }
    let Some(name) = &receive.hostname else {
        return;
    };
    let fits = webpki::EndEntityCert::try_from(leaf).is_ok_and(|certificate| {
        let name = ServerName::try_from(name.as_str());
        name.is_ok_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
    });
    if !fits {
        points.warn(
            POINT,
            format!("it is not for {name}, which the banner says"),
        );
    }
}

/// Secrets that must not be guessed, by the name of what they are for.
fn secrets(given: &Given<'_>, points: &mut Points) {
    let receive = given.receive();
    let people = given
        .config()
        .people
        .iter()
        .map(|person| &person.token_file);
    let others = [
        &receive.phone.secret_file,
        &receive.phone.twilio_token_file,
        &receive.phone.vonage_secret_file,
        &receive.login.secret_file,
        &receive.metrics_token_file,
    ];
    let mut good = 0;
    for file in people.chain(others.into_iter().flatten()) {
        match Secret::read(given.dir(), file) {
            Ok(_) => good += 1,
            Err(error) => points.wrong("secrets", error.to_string()),
        }
    }
    points.ok(
        "secrets",
        format!("{good} can be read, by their owner alone"),
    );
    if receive.phone.twilio_token_file.is_some() && receive.public_url.is_none() {
        points.wrong(
            "secrets",
            "phone.twilio_token_file needs public_url: Twilio signs the address that it calls",
        );
    }
}

/// Everything else that the configuration names.
fn files(given: &Given<'_>, points: &mut Points) {
    let named = given.workspace.named_files();
    let count = named.len();
    let before = points.points.len();
    for (file, secret) in named {
        let path = given.dir().join(file);
        if secret {
            match read_private(&path) {
                Ok(text) if text.trim().is_empty() => {
                    points.wrong("files", format!("{} is empty", path.display()));
                }
                Ok(_) => {}
                Err(error) => points.wrong("files", error.to_string()),
            }
        } else if let Err(error) = std::fs::metadata(&path) {
            points.wrong("files", format!("{}: {error}", path.display()));
        }
    }
    if let Some(maildir) = &given.receive().maildir {
        let path = given.dir().join(maildir);
        if !["new", "cur"].iter().all(|part| path.join(part).is_dir()) {
            let path = path.display();
            points.wrong(
                "files",
                format!("maildir: {path} has no new/ and cur/ in it"),
            );
        }
    }
    if points.points.len() == before {
        points.ok("files", format!("{count} that otori.toml names are there"));
    }
}

fn domains(given: &Given<'_>, points: &mut Points) {
    let Some(pool) = &given.pool else {
        return;
    };
    let domains = || {
        pool.iter().filter_map(|entry| match &entry.point {
            ContactPoint::MailDomain(domain) => Some(domain),
            _ => None,
        })
    };
    for domain in &given.receive().catch_all {
        if !domains().any(|ours| ours == domain) {
            points.wrong(
                "domains",
                format!(
                    "catch_all names {0}, which is not in the pool: otori pool add mail {0}",
                    domain.as_str()
                ),
            );
        }
    }
    let mailbox = |entry: &PoolEntry| matches!(entry.point, ContactPoint::Mailbox(_));
    match domains().count() {
        0 if !pool.iter().any(mailbox) => points.warn(
            "domains",
            "the pool has no mail domain: SMTP takes nothing (otori pool add mail DOMAIN)",
        ),
        count => points.ok("domains", format!("mail is taken for {count}")),
    }
}

/// Mailboxes at providers; they are not asked.
fn mailboxes(given: &Given<'_>, points: &mut Points) {
    const POINT: &str = "imap";
    let config = &given.receive().imap;
    let addresses = match checked_mailboxes(config) {
        Ok(addresses) => addresses,
        Err(error) => return points.wrong(POINT, error),
    };
    if config.is_empty() {
        return;
    }
    let before = points.points.len();
    for (one, address) in config.iter().zip(&addresses) {
        let ours = |entry: &PoolEntry| match &entry.point {
            ContactPoint::Mailbox(known) => known.as_str().eq_ignore_ascii_case(address.as_str()),
            ContactPoint::MailDomain(domain) => domain.as_str() == address.domain(),
            _ => false,
        };
        if given
            .pool
            .as_ref()
            .is_some_and(|pool| !pool.iter().any(ours))
        {
            let name = &one.name;
            let why = "its address is not in the pool: otori pool add mailbox ADDRESS";
            points.wrong(POINT, format!("'{name}': {why}"));
        }
    }
    if points.points.len() == before {
        points.ok(POINT, format!("{} are to be read", config.len()));
    }
}

/// Who says whether a mail is from whom it claims; nobody is asked.
fn auth(given: &Given<'_>, points: &mut Points) {
    const POINT: &str = "auth";
    let receive = given.receive();
    let auth = &receive.auth;
    if let Some(wrong) = auth.wrong() {
        return points.wrong(POINT, wrong);
    }
    let handed_on = given.args.lmtp.is_some()
        || receive.lmtp.is_some()
        || receive.maildir.is_some()
        || !receive.imap.is_empty();
    if !auth.trusted.is_empty() && !handed_on {
        points.warn(
            POINT,
            "trusted names servers in front, and none hands mail on: there is neither lmtp, maildir nor [[receive.imap]]",
        );
    }
    for source in given.unknown(receive.expected.iter().map(|expected| &expected.source)) {
        let why = format!("[[receive.expected]] is of '{source}', and there is no such source");
        points.warn(POINT, why);
    }
    let sources = receive.expected.len() + usize::from(receive.campaigns.is_some());
    match (auth.resolvers.len(), auth.trusted.len()) {
        (0, 0) if sources > 0 => points.wrong(
            POINT,
            "[[receive.expected]] or campaigns names who writes, and nothing can prove that they did: name resolvers or trusted servers in [receive.auth]",
        ),
        (0, 0) => points.warn(
            POINT,
            "no resolver is named in [receive.auth]: nobody can say whether a mail is from whom it claims",
        ),
        (resolvers, trusted) => points.ok(
            POINT,
            format!("{resolvers} resolvers are asked, and {trusted} servers in front believed"),
        ),
    }
}

/// The campaign calendar, and what of it did not come.
fn campaigns(given: &Given<'_>, points: &mut Points) {
    const POINT: &str = "campaigns";
    let receive = given.receive();
    if receive.campaigns.is_none() {
        return points.ok(POINT, "no calendar of mailings is named in [receive]");
    }
    let calendar = match receive.calendar(given.dir()) {
        Ok(calendar) => calendar,
        Err(wrong) => return points.wrong(POINT, wrong),
    };
    for source in given.unknown(calendar.iter().map(|campaign| &campaign.source)) {
        points.warn(POINT, format!("there is no source '{source}'"));
    }
    if let Some((_, missing)) = &given.sources
        && *missing > 0
    {
        points.warn(
            POINT,
            format!("{missing} planned mailings did not come to canaries: see `otori campaigns`"),
        );
    }
    points.ok(
        POINT,
        format!("{} mailings are in the calendar", calendar.len()),
    );
}

fn public_url(given: &Given<'_>, points: &mut Points) {
    let Some(text) = &given.receive().public_url else {
        return;
    };
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "https" => points.ok("public_url", "it is an https:// address"),
        Ok(url) if url.scheme() == "http" => points.warn(
            "public_url",
            "it is http://: what is sent there crosses the network in plain text",
        ),
        _ => points.wrong("public_url", "it must be like https://hooks.shop.example"),
    }
}

/// Customers' own form, which is open to everybody.
fn report(given: &Given<'_>, points: &mut Points) {
    let report = &given.receive().report;
    if !report.public {
        return;
    }
    match report.check() {
        Ok(()) => points.ok(
            "report",
            format!("everybody may file a report at {}", report.path),
        ),
        Err(error) => points.wrong("report", error.to_string()),
    }
}

fn people(given: &Given<'_>, points: &mut Points) {
    // Tokens are known by what they sign.
    let mut tokens: HashMap<Vec<u8>, &str> = HashMap::new();
    for person in &given.config().people {
        // What cannot be read is told with the other secrets.
        let Ok(token) = Secret::read(given.dir(), &person.token_file) else {
            continue;
        };
        if let Some(other) = tokens.insert(token.hmac_sha256(&[]), &person.name) {
            points.warn(
                "people",
                format!(
                    "{other} and {} have the same token: whoever has it opens the pages of both",
                    person.name
                ),
            );
        }
    }
    match given.receive().people.len() {
        0 => points.warn(
            "people",
            "nobody may open the dashboard or the mail-room page: otori.toml has no [[people]]",
        ),
        count => points.ok(
            "people",
            format!("{count} may open the pages that are theirs"),
        ),
    }
}

fn alerts(given: &Given<'_>, points: &mut Points) {
    match Places::new(&given.config().alert, given.dir()) {
        Ok(places) if places.is_empty() => points.warn(
            "alerts",
            "nobody is told: otori.toml has neither relay, from and to in [alert], nor [[alert.webhook]], nor [alert.syslog]",
        ),
        Ok(places) => points.ok("alerts", format!("told: {}", places.names().join(", "))),
        Err(error) => points.wrong("alerts", error.to_string()),
    }
    let alert = &given.config().alert;
    let told = alert
        .to
        .iter()
        .filter_map(|to| to.parse::<MailAddress>().ok());
    let ours = |to: &MailAddress| {
        given.pool.iter().flatten().any(|entry| match &entry.point {
            ContactPoint::MailDomain(domain) => to.domain().eq_ignore_ascii_case(domain.as_str()),
            ContactPoint::Mailbox(address) => to.as_str().eq_ignore_ascii_case(address.as_str()),
            _ => false,
        })
    };
    if told.into_iter().any(|to| ours(&to)) {
        let why = "to names an address of the pool: each alert would be mail to a canary, and raise the next";
        points.wrong("alerts", why);
    }
    if let Some(path) = alert
        .syslog
        .iter()
        .find_map(|log| log.to.strip_prefix("unix:"))
        && !Path::new(path).exists()
    {
        points.warn("alerts", format!("syslog: there is no {path}"));
    }
}

fn retention(given: &Given<'_>, points: &mut Points) {
    let rules = &given.config().retention;
    for (rule, days) in [
        ("noise_days", rules.noise_days),
        ("expected_days", rules.expected_days),
        ("closed_days", rules.closed_days),
    ] {
        if days == Some(0) {
            let why = format!("{rule} is 0: what it is about is erased as soon as it comes");
            points.warn("retention", why);
        }
    }
}

/// What is found by its name alone may be missing: the person types then. Whoever writes a path means a file.
fn post(given: &Given<'_>, points: &mut Points) {
    let post = &given.receive().post;
    for (name, program) in [("tesseract", &post.tesseract), ("barcodes", &post.barcodes)] {
        if program.components().count() > 1 && !program.is_file() {
            let why = format!("{name}: there is no {}", program.display());
            points.wrong("post", why);
        }
    }
}

fn drips(given: &Given<'_>, points: &mut Points) {
    match (given.config().drip.by_serve, cfg!(feature = "plant")) {
        (true, true) => points.ok("drips", "the receiver plants what `otori drip` has set"),
        (true, false) => points.warn(
            "drips",
            "this build cannot plant: set by_serve = false in [drip], and let `otori drip --run` plant from another host",
        ),
        (false, _) => points.ok("drips", "left to `otori drip --run`: by_serve is off in [drip]"),
    }
}

fn drills(given: &Given<'_>, points: &mut Points) {
    let http = given.args.http.unwrap_or(given.receive().http);
    match Ways::new(given.workspace, Some(http)) {
        Ok(ways) if given.config().drill.every.is_some() => {
            for why in ways.missing_any() {
                points.warn("drills", why);
            }
        }
        Ok(_) => points.ok("drills", "none by itself: [drill] every is not set"),
        Err(error) => points.wrong("drills", format!("{error:#}")),
    }
}

fn evidence(given: &Given<'_>, points: &mut Points) {
    match given.workspace.publisher() {
        Ok(Some(_)) => points.ok("evidence", "checkpoints go where [evidence] says"),
        Ok(None) => points.warn(
            "evidence",
            "checkpoints of the log stay here: [evidence] names no authority and no witness",
        ),
        Err(error) => points.wrong("evidence", error.to_string()),
    }
    // A medium may be mounted later; until then its checkpoints wait.
    for witness in &given.config().evidence.witness {
        let directory = witness.directory.as_ref();
        let kept = directory.map(|directory| publish::kept(&given.workspace.dir().join(directory)));
        if let Some(Err(error)) = kept {
            points.warn("evidence", format!("witness '{}': {error}", witness.name));
        }
    }
}
