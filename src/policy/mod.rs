//! Route policy: which requests there are, what each needs, where each goes.
//!
//! Deny by default: what no route matches is refused. Two routes that could both match one request are a
//! configuration error ([`crate::config`]), so there is no order and no "most specific wins".
//!
//! **Out of scope**: whether a token grants what a route needs ([`crate::validator`]).

mod binding;
mod claim_headers;
mod cors;
mod fields;
mod headers;
mod limit;
mod overlap;
mod pattern;
mod place;
mod resource;
mod routes;
mod step_up;
mod tools;

pub use binding::Binding;
pub use claim_headers::{ClaimHeader, HeaderName};
pub use cors::Cors;
pub use fields::{RouteFields, Unseen};
pub use headers::{forwards, is_identity_header};
pub use limit::{LimitBy, RateLimit};
pub use pattern::PathPattern;
pub use place::TokenPlace;
pub use resource::{Described, Resource};
pub use routes::{Access, Ambiguity, Host, Method, Route, RouteTable, ScopeNeed, Upstream, Way};
pub use step_up::StepUp;
pub use tools::Tools;
