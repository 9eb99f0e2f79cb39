//! Principals: who a token speaks for, and what is kept of them.
//!
//! One principal is one Durable Object. [`step`] is everything that it does: one question, one answer, no
//! await in between, so that what it reads is what it writes. The object itself only loads, calls, stores
//! and answers; native tests drive the same function over a map.
//!
//! **Out of scope**: users, roles and consents; how questions travel ([`crate::port`]).

mod client;
mod step;
mod storage_key;

pub use client::{Client, GrantType};
pub use step::{Answer, Authenticate, OpenSession, Opened, Question, RegisterClient, Rows, step};
pub use storage_key::{client_key, jwks_key, keyring_name};
