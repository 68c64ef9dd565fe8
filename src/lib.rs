//! Otori (囮, decoy) plants customers who do not exist into customer databases, watches the mail
//! addresses, phone numbers and postal drops given to them, and pins a leaked list to its source.
//!
//! # The map of the house
//!
//! From the ground up; a module uses only what stands below it.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`persona`] | people who could exist: names, kana, births, addresses. Pure |
//! | [`notation`] | how values are written: folding, keys, formats, what a column means. Pure |
//! | [`canary`] | the vocabulary: ids, canaries, batches, contact points, sightings. Pure |
//! | [`weigh`] | whether a leak or chance explains what came. Pure |
//! | [`evidence`] | what can be proved later: entries, Merkle tree, signed checkpoints. Pure |
//! | [`blend`] | people like a table's own customers. Pure |
//! | [`drip`] | canaries one by one, at times like customers'. Pure |
//! | [`registry`] | the one store, sealed: SQLite or PostgreSQL |
//! | [`custody`] | people, roles and rights |
//! | [`secret`] | shared secrets in files |
//! | [`roots`] | root certificates of authorities that the world does not know |
//! | [`metrics`] | numbers for whoever watches the receiver |
//! | [`bundle`] | evidence handed out, and checked with nothing else at hand |
//! | [`backup`] | a workspace in one encrypted file |
//! | [`database`] | customer databases: catalog, rows, one transaction per batch |
//! | [`source`] | understanding a customer table |
//! | [`plant`] | canaries into a source, checked, aged, and out again |
//! | [`stealth`] | two thieves who try to pick the canaries out |
//! | [`receive`] | mail, calls and letters to sightings |
//! | [`retention`] | contents that are not needed any more go |
//! | [`relay`] | a mail server that takes mails of ours |
//! | [`alert`] | an incident to a person |
//! | [`publish`] | the log's checkpoints to an authority and to witnesses |
//! | [`drill`] | real messages to real canaries, to see that they are heard |
//! | [`trace`] | a leaked list to its source |
//! | [`report`] | documents for auditors, courts and regulators |
//! | [`cli`] | one file per verb; the only place where features meet |
//!
//! # The layer rule
//!
//! `persona`, `notation`, `canary`, `weigh`, `evidence`, `blend`, `drip` and `stealth` are pure: no tokio, no SQL, no clock, no thread RNG; time and
//! randomness are arguments. `source`, `plant`, `receive`, `alert`, `drill`, `trace` and `report`
//! never import each other. `tests/it/layers.rs` reads the `use crate::` lines and holds this.
#![forbid(unsafe_code)]

pub mod alert;
pub mod backup;
#[cfg(feature = "plant")]
pub mod blend;
pub mod bundle;
pub mod canary;
pub mod cli;
pub mod custody;
pub mod drip;
pub mod evidence;
#[cfg(any(feature = "report", feature = "trace"))]
pub mod figure;
pub mod metrics;
pub mod notation;
pub mod persona;
pub mod publish;
pub mod registry;
pub mod relay;
pub mod retention;
pub mod roots;
pub mod secret;
pub mod weigh;
pub mod workspace;

#[cfg(feature = "plant")]
pub mod database;
#[cfg(feature = "receive")]
pub mod drill;
#[cfg(feature = "plant")]
pub mod plant;
#[cfg(feature = "receive")]
pub mod receive;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "plant")]
pub mod source;
#[cfg(feature = "plant")]
pub mod stealth;
#[cfg(feature = "trace")]
pub mod trace;

pub use cli::run;
