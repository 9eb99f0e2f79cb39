//! `/{realm}/oauth/logout` (OpenID Connect RP-Initiated Logout 1.0): the person signs out of this browser.
//!
//! 1. Nothing stands twice; `id_token_hint`, where it is there, is an ID token of this realm, however old: else a page, 400.
//! 2. `client_id` is the client of the hint, where both are there; `post_logout_redirect_uri` is one that this client has registered, byte for
//!    byte: else a page, 400. Nobody is sent anywhere before this.
//! 3. Where the hint is about the person who is signed in, they are signed out at once (section 2). Else they are asked on a page: anybody could have
//!    sent them here. Where nobody is signed in, there is nothing to do.
//! 4. The browser goes to `post_logout_redirect_uri` with `state`, if there was a hint that says who asks; else to a page.
//!
//! What ends is that this browser is known, and what came of it: sessions whose codes were allowed there. Applications that are registered for it
//! are told ([`crate::oauth::send_logout_token`]).
//!
//! A `POST` is answered with a redirect to the same request as `GET`, for the reason that [`super::authorize`] has.

use crate::config::{Config, Realm};
use crate::grant::Destination;
use crate::http::{Answer, Form, Head};
use crate::id::{ClientId, UserId};
use crate::oauth::{Stop, form, known_client};
use crate::people::hint::id_token;
use crate::people::page::{self, SignOutPage};
use crate::people::visit::Visit;
use crate::port::{Body, Ports};
use crate::principal::{self, Client, Question};
use crate::secret::{Credential, Kind};
use crate::time::Timestamp;

/// What was asked for, once it is known to be right.
struct Asked {
    client: Option<Client>,
    /// Whom the hint is about.
    subject: Option<UserId>,
    /// Where the browser goes afterwards.
    destination: Option<String>,
}

/// The parameters that a page repeats.
const REPEATED: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// Answers a logout request.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn logout<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    if head.method == "POST" {
        let form = form(head, body)
            .await
            .map_err(|_| bad(&visit, "A parameter stands twice, or the form is none."))?;
        let query = page::query_of(&form);
        return Ok(page::see_other(format!("{}/oauth/logout?{query}", page::base(realm))));
    }
    let form = Form::of_query(head.query.unwrap_or_default())
        .map_err(|_| bad(&visit, "A parameter stands twice."))?;
    let asked = read(&visit, &form).await?;
    let Some(browser) = visit.cookies.browser() else { return gone(&visit, &asked) };
    let is_theirs = match &asked.subject {
        Some(subject) => leave(&visit, browser, Some(subject)).await?,
        None => false,
    };
    if is_theirs {
        return gone(&visit, &asked);
    }
    let said: Vec<_> = REPEATED.iter().filter_map(|name| Some((*name, form.get(name)?))).collect();
    let page = SignOutPage {
        base: &page::base(realm),
        realm: realm.name.as_str(),
        client: asked.client.as_ref().map(|client| client.client_name.as_str()),
        proof: &visit.proof(browser),
        said: &said,
    };
    Ok(page::answer(200, &page, asked.destination.as_deref().and_then(source_of).as_deref())?)
}

/// `POST /{realm}/logout`: the person says that they want to.
///
/// # Errors
/// As [`logout`].
pub async fn sign_out<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let form = form(head, body).await?;
    let asked = read(&visit, &form).await?;
    let Some(browser) = visit.cookies.browser() else { return gone(&visit, &asked) };
    if visit.proved(&form).is_none() {
        return Err(bad(&visit, "This page was opened in another browser. Go back and start again."));
    }
    leave(&visit, browser, None).await?;
    gone(&visit, &asked)
}

fn bad<P: Ports>(visit: &Visit<'_, P>, text: &str) -> Stop {
    visit.lost(400, "You could not be signed out like this", text)
}

/// (1) (2)
async fn read<P: Ports>(visit: &Visit<'_, P>, form: &Form) -> Result<Asked, Stop> {
    let hint = match form.get("id_token_hint") {
        Some(text) => {
            let wrong =
                || bad(visit, "The application sent an ID token that is not one of ours (id_token_hint).");
            Some(id_token(visit, text).await?.ok_or_else(wrong)?)
        }
        None => None,
    };
    let named = form.get("client_id");
    if hint.as_ref().zip(named).is_some_and(|(hint, named)| hint.aud != named) {
        return Err(bad(visit, "The ID token is another application's (client_id)."));
    }
    let id = hint.as_ref().map(|hint| hint.aud.as_str()).or(named);
    let client = match id.and_then(|id| id.parse::<ClientId>().ok()) {
        Some(id) => known_client(visit.ports, &visit.realm.name, &id, visit.now).await?,
        None => None,
    };
    let destination = form.get("post_logout_redirect_uri").map(str::to_owned);
    if let Some(wanted) = &destination {
        let is_its = client.as_ref().is_some_and(|client| client.post_logout_redirect_uris.contains(wanted));
        if !is_its {
            let text = "The application wants to send you to an address that it has not registered (post_logout_redirect_uri).";
            return Err(bad(visit, text));
        }
    }
    let subject = hint.as_ref().and_then(|hint| hint.sub.parse().ok());
    // Whoever only says a name may be anybody: nobody is sent anywhere for it.
    let destination = destination.filter(|_| hint.is_some()).map(|uri| with_state(uri, form.get("state")));
    Ok(Asked { client, subject, destination })
}

fn with_state(uri: String, state: Option<&str>) -> String {
    let Some(state) = state else { return uri };
    let destination = Destination { redirect_uri: uri, ..Destination::default() };
    destination.location(&[("state", state)])
}

fn source_of(uri: &str) -> Option<String> {
    let destination = Destination { redirect_uri: uri.to_owned(), ..Destination::default() };
    Some(destination.source()).filter(|source| !source.is_empty())
}

/// (3): the browser is not known any more. Whether it was, by the person whom the hint is about.
async fn leave<P: Ports>(visit: &Visit<'_, P>, browser: &str, who: Option<&UserId>) -> Result<bool, Stop> {
    let known = Credential::parse(Kind::Browser, browser).ok();
    let Some((digest, locator)) = known.and_then(|known| Some((known.digest(), known.locator()?))) else {
        return Ok(who.is_none());
    };
    let question = Question::Leave { browser: digest, who: who.cloned() };
    match visit.ask_principal(locator, question).await? {
        principal::Answer::Done => Ok(true),
        principal::Answer::Refused(_) => Ok(false),
        _ => Err(principal::Answer::unexpected("leave").into()),
    }
}

/// (4)
fn gone<P: Ports>(visit: &Visit<'_, P>, asked: &Asked) -> Result<Answer, Stop> {
    let answer = match &asked.destination {
        Some(destination) => page::see_other(destination.clone()),
        None => page::notice(visit.realm, 200, "You are signed out", "You can close this page.")?,
    };
    Ok(answer.and("Set-Cookie", visit.cookies.forget()))
}
