//! Somebody who was not there before.

use crate::config::Realm;
use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::{Login, UserId};
use crate::port::{Entropy, Ports, Principals, UserPlace, Users, random};
use crate::principal::{self, NewUser, Question, Refused, UserView};

/// A name for `sub` that nobody has had.
pub(crate) fn new_user_id(entropy: &impl Entropy) -> Result<UserId, Fault> {
    let id = base64url(&random::<16>(entropy)?);
    id.parse().map_err(|_| Fault::new("name user", "16 random bytes make no id"))
}

/// Takes a person in at the place of their login. `None`: somebody is there.
pub(crate) async fn take_in<P: Ports>(
    ports: &P,
    realm: &Realm,
    login: Login,
    new: NewUser,
) -> Result<Option<UserView>, Fault> {
    let locator = ports.principals().place_of(&realm.name, &login)?;
    let user = match ports.principals().ask(locator, &Question::CreateUser(Box::new(new))).await? {
        principal::Answer::User(user) => *user,
        principal::Answer::Refused(Refused::Taken) => return Ok(None),
        _ => return Err(principal::Answer::unexpected("create user")),
    };
    ports.users().publish(&realm.name, &UserPlace { id: user.id.clone(), login, locator }).await?;
    Ok(Some(user))
}
