//! The claims that tollgate writes: access tokens (RFC 9068 section 2.2) and ID tokens (OpenID Connect Core section 2).

use serde::{Serialize, Serializer};

use crate::encoding::Digest;
use crate::id::{ClientId, Role, SessionId};
use crate::json::Members;
use crate::scope::ScopeSet;
use crate::uri::Issuer;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to the fields")]
fn is_empty(scopes: &&ScopeSet) -> bool {
    scopes.is_empty()
}

fn is_none(roles: &&[Role]) -> bool {
    roles.is_empty()
}

/// `aud` (RFC 7519 section 4.1.3): one name is a string, several are an array.
#[derive(Clone, Copy, Debug)]
pub struct Audience<'a>(pub &'a [String]);

impl Serialize for Audience<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

/// The claims of an access token (RFC 9068 section 2.2), and `sid` and `idle`.
#[derive(Clone, Debug, Serialize)]
pub struct AccessClaims<'a> {
    /// `iss`.
    #[serde(rename = "iss")]
    pub issuer: &'a Issuer,
    /// `sub`: with client credentials, the client itself, or the person it acts for (RFC 9068 section 5).
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// `aud`.
    #[serde(rename = "aud")]
    pub audience: Audience<'a>,
    /// `client_id`.
    pub client_id: &'a ClientId,
    /// `iat`, in seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// `exp`, in seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// `jti`.
    #[serde(rename = "jti")]
    pub token_id: String,
    /// `scope`; RFC 6749 section 3.3 has no empty one.
    #[serde(skip_serializing_if = "is_empty")]
    pub scope: &'a ScopeSet,
    /// `roles` (RFC 9068 section 2.2.3.1).
    #[serde(skip_serializing_if = "is_none")]
    pub roles: &'a [Role],
    /// `sid`.
    #[serde(rename = "sid")]
    pub session: SessionId,
    /// `auth_time` (RFC 9068 section 2.2.1), in seconds, where a person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// `acr`, where a person signed in ([`crate::grant::SignInMethod::acr`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
    /// `idle`, in seconds, where the session slides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u64>,
    /// `cnf`, where it is bound to a key.
    #[serde(rename = "cnf", skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

/// `cnf` of a token that is bound to a key (RFC 9449 section 6.1).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bound {
    /// `jkt`: the thumbprint of the key (RFC 7638).
    #[serde(rename = "jkt")]
    pub key: Digest,
}

/// The claims of an ID token (OpenID Connect Core section 2).
#[derive(Clone, Debug, Serialize)]
pub struct IdClaims<'a> {
    /// `iss`.
    #[serde(rename = "iss")]
    pub issuer: &'a Issuer,
    /// `sub`.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// `aud`: the client.
    #[serde(rename = "aud")]
    pub audience: &'a ClientId,
    /// `azp`: the same.
    #[serde(rename = "azp")]
    pub authorized: &'a ClientId,
    /// `iat`, in seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// `exp`, in seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// `at_hash` (section 3.1.3.6), where the algorithm goes with SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// `auth_time`, in seconds, where a person signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// `acr`: how sure it is who signed in ([`crate::grant::SignInMethod::acr`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
    /// `amr` (RFC 8176): what they proved it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amr: Option<&'static [&'static str]>,
    /// `sid` (OpenID Connect Front-Channel Logout section 3), where a person signed in: the session that a logout token names.
    #[serde(rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// `nonce`, as the client sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
}

/// The claims of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
#[derive(Debug, Serialize)]
pub struct LogoutClaims<'a> {
    /// `iss`.
    #[serde(rename = "iss")]
    pub issuer: &'a Issuer,
    /// `sub`.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// `aud`: the client.
    #[serde(rename = "aud")]
    pub audience: &'a ClientId,
    /// `iat`, in seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// `exp`, in seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// `jti`.
    #[serde(rename = "jti")]
    pub token_id: String,
    /// `events`: that of a logout, and nothing more to say of it.
    pub events: Members<&'static str, Members<String, String>>,
    /// `sid`.
    #[serde(rename = "sid")]
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7519_section_4_1_3_one_audience_is_a_string() {
        let json = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            serde_json::to_string(&Audience(&names)).unwrap()
        };
        assert_eq!(json(&["a"]), r#""a""#);
        assert_eq!(json(&["a", "b"]), r#"["a","b"]"#);
    }
}
