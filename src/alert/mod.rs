//! An incident to a person.

mod config;

pub use config::AlertConfig;
