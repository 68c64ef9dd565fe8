//! The one integration-test binary.

mod harness;
mod layers;
mod notation;
mod persona;
mod plant;
mod receive;
mod registry;
mod servers;
mod source;
