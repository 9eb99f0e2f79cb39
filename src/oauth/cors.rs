//! Which other sites' scripts may read which answers (Fetch section 3.2; RFC 9700 section 2.6 for where never).
//!
//! | endpoint | whose scripts |
//! | --- | --- |
//! | metadata, key set | everybody's: what they say is public |
//! | token, revocation, userinfo | those of the client that asks: from an origin of one of its redirect URIs |
//! | everything else, the authorization endpoint above all | nobody's |
//!
//! A preflight names no client, so it is answered for every origin; the answer itself is what counts. No answer allows credentials of the
//! browser: these endpoints know no cookies.

use url::Url;

use crate::error::Fault;
use crate::http::{Answer, Head};
use crate::id::{ClientId, RealmName};
use crate::oauth::{Endpoint, known};
use crate::port::Ports;
use crate::principal::Client;
use crate::time::Timestamp;

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// Lets everybody's scripts read an answer that says the same to everybody.
#[must_use]
pub(super) fn for_everybody(answer: Answer) -> Answer {
    answer.with(ALLOW_ORIGIN, "*")
}

/// Lets the scripts of the client that asks read what it is answered, errors too.
///
/// # Errors
/// The client's record cannot be had.
pub(super) async fn for_client<P: Ports>(
    ports: &P,
    realm: &RealmName,
    head: &Head<'_>,
    client: Option<ClientId>,
    answer: Answer,
    now: Timestamp,
) -> Result<Answer, Fault> {
    let Some(origin) = head.headers.get("origin") else { return Ok(answer) };
    let answer = answer.with("Vary", "Origin");
    let Some(id) = client else { return Ok(answer) };
    let client = known::known_client(ports, realm, &id, now).await?;
    Ok(match client {
        Some(client) if has_origin(&client, &origin) => answer
            .with(ALLOW_ORIGIN, origin)
            .with("Access-Control-Expose-Headers", "DPoP-Nonce, WWW-Authenticate, Retry-After, X-Request-Id"),
        _ => answer,
    })
}

fn has_origin(client: &Client, origin: &str) -> bool {
    client.redirect_uris.iter().any(|uri| {
        Url::parse(uri).is_ok_and(|url| {
            let own = url.origin();
            own.is_tuple() && own.ascii_serialization() == origin
        })
    })
}

/// The answer to a preflight (Fetch section 3.2.2), where the path is one that scripts of other sites may ask.
#[must_use]
pub fn preflight(head: &Head<'_>, below: &str) -> Option<Answer> {
    let (origin, wanted) = (head.headers.get("origin")?, head.headers.get("access-control-request-method")?);
    let is_open = |endpoint: Endpoint| {
        matches!(
            endpoint,
            Endpoint::Jwks | Endpoint::Metadata | Endpoint::Revoke | Endpoint::Token | Endpoint::UserInfo
        )
    };
    let is_served = Endpoint::ALL
        .iter()
        .any(|(endpoint, method, path)| is_open(*endpoint) && *method == wanted && *path == below);
    (head.method == "OPTIONS" && is_served).then(|| {
        Answer::empty(204)
            .with(ALLOW_ORIGIN, origin)
            .with("Access-Control-Allow-Methods", wanted)
            .with("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
            .with("Access-Control-Max-Age", "600")
            .with("Vary", "Origin")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_71_an_origin_is_that_of_a_redirect_uri_and_nothing_like_it() {
        let redirect_uris = ["https://app.example/cb", "http://127.0.0.1:5173/cb", "com.example.app:/cb"]
            .map(str::to_owned)
            .to_vec();
        let client = Client { redirect_uris, ..Client::sample() };
        for (origin, allowed) in [
            ("https://app.example", true),
            ("http://127.0.0.1:5173", true),
            ("http://app.example", false),
            ("https://app.example:8443", false),
            ("https://app.example.evil.example", false),
            ("https://APP.example", false),
            ("http://127.0.0.1", false),
            ("com.example.app:", false),
            ("null", false),
            ("", false),
            ("*", false),
        ] {
            assert_eq!(has_origin(&client, origin), allowed, "{origin}");
        }
    }
}
