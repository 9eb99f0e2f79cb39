//! What is known about the tokens of common products, so that nobody has to find it out again.
//!
//! A preset fills in what an issuer's entry does not say and decides nothing else: audiences, and with most of
//! them the issuer itself, differ from deployment to deployment. `docs/configuration.md` has the table.

use crate::config::document::Preset;
use crate::config::issuer::KeySource;
use crate::id::Malformed;
use crate::token::{Algorithm, ClaimMap, ClaimPath, RequiredClaim, Wanted};
use crate::uri::{Issuer, WebUrl};

/// Where a product's issuers publish their keys.
type Place = fn(&Issuer) -> Result<KeySource, Malformed>;

/// What an entry of `issuers` says when it says nothing.
pub(super) struct Defaults {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) claims: ClaimMap,
    pub(super) keys: Option<Place>,
    pub(super) required: Vec<RequiredClaim>,
    pub(super) typ: Vec<String>,
}

impl Defaults {
    pub(super) fn of(preset: Option<Preset>) -> Self {
        let bare = Self {
            algorithms: vec![Algorithm::Es256],
            claims: ClaimMap::default(),
            keys: None,
            required: Vec::new(),
            typ: vec!["at+jwt".to_owned()],
        };
        let Some(preset) = preset else {
            return bare;
        };
        // All of these sign with RS256 unless told otherwise, and most write the `typ` of any JWT.
        let common = Self {
            algorithms: vec![Algorithm::Rs256],
            keys: Some(openid),
            typ: vec!["JWT".to_owned()],
            ..bare
        };
        let claims = ClaimMap::default();
        match preset {
            // `permissions` is there where role-based access control is on for the API.
            Preset::Auth0 => Self {
                typ: vec!["JWT".to_owned(), "at+jwt".to_owned()],
                claims: ClaimMap {
                    client: places(&["client_id", "azp"]),
                    roles: places(&["permissions"]),
                    ..claims
                },
                ..common
            },
            // Service tokens have an empty `sub`; `org` is the type of the session token, which is for no application.
            Preset::CloudflareAccess => Self {
                keys: Some(access_certs),
                claims: ClaimMap { subject: places(&["sub", "common_name"]), ..claims },
                required: vec![says("type", "app")],
                ..common
            },
            // No `typ`, and no `aud` in access tokens: the client is what they are for.
            Preset::Cognito => Self {
                typ: vec![String::new(), "JWT".to_owned()],
                claims: ClaimMap {
                    audience: places(&["client_id"]),
                    roles: places(&["cognito:groups"]),
                    ..claims
                },
                required: vec![says("token_use", "access")],
                ..common
            },
            // ID tokens have no `azp`, and may have the same `aud`.
            Preset::Entra => Self {
                claims: ClaimMap { client: places(&["azp"]), scope: places(&["scp"]), ..claims },
                required: vec![says("ver", "2.0"), is_there("azp")],
                ..common
            },
            Preset::Google => Self { claims: ClaimMap { client: places(&["azp"]), ..claims }, ..common },
            // ID tokens say `ID`, refresh tokens `Refresh`.
            Preset::Keycloak => Self {
                typ: vec!["JWT".to_owned(), "at+jwt".to_owned()],
                claims: ClaimMap {
                    client: places(&["client_id", "azp"]),
                    roles: vec![ClaimPath::nested("realm_access", "roles")],
                    ..claims
                },
                required: vec![says("typ", "Bearer")],
                ..common
            },
        }
    }
}

fn openid(issuer: &Issuer) -> Result<KeySource, Malformed> {
    WebUrl::openid_metadata(issuer).map(KeySource::Metadata)
}

fn access_certs(issuer: &Issuer) -> Result<KeySource, Malformed> {
    format!("{issuer}/cdn-cgi/access/certs").parse().map(KeySource::Published)
}

fn places(names: &[&str]) -> Vec<ClaimPath> {
    names.iter().map(|name| ClaimPath::member(name)).collect()
}

fn says(name: &str, value: &str) -> RequiredClaim {
    RequiredClaim { path: ClaimPath::member(name), wanted: Wanted::OneOf(vec![value.to_owned()]) }
}

fn is_there(name: &str) -> RequiredClaim {
    RequiredClaim { path: ClaimPath::member(name), wanted: Wanted::Anything }
}
