//! Canaries into a source, checked, and out again.
//!
//! The order is what keeps promise 1: a canary is durably in the registry before its row is in a
//! database. Whatever stops the process in between, the registry knows of every row that could stand
//! there, and the next command finds out by looking whether it does.

mod allot;
mod audit;
mod compose;
mod error;
mod export;
mod eye;
mod fill;
mod known;
mod lend;
mod look;
mod lookup;
mod marks;
mod plan;
mod profile;
mod redraw;
mod resemblance;
mod rows;
mod settle;
mod shows;
mod split;
mod suppress;
mod tables;
mod tend;
mod towns;
mod unplant;
mod verify;
mod wide;
mod write;

pub use allot::{AreaCodes, Custom, Needs, Stock, allot};
pub use audit::{Audit, Period, audit};
pub use error::{Error, Result};
pub use export::{csv_rows, insert_statements, write_private};
pub use plan::{Ask, Plan, plan};
pub use profile::profile;
pub use settle::{Settled, settle};
pub use suppress::{Suppression, pad};
pub use tend::{
    Grounds, TendAsk, TendStep, Tended, Tending, VersionsSettled, plan_tending, settle_versions,
    tend,
};
pub use unplant::{Unplanted, removable, unplant};
pub use verify::{Verified, verify};
pub use write::{Step, plant, rehearse};
