//! The one integration-test binary.

mod backup;
mod bundle;
mod custody;
mod demo;
mod dossier;
mod drill;
mod evidence;
mod harness;
mod keys;
mod layers;
mod notation;
mod persona;
mod plant;
mod ports;
mod publish;
mod readme;
mod receive;
mod registry;
mod report;
mod servers;
mod source;
mod trace;
