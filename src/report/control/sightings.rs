//! What came in, what it added up to, and who was told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use time::{Date, Duration, OffsetDateTime};

use super::words;
use super::{Control, Gathered};
use crate::canary::{Channel, IncidentState, SightingKind};
use crate::evidence::Act;
use crate::report::figure::{Anchor, Figure, Ink};
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, weight, when};
use crate::weigh::{Verdict, Weight};

const KINDS: [(SightingKind, Ink); 5] = [
    (SightingKind::Alarm, Ink::Alarm),
    (SightingKind::Probe, Ink::Doubt),
    (SightingKind::Drill, Ink::Calm),
    (SightingKind::Expected, Ink::Pale),
    (SightingKind::Noise, Ink::Light),
];
const CHANNELS: [Channel; 6] = [
    Channel::Mail,
    Channel::Phone,
    Channel::Sms,
    Channel::Post,
    Channel::Login,
    Channel::Report,
];

/// Sightings of the period, counted.
#[derive(Debug, Serialize)]
pub struct Sightings {
    /// All of them.
    pub total: usize,
    /// By channel and kind.
    pub counts: Vec<SightingCount>,
    /// Over time.
    pub over_time: Vec<Bucket>,
}

/// How many of one kind came by one channel.
#[derive(Debug, Serialize)]
pub struct SightingCount {
    /// By which way.
    pub channel: Channel,
    /// What they say.
    pub kind: SightingKind,
    /// How many.
    pub sightings: usize,
}

/// Days, and what came in on them.
#[derive(Debug, Serialize)]
pub struct Bucket {
    /// The first day.
    #[serde(serialize_with = "day")]
    pub from: Date,
    /// The last day.
    #[serde(serialize_with = "day")]
    pub to: Date,
    /// Sightings by kind.
    pub sightings: BTreeMap<&'static str, usize>,
}

fn day<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&when::date(Lang::En, *date))
}

/// An incident that the period has seen.
#[derive(Debug, Serialize)]
pub struct IncidentLine {
    /// Its number.
    pub id: i64,
    /// The source.
    pub source: String,
    /// Its state when the report was made.
    pub state: IncidentState,
    /// First sighting.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// Latest sighting.
    #[serde(with = "time::serde::rfc3339")]
    pub last_at: OffsetDateTime,
    /// Sightings in it.
    pub sightings: u64,
    /// Different canaries among them.
    pub canaries: u64,
    /// How much better a leak explains what came than chance does.
    pub weight: Option<Weight>,
}

/// A list that was examined.
#[derive(Debug, Serialize)]
pub struct TraceLine {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom.
    pub by: String,
    /// SHA-256 of the list in hexadecimal.
    pub list: String,
    /// `attributed`, `inconclusive` or `no_canary`.
    pub verdict: String,
    /// The sources named.
    pub sources: Vec<String>,
    /// At most this probable that an innocent source is named.
    pub false_accusation_probability: f64,
}

/// Alerts that the log knows of.
#[derive(Debug, Default, Serialize)]
pub struct Alerts {
    /// Accepted by their receiver in the period.
    pub sent: usize,
    /// Tries in the period that failed.
    pub failed_tries: usize,
    /// Tried, and not accepted by the end.
    pub unsent: Vec<i64>,
}

/// Counts the period's sightings.
pub fn sightings(gathered: &Gathered) -> Sightings {
    let period = gathered.period;
    let all = gathered.sightings.iter().filter(|one| period.holds(one.at));
    let all: Vec<_> = all.collect();
    let mut counts = Vec::new();
    for channel in CHANNELS {
        for (kind, _) in KINDS {
            let sightings = all
                .iter()
                .filter(|one| one.channel == channel && one.kind == kind);
            let sightings = sightings.count();
            if sightings > 0 {
                counts.push(SightingCount {
                    channel,
                    kind,
                    sightings,
                });
            }
        }
    }
    let step = match period.length() {
        ..=31 => 1,
        32..=182 => 7,
        _ => 28,
    };
    let mut over_time = Vec::new();
    let mut from = period.from();
    while from <= period.to() {
        let to = (from + Duration::days(step - 1)).min(period.to());
        let mut sightings = BTreeMap::new();
        for one in &all {
            let on = period.day_of(one.at);
            if on >= from && on <= to {
                *sightings.entry(one.kind.name()).or_default() += 1;
            }
        }
        over_time.push(Bucket {
            from,
            to,
            sightings,
        });
        from += Duration::days(step);
    }
    Sightings {
        total: all.len(),
        counts,
        over_time,
    }
}

/// The incidents that were open or moved in the period.
pub fn incidents(gathered: &Gathered) -> Vec<IncidentLine> {
    let period = gathered.period;
    let weights = gathered.weights.iter().map(Some);
    let weights = weights.chain(std::iter::repeat(None));
    let touched = gathered.incidents.iter().zip(weights).filter(|(one, _)| {
        one.opened_at < period.end()
            && (one.last_at >= period.start() || one.state == IncidentState::Open)
    });
    touched
        .map(|(one, weight)| IncidentLine {
            id: one.id,
            source: one.source.to_string(),
            state: one.state,
            opened_at: one.opened_at,
            last_at: one.last_at,
            sightings: one.sightings,
            canaries: one.canaries,
            weight: weight.cloned(),
        })
        .collect()
}

/// The lists that were examined in the period.
pub fn traces(gathered: &Gathered) -> Vec<TraceLine> {
    let entries = gathered.acts.iter();
    let entries = entries.filter(|entry| gathered.period.holds(entry.at));
    let traced = entries.filter_map(|entry| match &entry.act {
        Act::Traced {
            list,
            verdict,
            sources,
            false_accusation_probability,
            ..
        } => Some(TraceLine {
            at: entry.at,
            by: entry.by.clone(),
            list: list.clone(),
            verdict: verdict.clone(),
            sources: sources.clone(),
            false_accusation_probability: *false_accusation_probability,
        }),
        _ => None,
    });
    traced.collect()
}

/// What became of the alerts.
pub fn alerts(gathered: &Gathered, at: OffsetDateTime) -> Alerts {
    let mut alerts = Alerts::default();
    let mut unsent = BTreeSet::new();
    for entry in gathered.acts.iter().filter(|entry| entry.at <= at) {
        let Act::AlertTried { alert, sent, place } = &entry.act else {
            continue;
        };
        // Each place for itself: that one has taken it does not reach those who read another.
        let key = (*alert, place.as_deref().unwrap_or("mail"));
        match sent {
            true => unsent.remove(&key),
            false => unsent.insert(key),
        };
        if gathered.period.holds(entry.at) {
            match sent {
                true => alerts.sent += 1,
                false => alerts.failed_tries += 1,
            }
        }
    }
    alerts.unsent = unsent.into_iter().map(|(alert, _)| alert).collect();
    alerts.unsent.dedup();
    alerts
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(say!(
        lang,
        "Sightings, incidents and traces",
        "検知・インシデント・名簿の照合"
    ))];
    blocks.extend(counted(control, lang));
    blocks.extend(incident_table(control, lang));
    blocks.extend(trace_table(control, lang));
    blocks
}

fn counted(control: &Control, lang: Lang) -> Vec<Block> {
    let found = &control.sightings;
    if found.total == 0 {
        return vec![Block::Para(
            say!(
                lang,
                "No contact reached a canary in this period. That is evidence of no leak only as far as the channels were open: see drills and downtime.",
                "この期間におとり顧客への連絡はなかった。これが漏えいのないことの裏付けとなるのは、経路が通じていた範囲に限られる(「訓練」「経路と停止時間」を参照)。"
            )
            .into(),
        )];
    }
    let mut columns = vec![Column::text(say!(lang, "Channel", "経路"), 1.8)];
    columns.extend(KINDS.map(|(kind, _)| Column::number(words::kind(lang, kind), 1.0)));
    let rows = CHANNELS.into_iter().filter_map(|channel| {
        let own = || found.counts.iter().filter(|one| one.channel == channel);
        own().next()?;
        let mut row: Vec<Text> = vec![words::channel(lang, channel).into()];
        for (kind, _) in KINDS {
            let count = own().find(|one| one.kind == kind);
            let count = count.map_or(0, |one| one.sightings as u64);
            row.push(when::thousands(count).into());
        }
        Some(row)
    });
    let mut blocks = words::table(lang, columns, rows.collect(), String::new());
    blocks.push(Block::Note(
        say!(
            lang,
            "Alarm: a contact that nobody had a reason to make. Probe: somebody asked whether an address exists. Drill: our own test. Expected: the source's own mail. Noise: it fits no canary.",
            "警報: 誰も行う理由のない連絡。探索: アドレスの存在を確かめる動作。訓練: 自社による試験。想定内: 監視対象自身が送る連絡。無関係: どのおとり顧客にも当てはまらない連絡。"
        )
        .into(),
    ));
    blocks.push(Block::Figure(figure(control, lang)));
    blocks
}

fn incident_table(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![Block::Sub(say!(lang, "Incidents", "インシデント"))];
    let columns = vec![
        Column::text(say!(lang, "No.", "番号"), 0.6),
        Column::text(say!(lang, "Source", "監視対象"), 2.0),
        Column::text(say!(lang, "State now", "現在の状態"), 1.4),
        Column::text(say!(lang, "First sighting", "最初の検知"), 2.2),
        Column::text(say!(lang, "Latest", "直近の検知"), 2.2),
        Column::number(say!(lang, "Sightings", "検知数"), 1.0),
        Column::number(say!(lang, "Canaries", "おとり顧客"), 1.0),
    ];
    let rows = control.incidents.iter().map(|one| {
        let state = words::state(lang, one.state);
        let state = match one.state {
            IncidentState::Closed => Text::from(state),
            IncidentState::Open | IncidentState::Confirmed => Text::strong(state),
        };
        vec![
            one.id.to_string().into(),
            foreign(&one.source).into(),
            state,
            words::moment(lang, one.opened_at).into(),
            words::moment(lang, one.last_at).into(),
            when::thousands(one.sightings).into(),
            when::thousands(one.canaries).into(),
        ]
    });
    let empty = say!(
        lang,
        "No incident was open in this period.",
        "この期間に継続中または発生したインシデントはない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks.extend(weight_table(control, lang));
    let alerts = &control.alerts;
    let sent = words::count(lang, alerts.sent as u64, "alert was", "alerts were", "件");
    let failed = words::count(lang, alerts.failed_tries as u64, "try", "tries", "回");
    let open = words::count(lang, alerts.unsent.len() as u64, "alert", "alerts", "件");
    blocks.push(Block::Para(
        say!(
            lang,
            "{sent} accepted by the mail server for the people to be told; {failed} failed; {open} tried and not delivered by the end.",
            "通知{sent}が配信先のメールサーバーに受け付けられた。失敗した試行は{failed}、基準時に未達の通知は{open}である。"
        )
        .into(),
    ));
    blocks
}

/// The verdict on each incident; nothing where there was none.
fn weight_table(control: &Control, lang: Lang) -> Vec<Block> {
    let weighed = control.incidents.iter();
    let weighed = weighed.filter_map(|one| Some((one.id, one.weight.as_ref()?)));
    let rows: Vec<Vec<Text>> = weighed
        .map(|(id, weight)| {
            let verdict = weight::verdict(lang, weight.verdict);
            let mut supported = weight::supported(lang, weight);
            let limited = weight::limited(lang, weight);
            if !limited.is_empty() {
                supported = say!(lang, "{supported}; {limited}", "{supported}。{limited}");
            }
            vec![
                id.to_string().into(),
                match weight.verdict {
                    Verdict::Leak => Text::strong(verdict),
                    Verdict::Inconclusive | Verdict::Background => verdict.into(),
                },
                format!("{:.1}", weight.log10_lr).into(),
                supported.into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        Column::text(say!(lang, "No.", "番号"), 0.6),
        Column::text(say!(lang, "Verdict", "判定"), 1.4),
        Column::number(
            say!(lang, "log10 likelihood ratio", "対数尤度比(常用対数)"),
            1.4,
        ),
        Column::text(say!(lang, "Support", "支持の強さ"), 5.0),
    ];
    let mut blocks = words::table(lang, columns, rows, String::new());
    blocks.push(Block::Note(
        say!(
            lang,
            "All channels together: how much better it is explained by a list of the source in strangers' hands than by ordinary background, on the ENFSI scale.",
            "全経路の接触を合わせ、監視対象の名簿が第三者の手にあるとする仮説が、平常時の接触とする仮説よりどれだけよく事実を説明するかを、ENFSIの尺度で示す。"
        )
        .into(),
    ));
    blocks
}

fn trace_table(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![Block::Sub(say!(lang, "Lists examined", "入手名簿の照合"))];
    let columns = vec![
        Column::text(say!(lang, "At", "日時"), 2.2),
        Column::text(
            say!(lang, "List (SHA-256, beginning)", "名簿(SHA-256の先頭)"),
            2.0,
        ),
        Column::text(say!(lang, "Verdict", "判定"), 1.8),
        Column::text(say!(lang, "Sources named", "特定した漏えい元"), 2.0),
        Column::number(
            say!(lang, "False accusation at most", "誤認の確率の上限"),
            1.5,
        ),
    ];
    let rows = control.traces.iter().map(|one| {
        let list: String = foreign(&one.list).chars().take(16).collect();
        let verdict = match one.verdict.as_str() {
            "attributed" => Text::strong(say!(lang, "attributed", "漏えい元を特定")),
            "inconclusive" => say!(lang, "inconclusive", "断定できず").into(),
            "no_canary" => say!(lang, "no canary in it", "おとり顧客なし").into(),
            other => foreign(other).into(),
        };
        let named = match one.sources.is_empty() {
            true => words::none(lang).to_owned(),
            false => words::names(lang, &one.sources),
        };
        vec![
            words::moment(lang, one.at).into(),
            list.into(),
            verdict,
            named.into(),
            probability(one.false_accusation_probability).into(),
        ]
    });
    let empty = say!(
        lang,
        "No list was examined in this period.",
        "この期間に照合した名簿はない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks
}

fn probability(value: f64) -> String {
    match value {
        v if v >= 0.001 => format!("{v:.3}"),
        v if v > 0.0 => format!("{v:.0e}"),
        _ => "0".to_owned(),
    }
}

/// Sightings over time, the kinds on top of each other.
fn figure(control: &Control, lang: Lang) -> Figure {
    const WIDTH: f32 = 720.0;
    const FOOT: f32 = 150.0;
    const HEAD: f32 = 28.0;
    const LEFT: f32 = 44.0;
    let buckets = &control.sightings.over_time;
    let days = buckets
        .first()
        .map_or(1, |one| (one.to - one.from).whole_days() + 1);
    let title = match days {
        1 => say!(lang, "Sightings per day", "検知件数(日別)"),
        7 => say!(lang, "Sightings per week", "検知件数(週別)"),
        _ => say!(lang, "Sightings per four weeks", "検知件数(4週別)"),
    };
    let total = control.sightings.total;
    let told = say!(
        lang,
        "{total} sightings in the period.",
        "期間内の検知は{total}件。"
    );
    let mut figure = Figure::new(title.clone(), told, WIDTH, 196.0);
    figure.label((0.0, 14.0), title, Ink::Dark, Anchor::Start);
    let sums = buckets
        .iter()
        .map(|one| one.sightings.values().sum::<usize>());
    let top = nice(sums.max().unwrap_or(0));
    for part in 0..=2 {
        let value = top * part / 2;
        let y = FOOT - (FOOT - HEAD) * part as f32 / 2.0;
        figure.line((LEFT, y), (WIDTH, y), Ink::Light);
        let words = when::thousands(value as u64);
        figure.label((LEFT - 6.0, y + 4.0), words, Ink::Pale, Anchor::End);
    }
    let step = (WIDTH - LEFT) / buckets.len().max(1) as f32;
    let every = buckets.len().div_ceil(7).max(1);
    for (number, bucket) in buckets.iter().enumerate() {
        let x = LEFT + step * number as f32;
        let mut y = FOOT;
        for (kind, ink) in KINDS {
            let count = bucket.sightings.get(kind.name()).copied().unwrap_or(0);
            let height = (FOOT - HEAD) * count as f32 / top as f32;
            if height > 0.0 {
                figure.rect(
                    (x + step * 0.15, y - height),
                    ((step * 0.7).min(40.0), height),
                    ink,
                );
                y -= height;
            }
        }
        if number % every == 0 && x + 70.0 <= WIDTH {
            figure.label(
                (x, FOOT + 16.0),
                short(lang, bucket.from),
                Ink::Pale,
                Anchor::Start,
            );
        }
    }
    let mut x = LEFT;
    for (kind, ink) in KINDS {
        figure.rect((x, 180.0), (10.0, 10.0), ink);
        figure.label(
            (x + 15.0, 189.0),
            words::kind(lang, kind),
            Ink::Pale,
            Anchor::Start,
        );
        x += 100.0;
    }
    figure
}

/// A day without its year: the period says that.
fn short(lang: Lang, date: Date) -> String {
    let (month, day) = (u8::from(date.month()), date.day());
    say!(lang, "{month:02}-{day:02}", "{month}/{day}")
}

/// The next number above that halves well.
fn nice(most: usize) -> usize {
    let mut step = 1;
    loop {
        for top in [2 * step, 4 * step, 6 * step, 10 * step] {
            if most <= top {
                return top;
            }
        }
        step *= 10;
    }
}
