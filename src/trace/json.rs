//! The published JSON of a trace. Its keys stay; more may be added.

use std::borrow::Cow;

use serde::Serialize;
use time::OffsetDateTime;

use super::decide::{Condition, Interval, Slice, SourceFinding, support};
use super::fields::Field;
use super::mark::{Mark, Marks};
use super::near::How;
use super::report::Report;
use super::traits::Attribute;
use crate::notation::HashName;

/// What `otori trace --json` prints for one file.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    file: File,
    verdict: &'static str,
    sources: Vec<Source>,
    cleared: Vec<Cleared>,
    /// Sources of which something was found that is not enough to name them.
    suspected: Vec<Source>,
    /// Sources that the list can neither name nor clear.
    not_shown: Vec<String>,
    /// Those of them whose canaries' details are destroyed.
    forgotten: Vec<String>,
    canaries: Vec<Canary>,
    ambiguous_rows: u64,
    /// What the list is made of; `null` where no source is named.
    composition: Option<Composition>,
    /// Where no source is named: sets of which at least one leaked, from contact points that they
    /// share.
    one_of: Vec<OneOf>,
    /// Contact points found that canaries of several sources hold.
    shared_found: usize,
    /// The personal fields that the list holds.
    fields: Vec<PersonalField>,
    /// How sure the naming of a source has to be.
    threshold: Threshold,
    false_accusation_probability: f64,
    elapsed_seconds: f64,
    /// Names of sources, batches, files and columns are taken out, and slices.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
}

/// What it prints for several.
#[derive(Clone, Debug, Serialize)]
pub struct Documents {
    /// One document per file, in the order in which they were given.
    pub lists: Vec<Document>,
}

#[derive(Clone, Debug, Serialize)]
struct File {
    name: String,
    sha256: String,
    bytes: u64,
    rows: u64,
    format: Cow<'static, str>,
    encoding: Cow<'static, str>,
    rows_otherwise_encoded: u64,
    bad_rows: BadRows,
    columns: Vec<Column>,
    parts: Vec<Part>,
    /// The files, where they are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<super::parts::File>,
}

#[derive(Clone, Debug, Serialize)]
struct Part {
    name: String,
    format: Cow<'static, str>,
    /// What it was packed in, outermost first.
    packing: Vec<Cow<'static, str>>,
    encoding: Cow<'static, str>,
    rows: u64,
    rows_otherwise_encoded: u64,
    bad_rows: BadRows,
    columns: Vec<Column>,
    /// Why it goes no further than what was read of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct BadRows {
    count: u64,
    first: Vec<BadRow>,
}

#[derive(Clone, Debug, Serialize)]
struct BadRow {
    row: u64,
    why: Cow<'static, str>,
}

#[derive(Clone, Debug, Serialize)]
struct Column {
    index: usize,
    header: Option<String>,
    role: Option<&'static str>,
    confidence: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Source {
    source: String,
    found: usize,
    /// How many of these are expected to be there by chance.
    found_by_chance: f64,
    /// Canaries that rows agree with as chance may: not among these.
    doubtful: usize,
    live: usize,
    log10_lr: f64,
    support: &'static str,
    share: Range,
    rows_estimate: Rows,
    window: Window,
    /// The part of the source that leaked; `null` where none stands out.
    slice: Option<SliceTold>,
}

#[derive(Clone, Debug, Serialize)]
struct SliceTold {
    /// All of them hold.
    conditions: Vec<ConditionTold>,
    found: usize,
    live: usize,
    outside_found: usize,
    outside_live: usize,
    /// Of the slice, not of the whole source.
    share: Range,
}

#[derive(Clone, Debug, Serialize)]
struct ConditionTold {
    attribute: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    p: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Composition {
    sources: Vec<Origin>,
    elsewhere: Range,
}

#[derive(Clone, Debug, Serialize)]
struct Origin {
    source: String,
    /// Rows of the list, copies counted.
    rows: Rows,
    /// As a share of the list.
    share: Range,
}

#[derive(Clone, Debug, Serialize)]
struct OneOf {
    sources: Vec<String>,
    log10_lr: f64,
}

#[derive(Clone, Debug, Serialize)]
struct PersonalField {
    role: &'static str,
    /// Share of the rows that have one.
    share: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct Threshold {
    log10_lr: f64,
    sources: usize,
    false_accusation: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Range {
    estimate: f64,
    low: f64,
    high: f64,
    level: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Rows {
    estimate: u64,
    low: u64,
    high: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Window {
    #[serde(with = "time::serde::rfc3339")]
    not_before: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    not_after: Option<OffsetDateTime>,
    level: f64,
    probability: f64,
    /// p of 'taken before this'; `null` where nothing was left out there.
    p_before: Option<f64>,
    /// p of 'taken after this'.
    p_after: Option<f64>,
    /// False where canaries were found that never stood together.
    one_taking: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Cleared {
    source: String,
    live: usize,
    found: u64,
    share_below: f64,
    rows_below: u64,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    level: f64,
    /// What would have shown of leaks of one region or one sex alone.
    slices: Vec<ClearedSlice>,
}

#[derive(Clone, Debug, Serialize)]
struct ClearedSlice {
    attribute: &'static str,
    value: String,
    live: usize,
    share_below: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Nearly {
    mark: &'static str,
    how: String,
}

impl From<(Mark, How)> for Nearly {
    fn from((mark, how): (Mark, How)) -> Nearly {
        Nearly {
            mark: mark.name(),
            how: how.to_string(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Hashed {
    mark: &'static str,
    hash: String,
}

impl From<(Mark, HashName)> for Hashed {
    fn from((mark, hash): (Mark, HashName)) -> Hashed {
        Hashed {
            mark: mark.name(),
            hash: hash.to_string(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Canary {
    canary: String,
    source: String,
    batch: String,
    /// The part in which the row stands, where the list has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    row: u64,
    rows: u64,
    matched: Marks,
    /// Marks that are a slip away.
    near: Vec<Nearly>,
    /// Marks of which the list holds a digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashed: Vec<Hashed>,
    as_planted: Marks,
    log10_rmp: f64,
    /// Which version of the canary the row is of, where that can be told: 1 is what was planted.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The first and the last that it may be of, where several are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<(u32, u32)>,
    /// Canaries that the row fits as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    or: Vec<String>,
}

impl From<&Report<'_>> for Document {
    fn from(report: &Report<'_>) -> Document {
        let (list, decision, level) = (&report.list, &report.decision, report.settings.level);
        let name = |source: usize| report.source(source).to_string();
        let sources = |named: bool| {
            let wanted = decision
                .sources
                .iter()
                .filter(move |source| source.named == named);
            wanted
                .map(|found| source(report, name(found.source), found, level))
                .collect()
        };
        Document {
            file: file(list),
            verdict: decision.verdict.name(),
            sources: sources(true),
            cleared: decision
                .cleared
                .iter()
                .map(|cleared| Cleared {
                    source: name(cleared.source),
                    live: cleared.live,
                    found: 0,
                    share_below: cleared.share_below,
                    rows_below: cleared.rows_below.ceil() as u64,
                    since: cleared.since,
                    level,
                    slices: cleared
                        .slices
                        .iter()
                        .map(|slice| ClearedSlice {
                            attribute: slice.attribute.name(),
                            value: report.value_name(slice.attribute, slice.value),
                            live: slice.live,
                            share_below: slice.share_below,
                        })
                        .collect(),
                })
                .collect(),
            suspected: sources(false),
            forgotten: report.forgotten().map(|(source, _)| name(source)).collect(),
            not_shown: decision.mute.iter().map(|source| name(*source)).collect(),
            canaries: decision
                .canaries
                .iter()
                .map(|found| {
                    let first = &report.watch.canaries[found.canaries[0] as usize];
                    let others = found.canaries[1..].iter();
                    Canary {
                        canary: first.id.to_string(),
                        source: name(first.source as usize),
                        batch: report.batch(first.batch).to_string(),
                        part: (list.parts.len() > 1).then(|| list.parts[found.part].name.clone()),
                        row: found.row,
                        rows: found.rows,
                        matched: found.marks,
                        near: found.near.iter().map(Nearly::from).collect(),
                        hashed: found.near.hashed().map(Hashed::from).collect(),
                        as_planted: found.as_planted,
                        log10_rmp: found.log10_rmp,
                        version: found
                            .versions
                            .and_then(|(first, last)| (first == last).then_some(first)),
                        versions: found.versions.filter(|(first, last)| first != last),
                        or: others
                            .map(|other| report.canary(*other).to_string())
                            .collect(),
                    }
                })
                .collect(),
            ambiguous_rows: decision.ambiguous_rows,
            composition: decision.composition.as_ref().map(|whole| Composition {
                sources: whole
                    .parts
                    .iter()
                    .map(|part| Origin {
                        source: name(part.source),
                        rows: Rows::from(part.rows),
                        share: range(part.share, level),
                    })
                    .collect(),
                elsewhere: range(whole.elsewhere, level),
            }),
            one_of: decision
                .one_of
                .iter()
                .map(|set| OneOf {
                    sources: set.sources.iter().map(|source| name(*source)).collect(),
                    log10_lr: set.log10_lr,
                })
                .collect(),
            shared_found: decision.shared_found,
            fields: report.fields().iter().map(PersonalField::from).collect(),
            threshold: Threshold {
                log10_lr: decision.threshold,
                sources: report.watch.sources.len(),
                false_accusation: report.settings.false_accusation,
            },
            false_accusation_probability: decision.false_accusation_probability,
            elapsed_seconds: report.elapsed.as_secs_f64(),
            redacted: report.redacted.is_some(),
        }
    }
}

fn file(list: &super::report::Listed) -> File {
    let main = list.main();
    File {
        name: list.name.clone(),
        sha256: list.sha256.clone(),
        bytes: list.bytes,
        rows: list.rows,
        format: main.format.clone(),
        encoding: main.encoding.clone(),
        rows_otherwise_encoded: list.parts.iter().map(|part| part.otherwise_encoded).sum(),
        bad_rows: BadRows {
            count: list.bad_rows(),
            ..bad_rows(main)
        },
        columns: columns(main),
        parts: list.parts.iter().map(part).collect(),
        files: match &list.files[..] {
            [_] => Vec::new(),
            files => files.to_vec(),
        },
    }
}

fn part(part: &super::report::Part) -> Part {
    Part {
        name: part.name.clone(),
        format: part.format.clone(),
        packing: part.packing.clone(),
        encoding: part.encoding.clone(),
        rows: part.rows,
        rows_otherwise_encoded: part.otherwise_encoded,
        bad_rows: bad_rows(part),
        columns: columns(part),
        broken: part.broken.clone(),
    }
}

fn bad_rows(part: &super::report::Part) -> BadRows {
    let bad = |(row, why): &(u64, Cow<'static, str>)| BadRow {
        row: *row,
        why: why.clone(),
    };
    BadRows {
        count: part.bad.count,
        first: part.bad.first.iter().map(bad).collect(),
    }
}

fn columns(part: &super::report::Part) -> Vec<Column> {
    let column = |(index, column): (usize, &super::columns::Column)| Column {
        index,
        header: column.header.clone(),
        role: column.role.map(crate::notation::Role::name),
        confidence: column.confidence,
    };
    part.columns.iter().enumerate().map(column).collect()
}

impl From<&Field> for PersonalField {
    fn from(field: &Field) -> PersonalField {
        PersonalField {
            role: field.role.name(),
            share: field.share,
        }
    }
}

impl From<Interval> for Rows {
    fn from(rows: Interval) -> Rows {
        Rows {
            estimate: rows.estimate.round() as u64,
            low: rows.low.floor() as u64,
            high: rows.high.ceil() as u64,
        }
    }
}

fn range(interval: Interval, level: f64) -> Range {
    let Interval {
        estimate,
        low,
        high,
    } = interval;
    Range {
        estimate,
        low,
        high,
        level,
    }
}

fn slice(report: &Report<'_>, slice: &Slice, level: f64) -> SliceTold {
    let condition = |condition: &Condition| {
        let Condition {
            attribute,
            values,
            p,
        } = condition;
        let named = |value: &u16| report.value_name(*attribute, *value);
        let end = |value: Option<&u16>| value.filter(|_| attribute.is_ordered()).map(named);
        ConditionTold {
            attribute: Attribute::name(*attribute),
            values: match attribute.is_ordered() {
                true => Vec::new(),
                false => values.iter().map(named).collect(),
            },
            from: end(values.first()),
            to: end(values.last()),
            p: *p,
        }
    };
    SliceTold {
        conditions: slice.conditions.iter().map(condition).collect(),
        found: slice.found,
        live: slice.live,
        outside_found: slice.outside_found,
        outside_live: slice.outside_live,
        share: range(slice.share, level),
    }
}

fn source(report: &Report<'_>, name: String, found: &SourceFinding, level: f64) -> Source {
    Source {
        source: name,
        found: found.found,
        found_by_chance: found.found_by_chance,
        doubtful: found.doubtful,
        live: found.live,
        log10_lr: found.log10_lr,
        support: support(found.log10_lr),
        share: range(found.share, level),
        rows_estimate: Rows::from(found.rows),
        window: Window {
            not_before: found.not_before,
            not_after: found.not_after,
            level,
            probability: found.window_probability,
            p_before: found.p_before,
            p_after: found.p_after,
            one_taking: found.one_taking,
        },
        slice: found
            .slice
            .as_ref()
            .map(|found| slice(report, found, level)),
    }
}
