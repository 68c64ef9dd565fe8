//! What gives canaries away, in words.

use super::Column;
use super::features::Trait;

/// One trait, with how canaries and customers differ in it.
pub(super) fn sentence(
    columns: &[Column],
    what: &Trait,
    values: &[f32],
    canary: &[bool],
) -> String {
    let name = |at: &usize| columns[*at].name.as_str();
    let of = |wanted: bool| -> Vec<f64> {
        let rows = values.iter().zip(canary);
        let own = rows.filter(|(value, canary)| **canary == wanted && !value.is_nan());
        own.map(|(value, _)| f64::from(*value)).collect()
    };
    let (ours, theirs) = (of(true), of(false));
    let share = |values: &[f64], wanted: &dyn Fn(f64) -> bool| {
        let count = values.iter().filter(|value| wanted(**value)).count();
        100.0 * count as f64 / values.len().max(1) as f64
    };
    let shares = |wanted: &dyn Fn(f64) -> bool| {
        format!(
            "{:.0}% of the canaries, {:.0}% of the customers",
            share(&ours, wanted),
            share(&theirs, wanted)
        )
    };
    let medians = |back: &dyn Fn(f64) -> f64| {
        format!(
            "canaries {}, customers {} in the middle",
            figure(back(median(&ours))),
            figure(back(median(&theirs)))
        )
    };
    let same = |value: f64| value;
    let count = |value: f64| value.exp() - 1.0;
    match what {
        Trait::MissingPattern => format!(
            "which columns are empty together: rows with the same pattern: {}",
            medians(&count)
        ),
        Trait::Missing(at) => format!("{}: empty in {}", name(at), shares(&|value| value > 0.5)),
        Trait::Length(at) => format!("{}: its length: {}", name(at), medians(&same)),
        Trait::Count(at, part) => format!(
            "{}{}: stands in no other row for {}; rows that share it: {}",
            name(at),
            part.name(),
            shares(&|value| value < 0.5),
            medians(&count)
        ),
        Trait::Value(at) => format!("{}: its value: {}", name(at), medians(&same)),
        Trait::LastDigit(at) => format!(
            "{}: ends in 0 for {}",
            name(at),
            shares(&|value| value == 0.0)
        ),
        Trait::Moment(at, part) => format!("{}: its {part}: {}", name(at), medians(&same)),
        Trait::Surprise(at) => format!(
            "{}: how unusual the sequence of its letters is: {}",
            name(at),
            medians(&same)
        ),
        Trait::RarestLetters(at) => format!(
            "{}: letters that hardly stand side by side elsewhere: in {}",
            name(at),
            shares(&|value| value > 0.0)
        ),
        Trait::Has(at, gram) => format!(
            "{}: has '{gram}' in {}",
            name(at),
            shares(&|value| value > 0.5)
        ),
        Trait::Pair((one, part), (other, second)) => format!(
            "{}{} with {}{}: never seen together elsewhere in {}",
            name(one),
            part.name(),
            name(other),
            second.name(),
            shares(&|value| value < 0.0)
        ),
        Trait::Between(one, other) => format!(
            "days from {} to {}: {}",
            name(one),
            name(other),
            medians(&same)
        ),
        Trait::NameInMail(mail, other) => format!(
            "letters of {} that stand in {}: {}",
            name(other),
            name(mail),
            medians(&same)
        ),
        Trait::Nearest => format!(
            "what it has in common with the row most like it (the rarer, the more it counts): {}",
            medians(&same)
        ),
        Trait::KeyGap(side) => format!("the gap {side} its key: {}", medians(&same)),
        Trait::OffByKey => format!(
            "seconds between its making and that of the rows around it by key: {}",
            medians(&same)
        ),
        Trait::AfterLast => format!("seconds since the row before it by key: {}", medians(&same)),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn figure(value: f64) -> String {
    match value {
        value if value.is_nan() => "none".to_owned(),
        value if value.fract().abs() < 1e-3 || value.abs() >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}
