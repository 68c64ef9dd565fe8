//! One pass over a list: which rows agree with which canaries.
//!
//! The reading thread finds parts and records and hands records on in chunks; workers decode, split,
//! fold and look up. What they count adds up to the same whatever the order, so the result does not depend on
//! how many there are.

mod crowds;
mod row;
mod sample;
mod shapes;
mod strata;
mod tally;

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::columns::Columns;
use super::normalise::Plan;
use super::parts::Laid;
use super::read::{Head, Kind, Layout, List, Parts, Whole};
use super::watch::Watch;
use row::Worker;
pub(super) use sample::Together;
pub(super) use sample::stood_for;
pub(super) use tally::{BadRows, Claim, Seen, Tally};

const CHUNK: usize = 256 << 10;

/// Records of one part on their way to a worker.
struct Chunk {
    reading: Arc<Reading>,
    /// Number of the first record: data rows count from 1, and pieces of a long line share a number.
    first: u64,
    bytes: Vec<u8>,
    records: Vec<(usize, Kind)>,
}

/// How a part's rows are understood.
pub(super) struct Reading {
    /// Its number.
    pub part: usize,
    pub layout: Layout,
    pub plan: Plan,
    /// For rows whose cells have moved.
    pub guessing: Plan,
    /// How many cells a sound row has.
    pub width: usize,
    /// Whether a look may do for most of its rows, where the watch has texts to look for.
    pub plain: bool,
}

/// A part as far as it was understood; its rows are in the tally.
pub(super) struct Part {
    pub name: String,
    pub format: &'static str,
    pub packing: Vec<&'static str>,
    pub encoding: &'static str,
    pub columns: Columns,
    /// Why it goes no further than what was read of it.
    pub broken: Option<String>,
    reading: Arc<Reading>,
    /// Records before the data that are still to come.
    before: usize,
    /// The record that names the columns: some lists repeat it.
    header: Vec<u8>,
    next: u64,
}

/// What one pass over a list gives.
pub(super) struct Scanned {
    pub whole: Whole,
    pub parts: Vec<Part>,
    pub tally: Tally,
}

/// Reads a list to its end.
///
/// # Errors
/// The reader's.
pub(super) fn scan(watch: &Watch, list: List<'_>, threads: usize) -> io::Result<Scanned> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Chunk>(threads * 2);
        // Held by the workers alone: should all of them panic, sending fails and does not wait.
        let receiver = Arc::new(Mutex::new(receiver));
        let start = |receiver: Arc<Mutex<_>>| scope.spawn(move || work(watch, &receiver));
        let workers: Vec<_> = (1..threads.max(1))
            .map(|_| start(Arc::clone(&receiver)))
            .collect();
        let workers = workers.into_iter().chain([start(receiver)]);
        let mut feed = Feed {
            sender,
            parts: Vec::new(),
            chunk: None,
            laid: list.laid(),
        };
        let whole = list
            .read(&mut feed)
            .and_then(|whole| feed.send().map(|()| whole));
        let Feed { parts, sender, .. } = feed;
        drop(sender);
        let mut tally = Tally::new(watch).without_counts();
        let mut together = HashMap::new();
        for worker in workers {
            match worker.join() {
                Ok(worker) => worker.add_to(&mut tally, &mut together),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        tally.tell_alone(&together);
        // Every part has its counts, though nothing was read of it.
        if let Some(last) = parts.len().checked_sub(1) {
            tally.part(last);
        }
        whole.map(|whole| Scanned {
            whole,
            parts,
            tally,
        })
    })
}

/// Takes records from the readers and hands them to the workers.
struct Feed {
    sender: SyncSender<Chunk>,
    parts: Vec<Part>,
    chunk: Option<Chunk>,
    /// A stretch of a longer text is understood by the text's beginning.
    laid: Option<Laid>,
}

impl Feed {
    fn send(&mut self) -> io::Result<()> {
        let Some(chunk) = self.chunk.take() else {
            return Ok(());
        };
        // Workers are gone only if they have panicked; joining says so.
        self.sender
            .send(chunk)
            .map_err(|_| io::Error::other("nobody reads any more"))
    }
}

impl Parts for Feed {
    fn begin(&mut self, head: Head) -> usize {
        let (columns, header) = match &self.laid {
            None => {
                let columns = Columns::understand(head.header.as_deref(), &head.sample);
                (columns, Vec::new())
            }
            Some(laid) => (laid.columns.clone(), laid.header.clone()),
        };
        let width = columns.columns.len();
        let part = self.parts.len();
        let plan = columns.plan();
        let reading = Arc::new(Reading {
            part,
            layout: head.layout,
            plain: plan.is_plain(),
            plan,
            guessing: Plan::guessing(width + 64, columns.region),
            width,
        });
        self.parts.push(Part {
            name: head.name,
            format: head.format,
            packing: head.packing,
            encoding: head.encoding,
            before: columns.before,
            columns,
            broken: None,
            reading,
            header,
            next: 1,
        });
        part
    }

    fn record(&mut self, part: usize, record: &[u8], kind: Kind) -> io::Result<()> {
        let full = |chunk: &Chunk| chunk.reading.part != part || chunk.bytes.len() >= CHUNK;
        if self.chunk.as_ref().is_some_and(full) {
            self.send()?;
        }
        let part = &mut self.parts[part];
        if part.before > 0 {
            part.before -= 1;
            if part.before == 0 {
                part.header = record.to_vec();
            }
            return Ok(());
        }
        if !part.header.is_empty() && part.header == record {
            return Ok(());
        }
        let chunk = self.chunk.get_or_insert_with(|| Chunk {
            reading: Arc::clone(&part.reading),
            // A further piece belongs to the row that the last chunk ended with.
            first: part.next - u64::from(kind == Kind::Continued && part.next > 1),
            bytes: Vec::with_capacity(CHUNK + CHUNK / 4),
            records: Vec::new(),
        });
        part.next += u64::from(kind != Kind::Continued);
        chunk.bytes.extend_from_slice(record);
        chunk.records.push((chunk.bytes.len(), kind));
        Ok(())
    }

    fn broken(&mut self, part: usize, why: String) {
        self.parts[part].broken = Some(why);
    }
}

fn work<'a>(watch: &'a Watch, chunks: &Mutex<Receiver<Chunk>>) -> Worker<'a> {
    let mut worker = Worker::new(watch);
    loop {
        let next = match chunks.lock() {
            Ok(receiver) => receiver.recv(),
            // Another worker has panicked: its chunk is lost, and with it the result.
            Err(_) => break,
        };
        let Ok(chunk) = next else { break };
        worker.records(&chunk.reading, chunk.first, &chunk.bytes, &chunk.records);
    }
    worker
}
