//! An issuer that is not one of the realms: its keys, what its tokens must say, and where it is asked about them.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::json::Members;
use crate::token::{Algorithm, JwkSet};

/// An issuer that is not one of the realms. Its keys come from exactly one of `jwks`, `jwks_uri` and `discovery`;
/// where there is `introspection`, they may be left out.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IssuerDocument {
    /// Its issuer identifier, exactly as its tokens spell `iss`.
    pub issuer: String,
    /// A product whose tokens it issues: fills in what is not said here. `docs/configuration.md` says with what.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// Its keys, inline.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Jwks>"))]
    #[serde(default)]
    pub jwks: Option<JwkSet>,
    /// Where it publishes its keys (RFC 7517 section 5).
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Where it describes itself, and with that its keys. What is found there must name this very issuer.
    #[serde(default)]
    pub discovery: Option<Discovery>,
    /// Where it is asked about tokens (RFC 7662): opaque ones, and its JWTs besides their signature.
    #[serde(default)]
    pub introspection: Option<IntrospectionDocument>,
    /// The algorithms that it may sign with. By default ES256.
    #[serde(default)]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Its tokens must name at least one of these in `aud`. May be left out only where it is asked about every token.
    #[serde(default)]
    pub audiences: Option<Vec<String>>,
    /// The `typ` values that count; the empty one is a header without `typ`. By default `at+jwt`.
    #[serde(default)]
    pub typ: Option<Vec<String>>,
    /// How far its clock may be off, in seconds: 0 to 300.
    #[serde(default = "IssuerDocument::leeway_seconds")]
    pub leeway_seconds: u64,
    /// The longest that its tokens may live, in seconds from `iat` to `exp`. By default any time.
    #[serde(default)]
    pub max_lifetime_seconds: Option<u64>,
    /// Claims that must be there, by name or JSON pointer, and what they must say: a text, several of which one must be
    /// it, `true` or `false`; `null` for anything.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, ClaimValueDocument>")
    )]
    pub required_claims: Members<String, ClaimValueDocument>,
    /// Where it puts its claims.
    #[serde(default)]
    pub claims: ClaimsDocument,
}

/// A product that issues tokens.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Auth0: access tokens for an API.
    Auth0,
    /// Cloudflare Access: application tokens.
    CloudflareAccess,
    /// Amazon Cognito: access tokens of a user pool.
    Cognito,
    /// Microsoft Entra ID: access tokens of version 2.0.
    Entra,
    /// Google: ID tokens, of people and of service accounts.
    Google,
    /// Keycloak: access tokens of a realm.
    Keycloak,
}

/// How an issuer describes itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Discovery {
    /// RFC 8414: `/.well-known/oauth-authorization-server` between host and path.
    Oauth,
    /// OpenID Connect Discovery: `/.well-known/openid-configuration` behind the issuer.
    Openid,
}

/// Where an issuer is asked about tokens.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IntrospectionDocument {
    /// The introspection endpoint.
    pub endpoint: String,
    /// As which client tollgate asks.
    pub client_id: String,
    /// The name of the worker's secret that holds that client's secret. The secret itself never stands in this document.
    pub client_secret_name: String,
    /// How tollgate authenticates.
    #[serde(default)]
    pub authentication: ClientAuthentication,
    /// How long `active` is believed, in seconds, and never beyond `exp`: 0 to 3600. 0: every request asks.
    #[serde(default = "IntrospectionDocument::cache_seconds")]
    pub cache_seconds: u64,
    /// How long it is believed that a token is not active, in seconds: 0 to 300.
    #[serde(default = "IntrospectionDocument::negative_seconds")]
    pub negative_seconds: u64,
}

/// How tollgate authenticates at an endpoint of somebody else.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClientAuthentication {
    /// HTTP Basic (RFC 6749 section 2.3.1).
    #[default]
    #[serde(rename = "client_secret_basic")]
    Basic,
    /// In the form.
    #[serde(rename = "client_secret_post")]
    Post,
}

impl IntrospectionDocument {
    const fn cache_seconds() -> u64 {
        60
    }

    const fn negative_seconds() -> u64 {
        10
    }
}

/// Where an issuer puts its claims: names of members (`scp`), or JSON pointers (`/realm_access/roles`).
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimsDocument {
    /// For whom a token is. By default `aud`.
    #[serde(default)]
    pub audience: Option<OneOrMany>,
    /// Which client it was given to. By default `client_id`.
    #[serde(default)]
    pub client: Option<OneOrMany>,
    /// The roles of its subject; those of several places are put together. By default `roles`.
    #[serde(default)]
    pub roles: Option<OneOrMany>,
    /// What it grants: a string of names, or an array of them. By default `scope`.
    #[serde(default)]
    pub scope: Option<OneOrMany>,
    /// Who it speaks for. By default `sub`.
    #[serde(default)]
    pub subject: Option<OneOrMany>,
}

/// One, or a list of several.
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// By hand: what is generated for such a type says neither what is wrong nor where.
impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// What a claim must say.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ClaimValueDocument {
    /// Anything.
    Anything(()),
    /// This.
    Flag(bool),
    /// One of these.
    Many(Vec<String>),
    /// This.
    One(String),
}

impl IssuerDocument {
    const fn leeway_seconds() -> u64 {
        30
    }
}

#[cfg(feature = "schema")]
mod schema {
    //! What [`JwkSet`] looks like on paper.
    #![expect(dead_code, reason = "only its shape is read")]

    #[derive(schemars::JsonSchema)]
    pub(super) struct Jwks {
        /// Keys (RFC 7517).
        keys: Vec<Jwk>,
    }

    #[derive(schemars::JsonSchema)]
    pub(super) struct Jwk {
        /// `EC`, `OKP`, `RSA`, `AKP` or `oct`.
        kty: String,
        /// `P-256`, `P-384`, `P-521`, `secp256k1` or `Ed25519`.
        crv: Option<String>,
        /// EC, OKP: a coordinate in base64url.
        x: Option<String>,
        /// EC: the other coordinate.
        y: Option<String>,
        /// RSA: the modulus, 2048 to 8192 bits.
        n: Option<String>,
        /// RSA: the exponent.
        e: Option<String>,
        /// AKP: the public key.
        r#pub: Option<String>,
        /// oct: the secret, at least as long as the digest. Whoever reads this document can sign with it.
        k: Option<String>,
        /// The key's identifier.
        kid: Option<String>,
        /// The one algorithm that it is for; needed for AKP.
        alg: Option<String>,
        /// `sig`.
        r#use: Option<String>,
        /// Must hold `verify`.
        key_ops: Option<Vec<String>>,
    }
}
