//! Native tests through the crate's public face: attacks, flows over fakes, properties, vectors, drift.
//!
//! The fakes stand behind the ports only, for faults and clocks; what is decided is the code that ships.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that fails is a panic"
)]

mod attacks;
mod drift;
mod fakes;
mod flows;
#[cfg(feature = "policy")]
mod policy_check;
mod presets;
mod simulator;
mod vectors;
