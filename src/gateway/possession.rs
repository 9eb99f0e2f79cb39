//! Proofs of possession of callers (RFC 9449 section 7).

use crate::config::Config;
use crate::dpop::{About, PROOF_HEADER, Proved};
use crate::error::{Denied, Error};
use crate::gateway::Target;
use crate::policy::{Host, Route};
use crate::port::Ports;
use crate::time::Timestamp;
use crate::uri::Issuer;
use crate::validator::prove;

/// What the proof says that came with `token`. Does **not** check its nonce, nor whether it was used before.
///
/// # Errors
/// [`Denied::RejectProof`], also where none came; a fault when the platform does not check.
pub(super) async fn possession<P: Ports>(
    config: &Config,
    ports: &P,
    route: &Route,
    (target, token): (&Target<'_>, &str),
    now: Timestamp,
) -> Result<Proved, Error> {
    let text = target.header(PROOF_HEADER).ok_or(Denied::RejectProof("header"))?;
    let origins = origins(config, route);
    let about = About { method: target.method, origins: &origins, path: &target.path, token: Some(token) };
    prove(ports, &text, &about, now).await
}

/// Where callers may have sent a request for this route: what the configuration says of the deployment's own addresses, and never the `Host` that
/// a request came with. Those are the origins of its realms and resources; for a route that names its host, those of them with that host, or its
/// own.
fn origins(config: &Config, route: &Route) -> Vec<String> {
    let realms = config.realms().iter().map(|realm| &realm.issuer);
    let known = realms.chain(config.resources().iter().map(|resource| &resource.id)).map(Issuer::origin);
    let Some(host) = &route.host else { return known.map(str::to_owned).collect() };
    let is_its = |origin: &&str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.and_then(Host::of_authority).as_ref() == Some(host)
    };
    let mut its: Vec<_> = known.filter(is_its).map(str::to_owned).collect();
    if its.is_empty() {
        its.push(format!("https://{host}"));
    }
    its
}
