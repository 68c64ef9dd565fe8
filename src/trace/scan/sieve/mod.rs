//! Which rows are worth the exact path.
//!
//! The exact path ([`super::row`]) decides what a row says, and takes its time: it decodes, splits and
//! folds every cell into texts and reads addresses. Of a million rows perhaps a thousand can claim
//! anything. The sieve looks at every row's bytes and lets pass, without a word of its own, each row in which
//! the exact path could find a claim. Of the others it counts, as the exact path would, which
//! values of the watch they hold.
//!
//! | question | where |
//! | --- | --- |
//! | what each code unit folds to | [`letters`], [`cell`] |
//! | where the cells are and what they mean | [`split`], [`lanes`] |
//! | the hash of a value's folded text | [`keys`], [`births`] |
//! | whether a value is one of ours | [`known`], [`places`] |
//! | whether two values are one canary's | [`pairs`] |
//!
//! It knows nothing that `notation` and the watch do not say: its tables are made of their answers, and
//! what they do not hold is asked of them, cell by cell (`Key::Unsure`). So a change there can make the
//! sieve slower, and the property tests beside it fail, but not the verdict silently other.
//!
//! Which columns are filled is counted in a sample of the rows that always takes the exact path.

mod births;
mod cell;
mod keys;
mod known;
mod lanes;
mod letters;
mod pairs;
mod places;
mod split;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::super::near::Near;
use super::super::near::blocking::Facts;
use super::super::normalise::{Class, Plan};
use super::super::read::{Encoding, decode};
use super::super::watch::Watch;
use births::{Births, Days, day};
use cell::{Alphabet, Broken, Cell};
use keys::{Hasher, Key, Keys};
use known::{Filter, Known};
pub use lanes::Lanes;
use lanes::{Kind, Lane};
use letters::Letters;
use pairs::Pairs;
use places::Places;
use split::Split;

/// For how many rows a row of the sample stands that always takes the exact path; 0 for one that is not
/// of it. All of the first rows of a part are, and each 512th of those that follow.
pub fn stands_for(row: u64) -> u64 {
    match row {
        0..=2_048 => 1,
        row if row.is_multiple_of(512) => 512,
        _ => 0,
    }
}

/// The watch as the sieve looks it up.
pub struct Sieve<'a> {
    watch: &'a Watch,
    utf8: Letters,
    cp932: Letters,
    keys: Keys,
    hashers: [Hasher; Class::ALL.len()],
    known: Known,
    /// Last digits of telephone numbers.
    phones: Filter,
    /// Domains of mail addresses.
    domains: Filter,
    places: Places,
    pairs: Pairs,
    days: Days,
    near: Option<NearBy<'a>>,
}

/// What near matching looks rows up by, and the people and postcodes that its rules about addresses
/// join with them.
struct NearBy<'a> {
    near: &'a Near,
    beside_places: Filter,
}

impl<'a> NearBy<'a> {
    fn new(watch: &Watch, near: &'a Near) -> NearBy<'a> {
        let mut beside_places = Filter::new(watch.values.len());
        let mut facts = Facts::default();
        for value in &watch.values {
            facts.clear();
            facts.add(value.class, value.text().unwrap_or_default());
            facts.beside_places(&mut |fact| beside_places.add(fact));
        }
        NearBy {
            near,
            beside_places,
        }
    }
}

impl<'a> Sieve<'a> {
    /// `None` for a watch that cannot be sieved for.
    pub fn new(watch: &'a Watch) -> Option<Sieve<'a>> {
        let hashers = Class::ALL.map(|_| Hasher::new(rand::random(), rand::random()));
        if watch.blind.is_some() {
            return None;
        }
        let keys: Vec<(Class, &str)> = watch
            .values
            .iter()
            .map(|value| value.class)
            .zip(watch.texts())
            .collect();
        let texts = |class: Class| {
            let of = keys.iter().filter(move |(found, _)| *found == class);
            of.map(|(_, text)| *text)
        };
        let personal = [Class::Name, Class::Given, Class::Kana, Class::Postcode];
        let values: Vec<(u64, u32)> = keys
            .iter()
            .zip(0..)
            .filter(|((class, _), _)| personal.contains(class))
            .map(|((class, text), value)| {
                let hasher = &hashers[*class as usize];
                (hasher.hash(text.chars().map(u32::from)), value)
            })
            .collect();
        let hasher = &hashers[Class::Phone as usize];
        let mut phones = Filter::new(texts(Class::Phone).count());
        for text in texts(Class::Phone) {
            let digits = text.get(text.len().checked_sub(8)?..)?;
            phones.add(hasher.join(0, digits.parse().ok()?));
        }
        let hasher = &hashers[Class::Email as usize];
        let mut domains = Filter::new(1_000);
        for text in texts(Class::Email) {
            domains.add(hasher.hash(text.rsplit_once('@')?.1.bytes().map(u32::from)));
        }
        let births = keys
            .iter()
            .zip(0..)
            .filter(|((class, _), _)| *class == Class::Birth);
        let utf8 = Letters::utf8();
        Some(Sieve {
            near: watch.near().map(|near| NearBy::new(watch, near)),
            days: Days::new(births.map(|((_, text), value)| (*text, value))),
            watch,
            cp932: Letters::cp932(&utf8),
            utf8,
            keys: Keys::new(),
            known: Known::new(values.into_iter())?,
            phones,
            domains,
            places: Places::new(texts(Class::Address), texts(Class::Block)),
            pairs: Pairs::new(watch, &hashers[Class::Birth as usize]),
            hashers,
        })
    }

    fn hasher(&self, class: Class) -> &Hasher {
        &self.hashers[class as usize]
    }
}

/// One thread's look through the sieve; its buffers are used again and again.
pub struct Look<'a> {
    sieve: &'a Sieve<'a>,
    split: Split,
    cell: Cell,
    births: Births,
    /// The part that `births` remembers.
    part: usize,
    hits: Vec<u32>,
    facts: Facts,
    /// Whether the row's address may hold something else.
    strange_address: bool,
}

/// The row at hand.
struct Row<'a> {
    bytes: &'a [u8],
    lanes: &'a Lanes,
    alphabet: Alphabet<'a>,
}

/// The exact path has to see the row.
struct Pass;

impl From<Broken> for Pass {
    fn from(_: Broken) -> Pass {
        Pass
    }
}

impl<'a> Look<'a> {
    pub fn new(sieve: &'a Sieve<'a>) -> Look<'a> {
        Look {
            sieve,
            split: Split::default(),
            cell: Cell::new(),
            births: Births::new(),
            part: 0,
            hits: Vec::new(),
            facts: Facts::default(),
            strange_address: false,
        }
    }

    /// The values of the watch that a sound record holds, which then claims nothing; `None` where the
    /// exact path has to see it.
    pub fn record(&mut self, part: usize, lanes: &Lanes, bytes: &[u8]) -> Option<&[u32]> {
        if part != self.part {
            self.births.clear();
            self.part = part;
        }
        let sieve = self.sieve;
        let wide = lanes.layout.encoding == Encoding::Cp932;
        let row = Row {
            bytes,
            lanes,
            alphabet: Alphabet {
                letters: if wide { &sieve.cp932 } else { &sieve.utf8 },
                wide,
            },
        };
        self.hits.clear();
        self.look(&row).ok()?;
        let hasher = sieve.hasher(Class::Birth);
        let claims = self.hits.len() > 1 && sieve.pairs.any(&self.hits, sieve.watch, hasher);
        let passes = claims || self.may_be_near(&row);
        (!passes).then_some(&self.hits)
    }

    /// Whether near matching has a canary to compare the row with. Addresses are read only where one of
    /// its rules could join them with what else is in the row.
    fn may_be_near(&mut self, row: &Row<'_>) -> bool {
        let Some(by) = &self.sieve.near else {
            return false;
        };
        let texts = texts(&self.split, row);
        let facts = &mut self.facts;
        facts.clear();
        let take = |plan: &Plan, facts: &mut Facts| {
            plan.keys(
                |place| texts.get(place).map_or("", |text| text),
                &mut |key| facts.add(key.class, key.text),
            );
        };
        take(&row.lanes.but_address, facts);
        if by.near.has(facts) {
            return true;
        }
        let Some(address) = &row.lanes.address else {
            return false;
        };
        let mut joined = self.strange_address;
        facts.beside_places(&mut |fact| joined |= by.beside_places.may_have(fact));
        if joined {
            take(address, facts);
        }
        joined && by.near.has(facts)
    }

    fn look(&mut self, row: &Row<'_>) -> Result<(), Pass> {
        if !self
            .split
            .read(row.bytes, row.lanes.layout, row.lanes.width)
        {
            return Err(Pass);
        }
        self.sound(row)?;
        for (number, lane) in row.lanes.lanes.iter().enumerate() {
            match lane.kind {
                Kind::Name | Kind::Kana => self.person(row, lane)?,
                Kind::Address => self.address(row, lane)?,
                _ => {
                    let bytes = self.split.cell(row.bytes, lane.places[0]);
                    self.cell.clear();
                    if lane.kind != Kind::Email {
                        self.cell.read(bytes, row.alphabet)?;
                    }
                    match lane.kind {
                        Kind::Email => self.email(row, lane, bytes)?,
                        Kind::Phone => self.phone(row, lane)?,
                        Kind::Postcode => self.postcode(row, lane)?,
                        Kind::Birth => self.birth(row, lane, number, bytes)?,
                        Kind::Loose if self.cell.is_blank() => {}
                        _ => self.ask(row, lane)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the record is what its part's encoding and its kind say: a NUL or half a character makes it a
    /// bad row, or one in another encoding, wherever it stands.
    fn sound(&mut self, row: &Row<'_>) -> Result<(), Pass> {
        let sound = if row.alphabet.wide {
            row.bytes.is_ascii() || is_cp932(row.bytes, row.alphabet.letters)
        } else {
            simdutf8::basic::from_utf8(row.bytes).is_ok()
        };
        let sound = sound && memchr::memchr(0, row.bytes).is_none();
        sound.then_some(()).ok_or(Pass)
    }

    fn hit(&mut self, value: u32) {
        if !self.hits.contains(&value) {
            self.hits.push(value);
        }
    }

    fn key(&mut self, key: Key, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        match key {
            // What does not fit its column may have moved there from another.
            Key::None if self.cell.is_blank() => Ok(()),
            Key::None => self.ask(row, lane),
            Key::Hash(hash) => {
                if let Some(value) = self.sieve.known.find(hash) {
                    self.hit(value);
                }
                Ok(())
            }
            Key::Unsure => self.ask(row, lane),
        }
    }

    /// Asks `notation` about a lane's cells.
    fn ask(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        let texts = texts(&self.split, row);
        let watch = self.sieve.watch;
        let mut ours = false;
        lane.plan.keys(
            |place| texts.get(place).map_or("", |text| text),
            &mut |key| {
                if let Some(value) = watch.find(key.class, key.text) {
                    ours |= matches!(key.class, Class::Email | Class::Phone | Class::Address);
                    self.hit(value);
                }
            },
        );
        if ours { Err(Pass) } else { Ok(()) }
    }

    fn person(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        let person = lane.person;
        let (whole, given) = (person.whole, person.given);
        if self.part_of_name(row, whole)? {
            return self.name(row, lane);
        }
        if !self.part_of_name(row, given)? {
            return Ok(());
        }
        if lane.given {
            let key = self
                .sieve
                .keys
                .name(&self.cell, self.sieve.hasher(Class::Given));
            self.key(key, row, lane)?;
        }
        if self.part_of_name(row, person.family)? || self.part_of_name(row, lane.customer.family)? {
            self.cell.gap(row.alphabet);
            let given = given.map_or(&[][..], |place| self.split.cell(row.bytes, place));
            self.cell.read(given, row.alphabet)?;
            return self.name(row, lane);
        }
        match lane.customer.whole {
            // The family name has to be cut out of it.
            Some(_) => self.ask(row, lane),
            None => Ok(()),
        }
    }

    /// Reads a part of a name alone; whether there is anything in it.
    fn part_of_name(&mut self, row: &Row<'_>, place: Option<usize>) -> Result<bool, Pass> {
        self.cell.clear();
        let Some(place) = place else {
            return Ok(false);
        };
        let bytes = self.split.cell(row.bytes, place);
        self.cell.read(bytes, row.alphabet)?;
        Ok(!self.cell.is_blank())
    }

    fn name(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        let sieve = self.sieve;
        let key = match lane.kind {
            Kind::Kana => {
                let hasher = sieve.hasher(Class::Kana);
                keys::kana(&self.cell, row.alphabet.letters, hasher)
            }
            _ => sieve.keys.name(&self.cell, sieve.hasher(Class::Name)),
        };
        self.key(key, row, lane)
    }

    fn address(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        self.cell.clear();
        for place in &lane.places {
            let bytes = self.split.cell(row.bytes, *place);
            self.cell.read(bytes, row.alphabet)?;
        }
        // What does not fit its column may have moved there from another, or be something else there.
        self.strange_address = self.cell.is_odd() || self.cell.digits == 0;
        let strange = self.strange_address && !self.cell.is_blank();
        if strange || self.sieve.places.may_be_ours(&self.cell) {
            self.ask(row, lane)?;
        }
        Ok(())
    }

    fn email(&mut self, row: &Row<'_>, lane: &Lane, bytes: &[u8]) -> Result<(), Pass> {
        let may_be_ours = match domain(bytes) {
            Domain::None => !bytes.trim_ascii().is_empty(),
            Domain::Plain(domain) => {
                let lower = domain
                    .iter()
                    .map(|byte| u32::from(byte.to_ascii_lowercase()));
                let hash = self.sieve.hasher(Class::Email).hash(lower);
                self.sieve.domains.may_have(hash)
            }
            Domain::Unsure => true,
        };
        if may_be_ours {
            self.ask(row, lane)?;
        }
        Ok(())
    }

    fn phone(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        let may_be_ours = match keys::phone(&self.cell) {
            Ok(None) => !self.cell.is_blank(),
            Ok(Some(digits)) => {
                let hash = self.sieve.hasher(Class::Phone).join(0, u64::from(digits));
                self.sieve.phones.may_have(hash)
            }
            Err(()) => true,
        };
        if may_be_ours {
            self.ask(row, lane)?;
        }
        Ok(())
    }

    fn postcode(&mut self, row: &Row<'_>, lane: &Lane) -> Result<(), Pass> {
        let hasher = self.sieve.hasher(Class::Postcode);
        let key = keys::postcode(&self.cell, lane.plan.region, hasher);
        self.key(key, row, lane)
    }

    fn birth(
        &mut self,
        row: &Row<'_>,
        lane: &Lane,
        number: usize,
        bytes: &[u8],
    ) -> Result<(), Pass> {
        let (sieve, encoding) = (self.sieve, row.lanes.layout.encoding);
        let sure = day(&self.cell).filter(|(_, kind)| lane.days[*kind]);
        let read = match sure {
            _ if self.cell.is_blank() => return Ok(()),
            Some((day, _)) => Some(sieve.days.value(day)),
            None => self
                .births
                .find(bytes, number, sieve.hasher(Class::Birth), || {
                    let text = decode(bytes, encoding).0;
                    let mut read = None;
                    lane.plan.keys(
                        |place| if place == lane.places[0] { &*text } else { "" },
                        &mut |key| {
                            if key.class == Class::Birth && !key.guessed {
                                read = Some(sieve.watch.find(Class::Birth, key.text));
                            }
                        },
                    );
                    read
                }),
        };
        match read {
            None => self.ask(row, lane),
            Some(value) => {
                if let Some(value) = value {
                    self.hit(value);
                }
                Ok(())
            }
        }
    }
}

/// The cells as texts.
fn texts<'a>(split: &Split, row: &Row<'a>) -> Vec<Cow<'a, str>> {
    let encoding = row.lanes.layout.encoding;
    split
        .cells(row.bytes)
        .map(|cell| decode(cell, encoding).0)
        .collect()
}

/// Whether bytes are CP932 throughout.
fn is_cp932(bytes: &[u8], letters: &Letters) -> bool {
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let lead = matches!(first, 0x81..=0x9f | 0xe0..=0xfc);
        let unit = match (lead, bytes.get(at + 1)) {
            (false, _) => usize::from(first),
            (true, Some(&second)) => usize::from(first) << 8 | usize::from(second),
            (true, None) => return false,
        };
        if letters.of(unit) & letters::BROKEN != 0 && !matches!(first, b'\n' | b'\r') {
            return false;
        }
        at += 1 + usize::from(lead);
    }
    true
}

/// What stands behind the `@` of a mail address.
enum Domain<'a> {
    None,
    Plain(&'a [u8]),
    Unsure,
}

fn domain(bytes: &[u8]) -> Domain<'_> {
    let Some(at) = memchr::memrchr(b'@', bytes) else {
        return Domain::None;
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let domain = &bytes[at + 1..];
    let ends = domain.last().is_some_and(u8::is_ascii_alphanumeric);
    let parted = bytes.iter().any(|byte| matches!(byte, b' ' | b';' | b','));
    if ends && !parted && domain.iter().all(plain) && bytes.is_ascii() {
        Domain::Plain(domain)
    } else {
        Domain::Unsure
    }
}
