//! Discovery: what this issuer is and does (RFC 8414 section 2, OpenID Connect Discovery 1.0).
//!
//! Lists what there is and nothing that is planned. Every address is the issuer's own constant text: never
//! the `Host` that a request came with.

use serde_json::json;

use crate::config::{Config, Realm};
use crate::error::Fault;
use crate::grant::ClientAuthentication;
use crate::http::Answer;
use crate::oauth::Endpoint;

/// The metadata document of a realm.
///
/// # Errors
/// None that the document can cause.
pub fn metadata(config: &Config, realm: &Realm) -> Result<Answer, Fault> {
    let at = |endpoint: Endpoint| format!("{}{}", realm.issuer, endpoint.path());
    let scopes: Vec<_> = config.scopes().offered().collect();
    let document = json!({
        "issuer": realm.issuer,
        "token_endpoint": at(Endpoint::Token),
        "jwks_uri": at(Endpoint::Jwks),
        "scopes_supported": scopes,
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ClientAuthentication::ALL.map(ClientAuthentication::name),
    });
    Ok(Answer::json(200, &document)?.with("Cache-Control", "public, max-age=300"))
}
