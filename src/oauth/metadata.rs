//! Discovery: what this issuer is and does (RFC 8414 section 2, OpenID Connect Discovery 1.0).
//!
//! Lists what there is and nothing that is planned. Every address is the issuer's own constant text: never
//! the `Host` that a request came with.

use serde_json::{Map, Value, json};

use crate::config::{Config, Realm};
use crate::error::Fault;
use crate::grant::SignInMethod;
use crate::http::Answer;
use crate::oauth::{Endpoint, cors};
use crate::registered::{AuthMethod, GrantType};
use crate::token::Algorithm;

/// The metadata document of a realm.
///
/// # Errors
/// None that the document can cause.
pub fn metadata(config: &Config, realm: &Realm) -> Result<Answer, Fault> {
    let at = |endpoint: Endpoint| json!(format!("{}{}", realm.issuer, endpoint.path()));
    let scopes: Vec<_> = config.scopes().offered().collect();
    let grants: Vec<_> =
        GrantType::ALL.into_iter().filter(|grant| realm.serves(*grant)).map(GrantType::name).collect();
    let methods = AuthMethod::ALL.map(AuthMethod::name);
    // A public client proves nothing, so it is told nothing about tokens.
    let proving: Vec<_> = methods.into_iter().filter(|name| *name != AuthMethod::None.name()).collect();
    let signing = Algorithm::OF_CALLERS.map(Algorithm::name);
    let mut document = Map::new();
    let mut say = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    say("issuer", json!(realm.issuer));
    say("authorization_endpoint", at(Endpoint::Authorize));
    say("pushed_authorization_request_endpoint", at(Endpoint::Push));
    say("token_endpoint", at(Endpoint::Token));
    say("userinfo_endpoint", at(Endpoint::UserInfo));
    say("end_session_endpoint", at(Endpoint::Logout));
    say("introspection_endpoint", at(Endpoint::Introspect));
    say("revocation_endpoint", at(Endpoint::Revoke));
    say("jwks_uri", at(Endpoint::Jwks));
    if realm.registration.is_some() {
        say("registration_endpoint", at(Endpoint::Register));
    }
    say("scopes_supported", json!(scopes));
    say("response_types_supported", json!(["code"]));
    say("response_modes_supported", json!(["query", "form_post"]));
    say("prompt_values_supported", json!(["none", "login", "consent", "select_account"]));
    say("authorization_response_iss_parameter_supported", json!(true));
    for name in
        ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"]
    {
        say(name, json!(false));
    }
    let claims =
        ["sub", "sid", "name", "preferred_username", "email", "email_verified", "auth_time", "acr", "amr"];
    say("acr_values_supported", json!(acr_values(realm)));
    say("claims_supported", json!(claims));
    say("grant_types_supported", json!(grants));
    say("code_challenge_methods_supported", json!(["S256"]));
    for (endpoint, methods) in [
        ("token_endpoint", json!(methods)),
        ("introspection_endpoint", json!(proving)),
        ("revocation_endpoint", json!(methods)),
    ] {
        say(&format!("{endpoint}_auth_methods_supported"), methods);
        say(&format!("{endpoint}_auth_signing_alg_values_supported"), json!(signing));
    }
    say("dpop_signing_alg_values_supported", json!(signing));
    say("subject_types_supported", json!(["public"]));
    let mut signing = vec![realm.keys.signing];
    signing.extend(realm.terms(true).map(|beside| beside.signing));
    say("id_token_signing_alg_values_supported", json!(signing));
    for name in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        say(name, json!(true));
    }
    let answer = Answer::json(200, &Value::Object(document))?;
    Ok(cors::for_everybody(answer).with("Cache-Control", "public, max-age=300"))
}

/// How people can sign in here.
pub(crate) fn acr_values(realm: &Realm) -> Vec<&'static str> {
    let is_there = |method: &SignInMethod| match method {
        SignInMethod::Federated => !realm.providers.is_empty(),
        SignInMethod::Passkey => realm.passkeys.is_some(),
        SignInMethod::Password => true,
        // It is called as a passkey alone is.
        SignInMethod::PasswordAndPasskey => false,
    };
    SignInMethod::ALL.into_iter().filter(is_there).map(SignInMethod::acr).collect()
}
