//! Routes that take bound tokens only, and tokens that are bound to certificates (RFC 8705 section 3).

use serde_json::{Value, json};
use tollgate::encoding::{Digest, hex};

use super::dpop::{HOST, gate, jkt, proof, shown};
use super::realm::Key;
use crate::fakes::{Call, Edge, Page, Reply, World, at_once, call};

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

fn certificate(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// The same token of an issuer whose keys are known, and an opaque one of an issuer that is asked.
fn bound_to(world: &World, issuer: &Key, cnf: &Value) -> [String; 2] {
    let mut told = claims(world, cnf);
    told["active"] = json!(true);
    told.as_object_mut().unwrap().remove("iss");
    world.web.borrow_mut().insert("https://asked.example/introspect".to_owned(), Page::ok(told.to_string()));
    [token(world, issuer, cnf), format!("opaque-{}", Digest::of(cnf.to_string().as_bytes()))]
}

#[test]
fn rfc8705_section_3_a_token_counts_over_a_connection_with_its_certificate() {
    let issuer = Key::new(9);
    let world = World::new(&config(&issuer));
    let edge = world.edge();
    let (its, another) = (certificate("its"), certificate("another"));
    for token in bound_to(&world, &issuer, &json!({ "x5t#S256": its.to_string() })) {
        // Twice: as it is read for the first time, and from memory.
        for _ in 0..2 {
            for (path, status) in [("/free", 200), ("/mtls", 200), ("/either", 200), ("/dpop", 401)] {
                let request = get(path, &token).with_certificate(its);
                assert!(at_once(&edge, &request).is_none(), "nobody has looked at the connection");
                assert_eq!(refused(&edge, &request).0, status, "{path}");
                for request in [get(path, &token), get(path, &token).with_certificate(another)] {
                    let (status, said) = refused(&edge, &request);
                    assert!(status == 401 && said.ends_with(r#"error="invalid_token""#), "{path}: {said}");
                    assert!(last_reason(&world).contains("refuse_unproven"));
                }
            }
        }
    }
    // One that is bound to nothing counts over such a connection as over any other, and nobody has to look at that.
    let bearer = token(&world, &issuer, &Value::Null);
    assert_eq!(refused(&edge, &get("/free", &bearer).with_certificate(its)).0, 200);
    assert!(matches!(at_once(&edge, &get("/free", &bearer)), Some(Reply::Forwarded { .. })));
    assert_eq!(refused(&edge, &get("/mtls", &bearer).with_certificate(its)).0, 401);
    assert!(last_reason(&world).contains("lack_binding"));
}

#[test]
fn rfc8705_no_header_says_which_certificate_a_connection_has() {
    let issuer = Key::new(9);
    let world = World::new(&config(&issuer));
    let edge = world.edge();
    let its = certificate("its");
    let print = hex(its.bytes());
    for token in bound_to(&world, &issuer, &json!({ "x5t#S256": its.to_string() })) {
        let request = [
            "cf-client-cert-sha256",
            "client-cert",
            "x-client-cert",
            "x-forwarded-client-cert",
            "x-ssl-client-fingerprint",
            "cf-blob",
            "mf-cf-blob",
        ]
        .into_iter()
        .fold(get("/free", &token), |request, name| {
            request.header(name, format!(r#"{{"tlsClientAuth":{{"certPresented":"1","certVerified":"SUCCESS","certRevoked":"0","certFingerprintSHA256":"{print}"}}}}"#))
        });
        assert_eq!(refused(&edge, &request).0, 401);
        // Nor does a proxy know, which has ended the connection itself: that of its question is its own.
        let check = Call::get(format!("{HOST}/_tollgate/check"))
            .header("x-original-method", "GET")
            .header("x-original-uri", "/free")
            .header("x-original-host", "edge.example")
            .bearer(&token)
            .with_certificate(its);
        assert_eq!(refused(&edge, &check).0, 401);
        assert!(last_reason(&world).contains("refuse_unproven"));
    }
}

#[test]
fn rfc8705_and_rfc9449_what_is_bound_to_both_needs_both() {
    let (issuer, key, thief) = (Key::new(9), Key::new(1), Key::new(2));
    let world = World::new(&config(&issuer));
    let edge = world.edge();
    let (its, another) = (certificate("its"), certificate("another"));
    for token in bound_to(&world, &issuer, &json!({ "x5t#S256": its.to_string(), "jkt": jkt(&key) })) {
        let with = |key: &Key, certificate: Option<Digest>, path: &str| {
            let url = format!("{HOST}{path}");
            let proof = proof(&world, key, ("GET", &url), Some(&token), &json!({}));
            let request = shown(&token, &proof, path);
            refused(&edge, &certificate.into_iter().fold(request, Call::with_certificate))
        };
        for path in ["/free", "/dpop", "/mtls", "/either"] {
            assert_eq!(with(&key, Some(its), path).0, 200, "{path}");
            for (key, certificate) in [(&key, Some(another)), (&key, None), (&thief, Some(its))] {
                assert_eq!(with(key, certificate, path).0, 401, "{path}");
            }
            assert_eq!(refused(&edge, &get(path, &token).with_certificate(its)).0, 401, "{path}");
        }
    }
    // One that is bound to the certificate alone is none of DPoP.
    for token in bound_to(&world, &issuer, &json!({ "x5t#S256": its.to_string() })) {
        let proof = proof(&world, &key, ("GET", &format!("{HOST}/free")), Some(&token), &json!({}));
        assert_eq!(refused(&edge, &shown(&token, &proof, "/free").with_certificate(its)).0, 401);
        assert!(last_reason(&world).contains("refuse_unbound"));
    }
}
