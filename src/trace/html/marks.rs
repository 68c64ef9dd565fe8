//! Which marks show the canaries found, and how well they agree.

use crate::figure::{Anchor, Figure, Ink};
use crate::trace::mark::Mark;
use crate::trace::report::Report;
use crate::trace::words::thousands;

const LEFT: f32 = 110.0;
const RIGHT: f32 = 690.0;
const WIDTH: f32 = 800.0;
const ROW: f32 = 24.0;

/// How canaries agree on one mark.
#[derive(Clone, Copy, Default)]
struct Counts {
    as_planted: usize,
    equal: usize,
    near: usize,
}

impl Counts {
    const fn all(self) -> usize {
        self.as_planted + self.equal + self.near
    }
}

/// The kinds of agreement, in the order of the bars.
const KINDS: [(&str, Ink); 3] = [
    ("spelt as planted", Ink::Alarm),
    ("equal once folded", Ink::Doubt),
    ("nearly equal", Ink::Pale),
];

/// The drawing; `None` where no canary was found.
pub fn figure(report: &Report<'_>) -> Option<Figure> {
    let found = &report.decision.canaries;
    let counts = |mark: Mark| {
        let mut counts = Counts::default();
        for canary in found {
            if canary.as_planted.has(mark) {
                counts.as_planted += 1;
            } else if canary.marks.has(mark) {
                counts.equal += 1;
            } else if canary.near.get(mark).is_some() {
                counts.near += 1;
            }
        }
        counts
    };
    let marks: Vec<(Mark, Counts)> = Mark::ALL
        .iter()
        .map(|mark| (*mark, counts(*mark)))
        .filter(|(_, counts)| counts.all() > 0)
        .collect();
    if marks.is_empty() {
        return None;
    }
    let told = marks.iter().map(|(mark, counts)| {
        format!(
            "{mark}: {} as planted, {} equal, {} nearly",
            counts.as_planted, counts.equal, counts.near
        )
    });
    let told: Vec<String> = told.collect();
    let height = 34.0 + ROW * marks.len() as f32;
    let title = format!(
        "Marks on which the {} canaries found agree",
        thousands(found.len() as u64)
    );
    let mut figure = Figure::new(title, told.join("; "), WIDTH, height);
    let mut at = LEFT;
    for (words, ink) in KINDS {
        figure.rect((at, 2.0), (10.0, 10.0), ink);
        figure.label((at + 15.0, 11.0), words, Ink::Pale, Anchor::Start);
        at += 150.0;
    }
    for (place, (mark, counts)) in marks.iter().enumerate() {
        let y = 24.0 + ROW * place as f32;
        figure.label(
            (LEFT - 10.0, y + 12.0),
            mark.name().replace('_', " "),
            Ink::Dark,
            Anchor::End,
        );
        let mut x = LEFT;
        for (count, (_, ink)) in [counts.as_planted, counts.equal, counts.near]
            .into_iter()
            .zip(KINDS)
        {
            let width = (RIGHT - LEFT) * count as f32 / found.len() as f32;
            if count > 0 {
                figure.rect((x, y), (width.max(1.0), ROW - 8.0), ink);
            }
            x += width;
        }
        let share = format!(
            "{} of {}",
            thousands(counts.all() as u64),
            thousands(found.len() as u64)
        );
        figure.label((RIGHT + 12.0, y + 12.0), share, Ink::Pale, Anchor::Start);
    }
    Some(figure)
}
