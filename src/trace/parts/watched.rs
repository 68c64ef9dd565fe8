//! Which canaries a result was made with.

use sha2::{Digest, Sha256};

use super::super::watch::Watch;

/// A digest of what is looked for: results of two watches cannot be added. It is made of ids and
/// numbers; a canary with its id never changes.
pub fn digest(watch: &Watch) -> String {
    let mut hash = Sha256::new();
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    text(env!("CARGO_PKG_VERSION"));
    for source in &watch.sources {
        text(source.as_str());
    }
    for batch in &watch.batches {
        text(batch.id.as_str());
        text(&format!(
            "{} {:?} {}",
            batch.from, batch.until, batch.rows_at
        ));
    }
    for canary in &watch.canaries {
        text(canary.id.as_str());
        text(&format!("{} {}", canary.source, canary.batch));
        for (mark, value) in watch.values_of(canary) {
            text(&format!("{mark} {value}"));
        }
    }
    crate::evidence::hex(&hash.finalize())
}
