//! What is asked for, and what of it is granted.

use crate::grant::Presented;
use crate::http::{ErrorCode, Form, OauthError};
use crate::principal::{Client, GrantType};
use crate::scope::{ScopeCatalogue, ScopeSet};

/// A well-formed client-credentials request.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client: Presented,
    /// The scopes asked for; `None`: whatever the client may have.
    pub scopes: Option<ScopeSet>,
}

impl TokenRequest {
    /// Reads a token request.
    ///
    /// # Errors
    /// In this order: a body that is no form, client authentication, `grant_type`, `scope`.
    pub fn parse(authorization: Option<&str>, form: &Form) -> Result<Self, OauthError> {
        let client = Presented::parse(authorization, form)?;
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => {
                return Err(OauthError::new(
                    ErrorCode::UnsupportedGrantType,
                    "use grant_type=client_credentials",
                ));
            }
            None => return Err(OauthError::new(ErrorCode::InvalidRequest, "grant_type is missing")),
        }
        let scopes = form
            .get("scope")
            .map(|text| {
                text.parse()
                    .map_err(|_| OauthError::new(ErrorCode::InvalidScope, "separate scopes by one space"))
            })
            .transpose()?;
        Ok(Self { client, scopes })
    }
}

/// The scopes that `client` gets when it asks for `asked`: all of them or an error, so that a client never
/// works with less than it thinks it has. A scope may be asked for if the client has it or one that implies it.
///
/// # Errors
/// `unauthorized_client` when it may not use the grant, `invalid_scope` for a scope that it may not have.
pub fn grant_scopes(
    client: &Client,
    asked: Option<ScopeSet>,
    catalogue: &ScopeCatalogue,
) -> Result<ScopeSet, OauthError> {
    if !client.may(GrantType::ClientCredentials) {
        return Err(OauthError::new(
            ErrorCode::UnauthorizedClient,
            "this client may not use client_credentials",
        ));
    }
    // What the configuration no longer knows is no longer granted, whatever the client was registered with.
    let held: ScopeSet = client.scope.iter().filter(|scope| catalogue.knows(scope)).cloned().collect();
    let Some(asked) = asked else {
        return Ok(held);
    };
    let may = |scope| catalogue.knows(scope) && catalogue.covers(&held, scope);
    if asked.iter().all(may) {
        Ok(asked)
    } else {
        Err(OauthError::new(
            ErrorCode::InvalidScope,
            "ask only for scopes that this client is registered for",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Locator;

    fn client(grants: &[GrantType]) -> Client {
        Client {
            client_id: "c1".parse().unwrap(),
            client_name: "Demo".to_owned(),
            realm: "test".parse().unwrap(),
            grant_types: grants.to_vec(),
            scope: "orders:admin removed".parse().unwrap(),
            locator: Locator::from([0; 32]),
        }
    }

    fn granted(asked: Option<&str>) -> Result<String, ErrorCode> {
        let scope = |text: &str| text.parse().unwrap();
        let catalogue = ScopeCatalogue::new([
            (scope("orders:admin"), vec![scope("orders:read")], true),
            (scope("orders:read"), vec![], true),
            (scope("other"), vec![], true),
        ]);
        let asked = asked.map(|text| text.parse().unwrap());
        grant_scopes(&client(&[GrantType::ClientCredentials]), asked, &catalogue)
            .map(|s| s.to_string())
            .map_err(|e| e.code)
    }

    #[test]
    fn rfc6749_section_3_3_scopes_are_granted_whole_or_not_at_all() {
        assert_eq!(granted(None).as_deref(), Ok("orders:admin"));
        assert_eq!(granted(Some("orders:read")).as_deref(), Ok("orders:read"));
        assert_eq!(granted(Some("orders:read other")), Err(ErrorCode::InvalidScope));
        assert_eq!(granted(Some("removed")), Err(ErrorCode::InvalidScope));
        assert_eq!(granted(Some("unheard-of")), Err(ErrorCode::InvalidScope));
    }

    #[test]
    fn a_client_without_the_grant_is_unauthorized() {
        let error =
            grant_scopes(&client(&[GrantType::RefreshToken]), None, &ScopeCatalogue::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnauthorizedClient);
    }
}
