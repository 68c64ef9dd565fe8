//! Shares by source, each with its interval.

use crate::figure::{Anchor, Figure, Ink};
use crate::trace::report::Report;

const LEFT: f32 = 190.0;
const RIGHT: f32 = 650.0;
const WIDTH: f32 = 800.0;
const ROW: f32 = 24.0;
/// More sources than these make no plot that anybody reads.
const SHOWN: usize = 40;

/// One source's share, and what the list rules out of others.
struct Line {
    name: String,
    low: f64,
    high: f64,
    /// The estimate; `None` where nothing was found.
    estimate: Option<f64>,
    ink: Ink,
}

/// The drawing; `None` where no source was found or cleared.
pub fn figure(report: &Report<'_>) -> Option<Figure> {
    let decision = &report.decision;
    let found = decision.sources.iter().map(|found| Line {
        name: report.source(found.source).to_string(),
        low: found.share.low,
        high: found.share.high,
        estimate: Some(found.share.estimate),
        ink: if found.named { Ink::Alarm } else { Ink::Doubt },
    });
    let cleared = decision.cleared.iter().map(|cleared| Line {
        name: report.source(cleared.source).to_string(),
        low: 0.0,
        high: cleared.share_below,
        estimate: None,
        ink: Ink::Calm,
    });
    let lines: Vec<Line> = found.chain(cleared).collect();
    if lines.is_empty() {
        return None;
    }
    let level = 100.0 * report.settings.level;
    let title = format!("Share of each source in the list, with its {level:.0}% interval");
    let told = lines.iter().take(SHOWN).map(sentence);
    let told: Vec<String> = told.collect();
    let height = 30.0 + ROW * lines.len().min(SHOWN) as f32 + 24.0;
    let mut figure = Figure::new(title, told.join("; "), WIDTH, height);
    let x = |share: f64| LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0) as f32;
    for tenth in (0..=10).step_by(2) {
        let at = x(f64::from(tenth) / 10.0);
        figure.line((at, 8.0), (at, height - 24.0), Ink::Light);
        figure.label(
            (at, height - 8.0),
            format!("{}%", tenth * 10),
            Ink::Pale,
            Anchor::Middle,
        );
    }
    for (place, line) in lines.iter().take(SHOWN).enumerate() {
        let y = 22.0 + ROW * place as f32;
        figure.label(
            (LEFT - 10.0, y + 4.0),
            short(&line.name),
            Ink::Dark,
            Anchor::End,
        );
        let (low, high) = (x(line.low), x(line.high));
        figure.rect((low, y - 1.5), ((high - low).max(1.5), 3.0), line.ink);
        match line.estimate {
            Some(estimate) => {
                let width = 6.0;
                figure.rect(
                    (x(estimate) - width / 2.0, y - 7.0),
                    (width, 14.0),
                    line.ink,
                );
            }
            None => figure.rect((high - 1.0, y - 6.0), (2.0, 12.0), line.ink),
        }
        figure.label(
            (RIGHT + 12.0, y + 4.0),
            told_share(line),
            Ink::Dark,
            Anchor::Start,
        );
    }
    Some(figure)
}

fn told_share(line: &Line) -> String {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    match line.estimate {
        Some(estimate) => percent(estimate),
        None => format!("cleared above {}", percent(line.high)),
    }
}

fn sentence(line: &Line) -> String {
    let (low, high) = (100.0 * line.low, 100.0 * line.high);
    match line.estimate {
        Some(estimate) => format!(
            "{}: {:.1}% ({low:.1}% to {high:.1}%)",
            line.name,
            100.0 * estimate
        ),
        None => format!("{}: nothing found, at most {high:.1}%", line.name),
    }
}

/// A name that fits beside the plot.
pub fn short(name: &str) -> String {
    const LETTERS: usize = 26;
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}
