//! An outside provider that people sign in with.

use serde::Deserialize;

use crate::config::document::ClientAuthentication;
use crate::token::Algorithm;

/// An outside provider: an OpenID provider, or GitHub.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderDocument {
    /// A product: fills in what is not said here. `docs/configuration.md` says with what.
    #[serde(default)]
    pub preset: Option<Product>,
    /// What stands on its button, behind "Continue with": 1 to 64 characters.
    #[serde(default)]
    pub label: Option<String>,
    /// Its issuer identifier, exactly as its ID tokens spell `iss`. Its metadata (OpenID Connect Discovery) say the rest.
    #[serde(default)]
    pub issuer: Option<String>,
    /// As which client tollgate is registered there.
    pub client_id: String,
    /// The name of the worker's secret that holds that client's secret. The secret itself never stands in this document.
    pub client_secret_name: String,
    /// How tollgate authenticates at the token endpoint. By default `client_secret_basic`.
    #[serde(default)]
    pub authentication: Option<ClientAuthentication>,
    /// What is asked for there. By default `openid`, `profile` and `email`.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// How its ID tokens may be signed. By default `ES256` and `RS256`.
    #[serde(default)]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Whether somebody who is not known here yet gets an account by signing in. Without it only people whom the management API has taken in
    /// can.
    #[serde(default)]
    pub sign_up: bool,
}

/// A product that people sign in with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Product {
    /// GitHub: OAuth only. Who somebody is comes from its API.
    #[serde(rename = "github")]
    GitHub,
    /// Google.
    #[serde(rename = "google")]
    Google,
    /// Microsoft Entra ID, of one tenant.
    #[serde(rename = "microsoft")]
    Microsoft,
}
