//! Whom one row speaks for, by the values of the watch that stand in it.

use super::super::tally::{Claim, Place, Seen};
use super::{Hit, Worker};
use crate::notation::address_key;
use crate::trace::mark::{Agreed, Mark, Marks};
use crate::trace::near::{How, Hows};
use crate::trace::normalise::Class;
use crate::trace::watch::{Bearers, Holder};

/// How far a canary agrees with the row at hand.
#[derive(Clone, Copy)]
pub(super) struct Agreement {
    canary: u32,
    marks: Agreed,
    how: Hows,
}

impl Worker<'_> {
    /// Who the row's hits speak for: a row is one household's, so it is evidence for the canary that
    /// it agrees with most, and for no other. Gives the marks that it agrees with nearly.
    pub(super) fn judge(&mut self, at: Place) -> Marks {
        for hit in &self.hits {
            self.counting.count(hit.value);
        }
        self.agreements.clear();
        // One value that is not ours alone names nobody: nobody need be asked who bears it.
        if let [hit] = &self.hits[..]
            && !hit.class.is_owned()
            && self.search.found().is_empty()
        {
            return Marks::default();
        }
        self.agree();
        self.agree_nearly();
        let best = self
            .agreements
            .iter()
            .filter(|agreement| agreement.marks.identify())
            .map(|agreement| agreement.marks)
            .max_by_key(|marks| (marks.weight(), marks.exact.count(), *marks));
        if best.is_some_and(|marks| marks.all().groups() > 1) {
            for hit in &self.hits {
                *self.together.entry(hit.value).or_default() += 1;
            }
        }
        let Some(marks) = best else {
            return Marks::default();
        };
        self.agreements.retain(|agreement| agreement.marks == marks);
        if self.agreements.len() > 1 && marks.exact.has(Mark::Address) {
            self.tell_by_building();
        }
        let winners = self.agreements.iter();
        let claim = Claim {
            canaries: winners.clone().map(|agreement| agreement.canary).collect(),
            marks: marks.exact,
            near: marks.near,
            versions: self.versions(),
        };
        let as_planted = winners
            .clone()
            .map(|agreement| self.as_planted(agreement))
            .reduce(Marks::and)
            .unwrap_or_default();
        let how = self.agreements.first().map(|agreement| agreement.how);
        self.tally.claim(
            claim,
            Seen {
                rows: 1,
                first: at,
                as_planted,
                how: how.unwrap_or_default(),
            },
        );
        marks.near
    }

    /// The marks of which a cell of the row is spelt as it was planted. Most canaries that a row agrees with somewhere
    /// are not those that it speaks for, so the spelling is looked at last.
    fn as_planted(&self, agreement: &Agreement) -> Marks {
        let mut marks = Marks::default();
        for hit in &self.hits {
            let written = self.search.written(hit.key);
            for holder in self.watch.held_by(hit.value, agreement.canary) {
                if !marks.has(holder.mark())
                    && self.watch.city_agrees(hit.value, holder, &hit.city)
                    && self.watch.spelt(hit.value, holder, written)
                {
                    marks = marks.with(holder.mark());
                }
            }
        }
        marks
    }

    /// Which versions of the canary that it speaks for the row may be of.
    fn versions(&self) -> Option<(u8, u8)> {
        let [agreement] = &self.agreements[..] else {
            return None;
        };
        let watched = &self.watch.canaries[agreement.canary as usize];
        if watched.versions().len() < 2 {
            return None;
        }
        let mut bearers = Bearers::ALL;
        for hit in &self.hits {
            let holders = self.watch.held_by(hit.value, agreement.canary);
            let agreed = holders.filter(|holder| agreement.marks.exact.has(holder.mark()));
            for holder in agreed {
                bearers = bearers.and(self.watch.versions(holder));
            }
        }
        for place in 0..self.cells.len() {
            let cell = self.cells.get(place).trim();
            let known = watched.telling().iter().find(|(text, _)| **text == *cell);
            if let Some((_, versions)) = known {
                bearers = bearers.and(*versions);
            }
        }
        bearers.range(watched.versions().len())
    }

    /// Canaries of one door are told apart by what their building is called, where that was planted in
    /// several ways and the row has one of them. Signs and spaces do not count: a broker rewrites them.
    fn tell_by_building(&mut self) {
        let watch = self.watch;
        let address = |hit: &&Hit| hit.class == Class::Address;
        let mut called = Vec::new();
        for hit in self.hits.iter().filter(address) {
            let written = self.search.written(hit.key);
            let Some(name) = address_key(written).map(|address| address.building) else {
                continue;
            };
            for agreement in &self.agreements {
                let mut holders = watch.held_by(hit.value, agreement.canary);
                if holders.any(|holder| watch.buildings(holder).any(|planted| planted == name)) {
                    called.push(agreement.canary);
                }
            }
        }
        if !called.is_empty() {
            self.agreements
                .retain(|agreement| called.contains(&agreement.canary));
        }
    }

    /// Compares nearly what a blocking key has brought up, and what is identified already: then it
    /// tells those apart that share a contact point.
    fn agree_nearly(&mut self) {
        let watch = self.watch;
        if watch.near().is_none() {
            return;
        }
        let Worker {
            agreements, search, ..
        } = self;
        for agreement in agreements {
            if agreement.marks.identify() || search.is_candidate(agreement.canary) {
                let exact = agreement.marks.exact;
                let near = search.compare(watch, agreement.canary, exact);
                for (mark, how) in near.iter() {
                    agreement.how.note(mark, how);
                }
                agreement.marks.near = agreement.how.iter().map(|(mark, _)| mark).collect();
            }
        }
    }

    /// Fills `agreements`, by canary, with all that the row can identify. A mark that is not ours alone names nobody
    /// without another of another group, so that the holders of one kind of them need not be gathered: those that
    /// matter have been, for the other mark. That is the kind with the most holders; block and postcode, which all
    /// canaries of a postal drop share, are of one kind.
    fn agree(&mut self) {
        let watch = self.watch;
        let holders = |hit: &Hit| watch.holders(hit.value).len();
        let class = |hit: &Hit| hit.class;
        let wide = |class| matches!(class, Class::Block | Class::Postcode);
        let widest: usize = self
            .hits
            .iter()
            .filter(|hit| wide(class(hit)))
            .map(holders)
            .sum();
        let alone = |hit: &&Hit| !wide(class(hit)) && !class(hit).is_owned();
        let most = self
            .hits
            .iter()
            .filter(alone)
            .max_by_key(|hit| holders(hit));
        let most = most
            .filter(|hit| holders(hit) > widest)
            .map(|hit| hit.value);
        let last = |hit: &&Hit| match most {
            Some(value) => hit.value == value,
            None => wide(class(hit)),
        };
        for hit in self.hits.iter().filter(|hit| !last(hit)) {
            for holder in watch.holders(hit.value) {
                if watch.city_agrees(hit.value, holder, &hit.city) {
                    self.agreements.push(Agreement::new(hit, holder));
                }
            }
        }
        let candidates = self.search.found().iter();
        self.agreements
            .extend(candidates.map(|canary| Agreement::none(*canary)));
        self.agreements.sort_by_key(|agreement| agreement.canary);
        self.agreements.dedup_by(|later, kept| {
            let same = later.canary == kept.canary;
            if same {
                kept.add(later);
            }
            same
        });
        for hit in self.hits.iter().filter(last) {
            for agreement in &mut self.agreements {
                for holder in watch.held_by(hit.value, agreement.canary) {
                    if watch.city_agrees(hit.value, holder, &hit.city) {
                        agreement.add(&Agreement::new(hit, holder));
                    }
                }
            }
        }
    }
}

impl Agreement {
    fn new(hit: &Hit, holder: &Holder) -> Agreement {
        let mark: Mark = holder.mark();
        let mut how = Hows::default();
        if let Some(hash) = hit.hash {
            how.note(mark, How::Hashed(hash));
        }
        Agreement {
            how,
            marks: Marks::default().with(mark).into(),
            ..Agreement::none(holder.canary)
        }
    }

    fn none(canary: u32) -> Agreement {
        Agreement {
            canary,
            marks: Agreed::default(),
            how: Hows::default(),
        }
    }

    fn add(&mut self, other: &Agreement) {
        self.marks.exact = self.marks.exact.or(other.marks.exact);
        for (mark, hash) in other.how.hashed() {
            self.how.note(mark, How::Hashed(hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::RngExt;
    use rand::seq::IndexedRandom;

    use super::*;
    use crate::notation::Region;
    use crate::trace::normalise::Plan;
    use crate::trace::read::{Encoding, Kind, Layout, Style};
    use crate::trace::testing::{COLUMNS, World};

    /// What the row's hits say of every canary that holds one of them.
    fn all_that_agree(worker: &Worker<'_>) -> BTreeMap<u32, Marks> {
        let mut all: BTreeMap<u32, Marks> = BTreeMap::new();
        for hit in &worker.hits {
            for holder in worker.watch.holders(hit.value) {
                if worker.watch.city_agrees(hit.value, holder, &hit.city) {
                    let marks = all.entry(holder.canary).or_default();
                    *marks = marks.with(holder.mark());
                }
            }
        }
        all
    }

    /// Rows of cells of several canaries, most of which agree with many on something: those with which they agree
    /// enough are found as if everybody who holds anything had been compared.
    #[test]
    fn nobody_is_missed_for_a_mark_that_many_bear() {
        let mut world = World::new(7, 60);
        let lines: Vec<_> = (0..world.canaries.len())
            .map(|at| world.planted(at))
            .collect();
        // Births and postcodes by the dozen, as a large registry has them.
        let few = |at: usize, column: usize| lines[at % 24][column].clone();
        for (at, canary) in world.canaries.iter_mut().enumerate() {
            for column in [2, 6] {
                canary.details.rows[0].cells[column].value = Some(few(at / (column + 1), column));
            }
        }
        let lines: Vec<_> = (0..world.canaries.len())
            .map(|at| world.planted(at))
            .collect();
        let watch = world.watch().exact_only();
        let roles = COLUMNS.map(|(_, role)| Some(role));
        let plan = Plan::new(&roles, Some(Region::Jp));
        let layout = Layout {
            delimiter: b'\t',
            style: Style::Escaped,
            encoding: Encoding::Utf8,
        };
        let mut worker = Worker::new(&watch);
        let (mut named, mut many) = (0, 0);
        for row in 0..3_000 {
            let of: Vec<_> = lines.sample(&mut world.rng, 2).collect();
            let cell = |column: usize| match world.rng.random_range(0..5) {
                0 | 1 => of[0][column].as_str(),
                2 => &of[1][column],
                _ => "",
            };
            let cells: Vec<&str> = (0..COLUMNS.len()).map(cell).collect();
            layout.split(&cells.join("\t"), Kind::Sound, &mut worker.cells);
            worker.look_up(&plan, Place { part: 0, row });
            if worker.hits.is_empty() {
                // Nobody is asked then, and what was found for the last row stands.
                continue;
            }
            let all = all_that_agree(&worker);
            many += usize::from(all.len() > 20);
            let agreed = all.values().copied().map(Agreed::from);
            let agreed = agreed.filter(|marks| marks.identify());
            let best = agreed.max_by_key(|marks| (marks.weight(), marks.exact.count(), *marks));
            let winners = |agreement: &&Agreement| agreement.marks.identify();
            let found: Vec<_> = worker.agreements.iter().filter(winners).collect();
            for agreement in &found {
                assert_eq!(Some(agreement.marks), best, "{cells:?}");
                assert_eq!(all[&agreement.canary], agreement.marks.exact);
                // A birth is known from the household too, which no cell spells.
                let birth = Marks::default().with(Mark::Birth);
                let planted = worker.as_planted(agreement).or(birth);
                assert_eq!(planted, agreement.marks.exact.or(birth));
            }
            let Some(best) = best else {
                assert!(found.is_empty(), "{cells:?}");
                continue;
            };
            named += 1;
            let equal = all.values().filter(|marks| **marks == best.exact).count();
            let told_apart = equal > 1 && best.exact.has(Mark::Address);
            assert!(found.len() == equal || told_apart && !found.is_empty());
        }
        assert!(named > 1_000 && many > 500, "{named} {many}");
    }
}
