//! Lists that hold no canary, as long as wanted, and the files that other tools are compared on.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use otori::notation::Role;
use otori::persona::Locale;
use otori::trace::{Document, Settings, trace};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::leak::ground::{Ground, NOW};
use super::leak::layout::csv;

/// So many people are drawn; a list puts their names, dates, addresses and contact points together anew,
/// so that it is as long as wanted and no row is a canary's but by chance.
const PEOPLE: usize = 200_000;
/// Lists are at most so long: a leak is not longer.
const LIST: u64 = 10_000_000;

/// Counts the canaries found where there are none.
pub fn count(rows: u64, canaries: usize) {
    let ground = Ground::new(Locale::JaJp, PEOPLE, canaries, 3);
    let watch = ground.watch();
    let ids: std::collections::HashSet<&str> = ground
        .canaries
        .iter()
        .filter_map(|canary| canary.details.household.email.as_deref())
        .collect();
    let email = ground.table.place(Role::Email).expect("a column");
    let people: Vec<Vec<String>> = ground
        .table
        .rows
        .iter()
        .filter(|row| !ids.contains(row.cells[email].as_str()))
        .map(|row| row.cells.clone())
        .collect();
    let (mut done, mut false_canaries, mut accused) = (0, 0, 0);
    let started = Instant::now();
    while done < rows {
        let length = LIST.min(rows - done);
        let list = Strangers::new(&people, length, 1000 + done);
        let settings = Settings::new(NOW);
        let report = trace(&watch, "strangers.csv", list, &settings, &mut |_| {});
        let report = report.expect("a list in memory can be read");
        let shown = serde_json::to_value(Document::from(&report)).expect("a report is JSON");
        assert_eq!(report.list.rows, length, "every row is read");
        let named = shown["canaries"].as_array().map_or(0, Vec::len);
        false_canaries += named;
        accused += usize::from(shown["verdict"] == "attributed");
        done += length;
        println!(
            "{done} rows, {canaries} canaries looked for: {false_canaries} false canaries, {accused} false accusations, {:.0} s",
            started.elapsed().as_secs_f64()
        );
    }
}

/// A list of strangers that is made as it is read.
struct Strangers<'a> {
    people: &'a [Vec<String>],
    left: u64,
    rng: StdRng,
    line: Vec<u8>,
    at: usize,
}

impl Strangers<'_> {
    fn new(people: &[Vec<String>], rows: u64, seed: u64) -> Strangers<'_> {
        let header = "会員番号,氏名,フリガナ,郵便番号,住所,電話番号,メールアドレス,生年月日\n";
        Strangers {
            people,
            left: rows,
            rng: StdRng::seed_from_u64(seed),
            line: header.as_bytes().to_vec(),
            at: 0,
        }
    }

    fn next_line(&mut self) {
        self.at = 0;
        self.line.clear();
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let one = |rng: &mut StdRng| &self.people[rng.random_range(0..self.people.len())];
        let rng = &mut self.rng;
        let (name, place, phone, mail, birth) = (one(rng), one(rng), one(rng), one(rng), one(rng));
        let cells = [
            &name[0], &name[1], &name[2], &place[3], &place[4], &phone[5], &mail[6], &birth[7],
        ];
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.line.push(b',');
            }
            self.line.extend_from_slice(cell.as_bytes());
        }
        self.line.push(b'\n');
    }
}

impl Read for Strangers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.at == self.line.len() {
                self.next_line();
                if self.line.is_empty() {
                    break;
                }
            }
            let some = (buffer.len() - filled).min(self.line.len() - self.at);
            buffer[filled..filled + some].copy_from_slice(&self.line[self.at..self.at + some]);
            filled += some;
            self.at += some;
        }
        Ok(filled)
    }
}

/// Writes what `compare.py` reads: the canaries as planted, and the list of all edits mixed with the
/// number of the canary behind each row.
pub fn files(directory: &Path, rows: usize, canaries: usize) {
    let ground = Ground::new(Locale::JaJp, rows, canaries, 1);
    let mut rng = StdRng::seed_from_u64(10);
    let mixed = ground.mixed_table(&mut rng);
    let owner = |email: &str| {
        ground
            .canaries
            .iter()
            .position(|canary| canary.details.household.email.as_deref() == Some(email))
    };
    let write = |name: &str, bytes: &[u8]| {
        let mut file = std::fs::File::create(directory.join(name)).expect("a file");
        file.write_all(bytes).expect("room on the disk");
    };
    let email = ground.table.place(Role::Email).expect("a column");
    let owners = ground.table.rows.iter().map(|row| owner(&row.cells[email]));
    let truth: Vec<String> = owners
        .map(|owner| owner.map(|owner| owner.to_string()).unwrap_or_default())
        .collect();
    write("truth.txt", (truth.join("\n") + "\n").as_bytes());
    write("list.csv", &csv(&mixed));
    let mut planted = ground.table.clone();
    planted
        .rows
        .retain(|row| owner(&row.cells[email]).is_some());
    planted.rows.sort_by_key(|row| owner(&row.cells[email]));
    write("canaries.csv", &csv(&planted));
}
