//! A realm with everything, and how a client talks to it.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tollgate::encoding::{base64url, from_base64url};
use tollgate::time::Lifetime;

use super::gate;
use crate::fakes::{Call, Edge, Reply, World, call};

pub(super) const CONFIG: &str = r#"{
    "realms": {
        "test": { "issuer": "https://edge.example/test", "idle_seconds": 60, "grain_seconds": 15, "features": ["password_grant", "grant_type_code"] },
        "cut": { "issuer": "https://edge.example/cut", "revocation": "cutoff", "access_token_seconds": 600 }
    },
    "roles": { "owner": {}, "reporting": {} },
    "scopes": { "orders:read": { "description": "Read" }, "orders:admin": { "description": "All", "implies": ["orders:read"] } },
    "resources": [ { "resource": "https://edge.example/orders" }, { "resource": "https://edge.example/other" } ],
    "routes": [
        { "id": "orders", "methods": ["GET"], "path": "/orders/{id}", "host": "edge.example", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } },
        { "id": "other", "methods": ["GET"], "path": "/other/{id}", "host": "edge.example", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } },
        { "id": "any", "methods": ["GET"], "path": "/any", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } }
    ]
}"#;

pub(super) fn seconds(n: u64) -> Lifetime {
    Lifetime::from_seconds(n)
}

/// A client, as it is told of itself.
pub(super) fn client(edge: &Edge<'_>, realm: &str, more: &Value) -> Value {
    let mut body = json!({
        "client_name": "Test",
        "scope": "orders:admin openid",
        "grant_types": ["client_credentials", "refresh_token"],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let at = format!("https://edge.example/{realm}/api/v1/clients");
    let (reply, _) = call(edge, &Call::json(at, body.to_string()).bearer("operator"));
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// A request of a client to an endpoint of a realm.
pub(super) fn post(edge: &Edge<'_>, realm: &str, endpoint: &str, client: &Value, form: &str) -> Reply {
    let id = text(client, "client_id");
    let proof =
        client["client_secret"].as_str().map(|secret| format!("&client_secret={secret}")).unwrap_or_default();
    let at = format!("https://edge.example/{realm}/oauth/{endpoint}");
    call(edge, &Call::form(at, format!("client_id={id}{proof}&{form}"))).0
}

pub(super) fn tokens(edge: &Edge<'_>, realm: &str, client: &Value, form: &str) -> Value {
    let reply = post(edge, realm, "token", client, form);
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

pub(super) fn error(reply: &Reply) -> (u16, String) {
    (reply.status(), reply.member("error"))
}

pub(super) fn refresh(edge: &Edge<'_>, client: &Value, token: &str) -> Reply {
    post(edge, "test", "token", client, &format!("grant_type=refresh_token&refresh_token={token}"))
}

pub(super) fn claims(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

pub(super) fn pass(edge: &Edge<'_>, path: &str, token: &str) -> u16 {
    gate(edge, &Call::get(format!("https://edge.example{path}")).bearer(token))
}

pub(super) fn manage(edge: &Edge<'_>, request: Call) -> Reply {
    call(edge, &request.bearer("operator")).0
}

/// What was done in the realm, the newest first: who, what, to what.
pub(super) fn deeds(world: &World, edge: &Edge<'_>) -> Vec<[String; 3]> {
    world.tell_all();
    let reply = manage(edge, Call::get("https://edge.example/test/api/v1/audit?limit=200"));
    let said: Value = serde_json::from_str(&reply.answer().body).unwrap();
    let said_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let deed = |event: &Value| {
        [said_of(&event["actor"]["login"]), said_of(&event["action"]), said_of(&event["target"]["id"])]
    };
    said["items"].as_array().unwrap().iter().map(deed).collect()
}

pub(super) fn user(edge: &Edge<'_>, body: &Value) -> Value {
    let reply = manage(edge, Call::json("https://edge.example/test/api/v1/users", body.to_string()));
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

/// A client's key.
pub(super) struct Key(SigningKey);

impl Key {
    pub(super) fn new(n: u8) -> Self {
        Self(SigningKey::from_slice(&[n; 32]).unwrap())
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        let mut jwk = serde_json::to_value(World::public_key(&self.0)).unwrap();
        jwk["kid"] = json!(kid);
        jwk
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.0.sign(input.as_bytes());
        format!("{input}.{}", base64url(&signature.to_bytes()))
    }
}
