//! Custody: who may do what, and what takes two.
//!
//! A person has a name, a token and a role; a role has rights. On pages and in the API the token
//! comes with each request. On the command line a person says a name with `--as` and proves it by the
//! token. Where `[custody] enforce` is set nobody goes without, and what was refused is recorded.
//!
//! This binds those who go by otori. Whoever can read the registry and its key as files goes past
//! it: keep those under an account that only the receiver runs as.

mod command;
mod config;
mod role;

pub use command::right_of;
pub use config::{CustodyConfig, PersonConfig, TwoPersonAct};
pub use role::{Right, Role};
