//! What somebody has to do something about: computed from the facts alone, so that no report can be
//! made to leave one out.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::words::{self, share};
use super::{Control, Gathered};
use crate::canary::{Channel, DrillState, IncidentState};
use crate::evidence::Act;
use crate::report::page::foreign;
use crate::report::{Lang, say, when};

/// A source that shows only a leak of more than this share of it is told of.
pub const COARSE: f64 = 0.2;
/// Nobody having listened for so long at once is told of.
const LONG_GAP: Duration = Duration::minutes(15);

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something has to be done now.
    Act,
    /// The control has a gap.
    Gap,
    /// Worth knowing.
    Know,
}

/// Whether the control works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found that speaks against it.
    Working,
    /// It has gaps.
    Gaps,
    /// Somebody has to act.
    Action,
}

impl Verdict {
    /// The verdict over the findings.
    pub fn of(findings: &[Finding]) -> Verdict {
        match findings.iter().map(Finding::severity).min() {
            Some(Severity::Act) => Verdict::Action,
            Some(Severity::Gap) => Verdict::Gaps,
            Some(Severity::Know) | None => Verdict::Working,
        }
    }
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// The log or the registry is not as it was written.
    LogBroken {
        /// How many places.
        problems: usize,
    },
    /// The log could not be signed.
    LogUnsigned {
        /// Why.
        why: String,
    },
    /// No source is registered.
    NothingWatched,
    /// Sources in which no canary stands.
    Unprotected {
        /// Which.
        sources: Vec<String>,
    },
    /// Canaries were altered or missing at a source's last verification.
    Damaged {
        /// The source.
        source: String,
        /// Changed.
        altered: usize,
        /// Gone.
        missing: usize,
        /// When that was found.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// An incident that nobody has judged, or a leak that is not closed.
    IncidentOpen {
        /// Its number.
        incident: i64,
        /// The source.
        source: String,
        /// Its state.
        state: IncidentState,
        /// Sightings in it.
        sightings: u64,
    },
    /// No receiver listens.
    NobodyListens,
    /// A drill was not seen.
    DrillMissed {
        /// By which way.
        channel: Channel,
        /// How often.
        times: usize,
    },
    /// A leak drill's source was not named.
    LeakNotNamed {
        /// The source.
        source: String,
    },
    /// Alerts were tried and reached nobody.
    AlertsUnsent {
        /// How many.
        alerts: usize,
    },
    /// No alert can reach anybody.
    NobodyAlerted,
    /// Sources whose last verification is too long ago.
    VerificationOverdue {
        /// Which.
        sources: Vec<String>,
    },
    /// Canaries handed out that are not known to have arrived.
    NotArrived {
        /// Their sources.
        sources: Vec<String>,
        /// How many.
        canaries: u64,
    },
    /// Sources that show only a large leak.
    Coarse {
        /// Which.
        sources: Vec<String>,
    },
    /// Channels of which no drill was seen in the period.
    Untested {
        /// Which.
        channels: Vec<Channel>,
    },
    /// No leak drill in the period.
    NoLeakDrill,
    /// The log knows of no receiver.
    NoReceiverKnown,
    /// Nobody listened for long.
    Downtime {
        /// The longest at once, in seconds.
        longest_seconds: i64,
        /// All of it, in seconds.
        total_seconds: i64,
    },
    /// Nothing is owned by which a canary could be reached that way.
    NoContactPoint {
        /// Which ways.
        channels: Vec<Channel>,
    },
    /// No backup in the period.
    NoBackup,
    /// Sources whose canaries' details were destroyed.
    Forgotten {
        /// Which.
        sources: Vec<String>,
    },
    /// Somebody was refused.
    Refusals {
        /// How often.
        times: usize,
    },
}

/// A finding with its words.
#[derive(Serialize)]
pub struct Told<'a> {
    severity: Severity,
    #[serde(flatten)]
    finding: &'a Finding,
    words: String,
    to_do: String,
}

/// Everything found, the gravest first.
pub fn findings(gathered: &Gathered, control: &Control) -> Vec<Finding> {
    let mut found = Vec::new();
    of_log(control, &mut found);
    of_sources(gathered, control, &mut found);
    of_incidents(gathered, control, &mut found);
    of_channels(control, &mut found);
    of_custody(gathered, control, &mut found);
    found.sort_by_key(Finding::severity);
    found
}

fn of_log(control: &Control, found: &mut Vec<Finding>) {
    let problems = control.log.problems.len();
    if problems > 0 {
        found.push(Finding::LogBroken { problems });
    }
    if let Some(why) = &control.log.unsigned {
        found.push(Finding::LogUnsigned { why: why.clone() });
    }
}

fn of_sources(gathered: &Gathered, control: &Control, found: &mut Vec<Finding>) {
    if control.sources.is_empty() {
        found.push(Finding::NothingWatched);
        return;
    }
    let names = |wanted: &dyn Fn(&super::coverage::Covered) -> bool| -> Vec<String> {
        let sources = control.sources.iter().filter(|one| wanted(one));
        sources.map(|one| one.source.clone()).collect()
    };
    let mut push = |sources: Vec<String>, finding: fn(Vec<String>) -> Finding| {
        if !sources.is_empty() {
            found.push(finding(sources));
        }
    };
    push(
        names(&|one| one.live == 0 && one.forgotten_at.is_none()),
        |sources| Finding::Unprotected { sources },
    );
    push(names(&|one| one.forgotten_at.is_some()), |sources| {
        Finding::Forgotten { sources }
    });
    let due = control.as_at - gathered.verified_within;
    push(
        names(&|one| one.live > 0 && overdue(gathered, control, &one.source, due)),
        |sources| Finding::VerificationOverdue { sources },
    );
    let coarse =
        |one: &super::coverage::Covered| one.smallest_leak.is_some_and(|leak| leak.share > COARSE);
    push(names(&coarse), |sources| Finding::Coarse { sources });
    let canaries: u64 = control.sources.iter().map(|one| one.not_arrived).sum();
    if canaries > 0 {
        let sources = names(&|one| one.not_arrived > 0);
        found.push(Finding::NotArrived { sources, canaries });
    }
    let watched = |name: &str| {
        control
            .sources
            .iter()
            .any(|one| one.source == name && one.live > 0)
    };
    for run in &control.verification.last {
        if run.altered + run.missing > 0 && watched(&run.source) {
            found.push(Finding::Damaged {
                source: run.source.clone(),
                altered: run.altered,
                missing: run.missing,
                at: run.at,
            });
        }
    }
}

/// Whether nobody has looked since then, neither by a verification nor by planting.
fn overdue(gathered: &Gathered, control: &Control, source: &str, due: OffsetDateTime) -> bool {
    let mut last = control.verification.last.iter();
    let batches = gathered.batches.iter();
    let first = batches
        .filter(|one| one.source.as_str() == source)
        .map(|one| one.planted_at)
        .min();
    match last.find(|run| run.source == source) {
        Some(run) => run.at < due,
        None => first.is_none_or(|first| first < due),
    }
}

fn of_incidents(gathered: &Gathered, control: &Control, found: &mut Vec<Finding>) {
    for one in &control.incidents {
        if one.state != IncidentState::Closed {
            found.push(Finding::IncidentOpen {
                incident: one.id,
                source: one.source.clone(),
                state: one.state,
                sightings: one.sightings,
            });
        }
    }
    let alerts = control.alerts.unsent.len();
    if alerts > 0 {
        found.push(Finding::AlertsUnsent { alerts });
    }
    if gathered.alerts_configured == Some(false) {
        found.push(Finding::NobodyAlerted);
    }
}

fn of_channels(control: &Control, found: &mut Vec<Finding>) {
    let channels = |wanted: fn(&super::uptime::ChannelLine) -> bool| -> Vec<Channel> {
        let lines = control.channels.iter().filter(|line| wanted(line));
        lines.map(|line| line.channel).collect()
    };
    let drilled = [Channel::Mail, Channel::Phone, Channel::Sms, Channel::Post];
    for channel in drilled {
        let missed = control
            .drills
            .iter()
            .filter(|drill| drill.channel == channel && drill.state == DrillState::Failed);
        let times = missed.count();
        if times > 0 {
            found.push(Finding::DrillMissed { channel, times });
        }
    }
    let untested =
        channels(|line| line.contact_points > 0 && line.drills_passed + line.drills_failed == 0);
    if !untested.is_empty() {
        found.push(Finding::Untested { channels: untested });
    }
    let mut missing = channels(|line| line.contact_points == 0);
    missing.retain(|channel| drilled.contains(channel));
    if !missing.is_empty() {
        found.push(Finding::NoContactPoint { channels: missing });
    }
    for drill in control.leak_drills.iter().filter(|drill| !drill.named) {
        found.push(Finding::LeakNotNamed {
            source: drill.source.clone(),
        });
    }
    if control.leak_drills.is_empty() && !control.sources.is_empty() {
        found.push(Finding::NoLeakDrill);
    }
    let uptime = &control.receiver;
    if uptime.known_from.is_none() {
        found.push(Finding::NoReceiverKnown);
        return;
    }
    if !uptime.up_at_end {
        found.push(Finding::NobodyListens);
    }
    if let Some(longest) = uptime.longest().filter(|longest| *longest >= LONG_GAP) {
        found.push(Finding::Downtime {
            longest_seconds: longest.whole_seconds(),
            total_seconds: uptime.down_seconds,
        });
    }
}

fn of_custody(gathered: &Gathered, control: &Control, found: &mut Vec<Finding>) {
    let mut saved = gathered
        .acts
        .iter()
        .filter(|entry| gathered.period.holds(entry.at));
    if !saved.any(|entry| matches!(entry.act, Act::BackedUp { .. })) {
        found.push(Finding::NoBackup);
    }
    let refused = control
        .accesses
        .iter()
        .filter(|line| line.what == "refused");
    let times = refused.count();
    if times > 0 {
        found.push(Finding::Refusals { times });
    }
}

impl Severity {
    /// Its name.
    pub fn words(self, lang: Lang) -> String {
        match self {
            Severity::Act => say!(lang, "Act now", "要対応"),
            Severity::Gap => say!(lang, "Gap", "不備"),
            Severity::Know => say!(lang, "For information", "参考"),
        }
    }
}

impl Finding {
    /// How grave it is.
    pub fn severity(&self) -> Severity {
        use Finding::*;
        match self {
            LogBroken { .. }
            | LogUnsigned { .. }
            | NothingWatched
            | Unprotected { .. }
            | Damaged { .. }
            | IncidentOpen { .. }
            | NobodyListens
            | DrillMissed { .. }
            | LeakNotNamed { .. }
            | AlertsUnsent { .. } => Severity::Act,
            NobodyAlerted
            | VerificationOverdue { .. }
            | NotArrived { .. }
            | Coarse { .. }
            | Untested { .. }
            | NoLeakDrill
            | NoReceiverKnown
            | Downtime { .. }
            | NoBackup => Severity::Gap,
            NoContactPoint { .. } | Forgotten { .. } | Refusals { .. } => Severity::Know,
        }
    }

    /// With its words.
    pub fn told(&self, lang: Lang) -> Told<'_> {
        let (words, to_do) = self.words(lang);
        Told {
            severity: self.severity(),
            finding: self,
            words,
            to_do,
        }
    }

    /// What was found, and what is to be done.
    pub fn words(&self, lang: Lang) -> (String, String) {
        match self {
            Finding::NothingWatched => (
                say!(
                    lang,
                    "No source is registered: no customer table is watched.",
                    "監視対象が登録されておらず、監視下にある顧客テーブルがない。"
                ),
                say!(
                    lang,
                    "Register the customer tables: otori source add.",
                    "顧客テーブルを登録する(otori source add)。"
                ),
            ),
            Finding::Unprotected { sources } => {
                let names = words::names(lang, sources);
                (
                    say!(
                        lang,
                        "No canary stands in: {names}. A leak of these would not show.",
                        "おとり顧客が登録されていない監視対象がある: {names}。漏えいしても検知できない。"
                    ),
                    say!(
                        lang,
                        "Plant canaries: otori plan, then otori plant.",
                        "必要数を見積もり(otori plan)、登録する(otori plant)。"
                    ),
                )
            }
            Finding::Forgotten { sources } => {
                let names = words::names(lang, sources);
                (
                    say!(
                        lang,
                        "The canaries' details were destroyed, so lists of these are not recognised any more: {names}.",
                        "おとり顧客の内容を破棄したため、名簿を照合できない監視対象がある: {names}。"
                    ),
                    say!(
                        lang,
                        "If the table still lives, register it anew and plant again.",
                        "表が引き続き使われている場合は、登録し直しておとり顧客を登録する。"
                    ),
                )
            }
            Finding::Damaged {
                source,
                altered,
                missing,
                at,
            } => {
                let (source, at) = (foreign(source), when::minute(lang, *at));
                (
                    say!(
                        lang,
                        "{source}: {missing} canaries missing and {altered} altered at {at}.",
                        "{source}: {at}の点検で、所在不明{missing}件、改変{altered}件を認めた。"
                    ),
                    say!(
                        lang,
                        "Find out who changed these rows; then plant a new batch. otori verify {source} names the canaries.",
                        "誰がこれらの行を変更したかを調べ、新たに登録する。該当するおとり顧客は otori verify {source} で確認できる。"
                    ),
                )
            }
            Finding::VerificationOverdue { sources } => {
                let names = words::names(lang, sources);
                (
                    say!(
                        lang,
                        "Verification is overdue for: {names}.",
                        "存置点検が遅れている監視対象がある: {names}。"
                    ),
                    say!(
                        lang,
                        "Run otori verify, and have it run on a schedule.",
                        "otori verify を実行し、定期実行に組み込む。"
                    ),
                )
            }
            Finding::NotArrived { sources, canaries } => {
                let (names, canaries) = (words::names(lang, sources), when::thousands(*canaries));
                (
                    say!(
                        lang,
                        "{canaries} canaries were handed out or begun and are not known to have arrived: {names}.",
                        "おとり顧客{canaries}件が、引き渡し後または登録途中のまま到着を確認できていない: {names}。"
                    ),
                    say!(
                        lang,
                        "Have the handed-out rows inserted, then run otori verify.",
                        "引き渡した行の登録を依頼し、otori verify で到着を確認する。"
                    ),
                )
            }
            Finding::Coarse { sources } => {
                let (names, limit) = (words::names(lang, sources), share(COARSE));
                (
                    say!(
                        lang,
                        "Only a leak of more than {limit} of the table would show with 95%: {names}.",
                        "表の{limit}を超える漏えいでなければ95%の確率で検知できない監視対象がある: {names}。"
                    ),
                    say!(
                        lang,
                        "Plant more canaries: otori plan says how many.",
                        "おとり顧客を追加する。必要数は otori plan で分かる。"
                    ),
                )
            }
            Finding::IncidentOpen {
                incident,
                source,
                state,
                sightings,
            } => {
                let (source, state) = (foreign(source), words::state(lang, *state));
                let seen = words::count(lang, *sightings, "sighting", "sightings", "件");
                (
                    say!(
                        lang,
                        "Incident {incident} of {source} is {state}, with {seen}: a leak of this source is suspected.",
                        "インシデント{incident}({source})は{state}、検知は{seen}。この監視対象からの漏えいが疑われる。"
                    ),
                    say!(
                        lang,
                        "Judge it, and keep the legal deadlines: they run from the moment of knowledge.",
                        "事実関係を確認して判定する。個人情報保護法上の報告期限は、事態を知った時から進行する。"
                    ),
                )
            }
            Finding::AlertsUnsent { alerts } => {
                let alerts = words::count(lang, *alerts as u64, "alert", "alerts", "件");
                (
                    say!(
                        lang,
                        "{alerts} tried and not delivered.",
                        "未達の通知が{alerts}ある。"
                    ),
                    say!(
                        lang,
                        "Look at the relay named in [alert] of otori.toml; otori serve tries again.",
                        "otori.toml の [alert] に指定した中継サーバーを確認する。再送は otori serve が行う。"
                    ),
                )
            }
            Finding::NobodyAlerted => (
                say!(
                    lang,
                    "Alerts have nowhere to go: [alert] in otori.toml is not filled in.",
                    "通知先が設定されていない(otori.toml の [alert])。"
                ),
                say!(
                    lang,
                    "Fill in relay, from and to.",
                    "relay、from、to を設定する。"
                ),
            ),
            Finding::DrillMissed { channel, times } => {
                let channel = words::channel(lang, *channel);
                (
                    say!(
                        lang,
                        "Drills by {channel} failed ({times}): not sent, not seen or nobody told in time.",
                        "{channel}の訓練が{times}回失敗した(送信できない、検知できない、または期限内に通知されない)。"
                    ),
                    say!(
                        lang,
                        "Follow the message on its way; then run otori drill again.",
                        "連絡の経路をたどって原因を調べ、otori drill を再度実施する。"
                    ),
                )
            }
            Finding::LeakNotNamed { source } => {
                let source = foreign(source);
                (
                    say!(
                        lang,
                        "A leak drill of {source} was traced, and not this source alone was named.",
                        "{source}の模擬漏えい訓練で、漏えい元を特定できなかった。"
                    ),
                    say!(
                        lang,
                        "Look at the drill's trace; more canaries may be needed (otori plan).",
                        "訓練の照合結果を確認する。おとり顧客の追加が必要な場合がある(otori plan)。"
                    ),
                )
            }
            Finding::Untested { channels } => {
                let names = words::channels(lang, channels);
                (
                    say!(
                        lang,
                        "No drill was seen in this period by: {names}. These channels are untested.",
                        "この期間に訓練で確認されていない経路がある: {names}。"
                    ),
                    say!(
                        lang,
                        "Run otori drill, and have it run on a schedule.",
                        "otori drill を実施し、定期実行に組み込む。"
                    ),
                )
            }
            Finding::NoLeakDrill => (
                say!(
                    lang,
                    "No leak drill was run in this period.",
                    "この期間に模擬漏えい訓練は行われていない。"
                ),
                say!(
                    lang,
                    "Run a leak drill of one source.",
                    "監視対象の一つで模擬漏えい訓練を実施する。"
                ),
            ),
            Finding::NoContactPoint { channels } => {
                let names = words::channels(lang, channels);
                (
                    say!(
                        lang,
                        "Nothing is owned for: {names}. Use of a leaked list by these ways is not seen.",
                        "連絡先を保有していない経路がある: {names}。この経路で名簿が使われても検知できない。"
                    ),
                    say!(
                        lang,
                        "Add what the sources' tables hold: otori pool add.",
                        "監視対象の表にある項目に応じて連絡先を追加する(otori pool add)。"
                    ),
                )
            }
            Finding::LogBroken { problems } => {
                let places = words::count(lang, *problems as u64, "place", "places", "か所");
                (
                    say!(
                        lang,
                        "The evidence log or the registry is not as it was written: {places}.",
                        "証跡ログまたは台帳に、記録時の状態と一致しない箇所が{places}ある。"
                    ),
                    say!(
                        lang,
                        "Keep a copy as it is, and examine it before anything else: otori evidence verify.",
                        "現状の複製を保全し、他の作業に先立って調査する(otori evidence verify)。"
                    ),
                )
            }
            Finding::LogUnsigned { why } => {
                let why = foreign(why);
                (
                    say!(
                        lang,
                        "The evidence log could not be signed: {why}.",
                        "証跡ログに署名できなかった: {why}"
                    ),
                    say!(
                        lang,
                        "Run otori evidence verify; if a key is lost, restore it from a backup.",
                        "otori evidence verify を実行する。鍵を失った場合はバックアップから復元する。"
                    ),
                )
            }
            Finding::NobodyListens => (
                say!(
                    lang,
                    "No receiver listens at the end: calls and mail that come now are not seen.",
                    "基準時に受信サーバーが停止しており、電話やメールを検知できない。"
                ),
                say!(
                    lang,
                    "Start otori serve, under a service manager that starts it again.",
                    "otori serve を起動し、自動的に再起動されるよう設定する。"
                ),
            ),
            Finding::NoReceiverKnown => (
                say!(
                    lang,
                    "The log knows of no receiver: nothing shows that anybody listened.",
                    "受信サーバーが起動した記録がなく、受信できる状態であったことを示せない。"
                ),
                say!(
                    lang,
                    "Run otori serve, under a service manager.",
                    "otori serve を常時稼働させる。"
                ),
            ),
            Finding::Downtime {
                longest_seconds,
                total_seconds,
            } => {
                let longest = when::span(lang, Duration::seconds(*longest_seconds));
                let total = when::span(lang, Duration::seconds(*total_seconds));
                (
                    say!(
                        lang,
                        "Nobody listened for {longest} at once, {total} in all.",
                        "受信サーバーが最長{longest}、合計{total}停止した。"
                    ),
                    say!(
                        lang,
                        "Find out why; a second receiver on the same registry covers restarts.",
                        "原因を調べる。同じ台帳を使う受信サーバーを複数置けば、再起動中も受信できる。"
                    ),
                )
            }
            Finding::NoBackup => (
                say!(
                    lang,
                    "No backup was made in this period.",
                    "この期間にバックアップは取得されていない。"
                ),
                say!(
                    lang,
                    "Run otori backup: without registry and keys no canary is ever recognised again.",
                    "otori backup を実行する。台帳と鍵を失うと、おとり顧客を二度と照合できない。"
                ),
            ),
            Finding::Refusals { times } => {
                let times = words::count(lang, *times as u64, "time", "times", "回");
                (
                    say!(
                        lang,
                        "Somebody was refused {times}: a role had not the right, or a token was wrong.",
                        "権限不足またはトークンの誤りにより、操作が{times}拒否された。"
                    ),
                    say!(
                        lang,
                        "Look at these lines below: mistakes, or somebody who tries.",
                        "後掲の記録を確認し、誤操作か不正な試行かを見極める。"
                    ),
                )
            }
        }
    }
}

/// The warning above everything.
pub fn banner(control: &Control, lang: Lang) -> Option<String> {
    let grave = control
        .findings
        .iter()
        .filter(|one| one.severity() == Severity::Act);
    let count = grave.count() as u64;
    if count == 0 {
        return None;
    }
    let findings = words::count(lang, count, "finding needs", "findings need", "件");
    Some(say!(
        lang,
        "{findings} action now.",
        "直ちに対応を要する事項が{findings}ある。"
    ))
}
