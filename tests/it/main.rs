//! The one integration-test binary.

mod layers;
mod registry;
mod servers;
