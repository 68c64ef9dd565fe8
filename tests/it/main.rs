//! The one integration-test binary.

mod demo;
mod evidence;
mod harness;
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
