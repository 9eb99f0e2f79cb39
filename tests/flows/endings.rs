//! What ends what a client was granted: another secret, another key, its own end, its deletion.

use serde_json::{Value, json};

use super::realm::*;
use crate::fakes::{Broken, Call, Edge, World, call};

#[test]
fn two_secrets_overlap_as_long_as_was_chosen() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let first = client(&edge, "test", &json!({}));
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&first, "client_id"));
    let another = |overlap: u64| -> Value {
        let body = json!({ "overlap_seconds": overlap }).to_string();
        let reply = manage(&edge, Call::json(format!("{at}/secret"), body));
        assert_eq!(reply.status(), 200, "{}", reply.answer().body);
        serde_json::from_str(&reply.answer().body).unwrap()
    };
    let works =
        |client: &Value| post(&edge, "test", "token", client, "grant_type=client_credentials").status();
    let granted = tokens(&edge, "test", &first, "grant_type=client_credentials");
    let second = another(3600);
    assert_eq!((works(&first), works(&second)), (200, 200), "both");
    assert_eq!(pass(&edge, "/orders/1", text(&granted, "access_token")), 200, "nothing ends");
    let third = another(3600);
    assert_eq!((works(&first), works(&second), works(&third)), (401, 200, 200), "two at most");
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at.clone())).answer().body).unwrap();
    assert_eq!(seen["secrets"].as_array().unwrap().len(), 2, "{seen}");
    assert!(
        seen["secrets"][0]["last_used_at"].is_u64() && seen["secrets"][1]["expires_at"].is_u64(),
        "{seen}"
    );
    world.pass(seconds(3600));
    assert_eq!((works(&second), works(&third)), (401, 200), "the overlap is over");
    let granted = tokens(&edge, "test", &third, "grant_type=client_credentials");
    let fourth = another(0);
    assert_eq!((works(&third), works(&fourth)), (401, 200));
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        401,
        "what it opened is over"
    );
}

#[test]
fn a_client_has_limits_and_an_end() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let now = world.now().as_seconds();
    let more = json!({ "expires_at": now + 100, "access_token_seconds": 30, "grant_types": ["client_credentials"], "roles": ["owner"] });
    let mine = client(&edge, "test", &more);
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["expires_in"], 30);
    assert_eq!(claims(text(&granted, "access_token"))["roles"], json!(["owner"]));
    world.pass(seconds(100));
    let reply = post(&edge, "test", "token", &mine, "grant_type=client_credentials");
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at.clone())).status(), 204);
    assert_eq!(manage(&edge, Call::get(at)).status(), 404);
}

#[test]
fn deleting_a_client_ends_its_sessions() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 200);
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at)).status(), 204);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    assert_eq!(
        error(&refresh(&edge, &mine, text(&granted, "refresh_token"))),
        (401, "invalid_client".to_owned())
    );
}

#[test]
fn what_a_client_may_not_have_any_more_is_not_in_the_next_token() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["scope"], "openid orders:admin");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let less = json!({ "client_name": "Test", "scope": "orders:read", "grant_types": ["client_credentials", "refresh_token"] });
    assert_eq!(manage(&edge, Call::put(at.clone(), less.to_string())).status(), 200);
    let token = text(&granted, "refresh_token");
    let asked = post(
        &edge,
        "test",
        "token",
        &mine,
        &format!("grant_type=refresh_token&refresh_token={token}&scope=openid"),
    );
    assert_eq!(error(&asked), (400, "invalid_scope".to_owned()));
    let next: Value = serde_json::from_str(&refresh(&edge, &mine, token).answer().body).unwrap();
    assert!(next.get("scope").is_none(), "it has what it was granted and still may: {next}");
    // Nor does it get a refresh token any more, whatever an old copy of its record says.
    let none = json!({ "client_name": "Test", "scope": "orders:read", "access_token_seconds": 30 });
    assert_eq!(manage(&edge, Call::put(at, none.to_string())).status(), 200);
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!((granted.get("refresh_token"), &granted["expires_in"]), (None, &json!(30)));
}

#[test]
fn another_secret_ends_what_the_client_was_granted_elsewhere() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(&edge, "test", &json!({ "grant_types": ["password", "refresh_token"] }));
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let granted = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    let at = format!("https://edge.example/test/api/v1/clients/{}/secret", text(&app, "client_id"));
    let app: Value = serde_json::from_str(&manage(&edge, Call::json(at, "")).answer().body).unwrap();
    for name in ["access_token", "refresh_token"] {
        let form = format!("token={}", text(&granted, name));
        assert_eq!(
            post(&edge, "test", "introspect", &app, &form).answer().body,
            r#"{"active":false}"#,
            "{name}"
        );
    }
    assert_eq!(
        error(&refresh(&edge, &app, text(&granted, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    world.pass(seconds(1));
    let fresh = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    assert_eq!(refresh(&edge, &app, text(&fresh, "refresh_token")).status(), 200);
}

#[test]
fn an_end_that_comes_ends_sessions() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let end = world.now().as_seconds() + 40;
    let mine = client(&edge, "test", &json!({ "expires_at": end }));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["expires_in"], 40, "no longer than the client");
    world.pass(seconds(40));
    let form = format!("token={}", text(&granted, "access_token"));
    let other = client(&edge, "test", &json!({ "introspect": true }));
    assert_eq!(post(&edge, "test", "introspect", &other, &form).answer().body, r#"{"active":false}"#);
}

#[test]
fn many_endings_are_one_cut_off_of_their_client() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "cut", &json!({}));
    let first = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    for _ in 0..1_003 {
        let granted = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
        let form = format!("token={}", text(&granted, "refresh_token"));
        assert_eq!(post(&edge, "cut", "revoke", &mine, &form).status(), 200);
    }
    let longest = world.stored().iter().map(String::len).max().unwrap();
    assert!(longest < 100_000, "{longest}");
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&first, "access_token")),
        401,
        "rather too many than too few"
    );
}

#[test]
fn attack_74_cut_offs_reach_edges_that_ask_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "cut", &json!({}));
    let granted = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    let (access, far) = (text(&granted, "access_token"), world.edge());
    assert_eq!(pass(&far, "/orders/1", access), 200);
    let asked = world.asked_principals.get();
    for _ in 0..10 {
        assert_eq!(pass(&far, "/orders/1", access), 200);
    }
    assert_eq!(world.asked_principals.get(), asked, "no principal is asked");
    assert_eq!(post(&edge, "cut", "revoke", &mine, &format!("token={access}")).status(), 200);
    assert_eq!(pass(&far, "/orders/1", access), 200, "remembered");
    world.pass(seconds(31));
    assert_eq!(pass(&far, "/orders/1", access), 401);
    assert_eq!(pass(&world.edge(), "/orders/1", access), 401);
    // Another secret kills every token before it, and none after it.
    let before = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    let at = format!("https://edge.example/cut/api/v1/clients/{}/secret", text(&mine, "client_id"));
    let mine: Value = serde_json::from_str(&manage(&edge, Call::json(at, "")).answer().body).unwrap();
    let after = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    assert_eq!(pass(&world.edge(), "/orders/1", text(&before, "access_token")), 401);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&after, "access_token")), 200, "of the same second");
    world.broken.set(Some(Broken::Kv));
    assert_eq!(pass(&world.edge(), "/orders/1", text(&after, "access_token")), 503, "nobody knows");
}

#[test]
fn attack_74_a_key_that_is_taken_away_ends_its_sessions_and_its_successor_counts_at_every_edge() {
    let world = World::new(CONFIG);
    let (edge, far) = (world.edge(), world.edge());
    let (old, new) = (Key::new(1), Key::new(2));
    let with = |key: &Key| json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk("k1")] } });
    let mine = client(&edge, "test", &with(&old));
    let id = text(&mine, "client_id");
    let ask = |edge: &Edge<'_>, key: &Key, jti: &str, form: &str| {
        let header = json!({ "alg": "ES256", "kid": "k1" });
        let claims = json!({
            "iss": id, "sub": id, "aud": "https://edge.example/test", "exp": world.now().as_seconds() + 60, "jti": jti,
        });
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let assertion = key.sign(&header, &claims);
        let form = format!("client_assertion_type={kind}&client_assertion={assertion}&{form}");
        call(edge, &Call::form("https://edge.example/test/oauth/token", form)).0
    };
    let (grant, refresh) = ("grant_type=client_credentials", "grant_type=refresh_token&refresh_token=");
    let granted = ask(&far, &old, "1", grant);
    assert_eq!(pass(&far, "/orders/1", &granted.member("access_token")), 200);
    let mut other = with(&new);
    other.as_object_mut().unwrap().extend(
        json!({ "client_name": "Test", "scope": "orders:admin openid", "grant_types": ["client_credentials", "refresh_token"] })
            .as_object()
            .unwrap()
            .clone(),
    );
    let at = format!("https://edge.example/test/api/v1/clients/{id}");
    assert_eq!(manage(&edge, Call::put(at, other.to_string())).status(), 200);
    world.pass(seconds(6));
    assert_eq!(pass(&world.edge(), "/orders/1", &granted.member("access_token")), 401);
    assert_eq!(error(&ask(&far, &old, "2", grant)), (401, "invalid_client".to_owned()));
    let token = granted.member("refresh_token");
    assert_eq!(
        error(&ask(&far, &new, "3", &format!("{refresh}{token}"))),
        (400, "invalid_grant".to_owned()),
        "the far edge has read the new key, and the session is over"
    );
    assert_eq!(ask(&far, &new, "4", grant).status(), 200);
}

#[test]
fn a_client_that_is_given_an_end_gets_nothing_that_lasts_longer() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let end = world.now().as_seconds() + 40;
    let less = json!({
        "client_name": "Test", "scope": "orders:admin openid", "grant_types": ["client_credentials", "refresh_token"], "expires_at": end,
    });
    assert_eq!(manage(&edge, Call::put(at, less.to_string())).status(), 200);
    let next: Value =
        serde_json::from_str(&refresh(&edge, &mine, text(&granted, "refresh_token")).answer().body).unwrap();
    assert_eq!(next["expires_in"], 40);
    let form = format!("token={}", text(&next, "refresh_token"));
    let told: Value =
        serde_json::from_str(&post(&edge, "test", "introspect", &mine, &form).answer().body).unwrap();
    assert_eq!(told["exp"], end);
}

#[test]
fn a_refresh_token_that_its_client_may_not_use_any_more_does_not_count() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let form = format!("token={}", text(&granted, "refresh_token"));
    let told = |scope: &str, grants: &Value| -> Value {
        let body = json!({ "client_name": "Test", "scope": scope, "grant_types": grants });
        assert_eq!(manage(&edge, Call::put(at.clone(), body.to_string())).status(), 200);
        serde_json::from_str(&post(&edge, "test", "introspect", &mine, &form).answer().body).unwrap()
    };
    let both = json!(["client_credentials", "refresh_token"]);
    assert_eq!(told("orders:admin openid", &both)["scope"], "openid orders:admin");
    assert_eq!(told("openid", &both)["scope"], "openid", "what a refresh would give");
    assert_eq!(told("openid", &json!(["client_credentials"])), json!({ "active": false }));
}

#[test]
fn nothing_is_kept_of_the_last_client_of_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "cut", &json!({}));
    tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    let at = format!("https://edge.example/cut/api/v1/clients/{}", text(&mine, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at)).status(), 204);
    let rows = || world.stored().iter().filter(|row| row.contains(r#""published""#)).count();
    world.clear();
    assert_eq!(rows(), 1, "the cut-off, while a token may live");
    world.pass(seconds(86_400 + 601));
    world.clear();
    assert_eq!(rows(), 0);
}
