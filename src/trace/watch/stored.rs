//! A watch in pieces, so that it need not be made of all canaries anew each time: see [`Watch::store`].
//!
//! Stored is also what could be worked out from the rest, but takes longer to make, and more memory meanwhile, than to
//! read: blocking keys, and what a look needs. The tables of values and their filters are made when it is read.

use std::io;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::glance::{Glance, is_counted};
use super::texts::{Span, Texts};
use super::{Holders, Lot, Standing, Value, Watch, Watched};
use crate::canary::SourceName;
use crate::trace::near::Near;
use crate::trace::normalise::Class;
use crate::trace::store::{Items, Next, Packer, broken};
use crate::trace::traits::Regions;

/// How many pieces are opened before they are asked for.
const AHEAD: usize = 4;

/// What comes first.
#[derive(Serialize, Deserialize)]
struct Head {
    sources: Vec<SourceName>,
    batches: Vec<Standing>,
    forgotten: Vec<(SourceName, OffsetDateTime)>,
    regions: Regions,
    canaries: usize,
    values: usize,
    /// What holders have in common.
    lots: Vec<Lot>,
    /// Whether near agreement is looked for, too.
    near: bool,
}

/// A value; its class by its place in [`Class::ALL`].
#[derive(Serialize, Deserialize)]
struct StoredValue {
    class: u8,
    text: Span,
    first: u32,
}

impl Watch {
    /// Gives the watch piece by piece. A watch list is no such watch: it is a file already.
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let head = Head {
            sources: self.sources.clone(),
            batches: self.batches.clone(),
            forgotten: self.forgotten.clone(),
            regions: self.regions.clone(),
            canaries: self.canaries.len(),
            values: self.values.len(),
            lots: self.holders.lots().to_vec(),
            near: self.near.is_some(),
        };
        let mut out = Packer::new(put);
        out.item(&head)?;
        for canary in &self.canaries {
            out.item(canary)?;
        }
        for value in &self.values {
            out.item(&StoredValue {
                class: value.class as u8,
                text: value.text,
                first: value.first,
            })?;
        }
        out.all(&self.borne)?;
        out.all(self.holders.all())?;
        out.all(self.texts.all().as_bytes())?;
        self.glance.store(&mut out)?;
        if let Some(near) = &self.near {
            near.store(&mut out)?;
        }
        out.end()
    }

    /// The watch of the pieces that [`Watch::store`] gave, ready for lists.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where they are not such pieces.
    pub fn restore(
        mut next: impl FnMut() -> io::Result<Option<Zeroizing<Vec<u8>>>> + Send,
    ) -> io::Result<Watch> {
        // To open a piece takes as long as to read what is in it.
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            scope.spawn(move || {
                loop {
                    let piece = next();
                    let last = !matches!(piece, Ok(Some(_)));
                    // Whoever has seen enough hangs up.
                    if sender.send(piece).is_err() || last {
                        break;
                    }
                }
            });
            Watch::of_pieces(&mut || receiver.recv().unwrap_or_else(|_| Err(broken())))
        })
    }

    fn of_pieces(next: &mut Next<'_>) -> io::Result<Watch> {
        let mut input = Items::new(next);
        let head: Head = input.item()?;
        let mut watch = Watch::empty(head.sources, head.batches);
        watch.forgotten = head.forgotten;
        watch.regions = head.regions;
        watch.canaries.reserve_exact(head.canaries);
        for _ in 0..head.canaries {
            watch.canaries.push(input.item()?);
        }
        watch.values.reserve_exact(head.values);
        for _ in 0..head.values {
            let StoredValue { class, text, first } = input.item()?;
            watch.values.push(Value {
                class: *Class::ALL.get(usize::from(class)).ok_or_else(broken)?,
                text,
                first,
            });
        }
        watch.borne = input.all()?;
        let sound = watch.borne.iter().all(|borne| borne.is_sound(head.values));
        let own = |canary: &Watched| {
            let Range { start, end } = canary.borne;
            start <= end && end as usize <= watch.borne.len()
        };
        if !sound || !watch.canaries.iter().all(own) {
            return Err(broken());
        }
        watch.holders = Holders::restored(input.all()?, head.lots).ok_or_else(broken)?;
        let last = watch.values.last().map_or(0, |value| value.first as usize);
        if !watch.values.is_sorted_by_key(|value| value.first) || last > watch.holders.all().len() {
            return Err(broken());
        }
        let texts = String::from_utf8(input.all()?).map_err(|_| broken())?;
        watch.texts = Texts::of(texts);
        watch.glance = Glance::restore(&mut input)?;
        if head.near {
            watch.near = Some(Near::restore(head.canaries, &mut input)?);
        }
        input.end()?;
        watch.tabulate();
        (watch.known, watch.births) = watch.at_hand();
        Ok(watch)
    }

    /// Puts every value that a look does not find into the table of its class.
    fn tabulate(&mut self) {
        let counts = self.count_classes();
        for class in Class::ALL.into_iter().filter(|class| !is_counted(*class)) {
            self.tables[class as usize] = HashTable::with_capacity(counts[class as usize]);
        }
        for index in 0..self.values.len() {
            let Value { class, text, .. } = self.values[index];
            if !is_counted(class) {
                let hash = self.hash(class, self.texts.get(text));
                self.enter(index as u32, hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::trace::testing::{COLUMNS, World, csv};
    use crate::trace::{Document, Settings, trace};

    fn pieces(watch: &Watch) -> VecDeque<Vec<u8>> {
        let mut pieces = VecDeque::new();
        let mut put = |piece: &[u8]| {
            pieces.push_back(piece.to_vec());
            Ok(())
        };
        watch.store(&mut put).unwrap();
        pieces
    }

    fn restored(mut pieces: VecDeque<Vec<u8>>) -> io::Result<Watch> {
        Watch::restore(|| Ok(pieces.pop_front().map(Zeroizing::new)))
    }

    /// Whatever is found, exactly or nearly, and whatever is said of it.
    #[test]
    fn a_watch_that_was_stored_finds_what_it_found() {
        let mut world = World::new(5, 60);
        let watch = world
            .watch()
            .forgetting(vec![("old".parse().unwrap(), crate::trace::testing::NOW)]);
        let again = restored(pieces(&watch)).unwrap();
        let mut lines = world.lines(400, &(0..90).collect::<Vec<usize>>());
        for line in lines.iter_mut().step_by(3) {
            line[0].insert(0, '一');
            line[6].clear();
        }
        let list = csv(&lines, &(0..COLUMNS.len()).collect::<Vec<usize>>());
        let said = |watch: &Watch| {
            let settings = Settings::new(crate::trace::testing::NOW);
            let report = trace(watch, "list.csv", list.as_bytes(), &settings, &mut |_| {}).unwrap();
            let mut said = serde_json::to_value(Document::from(&report)).unwrap();
            said.as_object_mut().unwrap().remove("elapsed_seconds");
            said
        };
        assert_eq!(said(&watch), said(&again));
        assert_eq!(
            (again.forgotten.len(), again.forgotten),
            (1, watch.forgotten)
        );
    }

    #[test]
    fn what_is_not_whole_is_no_watch() {
        let whole = pieces(&World::new(6, 10).watch());
        for number in 0..whole.len() {
            let mut less = whole.clone();
            less.remove(number);
            assert!(restored(less).is_err(), "without {number}");
            let mut cut = whole.clone();
            cut[number].pop();
            assert!(restored(cut).is_err(), "cut {number}");
        }
    }
}
