//! Somebody who was not there before.

use crate::config::Realm;
use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::{Locator, UserId};
use crate::port::{Entropy, Ports, Principals, UserPlace, Users, random};
use crate::principal::{self, NewUser, Question, Refused, UserView};

/// A name for `sub` that nobody has had.
pub(crate) fn new_user_id(entropy: &impl Entropy) -> Result<UserId, Fault> {
    let id = base64url(&random::<16>(entropy)?);
    id.parse().map_err(|_| Fault::new("name user", "16 random bytes make no id"))
}

/// Takes a person in at their place. `None`: somebody is there.
pub(crate) async fn take_in<P: Ports>(
    ports: &P,
    realm: &Realm,
    locator: Locator,
    new: NewUser,
) -> Result<Option<UserView>, Fault> {
    let user = match ports.principals().ask(locator, &Question::CreateUser(Box::new(new))).await? {
        principal::Answer::User(user) => *user,
        principal::Answer::Refused(Refused::Taken) => return Ok(None),
        _ => return Err(principal::Answer::unexpected("create user")),
    };
    let place = UserPlace { id: user.id.clone(), login: user.login.clone(), locator };
    ports.users().publish(&realm.name, &place).await?;
    Ok(Some(user))
}
