//! One pass over a list: which rows agree with which canaries.
//!
//! The reading thread finds records and hands them on in chunks; workers decode, split, fold and look
//! up. What they count adds up to the same whatever the order, so the result does not depend on
//! how many there are.

mod row;
mod tally;

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use super::columns::Columns;
use super::normalise::Plan;
use super::read::{Kind, Layout, List, is_ornament};
use super::watch::Watch;
use row::Worker;
pub(super) use tally::{BadRows, Claim, Seen, Tally};

const CHUNK: usize = 256 << 10;

/// Records on their way to a worker.
pub(super) struct Chunk {
    /// Number of the first record: data rows count from 1, and pieces of a long line share a number.
    first: u64,
    bytes: Vec<u8>,
    records: Vec<(usize, Kind)>,
}

/// How a list's rows are understood.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub watch: &'a Watch,
    pub layout: Layout,
    pub plan: &'a Plan,
    /// For rows whose cells have moved.
    pub guessing: &'a Plan,
    /// How many cells a sound row has.
    pub width: usize,
}

/// Reads a list to its end. `progress` is told now and then how many bytes have been read.
///
/// # Errors
/// The reader's.
pub(super) fn scan<R: Read>(
    watch: &Watch,
    list: &mut List<R>,
    columns: &Columns,
    threads: usize,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Tally> {
    let plan = columns.plan();
    let width = columns.columns.len();
    let guessing = Plan::guessing(width + 64, columns.region);
    let reading = Reading {
        watch,
        layout: list.layout,
        plan: &plan,
        guessing: &guessing,
        width,
    };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Chunk>(threads * 2);
        // Held by the workers alone: should all of them panic, sending fails and does not wait.
        let receiver = Arc::new(Mutex::new(receiver));
        let start = |receiver: Arc<Mutex<_>>| scope.spawn(move || work(reading, &receiver));
        let workers: Vec<_> = (1..threads.max(1))
            .map(|_| start(Arc::clone(&receiver)))
            .collect();
        let workers = workers.into_iter().chain([start(receiver)]);
        let mut chunks = Chunks {
            header: columns.has_header,
            next: 1,
        };
        let read = loop {
            match chunks.next(list) {
                Ok(None) => break Ok(()),
                Ok(Some(chunk)) => {
                    if sender.send(chunk).is_err() {
                        // Workers are gone only if they have panicked; joining says so.
                        break Ok(());
                    }
                    progress(list.file().bytes());
                }
                Err(error) => break Err(error),
            }
        };
        drop(sender);
        let mut tally = Tally::new(watch);
        for worker in workers {
            match worker.join() {
                Ok(part) => tally.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| tally)
    })
}

struct Chunks {
    /// The first record is the header, and is still to come.
    header: bool,
    next: u64,
}

impl Chunks {
    fn next<R: Read>(&mut self, list: &mut List<R>) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk {
            first: self.next,
            bytes: Vec::with_capacity(CHUNK + CHUNK / 4),
            records: Vec::new(),
        };
        while chunk.bytes.len() < CHUNK
            && let Some((place, kind)) = list.records().next()?
        {
            let bytes = list.records().bytes(&place);
            if is_ornament(bytes) {
                continue;
            }
            if self.header {
                self.header = false;
                continue;
            }
            if chunk.records.is_empty() && kind == Kind::Continued {
                // The piece belongs to the row that the last chunk ended with.
                chunk.first -= 1;
            }
            if kind != Kind::Continued {
                self.next += 1;
            }
            chunk.bytes.extend_from_slice(bytes);
            chunk.records.push((chunk.bytes.len(), kind));
        }
        Ok((!chunk.records.is_empty()).then_some(chunk))
    }
}

fn work(reading: Reading<'_>, chunks: &Mutex<Receiver<Chunk>>) -> Tally {
    let mut worker = Worker::new(reading);
    loop {
        let next = match chunks.lock() {
            Ok(receiver) => receiver.recv(),
            // Another worker has panicked: its chunk is lost, and with it the result.
            Err(_) => break,
        };
        let Ok(chunk) = next else { break };
        let mut start = 0;
        let mut row = chunk.first;
        for (place, (end, kind)) in chunk.records.iter().enumerate() {
            if place > 0 && *kind != Kind::Continued {
                row += 1;
            }
            worker.record(&chunk.bytes[start..*end], *kind, row);
            start = *end;
        }
    }
    worker.done()
}
