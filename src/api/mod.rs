//! The management API, under `/{realm}/api/v1`: JSON in, JSON out.
//!
//! Who may use it has an access token of the realm itself, with the scope of what is asked for ([`crate::config::management`]). A person, and
//! whatever acts for one, manages what is their own; `platform:admin`, and a client that nobody owns for what it was registered for, manages
//! everything in the realm. What is somebody else's is not there: 404, whether it exists or not.
//!
//! Errors are problem details (RFC 9457). Lists come in pages, with a cursor. What can be changed has an `ETag`, and a change with `If-Match`
//! happens only to what its caller has seen (RFC 9110 section 13.1.1): decided by the principal, in the step that changes it. What is made may
//! be made with an `Idempotency-Key`: the same request again is answered as the first was. Instants are seconds since 1970 (`NumericDate`).
//!
//! `docs/openapi.json` has every operation; a test holds it against [`Operation`] and the answers.
//!
//! **Out of scope**: pages ([`crate::people`]).

mod asking;
mod audit;
mod bootstrap;
mod clients;
mod configuration;
mod credentials;
mod guard;
mod keys;
mod me;
mod operation;
mod problem;
mod request;
mod serve;
mod sessions;
mod shown;
mod users;

pub use guard::{Caller, Context};
pub use operation::Operation;
pub use request::Request;
pub use serve::{answer, serve};
