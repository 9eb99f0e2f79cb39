//! The issuer of a realm: discovery, keys, tokens, their revocation and introspection, who a person is, registration of clients.
//!
//! [`Endpoint`] is the one table of what a realm serves: routing, `Allow`, discovery, documentation and tests
//! read it. **Out of scope**: pages, and making codes ([`crate::people`]).

mod client;
mod client_information;
mod cors;
mod endpoint;
mod introspect;
mod issue;
mod jwks;
mod known;
mod logout_token;
mod metadata;
mod own_token;
mod proof;
mod redirect_uri;
mod register;
mod registration;
mod revoke;
mod rights;
mod standing;
mod token;
mod userinfo;

pub use client::{MAX_FORM, Stop};
pub(crate) use client::{admit, form, source};
pub(crate) use client_information::Told;
pub use cors::preflight;
pub use endpoint::{Endpoint, Routed};
pub use introspect::introspect;
pub(crate) use introspect::{Caller, caller};
pub(crate) use jwks::every_key;
pub use jwks::jwks;
pub use known::KnownClients;
pub(crate) use known::{known_client, remember, remembered};
pub use logout_token::send_logout_token;
pub(crate) use metadata::acr_values;
pub use metadata::metadata;
pub(crate) use own_token::{OwnToken, checked, own_token, refusal};
pub(crate) use proof::{INVALID_PROOF, proof_of_client, with_nonce};
pub use register::{Management, manage, register};
pub(crate) use register::{change, forget, new_id};
pub(crate) use registration::{Metadata, known_roles};
pub(crate) use revoke::end;
pub use revoke::revoke;
pub(crate) use rights::Rights;
pub use standing::StandingGrants;
pub use token::token;
pub(crate) use token::{redeem, take_as_long, targets};
pub use userinfo::userinfo;
