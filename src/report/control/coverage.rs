//! What is watched, and how small a leak of it would show.

use serde::Serialize;
use time::OffsetDateTime;

use super::verification::Verification;
use super::words::{self, share};
use super::{Control, Gathered, Watched};
use crate::canary::{Batch, State, smallest_noticed};
use crate::evidence::Act;
use crate::report::figure::{Anchor, Figure, Ink};
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// With this probability a leak of the size told holds at least one canary.
pub const CONFIDENCE: f64 = 0.95;
/// The figure shows so many sources, the worst first.
const DRAWN: usize = 24;

/// One source.
#[derive(Clone, Debug, Serialize)]
pub struct Covered {
    /// Its name.
    pub source: String,
    /// The kind of its database.
    pub engine: &'static str,
    /// The table.
    pub table: String,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Canaries that stood in it.
    pub live: u64,
    /// Of these, missing at the last verification.
    pub missing: u64,
    /// Batches that stood in it.
    pub batches: usize,
    /// Canaries handed out, or begun, and not known to have arrived.
    pub not_arrived: u64,
    /// Rows of the table beside canaries, when the newest of these batches was planted.
    pub customers: Option<u64>,
    /// When that was.
    #[serde(with = "time::serde::rfc3339::option")]
    pub counted_at: Option<OffsetDateTime>,
    /// The smallest leak that holds a canary with 95%.
    pub smallest_leak: Option<SmallestLeak>,
    /// When the details of its canaries were destroyed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub forgotten_at: Option<OffsetDateTime>,
}

/// A leak's size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SmallestLeak {
    /// In rows, canaries among them.
    pub rows: u64,
    /// As a share of the table.
    pub share: f64,
    /// With which probability it holds a canary.
    pub confidence: f64,
}

/// Every source that was registered by then, as it was then.
pub fn sources(gathered: &Gathered, at: OffsetDateTime, verified: &Verification) -> Vec<Covered> {
    let known = gathered.sources.iter().filter(|one| one.added_at <= at);
    known
        .map(|one| covered(gathered, one, at, verified))
        .collect()
}

fn covered(
    gathered: &Gathered,
    source: &Watched,
    at: OffsetDateTime,
    verified: &Verification,
) -> Covered {
    let forgotten = gathered.forgotten.iter();
    let forgotten_at = forgotten
        .filter(|(name, when)| *name == source.name && *when <= at)
        .map(|(_, when)| *when)
        .next();
    let own = || {
        gathered
            .batches
            .iter()
            .filter(|one| one.source == source.name)
    };
    let mut standing: Vec<&Batch> = own().filter(|one| stood(gathered, one, at)).collect();
    if forgotten_at.is_some() {
        // Nobody could recognise them any more.
        standing.clear();
    }
    let live: u64 = standing.iter().map(|one| one.canaries as u64).sum();
    let open = own().filter(|one| {
        matches!(one.state, State::Planned | State::HandedOut) && one.planted_at <= at
    });
    let newest = standing.iter().max_by_key(|one| one.planted_at);
    let last = verified
        .last
        .iter()
        .find(|one| one.source == source.name.as_str());
    let missing = last.map_or(0, |one| (one.missing as u64).min(live));
    let smallest_leak = newest.and_then(|newest| {
        let there = live - missing;
        let rows = smallest_noticed(newest.rows_at, there, CONFIDENCE)?;
        Some(SmallestLeak {
            rows,
            share: rows as f64 / (newest.rows_at + there) as f64,
            confidence: CONFIDENCE,
        })
    });
    Covered {
        source: source.name.to_string(),
        engine: source.engine,
        table: source.table.clone(),
        added_at: source.added_at,
        live,
        missing,
        batches: standing.len(),
        not_arrived: open.map(|one| one.canaries as u64).sum(),
        customers: newest.map(|one| one.rows_at),
        counted_at: newest.map(|one| one.planted_at),
        smallest_leak,
        forgotten_at,
    }
}

/// Whether the batch stood in its source at that moment, as far as anybody knew: from the entry that
/// says that it arrived until it was removed.
fn stood(gathered: &Gathered, batch: &Batch, at: OffsetDateTime) -> bool {
    let arrived = gathered.acts.iter().find_map(|entry| match &entry.act {
        Act::BatchChanged { batch: of, state }
            if *of == batch.id.as_str() && state == State::Live.name() =>
        {
            Some(entry.at)
        }
        _ => None,
    });
    if arrived.unwrap_or(batch.planted_at) > at {
        return false;
    }
    match batch.state {
        State::Live => true,
        State::Unplanted => batch.unplanted_at.is_some_and(|removed| removed > at),
        State::Planned | State::HandedOut | State::Void => false,
    }
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let as_at = when::minute(lang, control.as_at);
    let mut blocks = vec![
        Block::Heading(say!(lang, "Coverage", "監視範囲")),
        Block::Para(
            say!(
                lang,
                "The state at {as_at}. Each source is one customer table; a canary is a fake customer planted in exactly one of them.",
                "{as_at}時点の状況。「監視対象」は一つの顧客テーブル、「おとり顧客」はそのうち一つだけに登録した架空の顧客をいう。"
            )
            .into(),
        ),
    ];
    let columns = vec![
        Column::text(say!(lang, "Source", "監視対象"), 2.2),
        Column::text(say!(lang, "Database and table", "データベース・表"), 2.6),
        Column::number(say!(lang, "Canaries", "おとり顧客"), 1.3),
        Column::number(say!(lang, "Batches", "登録回数"), 1.1),
        Column::number(say!(lang, "Customers", "顧客数"), 1.5),
        Column::number(
            say!(lang, "Smallest leak shown", "検知できる最小の漏えい"),
            2.7,
        ),
    ];
    let rows = control.sources.iter().map(|one| row(one, lang)).collect();
    let empty = say!(
        lang,
        "No source is registered: no customer table is watched.",
        "監視対象が登録されていない。監視下にある顧客テーブルはない。"
    );
    blocks.extend(words::table(lang, columns, rows, empty));
    if control.sources.is_empty() {
        return blocks;
    }
    blocks.push(Block::Note(
        say!(
            lang,
            "Customers are the rows of the table, without canaries, when the newest standing batch was planted. \
             The smallest leak shown is the fewest rows of the table, drawn without regard to who is in them, of which at \
             least one is a canary with a probability of 95% (drawing without replacement; canaries missing at the last \
             verification are not counted). It tells what the list holds, not that somebody uses it: a leak shows \
             once the list is used against a canary or is traced. A thief who takes a chosen part, such as one region or the newest \
             customers, may take more or fewer canaries than this says.",
            "「顧客数」は、有効な登録のうち最も新しい回の登録時における、おとり顧客を除いた行数である。\
             「検知できる最小の漏えい」とは、行を無作為に(非復元抽出で)持ち出したとき、その中に少なくとも1件のおとり顧客が95%の確率で\
             含まれる最小の行数をいう。直近の点検で所在を確認できなかったおとり顧客は数えない。これは持ち出された名簿におとり顧客が\
             含まれる確率であって、名簿が使われることを意味しない。漏えいは、名簿がおとり顧客に対して使われるか、\
             入手した名簿を照合した時点で判明する。特定の地域や新規顧客だけを選んで持ち出された場合、含まれるおとり顧客の数はこれより多いことも少ないこともある。"
        )
        .into(),
    ));
    blocks.push(Block::Figure(figure(control, lang)));
    blocks
}

fn row(one: &Covered, lang: Lang) -> Vec<Text> {
    let (engine, table) = (one.engine, foreign(&one.table));
    let live = when::thousands(one.live);
    let live = match (one.missing, one.not_arrived) {
        (0, 0) => live,
        (0, waiting) => say!(
            lang,
            "{live} (+{waiting} not arrived)",
            "{live}(ほか未着{waiting})"
        ),
        (missing, _) => say!(
            lang,
            "{live} ({missing} missing)",
            "{live}(うち所在不明{missing})"
        ),
    };
    let leak = match (&one.smallest_leak, one.forgotten_at) {
        (Some(leak), _) => {
            let (rows, share) = (when::thousands(leak.rows), share(leak.share));
            Text::from(say!(lang, "{rows} rows ({share})", "{rows}件({share})"))
        }
        (None, Some(_)) => Text::strong(say!(
            lang,
            "none: details destroyed",
            "不可(情報を破棄済み)"
        )),
        (None, None) => Text::strong(say!(lang, "none: unprotected", "不可(未保護)")),
    };
    vec![
        foreign(&one.source).into(),
        format!("{engine} · {table}").into(),
        live.into(),
        one.batches.to_string().into(),
        one.customers
            .map_or_else(|| "–".to_owned(), when::thousands)
            .into(),
        leak,
    ]
}

/// How large a part of each table has to leak before it shows: the shorter the bar, the better.
fn figure(control: &Control, lang: Lang) -> Figure {
    const WIDTH: f32 = 720.0;
    const LINE: f32 = 20.0;
    const LEFT: f32 = 190.0;
    const RIGHT: f32 = 640.0;
    let share_of = |one: &Covered| one.smallest_leak.map_or(1.0, |leak| leak.share);
    let mut drawn: Vec<&Covered> = control.sources.iter().collect();
    drawn.sort_by(|one, other| share_of(other).total_cmp(&share_of(one)));
    let all = drawn.len();
    drawn.truncate(DRAWN);
    let shown = drawn.len();
    let most = drawn.iter().map(|one| share_of(one)).fold(0.0, f64::max);
    let top = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
    let top = top.into_iter().find(|top| most <= *top).unwrap_or(1.0);
    let title = say!(
        lang,
        "Smallest leak shown with 95%, as a share of the table",
        "95%の確率で検知できる最小の漏えい(表に占める割合)"
    );
    let title = match all > shown {
        true => say!(
            lang,
            "{title} (the weakest {shown} of {all})",
            "{title}(全{all}件のうち検知力の低い{shown}件)"
        ),
        false => title,
    };
    let described: Vec<String> = drawn
        .iter()
        .map(|one| format!("{}: {}", foreign(&one.source), share(share_of(one))))
        .collect();
    let height = 52.0 + LINE * shown as f32;
    let mut figure = Figure::new(title.clone(), described.join("; "), WIDTH, height);
    figure.label((0.0, 14.0), title, Ink::Dark, Anchor::Start);
    let place = |share: f64| LEFT + (RIGHT - LEFT) * (share / top) as f32;
    let parts = if [0.05, 0.1, 0.5].contains(&top) {
        5
    } else {
        4
    };
    for part in 0..=parts {
        let at = top * f64::from(part) / f64::from(parts);
        figure.line((place(at), 26.0), (place(at), height - 18.0), Ink::Light);
        figure.label(
            (place(at), height - 4.0),
            percent_tick(at),
            Ink::Pale,
            Anchor::Middle,
        );
    }
    for (number, one) in drawn.iter().enumerate() {
        let y = 30.0 + LINE * number as f32;
        let ink = match one.smallest_leak {
            None => Ink::Alarm,
            Some(leak) if leak.share > super::finding::COARSE => Ink::Doubt,
            Some(_) => Ink::Calm,
        };
        let width = place(share_of(one)) - LEFT;
        figure.rect((LEFT, y), (width.max(1.0), LINE - 7.0), ink);
        figure.label(
            (LEFT - 8.0, y + 11.0),
            clipped(&one.source),
            Ink::Dark,
            Anchor::End,
        );
        let value = match one.smallest_leak {
            Some(leak) => share(leak.share),
            None => say!(lang, "never", "検知不可"),
        };
        figure.label(
            (LEFT + width + 6.0, y + 11.0),
            value,
            Ink::Dark,
            Anchor::Start,
        );
    }
    figure
}

fn percent_tick(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    format!("{percent}%")
}

/// A name that fits beside a bar; names that differ differ at their ends.
fn clipped(name: &str) -> String {
    let name: Vec<char> = foreign(name).chars().collect();
    if name.len() <= 26 {
        return name.into_iter().collect();
    }
    let (first, last) = (&name[..12], &name[name.len() - 13..]);
    first.iter().chain(&['…']).chain(last).collect()
}
