//! Making tokens of what a principal has granted.

use serde::Serialize;

use crate::config::{OPENID, Realm};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::http::{Answer, NO_CACHE};
use crate::id::{ClientId, Locator, SessionId};
use crate::keyring::RingName;
use crate::port::{Ports, Signer, random};
use crate::principal::{Client, Granted, Terms};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::Lifetime;
use crate::token::{AccessClaims, Algorithm, Audience, Bound, IdClaims, signing_input};

/// A successful answer (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Body<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// How long what this client is granted lasts: the realm's settings, or its own where they are tighter.
pub(super) fn terms(realm: &Realm, client: &Client) -> Terms {
    let whole = Terms {
        access_token: realm.access_token,
        pace: realm.pace,
        session: realm.session,
        refresh_token: realm.refresh_token,
        client_ends: None,
    };
    whole.within(client)
}

/// Signs what was granted and answers with it. `rs256`: whether the client wants its ID tokens so. `key`: the thumbprint of the key that the
/// access token is bound to.
pub(super) async fn answer<P: Ports>(
    ports: &P,
    realm: &Realm,
    (client_id, rs256): (&ClientId, bool),
    (locator, granted): (Locator, &Granted),
    refresh: Option<&Credential>,
    key: Option<Digest>,
) -> Result<Answer, Fault> {
    let access_token = access_token(ports, realm, client_id, (locator, granted), key).await?;
    let wants_id = granted.scope.iter().any(|scope| scope.as_str() == OPENID);
    let id_token = if wants_id {
        Some(id_token(ports, realm, (client_id, rs256), (locator, granted), &access_token).await?)
    } else {
        None
    };
    let body = Body {
        access_token,
        token_type: if key.is_some() { "DPoP" } else { "Bearer" },
        expires_in: granted.expires_at.as_seconds().saturating_sub(granted.at.as_seconds()),
        scope: Some(&granted.scope).filter(|scopes| !scopes.is_empty()),
        refresh_token: refresh.filter(|_| granted.has_refresh).map(Credential::reveal),
        id_token,
    };
    Ok(Answer::json(200, &body)?.with(NO_CACHE.0, NO_CACHE.1))
}

async fn access_token<P: Ports>(
    ports: &P,
    realm: &Realm,
    client_id: &ClientId,
    (locator, granted): (Locator, &Granted),
    key: Option<Digest>,
) -> Result<String, Fault> {
    const OP: &str = "write token";
    let everywhere = [realm.audience.clone()];
    let audience =
        if granted.resources.is_empty() { everywhere.as_slice() } else { granted.resources.as_slice() };
    let sign_in = granted.sign_in.as_ref();
    let claims = AccessClaims {
        issuer: &realm.issuer,
        subject: &granted.subject,
        audience: Audience(audience),
        client_id,
        issued_at: granted.at.as_seconds(),
        expires_at: granted.expires_at.as_seconds(),
        token_id: base64url(&random::<16>(ports.entropy())?),
        scope: &granted.scope,
        roles: &granted.roles,
        session: SessionId::named(locator, &granted.local).map_err(|e| Fault::new(OP, e.to_string()))?,
        auth_time: sign_in.map(|sign_in| sign_in.auth_time.as_seconds()),
        acr: sign_in.map(|sign_in| sign_in.method.acr()),
        idle: granted.idle.map(Lifetime::as_seconds),
        bound: key.map(|key| Bound { key }),
    };
    sign(ports, realm, "at+jwt", &claims).await
}

async fn id_token<P: Ports>(
    ports: &P,
    realm: &Realm,
    (client_id, rs256): (&ClientId, bool),
    (locator, granted): (Locator, &Granted),
    access_token: &str,
) -> Result<String, Fault> {
    const OP: &str = "write token";
    let session = SessionId::named(locator, &granted.local).map_err(|e| Fault::new(OP, e.to_string()))?;
    let sign_in = granted.sign_in.as_ref();
    let write = |algorithm, key: &_| {
        let claims = IdClaims {
            issuer: &realm.issuer,
            subject: &granted.subject,
            audience: client_id,
            authorized: client_id,
            issued_at: granted.at.as_seconds(),
            expires_at: granted.expires_at.as_seconds(),
            at_hash: at_hash(algorithm, access_token),
            auth_time: sign_in.map(|sign_in| sign_in.auth_time.as_seconds()),
            acr: sign_in.map(|sign_in| sign_in.method.acr()),
            amr: sign_in.and_then(|sign_in| sign_in.method.amr()),
            session: sign_in.map(|_| session),
            nonce: sign_in.and_then(|sign_in| sign_in.nonce.as_deref()),
        };
        signing_input("JWT", algorithm, key, &claims).map_err(|e| Fault::new("write token", e.to_string()))
    };
    ports.signer().sign(&ring_of(realm, rs256), &write).await
}

/// What signs a client's ID tokens: the keyring of its realm, or the one beside it. Where a realm has that no longer, its own.
pub(super) fn ring_of(realm: &Realm, rs256: bool) -> RingName {
    if rs256 && realm.terms(true).is_some() {
        RingName::beside(realm.name.clone())
    } else {
        realm.ring.clone()
    }
}

/// OpenID Connect Core section 3.1.3.6: the left half of the hash that goes with the algorithm. What has no hash of its own has none here.
fn at_hash(algorithm: Algorithm, access_token: &str) -> Option<String> {
    let has_sha256 = matches!(algorithm, Algorithm::Es256 | Algorithm::Ps256 | Algorithm::Rs256);
    has_sha256.then(|| {
        let digest = Digest::of(access_token.as_bytes());
        base64url(digest.bytes().first_chunk::<16>().map_or(&[], |half| half.as_slice()))
    })
}

async fn sign<P: Ports>(
    ports: &P,
    realm: &Realm,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, Fault> {
    let write = |algorithm, key: &_| {
        signing_input(typ, algorithm, key, claims).map_err(|e| Fault::new("write token", e.to_string()))
    };
    ports.signer().sign(&realm.ring, &write).await
}
