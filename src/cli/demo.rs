//! `otori demo`: the whole story, with every real part.

mod broker;
mod evidence;
mod stage;
mod strangers;
mod verdict;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use super::trace::watch;
use super::{Global, Outcome, Output};
use crate::alert::{self, AlertConfig, Places};
use crate::canary::Canary;
use crate::persona::Seeds;
use crate::receive::{self, Listeners, ReceiveConfig, Running};
use crate::registry::Registry;
use crate::trace::{self, Settings};
use crate::workspace::{self, Workspace};
use verdict::Truth;
use world::{Company, ISO};

/// The whole story on embedded SQLite and loopback: plant, leak, receive, trace
///
/// In a temporary directory: three customer databases, batches of canaries, a leak, a mail, a call
/// and a letter to stolen addresses, and the list as a broker sells it. Ends with the verdict against
/// the truth; exit status 1 if they differ. Needs no services and nothing outside of this machine.
#[derive(clap::Args)]
pub struct Args {
    /// Which company's database leaks
    #[arg(long, value_enum, default_value = "shop")]
    leak: Company,
    /// Leave the workspace in place and the receiver with its pages running, and say where
    #[arg(long)]
    keep: bool,
    /// Another number, another story
    #[arg(long, default_value_t = 20140630)]
    seed: u64,
}

/// Customers in each database.
const CUSTOMERS: u32 = 20_000;
/// Rows of other origin in the broker's list.
const UNRELATED: u32 = 100_000;
/// Share of the table that the thief takes.
const SHARE: f64 = 0.6;
/// Canaries in each batch.
const BATCH: usize = 40;
/// Days before today on which batches are planted, and on which the thief comes.
const PLANTED: [i64; 3] = [290, 180, 60];
const STOLEN: i64 = 120;
/// What Twilio would be told to call; it signs it.
const PUBLIC_URL: &str = "https://hooks.operator.example";

#[derive(Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<PathBuf>,
    leaked: &'static str,
    agrees: bool,
    trace: trace::Document,
}

/// Runs `otori demo`.
///
/// # Errors
/// Something that must work did not.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let temporary = tempfile::Builder::new().prefix("otori-demo-").tempdir()?;
    let dir = temporary.path().to_owned();
    // Held to the end of the story, unless it is to be kept.
    let (kept, _temporary) = match args.keep {
        true => (Some(temporary.keep()), None),
        false => (None, Some(temporary)),
    };
    let seeds = Seeds::embedded();
    // Whole seconds, as an operator's calendar has them.
    let now = OffsetDateTime::now_utc().replace_nanosecond(0)?;
    let leak = args.leak;
    let japanese = leak != Company::Club;

    say("Three companies, one of which will leak");
    let founded = now - Duration::days(PLANTED[0]);
    for company in Company::ALL {
        world::build(company, &dir, &seeds, CUSTOMERS, founded, args.seed).await?;
        let what = match company {
            Company::School => "households with children; no mail address anywhere",
            Company::Shop => "a web shop, with mail addresses",
            Company::Club => "a membership club in the United States",
        };
        told(&format!(
            "{:<7} {CUSTOMERS} customers: {what}",
            company.name()
        ));
    }

    say("The operator registers what is owned, and what is to be watched");
    let workspace = Workspace::create(&dir, &workspace::template("sqlite:registry.db")).await?;
    let registry = workspace.registry().await?;
    let points = stage::pool(&registry, &seeds, founded).await?;
    told(&format!(
        "{points} contact points: mail domains, phone numbers, postal drops"
    ));
    for company in Company::ALL {
        let columns = stage::source(&registry, company, &dir, founded).await?;
        told(&format!(
            "{:<7} table {}: {columns} columns understood",
            company.name(),
            company.table()
        ));
    }

    say("Canaries go in; between the second batch and the third, somebody with access copies rows");
    let mut stolen = Vec::new();
    let mut rng = StdRng::seed_from_u64(args.seed);
    for (number, days) in PLANTED.into_iter().enumerate() {
        let at = now - Duration::days(days);
        if days < STOLEN && stolen.is_empty() {
            let (_, mut rows) = world::export(leak, &dir).await?;
            rows.shuffle(&mut rng);
            rows.truncate((rows.len() as f64 * SHARE) as usize);
            stolen = rows;
            let day = (now - Duration::days(STOLEN)).date();
            told(&format!(
                "{}  a copy of {} of {}'s rows leaves the house; no alarm",
                world::text(day, ISO),
                stolen.len(),
                leak.name()
            ));
        }
        for company in Company::ALL {
            let seed = args.seed ^ (number as u64) << 8 ^ company as u64;
            let planted = stage::plant(&registry, company, &seeds, BATCH, at, seed).await?;
            let batch = planted.first().map(|canary| canary.batch.to_string());
            told(&format!(
                "{}  {:<9} {} canaries, read back and committed",
                world::text(at.date(), ISO),
                batch.unwrap_or_default(),
                planted.len()
            ));
        }
    }

    say("The receiver starts, and the list is used");
    let receiver = Receiver::start(&workspace, &registry).await?;
    told(&format!(
        "SMTP on {}, pages on http://{}/",
        receiver.smtp, receiver.http
    ));
    let victims = victims(&registry, leak, &stolen).await?;
    let sent = contact(&receiver, &workspace, &victims, japanese).await?;
    evidence::show(&registry, leak, sent).await?;
    evidence::show_alerts(&receiver.security, began).await?;

    say("The broker's list is bought");
    let list = dir.join("list.csv");
    broker::sell(leak, &stolen, &seeds, UNRELATED, now, args.seed, &list)?;
    told(&format!(
        "{}: {} stolen rows among {UNRELATED} others, columns dropped, addresses rewritten, {}",
        list.file_name().unwrap_or_default().to_string_lossy(),
        stolen.len(),
        if japanese {
            "CP932, no mail address"
        } else {
            "no mail address"
        }
    ));

    say("otori trace list.csv");
    let watch = watch(&registry, |_| true).await?;
    let report = trace::trace_file(&watch, &list, &Settings::new(now), &mut |_| {})?;
    trace::words(&report, &mut std::io::stderr())?;
    registry.record(report.act(), now).await?;

    say("The truth");
    let truth = Truth {
        source: leak.name(),
        share: SHARE,
        at: now - Duration::days(STOLEN),
        others: Company::ALL
            .iter()
            .map(|c| c.name())
            .filter(|name| *name != leak.name())
            .collect(),
    };
    let agrees = verdict::compare(&report, &truth, &mut |line| told(line));
    told(&format!(
        "the whole story took {:.1} s",
        began.elapsed().as_secs_f64()
    ));

    let document = Document {
        workspace: kept.clone(),
        leaked: leak.name(),
        agrees,
        trace: trace::Document::from(&report),
    };
    Output::new(global).result(&document, |out| {
        let words = if agrees {
            "The verdict agrees with the truth."
        } else {
            "The verdict DIFFERS from the truth."
        };
        writeln!(out, "\n{words}")
    })?;
    if let Some(dir) = kept {
        linger(&dir, &receiver).await?;
    }
    receiver.stop().await;
    Ok(if agrees {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

/// A chapter's heading.
fn say(heading: &str) {
    eprintln!("\n{heading}");
}

/// A line of a chapter.
fn told(line: &str) {
    eprintln!("  {line}");
}

/// The operator's receiver, and the mail server of the security team that its alerts go to.
struct Receiver {
    smtp: SocketAddr,
    http: SocketAddr,
    /// The security team's mail server is another receiver: it too keeps what it acknowledges.
    security: Registry,
    stop: CancellationToken,
    running: Vec<Running>,
    alerts: Option<tokio::task::JoinHandle<()>>,
    _security_dir: tempfile::TempDir,
}

impl Receiver {
    async fn start(workspace: &Workspace, registry: &Registry) -> anyhow::Result<Receiver> {
        let stop = CancellationToken::new();
        let listen = async |registry: &Registry, config: &ReceiveConfig, dir: &Path| {
            let free = SocketAddr::from(([127, 0, 0, 1], 0));
            let listeners = Listeners::bind(free, free).await?;
            let stop = stop.clone().cancelled_owned();
            receive::start(registry.clone(), config, dir, listeners, stop).await
        };
        let security_dir = tempfile::tempdir()?;
        let text = workspace::template("sqlite:registry.db");
        let security = Workspace::create(security_dir.path(), &text).await?;
        let inbox = security.registry().await?;
        let domain: crate::canary::Domain = "security.example".parse()?;
        let mut their_config = security.config().receive.clone();
        their_config.catch_all = vec![domain.clone()];
        let domain = crate::canary::ContactPoint::MailDomain(domain);
        inbox
            .add_contact_points(&[(domain, None)], OffsetDateTime::now_utc())
            .await?;
        let theirs = listen(&inbox, &their_config, security.dir()).await?;

        let mut config = workspace.config().receive.clone();
        config.public_url = Some(PUBLIC_URL.to_owned());
        let token = Path::new("keys/twilio.token");
        workspace::write_private(&workspace.dir().join(token), TWILIO_TOKEN.as_bytes())?;
        config.phone.twilio_token_file = Some(token.to_owned());
        let ours = listen(registry, &config, workspace.dir()).await?;
        let alert = AlertConfig {
            relay: Some(format!("smtp://{}", theirs.smtp_addr)),
            from: Some("otori@operator.example".to_owned()),
            to: vec!["team@security.example".to_owned()],
            ..AlertConfig::default()
        };
        let places = Places::new(&alert, workspace.dir())?;
        let alerts = alert::run(registry.clone(), places, stop.clone().cancelled_owned());
        Ok(Receiver {
            smtp: ours.smtp_addr,
            http: ours.http_addr,
            security: inbox,
            alerts: Some(tokio::spawn(alerts)),
            running: vec![ours, theirs],
            stop,
            _security_dir: security_dir,
        })
    }

    async fn stop(self) {
        self.stop.cancel();
        for running in self.running {
            running.stopped().await;
        }
        if let Some(alerts) = self.alerts {
            // Its work is in the registry; how the task ended adds nothing.
            let _ = alerts.await;
        }
    }
}

/// The story's Twilio account has this auth token.
const TWILIO_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The canaries whose rows were stolen, by the key that stands first in every table of the story.
async fn victims(
    registry: &Registry,
    leak: Company,
    stolen: &[Vec<Option<String>>],
) -> anyhow::Result<Vec<Canary>> {
    let keys: std::collections::HashSet<&str> = stolen
        .iter()
        .filter_map(|row| row.first()?.as_deref())
        .collect();
    let mut canaries = registry.canaries(Some(&leak.name().parse()?)).await?;
    canaries.retain(|canary| {
        let key = canary.details.rows.first().and_then(|row| row.key.first());
        key.is_some_and(|(_, value)| keys.contains(value.as_str()))
    });
    Ok(canaries)
}

/// Writes to some of them, calls one, and sends one a letter; how many contacts that makes.
async fn contact(
    receiver: &Receiver,
    workspace: &Workspace,
    victims: &[Canary],
    japanese: bool,
) -> anyhow::Result<usize> {
    let mut sent = 0;
    let mail: Vec<&str> = victims
        .iter()
        .filter_map(|canary| canary.details.household.email.as_deref())
        .take(3)
        .collect();
    for to in &mail {
        strangers::mail(receiver.smtp, to, japanese).await?;
        sent += 1;
    }
    match mail.len() {
        0 => told("nobody can write mail: the table has no mail address"),
        n => told(&format!(
            "a firm that nobody has dealt with mails {n} stolen addresses: 250, stored"
        )),
    }
    let called = victims.get(3).context("the thief took too few canaries")?;
    let phones = [
        &called.details.household.mobile,
        &called.details.household.landline,
    ];
    let number = phones
        .into_iter()
        .flatten()
        .next()
        .context("a canary without a number")?;
    let caller = if japanese {
        "+81301239876"
    } else {
        "+12025550199"
    };
    strangers::call(receiver.http, PUBLIC_URL, TWILIO_TOKEN, caller, number).await?;
    told("somebody calls a stolen number: the provider's signed webhook, 200");

    let written = victims.get(4).context("the thief took too few canaries")?;
    let household = &written.details.household;
    let address = &household.address;
    let unit = address.unit.as_deref().unwrap_or_default();
    // As it stands on envelopes: the new form of a character, another notation of the address.
    let (name, line) = match japanese {
        true => (
            format!(
                "{} {} 様",
                household.guardian.family.written, household.guardian.given.written
            )
            .replace('髙', "高"),
            format!(
                "{}{}{} {}号",
                address.city, address.town, address.block, unit
            ),
        ),
        false => (
            format!(
                "Mr/Ms {} {}",
                household.guardian.given.written, household.guardian.family.written
            ),
            format!("{} #{unit}", address.block),
        ),
    };
    let token = workspace::read_private(&workspace.dir().join("keys/mailroom.token"))?;
    strangers::letter(receiver.http, token.trim(), &name, &address.postcode, &line).await?;
    told("a letter comes to a postal drop: the mail room photographs and files it");
    Ok(sent + 2)
}

/// Keeps everything running until Ctrl-C.
async fn linger(dir: &Path, receiver: &Receiver) -> anyhow::Result<()> {
    say("Everything is left running; Ctrl-C ends it");
    told(&format!("workspace   {}", dir.display()));
    told(&format!(
        "dashboard   http://{}/  (user operator, password in keys/operator.token)",
        receiver.http
    ));
    told(&format!(
        "mail room   http://{}/drop  (user mailroom, password in keys/mailroom.token)",
        receiver.http
    ));
    told(&format!("mail        {}", receiver.smtp));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
