//! Which of the numbers called are ours: those of the pool, kept fresh, and canaries'.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::canary::{ContactPoint, PhoneNumber};
use crate::receive::in_time;
use crate::registry::{Mark, Registry};

/// A caller waits so long at most for the answer whether a number is ours.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a number that was added may stay unknown.
const REFRESH: Duration = Duration::from_secs(2);

type Known = Option<(Instant, Arc<HashSet<PhoneNumber>>)>;

/// The numbers of the pool.
pub struct Numbers {
    registry: Registry,
    known: RwLock<Known>,
}

impl Numbers {
    pub fn new(registry: Registry) -> Numbers {
        Numbers {
            registry,
            known: RwLock::default(),
        }
    }

    /// Those that are ours, each once; `None` if the registry cannot be asked.
    pub async fn ours(&self, called: &[String]) -> Option<Vec<String>> {
        let pool = self.pool().await?;
        let mut ours = Vec::new();
        for called in called {
            // Trunks leave out the plus of an international number.
            for text in [called.clone(), format!("+{called}")] {
                let Ok(number) = text.parse::<PhoneNumber>() else {
                    continue;
                };
                let given = !pool.contains(&number) && {
                    let asked = self.registry.find(Mark::Phone, &text);
                    !in_time(PATIENCE, asked).await.ok()?.is_empty()
                };
                let text = number.as_str().to_owned();
                if (given || pool.contains(&number)) && !ours.contains(&text) {
                    ours.push(text);
                }
            }
        }
        Some(ours)
    }

    async fn pool(&self) -> Option<Arc<HashSet<PhoneNumber>>> {
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((since, numbers)) = known
            && since.elapsed() < REFRESH
        {
            return Some(numbers);
        }
        let pool = in_time(PATIENCE, self.registry.pool()).await.ok()?;
        let numbers = pool.into_iter().filter_map(|entry| match entry.point {
            ContactPoint::Phone(number) => Some(number),
            _ => None,
        });
        let numbers: Arc<HashSet<PhoneNumber>> = Arc::new(numbers.collect());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&numbers)));
        Some(numbers)
    }
}
