//! Authorization requests: RFC 6749 section 4.1.1 and OpenID Connect Core section 3.1.2.1, code only and always with PKCE S256
//! (RFC 7636, RFC 9700 section 2.1.1).
//!
//! A request is read in two parts. First who asks and where the answer goes ([`Destination`]): until both are known to be right, whoever
//! sent the request is told on a page, and nobody is sent anywhere. Then the rest ([`AuthorizationRequest`]): what is wrong
//! with it goes to the client, with the `state` that it sent (RFC 6749 section 4.1.2.1) and `iss` (RFC 9207).
//!
//! **Out of scope**: whether the client may have the scopes, who is signed in, what they consent to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::encoding::{Digest, from_base64url};
use crate::grant::{Destination, SignInMethod};
use crate::http::Form;
use crate::id::ClientId;
use crate::principal::{Client, GrantType};
use crate::scope::ScopeSet;
use crate::time::Lifetime;

/// The longest `state`, `nonce` and `login_hint`: they travel in addresses.
pub(super) const MAX_TEXT: usize = 2_048;

/// What a client wants to happen on the way (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// The person is asked for consent again.
    Consent,
    /// The person proves again who they are.
    Login,
    /// No page is shown.
    None,
    /// The person chooses who they are.
    SelectAccount,
}

/// A well-formed authorization request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorizationRequest {
    /// `client_id`.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub destination: Destination,
    /// `scope`; `None`: whatever may be had.
    pub scope: Option<ScopeSet>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `code_challenge`.
    pub challenge: Digest,
    /// `prompt`.
    pub prompt: Vec<Prompt>,
    /// `max_age`.
    pub max_age: Option<Lifetime>,
    /// Those of `acr_values` that are known, any of which will do, with spaces between them; `None`: any at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// `id_token_hint`, as it came.
    pub id_token_hint: Option<String>,
    /// `resource` (RFC 8707).
    pub resources: Vec<String>,
    /// `dpop_jkt` (RFC 9449 section 10): the thumbprint of the key that the code is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
}

/// An error that goes to the client (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6, RFC 8707 section 2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthorizationError {
    /// The person said no.
    AccessDenied,
    /// The person would have to consent.
    ConsentRequired,
    /// A parameter is missing or malformed.
    InvalidRequest(&'static str),
    /// A scope that the client may not ask for.
    InvalidScope,
    /// A resource that tokens are not given for.
    InvalidTarget,
    /// The person would have to sign in.
    LoginRequired,
    /// `registration` is not taken.
    RegistrationNotSupported,
    /// `request` is not taken.
    RequestNotSupported,
    /// `request_uri` is not taken.
    RequestUriNotSupported,
    /// Trouble of ours.
    ServerError,
    /// Nobody can sign in here in any of the ways that `acr_values` names (RFC 9470 section 5).
    UnmetAuthentication,
    /// Not a client for people.
    UnauthorizedClient,
    /// Another `response_type` than `code`.
    UnsupportedResponseType,
}

impl AuthorizationError {
    /// `error`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::ConsentRequired => "consent_required",
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
            Self::UnmetAuthentication => "unmet_authentication_requirements",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }

    /// `error_description`: a constant sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::AccessDenied => "the person did not allow it",
            Self::ConsentRequired => "the person has to be asked; leave prompt=none away",
            Self::InvalidRequest(what) => what,
            Self::InvalidScope => "ask only for scopes that this client may have",
            Self::InvalidTarget => "ask for resources that tokens of this realm are given for",
            Self::LoginRequired => "the person has to sign in; leave prompt=none away",
            Self::RegistrationNotSupported => "register the client at the registration endpoint",
            Self::RequestNotSupported => "send the parameters themselves, not in request",
            Self::RequestUriNotSupported => "send the parameters themselves, not by request_uri",
            Self::ServerError => "try again later",
            Self::UnmetAuthentication => "ask for one of acr_values_supported, or for none",
            Self::UnauthorizedClient => "this client may not use authorization_code",
            Self::UnsupportedResponseType => "response_type is code",
        }
    }
}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl AuthorizationRequest {
    /// Reads the rest of a request whose answer goes to `destination`.
    ///
    /// # Errors
    /// In this order: what is not taken, `response_type`, the client, `response_mode`, PKCE, the others.
    pub fn read(form: &Form, client: &Client, destination: Destination) -> Result<Self, AuthorizationError> {
        use AuthorizationError as E;
        for (name, error) in [
            ("request", E::RequestNotSupported),
            ("request_uri", E::RequestUriNotSupported),
            ("registration", E::RegistrationNotSupported),
        ] {
            if form.get(name).is_some() {
                return Err(error);
            }
        }
        match form.get("response_type") {
            Some("code") => {}
            Some(_) => return Err(E::UnsupportedResponseType),
            None => return Err(E::InvalidRequest("response_type is missing")),
        }
        if !client.may(GrantType::AuthorizationCode) {
            return Err(E::UnauthorizedClient);
        }
        if !matches!(form.get("response_mode"), None | Some("query" | "form_post")) {
            return Err(E::InvalidRequest("response_mode is query or form_post"));
        }
        if form.get("code_challenge_method") != Some("S256") {
            return Err(E::InvalidRequest("code_challenge_method is S256"));
        }
        let challenge = form.get("code_challenge").ok_or(E::InvalidRequest("code_challenge is missing"))?;
        let challenge = from_base64url(challenge)
            .ok()
            .filter(|bytes| bytes.len() == 32)
            .and_then(|_| Digest::try_from(challenge.to_owned()).ok())
            .ok_or(E::InvalidRequest("code_challenge is 32 bytes in base64url"))?;
        for name in ["state", "nonce", "login_hint"] {
            if form.get(name).is_some_and(|text| text.len() > MAX_TEXT) {
                return Err(E::InvalidRequest("state, nonce and login_hint have at most 2048 characters"));
            }
        }
        let key = form.get("dpop_jkt").map(|text| Digest::try_from(text.to_owned())).transpose();
        let key = key.map_err(|_| E::InvalidRequest("dpop_jkt is a SHA-256 thumbprint in base64url"))?;
        let scope = form.get("scope").map(|text| text.parse().map_err(|_| E::InvalidScope)).transpose()?;
        let max_age = match form.get("max_age") {
            None => None,
            Some(text) => {
                let seconds =
                    text.parse().map_err(|_| E::InvalidRequest("max_age is a number of seconds"))?;
                Some(Lifetime::from_seconds(seconds))
            }
        };
        Ok(Self {
            client_id: client.client_id.clone(),
            scope,
            nonce: form.get("nonce").map(str::to_owned),
            challenge,
            prompt: prompts(form.get("prompt").unwrap_or_default())?,
            max_age,
            acr: known_acr(form.get("acr_values").unwrap_or_default()),
            login_hint: form.get("login_hint").map(str::to_owned),
            id_token_hint: form.get("id_token_hint").map(str::to_owned),
            resources: form.resources().map(str::to_owned).collect(),
            key,
            destination,
        })
    }

    /// Whether the client wants this to happen.
    #[must_use]
    pub fn wants(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}

/// `acr_values`: whoever sent a client here with one takes nothing else, so it is needed (RFC 9470 section 5). Names that are not known are left out, and where
/// none is known any way will do (OpenID Connect Core section 3.1.2.1: the claim is voluntary).
fn known_acr(text: &str) -> Option<String> {
    let known: Vec<_> =
        text.split(' ').filter(|name| SignInMethod::ALL.iter().any(|way| way.acr() == *name)).collect();
    (!known.is_empty()).then(|| known.join(" "))
}

/// OpenID Connect Core section 3.1.2.1: `none` stands alone. What is not known is left out, as an unknown parameter is.
fn prompts(text: &str) -> Result<Vec<Prompt>, AuthorizationError> {
    let mut prompts = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "consent" => prompts.push(Prompt::Consent),
            "login" => prompts.push(Prompt::Login),
            "none" if text == "none" => prompts.push(Prompt::None),
            "none" => return Err(AuthorizationError::InvalidRequest("prompt=none stands alone")),
            "select_account" => prompts.push(Prompt::SelectAccount),
            _ => {}
        }
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const CALLBACK: &str = "https://app.example/cb?a=1";

    fn client(redirect_uris: &[&str]) -> Client {
        Client {
            grant_types: vec![GrantType::AuthorizationCode],
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            ..Client::sample()
        }
    }

    fn form(parameters: &[(&str, &str)]) -> Form {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Form::of_query(&query).unwrap()
    }

    fn read(more: &[(&str, &str)]) -> Result<AuthorizationRequest, &'static str> {
        let mut all = vec![
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        all.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        all.extend(more);
        let (form, client) = (form(&all), client(&[CALLBACK]));
        let destination = Destination::of(&form, &client).unwrap();
        AuthorizationRequest::read(&form, &client, destination).map_err(AuthorizationError::code)
    }

    #[test]
    fn attack_60_65_66_code_with_s256_and_nothing_else() {
        assert!(read(&[]).is_ok());
        for (parameters, error) in [
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "id_token")], "unsupported_response_type"),
            (vec![("response_type", "code id_token")], "unsupported_response_type"),
            (vec![("response_type", "")], "invalid_request"),
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge", "")], "invalid_request"),
            (vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")], "invalid_request"),
            (vec![("code_challenge", "short")], "invalid_request"),
            (vec![("request", "e30.e30.")], "request_not_supported"),
            (vec![("request_uri", "https://evil.example/")], "request_uri_not_supported"),
            (vec![("registration", "{}")], "registration_not_supported"),
            (vec![("response_mode", "fragment")], "invalid_request"),
            (vec![("prompt", "none login")], "invalid_request"),
            (vec![("max_age", "-1")], "invalid_request"),
            (vec![("scope", "a  b")], "invalid_scope"),
        ] {
            assert_eq!(read(&parameters).unwrap_err(), error, "{parameters:?}");
        }
    }

    #[test]
    fn rfc9470_section_5_acr_values_are_needed_those_that_are_known() {
        let acr = |text: &str| read(&[("acr_values", text)]).unwrap().acr;
        let [password, federated] = ["urn:tollgate:acr:password", "urn:tollgate:acr:federated"];
        assert_eq!(acr(&format!("1 {federated}  {password}")), Some(format!("{federated} {password}")));
        for none in ["", " ", "1 urn:tollgate:acr:Password "] {
            assert_eq!(acr(none), None, "{none}");
        }
        assert_eq!(read(&[]).unwrap().acr, None);
    }

    #[test]
    fn openid_connect_core_section_3_1_2_1_what_a_client_wants() {
        let request =
            read(&[("prompt", "login consent whatever"), ("max_age", "60"), ("nonce", "n")]).unwrap();
        assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent]);
        assert_eq!(
            (request.max_age, request.nonce.as_deref()),
            (Some(Lifetime::from_seconds(60)), Some("n"))
        );
    }
}
