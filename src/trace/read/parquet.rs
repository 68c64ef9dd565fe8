//! Parquet, row by row. The reader is large: it is there only with the cargo feature `parquet`.

use std::io;

use super::unpack::{Opener, Seekable};

/// Reads a Parquet file.
///
/// # Errors
/// It is damaged or encrypted.
#[cfg(not(feature = "parquet"))]
pub fn read(_name: &str, _file: Box<dyn Seekable>, _opener: &mut Opener<'_>) -> io::Result<()> {
    Err(io::Error::other(
        "a Parquet file, which this otori was built without a reader for: build it with --features parquet, or save the file as CSV",
    ))
}
