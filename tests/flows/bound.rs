//! Routes that take bound tokens only, and tokens that are bound to certificates (RFC 8705 section 3).

use serde_json::{Value, json};

use super::dpop::{HOST, gate, jkt};
use super::realm::Key;
use crate::fakes::{Call, Edge, Reply, World, call};

/// An issuer whose keys are known, and a route for each kind of binding.
fn config(issuer: &Key) -> String {
    let key = issuer.jwk("k1");
    let route = |id: &str, require: &str| {
        format!(
            r#"{{ "id": "{id}", "methods": ["GET"], "path": "/{id}", "host": "edge.example", "require": {{ {require} }}, "to": {{ "service": "ORIGIN" }} }}"#
        )
    };
    let routes = [
        ("free", ""),
        ("dpop", r#""proof": "dpop""#),
        ("mtls", r#""proof": "mtls""#),
        ("either", r#""proof": "any""#),
    ]
    .map(|(id, require)| route(id, require))
    .join(", ");
    format!(
        r#"{{
        "issuers": [
            {{ "issuer": "https://accounts.example.com", "audiences": ["https://api.example"], "jwks": {{ "keys": [{key}] }} }},
            {{ "issuer": "https://asked.example", "audiences": ["https://api.example"],
               "introspection": {{ "endpoint": "https://asked.example/introspect", "client_id": "me", "client_secret_name": "INTROSPECTION_SECRET" }} }}
        ],
        "resources": [ {{ "resource": "https://edge.example/dpop" }}, {{ "resource": "https://edge.example/mtls" }}, {{ "resource": "https://edge.example" }} ],
        "routes": [ {routes} ]
    }}"#
    )
}

fn claims(world: &World, cnf: &Value) -> Value {
    let now = world.now().as_seconds();
    let mut said = json!({ "iss": "https://accounts.example.com", "sub": "s", "aud": "https://api.example", "client_id": "c",
        "jti": "j", "iat": now, "exp": now + 600 });
    if !cnf.is_null() {
        said["cnf"] = cnf.clone();
    }
    said
}

fn token(world: &World, issuer: &Key, cnf: &Value) -> String {
    issuer.sign(&json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" }), &claims(world, cnf))
}

fn get(path: &str, token: &str) -> Call {
    Call::get(format!("{HOST}{path}")).bearer(token)
}

/// The status and the challenge, without what it says of the resource.
fn said(reply: &Reply) -> (u16, String) {
    let Reply::Answered(answer) = reply else { return (200, String::new()) };
    let said = answer.header("www-authenticate").unwrap_or_default();
    let said = said.split(", resource_metadata=").next().unwrap();
    let algs = "algs=\"EdDSA ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512\"";
    (answer.status, said.replace(algs, "algs"))
}

fn refused(edge: &Edge<'_>, request: &Call) -> (u16, String) {
    said(&call(edge, request).0)
}

fn last_reason(world: &World) -> String {
    world.log.borrow().last().unwrap().clone()
}

#[test]
fn a_route_takes_bound_tokens_only_where_it_says_so() {
    let (issuer, key) = (Key::new(9), Key::new(1));
    let world = World::new(&config(&issuer));
    let edge = world.edge();
    let bearer = token(&world, &issuer, &Value::Null);
    let bound = token(&world, &issuer, &json!({ "jkt": jkt(&key) }));
    assert_eq!(refused(&edge, &get("/free", &bearer)).0, 200);
    for (path, want) in [
        ("/dpop", r#"DPoP algs, error="invalid_token""#),
        ("/mtls", r#"Bearer error="invalid_token""#),
        ("/either", r#"DPoP algs, error="invalid_token""#),
    ] {
        assert_eq!(refused(&edge, &get(path, &bearer)), (401, want.to_owned()), "{path}");
        assert!(last_reason(&world).contains("lack_binding"), "{}", last_reason(&world));
    }
    for (path, status) in [("/free", 200), ("/dpop", 200), ("/either", 200), ("/mtls", 401)] {
        assert_eq!(gate(&edge, &key, &bound, path, &json!({})).0.status(), status, "{path}");
    }
    assert!(last_reason(&world).contains("lack_binding"));
    // RFC 9449 section 7.1: whoever has no token hears which one.
    let none = |path: &str| refused(&edge, &Call::get(format!("{HOST}{path}"))).1;
    assert_eq!(none("/dpop"), r#"DPoP algs, realm="tollgate""#);
    assert_eq!(none("/mtls"), r#"Bearer realm="tollgate""#);
    assert_eq!(none("/either"), r#"Bearer realm="tollgate""#);
    // And one that is bound, and comes without its proof, is refused before that.
    assert_eq!(
        refused(&edge, &get("/dpop", &bound)),
        (401, r#"DPoP algs, error="invalid_token""#.to_owned())
    );
    assert!(last_reason(&world).contains("refuse_unproven"));
    let check = |path: &str| {
        let request = Call::get(format!("{HOST}/_tollgate/check"))
            .header("x-original-method", "GET")
            .header("x-original-uri", path)
            .header("x-original-host", "edge.example")
            .bearer(&bearer);
        refused(&edge, &request)
    };
    assert_eq!(check("/free").0, 200);
    assert_eq!(check("/dpop"), (401, r#"DPoP algs, error="invalid_token""#.to_owned()));
}

#[test]
fn what_is_refused_for_its_binding_uses_no_proof_up() {
    let (issuer, key) = (Key::new(9), Key::new(1));
    let world = World::new(&config(&issuer));
    let edge = world.edge();
    let bound = token(&world, &issuer, &json!({ "jkt": jkt(&key) }));
    let asked = world.asked_principals.get();
    assert_eq!(gate(&edge, &key, &bound, "/mtls", &json!({})).0.status(), 401);
    assert_eq!(world.asked_principals.get(), asked);
}

#[test]
fn rfc9728_section_2_a_resource_says_that_it_takes_bound_tokens_only() {
    let world = World::new(&config(&Key::new(9)));
    let edge = world.edge();
    let says = |path: &str| -> Value {
        let at = format!("{HOST}/.well-known/oauth-protected-resource{path}");
        let document: Value = serde_json::from_str(&call(&edge, &Call::get(at)).0.answer().body).unwrap();
        json!([
            document["dpop_bound_access_tokens_required"],
            document["tls_client_certificate_bound_access_tokens"]
        ])
    };
    assert_eq!(says("/dpop"), json!([true, null]));
    assert_eq!(says("/mtls"), json!([null, true]));
    assert_eq!(says(""), json!([null, null]), "not every route of it");
}
