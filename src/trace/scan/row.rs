//! One row against the watch.

mod judge;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::super::mark::{Mark, Marks};
use super::super::memory::Memory;
use super::super::near::{Near, Search};
use super::super::normalise::{Class, Plan};
use super::super::read::{Cells, Encoding, Kind, Style, decode, decode_all, decode_cp932};
use super::super::traits::{Attribute, sex as sex_number};
use super::super::watch::{Glanced, Sought, Watch};
use super::super::watchlist::Kept;
use super::Reading;
use super::sample::{KeyHasher, Keys, stands_for};
use super::tally::{Counting, Place, Tally};
use crate::notation::{HashName, region_key, sex_key};
use judge::Agreement;

/// So many values are counted at once: their counts lie far apart, and are fetched meanwhile.
const COUNTED: usize = 256;
/// So many rows are looked over at once, for the same reason.
const TOGETHER: usize = 32;

/// A row, which may wait when all has been taken of it that a look takes.
#[derive(Clone)]
struct Waiting {
    row: u64,
    kind: Kind,
    /// Where it stands in its chunk.
    place: Range<usize>,
}

/// The bytes of a chunk's records, one behind the other, with what is soonest told of all of them.
struct ChunkText<'b> {
    bytes: &'b [u8],
    encoding: Encoding,
    /// Their text, if it could be told without looking at each.
    text: Option<&'b str>,
    /// Whether there is anything in them that no cell should hold.
    marked: bool,
}

impl<'b> ChunkText<'b> {
    fn new(bytes: &'b [u8], encoding: Encoding) -> ChunkText<'b> {
        ChunkText {
            bytes,
            encoding,
            text: decode_all(bytes, encoding),
            marked: is_marked(bytes),
        }
    }

    /// The text of a record, and in what encoding it is; it may be put into `room`.
    fn decode<'t>(
        &self,
        place: &Range<usize>,
        room: &'t mut Vec<u8>,
    ) -> (Cow<'t, str>, Option<Encoding>)
    where
        'b: 't,
    {
        // A piece of a long line may end within a letter.
        if let Some(text) = self.text.and_then(|text| text.get(place.clone())) {
            return (Cow::Borrowed(text), Some(self.encoding));
        }
        let bytes = &self.bytes[place.clone()];
        if self.encoding == Encoding::Cp932
            && let Some(text) = decode_cp932(bytes, room)
        {
            return (Cow::Borrowed(text), Some(self.encoding));
        }
        decode(bytes, self.encoding)
    }
}

/// Whether there is anything in it that no cell should hold.
fn is_marked(bytes: &[u8]) -> bool {
    memchr::memchr3(0, b'\n', b'\r', bytes).is_some()
}

/// A value of the watch that stands in the row at hand.
struct Hit {
    value: u32,
    class: Class,
    /// The place of its key among those that are kept.
    key: usize,
    city: String,
    /// What it is a digest by.
    hash: Option<HashName>,
}

/// Looks rows up and counts; its buffers are used again and again.
pub struct Worker<'a> {
    watch: &'a Watch,
    tally: Tally,
    counting: Counting,
    cells: Cells,
    /// Where a record is decoded.
    decoded: Vec<u8>,
    hits: Vec<Hit>,
    /// For a watch list, which has to see all keys of a row at once.
    kept: Kept,
    agreements: Vec<Agreement>,
    /// Blocks of ours that strangers' numbers in the row stand in.
    blocks: Vec<u32>,
    search: Search,
    /// Where the row's keys are looked for.
    sought: Vec<Sought>,
    /// Rows that are to be looked over, and what is seen of each.
    waiting: Vec<Waiting>,
    glanced: [Glanced; TOGETHER],
    /// Values of rows that needed no more than the look, still to be counted.
    counted: Vec<u32>,
    /// Rows in which each value stands together with another mark of one of its holders.
    together: HashMap<u32, u64>,
    hasher: KeyHasher,
    memory: Memory,
    /// The part whose cells it remembers.
    part: usize,
}

impl<'a> Worker<'a> {
    pub fn new(watch: &'a Watch) -> Worker<'a> {
        let rules = watch.near().map(Near::rules).unwrap_or_default();
        Worker {
            watch,
            tally: Tally::new(watch).without_counts(),
            counting: Counting::new(watch.values.len()),
            cells: Cells::default(),
            decoded: Vec::new(),
            hits: Vec::new(),
            kept: Kept::default(),
            agreements: Vec::new(),
            blocks: Vec::new(),
            search: Search::under(rules),
            sought: Vec::new(),
            waiting: Vec::with_capacity(TOGETHER),
            glanced: std::array::from_fn(|_| Glanced::under(rules)),
            counted: Vec::with_capacity(2 * COUNTED),
            together: HashMap::new(),
            hasher: KeyHasher::new(watch),
            memory: Memory::new(),
            part: 0,
        }
    }

    /// Adds all that it has counted to the counts of a list; rows in which a value stands together with another mark of one
    /// of its holders are added to `all`.
    pub fn add_to(self, tally: &mut Tally, all: &mut HashMap<u32, u64>) {
        let Worker {
            mut counting,
            counted,
            together,
            ..
        } = self;
        counted.into_iter().for_each(|value| counting.count(value));
        tally.add(self.tally);
        tally.counts.merge(counting);
        for (value, rows) in together {
            *all.entry(value).or_default() += rows;
        }
    }

    /// Records of a part as they stand in the file, one behind the other, each with its end; `first` is the first one's
    /// row. Gives how many of them needed no more than a look.
    pub fn records(
        &mut self,
        reading: &Reading,
        first: u64,
        bytes: &[u8],
        records: &[(usize, Kind)],
    ) -> usize {
        let chunk = ChunkText::new(bytes, reading.layout.encoding);
        let (mut start, mut row, mut clear) = (0, first, 0);
        for (at, (end, kind)) in records.iter().enumerate() {
            row += u64::from(at > 0 && *kind != Kind::Continued);
            let record = Waiting {
                row,
                kind: *kind,
                place: start..*end,
            };
            if self.record(reading, &chunk, &record) {
                self.waiting.push(record);
            }
            if self.waiting.len() == TOGETHER {
                clear += self.look_over(reading, &chunk);
            }
            start = *end;
        }
        clear + self.look_over(reading, &chunk)
    }

    /// One record; whether it waits to be looked over.
    fn record(&mut self, reading: &Reading, chunk: &ChunkText<'_>, record: &Waiting) -> bool {
        let layout = reading.layout;
        let (kind, row) = (record.kind, record.row);
        if self.part != reading.part {
            self.memory.clear();
            self.part = reading.part;
        }
        let at = Place {
            part: reading.part,
            row,
        };
        let mut room = std::mem::take(&mut self.decoded);
        let (text, encoding) = chunk.decode(&record.place, &mut room);
        let marked = chunk.marked && is_marked(text.as_bytes());
        match marked {
            true => layout.split(&text, kind, &mut self.cells),
            false => layout.split_clean(&text, kind, &mut self.cells),
        }
        if kind != Kind::Continued {
            self.tally.rows += 1;
            let nul = marked && text.contains('\0');
            let fault = self.fault(kind, encoding, nul, reading.width);
            let part = self.tally.part(reading.part);
            part.rows += 1;
            part.otherwise_encoded +=
                u64::from(encoding.is_none_or(|found| found != layout.encoding));
            if let Some(why) = fault {
                part.bad.note(row, why);
            }
        }
        let moved =
            self.cells.len() != reading.width || !matches!(kind, Kind::Sound | Kind::StrayQuote);
        let plan = if moved {
            &reading.guessing
        } else {
            &reading.plan
        };
        let plain = !moved && reading.plain && stands_for(row) == 0;
        let waits = plain && self.glance(plan);
        if moved && self.cells.len() > reading.width + 64 {
            self.look_up(&Plan::guessing(self.cells.len(), None), at);
        } else if !waits {
            self.look_up(plan, at);
        }
        if layout.style == Style::Quoted
            && kind == Kind::Sound
            && marked
            && text.contains(['\n', '\r'])
        {
            self.lines_within(reading, &text, at);
        }
        self.decoded = room;
        waits
    }

    /// Takes of a row what a look takes; `false` where that does not do.
    fn glance(&mut self, plan: &Plan) -> bool {
        let Worker {
            watch,
            cells,
            waiting,
            glanced,
            memory,
            ..
        } = self;
        let glanced = &mut glanced[waiting.len()];
        glanced.clear();
        let cell = |place| cells.get(place);
        // A watch list knows no texts to look at.
        let Some(near) = watch.near() else {
            return false;
        };
        if !plan.plain_values(memory, cell, &mut |value| watch.glance(value, glanced)) {
            return false;
        }
        let address = plan.address_of(cell);
        if !address.is_empty() {
            let seen = watch.look_at_address(&address, glanced);
            if !seen || plan.has_one_address() && !glanced.look.has_digit {
                return false;
            }
        }
        watch.fetch(near, glanced);
        true
    }

    /// Looks over the rows that wait: most speak for no canary, and what stands in them is counted; the others are read.
    /// Gives how many are clear.
    fn look_over(&mut self, reading: &Reading, chunk: &ChunkText<'_>) -> usize {
        let Worker {
            watch,
            tally,
            counting,
            blocks,
            counted,
            waiting,
            glanced,
            ..
        } = self;
        let Some(near) = watch.near().filter(|_| !waiting.is_empty()) else {
            return 0;
        };
        let rows = &mut glanced[..waiting.len()];
        watch.look_over(near, rows);
        let mut clear = 0;
        for row in rows.iter().filter(|row| row.clear) {
            clear += 1;
            counted.extend(row.values.iter().map(|met| met.value));
            row.values.iter().for_each(|met| counting.fetch(met.value));
            blocks.clear();
            note_blocks(watch.blocks_in(row), blocks);
            for block in &*blocks {
                tally.neighbours[*block as usize] += 1;
            }
        }
        if counted.len() >= COUNTED {
            counted.drain(..).for_each(|value| counting.count(value));
        }
        for at in 0..self.waiting.len() {
            if self.glanced[at].clear {
                continue;
            }
            let Waiting { row, kind, place } = self.waiting[at].clone();
            let (text, _) = chunk.decode(&place, &mut self.decoded);
            reading.layout.split(&text, kind, &mut self.cells);
            let at = Place {
                part: reading.part,
                row,
            };
            self.look_up(&reading.plan, at);
        }
        self.waiting.clear();
        clear
    }

    /// Two lone quotes make one cell of the lines between them, in good form: look into it.
    fn lines_within(&mut self, reading: &Reading, record: &str, at: Place) {
        for line in record.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            let layout = reading.layout;
            layout.split(line, Kind::OpenQuote, &mut self.cells);
            if self.cells.len() == reading.width && reading.width > 1 {
                self.look_up(&reading.plan, at);
            }
        }
    }

    fn fault(
        &self,
        kind: Kind,
        encoding: Option<Encoding>,
        nul: bool,
        width: usize,
    ) -> Option<&'static str> {
        match kind {
            Kind::TooLong => Some("longer than 1 MiB"),
            Kind::OpenQuote => Some("a quote that does not close"),
            Kind::StrayQuote => Some("letters behind a closing quote"),
            Kind::Broken => Some("breaks the format's grammar"),
            _ if encoding.is_none() => Some("bytes that are no text"),
            _ if nul => Some("a NUL"),
            _ if self.cells.len() < width => Some("too few cells"),
            _ if self.cells.len() > width => Some("too many cells"),
            _ => None,
        }
    }

    fn look_up(&mut self, plan: &Plan, at: Place) {
        let Worker {
            watch,
            tally,
            cells,
            hits,
            kept,
            blocks,
            search,
            sought,
            hasher,
            memory,
            ..
        } = self;
        let near = watch.near();
        hits.clear();
        blocks.clear();
        kept.clear();
        let blind = watch.blind.as_deref();
        search.clear();
        let mut filled = 0_u16;
        let (mut door, mut unit) = (0, false);
        let rows = stands_for(at.row);
        // Where the address stands in a column that nobody understood.
        let mut elsewhere = None;
        let mut sampled = tally.sample.wants(at).then(Keys::default);
        plan.keys(memory, |place| cells.get(place), &mut |key| {
            if key.shows_its_class() || plan.trusts(key.class) {
                filled |= 1 << key.class as u16;
                // An address comes with its block behind it, which is shorter where there is a unit.
                match key.class {
                    Class::Address => door = key.text.len(),
                    Class::Block => unit |= key.text.len() < door,
                    _ => {}
                }
            }
            if rows > 0 && key.class == Class::Block && elsewhere.is_none() {
                elsewhere = region_key(key.written);
            }
            if !key.guessed && rows > 0 {
                tally.shapes.count(key.class, key.text, key.written);
                if let Some(keys) = &mut sampled {
                    keys.keep(key.class, key.text, hasher);
                }
            }
            if let Some(blind) = blind {
                blind.keep(&key, kept);
                return;
            }
            match near.is_some() {
                true => search.keep(&key),
                false => _ = search.put(&key),
            }
        });
        watch.seek(search.keys(), sought);
        for (place, ((class, text), sought)) in search.keys().zip(sought).enumerate() {
            let Some(value) = watch.find(class, text, *sought) else {
                note_blocks(watch.blocks_of(class, text), blocks);
                continue;
            };
            if !hits.iter().any(|hit| hit.value == value) {
                hits.push(Hit {
                    value,
                    class,
                    key: place,
                    city: search.city(place).to_owned(),
                    hash: HashName::of_key(text),
                });
            }
        }
        if let Some(blind) = blind {
            for crowd in kept.crowds() {
                tally.crowds.count(crowd);
            }
            blind.find(kept, &mut |value, key| {
                tally.crowds.note(value, key.crowd());
                if !hits.iter().any(|hit| hit.value == value) {
                    hits.push(Hit {
                        value,
                        class: watch.values[value as usize].class,
                        key: search.put(&key.as_key()),
                        city: key.city.clone(),
                        hash: None,
                    });
                }
            });
        }
        if let Some(keys) = sampled {
            tally.sample.note(at, keys);
        }
        for (class, count) in tally.filled.iter_mut().enumerate() {
            *count += rows * u64::from(filled >> class & 1);
        }
        tally.units += rows * u64::from(unit);
        if rows > 0 {
            let place = plan.place(|place| cells.get(place)).or(elsewhere);
            if let Some(place) = place {
                let region = watch.regions.known(&place);
                tally.strata.count(Attribute::Region, region, rows, filled);
            }
            if let Some(sex) = plan.sex.and_then(|place| sex_key(cells.get(place))) {
                let sex = sex_number(sex);
                tally.strata.count(Attribute::Sex, sex, rows, filled);
            }
        }
        let candidates = near.is_some_and(|near| !search.candidates(near).is_empty());
        let claimed = match candidates || !hits.is_empty() {
            true => self.judge(at),
            false => Marks::default(),
        };
        // How often a stranger has such a number is told by the rows that nothing else speaks for.
        if !claimed.has(Mark::Phone) {
            for block in &self.blocks {
                self.tally.neighbours[*block as usize] += 1;
            }
        }
    }
}

/// Keeps the blocks of ours that a stranger's number stands in, each once.
fn note_blocks(found: impl Iterator<Item = u32>, blocks: &mut Vec<u32>) {
    for block in found {
        if !blocks.contains(&block) {
            blocks.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::canary::Cell;
    use crate::notation::{Region, Role};
    use crate::trace::read::Layout;
    use crate::trace::testing::{COLUMNS, World};

    /// Rows of cells of canaries and of strangers, written in several ways: who is told at first sight to be nobody of
    /// ours is nobody, and what is counted of him is the same.
    #[test]
    fn a_first_look_misses_nobody() {
        // Beside so many there are fewer rules of near agreement.
        for each in [30, 850] {
            let mut world = World::new(11, each);
            // They live at sixty places, as those of an operator do.
            let homes: Vec<_> = (0..60).map(|at| world.planted(at)).collect();
            for (canary, home) in world.canaries.iter_mut().zip(homes.iter().cycle()) {
                for column in [2, 3] {
                    canary.details.rows[0].cells[column].value = Some(home[column].clone());
                }
            }
            // Their children are called as others are.
            let given: Vec<String> = (world.canaries.iter())
                .map(|canary| canary.details.household.guardian.given.written.clone())
                .collect();
            for (canary, given) in world.canaries.iter_mut().rev().zip(given) {
                canary.details.rows[0].cells.push(Cell {
                    column: "子".to_owned(),
                    role: Role::ChildGivenName,
                    value: Some(given),
                });
            }
            let watch = world.watch();
            let strangers = world.lines(2_000, &[]);
            let layout = Layout {
                delimiter: b'\t',
                style: Style::Escaped,
                encoding: Encoding::Utf8,
            };
            let (mut bytes, mut records) = (Vec::new(), Vec::new());
            for (row, stranger) in strangers.iter().enumerate() {
                let canary = world.rng.random_range(0..world.canaries.len());
                let canary = world.planted(canary);
                // Of most rows nothing is a canary's.
                let share = [0.0, 0.0, 0.15, 0.5][row % 4];
                let cell = |column: usize| {
                    let own = world.rng.random_bool(share);
                    // Where an address should be may be a name.
                    let moved = column == 3 && world.rng.random_bool(0.1);
                    let column = if moved { 0 } else { column };
                    let cell = if own {
                        &canary[column]
                    } else {
                        &stranger[column]
                    };
                    written(cell, world.rng.random_range(0..8))
                };
                let cells: Vec<String> = (0..COLUMNS.len()).map(cell).collect();
                bytes.extend(cells.join("\t").bytes());
                records.push((bytes.len(), Kind::Sound));
            }
            // Columns that nobody understood, and those of which nobody is sure.
            let plans: [(&[usize], &[usize]); 4] = [
                (&[], &[]),
                (&[], &[0, 2, 6]),
                (&[0, 4], &[]),
                (&[3, 5], &[1]),
            ];
            for (unknown, unsure) in plans {
                let plan = || {
                    let mut roles = COLUMNS.map(|(_, role)| Some(role));
                    unknown.iter().for_each(|place| roles[*place] = None);
                    let mut plan = Plan::new(&roles, Some(Region::Jp));
                    unsure.iter().for_each(|place| plan.also_guess(*place));
                    plan
                };
                assert!(plan().is_plain());
                let [looks, reads] = [true, false].map(|plain| Reading {
                    part: 0,
                    layout,
                    plan: plan(),
                    guessing: Plan::guessing(COLUMNS.len() + 64, Some(Region::Jp)),
                    width: COLUMNS.len(),
                    plain,
                });
                let [mut looking, mut reading] = [Worker::new(&watch), Worker::new(&watch)];
                // Behind the rows that are all in the sample, and always read.
                let clear = looking.records(&looks, 10_000, &bytes, &records);
                assert_eq!(reading.records(&reads, 10_000, &bytes, &records), 0);
                let [looked, read] = [looking, reading].map(|worker| {
                    let mut tally = Tally::new(&watch);
                    let mut together = HashMap::new();
                    worker.add_to(&mut tally, &mut together);
                    assert!(!together.is_empty());
                    tally.tell_alone(&together);
                    serde_json::to_value(tally).unwrap()
                });
                for (count, read) in read.as_object().unwrap() {
                    assert!(looked[count] == *read, "{count}, {unknown:?} {unsure:?}");
                }
                assert!(looked["claims"].as_array().unwrap().len() > 100);
                assert!(clear * 10 > records.len(), "{clear} of {}", records.len());
            }
        }
    }

    /// A cell in one of the ways in which lists write it.
    fn written(cell: &str, way: usize) -> String {
        let wide = |c: char| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap(),
            c => c,
        };
        match way {
            0 => cell.chars().map(wide).collect(),
            1 => format!("{} 様", cell.replace(' ', "\u{3000}")),
            2 => cell.replace('-', ""),
            3 => cell.replace(['1', '2'], "二"),
            4 => cell
                .replace('ー', "-")
                .replace('ガ', "ｶﾞ")
                .replace('タ', "ﾀ"),
            _ => cell.to_owned(),
        }
    }
}
