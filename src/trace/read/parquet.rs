//! Parquet, row by row. The crate that reads it is large: it is there only with the cargo feature `parquet`.

#[cfg(feature = "parquet")]
pub use reader::read;

/// Reads a Parquet file.
///
/// # Errors
/// Always: this build cannot.
#[cfg(not(feature = "parquet"))]
pub fn read(
    _name: &str,
    _file: std::fs::File,
    _opener: &mut super::unpack::Opener<'_>,
) -> std::io::Result<()> {
    Err(std::io::Error::other(
        "a Parquet file, which this otori was built without a reader for: build it with \
         cargo build --release --features parquet, or save the file as CSV",
    ))
}

#[cfg(feature = "parquet")]
mod reader {
    use std::fs::File;
    use std::io;

    use parquet::errors::ParquetError;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use time::{Date, Duration, OffsetDateTime};

    use super::super::part::Head;
    use super::super::records::Kind;
    use super::super::rows::Keyed;
    use super::super::unpack::Opener;

    /// Reads a Parquet file; what is nested becomes columns named by their path.
    ///
    /// # Errors
    /// It is damaged or encrypted.
    pub fn read(name: &str, file: File, opener: &mut Opener<'_>) -> io::Result<()> {
        let reader = SerializedFileReader::new(file).map_err(words)?;
        let mut rows = Keyed::new(Head::split(name, "parquet", "utf-8"));
        let mut read = Ok(());
        for row in reader.get_row_iter(None).map_err(words)? {
            match row {
                Ok(row) => {
                    let mut pairs = Vec::new();
                    for (column, field) in row.get_column_iter() {
                        add(&mut pairs, column, field);
                    }
                    rows.push(&mut pairs, Kind::Sound, opener)?;
                }
                Err(error) => {
                    read = Err(words(error));
                    break;
                }
            }
        }
        rows.flush(opener)?;
        read
    }

    fn add(pairs: &mut Vec<(String, String)>, name: &str, field: &Field) {
        match field {
            Field::Group(row) => {
                for (below, field) in row.get_column_iter() {
                    add(pairs, &format!("{name}.{below}"), field);
                }
            }
            Field::ListInternal(list) => {
                for (place, field) in list.elements().iter().enumerate() {
                    add(pairs, &format!("{name}.{place}"), field);
                }
            }
            Field::MapInternal(map) => {
                for (key, field) in map.entries() {
                    add(pairs, &format!("{name}.{}", text(key)), field);
                }
            }
            field => pairs.push((name.to_owned(), text(field))),
        }
    }

    fn text(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
            Field::Date(days) => date(*days).unwrap_or_default(),
            Field::TimestampMillis(millis) => moment(i128::from(*millis) * 1_000_000),
            Field::TimestampMicros(micros) => moment(i128::from(*micros) * 1_000),
            other => other.to_string(),
        }
    }

    fn date(days: i32) -> Option<String> {
        let epoch = Date::from_ordinal_date(1970, 1).ok()?;
        let date = epoch.checked_add(Duration::days(i64::from(days)))?;
        Some(date.to_string())
    }

    fn moment(nanos: i128) -> String {
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos);
        at.map_or_else(
            |_| String::new(),
            |at| format!("{} {}", at.date(), at.time()),
        )
    }

    fn words(error: ParquetError) -> io::Error {
        io::Error::other(format!("the Parquet file cannot be read: {error}"))
    }
}
