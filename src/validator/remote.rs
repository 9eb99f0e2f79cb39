//! Key sets of other issuers: from the Cache API, else from their servers.
//!
//! What a server answers is believed within limits: 200 and nothing else, 64 KiB, 100 keys, metadata that names
//! the very issuer that was asked for (RFC 8414 section 3.3, OpenID Connect Discovery section 4.3). Keys that do
//! not meet the policy are left out and logged.

use serde::{Deserialize, Serialize};

use crate::config::TrustedIssuer;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{LONGEST_FRESHNESS, freshness};
use crate::json::{self, Object, Value};
use crate::port::{Entry, Journal, Ports, SharedCache, Web, WebReply, WebRequest};
use crate::time::{Lifetime, Timestamp};
use crate::token::JwkSet;
use crate::uri::WebUrl;
use crate::validator::keys::{Known, Tier, change};

/// As it is kept in the shared cache. A test pins the shape.
#[derive(Deserialize, Serialize)]
struct Copy {
    fresh_until: Timestamp,
    body: String,
}

/// What an issuer publishes at an address.
#[derive(Clone, Copy)]
pub(super) enum Published<'c> {
    Keys(&'c WebUrl),
    /// Metadata, which say where the keys are.
    Metadata(&'c WebUrl),
}

/// A copy that is still to be written: whoever waits for the keys does not wait for that.
pub(super) struct Unwritten {
    name: String,
    text: String,
    keep_for: Lifetime,
}

impl Unwritten {
    pub(super) async fn write<P: Ports>(self, ports: &P) {
        ports.shared_cache().write(&self.name, &self.text, self.keep_for).await;
    }
}

/// The keys that are published so: from a copy, if that will do, else from there, with the copy to be written.
pub(super) async fn keys<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    published: Published<'_>,
    tier: Tier,
    now: Timestamp,
) -> Result<(Known, Option<Unwritten>), Fault> {
    let (Published::Keys(url) | Published::Metadata(url)) = published;
    let name = copy_name(issuer, url);
    if let Some(known) = copy(ports, &name, tier, now).await {
        return Ok((known, None));
    }
    if let Published::Keys(url) = published {
        return fetch(ports, issuer, name, url, now).await;
    }
    let remembered = change(ports, issuer, |state| state.jwks_uri.clone());
    let jwks_uri = match remembered.filter(|(_, until)| now <= *until) {
        Some((jwks_uri, _)) => jwks_uri,
        None => described(ports, issuer, url, now).await?,
    };
    let fetched = fetch(ports, issuer, name, &jwks_uri, now).await;
    if fetched.is_err() {
        // Perhaps the keys have moved.
        change(ports, issuer, |state| state.jwks_uri = None);
    }
    fetched
}

/// Asks for the metadata at `url`, and remembers where it says the keys are.
async fn described<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    url: &WebUrl,
    now: Timestamp,
) -> Result<WebUrl, Fault> {
    const OP: &str = "read metadata";
    let reply = get(ports, url, OP).await?;
    let jwks_uri = jwks_uri(issuer, &reply.body).map_err(|problem| Fault::new(OP, problem))?;
    let until = now.after(freshness(reply.cache_control.as_deref(), reply.age.as_deref()));
    change(ports, issuer, |state| state.jwks_uri = Some((jwks_uri.clone(), until)));
    Ok(jwks_uri)
}

/// One name for one issuer and one address: what is kept for another configuration is another copy.
fn copy_name(issuer: &TrustedIssuer, url: &WebUrl) -> String {
    format!("keys/{}", Digest::of(format!("{}\n{url}", issuer.trust.issuer).as_bytes()))
}

async fn copy<P: Ports>(ports: &P, name: &str, tier: Tier, now: Timestamp) -> Option<Known> {
    if tier == Tier::Source {
        return None;
    }
    let copy: Copy = json::read(&ports.shared_cache().read(name).await?).ok()?;
    let (keys, _) = JwkSet::parse(copy.body.as_bytes()).ok()?;
    // Whoever could write a copy shall not make it last.
    let is_fresh = now <= copy.fresh_until && copy.fresh_until <= now.after(LONGEST_FRESHNESS);
    is_fresh.then_some(Known { keys, fresh_until: copy.fresh_until })
}

async fn fetch<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    name: String,
    url: &WebUrl,
    now: Timestamp,
) -> Result<(Known, Option<Unwritten>), Fault> {
    const OP: &str = "read key set";
    let reply = get(ports, url, OP).await?;
    let (keys, unfit) = JwkSet::parse(&reply.body).map_err(|e| Fault::new(OP, e.to_string()))?;
    for reason in unfit {
        ports.journal().record(&Entry {
            target: Some(issuer.trust.issuer.as_str()),
            decision: "skip",
            reason: Some(reason.code()),
            op: Some(OP),
            ..Entry::default()
        });
    }
    let keep_for = freshness(reply.cache_control.as_deref(), reply.age.as_deref());
    let fresh_until = now.after(keep_for);
    // A strict JSON document is UTF-8.
    let text = String::from_utf8(reply.body).ok();
    let text = text.and_then(|body| serde_json::to_string(&Copy { fresh_until, body }).ok());
    let copy = text.map(|text| Unwritten { name, text, keep_for });
    Ok((Known { keys, fresh_until }, copy))
}

pub(super) async fn get<P: Ports>(ports: &P, url: &WebUrl, op: &'static str) -> Result<WebReply, Fault> {
    let reply = ports.web().ask(&WebRequest::get(url)).await?;
    if reply.status == 200 { Ok(reply) } else { Err(Fault::new(op, format!("status {}", reply.status))) }
}

/// Where the metadata of `issuer` says its keys are.
fn jwks_uri(issuer: &TrustedIssuer, metadata: &[u8]) -> Result<WebUrl, String> {
    address(issuer, &own(issuer, metadata)?, "jwks_uri")
}

/// Metadata that name the issuer that they are said to be of.
pub(super) fn own<'m>(issuer: &TrustedIssuer, metadata: &'m [u8]) -> Result<Object<'m>, String> {
    let metadata = json::object(metadata).map_err(|_| "it is no strict JSON object".to_owned())?;
    if metadata.get("issuer").and_then(Value::as_text) == Some(issuer.trust.issuer.as_str()) {
        Ok(metadata)
    } else {
        Err("it names another issuer".to_owned())
    }
}

/// An address in metadata.
pub(super) fn address(
    issuer: &TrustedIssuer,
    metadata: &Object<'_>,
    name: &'static str,
) -> Result<WebUrl, String> {
    let text = metadata.get(name).and_then(Value::as_text).ok_or_else(|| format!("it names no {name}"))?;
    let url = text.parse::<WebUrl>().ok();
    // An address on this machine is for issuers on this machine.
    let url = url.filter(|url| url.as_str().starts_with("https://") || issuer.trust.issuer.is_loopback());
    url.ok_or_else(|| format!("its {name} is no https address"))
}
