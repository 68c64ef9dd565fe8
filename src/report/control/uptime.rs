//! When a receiver listened, and what each channel has brought.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::words;
use super::{Control, DrillLine, Gathered};
use crate::canary::{Channel, ContactKind, DrillState};
use crate::evidence::Act;
use crate::registry::LOST;
use crate::report::figure::{Anchor, Figure, Ink};
use crate::report::page::{Block, Column, Text};
use crate::report::{Lang, say, when};

/// A shorter silence is a restart, and no finding.
const GAP: Duration = Duration::minutes(2);

/// A way in.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelLine {
    /// Which.
    pub channel: Channel,
    /// Contact points owned for it.
    pub contact_points: usize,
    /// Sightings of any kind in the period.
    pub sightings: usize,
    /// The last sighting of any kind, in the period or before it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_at: Option<OffsetDateTime>,
    /// Drills of it in the period that passed.
    pub drills_passed: usize,
    /// Drills of it in the period that failed.
    pub drills_failed: usize,
}

/// Whether somebody listened.
#[derive(Clone, Debug, Serialize)]
pub struct Uptime {
    /// When the log first knows of a receiver: before that nothing can be said.
    #[serde(with = "time::serde::rfc3339::option")]
    pub known_from: Option<OffsetDateTime>,
    /// Whether one listens at the moment that the state is told of.
    pub up_at_end: bool,
    /// Seconds of the period in which one listened.
    pub up_seconds: i64,
    /// Seconds in which none did.
    pub down_seconds: i64,
    /// Starts in the period.
    pub starts: usize,
    /// Of the silences in the period, those in which nobody listened for two minutes or more.
    pub gaps: Vec<Gap>,
}

/// A time in which nobody listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// From.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// To.
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}

impl Uptime {
    /// The part of the known time in which somebody listened.
    pub fn availability(&self) -> Option<f64> {
        let known = self.up_seconds + self.down_seconds;
        (known > 0).then(|| self.up_seconds as f64 / known as f64)
    }

    /// The longest gap.
    pub fn longest(&self) -> Option<Duration> {
        self.gaps.iter().map(|gap| gap.to - gap.from).max()
    }
}

/// The channels for which something is owned, and those by which something came.
pub fn channels(gathered: &Gathered, at: OffsetDateTime, drills: &[DrillLine]) -> Vec<ChannelLine> {
    let owned = |kind| gathered.pool.iter().filter(|one| **one == kind).count();
    let (mail, phone, post) = (
        owned(ContactKind::Mail) + owned(ContactKind::Mailbox),
        owned(ContactKind::Phone),
        owned(ContactKind::Drop),
    );
    let all = [
        (Channel::Mail, mail, true),
        (Channel::Phone, phone, true),
        (Channel::Sms, phone, true),
        (Channel::Post, post, true),
        (Channel::Login, 0, false),
        (Channel::Report, 0, false),
    ];
    let lines = all.into_iter().map(|(channel, contact_points, always)| {
        let own = || {
            let all = gathered.sightings.iter();
            all.filter(move |one| one.channel == channel && one.at <= at)
        };
        let drilled = |state| {
            let own = drills.iter().filter(|drill| drill.channel == channel);
            own.filter(|drill| drill.state == state).count()
        };
        let line = ChannelLine {
            channel,
            contact_points,
            sightings: own().filter(|one| gathered.period.holds(one.at)).count(),
            last_at: own().map(|one| one.at).max(),
            drills_passed: drilled(DrillState::Passed),
            drills_failed: drilled(DrillState::Failed),
        };
        (line, always)
    });
    lines
        .filter(|(line, always)| *always || line.last_at.is_some())
        .map(|(line, _)| line)
        .collect()
}

/// When a receiver listened: from each start to the end of that run, by the log; a run that has not
/// ended reaches as far as its last sign of life.
pub fn uptime(gathered: &Gathered, at: OffsetDateTime) -> Uptime {
    let mut runs: Vec<(&str, OffsetDateTime, Option<OffsetDateTime>)> = Vec::new();
    for entry in &gathered.acts {
        let mut end = |run: &str, at: OffsetDateTime| {
            for one in runs.iter_mut().filter(|one| one.0 == run) {
                one.2 = Some(at);
            }
        };
        match &entry.act {
            Act::ReceiverStarted { run, .. } => runs.push((run, entry.at, None)),
            Act::ReceiverStopped { run } => end(run, entry.at),
            Act::ReceiverLost { run, alive_at } => end(run, *alive_at),
            _ => {}
        }
    }
    let starts = runs
        .iter()
        .filter(|one| gathered.period.holds(one.1))
        .count();
    let known_from = runs
        .iter()
        .map(|one| one.1)
        .min()
        .filter(|from| *from <= at);
    let mut spans: Vec<(OffsetDateTime, OffsetDateTime)> = Vec::new();
    for (run, from, to) in &runs {
        let alive = gathered.receivers.iter().find(|one| one.0 == *run);
        let to = match (to, alive) {
            (Some(to), _) => *to,
            // It speaks only now and then: it listens still.
            (None, Some((_, alive))) if gathered.made_at - *alive <= LOST => gathered.made_at,
            (None, Some((_, alive))) => *alive,
            (None, None) => *from,
        };
        spans.push((*from, to.max(*from)));
    }
    let up_at_end = spans.iter().any(|(from, to)| *from <= at && *to >= at);
    let start = known_from.map(|from| from.max(gathered.period.start()));
    let Some(start) = start.filter(|start| *start < at) else {
        return Uptime {
            known_from,
            up_at_end,
            up_seconds: 0,
            down_seconds: 0,
            starts,
            gaps: Vec::new(),
        };
    };
    let silent = silences(spans, start, at);
    let down: Duration = silent.iter().map(|gap| gap.to - gap.from).sum();
    Uptime {
        known_from,
        up_at_end,
        up_seconds: (at - start - down).whole_seconds(),
        down_seconds: down.whole_seconds(),
        starts,
        gaps: silent
            .into_iter()
            .filter(|gap| gap.to - gap.from >= GAP)
            .collect(),
    }
}

/// What no span covers between two moments.
fn silences(
    mut spans: Vec<(OffsetDateTime, OffsetDateTime)>,
    start: OffsetDateTime,
    end: OffsetDateTime,
) -> Vec<Gap> {
    spans.sort();
    let mut gaps = Vec::new();
    let mut heard = start;
    for (from, to) in spans {
        let from = from.min(end);
        if from > heard {
            gaps.push(Gap {
                from: heard,
                to: from,
            });
        }
        heard = heard.max(to);
    }
    if heard < end {
        gaps.push(Gap {
            from: heard,
            to: end,
        });
    }
    gaps
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(lang, "Channels and downtime", "経路と停止時間")),
        Block::Para(
            say!(
                lang,
                "What has come in by each way. Silence says nothing by itself: only a drill shows that a way is open.",
                "経路ごとの受信状況。連絡がないことは何も示さない。経路が通じていることは、訓練によってのみ確認できる。"
            )
            .into(),
        ),
    ];
    let columns = vec![
        Column::text(say!(lang, "Channel", "経路"), 1.6),
        Column::text(say!(lang, "Last sighting ever", "最後の検知"), 2.2),
        Column::text(say!(lang, "Drills in the period", "期間内の訓練"), 2.0),
        Column::number(say!(lang, "Contact points", "連絡先の数"), 1.3),
        Column::number(say!(lang, "Sightings", "期間内の検知"), 1.3),
    ];
    let rows = control.channels.iter().map(|line| {
        let last = line.last_at.map_or_else(
            || say!(lang, "never", "一度もない"),
            |at| words::moment(lang, at),
        );
        let (passed, failed) = (line.drills_passed, line.drills_failed);
        let drilled = match (line.contact_points, passed, failed) {
            (0, 0, 0) => say!(lang, "nothing owned", "連絡先なし").into(),
            (_, 0, 0) => Text::strong(say!(lang, "untested", "未確認")),
            (_, _, 0) => say!(lang, "{passed} passed", "{passed}回成功").into(),
            _ => Text::strong(say!(
                lang,
                "{passed} passed, {failed} failed",
                "{passed}回成功、{failed}回失敗"
            )),
        };
        vec![
            words::channel(lang, line.channel).into(),
            last.into(),
            drilled,
            when::thousands(line.contact_points as u64).into(),
            when::thousands(line.sightings as u64).into(),
        ]
    });
    blocks.extend(words::table(lang, columns, rows.collect(), String::new()));
    blocks.push(Block::Sub(say!(lang, "The receiver", "受信サーバー")));
    let uptime = &control.receiver;
    let Some(known_from) = uptime.known_from else {
        blocks.push(Block::Para(
            say!(
                lang,
                "The log knows of no receiver: whether anybody listened in this period cannot be shown.",
                "受信サーバーが起動した記録がない。この期間に受信できる状態であったことは示せない。"
            )
            .into(),
        ));
        return blocks;
    };
    blocks.push(Block::Facts(facts(control, lang, known_from)));
    blocks.push(Block::Figure(figure(control, lang, known_from)));
    let columns = vec![
        Column::text(say!(lang, "Down from", "停止"), 2.4),
        Column::text(say!(lang, "Up again", "復旧"), 2.4),
        Column::number(say!(lang, "For", "停止時間"), 1.6),
    ];
    let rows = uptime.gaps.iter().map(|gap| {
        let to = match gap.to == control.as_at && !uptime.up_at_end {
            true => say!(lang, "not yet", "未復旧"),
            false => words::moment(lang, gap.to),
        };
        vec![
            words::moment(lang, gap.from).into(),
            to.into(),
            when::span(lang, gap.to - gap.from).into(),
        ]
    });
    let empty = say!(
        lang,
        "No silence of two minutes or more.",
        "2分以上の停止はない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks.push(Block::Note(
        say!(
            lang,
            "A receiver says every 30 seconds that it is alive, so a time is known to about that. This is the receiver only: whether the mail exchanger, the \
             telephone provider or the postal drop in front of it worked is for drills to show. Mail that senders try again is not lost by a short silence; calls are.",
            "受信サーバーは30秒ごとに稼働を記録するため、時刻の精度はその程度である。ここで示すのは受信サーバーの稼働だけであり、その手前にあるメール中継、\
             電話事業者、郵便の受取先が機能していたかどうかは訓練で確認する。短い停止では、再送されるメールは失われないが、着信は失われる。"
        )
        .into(),
    ));
    blocks
}

fn facts(control: &Control, lang: Lang, known_from: OffsetDateTime) -> Vec<(String, Text)> {
    let uptime = &control.receiver;
    let known = match known_from > control.period.start() {
        true => when::minute(lang, known_from),
        false => say!(lang, "the whole period", "全期間"),
    };
    let (up, down) = (
        when::span(lang, Duration::seconds(uptime.up_seconds)),
        when::span(lang, Duration::seconds(uptime.down_seconds)),
    );
    let part = uptime.availability().map_or_else(String::new, |share| {
        // Rounded down: less than all is never shown as all.
        let percent = (share * 100_000.0).floor() / 1000.0;
        say!(
            lang,
            " ({percent}% of the known time)",
            "(記録のある時間の{percent}%)"
        )
    });
    let now = match uptime.up_at_end {
        true => Text::from(say!(lang, "a receiver listens", "稼働中")),
        false => Text::strong(say!(lang, "no receiver listens", "停止中")),
    };
    vec![
        (say!(lang, "Known from", "記録の開始"), known.into()),
        (
            say!(lang, "Listened for", "稼働時間"),
            format!("{up}{part}").into(),
        ),
        (say!(lang, "Nobody listened for", "停止時間"), down.into()),
        (
            say!(lang, "Starts in the period", "期間内の起動回数"),
            uptime.starts.to_string().into(),
        ),
        (say!(lang, "At the end", "基準時の状態"), now),
    ]
}

/// The period as a strip: up, down, unknown.
fn figure(control: &Control, lang: Lang, known_from: OffsetDateTime) -> Figure {
    const WIDTH: f32 = 720.0;
    let (start, end) = (control.period.start(), control.period.end());
    let (from, to) = control.period.days(lang);
    let title = say!(lang, "When a receiver listened", "受信サーバーの稼働状況");
    let gaps = control.receiver.gaps.len();
    let told = say!(
        lang,
        "{from} to {to}: {gaps} silences of two minutes or more.",
        "{from}から{to}まで。2分以上の停止{gaps}回。"
    );
    let mut figure = Figure::new(title.clone(), told, WIDTH, 78.0);
    let whole = (end - start).as_seconds_f64();
    let place = |at: OffsetDateTime| {
        let part = (at.clamp(start, end) - start).as_seconds_f64() / whole;
        WIDTH * part as f32
    };
    figure.label((0.0, 14.0), title, Ink::Dark, Anchor::Start);
    figure.rect((0.0, 24.0), (WIDTH, 18.0), Ink::Light);
    let (first, last) = (place(known_from), place(control.as_at));
    if last > first {
        figure.rect((first, 24.0), (last - first, 18.0), Ink::Calm);
    }
    for gap in &control.receiver.gaps {
        let (from, to) = (place(gap.from), place(gap.to));
        // A gap is seen however short it is.
        figure.rect((from, 24.0), ((to - from).max(1.5), 18.0), Ink::Alarm);
    }
    figure.label((0.0, 56.0), from, Ink::Pale, Anchor::Start);
    figure.label((WIDTH, 56.0), to, Ink::Pale, Anchor::End);
    let legend = [
        (Ink::Calm, say!(lang, "listening", "稼働")),
        (Ink::Alarm, say!(lang, "down", "停止")),
        (Ink::Light, say!(lang, "no record", "記録なし")),
    ];
    let mut x = 0.0;
    for (ink, words) in legend {
        figure.rect((x, 66.0), (10.0, 10.0), ink);
        figure.label((x + 15.0, 75.0), words, Ink::Pale, Anchor::Start);
        x += 110.0;
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn silence_is_what_no_run_covers() {
        let at = |hour: i64| datetime!(2026-04-01 00:00 UTC) + Duration::hours(hour);
        let spans = vec![
            (at(5), at(6)),
            (at(-2), at(1)),
            (at(0), at(3)),
            (at(9), at(30)),
        ];
        let gap = |from, to| Gap {
            from: at(from),
            to: at(to),
        };
        assert_eq!(silences(spans, at(0), at(12)), [gap(3, 5), gap(6, 9)]);
        assert_eq!(silences(vec![], at(0), at(2)), [gap(0, 2)]);
        assert_eq!(silences(vec![(at(5), at(6))], at(0), at(2)), [gap(0, 2)]);
    }
}
