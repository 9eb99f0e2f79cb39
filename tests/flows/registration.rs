//! Clients that register themselves (RFC 7591), manage themselves (RFC 7592), and prove themselves by a key (RFC 7523).

use serde_json::{Value, json};

use super::realm::Key;
use crate::fakes::{Call, Edge, INITIAL, Reply, World, call};

const CONFIG: &str = r#"{
    "realms": {
        "open": { "issuer": "https://edge.example/open", "registration": { "access": "open", "scopes": ["orders:read"] } },
        "invited": { "issuer": "https://edge.example/invited", "registration": {
            "access": "initial_access_token", "grant_types": ["client_credentials"], "scopes": ["orders:admin"] } },
        "closed": { "issuer": "https://edge.example/closed" }
    },
    "scopes": { "orders:read": { "description": "Read" }, "orders:admin": { "description": "All", "implies": ["orders:read"] } },
    "routes": []
}"#;

fn at(realm: &str) -> String {
    format!("https://edge.example/{realm}/oauth/register")
}

fn app() -> Value {
    json!({
        "client_name": "App",
        "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none",
        "logo_uri": "http://169.254.169.254/latest/meta-data",
        "software_id": "ignored",
    })
}

fn register(edge: &Edge<'_>, realm: &str, body: &Value) -> Reply {
    call(edge, &Call::json(at(realm), body.to_string())).0
}

fn told(reply: &Reply) -> Value {
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), member);
    value
}

#[test]
fn rfc7591_section_3_2_1_a_client_registers_itself_where_the_realm_lets_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let reply = register(&edge, "open", &app());
    assert_eq!((reply.status(), reply.answer().header("cache-control")), (201, Some("no-store")));
    let client = told(&reply);
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
    assert_eq!(client["response_types"], json!(["code"]));
    assert_eq!(
        client["registration_client_uri"],
        format!("{}/{}", at("open"), client["client_id"].as_str().unwrap())
    );
    assert!(client.get("client_secret").is_none() && client.get("logo_uri").is_none(), "{client}");
    assert!(world.asked_web.borrow().is_empty(), "nothing that it names is fetched");
    assert_eq!(register(&edge, "closed", &app()).status(), 404);
    assert_eq!(register(&edge, "invited", &app()).status(), 401);
    let invited =
        json!({ "client_name": "Job", "grant_types": ["client_credentials"], "scope": "orders:read" });
    let guarded = |token: &str| call(&edge, &Call::json(at("invited"), invited.to_string()).bearer(token)).0;
    assert_eq!(guarded("a-wrong-initial-access-token-of-these").status(), 401);
    let reply = guarded(INITIAL);
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    assert!(reply.member("client_secret").starts_with("tgs_"));
    let metadata = call(&edge, &Call::get("https://edge.example/open/.well-known/openid-configuration")).0;
    assert_eq!(told(&metadata)["registration_endpoint"], at("open"));
    let metadata = call(&edge, &Call::get("https://edge.example/closed/.well-known/openid-configuration")).0;
    assert!(told(&metadata).get("registration_endpoint").is_none());
}

#[test]
fn rfc7591_section_3_2_1_a_client_for_people_may_ask_them_for_more_later() {
    let world = World::new(
        r#"{
        "realms": { "open": { "issuer": "https://edge.example/open", "registration": {
            "access": "open", "scopes": ["orders:read", "orders:cancel", "secret"],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"] } } },
        "scopes": { "orders:read": { "description": "Read" }, "orders:cancel": { "description": "Cancel" },
            "secret": { "description": "Ours", "internal": true } },
        "routes": []
    }"#,
    );
    let edge = world.edge();
    let scope = |client: &Value| {
        let reply = register(&edge, "open", client);
        assert_eq!(reply.status(), 201, "{}", reply.answer().body);
        reply.member("scope")
    };
    let public = "orders:cancel orders:read";
    assert_eq!(scope(&with(app(), "scope", json!("orders:read"))), public);
    assert_eq!(scope(&app()), public, "whoever names none is no worse off");
    assert_eq!(scope(&with(app(), "scope", json!("secret"))), "orders:cancel orders:read secret");
    // What acts by itself is not asked about: it has what it asks for.
    let job = json!({ "client_name": "Job", "grant_types": ["client_credentials"], "scope": "orders:read" });
    assert_eq!(scope(&job), "orders:read");
    let both = json!(["authorization_code", "client_credentials"]);
    let both =
        with(with(app(), "grant_types", both), "token_endpoint_auth_method", json!("client_secret_basic"));
    assert_eq!(scope(&with(both, "scope", json!("orders:read"))), "orders:read");
}

#[test]
fn attack_66_what_a_client_may_not_ask_for() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for (name, member, code) in [
        ("client_name", json!(""), "invalid_client_metadata"),
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
        ("grant_types", json!(["refresh_token"]), "invalid_client_metadata"),
        ("grant_types", json!(["implicit"]), "invalid_client_metadata"),
        ("response_types", json!(["token"]), "invalid_client_metadata"),
        ("scope", json!("orders:admin"), "invalid_client_metadata"),
        ("scope", json!("unheard-of"), "invalid_client_metadata"),
        ("roles", json!(["owner"]), "invalid_client_metadata"),
        ("introspect", json!(true), "invalid_client_metadata"),
        ("expires_at", json!(1), "invalid_client_metadata"),
        ("access_token_seconds", json!(0), "invalid_client_metadata"),
        ("jwks_uri", json!("http://169.254.169.254/"), "invalid_client_metadata"),
        ("jwks", json!({ "keys": [] }), "invalid_client_metadata"),
        ("jwks", json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }), "invalid_client_metadata"),
        ("token_endpoint_auth_method", json!("private_key_jwt"), "invalid_client_metadata"),
        ("token_endpoint_auth_method", json!("client_secret_jwt"), "invalid_client_metadata"),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["https://app.example/cb#x"]), "invalid_redirect_uri"),
        ("redirect_uris", json!(["http://app.example/cb"]), "invalid_redirect_uri"),
    ] {
        let reply = register(&edge, "open", &with(app(), name, member.clone()));
        assert_eq!((reply.status(), reply.member("error").as_str()), (400, code), "{name} {member}");
    }
    for body in ["", "[]", "{", r#"{"client_name":"a","client_name":"b"}"#] {
        assert_eq!(call(&edge, &Call::json(at("open"), body)).0.status(), 400, "{body}");
    }
}

#[test]
fn rfc7592_a_client_manages_itself_with_its_own_token_only() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (mine, other) = (told(&register(&edge, "open", &app())), told(&register(&edge, "open", &app())));
    let place = mine["registration_client_uri"].as_str().unwrap();
    let token = mine["registration_access_token"].as_str().unwrap();
    for wrong in [other["registration_access_token"].as_str().unwrap(), "tgm_junk", INITIAL] {
        for request in [Call::get(place), Call::put(place, app().to_string()), Call::delete(place)] {
            assert_eq!(call(&edge, &request.bearer(wrong)).0.status(), 401);
        }
    }
    assert_eq!(call(&edge, &Call::get(place)).0.status(), 401);
    let seen = told(&call(&edge, &Call::get(place).bearer(token)).0);
    assert_eq!(seen["client_name"], "App");
    let change =
        with(with(app(), "client_id", mine["client_id"].clone()), "client_name", json!("Other name"));
    let reply = call(&edge, &Call::put(place, change.to_string()).bearer(token)).0;
    assert_eq!((reply.status(), reply.member("client_name").as_str()), (200, "Other name"));
    for (name, member) in [
        ("client_id", other["client_id"].clone()),
        ("client_secret", json!("mine")),
        ("scope", json!("orders:admin")),
        ("roles", json!(["owner"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        let reply =
            call(&edge, &Call::put(place, with(change.clone(), name, member).to_string()).bearer(token)).0;
        assert_eq!(reply.status(), 400, "{name}");
    }
    let seen = told(&call(&edge, &Call::get(place).bearer(token)).0);
    assert_eq!(seen["registration_access_token"], token, "RFC 7592 section 3");
    assert_eq!(call(&edge, &Call::delete(place).bearer(token)).0.status(), 204);
    assert_eq!(call(&edge, &Call::get(place).bearer(token)).0.status(), 401, "RFC 7592 section 2.3");
}

#[test]
fn what_somebody_else_has_decided_a_client_cannot_undo() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = told(&register(&edge, "open", &app()));
    let (place, token) = (
        mine["registration_client_uri"].as_str().unwrap(),
        mine["registration_access_token"].as_str().unwrap(),
    );
    let id = mine["client_id"].as_str().unwrap();
    let less = json!({ "client_name": "App", "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"], "redirect_uris": ["https://app.example/cb"] });
    let request = Call::put(format!("https://edge.example/open/api/v1/clients/{id}"), less.to_string())
        .bearer("operator");
    assert_eq!(call(&edge, &request).0.status(), 200);
    let change = with(app(), "client_id", mine["client_id"].clone());
    assert_eq!(call(&edge, &Call::put(place, change.to_string()).bearer(token)).0.status(), 401);
}

#[test]
fn attack_63_an_assertion_counts_once_and_is_the_clients_own() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, stranger) = (Key::new(1), Key::new(2));
    let body = json!({
        "client_name": "Job", "scope": "orders:read", "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk("k1")] },
    });
    let request =
        Call::json("https://edge.example/invited/api/v1/clients", body.to_string()).bearer("operator");
    let reply = call(&edge, &request).0;
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    let id = reply.member("client_id");
    let now = world.now().as_seconds();
    let header = json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" });
    let claims = |jti: &str| json!({ "iss": id, "sub": id, "aud": "https://edge.example/invited", "exp": now + 60, "iat": now, "jti": jti });
    let ask = |assertion: &str| {
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}"
        );
        call(&edge, &Call::form("https://edge.example/invited/oauth/token", form)).0.status()
    };
    let good = key.sign(&header, &claims("one"));
    assert_eq!((ask(&good), ask(&good)), (200, 401), "once");
    assert_eq!(ask(&key.sign(&header, &claims("two"))), 200);
    for (what, assertion) in [
        ("another key", stranger.sign(&header, &claims("three"))),
        ("another kid", key.sign(&json!({ "alg": "ES256", "kid": "k2" }), &claims("three"))),
        ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ("alg none", key.sign(&json!({ "alg": "none", "kid": "k1" }), &claims("three"))),
        (
            "another type",
            key.sign(&json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" }), &claims("three")),
        ),
        (
            "its own key",
            stranger.sign(&json!({ "alg": "ES256", "jwk": stranger.jwk("k1") }), &claims("three")),
        ),
        (
            "an array",
            key.sign(&header, &with(claims("three"), "aud", json!(["https://edge.example/invited"]))),
        ),
        (
            "another realm",
            key.sign(&header, &with(claims("three"), "aud", json!("https://edge.example/open"))),
        ),
        ("somebody else", key.sign(&header, &with(claims("three"), "iss", json!("other")))),
        ("too old", key.sign(&header, &with(claims("three"), "exp", json!(now - 31)))),
        ("too far", key.sign(&header, &with(claims("three"), "exp", json!(now + 3600)))),
    ] {
        assert!(matches!(ask(&assertion), 401 | 429), "{what}");
    }
    world.pass(tollgate::time::Lifetime::from_seconds(1000));
    let late = with(claims("four"), "exp", json!(now + 1060));
    assert_eq!(ask(&key.sign(&header, &late)), 200, "and the client still can");
    let secret = format!("grant_type=client_credentials&client_id={id}");
    assert_eq!(call(&edge, &Call::form("https://edge.example/invited/oauth/token", secret)).0.status(), 401);
}
