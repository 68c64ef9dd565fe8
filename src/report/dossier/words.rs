//! What several documents say, said once.

use time::OffsetDateTime;

use super::case::{Actor, Case, Seen, Trace};
use super::deadline::{Rule, offset};
use super::facts::Facts;
use crate::canary::{Channel, IncidentState};
use crate::evidence::TracedSource;
use crate::notation::Role;
use crate::report::page::{Block, Column, Page, Table, Text, blank, foreign};
use crate::report::when::{self, minute, percent, thousands};
use crate::report::{Lang, say, weight};

/// A document's frame: it says on every page that it is a draft.
pub(super) fn draft(lang: Lang, title: String, subtitle: String, blocks: Vec<Block>) -> Page {
    let footer = say!(
        lang,
        "DRAFT for counsel, not to be sent or filed · {title}",
        "弁護士確認用草案・提出発送不可 · {title}"
    );
    Page {
        lang,
        title,
        subtitle,
        banner: Some(say!(
            lang,
            "DRAFT for review by counsel. It is not to be sent or filed as it stands. What stands in marked brackets is not known here: a person fills it in or strikes it out.",
            "弁護士確認用の草案です。このまま提出・発送しないでください。括弧付きの下線部は判明していない事項です。担当者が記入するか、削除してください。"
        )),
        blocks,
        footer,
    }
}

/// The subtitle of documents that stay in the house or go to an authority.
pub(super) fn reference(case: &Case, lang: Lang) -> String {
    let (incident, source) = (case.incident, &case.source);
    let made = minute(lang, case.made_at);
    say!(
        lang,
        "Incident {incident}, source {source}. State of knowledge: {made}",
        "インシデント{incident} データベース: {source} {made}時点"
    )
}

/// So many of something, in English.
pub(super) fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// A stranger's or an operator's text, safe and no longer than so many characters.
pub(super) fn clip(text: &str, most: usize) -> String {
    let text = foreign(text);
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The same by width: a Japanese letter is as wide as two others.
pub(super) fn fit(text: &str, halves: usize) -> String {
    let text = foreign(text);
    let mut used = 0;
    let end = text.char_indices().find(|(_, letter)| {
        used += if *letter >= '\u{1100}' { 2 } else { 1 };
        used > halves
    });
    match end {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Names in a row: `a, b`, `a、b`.
pub(super) fn list(lang: Lang, names: &[String]) -> String {
    names.join(match lang {
        Lang::En => ", ",
        Lang::Ja => "、",
    })
}

/// A way by which something came.
pub(super) fn channel(lang: Lang, channel: Channel) -> String {
    match channel {
        Channel::Mail => say!(lang, "e-mail", "電子メール"),
        Channel::Phone => say!(lang, "telephone call", "電話"),
        Channel::Sms => say!(lang, "text message", "SMS"),
        Channel::Post => say!(lang, "letter", "郵便"),
        Channel::Login => say!(lang, "log-in attempt", "ログイン試行"),
        Channel::Report => say!(lang, "customer's report", "顧客からの申告"),
    }
}

/// All ways, in a row.
pub(super) fn channels(lang: Lang, ways: &[Channel]) -> String {
    let names: Vec<String> = ways.iter().map(|way| channel(lang, *way)).collect();
    list(lang, &names)
}

/// An incident's state.
pub(super) fn state(lang: Lang, state: IncidentState) -> String {
    match state {
        IncidentState::Open => say!(
            lang,
            "open, not yet judged by a person",
            "未確認(担当者の判断前)"
        ),
        IncidentState::Confirmed => say!(lang, "confirmed as a leak", "漏えいと確認済み"),
        IncidentState::Closed => say!(lang, "closed", "終了"),
    }
}

/// The personal data in the table, each kind once; a blank if the table is not understood.
pub(super) fn fields(case: &Case, lang: Lang) -> String {
    let unknown = || blank(say!(lang, "kinds of personal data", "個人データの項目"));
    let Some(fields) = &case.fields else {
        return unknown();
    };
    let mut names: Vec<String> = Vec::new();
    for name in fields.roles.iter().filter_map(|role| kind(lang, *role)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.is_empty() {
        true => unknown(),
        false => list(lang, &names),
    }
}

/// What a person calls a column of that meaning; `None` where it says nothing about a person.
fn kind(lang: Lang, role: Role) -> Option<String> {
    use Role::*;
    Some(match role {
        Name | FamilyName | GivenName => say!(lang, "name", "氏名"),
        NameKana | FamilyNameKana | GivenNameKana => {
            say!(lang, "reading of the name", "氏名のフリガナ")
        }
        ChildName | ChildFamilyName | ChildGivenName => say!(lang, "child's name", "お子様の氏名"),
        ChildNameKana | ChildFamilyNameKana | ChildGivenNameKana => {
            say!(
                lang,
                "reading of the child's name",
                "お子様の氏名のフリガナ"
            )
        }
        Postcode => say!(lang, "postcode", "郵便番号"),
        Address | Address1 | Address2 | Region | City | Town | Street | Block | Building => {
            say!(lang, "postal address", "住所")
        }
        AddressKana => say!(lang, "reading of the address", "住所のフリガナ"),
        Phone | Mobile => say!(lang, "telephone number", "電話番号"),
        Email => say!(lang, "e-mail address", "メールアドレス"),
        BirthDate => say!(lang, "date of birth", "生年月日"),
        ChildBirthDate => say!(lang, "child's date of birth", "お子様の生年月日"),
        Age => say!(lang, "age", "年齢"),
        Sex => say!(lang, "sex", "性別"),
        ChildSex => say!(lang, "child's sex", "お子様の性別"),
        Code => say!(lang, "customer number", "顧客番号"),
        Id | CreatedAt | UpdatedAt | Other | Skip => return None,
    })
}

/// How many people: what the operator says, else a blank; then what is known of it.
pub(super) fn people(case: &Case, facts: &Facts, lang: Lang) -> Vec<Text> {
    let mut lines = vec![facts.people(lang).into()];
    if let Some((_, found)) = case.best() {
        let [estimate, low, high] = found.rows.map(thousands);
        let level = percent(found.level);
        lines.push(
            say!(
                lang,
                "Estimate from the list that was traced: {estimate} rows of this database ({level} interval: {low} to {high}). Rows are not people; other copies may hold more.",
                "入手した名簿に基づく推計: 当該データベースの{estimate}件({level}信頼区間: {low}件から{high}件)。件数は人数と一致するとは限らず、これより多い複製が存在する可能性がある。"
            )
            .into(),
        );
    }
    lines.push(match case.customers() {
        Some(customers) => {
            let customers = thousands(customers);
            say!(
                lang,
                "At most: the table held {customers} customer rows when canaries were last planted.",
                "最大数の目安: 検知用データを最後に登録した時点で、当該テーブルには顧客{customers}件が登録されていた。"
            )
            .into()
        }
        None => say!(
            lang,
            "The size of the table is not recorded here.",
            "当該テーブルの登録件数は記録されていない。"
        )
        .into(),
    });
    lines
}

/// When the data were taken, as far as it can be told.
pub(super) fn taken(case: &Case, lang: Lang) -> Option<String> {
    if let Some((trace, found)) = case.best() {
        let (from, until) = (
            minute(lang, found.not_before),
            minute(lang, found.not_after.unwrap_or(trace.at)),
        );
        let probability = sure(lang, found.window_probability);
        return Some(say!(
            lang,
            "between {from} and {until} (probability {probability}, from the canaries that the list holds and lacks)",
            "{from}から{until}までの間(確率{probability}。名簿に含まれる検知用データと含まれない検知用データから算出)"
        ));
    }
    let (batch, seen) = newest_reached(case)?;
    let (from, until) = (minute(lang, batch), minute(lang, seen));
    Some(say!(
        lang,
        "between {from} and {until} (planting of the newest canaries reached, and the first contact with them)",
        "{from}から{until}までの間(接触のあった検知用データのうち最も新しいものの登録時から、それへの最初の接触まで)"
    ))
}

/// The planting of the newest batch that was reached, and its first sighting.
fn newest_reached(case: &Case) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let reached = case.sightings.iter().filter_map(|seen| {
        let batch = seen.batch.as_ref()?;
        let planted = case.batches.iter().find(|known| known.batch == *batch)?;
        Some((planted.planted_at, seen.at))
    });
    reached.max_by_key(|(planted, seen)| (*planted, std::cmp::Reverse(*seen)))
}

/// What led to knowledge, for a reader who may know about canaries.
pub(super) fn noticed(case: &Case, lang: Lang) -> String {
    let ways = channels(lang, &case.channels());
    let (first, last) = (minute(lang, case.opened_at), minute(lang, case.last_at));
    let (sightings, canaries) = (case.contacts(), reached(case));
    let contacts = count(sightings, "contact");
    let source = &case.source;
    let mut text = match sightings {
        0 => say!(
            lang,
            "No contact with the decoy records of database {source} is on record.",
            "データベース「{source}」の検知用データに対する接触の記録はない。"
        ),
        _ => say!(
            lang,
            "Decoy records (customers who do not exist) are kept in database {source} and nowhere else. From {first} to {last}, {contacts} by {ways} reached {canaries} of them, which nobody had a reason to make.",
            "データベース「{source}」には、実在しない顧客の登録(検知用データ)を当該データベースに限って置いている。{first}から{last}までの間に、{ways}による接触{sightings}件が検知用データ{canaries}件に対してあった。これらに正当な理由で連絡する者は存在しない。"
        ),
    };
    if case.reports() > 0 {
        let reports = count(case.reports(), "customer");
        let told = say!(
            lang,
            " From {first} to {last}, {reports} reported contacts by firms that they had never dealt with; these did not reach decoy records.",
            "また、{first}から{last}までの間に、取引のない事業者から接触を受けたとの申告が顧客から{reports}件あった(検知用データに対する接触ではない)。",
            reports = match lang {
                Lang::En => reports,
                Lang::Ja => case.reports().to_string(),
            },
        );
        text.push_str(&told);
    }
    if lang == Lang::En && !case.traces.is_empty() {
        text.push(' ');
    }
    text + &traced(case, lang)
}

/// What the traces came to, in one sentence.
fn traced(case: &Case, lang: Lang) -> String {
    let count = case.traces.len();
    let lists = self::count(count, "list");
    match case.best() {
        Some((trace, found)) => finding(trace, found, lang),
        None if case.named() => say!(
            lang,
            "A list that was examined was attributed to this database; its numbers were not recorded.",
            "調査した名簿は当該データベースに由来すると判定されたが、数値は記録されていない。"
        ),
        None if count > 0 => say!(
            lang,
            "{lists} examined; none was attributed to this database.",
            "名簿{count}件を調査したが、当該データベースに由来すると判定されたものはない。"
        ),
        None => String::new(),
    }
}

/// A trace's finding with its numbers.
pub(super) fn finding(trace: &Trace, found: &TracedSource, lang: Lang) -> String {
    let (at, hits, live) = (minute(lang, trace.at), found.found, found.live);
    let (ratio, support) = (
        format!("{:.1}", found.log10_lr),
        support(lang, &found.support),
    );
    let chance = chance(lang, trace.false_accusation_probability);
    let source = &found.source;
    if trace.names_source {
        say!(
            lang,
            "A list traced on {at} holds {hits} of {live} canaries and was attributed to {source}: {support} (log10 likelihood ratio {ratio}); the probability that an innocent source is named is at most {chance}.",
            "{at}に調査した名簿には検知用データ{live}件のうち{hits}件が含まれており、「{source}」に由来すると判定された({support}、対数尤度比(常用対数){ratio})。無関係なデータベースを誤って名指しする確率は{chance}以下である。"
        )
    } else {
        say!(
            lang,
            "A list traced on {at} holds {hits} of {live} canaries of {source}, which is not enough to attribute it: {support} (log10 likelihood ratio {ratio}).",
            "{at}に調査した名簿には「{source}」の検知用データ{live}件のうち{hits}件が含まれていたが、由来を判定するには足りない({support}、対数尤度比(常用対数){ratio})。"
        )
    }
}

/// The ENFSI scale's words.
pub(super) fn support(lang: Lang, english: &str) -> String {
    clip(weight::support(lang, english), 40)
}

/// The verdict from what came in, and what each channel says to it.
pub(super) fn weighed(case: &Case, lang: Lang) -> String {
    match &case.weight {
        Some(weight) => weight::line(lang, weight),
        None => say!(lang, "not weighed", "未評価"),
    }
}

/// A bound on a probability, as a power of ten that is no smaller.
pub(super) fn chance(lang: Lang, probability: f64) -> String {
    // A bound that is a power of ten itself must not slip by a rounding.
    let power = (-probability.max(1e-300).log10() + 1e-9).floor();
    if power < 3.0 {
        return percent(probability.clamp(0.0, 1.0));
    }
    say!(lang, "10^-{power:.0}", "10のマイナス{power:.0}乗")
}

/// A probability near one is not said to be one.
pub(super) fn sure(lang: Lang, probability: f64) -> String {
    match probability > 0.999 {
        true => say!(lang, "above 99.9%", "99.9%超"),
        false => percent(probability),
    }
}

/// A verdict.
pub(super) fn verdict(lang: Lang, verdict: &str) -> String {
    match verdict {
        "attributed" => say!(lang, "attributed", "由来を判定"),
        "inconclusive" => say!(lang, "inconclusive", "判定できず"),
        "no_canary" => say!(lang, "no canary found", "検知用データなし"),
        other => clip(other, 40),
    }
}

/// How many different canaries were reached.
pub(super) fn reached(case: &Case) -> usize {
    let mut ids: Vec<&str> = case
        .sightings
        .iter()
        .filter_map(|s| s.canary.as_deref())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

/// A canary by its id; a number that several share reaches none alone.
pub(super) fn canary(lang: Lang, id: Option<&str>) -> String {
    match id {
        Some(id) => clip(id, 60),
        None => say!(lang, "(one of several)", "(複数のいずれか)"),
    }
}

/// A sender as shown, or that it is withheld.
pub(super) fn sender(lang: Lang, from: Option<&str>, most: usize) -> String {
    match from.map(|from| clip(from, most)) {
        None => withheld(lang),
        Some(from) if from.trim().is_empty() => say!(lang, "(not given)", "(表示なし)"),
        Some(from) => from,
    }
}

/// In the place of a text that names a canary.
pub(super) fn withheld(lang: Lang) -> String {
    say!(
        lang,
        "(withheld: it names a canary; see the message)",
        "(検知用データの内容を含むため省略。原本参照)"
    )
}

/// A sighting in a line: who, and what they said it is.
pub(super) fn seen(lang: Lang, seen: &Seen, most: usize) -> String {
    let from = sender(lang, seen.from.as_deref(), most);
    match seen.summary.as_deref().map(|summary| clip(summary, most)) {
        None => format!("{from} · {}", withheld(lang)),
        Some(summary) if summary.trim().is_empty() => from,
        Some(summary) => format!("{from} · {summary}"),
    }
}

/// The table of senders, the busiest first.
pub(super) fn actors(lang: Lang, actors: &[Actor], most: usize, chars: usize) -> Block {
    let row = |actor: &Actor| {
        vec![
            match actor.from.as_deref() {
                Some(from) => sender(lang, Some(&fit(from, chars)), usize::MAX),
                None => withheld(lang),
            }
            .into(),
            channels(lang, &actor.channels).into(),
            actor.sightings.to_string().into(),
            actor.canaries.to_string().into(),
            when::day(lang, actor.first_at).into(),
            when::day(lang, actor.last_at).into(),
        ]
    };
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "As the message says", "表示された発信者"), 4.0),
            Column::text(say!(lang, "By", "手段"), 2.0),
            Column::number(say!(lang, "Contacts", "接触"), 1.2),
            Column::number(say!(lang, "Canaries", "対象"), 1.2),
            Column::text(say!(lang, "First", "最初"), 1.9),
            Column::text(say!(lang, "Last", "最後"), 1.9),
        ],
        rows: actors.iter().take(most).map(row).collect(),
        empty: say!(lang, "Nobody has made a contact.", "接触した者はない。"),
    })
}

/// What is not known, plainly.
pub(super) fn unknown(case: &Case, lang: Lang) -> Vec<Text> {
    let mut list = vec![
        say!(
            lang,
            "Who took the data, and how. Decoy records tell where data come from, and nobody's access to the database: the database's own access logs have to be secured and read.",
            "データを持ち出した者とその方法。本システムは検知用データを監視するもので、データベースへの操作は記録しない。データベース側のアクセス記録を保全し、調べる必要がある。"
        ),
        say!(
            lang,
            "Who the senders are. Sender addresses and caller numbers are what the messages say of themselves; nothing authenticates them.",
            "発信者が何者か。差出人や発信番号は通信に表示されたもので、真正であることは確かめられていない。"
        ),
        say!(
            lang,
            "Whether there are further copies, and who holds them.",
            "ほかに複製があるか、それを誰が持っているか。"
        ),
    ];
    if case.best().is_none() {
        list.push(say!(
            lang,
            "How much of the database leaked. No list has been traced that gives an estimate; a list, once obtained, can be examined.",
            "データベースのうちどれだけが漏えいしたか。推計の根拠となる名簿はまだ調査していない(入手した場合は調査できる)。"
        ));
    }
    if taken(case, lang).is_none() {
        list.push(say!(
            lang,
            "When the data were taken.",
            "データが持ち出された時期。"
        ));
    }
    match &case.fields {
        None => list.push(say!(
            lang,
            "Which personal data the table holds: its mapping does not read.",
            "テーブルに含まれる個人データの項目(列の対応付けを読み取れない)。"
        )),
        Some(fields) if fields.unclear > 0 => {
            let count = fields.unclear;
            let columns = self::count(count, "further column");
            list.push(say!(
                lang,
                "What is in {columns} of the table whose meaning nobody has said.",
                "テーブルのその他の列{count}列の内容(意味が登録されていない)。"
            ));
        }
        Some(_) => {}
    }
    list.into_iter().map(Text::from).collect()
}

/// The moment of knowledge, and whose word it is.
pub(super) fn known(case: &Case, lang: Lang) -> String {
    let at = both(case, lang);
    match case.known_at_said {
        true => say!(lang, "{at} (as stated)", "{at}(申告による)"),
        false => say!(
            lang,
            "{at} (assumed: the incident's opening, that is the first contact; counsel decides when the leak was known)",
            "{at}(仮定: インシデントの発生記録、すなわち最初の接触の時点。いつ「知った」かは弁護士が判断する)"
        ),
    }
}

/// The moment of knowledge on Japan's clock and on UTC.
fn both(case: &Case, lang: Lang) -> String {
    let jst = when::minute_at(lang, case.known_at, when::JST, "JST");
    let utc = when::minute_at(lang, case.known_at, time::UtcOffset::UTC, "UTC");
    let local = case.known_at.offset();
    if local == when::JST || local.is_utc() {
        format!("{jst} = {utc}")
    } else {
        let there = when::minute_at(lang, case.known_at, local, &offset(local));
        format!("{jst} = {utc} = {there}")
    }
}

/// The table of these deadlines.
pub(super) fn deadline_table(case: &Case, lang: Lang, rules: &[Rule]) -> Block {
    let row = |rule: &Rule| {
        let deadline = case.deadline(*rule);
        let standing = match deadline.passed {
            true => Text::strong(deadline.standing(lang)),
            false => deadline.standing(lang).into(),
        };
        vec![
            self::rule(lang, *rule).into(),
            deadline.end(lang, case.known_at.offset()).into(),
            deadline.careful(lang).into(),
            standing,
        ]
    };
    Block::Table(Table {
        columns: vec![
            Column::text(say!(lang, "What", "事項"), 3.2),
            Column::text(say!(lang, "Until", "期限"), 3.3),
            Column::text(say!(lang, "Careful day", "安全側の日"), 2.5),
            Column::text(say!(lang, "Now", "現在"), 1.9),
        ],
        rows: rules.iter().map(row).collect(),
        empty: String::new(),
    })
}

/// What a deadline is for.
pub(super) fn rule(lang: Lang, rule: Rule) -> String {
    match rule {
        Rule::AppiPrompt3 => say!(
            lang,
            "APPI prompt report, 3 days",
            "速報(知ってから概ね3日)"
        ),
        Rule::AppiPrompt5 => say!(
            lang,
            "APPI prompt report, 5 days",
            "速報(知ってから概ね5日)"
        ),
        Rule::AppiFinal30 => say!(lang, "APPI final report, 30 days", "確報(30日以内)"),
        Rule::AppiFinal60 => say!(
            lang,
            "APPI final report, 60 days (Rules Art. 7(iii): wrongful purpose)",
            "確報(60日以内。規則第7条第3号の場合)"
        ),
        Rule::Gdpr72 => say!(
            lang,
            "GDPR Art. 33 notification, 72 hours",
            "GDPR第33条の通知(72時間以内)"
        ),
    }
}

/// How Japanese days are counted.
pub(super) fn counting(lang: Lang) -> Text {
    say!(
        lang,
        "Days are counted on Japan's clock. The day of knowledge is not counted (Civil Code Art. 140; it counts where the period begins exactly at midnight), and the last day counts to its end. The careful day is one day earlier: it is the last day if the day of knowledge is taken for the first, as an authority may do; keep to it. A last day on a weekend or over the year's end is named and not extended, and public holidays are not looked up: counsel decides.",
        "日数は日本時間で数える。知った日は算入せず(民法第140条。ただし午前零時ちょうどに知ったときは算入する)、末日の終了をもって満了とする。「安全側の日」はその前日で、知った日を1日目と数えた場合の末日である。監督機関がこの数え方をとることがあるため、この日までに提出する。末日が土日又は年末年始に当たる場合は曜日等を示すにとどめ、延長していない。祝日は調べていない。延長の有無は弁護士が判断する。"
    )
    .into()
}

/// What the data come from.
pub(super) fn law(lang: Lang) -> Text {
    say!(
        lang,
        "Made from the wording of APPI Article 26 and Articles 7 and 8 of its Enforcement Rules. Whether they apply, and whether they have been amended, is counsel's to check; the filing itself is made on the Commission's form.",
        "個人情報の保護に関する法律第26条並びに同法施行規則第7条及び第8条の文言に沿って作成した。適用の有無及びその後の改正の有無は弁護士が確認する。実際の報告は個人情報保護委員会所定の様式による。"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_made_smaller_than_it_is() {
        assert_eq!(chance(Lang::En, 1e-12), "10^-12");
        assert_eq!(chance(Lang::En, 3e-7), "10^-6");
        assert_eq!(chance(Lang::Ja, 1e-6), "10のマイナス6乗");
        assert_eq!(chance(Lang::En, 0.05), "5.00%");
        assert_eq!(chance(Lang::En, 0.0), "10^-300");
        assert_eq!(sure(Lang::En, 0.999_999), "above 99.9%");
        assert_eq!(sure(Lang::En, 0.97), "97%");
    }

    #[test]
    fn a_strangers_text_is_cut_between_letters() {
        assert_eq!(clip("囮囮囮", 2), "囮囮…");
        assert_eq!(clip("囮囮", 2), "囮囮");
        assert_eq!(fit("囮a囮", 4), "囮a…");
        assert_eq!(fit("囮a囮", 5), "囮a囮");
        assert_eq!(clip("a\u{202e}b⟦c⟧\n", 9), "ab[c]");
    }
}
