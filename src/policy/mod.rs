//! Route policy: which requests there are, what each needs, where each goes.
//!
//! Deny by default: what no route matches is refused. Two routes that could both match one request are a
//! configuration error ([`crate::config`]), so there is no order and no "most specific wins".
//!
//! **Out of scope**: whether a token grants what a route needs ([`crate::validator`]).

mod binding;
mod fields;
mod headers;
mod pattern;
mod place;
mod resource;
mod routes;
mod step_up;

pub use binding::Binding;
pub use fields::{RouteFields, Unseen};
pub use headers::{forwards, is_identity_header};
pub use pattern::PathPattern;
pub use place::TokenPlace;
pub use resource::Resource;
pub use routes::{Access, Ambiguity, Host, Method, Route, RouteTable, ScopeNeed, Upstream, Way};
pub use step_up::StepUp;
