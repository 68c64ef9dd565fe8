//! The project's own red team: can the canaries of a table be picked out?
//!
//! Two thieves look at the table. One knows nothing and drops what is strange (`forest.rs`); one knows some
//! of the canaries and learns from them (`boost.rs`), on everything that can be counted, compared or spelt
//! (`features.rs`). What they reach is told as areas under the ROC curve with intervals, beside that of a
//! control: as many customers called canaries, of whom no thief can know anything.
//!
//! The same eye makes canaries better before they are planted (`choose.rs`).
//!
//! Limits: a thief with another table of the same people, or with what is known of a name outside of the
//! table, sees more than this one. What is measured is the table itself, with the related tables that its mapping names;
//! orders, log-ins and other rows that it does not name are not looked at.

mod boost;
mod choose;
mod features;
mod folds;
mod forest;
mod near;
mod order;
mod parts;
mod roc;
mod words;

pub use choose::{Candidates, choose};
pub use roc::Caught;

use std::collections::HashSet;

use rand::SeedableRng;
use rand::rngs::StdRng;

use boost::{Binned, Boost, Settings};
use features::{Features, Trait};
use roc::Scored;

/// A row of text; NULL is `None`.
pub type Row = Vec<Option<String>>;

/// What a column is to a thief.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How it is looked at.
    pub kind: Kind,
    /// Whether it is a contact point, by which canaries hang together.
    pub contact: Option<Contact>,
    /// Whether it is a name in letters or kana that a mail address may be made of.
    pub kana: bool,
}

/// How a column is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By its values.
    Plain,
    /// By its order and gaps.
    Key,
    /// The moment when the row was made.
    Made,
    /// Not at all.
    Hidden,
}

/// Kinds of contact points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// A mail address.
    Mail,
    /// A telephone number.
    Phone,
    /// An address with its house number.
    Place,
}

/// A table with its canaries.
pub struct Exhibit<'a> {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, canaries among them.
    pub rows: &'a [Row],
    /// Which of them are canaries.
    pub canary: &'a [bool],
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Canaries that were looked for.
    pub canaries: usize,
    /// Customers they were looked for among.
    pub customers: usize,
    /// Groups of canaries that share a contact point.
    pub groups: usize,
    /// The thief who knows some canaries.
    pub with_labels: Caught,
    /// The thief who knows none.
    pub without_labels: Caught,
    /// The same two on as many customers called canaries, half of them at most.
    pub control: Option<(Caught, Caught)>,
    /// What gives canaries away, the most telling first.
    pub telling: Vec<Telling>,
}

impl Findings {
    /// What speaks against these findings: a control that is not what it must be.
    pub fn doubt(&self) -> Option<String> {
        let (known, unknown) = self.control.as_ref()?;
        let mut thieves = [("some", known), ("none", unknown)].into_iter();
        let (who, off) = thieves.find(|(_, caught)| caught.off())?;
        Some(format!(
            "the control is off: a thief who knows {who} tells customers called canaries from the others with an area under the ROC curve of {:.3} ({:.3} to {:.3}), where 0.5 is right; these figures cannot be trusted. Chance alone does so to one look in a thousand",
            off.auc, off.low, off.high
        ))
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// There are too few canaries or customers.
    TooFew,
    /// The canaries share contact points so much that they fall into so many groups only: whoever finds one of a
    /// group has the others, and there are too few groups to learn from some and look for the rest.
    TooFewGroups(usize),
}

/// One thing that gives canaries away.
#[derive(Clone, Debug)]
pub struct Telling {
    /// Its share in what the thief with labels learnt, 0 to 1.
    pub share: f64,
    /// The area under the ROC curve by this alone, 0.5 to 1.
    pub alone: f64,
    /// In words.
    pub sentence: String,
}

/// Folds of the cross-validation.
const FOLDS: usize = 5;
/// Canaries below which nothing can be said.
pub const LEAST_CANARIES: usize = 20;
/// Groups of canaries below which nothing can be said.
pub const LEAST_GROUPS: usize = 2 * FOLDS;
/// Customers below which nothing can be said.
pub const LEAST_CUSTOMERS: usize = 500;
/// Things that give canaries away, at most, and their least share.
const TELLING: usize = 8;
const LEAST_SHARE: f64 = 0.005;

/// The thief without labels asks how near the nearest row is once in so many times.
const NEAR: usize = 10;

const JUDGE: Settings = Settings {
    trees: 150,
    depth: 4,
    rate: 0.06,
    rows: 0.8,
    features: 0.2,
};

/// Lets both thieves look. Every row counts for what is common in the table; canaries are looked for among the
/// customers `among`.
///
/// # Errors
/// There is too little to learn from.
pub fn judge(
    exhibit: &Exhibit<'_>,
    among: &[bool],
    control: bool,
    seed: u64,
) -> Result<Findings, Unjudged> {
    let judged: Vec<usize> = (0..exhibit.rows.len())
        .filter(|row| exhibit.canary[*row] || among[*row])
        .collect();
    let canaries = exhibit.canary.iter().filter(|canary| **canary).count();
    let customers = judged.len() - canaries;
    if canaries < LEAST_CANARIES || customers < LEAST_CUSTOMERS {
        return Err(Unjudged::TooFew);
    }
    let groups = folds::groups(exhibit);
    let own = groups.iter().zip(exhibit.canary);
    let distinct: HashSet<usize> = own
        .filter_map(|(group, canary)| canary.then_some(*group))
        .collect();
    if distinct.len() < LEAST_GROUPS {
        return Err(Unjudged::TooFewGroups(distinct.len()));
    }
    let counted = vec![true; exhibit.rows.len()];
    let seen = at_rows(features::features(exhibit, &counted), &judged);
    let canary: Vec<bool> = judged.iter().map(|row| exhibit.canary[*row]).collect();
    let group: Vec<usize> = judged.iter().map(|row| groups[*row]).collect();
    let mut rng = StdRng::seed_from_u64(seed);
    // An area is undefined only where one side is empty.
    let few = || Unjudged::TooFew;
    let (with_labels, gain) = with_labels(&seen, &canary, &group, &mut rng).ok_or_else(few)?;
    let without_labels = without_labels(&seen, &canary, &group, &mut rng).ok_or_else(few)?;
    let control = match control {
        false => None,
        true => controlled(exhibit, among, &mut rng),
    };
    Ok(Findings {
        canaries,
        customers,
        groups: distinct.len(),
        with_labels,
        without_labels,
        control,
        telling: telling(exhibit, &seen, &canary, &gain),
    })
}

/// Features of some of the rows.
fn at_rows(seen: Features, rows: &[usize]) -> Features {
    let values = seen.values.iter();
    let mut out = Features {
        values: values
            .map(|values| rows.iter().map(|row| values[*row]).collect())
            .collect(),
        traits: seen.traits,
    };
    out.keep(|_, values: &[f32]| {
        let first = values.first().copied().unwrap_or_default();
        values
            .iter()
            .any(|value| *value != first && !(value.is_nan() && first.is_nan()))
    });
    out
}

fn with_labels(
    seen: &Features,
    canary: &[bool],
    group: &[usize],
    rng: &mut StdRng,
) -> Option<(Caught, Vec<f64>)> {
    let table = Binned::of(&seen.values);
    let fold = folds::folds(canary, group, FOLDS, rng);
    let (margins, gain) = out_of_fold(&table, canary, &fold, |_| true, rng);
    let scores = on_one_scale(&margins, canary, &fold);
    let caught = roc::caught(&scores, canary, group, Scored::Learnt)?;
    Some((caught, gain))
}

/// Log odds of each row from trees that never saw its fold, and what each feature added in all. Trees learn from the
/// rows `learnt` alone.
fn out_of_fold(
    table: &Binned,
    canary: &[bool],
    fold: &[usize],
    learnt: impl Fn(usize) -> bool + Copy + Send,
    rng: &mut StdRng,
) -> (Vec<f64>, Vec<f64>) {
    let seeds: Vec<StdRng> = (0..FOLDS).map(|_| StdRng::from_rng(rng)).collect();
    let boosts: Vec<Boost> = std::thread::scope(|scope| {
        let running: Vec<_> = seeds
            .into_iter()
            .enumerate()
            .map(|(out, mut rng)| {
                scope.spawn(move || {
                    let learn: Vec<u32> = (0..fold.len() as u32)
                        .filter(|row| fold[*row as usize] != out && learnt(*row as usize))
                        .collect();
                    Boost::learn(table, &learn, canary, &JUDGE, &mut rng)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let margins = (0..fold.len())
        .map(|row| boosts[fold[row]].score(table, row))
        .collect();
    let mut gain = vec![0.0; boosts[0].gain.len()];
    for boost in &boosts {
        for (sum, own) in gain.iter_mut().zip(&boost.gain) {
            *sum += own;
        }
    }
    (margins, gain)
}

/// Scores of different folds are put on one scale by their customers.
fn on_one_scale(margins: &[f64], canary: &[bool], fold: &[usize]) -> Vec<f64> {
    let mut scores = vec![0.0; margins.len()];
    for out in 0..FOLDS {
        let own = || (0..fold.len()).filter(|row| fold[*row] == out);
        let mut customers: Vec<f64> = own()
            .filter(|row| !canary[*row])
            .map(|row| margins[row])
            .collect();
        customers.sort_by(f64::total_cmp);
        for row in own() {
            let below = customers.partition_point(|other| *other < margins[row]);
            let upto = customers.partition_point(|other| *other <= margins[row]);
            // Beyond the last customer the margin still orders.
            scores[row] =
                (below + upto) as f64 / (2 * customers.len().max(1)) as f64 + margins[row] * 1e-9;
        }
    }
    scores
}

fn without_labels(
    seen: &Features,
    canary: &[bool],
    group: &[usize],
    rng: &mut StdRng,
) -> Option<Caught> {
    let mut plain: Vec<&[f32]> = seen
        .traits
        .iter()
        .zip(&seen.values)
        .filter(|(what, _)| !matches!(what, Trait::Has(..)))
        .map(|(_, values)| values.as_slice())
        .collect();
    // Rows that are near another are looked for as such: one feature among hundreds is hardly ever asked.
    let near = seen.traits.iter().position(|what| *what == Trait::Nearest);
    let times = plain.len() / NEAR;
    plain.extend(
        near.into_iter()
            .flat_map(|at| std::iter::repeat_n(seen.values[at].as_slice(), times)),
    );
    roc::caught(
        &forest::strangeness(&plain, rng),
        canary,
        group,
        Scored::Apart,
    )
}

/// Both thieves on a table without its canaries, of which as many customers are called so; half of them at most.
fn controlled(exhibit: &Exhibit<'_>, among: &[bool], rng: &mut StdRng) -> Option<(Caught, Caught)> {
    let count = exhibit.canary.iter().filter(|canary| **canary).count();
    let most = among.iter().filter(|among| **among).count() / 2;
    let count = count.min(most);
    let kept: Vec<usize> = (0..exhibit.rows.len())
        .filter(|row| !exhibit.canary[*row])
        .collect();
    let rows: Vec<Row> = kept.iter().map(|row| exhibit.rows[*row].clone()).collect();
    let eligible: Vec<usize> = (0..kept.len()).filter(|at| among[kept[*at]]).collect();
    let mut called = vec![false; kept.len()];
    for at in boost::shuffled(eligible.len(), rng).into_iter().take(count) {
        called[eligible[at]] = true;
    }
    let sham = Exhibit {
        columns: exhibit.columns.clone(),
        rows: &rows,
        canary: &called,
    };
    let counted = vec![true; rows.len()];
    let seen = at_rows(features::features(&sham, &counted), &eligible);
    let canary: Vec<bool> = eligible.iter().map(|at| called[*at]).collect();
    let group: Vec<usize> = (0..eligible.len()).collect();
    let known = with_labels(&seen, &canary, &group, rng)?.0;
    Some((known, without_labels(&seen, &canary, &group, rng)?))
}

fn telling(exhibit: &Exhibit<'_>, seen: &Features, canary: &[bool], gain: &[f64]) -> Vec<Telling> {
    let whole: f64 = gain.iter().sum();
    let mut order: Vec<usize> = (0..gain.len()).collect();
    order.sort_by(|a, b| gain[*b].total_cmp(&gain[*a]));
    let alone = |at: usize| {
        let values: Vec<f64> = seen.values[at]
            .iter()
            .map(|value| {
                if value.is_nan() {
                    f64::MIN
                } else {
                    f64::from(*value)
                }
            })
            .collect();
        let each: Vec<usize> = (0..canary.len()).collect();
        let auc =
            roc::caught(&values, canary, &each, Scored::Apart).map_or(0.5, |caught| caught.auc);
        auc.max(1.0 - auc)
    };
    order
        .into_iter()
        .take(TELLING)
        .filter(|at| whole > 0.0 && gain[*at] / whole >= LEAST_SHARE)
        .map(|at| Telling {
            share: gain[at] / whole,
            alone: alone(at),
            sentence: words::sentence(&exhibit.columns, &seen.traits[at], &seen.values[at], canary),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn column(name: &str) -> Column {
        Column {
            name: name.to_owned(),
            kind: Kind::Plain,
            contact: None,
            kana: false,
        }
    }

    /// Rows of an amount and a plan, drawn alike for customers and canaries.
    fn drawn(count: usize, rng: &mut StdRng) -> Vec<Row> {
        let row = |_| {
            let amount = rng.random_range(0..500).to_string();
            let plan = ["A", "B", "C"][rng.random_range(0..3)].to_owned();
            vec![Some(amount), Some(plan)]
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_table_of_more_canaries_than_customers_with_an_infinite_amount_is_judged_alike_each_time() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut rows = drawn(1_150, &mut rng);
        rows[3][0] = Some("Infinity".to_owned());
        rows[700][0] = Some("1e300".to_owned());
        let canary: Vec<bool> = (0..rows.len()).map(|row| row >= 550).collect();
        let among: Vec<bool> = canary.iter().map(|canary| !canary).collect();
        let judged = || {
            let exhibit = Exhibit {
                columns: vec![column("amount"), column("plan")],
                rows: &rows,
                canary: &canary,
            };
            judge(&exhibit, &among, true, 7).unwrap()
        };
        let (one, again) = (judged(), judged());
        assert_eq!((one.canaries, one.customers), (600, 550));
        assert!(one.with_labels.low < 0.55, "{one:?}");
        let (control, _) = one.control.as_ref().unwrap();
        assert!(control.low < 0.55 && control.high > 0.45, "{one:?}");
        assert_eq!(format!("{one:?}"), format!("{again:?}"));
    }

    #[test]
    fn a_control_that_is_no_coin_is_told() {
        let caught = |low: f64, high: f64| Caught {
            auc: (low + high) / 2.0,
            low,
            high,
            at_1_percent: 0.01,
            at_5_percent: 0.05,
        };
        let found = |control| Findings {
            canaries: 40,
            customers: 900,
            groups: 40,
            with_labels: caught(0.5, 0.6),
            without_labels: caught(0.4, 0.6),
            control,
            telling: Vec::new(),
        };
        let (right, near) = (caught(0.45, 0.55), caught(0.53, 0.63));
        let (high, low) = (caught(0.54, 0.62), caught(0.30, 0.42));
        let doubt = |known, unknown| found(Some((known, unknown))).doubt();
        assert_eq!(found(None).doubt(), None);
        assert_eq!(doubt(right, right), None);
        // Chance leaves the interval to one look in twenty.
        assert_eq!(doubt(near, right), None);
        let told = doubt(high, low).unwrap();
        assert!(
            told.contains("knows some") && told.contains("0.580 (0.540 to 0.620)"),
            "{told}"
        );
        let told = doubt(right, low).unwrap();
        assert!(told.contains("knows none"), "{told}");
    }

    /// What the thief who learns reaches where canaries are drawn as customers are: of numbers, and of marks that few bear.
    fn learnt_from_nothing(canaries: usize, customers: usize, rng: &mut StdRng) -> Caught {
        let rows = canaries + customers;
        let values = (0..24).map(|feature| match feature % 3 {
            0 => (0..rows)
                .map(|_| f32::from(u8::from(rng.random_bool(0.1))))
                .collect(),
            _ => (0..rows).map(|_| rng.random()).collect(),
        });
        let seen = Features {
            values: values.collect(),
            traits: (0..24).map(Trait::Value).collect(),
        };
        let canary: Vec<bool> = (0..rows).map(|row| row < canaries).collect();
        let group: Vec<usize> = (0..rows).collect();
        with_labels(&seen, &canary, &group, rng).unwrap().0
    }

    #[test]
    fn the_interval_of_the_thief_who_learns_holds_a_half_19_times_in_20_where_nothing_tells() {
        let mut rng = StdRng::seed_from_u64(4);
        let (mut looks, mut held, mut off) = (0, 0, 0);
        for (canaries, customers, times) in [(20, 500, 150), (40, 700, 100), (200, 1_000, 50)] {
            for _ in 0..times {
                let caught = learnt_from_nothing(canaries, customers, &mut rng);
                looks += 1;
                held += usize::from(caught.low <= 0.5 && 0.5 <= caught.high);
                off += usize::from(caught.off());
            }
        }
        let share = f64::from(held as u32) / f64::from(looks);
        assert!((0.93..=0.98).contains(&share), "{held} of {looks}");
        assert!(off <= 2, "{off} of {looks}");
    }

    #[test]
    fn near_copies_of_customers_rows_are_caught() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut text = |kinds: &[(&str, u32)]| {
            let one =
                |(prefix, most): &(&str, u32)| format!("{prefix}{}", rng.random_range(0..*most));
            kinds.iter().map(one).collect::<Vec<_>>().join(" ")
        };
        let mut row = || -> Row {
            vec![
                Some(text(&[("S", 300), ("G", 200)])),
                Some(text(&[("Town", 400), ("", 90)])),
                Some(text(&[("+1202", 9_000_000)])),
                Some(text(&[("born", 15_000)])),
                Some(text(&[("plan", 3)])),
                Some(text(&[("shop", 40)])),
            ]
        };
        let mut rows: Vec<Row> = (0..1_500).map(|_| row()).collect();
        // Another name and number; all else is a customer's.
        for at in 0..60 {
            let mut copy = rows[at * 23].clone();
            let other = row();
            copy[0] = other[0].clone();
            copy[2] = other[2].clone();
            rows.push(copy);
        }
        let canary: Vec<bool> = (0..rows.len()).map(|row| row >= 1_500).collect();
        let among: Vec<bool> = canary.iter().map(|canary| !canary).collect();
        let exhibit = Exhibit {
            columns: ["name", "address", "phone", "birth", "plan", "shop"]
                .map(column)
                .to_vec(),
            rows: &rows,
            canary: &canary,
        };
        let found = judge(&exhibit, &among, false, 7).unwrap();
        assert!(found.with_labels.low > 0.9, "{found:?}");
        assert!(found.without_labels.low > 0.8, "{found:?}");
        let told = |telling: &Telling| telling.sentence.contains("the row most like it");
        assert!(found.telling.iter().any(told), "{found:?}");
    }

    #[test]
    fn what_cannot_be_judged_is_said() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut rows = drawn(640, &mut rng);
        let canary: Vec<bool> = (0..rows.len()).map(|row| row >= 600).collect();
        for (row, canary) in rows.iter_mut().zip(&canary) {
            let number = match canary {
                true => "+12025550100".to_owned(),
                false => format!("+1{}", rng.random_range(2_000_000_000_u64..9_999_999_999)),
            };
            row.push(Some(number));
        }
        let judged = |canary: &[bool]| {
            let phone = Column {
                contact: Some(Contact::Phone),
                ..column("phone")
            };
            let exhibit = Exhibit {
                columns: vec![column("amount"), column("plan"), phone],
                rows: &rows,
                canary,
            };
            let among: Vec<bool> = canary.iter().map(|canary| !canary).collect();
            judge(&exhibit, &among, false, 7).map(|_| ())
        };
        assert_eq!(judged(&canary), Err(Unjudged::TooFewGroups(1)));
        let few: Vec<bool> = (0..rows.len()).map(|row| row >= 630).collect();
        assert_eq!(judged(&few), Err(Unjudged::TooFew));
    }
}
