//! Protected resources, as they describe themselves (RFC 9728).

use crate::id::Malformed;
use crate::policy::{Host, Route};
use crate::uri::{Issuer, RequestPath};

/// Where the metadata of a resource is, before its path (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A protected resource: an address, and everything below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// Its identifier: scheme, host, port and path. What tokens for it name in `aud`, as a rule.
    pub id: Issuer,
    /// What people call it.
    pub name: Option<String>,
    /// Where developers read about it.
    pub documentation: Option<String>,
    host: Host,
}

impl Resource {
    /// A resource of this identifier.
    ///
    /// # Errors
    /// The identifier has no host that a request could be sent to.
    pub fn new(id: Issuer, name: Option<String>, documentation: Option<String>) -> Result<Self, Malformed> {
        const RULE: Malformed =
            Malformed::new("resource", "an address with a host, and a path in its normal form");
        let authority = id.origin().split_once("://").map(|(_, authority)| authority);
        let host = authority.and_then(Host::of_authority).ok_or(RULE)?;
        let path = if id.path().is_empty() { "/" } else { id.path() };
        if path.parse::<RequestPath>().map_err(|_| RULE)?.as_str() != path {
            return Err(RULE);
        }
        Ok(Self { id, name, documentation, host })
    }

    /// Its path, without a slash at the end.
    fn path(&self) -> &str {
        self.id.path().trim_end_matches('/')
    }

    /// The path of its metadata, on its own host.
    #[must_use]
    pub fn metadata_path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.path())
    }

    /// The address of its metadata.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}{}", self.id.origin(), self.metadata_path())
    }

    /// Whether a request for this host and path asks for its metadata.
    #[must_use]
    pub fn is_described_at(&self, host: Option<&Host>, path: &str) -> bool {
        host == Some(&self.host)
            && path.strip_prefix(WELL_KNOWN).is_some_and(|rest| rest.trim_end_matches('/') == self.path())
    }

    /// Whether both would describe themselves at the same place: host and path, whatever scheme and port.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.host == other.host && self.path() == other.path()
    }

    /// Whether a route lies in it.
    #[must_use]
    pub fn has(&self, route: &Route) -> bool {
        let pattern = route.path.to_string();
        let is_below =
            pattern.strip_prefix(self.path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_below && route.host.as_ref().is_none_or(|host| *host == self.host)
    }

    /// What a route that lies in it says about it. `scope`: what whoever comes without a token is told to ask for.
    #[must_use]
    pub fn described(&self, scope: String) -> Described {
        Described { resource: self.id.as_str().to_owned(), metadata: self.metadata_url(), scope }
    }

    /// How much of a path it claims: of several resources that have a route, the one with the longest path counts.
    #[must_use]
    pub fn reach(&self) -> usize {
        self.path().len()
    }
}

/// The resource that a route belongs to, as its challenges speak of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Described {
    /// Its identifier (RFC 8707).
    pub resource: String,
    /// Where it describes itself (RFC 9728 section 5.1).
    pub metadata: String,
    /// The scopes that the route needs, with a space between (RFC 6750 section 3); empty: none that strangers are told of.
    pub scope: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9728_section_3_1_the_well_known_part_stands_before_the_path() {
        for (id, url) in [
            ("https://api.example.com", "https://api.example.com/.well-known/oauth-protected-resource"),
            ("https://api.example.com/", "https://api.example.com/.well-known/oauth-protected-resource"),
            ("https://api.example.com/v1", "https://api.example.com/.well-known/oauth-protected-resource/v1"),
            ("http://127.0.0.1:8787/a/b", "http://127.0.0.1:8787/.well-known/oauth-protected-resource/a/b"),
        ] {
            let resource = Resource::new(id.parse().unwrap(), None, None).unwrap();
            assert_eq!(resource.metadata_url(), url);
            let host = resource.host.clone();
            assert!(resource.is_described_at(Some(&host), &resource.metadata_path()));
            assert!(!resource.is_described_at(Some(&host), "/.well-known/oauth-protected-resource/other"));
            assert!(
                !resource
                    .is_described_at(Host::of_authority("other.example").as_ref(), &resource.metadata_path())
            );
        }
    }
}
