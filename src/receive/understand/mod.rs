//! From a stored message to sightings: who was reached, and what that says.
//!
//! A worker settles what is stored, each message in one transaction of the registry, so that a crash
//! anywhere leaves a message either settled or waiting. Several workers on one registry do no harm:
//! a message that another one has settled is left alone.

mod bounce;
mod charset;
mod drill;
mod known;
mod login;
mod mail;
mod names;
mod origin;
mod phone;
mod post;
mod report;
mod shifted;
mod text;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Authenticator, in_time};
use crate::canary::{
    Actor, Authentication, BatchId, Canary, CanaryId, Channel, Sighting, SightingKind, SourceName,
};
use crate::metrics::metrics;
use crate::registry::{Message, NewSighting, Registry, Result};

use known::Known;

use mail::Owners;
pub(super) use mail::Sender;
pub(super) use origin::registrable;
pub use post::{Candidate, Letter, matches, matches_read, plain, unsure, waits};
pub(super) use text::one_line;

/// Of the sources that a contact fits alike, so many are named.
const NAMED: usize = 3;
/// Messages taken at a time, and their bytes; but one, however large it is.
const TAKE: (u32, u64) = (128, 4 << 20);
/// While messages come in they are given so long to gather, and those who wait for their `250` go first.
const MOMENT: Duration = Duration::from_millis(50);
/// How often the registry is asked for messages that another process has stored.
const POLL: Duration = Duration::from_secs(5);
/// A registry that takes longer to answer is asked again later.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Everything that is read of a mail.
#[cfg(fuzzing)]
pub(super) fn look(message: &Message) {
    let actor = mail::actor(message);
    assert!(!actor.summary.contains(char::is_control));
    let _ = (mail::bounce(message), mail::sender(message));
}

/// Settles messages until told to stop, and then what is left. `news` rings when something was
/// stored.
pub async fn run(
    registry: Registry,
    authenticator: Authenticator,
    news: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut pause = PAUSES.0;
    // Messages that could not be settled lately: the others go past them.
    let mut stuck: HashSet<i64> = HashSet::new();
    let mut reported = Reported::default();
    // Whether what the receiver before this one had no time to compare is asked for.
    let mut begun = false;
    loop {
        // What was stored before we were told is settled in this round still.
        let last = stop.is_cancelled();
        let wait = match settle_some(&registry, &authenticator, &mut stuck, &mut reported).await {
            Ok(round) => {
                if round.settled > 0 {
                    pause = PAUSES.0;
                }
                // The next receiver does so at its start.
                if round.tried == 0 && !last {
                    let looked = async {
                        if !begun {
                            reported.extend(everybody(&registry).await?);
                            begun = true;
                        }
                        look_back(&registry, &mut reported).await
                    };
                    if let Err(error) = looked.await {
                        tracing::error!(%error, "reports could not be compared");
                    }
                }
                match (round.tried == 0, stuck.is_empty()) {
                    (false, _) => {
                        if news.notified().now_or_never().is_some() {
                            gather(&stop).await;
                        }
                        continue;
                    }
                    (true, true) => POLL,
                    (true, false) => pause,
                }
            }
            Err(error) => {
                tracing::error!(%error, "stored messages could not be read");
                pause
            }
        };
        if last {
            return;
        }
        if wait != POLL {
            stuck.clear();
            pause = (pause * 2).min(PAUSES.1);
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = news.notified(), if wait == POLL => gather(&stop).await,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Waits until what comes together is there, unless there is no time.
async fn gather(stop: &CancellationToken) {
    let _ = tokio::time::timeout(MOMENT, stop.cancelled()).await;
}

/// Settles what waits, once through; how many messages could not be.
///
/// # Errors
/// The stored messages could not be read.
pub async fn settle_waiting(registry: &Registry, authenticator: &Authenticator) -> Result<usize> {
    let mut stuck = HashSet::new();
    let mut reported = Reported::default();
    while settle_some(registry, authenticator, &mut stuck, &mut reported)
        .await?
        .tried
        > 0
    {}
    look_back(registry, &mut reported).await?;
    Ok(stuck.len())
}

/// How many messages were looked at together, and what came of them.
struct Round {
    tried: usize,
    settled: usize,
}

/// Reports that are older than this come in behind others that they explain. What comes in on its own day is compared
/// when it comes, and needs no second look.
const OLD: time::Duration = time::Duration::DAY;

/// Of whose customers old reports have come in since the reports were looked at together; `None`: of nobody's.
type Reported = BTreeSet<Option<SourceName>>;

/// All of whose customers reports may tell.
async fn everybody(registry: &Registry) -> Result<Reported> {
    let sources = in_time(PATIENCE, registry.sources()).await?;
    let named = sources.into_iter().map(|source| Some(source.name));
    Ok(named.chain([None]).collect())
}

/// Looks at reports together, once everything is settled. What fails is looked at again next time.
async fn look_back(registry: &Registry, reported: &mut Reported) -> Result<()> {
    if !reported.is_empty() {
        let now = OffsetDateTime::now_utc();
        in_time(PATIENCE, report::look_back(registry, reported, now)).await?;
        reported.clear();
    }
    Ok(())
}

/// Settles the oldest messages that wait, but for those that are `stuck`; what could not be settled is so
/// from now on. Old reports are noted in `reported`.
async fn settle_some(
    registry: &Registry,
    authenticator: &Authenticator,
    stuck: &mut HashSet<i64>,
    reported: &mut Reported,
) -> Result<Round> {
    let waiting = registry.unsettled_but(stuck, TAKE.0, TAKE.1);
    let waiting = in_time(PATIENCE, waiting).await?;
    let mut settled = 0;
    let mut one_by_one: Vec<(&Message, &Known<'_>)> = Vec::new();
    let mut together = Vec::new();
    // Together, since each may wait for a stranger's name server; and before a transaction begins.
    let asked = waiting
        .iter()
        .map(|message| authenticity(authenticator, message));
    let known = futures_util::future::join_all(asked).await;
    // What goes wrong is asked again for each mail, and told there.
    let owners = in_time(PATIENCE, Owners::of(registry, &waiting)).await;
    let owners = owners.unwrap_or_default();
    let known: Vec<Known<'_>> = known
        .into_iter()
        .zip(&waiting)
        .map(|(authentication, message)| Known {
            authenticator,
            authentication,
            at: message.at,
            owners: &owners,
        })
        .collect();
    for (message, known) in waiting.iter().zip(&known) {
        // What goes wrong here goes wrong again below, and is told there.
        match in_time(PATIENCE, understand(registry, message, known)).await {
            // A report is judged by those before it, which must be stored.
            Ok((sightings, None, None))
                if agree(&sightings) && message.channel != Channel::Report =>
            {
                together.push((message.id, sightings))
            }
            _ => one_by_one.push((message, known)),
        }
    }
    match in_time(PATIENCE, registry.settle_all(&together)).await {
        Ok(ours) => {
            settled += together.len();
            // What another receiver has settled in the meantime it has counted.
            for (id, sightings) in together.iter().filter(|(id, _)| ours.contains(id)) {
                let channel = waiting.iter().find(|message| message.id == *id);
                let channel = channel.map_or("", |message| message.channel.name());
                for sighting in sightings {
                    metrics().settled(channel, sighting.kind.name());
                }
            }
        }
        Err(_) => {
            let of = |(message, _): &(&Message, &Known<'_>)| {
                together.iter().any(|(id, _)| *id == message.id)
            };
            one_by_one.extend(waiting.iter().zip(&known).filter(of));
        }
    }
    for (message, known) in one_by_one {
        match in_time(PATIENCE, settle_ours(registry, message, known)).await {
            Ok(ours) => {
                settled += 1;
                for sighting in ours.iter().flatten() {
                    let old = sighting.at < OffsetDateTime::now_utc() - OLD;
                    if sighting.channel == Channel::Report && old {
                        reported.insert(sighting.source.clone());
                    }
                    metrics().settled(sighting.channel.name(), sighting.kind.name());
                }
            }
            Err(error) => {
                tracing::error!(message = message.id, %error, "a message is not settled");
                metrics().not_settled();
                stuck.insert(message.id);
            }
        }
    }
    Ok(Round {
        tried: waiting.len(),
        settled,
    })
}

/// Whether a message may be settled together with others: it touches at most one source, so that
/// receivers which settle at once can keep to one order.
fn agree(sightings: &[NewSighting]) -> bool {
    let mut sources = sightings
        .iter()
        .filter_map(|sighting| sighting.source.as_ref());
    let first = sources.next();
    sources.all(|source| Some(source) == first)
}

/// Understands one message and settles it, unless somebody has in the meantime.
///
/// # Errors
/// The registry failed; then the message stays unsettled.
pub async fn settle(registry: &Registry, message: &Message) -> Result<Vec<Sighting>> {
    let known = Known {
        authenticator: &Authenticator::off(),
        authentication: None,
        at: message.at,
        owners: &Owners::default(),
    };
    match settle_ours(registry, message, &known).await? {
        Some(settled) => Ok(settled),
        None => registry.sightings_of(message.id).await,
    }
}

/// The same; nothing if it is somebody else who has settled it.
async fn settle_ours(
    registry: &Registry,
    message: &Message,
    known: &Known<'_>,
) -> Result<Option<Vec<Sighting>>> {
    let (sightings, drill, surge) = understand(registry, message, known).await?;
    match surge {
        Some(since) => {
            let settled = registry.settle_surge(message.id, &sightings, since);
            settled.await
        }
        None => registry.settle_drill(message.id, &sightings, drill).await,
    }
}

/// What a message turned out to be: one sighting for each canary reached, and for each recipient
/// that is none; the drill whose token it brings; and since when reports have been a surge, if it is one that
/// shows it. Photographs that wait for a person are none yet.
async fn understand(
    registry: &Registry,
    message: &Message,
    known: &Known<'_>,
) -> Result<(Vec<NewSighting>, Option<i64>, Option<OffsetDateTime>)> {
    if waits(message) {
        return Ok((Vec::new(), None, None));
    }
    let (mut reached, actor) = match message.channel {
        Channel::Mail => {
            let mut all = Vec::new();
            for recipient in &message.recipients {
                all.push(known.owners.reached(registry, recipient).await?);
            }
            let mut actor = mail::actor(message);
            if let Some(authentication) = &known.authentication {
                origin::authenticated(&mut actor, authentication);
            }
            if let Some(origin) = actor.origin.as_mut() {
                origin::withhold(registry, &message.recipients, origin).await?;
            }
            (all, actor)
        }
        Channel::Phone if phone::belongs(message) => return Ok((Vec::new(), None, None)),
        Channel::Phone | Channel::Sms => {
            let (reached, named) = phone::reached(registry, message).await?;
            let actor = Actor {
                named,
                ..phone::actor(message)
            };
            (vec![reached], actor)
        }
        Channel::Post => {
            let reached = post::reached(registry, message).await?;
            (vec![reached], post::actor(message))
        }
        Channel::Login => {
            let reached = login::reached(registry, message).await?;
            (vec![reached], login::actor(message))
        }
        Channel::Report => {
            let (sighting, since) = report::sighting(registry, message).await?;
            return Ok((vec![sighting], None, since));
        }
    };
    if reached.is_empty() {
        reached.push(Reached::default());
    }
    let probe = mail::probe(message);
    let drill = match probe {
        Some(_) => None,
        None => drill::brought(registry, message, &reached).await?,
    };
    let (bounce, guess) = (mail::bounce(message), mail::guess(message));
    let knows = match probe.is_none() && (bounce || guess) {
        true => mail::known(registry, message).await?,
        false => HashSet::new(),
    };
    let mut sightings = Vec::with_capacity(reached.len());
    for reached in &reached {
        if let Some(drill) = drill.as_ref().filter(|drill| drill.is(reached)) {
            sightings.push(drill.sighting(&actor));
            continue;
        }
        let mut sighting = sighting(reached, &actor, probe.as_deref(), known);
        let stranger = reached
            .canary
            .as_ref()
            .is_none_or(|canary| !knows.contains(canary));
        let noise = match bounce {
            true => stranger,
            false => guess && guessed(known, reached, &sighting, stranger),
        };
        if noise {
            sighting.kind = SightingKind::Noise;
            // What is no check is counted with none.
            sighting.network = None;
        }
        whose(registry, message, reached, &mut sighting).await?;
        sightings.push(sighting);
    }
    let mut seen = HashSet::new();
    sightings.retain(|sighting| match &sighting.canary {
        // One address in two spellings is one canary reached.
        Some(canary) => seen.insert(canary.clone()),
        None => true,
    });
    Ok((sightings, drill.map(|drill| drill.id), None))
}

/// Whether what comes from a network that guesses names accuses nobody: unless it is a source's own, or says that it is
/// (whether it was found out or not), or knows whom it writes to.
fn guessed(known: &Known<'_>, reached: &Reached, sighting: &NewSighting, stranger: bool) -> bool {
    match sighting.kind {
        SightingKind::Probe => true,
        SightingKind::Alarm => {
            let claims = sighting.actor.origin.as_ref();
            stranger && !claims.is_some_and(|origin| known.claims(reached.source.as_ref(), origin))
        }
        _ => false,
    }
}

/// An alarm that may mean canaries of several sources alike accuses none of them, but must not pass unseen: it is one of
/// the source that stands for one that nobody knows. A call in which no name was said is no alarm by itself.
async fn whose(
    registry: &Registry,
    message: &Message,
    reached: &Reached,
    sighting: &mut NewSighting,
) -> Result<()> {
    let stray = matches!(message.channel, Channel::Phone | Channel::Sms);
    let stray = stray && sighting.actor.named.is_none();
    if sighting.kind != SightingKind::Alarm || reached.sources.len() < 2 || stray {
        return Ok(());
    }
    let names = reached.sources.iter().map(SourceName::as_str);
    let names: Vec<&str> = names.take(NAMED).collect();
    let mut told = format!("fits canaries of {} alike", names.join(" and "));
    if let Some(more @ 1..) = reached.sources.len().checked_sub(NAMED) {
        told = format!(
            "fits canaries of {} and {more} more alike",
            names.join(", ")
        );
    }
    if !sighting.actor.summary.is_empty() {
        told = format!("{told}; {}", sighting.actor.summary);
    }
    sighting.actor.summary = one_line(&told);
    sighting.source = Some(registry.unknown_source(message.at).await?);
    Ok(())
}

/// What the canaries that a contact may have meant have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reached {
    /// All of them.
    canaries: Vec<CanaryId>,
    /// All of theirs.
    sources: BTreeSet<SourceName>,
    source: Option<SourceName>,
    batch: Option<BatchId>,
    canary: Option<CanaryId>,
}

impl Reached {
    fn of<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Reached {
        let canaries: Vec<&Canary> = canaries.into_iter().collect();
        let Some(first) = canaries.first() else {
            return Reached::default();
        };
        let agree = |same: fn(&Canary, &Canary) -> bool| canaries.iter().all(|c| same(c, first));
        Reached {
            canaries: canaries.iter().map(|canary| canary.id.clone()).collect(),
            sources: canaries
                .iter()
                .map(|canary| canary.source.clone())
                .collect(),
            source: agree(|a, b| a.source == b.source).then(|| first.source.clone()),
            batch: agree(|a, b| a.batch == b.batch).then(|| first.batch.clone()),
            canary: agree(|a, b| a.id == b.id).then(|| first.id.clone()),
        }
    }
}

async fn authenticity(asked: &Authenticator, message: &Message) -> Option<Authentication> {
    let sender = mail::sender(message)?;
    Some(asked.of(&sender, &message.raw).await)
}

fn sighting(
    reached: &Reached,
    actor: &Actor,
    probe: Option<&str>,
    known: &Known<'_>,
) -> NewSighting {
    let mut actor = actor.clone();
    if let Some(origin) = &mut actor.origin
        && let Some(whom) = known.impersonated(reached.source.as_ref(), origin)
    {
        let sender = origin.sender.as_ref().map(|sender| sender.domain.as_str());
        origin.impersonated = (sender != Some(whom)).then(|| whom.to_owned());
        origin.impersonates = true;
    }
    NewSighting {
        source: reached.source.clone(),
        canary: reached.canary.clone(),
        batch: reached.batch.clone(),
        kind: if reached.canaries.is_empty() {
            SightingKind::Noise
        } else if probe.is_some() {
            SightingKind::Probe
        } else if known.expected(reached.source.as_ref()) {
            SightingKind::Expected
        } else {
            SightingKind::Alarm
        },
        actor,
        network: probe.filter(|name| !name.is_empty()).map(str::to_owned),
    }
}
