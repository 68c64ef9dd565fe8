//! Planting into real databases: one story on SQLite, PostgreSQL and MariaDB, a crash at every step,
//! and everything that must be refused.

mod catalog;
mod crash;
mod ground;
mod refusals;
mod story;
mod whole;
