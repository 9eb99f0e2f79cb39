//! A realm's signing keys: which one signs, which ones verify, and when that changes.
//!
//! A key is staged, published, promoted, retired and dropped ([`Keyring`]), and each change is a function of the
//! keyring, the terms ([`Policy`]) and the time. [`Keyring::work`] says what is due; whoever holds the keyring makes
//! keys and writes copies, and tells it so.
//!
//! **In scope**: the order of things, the times between them, what is stored and what travels. Private keys rest and
//! travel sealed only ([`SealedKey`]).
//! **Out of scope**: making, sealing and opening keys, storing them, alarms (`edge`).

mod name;
mod policy;
mod public_part;
mod question;
mod ring;
mod sealed;

pub use name::RingName;
pub use policy::{ALGORITHMS, Policy};
pub use public_part::public_part;
pub use question::{KeyringAnswer, KeyringQuestion, Listed};
pub use ring::{Corrupt, KeyState, Keyring, MOST_KEYS, Refusal, Work};
pub use sealed::SealedKey;
