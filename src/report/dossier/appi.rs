//! Drafts of the two reports to the Personal Information Protection Commission: the nine items of
//! Article 8(1) of the Enforcement Rules, in their order.

use super::case::Case;
use super::deadline::Rule;
use super::facts::Facts;
use super::words;
use crate::report::page::{Block, Page, Text, blank};
use crate::report::when::minute;
use crate::report::{Lang, say};

pub(super) fn prompt(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let title = say!(
        lang,
        "Prompt report under APPI Article 26 (draft)",
        "個人データの漏えい等に関する報告書(速報)案"
    );
    let note = say!(
        lang,
        "Due promptly after the event is known: the Commission's guideline speaks of roughly three to five days. It reports what is known at the time.",
        "速報は、事態を知った後、速やかに(ガイドラインの目安は概ね3日から5日以内)、その時点で把握している事項を報告する。"
    );
    report(
        case,
        facts,
        lang,
        title,
        note,
        &[Rule::AppiPrompt3, Rule::AppiPrompt5],
    )
}

pub(super) fn last(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let title = say!(
        lang,
        "Final report under APPI Article 26 (draft)",
        "個人データの漏えい等に関する報告書(確報)案"
    );
    let note = say!(
        lang,
        "Due within 30 days of the day on which the event was known; within 60 days where it falls under Rules Article 7(iii) (an act that may have been done with a wrongful purpose), which a list in the hands of others suggests. Which of the two applies is counsel's to decide. All items have to be reported; those not yet known after reasonable effort are supplied as soon as they are.",
        "確報は、事態を知った日から30日以内(規則第7条第3号、すなわち不正の目的をもって行われたおそれがある行為による場合は60日以内)に全ての事項を報告する。名簿が第三者に利用されている事案は同号に当たることが多いが、いずれによるかは弁護士が判断する。合理的な努力を尽くしても判明しない事項は、判明次第追完する。"
    );
    report(
        case,
        facts,
        lang,
        title,
        note,
        &[Rule::AppiFinal30, Rule::AppiFinal60],
    )
}

fn report(
    case: &Case,
    facts: &Facts,
    lang: Lang,
    title: String,
    note: String,
    rules: &[Rule],
) -> Page {
    let mut blocks = vec![
        Block::Facts(vec![
            (say!(lang, "To", "提出先"), facts.authority(lang).into()),
            (
                say!(lang, "Reported by", "報告者"),
                facts.organisation(lang).into(),
            ),
            (
                say!(lang, "Representative", "代表者"),
                facts.representative(lang).into(),
            ),
            (say!(lang, "Address", "所在地"), facts.address(lang).into()),
            (
                say!(lang, "Contact", "事務連絡者"),
                facts.contact(lang).into(),
            ),
            (
                say!(lang, "Date of report", "報告年月日"),
                blank(say!(lang, "date", "年月日")).into(),
            ),
            (
                say!(lang, "Known since", "事態を知った時点"),
                words::known(case, lang).into(),
            ),
        ]),
        words::deadline_table(case, lang, rules),
        Block::Note(note.into()),
        Block::Note(words::counting(lang)),
    ];
    for (heading, lines) in items(case, facts, lang) {
        blocks.push(Block::Heading(heading));
        blocks.extend(lines.into_iter().map(Block::Para));
    }
    blocks.push(Block::Note(words::law(lang)));
    words::draft(lang, title, words::reference(case, lang), blocks)
}

/// The nine items.
fn items(case: &Case, facts: &Facts, lang: Lang) -> [(String, Vec<Text>); 9] {
    [
        (
            say!(lang, "(1) Outline", "(1) 概要"),
            outline(case, facts, lang),
        ),
        (
            say!(
                lang,
                "(2) Items of personal data that were or may have been leaked",
                "(2) 漏えい等が発生し、又は発生したおそれがある個人データの項目"
            ),
            data(case, facts, lang),
        ),
        (
            say!(
                lang,
                "(3) Number of people whose personal data were or may have been leaked",
                "(3) 漏えい等が発生し、又は発生したおそれがある個人データに係る本人の数"
            ),
            words::people(case, facts, lang),
        ),
        (say!(lang, "(4) Cause", "(4) 原因"), cause(facts, lang)),
        (
            say!(
                lang,
                "(5) Whether secondary damage has occurred or may occur, and its details",
                "(5) 二次被害又はそのおそれの有無及びその内容"
            ),
            harm(case, facts, lang),
        ),
        (
            say!(
                lang,
                "(6) State of the response to the people concerned",
                "(6) 本人への対応の実施状況"
            ),
            vec![facts.response(lang).into()],
        ),
        (
            say!(lang, "(7) State of publication", "(7) 公表の実施状況"),
            vec![facts.publication(lang).into()],
        ),
        (
            say!(
                lang,
                "(8) Measures to prevent a recurrence",
                "(8) 再発防止のための措置"
            ),
            vec![facts.prevention(lang).into()],
        ),
        (
            say!(
                lang,
                "(9) Other matters of reference",
                "(9) その他参考となる事項"
            ),
            other(case, facts, lang),
        ),
    ]
}

fn outline(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let database = facts.database(lang);
    let mut lines = vec![
        words::noticed(case, lang).into(),
        say!(
            lang,
            "Database: {database}",
            "対象のデータベース: {database}"
        )
        .into(),
    ];
    lines.push(match words::taken(case, lang) {
        Some(when) => say!(
            lang,
            "The data were taken {when}.",
            "データが持ち出された時期: {when}"
        )
        .into(),
        None => say!(
            lang,
            "When the data were taken is not known.",
            "データが持ち出された時期は判明していない。"
        )
        .into(),
    });
    let item = blank(say!(lang, "item of Rules Article 7", "規則第7条各号の別"));
    lines.push(
        say!(
            lang,
            "Reportable under Rules Article 7: {item}. That third parties contact people who exist only in this database speaks for item (iii).",
            "該当する規則第7条の号: {item}(当該データベースにのみ存在する登録に第三者から接触があったことは、第3号に該当する可能性を示す)"
        )
        .into(),
    );
    lines
}

fn data(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let (fields, sensitive) = (words::fields(case, lang), facts.sensitive(lang));
    vec![
        say!(
            lang,
            "The table holds: {fields}. Which of them were taken is known only for a list that has been obtained.",
            "当該テーブルに含まれる項目: {fields}(このうち実際に持ち出された項目は、名簿を入手した範囲でのみ判明する)"
        )
        .into(),
        say!(
            lang,
            "Special care-required or payment data: {sensitive}",
            "要配慮個人情報及び財産的被害につながる情報: {sensitive}"
        )
        .into(),
    ]
}

fn cause(facts: &Facts, lang: Lang) -> Vec<Text> {
    vec![
        facts.cause(lang).into(),
        say!(
            lang,
            "The means used for detection show which database the data come from, not who took them or how.",
            "検知の仕組みから判明するのは、データの由来となったデータベースであり、持ち出した者及び方法ではない。"
        )
        .into(),
    ]
}

fn harm(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let (count, ways) = (case.contacts(), words::channels(lang, &case.channels()));
    let mut lines = vec![facts.harm(lang).into()];
    if count > 0 {
        let until = minute(lang, case.last_at);
        lines.push(
            say!(
                lang,
                "Contacts by third parties on record until {until}: {count} ({ways}). The people concerned may have received the like.",
                "{until}までに記録された第三者からの接触: {count}件({ways})。本人に対しても同様の接触が行われているおそれがある。"
            )
            .into(),
        );
    }
    lines
}

fn other(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let police = blank(say!(
        lang,
        "whether the police were consulted, and when",
        "警察への相談の有無・年月日"
    ));
    let mut lines = vec![
        facts.other(lang).into(),
        say!(lang, "Police: {police}", "警察への相談: {police}").into(),
    ];
    if let Some(log) = &case.log {
        let (size, root) = (log.size, words::clip(&log.root, 100));
        lines.push(
            say!(
                lang,
                "Contacts and examinations are kept in a signed evidence log ({size} entries, root {root}).",
                "接触及び調査の経過は署名付きの証拠記録に保存している({size}件、ルートハッシュ {root})。"
            )
            .into(),
        );
    }
    lines
}
