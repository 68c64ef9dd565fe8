//! Batches over time, and the window of the leak across them.

use time::OffsetDateTime;

use super::shares::short;
use crate::figure::{Anchor, Figure, Ink};
use crate::trace::decide::SourceFinding;
use crate::trace::report::Report;
use crate::trace::words::{day, window};

const LEFT: f32 = 190.0;
const RIGHT: f32 = 690.0;
const WIDTH: f32 = 800.0;
const ROW: f32 = 22.0;
/// Drip plantings make many batches: neighbours share a bar where there are more than these.
const BARS: usize = 40;

/// Batches that stand in one bar.
struct Bar {
    name: String,
    from: OffsetDateTime,
    until: Option<OffsetDateTime>,
    found: usize,
    all: usize,
}

/// A bar for each batch from planting to removal, with found and missing canaries.
pub fn figure(report: &Report<'_>, found: &SourceFinding) -> Figure {
    let bars = bars(report, found);
    let now = report.settings.now;
    let first = bars.iter().map(|bar| bar.from).min().unwrap_or(now);
    let span = (now - first).as_seconds_f64().max(1.0);
    let x = |at: OffsetDateTime| {
        let share = ((at - first).as_seconds_f64() / span).clamp(0.0, 1.0);
        LEFT + (RIGHT - LEFT) * share as f32
    };
    let source = report.source(found.source);
    let taken = window(found);
    let height = ROW * bars.len() as f32 + 44.0;
    let bottom = height - 22.0;
    let mut figure = Figure::new(
        format!("{source}: its batches, and when it was taken"),
        format!("Taken {taken}."),
        WIDTH,
        height,
    );
    let (from, to) = (x(found.not_before), x(found.not_after.unwrap_or(now)));
    figure.rect((from, 0.0), ((to - from).max(2.0), bottom), Ink::Wash);
    for (place, bar) in bars.iter().enumerate() {
        let y = ROW * place as f32 + 8.0;
        figure.label(
            (LEFT - 10.0, y + 11.0),
            short(&bar.name),
            Ink::Dark,
            Anchor::End,
        );
        let (start, end) = (x(bar.from), x(bar.until.unwrap_or(now)));
        let size = ((end - start).max(2.0), 13.0);
        // Along the time axis a part of the bar would look like a time: how many is told by its height.
        figure.rect((start, y), size, Ink::Light);
        if bar.found > 0 {
            let share = bar.found as f32 / bar.all.max(1) as f32;
            let filled = (size.1 * share).max(2.0);
            figure.rect((start, y + size.1 - filled), (size.0, filled), Ink::Alarm);
        }
        let count = format!("{} of {}", bar.found, bar.all);
        figure.label((RIGHT + 12.0, y + 11.0), count, Ink::Pale, Anchor::Start);
    }
    figure.line((LEFT, bottom), (RIGHT, bottom), Ink::Pale);
    figure.label((LEFT, height - 6.0), day(first), Ink::Pale, Anchor::Start);
    figure.label((RIGHT, height - 6.0), day(now), Ink::Pale, Anchor::End);
    if from > LEFT + 80.0 && from < RIGHT - 80.0 {
        figure.label(
            (from, height - 6.0),
            day(found.not_before),
            Ink::Alarm,
            Anchor::Middle,
        );
    }
    figure
}

fn bars(report: &Report<'_>, found: &SourceFinding) -> Vec<Bar> {
    let watch = report.watch;
    let source = found.source;
    let of_source = |canary: &&u32| watch.canaries[**canary as usize].source as usize == source;
    let all: Vec<u32> = (0..watch.canaries.len() as u32).collect();
    let mut batches: Vec<u32> = all
        .iter()
        .filter(of_source)
        .map(|canary| watch.canaries[*canary as usize].batch)
        .collect();
    batches.sort_unstable();
    batches.dedup();
    batches.sort_by_key(|batch| watch.batches[*batch as usize].from);
    let mut all = vec![0_usize; watch.batches.len()];
    let mut shown = vec![0_usize; watch.batches.len()];
    for canary in &watch.canaries {
        all[canary.batch as usize] += 1;
    }
    for canary in report
        .decision
        .canaries
        .iter()
        .flat_map(|found| &found.canaries)
    {
        shown[watch.canaries[*canary as usize].batch as usize] += 1;
    }
    let each = batches.len().div_ceil(BARS).max(1);
    let bar = |batches: &[u32]| {
        let standing = |batch: &u32| &watch.batches[*batch as usize];
        let sum = |counts: &[usize]| batches.iter().map(|batch| counts[*batch as usize]).sum();
        let name = |batch: &u32| report.batch(*batch).to_string();
        let first = &batches[0];
        // Some of them stand until today, or all are gone by the last removal.
        let removed: Option<Vec<OffsetDateTime>> =
            batches.iter().map(|batch| standing(batch).until).collect();
        Bar {
            name: match batches {
                [only] => name(only),
                _ => format!("{} and {} more", name(first), batches.len() - 1),
            },
            from: standing(first).from,
            until: removed.and_then(|times| times.into_iter().max()),
            found: sum(&shown),
            all: sum(&all),
        }
    };
    batches.chunks(each).map(bar).collect()
}
