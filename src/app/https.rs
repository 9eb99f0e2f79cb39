//! HTTPS only: who goes on to it, what browsers are told of it, and where it is not asked for.

use crate::app::Outcome;
use crate::config::{Config, Realm};
use crate::error::Denied;
use crate::http::{Answer, Head};
use crate::oauth::{Endpoint, Routed};
use crate::policy::Host;

/// With what keeps browsers to HTTPS on this host (RFC 6797), where it came by HTTPS. Not on this machine: a host's other ports would be meant as well.
pub(super) fn strict<'c>(config: &Config, head: &Head<'_>, outcome: Outcome<'c>) -> Outcome<'c> {
    match (outcome, config.strict_transport()) {
        (Outcome::Answer(answer), Some(value)) if head.is_https && !is_local(head) => {
            Outcome::Answer(answer.with("Strict-Transport-Security", value))
        }
        (outcome, _) => outcome,
    }
}

/// Where somebody goes on who has come to a page over plain HTTP: to its own address, whatever host the request names. `None`: nowhere, because the
/// request may have held a credential, or is not for the host of the issuer.
pub(super) fn on_to_https(realm: &Realm, below: &str, head: &Head<'_>) -> Option<(Endpoint, Answer)> {
    let Routed::To(endpoint, _) = Endpoint::route(head.method, below) else { return None };
    let authority = realm.issuer.origin().strip_prefix("https://")?;
    let host = Host::of_authority(authority)?;
    let is_here = Host::of_authority(head.authority).is_some_and(|asked| asked == host);
    if !(endpoint.is_typed() && matches!(head.method, "GET" | "HEAD") && is_here) {
        return None;
    }
    let query = head.query.map(|query| format!("?{query}")).unwrap_or_default();
    let to = format!("{}{below}{query}", realm.issuer.as_str());
    Some((endpoint, Answer::empty(308).with("Location", to).because(Denied::RefuseHttp.code())))
}

/// Whether a request was sent to this machine: plain HTTP is allowed nowhere else.
pub(super) fn is_local(head: &Head<'_>) -> bool {
    // As most of them are spelled: what follows is a parser of hosts.
    let name = match head.authority.rsplit_once(':') {
        Some((name, port)) if !port.starts_with('+') && port.parse::<u16>().is_ok() => name,
        _ => head.authority,
    };
    matches!(name, "127.0.0.1" | "localhost")
        || Host::of_authority(head.authority).is_some_and(|host| host.is_loopback())
}
