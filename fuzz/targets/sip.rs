#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| otori::receive::doors::sip(bytes));
