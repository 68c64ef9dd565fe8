//! Which rows are worth a near comparison with which canaries: the rules, in one place.
//!
//! A row is compared nearly with a canary only where one of its blocking keys is one of the canary's.
//! Each key joins two facts, so that strangers seldom have one, and each slip that [`near`](super::near)
//! knows leaves one of them whole:
//!
//! | key | stands |
//! | --- | --- |
//! | person + two of birth's year, month and day | a birth with one part wrong, or day and month swapped |
//! | person with one letter left out + birth | any one slip in a name |
//! | person + town, person + numbers, postcode + numbers | a slip in the address, an address cut |
//! | person + first six digits or last four, birth + first eight or last four | a slip in the phone, a phone cut |
//! | person or birth + mailbox, the same + mail domain | a slip in either side of a mail address |
//!
//! A person is a name or a reading, folded and then reduced to the letters that stand for its own
//! ([`slips`](super::slips)), so that look-alikes cost nothing. A canary adds to its whole names what a cut
//! leaves of them. A row looks letters left out of a reading up only where it has no name: the reading is
//! then all it has.
//!
//! The first two rules are for names and births alone. Beside thousands of canaries chance brings up by
//! them more rows than leaks do, and none that a decision could count: then they are left out
//! ([`Rules`]), and a row with a slip in its name or its birth is found by what else it has.
//!
//! The keys of one person lie together in a filter ([`beside`]).
//!
//! What the keys say is never trusted: two texts may have one key. All that brings a row and a canary
//! together is compared in full.

use std::ops::Range;

use smallvec::SmallVec;

use super::compare::{Date, FEWEST_DIGITS, date, dialled, place};
use super::slips::bares;
use crate::trace::filter::beside;
use crate::trace::normalise::Class;

/// More facts of a kind than this has no row of one household; what follows is left out.
const MOST: usize = 16;
/// Base of the polynomial in which a letter is left out at no cost.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rules, which keep keys of different kinds apart.
#[derive(Clone, Copy)]
enum Rule {
    YearMonth = 1,
    YearDay,
    MonthDay,
    Gap,
    Town,
    Numbers,
    PostcodeNumbers,
    Head,
    Tail,
    BirthHead,
    BirthTail,
    Mailbox,
    Domain,
    BirthMailbox,
    BirthDomain,
}

/// The kinds of facts that are joined, beside births.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Person,
    Town,
    Numbers,
    Head,
    LongHead,
    Tail,
    Mailbox,
    Domain,
    Postcode,
}

impl Part {
    /// In the order in which they are numbered.
    pub const ALL: [Part; 9] = [
        Part::Person,
        Part::Town,
        Part::Numbers,
        Part::Head,
        Part::LongHead,
        Part::Tail,
        Part::Mailbox,
        Part::Domain,
        Part::Postcode,
    ];

    /// Whether values of a class have such a fact.
    pub const fn is_of(self, class: Class) -> bool {
        match self {
            Part::Person => matches!(class, Class::Name | Class::Kana),
            Part::Town | Part::Numbers => matches!(class, Class::Address),
            Part::Head | Part::LongHead | Part::Tail => matches!(class, Class::Phone),
            Part::Mailbox | Part::Domain => matches!(class, Class::Email),
            Part::Postcode => matches!(class, Class::Postcode),
        }
    }

    /// The rules by which such a fact is joined with a person, and with a birth.
    const fn rules(self) -> (Option<Rule>, Option<Rule>) {
        match self {
            Part::Person | Part::Postcode => (None, None),
            Part::Town => (Some(Rule::Town), None),
            Part::Numbers => (Some(Rule::Numbers), None),
            Part::Head => (Some(Rule::Head), None),
            Part::LongHead => (None, Some(Rule::BirthHead)),
            Part::Tail => (Some(Rule::Tail), Some(Rule::BirthTail)),
            Part::Mailbox => (Some(Rule::Mailbox), Some(Rule::BirthMailbox)),
            Part::Domain => (Some(Rule::Domain), Some(Rule::BirthDomain)),
        }
    }
}

/// Which rules hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    #[default]
    All,
    /// All but those that join a name with a birth.
    Strong,
}

/// More canaries than this have the strong rules only. A name and a birthday that is wrong in one part are a
/// stranger's in three of 10^8 cases, so these are found once in 7,000 rows: more than a small leak's
/// share of a long list.
const MANY: usize = 5_000;

impl Rules {
    /// Those for so many canaries.
    pub fn beside(canaries: usize) -> Rules {
        if canaries > MANY {
            Rules::Strong
        } else {
            Rules::All
        }
    }
}

/// A name or a reading.
struct Person {
    kana: bool,
    latin: bool,
    whole: u64,
    hash: u64,
    /// Which of the words are its.
    words: Range<usize>,
}

/// A word of a name.
struct Word {
    letters: Range<usize>,
    hash: u64,
}

/// The ends of a number; one that was cut may have lost either.
struct Ends {
    /// First six digits.
    head: u64,
    /// First eight.
    long_head: u64,
    /// Last four.
    tail: u64,
}

/// What blocking keys of a row, or of a canary, are made of.
#[derive(Default)]
pub struct Facts {
    /// The rules by which they are joined.
    rules: Rules,
    /// Words of names and their letters, where a rule asks for them.
    letters: Vec<char>,
    words: Vec<Word>,
    people: Vec<Person>,
    births: Vec<Date>,
    phones: Vec<Ends>,
    /// Mailbox and domain.
    emails: Vec<(u64, u64)>,
    /// Town and numbers.
    places: Vec<(u64, u64)>,
    postcodes: Vec<u64>,
}

impl Facts {
    /// None yet, to be joined by these rules.
    pub fn under(rules: Rules) -> Facts {
        Facts {
            rules,
            ..Facts::default()
        }
    }

    /// Forgets all, to be used for the next row.
    pub fn clear(&mut self) {
        self.letters.clear();
        self.words.clear();
        self.people.clear();
        self.births.clear();
        self.phones.clear();
        self.emails.clear();
        self.places.clear();
        self.postcodes.clear();
    }

    /// Takes a folded key.
    pub fn add(&mut self, class: Class, key: &str) {
        match class {
            Class::Name | Class::Kana => {
                let words = key.split(' ').map(str::chars);
                self.person(class == Class::Kana, key.is_ascii(), words);
            }
            Class::Birth => {
                if let Some(date) = date(key) {
                    self.birth(date);
                }
            }
            Class::Phone => {
                let (zero, rest) = dialled(key);
                if rest.is_ascii() {
                    let digits = zero.bytes().chain(rest.bytes());
                    self.phone(&digits.collect::<SmallVec<[u8; 24]>>());
                }
            }
            Class::Email => {
                if let Some(at) = memchr::memrchr(b'@', key.as_bytes()) {
                    let (mailbox, domain) = (&key[..at], &key[at + 1..]);
                    let bare = bares();
                    // Nearly all are ASCII, of which the bytes are the letters.
                    let sides = match key.is_ascii() {
                        true => {
                            let mailbox = mailbox.bytes().map(|byte| bare(char::from(byte)));
                            (hash(mailbox), hash(domain.bytes()))
                        }
                        false => (hash(mailbox.chars().map(bare)), hash(domain.chars())),
                    };
                    push(&mut self.emails, sides);
                }
            }
            Class::Address => {
                if let Some((town, numbers)) = place(key) {
                    let place = (hash(town.chars().map(bares())), hash(numbers.chars()));
                    push(&mut self.places, place);
                }
            }
            Class::Postcode => _ = self.postcode(key),
            _ => {}
        }
    }

    /// Takes a birth.
    pub fn birth(&mut self, date: Date) {
        push(&mut self.births, date);
    }

    /// Takes the digits of a number, as they are dialled within its country.
    pub fn phone(&mut self, digits: &[u8]) {
        let Some(tail) = digits.len().checked_sub(4) else {
            return;
        };
        if digits.len() >= FEWEST_DIGITS {
            let sum = |from, digits: &[u8]| digits.iter().copied().fold(from, with_letter);
            let head = sum(EMPTY, &digits[..6]);
            let ends = Ends {
                head: mix(head),
                long_head: mix(sum(head, &digits[6..digits.len().min(8)])),
                tail: mix(sum(EMPTY, &digits[tail..])),
            };
            push(&mut self.phones, ends);
        }
    }

    /// The keys under which a row may find a canary. `of_ours` may say of a fact that no canary has it: what it would
    /// be joined with is left out.
    pub fn row(&self, of_ours: impl Fn(Part, u64) -> bool, give: &mut impl FnMut(u64)) {
        let named = self.people.iter().any(|person| !person.kana);
        for person in self.people.iter().filter(|_| self.rules == Rules::All) {
            if !person.kana || !named {
                self.each_gap(person, &mut |name| self.gap(person, name, give));
            }
        }
        let ours = (0..).zip(&self.people);
        let ours = ours.fold(0, |ours, (at, person)| {
            ours | u32::from(of_ours(Part::Person, person.hash)) << at
        });
        self.joined(ours, of_ours, give);
    }

    /// All facts that `of_ours` is asked for.
    pub fn parts(&self, give: &mut impl FnMut(Part, u64)) {
        for person in &self.people {
            give(Part::Person, person.hash);
        }
        for (town, numbers) in &self.places {
            give(Part::Town, *town);
            give(Part::Numbers, *numbers);
        }
        for phone in &self.phones {
            give(Part::Head, phone.head);
            give(Part::LongHead, phone.long_head);
            give(Part::Tail, phone.tail);
        }
        for (mailbox, domain) in &self.emails {
            give(Part::Mailbox, *mailbox);
            give(Part::Domain, *domain);
        }
        for postcode in &self.postcodes {
            give(Part::Postcode, *postcode);
        }
    }

    /// The keys under which a canary is found.
    pub fn planted(&self, give: &mut impl FnMut(u64)) {
        for person in self.people.iter().filter(|_| self.rules == Rules::All) {
            self.each_gap(person, &mut |name| self.gap(person, name, give));
            self.each_cut(person, &mut |name| self.gap(person, name, give));
            for (year, month, day) in &self.births {
                // As a row has it in which day and month have changed places.
                if *day <= 12 && day != month {
                    give(person.with(Rule::YearMonth, part(*year, *day)));
                }
            }
        }
        self.joined(u32::MAX, |_, _| true, give);
    }

    /// The hash of each name and reading.
    pub fn people(&self) -> impl Iterator<Item = u64> {
        self.people.iter().map(|person| person.hash)
    }

    /// The hash of each postcode.
    pub fn postcodes(&self) -> impl Iterator<Item = u64> {
        self.postcodes.iter().copied()
    }

    /// Takes a folded postcode, which is ASCII, and gives its hash.
    pub fn postcode(&mut self, key: &str) -> u64 {
        let hash = hash(key.bytes());
        push(&mut self.postcodes, hash);
        hash
    }

    /// Takes a name or a reading, by the letters of its folded words, and gives its hash.
    pub fn person(
        &mut self,
        kana: bool,
        latin: bool,
        words: impl Iterator<Item = impl Iterator<Item = char> + Clone>,
    ) -> u64 {
        let (first, mut whole, bare) = (self.words.len(), 0_u64, bares());
        for word in words {
            let hash = hash(word.clone().map(bare));
            // The order of words means nothing: a slip in a first letter changes it.
            whole = whole.wrapping_add(hash);
            self.keep(word, hash);
        }
        self.keep_person(kana, latin, whole, first)
    }

    /// Takes the letters of a name or a reading of one word in Japanese, and gives its hash, and what [`hash`] gives of
    /// them.
    pub fn japanese(&mut self, kana: bool, letters: &[char]) -> (u64, u64) {
        let (first, bare) = (self.words.len(), bares());
        let both = |(bares, own), c: &char| (with_letter(bares, bare(*c)), with_letter(own, *c));
        let (bares, own) = letters.iter().fold((EMPTY, EMPTY), both);
        let whole = mix(bares);
        self.keep(letters.iter().copied(), whole);
        (self.keep_person(kana, false, whole, first), mix(own))
    }

    /// Keeps a word of a name, if a rule asks for it.
    fn keep(&mut self, word: impl Iterator<Item = char>, hash: u64) {
        if self.rules == Rules::All {
            let start = self.letters.len();
            self.letters.extend(word);
            let letters = start..self.letters.len();
            self.words.push(Word { letters, hash });
        }
    }

    /// Keeps a name whose words begin at a place, and gives its hash.
    fn keep_person(&mut self, kana: bool, latin: bool, whole: u64, first: usize) -> u64 {
        let hash = mix(whole ^ u64::from(kana));
        let person = Person {
            kana,
            latin,
            whole,
            hash,
            words: first..self.words.len(),
        };
        push(&mut self.people, person);
        hash
    }

    /// A name, and the name with each of its letters left out.
    fn each_gap(&self, person: &Person, give: &mut impl FnMut(u64)) {
        give(person.whole);
        for word in &self.words[person.words.clone()] {
            let others = person.whole.wrapping_sub(word.hash);
            let letters = &self.letters[word.letters.clone()];
            for gone in 0..letters.len() {
                let left = letters[..gone].iter().chain(&letters[gone + 1..]);
                give(others.wrapping_add(hash(left.copied().map(bares()))));
            }
        }
    }

    /// What cuts leave of a name.
    fn each_cut(&self, person: &Person, give: &mut impl FnMut(u64)) {
        for word in &self.words[person.words.clone()] {
            let others = person.whole.wrapping_sub(word.hash);
            let letters = &self.letters[word.letters.clone()];
            for kept in 2 + usize::from(person.latin)..letters.len().saturating_sub(1) {
                let kept = letters[..kept].iter().copied();
                give(others.wrapping_add(hash(kept.map(bares()))));
            }
            if person.words.len() > 1 {
                give(others);
            }
        }
    }

    fn gap(&self, person: &Person, name: u64, give: &mut impl FnMut(u64)) {
        for birth in self.births.iter().map(whole) {
            give(join(Rule::Gap, person.kana, name, birth));
        }
    }

    /// The keys that join two facts that `of_ours` says are canaries', too; of people, those whose bit is set. A fact is
    /// asked for where there is anything to join it with, and once, however much there is.
    fn joined(&self, people: u32, of_ours: impl Fn(Part, u64) -> bool, give: &mut impl FnMut(u64)) {
        let ours = |(at, person): (u32, _)| (people >> at & 1 == 1).then_some(person);
        let people = || (0..).zip(&self.people).filter_map(ours);
        for person in people().filter(|_| self.rules == Rules::All) {
            for (year, month, day) in &self.births {
                give(person.with(Rule::YearMonth, part(*year, *month)));
                give(person.with(Rule::YearDay, part(*year, *day)));
                give(person.with(Rule::MonthDay, part(i32::from(*month), *day)));
            }
        }
        let named = people().next().is_some();
        self.parts(&mut |part, fact| {
            let (with_person, with_birth) = part.rules();
            let wanted = with_person.is_some() && named
                || with_birth.is_some() && !self.births.is_empty()
                || part == Part::Postcode && !self.places.is_empty();
            if !wanted || !of_ours(part, fact) {
                return;
            }
            if let Some(rule) = with_person {
                people().for_each(|person| give(person.with(rule, fact)));
            }
            if let Some(rule) = with_birth {
                let births = self.births.iter().map(whole);
                births.for_each(|birth| give(join(rule, false, birth, fact)));
            }
            if part == Part::Postcode {
                for (_, numbers) in &self.places {
                    give(join(Rule::PostcodeNumbers, false, fact, *numbers));
                }
            }
        });
    }
}

impl Person {
    fn with(&self, rule: Rule, fact: u64) -> u64 {
        beside(self.hash, join(rule, self.kana, self.whole, fact))
    }
}

/// What a person, a postcode or a town's end has in common with a canary of that name, or there, at whose door such
/// numbers stand ([`plate`]).
pub fn door(fact: u64, plate: u64) -> u64 {
    beside(fact, mix(fact ^ plate))
}

/// What stands for the numbers at a door, by the highest two of them.
pub fn plate((one, other): (u32, u32)) -> u64 {
    mix(u64::from(one) << 32 | u64::from(other))
}

/// What a person has in common with a canary of that name in a town that is kept under such an end.
pub fn home(person: u64, end: u64) -> u64 {
    beside(person, mix(person ^ end))
}

fn push<T>(facts: &mut Vec<T>, fact: T) {
    if facts.len() < MOST {
        facts.push(fact);
    }
}

fn whole((year, month, day): &Date) -> u64 {
    part(*year, *month) << 8 | u64::from(*day)
}

fn part(one: i32, other: u8) -> u64 {
    u64::from(one.unsigned_abs()) << 8 | u64::from(other)
}

/// The hash of a word, from which that of a name is added up.
pub fn hash(letters: impl Iterator<Item = impl Into<u32>>) -> u64 {
    mix(letters.fold(EMPTY, with_letter))
}

/// The sum of a word without letters.
const EMPTY: u64 = 1;

fn with_letter(sum: u64, letter: impl Into<u32>) -> u64 {
    sum.wrapping_mul(BASE)
        .wrapping_add(u64::from(letter.into()))
}

fn join(rule: Rule, kana: bool, one: u64, other: u64) -> u64 {
    let rule = (rule as u64) << 1 | u64::from(kana);
    mix(one ^ mix(other ^ mix(rule)))
}

/// A bijection of 64 bits in which each bit of the result hangs on all (the end of SplitMix64).
pub fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(BASE);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
