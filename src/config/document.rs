//! The document as it is written. Shapes only: what the values mean is decided by [`super::Config::parse`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::policy::Method;
use crate::registered::GrantType;
use crate::token::{Algorithm, JwkSet};

/// How long a realm's key set is used without asking again, where the document does not say.
pub const JWKS_SECONDS: u64 = 300;

/// The whole of `tollgate.json`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "tollgate configuration"))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Where an editor finds the schema of this document. Not read.
    #[serde(rename = "$schema", default)]
    pub schema: Option<String>,
    /// The environments that tokens are issued for, by name: 1 to 32 of a-z 0-9 -, a letter first.
    #[serde(default)]
    pub realms: BTreeMap<String, RealmDocument>,
    /// Other issuers whose tokens count.
    #[serde(default)]
    pub issuers: Vec<IssuerDocument>,
    /// Every role there is, by name.
    #[serde(default)]
    pub roles: BTreeMap<String, RoleDocument>,
    /// Every scope there is, by name (RFC 6749 section 3.3).
    #[serde(default)]
    pub scopes: BTreeMap<String, ScopeDocument>,
    /// The protected resources that describe themselves to clients (RFC 9728). A route belongs to the one whose
    /// address it lies below; of several, to the longest.
    #[serde(default)]
    pub resources: Vec<ResourceDocument>,
    /// Which requests go where, and who may send them. What no route matches is refused.
    #[serde(default)]
    pub routes: Vec<RouteDocument>,
}

/// One realm.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RealmDocument {
    /// The issuer identifier (RFC 8414 section 2): `https://HOST/NAME`, where NAME is the realm's name.
    pub issuer: String,
    /// The `aud` of its access tokens (RFC 9068 section 3). By default the issuer's origin.
    #[serde(default)]
    pub audience: Option<String>,
    /// How its tokens are signed. A change takes the way of any rotation: until the new key may sign, the old one does.
    #[serde(default)]
    pub signing: Signing,
    /// How long its key set is used without asking again, in seconds: by edges, and by caches of `/jwks`. 5 to 3600. A
    /// new key signs after twice as long and a minute.
    #[serde(default = "RealmDocument::jwks_seconds")]
    pub jwks_seconds: u64,
    /// How long a key signs before the next one is made, in seconds; at most a year. `null`: keys are rotated by hand
    /// only, also where `signing` changes.
    #[serde(default = "RealmDocument::rotation_seconds")]
    pub rotation_seconds: Option<u64>,
    /// How long an access token lives, in seconds: 10 to 86400.
    #[serde(default = "RealmDocument::access_token_seconds")]
    pub access_token_seconds: u64,
    /// How long a refresh token lives, in seconds: at least as long as an access token, at most a year.
    #[serde(default = "RealmDocument::refresh_token_seconds")]
    pub refresh_token_seconds: u64,
    /// A token that is not used for so many seconds expires. Without it, idleness does not end a session.
    #[serde(default)]
    pub idle_seconds: Option<u64>,
    /// How long an edge answers from memory before it says that a token is in use, in seconds; at most a quarter
    /// of `idle_seconds` counts. A token expires never early and at most two grains late. 0: every request asks.
    #[serde(default = "RealmDocument::grain_seconds")]
    pub grain_seconds: u64,
    /// How long a session lasts however much it is used, and with it every refresh token of its family, in seconds: at least
    /// `refresh_token_seconds`, at most a year. By default 90 days, or `refresh_token_seconds` where that is longer.
    #[serde(default)]
    pub session_seconds: Option<u64>,
    /// How an edge finds out that a session has ended before its tokens have.
    #[serde(default)]
    pub revocation: Revocation,
    /// What is not there unless it is said.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// Lets clients register themselves (RFC 7591). Without it nobody can.
    #[serde(default)]
    pub registration: Option<RegistrationDocument>,
    /// Allows plain HTTP, for an issuer on this machine.
    #[serde(default)]
    pub allow_http: bool,
}

/// How an edge finds out that a session has ended.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// It asks the session's principal, at most once a grain: at most two grains late.
    #[default]
    Ask,
    /// It reads the cut-offs that principals publish: no principal is asked, and it is late by up to 60 s and the 30 s that
    /// an isolate remembers them. Only where there is no `idle_seconds`.
    Cutoff,
}

/// What a realm does only where it is said.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// `grant_type=code` is another spelling of `authorization_code`.
    GrantTypeCode,
    /// The password grant (RFC 6749 section 4.3). Legacy: RFC 9700 section 2.4 forbids it for new applications.
    PasswordGrant,
}

/// How clients register themselves.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistrationDocument {
    /// Who may.
    pub access: RegistrationAccess,
    /// The grants that they may ask for.
    #[serde(default = "RegistrationDocument::grant_types")]
    pub grant_types: Vec<GrantType>,
    /// The scopes that they may ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
}

impl RegistrationDocument {
    fn grant_types() -> Vec<GrantType> {
        vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
    }
}

/// Who may register a client.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RegistrationAccess {
    /// Whoever has an initial access token (RFC 7591 section 1.2): the worker's secret `TOLLGATE_INITIAL_ACCESS_TOKEN`.
    InitialAccessToken,
    /// Everybody.
    Open,
}

/// One role.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleDocument {
    /// What it is, in plain words.
    #[serde(default)]
    pub description: Option<String>,
}

/// How a realm signs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Signing {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// Module lattices, category 3 (FIPS 204): safe from quantum computers, with tokens of 5 kB.
    #[serde(rename = "ML-DSA-65")]
    MlDsa65,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl From<Signing> for Algorithm {
    fn from(signing: Signing) -> Self {
        match signing {
            Signing::EdDsa => Self::EdDsa,
            Signing::Es256 => Self::Es256,
            Signing::MlDsa65 => Self::MlDsa65,
            Signing::Ps256 => Self::Ps256,
            Signing::Rs256 => Self::Rs256,
        }
    }
}

impl RealmDocument {
    const fn access_token_seconds() -> u64 {
        3600
    }

    const fn refresh_token_seconds() -> u64 {
        30 * 86_400
    }

    const fn grain_seconds() -> u64 {
        15
    }

    const fn jwks_seconds() -> u64 {
        JWKS_SECONDS
    }

    #[expect(clippy::unnecessary_wraps, reason = "what is left out is 90 days; `null` is something else")]
    const fn rotation_seconds() -> Option<u64> {
        Some(90 * 86_400)
    }
}

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
    pub required_claims: BTreeMap<String, ClaimValueDocument>,
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
    pub authentication: IntrospectionAuthentication,
    /// How long `active` is believed, in seconds, and never beyond `exp`: 0 to 3600. 0: every request asks.
    #[serde(default = "IntrospectionDocument::cache_seconds")]
    pub cache_seconds: u64,
    /// How long it is believed that a token is not active, in seconds: 0 to 300.
    #[serde(default = "IntrospectionDocument::negative_seconds")]
    pub negative_seconds: u64,
}

/// How tollgate authenticates at an introspection endpoint.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum IntrospectionAuthentication {
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

/// One place, or several: the first that is there counts.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
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

/// One scope.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScopeDocument {
    /// What it allows, in plain words.
    pub description: String,
    /// Whoever holds this scope holds these as well.
    #[serde(default)]
    pub implies: Vec<String>,
    /// Not listed in public metadata.
    #[serde(default)]
    pub internal: bool,
}

/// One route.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RouteDocument {
    /// Its name in logs and errors.
    pub id: String,
    /// Only requests for this host name; by default any.
    #[serde(default)]
    pub host: Option<String>,
    /// Any of these methods.
    pub methods: Vec<Method>,
    /// The paths: literal segments, `{name}` for one segment, a last `*` for what is left.
    pub path: String,
    /// What a token must grant. Either this or `anonymous`.
    #[serde(default)]
    pub require: Option<RequireDocument>,
    /// Lets everybody pass. Must be spelled out.
    #[serde(default)]
    pub anonymous: bool,
    /// Where the request goes.
    pub to: UpstreamDocument,
}

/// What a token must grant.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequireDocument {
    /// All of these scopes; none: any valid token.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whose tokens count: names of realms, or identifiers of other issuers. By default the only realm and every
    /// other issuer; with several realms it must be said.
    #[serde(default)]
    pub issuers: Option<Vec<String>>,
    /// Where the token may stand: `header` (`Authorization: Bearer`), `query` and `form` (`access_token`), `cookie:NAME`,
    /// `header:NAME`. By default `header`. A token in two places is refused.
    #[serde(default = "RequireDocument::token_in")]
    pub token_in: Vec<String>,
}

impl RequireDocument {
    fn token_in() -> Vec<String> {
        vec!["header".to_owned()]
    }
}

/// One protected resource.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResourceDocument {
    /// Its identifier: the address below which it lies, `https://HOST` or `https://HOST/PATH`.
    pub resource: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Where developers read about it: an address.
    #[serde(default)]
    pub documentation: Option<String>,
}

/// Where a request goes: exactly one of the two.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpstreamDocument {
    /// A service binding of the worker.
    #[serde(default)]
    pub service: Option<String>,
    /// An address; the request's path is appended.
    #[serde(default)]
    pub url: Option<String>,
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
