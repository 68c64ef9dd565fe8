//! A report as one page that needs nothing else: to be printed, or handed on.

mod marks;
mod shares;
mod slice;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::decide::{FoundCanary, SourceFinding};
use super::report::Report;
use super::words;
use crate::figure::svg;

const STYLE: &str = "
:root { color-scheme: light; --ink: #1c2430; --pale: #667085; --line: #d9dee7; --mark: #b3261e; --calm: #1f6f54; --doubt: #8a6100; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.5rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, 'Noto Sans', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', sans-serif; }
h1 { font-size: 1rem; font-weight: 600; color: var(--pale); margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.verdict { border-left: .4rem solid var(--doubt); padding: .2rem 0 .2rem 1.2rem; margin: 0 0 1.5rem; }
.verdict.attributed { border-color: var(--mark); } .verdict.no_canary { border-color: var(--calm); }
.verdict p { margin: .2rem 0; } .verdict p:first-child { font-size: 1.6rem; line-height: 1.3; font-weight: 650; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--pale); font-size: .85rem; } td.n, th.n { text-align: right; }
code { font: .9em ui-monospace, 'Noto Sans Mono', monospace; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; } li { margin: .3rem 0; } .line { margin: .2rem 0; overflow-wrap: anywhere; } svg { margin: .8rem 0; }
.id { white-space: nowrap; } .exact { font-weight: 650; } .pale { color: var(--pale); } svg { max-width: 100%; height: auto; display: block; }
@media print { @page { margin: 18mm 16mm; } body { padding: 0; font-size: 11pt; max-width: none; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; } }
";

/// How many canaries the page lists.
const SHOWN: usize = 200;

/// The page. It shows canary ids and no detail of a canary; all that comes from the list is escaped.
pub fn html(report: &Report<'_>) -> String {
    let decision = &report.decision;
    let class = decision.verdict.name();
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Trace of " (report.list.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Trace of " (report.list.name) ", " (words::day(report.settings.now)) }
                div class={ "verdict " (class) } {
                    @for line in words::verdict(report) { p { (line) } }
                }
                @if report.redacted.is_some() {
                    p class="pale" { "Redacted: sources and batches are numbered, and nothing of the list's content is shown." }
                }
                @if !decision.sources.is_empty() { (sources(report)) }
                @if let Some(figure) = shares::figure(report) {
                    h2 { (figure.title) }
                    (svg(&figure))
                }
                @for line in words::composition(report) { p { (sentence(&line)) } }
                @for found in &decision.sources { (source(report, found)) }
                @if !decision.canaries.is_empty() { (canaries(report)) }
                @if !decision.cleared.is_empty() || !decision.mute.is_empty() {
                    h2 { "Sources that were not named" }
                    ul {
                        @for cleared in &decision.cleared { li { (words::clearance(report, cleared)) } }
                        @for source in &decision.mute { li { (words::mute(report, *source)) } }
                    }
                }
                h2 { "The list" }
                @for line in words::about(&report.list) { p class="line" { (line.trim()) } }
                @if let Some(line) = words::fields(report) { p class="line" { (line) } }
                @if report.list.files.len() > 1 { (files(report)) }
            }
        }
    };
    page.into_string()
}

fn sources(report: &Report<'_>) -> Markup {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let level = 100.0 * report.settings.level;
    markup! {
        h2 { "Sources" }
        div class="wide" { table {
            thead { tr {
                th { "source" } th class="n" { "canaries found" } th class="n" { "likelihood ratio" } th { "support" }
                th { "share (" (format!("{level:.0}")) "%)" } th { "rows" } th { "taken" }
            } }
            tbody {
                @for found in &report.decision.sources {
                    tr {
                        td { (report.source(found.source)) @if !found.named { " (not named)" } }
                        td class="n" { (found.found) " of " (found.live)
                            @if found.doubtful > 0 { br; span class="pale" { "and " (found.doubtful) " that chance may explain" } } }
                        td class="n" { "10" sup { (format!("{:.1}", found.log10_lr)) } }
                        td { (super::support(found.log10_lr)) }
                        td { (percent(found.share.estimate)) br; span class="pale" { (percent(found.share.low)) " to " (percent(found.share.high)) } }
                        td { (words::thousands(found.rows.estimate.round() as u64)) br;
                            span class="pale" { (words::thousands(found.rows.low as u64)) " to " (words::thousands(found.rows.high.ceil() as u64)) } }
                        td { (words::window(found)) }
                    }
                }
            }
        } }
    }
}

/// When one source was taken, and which part of it.
fn source(report: &Report<'_>, found: &SourceFinding) -> Markup {
    let name = report.source(found.source);
    markup! {
        h2 { (name) ": batches and the time of the leak" }
        p { "Taken " (words::window(found)) "." }
        (svg(&timeline::figure(report, found)))
        @if let Some(slice) = &found.slice {
            h2 { (name) ": the slice that leaked" }
            p { (sentence(&words::sliced(report, slice))) }
            (svg(&slice::figure(name.as_str(), slice)))
        }
    }
}

/// A line of the terminal's report as a sentence.
fn sentence(line: &str) -> String {
    let mut letters = line.trim().chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

/// The files of a list that consists of several.
fn files(report: &Report<'_>) -> Markup {
    markup! {
        div class="wide" { table {
            thead { tr { th { "file" } th class="n" { "bytes" } th { "SHA-256" } } }
            tbody {
                @for file in report.list.files.iter().take(SHOWN) {
                    tr {
                        td { (file.name) }
                        td class="n" { (words::thousands(file.bytes)) }
                        td { code { (file.sha256) } }
                    }
                }
            }
        } }
        @if report.list.files.len() > SHOWN {
            p class="pale" { (words::thousands((report.list.files.len() - SHOWN) as u64)) " more are in the JSON report." }
        }
    }
}

/// The marks on which a canary agrees.
fn agreement(found: &FoundCanary) -> Markup {
    markup! {
        @for (place, mark) in found.marks.iter().enumerate() {
            @if place > 0 { ", " }
            span class=[found.as_planted.has(mark).then_some("exact")] { (mark) }
        }
        @for (place, (mark, how)) in found.near.iter().enumerate() {
            @if place > 0 || found.marks.count() > 0 { ", " }
            span class="pale" { "nearly " (mark) " (" (how) ")" }
        }
    }
}

fn canaries(report: &Report<'_>) -> Markup {
    let found = &report.decision.canaries;
    markup! {
        h2 { "Canaries in the list" }
        @if let Some(figure) = marks::figure(report) { (svg(&figure)) }
        div class="wide" { table {
            thead { tr { th { "canary" } th { "batch" } th class="n" { "row" } th { "marks that agree" } th class="n" { "chance" } } }
            tbody {
                @for found in found.iter().take(SHOWN) {
                    @let first = &report.watch.canaries[found.canaries[0] as usize];
                    tr {
                        td class="id" { code { (first.id) }
                            @if found.canaries.len() > 1 { " or " (found.canaries.len() - 1) " more" } }
                        td class="id" { (report.batch(first.batch)) }
                        td class="n" {
                            @if report.list.parts.len() > 1 { (report.list.parts[found.part].name) ": " }
                            (words::thousands(found.row)) @if found.rows > 1 { " ×" (found.rows) }
                        }
                        td { (agreement(found)) }
                        td class="n" { "10" sup { (format!("{:.1}", found.log10_rmp)) } }
                    }
                }
            }
        } }
        p class="pale" {
            "Bold: spelt as it was planted. Chance: how often a row that never saw the data agrees like this."
            @if found.len() > SHOWN { " " (words::thousands((found.len() - SHOWN) as u64)) " more are in the JSON report." }
        }
    }
}
