//! A report in words: the verdict first, then what it rests on.

use std::io::{self, Write};

use time::OffsetDateTime;
use time::macros::format_description;

use super::decide::{Cleared, Condition, FoundCanary, Slice, SourceFinding, Verdict, support};
use super::report::{Listed, Part, Report};

/// How many canaries are listed before the rest is counted.
const SHOWN: usize = 10;
/// How many parts of a list.
const PARTS_SHOWN: usize = 20;

/// Writes a report for people to read. It holds canary ids, no detail of a canary.
///
/// # Errors
/// The writer's.
pub fn words(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for line in verdict(report) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    for source in &report.decision.sources {
        writeln!(out, "{}", finding(report, source))?;
    }
    for line in composition(report) {
        writeln!(out, "{line}")?;
    }
    if let Some(line) = canaries(report) {
        writeln!(out, "{line}")?;
    }
    for cleared in &report.decision.cleared {
        writeln!(out, "{}", clearance(report, cleared))?;
    }
    for source in &report.decision.mute {
        writeln!(out, "{}", mute(report, *source))?;
    }
    writeln!(out)?;
    for line in about(&report.list) {
        writeln!(out, "{line}")?;
    }
    if let Some(line) = fields(report) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "  read in {:.1} s", report.elapsed.as_secs_f64())
}

/// The verdict in one or two sentences.
pub(super) fn verdict(report: &Report<'_>) -> Vec<String> {
    let decision = &report.decision;
    let names: Vec<&str> = decision
        .sources
        .iter()
        .filter(|source| source.named)
        .map(|source| report.source(source.source).as_str())
        .collect();
    match decision.verdict {
        Verdict::Attributed => vec![
            format!("This list comes from {}.", and(&names)),
            format!(
                "The probability that an innocent source is named so is at most {} ({} looked at).",
                power(decision.false_accusation_probability),
                count(report.watch.sources.len() as u64, "source"),
            ),
            format!(
                "A source is named from a likelihood ratio of 10^{:.1}: so an innocent one is named in at most {} of lists.",
                decision.threshold,
                power(report.settings.false_accusation),
            ),
        ],
        Verdict::NoCanary => vec!["No canary is in this list.".to_owned()],
        Verdict::Inconclusive if report.watch.is_empty() => {
            vec!["Nothing can be said: no canary has been planted yet.".to_owned()]
        }
        Verdict::Inconclusive if report.list.rows == 0 => {
            vec!["Nothing can be said: this list has no rows.".to_owned()]
        }
        Verdict::Inconclusive if !decision.one_of.is_empty() => {
            let sets = decision.one_of.iter().map(|set| {
                let sources = set.sources.iter();
                let names: Vec<&str> = sources.map(|one| report.source(*one).as_str()).collect();
                format!(
                    "Inconclusive as to one source: it comes from at least one of {} (likelihood ratio 10^{:.1}), which share the {} found.",
                    and(&names),
                    set.log10_lr,
                    count(decision.shared_found as u64, "contact point"),
                )
            });
            sets.collect()
        }
        Verdict::Inconclusive
            if decision.sources.is_empty()
                && decision.ambiguous_rows == 0
                && decision.shared_found == 0 =>
        {
            let unread = report.list.parts.iter().any(|part| part.broken.is_some());
            let why = if unread {
                "No canary is in what was read of this list, but a part of it could not be read: nobody is cleared."
            } else if decision.columns.identify() {
                "Nothing can be said: no canary is in this list, but it is too short, or too few of its cells are filled, for a leak to have shown."
            } else {
                "Nothing can be said: this list lacks the columns that canaries are known by."
            };
            vec![why.to_owned()]
        }
        Verdict::Inconclusive => vec![format!(
            "Inconclusive: something was found, but not enough to name a source with a false accusation in less than {} of cases: of {} looked at, it takes a likelihood ratio of 10^{:.1}.",
            power(report.settings.false_accusation),
            count(report.watch.sources.len() as u64, "source"),
            decision.threshold,
        )],
    }
}

/// What was found of a source.
pub(super) fn finding(report: &Report<'_>, found: &SourceFinding) -> String {
    let name = report.source(found.source);
    let head = format!(
        "{name}: {} of {} found, likelihood ratio 10^{:.1} ({})",
        found.found,
        count(found.live as u64, "canary"),
        found.log10_lr,
        support(found.log10_lr)
    );
    if !found.named {
        return format!("{head}; not named");
    }
    let level = 100.0 * report.settings.level;
    let mut text = format!(
        "{head}\n  share of it in the list: {:.1}% ({level:.0}% interval {:.1}% to {:.1}%), about {} ({} to {})\n  taken {} ({level:.0}%{})",
        100.0 * found.share.estimate,
        100.0 * found.share.low,
        100.0 * found.share.high,
        count(found.rows.estimate.round() as u64, "row"),
        thousands(found.rows.low.floor() as u64),
        thousands(found.rows.high.ceil() as u64),
        window(found),
        significance(found),
    );
    if found.doubtful > 0 {
        text.push_str(&format!(
            "\n  rows also agree with {} as chance may explain: not shown; of those shown, {:.2} may be there by chance",
            count(found.doubtful as u64, "other canary"),
            found.found_by_chance,
        ));
    }
    if let Some(slice) = &found.slice {
        text.push_str("\n  ");
        text.push_str(&sliced(report, slice));
    }
    text
}

/// How surely earlier and later times are left out.
fn significance(found: &SourceFinding) -> String {
    let side = |p: Option<f64>, word: &str| p.map(|p| format!("; {word}: p {}", small(p)));
    let sides = [
        side(found.p_before, "earlier"),
        side(found.p_after, "later"),
    ];
    sides.into_iter().flatten().collect()
}

/// Which slice of a source leaked.
pub(super) fn sliced(report: &Report<'_>, slice: &Slice) -> String {
    let conditions: Vec<String> = (slice.conditions.iter())
        .map(|one| format!("{} (p {})", condition(report, one), small(one.p)))
        .collect();
    format!(
        "leaked was above all {}: {} of {} there, {} of {} elsewhere; share of that slice {:.1}% ({:.0}% interval {:.1}% to {:.1}%)",
        conditions.join(" and "),
        slice.found,
        count(slice.live as u64, "canary"),
        slice.outside_found,
        thousands(slice.outside_live as u64),
        100.0 * slice.share.estimate,
        100.0 * report.settings.level,
        100.0 * slice.share.low,
        100.0 * slice.share.high,
    )
}

/// One condition of a slice.
fn condition(report: &Report<'_>, condition: &Condition) -> String {
    let names: Vec<String> = (condition.values.iter())
        .map(|value| report.value_name(condition.attribute, *value))
        .collect();
    let attribute = condition.attribute.name().replace('_', " ");
    match &names[..] {
        [first, last] if condition.attribute.is_ordered() && first != last => {
            format!("{attribute} {first} to {last}")
        }
        [first, ..] if condition.attribute.is_ordered() => format!("{attribute} {first}"),
        _ => format!("{attribute} {}", names.join(", ")),
    }
}

/// What the list is made of.
pub(super) fn composition(report: &Report<'_>) -> Vec<String> {
    let Some(whole) = &report.decision.composition else {
        return Vec::new();
    };
    let percent = |share: super::decide::Interval| {
        format!(
            "{:.1}% ({:.1}% to {:.1}%)",
            100.0 * share.estimate,
            100.0 * share.low,
            100.0 * share.high
        )
    };
    let mut parts: Vec<String> = (whole.parts.iter())
        .map(|part| {
            format!(
                "{} from {}",
                percent(part.share),
                report.source(part.source)
            )
        })
        .collect();
    parts.push(format!("{} from elsewhere", percent(whole.elsewhere)));
    vec![format!("of the list's rows {}", parts.join(", "))]
}

/// Which personal fields the list holds, and in how many of its rows.
pub(super) fn fields(report: &Report<'_>) -> Option<String> {
    let fields: Vec<String> = (report.fields().iter())
        .map(|field| match field.share {
            Some(share) => format!("{} ({:.0}% of rows)", field.role, 100.0 * share),
            None => field.role.to_string(),
        })
        .collect();
    (!fields.is_empty()).then(|| format!("personal fields: {}", fields.join(", ")))
}

/// When a source's rows were taken.
pub(super) fn window(found: &SourceFinding) -> String {
    if !found.one_taking {
        let until = found.not_after.map_or_else(|| "today".to_owned(), day);
        return format!(
            "at several times between {} and {until}: some of its canaries never stood together",
            day(found.not_before)
        );
    }
    match found.not_after {
        Some(until) => format!("between {} and {}", day(found.not_before), day(until)),
        None => format!("on {} or later", day(found.not_before)),
    }
}

/// How large a leak of a source would have shown.
pub(super) fn clearance(report: &Report<'_>, cleared: &Cleared) -> String {
    format!(
        "{}: none of {} found; a leak of more than {:.2}% of it ({}), drawn from all of it, since {} would have shown with {:.0}%",
        report.source(cleared.source),
        count(cleared.live as u64, "canary"),
        100.0 * cleared.share_below,
        count(cleared.rows_below.ceil() as u64, "row"),
        day(cleared.since),
        100.0 * report.settings.level,
    )
}

/// Why a source is neither named nor cleared.
pub(super) fn mute(report: &Report<'_>, source: usize) -> String {
    let name = report.source(source);
    if let Some((_, at)) = report.forgotten().find(|(place, _)| *place == source) {
        return format!(
            "{name}: its canaries were forgotten on {}, and no list shows them any more: it is not cleared",
            day(at)
        );
    }
    let standing = report
        .watch
        .canaries
        .iter()
        .filter(|canary| canary.source as usize == source)
        .any(|canary| report.watch.batches[canary.batch as usize].until.is_none());
    let unread = report.list.parts.iter().any(|part| part.broken.is_some());
    let why = if unread {
        "a part of the list could not be read, so it is not cleared"
    } else if standing {
        "this list would not show its canaries, or is too short for it, so it is not cleared"
    } else {
        "no canary stands in it, so it is not cleared"
    };
    format!("{name}: {why}")
}

fn canaries(report: &Report<'_>) -> Option<String> {
    let found = &report.decision.canaries;
    let shown: Vec<String> = found
        .iter()
        .take(SHOWN)
        .map(|found| {
            let exact = found.marks.iter().map(|mark| {
                let hash = found.near.hashed().find(|(hashed, _)| *hashed == mark);
                hash.map_or(mark.name().to_owned(), |(_, hash)| {
                    format!("{mark} (its {hash})")
                })
            });
            let near = found.near.iter();
            let near = near.map(|(mark, how)| format!("nearly {mark} ({how})"));
            let marks: Vec<String> = exact.chain(near).collect();
            let id = report.canary(found.canaries[0]);
            let version = match found.versions {
                Some((one, last)) if one == last => format!(" (version {one})"),
                Some((first, last)) => format!(" (version {first} to {last})"),
                None => String::new(),
            };
            format!(
                "  {id}{version} in {}: {}",
                place(&report.list, found),
                marks.join(", ")
            )
        })
        .collect();
    let more = found.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!("\n  and {} more", thousands(more as u64))
    } else {
        String::new()
    };
    (!shown.is_empty()).then(|| format!("canaries\n{}{rest}", shown.join("\n")))
}

/// Where a canary stands in the list.
pub(super) fn place(list: &Listed, found: &FoundCanary) -> String {
    let row = format!("row {}", thousands(found.row));
    match &list.parts[..] {
        [_] => row,
        parts => format!("{}, {row}", parts[found.part].name),
    }
}

/// What was read.
pub(super) fn about(list: &Listed) -> Vec<String> {
    let [only] = &list.parts[..] else {
        return about_parts(list);
    };
    let mut lines = vec![
        format!(
            "{}: {}, {}, {}",
            list.name,
            count(list.rows, "row"),
            count(list.bytes, "byte"),
            written(only),
        ),
        format!("  SHA-256 {}", list.sha256),
    ];
    lines.extend(about_part(only).into_iter().map(|line| format!("  {line}")));
    lines
}

fn about_parts(list: &Listed) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}: {} in {}, {}",
            list.name,
            count(list.rows, "row"),
            count(list.parts.len() as u64, "part"),
            count(list.bytes, "byte"),
        ),
        format!("  SHA-256 {}", list.sha256),
    ];
    for part in list.parts.iter().take(PARTS_SHOWN) {
        lines.push(format!(
            "  {}: {}, {}",
            part.name,
            count(part.rows, "row"),
            written(part)
        ));
        lines.extend(
            about_part(part)
                .into_iter()
                .map(|line| format!("    {line}")),
        );
    }
    let rest = &list.parts[list.parts.len().min(PARTS_SHOWN)..];
    if !rest.is_empty() {
        let broken = rest.iter().filter(|part| part.broken.is_some()).count();
        lines.push(format!(
            "  and {} with {}, {} of them not read to the end",
            count(rest.len() as u64, "more part"),
            count(rest.iter().map(|part| part.rows).sum(), "row"),
            thousands(broken as u64),
        ));
    }
    lines
}

/// Format and encoding of a part.
fn written(part: &Part) -> String {
    let packed: String = part
        .packing
        .iter()
        .rev()
        .map(|packing| format!(" in {packing}"))
        .collect();
    let format = format!("{}{packed}", part.format);
    let known = [format.trim(), &*part.encoding];
    let known: Vec<&str> = known.into_iter().filter(|word| !word.is_empty()).collect();
    known.join(", ")
}

/// A part's columns, and what was wrong with it.
fn about_part(part: &Part) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = &part.broken {
        lines.push(format!("not read to the end: {why}"));
    }
    let columns: Vec<String> = part
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let role = column.role.map_or("unknown", crate::notation::Role::name);
            match column.header.as_deref().filter(|header| !header.is_empty()) {
                Some(header) => format!("{header} ({role})"),
                None => format!("{} ({role})", index + 1),
            }
        })
        .collect();
    if !columns.is_empty() {
        lines.push(format!("columns: {}", columns.join(", ")));
    }
    if part.otherwise_encoded > 0 {
        lines.push(format!(
            "{} in another encoding",
            count(part.otherwise_encoded, "row")
        ));
    }
    if part.bad.count > 0 {
        let first = part.bad.first.iter().take(3);
        let first: Vec<String> = first
            .map(|(row, why)| format!("row {row}: {why}"))
            .collect();
        lines.push(format!(
            "{} (examined all the same): {}",
            count(part.bad.count, "bad row"),
            first.join("; ")
        ));
    }
    lines
}

/// A day in UTC.
pub(super) fn day(at: OffsetDateTime) -> String {
    // The format has no part that can fail.
    at.to_offset(time::UtcOffset::UTC)
        .format(format_description!("[year]-[month]-[day]"))
        .unwrap_or_default()
}

fn and(names: &[&str]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        [one] => (*one).to_owned(),
        _ => String::new(),
    }
}

/// A small probability, rounded up to a power of ten or to two digits.
fn power(probability: f64) -> String {
    if probability >= 0.01 {
        format!("{probability:.2}")
    } else if probability <= 0.0 {
        "10^-300".to_owned()
    } else {
        format!("10^{}", probability.log10().ceil())
    }
}

/// A p with two digits.
fn small(p: f64) -> String {
    if p >= 0.001 {
        format!("{p:.3}")
    } else {
        format!("below {}", power(p.max(1e-99)))
    }
}

pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn count(number: u64, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    format!("{} {plural}", thousands(number))
}
