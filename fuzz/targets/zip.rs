#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| otori::trace::doors::read("zip", bytes));
