//! Principals: who a token speaks for, and what is kept of them.
//!
//! One principal is one Durable Object. [`step`] is everything that it does: one question, one answer, no
//! await in between, so that what it reads is what it writes. The object itself only loads, calls, stores
//! and answers; native tests drive the same function over a map.
//!
//! A principal is a person, with the clients that act for them; or a client that nobody owns. It keeps the sessions that
//! speak for it. A person who signs in with somebody else's client has the session at their own principal, and the client proves
//! itself at its own.
//!
//! # What is over stays over
//!
//! Every session has a number, and so has everything that ends many of them at once (other roles, another secret, a disabled
//! user, sign-out everywhere): whatever was opened before is over, in one step, however much there is ([`Question::End`]).
//! Whoever asks hears it at once; for those who do not ask, a cut-off is published ([`Cutoffs`]).
//!
//! # What is not opened yet
//!
//! Client credentials are mostly granted for a grain, and the edge opens sessions under that by itself. They come to be here when they
//! are first used; the module `standing` says why nothing is lost by it.
//!
//! **Out of scope**: how questions travel ([`crate::port`]).

mod account;
mod answer;
mod audit;
mod browser;
mod client;
mod clients;
mod configuration;
mod cutoff;
mod federated;
mod logout;
mod mailing;
mod opening;
mod outbox;
mod overview;
mod passkey;
mod question;
mod rows;
mod sessions;
mod standing;
mod step;
mod storage_key;
mod tokens;
mod user;
mod users;

pub use crate::registered::{AuthMethod, GrantType};
pub use account::{AccountView, Application};
pub use answer::{Answer, CallerView, Granted, Inspected, Refused, SignedIn, Standing};
pub use browser::{BROWSER_LIFETIME, Consider, Considered, Enter, Says};
pub use client::{Attempt, Client, ClientView, Limits, SecretDates, Usage};
pub use configuration::{Configured, MAX_DOCUMENT, MOST_VERSIONS, PutConfiguration, Version, fits};
pub use cutoff::{CUTOFF_KEPT, Cutoffs};
pub use federated::{EnterFederated, Federated};
pub use logout::{Notice, Told, noticed, notices};
pub use mailing::{Addressee, Follow, Mail, Purpose};
pub use outbox::{Unsent, UserPlace, sent, unsent};
pub use overview::SessionView;
pub use passkey::{
    AddPasskey, Answered, EnterPasskey, FRESH, MAX_PASSKEY_NAME, PasskeyChange, PasskeyView, Unverified,
    unverified,
};
pub use question::{
    Approve, Asks, By, ByClient, ChangeClient, ChangeUser, NewSecret, NewSession, NewUser, OpenSession,
    Owner, Password, Proof, Question, RedeemCode, RegisterClient, Rotate, SignIn, Terms, Token,
};
pub use rows::{Due, Kind, Row, Rows};
use sessions::Ended;
pub use step::{Unpublished, published, step, unpublished};
pub use storage_key::{
    KEY_PLACES, client_key, client_name, config_key, config_name, cutoff_key, directory_name, federated_name,
    jwks_key, keyring_name, proofs_name, user_key, user_name,
};
pub use user::{Profile, UserView};
