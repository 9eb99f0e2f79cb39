//! `/{realm}/oauth/authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).
//!
//! 1. Nothing stands twice: else a page, 400.
//! 2. The client is known, and the redirect URI is one of its own: else a page, 400. Nobody is sent anywhere before this.
//! 3. The request is one that this realm takes ([`AuthorizationRequest::read`]), for resources and scopes that the client may have:
//!    else an error for the client.
//! 4. The transaction begins ([`super`]).
//!
//! A request that its client has pushed ([`super::push`]) comes as `client_id` and `request_uri` alone; whatever else stands there does not count (RFC 9126
//! section 4). Where that is what the client is registered for, no other counts.
//!
//! A `POST` is answered with a redirect to the same request as `GET`: a form of another site brings no cookies (`SameSite`), and the
//! navigation after it does.

use crate::config::{Config, Realm};
use crate::grant::{
    Astray, AuthorizationError, AuthorizationRequest, Destination, PUSHED, Prompt, Transaction,
};
use crate::http::{Answer, Form, Head};
use crate::id::ClientId;
use crate::oauth::{Stop, form, known_client};
use crate::people::page;
use crate::people::visit::{Flow, HEADING, Visit};
use crate::port::{Body, Ports, random};
use crate::principal::{Client, Says};
use crate::time::Timestamp;

/// Answers an authorization request.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn authorize<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let bad = |text: &str| visit.lost(400, HEADING, text);
    let twice = "A parameter stands twice, or the form is none.";
    if head.method == "POST" {
        let form = form(head, body).await.map_err(|_| bad(twice))?;
        let query = page::query_of(&form);
        return Ok(page::see_other(format!("{}/oauth/authorize?{query}", page::base(realm))));
    }
    let form = Form::of_query(head.query.unwrap_or_default()).map_err(|_| bad(twice))?;
    let unknown = || bad("It is not known here, by the client_id that it sent.");
    let id: ClientId = form.get("client_id").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let client = known_client(ports, &realm.name, &id, now).await?.ok_or_else(unknown)?;
    let pushed = form.get("request_uri").filter(|address| address.starts_with(PUSHED));
    let transaction = match pushed {
        Some(address) => {
            // RFC 9126 section 4: it belongs to the client that has pushed it.
            let is_its = |request: &AuthorizationRequest| request.client_id == client.client_id;
            let found = visit.pushed(address);
            let found = found.filter(|pushed| pushed.request.as_ref().is_some_and(is_its));
            let lost = || bad("Its request does not count any more (request_uri). Start again there.");
            // What the client wants to be recent is counted from when the browser came.
            Transaction { begun_at: now, ..found.ok_or_else(lost)? }
        }
        None => match brought(&visit, &form, &client)? {
            Ok(request) => Transaction::begin(&random(ports.entropy())?, Some(request), now),
            Err(answer) => return Ok(answer),
        },
    };
    let Some(request) = &transaction.request else { return Err(unknown()) };
    let says = if request.wants(Prompt::Consent) { Says::Unheard } else { Says::Silent };
    visit.go_on(Flow { client: &client, request, transaction: &transaction, bond: None }, says).await
}

/// (2) (3): a request that the browser brings itself, or the error that goes to the client.
fn brought<P: Ports>(
    visit: &Visit<'_, P>,
    form: &Form,
    client: &Client,
) -> Result<Result<AuthorizationRequest, Answer>, Stop> {
    let destination = Destination::of(form, client).map_err(|astray| {
        let text = match astray {
            Astray::Missing => "It did not say where to send you back to: redirect_uri is missing.",
            Astray::Unregistered => {
                "It wants to send you to an address that it has not registered (redirect_uri)."
            }
        };
        visit.lost(400, HEADING, text)
    })?;
    let read = if client.must_push {
        Err(AuthorizationError::InvalidRequest("push the request first"))
    } else {
        AuthorizationRequest::read(form, client, destination.clone())
    };
    Ok(match read {
        Ok(request) => Ok(request),
        Err(error) => {
            let is_silent = form.get("prompt") == Some("none");
            Err(visit.refuse_early(client, &destination, (error, is_silent))?)
        }
    })
}
