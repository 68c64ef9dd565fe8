//! The dossier: everything that is known, in one place.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::case::{AccessKind, Case, Trace};
use super::deadline::Rule;
use super::facts::Facts;
use super::words;
use crate::canary::{Channel, State};
use crate::report::page::{Block, Column, Page, Table, Text};
use crate::report::when::{self, minute, percent, thousands};
use crate::report::{Lang, say, weight};

/// With more sightings than this the timeline counts them by day.
const SINGLE: usize = 40;

pub(super) fn page(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let mut blocks = vec![
        Block::Para(words::noticed(case, lang).into()),
        Block::Facts(summary(case, facts, lang)),
        Block::Heading(say!(
            lang,
            "What the contacts are weighed at",
            "接触の証拠としての評価"
        )),
        Block::List(weighed(case, lang)),
        Block::Note(
            say!(
                lang,
                "The likelihood ratio compares two explanations of what came, and of what did not: a list of this source is in strangers' hands, or all of it is ordinary background. It says nothing about who took the data.",
                "尤度比は、接触の有無を説明する二つの仮説(当該データベースの名簿が第三者の手にある/すべて平常時の接触である)を比較した値であり、誰が持ち出したかを示すものではない。"
            )
            .into(),
        ),
        Block::Heading(say!(lang, "Deadlines", "期限")),
        words::deadline_table(
            case,
            lang,
            &[
                Rule::AppiPrompt3,
                Rule::AppiPrompt5,
                Rule::AppiFinal30,
                Rule::AppiFinal60,
                Rule::Gdpr72,
            ],
        ),
        Block::Note(words::counting(lang)),
        Block::Heading(say!(lang, "What is not known", "判明していないこと")),
        Block::List(words::unknown(case, lang)),
        Block::Heading(say!(lang, "Timeline", "経過")),
        timeline(case, lang),
        Block::Heading(say!(lang, "Lists that were traced", "名簿の調査結果")),
    ];
    if case.traces.is_empty() {
        blocks.push(Block::Para(
            say!(lang, "No list has been traced.", "調査した名簿はない。").into(),
        ));
    }
    for (place, trace) in case.traces.iter().enumerate() {
        let number = place + 1;
        blocks.push(Block::Sub(say!(lang, "List {number}", "名簿{number}")));
        blocks.push(Block::Facts(trace_facts(trace, case, lang)));
    }
    blocks.extend([
        Block::Heading(say!(lang, "Who used the data", "データを利用した者")),
        words::actors(lang, &case.actors, usize::MAX, 100),
        Block::Note(
            say!(
                lang,
                "Senders are given as the messages show them. Nothing authenticates them, and nothing here says that they knew where the data came from.",
                "発信者は通信に表示されたとおりに記載した。真正であることは確かめられておらず、データの由来を知っていたことを示すものでもない。"
            )
            .into(),
        ),
        Block::Heading(say!(lang, "Who saw what bears on this source", "関係情報を閲覧・提供した者")),
        accesses(case, lang),
    ]);
    if !case.revealed.is_empty() {
        blocks.push(Block::Heading(say!(
            lang,
            "The canaries reached",
            "接触を受けた検知用データ"
        )));
        blocks.push(revealed(case, lang, usize::MAX, 200));
    }
    blocks.push(Block::Heading(say!(lang, "Evidence", "証拠")));
    blocks.extend(evidence(case, lang));
    let title = say!(lang, "Incident dossier", "インシデント調書");
    words::draft(lang, title, words::reference(case, lang), blocks)
}

fn summary(case: &Case, facts: &Facts, lang: Lang) -> Vec<(String, Text)> {
    let mut people = words::people(case, facts, lang);
    let told: Vec<String> = case
        .history
        .iter()
        .map(|change| {
            let (at, by) = (minute(lang, change.at), words::clip(&change.by, 60));
            let state = words::clip(&change.state, 20);
            let why = change
                .why
                .as_deref()
                .map_or(String::new(), |why| format!(": {}", words::clip(why, 200)));
            format!("{at} {state} ({by}){why}")
        })
        .collect();
    let mut state = words::state(lang, case.state);
    for line in told {
        state = format!("{state}\n{line}");
    }
    let mut number: Text = Text::default();
    for (place, line) in people.drain(..).enumerate() {
        if place > 0 {
            number
                .0
                .push(crate::report::page::Piece::Plain("\n".to_owned()));
        }
        number.0.extend(line.0);
    }
    vec![
        (say!(lang, "State", "状態"), state.into()),
        (
            say!(lang, "Known since", "知った時点"),
            words::known(case, lang).into(),
        ),
        (
            say!(lang, "Database", "データベース"),
            facts.database(lang).into(),
        ),
        (
            say!(lang, "Taken", "持ち出しの時期"),
            words::taken(case, lang)
                .unwrap_or_else(|| say!(lang, "not known", "不明"))
                .into(),
        ),
        (
            say!(lang, "Personal data at stake", "対象となる個人データ"),
            words::fields(case, lang).into(),
        ),
        (
            say!(lang, "Sensitive data", "要配慮個人情報等"),
            facts.sensitive(lang).into(),
        ),
        (say!(lang, "People", "本人の数"), number),
    ]
}

/// The verdict, and what each channel says to it.
fn weighed(case: &Case, lang: Lang) -> Vec<Text> {
    let channels = case.weight.iter().flat_map(|weight| &weight.channels);
    let channels = channels.map(|channel| weight::channel(lang, channel).into());
    let verdict = std::iter::once(Text::strong(words::weighed(case, lang)));
    verdict.chain(channels).collect()
}

fn timeline(case: &Case, lang: Lang) -> Block {
    let events = sorted_events(case, lang);
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "When", "日時"), 2.6),
            Column::text(say!(lang, "What", "事実"), 8.0),
        ],
        rows: events
            .into_iter()
            .map(|(at, what)| vec![minute(lang, at).into(), what.into()])
            .collect(),
        empty: say!(lang, "Nothing is on record.", "記録はない。"),
    })
}

/// What happened, in order.
pub(super) fn sorted_events(case: &Case, lang: Lang) -> Vec<(OffsetDateTime, String)> {
    let mut events = events(case, lang);
    events.sort_by_key(|(at, _)| *at);
    events
}

fn events(case: &Case, lang: Lang) -> Vec<(OffsetDateTime, String)> {
    let mut events = Vec::new();
    for planted in &case.batches {
        let (batch, canaries) = (words::clip(&planted.batch, 60), planted.canaries);
        let customers = thousands(planted.customers);
        let handed_out = planted.state == State::HandedOut.name();
        let planted_words = match handed_out {
            true => say!(
                lang,
                "Batch {batch} handed out to be inserted: {canaries} canaries",
                "検知用データ{canaries}件を登録用に引渡し(バッチ{batch})"
            ),
            false => say!(
                lang,
                "Batch {batch} planted: {canaries} canaries among {customers} customers",
                "検知用データ{canaries}件を登録(バッチ{batch}、顧客{customers}件中)"
            ),
        };
        events.push((planted.planted_at, planted_words));
        if let Some(at) = planted.unplanted_at {
            events.push((
                at,
                say!(lang, "Batch {batch} removed", "バッチ{batch}を削除"),
            ));
        }
    }
    for look in &case.verifications {
        let (live, intact) = (look.live, look.intact);
        let (altered, missing) = (look.altered, look.missing);
        events.push((
            look.at,
            say!(
                lang,
                "Canaries looked for: {intact} of {live} intact, {altered} altered, {missing} missing",
                "検知用データを確認: {live}件中{intact}件は変更なし、改変{altered}件、欠落{missing}件"
            ),
        ));
    }
    events.extend(sightings(case, lang));
    for trace in &case.traces {
        let verdict = words::verdict(lang, &trace.verdict);
        let which = match (trace.names_source, trace.verdict.as_str()) {
            (true, _) => say!(lang, "it names this source", "当該データベースに由来"),
            (false, "attributed") => {
                say!(lang, "it names another source", "別のデータベースに由来")
            }
            _ => say!(
                lang,
                "it does not name this source",
                "当該データベースへの由来は判定されず"
            ),
        };
        events.push((
            trace.at,
            say!(
                lang,
                "List traced: {verdict}; {which}",
                "名簿を調査: {verdict}({which})"
            ),
        ));
    }
    for change in &case.history {
        let by = words::clip(&change.by, 60);
        let state = words::clip(&change.state, 20);
        events.push((
            change.at,
            say!(
                lang,
                "Incident {state} by {by}",
                "インシデントの状態を{state}に変更({by})"
            ),
        ));
    }
    // That dossiers were made is told among the accesses: it is nothing of the leak.
    let told = |access: &&super::Access| access.what != AccessKind::Dossier;
    for access in case.accesses.iter().filter(told) {
        let by = words::clip(&access.by, 60);
        let what = access_words(access.what, access.canary.as_deref(), lang);
        events.push((access.at, say!(lang, "{what}, by {by}", "{what}({by})")));
    }
    events
}

fn sightings(case: &Case, lang: Lang) -> Vec<(OffsetDateTime, String)> {
    if case.sightings.len() <= SINGLE {
        let one = |seen: &super::Seen| {
            let way = words::channel(lang, seen.channel);
            let canary = words::canary(lang, seen.canary.as_deref());
            let what = words::seen(lang, seen, 60);
            let text = match seen.channel {
                Channel::Report => say!(
                    lang,
                    "A customer's report: {what}",
                    "顧客からの申告: {what}"
                ),
                _ => say!(
                    lang,
                    "Contact by {way} with canary {canary}: {what}",
                    "検知用データ{canary}への{way}: {what}"
                ),
            };
            (seen.at, text)
        };
        return case.sightings.iter().map(one).collect();
    }
    let offset = when::clock(lang).0;
    let mut days: BTreeMap<(time::Date, &'static str), (OffsetDateTime, Channel, usize)> =
        BTreeMap::new();
    for seen in &case.sightings {
        let key = (seen.at.to_offset(offset).date(), seen.channel.name());
        let day = days.entry(key).or_insert((seen.at, seen.channel, 0));
        day.0 = day.0.min(seen.at);
        day.2 += 1;
    }
    days.into_values()
        .map(|(at, channel, count)| {
            let way = words::channel(lang, channel);
            let contacts = words::count(count, "contact");
            (
                at,
                say!(
                    lang,
                    "{contacts} by {way} on this day, from this time on",
                    "この日、この時刻以降に{way}による接触{count}件"
                ),
            )
        })
        .collect()
}

fn trace_facts(trace: &Trace, case: &Case, lang: Lang) -> Vec<(String, Text)> {
    let mut facts: Vec<(String, Text)> = vec![
        (say!(lang, "Traced", "調査"), {
            let (at, by) = (minute(lang, trace.at), words::clip(&trace.by, 60));
            say!(lang, "{at} by {by}", "{at}({by})").into()
        }),
        ("SHA-256".to_owned(), words::clip(&trace.list, 80).into()),
    ];
    if let Some(rows) = trace.rows {
        facts.push((say!(lang, "Rows", "件数"), thousands(rows).into()));
    }
    facts.push((
        say!(lang, "Verdict", "判定"),
        words::verdict(lang, &trace.verdict).into(),
    ));
    if let Some(found) = &trace.finding {
        facts.push((
            say!(lang, "This source", "当該データベース"),
            words::finding(trace, found, lang).into(),
        ));
        let [estimate, low, high] = found.share.map(percent);
        let [rows, fewest, most] = found.rows.map(thousands);
        let level = percent(found.level);
        facts.push((
            say!(lang, "Share of it in the list", "名簿に含まれる割合"),
            say!(
                lang,
                "{estimate} ({level} interval {low} to {high}): {rows} rows ({fewest} to {most})",
                "{estimate}({level}信頼区間{low}から{high})、{rows}件({fewest}件から{most}件)"
            )
            .into(),
        ));
        let from = minute(lang, found.not_before);
        let until = minute(lang, found.not_after.unwrap_or(trace.at));
        let probability = words::sure(lang, found.window_probability);
        facts.push((
            say!(lang, "Taken", "持ち出しの時期"),
            say!(
                lang,
                "between {from} and {until}, probability {probability}",
                "{from}から{until}までの間(確率{probability})"
            )
            .into(),
        ));
    } else if let Some(clear) = &trace.cleared {
        let (share, level) = (percent(clear.share_below), percent(clear.level));
        facts.push((
            say!(lang, "This source", "当該データベース"),
            say!(
                lang,
                "Nothing of it was found. A leak of {share} or more of it would have shown with {level} confidence.",
                "検知用データは見つからなかった。当該データベースの{share}以上が含まれていれば、{level}の確度で検出されたはずである。"
            )
            .into(),
        ));
    } else if trace.names_source {
        let source = &case.source;
        facts.push((
            say!(lang, "This source", "当該データベース"),
            say!(
                lang,
                "The list was attributed to {source}. The log of that day keeps no further numbers.",
                "「{source}」に由来すると判定された。当時の記録にこれ以上の数値はない。"
            )
            .into(),
        ));
    }
    let chance = words::chance(lang, trace.false_accusation_probability);
    facts.push((
        say!(lang, "False accusation", "誤判定の確率"),
        say!(
            lang,
            "at most {chance} (probability that an innocent source is named)",
            "{chance}以下(無関係なデータベースを名指しする確率)"
        )
        .into(),
    ));
    facts
}

fn accesses(case: &Case, lang: Lang) -> Block {
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "When", "日時"), 2.6),
            Column::text(say!(lang, "Who", "担当者"), 2.4),
            Column::text(say!(lang, "What", "内容"), 5.0),
        ],
        rows: case
            .accesses
            .iter()
            .map(|access| {
                vec![
                    minute(lang, access.at).into(),
                    words::clip(&access.by, 60).into(),
                    access_words(access.what, access.canary.as_deref(), lang).into(),
                ]
            })
            .collect(),
        empty: say!(
            lang,
            "Nobody has had a canary's details of this source shown, and no evidence was handed out.",
            "検知用データの内容の閲覧も、証拠の持出しも記録されていない。"
        ),
    })
}

fn access_words(what: AccessKind, canary: Option<&str>, lang: Lang) -> String {
    let canary = words::clip(canary.unwrap_or("–"), 60);
    match what {
        AccessKind::Revealed => {
            say!(
                lang,
                "Details of canary {canary} shown",
                "検知用データ{canary}の内容を閲覧"
            )
        }
        AccessKind::Proved => say!(
            lang,
            "Canary {canary} opened to a third party by a proof",
            "検知用データ{canary}を証明書により第三者に開示"
        ),
        AccessKind::Exported => say!(lang, "Evidence handed out", "証拠を出力"),
        AccessKind::Forgotten => say!(
            lang,
            "Details of this source's canaries destroyed",
            "当該データベースの検知用データの内容を消去"
        ),
        AccessKind::Dossier => say!(lang, "A dossier of this incident made", "本件の調書を作成"),
    }
}

/// The canaries that were asked for, at most so many, each cell at most so wide.
pub(super) fn revealed(case: &Case, lang: Lang, most: usize, halves: usize) -> Block {
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "Canary", "検知用データ"), 2.2),
            Column::text(say!(lang, "Name", "氏名"), 2.0),
            Column::text(say!(lang, "Address", "住所"), 4.0),
            Column::text(say!(lang, "Contact points", "連絡先"), 3.2),
        ],
        rows: case
            .revealed
            .iter()
            .take(most)
            .map(|one| {
                vec![
                    words::clip(&one.canary, 60).into(),
                    words::fit(&one.name, halves).into(),
                    words::fit(&one.address, halves).into(),
                    words::fit(&one.contacts.join(" / "), halves).into(),
                ]
            })
            .collect(),
        empty: String::new(),
    })
}

fn evidence(case: &Case, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![log(case, lang)];
    blocks.push(Block::Para(
        say!(
            lang,
            "Each message is kept as it came, and stands in the evidence log under the SHA-256 of a salt, its envelope and its bytes. Mails are given by the SHA-256 of their bytes alone, other messages by the salted one. `otori evidence export` hands out messages, envelopes, salts and the log, so that whoever is handed them can compare.",
            "通信は受信したままの形で保管し、ソルト、封筒情報及び原本を合わせたもののSHA-256を証拠記録に残している。以下では、電子メールは原本のSHA-256、その他の通信はソルト付きのSHA-256を示す。原本、封筒情報、ソルト及び証拠記録は「otori evidence export」で一式として引き渡すことができ、受領者はこれらを照合できる。"
        )
        .into(),
    ));
    blocks.push(Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "Message", "通信"), 1.3),
            Column::text(say!(lang, "Received", "受信"), 2.3),
            Column::text(say!(lang, "Canary", "検知用データ"), 2.1),
            Column::text(
                say!(lang, "From, and what it says of itself", "発信者・件名等"),
                3.6,
            ),
            Column::text("SHA-256", 3.4),
        ],
        rows: case
            .sightings
            .iter()
            .map(|seen| {
                let again = match seen.repeats {
                    0 => String::new(),
                    repeats => say!(lang, " (+{repeats} copies)", "(同一{repeats}通)"),
                };
                vec![
                    seen.message.to_string().into(),
                    format!(
                        "{}\n{}",
                        minute(lang, seen.at),
                        words::channel(lang, seen.channel)
                    )
                    .into(),
                    words::canary(lang, seen.canary.as_deref()).into(),
                    format!("{}{again}", words::seen(lang, seen, 80)).into(),
                    hash(seen, lang).into(),
                ]
            })
            .collect(),
        empty: say!(lang, "There is no message.", "通信はない。"),
    }));
    blocks
}

/// What a message can be compared by.
fn hash(seen: &super::Seen, lang: Lang) -> String {
    match (&seen.sha256, &seen.logged) {
        (Some(plain), _) => plain.clone(),
        (None, Some(salted)) => say!(lang, "{salted} (salted)", "{salted}(ソルト付き)"),
        (None, None) => "–".to_owned(),
    }
}

/// The log as it was signed last.
pub(super) fn log(case: &Case, lang: Lang) -> Block {
    let Some(log) = &case.log else {
        return Block::Para(
            say!(
                lang,
                "The evidence log has not been signed yet.",
                "証拠記録はまだ署名されていない。"
            )
            .into(),
        );
    };
    let stamp = match log.stamped {
        true => say!(
            lang,
            "stamped by a time-stamping authority",
            "時刻認証局のタイムスタンプあり"
        ),
        false => say!(
            lang,
            "no time stamp of an authority",
            "時刻認証局のタイムスタンプなし"
        ),
    };
    let (size, at) = (log.size, minute(lang, log.signed_at));
    Block::Facts(vec![
        (
            say!(lang, "Evidence log", "証拠記録"),
            say!(
                lang,
                "{size} entries, signed {at}; {stamp}",
                "{size}件、{at}に署名、{stamp}"
            )
            .into(),
        ),
        (
            say!(lang, "Root (SHA-256)", "ルートハッシュ"),
            words::clip(&log.root, 100).into(),
        ),
        (
            say!(lang, "Public key", "公開鍵"),
            words::clip(&log.key, 160).into(),
        ),
    ])
}
