//! Whether a message gets through, from its sending to the alarm, and whether a leaked list is named.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::words;
use super::{Control, Gathered};
use crate::canary::{Channel, Drill, DrillState};
use crate::evidence::Act;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// A real message to a real canary, sent in the period.
#[derive(Clone, Debug, Serialize)]
pub struct DrillLine {
    /// Its number.
    pub drill: i64,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub sent_at: OffsetDateTime,
    /// By which way.
    pub channel: Channel,
    /// The canary's source.
    pub source: String,
    /// The canary.
    pub canary: String,
    /// What became of it, as far as it is known now.
    pub state: DrillState,
    /// Seconds from the sending until it was recognised.
    pub seen_seconds: Option<f64>,
    /// Seconds from the sending until somebody was told.
    pub alerted_seconds: Option<f64>,
    /// Why it failed.
    pub why: Option<String>,
}

/// A source leaked by ourselves, and traced.
#[derive(Clone, Debug, Serialize)]
pub struct LeakDrillLine {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The source.
    pub source: String,
    /// Rows taken.
    pub rows: u64,
    /// The share of the table that these are.
    pub share: f64,
    /// Canaries among them.
    pub canaries: u64,
    /// Whether the trace named this source and no other.
    pub named: bool,
    /// The sources that it named.
    pub sources_named: Vec<String>,
}

/// The drills of the period.
pub fn drills(gathered: &Gathered) -> (Vec<DrillLine>, Vec<LeakDrillLine>) {
    let period = gathered.period;
    let sent = gathered.drills.iter();
    let mut sent: Vec<DrillLine> = sent
        .filter(|drill| period.holds(drill.sent_at))
        .map(line)
        .collect();
    sent.sort_by_key(|drill| (drill.sent_at, drill.drill));
    let leaks = gathered.acts.iter().filter(|entry| period.holds(entry.at));
    let leaks = leaks.filter_map(|entry| match &entry.act {
        Act::LeakDrilled {
            source,
            taken,
            canaries,
            named,
            share,
            ..
        } => Some(LeakDrillLine {
            at: entry.at,
            source: source.clone(),
            rows: *taken,
            share: *share,
            canaries: *canaries,
            named: matches!(&named[..], [only] if only == source),
            sources_named: named.clone(),
        }),
        _ => None,
    });
    (sent, leaks.collect())
}

fn line(drill: &Drill) -> DrillLine {
    DrillLine {
        drill: drill.id,
        sent_at: drill.sent_at,
        channel: drill.channel,
        source: drill.source.to_string(),
        canary: drill.canary.to_string(),
        state: drill.state,
        seen_seconds: drill.seconds_to(drill.seen_at),
        alerted_seconds: drill.seconds_to(drill.alerted_at),
        why: drill.why.clone(),
    }
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(lang, "Drills", "訓練")),
        Block::Para(
            say!(
                lang,
                "A drill sends a real message to a real canary by the way that a stranger's would take, and times it until it is recognised and somebody is told.",
                "訓練では、第三者からの連絡と同じ経路で実際の連絡をおとり顧客に送り、検知され担当者に通知されるまでの時間を測る。"
            )
            .into(),
        ),
    ];
    let columns = vec![
        Column::text(say!(lang, "Sent", "送信日時"), 2.1),
        Column::text(say!(lang, "Channel", "経路"), 1.2),
        Column::text(say!(lang, "Source", "監視対象"), 1.7),
        Column::text(say!(lang, "Outcome", "結果"), 2.4),
        Column::number(say!(lang, "Until seen", "検知まで"), 1.3),
        Column::number(say!(lang, "Until told", "通知まで"), 1.3),
    ];
    let rows = control.drills.iter().map(|drill| {
        let span = |seconds: Option<f64>| match seconds {
            Some(seconds) => when::span(lang, Duration::seconds_f64(seconds)),
            None => "–".to_owned(),
        };
        vec![
            words::moment(lang, drill.sent_at).into(),
            words::channel(lang, drill.channel).into(),
            foreign(&drill.source).into(),
            outcome(lang, drill),
            span(drill.seen_seconds).into(),
            span(drill.alerted_seconds).into(),
        ]
    });
    let empty = say!(
        lang,
        "No drill was run in this period: no channel was tested from end to end, and this report does not show that a message would have been noticed.",
        "この期間に訓練は行われていない。どの経路も端から端までは確認されておらず、連絡が届けば検知できたことを本報告は示さない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));

    blocks.push(Block::Sub(say!(lang, "Leak drills", "模擬漏えい訓練")));
    let columns = vec![
        Column::text(say!(lang, "At", "日時"), 2.2),
        Column::text(say!(lang, "Source leaked", "持ち出した監視対象"), 2.0),
        Column::text(say!(lang, "Taken", "持ち出した行"), 2.2),
        Column::text(say!(lang, "Outcome", "結果"), 3.0),
    ];
    let rows = control.leak_drills.iter().map(|drill| {
        let (rows, part) = (when::thousands(drill.rows), words::share(drill.share));
        let canaries = words::count(lang, drill.canaries, "canary", "canaries", "件");
        let others = match drill.sources_named.is_empty() {
            true => words::none(lang).to_owned(),
            false => words::names(lang, &drill.sources_named),
        };
        let outcome = match drill.named {
            true => Text::from(say!(
                lang,
                "the source was named, and no other",
                "漏えい元として特定された(他の候補なし)"
            )),
            false => Text::strong(say!(
                lang,
                "not named alone; named were: {others}",
                "単独では特定されなかった(特定された監視対象: {others})"
            )),
        };
        vec![
            words::moment(lang, drill.at).into(),
            foreign(&drill.source).into(),
            say!(
                lang,
                "{rows} rows ({part}), {canaries}",
                "{rows}件({part})、うちおとり顧客{canaries}"
            )
            .into(),
            outcome,
        ]
    });
    let empty = say!(
        lang,
        "No leak drill was run in this period: that a leaked list would be traced to its source was not tried.",
        "この期間に模擬漏えい訓練は行われていない。流出した名簿から漏えい元を特定できるかどうかは試されていない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks
}

fn outcome(lang: Lang, drill: &DrillLine) -> Text {
    match drill.state {
        DrillState::Passed => say!(lang, "seen and told of", "検知・通知とも成功").into(),
        DrillState::Waiting => say!(lang, "waiting", "到着待ち").into(),
        DrillState::Failed => {
            let mut failed = Text::strong(say!(lang, "failed", "失敗"));
            if let Some(why) = &drill.why {
                let why = foreign(why);
                failed
                    .0
                    .extend(Text::from(say!(lang, ": {why}", "({why})")).0);
            }
            failed
        }
    }
}
