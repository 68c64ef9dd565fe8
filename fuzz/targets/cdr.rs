//! Call records, by both layouts.
#![no_main]

use otori::notation::sheet::DateOrder;
use otori::receive::cdr::{Clock, Layout, read};
use time::{OffsetDateTime, UtcOffset};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let clock = Clock {
        offset: UtcOffset::UTC,
        order: bytes.first().map(|first| match first % 2 {
            0 => DateOrder::DayFirst,
            _ => DateOrder::MonthFirst,
        }),
    };
    for layout in [Layout::Asterisk, Layout::Header(Vec::new())] {
        let mut last = 0;
        let _ = read(bytes, &layout, clock, |record| {
            let line = match record {
                Ok(record) => {
                    record.message(OffsetDateTime::UNIX_EPOCH);
                    record.line
                }
                Err(bad) => bad.line,
            };
            assert!(line > last, "lines in order");
            last = line;
        });
    }
});
