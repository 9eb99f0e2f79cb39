//! Somebody who manages everything: a client that nobody owns, with `platform:admin`, and a token of it whenever one is wanted.
//!
//! Tests of other things say [`super::OPERATOR`] where such a token belongs. How a first such client comes to be is tested with the API.

use tollgate::config::{Config, Realm};
use tollgate::encoding::{Digest, base64url};
use tollgate::id::{ClientId, Locator, SessionId};
use tollgate::principal::{
    Answer, Asks, Client, GrantType, Granted, NewSession, OpenSession, Proof, Question, RegisterClient,
    Terms, step,
};
use tollgate::time::{Lifetime, Timestamp};
use tollgate::token::{AccessClaims, Algorithm, Audience, signing_input};

use super::Memory;

/// Where the client is.
pub(crate) fn place(realm: &Realm) -> Locator {
    Locator::from(*Digest::of(format!("operator of {}", realm.name).as_bytes()).bytes())
}

/// Whose token it is to be.
pub(crate) struct Hand<'a> {
    pub(crate) locator: Locator,
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
}

/// The operator of a realm.
pub(crate) fn operator(realm: &Realm) -> Hand<'static> {
    Hand { locator: place(realm), client_id: "operator", scope: "platform:admin" }
}

/// The claims of a token that counts now, with a session of its own.
pub(crate) fn token_input(
    (rows, hand): (&Memory, &Hand<'_>),
    (config, realm): (&Config, &Realm),
    (algorithm, kid): (Algorithm, &tollgate::id::KeyId),
    now: Timestamp,
) -> String {
    let (locator, client_id): (_, ClientId) = (hand.locator, hand.client_id.parse().unwrap());
    let secret = Digest::of(b"operator");
    let ask = |question: Question| step(rows, config.scopes(), &question, now).unwrap().0;
    let client: Client = serde_json::from_value(serde_json::json!({
        "client_id": client_id, "client_name": "Operator", "realm": realm.name, "locator": locator,
        "grant_types": [GrantType::ClientCredentials], "scope": hand.scope,
    }))
    .unwrap();
    // The second time there is one already.
    ask(Question::RegisterClient(Box::new(RegisterClient::of(client, Some(secret)))));
    let local = base64url(&Digest::of(format!("{client_id} {}", now.as_millis()).as_bytes()).bytes()[..16]);
    let terms = Terms {
        access_token: realm.access_token,
        pace: realm.pace,
        session: realm.session,
        refresh_token: realm.refresh_token,
        client_ends: None,
    };
    let session = NewSession { local, terms, refresh: None, resources: vec![], key: None };
    let client = Asks { client_id: client_id.clone(), proof: Proof::Secret(secret), source: secret };
    let open = OpenSession { client, scopes: None, session, may_stand: false };
    let Answer::Granted(granted) = ask(Question::OpenSession(Box::new(open))) else {
        panic!("the operator gets no session")
    };
    let Granted { local, subject, roles, at, expires_at, scope, idle, .. } = *granted;
    let claims = AccessClaims {
        issuer: &realm.issuer,
        subject: &subject,
        audience: Audience(std::slice::from_ref(&realm.audience)),
        client_id: &client_id,
        issued_at: at.as_seconds(),
        expires_at: expires_at.as_seconds(),
        token_id: local.clone(),
        scope: &scope,
        roles: &roles,
        session: SessionId::named(locator, &local).unwrap(),
        auth_time: None,
        acr: None,
        idle: idle.map(Lifetime::as_seconds),
        bound: None,
    };
    signing_input("at+jwt", algorithm, kid, &claims).unwrap()
}
