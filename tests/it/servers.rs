//! The real servers that `tests/run` starts. A test that needs one fails without it: nothing is
//! skipped.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor};

/// A name that no other test of this run uses.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{}_{number}", std::process::id())
}

#[track_caller]
fn url(variable: &str) -> url::Url {
    let text = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run the tests by tests/run"));
    url::Url::parse(&text).unwrap()
}

/// A PostgreSQL database of the test's own: its URL.
pub async fn postgres() -> String {
    let mut url = url("OTORI_TEST_POSTGRES");
    let name = unique("otori");
    let mut server = sqlx::PgConnection::connect(url.as_str()).await.unwrap();
    let create = format!("create database {name}");
    server.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    url.set_path(&name);
    url.into()
}

/// A MariaDB database of the test's own: its URL.
pub async fn mysql() -> String {
    let mut url = url("OTORI_TEST_MYSQL");
    let name = unique("otori");
    let mut server = sqlx::MySqlConnection::connect(url.as_str()).await.unwrap();
    let create = format!("create database {name} character set utf8mb4");
    server.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    url.set_path(&name);
    url.into()
}
