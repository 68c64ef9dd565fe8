//! Planting into real databases: one story on SQLite, PostgreSQL and MariaDB, a crash at every step,
//! and everything that must be refused.

mod blend;
mod catalog;
mod crash;
mod drip;
pub mod ground;
mod profile;
mod refusals;
mod related;
pub mod shop;
mod shows;
mod story;
mod suppress;
mod tend;
mod whole;
