//! The verdict against the truth.

use time::OffsetDateTime;

use crate::trace::Report;

/// What really happened.
pub(super) struct Truth {
    pub(super) source: &'static str,
    pub(super) share: f64,
    pub(super) at: OffsetDateTime,
    pub(super) others: Vec<&'static str>,
}

/// Compares point by point, telling each; whether all agree.
pub(super) fn compare(report: &Report<'_>, truth: &Truth, tell: &mut dyn FnMut(&str)) -> bool {
    let decision = &report.decision;
    let named: Vec<_> = decision
        .sources
        .iter()
        .filter(|found| found.named)
        .collect();
    let names: Vec<&str> = named
        .iter()
        .map(|found| report.source(found.source).as_str())
        .collect();
    let mut all = true;
    let mut check = |what: &str, holds: bool| {
        let sign = if holds { "agrees " } else { "DIFFERS" };
        tell(&format!("{sign}  {what}"));
        all &= holds;
    };
    check(
        &format!("the source is {}", truth.source),
        names == [truth.source],
    );
    if let [found] = named[..] {
        check(
            &format!("it left on {}", truth.at.date()),
            found.not_before <= truth.at && found.not_after.is_none_or(|end| truth.at <= end),
        );
        check(
            &format!("{:.0}% of its rows left", truth.share * 100.0),
            found.share.low <= truth.share && truth.share <= found.share.high,
        );
    }
    let cleared: Vec<&str> = decision
        .cleared
        .iter()
        .map(|c| report.source(c.source).as_str())
        .collect();
    for other in &truth.others {
        check(
            &format!("{other} did not leak"),
            !names.contains(other) && cleared.contains(other),
        );
    }
    all
}
