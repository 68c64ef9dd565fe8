//! Who tries names at our domains until one is there: spammers' dictionaries, who have no list of anybody.
//!
//! A stolen list holds canaries' addresses, and each is there. A dictionary asks for `info`, `sales` and a thousand
//! given names, and now and then meets a canary by chance: that accuses nobody. So what a network asks for in vain is
//! counted beside what it finds. It is known for an hour, in this process alone; where a domain takes everything, or
//! another mail server stands in front, nobody asks in vain.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::network::around;

/// So many different addresses in vain are a dictionary,
const MANY: usize = 20;
/// if at most one in so many was found.
const RARE: usize = 10;
/// Whoever has found more than this by a dictionary, however large, is taken at his word when he mails them.
const FEW: usize = 2;
/// Different addresses that are remembered of one network: asked for in vain, and a tenth of it found.
const REMEMBERED: usize = 512;
/// A network is remembered for so long.
const HOUR: Duration = Duration::from_secs(3600);
/// Networks that are remembered.
const NETWORKS: usize = 10_000;

/// What networks have asked for. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Guesses {
    inner: Arc<Mutex<HashMap<IpAddr, Tally>>>,
    hasher: RandomState,
}

struct Tally {
    since: Instant,
    vain: HashSet<u64>,
    found: HashSet<u64>,
}

impl Guesses {
    /// Somebody there asked for an address, which is one of ours or not.
    pub fn asked(&self, by: IpAddr, address: &str, found: bool) {
        // Every domain has them, and whoever guesses begins with them.
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        if found
            && ["postmaster", "abuse"]
                .iter()
                .any(|is| local.eq_ignore_ascii_case(is))
        {
            return;
        }
        let name = self.hasher.hash_one(address.to_lowercase());
        let now = Instant::now();
        // Nothing can panic while the lock is held, so it is never poisoned.
        let mut all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let network = around(by);
        if !all.contains_key(&network) && all.len() >= NETWORKS {
            all.retain(|_, tally| now.duration_since(tally.since) < HOUR);
            if all.len() >= NETWORKS {
                // So many at once are a flood: it is begun anew rather than grown.
                all.clear();
            }
        }
        let begun = || Tally {
            since: now,
            vain: HashSet::new(),
            found: HashSet::new(),
        };
        let tally = all.entry(network).or_insert_with(begun);
        if now.duration_since(tally.since) >= HOUR {
            *tally = begun();
        }
        let (names, most) = match found {
            true => (&mut tally.found, REMEMBERED / RARE + 1),
            false => (&mut tally.vain, REMEMBERED),
        };
        if names.len() < most {
            names.insert(name);
        }
    }

    /// How many addresses somebody there has asked for in vain, if that is a dictionary.
    pub fn dictionary(&self, by: IpAddr) -> Option<usize> {
        self.vain(by, usize::MAX)
    }

    /// The same, if it has found hardly anybody.
    pub fn luckless(&self, by: IpAddr) -> Option<usize> {
        self.vain(by, FEW)
    }

    fn vain(&self, by: IpAddr, most_found: usize) -> Option<usize> {
        let all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = all.get(&around(by))?;
        let vain = tally.vain.len();
        let found = tally.found.len();
        let rare = found * RARE <= vain && found <= most_found;
        let is = tally.since.elapsed() < HOUR && vain >= MANY && rare;
        is.then_some(vain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_dictionary_that_meets_a_few_stays_one() {
        let guesses = Guesses::default();
        let spammer = IpAddr::from([192, 0, 2, 1]);
        for number in 0..5_000 {
            guesses.asked(
                spammer,
                &format!("name{number}@decoys.example"),
                number % 500 == 7,
            );
        }
        assert!(guesses.dictionary(spammer).is_some());
    }

    #[test]
    fn a_dictionary_finds_few_and_a_list_finds_all() {
        let guesses = Guesses::default();
        let (spammer, washer) = (
            IpAddr::from([192, 0, 2, 1]),
            IpAddr::from([198, 51, 100, 1]),
        );
        let neighbour = IpAddr::from([192, 0, 2, 77]);
        guesses.asked(spammer, "hanako@decoys.example", true);
        guesses.asked(spammer, "Postmaster@decoys.example", true);
        for number in 0..MANY {
            assert_eq!(guesses.dictionary(spammer), None, "{number}");
            // The same again is no other guess.
            for _ in 0..3 {
                guesses.asked(spammer, &format!("name{number}@decoys.example"), false);
                guesses.asked(washer, &format!("canary{number}@decoys.example"), true);
            }
        }
        assert_eq!(guesses.dictionary(neighbour), Some(MANY));
        assert_eq!(guesses.dictionary(washer), None);
        // It finds more than a guess does: whoever has a list is not hidden by names that he has made up.
        guesses.asked(neighbour, "jiro@decoys.example", true);
        assert_eq!(guesses.dictionary(spammer), Some(MANY));
        guesses.asked(neighbour, "keisuke@decoys.example", true);
        assert_eq!(guesses.dictionary(spammer), None);
    }

    #[test]
    fn a_large_dictionary_that_has_found_several_is_believed_less() {
        let guesses = Guesses::default();
        let by = IpAddr::from([192, 0, 2, 7]);
        for number in 0..100 {
            guesses.asked(by, &format!("name{number}@decoys.example"), false);
        }
        for (found, luckless) in [(1, true), (2, true), (3, false)] {
            guesses.asked(by, &format!("canary{found}@decoys.example"), true);
            assert_eq!(guesses.luckless(by).is_some(), luckless, "{found}");
            assert_eq!(guesses.dictionary(by), Some(100));
        }
    }

    #[test]
    fn a_flood_of_networks_takes_no_more_memory() {
        let guesses = Guesses::default();
        for number in 0..25_000_u32 {
            let by = IpAddr::from((number << 8).to_be_bytes());
            guesses.asked(by, "a@decoys.example", false);
        }
        assert!(guesses.inner.lock().unwrap().len() <= NETWORKS);
    }
}
