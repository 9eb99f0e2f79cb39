//! Somebody who was not there before.

use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::{Locator, UserId};
use crate::port::{Entropy, Ports, Principals, random};
use crate::principal::{self, NewUser, Question, Refused, UserView};

/// A name for `sub` that nobody has had.
pub(crate) fn new_user_id(entropy: &impl Entropy) -> Result<UserId, Fault> {
    let id = base64url(&random::<16>(entropy)?);
    id.parse().map_err(|_| Fault::new("name user", "16 random bytes make no id"))
}

/// Takes a person in at their place. `None`: somebody is there.
pub(crate) async fn take_in<P: Ports>(
    ports: &P,
    locator: Locator,
    new: NewUser,
) -> Result<Option<UserView>, Fault> {
    match ports.principals().ask(locator, &Question::CreateUser(Box::new(new))).await? {
        principal::Answer::User(user) => Ok(Some(*user)),
        principal::Answer::Refused(Refused::Taken) => Ok(None),
        _ => Err(principal::Answer::unexpected("create user")),
    }
}
