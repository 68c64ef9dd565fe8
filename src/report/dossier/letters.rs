//! Drafts of letters to a firm that uses the list, and to a broker that sells it.
//!
//! They ask, and accuse nobody of more than what was found. They name no canary, no id, no day of a
//! contact, no source by its name in otori, and not how it was noticed: only that information was used
//! which, by our records, we alone hold. A sender's address is cut down to its domain, for what stands
//! before it may be made for one recipient.

use super::case::{Actor, Case};
use super::facts::Facts;
use super::words;
use crate::report::page::{Block, Page, Text, blank};
use crate::report::when;
use crate::report::{Lang, say};

pub(super) fn firm(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let mut blocks = head(facts, facts.firm(lang), lang);
    blocks.push(Block::Para(
        say!(
            lang,
            "We write about advertising or other contacts made in your name. Information was used for them which, by our records, we alone hold, and which we have not provided to you. We do not assume that you know where it comes from, and ask for your help in finding out.",
            "貴社の名義で行われた広告その他のご連絡に関し、お尋ね申し上げます。当該ご連絡には、記録上、当社のみが保有する情報が用いられておりました。当社から貴社に当該情報を提供した事実はございません。当社は、貴社が当該情報の由来をご存じであったと考えているものではなく、経緯の確認にご協力をお願いするものです。"
        )
        .into(),
    ));
    blocks.push(Block::Facts(contacts(case, lang)));
    blocks.extend(result(case, lang));
    blocks.extend(asked(questions(lang), facts, lang));
    let title = say!(
        lang,
        "Enquiry about the source of customer data (draft)",
        "顧客情報の入手経緯に関するご照会(案)"
    );
    letter(lang, title, blocks)
}

pub(super) fn broker(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let mut blocks = head(facts, facts.broker(lang), lang);
    blocks.push(Block::Para(about_list(case, lang)));
    blocks.extend(result(case, lang));
    let mut more = questions(lang);
    more.extend([
        say!(
            lang,
            "Which items of data the list holds, and how many entries",
            "名簿に含まれる項目及び件数"
        )
        .into(),
        say!(
            lang,
            "What you confirmed of the provider when you acquired it: name and address, and how the provider had obtained the data (APPI Article 30), and the record that you made of it",
            "取得の際に個人情報の保護に関する法律第30条に基づき確認された事項(提供者の氏名又は名称及び住所、提供者による取得の経緯)並びにその記録の内容"
        )
        .into(),
    ]);
    blocks.extend(asked(more, facts, lang));
    let title = say!(
        lang,
        "Enquiry about a list (draft)",
        "名簿の入手経緯等に関するご照会(案)"
    );
    letter(lang, title, blocks)
}

/// What every such letter ends with: the questions, the requests, where to answer.
fn asked(questions: Vec<Text>, facts: &Facts, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(lang, "What we ask you", "お尋ねする事項")),
        Block::List(questions),
        Block::Heading(say!(lang, "What we ask you to do", "お願いする事項")),
        Block::List(requests(lang)),
    ];
    blocks.extend(tail(facts, lang));
    blocks
}

/// What a broker may be told: that a list holds our data only if one was attributed to them.
fn about_list(case: &Case, lang: Lang) -> Text {
    match case.named() {
        true => say!(
            lang,
            "We have obtained a list with information which, by our records, we alone hold, and which we have provided to nobody for distribution. We have reason to ask whether you offer this list or have provided it.",
            "当社が入手した名簿に、記録上、当社のみが保有する情報が含まれていることを確認いたしました。当社が当該情報を流通の目的で第三者に提供した事実はございません。貴社が当該名簿を取り扱い、又は提供されたことがあるか、お尋ね申し上げます。"
        ),
        false => say!(
            lang,
            "Third parties have used information which, by our records, we alone hold, and which we have provided to nobody for distribution. We have reason to ask whether a list that you offer or have provided holds it.",
            "記録上、当社のみが保有する情報が、第三者により利用されていることを確認いたしました。当社が当該情報を流通の目的で第三者に提供した事実はございません。貴社が取り扱い、又は提供された名簿に当該情報が含まれているか、お尋ね申し上げます。"
        ),
    }
    .into()
}

fn letter(lang: Lang, title: String, blocks: Vec<Block>) -> Page {
    let subtitle = say!(
        lang,
        "Letter; holds nothing that tells how the information was recognised",
        "書簡(情報を確認した方法は記載しない)"
    );
    words::draft(lang, title, subtitle, blocks)
}

fn head(facts: &Facts, to: String, lang: Lang) -> Vec<Block> {
    vec![
        Block::Facts(vec![
            (
                say!(lang, "Date", "日付"),
                blank(say!(lang, "date", "年月日")).into(),
            ),
            (say!(lang, "To", "宛先"), to.into()),
            (
                say!(lang, "From", "差出人"),
                facts.organisation(lang).into(),
            ),
            (say!(lang, "Address", "住所"), facts.address(lang).into()),
            (
                say!(lang, "Representative", "代表者"),
                facts.representative(lang).into(),
            ),
        ]),
        Block::Para(
            say!(
                lang,
                "Dear Sir or Madam,",
                "拝啓　時下ますますご清栄のこととお慶び申し上げます。"
            )
            .into(),
        ),
    ]
}

/// What may be told of the contacts: by which way, in which months, from which domain. Of several
/// senders nobody knows which are this firm's, and it is told of no contact that another made.
fn contacts(case: &Case, lang: Lang) -> Vec<(String, Text)> {
    let only = match &case.actors[..] {
        [only] => Some(only),
        _ => None,
    };
    let theirs = |what: String| {
        let theirs = say!(
            lang,
            "{what}: only this firm's, see the dossier",
            "{what}(貴社によるもののみ。調書参照)"
        );
        blank(theirs)
    };
    let (way, period, sender) = (
        say!(lang, "way of contact", "連絡の方法"),
        say!(lang, "period", "時期"),
        say!(lang, "sender shown", "表示された発信者"),
    );
    vec![
        (
            say!(lang, "Way of contact", "連絡の方法"),
            only.map_or_else(
                || theirs(way),
                |actor| words::channels(lang, &actor.channels),
            )
            .into(),
        ),
        (
            say!(lang, "Period", "時期"),
            only.map_or_else(|| theirs(period), |actor| months(lang, actor))
                .into(),
        ),
        (
            say!(lang, "Sender shown", "表示された発信者"),
            only.and_then(shown)
                .unwrap_or_else(|| theirs(sender))
                .into(),
        ),
    ]
}

fn months(lang: Lang, actor: &Actor) -> String {
    let (from, until) = (month(lang, actor.first_at), month(lang, actor.last_at));
    match from == until {
        true => from,
        false => say!(lang, "{from} to {until}", "{from}から{until}まで"),
    }
}

fn month(lang: Lang, at: time::OffsetDateTime) -> String {
    let at = at.to_offset(when::clock(lang).0);
    let (year, month) = (at.year(), u8::from(at.month()));
    say!(lang, "{year}-{month:02}", "{year}年{month}月")
}

/// A sender without what may be made for one recipient.
fn shown(actor: &Actor) -> Option<String> {
    let from = actor.from.as_deref()?.trim();
    let from = match from.rsplit_once('@') {
        Some((_, domain)) => domain.trim_end_matches('>'),
        None => from,
    };
    (!from.is_empty()).then(|| words::clip(from, 80))
}

/// What a trace says, in its own words and numbers and no more.
fn result(case: &Case, lang: Lang) -> Option<Block> {
    let (trace, found) = case.best()?;
    let support = words::support(lang, &found.support);
    let (ratio, chance) = (
        format!("{:.1}", found.log10_lr),
        words::chance(lang, trace.false_accusation_probability),
    );
    Some(Block::Para(
        say!(
            lang,
            "A list that came into our hands was compared with our records. The comparison gives {support} to the proposition that it comes from our data (log10 likelihood ratio {ratio}); the probability of naming data that have nothing to do with it is at most {chance}. It says nothing about who took the data.",
            "当社が入手した名簿を当社の記録と照合した結果、当該名簿が当社のデータに由来するとの仮説に対して「{support}」との評価を得ております(対数尤度比(常用対数){ratio}、無関係なデータを誤って由来と判定する確率は{chance}以下)。なお、この結果は、データを持ち出した者が誰であるかを示すものではございません。"
        )
        .into(),
    ))
}

fn questions(lang: Lang) -> Vec<Text> {
    vec![
        say!(
            lang,
            "From whom you obtained the data: name, address, contact",
            "当該情報の入手先(氏名又は名称、住所、連絡先)"
        )
        .into(),
        say!(
            lang,
            "On which date, and in which form",
            "入手の年月日及び媒体・方法"
        )
        .into(),
        say!(
            lang,
            "For which price, and under which contract",
            "対価及び契約の内容"
        )
        .into(),
        say!(
            lang,
            "To whom you have passed the data on, when, and for what",
            "当該情報を提供された相手方、年月日及び目的"
        )
        .into(),
        say!(
            lang,
            "How you have used them, and how many people you have contacted",
            "利用の目的、方法及びご連絡された人数"
        )
        .into(),
    ]
}

fn requests(lang: Lang) -> Vec<Text> {
    vec![
        say!(
            lang,
            "Not to use the data, and not to pass them on, until the matter is cleared up",
            "経緯が明らかになるまで、当該情報の利用及び第三者への提供を控えていただくこと"
        )
        .into(),
        say!(
            lang,
            "To preserve the data as obtained, and all contracts, invoices, messages and records about them; please do not delete them",
            "入手された情報の原本並びに関係する契約書、請求書、通信及び記録を、削除せずに保全していただくこと"
        )
        .into(),
        say!(
            lang,
            "To let us have a copy of the records, as far as the law allows",
            "法令の許す範囲で、関係記録の写しをご提供いただくこと"
        )
        .into(),
    ]
}

fn tail(facts: &Facts, lang: Lang) -> Vec<Block> {
    let (by, contact, counsel) = (
        facts.answer_by(lang),
        facts.contact(lang),
        facts.counsel(lang),
    );
    vec![
        Block::Para(
            say!(
                lang,
                "Where Japanese law applies, whoever receives personal data from a third party confirms who provides them and how they were obtained, and keeps a record (APPI Article 30); the people concerned may ask for disclosure of records of provision (Article 33(5)) and, where its conditions are met, that use or provision be stopped (Article 35). These are their rights and not ours: we ask you for a voluntary answer, and for readiness for such requests.",
                "個人情報の保護に関する法律は、個人データの提供を受ける事業者に対し、提供者及びその取得の経緯の確認並びに記録の作成を求めております(第30条)。また、本人は、第三者提供に係る記録の開示(第33条第5項)及び、要件を満たす場合には利用停止等(第35条)を請求することができます。これらの請求は本人の権利であって、当社が行使するものではございません。本書は貴社の任意のご回答をお願いするものですが、本人から請求があった場合には適切なご対応をお願いいたします。"
            )
            .into(),
        ),
        Block::Para(
            say!(
                lang,
                "We would be grateful for an answer by {by}. It reaches us at: {contact}",
                "お手数ですが、{by}までに下記宛てご回答くださいますようお願い申し上げます。"
            )
            .into(),
        ),
        Block::Para(
            say!(lang, "Yours faithfully,", "敬具").into(),
        ),
        Block::Facts(vec![
            (say!(lang, "Contact", "ご回答先"), contact.into()),
            (say!(lang, "Counsel", "担当弁護士"), counsel.into()),
        ]),
    ]
}
