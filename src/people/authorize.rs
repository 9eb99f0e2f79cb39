//! `/{realm}/oauth/authorize` (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).
//!
//! 1. Nothing stands twice: else a page, 400.
//! 2. The client is known, and the redirect URI is one of its own: else a page, 400. Nobody is sent anywhere before this.
//! 3. The request is one that this realm takes ([`AuthorizationRequest::read`]), for resources and scopes that the client may have:
//!    else an error for the client.
//! 4. The transaction begins ([`super`]).
//!
//! A `POST` is answered with a redirect to the same request as `GET`: a form of another site brings no cookies (`SameSite`), and the
//! navigation after it does.

use crate::config::{Config, Realm};
use crate::grant::{Astray, AuthorizationRequest, Destination, Prompt, Transaction};
use crate::http::{Answer, Form, Head};
use crate::id::ClientId;
use crate::oauth::{Stop, form, known_client};
use crate::people::page;
use crate::people::visit::{Flow, Visit};
use crate::port::{Body, Ports, random};
use crate::principal::Says;
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
    let bad = |text: &str| visit.lost(400, "This application has sent something wrong", text);
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
    let destination = Destination::of(&form, &client).map_err(|astray| {
        bad(match astray {
            Astray::Missing => "It did not say where to send you back to: redirect_uri is missing.",
            Astray::Unregistered => {
                "It wants to send you to an address that it has not registered (redirect_uri)."
            }
        })
    })?;
    let request = match AuthorizationRequest::read(&form, &client, destination.clone()) {
        Ok(request) => request,
        Err(error) => {
            let said = destination.error(error, &realm.issuer);
            return Ok(page::back(realm, &destination, &said)?.because(error.code()));
        }
    };
    let says = if request.wants(Prompt::Consent) { Says::Unheard } else { Says::Silent };
    let transaction = Transaction::begin(&random(ports.entropy())?, Some(request.clone()), now);
    let flow = Flow { client: &client, request: &request, transaction: &transaction, bond: None };
    visit.go_on(flow, says).await
}
