//! The first person who manages everything: `POST /{realm}/api/v1/bootstrap`, with the deployment's `TOLLGATE_BOOTSTRAP_TOKEN` as bearer token.
//!
//! 1. The bearer token is that secret: else 401.
//! 2. It has not been used in this realm: else 409. Whoever has lost every way in puts another secret, which counts once as well.
//! 3. Somebody is taken in with `login` and `password`, and if wanted `name`, who may be asked for `platform:admin`: else 409, where there is
//!    somebody already. They get an application credential with that scope, for command lines.
//! 4. The secret is used up. 201 with the person, `client_id` and `client_secret`.
//!
//! One that was cut off before (4) may come again with the same login and password. Their id follows from secret and login: so they are known
//! as the ones that this secret has made, and another secret makes nobody else's credentials.

use serde::{Deserialize, Serialize};

use crate::config::management::PLATFORM_ADMIN;
use crate::directory::{self, Claimed};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::may_be_password;
use crate::http::{Answer, Head, NO_CACHE, bearer, challenge};
use crate::id::{Locator, Login, UserId};
use crate::label::is_label;
use crate::oauth::{Stop, new_id};
use crate::port::{Directory, Entry, Journal, Limit, Limiter, Ports, Principals, random};
use crate::principal::{
    self, AuthMethod, Client, GrantType, Limits, NewUser, Password, Profile, Question, RegisterClient,
    UserView,
};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::Timestamp;

use super::guard::Context;
use super::problem::{bad, conflict, refused};
use super::request::{Request, named_by};
use super::shown::Person;

const SHAPE: &str = "Send a JSON object with login, password (8 to 128 characters), and if wanted name.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    login: String,
    password: Password,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Serialize)]
struct Made<'a> {
    user: Person<'a>,
    client_id: &'a str,
    client_secret: &'a str,
    scope: &'a ScopeSet,
    expires_at: u64,
}

impl<P: Ports> Context<'_, P> {
    /// Makes them. `bootstrap` is the digest of the secret; without one nobody may.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn bootstrap(
        &self,
        bootstrap: Option<Digest>,
        head: &Head<'_>,
        request: &Request<'_>,
    ) -> Result<Answer, Stop> {
        if !self.ports.limiter().admits(Limit::Token, &self.source).await? {
            return Err(slow_down());
        }
        let secret = self.first_secret(bootstrap, head)?;
        let first: First = request.json(SHAPE)?;
        let login = Login::typed(&first.login).map_err(|_| bad(SHAPE))?;
        let is_bad = |name: &String| !name.is_empty() && !is_label(name, 254);
        if !may_be_password(&first.password.0) || first.name.as_ref().is_some_and(is_bad) {
            return Err(bad(SHAPE));
        }
        // (2)
        let claim = directory::Question::Claim { secret, login: login.clone() };
        match self.ports.directory().ask(&self.realm.name, &claim).await? {
            directory::Answer::Claimed(Claimed::Granted) => {}
            directory::Answer::Claimed(Claimed::Busy) => {
                return Err(conflict("Somebody else is about to be made. Try again in a minute."));
            }
            directory::Answer::Claimed(Claimed::Spent) => {
                return Err(conflict(
                    "This TOLLGATE_BOOTSTRAP_TOKEN was used in this realm. Sign in, or put another one.",
                ));
            }
            _ => return Err(Fault::new("ask directory", "it answered another question").into()),
        }
        // (3)
        let locator = self.ports.principals().place_of(&self.realm.name, &login)?;
        let user = self.first_user((secret, locator), login, first).await?;
        let (client, credential) = self.first_credential(locator, &user).await?;
        // (4)
        self.ports.directory().ask(&self.realm.name, &directory::Question::Spend { secret }).await?;
        let made = Made {
            user: Person::of(&user),
            client_id: client.client_id.as_str(),
            client_secret: credential.reveal(),
            scope: &client.scope,
            expires_at: client.expires_at.map_or(0, Timestamp::as_seconds),
        };
        Ok(Answer::json(201, &made)?.with(NO_CACHE.0, NO_CACHE.1))
    }

    /// (1)
    fn first_secret(&self, bootstrap: Option<Digest>, head: &Head<'_>) -> Result<Digest, Stop> {
        let authorization = head.headers.get("authorization");
        let given = match bearer(authorization.as_deref()) {
            Ok(token) => Digest::of(token.as_bytes()),
            Err(denied) => return Err(challenge(&denied, None).into()),
        };
        let Some(secret) = bootstrap else {
            let detail = Some("TOLLGATE_BOOTSTRAP_TOKEN is not set, or shorter than 32 characters");
            self.ports.journal().record(&Entry {
                target: Some("bootstrap"),
                decision: "fault",
                op: Some("read bootstrap token"),
                detail,
                ..Entry::default()
            });
            return Err(wrong());
        };
        if secret == given { Ok(secret) } else { Err(wrong()) }
    }

    async fn first_user(
        &self,
        (secret, locator): (Digest, Locator),
        login: Login,
        first: First,
    ) -> Result<UserView, Stop> {
        let admin: ScopeSet = PLATFORM_ADMIN.parse().into_iter().collect();
        let id = named_by(&format!("{}\n{secret}\n{}", self.realm.name, login.as_str()))?;
        let id: UserId = id.as_str().parse().map_err(|_| Fault::new("name user", "16 bytes make no id"))?;
        let new = NewUser {
            id: id.clone(),
            login: Some(login),
            federated: None,
            realm: self.realm.name.clone(),
            roles: self.config.roles().to_vec(),
            password: Some(first.password),
            browser: None,
            internal_scopes: admin,
            profile: Profile { name: first.name.filter(|name| !name.is_empty()), ..Profile::default() },
            salt: Digest::of(&random::<32>(self.ports.entropy())?),
        };
        let question = Question::By(Box::new(self.nobody()), Box::new(Question::CreateUser(Box::new(new))));
        match self.ports.principals().ask(locator, &question).await? {
            principal::Answer::User(user) => return Ok(*user),
            principal::Answer::Refused(_) => {}
            _ => return Err(principal::Answer::unexpected("create user").into()),
        }
        // One that was cut off has made them already.
        let known = Question::OfRealm(self.realm.name.clone(), Box::new(Question::ReadUser));
        match self.ports.principals().ask(locator, &known).await? {
            principal::Answer::User(user) if user.id == id => Ok(*user),
            _ => Err(conflict("Somebody signs in so already; choose another login.")),
        }
    }

    async fn first_credential(
        &self,
        locator: Locator,
        user: &UserView,
    ) -> Result<(Client, Credential), Stop> {
        let client = Client {
            client_id: new_id(self.ports)?,
            client_name: "First credential".to_owned(),
            realm: self.realm.name.clone(),
            grant_types: vec![GrantType::ClientCredentials],
            scope: user.internal_scopes.clone(),
            locator,
            token_endpoint_auth_method: AuthMethod::default(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            jwks: None,
            roles: user.roles.clone(),
            expires_at: Some(self.now.after(self.realm.credentials_last)),
            limits: Limits::default(),
            rs256_id_tokens: false,
            backchannel_logout_uri: None,
            must_push: false,
            must_prove: false,
            self_registered: false,
            first_party: false,
            may_introspect: false,
            is_credential: true,
            software_id: None,
        };
        let secret = Credential::client_secret(&random(self.ports.entropy())?);
        let register =
            RegisterClient { is_theirs: true, ..RegisterClient::of(client, Some(secret.digest())) };
        let question = Question::RegisterClient(Box::new(register));
        let question = Question::By(Box::new(self.nobody()), Box::new(question));
        match self.ports.principals().ask(locator, &question).await? {
            principal::Answer::Registered(view, _) => Ok((view.client, secret)),
            principal::Answer::Refused(why) => Err(refused(why)),
            _ => Err(principal::Answer::unexpected("register client").into()),
        }
    }
}

fn wrong() -> Stop {
    let detail = "Send the deployment's TOLLGATE_BOOTSTRAP_TOKEN as bearer token.";
    Answer::problem(401, "Unauthorized", detail)
        .with("WWW-Authenticate", r#"Bearer error="invalid_token""#)
        .into()
}

fn slow_down() -> Stop {
    let answer = Answer::problem(429, "Too Many Requests", "Try again after Retry-After.");
    answer.with("Retry-After", "60").because("limit").into()
}
