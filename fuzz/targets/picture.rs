//! A picture to a readable page: decoded, cut out and straightened, and looked through for bar codes.
#![no_main]

use otori::receive::reading::bars;
use otori::receive::reading::picture::{decode, readable};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(picture) = decode(bytes) else { return };
    assert_eq!(picture.pixels.len(), picture.width * picture.height);
    // What is large takes long, and is in the decoder's limits.
    if picture.pixels.len() < 100_000 {
        bars::read(&readable(picture));
    }
});
