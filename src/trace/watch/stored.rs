//! A watch in pieces, so that it need not be made of all canaries anew each time: see [`Watch::store`].
//!
//! What is stored is what cannot be worked out from the rest: texts, values with their holders, canaries. Tables and
//! filters are made when it is read, which takes less time than reading them would.

use std::io;
use std::sync::mpsc::sync_channel;

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::texts::{Span, Texts};
use super::{Bearers, Holder, Holders, Lived, Lot, Standing, Value, Watch, Watched};
use crate::canary::{CanaryId, SourceName};
use crate::trace::mark::Mark;
use crate::trace::normalise::Class;
use crate::trace::traits::{Regions, Traits};

/// Bytes of a piece, about.
const PIECE: usize = 1 << 18;
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
    holders: usize,
    /// What holders have in common.
    lots: Vec<Lot>,
    /// Of each class.
    classes: Vec<usize>,
    /// In bytes.
    texts: usize,
}

/// A canary; its marks by their places in [`Mark::ALL`].
#[derive(Serialize, Deserialize)]
struct StoredCanary {
    id: CanaryId,
    source: u32,
    batch: u32,
    values: Vec<(u8, u32)>,
    versions: Box<[Lived]>,
    telling: Box<[(Box<str>, Bearers)]>,
    traits: Traits,
}

/// A value, before its holders; its class by its place in [`Class::ALL`].
#[derive(Serialize, Deserialize)]
struct StoredValue {
    class: u8,
    text: Span,
    holders: usize,
}

impl Watch {
    /// Gives the watch piece by piece. A watch list is no such watch: it is a file already.
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut classes = vec![0; Class::ALL.len()];
        for value in &self.values {
            classes[value.class as usize] += 1;
        }
        let head = Head {
            sources: self.sources.clone(),
            batches: self.batches.clone(),
            forgotten: self.forgotten.clone(),
            regions: self.regions.clone(),
            canaries: self.canaries.len(),
            values: self.values.len(),
            holders: self.holders.len(),
            lots: self.holders.lots().to_vec(),
            classes,
            texts: self.texts.all().len(),
        };
        let mut out = Packer {
            piece: Vec::new(),
            put,
        };
        out.item(&head)?;
        out.end()?;
        for canary in &self.canaries {
            out.item(&StoredCanary {
                id: canary.id.clone(),
                source: canary.source,
                batch: canary.batch,
                values: (canary.values.iter())
                    .map(|(mark, value)| (*mark as u8, *value))
                    .collect(),
                versions: canary.versions.clone(),
                telling: canary.telling.clone(),
                traits: canary.traits,
            })?;
        }
        out.end()?;
        for (number, value) in (0..).zip(&self.values) {
            let holders = self.holders(number);
            out.item(&StoredValue {
                class: value.class as u8,
                text: value.text,
                holders: holders.len(),
            })?;
            for holder in holders {
                out.item(holder)?;
            }
        }
        out.end()?;
        let mut texts = self.texts.all().as_bytes().chunks(PIECE);
        texts.try_for_each(|piece| (out.put)(piece))
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

    fn of_pieces(
        next: &mut dyn FnMut() -> io::Result<Option<Zeroizing<Vec<u8>>>>,
    ) -> io::Result<Watch> {
        let mut input = Items {
            piece: Zeroizing::default(),
            read: 0,
            next,
        };
        let head: Head = input.item()?;
        let mut watch = Watch::empty(head.sources, head.batches);
        watch.forgotten = head.forgotten;
        watch.regions = head.regions;
        watch.canaries.reserve_exact(head.canaries);
        for _ in 0..head.canaries {
            let canary: StoredCanary = input.item()?;
            let values = canary.values.into_iter();
            let values = values.map(|(number, value)| Some((mark(number)?, value)));
            watch.canaries.push(Watched {
                id: canary.id,
                source: canary.source,
                batch: canary.batch,
                values: values.collect::<Option<_>>().ok_or_else(broken)?,
                versions: canary.versions,
                telling: canary.telling,
                traits: canary.traits,
            });
        }
        watch.values.reserve_exact(head.values);
        watch.holders = Holders::with_room(head.lots, head.holders);
        for _ in 0..head.values {
            let value: StoredValue = input.item()?;
            let class = Class::ALL.get(usize::from(value.class));
            watch.values.push(Value {
                first: watch.holders.len() as u32,
                ..Value::new(*class.ok_or_else(broken)?, value.text)
            });
            for _ in 0..value.holders {
                let holder: Holder = input.item()?;
                watch.holders.push(holder).ok_or_else(broken)?;
            }
        }
        let mut texts = Vec::with_capacity(head.texts);
        while let Some(piece) = (input.next)()? {
            texts.extend_from_slice(&piece);
        }
        watch.texts = Texts::of(String::from_utf8(texts).map_err(|_| broken())?);
        if watch.texts.all().len() != head.texts {
            return Err(broken());
        }
        watch.tabulate(&head.classes);
        Ok(watch.ready())
    }

    /// Puts every value into the table of its class; how many there are of each is known.
    fn tabulate(&mut self, classes: &[usize]) {
        for (table, count) in self.tables.iter_mut().zip(classes) {
            *table = HashTable::with_capacity(*count);
        }
        for index in 0..self.values.len() {
            let value = &self.values[index];
            let hash = self.hash(value.class, self.texts.get(value.text));
            self.enter(index as u32, hash);
        }
    }
}

fn mark(number: u8) -> Option<Mark> {
    Mark::ALL.get(usize::from(number)).copied()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not what was stored")
}

/// Puts items together, several to a piece.
struct Packer<'a> {
    piece: Vec<u8>,
    put: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
}

impl Packer<'_> {
    fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.piece = postcard::to_extend(item, piece).map_err(io::Error::other)?;
        match self.piece.len() < PIECE {
            true => Ok(()),
            false => self.end(),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            (self.put)(&self.piece)?;
            self.piece.clear();
        }
        Ok(())
    }
}

/// The items of pieces.
struct Items<'a> {
    piece: Zeroizing<Vec<u8>>,
    read: usize,
    next: &'a mut dyn FnMut() -> io::Result<Option<Zeroizing<Vec<u8>>>>,
}

impl Items<'_> {
    fn item<T: for<'d> Deserialize<'d>>(&mut self) -> io::Result<T> {
        if self.read == self.piece.len() {
            self.piece = (self.next)()?.ok_or_else(broken)?;
            self.read = 0;
        }
        let rest = &self.piece[self.read..];
        let (item, rest) = postcard::take_from_bytes(rest).map_err(|_| broken())?;
        self.read = self.piece.len() - rest.len();
        Ok(item)
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
