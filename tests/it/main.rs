//! The one integration-test binary.

mod harness;
mod layers;
mod notation;
mod persona;
mod notation;
mod plant;
mod receive;
mod registry;
mod servers;
