//! Draft of the notice to customers: what leaked, since when, what they can do, whom to ask.
//!
//! It tells what Article 10 of the Enforcement Rules asks for, in plain words, and nothing of canaries:
//! it will be read by everybody.

use super::case::Case;
use super::facts::Facts;
use super::words;
use crate::report::page::{Block, Page, Text, blank};
use crate::report::when;
use crate::report::{Lang, say};

pub(super) fn page(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let organisation = facts.organisation(lang);
    let (contact, web) = (facts.contact(lang), facts.web(lang));
    // An assumed moment is that of the first contact, which nobody outside is to learn.
    let known = match case.known_at_said {
        true => when::day(lang, case.known_at),
        false => blank(say!(lang, "day", "年月日")),
    };
    let mut blocks = vec![
        Block::Facts(vec![
            (say!(lang, "Date", "日付"), blank(say!(lang, "date", "年月日")).into()),
            (say!(lang, "From", "差出人"), organisation.as_str().into()),
        ]),
        Block::Para(say!(lang, "Dear customer,", "お客様各位").into()),
        Block::Para(
            say!(
                lang,
                "We have to tell you that personal data of our customers have, or may have, come into the hands of third parties. Yours may be among them. We apologise for the worry and inconvenience that this causes you.",
                "このたび、当社が保有するお客様の個人情報が外部に漏えいし、又はそのおそれがあることが判明いたしました。お客様の情報が含まれている可能性がございます。ご迷惑とご心配をおかけしますことを、深くお詫び申し上げます。"
            )
            .into(),
        ),
        Block::Heading(say!(lang, "1. What happened", "1 概要")),
        Block::Para(
            say!(
                lang,
                "We learned of this on {known}: information that, by our records, we alone hold was used by third parties.",
                "{known}、記録上当社のみが保有する情報が第三者に利用されていることを確認いたしました。"
            )
            .into(),
        ),
        Block::Para(since(case, lang)),
        Block::Heading(say!(lang, "2. Which data", "2 対象となる個人情報の項目")),
    ];
    let (fields, sensitive, people) = (
        words::fields(case, lang),
        facts.sensitive(lang),
        facts.people(lang),
    );
    blocks.extend([
        Block::Para(say!(lang, "The database concerned holds: {fields}.", "対象のデータベースに登録されている項目は、{fields}です。").into()),
        Block::Para(
            say!(
                lang,
                "Special care-required or payment data: {sensitive}. Number of people concerned: {people}",
                "要配慮個人情報及び決済に関する情報: {sensitive}\n対象となるお客様の数: {people}"
            )
            .into(),
        ),
        Block::Heading(say!(lang, "3. Cause", "3 原因")),
        Block::Para(facts.cause(lang).into()),
        Block::Heading(say!(lang, "4. What may follow", "4 二次被害又はそのおそれ")),
        Block::Para(facts.harm(lang).into()),
        Block::Para(use_of(case, lang)),
        Block::Heading(say!(lang, "5. What you can do", "5 お客様へのお願い")),
        Block::List(advice(lang)),
        Block::Heading(say!(lang, "6. What we do", "6 当社の対応")),
        Block::Para(facts.response(lang).into()),
        Block::Para(facts.prevention(lang).into()),
        Block::Heading(say!(lang, "7. Whom to ask", "7 お問い合わせ先")),
        Block::Facts(vec![
            (say!(lang, "Contact", "窓口"), contact.into()),
            (say!(lang, "Latest state", "最新の情報"), web.into()),
        ]),
        Block::Note(
            say!(
                lang,
                "Made after APPI Article 26(2) and Article 10 of its Enforcement Rules: outline, items of data, cause, secondary damage and other matters, promptly according to the circumstances and as far as needed to protect the person. Whether, when and how it is sent is counsel's to decide; where the GDPR applies, its Article 34 asks for more.",
                "個人情報の保護に関する法律第26条第2項及び同法施行規則第10条(概要、個人データの項目、原因、二次被害又はそのおそれ、その他参考となる事項を、事態の状況に応じて速やかに、本人の権利利益を保護するために必要な範囲で通知する)に沿った案である。通知の要否、時期及び方法は弁護士が判断する。GDPRが適用される場合は、同第34条の要件を別に確認する。"
            )
            .into(),
        ),
    ]);
    let title = say!(
        lang,
        "Notice to our customers (draft)",
        "個人情報の漏えい等に関するお知らせ(案)"
    );
    let subtitle = say!(lang, "For the people concerned", "対象となるお客様へ");
    words::draft(lang, title, subtitle, blocks)
}

/// Since when; without the word for what it was found out by.
fn since(case: &Case, lang: Lang) -> Text {
    match case.best() {
        Some((trace, found)) => {
            let from = when::day(lang, found.not_before);
            let until = when::day(lang, found.not_after.unwrap_or(trace.at));
            say!(
                lang,
                "By what we know, the data were taken between {from} and {until}.",
                "これまでの調査によれば、情報が持ち出された時期は{from}から{until}までの間と考えられます。"
            )
        }
        None => {
            let when = blank(say!(lang, "when the data were taken, if known", "持ち出しの時期(判明している場合)"));
            say!(lang, "When the data were taken: {when}", "情報が持ち出された時期: {when}")
        }
    }
    .into()
}

fn use_of(case: &Case, lang: Lang) -> Text {
    let ways = words::channels(lang, &case.channels());
    match case.contacts() == 0 {
        true => say!(
            lang,
            "We know of no use of the data so far.",
            "現時点で、情報が利用された事実は確認されておりません。"
        ),
        false => say!(
            lang,
            "Third parties have made contact by {ways}. You may receive the like.",
            "第三者による{ways}での接触を確認しております。お客様にも同様の連絡がある可能性がございます。"
        ),
    }
    .into()
}

fn advice(lang: Lang) -> Vec<Text> {
    vec![
        say!(
            lang,
            "Be careful with mail, calls and letters from senders whom you do not know or did not expect; do not give them personal or payment data.",
            "心当たりのないメール、電話及び郵便物にご注意いただき、個人情報や決済に関する情報をお伝えにならないようお願いいたします。"
        )
        .into(),
        say!(
            lang,
            "Do not open links or attachments in such mail.",
            "そのようなメールに記載されたリンクや添付ファイルを開かないようお願いいたします。"
        )
        .into(),
        say!(
            lang,
            "We will not ask you for passwords, card numbers or money because of this matter.",
            "本件に関して、当社からパスワードやカード番号をお尋ねしたり、金銭をお願いしたりすることはございません。"
        )
        .into(),
        say!(
            lang,
            "If you have received something that you cannot explain, please keep it and tell us; if you suspect a crime, turn to the police.",
            "不審な連絡を受けられた場合は、その内容を保管のうえ、下記の窓口までお知らせください。犯罪が疑われる場合は、警察にご相談ください。"
        )
        .into(),
    ]
}
