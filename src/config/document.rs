//! The document as it is written. Shapes only: what the values mean is decided by [`super::Config::parse`].

mod issuer;
mod people;
mod provider;
mod realm;
mod test;

use serde::Deserialize;

use crate::json::Members;
use crate::policy::Method;

pub use issuer::{
    ClaimValueDocument, ClaimsDocument, ClientAuthentication, Discovery, IntrospectionDocument,
    IssuerDocument, OneOrMany, Preset,
};
pub use people::{MailDocument, SignUpDocument, WebhookDocument};
pub use provider::{Product, ProviderDocument};
pub use realm::{
    Feature, JWKS_SECONDS, RealmDocument, RegistrationAccess, RegistrationDocument, Revocation, Signing,
};
pub use test::{
    TestDecision, TestDocument, TestExpectDocument, TestRequestDocument, TestTokenDocument, Unread,
};

/// The whole of `tollgate.json`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "tollgate configuration"))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Where an editor finds the schema of this document. Not read.
    #[serde(rename = "$schema", default)]
    pub schema: Option<String>,
    /// The realm whose people with `config:manage` may put other documents in the place of this one, while the deployment runs. By default nobody may.
    #[serde(default)]
    pub managed_from: Option<String>,
    /// What browsers are told about HTTPS on our hosts, as the header of this name has it (RFC 6797 section 6.1): `max-age=N`, and behind it `; includeSubDomains` and
    /// `; preload` where they are meant. By default `max-age=63072000`: two years, of the host itself.
    #[serde(default)]
    pub strict_transport_security: Option<String>,
    /// The environments that tokens are issued for, by name: 1 to 32 of a-z 0-9 -, a letter first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, RealmDocument>"))]
    pub realms: Members<String, RealmDocument>,
    /// Other issuers whose tokens count.
    #[serde(default)]
    pub issuers: Vec<IssuerDocument>,
    /// Every role there is, by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, RoleDocument>"))]
    pub roles: Members<String, RoleDocument>,
    /// The kinds that roles are of, by name: how many of each an application credential may have.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, RoleKindDocument>"))]
    pub role_kinds: Members<String, RoleKindDocument>,
    /// Every scope there is, by name (RFC 6749 section 3.3).
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, ScopeDocument>"))]
    pub scopes: Members<String, ScopeDocument>,
    /// The protected resources that describe themselves to clients (RFC 9728). A route belongs to the one whose
    /// address it lies below; of several, to the longest.
    #[serde(default)]
    pub resources: Vec<ResourceDocument>,
    /// Which requests go where, and who may send them. What no route matches is refused.
    #[serde(default)]
    pub routes: Vec<RouteDocument>,
    /// Requests that no route is for, and what must become of them. `make policy-check` runs them; a worker passes over them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<TestDocument>"))]
    pub tests: Unread,
}

/// One role.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleDocument {
    /// What it is, in plain words.
    #[serde(default)]
    pub description: Option<String>,
    /// Its kind, one of `role_kinds`.
    #[serde(default)]
    pub kind: Option<String>,
    /// What whoever has it may see: names that the `fields` of routes use.
    #[serde(default)]
    pub abilities: Vec<String>,
}

/// One kind of role.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleKindDocument {
    /// What it is, in plain words.
    #[serde(default)]
    pub description: Option<String>,
    /// How many roles of this kind an application credential may have. By default any number.
    #[serde(default)]
    pub at_most: Option<usize>,
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
    /// Which fields of the answer come back: for each ability paths such as `addresses.city`, where `*` is any name and arrays are walked through. By default all
    /// of them. With this every answer has to be JSON.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<std::collections::BTreeMap<String, Vec<String>>>")
    )]
    pub fields: Option<Members<String, Vec<String>>>,
    /// What becomes of a request of somebody who has none of the abilities of `fields`. By default `refuse`.
    #[serde(default)]
    pub without_fields: WithoutFields,
    /// Which scripts of other origins may call it (CORS), answered for the upstream. By default that is left to the upstream.
    #[serde(default)]
    pub cors: Option<CorsDocument>,
    /// How often one caller may call it. By default as often as it likes.
    #[serde(default)]
    pub limit: Option<LimitDocument>,
    /// Requests, and what must become of them here. `make policy-check` runs them; a worker passes over them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<TestDocument>"))]
    pub tests: Unread,
}

/// Who may call a route from a browser.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CorsDocument {
    /// Their origins, such as `https://app.example.com`; or `*` alone: every one.
    pub origins: Vec<String>,
    /// Request headers that scripts may send, besides `Authorization` and `DPoP`.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Headers of answers that scripts may read, besides those that say what is wrong.
    #[serde(default)]
    pub expose: Vec<String>,
    /// Whether cookies may be sent along. Not with `*`.
    #[serde(default)]
    pub credentials: bool,
    /// For how long a browser may keep the answer to a preflight, in seconds: 0 to 7200.
    #[serde(default = "CorsDocument::max_age_seconds")]
    pub max_age_seconds: u64,
}

impl CorsDocument {
    const fn max_age_seconds() -> u64 {
        600
    }
}

/// A bound on the calls of one caller.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitDocument {
    /// The binding of the platform's counter (`[[ratelimits]]` in `wrangler.toml`), which says how many.
    pub binding: String,
    /// Whose calls are counted together. By default `client`.
    #[serde(default)]
    pub by: LimitByName,
    /// The counter's period, in seconds: 10 or 60.
    #[serde(default = "LimitDocument::period_seconds")]
    pub period_seconds: u64,
}

impl LimitDocument {
    const fn period_seconds() -> u64 {
        60
    }
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum LimitByName {
    /// Those from one address.
    Address,
    /// Those of one client of one issuer.
    #[default]
    Client,
    /// Those for one subject of one issuer.
    Subject,
}

/// What becomes of a request of somebody who would see nothing of its answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum WithoutFields {
    /// It is refused: 403.
    #[default]
    Refuse,
    /// It passes, and its answer is an empty object, or a list of them.
    Empty,
}

/// What a token must grant.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequireDocument {
    /// All of these scopes, where a list within the list asks for any of its own; none: any valid token.
    #[serde(default)]
    pub scopes: Vec<OneOrMany>,
    /// The tools of an MCP server that may be called, by name, each with the scopes that a call of it needs besides `scopes`. By default any, and messages are not
    /// looked into.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<std::collections::BTreeMap<String, Vec<String>>>")
    )]
    pub tools: Option<Members<String, Vec<String>>>,
    /// At least one of these roles; none: with any roles, or without.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whose tokens count: names of realms, or identifiers of other issuers. By default the only realm and every
    /// other issuer; with several realms it must be said.
    #[serde(default)]
    pub issuers: Option<Vec<String>>,
    /// Where the token may stand: `header` (`Authorization: Bearer`), `query` and `form` (`access_token`), `cookie:NAME`,
    /// `header:NAME`. By default `header`. A token in two places is refused.
    #[serde(default = "RequireDocument::token_in")]
    pub token_in: Vec<String>,
    /// What the token has to be bound to: `dpop`, a key that each request proves (RFC 9449); `mtls`, the certificate of the client's connection (RFC 8705); `any` of the two. By default it need not be.
    #[serde(default)]
    pub proof: Option<ProofDocument>,
    /// How the person has to have signed in: any of these names, as the token's `acr` (RFC 9470). A token that says none does not pass. By default anyhow.
    #[serde(default)]
    pub acr: Option<Vec<String>>,
    /// How long ago that may be, by the token's `auth_time`, in seconds: 1 to 31536000. A token that says none does not pass. By default any time.
    #[serde(default)]
    pub max_age_seconds: Option<u64>,
}

impl RequireDocument {
    fn token_in() -> Vec<String> {
        vec!["header".to_owned()]
    }
}

/// What a token has to be bound to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProofDocument {
    /// A key or a certificate.
    Any,
    /// A key.
    Dpop,
    /// A certificate.
    Mtls,
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
    /// What the path begins with that the upstream does not get: literal segments of `path`, such as `/api`.
    #[serde(default)]
    pub strip_prefix: Option<String>,
    /// How long it may take until its answer begins, in seconds: 1 to 300. By default as long as the platform waits.
    #[serde(default)]
    pub timeout_seconds: Option<u64>,
    /// How often a `GET`, `HEAD` or `OPTIONS` is sent again that got no answer: 0 to 3.
    #[serde(default)]
    pub retries: u64,
    /// Claims that the upstream gets as headers: for each header the claim that it holds, a member's name or a JSON Pointer. A text is its characters, anything else
    /// its JSON text; what is not visible ASCII is percent-encoded.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub headers: Members<String, String>,
}
