//! The ground of the speed measurement: a list such as that of 2014, and a workspace of canaries of
//! which some are in it.
//!
//! `cargo bench --bench trace -- make DIR [ROWS [CANARIES]]` makes `list.csv` (UTF-8),
//! `list.cp932.csv` and `workspace/` in DIR; `benches/trace/compare.py DIR` then measures otori and
//! others on them. Without `make` it times nothing, so that a plain `cargo bench` stays quick.

mod ground;
mod list;
mod style;
mod width;

use std::path::PathBuf;

/// Canaries of one source that the list holds.
const LEAKED: usize = 500;

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [verb, dir, numbers @ ..] = &args[..] else {
        return println!("usage: cargo bench --bench trace -- make DIR [ROWS [CANARIES]]");
    };
    let number = |place: usize, usual: usize| {
        numbers
            .get(place)
            .map_or(usual, |text| text.parse().expect("a number"))
    };
    let (rows, count) = (number(0, 8_220_000), number(1, 100_000));
    let dir = PathBuf::from(dir);
    std::fs::create_dir_all(&dir).expect("a directory that can be made");
    let (batches, canaries) = ground::canaries(count);
    if matches!(verb.as_str(), "make" | "workspace") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let place = dir.join(format!("workspace-{count}"));
        runtime.block_on(ground::workspace(&place, &batches, &canaries));
    }
    if matches!(verb.as_str(), "make" | "list") {
        let leaked = &canaries[..LEAKED.min(canaries.len() / ground::SOURCES)];
        list::write(&dir, rows as u64, leaked).expect("files that can be written");
    }
}
