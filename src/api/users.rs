//! People, for whoever manages all of them: `/{realm}/api/v1/users`, guarded by the bootstrap token.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /users` | 201: `login` and if wanted `password`, or `federated`: who they are at one of the realm's providers; and if wanted `roles`, `profile` and `internal_scopes`; 409 where there is somebody already |
//! | `GET /users/{id}` | 200 |
//! | `PATCH /users/{id}` | 200: what is sent of `roles`, `disabled`, `password`, `profile`, `internal_scopes` changes; `forget_passkeys: true` is for somebody who has lost theirs. Other roles, another password, passkeys forgotten, disabling and an internal scope less end every session |
//! | `DELETE /users/{id}` | 204: every session ends, and so do the clients that act for them |
//! | `POST /users/{id}/sign-out` | 204: every session ends |
//!
//! What takes something away does so in one step of the user's principal. Somebody who is not there is 404; a
//! malformed body is 400.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Realm};
use crate::encoding::Digest;
use crate::grant::may_be_password;
use crate::http::{Answer, Head};
use crate::id::{Login, Role, Subject, UserId};
use crate::oauth::{Stop, known_roles};
use crate::people::{new_user_id, take_in};
use crate::port::{Body, Ports, Principals, Users, random};
use crate::principal::{
    self, ChangeUser, Federated, NewUser, Password, Profile, Question, Refused, UserView,
};
use crate::scope::{ScopeSet, ScopeToken};

use super::guard::admit;
use super::not_found;

/// A login, a password, some roles.
const MAX_BODY: usize = 16 * 1024;

/// What is wrong with somebody who could never sign in, or in two ways.
const SIGNS_IN_BY: &str = "Give either login, or federated without a password.";

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserAction {
    /// `PATCH`.
    Change,
    /// `POST`.
    Create,
    /// `DELETE`.
    Delete,
    /// `GET`.
    Read,
    /// `POST …/sign-out`.
    SignOut,
}

/// Does it. `bootstrap` is the digest of the token that guards this; without one nobody may.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn users<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    (action, id): (UserAction, &str),
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    if let Err(answer) = admit(ports, bootstrap, head, "users") {
        return Ok(answer);
    }
    done(config, ports, realm, action, id, body).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    login: Option<String>,
    #[serde(default)]
    federated: Option<Outside>,
    #[serde(default)]
    password: Option<Password>,
    #[serde(default)]
    roles: Option<Vec<String>>,
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    profile: Option<Profile>,
    #[serde(default)]
    internal_scopes: Option<String>,
    #[serde(default)]
    forget_passkeys: bool,
}

/// Somebody at a provider of the realm.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    provider: String,
    sub: Subject,
}

fn bad(detail: &'static str) -> Stop {
    Stop::Answer(Box::new(Answer::problem(400, "Bad Request", detail)))
}

impl Wanted {
    async fn read(body: &mut impl Body) -> Result<Self, Stop> {
        const SHAPE: &str = "Send a JSON object with login, federated (provider, sub), password, roles, disabled, internal_scopes, forget_passkeys or profile (name, email, email_verified), each at most once.";
        let bytes = body.read(MAX_BODY).await?.ok_or_else(|| bad(SHAPE))?;
        let wanted: Self = serde_json::from_slice(&bytes).map_err(|_| bad(SHAPE))?;
        if wanted.password.as_ref().is_some_and(|password| !may_be_password(&password.0)) {
            return Err(bad("A password has 8 to 128 characters."));
        }
        let is_bad = |text: &Option<String>| {
            text.as_ref().is_some_and(|text| {
                text.is_empty() || text.chars().count() > 254 || text.chars().any(char::is_control)
            })
        };
        if wanted.profile.as_ref().is_some_and(|profile| is_bad(&profile.name) || is_bad(&profile.email)) {
            return Err(bad("name and email are 1 to 254 characters without control characters."));
        }
        Ok(wanted)
    }

    /// Exactly one of a login, and somebody at a provider, who has no password here.
    fn signs_in_by(&self, realm: &Realm) -> Result<(Option<Login>, Option<Federated>), Stop> {
        match (&self.login, &self.federated) {
            (Some(login), None) => {
                let shape = "login is 1 to 254 visible ASCII characters, such as an e-mail address.";
                Ok((Some(Login::typed(login).map_err(|_| bad(shape))?), None))
            }
            (None, Some(outside)) if self.password.is_none() => {
                let provider = realm.provider(&outside.provider);
                let provider = provider.ok_or_else(|| bad("federated.provider is none of the realm's."))?;
                let who = Federated { issuer: provider.issuer.clone(), subject: outside.sub.clone() };
                Ok((None, Some(who)))
            }
            _ => Err(bad(SIGNS_IN_BY)),
        }
    }

    /// Those of the configuration, of which none is for everybody.
    fn internal_scopes(&self, config: &Config) -> Result<Option<ScopeSet>, Stop> {
        let catalogue = config.scopes();
        let known = |text: &String| {
            let scopes: Option<ScopeSet> = text.parse().ok();
            let is_internal = |scope: &ScopeToken| catalogue.knows(scope) && !catalogue.offers(scope);
            scopes.filter(|scopes| scopes.iter().all(is_internal)).ok_or_else(|| {
                bad("internal_scopes holds a name that is no internal scope of the configuration.")
            })
        };
        self.internal_scopes.as_ref().map(known).transpose()
    }

    fn roles(&self, config: &Config) -> Result<Option<Vec<Role>>, Stop> {
        let known = |names: &Vec<String>| {
            known_roles(names, config)
                .ok_or_else(|| bad("roles holds a name that the configuration does not have."))
        };
        self.roles.as_ref().map(known).transpose()
    }
}

async fn done<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    action: UserAction,
    id: &str,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    if action == UserAction::Create {
        return create(config, ports, realm, body).await;
    }
    let id: UserId = id.parse().map_err(|_| not_found())?;
    let place = ports.users().find(&realm.name, &id).await?.ok_or_else(not_found)?;
    let question = match action {
        UserAction::Create | UserAction::Read => Question::ReadUser,
        UserAction::Change => {
            let wanted = Wanted::read(body).await?;
            if wanted.login.is_some() || wanted.federated.is_some() {
                return Err(bad("What a person signs in with stays; make another user."));
            }
            let roles = wanted.roles(config)?;
            let salt = Digest::of(&random::<32>(ports.entropy())?);
            let internal_scopes = wanted.internal_scopes(config)?;
            let password = wanted.password.map(|password| (password, salt));
            let (disabled, profile) = (wanted.disabled, wanted.profile);
            let forgets_passkeys = wanted.forget_passkeys;
            Question::ChangeUser(ChangeUser {
                roles,
                disabled,
                password,
                forgets_passkeys,
                profile,
                internal_scopes,
            })
        }
        UserAction::Delete => Question::DeleteUser,
        UserAction::SignOut => Question::End,
    };
    // Somebody else may have the login, and with it the place, by now.
    let question = Question::OfUser(id.clone(), Box::new(question));
    match ports.principals().ask(place.locator, &question).await? {
        principal::Answer::User(user) => Ok(Answer::json(200, &Seen::of(&user))?),
        principal::Answer::Done => {
            if action == UserAction::Delete {
                ports.users().forget(&realm.name, &id).await?;
            }
            Ok(Answer::empty(204))
        }
        principal::Answer::Refused(Refused::Elsewhere) => {
            Err(bad("This person signs in at an outside provider, and can have no password here."))
        }
        principal::Answer::Refused(_) => Err(not_found()),
        _ => Err(principal::Answer::unexpected("manage user").into()),
    }
}

async fn create<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    let wanted = Wanted::read(body).await?;
    let (login, federated) = wanted.signs_in_by(realm)?;
    let internal_scopes = wanted.internal_scopes(config)?;
    let new = NewUser {
        id: new_user_id(ports.entropy())?,
        login: login.clone(),
        federated: federated.clone(),
        realm: realm.name.clone(),
        roles: wanted.roles(config)?.unwrap_or_default(),
        password: wanted.password,
        browser: None,
        internal_scopes: internal_scopes.unwrap_or_default(),
        profile: wanted.profile.unwrap_or_default(),
        salt: Digest::of(&random::<32>(ports.entropy())?),
    };
    let locator = match (&login, &federated) {
        (Some(login), _) => ports.principals().place_of(&realm.name, login)?,
        (None, Some(who)) => ports.principals().place_of_federated(&realm.name, who)?,
        (None, None) => return Err(bad(SIGNS_IN_BY)),
    };
    let Some(user) = take_in(ports, realm, locator, new).await? else {
        let detail = "Somebody signs in so already; choose another login.";
        return Err(Stop::Answer(Box::new(Answer::problem(409, "Conflict", detail))));
    };
    Ok(Answer::json(201, &Seen::of(&user))?)
}

/// A person, as whoever manages them sees them.
#[derive(Serialize)]
struct Seen<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federated: Option<&'a Federated>,
    roles: &'a [Role],
    disabled: bool,
    has_password: bool,
    needs_passkey: bool,
    created_at: u64,
    profile: &'a Profile,
    internal_scopes: &'a ScopeSet,
}

impl<'a> Seen<'a> {
    fn of(user: &'a UserView) -> Self {
        Self {
            id: user.id.as_str(),
            login: user.login.as_ref().map(Login::as_str),
            federated: user.federated.as_ref(),
            roles: &user.roles,
            disabled: user.disabled,
            has_password: user.has_password,
            needs_passkey: user.needs_passkey,
            created_at: user.created_at.as_seconds(),
            profile: &user.profile,
            internal_scopes: &user.internal_scopes,
        }
    }
}
