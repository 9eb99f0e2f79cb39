//! What is asked for at the authorization and token endpoints: who asks, how they prove it, what they ask for, what they get.
//!
//! **In scope**: client authentication (RFC 6749 section 2.3, RFC 7523), the form of a token request, codes and refresh
//! tokens as state machines, passwords as they are kept, how often somebody may be wrong.
//! **Out of scope**: storing any of it ([`crate::principal`]), signing tokens ([`crate::oauth`]).

mod assertion;
mod authentication;
mod authorization;
mod code;
mod destination;
mod invitation;
mod method;
mod password;
mod refresh;
mod request;
mod throttle;
mod transaction;
mod trip;

pub use assertion::{Assertion, MAX_ASSERTION, subject_of};
pub use authentication::{Presented as PresentedClient, PresentedProof, WRONG_CLIENT};
pub use authorization::{AuthorizationError, AuthorizationRequest, Prompt};
pub use code::{CODE_LIFETIME, Code, Outcome, Redeemed, Redemption};
pub use destination::{Astray, Destination, ResponseMode};
pub use invitation::{Invitation, LINK_LIFETIME};
pub use method::SignInMethod;
pub use password::{PasswordRecord, Verdict, may_be_password};
pub use refresh::{GRACE, Presented, Proposal, Refresh, Spent};
pub use request::{GrantRequest, Serves, TokenRequest, grant_scopes, kept_scopes};
pub use throttle::{FREE, FREE_TOGETHER, Throttle};
pub use transaction::{PUSHED, PUSHED_LIFETIME, TRANSACTION_LIFETIME, Transaction};
pub use trip::{Bounds, Trip};
