//! The lines of the log: what each says, and what none says.

use serde_json::{Value, json};

use super::realm::{self, claims, client, pass, seconds, text, tokens};
use super::{CONFIG, gate};
use crate::fakes::{Call, Page, World, at_once, call};

fn last(world: &World) -> Value {
    serde_json::from_str(world.log.borrow().last().unwrap()).unwrap()
}

#[test]
fn a_request_that_passes_says_whose_token_client_and_principal_and_never_the_subject() {
    let world = World::new(realm::CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let token = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let token = text(&token, "access_token");
    assert_eq!(pass(&edge, "/orders/1", token), 200);
    let line = last(&world);
    let known = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (known("decision"), known("target"), known("issuer")),
        ("allow".into(), "orders".into(), "test".into())
    );
    assert_eq!(known("client"), text(&client, "client_id"));
    // The locator of the session's principal, as `sid` has it.
    let principal = known("principal");
    assert_eq!(principal.len(), 43);
    assert!(text(&claims(token), "sid").starts_with(&principal[..42]));
    let request = Call::get("https://edge.example/orders/1").bearer(token);
    assert_eq!(at_once(&edge, &request).unwrap().status(), 200);
    let mut fast = last(&world);
    fast["request_id"] = line["request_id"].clone();
    assert_eq!(fast, line, "at once as well");
    assert!(line.get("ms").is_none(), "nothing was waited for");
    let secret = text(&client, "client_secret");
    assert!(!world.log.borrow().iter().any(|line| line.contains(token) || line.contains(secret)));
}

#[test]
fn an_endpoint_says_its_realm_and_how_long_was_waited() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let form =
        Call::form("https://edge.example/test/oauth/token", "grant_type=client_credentials&client_id=nobody");
    let reply = call(&edge, &form.slow(seconds(2))).0;
    let line = last(&world);
    assert_eq!(
        (&line["target"], &line["issuer"], &line["ms"], &line["status"]),
        (&json!("token"), &json!("test"), &json!(2000), &json!(reply.status()))
    );
}

#[test]
fn how_long_keys_were_waited_for_is_told_apart() {
    const ISSUER: &str = r#"{ "issuer": "https://keys.example", "audiences": ["https://edge.example"], "jwks_uri": "https://keys.example/jwks" }"#;
    let config = CONFIG.replacen(r#""issuers": [ {"#, &format!(r#""issuers": [ {ISSUER}, {{"#), 1);
    let config = config.replacen(r#"["test", "sandbox"]"#, r#"["test", "https://keys.example"]"#, 1);
    let world = World::new(&config);
    let edge = world.edge();
    world.web.borrow_mut().insert("https://keys.example/jwks".to_owned(), Page::ok(r#"{"keys":[]}"#));
    world.slowness.set(seconds(1));
    let part = |text: &str| tollgate::encoding::base64url(text.as_bytes());
    let now = world.now().as_seconds();
    let header = part(r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#);
    let body = part(&format!(
        r#"{{"iss":"https://keys.example","sub":"s","client_id":"c","jti":"j","aud":"https://edge.example","iat":{now},"exp":{}}}"#,
        now + 60
    ));
    let token = format!("{header}.{body}.{}", part("signature"));
    assert_eq!(gate(&edge, &Call::get("https://edge.example/any").bearer(&token)), 401);
    assert_eq!(last(&world)["reason"], json!("unknown_key"));
    assert!(world.waited_for_keys.get() >= seconds(1));
    assert!(last(&world)["ms"].as_u64().unwrap() >= 1000);
}
