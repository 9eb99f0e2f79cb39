//! One request of a person's browser, and what an authorization request comes to in it.

use crate::config::{Config, OPENID, Realm};
use crate::directory::Actor;
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::grant::{
    AuthorizationError, AuthorizationRequest, CODE_LIFETIME, Code, Destination, Prompt, SignInMethod,
    Transaction, grant_scopes,
};
use crate::http::{Answer, Form, Head};
use crate::id::{Locator, UserId};
use crate::oauth::{Stop, acr_values, form, known_client, source, targets};
use crate::people::cookies::Cookies;
use crate::people::hint::id_token;
use crate::people::page::{self, ConsentPage, ScopeLine, SignInPage, UsePasskey, WayBack};
use crate::port::{Body, Ports, Principals, Vault, random};
use crate::principal::{self, Client, Consider, Considered, GrantType, Question, Refused, Says, UserView};
use crate::scope::ScopeSet;
use crate::secret::{Credential, Kind, Secret};
use crate::time::{Lifetime, Timestamp};
use crate::webauthn::Ceremony;

/// What a person reads where a client is wrong.
pub(super) const HEADING: &str = "This application has sent something wrong";

/// What everything that a browser asks for has in common.
pub(super) struct Visit<'a, P> {
    pub(super) config: &'a Config,
    pub(super) ports: &'a P,
    pub(super) realm: &'a Realm,
    pub(super) now: Timestamp,
    pub(super) cookies: Cookies,
    /// The address that the request comes from.
    pub(super) source: String,
    key: Secret,
}

/// A transaction that the browser came back with.
pub(super) struct Resumed {
    pub(super) transaction: Transaction,
    /// Who asks; `None`: nobody but the person.
    client: Option<Client>,
    /// What the browser has in its cookie.
    pub(super) bond: String,
}

impl Resumed {
    /// What a client asks for, where one does.
    pub(super) fn flow(&self) -> Option<Flow<'_>> {
        let (client, request) = self.client.as_ref().zip(self.transaction.request.as_ref())?;
        Some(Flow { client, request, transaction: &self.transaction, bond: Some(&self.bond) })
    }

    /// What the next page carries on.
    pub(super) fn own(&self) -> (&Transaction, Option<&str>) {
        (&self.transaction, Some(self.bond.as_str()))
    }
}

/// What a page is asked with: whether it was sent, and what.
pub(super) async fn asked(head: &Head<'_>, body: &mut impl Body) -> Result<(bool, Form), Stop> {
    Ok(match head.method {
        "POST" => (true, form(head, body).await?),
        _ => (false, Form::of_query(head.query.unwrap_or_default())?),
    })
}

/// A transaction as a page carries it.
pub(super) struct Sealed {
    pub(super) text: String,
    /// What the browser has in the transaction's cookie.
    pub(super) bond: String,
    /// What has to be set for that, where it is a new one.
    pub(super) cookies: Vec<String>,
}

/// What a client asks for, on its way.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a AuthorizationRequest,
    pub(super) transaction: &'a Transaction,
    /// What the browser has in the transaction's cookie; `None`: it has none yet.
    pub(super) bond: Option<&'a str>,
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
        let cookies = Cookies::of(head, &realm.name);
        Ok(Self { config, ports, realm, now, cookies, source: source(head), key })
    }

    /// The deployment's secret that pages are sealed with.
    pub(super) const fn key(&self) -> &Secret {
        &self.key
    }

    /// Asks the principal that a credential names which the browser has brought: one of another realm is nobody's here. What the person changes
    /// is told as done by themselves.
    pub(super) async fn ask_principal(
        &self,
        locator: Locator,
        question: Question,
    ) -> Result<principal::Answer, Fault> {
        let question = self.told(question);
        let question = Question::OfRealm(self.realm.name.clone(), Box::new(question));
        self.ports.principals().ask(locator, &question).await
    }

    /// A question on behalf of the person whom it is about, where what it does is told.
    pub(super) fn told(&self, question: Question) -> Question {
        if !question.is_told() {
            return question;
        }
        Question::By(Box::new(Actor::themselves(self.source.clone())), Box::new(question))
    }

    /// What only a page in this browser knows, once its person has signed in: forms of other sites have no such thing.
    pub(super) fn proof(&self, browser: &str) -> String {
        let message = format!("tollgate page 1:{}:{browser}", self.realm.name);
        base64url(&hmac_sha256::HMAC::mac(message, self.key.reveal()))
    }

    /// What the browser is known by, if a form comes from a page in it.
    pub(super) fn proved(&self, form: &Form) -> Option<&str> {
        let browser = self.cookies.browser()?;
        let shown = form.get("proof").unwrap_or_default();
        // Digests compare in constant time.
        let is_proof = Digest::of(shown.as_bytes()) == Digest::of(self.proof(browser).as_bytes());
        is_proof.then_some(browser)
    }

    /// What the browser is known by already, by the person at this place.
    pub(super) fn known_before(&self, locator: Locator) -> Option<Digest> {
        let known = self.cookies.browser().and_then(|text| Credential::parse(Kind::Browser, text).ok())?;
        (known.locator() == Some(locator)).then(|| known.digest())
    }

    /// A page that says what is wrong, where there is nowhere to go.
    pub(super) fn lost(&self, status: u16, heading: &str, text: &str) -> Stop {
        match page::notice(self.realm, status, heading, text) {
            Ok(answer) => Stop::Answer(Box::new(answer)),
            Err(fault) => Stop::Fault(fault),
        }
    }

    /// The transaction that the browser came back with.
    pub(super) async fn resume(&self, sealed: &str) -> Result<Resumed, Stop> {
        let lost = || {
            let text = "It is too old, or was opened in another browser. Go back to the application and start again.";
            self.lost(400, "This page does not count any more", text)
        };
        let id = Transaction::id_in(sealed).ok_or_else(lost)?;
        let bond = self.cookies.bond(&id).ok_or_else(lost)?.to_owned();
        let opened = Transaction::open(sealed, &self.key, &self.realm.name, &bond, self.now);
        let transaction = opened.ok_or_else(lost)?;
        let client = match &transaction.request {
            None => None,
            Some(request) => {
                let id = &request.client_id;
                let known = known_client(self.ports, &self.realm.name, id, self.now).await?;
                // Its registration may have changed meanwhile.
                let client = known.filter(|client| client.may(GrantType::AuthorizationCode));
                Some(client.ok_or_else(lost)?)
            }
        };
        Ok(Resumed { transaction, client, bond })
    }

    /// What a client may ask for, of what it asks for; internal scopes are left out later, where the person is not on their list. What nobody knows is left out (OpenID Connect Core section 3.1.2.1);
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
        granted.map_err(|refused| match refused {
            Refused::Unauthorized(_) => AuthorizationError::UnauthorizedClient,
            _ => AuthorizationError::InvalidScope,
        })
    }

    /// What becomes of an authorization request: a code, a page, an error for the client.
    pub(super) async fn go_on(&self, flow: Flow<'_>, says: Says) -> Result<Answer, Stop> {
        let (client, request) = (flow.client, flow.request);
        let refuse = |error: AuthorizationError| self.refuse(flow, error);
        let is_silent = request.wants(Prompt::None);
        let early = |error| self.refuse_early(client, &request.destination, (error, is_silent));
        let is_asked =
            |acr: &&str| request.acr.as_ref().is_some_and(|names| names.split(' ').any(|name| name == *acr));
        if request.acr.is_some() && !acr_values(self.realm).iter().any(is_asked) {
            return early(AuthorizationError::UnmetAuthentication);
        }
        let Ok(resources) = targets(self.config, self.realm, request.resources.clone()) else {
            return early(AuthorizationError::InvalidTarget);
        };
        let scope = match self.scopes(client, request) {
            Ok(scope) => scope,
            Err(error) => return early(error),
        };
        let code = Code {
            client_id: client.client_id.clone(),
            redirect_uri: request.destination.redirect_uri.clone(),
            challenge: request.challenge,
            scope,
            resources,
            nonce: request.nonce.clone(),
            auth_time: self.now,
            method: SignInMethod::Password,
            issued_at: self.now,
            expires_at: self.now.after(CODE_LIFETIME),
            redeemed: None,
            browser: None,
            origin: None,
            tells: client.backchannel_logout_uri.is_some(),
            key: request.key,
        };
        let (considered, code) = self.consider(flow, code, says).await?;
        match (considered, code) {
            (Considered::Allowed, Some(code)) => {
                let said = request.destination.answer(code.reveal(), &self.realm.issuer);
                let answer = page::back(self.realm, &request.destination, &said)?;
                Ok(answer.and("Set-Cookie", self.cookies.end(&flow.transaction.id)))
            }
            (Considered::Denied, _) => refuse(AuthorizationError::AccessDenied),
            (Considered::Over, _) => {
                let text = "You have answered this already. Go back to the application; should it not know, start again there.";
                Err(self.lost(409, "This is done already", text))
            }
            (Considered::Ask { .. }, _) if request.wants(Prompt::None) => {
                refuse(AuthorizationError::ConsentRequired)
            }
            (Considered::Ask { user, wanted, refused }, _) => self.ask(flow, &user, &refused, &wanted),
            (Considered::SignIn | Considered::Allowed, _) if request.wants(Prompt::None) => {
                refuse(AuthorizationError::LoginRequired)
            }
            (Considered::SignIn | Considered::Allowed, _) => {
                let hint = request.login_hint.clone().unwrap_or_default();
                let why = wanted_ways(request.acr.as_deref());
                self.sign_in(200, Some(flow), (flow.transaction, flow.bond), (&hint, why.as_deref()))
            }
        }
    }

    /// Asks the person's principal, where the browser is known.
    async fn consider(
        &self,
        flow: Flow<'_>,
        code: Code,
        says: Says,
    ) -> Result<(Considered, Option<Credential>), Stop> {
        let (request, transaction) = (flow.request, flow.transaction);
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
        let internal = code.scope.iter().filter(|scope| !self.config.scopes().offers(scope));
        let consider = Consider {
            browser,
            who: self.expected(flow).await?,
            signed_in_since: oldest.max(again.then_some(begun_at)),
            acr: request.acr.clone(),
            transaction: Digest::of(transaction.id.as_bytes()),
            transaction_ends: transaction.ends_at(),
            says,
            digest,
            internal: internal.cloned().collect(),
            first_party: flow.client.first_party,
            client_name: flow.client.client_name.clone(),
            code: Box::new(code),
        };
        match self.ask_principal(locator, Question::Consider(Box::new(consider))).await? {
            principal::Answer::Considered(considered) => Ok((considered, Some(credential))),
            // A credential that names no principal of ours.
            principal::Answer::Refused(_) => Ok((Considered::SignIn, None)),
            _ => Err(principal::Answer::unexpected("consider").into()),
        }
    }

    /// Whom the client expects, by an ID token that it has got before. One that is none expects nobody who could be there.
    async fn expected(&self, flow: Flow<'_>) -> Result<Option<UserId>, Stop> {
        let Some(text) = &flow.request.id_token_hint else { return Ok(None) };
        let hint = id_token(self, text).await?;
        let sub = hint.and_then(|hint| hint.sub.parse().ok());
        let wrong = || AuthorizationError::InvalidRequest("id_token_hint is no ID token of this realm");
        match sub {
            Some(sub) => Ok(Some(sub)),
            None => Err(Stop::Answer(Box::new(Stop::settled(self.refuse(flow, wrong()))?))),
        }
    }

    fn code(&self, locator: Locator) -> Result<(Credential, Digest), Fault> {
        let credential = Credential::code(locator, &random(self.ports.entropy())?);
        let digest = credential.digest();
        Ok((credential, digest))
    }

    /// An error for the client.
    pub(super) fn refuse(&self, flow: Flow<'_>, error: AuthorizationError) -> Result<Answer, Stop> {
        let destination = &flow.request.destination;
        let said = destination.error(error, &self.realm.issuer);
        let answer = page::back(self.realm, destination, &said)?.because(error.code());
        Ok(answer.and("Set-Cookie", self.cookies.end(&flow.transaction.id)))
    }

    /// What is wrong with a request, before anybody has signed in. A client that has registered itself gets no redirect for it: else
    /// everybody could make this server send browsers wherever they like (RFC 9700 section 4.11.2). Its person is shown the way back.
    pub(super) fn refuse_early(
        &self,
        client: &Client,
        destination: &Destination,
        (error, is_silent): (AuthorizationError, bool),
    ) -> Result<Answer, Stop> {
        let said = destination.error(error, &self.realm.issuer);
        if is_silent || !client.self_registered || self.cookies.browser().is_some() {
            return Ok(page::back(self.realm, destination, &said)?.because(error.code()));
        }
        let page = WayBack {
            base: &page::base(self.realm),
            heading: HEADING,
            client: &client.client_name,
            what: error.description(),
            place: &destination.place(),
            address: &destination.location(&said),
        };
        Ok(page::answer(400, &page, None)?.because(error.code()))
    }

    /// The sign-in page: for what a client asks, or for a page of the person's own.
    pub(super) fn sign_in(
        &self,
        status: u16,
        flow: Option<Flow<'_>>,
        (transaction, bond): (&Transaction, Option<&str>),
        (login, wrong): (&str, Option<&str>),
    ) -> Result<Answer, Stop> {
        let destination = flow.map(|flow| &flow.request.destination);
        let place = destination.map(Destination::place).unwrap_or_default();
        let Sealed { text: sealed, bond, cookies } = self.seal(transaction, bond)?;
        let challenge = self.challenge(Ceremony::SignIn, &bond)?;
        let base = page::base(self.realm);
        let providers = self.realm.providers.iter();
        let ways: Vec<_> = providers
            .map(|one| (one.label.as_str(), format!("{base}/federation/{}?transaction={sealed}", one.id)))
            .collect();
        let page = SignInPage {
            base: &base,
            realm: self.realm.name.as_str(),
            client: flow.map(|flow| (flow.client.client_name.as_str(), place.as_str())),
            transaction: &sealed,
            login,
            wrong,
            registers: self.realm.sign_up.is_some(),
            mails: self.realm.mail.is_some(),
            passkey: challenge.as_ref().map(|(party, challenge)| UsePasskey {
                challenge: challenge.as_str(),
                party: party.id,
                known: "",
                after: None,
            }),
            ways: &ways,
        };
        let answer = page::answer(status, &page, destination.map(Destination::source).as_deref())?;
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// The consent page, for this person only.
    fn ask(
        &self,
        flow: Flow<'_>,
        user: &UserView,
        refused: &ScopeSet,
        asked: &ScopeSet,
    ) -> Result<Answer, Stop> {
        let transaction = Transaction { shown_to: Some(user.id.clone()), ..flow.transaction.clone() };
        let Sealed { text: sealed, cookies, .. } = self.seal(&transaction, flow.bond)?;
        let destination = &flow.request.destination;
        let lines: Vec<_> = asked
            .iter()
            .map(|scope| ScopeLine {
                name: scope.as_str().to_owned(),
                words: self.config.scopes().words(scope).to_owned(),
                is_fixed: scope.as_str() == OPENID,
                is_ticked: !refused.contains(scope),
            })
            .collect();
        let owner = if flow.client.self_registered {
            "somebody who registered it themselves: nobody here has checked who"
        } else {
            "whoever runs this service, or somebody they know"
        };
        let page = ConsentPage {
            base: &page::base(self.realm),
            client: &flow.client.client_name,
            owner,
            place: &destination.place(),
            login: user.shown(),
            transaction: &sealed,
            scopes: &lines,
        };
        let answer = page::answer(200, &page, Some(&destination.source()))?;
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// The transaction as a page carries it, and what binds it to this browser.
    pub(super) fn seal(&self, transaction: &Transaction, bond: Option<&str>) -> Result<Sealed, Fault> {
        let (bond, cookies) = if let Some(bond) = bond {
            (bond.to_owned(), Vec::new())
        } else {
            let fresh = base64url(&random::<16>(self.ports.entropy())?);
            let cookies = self.cookies.begin(&transaction.id, &fresh);
            (fresh, cookies)
        };
        let text = transaction.seal(&self.key, &self.realm.name, &bond);
        let text = text.ok_or_else(|| Fault::new("write page", "the transaction does not serialise"))?;
        Ok(Sealed { text, bond, cookies })
    }
}

/// What the sign-in page says where not every way will do; `None`: the client does not mind.
fn wanted_ways(acr: Option<&str>) -> Option<String> {
    let words = [
        (SignInMethod::Passkey, "a passkey"),
        (SignInMethod::Password, "your password and nothing else"),
        (SignInMethod::Federated, "one of the other accounts below"),
    ];
    let wanted: Vec<_> =
        words.into_iter().filter(|(way, _)| way.is_among(acr)).map(|(_, words)| words).collect();
    (wanted.len() < words.len())
        .then(|| format!("The application asks you to sign in with {}.", wanted.join(", or with ")))
}
