//! A realm, and how clients register themselves at it.

use serde::Deserialize;

use crate::config::document::{MailDocument, ProviderDocument, SignUpDocument};
use crate::json::Members;
use crate::registered::GrantType;
use crate::token::Algorithm;

/// How long a realm's key set is used without asking again, where the document does not say.
pub const JWKS_SECONDS: u64 = 300;

/// Seconds, or `null`. A type of its own: what is not there is no `null` then ([`crate::json`]).
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(serde::Serialize))]
pub struct SecondsOrNever(pub Option<u64>);

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
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    pub rotation_seconds: SecondsOrNever,
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
    /// Who sends its mail to people. Without it nobody is written to: there is no registration of people and no way back to a forgotten
    /// password.
    #[serde(default)]
    pub mail: Option<MailDocument>,
    /// Lets people take themselves in, by an address that they prove to be theirs. Without it nobody can.
    #[serde(default)]
    pub sign_up: Option<SignUpDocument>,
    /// Whether proofs of possession (RFC 9449) need a nonce of tollgate's, which its answers supply: nobody can have made one more than two
    /// minutes ahead. Without it a proof counts for 90 seconds, and once.
    #[serde(default)]
    pub dpop_nonce: bool,
    /// Outside providers that people may sign in with, by name: 1 to 32 of a-z 0-9 -, a letter first. Their buttons stand in the order
    /// of the names.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, ProviderDocument>"))]
    pub providers: Members<String, ProviderDocument>,
    /// How long an application credential may be made for, in seconds: at most ten years. By default a year.
    #[serde(default = "RealmDocument::credential_seconds")]
    pub credential_seconds: u64,
    /// How long it is kept what was done here, in seconds: a day to ten years. By default 400 days.
    #[serde(default = "RealmDocument::audit_seconds")]
    pub audit_seconds: u64,
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
    /// Passkeys (Web Authentication), with the host of `issuer` as the RP ID: people may sign in with them alone, or want one after the password.
    Passkeys,
    /// ID tokens in RS256 for clients that are registered so (`id_token_signed_response_alg`), by keys of their own; access tokens stay as
    /// `signing` says. For clients that know nothing else.
    Rs256IdTokens,
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

    const fn credential_seconds() -> u64 {
        365 * 86_400
    }

    const fn audit_seconds() -> u64 {
        crate::config::AUDIT_KEPT.as_seconds()
    }

    const fn grain_seconds() -> u64 {
        15
    }

    const fn jwks_seconds() -> u64 {
        JWKS_SECONDS
    }

    const fn rotation_seconds() -> SecondsOrNever {
        SecondsOrNever(Some(90 * 86_400))
    }
}
