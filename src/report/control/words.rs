//! Words that several sections say.

use time::OffsetDateTime;

use crate::canary::{Channel, IncidentState, SightingKind};
use crate::report::page::{Block, Column, Table, Text, foreign};
use crate::report::{Lang, say, when};

/// More lines than this nobody reads on paper; the JSON document has them all.
const PRINTED: usize = 150;

/// A channel's name.
pub fn channel(lang: Lang, channel: Channel) -> &'static str {
    match (lang, channel) {
        (Lang::En, Channel::Mail) => "mail",
        (Lang::En, Channel::Phone) => "telephone",
        (Lang::En, Channel::Sms) => "text message",
        (Lang::En, Channel::Post) => "post",
        (Lang::En, Channel::Login) => "log-in",
        (Lang::En, Channel::Report) => "customer's report",
        (Lang::Ja, Channel::Mail) => "メール",
        (Lang::Ja, Channel::Phone) => "電話",
        (Lang::Ja, Channel::Sms) => "SMS",
        (Lang::Ja, Channel::Post) => "郵便",
        (Lang::Ja, Channel::Login) => "ログイン",
        (Lang::Ja, Channel::Report) => "顧客からの申告",
    }
}

/// What a sighting says.
pub fn kind(lang: Lang, kind: SightingKind) -> &'static str {
    match (lang, kind) {
        (Lang::En, SightingKind::Alarm) => "alarm",
        (Lang::En, SightingKind::Probe) => "probe",
        (Lang::En, SightingKind::Expected) => "expected",
        (Lang::En, SightingKind::Drill) => "drill",
        (Lang::En, SightingKind::Noise) => "noise",
        (Lang::Ja, SightingKind::Alarm) => "警報",
        (Lang::Ja, SightingKind::Probe) => "探索",
        (Lang::Ja, SightingKind::Expected) => "想定内",
        (Lang::Ja, SightingKind::Drill) => "訓練",
        (Lang::Ja, SightingKind::Noise) => "無関係",
    }
}

/// Where an incident is.
pub fn state(lang: Lang, state: IncidentState) -> &'static str {
    match (lang, state) {
        (Lang::En, IncidentState::Open) => "open",
        (Lang::En, IncidentState::Confirmed) => "confirmed",
        (Lang::En, IncidentState::Closed) => "closed",
        (Lang::Ja, IncidentState::Open) => "未判定",
        (Lang::Ja, IncidentState::Confirmed) => "漏えいと確認",
        (Lang::Ja, IncidentState::Closed) => "終結",
    }
}

/// A number and its noun.
pub fn count(lang: Lang, number: u64, one: &str, many: &str, ja: &str) -> String {
    let digits = when::thousands(number);
    match (lang, number) {
        (Lang::Ja, _) => format!("{digits}{ja}"),
        (Lang::En, 1) => format!("{digits} {one}"),
        (Lang::En, _) => format!("{digits} {many}"),
    }
}

/// Names behind each other; of many only the first.
pub fn names(lang: Lang, names: &[String]) -> String {
    const SHOWN: usize = 6;
    let between = match lang {
        Lang::En => ", ",
        Lang::Ja => "、",
    };
    let shown: Vec<String> = names.iter().take(SHOWN).map(|one| foreign(one)).collect();
    let shown = shown.join(between);
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => say!(lang, "{shown} and {more} more", "{shown} ほか{more}件"),
    }
}

/// The channels' names, one after the other.
pub fn channels(lang: Lang, channels: &[Channel]) -> String {
    let each = channels.iter().map(|one| channel(lang, *one).to_owned());
    names(lang, &each.collect::<Vec<_>>())
}

/// A minute in a table, where the clock is not said again in each line.
pub fn moment(lang: Lang, at: OffsetDateTime) -> String {
    let minute = when::minute_at(lang, at, when::clock(lang).0, "");
    minute.trim_end().to_owned()
}

/// What stands for nothing.
pub fn none(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "none",
        Lang::Ja => "なし",
    }
}

/// The table, and a note if not all of it is printed.
pub fn table(
    lang: Lang,
    columns: Vec<Column>,
    mut rows: Vec<Vec<Text>>,
    empty: String,
) -> Vec<Block> {
    let all = rows.len();
    rows.truncate(PRINTED);
    let mut blocks = vec![Block::Table(Table {
        columns,
        rows,
        empty,
    })];
    if all > PRINTED {
        let all = when::thousands(all as u64);
        blocks.push(Block::Note(
            say!(
                lang,
                "The first {PRINTED} of {all} lines; the report as .json has all of them.",
                "全{all}行のうち先頭の{PRINTED}行。JSON形式の報告書には全行を収める。"
            )
            .into(),
        ));
    }
    blocks
}

/// A share of rows as a percentage that is never rounded down to nothing.
pub fn share(share: f64) -> String {
    if share > 0.0 && share < 0.0001 {
        return "<0.01%".to_owned();
    }
    when::percent(share)
}
