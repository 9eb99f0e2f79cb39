//! `/{realm}/consent`: the person says what an application may do for them.
//!
//! `GET` goes on with a transaction after the sign-in: a code where nothing has to be asked, else the page. `POST` is what the page
//! sends: `decision` `allow`, with a box for each scope, or `deny`.

use crate::config::{Config, OPENID, Realm};
use crate::grant::Prompt;
use crate::http::{Answer, Form, Head};
use crate::oauth::Stop;
use crate::people::page;
use crate::people::visit::{Visit, asked};
use crate::port::{Body, Ports};
use crate::principal::Says;
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// Answers a request for the consent page, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn consent<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let (is_post, form) = asked(head, body).await?;
    let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let Some(flow) = resumed.flow() else { return Ok(page::see_other(page::account(realm))) };
    let says = match (is_post.then(|| form.get("decision")).flatten(), &flow.transaction.shown_to) {
        (Some("allow"), Some(who)) => Says::Allow(who.clone(), ticked(&form)),
        (Some("deny"), Some(who)) => Says::Deny(who.clone()),
        _ if flow.request.wants(Prompt::Consent) => Says::Unheard,
        _ => Says::Silent,
    };
    visit.go_on(flow, says).await
}

/// The boxes that are ticked. An application that signs people in cannot do without `openid`.
fn ticked(form: &Form) -> ScopeSet {
    let named = form.names().filter_map(|name| name.strip_prefix("scope:"));
    named.chain([OPENID]).filter_map(|name| name.parse().ok()).collect()
}
