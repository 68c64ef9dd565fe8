//! Contacts that belong together: those that have a key of their actor in common, and those that have one
//! in common with these, and so on.
//!
//! A key that is seen with many senders is nobody's own (a new sender for hire, a network of many
//! customers) and joins nothing: [`MANY`] says how many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ActorKey, ActorKeys};

/// A key seen with more senders than this tells nobody from anybody.
pub const MANY: usize = 8;

/// One contact.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its number.
    pub id: i64,
    /// What whoever made it is known by.
    pub actor: ActorKeys,
}

/// A key by which contacts were joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The key.
    pub key: ActorKey,
    /// How many contacts of the cluster have it.
    pub contacts: usize,
}

/// Contacts of one actor, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Their numbers, in order.
    pub contacts: Vec<i64>,
    /// Why they belong together, the key of most contacts first.
    pub links: Vec<Link>,
}

/// The clusters, the largest first; every contact that has a key is in exactly one.
pub fn clusters(contacts: &[Contact]) -> Vec<Cluster> {
    let mut bearers: BTreeMap<&ActorKey, Vec<usize>> = BTreeMap::new();
    let mut senders: HashMap<&ActorKey, BTreeSet<Option<&ActorKey>>> = HashMap::new();
    for (place, contact) in contacts.iter().enumerate() {
        for key in &contact.actor.keys {
            bearers.entry(key).or_default().push(place);
            let senders = senders.entry(key).or_default();
            senders.insert(contact.actor.sender.as_ref());
        }
    }
    bearers.retain(|key, _| senders[key].len() <= MANY);
    let mut forest = Forest::new(contacts.len());
    for places in bearers.values() {
        for place in &places[1..] {
            forest.join(places[0], *place);
        }
    }
    let mut found: BTreeMap<usize, Cluster> = BTreeMap::new();
    for (place, contact) in contacts.iter().enumerate() {
        if contact.actor.keys.is_empty() {
            continue;
        }
        let cluster = found.entry(forest.root(place)).or_insert_with(|| Cluster {
            contacts: Vec::new(),
            links: Vec::new(),
        });
        cluster.contacts.push(contact.id);
    }
    for (key, places) in bearers {
        if let Some(cluster) = found.get_mut(&forest.root(places[0])) {
            cluster.links.push(Link {
                key: key.clone(),
                contacts: places.len(),
            });
        }
    }
    let mut clusters: Vec<Cluster> = found.into_values().collect();
    for cluster in &mut clusters {
        cluster.contacts.sort_unstable();
        let order = |link: &Link| (std::cmp::Reverse(link.contacts), link.key.clone());
        cluster.links.sort_by_key(order);
    }
    clusters.sort_by_key(|one| (std::cmp::Reverse(one.contacts.len()), one.contacts[0]));
    clusters
}

/// Disjoint sets, each known by its root.
struct Forest(Vec<usize>);

impl Forest {
    fn new(size: usize) -> Forest {
        Forest((0..size).collect())
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            // Each step halves the way for the next.
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The lower number stays the root, so that the order of keys does not matter.
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canary::KeyKind;

    fn contact(id: i64, sender: &str, phones: &[&str]) -> Contact {
        let mut actor = ActorKeys::default();
        for phone in phones {
            actor.put(KeyKind::Phone, (*phone).to_owned());
        }
        actor.sender = Some(ActorKey {
            kind: KeyKind::Domain,
            value: sender.to_owned(),
        });
        Contact { id, actor }
    }

    fn ids(clusters: &[Cluster]) -> Vec<Vec<i64>> {
        let ids = clusters.iter().map(|cluster| cluster.contacts.clone());
        ids.collect()
    }

    #[test]
    fn contacts_are_joined_through_others() {
        let contacts = [
            contact(1, "a", &["1"]),
            contact(2, "b", &["3"]),
            contact(3, "c", &["1", "2"]),
            contact(4, "d", &["2"]),
            contact(5, "e", &[]),
        ];
        let found = clusters(&contacts);
        assert_eq!(ids(&found), [vec![1, 3, 4], vec![2]]);
        let why: Vec<usize> = found[0].links.iter().map(|link| link.contacts).collect();
        assert_eq!(why, [2, 2]);
    }

    #[test]
    fn a_key_of_many_senders_joins_nobody() {
        let of = |senders: usize| -> Vec<Contact> {
            let senders = 0..senders;
            senders
                .map(|n| contact(n as i64, &n.to_string(), &["shared"]))
                .collect()
        };
        assert_eq!(clusters(&of(MANY)).len(), 1);
        let apart = clusters(&of(MANY + 1));
        assert_eq!(apart.len(), MANY + 1);
        assert!(apart.iter().all(|cluster| cluster.links.is_empty()));
        // One sender that writes often is not many.
        let often: Vec<Contact> = (0..100).map(|n| contact(n, "a", &["shared"])).collect();
        assert_eq!(clusters(&often).len(), 1);
    }

    proptest! {
        #[test]
        fn the_order_of_contacts_does_not_matter(
            keys in prop::collection::vec(prop::collection::vec(0_u8..12, 0..4), 1..20),
            turn in 0_usize..20,
        ) {
            let mut contacts: Vec<Contact> = (1..).zip(&keys).map(|(id, keys)| {
                let keys: Vec<String> = keys.iter().map(u8::to_string).collect();
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                contact(id, "a", &keys)
            }).collect();
            let found = clusters(&contacts);
            let turn = turn % contacts.len();
            contacts.rotate_left(turn);
            prop_assert_eq!(&found, &clusters(&contacts));
            let all: usize = found.iter().map(|cluster| cluster.contacts.len()).sum();
            let keyed = keys.iter().filter(|keys| !keys.is_empty()).count();
            prop_assert_eq!(all, keyed);
        }
    }
}
