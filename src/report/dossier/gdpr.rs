//! Draft of the notification to a supervisory authority under GDPR Article 33.

use super::case::Case;
use super::deadline::Rule;
use super::facts::Facts;
use super::words;
use crate::report::page::{Block, Page, Text, blank};
use crate::report::{Lang, say};

pub(super) fn page(case: &Case, facts: &Facts, lang: Lang) -> Page {
    let mut blocks = vec![
        Block::Facts(vec![
            (say!(lang, "To", "提出先"), facts.eu_authority(lang).into()),
            (say!(lang, "Controller", "管理者"), facts.organisation(lang).into()),
            (say!(lang, "Address", "所在地"), facts.address(lang).into()),
            (say!(lang, "Aware since", "侵害を知った時点"), words::known(case, lang).into()),
        ]),
        Block::Heading(say!(lang, "Timing, Article 33(1)", "時期(第33条第1項)")),
        words::deadline_table(case, lang, &[Rule::Gdpr72]),
        Block::Note(
            say!(
                lang,
                "The 72 hours are counted as hours from the moment above, over weekends and holidays. From which moment the controller was aware is counsel's to decide.",
                "72時間は上記の時点から時間単位で数え、土日祝日を除かない。管理者がいつ侵害を知ったかは弁護士が判断する。"
            )
            .into(),
        ),
        Block::Para(late(case, lang)),
        Block::Heading(say!(lang, "(a) Nature of the breach", "(a) 侵害の性質")),
    ];
    blocks.extend(nature(case, facts, lang).into_iter().map(Block::Para));
    let (dpo, contact) = (facts.dpo(lang), facts.contact(lang));
    blocks.extend([
        Block::Heading(say!(lang, "(b) Contact point", "(b) 連絡先")),
        Block::Para(say!(lang, "Data protection officer: {dpo}", "データ保護責任者: {dpo}").into()),
        Block::Para(say!(lang, "Other contact point: {contact}", "その他の連絡先: {contact}").into()),
        Block::Heading(say!(lang, "(c) Likely consequences", "(c) 予想される結果")),
        Block::Para(facts.harm(lang).into()),
        Block::Para(consequences(case, lang)),
        Block::Heading(say!(
            lang,
            "(d) Measures taken or proposed",
            "(d) 講じた措置又は講じようとする措置"
        )),
        Block::Para(measure(lang, say!(lang, "To address the breach", "侵害への対処"), facts.prevention(lang))),
        Block::Para(measure(lang, say!(lang, "To mitigate its effects on the people concerned", "本人への影響の軽減"), facts.response(lang))),
        Block::Heading(say!(lang, "What follows, Article 33(4)", "追って提供する情報(第33条第4項)")),
        Block::Para(
            say!(
                lang,
                "This notification is made in phases. What is left blank, and the following, is provided without undue further delay:",
                "本通知は段階的に行う。空欄の事項及び次の事項は、判明次第、不当に遅滞することなく提供する。"
            )
            .into(),
        ),
        Block::List(words::unknown(case, lang)),
        Block::Note(
            say!(
                lang,
                "Whether Article 33 applies, which authority is competent, and whether the people concerned have to be told under Article 34, is counsel's to decide. The dossier and its evidence log serve as documentation under Article 33(5).",
                "第33条の適用の有無、管轄の監督機関及び第34条による本人への連絡の要否は弁護士が判断する。第33条第5項の記録には、調書及び証拠記録を充てることができる。"
            )
            .into(),
        ),
    ]);
    let title = say!(
        lang,
        "Notification under GDPR Article 33 (draft)",
        "GDPR第33条に基づく個人データ侵害の通知(案)"
    );
    words::draft(lang, title, words::reference(case, lang), blocks)
}

fn late(case: &Case, lang: Lang) -> Text {
    let why = blank(say!(lang, "reasons for the delay", "遅延の理由"));
    match case.deadline(Rule::Gdpr72).passed {
        true => say!(
            lang,
            "The 72 hours have passed. The notification has to be accompanied by reasons for the delay: {why}",
            "72時間を経過している。通知には遅延の理由を付さなければならない: {why}"
        ),
        false => say!(
            lang,
            "If it is made after these 72 hours, reasons for the delay accompany it: {why}",
            "72時間を過ぎて通知する場合は、遅延の理由を付す: {why}"
        ),
    }
    .into()
}

fn nature(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let (fields, database) = (words::fields(case, lang), facts.database(lang));
    let eu = facts.eu_people(lang);
    let mut lines =
        vec![
        words::noticed(case, lang).into(),
        say!(
            lang,
            "Kind of breach: loss of confidentiality (unauthorised disclosure of personal data).",
            "侵害の種類: 機密性の喪失(個人データの不正な開示)"
        )
        .into(),
        say!(
            lang,
            "Categories of data subjects: customers registered in {database}.",
            "本人の種類: {database}に登録された顧客"
        )
        .into(),
        say!(lang, "Categories of personal data: {fields}.", "個人データの種類: {fields}").into(),
        say!(
            lang,
            "Approximate number of data subjects in the Union: {eu}",
            "EU域内の本人のおおよその数: {eu}"
        )
        .into(),
        say!(
            lang,
            "Approximate number of data subjects and of records in all:",
            "本人及び記録のおおよその総数:"
        )
        .into(),
    ];
    lines.extend(words::people(case, facts, lang));
    lines
}

fn consequences(case: &Case, lang: Lang) -> Text {
    let ways = words::channels(lang, &case.channels());
    if case.contacts() == 0 && case.reports() > 0 {
        return say!(
            lang,
            "Customers report contacts by firms that they had never dealt with; whether the data are being used is not known.",
            "取引のない事業者から接触を受けたとの申告が顧客からあるが、データが利用されているかは判明していない。"
        )
        .into();
    }
    if case.sightings.is_empty() {
        return say!(
            lang,
            "No use of the data is on record.",
            "データの利用は記録されていない。"
        )
        .into();
    }
    say!(
        lang,
        "The data are being used: third parties make contact by {ways}. People concerned may be approached in the same way, and by others to whom the data are passed on.",
        "データは現に利用されており、第三者から{ways}による接触が行われている。本人も同様の接触を受け、データがさらに他の者に渡るおそれがある。"
    )
    .into()
}

fn measure(lang: Lang, what: String, said: String) -> Text {
    match lang {
        Lang::En => format!("{what}: {said}"),
        Lang::Ja => format!("{what}: {said}"),
    }
    .into()
}
