//! The issuer of a realm: discovery, keys, tokens, their revocation and introspection, registration of clients.
//!
//! [`Endpoint`] is the one table of what a realm serves: routing, `Allow`, discovery, documentation and tests
//! read it. **Out of scope**: people, and making codes.

mod client;
mod endpoint;
mod introspect;
mod issue;
mod jwks;
mod known;
mod metadata;
mod redirect_uri;
mod register;
mod registration;
mod revoke;
mod standing;
mod token;

pub use client::{MAX_FORM, Stop};
pub use endpoint::{Endpoint, Routed};
pub use introspect::introspect;
pub use jwks::jwks;
pub use known::KnownClients;
pub use metadata::metadata;
pub(crate) use register::{MAX_REGISTRATION, change, delete, new_id, take_in};
pub use register::{Management, manage, register};
pub(crate) use registration::{Metadata, Rights, Told, known_roles};
pub use revoke::revoke;
pub use standing::StandingGrants;
pub use token::token;
