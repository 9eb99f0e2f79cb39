//! Refresh tokens, revocation, introspection, passwords, resources and usage: through the endpoints.

use serde_json::{Value, json};
use tollgate::secret::Credential;

use super::realm::*;
use crate::fakes::{Broken, Call, World, call, finish, wait_for};

#[test]
fn attack_62_a_refresh_token_has_one_successor_and_reuse_ends_the_family() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let first = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let old = text(&first, "refresh_token");
    let second = refresh(&edge, &client, old).member("refresh_token");
    assert_ne!(second, old);
    world.pass(seconds(9));
    assert_eq!(refresh(&edge, &client, old).member("refresh_token"), second, "within the grace: the same");
    world.pass(seconds(2));
    let live = refresh(&edge, &client, &second).member("refresh_token");
    assert_eq!(error(&refresh(&edge, &client, old)), (400, "invalid_grant".to_owned()), "reuse");
    assert_eq!(
        error(&refresh(&edge, &client, &live)),
        (400, "invalid_grant".to_owned()),
        "the family is over"
    );
    assert_eq!(pass(&world.edge(), "/orders/1", text(&first, "access_token")), 401);
}

#[test]
fn attack_62_a_spent_token_whose_successor_was_used_is_late_and_ends_nothing() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let first = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let old = text(&first, "refresh_token");
    let second = refresh(&edge, &client, old).member("refresh_token");
    let third = refresh(&edge, &client, &second).member("refresh_token");
    assert_eq!(error(&refresh(&edge, &client, old)), (400, "invalid_grant".to_owned()));
    assert_eq!(refresh(&edge, &client, &third).status(), 200, "requests that race end nothing");
}

#[test]
fn attack_62_a_refresh_token_is_its_clients_and_only_narrows() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let other = client(&edge, "test", &json!({}));
    let asked = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=orders:read");
    let token = text(&asked, "refresh_token");
    let with = |client: &Value, more: &str| {
        post(&edge, "test", "token", client, &format!("grant_type=refresh_token&refresh_token={token}{more}"))
    };
    assert_eq!(error(&with(&other, "")), (400, "invalid_grant".to_owned()));
    assert_eq!(error(&with(&mine, "&scope=orders:admin")), (400, "invalid_scope".to_owned()));
    assert_eq!(error(&with(&mine, "&resource=https://evil.example")), (400, "invalid_target".to_owned()));
    let reply = with(&mine, "");
    assert_eq!(reply.status(), 200, "none of these has spent it: {}", reply.answer().body);
    assert_eq!(reply.member("scope"), "orders:read");
    for junk in ["", "tgr_junk", &token[..token.len() - 1], &token.replace("tgr_", "tgs_")] {
        let reply =
            post(&edge, "test", "token", &mine, &format!("grant_type=refresh_token&refresh_token={junk}"));
        assert_eq!(reply.status(), 400, "{junk}");
    }
}

#[test]
fn attack_62_and_69_a_token_that_names_a_place_of_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let made_up = Credential::refresh_token([7; 32].into(), &[7; 32]);
    assert_eq!(error(&refresh(&edge, &client, made_up.reveal())), (400, "invalid_grant".to_owned()));
    let form = format!("token={}", made_up.reveal());
    assert_eq!(post(&edge, "test", "revoke", &client, &form).status(), 200);
    assert_eq!(post(&edge, "test", "introspect", &client, &form).answer().body, r#"{"active":false}"#);
}

#[test]
fn limits_slide_and_have_an_end() {
    let config = CONFIG.replace(
        r#""idle_seconds": 60, "grain_seconds": 15,"#,
        r#""access_token_seconds": 100, "refresh_token_seconds": 1000, "session_seconds": 2500,"#,
    );
    let world = World::new(&config);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let mut token =
        text(&tokens(&edge, "test", &client, "grant_type=client_credentials"), "refresh_token").to_owned();
    for at in [900, 1800] {
        world.pass(seconds(900));
        token = refresh(&edge, &client, &token).member("refresh_token");
        assert!(at < 2500);
    }
    world.pass(seconds(650));
    let last = refresh(&edge, &client, &token);
    let body: Value = serde_json::from_str(&last.answer().body).unwrap();
    assert_eq!(body["expires_in"], 50, "no longer than its session");
    world.pass(seconds(51));
    assert_eq!(
        error(&refresh(&edge, &client, text(&body, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    world.clear();
    assert_eq!(error(&refresh(&edge, &client, &token)), (400, "invalid_grant".to_owned()), "and so it stays");
}

#[test]
fn a_session_is_kept_as_long_as_any_of_its_tokens() {
    let world = World::new(&CONFIG.replace(r#""idle_seconds": 60, "grain_seconds": 15,"#, ""));
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({ "access_token_seconds": 3000, "refresh_token_seconds": 600 }));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    world.pass(seconds(590));
    let next = refresh(&edge, &mine, text(&granted, "refresh_token"));
    world.pass(seconds(2_995));
    world.clear();
    assert_eq!(
        pass(&world.edge(), "/orders/1", &next.member("access_token")),
        200,
        "a token that lives longer"
    );
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    world.pass(seconds(70));
    world.clear();
    let kept = world.stored().iter().filter(|row| row.contains(r#""needed_until""#)).count();
    assert_eq!(kept, 0, "and no longer");
}

#[test]
fn rfc7009_revocation_ends_the_session_of_either_token() {
    for hint in ["access_token", "refresh_token"] {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let client = client(&edge, "test", &json!({}));
        let granted = tokens(&edge, "test", &client, "grant_type=client_credentials");
        let (access, token) = (text(&granted, "access_token"), text(&granted, "refresh_token"));
        let revoke = format!("token={}&token_type_hint=nonsense", text(&granted, hint));
        for _ in 0..2 {
            let reply = post(&edge, "test", "revoke", &client, &revoke);
            assert_eq!((reply.status(), reply.answer().body.as_str()), (200, ""), "{hint}");
        }
        assert_eq!(pass(&world.edge(), "/orders/1", access), 401, "{hint}");
        assert_eq!(error(&refresh(&edge, &client, token)), (400, "invalid_grant".to_owned()), "{hint}");
        for unknown in ["token=junk", "token=a.b.c", "token=tgr_junk"] {
            assert_eq!(post(&edge, "test", "revoke", &client, unknown).status(), 200, "{unknown}");
        }
        assert_eq!(
            error(&post(&edge, "test", "revoke", &client, "x=y")),
            (400, "invalid_request".to_owned())
        );
    }
}

#[test]
fn attack_69_another_clients_token_is_neither_revoked_nor_described() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (owner, stranger) = (client(&edge, "test", &json!({})), client(&edge, "test", &json!({})));
    let server = client(&edge, "test", &json!({ "introspect": true }));
    let granted = tokens(&edge, "test", &owner, "grant_type=client_credentials&scope=orders:read");
    let inactive = r#"{"active":false}"#;
    for name in ["access_token", "refresh_token"] {
        let form = format!("token={}", text(&granted, name));
        let reply = post(&edge, "test", "revoke", &stranger, &form);
        assert_eq!(error(&reply), (400, "unauthorized_client".to_owned()), "{name}");
        assert_eq!(post(&edge, "test", "introspect", &stranger, &form).answer().body, inactive, "{name}");
        let told: Value =
            serde_json::from_str(&post(&edge, "test", "introspect", &owner, &form).answer().body).unwrap();
        assert_eq!((&told["active"], &told["scope"]), (&json!(true), &json!("orders:read")), "{name}");
        assert_eq!(told["client_id"], owner["client_id"]);
    }
    let of = |name: &str| format!("token={}", text(&granted, name));
    let told: Value =
        serde_json::from_str(&post(&edge, "test", "introspect", &server, &of("access_token")).answer().body)
            .unwrap();
    assert_eq!(told["active"], true, "a resource server may ask");
    assert_eq!(post(&edge, "test", "introspect", &server, &of("refresh_token")).answer().body, inactive);
    let body = format!("token={}&client_id={}", text(&granted, "access_token"), text(&owner, "client_id"));
    let (reply, _) = call(&edge, &Call::form("https://edge.example/test/oauth/introspect", body));
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()), "without authentication");
    world.broken.set(Some(Broken::PrincipalsBefore));
    assert_eq!(
        post(&edge, "test", "revoke", &owner, &of("access_token")).status(),
        503,
        "never a false success"
    );
}

#[test]
fn rfc7662_section_2_2_what_does_not_count_is_inactive_and_looking_is_no_use() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let form = format!("token={}", text(&granted, "access_token"));
    for _ in 0..4 {
        world.pass(seconds(20));
        let reply = post(&edge, "test", "introspect", &client, &form);
        assert!(reply.answer().body.contains(r#""active":true"#), "{}", reply.answer().body);
        assert_eq!(reply.answer().header("cache-control"), Some("no-store"));
    }
    world.pass(seconds(20));
    for token in
        [text(&granted, "access_token"), text(&granted, "refresh_token"), "junk", "a.b.c", "e30.e30.e30"]
    {
        let reply = post(&edge, "test", "introspect", &client, &format!("token={token}"));
        assert_eq!((reply.status(), reply.answer().body.as_str()), (200, r#"{"active":false}"#), "{token}");
    }
}

#[test]
fn roles_and_what_takes_them_away() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["password", "refresh_token"], "token_endpoint_auth_method": "none" }),
    );
    let ada = user(
        &edge,
        &json!({ "login": "Ada@Example.com", "password": "correct horse", "roles": ["owner", "reporting"] }),
    );
    let sign_in = "grant_type=password&username=ada@example.com&password=correct+horse";
    let at = format!("https://edge.example/test/api/v1/users/{}", text(&ada, "id"));
    for (change, is_over, roles) in [
        (json!({ "roles": ["reporting", "owner"] }), false, json!(["owner", "reporting"])),
        (json!({ "roles": ["reporting"] }), true, json!(["reporting"])),
        (json!({ "disabled": false }), false, json!(["reporting"])),
        (json!({ "password": "correct horse" }), true, json!(["reporting"])),
    ] {
        let granted = tokens(&edge, "test", &app, sign_in);
        assert_eq!(pass(&edge, "/orders/1", text(&granted, "access_token")), 200);
        assert_eq!(claims(text(&granted, "access_token"))["sub"], ada["id"]);
        let reply = manage(&edge, Call::patch(at.clone(), change.to_string()));
        assert_eq!(
            (reply.status(), serde_json::from_str::<Value>(&reply.answer().body).unwrap()["roles"].clone()),
            (200, roles.clone())
        );
        let want = if is_over { (401, 400) } else { (200, 200) };
        assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), want.0, "{change}");
        assert_eq!(refresh(&edge, &app, text(&granted, "refresh_token")).status(), want.1, "{change}");
        let next = tokens(&edge, "test", &app, sign_in);
        assert_eq!(
            claims(text(&next, "access_token"))["roles"],
            roles,
            "what was taken away is not in the next token"
        );
    }
    let granted = tokens(&edge, "test", &app, sign_in);
    let sign_out = manage(&edge, Call::json(format!("{at}/sign-out"), ""));
    assert_eq!(sign_out.status(), 204);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    let granted = tokens(&edge, "test", &app, sign_in);
    assert_eq!(manage(&edge, Call::patch(at.clone(), json!({ "disabled": true }).to_string())).status(), 200);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    assert_eq!(error(&post(&edge, "test", "token", &app, sign_in)), (400, "invalid_grant".to_owned()));
    assert_eq!(manage(&edge, Call::delete(at.clone())).status(), 204);
    assert_eq!(manage(&edge, Call::get(at)).status(), 404);
}

#[test]
fn attack_72_wrong_passwords_wait_and_an_unknown_login_is_answered_alike() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app =
        client(&edge, "test", &json!({ "grant_types": ["password"], "token_endpoint_auth_method": "none" }));
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let try_in = |login: &str, password: &str| {
        post(
            &edge,
            "test",
            "token",
            &app,
            &format!("grant_type=password&username={login}&password={password}"),
        )
    };
    for n in 0..7 {
        let (known, unknown) = (try_in("ada", "wrong-password"), try_in("nobody", "wrong-password"));
        assert_eq!(error(&known), (400, "invalid_grant".to_owned()), "{n}");
        assert_eq!(known.answer().body, unknown.answer().body, "{n}");
    }
    for login in ["ada", "nobody"] {
        let reply = try_in(login, "correct+horse");
        assert_eq!(reply.status(), 429, "{login}");
        assert!(matches!(reply.answer().header("retry-after"), Some("1" | "2")), "{login}");
    }
    world.pass(seconds(2));
    assert_eq!(try_in("ada", "correct+horse").status(), 200, "nobody is locked out");
    assert_eq!(error(&try_in("ada", "wrong-password")), (400, "invalid_grant".to_owned()), "all is forgiven");
}

#[test]
fn attack_72_a_stranger_cannot_lock_a_client_out() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (mine, other) = (client(&edge, "test", &json!({})), client(&edge, "test", &json!({})));
    let wrong = json!({ "client_id": mine["client_id"], "client_secret": other["client_secret"] });
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(post(&edge, "test", "token", &wrong, "grant_type=client_credentials").status());
        assert_eq!(post(&edge, "test", "token", &mine, "grant_type=client_credentials").status(), 200);
    }
    assert_eq!(statuses[..6], [401; 6]);
    assert_eq!(statuses[6..], [429; 14]);
    let limited =
        Call::form("https://edge.example/test/oauth/token", "").header("cf-connecting-ip", "192.0.2.66");
    assert_eq!(error(&call(&edge, &limited).0), (429, "temporarily_unavailable".to_owned()));
}

#[test]
fn rfc8707_a_token_for_one_resource_counts_there_only() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let ask = |resource: &str| {
        post(&edge, "test", "token", &mine, &format!("grant_type=client_credentials{resource}"))
    };
    let everywhere = ask("").member("access_token");
    let orders = ask("&resource=https://edge.example/orders").member("access_token");
    let both = ask("&resource=https://edge.example/orders&resource=https://edge.example/other")
        .member("access_token");
    assert_eq!(claims(&orders)["aud"], "https://edge.example/orders");
    for (token, want) in
        [(&everywhere, [200, 200, 200]), (&orders, [200, 401, 401]), (&both, [200, 200, 401])]
    {
        let got = ["/orders/1", "/other/1", "/any"].map(|path| pass(&edge, path, token));
        assert_eq!(got, want, "{}", claims(token)["aud"]);
    }
    assert_eq!(error(&ask("&resource=https://evil.example")), (400, "invalid_target".to_owned()));
    assert_eq!(error(&ask("&resource=https://edge.example/orders%23x")), (400, "invalid_target".to_owned()));
}

#[test]
fn openid_asks_for_an_id_token() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=openid");
    let said = claims(text(&granted, "id_token"));
    assert_eq!((&said["aud"], &said["sub"]), (&mine["client_id"], &mine["client_id"]));
    assert!(said.get("scope").is_none() && said.get("sid").is_none(), "{said}");
    assert_eq!(pass(&edge, "/orders/1", text(&granted, "id_token")), 401, "attack 49: no access token");
    let without = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=orders:read");
    assert!(without.get("id_token").is_none());
}

#[test]
fn calls_are_counted_by_client_and_route() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    for (path, calls) in [("/orders/1", 3), ("/any", 2)] {
        for _ in 0..calls {
            assert_eq!(pass(&edge, path, text(&granted, "access_token")), 200);
        }
    }
    world.pass(seconds(20));
    let (reply, chore) =
        call(&edge, &Call::get("https://edge.example/any").bearer(text(&granted, "access_token")));
    assert_eq!(reply.status(), 200);
    finish(&edge, chore.unwrap());
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at)).answer().body).unwrap();
    let calls = |at: usize| (seen["usage"][at]["route"].clone(), seen["usage"][at]["count"].clone());
    assert_eq!((calls(0), calls(1)), ((json!("any"), json!(3)), (json!("orders"), json!(3))), "{seen}");
    assert_eq!(seen["live_sessions"], 1);
}

#[test]
fn calls_of_a_client_that_falls_silent_are_told_after_a_grain() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let request = Call::get("https://edge.example/any").bearer(text(&granted, "access_token"));
    let owed = call(&edge, &request).1.unwrap();
    assert_eq!((call(&edge, &request).1, call(&edge, &request).1), (None, None));
    let asked = world.asked_principals.get();
    wait_for(&edge, owed);
    assert_eq!(world.asked_principals.get(), asked + 1, "the touch of this grain");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at)).answer().body).unwrap();
    assert_eq!(seen["usage"][0]["count"], 3, "{seen}");
    let asked = world.asked_principals.get();
    wait_for(&edge, owed);
    assert_eq!(world.asked_principals.get(), asked, "there is nothing more to tell");
}

#[test]
fn no_store_holds_what_could_be_presented() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["password", "refresh_token"], "token_endpoint_auth_method": "none" }),
    );
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let first = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let second = refresh(&edge, &mine, text(&first, "refresh_token"));
    let person = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    let secrets = [
        text(&mine, "client_secret").to_owned(),
        text(&first, "refresh_token").to_owned(),
        text(&first, "access_token").to_owned(),
        second.member("refresh_token"),
        text(&person, "refresh_token").to_owned(),
        "correct horse".to_owned(),
    ];
    for row in world.stored().iter().chain(world.log.borrow().iter()) {
        for secret in &secrets {
            assert!(!row.contains(secret.as_str()), "{row}");
        }
    }
}
