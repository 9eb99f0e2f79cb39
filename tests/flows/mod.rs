//! Whole flows, from a request's head to what came of it.

mod at_once;
mod bound;
mod cache;
mod codes;
mod configuration;
mod console;
mod console_pages;
mod cors;
mod described;
mod dpop;
mod endings;
mod faults;
mod federation;
mod federation_attacks;
mod gateway;
mod grants;
mod health;
mod https;
mod idle;
mod idor;
mod injection;
mod introspection;
mod issuer;
mod keys;
mod library;
mod lines;
mod logout;
mod mailbox;
mod management;
mod mcp;
mod passkeys;
mod people;
mod places;
mod realm;
mod redaction;
mod registration;
mod remote;
mod rotation;
mod route_policy;
mod standing;
mod step_up;
mod tokens;

use crate::fakes::{Call, Edge, call, finish};

/// Two realms and a foreign issuer on one host.
pub(crate) const CONFIG: &str = r#"{
    "realms": {
        "test": { "issuer": "https://edge.example/test", "idle_seconds": 60, "grain_seconds": 15 },
        "sandbox": { "issuer": "https://edge.example/sandbox" },
        "local": { "issuer": "http://127.0.0.1:8787/local", "allow_http": true }
    },
    "issuers": [ {
        "issuer": "https://accounts.example.com",
        "audiences": ["https://edge.example"],
        "jwks": { "keys": [ { "kty": "EC", "crv": "P-256", "kid": "foreign",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" } ] }
    } ],
    "scopes": {
        "orders:read": { "description": "Read orders" },
        "orders:admin": { "description": "All of orders", "implies": ["orders:read"] },
        "hidden": { "description": "Ours", "internal": true }
    },
    "routes": [
        { "id": "orders", "methods": ["GET"], "path": "/orders/{id}", "require": { "scopes": ["orders:read"], "issuers": ["test", "https://accounts.example.com"] }, "to": { "service": "ORIGIN" } },
        { "id": "admin", "methods": ["GET"], "path": "/admin", "require": { "scopes": ["orders:admin"], "issuers": ["test"] }, "to": { "service": "ORIGIN" } },
        { "id": "any", "methods": ["GET"], "path": "/any", "require": { "issuers": ["test", "sandbox"] }, "to": { "service": "ORIGIN" } },
        { "id": "health", "methods": ["GET"], "path": "/health", "anonymous": true, "to": { "service": "ORIGIN" } }
    ]
}"#;

/// The status of a request through the gate, with what it leaves behind done.
pub(crate) fn gate(edge: &Edge<'_>, request: &Call) -> u16 {
    let (reply, chore) = call(edge, request);
    if let Some(chore) = chore {
        finish(edge, chore);
    }
    reply.status()
}

/// A registered client: id, secret.
pub(crate) fn register(edge: &Edge<'_>, realm: &str, scope: &str, grants: &str) -> (String, String) {
    let body = format!(r#"{{"client_name":"Test","scope":"{scope}","grant_types":[{grants}]}}"#);
    let request = Call::json(format!("https://edge.example/{realm}/api/v1/clients"), body).bearer("operator");
    let (reply, _) = call(edge, &request);
    assert_eq!(reply.status(), 201, "{:?}", reply.answer().body);
    (reply.member("client_id"), reply.member("client_secret"))
}

/// A token request in the form's way.
pub(crate) fn token_request(realm: &str, client: &(String, String), more: &str) -> Call {
    let body =
        format!("grant_type=client_credentials&client_id={}&client_secret={}{more}", client.0, client.1);
    Call::form(format!("https://edge.example/{realm}/oauth/token"), body)
}

/// An access token for a new client of `realm`.
pub(crate) fn token(edge: &Edge<'_>, realm: &str, scope: &str) -> String {
    let client = register(edge, realm, scope, r#""client_credentials""#);
    call(edge, &token_request(realm, &client, "")).0.member("access_token")
}
