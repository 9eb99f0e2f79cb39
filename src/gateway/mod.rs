//! The gateway: a request's head in, a decision out.
//!
//! Deny by default. The path that is matched is the path that is forwarded. What passes is described by a
//! [`Pass`], which only [`decide`] can make: there is no other way to an upstream.
//!
//! **Out of scope**: moving bytes (`edge`); field redaction, rate limits, proof of possession.

mod forward_auth;
mod onward;

pub use forward_auth::{Named, original};
pub use onward::{Came, Onward};

use crate::config::Config;
use crate::encoding::hex;
use crate::error::{Denied, Error};
use crate::http::bearer;
use crate::id::RouteId;
use crate::policy::{Access, Host, Method, Upstream};
use crate::port::Ports;
use crate::time::Timestamp;
use crate::uri::RequestPath;
use crate::validator::{Authorized, Chore, verify};

/// What a caller wants: the request that is decided on, here or behind a proxy.
#[derive(Debug)]
pub struct Target<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The host that it was sent to.
    pub host: Option<Host>,
    /// The normalised path.
    pub path: RequestPath,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Whether a body follows.
    pub has_body: bool,
}

/// A request that may pass: where to, and who it speaks for.
#[derive(Debug)]
pub struct Pass<'c> {
    route: &'c RouteId,
    to: &'c Upstream,
    path: RequestPath,
    authorized: Option<Authorized>,
    chore: Option<Chore>,
}

/// Decides on one request. Checks route, credentials, token, scopes, session, in this order.
///
/// # Errors
/// [`Denied::NoRoute`] when nothing matches; else what the validator finds.
pub async fn decide<'c, P: Ports>(
    config: &'c Config,
    ports: &P,
    target: Target<'_>,
    now: Timestamp,
) -> Result<Pass<'c>, Error> {
    let method: Method = target.method.parse().map_err(|_| Denied::NoRoute)?;
    let route = config.routes().find(target.host.as_ref(), method, &target.path).ok_or(Denied::NoRoute)?;
    if target.has_body && matches!(method, Method::Get | Method::Head) {
        return Err(Denied::UnexpectedBody.into());
    }
    let (authorized, chore) = match &route.access {
        Access::Anonymous => (None, None),
        Access::Token { issuers, scopes } => {
            let token = bearer(target.authorization)?;
            // RFC 6750 section 2: one method to send the token. Which of two would count is nothing to guess.
            if target.query.is_some_and(has_token) {
                return Err(Denied::MalformCredentials.into());
            }
            let verified = verify(token, config, ports, issuers, now).await?;
            let (authorized, chore) = verified.authorize(scopes, config.scopes(), ports, now).await?;
            (Some(authorized), chore)
        }
    };
    Ok(Pass { route: &route.id, to: &route.to, path: target.path, authorized, chore })
}

impl Pass<'_> {
    /// The route that let it pass.
    #[must_use]
    pub const fn route(&self) -> &RouteId {
        self.route
    }

    /// Where to.
    #[must_use]
    pub const fn to(&self) -> &Upstream {
        self.to
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
    pub fn identity(&self) -> Vec<(&'static str, String)> {
        let Some(authorized) = &self.authorized else {
            return Vec::new();
        };
        let mut headers = vec![
            ("x-tollgate-issuer", header_value(authorized.issuer().as_str())),
            ("x-tollgate-subject", header_value(authorized.subject())),
            ("x-tollgate-scope", authorized.scopes().to_string()),
        ];
        if let Some(client) = authorized.client() {
            headers.push(("x-tollgate-client", header_value(client)));
        }
        if !authorized.roles().is_empty() {
            let roles: Vec<_> = authorized.roles().iter().map(|role| list_item(role)).collect();
            headers.push(("x-tollgate-roles", roles.join(",")));
        }
        headers
    }
}

fn has_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

fn header_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(&hex(&[byte]).to_ascii_uppercase());
            }
        }
    }
    out
}

/// The same for one of several: the comma that joins them is encoded as well.
fn list_item(text: &str) -> String {
    header_value(text).replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_cannot_break_out_of_its_header() {
        assert_eq!(header_value("user|7"), "user|7");
        assert_eq!(header_value("a\r\nX-Admin: 1"), "a%0D%0AX-Admin:%201");
        assert_eq!(header_value("100% ä"), "100%25%20%C3%A4");
    }
}
