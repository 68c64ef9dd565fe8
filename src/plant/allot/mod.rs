//! Contact points for canaries: only such as the operator owns.
//!
//! What has been given before is read from the registry each time, so a source keeps its numbers from
//! batch to batch, and nothing is given twice.

mod area;
mod custom;
mod evenly;
mod mail;
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
use area::{Fit, Home, Parts};
pub use custom::Custom;
use custom::Kinds;
use evenly::Evenly;
pub(super) use mail::rename;
use phones::Number;

/// What a number of the wrong kind costs, more than any address is away from a number.
const WRONG_KIND: u32 = 100_000;
/// How often households look at each other's numbers, and how often each of many at least.
const LOOKS: usize = 1_000_000;
const LEAST_LOOKS: usize = 60;
/// How often each of them looks anew.
const ROUNDS: usize = 8;

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
    let parts: Vec<Parts> = (numbers.iter())
        .map(|number| area.parts(found[&number.id]))
        .collect();
    let mobile: Vec<bool> = (numbers.iter())
        .map(|number| found[&number.id].is_japanese_mobile())
        .collect();
    let homes: Vec<(Home, Option<Fit>)> = households
        .iter()
        .map(|wanting| {
            let place = area.place(&wanting.household.address);
            let fit = stock.custom.fit(area, &place, wanting.kinds.mobile, rng);
            (area.home_at(&place), fit)
        })
        .collect();
    // Of the right kind, and to the address as a neighbour's is to his.
    let misfit = |at: usize, number: usize| {
        let of_kind = households[at].kinds.mobile.filter(|_| needs.phone);
        let wrong = of_kind.is_some_and(|wanted| wanted != mobile[number]);
        let (home, wanted) = &homes[at];
        let fit = area.fit(home, &parts[number]);
        wanted.map_or(fit.strange(), |wanted| fit.from(wanted)) + if wrong { WRONG_KIND } else { 0 }
    };
    // What the source has not given yet: a set grows by what somebody wishes, and not by whatever comes.
    let fresh = |at: &usize| numbers[*at].own == 0 && numbers[*at].others.is_empty();
    let wishes = wishes(&numbers, households.len(), misfit, fresh, rng);
    let suited: HashSet<usize> = wishes.iter().flatten().copied().collect();
    let near = |at: usize| suited.contains(&at);
    let standing: u32 = numbers.iter().map(|number| number.own).sum();
    let unshared = stock.custom.numbers_for(standing + wanted);
    let set = phones::choose_set(&numbers, wanted, unshared, near, rng).map_err(|missing| Error::PoolExhausted {
        kind: ContactKind::Phone,
        missing,
        hint: format!("add numbers that begin with {} with: otori pool add phone NUMBER… (each serves several canaries; a source needs a set of numbers that no other source's set contains)", locale.country_code()),
    })?;
    let mut dealt = phones::deal(&numbers, &set, &wishes, misfit, rng);
    swap(&mut dealt, &mut [], misfit, rng);
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

/// For each household a number that no other has, a `fresh` one while there are any, so that all together have the least
/// `misfit`. Where numbers fit as well, there are as many of one block as of another.
fn wishes<R: Rng + ?Sized>(
    numbers: &[Number],
    households: usize,
    misfit: impl Fn(usize, usize) -> u32,
    fresh: impl Fn(&usize) -> bool,
    rng: &mut R,
) -> Vec<Option<usize>> {
    let any = (0..numbers.len()).any(|at| fresh(&at));
    let mut open: Vec<usize> = (0..numbers.len()).filter(|at| !any || fresh(at)).collect();
    open.shuffle(rng);
    let mut before: HashMap<usize, usize> = HashMap::new();
    open.sort_by_cached_key(|at| {
        let before = before.entry(numbers[*at].block).or_default();
        *before += 1;
        *before
    });
    let mut spare = open.split_off(households.min(open.len()));
    swap(&mut open, &mut spare, misfit, rng);
    let mut wishes: Vec<Option<usize>> = open.into_iter().map(Some).collect();
    wishes.resize(households, None);
    wishes
}

/// Lets households change their numbers with each other, and for `spare` ones, as long as they all fit better for it:
/// who only takes the best that is left takes it from others who need it more.
fn swap<R: Rng + ?Sized>(
    given: &mut [usize],
    spare: &mut [usize],
    misfit: impl Fn(usize, usize) -> u32,
    rng: &mut R,
) {
    let households = given.len();
    let all = households + spare.len();
    let looks = all.min((LOOKS / households.max(1)).max(LEAST_LOOKS));
    let mut own: Vec<u32> = (0..households).map(|at| misfit(at, given[at])).collect();
    for _ in 0..ROUNDS {
        let mut gained = false;
        for one in 0..households {
            let first = rng.random_range(0..all);
            for other in (first..first + looks).map(|other| other % all) {
                if one == other || own[one] == 0 {
                    continue;
                }
                let (mine, theirs, before) = match other.checked_sub(households) {
                    None => {
                        let fits = (misfit(one, given[other]), misfit(other, given[one]));
                        (fits.0, Some(fits.1), own[one] + own[other])
                    }
                    Some(place) => (misfit(one, spare[place]), None, own[one]),
                };
                if mine + theirs.unwrap_or(0) >= before {
                    continue;
                }
                gained = true;
                own[one] = mine;
                match theirs {
                    Some(theirs) => {
                        own[other] = theirs;
                        given.swap(one, other);
                    }
                    None => std::mem::swap(&mut given[one], &mut spare[other - households]),
                }
            }
        }
        if !gained {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use time::macros::date;

    use super::*;
    use crate::canary::Units;
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

    /// A table of Americans: postcodes and numbers.
    fn members(rows: &[(String, String)]) -> (Mapping, Vec<String>, Vec<Row>) {
        let mapping = Mapping {
            locale: Locale::EnUs,
            columns: vec![
                MappedColumn::told("street", Role::Address1),
                MappedColumn::told("zip", Role::Postcode),
                MappedColumn::told("tel", Role::Phone),
            ],
            related: Vec::new(),
        };
        let columns = ["street", "zip", "tel"].map(str::to_owned).to_vec();
        let cells = |(at, (zip, tel)): (usize, &(String, String))| {
            let street = format!("{} Elm St", at + 1);
            [street, zip.clone(), tel.clone()].map(Some).to_vec()
        };
        (
            mapping,
            columns,
            rows.iter().enumerate().map(cells).collect(),
        )
    }

    /// A pool of a house in each of these places, and of these numbers.
    fn points(zips: &[&str], numbers: &[String]) -> Vec<PoolEntry> {
        let house = |(at, zip): (usize, &&str)| {
            let address = Address {
                postcode: (*zip).to_owned(),
                region: "NY".to_owned(),
                city: "Albany".to_owned(),
                city_kana: String::new(),
                town: String::new(),
                town_kana: String::new(),
                block: format!("{at} Oak Ave"),
                building: None,
                unit: None,
            };
            ContactPoint::Drop(Box::new(PostalDrop {
                locale: Locale::EnUs,
                address,
                typed: String::new(),
                units: Units::Named(vec![String::new()]),
            }))
        };
        let houses = zips.iter().enumerate().map(house);
        let numbers = numbers.iter().map(|number| {
            let number = number.parse().unwrap();
            ContactPoint::Phone(number)
        });
        (1..)
            .zip(houses.chain(numbers))
            .map(|(id, point)| PoolEntry {
                id,
                point,
                cap_per_source: None,
                given: Vec::new(),
            })
            .collect()
    }

    /// The area codes that canaries get, with their postcodes.
    fn given_codes(
        pool: &[PoolEntry],
        count: usize,
        mapping: &Mapping,
        area: &AreaCodes,
        custom: &Custom,
        seed: u64,
    ) -> Vec<(String, String)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let generator = Generator::new(&Seeds::embedded(), Locale::EnUs);
        let shape = Shape::families(3..=18);
        let mut households: Vec<Household> = (0..count)
            .map(|_| generator.household(&mut rng, date!(2026 - 01 - 01), &shape))
            .collect();
        let stock = Stock {
            pool,
            registered: &[],
            taken: &HashSet::new(),
            area,
            custom,
        };
        let source: SourceName = "club".parse().unwrap();
        allot(
            &mut households,
            &source,
            Needs::of(mapping),
            &stock,
            &mut rng,
        )
        .unwrap();
        households
            .into_iter()
            .map(|household| {
                let number = household.landline.unwrap();
                (household.address.postcode, number[2..5].to_owned())
            })
            .collect()
    }

    #[test]
    fn a_small_table_tells_area_codes_too() {
        let rows: Vec<(String, String)> = (0..20)
            .flat_map(|at| {
                let near = ("10001".to_owned(), format!("212-555-01{at:02}"));
                [near, ("94105".to_owned(), format!("415-555-01{at:02}"))]
            })
            .collect();
        let (mapping, columns, rows) = members(&rows);
        let area = AreaCodes::of(&mapping, &columns, &rows);
        let numbers: Vec<String> = (50..60)
            .flat_map(|at| ["212", "415", "312"].map(|code| format!("+1{code}55501{at}")))
            .collect();
        let zips = [["10001"; 10], ["94105"; 10]].concat();
        let pool = points(&zips, &numbers);
        // Nothing is known of who joins now: a number of the neighbours' area code is right.
        for seed in 0..20 {
            for (zip, code) in given_codes(&pool, 1, &mapping, &area, &Custom::default(), seed) {
                let right = if zip == "10001" { "212" } else { "415" };
                assert_eq!(code, right, "{seed}: {zip}");
            }
        }
    }

    /// Of the customers every fifth has a number of some far place, of a code that hardly anybody has.
    #[test]
    fn who_has_a_strange_number_has_one_as_strange_as_customers_have() {
        let rows: Vec<(String, String)> = (0..2000)
            .map(|at| {
                let (zip, code) = match at % 2 {
                    0 => ("10001", 212),
                    _ => ("94105", 415),
                };
                let code = if at % 10 < 2 { 500 + at / 5 } else { code };
                (zip.to_owned(), format!("{code}-555-{:04}", at))
            })
            .collect();
        let (mapping, columns, rows) = members(&rows);
        let area = AreaCodes::of(&mapping, &columns, &rows);
        let custom = Custom::of(&mapping, &columns, &rows, &vec![true; 2000], &area);
        // The pool has more than enough of each code that is common elsewhere.
        let numbers: Vec<String> = (0..40)
            .flat_map(|at| {
                let far = format!("+1{}5558{at:03}", 500 + at);
                [
                    format!("+12125558{at:03}"),
                    format!("+14155558{at:03}"),
                    far,
                ]
            })
            .collect();
        let zips = [["10001"; 40], ["94105"; 40]].concat();
        let pool = points(&zips, &numbers);
        for seed in 0..5 {
            let given = given_codes(&pool, 60, &mapping, &area, &custom, seed);
            let count = |wanted: fn(&str, &str) -> bool| {
                let each = given.iter();
                each.filter(|(zip, code)| wanted(zip, code)).count()
            };
            let right = count(|zip, code| (zip == "10001") == (code == "212") && code < "500");
            let far = count(|_, code| code >= "500");
            assert_eq!(right + far, 60, "{seed}: {given:?}");
            assert!((4..=22).contains(&far), "{seed}: {far}");
        }
    }

    #[test]
    fn who_could_do_without_a_number_leaves_it_to_who_needs_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // Each but the first could have every number; it needs the third, and somebody could have the spare one.
        let misfit = |household: usize, number: usize| match (household, number) {
            (0, 2) => 0,
            (0, _) => 100,
            (3, 4) => 0,
            _ => 10,
        };
        let (mut given, mut spare) = (vec![0, 1, 2, 3], vec![4]);
        swap(&mut given, &mut spare, misfit, &mut rng);
        assert_eq!((given[0], given[3]), (2, 4));
        given.extend(spare);
        given.sort_unstable();
        assert_eq!(given, [0, 1, 2, 3, 4]);
        swap(&mut [], &mut [], misfit, &mut rng);
    }
}
