//! A watch list's file into a watch.

use std::io::BufRead;

use super::super::mark::Mark;
use super::super::traits::Traits;
use super::super::watch::{Standing, Watch, Watched};
use super::blind::Blind;
use super::digest::Digester;
use super::file::{self, CanaryLine, Error, Header};
use super::folding::folding;
use super::make::WatchList;

impl WatchList {
    /// Writes the list.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        file::write(&self.header, &self.canaries, out)
    }
}

impl Watch {
    /// The watch of a watch list: it finds canaries and names them without knowing the others.
    ///
    /// # Errors
    /// It is no watch list, it is not whole, or this version of otori cannot use it.
    pub fn from_watchlist(input: impl BufRead) -> Result<Watch, Error> {
        let (header, lines) = file::read(input)?;
        if header.folding != folding() {
            return Err(Error::Folding(header.made_with));
        }
        let broken = |line, why| Error::Broken { line, why };
        let key = key(&header).ok_or(broken(1, "its key is none"))?;
        if !header.cost.is_sound() || !(1..64).contains(&header.bits) {
            return Err(broken(1, "its costs are out of bounds"));
        }
        if header.sources.is_empty() {
            return Err(broken(1, "it has no sources"));
        }
        let mut canaries = Vec::with_capacity(lines.len());
        let mut entries = Vec::new();
        let mut sealed = Vec::with_capacity(lines.len());
        // No number of a value can be above all marks that there are.
        let most: usize = lines.iter().map(|line| line.marks.len()).sum();
        for (index, line) in (0_u32..).zip(&lines) {
            let at = index as usize + 2;
            let known = (line.source as usize) < header.sources.len()
                && (line.batch as usize) < header.batches.len();
            let watched = known.then(|| watched(line, most)).flatten();
            canaries.push(watched.ok_or(broken(at, "its marks, source or batch are unknown"))?);
            let unpacked = line.unpack(index).zip(line.unpack_record());
            let (mine, record) = unpacked.ok_or(broken(at, "its fingerprints are broken"))?;
            entries.extend(mine);
            sealed.push(record);
        }
        let batches = header.batches.iter().map(|batch| Standing {
            id: batch.id.clone(),
            from: batch.from,
            until: batch.until,
            certain: batch.certain,
            rows_at: batch.rows,
        });
        let batches = batches.collect();
        let forgotten = header.forgotten.iter().filter_map(|(place, at)| {
            let source = header.sources.get(*place)?;
            Some((source.clone(), *at))
        });
        let forgotten = forgotten.collect();
        let blind = Blind::new(
            Digester::new(&key, header.cost),
            header.combinations,
            header.bits,
            entries,
            sealed,
            header.dates,
        );
        Ok(Watch::blinded(header.sources, batches, canaries, blind).forgetting(forgotten))
    }
}

fn watched(line: &CanaryLine, most: usize) -> Option<(Watched, Vec<(Mark, u32)>)> {
    let values = line.values()?;
    // A watch list says nothing by which its canaries may have been chosen.
    let traits = Traits::default();
    let watched = Watched::new(line.id.clone(), line.source, line.batch, traits);
    let sound = values.iter().all(|(_, value)| (*value as usize) < most);
    sound.then_some((watched, values))
}

fn key(header: &Header) -> Option<[u8; 32]> {
    let digits = header.key.as_bytes();
    let mut key = [0; 32];
    if digits.len() != 2 * key.len() || !header.key.is_ascii() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(key)
}
