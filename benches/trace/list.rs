//! The list: strangers by the million, and some canaries of one source among them.

use std::io::Write;
use std::path::Path;

use otori::canary::Canary;
use otori::persona::{Generator, Locale, Seeds, Shape};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use time::macros::date;

use super::style::{COLUMNS, Style};

/// Lines that one thread makes at a time; the list is the same however many threads there are.
const CHUNK: u64 = 20_000;

/// Writes the list in UTF-8 and, beside it, in CP932.
///
/// # Errors
/// The files cannot be written.
pub fn write(dir: &Path, rows: u64, leaked: &[Canary]) -> std::io::Result<()> {
    let mut utf8 = std::fs::File::create(dir.join("list.csv"))?;
    let mut cp932 = std::fs::File::create(dir.join("list.cp932.csv"))?;
    let header: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let header = header.join(",") + "\r\n";
    utf8.write_all(header.as_bytes())?;
    cp932.write_all(&encoding_rs::SHIFT_JIS.encode(&header).0)?;
    let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
    let chunks = rows.div_ceil(CHUNK);
    let every = rows / leaked.len().max(1) as u64;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    for first in (0..chunks).step_by(threads as usize) {
        let numbers: Vec<u64> = (first..chunks.min(first + threads)).collect();
        let texts: Vec<(String, Vec<u8>)> = std::thread::scope(|scope| {
            let start = |chunk: u64| {
                let generator = &generator;
                let here = CHUNK.min(rows - chunk * CHUNK);
                scope.spawn(move || {
                    let text = lines(generator, chunk, here, every, leaked);
                    let bytes = windows(&text);
                    (text, bytes)
                })
            };
            let workers: Vec<_> = numbers.into_iter().map(start).collect();
            let done = workers.into_iter().map(|worker| worker.join());
            done.map(|text| text.expect("a chunk of lines")).collect()
        });
        for (text, bytes) in texts {
            utf8.write_all(text.as_bytes())?;
            cp932.write_all(&bytes)?;
        }
    }
    Ok(())
}

/// The canaries as they were planted, for the programs that otori is compared with.
///
/// # Errors
/// The file cannot be written.
pub fn canaries(dir: &Path, canaries: &[Canary]) -> std::io::Result<()> {
    let header: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = header.join(",") + "\n";
    for canary in canaries {
        let cells = canary.details.rows[0].cells.iter();
        let cells: Vec<&str> = cells.filter_map(|cell| cell.value.as_deref()).collect();
        text.push_str(&(cells.join(",") + "\n"));
    }
    std::fs::write(dir.join("canaries.csv"), text)
}

fn lines(generator: &Generator, chunk: u64, here: u64, every: u64, leaked: &[Canary]) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(chunk);
    let shape = Shape::families(3..=18);
    let mut text = String::new();
    for row in 0..here {
        let number = chunk * CHUNK + row;
        let style = Style::random(&mut rng);
        let canary = (number % every == every / 2)
            .then(|| leaked.get((number / every) as usize))
            .flatten();
        let cells = match canary {
            Some(canary) if rng.random_bool(0.5) => style.cells(&canary.details.household),
            Some(canary) => {
                let cells = &canary.details.rows[0].cells;
                std::array::from_fn(|place| cells[place].value.clone().unwrap_or_default())
            }
            None => style.cells(&generator.household(&mut rng, date!(2026 - 01 - 01), &shape)),
        };
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// As a Windows program writes it; what CP932 does not have becomes 〓.
fn windows(text: &str) -> Vec<u8> {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '〜' => '～',
            '−' => '－',
            other => other,
        })
        .collect();
    let (bytes, _, lost) = encoding_rs::SHIFT_JIS.encode(&plain);
    if !lost {
        return bytes.into_owned();
    }
    let known = |c: char| {
        let mut buffer = [0; 4];
        !encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut buffer)).2
    };
    let plain: String = plain
        .chars()
        .map(|c| if known(c) { c } else { '〓' })
        .collect();
    encoding_rs::SHIFT_JIS.encode(&plain).0.into_owned()
}
