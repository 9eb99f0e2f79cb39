//! People of outside providers: their principal has its place by who they are there, and no password.
//!
//! The name of the place is made of the provider's issuer and its `sub` ([`super::federated_name`]), and of nothing else that the provider says:
//! an e-mail address leads nobody anywhere.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::SignInMethod;
use crate::id::Subject;
use crate::principal::rows::{Draft, Rows};
use crate::principal::{NewUser, Refused, UserView};
use crate::time::Timestamp;
use crate::uri::Issuer;

/// Who a person is at an outside provider. What is not the same in both is somebody else (OpenID Connect Core section 5.7).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Federated {
    /// `iss`: the provider.
    #[serde(rename = "iss")]
    pub issuer: Issuer,
    /// `sub`: the person there.
    #[serde(rename = "sub")]
    pub subject: Subject,
}

/// See [`super::Question::EnterFederated`]. Asked of the principal at the place of the person, whether anybody is there or not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EnterFederated {
    /// Who they are, as the provider has proved.
    pub who: Federated,
    /// The digest of what the browser will be known by.
    pub browser: Digest,
    /// The same of what it was known by, where that was this principal's.
    #[serde(default)]
    pub before: Option<Digest>,
    /// When they signed in there, if the provider says so.
    pub auth_time: Option<Timestamp>,
    /// Who they become here, where nobody is here yet; `None`: nobody.
    pub newcomer: Option<Box<NewUser>>,
}

impl<R: Rows> Draft<'_, R> {
    /// [`Refused::NotFound`]: nobody is here, and nobody is to be. [`Refused::Grant`]: they may not sign in.
    pub(super) fn enter_federated(
        &self,
        asked: &EnterFederated,
        now: Timestamp,
    ) -> Result<Result<UserView, Refused>, Fault> {
        let principal = self.principal()?;
        let user = match (&principal.user, &asked.newcomer) {
            (Some(user), _) => user.view(),
            (None, Some(newcomer)) => match self.create_user(newcomer, now)? {
                Ok(user) => user,
                Err(refused) => return Ok(Err(refused)),
            },
            (None, None) => return Ok(Err(Refused::NotFound)),
        };
        if user.disabled || user.federated.as_ref() != Some(&asked.who) {
            return Ok(Err(Refused::Grant));
        }
        let auth_time = asked.auth_time.map_or(now, |auth_time| auth_time.min(now));
        let how = (auth_time, SignInMethod::Federated);
        self.know((&asked.browser, asked.before.as_ref()), principal.seq, how, now)?;
        Ok(Ok(user))
    }
}
