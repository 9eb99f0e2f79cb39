//! tollgate: an edge token validator and a light OAuth issuer, in one crate.
//!
//! At the edge (Cloudflare Workers, `workerd`) it validates bearer tokens, filters API requests by
//! route policy, and issues access tokens from a KV-backed issuer. In the browser the same crate is a
//! PKCE helper.
//!
//! # The map
//!
//! | layer | modules | may use |
//! | --- | --- | --- |
//! | vocabulary | [`check`], [`email`], [`encoding`], [`error`], [`id`], [`json`], [`label`], [`pkce`], [`registered`], [`scope`], [`secret`], [`time`], [`uri`] | each other |
//! | rules | [`directory`], [`dpop`], [`grant`], [`http`], [`keyring`], [`policy`], [`principal`], [`redact`], [`session`], [`token`], [`webauthn`] | vocabulary, each other |
//! | use cases | [`api`], [`app`], [`config`], [`console`], [`gateway`], [`oauth`], [`people`], [`port`], [`validator`] | rules, vocabulary |
//! | adapters | `edge`, `browser`, `policy_check`, `software`, `webcrypto` | everything |
//!
//! The table is enforced by `tests/architecture.rs` and explained in `docs/architecture.md`.
//!
//! # As a library
//!
//! [`Validator`] validates access tokens and [`Jws`] verifies a signature over anything, natively or in another worker:
//! `default-features = false, features = ["jwt"]`, or `["webcrypto"]` where there is `crypto.subtle`.
//!
//! # In scope
//!
//! Validating, issuing and enforcing tokens. Everything that decides is a plain function of its
//! arguments: time, randomness and storage come in through [`port`].
//!
//! # Out of scope
//!
//! JWE, the implicit grant, anything that follows a URL found in a token's header.

// The two artefacts must never be one module: whatever a worker exports is callable over RPC.
#[cfg(all(feature = "worker", feature = "browser", target_arch = "wasm32", not(clippy), not(doc)))]
compile_error!("`worker` and `browser` are two artefacts; build one at a time");

pub mod check;
pub mod email;
pub mod encoding;
pub mod error;
pub mod id;
pub mod json;
pub mod label;
pub mod pkce;
pub mod registered;
pub mod scope;
pub mod secret;
pub mod time;
pub mod uri;

pub mod directory;
pub mod dpop;
pub mod grant;
pub mod http;
pub mod keyring;
pub mod policy;
pub mod principal;
pub mod redact;
pub mod session;
pub mod token;
pub mod webauthn;

pub mod api;
pub mod app;
pub mod config;
pub mod console;
pub mod gateway;
pub mod oauth;
pub mod people;
pub mod port;
pub mod validator;

pub use validator::{AccessToken, Jws, Validator};

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "worker")]
mod edge;
#[cfg(feature = "policy")]
pub mod policy_check;
#[cfg(feature = "jwt")]
pub mod software;
#[cfg(feature = "webcrypto")]
pub mod webcrypto;
