//! The other issuers that are trusted, each on its own terms.

use std::sync::Arc;

use crate::config::document::{
    ClaimValueDocument, ClaimsDocument, ClientAuthentication, Discovery, IntrospectionDocument,
    IssuerDocument, OneOrMany, Revocation,
};
use crate::config::preset::Defaults;
use crate::config::{Problems, Realm};
use crate::id::RealmName;
use crate::keyring::RingName;
use crate::policy::Resource;
use crate::time::Lifetime;
use crate::token::{Algorithm, ClaimMap, ClaimPath, JwkSet, RequiredClaim, TokenType, Trust, Wanted};
use crate::uri::{Issuer, WebUrl};

/// An issuer whose tokens count: a realm, or somebody else.
#[derive(Debug)]
pub struct TrustedIssuer {
    /// On which terms its tokens count.
    pub trust: Trust,
    /// Where its keys are.
    pub keys: KeySource,
    /// Where it is asked about tokens, if it is.
    pub introspection: Option<Introspection>,
    /// For a realm: how it is found out that a session has ended.
    pub revocation: Option<Revocation>,
}

/// Where the keys of an issuer are.
#[derive(Debug)]
pub enum KeySource {
    /// In the configuration.
    Inline(JwkSet),
    /// Where its metadata says. The metadata must name the issuer.
    Metadata(WebUrl),
    /// Nowhere: it is asked about every token.
    Nowhere,
    /// At this address.
    Published(WebUrl),
    /// In a keyring of a realm of ours, and for how long its set is fresh.
    Realm(RingName, Lifetime),
}

/// Where and how an issuer is asked about tokens (RFC 7662).
#[derive(Debug)]
pub struct Introspection {
    /// The endpoint.
    pub endpoint: WebUrl,
    /// As which client.
    pub client_id: String,
    /// The name of the secret of the deployment that authenticates the client.
    pub secret_name: String,
    /// How it is sent.
    pub authentication: ClientAuthentication,
    /// How long `active` is believed.
    pub positive: Lifetime,
    /// How long the opposite is.
    pub negative: Lifetime,
}

/// The keyrings beside those of realms, as sources of keys. No token names such an issuer, and none is trusted by it.
pub(super) fn beside(realms: &[Realm]) -> Vec<(RealmName, TrustedIssuer)> {
    let with = realms.iter().filter_map(|realm| Some((realm, realm.terms(true)?)));
    let sources = with.filter_map(|(realm, policy)| {
        let issuer = format!("{}/id-tokens", realm.issuer).parse().ok()?;
        let source = TrustedIssuer {
            trust: Trust::new(issuer, Vec::new(), vec![policy.signing]),
            keys: KeySource::Realm(RingName::beside(realm.name.clone()), policy.fresh),
            introspection: None,
            revocation: None,
        };
        Some((realm.name.clone(), source))
    });
    sources.collect()
}

pub(super) fn trusted(
    (documents, carried): (&[IssuerDocument], &[String]),
    realms: &[Realm],
    resources: &[Resource],
    problems: &mut Problems,
) -> Vec<Arc<TrustedIssuer>> {
    // What cannot be parsed is told where it stands: at its route.
    let carried: Vec<ClaimPath> = carried.iter().filter_map(|text| text.parse().ok()).collect();
    let with_carried = |mut trust: Trust| {
        trust.claims.carried.clone_from(&carried);
        trust
    };
    let own = realms.iter().map(|realm| TrustedIssuer {
        trust: with_carried(realm.trust(resources)),
        keys: KeySource::Realm(realm.ring.clone(), realm.keys.fresh),
        introspection: None,
        revocation: Some(realm.revocation),
    });
    let mut known: Vec<Arc<TrustedIssuer>> = own.map(Arc::new).collect();
    for (at, document) in documents.iter().enumerate() {
        let Some(issuer) = issuer(&format!("issuers[{at}]"), document, problems) else {
            continue;
        };
        if known.iter().any(|other| other.trust.issuer == issuer.trust.issuer) {
            problems.add(
                format_args!("issuers[{at}].issuer"),
                "this issuer is configured already; keep one entry",
            );
        }
        known.push(Arc::new(TrustedIssuer { trust: with_carried(issuer.trust), ..issuer }));
    }
    known
}

fn issuer(path: &str, document: &IssuerDocument, problems: &mut Problems) -> Option<TrustedIssuer> {
    let issuer: Issuer = problems.take(format_args!("{path}.issuer"), document.issuer.parse())?;
    if issuer.is_plain_http() && !issuer.is_loopback() {
        problems.add(format_args!("{path}.issuer"), "is plain http; use https");
    }
    let defaults = Defaults::of(document.preset);
    let introspection = document
        .introspection
        .as_ref()
        .map(|document| introspection(&format!("{path}.introspection"), document, problems));
    let keys = keys(path, document, &issuer, &defaults, problems);
    let algorithms = document.algorithms.clone().unwrap_or(defaults.algorithms);
    check_symmetric(path, &algorithms, keys.as_ref(), problems);
    let asks_about_all = matches!(keys, Some(KeySource::Nowhere));
    let audiences = document.audiences.clone().unwrap_or_default();
    let typ = document.typ.clone().unwrap_or(defaults.typ);
    for (name, is_empty) in [
        ("algorithms", algorithms.is_empty()),
        ("audiences", (audiences.is_empty() && !asks_about_all) || audiences.iter().any(String::is_empty)),
        ("typ", typ.is_empty()),
    ] {
        if is_empty {
            problems
                .add(format_args!("{path}.{name}"), "is empty; nothing could ever pass: give at least one");
        }
    }
    let leeway = problems.range(format_args!("{path}.leeway_seconds"), document.leeway_seconds, 0, 300);
    let longest = document.max_lifetime_seconds.map(|seconds| {
        problems.range(format_args!("{path}.max_lifetime_seconds"), seconds, 1, 10 * 365 * 86_400)
    });
    let types = typ.iter().enumerate().filter(|(_, typ)| !typ.is_empty());
    let types: Vec<TokenType> =
        types.filter_map(|(at, typ)| problems.take(format_args!("{path}.typ[{at}]"), typ.parse())).collect();
    let mut required = defaults.required;
    for (name, value) in &document.required_claims {
        let claim = required_claim(&format!("{path}.required_claims.{name}"), name, value, problems);
        required.retain(|known| claim.as_ref().is_none_or(|claim| known.path != claim.path));
        required.extend(claim);
    }
    let trust = Trust {
        issuer,
        audiences,
        algorithms,
        types,
        untyped: typ.iter().any(String::is_empty),
        leeway: Lifetime::from_seconds(leeway),
        max_lifetime: longest.map(Lifetime::from_seconds),
        claims: claim_map(&format!("{path}.claims"), &document.claims, defaults.claims, problems),
        required,
    };
    let introspection = match introspection {
        Some(introspection) => Some(introspection?),
        None => None,
    };
    Some(TrustedIssuer { trust, keys: keys?, introspection, revocation: None })
}

/// Exactly one source; with a preset and none of them, the preset's.
fn keys(
    path: &str,
    document: &IssuerDocument,
    issuer: &Issuer,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Option<KeySource> {
    let said = [document.jwks.is_some(), document.jwks_uri.is_some(), document.discovery.is_some()];
    if said.iter().filter(|said| **said).count() > 1 {
        problems.add(path, "has several sources of keys; keep one of `jwks`, `jwks_uri`, `discovery`");
        return None;
    }
    if let Some(keys) = &document.jwks {
        if keys.is_empty() {
            problems.add(
                format_args!("{path}.jwks.keys"),
                "is empty; nothing could ever pass: give at least one",
            );
        }
        if keys.has_rivals() {
            problems.add(
                format_args!("{path}.jwks.keys"),
                "has two keys of one `kid` for the same algorithm; nobody could say which one a token means: rename one",
            );
        }
        let (secrets, others): (Vec<_>, Vec<_>) = keys.keys().partition(|key| key.is_symmetric());
        if !secrets.is_empty() && !others.is_empty() {
            problems.add(
                format_args!("{path}.jwks.keys"),
                "holds secrets beside public keys; make two issuers of it, or leave one kind out",
            );
        }
        return Some(KeySource::Inline(keys.clone()));
    }
    if let Some(uri) = &document.jwks_uri {
        return problems.take(format_args!("{path}.jwks_uri"), uri.parse()).map(KeySource::Published);
    }
    if let Some(discovery) = document.discovery {
        let url = match discovery {
            Discovery::Oauth => WebUrl::oauth_metadata(issuer),
            Discovery::Openid => WebUrl::openid_metadata(issuer),
        };
        return problems.take(format_args!("{path}.issuer"), url).map(KeySource::Metadata);
    }
    if let Some(keys) = defaults.keys {
        return problems.take(format_args!("{path}.issuer"), keys(issuer));
    }
    if document.introspection.is_some() {
        return Some(KeySource::Nowhere);
    }
    problems.add(path, "has no keys; give `jwks`, `jwks_uri`, `discovery` or `introspection`");
    None
}

/// What everybody can fetch is no secret.
fn check_symmetric(path: &str, algorithms: &[Algorithm], keys: Option<&KeySource>, problems: &mut Problems) {
    for (at, algorithm) in algorithms.iter().enumerate() {
        if algorithm.is_symmetric() && !matches!(keys, Some(KeySource::Inline(_)) | None) {
            let name = algorithm.name();
            problems.add(
                format_args!("{path}.algorithms[{at}]"),
                format_args!("`{name}` needs its secret in `jwks`; remove it"),
            );
        }
    }
}

fn required_claim(
    path: &str,
    name: &str,
    value: &ClaimValueDocument,
    problems: &mut Problems,
) -> Option<RequiredClaim> {
    let wanted = match value {
        ClaimValueDocument::Anything(()) => Wanted::Anything,
        ClaimValueDocument::Flag(flag) => Wanted::Flag(*flag),
        ClaimValueDocument::One(text) => Wanted::OneOf(vec![text.clone()]),
        ClaimValueDocument::Many(texts) if !texts.is_empty() => Wanted::OneOf(texts.clone()),
        ClaimValueDocument::Many(_) => {
            problems.add(path, "is empty; nothing could ever pass: name at least one text");
            return None;
        }
    };
    problems.take(path, name.parse::<ClaimPath>()).map(|path| RequiredClaim { path, wanted })
}

fn claim_map(path: &str, document: &ClaimsDocument, defaults: ClaimMap, problems: &mut Problems) -> ClaimMap {
    let mut places = |name: &str, said: &Option<OneOrMany>, default: Vec<ClaimPath>| {
        let texts = match said {
            None => return default,
            Some(said) => said.as_slice(),
        };
        if texts.is_empty() {
            problems.add(format_args!("{path}.{name}"), "is empty; leave it out, or name a claim");
        }
        let at = format!("{path}.{name}");
        texts.iter().filter_map(|text| problems.take(&at, text.parse())).collect()
    };
    ClaimMap {
        audience: places("audience", &document.audience, defaults.audience),
        client: places("client", &document.client, defaults.client),
        roles: places("roles", &document.roles, defaults.roles),
        scope: places("scope", &document.scope, defaults.scope),
        subject: places("subject", &document.subject, defaults.subject),
        carried: Vec::new(),
    }
}

fn introspection(
    path: &str,
    document: &IntrospectionDocument,
    problems: &mut Problems,
) -> Option<Introspection> {
    if document.client_id.is_empty() {
        problems.add(format_args!("{path}.client_id"), "is empty; tollgate has to say who asks");
    }
    problems.secret_name(format_args!("{path}.client_secret_name"), &document.client_secret_name);
    let positive = problems.range(format_args!("{path}.cache_seconds"), document.cache_seconds, 0, 3600);
    let negative = problems.range(format_args!("{path}.negative_seconds"), document.negative_seconds, 0, 300);
    Some(Introspection {
        endpoint: problems.take(format_args!("{path}.endpoint"), document.endpoint.parse())?,
        client_id: document.client_id.clone(),
        secret_name: document.client_secret_name.clone(),
        authentication: document.authentication,
        positive: Lifetime::from_seconds(positive),
        negative: Lifetime::from_seconds(negative),
    })
}

#[cfg(test)]
mod tests;
