//! The seed tables: names, towns, numbers, frequencies. They are in the binary; an operator can lay
//! files of their own over them.
//!
//! Every file states its origin, its licence and its number of rows in its first lines, and is
//! refused if that does not hold. Reading an overlay is the one place where `persona` touches files.

mod en;
mod ja;
mod table;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub(super) use en::{En, StreetPart};
pub(super) use ja::{AgeGroup, Given, Ja, Style, Town, TownKind, WordKind, WordPosition};
use table::File;
pub use table::Statement;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../seeds/", $name)))),+]
    };
}

/// Every seed file by its name in `seeds/`.
const EMBEDDED: &[(&str, &[u8])] = embedded![
    "ja_JP/prefectures.csv",
    "ja_JP/cities.csv",
    "ja_JP/towns.csv.gz",
    "ja_JP/landlines.csv",
    "ja_JP/family_names.csv.gz",
    "ja_JP/given_names.csv.gz",
    "ja_JP/given_name_eras.csv",
    "ja_JP/ages.csv",
    "ja_JP/block_shapes.csv",
    "ja_JP/building_words.csv",
    "en_US/given_names.csv.gz",
    "en_US/births.csv",
    "en_US/surnames.csv.gz",
    "en_US/zips.csv.gz",
    "en_US/area_codes.csv",
    "en_US/street_words.csv",
];

/// A seed file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A file or directory that cannot be read.
    #[error("cannot read {}: {source}; give a directory with ja_JP/ or en_US/ in it", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file in an overlay that replaces nothing.
    #[error("{} replaces no seed file; the seed files are: {names}", path.display())]
    UnknownFile {
        /// Which.
        path: PathBuf,
        /// The names that there are.
        names: String,
    },
    /// A file without one of its columns.
    #[error("{} has no column '{column}'; its first line must name the columns {columns}", path.display())]
    Column {
        /// Which file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
        /// All columns that it should have.
        columns: String,
    },
    /// A line that is no row of the table.
    #[error("{}, line {line}: {why}; mend the line or leave it out", path.display())]
    Csv {
        /// Which file.
        path: PathBuf,
        /// Line, 1-based.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A cell that is not what its column holds.
    #[error("{}, line {line}, column '{column}': '{found}' is not {wanted}", path.display())]
    Cell {
        /// Which file.
        path: PathBuf,
        /// Line, 1-based.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What should stand there.
        wanted: String,
    },
    /// The head of a file does not state origin, licence and rows.
    #[error("{} must begin with the lines '# origin: …', '# licence: …' and '# rows: …'", path.display())]
    Statement {
        /// Which file.
        path: PathBuf,
    },
    /// The number of rows is not the stated one.
    #[error("{} states {stated} rows and has {counted}; restore the missing rows or correct '# rows:'", path.display())]
    RowCount {
        /// Which file.
        path: PathBuf,
        /// As its head says.
        stated: usize,
        /// As counted.
        counted: usize,
    },
    /// A table without rows, or without any weight above 0.
    #[error("{} has nothing to draw from; give it at least one row with a weight above 0", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

/// The tables that people are made from; cheap to clone.
#[derive(Clone)]
pub struct Seeds {
    pub(super) ja: Arc<Ja>,
    pub(super) en: Arc<En>,
}

impl Seeds {
    /// The tables in the binary, read once per process.
    pub fn embedded() -> Seeds {
        static SEEDS: OnceLock<Seeds> = OnceLock::new();
        let seeds = SEEDS.get_or_init(|| {
            Seeds::read(embedded).expect("seeds/ is checked by the tests of this module")
        });
        seeds.clone()
    }

    /// The tables in the binary, but where `dir` holds a file of the same name
    /// (`ja_JP/towns.csv`, plain or `.gz`), that one. In such a file the lines that state origin,
    /// licence and rows may be left out; if they are there, they must hold.
    ///
    /// # Errors
    /// A directory or file that cannot be read, a CSV file that replaces nothing, or a file whose
    /// content is not as it should be: with file, line and column.
    pub fn overlaid(dir: &Path) -> Result<Seeds, SeedError> {
        refuse_strangers(dir)?;
        Seeds::read(|name| {
            let plain = name.trim_end_matches(".gz");
            for candidate in [plain.to_owned(), format!("{plain}.gz")] {
                let path = dir.join(candidate);
                if path.is_file() {
                    let read = std::fs::read(&path).and_then(|bytes| text(&path, &bytes));
                    return match read {
                        Ok(text) => Ok(File {
                            path,
                            text,
                            embedded: false,
                        }),
                        Err(source) => Err(SeedError::Read { path, source }),
                    };
                }
            }
            embedded(name)
        })
    }

    fn read(file: impl Fn(&'static str) -> Result<File, SeedError>) -> Result<Seeds, SeedError> {
        Ok(Seeds {
            ja: Arc::new(Ja::read(&file)?),
            en: Arc::new(En::read(&file)?),
        })
    }

    /// What each file in the binary states about itself, by name in `seeds/`.
    ///
    /// # Errors
    /// A file without its statement.
    pub fn statements() -> Result<Vec<(&'static str, Statement)>, SeedError> {
        let one = |&(name, _): &(&'static str, &[u8])| {
            let file = embedded(name)?;
            match file.statement() {
                (Some(statement), _) => Ok((name, statement)),
                (None, _) => Err(SeedError::Statement { path: file.path }),
            }
        };
        EMBEDDED.iter().map(one).collect()
    }
}

fn embedded(name: &'static str) -> Result<File, SeedError> {
    let path = PathBuf::from("seeds").join(name);
    let found = EMBEDDED.iter().find(|(known, _)| *known == name);
    let read = match found {
        Some((_, bytes)) => text(&path, bytes),
        None => Err(std::io::ErrorKind::NotFound.into()),
    };
    match read {
        Ok(text) => Ok(File {
            path,
            text,
            embedded: true,
        }),
        Err(source) => Err(SeedError::Read { path, source }),
    }
}

fn text(path: &Path, bytes: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text)?;
    } else {
        let mut bytes = bytes;
        bytes.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// A misspelt file name would silently change nothing.
fn refuse_strangers(dir: &Path) -> Result<(), SeedError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| SeedError::Read { path, source }
    };
    let listed = |dir: &Path| -> Result<Vec<PathBuf>, SeedError> {
        let entries = std::fs::read_dir(dir).map_err(unreadable(dir))?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(unreadable(dir))?.path());
        }
        paths.sort();
        Ok(paths)
    };
    let mut files = Vec::new();
    for path in listed(dir)? {
        if path.is_dir() {
            files.extend(listed(&path)?);
        } else {
            files.push(path);
        }
    }
    for path in files {
        let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy();
        let plain = name.trim_end_matches(".gz").replace('\\', "/");
        let known = EMBEDDED
            .iter()
            .any(|(known, _)| known.trim_end_matches(".gz") == plain);
        if plain.ends_with(".csv") && !known {
            let names: Vec<&str> = EMBEDDED
                .iter()
                .map(|(n, _)| n.trim_end_matches(".gz"))
                .collect();
            return Err(SeedError::UnknownFile {
                path,
                names: names.join(", "),
            });
        }
    }
    Ok(())
}

/// Refuses a table in which nothing has a weight.
fn some_weight<T>(file: &File, rows: &[T], weight: impl Fn(&T) -> u32) -> Result<(), SeedError> {
    if rows.iter().any(|row| weight(row) > 0) {
        Ok(())
    } else {
        Err(SeedError::Empty {
            path: file.path.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_states_origin_licence_and_a_row_count_that_holds() {
        // Reading compares the count.
        Seeds::read(embedded).unwrap();
        let statements = Seeds::statements().unwrap();
        assert_eq!(statements.len(), EMBEDDED.len());
        let sources = include_str!("../../../seeds/SOURCES.md");
        for (name, statement) in statements {
            assert!(
                sources.contains(&format!("| {name} | ")),
                "{name} is not in seeds/SOURCES.md"
            );
            assert!(
                sources.contains(&statement.origin) && sources.contains(&statement.licence),
                "{name}"
            );
        }
    }

    #[test]
    fn the_binary_holds_every_file_of_seeds() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        refuse_strangers(&seeds).unwrap();
    }
}
