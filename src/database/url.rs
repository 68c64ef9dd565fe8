//! Where a customer database is: the URL as the operator typed it, with its password kept from sight.

use std::path::{Path, PathBuf};

use super::Error;

/// The database engines that otori plants into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite, in a file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
    /// A CSV file with a header line.
    Csv,
}

impl Engine {
    /// The engine's name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
            Engine::MySql => "MySQL",
            Engine::Csv => "CSV",
        }
    }
}

/// A connection URL: `sqlite:PATH`, `postgres://…`, `mysql://…` or `csv:PATH`.
///
/// `Display` and `Debug` show it without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    text: String,
}

impl DatabaseUrl {
    /// The engine that it names.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The whole URL with its password, for storing it sealed.
    pub fn secret(&self) -> &str {
        &self.text
    }

    /// The file of an SQLite or CSV URL.
    pub fn path(&self) -> Option<PathBuf> {
        let rest = match self.engine {
            Engine::Sqlite => self.text.strip_prefix("sqlite:")?,
            Engine::Csv => self.text.strip_prefix("csv:")?,
            Engine::Postgres | Engine::MySql => return None,
        };
        Some(PathBuf::from(rest.strip_prefix("//").unwrap_or(rest)))
    }

    /// The same URL with a relative path made absolute, so that it means the same from any directory.
    #[must_use]
    pub fn absolute(&self, base: &Path) -> DatabaseUrl {
        let Some(path) = self.path() else {
            return self.clone();
        };
        let scheme = if self.engine == Engine::Csv {
            "csv"
        } else {
            "sqlite"
        };
        let text = format!("{scheme}:{}", base.join(path).display());
        DatabaseUrl {
            engine: self.engine,
            text,
        }
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Error;
    fn from_str(text: &str) -> Result<DatabaseUrl, Error> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once(':')
            .ok_or(Error::Url("it does not begin with a scheme"))?;
        let engine = match scheme {
            "sqlite" => Engine::Sqlite,
            "csv" => Engine::Csv,
            "postgres" | "postgresql" => Engine::Postgres,
            "mysql" | "mariadb" => Engine::MySql,
            _ => return Err(Error::Url("its scheme is none of these")),
        };
        match engine {
            Engine::Sqlite | Engine::Csv if rest.trim_start_matches('/').is_empty() => {
                return Err(Error::Url("the path to the file is missing"));
            }
            Engine::Sqlite if rest.contains(":memory:") => {
                return Err(Error::Url("a database in memory holds no customers"));
            }
            Engine::Sqlite | Engine::Csv => {}
            Engine::Postgres | Engine::MySql => {
                let url = url::Url::parse(text).map_err(|_| {
                    Error::Url(
                        "it is not a URL (are special letters of the password written as %XX?)",
                    )
                })?;
                if url.path().trim_matches('/').is_empty() {
                    return Err(Error::Url(
                        "the name of the database is missing (…://HOST/NAME)",
                    ));
                }
            }
        }
        Ok(DatabaseUrl {
            engine,
            text: text.to_owned(),
        })
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path().is_some() {
            return f.write_str(&self.text);
        }
        // Parsed once already, so this cannot fail; and if it did, nothing of it may be shown.
        let Ok(mut url) = url::Url::parse(&self.text) else {
            return f.write_str("(unreadable URL)");
        };
        if url.password().is_some() {
            let _ = url.set_password(Some("***"));
        }
        // Drivers read passwords from the query as well, under several names.
        let names: Vec<String> = url
            .query_pairs()
            .map(|(name, _)| name.into_owned())
            .collect();
        if !names.is_empty() {
            url.set_query(Some(
                &names
                    .iter()
                    .map(|name| format!("{name}=***"))
                    .collect::<Vec<_>>()
                    .join("&"),
            ));
        }
        f.write_str(url.as_str())
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for typed in [
            "postgres://u:geheim@db.example/shop",
            "mysql://u:geheim@db.example:3307/shop?ssl-mode=required",
            "postgresql://db.example/shop?user=u&password=geheim",
        ] {
            let url: DatabaseUrl = typed.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("geheim"), "{url}");
            assert!(format!("{url}").contains("db.example"), "{url}");
            assert_eq!(url.secret(), typed);
        }
    }

    #[test]
    fn what_is_not_a_url_of_ours_is_refused_without_repeating_it() {
        for typed in [
            "",
            "oracle://u:geheim@h/x",
            "postgres://u:geheim@h",
            "sqlite:",
            "csv:",
            "/var/geheim.db",
            "mysql://u:ge heim@[::/x",
            "sqlite::memory:",
        ] {
            let error = typed.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("heim"), "{error}");
        }
        let url: DatabaseUrl = "sqlite:shop.db".parse().unwrap();
        assert_eq!(
            url.absolute(Path::new("/srv")).secret(),
            "sqlite:/srv/shop.db"
        );
    }
}
