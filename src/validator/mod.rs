//! From text to trust, in four states that cannot be skipped: [`Presented`] -> [`Verified`] -> [`Permitted`] -> [`Authorized`].
//!
//! The order of checks, cheap first: size, shape, issuer, `typ`, `alg`, claims and time, then at most one
//! signature check, then scopes, then the session. A token whose signature this isolate has checked before goes
//! the same way, without the signature check. Each state has private fields and one way in, so "used before
//! checked" does not compile.
//!
//! **In scope**: JWTs of our own realms and of other issuers. **Out of scope**: finding the token in a request
//! ([`crate::http::bearer`]), choosing the route ([`crate::gateway`]).

mod access_token;
mod as_client;
mod by_token;
mod cutoff;
mod fact;
mod id_token;
mod introspection;
mod isolate;
mod jws;
mod keys;
mod library;
mod permitted;
mod possession;
mod provider;
mod remote;
mod session;
mod states;

pub use access_token::AccessToken;
pub(crate) use as_client::authenticate_as;
pub use id_token::{Expected, IdToken, profile_of, verify_id_token};
pub use isolate::Isolate;
pub use jws::{Jws, Keys};
pub use keys::{KeyCache, key_set};
pub use library::Validator;
pub use permitted::{Authorized, Need, Permitted};
pub(crate) use possession::{ask_once, check_nonce, fresh_nonce, prove, use_once};
pub use provider::{ProviderMetadata, provider_metadata};
pub use session::{Chore, run_chore};
pub use states::{Presented, Verified, verify};
