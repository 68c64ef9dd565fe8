//! Whether a message gets through, from its sending to the alarm, and whether a leaked list is named.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::words;
use super::{Control, Gathered};
use crate::canary::Channel;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// What became of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillOutcome {
    /// The message came in.
    Seen,
    /// It did not come in time.
    Missed,
    /// It is on its way.
    Waiting,
}

/// A real message to a real canary.
#[derive(Clone, Debug, Serialize)]
pub struct DrillLine {
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub sent_at: OffsetDateTime,
    /// By which way.
    pub channel: Channel,
    /// The canary's source.
    pub source: Option<String>,
    /// What became of it.
    pub outcome: DrillOutcome,
    /// Seconds from the sending to the sighting.
    pub latency_seconds: Option<f64>,
}

/// A source leaked by ourselves, and traced.
#[derive(Clone, Debug, Serialize)]
pub struct LeakDrillLine {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The source.
    pub source: String,
    /// Whether the trace named it.
    pub named: bool,
}

/// The drills of the period. The log has no act of a drill yet: none is told until it does.
pub fn drills(_gathered: &Gathered) -> (Vec<DrillLine>, Vec<LeakDrillLine>) {
    (Vec::new(), Vec::new())
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(lang, "Drills", "訓練")),
        Block::Para(
            say!(
                lang,
                "A drill sends a real message to a real canary by the way that a stranger's would take, and times it until it is a sighting.",
                "訓練では、第三者からの連絡と同じ経路で実際の連絡をおとり顧客に送り、検知されるまでの時間を測る。"
            )
            .into(),
        ),
    ];
    let columns = vec![
        Column::text(say!(lang, "Sent", "送信日時"), 2.2),
        Column::text(say!(lang, "Channel", "経路"), 1.4),
        Column::text(say!(lang, "Source", "監視対象"), 2.0),
        Column::text(say!(lang, "Outcome", "結果"), 1.4),
        Column::number(say!(lang, "Until seen", "検知までの時間"), 1.5),
    ];
    let rows = control.drills.iter().map(|drill| {
        let source = drill
            .source
            .as_deref()
            .map_or_else(|| "–".to_owned(), foreign);
        let latency = drill.latency_seconds.map_or_else(
            || "–".to_owned(),
            |seconds| when::span(lang, Duration::seconds_f64(seconds)),
        );
        vec![
            when::minute(lang, drill.sent_at).into(),
            words::channel(lang, drill.channel).into(),
            source.into(),
            outcome(lang, drill.outcome),
            latency.into(),
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
        Column::text(say!(lang, "Source leaked", "持ち出した監視対象"), 2.4),
        Column::text(say!(lang, "Outcome", "結果"), 3.0),
    ];
    let rows = control.leak_drills.iter().map(|drill| {
        let named = match drill.named {
            true => Text::from(say!(
                lang,
                "the source was named",
                "漏えい元として特定された"
            )),
            false => Text::strong(say!(
                lang,
                "the source was not named",
                "漏えい元として特定されなかった"
            )),
        };
        vec![
            when::minute(lang, drill.at).into(),
            foreign(&drill.source).into(),
            named,
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

fn outcome(lang: Lang, outcome: DrillOutcome) -> Text {
    match outcome {
        DrillOutcome::Seen => say!(lang, "seen", "検知した").into(),
        DrillOutcome::Waiting => say!(lang, "waiting", "到着待ち").into(),
        DrillOutcome::Missed => Text::strong(say!(lang, "not seen", "検知できず")),
    }
}
