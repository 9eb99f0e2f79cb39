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

/// Takes a person in at their place. `None`: somebody is there. Where they are is published first: somebody whom nobody who manages people
/// could find would be worse than a record of nobody.
pub(crate) async fn take_in<P: Ports>(
    ports: &P,
    realm: &Realm,
    locator: Locator,
    new: NewUser,
) -> Result<Option<UserView>, Fault> {
    let place = UserPlace { id: new.id.clone(), login: new.login.clone(), locator };
    ports.users().publish(&realm.name, &place).await?;
    match ports.principals().ask(locator, &Question::CreateUser(Box::new(new))).await? {
        principal::Answer::User(user) => Ok(Some(*user)),
        principal::Answer::Refused(Refused::Taken) => {
            ports.users().forget(&realm.name, &place.id).await?;
            Ok(None)
        }
        _ => Err(principal::Answer::unexpected("create user")),
    }
}
