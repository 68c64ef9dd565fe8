//! Which canaries a list's columns can show, and which of them it shows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use smallvec::SmallVec;

use super::super::few::Few;
use super::super::mark::{Mark, Marks};
use super::super::normalise::Class;
use super::super::scan::{Claim, Seen};
use super::super::watch::Watch;
use super::FoundCanary;
use super::rarity::Rarity;
use super::spelling::Spelling;
use super::weigh::{Found, Stood, Unit};

/// A canary's best row is looked at where chance explains it with less than this probability. Of very many
/// canaries some are met so: what that weighs, and whether it is shown, is for [`weigh`](super::weigh).
const HIT: f64 = 0.1;
/// Where fewer rows than these have a unit in their address, somebody has cut it off.
const WITH_UNIT: f64 = 0.01;
/// A kind of mark can be shown by a list where so many of its rows have one.
const FILLED: f64 = 0.1;

/// A unit with what a report shows of it.
pub struct SourceUnit {
    /// Indices of its members into the watch.
    pub members: Few,
    pub unit: Unit,
    /// How probable it is that the list would show a member that is in it, as full as its columns are.
    pub shows: f64,
    /// Most of very many units are not found.
    pub row: Option<Box<FoundCanary>>,
}

/// The units of a list.
pub struct Units {
    pub by_source: Vec<Vec<SourceUnit>>,
    /// Units that canaries of several sources share.
    pub shared: Vec<SourceUnit>,
    /// Marks that the list's columns can show.
    pub columns: Marks,
    /// Rows that fit canaries which the columns should tell apart: they speak for none.
    pub ambiguous_rows: u64,
    /// Sources that such rows fit.
    pub touched: HashSet<usize>,
}

/// The best row of a unit.
struct Best<'a> {
    log10_rmp: f64,
    claim: &'a Claim,
    seen: Seen,
    /// Rows that show the unit in any way.
    rows: u64,
    /// The versions of its canary that they are of, where they are told apart.
    versions: BTreeSet<(u8, u8)>,
}

/// Sorts canaries into units, and the list's claims to them.
pub fn units(rarity: &Rarity<'_>, has_children: bool) -> Units {
    let watch = rarity.watch;
    let columns = columns(rarity, has_children);
    // Canaries with the same values in all columns of the list are one unit.
    let mut members: BTreeMap<Vec<(Mark, u32)>, Vec<u32>> = BTreeMap::new();
    let mut groups: Vec<Few> = Vec::with_capacity(watch.canaries.len());
    let unique = |value: u32| !is_shared(watch, value);
    for (index, canary) in (0_u32..).zip(&watch.canaries) {
        let shown = watch
            .values_of(canary)
            .filter(|(mark, _)| columns.has(*mark));
        if shown.clone().any(|(_, value)| unique(value)) {
            groups.push(Few::one(index));
            continue;
        }
        let mut signature: Vec<(Mark, u32)> = shown.collect();
        signature.sort_unstable();
        members.entry(signature).or_default().push(index);
    }
    groups.extend(members.into_values().map(Few::from));
    groups.sort();
    let mut unit_of = vec![0_u32; watch.canaries.len()];
    for (unit, group) in (0..).zip(&groups) {
        for canary in group {
            unit_of[*canary as usize] = unit;
        }
    }
    let mut best: HashMap<u32, Best<'_>> = HashMap::new();
    let mut ambiguous_rows = 0;
    let mut touched = HashSet::new();
    let mut claims: Vec<(&Claim, &Seen)> = rarity.tally.claims.iter().collect();
    claims.sort_unstable_by_key(|(claim, seen)| (seen.first, *claim));
    for (claim, seen) in claims {
        let first = claim.canaries[0];
        let unit = unit_of[first as usize];
        let canary = &watch.canaries[first as usize];
        let log10_rmp = rarity.log10_rmp(canary, claim.agreed(), &HashSet::new());
        // Neighbours' numbers are no slips of ours: beside so many canaries, some stranger has one.
        let all = match claim.near.has(Mark::Phone) {
            true => (watch.canaries.len() as f64).log10(),
            false => 0.0,
        };
        let source = |canary: &u32| watch.canaries[*canary as usize].source as usize;
        if rarity.log10_in_list(log10_rmp) + all > HIT.log10() {
            // Chance may explain it; but a list that holds what is ours clears nobody of it.
            if claim.marks.iter().any(Mark::is_owned) {
                touched.extend(claim.canaries.iter().map(source));
            }
            continue;
        }
        let together = claim
            .canaries
            .iter()
            .all(|other| unit_of[*other as usize] == unit);
        if !together {
            ambiguous_rows += seen.rows;
            touched.extend(claim.canaries.iter().map(source));
            continue;
        }
        let rows = best.get(&unit).map_or(0, |known| known.rows) + seen.rows;
        let known = best.entry(unit).or_insert(Best {
            log10_rmp,
            claim,
            seen: *seen,
            rows,
            versions: BTreeSet::new(),
        });
        known.versions.extend(claim.versions);
        if log10_rmp < known.log10_rmp {
            (known.log10_rmp, known.claim, known.seen) = (log10_rmp, claim, *seen);
        }
        known.rows = rows;
    }
    drop(unit_of);
    let filled = |class: Class| rarity.tally.filled[class as usize] as f64 / rarity.looked;
    let mut spelling = Spelling::new(rarity);
    let mut shared: Vec<SourceUnit> = Vec::new();
    let mut canaries = vec![0; watch.sources.len()];
    for canary in &watch.canaries {
        canaries[canary.source as usize] += 1;
    }
    // A source has at most as many units as canaries.
    let mut by_source: Vec<Vec<SourceUnit>> =
        canaries.into_iter().map(Vec::with_capacity).collect();
    for (unit, group) in (0..).zip(groups) {
        let canary = &watch.canaries[group[0] as usize];
        let source = canary.source;
        let found = best.get(&unit);
        let alone = group
            .iter()
            .all(|other| watch.canaries[*other as usize].source == source);
        let shows = showing(rarity, group[0], columns, &filled);
        if found.is_none() && shows <= 0.0 {
            continue;
        }
        if found.is_some() && !alone {
            let sources = group
                .iter()
                .map(|other| watch.canaries[*other as usize].source);
            touched.extend(sources.map(|source| source as usize));
        }
        let units = match alone {
            true => &mut by_source[source as usize],
            false => &mut shared,
        };
        units.push(SourceUnit {
            unit: Unit {
                batches: group
                    .iter()
                    .map(|other| watch.canaries[*other as usize].batch)
                    .collect(),
                found: found.map(|best| Box::new(evidence(rarity, &mut spelling, best, columns))),
            },
            members: group,
            shows,
            row: found.map(|best| {
                Box::new(FoundCanary {
                    canaries: best.claim.canaries.to_vec(),
                    part: best.seen.first.part,
                    row: best.seen.first.row,
                    rows: best.rows,
                    marks: best.claim.marks,
                    near: best.seen.how,
                    as_planted: best.seen.as_planted,
                    log10_rmp: best.log10_rmp,
                    versions: best.claim.versions.and_then(|range| {
                        let (first, last) = canary.lived(range)?;
                        Some((first.number, last.number))
                    }),
                })
            }),
        });
    }
    Units {
        by_source,
        shared,
        columns,
        ambiguous_rows,
        touched,
    }
}

/// Whether several canaries hold a value. Holders are in the order of their canaries: a scarce number
/// may have very many.
fn is_shared(watch: &Watch, value: u32) -> bool {
    let holders = watch.holders(value);
    let ends = holders.first().zip(holders.last());
    ends.is_some_and(|(first, last)| first.canary != last.canary)
}

fn evidence(
    rarity: &Rarity<'_>,
    spelling: &mut Spelling<'_>,
    best: &Best<'_>,
    columns: Marks,
) -> Found {
    let (watch, claim) = (rarity.watch, best.claim);
    let canary = &watch.canaries[claim.canaries[0] as usize];
    let borne = watch.marks_of(canary);
    let shared: Vec<u32> = watch
        .values_of(canary)
        .filter(|(mark, value)| {
            mark.is_owned() && claim.marks.has(*mark) && is_shared(watch, *value)
        })
        .map(|(_, value)| value)
        .collect();
    let by_chance = |spent: &HashSet<u32>| {
        rarity.log10_in_list(rarity.log10_rmp(canary, claim.agreed(), spent))
    };
    Found {
        failed: columns.and(borne).without(claim.agreed().all()),
        near: claim.near,
        log10_by_chance: by_chance(&HashSet::new()),
        log10_when_spent: by_chance(&shared.iter().copied().collect()),
        groups: claim.agreed().all().groups(),
        spelt: match claim.canaries[..] {
            [canary] => spelling.of(canary, claim, best.seen.as_planted),
            // What several have in common was not written for one of them.
            _ => Vec::new(),
        },
        shared,
        stood: best
            .versions
            .iter()
            .filter_map(|range| {
                let (first, last) = canary.lived(*range)?;
                Some(Stood {
                    from: first.from,
                    until: last.until,
                })
            })
            .collect(),
    }
}

/// How probable it is that the list would show a canary that is in it: its marks in the list's columns suffice,
/// and its row has so many of them filled as other rows have. Which cells are empty together nobody knows, so the
/// worst is taken; 0 where not even all marks suffice. `filled` is the share of rows that have a key of a class.
pub fn showing(
    rarity: &Rarity<'_>,
    canary: u32,
    columns: Marks,
    filled: &dyn Fn(Class) -> f64,
) -> f64 {
    let canary = &rarity.watch.canaries[canary as usize];
    let borne = rarity.watch.marks_of(canary);
    let units = rarity.tally.units as f64 / rarity.looked >= WITH_UNIT;
    let mut shown = borne.and(columns);
    // What has a block of its own has a unit.
    if borne.has(Mark::Block) && !units {
        shown = shown.without(Marks::default().with(Mark::Address));
    }
    let filled = |marks: Marks| {
        let empty = marks.iter().map(Class::of);
        let empty = empty.map(|class| (1.0 - filled(class)).max(0.0));
        (1.0 - empty.sum::<f64>()).max(0.0)
    };
    let suffice = |marks: Marks| {
        let rmp = || rarity.log10_rmp(canary, marks, &HashSet::new());
        rarity.watch.shows(marks) && rarity.log10_in_list(rmp()) <= HIT.log10()
    };
    if !suffice(shown) {
        return 0.0;
    }
    // All of them suffice, however seldom a row has them all.
    let all = filled(shown).max(f64::MIN_POSITIVE);
    let pairs = shown.iter().flat_map(|one| {
        let others = shown.iter().filter(move |other| one <= *other);
        others.map(move |other| Marks::default().with(one).with(other))
    });
    let pairs = pairs.map(|marks| (filled(marks), marks));
    let mut pairs: SmallVec<[(f64, Marks); 64]> =
        pairs.filter(|(probable, _)| *probable > all).collect();
    // Whether they suffice takes long to say, and the most probable that do are asked for.
    pairs.sort_unstable_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = pairs.into_iter().find(|(_, marks)| suffice(*marks));
    best.map_or(all, |(probable, _)| probable)
}

/// The marks that the list's columns can show.
///
/// A list with one kind of person only may be of customers or of children, whatever its header says:
/// then it is what more of the found rows say.
fn columns(rarity: &Rarity<'_>, has_children: bool) -> Marks {
    let rows = rarity.tally.rows.max(1) as f64;
    let filled = |class: Class| rarity.tally.filled[class as usize] as f64 / rows >= FILLED;
    let shown = |mark: &Mark| filled(Class::of(*mark));
    let all: Marks = Mark::ALL.iter().copied().filter(shown).collect();
    let set = |marks: &[Mark]| marks.iter().copied().collect::<Marks>();
    let customer = set(&[Mark::Name, Mark::Kana, Mark::Birth]);
    let child = set(&[
        Mark::ChildName,
        Mark::ChildKana,
        Mark::ChildBirth,
        Mark::ChildGiven,
    ]);
    if has_children {
        return all;
    }
    let rows_with = |marks: Marks| {
        let claims = rarity.tally.claims.iter();
        let with = claims.filter(|(claim, _)| claim.marks.and(marks) != Marks::default());
        with.map(|(_, seen)| seen.rows).sum::<u64>()
    };
    if rows_with(child) > rows_with(customer) {
        all.without(customer)
    } else {
        all.without(child)
    }
}
