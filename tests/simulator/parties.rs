//! Who takes part: clients, people, the tokens they hold, and what takes these away again.

use std::rc::Rc;

use tollgate::encoding::Digest;
use tollgate::grant::{Code, SignInMethod};
use tollgate::id::Locator;
use tollgate::pkce::Verifier;
use tollgate::port::{Clients, Principals as _};
use tollgate::principal::{Answer, Question};
use tollgate::secret::Credential;
use tollgate::time::Lifetime;

use super::colo::Colo;
use crate::fakes::{Call, OPERATOR, Reply};

const HOST: &str = "https://edge.example";
const LOGIN: &str = "ada@example.com";
const CALLBACK: &str = "https://app.example/cb";
const ALL_GRANTS: &str = r#""client_credentials","authorization_code","refresh_token""#;

/// Those of a client that is granted no refresh token: its grants stand.
const PLAIN_GRANTS: &str = r#""client_credentials""#;

/// What one answer of the token endpoint hands out.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

impl Tokens {
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        (reply.status() == 200)
            .then(|| Self { access: reply.member("access_token"), refresh: reply.member("refresh_token") })
    }
}

/// A client, and the person who has signed in with it.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) realm: &'static str,
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) user: String,
    grants: &'static str,
}

/// How a session came to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opened {
    /// By client credentials: it is kept by the client's principal.
    ByClient,
    /// By a code: it is kept by the person's.
    ByPerson,
}

/// What takes tokens away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    ClientDeleted,
    ClientRoles,
    NewSecret,
    RevokedAccess,
    RevokedRefresh,
    SignedOut,
    UserDeleted,
    UserDisabled,
    UserRoles,
}

impl Ending {
    /// Those that end a session of this kind.
    pub(super) const fn of(opened: Opened) -> &'static [Self] {
        match opened {
            Opened::ByClient => &[
                Self::ClientDeleted,
                Self::ClientRoles,
                Self::NewSecret,
                Self::RevokedAccess,
                Self::RevokedRefresh,
            ],
            Opened::ByPerson => &[
                Self::RevokedAccess,
                Self::RevokedRefresh,
                Self::SignedOut,
                Self::UserDeleted,
                Self::UserDisabled,
                Self::UserRoles,
            ],
        }
    }

    /// Whether it ends one session only.
    pub(super) const fn is_of_one(self) -> bool {
        matches!(self, Self::RevokedAccess | Self::RevokedRefresh)
    }
}

pub(super) fn use_call(access: &str) -> Call {
    Call::get(format!("{HOST}/orders")).bearer(access)
}

fn manage(url: String, body: &str) -> Call {
    Call::json(url, body).bearer(OPERATOR)
}

impl Party {
    /// A client and a person of a realm, known at every edge.
    pub(super) async fn of(colo: &Rc<Colo>, realm: &'static str) -> Self {
        let party = Self::register(colo, realm).await;
        colo.settle().await;
        party
    }

    /// The same, where the client has nothing but client credentials.
    pub(super) async fn plain(colo: &Rc<Colo>, realm: &'static str) -> Self {
        let party = Self::with(colo, realm, PLAIN_GRANTS).await;
        colo.settle().await;
        party
    }

    /// The same, a moment ago.
    pub(super) async fn register(colo: &Rc<Colo>, realm: &'static str) -> Self {
        Self::with(colo, realm, ALL_GRANTS).await
    }

    async fn with(colo: &Rc<Colo>, realm: &'static str, grants: &'static str) -> Self {
        let body = Self::registration(grants, "owner");
        let (_, reply) = colo.call(0, &manage(format!("{HOST}/{realm}/api/v1/clients"), &body)).await;
        assert_eq!(reply.status(), 201, "{}", reply.answer().body);
        let (client, secret) = (reply.member("client_id"), reply.member("client_secret"));
        let body = format!(r#"{{"login":"{LOGIN}","roles":["owner"]}}"#);
        let (_, reply) = colo.call(0, &manage(format!("{HOST}/{realm}/api/v1/users"), &body)).await;
        assert_eq!(reply.status(), 201, "{}", reply.answer().body);
        let user = reply.member("id");
        Self { realm, client, secret, user, grants }
    }

    fn registration(grants: &str, role: &str) -> String {
        format!(
            r#"{{"client_name":"App","scope":"orders:read","grant_types":[{grants}],"redirect_uris":["{CALLBACK}"],"roles":["{role}"]}}"#
        )
    }

    fn form(&self, path: &str, more: &str) -> Call {
        let Self { realm, client, secret, .. } = self;
        Call::form(
            format!("{HOST}/{realm}/oauth/{path}"),
            format!("client_id={client}&client_secret={secret}&{more}"),
        )
    }

    pub(super) fn credentials_call(&self) -> Call {
        self.form("token", "grant_type=client_credentials")
    }

    pub(super) fn refresh_call(&self, refresh: &str) -> Call {
        self.form("token", &format!("grant_type=refresh_token&refresh_token={refresh}"))
    }

    pub(super) fn introspect_call(&self, token: &str) -> Call {
        self.form("introspect", &format!("token={token}"))
    }

    fn verifier() -> Verifier {
        Verifier::from_random(&[7; 32])
    }

    pub(super) fn code_call(&self, code: &str) -> Call {
        let verifier = Self::verifier();
        let more = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&code_verifier={}",
            verifier.reveal()
        );
        self.form("token", &more)
    }

    /// Where the person is.
    pub(super) fn place(&self, colo: &Rc<Colo>) -> Locator {
        colo.site(0).place_of(&self.realm.parse().unwrap(), &LOGIN.parse().unwrap()).unwrap()
    }

    /// Where the client is.
    pub(super) async fn place_of_client(&self, colo: &Rc<Colo>) -> Locator {
        let (realm, client) = (self.realm.parse().unwrap(), self.client.parse().unwrap());
        Clients::find(&colo.site(0), &realm, &client).await.unwrap().unwrap().locator
    }

    /// A code of the person, who has just proved who they are.
    pub(super) async fn code(&self, colo: &Rc<Colo>) -> String {
        let locator = self.place(colo);
        let credential = Credential::code(locator, colo.random().bytes());
        let code = Code {
            client_id: self.client.parse().unwrap(),
            redirect_uri: CALLBACK.to_owned(),
            challenge: Digest::of(Self::verifier().reveal().as_bytes()),
            scope: "orders:read".parse().unwrap(),
            resources: vec![],
            nonce: None,
            auth_time: colo.now(),
            method: SignInMethod::Password,
            issued_at: colo.now(),
            expires_at: colo.now().after(Lifetime::from_seconds(60)),
            redeemed: None,
            key: None,
            browser: None,
            origin: None,
            tells: false,
        };
        let question = Question::IssueCode { digest: credential.digest(), code: Box::new(code) };
        assert_eq!(colo.site(0).ask(locator, &question).await.unwrap(), Answer::Done);
        credential.reveal().to_owned()
    }

    /// A session. To be asked for in fair weather.
    pub(super) async fn open(&self, colo: &Rc<Colo>, opened: Opened) -> Tokens {
        let call = match opened {
            Opened::ByClient => self.credentials_call(),
            Opened::ByPerson => self.code_call(&self.code(colo).await),
        };
        let (_, reply) = colo.call(colo.some_edge(), &call).await;
        Tokens::of(&reply).unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// The request that takes `tokens` away.
    pub(super) fn ending_call(&self, ending: Ending, tokens: &Tokens) -> Call {
        let client = format!("{HOST}/{}/api/v1/clients/{}", self.realm, self.client);
        let user = format!("{HOST}/{}/api/v1/users/{}", self.realm, self.user);
        match ending {
            Ending::ClientDeleted => Call::delete(client).bearer(OPERATOR),
            Ending::ClientRoles => {
                Call::put(client, Self::registration(self.grants, "reporting")).bearer(OPERATOR)
            }
            Ending::NewSecret => manage(format!("{client}/secret"), ""),
            Ending::RevokedAccess => self.form("revoke", &format!("token={}", tokens.access)),
            Ending::RevokedRefresh => self.form("revoke", &format!("token={}", tokens.refresh)),
            Ending::SignedOut => manage(format!("{user}/sign-out"), ""),
            Ending::UserDeleted => Call::delete(user).bearer(OPERATOR),
            Ending::UserDisabled => Call::patch(user, r#"{"disabled":true}"#).bearer(OPERATOR),
            Ending::UserRoles => Call::patch(user, r#"{"roles":["reporting"]}"#).bearer(OPERATOR),
        }
    }

    /// Takes `tokens` away, again and again until somebody says that it is done. Whoever is the client hears of a new secret.
    pub(super) async fn end(&mut self, colo: &Rc<Colo>, ending: Ending, tokens: &Tokens) {
        loop {
            let (_, reply) = colo.call(colo.some_edge(), &self.ending_call(ending, tokens)).await;
            match reply.status() {
                200 | 204 => {
                    if ending == Ending::NewSecret {
                        self.secret = reply.member("client_secret");
                    }
                    return;
                }
                // It was done, and nobody heard it.
                404 if ending == Ending::UserDeleted || ending == Ending::ClientDeleted => return,
                503 => colo.sleep(colo.tasks.rng.millis(0, 2_000)).await,
                other => panic!("{ending:?}: {other} {}", reply.answer().body),
            }
        }
    }
}
