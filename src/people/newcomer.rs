//! Somebody who was not there before.

use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::UserId;
use crate::port::{Entropy, random};

/// A name for `sub` that nobody has had.
pub(crate) fn new_user_id(entropy: &impl Entropy) -> Result<UserId, Fault> {
    let id = base64url(&random::<16>(entropy)?);
    id.parse().map_err(|_| Fault::new("name user", "16 random bytes make no id"))
}
