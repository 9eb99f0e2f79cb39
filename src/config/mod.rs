//! The configuration: one JSON document, parsed once into types.
//!
//! Every error names the JSON path and how to mend it; unknown members are refused. `tools/check.rs` runs this very
//! parser over the file that the worker gets, so a bad file fails the build.
//!
//! The members are described by [`document`], from which `docs/tollgate.schema.json` is generated.
//!
//! **Out of scope**: reading files or KV; secrets, which never stand in the document.

mod binding;
pub mod document;
mod issuer;
pub mod management;
mod people;
mod policy_tests;
mod preset;
mod problems;
mod provider;
mod realm;
mod resources;
mod roles;
mod routes;
mod scopes;
mod step_up;
mod strict;
mod strict_transport;
mod tools;

use std::sync::Arc;

use serde_json::Value;

use crate::id::{RealmName, Role};
use crate::json::of_document;
use crate::policy::{Resource, RouteTable};
use crate::scope::ScopeCatalogue;
#[cfg(feature = "policy")]
use crate::token::JwkSet;

pub use document::{Feature, RegistrationAccess, Revocation};
pub use issuer::{Introspection, KeySource, TrustedIssuer};
pub use people::{MailBy, SignUp};
pub use policy_tests::PolicyTests;
pub use problems::ConfigError;
pub(crate) use problems::Problems;
pub use provider::{Protocol, Provider};
pub use realm::{AUDIT_KEPT, Realm, Registration};
pub use roles::{RoleKind, RoleWords};
pub use scopes::{EMAIL, OPENID, PROFILE};

use document::Document;
use problems::{WHOLE, mistake};
use strict_transport::strict_transport;

/// A complete, consistent configuration.
#[derive(Debug)]
pub struct Config {
    managed_from: Option<RealmName>,
    strict_transport: Option<String>,
    realms: Vec<Realm>,
    beside: Vec<(RealmName, TrustedIssuer)>,
    issuers: Vec<Arc<TrustedIssuer>>,
    roles: Vec<Role>,
    role_words: Vec<RoleWords>,
    role_kinds: Vec<RoleKind>,
    scopes: ScopeCatalogue,
    resources: Vec<Resource>,
    routes: RouteTable,
}

impl Config {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it, at least one entry.
    pub fn parse(text: &str) -> Result<Self, Vec<ConfigError>> {
        let document = read(text)?;
        let mut problems = Problems::default();
        let config = Self::build(&document, &mut problems);
        match config {
            Some(config) if problems.0.is_empty() => Ok(config),
            _ => Err(problems.0),
        }
    }

    fn build(document: &Document, problems: &mut Problems) -> Option<Self> {
        let scopes = scopes::catalogue(document, problems);
        let (role_words, role_kinds) = roles::roles(document, problems);
        let roles: Vec<Role> = role_words.iter().map(|words| words.role.clone()).collect();
        let realms = realm::realms(&document.realms, (&scopes, &roles), problems);
        let resources = resources::resources(&document.resources, problems);
        let carried = routes::carried(&document.routes);
        let issuers = issuer::trusted((&document.issuers, &carried), &realms, &resources, problems);
        let known = routes::Known {
            scopes: &scopes,
            realms: &realms,
            issuers: &issuers,
            resources: &resources,
            roles: &role_words,
            carried: &carried,
            filled: routes::filled(&document.routes),
        };
        let routes = known.routes(&document.routes, problems)?;
        let beside = issuer::beside(&realms);
        let managed_from = document.managed_from.as_deref().and_then(|name| {
            let known =
                realms.iter().find(|realm| realm.name.as_str() == name).map(|realm| realm.name.clone());
            known.or_else(|| {
                problems.add(
                    "managed_from",
                    format_args!("there is no realm `{name}`; add it under `realms`, or correct the name"),
                );
                None
            })
        });
        Some(Self {
            managed_from,
            strict_transport: Some(strict_transport(document.strict_transport_security.as_deref(), problems)),
            realms,
            beside,
            issuers,
            roles,
            role_words,
            role_kinds,
            scopes,
            resources,
            routes,
        })
    }

    /// A configuration of issuers alone, for whoever has no routes.
    pub(crate) fn of_issuers(issuers: Vec<Arc<TrustedIssuer>>) -> Self {
        Self {
            managed_from: None,
            strict_transport: None,
            realms: Vec::new(),
            beside: Vec::new(),
            issuers,
            roles: Vec::new(),
            role_words: Vec::new(),
            role_kinds: Vec::new(),
            scopes: ScopeCatalogue::new([]),
            resources: Vec::new(),
            routes: RouteTable::default(),
        }
    }

    /// The same, with other keys for the issuers whose keys stand in the document.
    #[cfg(feature = "policy")]
    pub(crate) fn with_inline_keys<E>(
        mut self,
        keys: impl Fn(&TrustedIssuer) -> Result<JwkSet, E>,
    ) -> Result<Self, E> {
        for issuer in &mut self.issuers {
            if let KeySource::Inline(_) = issuer.keys {
                let other = keys(issuer)?;
                if let Some(issuer) = Arc::get_mut(issuer) {
                    issuer.keys = KeySource::Inline(other);
                }
            }
        }
        Ok(self)
    }

    /// The realm whose people may put another document in the place of this one; `None`: nobody may, but with a deployment.
    #[must_use]
    pub const fn managed_from(&self) -> Option<&RealmName> {
        self.managed_from.as_ref()
    }

    /// What browsers are told about HTTPS, as `Strict-Transport-Security` has it; `None`: nothing.
    #[must_use]
    pub fn strict_transport(&self) -> Option<&str> {
        self.strict_transport.as_deref()
    }

    /// Every issuer that is trusted.
    #[must_use]
    pub fn issuers(&self) -> &[Arc<TrustedIssuer>] {
        &self.issuers
    }

    /// Every realm.
    #[must_use]
    pub fn realms(&self) -> &[Realm] {
        &self.realms
    }

    /// The realm of this name.
    #[must_use]
    pub fn realm(&self, name: &str) -> Option<&Realm> {
        self.realms.iter().find(|realm| realm.name.as_str() == name)
    }

    /// Where the keys are that sign ID tokens for clients that know RS256 only; `None`: this realm has none.
    #[must_use]
    pub fn beside(&self, realm: &RealmName) -> Option<&TrustedIssuer> {
        self.beside.iter().find(|(name, _)| name == realm).map(|(_, source)| source)
    }

    /// The issuer that a token names, compared byte for byte.
    #[must_use]
    pub fn trusted(&self, issuer: &str) -> Option<&Arc<TrustedIssuer>> {
        self.issuers.iter().find(|known| known.trust.issuer.as_str() == issuer)
    }

    /// Every role.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Every role, and what the configuration says of it.
    #[must_use]
    pub fn role_words(&self) -> &[RoleWords] {
        &self.role_words
    }

    /// Every kind of role.
    #[must_use]
    pub fn role_kinds(&self) -> &[RoleKind] {
        &self.role_kinds
    }

    /// Every scope.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeCatalogue {
        &self.scopes
    }

    /// The protected resources that describe themselves.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The route policy.
    #[must_use]
    pub const fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// Whether anything here may be reached without TLS, on this machine.
    #[must_use]
    pub fn allows_http(&self) -> bool {
        self.realms.iter().any(|realm| realm.allow_http)
    }
}

/// A document's JSON.
fn tree(text: &str) -> Result<Value, Vec<ConfigError>> {
    strict::document(text).map_err(|e| {
        vec![ConfigError { path: WHOLE.to_owned(), problem: format!("not readable as JSON: {e}") }]
    })
}

/// A document's shape.
pub(crate) fn read(text: &str) -> Result<Document, Vec<ConfigError>> {
    of_document(tree(text)?).map_err(|(path, problem)| vec![mistake(&path, &problem)])
}

#[cfg(test)]
mod tests;
