//! People: they sign in, and say what applications may do for them.
//!
//! An application sends a person's browser to [`authorize`]. What happens from there is one transaction ([`crate::grant::Transaction`]):
//!
//! 1. `authorize`: the request is read. Where the browser is known and nothing has to be asked, a code goes back at once.
//! 2. Else the person signs in on a page ([`sign_in`]), which posts to `/login` and goes on to `/consent` with a redirect, so that the
//!    back button and a reload repeat nothing.
//!    Or they use a passkey, alone or after the password ([`sign_in_with_passkey`]), or sign in with an outside provider ([`leave`]), come back from it ([`come_back`]), and go on to `/consent` as well.
//! 3. [`consent`]: the person says yes, in part, or no, where they have not said it before.
//! 4. A code, or an error, goes to the client's redirect URI. The transaction has ended; another answer to it is told so.
//!
//! Somebody who has no account makes one at [`register_person`], and whoever has forgotten a password finds a way back at [`reset`]: both
//! lead through a mailbox.
//!
//! What they have allowed they see, and take back, at [`account`]. To sign out again, an application sends the browser to [`logout`].
//!
//! Each page asks one principal at most once, and reads at most one record from KV.
//!
//! **In scope**: the pages and what they do. **Out of scope**: what a code is redeemed for ([`crate::oauth`]), whether a password is right
//! and what was consented to ([`crate::principal`]).

mod account;
mod assets;
mod authorize;
mod consent;
mod cookies;
mod federation;
mod hint;
mod letters;
mod mailbox;
mod newcomer;
pub(crate) mod page;
mod passkeys;
mod push;
mod register;
mod reset;
mod sign_in;
mod sign_out;
mod visit;

pub use account::account;
pub use assets::{Asset, asset};
pub use authorize::authorize;
pub use consent::consent;
pub use federation::{come_back, leave};
pub(crate) use mailbox::invite;
pub(crate) use newcomer::new_user_id;
pub use passkeys::sign_in_with_passkey;
pub use push::push;
pub use register::{accept_invitation, register_person};
pub use reset::{choose_password, reset, verify};
pub use sign_in::sign_in;
pub use sign_out::{logout, sign_out};
