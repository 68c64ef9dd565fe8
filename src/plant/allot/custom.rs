//! What the customers of a table have of contact points: which kinds, and how many share one.
//!
//! A canary that has a number where others have none, or whose number stands in three more rows, is
//! found by it before anybody looks at its name.

use std::collections::{BTreeSet, HashMap};

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::canary::{ContactPoint, SourceName, is_japanese_mobile};
use crate::database::Row;
use crate::notation::{Mapping, Role, address_key, email_key, phone_key};
use crate::persona::Locale;
use crate::registry::PoolEntry;

use super::area::Fit;
use super::phones::{SET_AT_LEAST, block};
use super::{AreaCodes, Needs, given, given_to};

/// Kinds of contact points that a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) mail: bool,
    pub(super) number: bool,
    /// Whether the number is a mobile one, in Japan; `None` where nothing tells.
    pub(super) mobile: Option<bool>,
}

/// With fewer neighbours it is looked how numbers are farther around. Only so few: where customers live close together,
/// more of them have numbers from elsewhere, so that those around a lonely house are not like who lives there.
const NEIGHBOURS: usize = 2;

/// A mail domain of so large a share of the addresses is a provider's, if it is more than one customer's.
const PROVIDER: f64 = 0.01;

/// What a table's customers have. The default knows nothing: every canary gets every kind.
#[derive(Default)]
pub struct Custom {
    /// Of rows of late.
    kinds: Vec<Kinds>,
    /// How their numbers stand to their addresses, by whether they are mobile ones and by place.
    fits: HashMap<Option<bool>, HashMap<String, Vec<Fit>>>,
    /// Different numbers for each row that has one.
    numbers: Option<f64>,
    /// How many customers have the mail domain of each of those who join now that is no provider's, in order; of all,
    /// where none of them has an address.
    small: Vec<usize>,
    /// Among how many addresses these are.
    mails: usize,
    /// Mail domains of those who join now, with how many have them.
    of_late: HashMap<String, usize>,
    /// How many customers share what 19 of 20 customers share with no more: a small mail domain, a building.
    domain: usize,
    building: usize,
    /// The same of a block of ten thousand numbers.
    block: usize,
}

impl Custom {
    /// Learns from rows, of which `late` are like those who join now; `columns` names their cells.
    pub fn of(
        mapping: &Mapping,
        columns: &[String],
        rows: &[Row],
        late: &[bool],
        area: &AreaCodes,
    ) -> Custom {
        let places = |wanted: &[Role]| -> Vec<usize> {
            let own = wanted.iter().flat_map(|role| mapping.with_role(*role));
            own.filter_map(|column| columns.iter().position(|name| *name == column.column))
                .collect()
        };
        let mail = places(&[Role::Email]);
        let number = places(&[Role::Phone, Role::Mobile]);
        // A canary has an address wherever the table has a column for it: of those who have none it could take no more
        // than the gap.
        let lived = places(&Role::HOUSE_NUMBER);
        let has = |row: &Row, places: &[usize]| {
            let filled = |at: &usize| {
                row[*at]
                    .as_deref()
                    .is_some_and(|text| !text.trim().is_empty())
            };
            places.is_empty() || places.iter().any(filled)
        };
        let mut fits: HashMap<Option<bool>, HashMap<String, Vec<Fit>>> = HashMap::new();
        let kinds = rows
            .iter()
            .zip(late)
            .enumerate()
            .filter(|(_, (row, late))| **late && has(row, &lived));
        let kinds = kinds.map(|(at, (row, _))| {
            let kinds = Kinds {
                mail: has(row, &mail),
                number: has(row, &number),
                mobile: number
                    .iter()
                    .filter_map(|at| row[*at].as_deref())
                    .filter_map(|text| phone_key(text, Some(mapping.locale.into())))
                    .find(|number| number.starts_with("+81"))
                    .map(|number| is_japanese_mobile(&number)),
            };
            if let Some((place, fit)) = area.of_row(at) {
                let own = fits.entry(kinds.mobile).or_default();
                for around in area.around(place) {
                    own.entry(around.to_owned()).or_default().push(fit);
                }
            }
            kinds
        });
        let kinds: Vec<Kinds> = kinds.collect();
        let texts = |places: &[usize]| -> Vec<&str> {
            let cells = rows
                .iter()
                .flat_map(|row| places.iter().filter_map(|at| row[*at].as_deref()));
            cells.collect()
        };
        let keys = texts(&number)
            .into_iter()
            .filter_map(|text| phone_key(text, Some(mapping.locale.into())));
        let numbers = counts(keys);
        let all: usize = numbers.values().sum();
        let mut blocks: HashMap<&str, usize> = HashMap::new();
        for (number, count) in &numbers {
            *blocks.entry(block(number)).or_default() += count;
        }
        let block = usual(blocks.into_values().collect());
        let domain_of = |text: &str| {
            let key = email_key(text)?;
            Some(key.rsplit_once('@')?.1.to_owned())
        };
        let domains = counts(texts(&mail).into_iter().filter_map(domain_of));
        let of_late = rows.iter().zip(late).filter(|(_, late)| **late);
        let of_late = of_late.flat_map(|(row, _)| mail.iter().filter_map(|at| row[*at].as_deref()));
        let of_late = counts(of_late.filter_map(domain_of));
        let mails: usize = domains.values().sum();
        let is_small = |count: &usize| (*count as f64) < (PROVIDER * mails as f64).max(2.0);
        let like = if of_late.is_empty() {
            &domains
        } else {
            &of_late
        };
        let shared = like
            .iter()
            .flat_map(|(domain, rows)| std::iter::repeat_n(domains[domain], *rows));
        let mut small: Vec<usize> = shared.filter(is_small).collect();
        small.sort_unstable();
        let buildings = counts(
            texts(&lived)
                .into_iter()
                .filter_map(|text| Some(address_key(text)?.block())),
        );
        Custom {
            kinds,
            fits,
            numbers: (all > 0).then(|| numbers.len() as f64 / all as f64),
            small,
            mails: like.values().sum(),
            domain: usual(domains.values().copied().filter(is_small).collect()),
            of_late,
            block,
            building: usual(buildings.into_values().collect()),
        }
    }

    /// The kinds of contact points that somebody who joins now might have; at least one of those that the table
    /// has columns for.
    pub(super) fn kinds<R: Rng + ?Sized>(&self, needs: Needs, rng: &mut R) -> Kinds {
        let all = Kinds {
            mail: true,
            number: true,
            mobile: None,
        };
        if self.kinds.is_empty() {
            return all;
        }
        let drawn = self.kinds[rng.random_range(0..self.kinds.len())];
        let reached = needs.drop
            || (needs.mail && drawn.mail)
            || ((needs.phone || needs.mobile) && drawn.number);
        if reached { drawn } else { all }
    }

    /// How the number of somebody of the neighbours stands to his address, of those who have a number of that kind;
    /// `None` where nobody knows.
    pub(super) fn fit<R: Rng + ?Sized>(
        &self,
        area: &AreaCodes,
        place: &str,
        mobile: Option<bool>,
        rng: &mut R,
    ) -> Option<Fit> {
        let own = self.fits.get(&mobile)?;
        let around: Vec<&Vec<Fit>> = area
            .around(place)
            .filter_map(|head| own.get(head))
            .collect();
        let enough = around.iter().find(|fits| fits.len() >= NEIGHBOURS);
        enough.or(around.last())?.choose(rng).copied()
    }

    /// What share of so many addresses may be at `domains` of ours, beside the `given` that are there already: as many
    /// as customers have a domain that no more share with them than ours will. `None` where nobody knows.
    pub(super) fn at_own_domains(
        &self,
        domains: usize,
        given: usize,
        addresses: usize,
    ) -> Option<f64> {
        if domains == 0 {
            return Some(0.0);
        }
        let share = |rows: usize| {
            let shared = self.small.partition_point(|count| *count <= rows);
            shared as f64 / self.mails as f64
        };
        let fits = |rows: &usize| {
            let ours = given as f64 + share(*rows) * addresses as f64;
            ours <= (*rows * domains) as f64
        };
        let most = self.small.last().copied().unwrap_or(0).max(1);
        let rows = (1..most).find(fits).unwrap_or(most);
        (self.mails > 0).then(|| share(rows))
    }

    /// At which of these domains, as those who join now have theirs; `None` where they are at none of them.
    pub(super) fn provider<'p, R: Rng + ?Sized>(
        &self,
        open: impl Iterator<Item = &'p str>,
        rng: &mut R,
    ) -> Option<&'p str> {
        let open: BTreeSet<&str> = open.collect();
        let open: Vec<&str> = open.into_iter().collect();
        let count = |domain: &&str| self.of_late.get(*domain).copied().unwrap_or(0);
        open.choose_weighted(rng, count).ok().copied()
    }

    /// How many numbers so many canaries have, if they share them as customers do; 0 where nobody knows.
    pub(super) fn numbers_for(&self, canaries: u32) -> usize {
        self.numbers
            .map_or(0, |share| (share * f64::from(canaries)).ceil() as usize)
    }

    /// How many canaries of a source the pool carries before they share contact points more than customers do:
    /// a sentence for each kind of which it carries less than `canaries`, those that stand there among them.
    pub(in super::super) fn carried(
        &self,
        pool: &[PoolEntry],
        source: &SourceName,
        needs: Needs,
        locale: Locale,
        canaries: usize,
    ) -> Vec<String> {
        if self.kinds.is_empty() {
            return Vec::new();
        }
        let of = |wanted: fn(&ContactPoint) -> bool| {
            (pool.iter()).filter(move |entry| wanted(&entry.point) && entry.point.fits(locale))
        };
        let free = |entry: &&PoolEntry| given(entry) == given_to(entry, source);
        let share = |has: fn(&Kinds) -> bool| {
            let count = self.kinds.iter().filter(|kinds| has(kinds)).count();
            count as f64 / self.kinds.len() as f64
        };
        let mut told = Vec::new();
        let mut tell = |what: &str, carried: f64, more: &str| {
            if carried < canaries as f64 {
                told.push(format!(
                    "the pool has {what} for {carried:.0} canaries of this source before they share them more than customers do, and {canaries} would stand there: the others may show; {more}"
                ));
            }
        };
        if let Some(numbers) = self.numbers.filter(|_| needs.phone || needs.mobile) {
            // Whoever should have a mobile number shows with another, so each kind has to reach for its own.
            let tell_apart = needs.phone && self.kinds.iter().any(|kinds| kinds.mobile.is_some());
            let kinds: &[(&str, Option<bool>)] = match tell_apart {
                true => &[
                    ("mobile numbers", Some(true)),
                    ("landline numbers", Some(false)),
                ],
                false => &[("telephone numbers", None)],
            };
            for (what, mobile) in kinds {
                let is = |entry: &&PoolEntry| match &entry.point {
                    ContactPoint::Phone(number) => {
                        mobile.is_none_or(|mobile| number.is_japanese_mobile() == mobile)
                    }
                    _ => false,
                };
                let own = of(|point| matches!(point, ContactPoint::Phone(_)))
                    .filter(is)
                    .filter(free)
                    .count()
                    .saturating_sub(SET_AT_LEAST);
                let have = self
                    .kinds
                    .iter()
                    .filter(|kinds| kinds.number && (mobile.is_none() || kinds.mobile == *mobile));
                let wanted = numbers * have.count() as f64 / self.kinds.len() as f64;
                tell(
                    what,
                    (own as f64 / wanted.max(1e-9)).floor(),
                    "add numbers with: otori pool add phone NUMBER…",
                );
            }
        }
        if let Some(numbers) = self.numbers.filter(|_| needs.phone || needs.mobile) {
            let own = of(|point| matches!(point, ContactPoint::Phone(_))).filter(free);
            let blocks = counts(own.map(|entry| block(&entry.point.identity()).to_owned()));
            // In each as many canaries as its numbers serve, and as customers share one with.
            let each = |own: usize| (own as f64 / numbers).min(self.block as f64);
            let carried: f64 = blocks.into_values().map(each).sum();
            tell(
                "blocks of telephone numbers",
                (carried / share(|kinds| kinds.number).max(1e-9)).floor(),
                "add numbers of other blocks with: otori pool add phone NUMBER…",
            );
        }
        if needs.drop && self.building > 0 {
            let doors = of(|point| matches!(point, ContactPoint::Drop(_))).map(|entry| {
                let units = match &entry.point {
                    ContactPoint::Drop(drop) => drop.units.capacity(),
                    _ => 0,
                };
                units.min(self.building)
            });
            tell(
                "postal drops",
                doors.sum::<usize>() as f64,
                "add drops in other buildings with: otori pool add drop --postcode P --address A",
            );
        }
        if needs.mail && self.mails > 0 {
            let boxes = of(|point| matches!(point, ContactPoint::Mailbox(_)))
                .filter(free)
                .count();
            let domains = of(|point| matches!(point, ContactPoint::MailDomain(_))).count();
            let addresses = share(|kinds| kinds.mail);
            let wanted = (addresses * canaries as f64).ceil() as usize;
            let at_own = self.at_own_domains(domains, 0, wanted).unwrap_or(1.0);
            let limit = |own: usize, share: f64| match share > 0.0 {
                true => own as f64 / (share * addresses).max(1e-9),
                false => f64::INFINITY,
            };
            let carried = limit(boxes, 1.0 - at_own).min(limit(domains * self.domain, at_own));
            tell(
                &format!(
                    "mail addresses ({boxes} single mailboxes; {:.0}% of the customers have theirs at a domain that more share than one of yours)",
                    100.0 * (1.0 - at_own)
                ),
                carried.floor(),
                "add mailboxes and domains with: otori pool add mail",
            );
        }
        told
    }
}

fn counts(values: impl Iterator<Item = String>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// What 19 of 20 of the rows behind these counts share with no more.
fn usual(mut counts: Vec<usize>) -> usize {
    counts.sort_unstable();
    let all: usize = counts.iter().sum();
    let mut seen = 0;
    for count in counts {
        seen += count;
        if seen * 20 >= all * 19 {
            return count;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::notation::MappedColumn;

    /// What so many customers have whose mail addresses are at these domains, those from one on of late.
    fn mails(rows: usize, late: usize, domain: impl Fn(usize) -> String) -> Custom {
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![MappedColumn::told("mail", Role::Email)],
            related: Vec::new(),
        };
        let late: Vec<bool> = (0..rows).map(|at| at >= late).collect();
        let rows: Vec<Row> = (0..rows)
            .map(|at| vec![Some(format!("a{at}@{}", domain(at)))])
            .collect();
        let columns = ["mail".to_owned()];
        Custom::of(&mapping, &columns, &rows, &late, &AreaCodes::default())
    }

    #[test]
    fn mailboxes_are_at_the_providers_of_those_who_join_now() {
        let custom = mails(400, 200, |at| {
            let domain = match at % 4 == 0 || at < 200 {
                true => "old.example",
                false => "new.example",
            };
            domain.to_owned()
        });
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let open = ["old.example", "new.example", "old.example", "else.example"];
        let new = (0..1000)
            .filter(|_| custom.provider(open.into_iter(), &mut rng) == Some("new.example"))
            .count();
        assert!((700..800).contains(&new), "{new}");
        assert_eq!(
            custom.provider(["else.example"].into_iter(), &mut rng),
            None
        );
    }

    /// Of a thousand customers five have a domain to themselves, and thirty one that six share.
    #[test]
    fn domains_of_ours_are_given_as_often_as_customers_have_such() {
        let custom = mails(1_000, 0, |at| match at {
            0..5 => format!("own{at}.example"),
            5..35 => format!("small{}.example", (at - 5) / 6),
            _ => format!("provider{}.example", at % 4),
        });
        let share = |domains, given, canaries| custom.at_own_domains(domains, given, canaries);
        assert_eq!(share(20, 0, 200), Some(0.005));
        // As many are at each of these as customers share a small one.
        assert_eq!(share(2, 13, 600), Some(0.035));
        // And more, of which nobody could say whom they are like.
        assert_eq!(share(2, 300, 600), Some(0.035));
        assert_eq!(share(0, 0, 600), Some(0.0));
        assert_eq!(Custom::default().at_own_domains(2, 0, 600), None);
    }

    /// Customers are two to a block of numbers, and all of the pool is in one.
    #[test]
    fn numbers_of_one_block_are_told() {
        let mapping = Mapping {
            locale: Locale::EnUs,
            columns: vec![MappedColumn::told("tel", Role::Phone)],
            related: Vec::new(),
        };
        let rows: Vec<Row> = (0..400)
            .map(|at| vec![Some(format!("+1{}555{:04}", 300 + at / 2, 100 + at % 2))])
            .collect();
        let columns = ["tel".to_owned()];
        let late = [true; 400];
        let custom = Custom::of(&mapping, &columns, &rows, &late, &AreaCodes::default());
        let source: SourceName = "shop".parse().unwrap();
        let pool = |codes: i64| -> Vec<PoolEntry> {
            let number = |at: i64| format!("+1{}555{:04}", 300 + at % codes, 100 + at / codes);
            (0..60)
                .map(|at| PoolEntry {
                    id: at,
                    point: ContactPoint::Phone(number(at).parse().unwrap()),
                    cap_per_source: None,
                    given: Vec::new(),
                })
                .collect()
        };
        let needs = Needs {
            mail: false,
            phone: true,
            mobile: false,
            drop: false,
            unique_numbers: false,
        };
        let told = |codes: i64| custom.carried(&pool(codes), &source, needs, Locale::EnUs, 20);
        let one = told(1);
        assert_eq!(one.len(), 1, "{one:?}");
        assert!(
            one[0].contains("blocks of telephone numbers for 2 canaries"),
            "{one:?}"
        );
        assert!(told(30).is_empty());
    }

    #[test]
    fn every_mobile_code_is_a_mobile_ones() {
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![MappedColumn::told("tel", Role::Phone)],
            related: Vec::new(),
        };
        let numbers = [
            "060-0123-4567",
            "070-0123-4567",
            "090-0123-4567",
            "03-0123-4567",
        ];
        let rows: Vec<Row> = numbers.map(|number| vec![Some(number.to_owned())]).into();
        let columns = ["tel".to_owned()];
        let custom = Custom::of(&mapping, &columns, &rows, &[true; 4], &AreaCodes::default());
        let mobile: Vec<Option<bool>> = custom.kinds.iter().map(|kinds| kinds.mobile).collect();
        assert_eq!(mobile, [true, true, true, false].map(Some));
    }
}
