//! The gateway: a request's head in, a decision out.
//!
//! Deny by default. The path that is matched is the path that is forwarded. What passes is described by a
//! [`Pass`], which only [`decide`] can make: there is no other way to an upstream.
//!
//! **Out of scope**: moving bytes, and taking fields out of them (`edge`).

pub(crate) mod credential;
mod form;
mod forward_auth;
mod limit;
mod message;
mod onward;
mod possession;
mod resource_metadata;

use credential::{without_cookie, without_token};

pub use forward_auth::{Named, original};
pub use onward::{Came, Onward};
pub use resource_metadata::resource_metadata;

use std::borrow::Cow;

use crate::check::Check;
use crate::config::Config;
use crate::encoding::visible;
use crate::error::{Denied, Error};
use crate::http::{Answer, Headers, Scheme};
use crate::id::RouteId;
use crate::policy::{Access, Host, Method, Route, TokenPlace, Upstream};
use crate::port::{Body, Ports, Timer};
use crate::redact::FieldPath;
use crate::time::Timestamp;
use crate::token::{Holder, Peer};
use crate::uri::RequestPath;
use crate::validator::{AccessToken, Authorized, Chore, Need, check_nonce, verify};

/// What a caller wants: the request that is decided on, here or behind a proxy.
pub struct Target<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The host that it was sent to, where routes differ by it.
    pub host: Option<Host>,
    /// The normalised path.
    pub path: RequestPath,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Whether a body follows.
    pub has_body: bool,
    /// The other headers, where a route asks for one of them.
    pub headers: Option<&'a dyn Headers>,
    /// Whoever has sent the request, where that is known: not who asks a proxy, which asks here.
    pub peer: Option<&'a dyn Peer>,
}

impl Target<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.headers?.get(name)
    }
}

impl std::fmt::Debug for Target<'_> {
    /// Neither headers, nor query, nor body: all of them may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A request that may pass: where to, and who it speaks for.
#[derive(Debug)]
pub struct Pass<'c> {
    route: &'c Route,
    path: RequestPath,
    authorized: Option<Authorized>,
    /// Where the token stood that was used up.
    spent: Option<&'c TokenPlace>,
    /// The cookies that are left, where it was one of them.
    cookies: Option<String>,
    /// The body, where it was read; a form without the token if it stood there.
    body: Option<String>,
    /// The fields that come back; `None`: the whole answer does.
    seen: Option<Vec<&'c FieldPath>>,
    /// What the answer says to the browser that asks for a script.
    told: Vec<(&'static str, String)>,
    chore: Option<Chore>,
}

/// The route of a request.
///
/// # Errors
/// [`Denied::NoRoute`] when nothing matches, [`Denied::UnexpectedBody`].
pub fn route<'c>(config: &'c Config, target: &Target<'_>) -> Result<&'c Route, Denied> {
    let method: Method = target.method.parse().map_err(|_| Denied::NoRoute)?;
    let route = config.routes().find(target.host.as_ref(), method, &target.path).ok_or(Denied::NoRoute)?;
    if target.has_body && matches!(method, Method::Get | Method::Head) {
        return Err(Denied::UnexpectedBody);
    }
    Ok(route)
}

/// The answer to a preflight (Fetch section 3.2.2), and the route that it asks about; `None`: it is none, or that route leaves it to its upstream.
#[must_use]
pub fn preflight<'c>(config: &'c Config, target: &Target<'_>) -> Option<(&'c Route, Answer)> {
    let (origin, wanted) = (target.header("origin")?, target.header("access-control-request-method")?);
    let route = config.routes().find(target.host.as_ref(), wanted.parse().ok()?, &target.path)?;
    Some((route, route.cors.as_ref()?.preflight(&origin, &route.methods)))
}

/// What a route's answers say to the browser that asks for a script.
#[must_use]
pub fn told(route: &Route, target: &Target<'_>) -> Vec<(&'static str, String)> {
    let cors = route.cors.as_ref();
    cors.map_or_else(Vec::new, |cors| cors.on_answer(target.header("origin").as_deref()))
}

/// Decides on one request for `route`. Checks credentials, a proof of possession where the token came with one, token, nonce, resource, what it is bound to,
/// scopes, sign-in, roles, whether its claims fit into headers, abilities, the tool that is called, how often it was called, session, in this order: what asks somebody
/// else or uses something up comes last, and nothing of a stranger's is read. With a proof it always takes the long way: nobody but its principal knows whether it was
/// used. `body` is read only where the route looks for a token in it, or into messages.
///
/// # Errors
/// What is wrong with the credentials; else what the validator finds.
pub async fn decide<'c, P: Ports>(
    config: &'c Config,
    ports: &P,
    route: &'c Route,
    target: Target<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Pass<'c>, Error> {
    if route.limit.is_some() || route.tools.is_some() {
        // Somebody has to be asked, or a body to be read: before that nothing is used, lest it be used twice.
        ports.may_wait().await;
    }
    limit::of_address(ports, route, &target).await?;
    let Access::Token { issuers, scopes, roles, places, step_up, binding } = &route.access else {
        return Ok(Pass::of_anybody(route, target.path));
    };
    let (mut form, mut now) = (None, now);
    if *places != [TokenPlace::Authorization] {
        // The other places are looked at where everything of the request is at hand.
        ports.may_wait().await;
        form = form::read(ports, places, &target, body).await?;
        // A caller may take its time with a body: it is judged by the time when it was there.
        now = ports.timer().now().await;
    }
    ports.begin(&[Check::Credential]);
    let credential = credential::find(places, &target, form.as_deref())?;
    let proved = match credential.scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => {
            ports.may_wait().await;
            ports.begin(&[Check::Proof]);
            let shown = (&target, credential.token.as_ref());
            Some(possession::possession(config, ports, route, shown, now).await?)
        }
    };
    let key = proved.as_ref().map(|proved| proved.key);
    let holder = match target.peer {
        Some(peer) => Holder::Caller(key, peer),
        None => key.map_or(Holder::Bearer, Holder::Key),
    };
    let verified = verify(&credential.token, config, ports, issuers, holder, now).await?;
    let realm = verified.realm().and_then(|name| config.realm(name.as_str()));
    if let (Some(proved), Some(realm)) = (&proved, realm) {
        ports.begin(&[Check::Nonce]);
        check_nonce(ports, realm, proved, now)?;
    }
    let resource = route.described.as_ref().map(|about| about.resource.as_str());
    let (catalogue, binding) = (config.scopes(), *binding);
    let need = Need { resource, scopes, catalogue, step_up, binding };
    let permitted = verified.permit(&need, ports, now)?;
    let seen = besides(ports, route, roles, permitted.token())?;
    let mut message = None;
    if let Some(tools) = &route.tools {
        ports.begin(&[Check::Tool]);
        message = message::read(tools, &target, body).await?;
        if let Some(message) = &message {
            permitted.token().check_scopes(scopes, message.needs, catalogue)?;
        }
        // And whether its session was used.
        now = ports.timer().now().await;
    }
    limit::of_caller(ports, route, &permitted).await?;
    let (authorized, chore) = permitted.authorize(&route.id, proved.as_ref(), ports, now).await?;
    let spent = places.iter().find(|place| *place == credential.place);
    let cookies = match spent {
        Some(TokenPlace::Cookie(name)) => target.header("cookie").map(|all| without_cookie(&all, name)),
        _ => None,
    };
    drop(credential);
    let is_spent = spent == Some(&TokenPlace::Form);
    let form = form.map(|form| if is_spent { without_token(&form) } else { form });
    let body = message.map(|message| message.text).or(form);
    let authorized = Some(authorized);
    Ok(Pass { authorized, spent, cookies, body, seen, chore, ..Pass::of_anybody(route, target.path) })
}

/// What a route asks of a token besides what its claims grant: a role, claims that fit into headers, an ability. Gives the fields that come back.
fn besides<'c, P: Ports>(
    ports: &P,
    route: &'c Route,
    roles: &[String],
    token: &AccessToken,
) -> Result<Option<Vec<&'c FieldPath>>, Denied> {
    let theirs = token.roles();
    if !roles.is_empty() {
        ports.begin(&[Check::Roles]);
        if !roles.iter().any(|role| theirs.contains(role)) {
            return Err(Denied::LackRole);
        }
    }
    if !route.headers.is_empty() {
        ports.begin(&[Check::Headers]);
        let carried = &token.claims().carried;
        route.headers.iter().try_for_each(|header| header.value(carried).map(|_| ()))?;
    }
    let Some(fields) = &route.fields else { return Ok(None) };
    ports.begin(&[Check::Abilities]);
    fields.seen_by(theirs).ok_or(Denied::LackAbility).map(Some)
}

impl<'c> Pass<'c> {
    /// A request that needs no token. Its body goes on as it comes: nobody has read it.
    const fn of_anybody(route: &'c Route, path: RequestPath) -> Self {
        Self {
            route,
            path,
            authorized: None,
            spent: None,
            cookies: None,
            body: None,
            seen: None,
            told: Vec::new(),
            chore: None,
        }
    }

    /// With what its answer says to the browser that asks for a script ([`told`]).
    #[must_use]
    pub fn telling(mut self, told: Vec<(&'static str, String)>) -> Self {
        self.told = told;
        self
    }

    /// The route that let it pass.
    #[must_use]
    pub const fn route(&self) -> &'c RouteId {
        &self.route.id
    }

    /// Where to.
    #[must_use]
    pub const fn to(&self) -> &Upstream {
        &self.route.to
    }

    /// The path to ask for there.
    #[must_use]
    pub const fn path(&self) -> &RequestPath {
        &self.path
    }

    /// Who it speaks for; nobody on an anonymous route.
    #[must_use]
    pub const fn authorized(&self) -> Option<&Authorized> {
        self.authorized.as_ref()
    }

    /// Work that is owed after the answer.
    #[must_use]
    pub const fn chore(&self) -> Option<Chore> {
        self.chore
    }

    /// The identity headers for the upstream. Their values are visible ASCII: whatever else a claim holds is
    /// percent-encoded, and so is `%`.
    #[must_use]
    pub fn identity(&self) -> Vec<(Cow<'static, str>, String)> {
        let Some(token) = self.authorized.as_ref().map(Authorized::token) else {
            return Vec::new();
        };
        let mut headers = vec![
            (Cow::Borrowed("x-tollgate-issuer"), visible(token.issuer().as_str())),
            (Cow::Borrowed("x-tollgate-subject"), visible(token.subject())),
            (Cow::Borrowed("x-tollgate-scope"), token.scopes().to_string()),
        ];
        if let Some(client) = token.client() {
            headers.push((Cow::Borrowed("x-tollgate-client"), visible(client)));
        }
        if !token.roles().is_empty() {
            let roles: Vec<_> = token.roles().iter().map(|role| list_item(role)).collect();
            headers.push((Cow::Borrowed("x-tollgate-roles"), roles.join(",")));
        }
        let carried = &token.claims().carried;
        for header in &self.route.headers {
            // One that is too long was refused.
            if let Ok(Some(value)) = header.value(carried) {
                headers.push((Cow::Owned(header.name.as_str().to_owned()), value.to_owned()));
            }
        }
        headers
    }
}

/// The same for one of several: the comma that joins them is encoded as well.
fn list_item(text: &str) -> String {
    visible(text).replace(',', "%2C")
}
