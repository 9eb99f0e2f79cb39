//! Sends a client the notice that a person is not signed in any more (OpenID Connect Back-Channel Logout 1.0 section 2.5).
//!
//! 1. The client is still registered, and wants to hear of it: else nothing is owed.
//! 2. A logout token (section 2.4): `iss`, `sub`, `aud`, `iat`, `exp` two minutes later, `jti`, `events`, `sid`; signed as the client's ID tokens are.
//! 3. 200 or 204 is heard. 400 says that the client refuses it (section 2.8): it would refuse the same again. All else is tried again.

use crate::config::Config;
use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::{Locator, SessionId};
use crate::json::Members;
use crate::oauth::issue::ring_of;
use crate::port::{Clients, Ports, Signer, Web, WebRequest, random};
use crate::principal::{Notice, Told};
use crate::time::{Lifetime, Timestamp};
use crate::token::{LogoutClaims, signing_input};
use crate::uri::WebUrl;

/// How long a logout token counts: "preferably at most two minutes in the future" (section 2.4).
const LIFETIME: Lifetime = Lifetime::from_seconds(120);

const OP: &str = "send logout token";

/// Sends it. `locator`: of the principal that owes it.
///
/// # Errors
/// It was not heard, as far as is known, and why.
pub async fn send_logout_token<P: Ports>(
    config: &Config,
    ports: &P,
    (locator, notice): (Locator, &Notice),
    now: Timestamp,
) -> Result<Told, Fault> {
    let Some(realm) = config.realm(notice.realm.as_str()) else { return Ok(Told::Done) };
    // (1)
    let client = ports.clients().find(&realm.name, &notice.client_id).await?;
    let Some((client, address)) = client.and_then(|client| {
        let address: WebUrl = client.backchannel_logout_uri.as_deref()?.parse().ok()?;
        Some((client, address))
    }) else {
        return Ok(Told::Done);
    };
    // (2)
    let session = SessionId::named(locator, &notice.local).map_err(|e| Fault::new(OP, e.to_string()))?;
    let claims = LogoutClaims {
        issuer: &realm.issuer,
        subject: notice.subject.as_str(),
        audience: &notice.client_id,
        issued_at: now.as_seconds(),
        expires_at: now.after(LIFETIME).as_seconds(),
        token_id: base64url(&random::<16>(ports.entropy())?),
        events: [("http://schemas.openid.net/event/backchannel-logout", Members::default())]
            .into_iter()
            .collect(),
        session,
    };
    let write = |algorithm, key: &_| {
        signing_input("logout+jwt", algorithm, key, &claims).map_err(|e| Fault::new(OP, e.to_string()))
    };
    let token = ports.signer().sign(&ring_of(realm, client.rs256_id_tokens), &write).await?;
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    // (3)
    let reply = ports.web().ask(&WebRequest { form: Some(form), ..WebRequest::get(&address) }).await?;
    match reply.status {
        200 | 204 | 400 => Ok(Told::Done),
        status => Err(Fault::new(OP, format!("the client answered {status}"))),
    }
}
