//! The shared contact points of a list as the decoder takes them, and what it gives back.

use std::collections::HashSet;

use super::super::watch::Watch;
use super::shared::{Decoded, Item, Time, decode, ln_choose};
use super::units::SourceUnit;
use super::weigh::Unit;
use super::window::{Gap, Span};
use super::{FoundCanary, Settings};

/// Times of a source that the decoder is given; more are thinned out evenly, whatever was found.
const TIMES: usize = 48;

/// What shared contact points say about each source.
pub struct Pool {
    pub decoded: Decoded,
    /// Units that were found and that several sources share.
    pub found: usize,
}

/// Decodes what canaries of several sources share, where any of it was found.
pub fn pool(
    watch: &Watch,
    by_source: &[Vec<SourceUnit>],
    shared: &[SourceUnit],
    times: &dyn Fn(usize) -> (Vec<Span>, Vec<Gap>),
    settings: &Settings,
) -> Option<Pool> {
    let found = shared.iter().filter(|unit| unit.unit.found.is_some());
    let found = found.count();
    if found == 0 {
        return None;
    }
    let source = |canary: &u32| watch.canaries[*canary as usize].source as usize;
    let involved: HashSet<usize> = (shared.iter())
        .flat_map(|unit| unit.members.iter().map(source))
        .collect();
    let item = |unit: &SourceUnit| Item {
        holders: (unit.members.iter())
            .map(|member| (source(member), watch.canaries[*member as usize].batch))
            .collect(),
        found: unit.unit.found.is_some(),
        log10_by_chance: (unit.unit.found.as_ref()).map_or(0.0, |found| found.log10_by_chance),
    };
    let own = by_source.iter().enumerate();
    let own = own.filter(|(source, _)| involved.contains(source));
    let items: Vec<Item> = (own.flat_map(|(_, units)| units).chain(shared))
        .map(item)
        .collect();
    let times: Vec<Vec<Time>> = (0..by_source.len())
        .map(|source| match involved.contains(&source) {
            true => thinned(&times(source)),
            false => Vec::new(),
        })
        .collect();
    let sources = watch.sources.len().max(1);
    let threshold = |size: usize| {
        ln_choose(sources, size) / std::f64::consts::LN_10 - settings.false_accusation.log10()
    };
    Some(Pool {
        decoded: decode(&items, &times, threshold),
        found,
    })
}

fn thinned((spans, gaps): &(Vec<Span>, Vec<Gap>)) -> Vec<Time> {
    let chunk = gaps.len().div_ceil(TIMES).max(1);
    let time = |gaps: &[Gap]| {
        let middle = gaps[gaps.len() / 2];
        let standing = spans.iter().filter(|span| span.stood(middle.from));
        Time {
            standing: standing.map(|span| span.batch).collect(),
            prior: gaps.iter().map(|gap| gap.prior).sum(),
        }
    };
    gaps.chunks(chunk).map(time).collect()
}

impl Pool {
    /// log10 of the ratio of a source with its own evidence, if it has any. What several share may
    /// come from more sources than were looked at, and then says too little: so the mean of 'with' and
    /// 'without' counts, which costs the half of a source that needs it not.
    pub fn ratio(&self, source: usize, own: Option<f64>) -> Option<f64> {
        let mut suspects = self.decoded.suspects.iter();
        let suspect = suspects.find(|suspect| suspect.source == source);
        match own {
            Some(own) => {
                let more =
                    suspect.map_or(0.0, |suspect| 10_f64.powf(suspect.log10_more.min(250.0)));
                Some(own + ((1.0 + more) / 2.0).log10())
            }
            None => suspect.map(|suspect| suspect.log10_lr),
        }
    }

    /// The shared units that one source alone explains, of the sources that explain all best: with
    /// these it has its share and its window.
    pub fn explained(
        &self,
        watch: &Watch,
        shared: &[SourceUnit],
        source: usize,
    ) -> Vec<SourceUnit> {
        if !self.decoded.best.contains(&source) {
            return Vec::new();
        }
        let of = |canary: &u32| watch.canaries[*canary as usize].source as usize;
        let ours = |unit: &&SourceUnit| {
            let mut best = unit.members.iter().map(of);
            let mut rivals = best.clone();
            best.any(|holder| holder == source)
                && !rivals.any(|holder| holder != source && self.decoded.best.contains(&holder))
        };
        let own = |unit: &SourceUnit| {
            let members = unit.members.iter().copied();
            let members: Vec<u32> = members.filter(|member| of(member) == source).collect();
            SourceUnit {
                shows: unit.shows,
                unit: Unit {
                    batches: (members.iter())
                        .map(|member| watch.canaries[*member as usize].batch)
                        .collect(),
                    found: unit.unit.found.clone(),
                },
                row: unit.row.as_ref().map(|row| {
                    Box::new(FoundCanary {
                        canaries: members.clone(),
                        ..FoundCanary::clone(row)
                    })
                }),
                members: members.into(),
            }
        };
        shared.iter().filter(ours).map(own).collect()
    }
}
