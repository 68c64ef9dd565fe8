//! Two pages for the police: what happened, since when, who, what proves it, what can be handed over.
//!
//! It is composed with less and less in it until it fits: `Fullness` says with how much, and the
//! tightest fits whatever the incident.

use super::case::Case;
use super::facts::Facts;
use super::{record, words};
use crate::report::page::{Block, Column, Page, Piece, Table, Text};
use crate::report::when::minute;
use crate::report::{Lang, say};

/// How much stands in the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fullness {
    /// Lines of the course of events.
    events: usize,
    /// Senders, and canaries.
    rows: usize,
    /// The longest text, in widths of half a Japanese letter.
    halves: usize,
    /// Points that are not known.
    unknown: usize,
}

impl Fullness {
    /// From the fullest to the tightest.
    pub const ALL: [Fullness; 3] = [
        Fullness {
            events: 8,
            rows: 5,
            halves: 320,
            unknown: 9,
        },
        Fullness {
            events: 6,
            rows: 4,
            halves: 120,
            unknown: 5,
        },
        Fullness {
            events: 4,
            rows: 2,
            halves: 60,
            unknown: 3,
        },
    ];
}

pub(super) fn page(case: &Case, facts: &Facts, lang: Lang, full: Fullness) -> Page {
    let short = |text: String| short(text, full.halves);
    let rows = full.rows;
    let mut unknown = words::unknown(case, lang);
    unknown.truncate(full.unknown);
    let mut blocks = vec![
        Block::Facts(vec![
            (say!(lang, "To", "提出先"), short(facts.police(lang))),
            (
                say!(lang, "From", "提出者"),
                short(facts.organisation(lang)),
            ),
            (say!(lang, "Address", "所在地"), short(facts.address(lang))),
            (say!(lang, "Contact", "連絡先"), short(facts.contact(lang))),
            (say!(lang, "Counsel", "弁護士"), short(facts.counsel(lang))),
        ]),
        Block::Heading(say!(lang, "1. What happened", "1 事案の概要")),
        Block::Para(words::noticed(case, lang).into()),
        Block::Facts(vec![
            (
                say!(lang, "Database", "データベース"),
                short(facts.database(lang)),
            ),
            (
                say!(lang, "Personal data in it", "含まれる個人データ"),
                short(words::fields(case, lang)),
            ),
            (
                say!(lang, "People concerned", "本人の数"),
                short(facts.people(lang)),
            ),
            (
                say!(lang, "Taken", "持ち出しの時期"),
                words::taken(case, lang)
                    .unwrap_or_else(|| say!(lang, "not known", "不明"))
                    .into(),
            ),
            (
                say!(lang, "Weight of the contacts", "接触の証拠としての評価"),
                words::weighed(case, lang).into(),
            ),
            (
                say!(lang, "Known to us since", "当社が知った時点"),
                words::known(case, lang).into(),
            ),
        ]),
        Block::Heading(say!(lang, "2. Who used the data", "2 データを利用した者")),
        words::actors(lang, &case.actors, rows, full.halves.min(88)),
    ];
    if case.actors.len() > rows {
        let more = case.actors.len() - rows;
        blocks.push(Block::Note(
            say!(
                lang,
                "{more} more stand in the dossier.",
                "ほか{more}者は調書に記載。"
            )
            .into(),
        ));
    }
    blocks.extend([
        Block::Note(
            say!(
                lang,
                "As shown in the messages; not authenticated. That they used the data does not show that they took it.",
                "通信に表示されたもので、真正とは限らない。データを利用したことは、持ち出した者であることを意味しない。"
            )
            .into(),
        ),
        Block::Heading(say!(lang, "3. Course of events", "3 経過")),
        course(case, lang, full),
        Block::Heading(say!(lang, "4. Evidence that can be handed over", "4 提出できる証拠")),
        Block::List(evidence(case, lang)),
        record::log(case, lang),
    ]);
    if !case.revealed.is_empty() {
        blocks.push(Block::Sub(say!(
            lang,
            "Decoy records that were reached",
            "接触を受けた検知用データ"
        )));
        blocks.push(record::revealed(case, lang, rows, full.halves.min(120)));
        if case.revealed.len() > rows {
            let more = case.revealed.len() - rows;
            blocks.push(Block::Note(
                say!(
                    lang,
                    "{more} more stand in the dossier.",
                    "ほか{more}件は調書に記載。"
                )
                .into(),
            ));
        }
    }
    blocks.extend([
        Block::Heading(say!(lang, "5. What is not known", "5 判明していないこと")),
        Block::List(unknown),
    ]);
    let title = say!(lang, "Summary for the police", "警察提出用 事案概要");
    words::draft(lang, title, words::reference(case, lang), blocks)
}

/// No longer than it may be; a blank stays one.
fn short(text: String, halves: usize) -> Text {
    let text = Text::from(text);
    match &text.0[..] {
        [Piece::Plain(words)] => words::fit(words, halves).into(),
        _ => text,
    }
}

/// The first and the last of what happened; what lies between is counted.
fn course(case: &Case, lang: Lang, full: Fullness) -> Block {
    let events = record::sorted_events(case, lang);
    let (most, tail) = (full.events, full.events / 2);
    let line = |(at, what): &(time::OffsetDateTime, String)| {
        let what = words::fit(what, full.halves.min(160));
        vec![Text::from(minute(lang, *at)), what.into()]
    };
    let mut rows: Vec<Vec<Text>> = events.iter().take(most).map(line).collect();
    if events.len() > most {
        rows.truncate(most - tail);
        let between = events.len() - most;
        rows.push(vec![
            "…".into(),
            say!(
                lang,
                "{between} more in the dossier",
                "この間の{between}件は調書に記載"
            )
            .into(),
        ]);
        rows.extend(events[events.len() - tail..].iter().map(line));
    }
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "When", "日時"), 2.6),
            Column::text(say!(lang, "What", "事実"), 8.0),
        ],
        rows,
        empty: say!(lang, "Nothing is on record.", "記録はない。"),
    })
}

fn evidence(case: &Case, lang: Lang) -> Vec<Text> {
    let (messages, traces) = (case.sightings.len(), case.traces.len());
    let (mails, lists) = (
        words::count(messages, "message"),
        words::count(traces, "list"),
    );
    let mut list: Vec<Text> = vec![
        say!(
            lang,
            "{mails} as received, each with its SHA-256 and its place in the signed evidence log",
            "受信した通信の原本{messages}件(それぞれSHA-256及び署名付き証拠記録における記載箇所を付す)"
        )
        .into(),
    ];
    if traces > 0 {
        list.push(
            say!(
                lang,
                "{lists} that we traced, by SHA-256, with the numbers of each verdict",
                "調査した名簿{traces}件のSHA-256及び判定の数値"
            )
            .into(),
        );
    }
    list.push(
        say!(
            lang,
            "For each decoy record a proof that it was registered on its day, which can be checked without our systems",
            "検知用データがその日に登録されていたことの証明(当社のシステムによらず検証できる)"
        )
        .into(),
    );
    list
}
