//! The one integration-test binary.

mod layers;
mod plant;
mod registry;
mod servers;
