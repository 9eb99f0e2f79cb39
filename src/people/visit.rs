//! One request of a person's browser, and what an authorization request comes to in it.

use crate::config::{Config, OPENID, Realm};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::grant::{
    AuthorizationError, AuthorizationRequest, CODE_LIFETIME, Code, Prompt, Transaction, grant_scopes,
};
use crate::http::{Answer, Form, Head};
use crate::id::Locator;
use crate::oauth::{Stop, known_client, targets};
use crate::people::cookies::Cookies;
use crate::people::page::{self, ConsentPage, ScopeLine, SignInPage};
use crate::port::{Ports, Principals, Vault, random};
use crate::principal::{self, Client, Consider, Considered, GrantType, Question, Refused, Says, UserView};
use crate::scope::ScopeSet;
use crate::secret::{Credential, Kind, Secret};
use crate::time::{Lifetime, Timestamp};

/// What everything that a browser asks for has in common.
pub(super) struct Visit<'a, P> {
    pub(super) config: &'a Config,
    pub(super) ports: &'a P,
    pub(super) realm: &'a Realm,
    pub(super) now: Timestamp,
    pub(super) cookies: Cookies,
    key: Secret,
}

/// A transaction that the browser came back with, and its client.
pub(super) struct Resumed {
    pub(super) transaction: Transaction,
    pub(super) client: Client,
    /// What the browser has in its cookie.
    pub(super) bond: String,
}

impl<'a, P: Ports> Visit<'a, P> {
    pub(super) fn new(
        config: &'a Config,
        ports: &'a P,
        realm: &'a Realm,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let key = ports
            .vault()
            .secret("TOLLGATE_KEK")
            .ok_or_else(|| Fault::new("read TOLLGATE_KEK", "the secret is not set"))?;
        Ok(Self { config, ports, realm, now, cookies: Cookies::of(head, &realm.name), key })
    }

    /// The deployment's secret that pages are sealed with.
    pub(super) const fn key(&self) -> &Secret {
        &self.key
    }

    /// A page that says what is wrong, where there is nowhere to go.
    pub(super) fn lost(&self, status: u16, heading: &str, text: &str) -> Stop {
        match page::notice(self.realm, status, heading, text) {
            Ok(answer) => Stop::Answer(Box::new(answer)),
            Err(fault) => Stop::Fault(fault),
        }
    }

    /// The transaction that the browser came back with.
    pub(super) async fn resume(&self, form: &Form) -> Result<Resumed, Stop> {
        let lost = || {
            let text = "It is too old, or was opened in another browser. Go back to the application and start again.";
            self.lost(400, "This page does not count any more", text)
        };
        let sealed = form.get("transaction").ok_or_else(lost)?;
        let id = Transaction::id_in(sealed).ok_or_else(lost)?;
        let bond = self.cookies.bond(&id).ok_or_else(lost)?.to_owned();
        let opened = Transaction::open(sealed, &self.key, &self.realm.name, &bond, self.now);
        let transaction = opened.ok_or_else(lost)?;
        let client =
            known_client(self.ports, &self.realm.name, &transaction.request.client_id, self.now).await?;
        // Its registration may have changed meanwhile.
        let client = client.filter(|client| client.may(GrantType::AuthorizationCode)).ok_or_else(lost)?;
        Ok(Resumed { transaction, client, bond })
    }

    /// What a client may ask for, of what it asks for. What nobody knows is left out (OpenID Connect Core section 3.1.2.1);
    /// what is known, and not for it, is an error.
    pub(super) fn scopes(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
    ) -> Result<ScopeSet, AuthorizationError> {
        let catalogue = self.config.scopes();
        let known: Option<ScopeSet> = request
            .scope
            .as_ref()
            .map(|asked| asked.iter().filter(|scope| catalogue.knows(scope)).cloned().collect());
        let granted = grant_scopes(client, GrantType::AuthorizationCode, known.as_ref(), catalogue);
        let granted = granted.map_err(|refused| match refused {
            Refused::Unauthorized(_) => AuthorizationError::UnauthorizedClient,
            _ => AuthorizationError::InvalidScope,
        })?;
        let (open, internal): (Vec<_>, Vec<_>) =
            granted.iter().cloned().partition(|scope| catalogue.offers(scope));
        if known.is_some() && !internal.is_empty() {
            return Err(AuthorizationError::InvalidScope);
        }
        Ok(open.into_iter().collect())
    }

    /// What becomes of a transaction: a code, a page, an error for the client.
    pub(super) async fn go_on(
        &self,
        client: &Client,
        transaction: Transaction,
        says: Says,
        bond: Option<&str>,
    ) -> Result<Answer, Stop> {
        let request = &transaction.request;
        let refuse = |error: AuthorizationError| self.refuse(&transaction, error);
        let Ok(resources) = targets(self.config, self.realm, request.resources.clone()) else {
            return refuse(AuthorizationError::InvalidTarget);
        };
        let scope = match self.scopes(client, request) {
            Ok(scope) => scope,
            Err(error) => return refuse(error),
        };
        let code = Code {
            client_id: client.client_id.clone(),
            redirect_uri: request.destination.redirect_uri.clone(),
            challenge: request.challenge,
            scope: scope.clone(),
            resources,
            nonce: request.nonce.clone(),
            auth_time: self.now,
            issued_at: self.now,
            expires_at: self.now.after(CODE_LIFETIME),
            redeemed: None,
        };
        let (considered, code) = self.consider(&transaction, code, says).await?;
        match (considered, code) {
            (Considered::Allowed, Some(code)) => {
                let said = request.destination.answer(code.reveal(), &self.realm.issuer);
                let answer = page::back(self.realm, &request.destination, &said)?;
                Ok(answer.and("Set-Cookie", self.cookies.end(&transaction.id)))
            }
            (Considered::Denied, _) => refuse(AuthorizationError::AccessDenied),
            (Considered::Over, _) => {
                let text = "You have answered this already. Go back to the application; should it not know, start again there.";
                Err(self.lost(409, "This is done already", text))
            }
            (Considered::Ask(..), _) if request.wants(Prompt::None) => {
                refuse(AuthorizationError::ConsentRequired)
            }
            (Considered::Ask(user, refused), _) => {
                self.ask(client, transaction.clone(), (&user, &refused, &scope), bond)
            }
            (Considered::SignIn | Considered::Allowed, _) if request.wants(Prompt::None) => {
                refuse(AuthorizationError::LoginRequired)
            }
            (Considered::SignIn | Considered::Allowed, _) => {
                let hint = request.login_hint.clone().unwrap_or_default();
                self.sign_in(200, client, &transaction, (&hint, None), bond)
            }
        }
    }

    /// Asks the person's principal, where the browser is known.
    async fn consider(
        &self,
        transaction: &Transaction,
        code: Code,
        says: Says,
    ) -> Result<(Considered, Option<Credential>), Stop> {
        let request = &transaction.request;
        let known = self.cookies.browser().and_then(|text| Credential::parse(Kind::Browser, text).ok());
        let Some((browser, locator)) = known.and_then(|known| Some((known.digest(), known.locator()?)))
        else {
            return Ok((Considered::SignIn, None));
        };
        let begun_at = transaction.begun_at;
        let again = request.wants(Prompt::Login) || request.wants(Prompt::SelectAccount);
        let before =
            |age: Lifetime| Timestamp::from_millis(begun_at.as_millis().saturating_sub(age.as_millis()));
        let oldest = request.max_age.map(before);
        let (credential, digest) = self.code(locator)?;
        let consider = Consider {
            browser,
            signed_in_since: oldest.max(again.then_some(begun_at)),
            transaction: Digest::of(transaction.id.as_bytes()),
            transaction_ends: transaction.ends_at(),
            says,
            digest,
            code: Box::new(code),
        };
        let question = Question::Consider(Box::new(consider));
        match self.ports.principals().ask(locator, &question).await? {
            principal::Answer::Considered(considered) => Ok((considered, Some(credential))),
            // A credential that names no principal of ours.
            principal::Answer::Refused(_) => Ok((Considered::SignIn, None)),
            _ => Err(principal::Answer::unexpected("consider").into()),
        }
    }

    fn code(&self, locator: Locator) -> Result<(Credential, Digest), Fault> {
        let credential = Credential::code(locator, &random(self.ports.entropy())?);
        let digest = credential.digest();
        Ok((credential, digest))
    }

    /// An error for the client.
    pub(super) fn refuse(
        &self,
        transaction: &Transaction,
        error: AuthorizationError,
    ) -> Result<Answer, Stop> {
        let destination = &transaction.request.destination;
        let said = destination.error(error, &self.realm.issuer);
        let answer = page::back(self.realm, destination, &said)?.because(error.code());
        Ok(answer.and("Set-Cookie", self.cookies.end(&transaction.id)))
    }

    /// The sign-in page.
    pub(super) fn sign_in(
        &self,
        status: u16,
        client: &Client,
        transaction: &Transaction,
        (login, wrong): (&str, Option<&str>),
        bond: Option<&str>,
    ) -> Result<Answer, Stop> {
        let destination = &transaction.request.destination;
        let (sealed, cookies) = self.seal(transaction, bond)?;
        let page = SignInPage {
            base: &page::base(self.realm),
            realm: self.realm.name.as_str(),
            client: &client.client_name,
            place: &destination.place(),
            transaction: &sealed,
            login,
            wrong,
        };
        let answer = page::answer(status, &page, Some(&destination.source()))?;
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// The consent page, for this person only.
    fn ask(
        &self,
        client: &Client,
        mut transaction: Transaction,
        (user, refused, asked): (&UserView, &ScopeSet, &ScopeSet),
        bond: Option<&str>,
    ) -> Result<Answer, Stop> {
        transaction.shown_to = Some(user.id.clone());
        let (sealed, cookies) = self.seal(&transaction, bond)?;
        let destination = &transaction.request.destination;
        let lines: Vec<_> = asked
            .iter()
            .map(|scope| ScopeLine {
                name: scope.as_str().to_owned(),
                words: self.config.scopes().words(scope).to_owned(),
                is_fixed: scope.as_str() == OPENID,
                is_ticked: !refused.contains(scope),
            })
            .collect();
        let page = ConsentPage {
            base: &page::base(self.realm),
            client: &client.client_name,
            owner: "whoever runs this service",
            place: &destination.place(),
            login: user.login.as_str(),
            transaction: &sealed,
            scopes: &lines,
        };
        let answer = page::answer(200, &page, Some(&destination.source()))?;
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// The transaction as a page carries it, and the cookies that bind it to this browser where it is a new one.
    fn seal(&self, transaction: &Transaction, bond: Option<&str>) -> Result<(String, Vec<String>), Fault> {
        let (bond, cookies) = if let Some(bond) = bond {
            (bond.to_owned(), Vec::new())
        } else {
            let fresh = base64url(&random::<16>(self.ports.entropy())?);
            let cookies = self.cookies.begin(&transaction.id, &fresh);
            (fresh, cookies)
        };
        let sealed = transaction.seal(&self.key, &self.realm.name, &bond);
        Ok((sealed.ok_or_else(|| Fault::new("write page", "the transaction does not serialise"))?, cookies))
    }
}
