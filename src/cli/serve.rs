//! `otori serve`.

mod check;
mod reload;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::drill::{Ways, schedule};
use super::{Global, Outcome, Output};
use crate::alert::Places;
use crate::publish::Missed;
use crate::receive::{self, Listeners, ReceiveConfig};
use crate::registry::{BEAT, Registry};
use crate::retention::{self, RetentionConfig};
use crate::workspace::Workspace;
use reload::{Alerts, InUse};

/// How often the receiver looks whether the registry's key is still its own.
const KEY_CHECK: Duration = Duration::from_secs(1);

/// Receive mail, calls and letters, and raise alerts, until Ctrl-C
///
/// Mail comes in over SMTP, and over LMTP from a mail server in front. Calls, letters, the dashboard
/// and the API are on HTTP; credentials are in the files that otori.toml names. All listen on
/// loopback unless told otherwise.
#[derive(clap::Args)]
pub struct Args {
    /// Where SMTP listens, instead of where otori.toml says; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    smtp: Option<SocketAddr>,
    /// Where LMTP listens, for a mail server that hands messages on, instead of where otori.toml says
    #[arg(long, value_name = "ADDR")]
    lmtp: Option<SocketAddr>,
    /// Where SIP listens over UDP and TCP, for calls, instead of where otori.toml says
    #[arg(long, value_name = "ADDR")]
    sip: Option<SocketAddr>,
    /// Where HTTP listens, instead of where otori.toml says; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// How the log is written on standard error: for people, or one JSON object a line
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: Log,
    /// Only look whether everything is as it should be: nothing is received or sent
    #[arg(long)]
    check: bool,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Log {
    Text,
    Json,
}

/// When contents are erased for the first time, and how often from then on.
const ERASED_FIRST: Duration = Duration::from_secs(300);
const ERASED_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How often the evidence log is signed.
const SIGNED_EVERY: Duration = Duration::from_secs(60);

#[derive(Clone, Serialize)]
struct Document {
    smtp: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    lmtp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip: Option<SocketAddr>,
    http: SocketAddr,
}

/// Runs `otori serve`.
///
/// # Errors
/// The workspace does not open, an address cannot be listened on, or a secret that the
/// configuration names cannot be used.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    if args.check {
        return check::run(&args, global).await;
    }
    args.log.begin();
    let mut addresses = None;
    let mut first = true;
    let mut before = None;
    loop {
        let (workspace, registry) = global.open().await?;
        let receive = &workspace.config().receive;
        // Where port 0 was asked for, the same port is taken again.
        let Document {
            smtp,
            lmtp,
            sip,
            http,
        } = addresses.get_or_insert_with(|| Document {
            smtp: args.smtp.unwrap_or(receive.smtp),
            lmtp: args.lmtp.or(receive.lmtp),
            sip: args.sip.or(receive.sip.listen),
            http: args.http.unwrap_or(receive.http),
        });
        let listeners = Listeners::bind(*smtp, *http).await?.with_lmtp(*lmtp);
        let listeners = listeners.await?.with_sip(*sip).await?;
        if let Some(run) = before.take() {
            // It ended with the old key, under which nothing could be written any more.
            registry.receiver_stopped(run).await?;
        }
        let (bound, ended) =
            serve(global, args.log, &workspace, registry, listeners, first).await?;
        first = false;
        addresses = Some(bound);
        match ended {
            Ended::Asked => return Ok(Outcome::Done),
            Ended::KeyChanged(run) => {
                args.log
                    .say("the registry has another key now: starting again with it");
                before = Some(run);
            }
        }
    }
}

/// Why it has stopped.
enum Ended {
    Asked,
    /// With the run that has ended.
    KeyChanged(String),
}

/// Serves until it is asked to stop, or the registry's key gives way to another one.
async fn serve(
    global: &Global,
    log: Log,
    workspace: &Workspace,
    registry: Registry,
    listeners: Listeners,
    first: bool,
) -> anyhow::Result<(Document, Ended)> {
    let config = workspace.config();
    let places = Places::new(&config.alert, workspace.dir())?;
    let ways = Ways::new(workspace, Some(listeners.http_addr()))?;
    let stop = CancellationToken::new();
    let running = receive::start(
        registry.clone(),
        &config.receive,
        workspace.dir(),
        listeners,
        stop.clone().cancelled_owned(),
    )
    .await?;
    let bound = Document {
        smtp: running.smtp_addr,
        lmtp: running.lmtp_addr,
        sip: running.sip_addr,
        http: running.http_addr,
    };
    let run = begin(&registry, &bound).await?;
    tell(log, &bound, &config.receive, !places.is_empty());
    if config.drill.every.is_some() {
        for why in ways.missing_any() {
            log.warn(&format!("[drill] every: {why}"));
        }
    }
    // There is exactly one document.
    if global.json && first {
        Output::new(global).result(&bound, |_: &mut dyn Write| Ok(()))?;
    }
    let signing = tokio::spawn(sign(workspace.clone(), registry.clone(), stop.clone()));
    let beating = tokio::spawn(beat(registry.clone(), run, bound.clone(), stop.clone()));
    let drills = tokio::spawn(schedule::run(
        registry.clone(),
        ways,
        config.drill.clone(),
        stop.clone(),
    ));
    #[cfg(feature = "plant")]
    let drips = config.drip.by_serve.then(|| {
        let (workspace, registry) = (workspace.clone(), registry.clone());
        tokio::spawn(super::drip::keep(workspace, registry, None, stop.clone()))
    });
    let keeping = tokio::spawn(keep(
        registry.clone(),
        config.retention.clone(),
        stop.clone(),
    ));
    #[cfg(feature = "plant")]
    let tending = tokio::spawn(super::tend::schedule::run(
        registry.clone(),
        config.tend,
        stop.clone(),
    ));
    let watched = registry.clone();
    let mut alerts = Alerts::start(registry, places, stop.clone());
    let mut in_use = InUse::of(config);
    let mut hang_up = signal(SignalKind::hangup())?;
    let until = async {
        tokio::select! {
            asked = asked_to_stop() => asked.map(|()| false),
            () = key_changed(&watched) => Ok(true),
        }
    };
    tokio::pin!(until);
    let rekeyed = loop {
        tokio::select! {
            ended = &mut until => break ended?,
            Some(()) = hang_up.recv() => {
                in_use.reload(global, log, &running, &mut alerts).await;
            }
        }
    };
    if !rekeyed {
        log.say("stopping");
    }
    stop.cancel();
    running.stopped().await;
    alerts.ended().await.context("the alerts ended badly")?;
    drills.await.context("the drills ended badly")?;
    #[cfg(feature = "plant")]
    if let Some(drips) = drips {
        drips.await.context("the drips ended badly")?;
    }
    keeping.await.context("the erasing ended badly")?;
    #[cfg(feature = "plant")]
    tending.await.context("the tending ended badly")?;
    signing.await.context("the signing ended badly")?;
    let run = beating.await.context("the receiver's beat ended badly")?;
    let ended = if rekeyed {
        Ended::KeyChanged(run)
    } else {
        watched.receiver_stopped(run).await?;
        Ended::Asked
    };
    Ok((bound, ended))
}

/// Enters in the log that this receiver listens; the name of its run.
async fn begin(registry: &Registry, bound: &Document) -> anyhow::Result<String> {
    let (smtp, http) = (bound.smtp.to_string(), bound.http.to_string());
    let now = OffsetDateTime::now_utc();
    Ok(registry.receiver_started(&smtp, &http, now).await?)
}

/// Says every now and then that this receiver is alive, so that a report can tell when it was not; the
/// run that it is in at the end.
async fn beat(
    registry: Registry,
    mut run: String,
    bound: Document,
    stop: CancellationToken,
) -> String {
    let pause = || tokio::time::sleep(BEAT.unsigned_abs());
    while stop.run_until_cancelled(pause()).await.is_some() {
        let beat = registry.receiver_alive(&run, OffsetDateTime::now_utc());
        let again = match beat.await {
            Ok(true) => continue,
            // It stood still for so long that it was given up, and goes on as another run.
            Ok(false) => begin(&registry, &bound).await,
            Err(error) => Err(error.into()),
        };
        match again {
            Ok(new) => run = new,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "no sign of life could be given"
                );
            }
        }
    }
    run
}

/// Returns when the registry opens with another key than this process has.
async fn key_changed(registry: &Registry) {
    loop {
        tokio::time::sleep(KEY_CHECK).await;
        // A registry that cannot be reached is not one with another key.
        if matches!(registry.key_is_current().await, Ok(false)) {
            return;
        }
    }
}

/// Erases once a day what the rules let go; for the first time some minutes after the start, so that a rule
/// that was mistyped can still be taken back.
async fn keep(registry: Registry, rules: RetentionConfig, stop: CancellationToken) {
    let mut pause = ERASED_FIRST;
    while stop
        .run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_some()
    {
        pause = ERASED_EVERY;
        if rules.is_empty() {
            continue;
        }
        match retention::apply(&registry, &rules, OffsetDateTime::now_utc()).await {
            Ok(done) if done.messages() > 0 => tracing::info!(
                noise = done.noise,
                expected = done.expected,
                closed = done.closed,
                "contents of messages were erased by the rules of [retention]"
            ),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "contents of messages could not be erased"),
        }
    }
}

/// Signs the evidence log once a minute while something enters it, and publishes its checkpoints.
async fn sign(workspace: Workspace, registry: Registry, stop: CancellationToken) {
    let mut missing = BTreeSet::new();
    while stop
        .run_until_cancelled(tokio::time::sleep(SIGNED_EVERY))
        .await
        .is_some()
    {
        if let Err(error) = workspace.sign_log(&registry).await {
            tracing::error!(%error, "the evidence log could not be signed");
        }
        match super::publish(&workspace, &registry).await {
            Ok(missed) => missing = tell_missed(&missed, &missing),
            Err(error) => tracing::error!(%error, "the evidence log was not published"),
        }
    }
}

/// Says which place has not got the newest checkpoint, once; and when it has again.
fn tell_missed(missed: &[Missed], before: &BTreeSet<String>) -> BTreeSet<String> {
    for Missed { place, why } in missed {
        if !before.contains(place) {
            tracing::warn!(place, %why, "a checkpoint of the evidence log did not get there; tried again each minute");
        }
    }
    let now: BTreeSet<String> = missed.iter().map(|missed| missed.place.clone()).collect();
    for place in before.difference(&now) {
        tracing::info!(place, "checkpoints of the evidence log get there again");
    }
    now
}

fn tell(log: Log, bound: &Document, config: &ReceiveConfig, alerts: bool) {
    log.say(&format!("SMTP on {}", bound.smtp));
    if let Some(lmtp) = bound.lmtp {
        log.say(&format!("LMTP on {lmtp}"));
        if !lmtp.ip().is_loopback() {
            log.warn("LMTP is open to other hosts; it is for the mail server in front alone");
        }
    }
    if let Some(sip) = bound.sip {
        log.say(&format!("SIP on {sip}"));
        if !sip.ip().is_loopback() && config.sip.peers.is_empty() {
            log.warn(
                "SIP is open to everybody, and callers are whom they say: name your provider's networks in peers in [receive.sip]",
            );
        }
    }
    log.say(&format!("HTTP on http://{}/", bound.http));
    if !bound.http.ip().is_loopback() {
        log.warn(
            "HTTP is open to other hosts, and has no TLS of its own: passwords and letters \
             cross the network in plain text unless a proxy with TLS stands in front",
        );
    }
    if !bound.smtp.ip().is_loopback() && config.tls.is_none() && config.acme.is_none() {
        log.warn("STARTTLS is not offered: otori.toml has no [receive.tls] and no [receive.acme]");
    }
    if config.people.is_empty() {
        log.warn(
            "nobody may open the dashboard or the mail-room page: otori.toml has no [[receive.people]]"
        );
    }
    if !alerts {
        log.warn(
            "alerts wait in the registry and nobody is told: otori.toml has neither relay, from and to in [alert], nor [[alert.webhook]], nor [alert.syslog]"
        );
    }
}

/// Returns at Ctrl-C, or when the system says so.
async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

impl Log {
    /// Logs to standard error; `OTORI_LOG` says how much (`debug`, `otori=trace`).
    fn begin(self) {
        let filter = tracing_subscriber::EnvFilter::try_from_env("OTORI_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            // Colours are for who looks, not for files.
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_writer(std::io::stderr);
        // A second `serve` in one process, as tests have, keeps the first one's log.
        let _ = match self {
            Log::Text => log.try_init(),
            Log::Json => log.json().flatten_event(true).try_init(),
        };
    }

    /// Tells whoever started the receiver; where a machine reads the log, as one of its lines.
    fn say(self, text: &str) {
        match self {
            Log::Text => eprintln!("{text}"),
            Log::Json => tracing::info!("{text}"),
        }
    }

    /// The same, of what should not stay as it is.
    fn warn(self, text: &str) {
        match self {
            Log::Text => eprintln!("warning: {text}"),
            Log::Json => tracing::warn!("{text}"),
        }
    }
}
