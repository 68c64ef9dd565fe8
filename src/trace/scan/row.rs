//! One row against the watch.

use std::ops::Range;

use super::super::mark::{Agreed, Mark, Marks};
use super::super::memory::Memory;
use super::super::near::{How, Hows, Search};
use super::super::normalise::{Class, Plan};
use super::super::read::{Cells, Encoding, Kind, Style, decode};
use super::super::traits::{Attribute, sex as sex_number};
use super::super::watch::{Bearers, Glanced, Holder, Sought, Watch};
use super::super::watchlist::Kept;
use super::Reading;
use super::sample::{KeyHasher, Keys, stands_for};
use super::tally::{Claim, Place, Seen, Tally};
use crate::notation::{HashName, address_key, region_key, sex_key};

/// So many values are counted at once: their counts lie far apart, and are then waited for together.
const COUNTED: usize = 256;
/// So many rows are looked over at once, for the same reason.
const TOGETHER: usize = 16;

/// A row of which all has been taken that a look takes.
#[derive(Clone)]
struct Waiting {
    row: u64,
    kind: Kind,
    /// Where it stands in its chunk.
    place: Range<usize>,
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

/// How far a canary agrees with the row at hand.
#[derive(Clone, Copy)]
struct Agreement {
    canary: u32,
    marks: Agreed,
    how: Hows,
}

/// Looks rows up and counts; its buffers are used again and again.
pub struct Worker<'a> {
    watch: &'a Watch,
    tally: Tally,
    cells: Cells,
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
    together: Vec<u64>,
    hasher: KeyHasher,
    memory: Memory,
    /// The part whose cells it remembers.
    part: usize,
}

impl<'a> Worker<'a> {
    pub fn new(watch: &'a Watch) -> Worker<'a> {
        Worker {
            watch,
            tally: Tally::new(watch),
            cells: Cells::default(),
            hits: Vec::new(),
            kept: Kept::default(),
            agreements: Vec::new(),
            blocks: Vec::new(),
            search: Search::default(),
            sought: Vec::new(),
            waiting: Vec::with_capacity(TOGETHER),
            glanced: Default::default(),
            counted: Vec::with_capacity(2 * COUNTED),
            together: vec![0; watch.values.len()],
            hasher: KeyHasher::new(watch),
            memory: Memory::new(),
            part: 0,
        }
    }

    pub fn done(self) -> Tally {
        let Worker {
            mut tally,
            mut counted,
            together,
            ..
        } = self;
        tally.count(&mut counted);
        let apart = tally.counts.iter().zip(together);
        tally.alone = apart.map(|(rows, together)| rows - together).collect();
        tally
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
        let (mut start, mut row, mut clear) = (0, first, 0);
        for (at, (end, kind)) in records.iter().enumerate() {
            row += u64::from(at > 0 && *kind != Kind::Continued);
            if self.record(reading, &bytes[start..*end], *kind, row) {
                self.waiting.push(Waiting {
                    row,
                    kind: *kind,
                    place: start..*end,
                });
            }
            if self.waiting.len() == TOGETHER {
                clear += self.look_over(reading, bytes);
            }
            start = *end;
        }
        clear + self.look_over(reading, bytes)
    }

    /// One record; whether it waits to be looked over.
    fn record(&mut self, reading: &Reading, bytes: &[u8], kind: Kind, row: u64) -> bool {
        let layout = reading.layout;
        if self.part != reading.part {
            self.memory.clear();
            self.part = reading.part;
        }
        let at = Place {
            part: reading.part,
            row,
        };
        let (text, encoding) = decode(bytes, layout.encoding);
        layout.split(&text, kind, &mut self.cells);
        // Whether there is anything that no cell should hold.
        let marked = memchr::memchr3(0, b'\n', b'\r', text.as_bytes()).is_some();
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
        if watch.near().is_none()
            || !plan.plain_values(memory, cell, &mut |value| watch.glance(value, glanced))
        {
            return false;
        }
        match plan.address_of(cell) {
            None => false,
            Some(address) if address.is_empty() => true,
            Some(address) => match watch.look_at_address(&address) {
                Some(look) => {
                    glanced.look = look;
                    true
                }
                None => false,
            },
        }
    }

    /// Looks over the rows that wait: most speak for no canary, and what stands in them is counted; the others are read.
    /// Gives how many are clear.
    fn look_over(&mut self, reading: &Reading, bytes: &[u8]) -> usize {
        let Worker {
            watch,
            tally,
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
            counted.extend_from_slice(&row.values);
            blocks.clear();
            note_blocks(watch.blocks_in(row), blocks);
            for block in &*blocks {
                tally.neighbours[*block as usize] += 1;
            }
        }
        if counted.len() >= COUNTED {
            tally.count(counted);
        }
        for at in 0..self.waiting.len() {
            if self.glanced[at].clear {
                continue;
            }
            let Waiting { row, kind, place } = self.waiting[at].clone();
            let layout = reading.layout;
            let (text, _) = decode(&bytes[place], layout.encoding);
            layout.split(&text, kind, &mut self.cells);
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

    /// Who the row's hits speak for: a row is one household's, so it is evidence for the canary that
    /// it agrees with most, and for no other. Gives the marks that it agrees with nearly.
    fn judge(&mut self, at: Place) -> Marks {
        for hit in &self.hits {
            self.tally.counts[hit.value as usize] += 1;
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
                self.together[hit.value as usize] += 1;
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
            for holder in self.watch.values[hit.value as usize].held_by(agreement.canary) {
                if !marks.has(holder.mark)
                    && self.watch.city_agrees(hit.value, holder, &hit.city)
                    && self.watch.spelt(hit.value, holder, written)
                {
                    marks = marks.with(holder.mark);
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
        if watched.versions.len() < 2 {
            return None;
        }
        let mut bearers = Bearers::ALL;
        for hit in &self.hits {
            let holders = self.watch.values[hit.value as usize].held_by(agreement.canary);
            let agreed = holders.filter(|holder| agreement.marks.exact.has(holder.mark));
            for holder in agreed {
                bearers = bearers.and(holder.versions);
            }
        }
        for place in 0..self.cells.len() {
            let cell = self.cells.get(place).trim();
            let known = watched.telling.iter().find(|(text, _)| **text == *cell);
            if let Some((_, versions)) = known {
                bearers = bearers.and(*versions);
            }
        }
        bearers.range(watched.versions.len())
    }

    /// Canaries of one door are told apart by what their building is called, where that was planted in
    /// several ways and the row has one of them. Signs and spaces do not count: a broker rewrites them.
    fn tell_by_building(&mut self) {
        let watch = self.watch;
        let values = &watch.values;
        let address = |hit: &&Hit| hit.class == Class::Address;
        let mut called = Vec::new();
        for hit in self.hits.iter().filter(address) {
            let written = self.search.written(hit.key);
            let Some(name) = address_key(written).map(|address| address.building) else {
                continue;
            };
            for agreement in &self.agreements {
                let mut holders = values[hit.value as usize].held_by(agreement.canary);
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
        let values = &watch.values;
        let holders = |hit: &Hit| values[hit.value as usize].holders.len();
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
            for holder in &values[hit.value as usize].holders {
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
            let value = &values[hit.value as usize];
            for agreement in &mut self.agreements {
                for holder in value.held_by(agreement.canary) {
                    if watch.city_agrees(hit.value, holder, &hit.city) {
                        agreement.add(&Agreement::new(hit, holder));
                    }
                }
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

impl Agreement {
    fn new(hit: &Hit, holder: &Holder) -> Agreement {
        let mark: Mark = holder.mark;
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
    use crate::trace::read::Layout;
    use crate::trace::testing::{COLUMNS, World};

    /// What the row's hits say of every canary that holds one of them.
    fn all_that_agree(worker: &Worker<'_>) -> BTreeMap<u32, Marks> {
        let mut all: BTreeMap<u32, Marks> = BTreeMap::new();
        for hit in &worker.hits {
            for holder in &worker.watch.values[hit.value as usize].holders {
                if worker.watch.city_agrees(hit.value, holder, &hit.city) {
                    let marks = all.entry(holder.canary).or_default();
                    *marks = marks.with(holder.mark);
                }
            }
        }
        all
    }

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
            let watch = world.watch();
            let roles = COLUMNS.map(|(_, role)| Some(role));
            let plan = Plan::new(&roles, Some(Region::Jp));
            assert!(plan.is_plain());
            let strangers = world.lines(2_000, &[]);
            let layout = Layout {
                delimiter: b'\t',
                style: Style::Escaped,
                encoding: Encoding::Utf8,
            };
            let [mut looking, mut reading] = [Worker::new(&watch), Worker::new(&watch)];
            let (mut bytes, mut records) = (Vec::new(), Vec::new());
            for (row, stranger) in strangers.iter().enumerate() {
                let canary = world.rng.random_range(0..world.canaries.len());
                let canary = world.planted(canary);
                // Of most rows nothing is a canary's.
                let share = [0.0, 0.0, 0.15, 0.5][row % 4];
                let cell = |column: usize| {
                    let own = world.rng.random_bool(share);
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
            let [looks, reads] = [true, false].map(|plain| Reading {
                part: 0,
                layout,
                plan: Plan::new(&roles, Some(Region::Jp)),
                guessing: Plan::guessing(COLUMNS.len() + 64, Some(Region::Jp)),
                width: COLUMNS.len(),
                plain,
            });
            // Behind the rows that are all in the sample, and always read.
            let clear = looking.records(&looks, 10_000, &bytes, &records);
            assert_eq!(reading.records(&reads, 10_000, &bytes, &records), 0);
            let [looked, read] =
                [looking, reading].map(|worker| serde_json::to_value(worker.done()).unwrap());
            for (count, read) in read.as_object().unwrap() {
                assert!(looked[count] == *read, "{count}");
            }
            assert!(looked["claims"].as_array().unwrap().len() > 100);
            assert!(clear * 10 > records.len(), "{clear} of {}", records.len());
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
            1 => cell.replace(' ', "\u{3000}"),
            2 => cell.replace('-', ""),
            3 => cell.replace(['1', '2'], "二"),
            4 => cell
                .replace('ー', "-")
                .replace('ガ', "ｶﾞ")
                .replace('タ', "ﾀ"),
            _ => cell.to_owned(),
        }
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
