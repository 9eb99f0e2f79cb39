//! Sessions: one token grant, alive until it is idle, over, or ended.
//!
//! # The promise
//!
//! A bearer token expires when it is not used for the idle time: **never early, at most two grains late**.
//! The arithmetic, with grain *g*, idle limit *i*, and `t` the last use that the principal's Durable
//! Object has counted (the time of the request, however late the question arrived):
//!
//! - [`Leases`] lets one isolate answer from memory until `t + 2g`. A use in that time may be unknown to
//!   the authority, so the last real use lies in `[t, t + 2g]`.
//! - [`Session::touch`] therefore ends a session only after `t + i + 2g`: a use that nobody reported cannot
//!   make it end early, and a session that is really unused since `t` ends at most `2g` late.
//! - `g` is at most `i / 4` ([`Pace::new`]), so memory never answers past the idle limit itself.
//! - `g = 0` is the strict mode: nothing is remembered, every request asks, the limit is exact.
//!
//! The same bound holds for a session that is ended: memory answers for at most `2g` after the last touch.
//!
//! Two machines' clocks may differ: that difference adds to either side. The platform keeps it at milliseconds,
//! and a clock that is ahead of the authority's counts as the authority's.
//!
//! **Out of scope**: refresh rotation and revocation; where sessions are stored ([`crate::principal`]).

mod lease;
mod state;

pub use lease::{Ask, Leases};
pub use state::{EndReason, Pace, Session, Touch};
