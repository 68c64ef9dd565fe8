//! The one integration-test binary.

mod backup;
mod custody;
mod demo;
mod dossier;
mod evidence;
mod harness;
mod keys;
mod layers;
mod notation;
mod persona;
mod plant;
mod readme;
mod receive;
mod registry;
mod servers;
mod source;
mod trace;
