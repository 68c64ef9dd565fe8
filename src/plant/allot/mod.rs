//! Contact points for canaries: only such as the operator owns.
//!
//! What has been given before is read from the registry each time, so a source keeps its numbers from
//! batch to batch, and nothing is given twice.

mod area;
mod custom;
mod evenly;
mod mail;
mod nearness;
mod phones;

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::canary::{Canary, ContactKind, ContactPoint, PostalDrop, SourceName, State};
use crate::database::Table;
use crate::notation::{Mapping, Role, phone_key};
use crate::persona::{Address, Household, Locale};
use crate::registry::PoolEntry;

use super::{Error, Result};
pub use area::AreaCodes;
pub use custom::Custom;
use custom::Kinds;
use evenly::Evenly;
pub(super) use mail::rename;
use nearness::Nearness;
use phones::Number;

/// Which kinds of contact points the rows of a source have a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Mail addresses.
    pub mail: bool,
    /// Numbers in a column for any kind of number.
    pub phone: bool,
    /// Numbers in a column for mobiles.
    pub mobile: bool,
    /// Addresses to which a letter could be sent.
    pub drop: bool,
    /// A number may stand in one row only, because the table says so.
    pub unique_numbers: bool,
}

impl Needs {
    /// What the mapping has columns for. A postcode or a city is nobody's address.
    pub fn of(mapping: &Mapping) -> Needs {
        use Role::*;
        Needs {
            mail: mapping.has(Email),
            phone: mapping.has(Phone),
            mobile: mapping.has(Mobile),
            drop: [Address, Address1, Address2, Street, Block, Building]
                .into_iter()
                .any(|role| mapping.has(role)),
            unique_numbers: false,
        }
    }

    /// What the mapping has columns for, in a table that may want numbers to be unique.
    pub fn in_table(mapping: &Mapping, table: &Table) -> Needs {
        let unique = |column: &str| table.unique_keys.iter().any(|key| key.columns == [column]);
        let numbers = mapping
            .with_role(Role::Phone)
            .chain(mapping.with_role(Role::Mobile));
        Needs {
            unique_numbers: numbers.into_iter().any(|column| unique(&column.column)),
            ..Needs::of(mapping)
        }
    }
}

/// What contact points are given from, and what stands in the way.
pub struct Stock<'a> {
    /// The pool.
    pub pool: &'a [PoolEntry],
    /// All canaries of the registry.
    pub registered: &'a [Canary],
    /// Numbers that stand in customers' rows, by [`phone_key`]: they are not given.
    pub taken: &'a HashSet<String>,
    /// Which area codes the customers of a place have.
    pub area: &'a AreaCodes,
    /// What contact points the customers have.
    pub custom: &'a Custom,
}

/// Gives each household contact points of the pool in the place of the generated ones; what the source
/// has no column for is taken away. Returns the registry numbers of those given, by household.
///
/// Of numbers that serve as well a household gets one as near to its address as a customer's is.
///
/// # Errors
/// [`Error::PoolExhausted`], for the first kind of which there are too few.
pub fn allot<R: Rng + ?Sized>(
    households: &mut [Household],
    source: &SourceName,
    needs: Needs,
    stock: &Stock<'_>,
    rng: &mut R,
) -> Result<Vec<Vec<i64>>> {
    let mut points = vec![Vec::new(); households.len()];
    let kinds: Vec<Kinds> = (0..households.len())
        .map(|_| stock.custom.kinds(needs, rng))
        .collect();
    for household in households.iter_mut() {
        household.landline = None;
        household.mobile = None;
        household.email = None;
    }
    if needs.drop {
        drops(households, &mut points, source, stock, rng)?;
    }
    if needs.mail {
        mail::give(households, &mut points, &kinds, source, stock, rng)?;
    }
    if needs.phone || needs.mobile {
        let mut wanting: Vec<Wanting<'_>> = (households.iter_mut())
            .zip(&mut points)
            .zip(&kinds)
            .filter(|(_, kinds)| kinds.number)
            .map(|((household, points), kinds)| Wanting {
                household,
                points,
                kinds: *kinds,
            })
            .collect();
        numbers(&mut wanting, source, needs, stock, rng)?;
    }
    Ok(points)
}

fn given_to(entry: &PoolEntry, source: &SourceName) -> u32 {
    let own = entry.given.iter().filter(|(name, _)| name == source);
    own.map(|(_, count)| count).sum()
}

fn given(entry: &PoolEntry) -> u32 {
    entry.given.iter().map(|(_, count)| count).sum()
}

/// What one address is, apart from its unit.
pub(super) fn building(address: &Address) -> String {
    format!(
        "{} {}{}{}{} {}",
        address.postcode,
        address.region,
        address.city,
        address.town,
        address.block,
        address.building.as_deref().unwrap_or_default()
    )
}

fn drops<R: Rng + ?Sized>(
    households: &mut [Household],
    points: &mut [Vec<i64>],
    source: &SourceName,
    stock: &Stock<'_>,
    rng: &mut R,
) -> Result<()> {
    let Some(locale) = households.first().map(|household| household.locale) else {
        return Ok(());
    };
    let mut used: HashMap<String, HashSet<&str>> = HashMap::new();
    for canary in stock
        .registered
        .iter()
        .filter(|canary| canary.state != State::Void)
    {
        // A unit that one has moved out of is its own for ever: old lists name it.
        for details in canary.all_details() {
            let address = &details.household.address;
            let units = used.entry(building(address)).or_default();
            units.insert(address.unit.as_deref().unwrap_or_default());
        }
    }
    // Each drop with its free units, in random order: rooms given in order would show.
    let mut open: Vec<(i64, &PostalDrop, Vec<String>, u32)> = Vec::new();
    for entry in stock.pool {
        let ContactPoint::Drop(drop) = &entry.point else {
            continue;
        };
        if !entry.point.fits(locale) {
            continue;
        }
        let used = used.get(&building(&drop.address));
        let all = (0..drop.units.capacity()).filter_map(|place| drop.units.nth(place));
        let mut free: Vec<String> = all
            .filter(|unit| used.is_none_or(|used| !used.contains(unit.as_str())))
            .collect();
        free.shuffle(rng);
        let own = given_to(entry, source);
        let room = entry
            .cap()
            .map_or(free.len(), |cap| cap.saturating_sub(own) as usize);
        free.truncate(room);
        open.push((entry.id, drop, free, own));
    }
    let missing = households
        .len()
        .saturating_sub(open.iter().map(|(_, _, free, _)| free.len()).sum());
    if missing > 0 {
        return Err(Error::PoolExhausted {
            kind: ContactKind::Drop,
            missing,
            hint: "add a drop of that country with: otori pool add drop --postcode P --address A --units 101-999".to_owned(),
        });
    }
    let mut evenly = Evenly::default();
    for (at, (_, _, free, own)) in open.iter().enumerate() {
        if !free.is_empty() {
            evenly.add(*own, at);
        }
    }
    for (household, points) in households.iter_mut().zip(points) {
        let Some(at) = evenly.take(rng) else {
            break;
        };
        let (id, drop, free, own) = &mut open[at];
        household.address = drop.address.clone();
        household.address.unit = free.pop().filter(|unit| !unit.is_empty());
        *own += 1;
        if !free.is_empty() {
            evenly.add(*own, at);
        }
        points.push(*id);
    }
    Ok(())
}

/// A household that gets a number.
struct Wanting<'h> {
    household: &'h mut Household,
    points: &'h mut Vec<i64>,
    kinds: Kinds,
}

fn numbers<R: Rng + ?Sized>(
    households: &mut [Wanting<'_>],
    source: &SourceName,
    needs: Needs,
    stock: &Stock<'_>,
    rng: &mut R,
) -> Result<()> {
    let Some(locale) = households.first().map(|wanting| wanting.household.locale) else {
        return Ok(());
    };
    let Stock {
        pool, taken, area, ..
    } = *stock;
    let others: BTreeSet<&SourceName> = pool
        .iter()
        .flat_map(|entry| &entry.given)
        .map(|(name, _)| name)
        .filter(|name| *name != source)
        .collect();
    let mut found = HashMap::new();
    let mut blocks: HashMap<&str, usize> = HashMap::new();
    let mut numbers = Vec::new();
    for entry in pool {
        let ContactPoint::Phone(number) = &entry.point else {
            continue;
        };
        let key = phone_key(number.as_str(), None);
        // A column for mobiles alone would show a landline at once.
        let unfit = locale == Locale::JaJp && !needs.phone && !number.is_japanese_mobile();
        if !entry.point.fits(locale) || unfit || key.is_some_and(|key| taken.contains(&key)) {
            continue;
        }
        found.insert(entry.id, number);
        let held = entry.given.iter().filter(|(_, count)| *count > 0);
        numbers.push(Number {
            id: entry.id,
            own: given_to(entry, source),
            cap: if needs.unique_numbers {
                1
            } else {
                entry.cap().unwrap_or(u32::MAX)
            },
            others: held
                .filter_map(|(name, _)| others.iter().position(|other| *other == name))
                .collect(),
            block: {
                let next = blocks.len();
                *blocks.entry(phones::block(number.as_str())).or_insert(next)
            },
        });
    }
    let wanted = u32::try_from(households.len()).unwrap_or(u32::MAX);
    let homes = households
        .iter()
        .map(|wanting| wanting.household.address.postcode.as_str());
    let nearness = Nearness::of(area, homes, numbers.iter().map(|number| found[&number.id]));
    // Of the right kind, and as near to the address as a customer's is.
    let misfit = |at: usize, class: usize| {
        let kinds = &households[at].kinds;
        let is_mobile = nearness.is_mobile(class);
        let of_kind = kinds.mobile.filter(|_| needs.phone);
        let wrong = of_kind.is_some_and(|mobile| mobile != is_mobile);
        let off = match kinds.near.filter(|_| !is_mobile) {
            Some(near) => near.abs_diff(nearness.between(at, class)),
            None => 0,
        };
        off + 16 * u8::from(wrong)
    };
    // What the source has not given yet: a set grows by what somebody wishes, and not by whatever comes.
    let fresh = |at: &usize| numbers[*at].own == 0 && numbers[*at].others.is_empty();
    let wishes = wishes(&nearness, households.len(), misfit, fresh, rng);
    let suited: HashSet<usize> = wishes.iter().flatten().copied().collect();
    let near = |at: usize| suited.contains(&at);
    let standing: u32 = numbers.iter().map(|number| number.own).sum();
    let unshared = stock.custom.numbers_for(standing + wanted);
    let set = phones::choose_set(&numbers, wanted, unshared, near, rng).map_err(|missing| Error::PoolExhausted {
        kind: ContactKind::Phone,
        missing,
        hint: format!("add numbers that begin with {} with: otori pool add phone NUMBER… (each serves several canaries; a source needs a set of numbers that no other source's set contains)", locale.country_code()),
    })?;
    let misfit = |at: usize, number: usize| misfit(at, nearness.class(number));
    let dealt = phones::deal(&numbers, &set, &wishes, misfit, rng);
    for (wanting, at) in households.iter_mut().zip(dealt) {
        let (household, points) = (&mut *wanting.household, &mut *wanting.points);
        let id = numbers[at].id;
        let Some(number) = found.get(&id) else {
            continue;
        };
        let text = Some(number.as_str().to_owned());
        if number.is_japanese_mobile() || !needs.phone {
            household.mobile = text;
        } else {
            household.landline = text;
        }
        points.push(id);
    }
    Ok(())
}

/// For each household the number that suits it best and no other has, a `fresh` one while there are any; whoever has
/// the least choice chooses first. `misfit` is that of a household and a class of numbers.
fn wishes<R: Rng + ?Sized>(
    nearness: &Nearness,
    households: usize,
    misfit: impl Fn(usize, usize) -> u8,
    fresh: impl Fn(&usize) -> bool,
    rng: &mut R,
) -> Vec<Option<usize>> {
    let mut open = nearness.classes();
    let any = open.iter().flatten().any(&fresh);
    for numbers in &mut open {
        numbers.retain(|at| !any || fresh(at));
        numbers.shuffle(rng);
    }
    let choice = |household: usize| -> usize {
        let fit = (0..open.len()).filter(|class| misfit(household, *class) == 0);
        fit.map(|class| open[class].len()).sum()
    };
    let mut order: Vec<(usize, usize)> = (0..households).map(|at| (choice(at), at)).collect();
    order.sort_unstable();
    let mut wishes = vec![None; households];
    let mut best: Vec<usize> = Vec::new();
    for (_, household) in order {
        let mut least = u8::MAX;
        best.clear();
        for class in (0..open.len()).filter(|class| !open[*class].is_empty()) {
            let off = misfit(household, class);
            if off < least {
                least = off;
                best.clear();
            }
            if off == least {
                best.push(class);
            }
        }
        let all: usize = best.iter().map(|class| open[*class].len()).sum();
        if all == 0 {
            break;
        }
        // Any of their numbers is as good.
        let mut left = rng.random_range(0..all);
        let class = best.iter().find(|class| {
            let own = open[**class].len();
            let here = left < own;
            left = left.saturating_sub(own);
            here
        });
        wishes[household] = class.and_then(|class| open[*class].pop());
    }
    wishes
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use time::macros::date;

    use super::*;
    use crate::database::Row;
    use crate::notation::MappedColumn;
    use crate::persona::{Generator, Seeds, Shape};

    /// Of a drip each canary comes alone, to a source that has many numbers already.
    #[test]
    fn who_comes_alone_gets_a_number_of_the_kind_that_is_wanted() {
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![MappedColumn::told("tel", Role::Phone)],
            related: Vec::new(),
        };
        let source: SourceName = "school".parse().unwrap();
        let entry = |id: i64, number: &str, own: u32| PoolEntry {
            id,
            point: ContactPoint::Phone(number.parse().unwrap()),
            cap_per_source: Some(2),
            given: vec![(source.clone(), own)],
        };
        let mobiles = (0..40).map(|at| {
            let own = u32::from(at < 30);
            entry(at, &format!("090-0123-45{at:02}"), own)
        });
        let landlines = (0..40).map(|at| entry(100 + at, &format!("03-0123-45{at:02}"), 0));
        let pool: Vec<PoolEntry> = mobiles.chain(landlines).collect();
        // Customers have mobile numbers, each his own.
        let rows: Vec<Row> = (0..100)
            .map(|at| vec![Some(format!("090-0999-{at:04}"))])
            .collect();
        let columns = ["tel".to_owned()];
        let area = AreaCodes::of(&mapping, &columns, &rows);
        let custom = Custom::of(&mapping, &columns, &rows, &[true; 100], &area);
        let stock = Stock {
            pool: &pool,
            registered: &[],
            taken: &HashSet::new(),
            area: &area,
            custom: &custom,
        };
        let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
        let needs = Needs::of(&mapping);
        for seed in 0..50 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let shape = Shape::families(3..=18);
            let mut one = [generator.household(&mut rng, date!(2026 - 01 - 01), &shape)];
            let points = allot(&mut one, &source, needs, &stock, &mut rng).unwrap();
            let [given] = points[0][..] else {
                panic!("one number: {points:?}")
            };
            assert!((30..40).contains(&given), "{seed}: {given}");
        }
        // Ten mobile numbers are left beside those that others may need, and no more landlines than wanted are missed.
        let told = custom.carried(&pool, &source, needs, Locale::JaJp, 60);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("mobile numbers for 37 canaries"),
            "{told:?}"
        );
    }
}
