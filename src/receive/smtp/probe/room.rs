//! How many recipient checks there may be at a time: those that are open, and those that wait to be stored. Each is
//! remembered from the answer on, so that without a bound whoever asks for ever would fill the memory. Past it a
//! recipient is put off, and nothing that was answered 250 is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The places of the whole process. Clones share them.
#[derive(Clone)]
pub(in crate::receive::smtp) struct Room {
    all: usize,
    per_network: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    networks: HashMap<IpAddr, usize>,
}

/// One of them; given back when dropped.
pub(super) struct Place {
    taken: Arc<Mutex<Taken>>,
    network: Option<IpAddr>,
}

impl Room {
    /// So many for all together, and for one network.
    pub fn new(all: usize, per_network: usize) -> Room {
        Room {
            all,
            per_network,
            taken: Arc::default(),
        }
    }

    /// A place for a client of this network, where it is known; `None` if there is none.
    pub(super) fn take(&self, network: Option<IpAddr>) -> Option<Place> {
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return None;
        }
        if let Some(network) = network {
            let has = taken.networks.get(&network).copied().unwrap_or_default();
            if has >= self.per_network {
                return None;
            }
            taken.networks.insert(network, has + 1);
        }
        taken.all += 1;
        Some(Place {
            taken: Arc::clone(&self.taken),
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(network) = self.network
            && let Some(has) = taken.networks.get_mut(&network)
        {
            *has -= 1;
            if *has == 0 {
                taken.networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_and_all_have_their_share_and_give_it_back() {
        let room = Room::new(3, 2);
        let [one, other] = [1, 2].map(|last| Some(IpAddr::from([192, 0, last, 0])));
        let first = room.take(one).unwrap();
        let _second = room.take(one).unwrap();
        assert!(room.take(one).is_none(), "its network");
        let _third = room.take(other).unwrap();
        assert!(room.take(other).is_none(), "all");
        assert!(room.take(None).is_none(), "all");
        drop(first);
        let last = room.take(None).unwrap();
        assert!(room.take(one).is_none());
        drop(last);
        assert!(room.take(one).is_some());
        assert_eq!(room.taken.lock().unwrap().networks.len(), 2);
    }
}
