//! Which rows are worth a near comparison with which canaries: the rules, in one place.
//!
//! A row is compared nearly with a canary only where one of its blocking keys is one of the canary's.
//! Each key joins two facts, so that strangers seldom have one (two rows in a hundred against 100,000
//! canaries), and each slip that [`near`](super::near) knows leaves one of them whole:
//!
//! | key | stands |
//! | --- | --- |
//! | person + two of birth's year, month and day | a birth with one part wrong, or day and month swapped |
//! | person with one letter left out + birth | any one slip in a name |
//! | person + town, person + numbers, postcode + numbers | a slip in the address, an address cut |
//! | person + first six digits or last four, birth + first eight or last four | a slip in the phone, a phone cut |
//! | person or birth + mailbox, the same + mail domain | a slip in either side of a mail address |
//!
//! A person is a name or a reading, folded and then reduced to its [`skeleton`](super::slips::skeleton), so
//! that look-alikes cost nothing. A canary adds to its whole names what a cut leaves of them. A row looks
//! letters left out of a reading up only where it has no name: the reading is then all it has.
//!
//! What the keys say is never trusted: two texts may have one key. All that brings a row and a canary
//! together is compared in full.

use super::compare::{Date, FEWEST_DIGITS, date, national, place};
use super::slips::bare;
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

/// A name or a reading.
struct Person {
    kana: bool,
    whole: u64,
    /// The whole, and with each letter left out.
    gaps: Vec<u64>,
    /// What cuts leave of it.
    cuts: Vec<u64>,
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
    /// Forgets all, to be used for the next row.
    pub fn clear(&mut self) {
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
            Class::Name | Class::Kana => push(&mut self.people, Person::new(class, key)),
            Class::Birth => push(&mut self.births, date(key)),
            Class::Phone => push(&mut self.phones, ends(key)),
            Class::Email => push(
                &mut self.emails,
                key.rsplit_once('@').map(|(mailbox, domain)| {
                    let mailbox = mailbox.chars().map(bare);
                    (hash(mailbox), hash(domain.chars()))
                }),
            ),
            Class::Address => push(
                &mut self.places,
                place(key).map(|(town, numbers)| {
                    let town = town.chars().map(bare);
                    (hash(town), hash(numbers.chars()))
                }),
            ),
            Class::Postcode => push(&mut self.postcodes, Some(hash(key.chars()))),
            _ => {}
        }
    }

    /// The keys under which a row may find a canary.
    pub fn row(&self, give: &mut impl FnMut(u64)) {
        let named = self.people.iter().any(|person| !person.kana);
        for person in &self.people {
            if !person.kana || !named {
                self.gaps(&person.gaps, person.kana, give);
            }
        }
        self.pairs(give);
    }

    /// The keys under which a canary is found.
    pub fn planted(&self, give: &mut impl FnMut(u64)) {
        for person in &self.people {
            self.gaps(&person.gaps, person.kana, give);
            self.gaps(&person.cuts, person.kana, give);
            for (year, month, day) in &self.births {
                // As a row has it in which day and month have changed places.
                if *day <= 12 && day != month {
                    give(person.with(Rule::YearMonth, part(*year, *day)));
                }
            }
        }
        self.pairs(give);
    }

    fn gaps(&self, names: &[u64], kana: bool, give: &mut impl FnMut(u64)) {
        for birth in self.births.iter().map(whole) {
            for name in names {
                give(join(Rule::Gap, kana, *name, birth));
            }
        }
    }

    fn pairs(&self, give: &mut impl FnMut(u64)) {
        for person in &self.people {
            for (year, month, day) in &self.births {
                give(person.with(Rule::YearMonth, part(*year, *month)));
                give(person.with(Rule::YearDay, part(*year, *day)));
                give(person.with(Rule::MonthDay, part(i32::from(*month), *day)));
            }
            for (town, numbers) in &self.places {
                give(person.with(Rule::Town, *town));
                give(person.with(Rule::Numbers, *numbers));
            }
            for phone in &self.phones {
                give(person.with(Rule::Head, phone.head));
                give(person.with(Rule::Tail, phone.tail));
            }
            for (mailbox, domain) in &self.emails {
                give(person.with(Rule::Mailbox, *mailbox));
                give(person.with(Rule::Domain, *domain));
            }
        }
        for birth in self.births.iter().map(whole) {
            for phone in &self.phones {
                give(join(Rule::BirthHead, false, birth, phone.long_head));
                give(join(Rule::BirthTail, false, birth, phone.tail));
            }
            for (mailbox, domain) in &self.emails {
                give(join(Rule::BirthMailbox, false, birth, *mailbox));
                give(join(Rule::BirthDomain, false, birth, *domain));
            }
        }
        for postcode in &self.postcodes {
            for (_, numbers) in &self.places {
                give(join(Rule::PostcodeNumbers, false, *postcode, *numbers));
            }
        }
    }
}

impl Person {
    fn new(class: Class, key: &str) -> Option<Person> {
        let words: Vec<Vec<char>> = key
            .split(' ')
            .map(|word| word.chars().map(bare).collect())
            .collect();
        // The order of words means nothing: a slip in a first letter changes it.
        let whole = words.iter().fold(0_u64, |sum, word| {
            sum.wrapping_add(hash(word.iter().copied()))
        });
        let (mut gaps, mut cuts) = (vec![whole], Vec::new());
        let latin = key.is_ascii();
        for word in &words {
            let others = whole.wrapping_sub(hash(word.iter().copied()));
            for gone in 0..word.len() {
                let left = word.iter().enumerate().filter(|(place, _)| *place != gone);
                gaps.push(others.wrapping_add(hash(left.map(|(_, c)| *c))));
            }
            for kept in 2 + usize::from(latin)..word.len().saturating_sub(1) {
                cuts.push(others.wrapping_add(hash(word[..kept].iter().copied())));
            }
            if words.len() > 1 {
                cuts.push(others);
            }
        }
        Some(Person {
            kana: class == Class::Kana,
            whole,
            gaps,
            cuts,
        })
    }

    fn with(&self, rule: Rule, fact: u64) -> u64 {
        join(rule, self.kana, self.whole, fact)
    }
}

fn push<T>(facts: &mut Vec<T>, fact: Option<T>) {
    if facts.len() < MOST {
        facts.extend(fact);
    }
}

fn whole((year, month, day): &Date) -> u64 {
    part(*year, *month) << 8 | u64::from(*day)
}

fn part(one: i32, other: u8) -> u64 {
    u64::from(one.unsigned_abs()) << 8 | u64::from(other)
}

fn ends(key: &str) -> Option<Ends> {
    let digits = national(key);
    if digits.len() < FEWEST_DIGITS || !digits.is_ascii() {
        return None;
    }
    Some(Ends {
        head: hash(digits.chars().take(6)),
        long_head: hash(digits.chars().take(8)),
        tail: hash(digits[digits.len() - 4..].chars()),
    })
}

fn hash(letters: impl Iterator<Item = char>) -> u64 {
    let polynomial = letters.fold(1_u64, |sum, c| {
        sum.wrapping_mul(BASE).wrapping_add(u64::from(c as u32))
    });
    mix(polynomial)
}

fn join(rule: Rule, kana: bool, one: u64, other: u64) -> u64 {
    let rule = (rule as u64) << 1 | u64::from(kana);
    mix(one ^ mix(other ^ mix(rule)))
}

/// A bijection of 64 bits in which each bit of the result hangs on all (the end of SplitMix64).
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(BASE);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
