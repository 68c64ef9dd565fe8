//! A watch that knows its canaries into a watch list that does not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rand::{CryptoRng, RngExt};
use time::OffsetDateTime;

use super::super::mark::Mark;
use super::super::normalise::Class;
use super::super::watch::{Standing, Watch, Watched};
use super::blind::{Entry, Record, RecordValue, SPELLING, short};
use super::combination::Combination;
use super::dates::{Dates, Times};
use super::digest::{CanaryKey, Cost, Digester, Tag, bound, seal, wrap};
use super::file::{BatchLine, CanaryLine, FORMAT, Header};
use super::folding::folding;
use crate::canary::{BatchId, CanaryId, SourceName};

/// One combination in so many passes the first bits, at most.
const PASSES: usize = 256;
/// Records are filled up to a multiple of this, so that their length tells little.
const PADDING: usize = 512;

/// What goes into a watch list.
#[derive(Clone, Debug)]
pub struct Options {
    /// For whom it is.
    pub recipient: String,
    /// When it is made.
    pub now: OffsetDateTime,
    /// At least so many guesses for a combination.
    pub guesses: f64,
    /// Whether the recipient may know which mail domains are ours.
    pub domains_known: bool,
    /// How closely batches are dated.
    pub dates: Dates,
}

/// A watch list ready to be written.
pub struct WatchList {
    pub(super) header: Header,
    pub(super) canaries: Vec<CanaryLine>,
    /// Which source each pseudonym stands for.
    pub pseudonyms: Vec<(SourceName, SourceName)>,
    /// Canaries that no combination shows: their marks are too few.
    pub unseen: usize,
    entries: usize,
    domains_known: bool,
}

/// A canary on its way into the list.
struct Sealing {
    key: CanaryKey,
    tags: Vec<Tag>,
    record: Vec<u8>,
    /// Its marks under the list's own numbers.
    marks: Vec<(Mark, u32)>,
}

impl WatchList {
    /// Makes a list of a watch that knows its canaries. It takes Argon2id once for each combination of
    /// each canary, on all cores; `progress` is told how many canaries are done, and of how many.
    pub fn make(
        watch: &Watch,
        options: &Options,
        rng: &mut impl CryptoRng,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> WatchList {
        let key: [u8; 32] = rng.random();
        let cost = Cost::default();
        let digester = Digester::new(&key, cost);
        let combinations = Combination::catalogue(options.guesses, options.domains_known);
        let mut numbers = Numbers::default();
        let sealing: Vec<Sealing> = (0_u32..)
            .zip(&watch.canaries)
            .map(|(index, canary)| {
                let key: CanaryKey = rng.random();
                let marks = numbers.of(index, canary, watch);
                Sealing {
                    key,
                    tags: tags(&digester, &combinations, canary, watch),
                    record: record(watch, index, canary, &marks, &key),
                    marks,
                }
            })
            .collect();
        let entries: usize = sealing.iter().map(|canary| canary.tags.len()).sum();
        let bits = (entries.max(1) * PASSES)
            .next_power_of_two()
            .ilog2()
            .min(63);
        let lines = slowly(&digester, bits, &sealing, progress);
        let pseudonyms = pseudonyms(&watch.sources, rng);
        let canaries = watch.canaries.iter().zip(&sealing).zip(lines);
        let canaries = canaries
            .map(|((canary, sealing), entries)| CanaryLine {
                id: canary.id.clone(),
                source: canary.source,
                batch: canary.batch,
                marks: sealing
                    .marks
                    .iter()
                    .map(|(mark, value)| (mark.name().to_owned(), *value))
                    .collect(),
                entries: CanaryLine::pack(&entries),
                record: CanaryLine::pack_record(
                    &seal(&sealing.key, &sealing.record).unwrap_or_default(),
                ),
            })
            .collect();
        let header = Header {
            otori_watchlist: FORMAT,
            made_with: env!("CARGO_PKG_VERSION").to_owned(),
            folding: folding(),
            recipient: options.recipient.clone(),
            made_at: options.now,
            key: crate::evidence::hex(&key),
            cost,
            bits,
            combinations,
            sources: pseudonyms.iter().map(|(_, shown)| shown.clone()).collect(),
            batches: batches(watch, &pseudonyms, options),
            dates: options.dates,
            forgotten: watch
                .forgotten
                .iter()
                .filter_map(|(name, at)| {
                    let place = watch.sources.iter().position(|source| source == name)?;
                    Some((place, options.dates.floor(*at)))
                })
                .collect(),
            canaries: watch.canaries.len(),
        };
        WatchList {
            header,
            canaries,
            pseudonyms,
            entries,
            domains_known: options.domains_known,
            unseen: sealing
                .iter()
                .filter(|canary| canary.tags.is_empty())
                .count(),
        }
    }
}

/// What it takes to find a canary by trying values.
#[derive(Clone, Debug)]
pub struct Cheapest {
    /// The values to be tried together.
    pub combination: String,
    /// How many there are of them.
    pub guesses: f64,
    /// Seconds of one core of this machine for all of them.
    pub core_seconds: f64,
}

impl WatchList {
    /// The combinations that show a canary, the fewest values first.
    pub fn combinations(&self) -> impl Iterator<Item = String> {
        self.header.combinations.iter().map(Combination::to_string)
    }

    /// The weakest combination of the list. The time is measured now, for a plain processor; whoever
    /// has graphics cards has it some hundred times faster.
    pub fn cheapest(&self) -> Option<Cheapest> {
        let domains_known = self.domains_known;
        let sets = self.header.combinations.iter();
        let weakest = sets.min_by(|one, other| {
            let guesses = |set: &Combination| set.guesses(domains_known);
            guesses(one).total_cmp(&guesses(other))
        })?;
        let digester = Digester::new(&[0; 32], self.header.cost);
        let second = || {
            let started = Instant::now();
            digester.slow(&[1; 32]);
            started.elapsed().as_secs_f64()
        };
        let slow = (0..5).map(|_| second()).fold(f64::INFINITY, f64::min);
        let passes = self.entries as f64 / 2_f64.powi(self.header.bits as i32);
        let guesses = weakest.guesses(domains_known);
        Some(Cheapest {
            combination: weakest.to_string(),
            guesses,
            core_seconds: guesses * passes * slow,
        })
    }
}

/// Numbers of values. Contact points that canaries share keep one number, which group testing needs;
/// a name or a birthday has another number with each canary, or its frequency would name it.
#[derive(Default)]
struct Numbers {
    known: HashMap<(u32, Option<u32>), u32>,
}

impl Numbers {
    fn of(&mut self, index: u32, canary: &Watched, watch: &Watch) -> Vec<(Mark, u32)> {
        let number = |(mark, value): (Mark, u32)| {
            let ours = mark.is_owned() || matches!(mark, Mark::Block | Mark::Postcode);
            let owner = (!ours).then_some(index);
            let next = self.known.len() as u32;
            (mark, *self.known.entry((value, owner)).or_insert(next))
        };
        watch.values_of(canary).map(number).collect()
    }
}

/// Every combination of a canary's values.
fn tags(
    digester: &Digester,
    combinations: &[Combination],
    canary: &Watched,
    watch: &Watch,
) -> Vec<Tag> {
    let mut by_class: HashMap<Class, Vec<[u8; 16]>> = HashMap::new();
    for (mark, value) in watch.values_of(canary) {
        let class = Class::of(mark);
        let digest = digester.value(class, watch.text(value).unwrap_or_default());
        let known = by_class.entry(class).or_default();
        if !known.contains(&digest) {
            known.push(digest);
        }
    }
    let mut tags = Vec::new();
    for combination in combinations {
        let mut chosen: Vec<Vec<[u8; 16]>> = vec![Vec::new()];
        for class in combination.classes() {
            let values = by_class.get(&class).map_or(&[][..], Vec::as_slice);
            let longer = |start: &Vec<[u8; 16]>| -> Vec<Vec<[u8; 16]>> {
                let with = |value: &[u8; 16]| [&start[..], &[*value]].concat();
                values.iter().map(with).collect()
            };
            chosen = chosen.iter().flat_map(longer).collect();
        }
        tags.extend(
            chosen
                .iter()
                .map(|values| digester.tag(*combination, values)),
        );
    }
    tags
}

fn record(
    watch: &Watch,
    index: u32,
    canary: &Watched,
    marks: &[(Mark, u32)],
    key: &CanaryKey,
) -> Vec<u8> {
    let mut values: Vec<RecordValue> = Vec::new();
    for ((mark, value), (_, number)) in watch.values_of(canary).zip(marks) {
        let held = &watch.values[value as usize];
        let holder = watch
            .held_by(value, index)
            .find(|holder| holder.mark() == mark);
        let written = holder.into_iter().flat_map(|holder| watch.written(holder));
        values.push(RecordValue {
            value: *number,
            key: bound(key, held.class as u8, watch.text(value).unwrap_or_default()),
            written: written
                .map(|text| bound(key, SPELLING, text.trim()))
                .collect(),
            city: holder.map_or_else(String::new, |holder| watch.city(holder).to_owned()),
        });
    }
    // A record is plain data, which always can be written.
    let mut bytes = serde_json::to_vec(&Record { values }).unwrap_or_default();
    bytes.resize(bytes.len().next_multiple_of(PADDING), b' ');
    bytes
}

/// The entries of all canaries, on all cores.
fn slowly(
    digester: &Digester,
    bits: u32,
    canaries: &[Sealing],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Vec<Entry>> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(canary) = canaries.get(place) else {
                return done;
            };
            let entry = |tag: &Tag| {
                Some(Entry {
                    short: short(tag, bits),
                    canary: place as u32,
                    wrapped: wrap(&digester.slow(tag)?, place as u32, &canary.key),
                })
            };
            let entries: Vec<Entry> = canary.tags.iter().filter_map(entry).collect();
            done.push((place, entries));
            progress(place + 1, canaries.len());
        }
    };
    let mut all: Vec<(usize, Vec<Entry>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().flat_map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.collect()
    });
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, entries)| entries).collect()
}

/// A name for each source that says nothing of it.
fn pseudonyms(sources: &[SourceName], rng: &mut impl CryptoRng) -> Vec<(SourceName, SourceName)> {
    let mut taken = Vec::new();
    for source in sources {
        loop {
            let id = CanaryId::random(rng).to_string().to_lowercase();
            // The last letters of a new id are as random as any.
            let tail: String = id
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .rev()
                .take(5)
                .collect();
            if let Ok(shown) = format!("source-{tail}").parse::<SourceName>()
                && !taken.iter().any(|(_, other)| *other == shown)
            {
                taken.push((source.clone(), shown));
                break;
            }
        }
    }
    taken
}

fn batches(
    watch: &Watch,
    pseudonyms: &[(SourceName, SourceName)],
    options: &Options,
) -> Vec<BatchLine> {
    // A batch without canaries is no batch of the watch's.
    let source_of: HashMap<u32, u32> = watch
        .canaries
        .iter()
        .map(|canary| (canary.batch, canary.source))
        .collect();
    let events = (0..).zip(&watch.batches).flat_map(|(place, batch)| {
        let source = source_of.get(&place).copied().unwrap_or_default();
        [Some(batch.from), batch.until]
            .into_iter()
            .flatten()
            .map(move |at| (source, at))
    });
    let times = Times::of(events.collect(), options.dates, options.now);
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let line = |(place, batch): (u32, &Standing)| {
        let source = source_of.get(&place).copied().unwrap_or_default();
        let number = numbers.entry(source).or_default();
        *number += 1;
        let shown = pseudonyms.get(source as usize).map(|(_, shown)| shown);
        BatchLine {
            id: shown.map_or_else(
                || BatchId::from_text(number.to_string()),
                |shown| BatchId::new(shown, *number),
            ),
            from: times.at(source, batch.from),
            until: batch.until.map(|until| times.at(source, until)),
            certain: batch.certain,
            rows: two_digits(batch.rows_at),
        }
    };
    (0..).zip(&watch.batches).map(line).collect()
}

fn two_digits(rows: u64) -> u64 {
    let unit = 10_u64.pow(rows.max(1).ilog10().saturating_sub(1));
    (rows + unit / 2) / unit * unit
}
