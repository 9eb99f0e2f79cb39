//! What is asked for, and what of it is granted.

use crate::encoding::Digest;
use crate::grant::authentication::Presented;
use crate::http::{ErrorCode, Form, OauthError};
use crate::id::Login;
use crate::pkce::Verifier;
use crate::principal::{Client, GrantType, Password, Refused};
use crate::scope::{ScopeCatalogue, ScopeSet};
use crate::secret::{Credential, Kind};

/// A well-formed token request.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client: Presented,
    /// By what.
    pub grant: GrantRequest,
    /// The scopes asked for; `None`: whatever may be had.
    pub scopes: Option<ScopeSet>,
    /// The resources asked for (RFC 8707), as they stand.
    pub resources: Vec<String>,
}

/// The grant, and what belongs to it. A code or refresh token that tollgate cannot have made is `None`: who asks is found out
/// first.
#[derive(Debug)]
pub enum GrantRequest {
    /// RFC 6749 section 4.1.3.
    AuthorizationCode {
        /// `code`.
        code: Option<Credential>,
        /// `redirect_uri`.
        redirect_uri: Option<String>,
        /// What follows from `code_verifier`, where it is well formed.
        challenge: Option<Digest>,
    },
    /// RFC 6749 section 4.4.2.
    ClientCredentials,
    /// RFC 6749 section 4.3.2.
    Password {
        /// `username`, in the spelling that is compared; `None`: nobody can have it.
        login: Option<Login>,
        /// `password`.
        password: Password,
    },
    /// RFC 6749 section 6.
    RefreshToken {
        /// `refresh_token`.
        token: Option<Credential>,
    },
}

/// What a realm serves only where it says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serves {
    /// `grant_type=code` as another spelling of `authorization_code`.
    pub code: bool,
    /// The password grant.
    pub password: bool,
}

impl TokenRequest {
    /// Reads a token request of a realm that serves these grants.
    ///
    /// # Errors
    /// In this order: client authentication, `grant_type`, what belongs to it, `scope`.
    pub fn parse(authorization: Option<&str>, form: &Form, serves: Serves) -> Result<Self, OauthError> {
        let client = Presented::parse(authorization, form)?;
        let missing = |description| OauthError::new(ErrorCode::InvalidRequest, description);
        let needed = |name: &str, description| form.get(name).ok_or_else(|| missing(description));
        let grant = match form.get("grant_type").ok_or_else(|| missing("grant_type is missing"))? {
            "client_credentials" => GrantRequest::ClientCredentials,
            "refresh_token" => {
                let text = needed("refresh_token", "refresh_token is missing")?;
                GrantRequest::RefreshToken { token: Credential::parse(Kind::RefreshToken, text).ok() }
            }
            "password" if serves.password => GrantRequest::Password {
                login: Login::typed(needed("username", "username is missing")?).ok(),
                password: Password(needed("password", "password is missing")?.to_owned()),
            },
            name if name == "authorization_code" || (serves.code && name == "code") => {
                let text = needed("code", "code is missing")?;
                let verifier = form.get("code_verifier").and_then(|text| text.parse::<Verifier>().ok());
                GrantRequest::AuthorizationCode {
                    code: Credential::parse(Kind::Code, text).ok(),
                    redirect_uri: form.get("redirect_uri").map(str::to_owned),
                    challenge: verifier.map(|verifier| Digest::of(verifier.reveal().as_bytes())),
                }
            }
            _ => {
                return Err(OauthError::new(
                    ErrorCode::UnsupportedGrantType,
                    "use a grant_type of the realm's metadata",
                ));
            }
        };
        let scopes = form
            .get("scope")
            .map(|text| {
                text.parse()
                    .map_err(|_| OauthError::new(ErrorCode::InvalidScope, "separate scopes by one space"))
            })
            .transpose()?;
        Ok(Self { client, grant, scopes, resources: form.resources().map(str::to_owned).collect() })
    }
}

/// The scopes that `client` gets when it asks for `asked` by `grant`: all of them or an error, so that a client never
/// works with less than it thinks it has. A scope may be asked for if the client has it or one that implies it.
///
/// # Errors
/// [`Refused::Unauthorized`] when it may not use the grant, [`Refused::Scope`] for a scope that it may not have.
pub fn grant_scopes(
    client: &Client,
    grant: GrantType,
    asked: Option<&ScopeSet>,
    catalogue: &ScopeCatalogue,
) -> Result<ScopeSet, Refused> {
    if !client.may(grant) {
        return Err(Refused::Unauthorized(grant));
    }
    // What the configuration no longer knows is no longer granted, whatever the client was registered with.
    let held: ScopeSet = client.scope.iter().filter(|scope| catalogue.knows(scope)).cloned().collect();
    let Some(asked) = asked else {
        return Ok(held);
    };
    if kept_scopes(asked, &held, catalogue) == *asked { Ok(asked.clone()) } else { Err(Refused::Scope) }
}

/// Those of `granted` that a client with the scopes `held` may still have, by the configuration as it is now.
#[must_use]
pub fn kept_scopes(granted: &ScopeSet, held: &ScopeSet, catalogue: &ScopeCatalogue) -> ScopeSet {
    granted.iter().filter(|scope| catalogue.knows(scope) && catalogue.covers(held, scope)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(grants: &[GrantType]) -> Client {
        Client {
            grant_types: grants.to_vec(),
            scope: "orders:admin removed".parse().unwrap(),
            ..Client::sample()
        }
    }

    fn granted(asked: Option<&str>) -> Result<String, Refused> {
        let scope = |text: &str| text.parse().unwrap();
        let catalogue = ScopeCatalogue::new([
            (scope("orders:admin"), vec![scope("orders:read")], true),
            (scope("orders:read"), vec![], true),
            (scope("other"), vec![], true),
        ]);
        let asked: Option<ScopeSet> = asked.map(|text| text.parse().unwrap());
        let client = client(&[GrantType::ClientCredentials]);
        grant_scopes(&client, GrantType::ClientCredentials, asked.as_ref(), &catalogue).map(|s| s.to_string())
    }

    #[test]
    fn rfc6749_section_3_3_scopes_are_granted_whole_or_not_at_all() {
        assert_eq!(granted(None).as_deref(), Ok("orders:admin"));
        assert_eq!(granted(Some("orders:read")).as_deref(), Ok("orders:read"));
        assert_eq!(granted(Some("orders:read other")), Err(Refused::Scope));
        assert_eq!(granted(Some("removed")), Err(Refused::Scope));
        assert_eq!(granted(Some("unheard-of")), Err(Refused::Scope));
    }

    #[test]
    fn a_client_without_the_grant_is_unauthorized() {
        let client = client(&[GrantType::RefreshToken]);
        let refused = grant_scopes(&client, GrantType::Password, None, &ScopeCatalogue::default());
        assert_eq!(refused, Err(Refused::Unauthorized(GrantType::Password)));
    }

    fn parse(body: &str, all: bool) -> Result<GrantRequest, ErrorCode> {
        let form =
            Form::parse(Some("application/x-www-form-urlencoded"), format!("client_id=c1&{body}").as_bytes());
        TokenRequest::parse(None, &form.unwrap(), Serves { code: all, password: all })
            .map(|r| r.grant)
            .map_err(|e| e.code)
    }

    #[test]
    fn each_grant_has_what_belongs_to_it() {
        for (body, want) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=implicit", ErrorCode::UnsupportedGrantType),
            ("grant_type=code&code=x", ErrorCode::UnsupportedGrantType),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code", ErrorCode::InvalidRequest),
            ("grant_type=password", ErrorCode::UnsupportedGrantType),
            ("grant_type=client_credentials&scope=a++b", ErrorCode::InvalidScope),
        ] {
            assert_eq!(parse(body, false).unwrap_err(), want, "{body}");
        }
        for half in ["username=a", "password=a"] {
            let error = parse(&format!("grant_type=password&{half}"), true).unwrap_err();
            assert_eq!(error, ErrorCode::InvalidRequest, "{half}");
        }
        assert!(matches!(
            parse("grant_type=code&code=x", true),
            Ok(GrantRequest::AuthorizationCode { code: None, redirect_uri: None, challenge: None })
        ));
        assert!(matches!(
            parse("grant_type=refresh_token&refresh_token=junk", false),
            Ok(GrantRequest::RefreshToken { token: None })
        ));
        let verifier = "a".repeat(43);
        for (text, fits) in
            [(verifier.clone(), true), (verifier[1..].to_owned(), false), ("a".repeat(129), false)]
        {
            let body = format!("grant_type=authorization_code&code=x&code_verifier={text}");
            let Ok(GrantRequest::AuthorizationCode { challenge, .. }) = parse(&body, false) else {
                panic!("{text}")
            };
            assert_eq!(challenge.is_some(), fits, "attack 60: {text}");
        }
        let Ok(GrantRequest::Password { login, .. }) =
            parse("grant_type=password&username=+Ada%40Example.com&password=x", true)
        else {
            panic!()
        };
        assert_eq!(login.unwrap().as_str(), "ada@example.com");
    }
}
