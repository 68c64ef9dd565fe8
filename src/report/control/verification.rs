//! Whether the canaries were looked for, and were there.

use serde::Serialize;
use time::OffsetDateTime;

use super::words;
use super::{Control, Gathered};
use crate::evidence::Act;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// What was verified.
#[derive(Debug, Default, Serialize)]
pub struct Verification {
    /// In the period, oldest first.
    pub runs: Vec<Run>,
    /// The last one of each source, in the period or before it.
    pub last: Vec<Run>,
}

/// One verification of one source.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom.
    pub by: String,
    /// The source.
    pub source: String,
    /// Canaries that should stand there.
    pub live: usize,
    /// Those that did, unchanged.
    pub intact: usize,
    /// Those that somebody had changed.
    pub altered: usize,
    /// Those that were gone.
    pub missing: usize,
    /// The entry of the log that says so.
    pub entry: u64,
}

/// The verifications that the log knows.
pub fn verification(gathered: &Gathered, at: OffsetDateTime) -> Verification {
    let mut found = Verification::default();
    for entry in gathered.acts.iter().filter(|entry| entry.at <= at) {
        let Act::Verified {
            source,
            live,
            intact,
            altered,
            missing,
        } = &entry.act
        else {
            continue;
        };
        let run = Run {
            at: entry.at,
            by: entry.by.clone(),
            source: source.clone(),
            live: *live,
            intact: *intact,
            altered: *altered,
            missing: *missing,
            entry: entry.seq,
        };
        found.last.retain(|one| one.source != run.source);
        found.last.push(run.clone());
        if gathered.period.holds(run.at) {
            found.runs.push(run);
        }
    }
    found
        .last
        .sort_by(|one, other| one.source.cmp(&other.source));
    found
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let days = control.verified_within_days;
    let mut blocks = vec![
        Block::Heading(say!(lang, "Verification", "存置点検")),
        Block::Para(
            say!(
                lang,
                "otori verify looks for every canary in its table and compares each value. A source counts as overdue if its last \
                 verification was more than {days} days before the end of what this report covers.",
                "otori verify は、すべてのおとり顧客が元の表に残っているかを調べ、値を一つずつ比べる。最後の点検が本報告の基準時より\
                 {days}日を超えて前である監視対象は、点検の遅れとして扱う。"
            )
            .into(),
        ),
    ];
    let columns = vec![
        Column::text(say!(lang, "Source", "監視対象"), 2.0),
        Column::text(say!(lang, "Last", "直近の点検"), 2.2),
        Column::number(say!(lang, "In the period", "期間内の回数"), 1.2),
        Column::number(say!(lang, "Intact", "異常なし"), 1.0),
        Column::number(say!(lang, "Altered", "改変"), 0.9),
        Column::number(say!(lang, "Missing", "所在不明"), 1.0),
    ];
    let rows = control.sources.iter().map(|one| {
        let runs = &control.verification.runs;
        let times = runs.iter().filter(|run| run.source == one.source).count();
        let last = control.verification.last.iter();
        let last = last.into_iter().find(|run| run.source == one.source);
        let number = |of: fn(&super::verification::Run) -> usize| {
            last.map_or_else(|| "–".to_owned(), |run| when::thousands(of(run) as u64))
        };
        let at = match last {
            Some(run) => Text::from(words::moment(lang, run.at)),
            None => Text::strong(say!(lang, "never", "一度もない")),
        };
        vec![
            foreign(&one.source).into(),
            at,
            times.to_string().into(),
            number(|run| run.intact).into(),
            number(|run| run.altered).into(),
            number(|run| run.missing).into(),
        ]
    });
    let empty = say!(
        lang,
        "There is no source to verify.",
        "点検すべき監視対象がない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    if control.verification.runs.is_empty() {
        blocks.push(Block::Para(
            say!(
                lang,
                "No verification was run in this period: whether the canaries still stood in their tables was not checked.",
                "この期間に点検は行われていない。おとり顧客が表に残っていたかどうかは確認されていない。"
            )
            .into(),
        ));
        return blocks;
    }
    let bad = control.verification.runs.iter();
    let bad = bad.filter(|run| run.altered + run.missing > 0).map(|run| {
        vec![
            words::moment(lang, run.at).into(),
            foreign(&run.source).into(),
            foreign(&run.by).into(),
            run.live.to_string().into(),
            run.altered.to_string().into(),
            run.missing.to_string().into(),
        ]
    });
    blocks.push(Block::Sub(say!(
        lang,
        "Verifications that found canaries altered or missing",
        "改変または所在不明を認めた点検"
    )));
    let columns = vec![
        Column::text(say!(lang, "At", "日時"), 2.2),
        Column::text(say!(lang, "Source", "監視対象"), 2.0),
        Column::text(say!(lang, "By", "実施者"), 1.6),
        Column::number(say!(lang, "Expected", "対象数"), 1.0),
        Column::number(say!(lang, "Altered", "改変"), 0.9),
        Column::number(say!(lang, "Missing", "所在不明"), 1.0),
    ];
    let runs = control.verification.runs.len() as u64;
    let all = words::count(lang, runs, "verification", "verifications", "回");
    let empty = say!(
        lang,
        "None: {all} in the period found every canary in its place, unchanged.",
        "なし。期間内の点検{all}のすべてで、おとり顧客は改変なく残っていた。"
    );
    blocks.extend(words::table(lang, columns, bad.collect(), empty));
    blocks
}
