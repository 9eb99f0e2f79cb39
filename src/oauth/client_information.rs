//! What a client is told of itself: the client information response (RFC 7591 section 3.2.1).

use serde::Serialize;

use crate::id::Role;
use crate::principal::{AuthMethod, Client, GrantType};
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, JwkSet};

/// What a client is told of itself (RFC 7591 section 3.2.1, RFC 7592 section 3).
#[derive(Serialize)]
pub(crate) struct Told<'a> {
    pub(crate) client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<&'a str>,
    /// Zero: does not expire. Only where there is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_client_uri: Option<String>,
    pub(crate) client_name: &'a str,
    pub(crate) grant_types: &'a [GrantType],
    pub(crate) response_types: &'a [&'static str],
    pub(crate) redirect_uris: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) post_logout_redirect_uris: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token_signed_response_alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backchannel_logout_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) require_pushed_authorization_requests: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dpop_bound_access_tokens: bool,
    pub(crate) token_endpoint_auth_method: AuthMethod,
    pub(crate) scope: &'a ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) software_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwks: Option<&'a JwkSet>,
    #[serde(skip_serializing_if = "<[Role]>::is_empty")]
    pub(crate) roles: &'a [Role],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_seconds: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) introspect: bool,
}

impl<'a> Told<'a> {
    /// A record, without anything secret.
    pub(crate) fn of(client: &'a Client) -> Self {
        let seconds = |span: Option<Lifetime>| span.map(Lifetime::as_seconds);
        Self {
            client_id: client.client_id.as_str(),
            client_secret: None,
            client_secret_expires_at: client.token_endpoint_auth_method.has_secret().then_some(0),
            registration_access_token: None,
            registration_client_uri: None,
            client_name: &client.client_name,
            grant_types: &client.grant_types,
            response_types: if client.may(GrantType::AuthorizationCode) { &["code"] } else { &[] },
            redirect_uris: &client.redirect_uris,
            post_logout_redirect_uris: &client.post_logout_redirect_uris,
            id_token_signed_response_alg: client.rs256_id_tokens.then(|| Algorithm::Rs256.name()),
            backchannel_logout_uri: client.backchannel_logout_uri.as_deref(),
            require_pushed_authorization_requests: client.must_push,
            dpop_bound_access_tokens: client.must_prove,
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            scope: &client.scope,
            software_id: client.software_id.as_deref(),
            jwks: client.jwks.as_ref(),
            roles: &client.roles,
            expires_at: client.expires_at.map(Timestamp::as_seconds),
            access_token_seconds: seconds(client.limits.access_token),
            refresh_token_seconds: seconds(client.limits.refresh_token),
            idle_seconds: seconds(client.limits.idle),
            session_seconds: seconds(client.limits.session),
            introspect: client.may_introspect,
        }
    }
}
