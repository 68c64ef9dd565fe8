//! Batches over time, and the window of the leak across them.

use maud::{Markup, html};
use time::OffsetDateTime;

use super::super::decide::SourceFinding;
use super::super::report::Report;
use super::super::words::day;

const LEFT: f64 = 130.0;
const WIDTH: f64 = 620.0;
const ROW: f64 = 26.0;

/// An SVG of the source's batches: a bar from planting to removal, with found and missing canaries.
pub fn svg(report: &Report<'_>, found: &SourceFinding) -> Markup {
    let watch = report.watch;
    let of_source = |canary: u32| watch.canaries[canary as usize].source as usize == found.source;
    let mut batches: Vec<u32> = (0..watch.canaries.len() as u32)
        .filter(|canary| of_source(*canary))
        .map(|canary| watch.canaries[canary as usize].batch)
        .collect();
    batches.sort_unstable();
    batches.dedup();
    batches.sort_by_key(|batch| watch.batches[*batch as usize].from);
    let now = report.settings.now;
    let first = batches
        .first()
        .map_or(now, |batch| watch.batches[*batch as usize].from);
    let span = (now - first).as_seconds_f64().max(1.0);
    let x =
        |at: OffsetDateTime| LEFT + WIDTH * ((at - first).as_seconds_f64() / span).clamp(0.0, 1.0);
    let height = ROW * batches.len() as f64 + 50.0;
    let (from, to) = (x(found.not_before), x(found.not_after.unwrap_or(now)));
    let number = |value: f64| format!("{value:.1}");
    let taken = super::super::words::window(found);
    html! {
        svg viewBox={ "0 0 800 " (number(height)) } role="img" xmlns="http://www.w3.org/2000/svg" font-size="13" {
            title { "Batches of " (report.source(found.source)) }
            desc { "The leak was " (taken) "." }
            rect x=(number(from)) y="0" width=(number((to - from).max(2.0))) height=(number(height - 24.0)) fill="#b3261e" fill-opacity="0.14" {}
            @for (place, batch) in batches.iter().enumerate() {
                @let standing = &watch.batches[*batch as usize];
                @let y = ROW * place as f64 + 10.0;
                @let all = watch.canaries.iter().filter(|canary| canary.batch == *batch).count();
                @let shown = report.decision.canaries.iter().flat_map(|found| &found.canaries)
                    .filter(|canary| watch.canaries[**canary as usize].batch == *batch).count();
                @let (start, end) = (x(standing.from), x(standing.until.unwrap_or(now)));
                text x="0" y=(number(y + 12.0)) fill="#1c2430" { (standing.id) }
                rect x=(number(start)) y=(number(y)) width=(number((end - start).max(2.0))) height="15" rx="3" fill="#c7d0de" {
                    title { (standing.id) ": planted " (day(standing.from)) @if let Some(until) = standing.until { ", removed " (day(until)) } }
                }
                // Along the time axis a part of the bar would look like a time: the colour tells how many.
                @if shown > 0 {
                    rect x=(number(start)) y=(number(y)) width=(number((end - start).max(2.0))) height="15" rx="3"
                        fill="#b3261e" fill-opacity=(format!("{:.2}", 0.25 + 0.75 * shown as f64 / all.max(1) as f64)) {}
                }
                text x=(number(LEFT + WIDTH + 6.0)) y=(number(y + 12.0)) fill="#667085" { (shown) "/" (all) }
            }
            line x1=(number(LEFT)) y1=(number(height - 24.0)) x2=(number(LEFT + WIDTH)) y2=(number(height - 24.0)) stroke="#d9dee7" {}
            text x=(number(LEFT)) y=(number(height - 6.0)) fill="#667085" { (day(first)) }
            text x=(number(LEFT + WIDTH)) y=(number(height - 6.0)) fill="#667085" text-anchor="end" { (day(now)) }
        }
    }
}
