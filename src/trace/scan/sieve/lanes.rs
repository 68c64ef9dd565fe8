//! Which cells of a part make which keys, as the sieve goes through them.

use super::super::super::normalise::{Class, NameColumns, Plan};
use super::super::super::read::{Encoding, Layout, Style};
use super::births::PROBES;
use crate::notation::Role;

/// What a lane's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Email,
    Phone,
    Postcode,
    Birth,
    Name,
    Kana,
    Address,
    /// Anything.
    Loose,
}

/// One cell, or several that are read together.
pub struct Lane {
    pub kind: Kind,
    /// In the order in which they are read.
    pub places: Vec<usize>,
    /// A person's name, and the customer's, of whom a child has its family name.
    pub person: NameColumns,
    pub customer: NameColumns,
    /// Whether the given name alone is a value.
    pub given: bool,
    /// Which spellings of dates `notation` reads here as they seem, by the kinds of [`births::day`].
    pub days: [bool; PROBES.len()],
    /// What `notation` is asked where the sieve is not sure.
    pub plan: Plan,
}

/// The lanes of a part.
pub struct Lanes {
    pub lanes: Vec<Lane>,
    pub layout: Layout,
    /// How many cells a sound row has.
    pub width: usize,
    /// The plan without the address, and that of the address alone.
    pub but_address: Plan,
    pub address: Option<Plan>,
}

impl Lanes {
    /// `None` for a part whose records the sieve cannot read.
    pub fn new(plan: &Plan, layout: Layout, width: usize) -> Option<Lanes> {
        let readable = match layout.encoding {
            Encoding::Utf8 => true,
            // A second byte may look like a delimiter.
            Encoding::Cp932 => layout.delimiter < 0x40 && layout.style != Style::Split,
            _ => false,
        };
        if !readable || width == 0 {
            return None;
        }
        let empty = Plan {
            region: plan.region,
            ..Plan::default()
        };
        let mut lanes = Vec::new();
        let mut one = |kind, place: usize, plan: Plan| {
            lanes.push(Lane {
                kind,
                days: PROBES.map(|probes| probes.iter().all(|probe| reads(&plan, place, *probe))),
                places: vec![place],
                person: NameColumns::default(),
                customer: NameColumns::default(),
                given: false,
                plan,
            });
        };
        for place in &plan.emails {
            let emails = vec![*place];
            let plan = Plan {
                emails,
                ..empty.clone()
            };
            one(Kind::Email, *place, plan);
        }
        for place in &plan.phones {
            let phones = vec![*place];
            let plan = Plan {
                phones,
                ..empty.clone()
            };
            one(Kind::Phone, *place, plan);
        }
        for place in &plan.postcodes {
            let postcodes = vec![*place];
            let plan = Plan {
                postcodes,
                ..empty.clone()
            };
            one(Kind::Postcode, *place, plan);
        }
        for birth in &plan.births {
            let births = vec![*birth];
            let plan = Plan {
                births,
                ..empty.clone()
            };
            one(Kind::Birth, birth.0, plan);
        }
        for place in &plan.codes {
            let codes = vec![*place];
            let plan = Plan {
                codes,
                ..empty.clone()
            };
            one(Kind::Loose, *place, plan);
        }
        for place in &plan.loose {
            let loose = vec![*place];
            let plan = Plan {
                loose,
                ..empty.clone()
            };
            one(Kind::Loose, *place, plan);
        }
        let none = NameColumns::default();
        let mut people = vec![
            (Kind::Name, plan.customer, none, false),
            (Kind::Kana, plan.customer_kana, none, false),
        ];
        let children = plan.children.iter();
        people.extend(children.map(|child| (Kind::Name, *child, plan.customer, true)));
        let children = plan.children_kana.iter();
        people.extend(children.map(|child| (Kind::Kana, *child, plan.customer_kana, true)));
        for (kind, person, customer, child) in people {
            if !person.is_empty() {
                lanes.push(Lane::person(kind, person, customer, child, &empty));
            }
        }
        if !plan.address.is_empty() {
            let column = |role: Role| plan.address.iter().find(|(found, _)| *found == role);
            // As they stand in a Japanese address; numbers that stand together stay together.
            let places = [
                Role::Region,
                Role::City,
                Role::Town,
                Role::Street,
                Role::Block,
                Role::Address,
                Role::Address1,
                Role::Address2,
                Role::Building,
            ];
            lanes.push(Lane {
                kind: Kind::Address,
                places: places
                    .into_iter()
                    .filter_map(column)
                    .map(|(_, place)| *place)
                    .collect(),
                person: none,
                customer: none,
                given: false,
                days: Default::default(),
                plan: Plan {
                    address: plan.address.clone(),
                    ..empty.clone()
                },
            });
        }
        Some(Lanes {
            lanes,
            layout,
            width,
            but_address: Plan {
                address: Vec::new(),
                ..plan.clone()
            },
            address: (!plan.address.is_empty()).then(|| Plan {
                address: plan.address.clone(),
                ..empty
            }),
        })
    }
}

impl Lane {
    fn person(
        kind: Kind,
        person: NameColumns,
        customer: NameColumns,
        child: bool,
        empty: &Plan,
    ) -> Lane {
        let mut plan = empty.clone();
        match (kind, child) {
            (Kind::Name, false) => plan.customer = person,
            (Kind::Name, true) => (plan.customer, plan.children) = (customer, vec![person]),
            (_, false) => plan.customer_kana = person,
            (_, true) => (plan.customer_kana, plan.children_kana) = (customer, vec![person]),
        }
        Lane {
            kind,
            places: Vec::new(),
            person,
            customer,
            given: child && kind == Kind::Name,
            days: Default::default(),
            plan,
        }
    }
}

/// Whether a plan reads a spelling in a place as this date.
fn reads(plan: &Plan, place: usize, (spelling, date): (&str, &str)) -> bool {
    let mut read = false;
    let cell = |at: usize| if at == place { spelling } else { "" };
    plan.keys(cell, &mut |key| {
        read |= key.class == Class::Birth && key.text == date;
    });
    read
}
