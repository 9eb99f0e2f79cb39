//! Authorization codes (RFC 6749 section 4.1), through the endpoints.

use serde_json::{Value, json};
use tollgate::encoding::Digest;
use tollgate::grant::{Code, SignInMethod};
use tollgate::port::Principals as _;
use tollgate::principal::{Answer, Question};
use tollgate::secret::Credential;
use tollgate::time::Timestamp;

use super::realm::*;
use crate::fakes::{Call, Edge, Reply, World, run};

fn verifier() -> String {
    "v".repeat(43)
}

/// Ada's `n`th code for `app`, of her sign-in at `auth_time`.
fn issue(world: &World, app: &Value, n: u8, auth_time: Timestamp) -> String {
    let locator = world.place_of(&"test".parse().unwrap(), &"ada".parse().unwrap()).unwrap();
    let code = Credential::code(locator, &[n; 32]);
    let record = Code {
        client_id: text(app, "client_id").parse().unwrap(),
        redirect_uri: "https://app.example/cb".to_owned(),
        challenge: Digest::of(verifier().as_bytes()),
        scope: "openid orders:read".parse().unwrap(),
        resources: vec![],
        nonce: Some("n-1".to_owned()),
        auth_time,
        method: SignInMethod::Password,
        issued_at: auth_time,
        expires_at: world.now().after(seconds(60)),
        redeemed: None,
        key: None,
        browser: None,
        origin: None,
        tells: false,
    };
    let question = Question::IssueCode { digest: code.digest(), code: Box::new(record) };
    assert_eq!(run(world.ask(locator, &question)).unwrap(), Answer::Done);
    code.reveal().to_owned()
}

fn redeem(edge: &Edge<'_>, app: &Value, code: &str) -> Reply {
    let verifier = verifier();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https://app.example/cb&code_verifier={verifier}"
    );
    post(edge, "test", "token", app, &form)
}

#[test]
fn attack_61_a_code_is_redeemed_once_by_its_client_with_its_verifier() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example/cb"] }),
    );
    let ada = user(&edge, &json!({ "login": "ada", "roles": ["owner"] }));
    let verifier = verifier();
    let issue = |n: u8| issue(&world, &app, n, world.now());
    let redeem = |code: &str, grant: &str, uri: &str, verifier: &str| {
        let form = format!("grant_type={grant}&code={code}&redirect_uri={uri}&code_verifier={verifier}");
        post(&edge, "test", "token", &app, &form)
    };
    let (uri, code) = ("https://app.example/cb", issue(1));
    for (uri, verifier) in
        [("https://app.example/other", verifier.as_str()), (uri, ""), (uri, &"w".repeat(43))]
    {
        assert_eq!(
            error(&redeem(&code, "authorization_code", uri, verifier)),
            (400, "invalid_grant".to_owned())
        );
    }
    let reply = redeem(&code, "code", uri, &verifier);
    let granted: Value = serde_json::from_str(&reply.answer().body).unwrap();
    let said = claims(text(&granted, "id_token"));
    assert_eq!((&said["nonce"], &said["sub"]), (&json!("n-1"), &ada["id"]));
    assert_eq!(said["auth_time"], world.now().as_seconds());
    assert_eq!(claims(text(&granted, "access_token"))["roles"], json!(["owner"]));
    assert_eq!(
        error(&redeem(&code, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        200,
        "requests that race end nothing"
    );
    world.pass(seconds(11));
    assert_eq!(
        error(&redeem(&code, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        401,
        "what it issued is over"
    );
    assert_eq!(
        error(&refresh(&edge, &app, text(&granted, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    let late = issue(2);
    world.pass(seconds(61));
    assert_eq!(
        error(&redeem(&late, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
}

#[test]
fn a_code_from_before_another_secret_of_its_client_is_over_and_one_from_after_it_is_not() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["authorization_code"], "redirect_uris": ["https://app.example/cb"] }),
    );
    user(&edge, &json!({ "login": "ada" }));
    let signed_in = world.now();
    let before = issue(&world, &app, 1, signed_in);
    world.pass(seconds(1));
    let at = format!("https://edge.example/test/api/v1/clients/{}/secret", text(&app, "client_id"));
    let app: Value = serde_json::from_str(&manage(&edge, Call::json(at, "")).answer().body).unwrap();
    world.pass(seconds(1));
    assert_eq!(error(&redeem(&edge, &app, &before)), (400, "invalid_grant".to_owned()));
    // Ada is still signed in from before: that is hers, not the client's.
    assert_eq!(redeem(&edge, &app, &issue(&world, &app, 2, signed_in)).status(), 200);
}

#[test]
fn attack_61_a_code_that_leaks_after_its_first_tokens_are_over_ends_what_it_issued_all_the_same() {
    let world = World::new(&CONFIG.replace(r#""idle_seconds": 60, "grain_seconds": 15,"#, ""));
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({
            "grant_types": ["authorization_code", "refresh_token"], "redirect_uris": ["https://app.example/cb"],
            "access_token_seconds": 100, "refresh_token_seconds": 200,
        }),
    );
    user(&edge, &json!({ "login": "ada" }));
    let code = issue(&world, &app, 1, world.now());
    let mut token = redeem(&edge, &app, &code).member("refresh_token");
    for _ in 0..2 {
        world.pass(seconds(190));
        world.clear();
        token = refresh(&edge, &app, &token).member("refresh_token");
    }
    assert_eq!(error(&redeem(&edge, &app, &code)), (400, "invalid_grant".to_owned()));
    assert_eq!(error(&refresh(&edge, &app, &token)), (400, "invalid_grant".to_owned()));
}
