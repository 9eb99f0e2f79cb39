//! Names that are registered for clients (IANA, OAuth Parameters): grants, and methods of authentication.

use serde::{Deserialize, Serialize};

/// A grant that a client may use (RFC 6749, the `grant_types` of RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// Section 4.1, always with PKCE.
    AuthorizationCode,
    /// Section 4.4.
    ClientCredentials,
    /// Section 4.3: the resource owner's password. Legacy, for realms that allow it.
    Password,
    /// Section 6: answers carry a refresh token.
    RefreshToken,
}

/// How a client authenticates (the `token_endpoint_auth_method` of RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// With a secret, by HTTP Basic. A client of this method or the next may use either.
    #[default]
    ClientSecretBasic,
    /// With a secret, in the form.
    ClientSecretPost,
    /// Not at all: a public client, which has PKCE instead.
    None,
    /// With a JWT that it signs (RFC 7523).
    PrivateKeyJwt,
}

impl GrantType {
    /// Every grant there is.
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::ClientCredentials, Self::Password, Self::RefreshToken];

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl AuthMethod {
    /// Every method there is.
    pub const ALL: [Self; 4] =
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None, Self::PrivateKeyJwt];

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether a client of this method has a secret.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for method in AuthMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.name());
        }
        for grant in GrantType::ALL {
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.name());
        }
    }
}
