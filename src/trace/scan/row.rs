//! One row against the watch.

use super::super::mark::{Mark, Marks};
use super::super::normalise::{Class, Plan};
use super::super::read::{Cells, Encoding, Kind, Style, decode};
use super::super::watch::{Holder, Watch};
use super::Reading;
use super::tally::{Claim, Place, Seen, Tally};

/// A value of the watch that stands in the row at hand.
struct Hit {
    value: u32,
    written: String,
    city: String,
}

/// How far a canary agrees with the row at hand.
#[derive(Clone, Copy)]
struct Agreement {
    canary: u32,
    marks: Marks,
    as_planted: Marks,
}

/// Looks rows up and counts; its buffers are used again and again.
pub struct Worker<'a> {
    watch: &'a Watch,
    tally: Tally,
    cells: Cells,
    hits: Vec<Hit>,
    agreements: Vec<Agreement>,
}

impl<'a> Worker<'a> {
    pub fn new(watch: &'a Watch) -> Worker<'a> {
        Worker {
            watch,
            tally: Tally::new(watch),
            cells: Cells::default(),
            hits: Vec::new(),
            agreements: Vec::new(),
        }
    }

    pub fn done(self) -> Tally {
        self.tally
    }

    /// One record as it stands in the file.
    pub fn record(&mut self, reading: &Reading, bytes: &[u8], kind: Kind, row: u64) {
        let layout = reading.layout;
        let at = Place {
            part: reading.part,
            row,
        };
        let (text, encoding) = decode(bytes, layout.encoding);
        layout.split(&text, kind, &mut self.cells);
        if kind != Kind::Continued {
            self.tally.rows += 1;
            let fault = self.fault(&text, kind, encoding, reading.width);
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
        if moved && self.cells.len() > reading.width + 64 {
            self.look_up(&Plan::guessing(self.cells.len(), None), at);
        } else {
            self.look_up(plan, at);
        }
        if layout.style == Style::Quoted && kind == Kind::Sound && text.contains(['\n', '\r']) {
            self.lines_within(reading, &text, at);
        }
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
        text: &str,
        kind: Kind,
        encoding: Option<Encoding>,
        width: usize,
    ) -> Option<&'static str> {
        match kind {
            Kind::TooLong => Some("longer than 1 MiB"),
            Kind::OpenQuote => Some("a quote that does not close"),
            Kind::StrayQuote => Some("letters behind a closing quote"),
            Kind::Broken => Some("breaks the format's grammar"),
            _ if encoding.is_none() => Some("bytes that are no text"),
            _ if text.contains('\0') => Some("a NUL"),
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
            ..
        } = self;
        hits.clear();
        let mut filled = 0_u16;
        plan.keys(|place| cells.get(place), &mut |key| {
            // Any text could be a name; only what shows itself counts as a filled column.
            if !key.guessed || matches!(key.class, Class::Email | Class::Phone) {
                filled |= 1 << key.class as u16;
            }
            if let Some(value) = watch.find(key.class, key.text)
                && !hits.iter().any(|hit| hit.value == value)
            {
                hits.push(Hit {
                    value,
                    written: key.written.to_owned(),
                    city: key.city.to_owned(),
                });
            }
        });
        for (class, count) in tally.filled.iter_mut().enumerate() {
            *count += u64::from(filled >> class & 1);
        }
        if !hits.is_empty() {
            self.judge(at);
        }
    }

    /// Who the row's hits speak for: a row is one household's, so it is evidence for the canary that
    /// it agrees with most, and for no other.
    fn judge(&mut self, at: Place) {
        for hit in &self.hits {
            self.tally.counts[hit.value as usize] += 1;
        }
        self.agree();
        let best = self
            .agreements
            .iter()
            .filter(|agreement| agreement.marks.identify())
            .map(|agreement| agreement.marks)
            .max_by_key(|marks| (marks.weight(), marks.count(), *marks));
        if best.is_none_or(|marks| marks.groups() < 2) {
            for hit in &self.hits {
                self.tally.alone[hit.value as usize] += 1;
            }
        }
        let Some(marks) = best else { return };
        let winners = || {
            self.agreements
                .iter()
                .filter(|agreement| agreement.marks == marks)
        };
        let claim = Claim {
            canaries: winners().map(|agreement| agreement.canary).collect(),
            marks,
        };
        let as_planted = winners()
            .map(|agreement| agreement.as_planted)
            .reduce(Marks::and)
            .unwrap_or_default();
        self.tally.claim(
            claim,
            Seen {
                rows: 1,
                first: at,
                as_planted,
            },
        );
    }

    /// Fills `agreements`, by canary. Block and postcode are shared by all canaries of a postal drop,
    /// and name nobody without another mark: they are looked at last.
    fn agree(&mut self) {
        let values = &self.watch.values;
        let wide = |hit: &&Hit| {
            matches!(
                values[hit.value as usize].class,
                Class::Block | Class::Postcode
            )
        };
        self.agreements.clear();
        for hit in self.hits.iter().filter(|hit| !wide(hit)) {
            for holder in &values[hit.value as usize].holders {
                if holder.city_agrees(&hit.city) {
                    self.agreements.push(Agreement::new(holder, &hit.written));
                }
            }
        }
        self.agreements.sort_by_key(|agreement| agreement.canary);
        self.agreements.dedup_by(|later, kept| {
            let same = later.canary == kept.canary;
            if same {
                kept.marks = kept.marks.or(later.marks);
                kept.as_planted = kept.as_planted.or(later.as_planted);
            }
            same
        });
        for hit in self.hits.iter().filter(wide) {
            let holders = &values[hit.value as usize].holders;
            for agreement in &mut self.agreements {
                let start = holders.partition_point(|holder| holder.canary < agreement.canary);
                for holder in holders[start..]
                    .iter()
                    .take_while(|holder| holder.canary == agreement.canary)
                {
                    if holder.city_agrees(&hit.city) {
                        let more = Agreement::new(holder, &hit.written);
                        agreement.marks = agreement.marks.or(more.marks);
                        agreement.as_planted = agreement.as_planted.or(more.as_planted);
                    }
                }
            }
        }
    }
}

impl Agreement {
    fn new(holder: &Holder, written: &str) -> Agreement {
        let mark: Mark = holder.mark;
        let marks = Marks::default().with(mark);
        Agreement {
            canary: holder.canary,
            marks,
            as_planted: if holder.spelt(written) {
                marks
            } else {
                Marks::default()
            },
        }
    }
}
