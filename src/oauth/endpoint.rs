//! What a realm serves, and where.

/// An endpoint below `/{realm}`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// Takes a client in (RFC 7591 shaped); guarded by the bootstrap token.
    Clients,
    /// The public keys (RFC 7517).
    Jwks,
    /// Every key and its state; guarded by the bootstrap token.
    Keys,
    /// Lets the published key sign; guarded by the bootstrap token.
    KeysPromote,
    /// Makes the next key; guarded by the bootstrap token.
    KeysRotate,
    /// Discovery (OpenID Connect Discovery, RFC 8414).
    Metadata,
    /// The token endpoint (RFC 6749 section 3.2).
    Token,
}

/// Where a request below a realm goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Routed {
    /// There is something, but not with this method; the value of `Allow`.
    MethodNotAllowed(&'static str),
    /// Nothing is there.
    NotFound,
    /// There.
    To(Endpoint),
}

impl Endpoint {
    /// Every endpoint: what, method, path below the realm. The first path of an endpoint is its own, others are aliases.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Metadata, "GET", "/.well-known/openid-configuration"),
        (Self::Jwks, "GET", "/jwks"),
        (Self::Token, "POST", "/oauth/token"),
        (Self::Token, "POST", "/OAuth/Token"),
        (Self::Clients, "POST", "/api/v1/clients"),
        (Self::Keys, "GET", "/api/v1/keys"),
        (Self::KeysPromote, "POST", "/api/v1/keys/promote"),
        (Self::KeysRotate, "POST", "/api/v1/keys/rotate"),
    ];

    /// Finds the endpoint of a request. A `GET` endpoint answers `HEAD` as well.
    #[must_use]
    pub fn route(method: &str, path: &str) -> Routed {
        let Some((endpoint, known, _)) = Self::ALL.iter().find(|(_, _, at)| *at == path) else {
            return Routed::NotFound;
        };
        match (*known, method) {
            ("GET", "GET" | "HEAD") | ("POST", "POST") => Routed::To(*endpoint),
            ("GET", _) => Routed::MethodNotAllowed("GET, HEAD"),
            _ => Routed::MethodNotAllowed("POST"),
        }
    }

    /// Its own path below the realm.
    #[must_use]
    pub fn path(self) -> &'static str {
        Self::ALL.iter().find(|(endpoint, _, _)| *endpoint == self).map_or("", |(_, _, path)| *path)
    }

    /// Its name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Jwks => "jwks",
            Self::Keys => "keys",
            Self::KeysPromote => "keys-promote",
            Self::KeysRotate => "keys-rotate",
            Self::Metadata => "metadata",
            Self::Token => "token",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_by_table() {
        assert_eq!(Endpoint::route("POST", "/oauth/token"), Routed::To(Endpoint::Token));
        assert_eq!(Endpoint::route("POST", "/OAuth/Token"), Routed::To(Endpoint::Token));
        assert_eq!(Endpoint::route("GET", "/oauth/token"), Routed::MethodNotAllowed("POST"));
        assert_eq!(Endpoint::route("HEAD", "/jwks"), Routed::To(Endpoint::Jwks));
        assert_eq!(Endpoint::route("GET", "/oauth/token/"), Routed::NotFound);
        assert_eq!(Endpoint::Token.path(), "/oauth/token");
    }
}
