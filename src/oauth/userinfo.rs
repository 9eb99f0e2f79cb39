//! `/{realm}/oauth/userinfo` (OpenID Connect Core section 5.3): who the person is, to a client that they have a session with.
//!
//! 1. The request bears one access token of this realm, in the header or, by `POST`, in the form (RFC 6750 section 2): else 401.
//!    One that is bound to a key comes in the header as `DPoP`, with a proof (RFC 9449 section 7.1).
//! 2. It is good, for all of the realm, and has the scope `openid`: else 401, or 403.
//! 3. Its session lives: the person's principal says so, and who they are, in one step. The request is a use of it.
//!
//! `sub` is always told; `profile` adds `name` and `preferred_username`, `email` adds `email` and `email_verified`.

use serde::Serialize;

use crate::config::{Config, EMAIL, OPENID, PROFILE, Realm};
use crate::error::Denied;
use crate::http::{Answer, Head};
use crate::id::{ClientId, Login};
use crate::oauth::own_token::{OwnToken, own_token, refusal};
use crate::oauth::proof::with_nonce;
use crate::oauth::{Stop, cors, form};
use crate::port::{Body, Ports};
use crate::principal::{self, Question, Refused, UserView};
use crate::time::Timestamp;
use crate::validator::ask_once;

/// The claims (OpenID Connect Core section 5.1).
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// Answers a userinfo request.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn userinfo<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let mut who = None;
    let answer = Stop::settled(answered(config, ports, realm, head, body, (now, &mut who)).await)?;
    let answer = with_nonce(ports, realm, head, answer, now)?;
    Ok(cors::for_client(ports, &realm.name, head, who, answer, now).await?)
}

async fn answered<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    (now, who): (Timestamp, &mut Option<ClientId>),
) -> Result<Answer, Stop> {
    let authorization = head.headers.get("authorization");
    let deny = refusal(authorization.as_deref());
    let typed = if head.method == "POST" && head.has_body { Some(form(head, body).await?) } else { None };
    let in_form = typed.as_ref().and_then(|form| form.get("access_token"));
    let OwnToken { token, session, mark } = own_token(config, ports, realm, (head, in_form), now).await?;
    *who = token.client().and_then(|client| client.parse().ok());
    let has = |scope: &str| token.grants(scope);
    if !has(OPENID) {
        let need = OPENID.parse().into_iter().collect();
        return Err(deny(&Denied::LackScope { need }));
    }
    let question = Question::ReadPerson { local: session.local(), used_at: now };
    let user = match ask_once(ports, session.locator(), mark, question).await? {
        principal::Answer::User(user) => user,
        principal::Answer::Refused(Refused::Replayed) => return Err(deny(&Denied::RejectProof("jti"))),
        principal::Answer::Refused(_) => return Err(deny(&Denied::EndSession)),
        _ => return Err(principal::Answer::unexpected("read person").into()),
    };
    Ok(Answer::json(200, &claims(&user, has(PROFILE), has(EMAIL)))?)
}

fn claims(user: &UserView, profile: bool, email: bool) -> Claims<'_> {
    let known = user.profile.email.as_deref().filter(|_| email);
    Claims {
        sub: user.id.as_str(),
        name: user.profile.name.as_deref().filter(|_| profile),
        preferred_username: user.login.as_ref().map(Login::as_str).filter(|_| profile),
        email: known,
        email_verified: known.map(|_| user.profile.email_verified),
    }
}
