//! The ground of the speed measurement: a list such as that of 2014, and a workspace of canaries of
//! which some are in it.
//!
//! `cargo bench --bench trace -- make DIR [ROWS [CANARIES]]` makes `list.csv` (UTF-8),
//! `list.cp932.csv`, `canaries.csv` and a workspace in DIR; `benches/trace/compare.py DIR` then measures
//! otori and others on them. `scan DIR ROWS CANARIES FILE` traces a file without a workspace, and says
//! how long each step takes; `workspace DIR 0 CANARIES` and `open DIR 0 CANARIES` say it of registering
//! canaries and of reading them. A plain `cargo bench` only says so.

mod ground;
mod list;
mod style;
mod width;

use std::path::{Path, PathBuf};
use std::time::Instant;

use otori::canary::{Batch, Canary};
use otori::trace::{Settings, Watch, trace_file};
use time::OffsetDateTime;

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
    let place = dir.join(format!("workspace-{count}"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if verb == "open" {
        return runtime.block_on(ground::open(&place));
    }
    let (batches, canaries) = ground::canaries(count);
    if matches!(verb.as_str(), "make" | "workspace") {
        runtime.block_on(ground::workspace(&place, &batches, &canaries));
    }
    if verb == "scan" {
        return scan(&batches, &canaries, &dir.join(&numbers[2]));
    }
    if matches!(verb.as_str(), "make" | "list") {
        let leaked = &canaries[..LEAKED.min(canaries.len() / ground::SOURCES)];
        list::canaries(&dir, &canaries).expect("a file that can be written");
        list::write(&dir, rows as u64, leaked).expect("files that can be written");
    }
}

fn scan(batches: &[Batch], canaries: &[Canary], file: &Path) {
    let start = Instant::now();
    let watch = Watch::new(&[], batches, canaries);
    eprintln!("watch: {:.2?}", start.elapsed());
    let settings = Settings::new(OffsetDateTime::now_utc());
    let report = trace_file(&watch, file, &settings, &mut |_| {}).expect("a list that opens");
    println!(
        "{} rows, {} canaries found, {:.2?}",
        report.list.rows,
        report.decision.canaries.len(),
        report.elapsed
    );
}
