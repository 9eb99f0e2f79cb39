//! People: `/{realm}/api/v1/users`.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /users` | 200: what the directory lists. `search`, `limit`, `cursor` |
//! | `POST /users` | 201: `login` and if wanted `password`, or `federated`: who they are at one of the realm's providers; and if wanted `roles`, `profile` and `internal_scopes`; `invite: true` sends them a link to choose a password; 409 where there is somebody already |
//! | `GET /users/{id}` | 200 |
//! | `PATCH /users/{id}` | 200: what is sent of `roles`, `disabled`, `password`, `profile`, `internal_scopes` changes; `forget_passkeys: true` is for somebody who has lost theirs. Other roles, another password, passkeys forgotten, disabling and an internal scope less end every session |
//! | `DELETE /users/{id}` | 204: every session ends, and so do the clients that act for them |
//! | `POST /users/{id}/sign-out` | 204: every session ends |
//! | `POST /users/{id}/invitation` | 204: a link to choose a password goes to their address; 409 where it cannot |
//!
//! What takes something away does so in one step of the user's principal. Somebody who is not there is 404; a malformed body is 400. Nobody gives
//! a scope of tollgate's own that their token does not have, nor changes somebody who has one: 403. Else managing people would be managing everything.

use serde::Deserialize;

use crate::config::management::is_management;
use crate::config::{Config, Realm};
use crate::directory::{Find, List, Listed};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::may_be_password;
use crate::http::Answer;
use crate::id::{Login, Role, Subject, UserId};
use crate::label::is_label;
use crate::oauth::{Stop, known_roles};
use crate::people::{invite, new_user_id};
use crate::port::{Ports, Principals, Users, random};
use crate::principal::{
    self, ChangeUser, Federated, NewUser, Password, Profile, Question, Refused, UserPlace, UserView,
};
use crate::scope::{ScopeSet, ScopeToken};

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::problem::{bad, conflict, forbidden, not_found, refused};
use super::request::{Request, named_by, tagged};
use super::shown::{Page, Person};

/// What is wrong with somebody who could never sign in, or in two ways.
const SIGNS_IN_BY: &str = "Give either login, or federated without a password.";

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
    profile: Option<About>,
    #[serde(default)]
    internal_scopes: Option<String>,
    #[serde(default)]
    forget_passkeys: bool,
    #[serde(default)]
    invite: bool,
}

/// What is known of a person besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

impl From<About> for Profile {
    fn from(About { name, email, email_verified }: About) -> Self {
        Self { name, email, email_verified }
    }
}

/// Somebody at a provider of the realm.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    provider: String,
    sub: Subject,
}

impl Wanted {
    fn read(request: &Request<'_>) -> Result<Self, Stop> {
        const SHAPE: &str = "Send a JSON object with login, federated (provider, sub), password, roles, disabled, internal_scopes, forget_passkeys, invite or profile (name, email, email_verified), each at most once.";
        let wanted: Self = request.json(SHAPE)?;
        if wanted.password.as_ref().is_some_and(|password| !may_be_password(&password.0)) {
            return Err(bad("A password has 8 to 128 characters."));
        }
        let is_bad = |text: &Option<String>| text.as_ref().is_some_and(|text| !is_label(text, 254));
        if wanted.profile.as_ref().is_some_and(|profile| is_bad(&profile.name) || is_bad(&profile.email)) {
            return Err(bad("name and email are 1 to 254 characters, none of which is hidden."));
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

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn users(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        match request.operation {
            Operation::ListUsers => return self.list_users(request).await,
            Operation::CreateUser => return self.create_user(caller, request).await,
            _ => {}
        }
        let id: UserId = request.id.parse().map_err(|_| not_found())?;
        let place = self.ports.users().find(&self.realm.name, &id).await?.ok_or_else(not_found)?;
        let user = self.user(&place).await?;
        if request.operation == Operation::ReadUser {
            return shown(200, &user);
        }
        self.may_change(caller, &user)?;
        let tag = user.tag()?;
        if request.tag()?.is_some_and(|wanted| wanted != tag) {
            return Err(refused(Refused::Changed));
        }
        let question = match request.operation {
            Operation::ChangeUser => self.change(caller, request)?,
            Operation::DeleteUser => Question::DeleteUser,
            Operation::InviteUser => return self.invitation(caller, &place).await,
            _ => Question::End,
        };
        // Somebody else may have the login, and with it the place, by now.
        let question = Question::OfUser(id, Box::new(question));
        match self.ask_if(caller, request, (place.locator, tag), question).await? {
            principal::Answer::User(user) => shown(200, &user),
            principal::Answer::Done => Ok(Answer::empty(204)),
            _ => Err(principal::Answer::unexpected("manage user").into()),
        }
    }

    async fn list_users(&self, request: &Request<'_>) -> Result<Answer, Stop> {
        const OP: &str = "read directory";
        let wanted = request.wanted()?;
        let search = wanted.search()?;
        let find = Find { search, after: wanted.after, ..Find::all(List::Users, wanted.limit) };
        let (items, next) = self.find(find).await?;
        let mut users = Vec::new();
        for text in &items {
            match crate::json::read(text).map_err(|e| Fault::new(OP, e.to_string()))? {
                Listed::User(user) => users.push(user),
                Listed::Client(_) => return Err(Fault::new(OP, "a client stands in a list of people").into()),
            }
        }
        let items = users.iter().map(|user| Person::of(user)).collect();
        Ok(Answer::json(200, &Page { items, next })?)
    }

    async fn user(&self, place: &UserPlace) -> Result<UserView, Stop> {
        let question = Question::OfUser(place.id.clone(), Box::new(Question::ReadUser));
        match self.ports.principals().ask(place.locator, &question).await? {
            principal::Answer::User(user) => Ok(*user),
            principal::Answer::Refused(_) => Err(not_found()),
            _ => Err(principal::Answer::unexpected("manage user").into()),
        }
    }

    /// Whoever manages more than the caller may is for somebody else to change.
    fn may_change(&self, caller: &Caller, user: &UserView) -> Result<(), Stop> {
        if self.covers(caller, &user.internal_scopes) {
            return Ok(());
        }
        Err(forbidden("This person has scopes of tollgate's own that your token does not have."))
    }

    /// Whether the caller's token has everything of tollgate's own that these have.
    pub(super) fn covers(&self, caller: &Caller, scopes: &ScopeSet) -> bool {
        let mut own = scopes.iter().filter(|scope| is_management(scope.as_str()));
        own.all(|scope| caller.may(self.config, scope.as_str()))
    }

    fn internal_scopes(&self, caller: &Caller, wanted: &Wanted) -> Result<Option<ScopeSet>, Stop> {
        let scopes = wanted.internal_scopes(self.config)?;
        if scopes.as_ref().is_some_and(|scopes| !self.covers(caller, scopes)) {
            return Err(forbidden(
                "internal_scopes holds one of tollgate's own that your token does not have.",
            ));
        }
        Ok(scopes)
    }

    fn change(&self, caller: &Caller, request: &Request<'_>) -> Result<Question, Stop> {
        let wanted = Wanted::read(request)?;
        if wanted.login.is_some() || wanted.federated.is_some() {
            return Err(bad("What a person signs in with stays; make another user."));
        }
        if wanted.invite {
            return Err(bad("Invite somebody who is there with POST /users/{id}/invitation."));
        }
        let salt = Digest::of(&random::<32>(self.ports.entropy())?);
        Ok(Question::ChangeUser(ChangeUser {
            roles: wanted.roles(self.config)?,
            disabled: wanted.disabled,
            internal_scopes: self.internal_scopes(caller, &wanted)?,
            forgets_passkeys: wanted.forget_passkeys,
            password: wanted.password.map(|password| (password, salt)),
            profile: wanted.profile.map(Profile::from),
        }))
    }

    async fn create_user(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let wanted = Wanted::read(request)?;
        if wanted.disabled.is_some() || wanted.forget_passkeys {
            return Err(bad("Somebody new is not disabled, and has no passkeys: change them afterwards."));
        }
        let (login, federated) = wanted.signs_in_by(self.realm)?;
        if wanted.invite && (self.realm.mail.is_none() || login.is_none()) {
            return Err(conflict("Nobody can be invited so: it takes mail in this realm, and a login."));
        }
        let ports = self.ports;
        let locator = match (&login, &federated) {
            (Some(login), _) => ports.principals().place_of(&self.realm.name, login)?,
            (None, Some(who)) => ports.principals().place_of_federated(&self.realm.name, who)?,
            (None, None) => return Err(bad(SIGNS_IN_BY)),
        };
        let id = match request.attempt()? {
            None => new_user_id(ports.entropy())?,
            // The same request again is about the same person.
            Some(key) => {
                let said = Digest::of(&request.body);
                let named = format!("{}\n{}\n{key}\n{said}", self.realm.name, caller.locator);
                let id = named_by(&named)?;
                id.as_str().parse().map_err(|_| Fault::new("name user", "16 bytes make no id"))?
            }
        };
        let internal_scopes = self.internal_scopes(caller, &wanted)?.unwrap_or_default();
        let new = NewUser {
            id,
            login,
            federated,
            realm: self.realm.name.clone(),
            roles: wanted.roles(self.config)?.unwrap_or_default(),
            password: wanted.password,
            browser: None,
            internal_scopes,
            profile: wanted.profile.map(Profile::from).unwrap_or_default(),
            salt: Digest::of(&random::<32>(ports.entropy())?),
        };
        let user = self.take_in(caller, locator, new, request.idempotency_key.is_some()).await?;
        if wanted.invite {
            invite(ports, self.realm, (locator, &user.id), self.actor(caller)).await?;
        }
        let location = format!("{}/api/v1/users/{}", self.realm.issuer, user.id);
        Ok(shown(201, &user)?.with("Location", location))
    }

    async fn take_in(
        &self,
        caller: &Caller,
        locator: crate::id::Locator,
        new: NewUser,
        may_come_again: bool,
    ) -> Result<UserView, Stop> {
        let id = new.id.clone();
        match self.ask_as(caller, locator, Question::CreateUser(Box::new(new))).await? {
            principal::Answer::User(user) => Ok(*user),
            principal::Answer::Refused(_) => {
                let is_same = Question::OfUser(id, Box::new(Question::ReadUser));
                if may_come_again
                    && let principal::Answer::User(user) =
                        self.ports.principals().ask(locator, &is_same).await?
                {
                    return Ok(*user);
                }
                Err(conflict("Somebody signs in so already; choose another login."))
            }
            _ => Err(principal::Answer::unexpected("create user").into()),
        }
    }

    async fn invitation(&self, caller: &Caller, place: &UserPlace) -> Result<Answer, Stop> {
        const DETAIL: &str =
            "No mail can go there now: the realm sends none, there is no address, or enough was sent.";
        if self.realm.mail.is_none() {
            return Err(conflict(DETAIL));
        }
        let person = (place.locator, &place.id);
        if invite(self.ports, self.realm, person, self.actor(caller)).await? {
            return Ok(Answer::empty(204));
        }
        Err(conflict(DETAIL))
    }
}

fn shown(status: u16, user: &UserView) -> Result<Answer, Stop> {
    Ok(tagged(Answer::json(status, &Person::of(user))?, &user.tag()?))
}
