//! The compliance report: what the control did in a period, what it did not, and how anybody can check
//! that. Facts first, words after: [`Control`] is what the registry and the log say, and is the JSON
//! document; [`Control::page`] tells the same in a language.
//!
//! | file | what it tells |
//! | --- | --- |
//! | `period` | the days that are told of |
//! | `front` | whether the control works, on one page |
//! | `finding` | what somebody has to do something about |
//! | `coverage` | what is watched, and how small a leak would show |
//! | `verification` | whether the canaries were still there |
//! | `drills` | whether a message gets through |
//! | `uptime` | when somebody listened |
//! | `sightings` | what came in, and what it led to |
//! | `custody` | who saw what, and what was changed |
//! | `log` | how all of this is checked |
//! | `standards` | what it says to a control of a standard, and what it does not |
//!
//! A section without data says so in words: that nothing was tested is a finding, not a blank.

mod coverage;
mod custody;
mod drills;
mod finding;
mod front;
mod log;
mod period;
mod sightings;
mod standards;
mod uptime;
mod verification;
mod words;

pub use drills::{DrillLine, LeakDrillLine};
pub use finding::Finding;
pub use period::{InvalidPeriod, Period};

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::page::{Block, Page};
use super::{Lang, say, when};
use crate::canary::{Batch, ContactKind, Drill, Incident, Sighting, SourceName};
use crate::evidence::Entry;
use crate::registry::{LogCheck, SignedCheckpoint};
use crate::weigh::Weight;

/// What a report is made of, as the registry has it.
pub struct Gathered {
    /// When this is.
    pub made_at: OffsetDateTime,
    /// Who makes it.
    pub made_by: String,
    /// The days.
    pub period: Period,
    /// A source whose last verification is older than this is overdue.
    pub verified_within: Duration,
    /// The log's name.
    pub origin: String,
    /// Its public keys, the present one first.
    pub keys: Vec<String>,
    /// Every source.
    pub sources: Vec<Watched>,
    /// Every batch.
    pub batches: Vec<Batch>,
    /// Sources whose canaries' details were destroyed, and when.
    pub forgotten: Vec<(SourceName, OffsetDateTime)>,
    /// The kind of every contact point owned.
    pub pool: Vec<ContactKind>,
    /// Every drill.
    pub drills: Vec<Drill>,
    /// Every sighting.
    pub sightings: Vec<Sighting>,
    /// Every incident.
    pub incidents: Vec<Incident>,
    /// What each of them is weighed at, in the same order.
    pub weights: Vec<Weight>,
    /// The log. Reasons in it that name a canary's detail are to be withheld before.
    pub acts: Vec<Entry>,
    /// Every checkpoint, newest first.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// What checking the log against the registry has found.
    pub check: LogCheck,
    /// Why the log could not be signed, if it could not.
    pub unsigned: Option<String>,
    /// Receivers that run, and when each was last alive.
    pub receivers: Vec<(String, OffsetDateTime)>,
    /// Whether alerts have somewhere to go; `None`: this build does not know.
    pub alerts_configured: Option<bool>,
}

/// A registered source, without its URL.
pub struct Watched {
    /// Its name.
    pub name: SourceName,
    /// The kind of its database.
    pub engine: &'static str,
    /// The table.
    pub table: String,
    /// When it was registered.
    pub added_at: OffsetDateTime,
}

/// What the report tells, without words.
#[derive(Serialize)]
pub struct Control {
    /// The version of otori that made it.
    pub otori: &'static str,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// The moment that the state is told of: the period's end, or now where that is earlier.
    #[serde(with = "time::serde::rfc3339")]
    pub as_at: OffsetDateTime,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// By whom.
    pub made_by: String,
    /// Days after which a verification is overdue.
    pub verified_within_days: i64,
    /// `working`, `gaps` or `action`.
    pub verdict: finding::Verdict,
    /// What is watched.
    pub sources: Vec<coverage::Covered>,
    /// Verifications.
    pub verification: verification::Verification,
    /// Drills of channels.
    pub drills: Vec<DrillLine>,
    /// Leak drills.
    pub leak_drills: Vec<LeakDrillLine>,
    /// The ways in.
    pub channels: Vec<uptime::ChannelLine>,
    /// When a receiver listened.
    pub receiver: uptime::Uptime,
    /// What came in.
    pub sightings: sightings::Sightings,
    /// Incidents.
    pub incidents: Vec<sightings::IncidentLine>,
    /// Lists examined.
    pub traces: Vec<sightings::TraceLine>,
    /// Alerts.
    pub alerts: sightings::Alerts,
    /// Who saw, handed out or was refused what.
    pub accesses: Vec<custody::AccessLine>,
    /// What was changed.
    pub changes: Vec<custody::ChangeLine>,
    /// Batches, by what happened to them.
    pub batches: custody::BatchCounts,
    /// The log.
    pub log: log::LogFacts,
    #[serde(skip)]
    findings: Vec<Finding>,
    #[serde(skip)]
    period: Period,
}

/// The JSON document: the facts, and the findings in a language.
#[derive(Serialize)]
pub struct Document<'a> {
    lang: Lang,
    #[serde(flatten)]
    control: &'a Control,
    findings: Vec<finding::Told<'a>>,
}

impl Control {
    /// What the registry and the log say about the period.
    pub fn new(gathered: &Gathered) -> Control {
        let period = gathered.period;
        let as_at = period.end().min(gathered.made_at);
        let verification = verification::verification(gathered, as_at);
        let sources = coverage::sources(gathered, as_at, &verification);
        let (drills, leak_drills) = drills::drills(gathered);
        let mut control = Control {
            otori: env!("CARGO_PKG_VERSION"),
            from: period.from_text(),
            to: period.to_text(),
            as_at,
            made_at: gathered.made_at,
            made_by: gathered.made_by.clone(),
            verified_within_days: gathered.verified_within.whole_days(),
            verdict: finding::Verdict::Working,
            channels: uptime::channels(gathered, as_at, &drills),
            receiver: uptime::uptime(gathered, as_at),
            sightings: sightings::sightings(gathered),
            incidents: sightings::incidents(gathered),
            traces: sightings::traces(gathered),
            alerts: sightings::alerts(gathered, as_at),
            accesses: custody::accesses(gathered),
            changes: custody::changes(gathered),
            batches: custody::batches(gathered),
            log: log::facts(gathered),
            sources,
            verification,
            drills,
            leak_drills,
            findings: Vec::new(),
            period,
        };
        control.findings = finding::findings(gathered, &control);
        control.verdict = finding::Verdict::of(&control.findings);
        control
    }

    /// What somebody has to do something about, the gravest first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The JSON document.
    pub fn document(&self, lang: Lang) -> Document<'_> {
        Document {
            lang,
            control: self,
            findings: self.findings.iter().map(|one| one.told(lang)).collect(),
        }
    }

    /// The document for people.
    pub fn page(&self, lang: Lang) -> Page {
        let mut blocks = front::blocks(self, lang);
        blocks.push(Block::PageBreak);
        blocks.extend(coverage::blocks(self, lang));
        blocks.extend(verification::blocks(self, lang));
        blocks.extend(drills::blocks(self, lang));
        blocks.extend(uptime::blocks(self, lang));
        blocks.extend(sightings::blocks(self, lang));
        blocks.extend(custody::blocks(self, lang));
        blocks.extend(log::blocks(self, lang));
        blocks.extend(standards::blocks(lang));
        let (from, to) = self.period.days(lang);
        let origin = &self.log.origin;
        let title = say!(
            lang,
            "Leak detection control: compliance report",
            "漏えい検知統制 運用報告書"
        );
        Page {
            lang,
            subtitle: say!(
                lang,
                "{from} to {to} · {origin}",
                "{from}から{to}まで · {origin}"
            ),
            footer: say!(
                lang,
                "{title} · {from} to {to} · {origin}",
                "{title} · {from}から{to}まで · {origin}"
            ),
            banner: finding::banner(self, lang),
            title,
            blocks,
        }
    }
}

/// The clock of a language, as a sentence.
fn clock_sentence(lang: Lang) -> String {
    let clock = when::clock(lang).1;
    say!(
        lang,
        "Days and times are by {clock}.",
        "日付と時刻は日本標準時({clock})である。"
    )
}
