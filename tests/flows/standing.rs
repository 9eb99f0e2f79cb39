//! Standing grants: who is asked for a token of client credentials, and that such tokens die like all others.

use serde_json::{Value, json};

use super::realm::*;
use crate::fakes::{Call, Edge, Reply, World};

const GRANT: &str = "grant_type=client_credentials";

/// A client with nothing but client credentials.
fn plain(edge: &Edge<'_>, realm: &str, more: &Value) -> Value {
    let mut all = json!({ "grant_types": ["client_credentials"] });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client(edge, realm, &all)
}

fn access(edge: &Edge<'_>, client: &Value) -> String {
    text(&tokens(edge, "test", client, GRANT), "access_token").to_owned()
}

/// How many questions principals are asked by `what`.
fn asked<T>(world: &World, what: impl FnOnce() -> T) -> (usize, T) {
    let before = world.asked_principals.get();
    let done = what();
    (world.asked_principals.get() - before, done)
}

fn address(client: &Value) -> String {
    format!("https://edge.example/test/api/v1/clients/{}", text(client, "client_id"))
}

fn new_secret(edge: &Edge<'_>, client: &Value, overlap: u64) -> Value {
    let body = json!({ "overlap_seconds": overlap }).to_string();
    let reply = manage(edge, Call::json(format!("{}/secret", address(client)), body));
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn put(edge: &Edge<'_>, client: &Value, more: &Value) -> Reply {
    let mut body = json!({ "client_name": "Test", "scope": "orders:admin openid", "grant_types": ["client_credentials"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    manage(edge, Call::put(address(client), body.to_string()))
}

#[test]
fn a_principal_is_asked_once_a_grain_and_each_token_has_a_session_of_its_own() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({}));
    let (first, one) = asked(&world, || access(&edge, &mine));
    let (more, others) = asked(&world, || (0..10).map(|_| access(&edge, &mine)).collect::<Vec<_>>());
    assert_eq!((first, more), (1, 0));
    let mut sessions: Vec<_> =
        others.iter().chain([&one]).map(|token| text(&claims(token), "sid").to_owned()).collect();
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 11);
    assert!(others.iter().all(|token| pass(&edge, "/orders/1", token) == 200));
    // Another question is asked, and a wrong secret learns nothing from the right one.
    let (less, _) =
        asked(&world, || tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=openid"));
    let (narrow, _) = asked(&world, || {
        let resource = "&resource=https%3A%2F%2Fedge.example%2Forders";
        tokens(&edge, "test", &mine, &format!("{GRANT}{resource}"))
    });
    let other = plain(&edge, "test", &json!({}));
    let wrong = json!({ "client_id": mine["client_id"], "client_secret": other["client_secret"] });
    let (at_wrong, reply) = asked(&world, || post(&edge, "test", "token", &wrong, GRANT));
    assert_eq!((less, narrow, at_wrong, error(&reply)), (1, 1, 1, (401, "invalid_client".to_owned())));
    assert_eq!(asked(&world, || access(&world.edge(), &mine)).0, 1, "another isolate");
    world.pass(seconds(16));
    assert_eq!(asked(&world, || access(&edge, &mine)).0, 1, "the grain is over");
}

#[test]
fn where_nothing_may_be_remembered_each_token_is_asked_for() {
    let strict = CONFIG.replace(r#""grain_seconds": 15"#, r#""grain_seconds": 0"#);
    for (config, realm, more) in [
        (CONFIG, "cut", json!({})),
        (strict.as_str(), "test", json!({})),
        (CONFIG, "test", json!({ "grant_types": ["client_credentials", "refresh_token"] })),
    ] {
        let world = World::new(config);
        let edge = world.edge();
        let mine = plain(&edge, realm, &more);
        let ask = || tokens(&edge, realm, &mine, GRANT);
        assert_eq!((asked(&world, ask).0, asked(&world, ask).0), (1, 1), "{realm} {more}");
    }
}

#[test]
fn attack_62_what_ends_a_client_ends_what_was_and_what_will_be_opened_under_its_grant() {
    type Change = fn(&Edge<'_>, &Value);
    let changes: [(&str, Change); 5] = [
        ("secret", |edge, client| drop(new_secret(edge, client, 0))),
        ("deleted", |edge, client| assert_eq!(manage(edge, Call::delete(address(client))).status(), 204)),
        ("roles", |edge, client| assert_eq!(put(edge, client, &json!({ "roles": ["owner"] })).status(), 200)),
        ("scope", |edge, client| assert_eq!(put(edge, client, &json!({ "scope": "openid" })).status(), 200)),
        ("grant", |edge, client| {
            assert_eq!(put(edge, client, &json!({ "grant_types": ["password"] })).status(), 200);
        }),
    ];
    for (name, change) in changes {
        let world = World::new(CONFIG);
        let (edge, far) = (world.edge(), world.edge());
        let mine = plain(&edge, "test", &json!({}));
        let other = client(&edge, "test", &json!({ "introspect": true }));
        let before = access(&far, &mine);
        world.pass(seconds(1));
        change(&edge, &mine);
        world.pass(seconds(1));
        // The far edge has not heard of it. What it hands out is worth nothing.
        let after = access(&far, &mine);
        for token in [&before, &after] {
            let told = post(&edge, "test", "introspect", &other, &format!("token={token}"));
            assert_eq!(told.answer().body, r#"{"active":false}"#, "{name}");
            assert_eq!(pass(&world.edge(), "/orders/1", token), 401, "{name}");
        }
        assert_eq!(pass(&far, "/orders/1", &after), 401, "{name}");
        let (times, reply) = asked(&world, || post(&far, "test", "token", &mine, GRANT));
        assert_eq!(times, 1, "{name}: now it has heard of it");
        if matches!(name, "secret" | "deleted") {
            assert_eq!(error(&reply), (401, "invalid_client".to_owned()), "{name}");
        } else if reply.status() == 200 {
            assert_eq!(
                pass(&far, "/any", &reply.member("access_token")),
                if name == "roles" { 200 } else { 403 }
            );
        }
        // The edge that made the change gives nothing out that it remembers.
        let (times, _) = asked(&world, || post(&edge, "test", "token", &mine, GRANT));
        assert_eq!(
            times,
            usize::from(name != "deleted"),
            "{name}: without its record there is nobody to ask"
        );
    }
}

#[test]
fn a_secret_counts_under_a_grant_as_long_as_it_counts() {
    let world = World::new(CONFIG);
    let (edge, far) = (world.edge(), world.edge());
    let first = plain(&edge, "test", &json!({}));
    let unused = [access(&far, &first), access(&far, &first)];
    let second = new_secret(&edge, &first, 5);
    assert_eq!(pass(&edge, "/orders/1", &unused[0]), 200, "the secrets overlap");
    let late = world.edge();
    access(&late, &first);
    world.pass(seconds(4));
    assert_eq!(asked(&world, || access(&late, &first)).0, 0);
    world.pass(seconds(1));
    let over = post(&late, "test", "token", &first, GRANT);
    assert_eq!(error(&over), (401, "invalid_client".to_owned()), "no grain outlasts the secret");
    // An edge that knows of no end gives tokens for it, and they are worth nothing.
    let dead = access(&far, &first);
    assert_eq!(pass(&edge, "/orders/1", &dead), 401);
    assert_eq!(pass(&edge, "/orders/1", &unused[1]), 200, "it counted when this was opened");
    access(&edge, &second);
}

#[test]
fn idleness_counts_from_a_sessions_own_start() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({}));
    access(&edge, &mine);
    world.pass(seconds(14));
    let (times, two) = asked(&world, || [access(&edge, &mine), access(&edge, &mine)]);
    assert_eq!(times, 0);
    world.pass(seconds(60));
    assert_eq!(pass(&world.edge(), "/orders/1", &two[0]), 200, "never early");
    world.pass(seconds(31));
    assert_eq!(pass(&world.edge(), "/orders/1", &two[1]), 401, "two grains late at most");
    world.pass(seconds(29));
    assert_eq!(pass(&world.edge(), "/orders/1", &two[0]), 200, "each ends alone");
}

#[test]
fn a_session_that_has_ended_does_not_begin_again_under_its_grant() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({ "access_token_seconds": 300 }));
    let (revoked, idle, other) = (access(&edge, &mine), access(&edge, &mine), access(&edge, &mine));
    let (times, reply) = asked(&world, || post(&edge, "test", "revoke", &mine, &format!("token={revoked}")));
    assert_eq!((times > 0, reply.status()), (true, 200), "one that was never used");
    assert_eq!(pass(&edge, "/orders/1", &idle), 200);
    for step in 0..40 {
        world.pass(seconds(10));
        world.clear();
        assert_eq!(pass(&world.edge(), "/orders/1", &revoked), 401, "{step}");
        if step >= 9 {
            assert_eq!(pass(&world.edge(), "/orders/1", &idle), 401, "{step}");
        }
        let alive = claims(&other)["exp"].as_u64().unwrap() >= world.now().as_seconds();
        assert_eq!(pass(&world.edge(), "/orders/1", &other), if alive { 200 } else { 401 }, "{step}");
    }
    let grants = world.stored().iter().filter(|row| row.contains(r#""registered""#)).count();
    assert_eq!(grants, 0, "nothing is left of the grant");
}

#[test]
fn nothing_under_a_grant_outlasts_the_client() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({ "expires_at": world.now().as_seconds() + 10 }));
    assert_eq!(tokens(&edge, "test", &mine, GRANT)["expires_in"], 10);
    world.pass(seconds(9));
    let (times, granted) = asked(&world, || tokens(&edge, "test", &mine, GRANT));
    assert_eq!((times, &granted["expires_in"]), (0, &json!(1)));
    world.pass(seconds(1));
    assert_eq!(error(&post(&edge, "test", "token", &mine, GRANT)), (401, "invalid_client".to_owned()));
}

#[test]
fn a_token_that_was_never_used_is_shown_and_not_counted() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({}));
    let (one, two) = (access(&edge, &mine), access(&edge, &mine));
    let shown = post(&edge, "test", "introspect", &mine, &format!("token={one}"));
    assert_eq!((shown.status(), shown.answer().body.contains(r#""active":true"#)), (200, true));
    let live = || -> Value {
        serde_json::from_str(&manage(&edge, Call::get(address(&mine))).answer().body).unwrap()
    };
    assert_eq!(live()["live_sessions"], 0);
    assert_eq!(pass(&edge, "/orders/1", &two), 200);
    assert_eq!(live()["live_sessions"], 1);
}

#[test]
fn what_was_revoked_while_its_grant_did_not_hold_stays_revoked_when_it_holds_again() {
    let world = World::new(CONFIG);
    let (edge, far) = (world.edge(), world.edge());
    let mine = plain(&edge, "test", &json!({}));
    let (revoked, other) = (access(&far, &mine), access(&far, &mine));
    assert_eq!(put(&edge, &mine, &json!({ "scope": "openid" })).status(), 200);
    assert_eq!(post(&edge, "test", "revoke", &mine, &format!("token={revoked}")).status(), 200);
    assert_eq!(put(&edge, &mine, &json!({})).status(), 200);
    assert_eq!(pass(&world.edge(), "/orders/1", &revoked), 401, "it never opens again");
    assert_eq!(pass(&world.edge(), "/orders/1", &other), 200);
}

#[test]
fn a_principal_has_so_many_sessions_also_where_edges_open_them() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = plain(&edge, "test", &json!({}));
    let held: Vec<_> = (0..140).map(|_| access(&edge, &mine)).collect();
    world.crowd(50_000);
    let used: Vec<_> = held.iter().map(|token| pass(&world.edge(), "/orders/1", token)).collect();
    let first = used.iter().position(|status| *status == 503).expect("somewhere there is an end");
    assert!(first <= 64 && used[first..].iter().all(|status| *status == 503), "{used:?}");
    assert_eq!(
        post(&world.edge(), "test", "token", &mine, GRANT).status(),
        429,
        "nor is there another grant"
    );
    let last = held.last().unwrap();
    assert_eq!(
        post(&edge, "test", "revoke", &mine, &format!("token={last}")).status(),
        200,
        "an end has room"
    );
    world.crowd(0);
    assert_eq!(pass(&world.edge(), "/orders/1", &held[100]), 200);
    assert_eq!(pass(&world.edge(), "/orders/1", last), 401);
}
