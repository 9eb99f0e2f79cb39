//! The management API: who may do what with whose, and what becomes of it.

use serde_json::{Value, json};

use crate::fakes::{BOOTSTRAP, Broken, Call, Edge, Reply, World, call};
use crate::flows::gate;
use crate::flows::idor::OWN;
use crate::flows::realm::claims;
use tollgate::time::Lifetime;

pub(crate) const HOST: &str = "https://edge.example";

pub(crate) const CONFIG: &str = r#"{
    "managed_from": "test",
    "realms": {
        "test": { "issuer": "https://edge.example/test", "idle_seconds": 1200, "credential_seconds": 2592000 },
        "production": { "issuer": "https://edge.example/production" }
    },
    "scopes": {
        "orders:read": { "description": "Read orders" },
        "orders:internal": { "description": "See what nobody else sees", "internal": true }
    },
    "role_kinds": { "operational": { "at_most": 1 }, "builder": { "at_most": 1 } },
    "roles": {
        "agent": { "kind": "operational" }, "lead": { "kind": "operational" },
        "builder": { "kind": "builder" }, "viewer": {}
    },
    "routes": [
        { "id": "orders", "methods": ["GET"], "path": "/orders", "require": { "scopes": [], "issuers": ["test", "production"] }, "to": { "service": "ORIGIN" } }
    ]
}"#;

pub(crate) fn api(path: &str) -> String {
    format!("{HOST}/test/api/v1{path}")
}

pub(crate) fn send(edge: &Edge<'_>, request: Call, token: &str) -> Reply {
    call(edge, &request.bearer(token)).0
}

pub(crate) fn get(edge: &Edge<'_>, path: &str, token: &str) -> Reply {
    send(edge, Call::get(api(path)), token)
}

pub(crate) fn post(edge: &Edge<'_>, path: &str, said: &Value, token: &str) -> Reply {
    send(edge, Call::json(api(path), said.to_string()), token)
}

pub(crate) fn patch(edge: &Edge<'_>, path: &str, said: &Value, token: &str) -> Reply {
    send(edge, Call::patch(api(path), said.to_string()), token)
}

pub(crate) fn put(edge: &Edge<'_>, path: &str, text: &str, token: &str) -> Reply {
    send(edge, Call::put(api(path), text), token)
}

pub(crate) fn delete(edge: &Edge<'_>, path: &str, token: &str) -> Reply {
    send(edge, Call::delete(api(path)), token)
}

pub(crate) fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.answer().body).unwrap()
}

pub(crate) fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    body(reply)["items"].as_array().unwrap().clone()
}

/// A token of a client that has this secret.
pub(crate) fn token_of(edge: &Edge<'_>, client: &Value, scope: Option<&str>) -> Reply {
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let scope = scope.map(|scope| format!("&scope={scope}")).unwrap_or_default();
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}{scope}");
    call(edge, &Call::form(format!("{HOST}/test/OAuth/Token"), form)).0
}

pub(crate) fn token(edge: &Edge<'_>, client: &Value) -> String {
    token_of(edge, client, None).member("access_token")
}

/// The first person who manages everything, and a token of theirs.
pub(crate) fn admin(edge: &Edge<'_>) -> String {
    let said = json!({ "login": "root@example.com", "password": "a long password" });
    let made = post(edge, "/bootstrap", &said, BOOTSTRAP);
    assert_eq!(made.status(), 201, "{}", made.answer().body);
    token(edge, &body(&made))
}

/// A person with these roles, and a token that acts for them: made by an admin's hand, as the console's would be.
pub(crate) fn person(
    world: &World,
    edge: &Edge<'_>,
    login: &str,
    roles: &[&str],
    scope: &str,
) -> (String, String) {
    let said = json!({ "login": login, "password": "a long password", "roles": roles });
    let made = post(edge, "/users", &said, "operator");
    assert_eq!(made.status(), 201, "{}", made.answer().body);
    let id = made.member("id");
    let token = world.token_for("test", login, scope);
    (id, token)
}

pub(crate) fn wanted(name: &str, world: &World, roles: &[&str]) -> Value {
    json!({ "name": name, "expires_at": world.now().as_seconds() + 86_400, "roles": roles })
}

#[test]
fn the_first_secret_makes_one_admin_and_stops_working() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let said = json!({ "login": "root@example.com", "password": "a long password", "name": "Root" });
    assert_eq!(post(&edge, "/bootstrap", &said, "wrong").status(), 401);
    assert_eq!(post(&edge, "/bootstrap", &json!({ "login": "x" }), BOOTSTRAP).status(), 400);
    let made = post(&edge, "/bootstrap", &said, BOOTSTRAP);
    assert_eq!(made.status(), 201);
    let admin = token(&edge, &body(&made));
    let me = body(&get(&edge, "/me", &admin));
    assert_eq!((&me["reach"], &me["scope"]), (&json!("all"), &json!("platform:admin")), "{me}");
    let again = json!({ "login": "other@example.com", "password": "a long password" });
    assert_eq!(post(&edge, "/bootstrap", &again, BOOTSTRAP).status(), 409);
    assert_eq!(get(&edge, "/users", BOOTSTRAP).status(), 401, "and it opens nothing else");
    let elsewhere =
        Call::json(format!("{HOST}/production/api/v1/bootstrap"), again.to_string()).bearer(BOOTSTRAP);
    assert_eq!(call(&edge, &elsewhere).0.status(), 201, "each realm has a first person of its own");
    let foreign = Call::get(format!("{HOST}/production/api/v1/users")).bearer(&admin);
    assert_eq!(call(&edge, &foreign).0.status(), 401, "who manages nothing in another realm");
}

/// A request that was cut off may come again; another login may not, for as long as that is under way.
#[test]
fn a_first_secret_that_was_cut_off_may_come_again() {
    for broken in [Broken::PrincipalsAfter, Broken::DirectoryAfter] {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let said = json!({ "login": "root@example.com", "password": "a long password" });
        world.broken.set(Some(broken));
        assert_eq!(post(&edge, "/bootstrap", &said, BOOTSTRAP).status(), 503);
        world.broken.set(None);
        let other = json!({ "login": "eve@example.com", "password": "a long password" });
        assert_eq!(post(&edge, "/bootstrap", &other, BOOTSTRAP).status(), 409, "{broken:?}");
        assert_eq!(post(&edge, "/bootstrap", &said, BOOTSTRAP).status(), 201, "{broken:?}");
    }
}

#[test]
fn a_credential_acts_for_its_person_with_a_part_of_their_roles() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) =
        person(&world, &edge, "ada@example.com", &["agent", "builder", "viewer"], "credentials:manage");
    let made = post(&edge, "/credentials", &wanted("Sync", &world, &["agent", "builder"]), &ada);
    assert_eq!(made.status(), 201, "{}", made.answer().body);
    let sync = body(&made);
    assert_eq!((&sync["roles"], &sync["owner"]["id"]), (&json!(["agent", "builder"]), &json!(ada_id)));
    let at = format!("/credentials/{}", sync["client_id"].as_str().unwrap());
    assert_eq!(made.answer().header("location"), Some(api(&at).as_str()));
    let read = get(&edge, &at, &ada);
    assert!(body(&read).get("client_secret").is_none(), "shown once");
    assert_eq!(read.answer().header("etag"), made.answer().header("etag"));
    let live = token(&edge, &sync);
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 200);
    let second = token(&edge, &sync);
    assert_eq!(
        gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&second)),
        200,
        "as many sessions as wanted"
    );
    assert_eq!(body(&get(&edge, &at, &ada))["live_sessions"], 2);
    // A role that the creator loses leaves the credential, and its live tokens end.
    let less = json!({ "roles": ["agent", "viewer"] });
    assert_eq!(patch(&edge, &format!("/users/{ada_id}"), &less, "operator").status(), 200);
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 401);
    let next = token(&edge, &sync);
    assert_eq!(claims(&next)["roles"], json!(["agent"]));
    let more = json!({ "roles": ["agent", "builder", "viewer"] });
    assert_eq!(patch(&edge, &format!("/users/{ada_id}"), &more, "operator").status(), 200);
    let later = claims(&token(&edge, &sync));
    assert_eq!(later["roles"], json!(["agent"]), "what has left it does not come back by itself");
}

#[test]
fn a_credential_is_no_more_than_its_person_and_the_realm_allow() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (_, ada) =
        person(&world, &edge, "ada@example.com", &["agent", "lead", "viewer"], "credentials:manage");
    let now = world.now().as_seconds();
    let day = now + 86_400;
    for (wrong, what) in [
        (json!({ "name": "x", "expires_at": day, "roles": ["builder"] }), "a role that she has not"),
        (json!({ "name": "x", "expires_at": day, "roles": ["nobody"] }), "a role that is none"),
        (json!({ "name": "x", "expires_at": day, "roles": ["agent", "lead"] }), "two of a kind"),
        (json!({ "name": "x", "expires_at": now, "roles": [] }), "an end that has come"),
        (json!({ "name": "x", "expires_at": now + 2_592_001, "roles": [] }), "an end that is too far"),
        (json!({ "name": "x", "roles": [] }), "no end"),
        (json!({ "name": "", "expires_at": day }), "no name"),
        (json!({ "name": "Sync\u{202e}nimdA", "expires_at": day }), "a name that turns what is read"),
        (json!({ "name": "Sy\u{200b}nc", "expires_at": day }), "a name that looks like another"),
        (json!({ "name": "x", "expires_at": day, "idle_seconds": 1201 }), "idle for longer than the realm"),
        (json!({ "name": "x", "expires_at": day, "idle_seconds": 0 }), "idle at once"),
        (json!({ "name": "x", "expires_at": day, "scope": "nope" }), "a scope that is none"),
        (
            json!({ "name": "x", "expires_at": day, "scope": "users:manage" }),
            "a scope of ours that her token has not",
        ),
        (json!({ "name": "x", "expires_at": day, "client_id": "mine" }), "a name that it chooses"),
        (json!([]), "no object"),
    ] {
        let reply = post(&edge, "/credentials", &wrong, &ada);
        assert_eq!(reply.status(), 400, "{what}: {}", reply.answer().body);
        assert_eq!(reply.answer().header("content-type"), Some("application/problem+json"), "{what}");
    }
    assert!(items(&get(&edge, "/credentials", &ada)).is_empty(), "nothing of it was kept");
    let service = post(&edge, "/credentials", &wanted("x", &world, &[]), "operator");
    assert_eq!(service.status(), 409, "nobody's credential would act for nobody");
}

#[test]
fn an_old_secret_counts_for_the_overlap_and_a_deleted_credential_not_at_all() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (_, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage");
    let sync = body(&post(&edge, "/credentials", &wanted("Sync", &world, &["agent"]), &ada));
    let at = format!("/credentials/{}", sync["client_id"].as_str().unwrap());
    for odd in [json!({ "overlap_seconds": 60 }), json!({ "overlap_seconds": 86_401 })] {
        assert_eq!(post(&edge, &format!("{at}/secret"), &odd, &ada).status(), 400, "{odd}");
    }
    let renewed = post(&edge, &format!("{at}/secret"), &json!({ "overlap_seconds": 3600 }), &ada);
    let next = body(&renewed);
    assert_ne!(next["client_secret"], sync["client_secret"]);
    assert_eq!((token_of(&edge, &sync, None).status(), token_of(&edge, &next, None).status()), (200, 200));
    world.pass(Lifetime::from_seconds(3601));
    assert_eq!((token_of(&edge, &sync, None).status(), token_of(&edge, &next, None).status()), (401, 200));
    let ada = world.token_for("test", "ada@example.com", "credentials:manage");
    let live = token(&edge, &next);
    let last = body(&post(&edge, &format!("{at}/secret"), &json!({}), &ada));
    assert_eq!(token_of(&edge, &next, None).status(), 401, "without an overlap it is over at once");
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 401);
    let live = token(&edge, &last);
    assert_eq!(delete(&edge, &at, &ada).status(), 204);
    assert_eq!(get(&edge, &at, &ada).status(), 404);
    assert_eq!(token_of(&edge, &last, None).status(), 401);
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 401);
}

#[test]
fn the_same_request_again_is_answered_as_the_first_was() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (_, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage clients:manage");
    let key = "5f2e9c1a-3e58-4a83-9c9e-1f8a2b7f0c11";
    let make = |said: &Value| {
        let request = Call::json(api("/credentials"), said.to_string()).header("idempotency-key", key);
        send(&edge, request, &ada)
    };
    let said = wanted("Sync", &world, &["agent"]);
    let (first, again) = (make(&said), make(&said));
    assert_eq!((first.status(), again.status()), (201, 201));
    assert_eq!(body(&first)["client_secret"], body(&again)["client_secret"]);
    assert_eq!(token_of(&edge, &body(&again), None).status(), 200, "the secret is the one that counts");
    assert_eq!(items(&get(&edge, "/credentials", &ada)).len(), 1);
    let other = make(&wanted("Other", &world, &[]));
    assert_eq!(other.status(), 422, "another request may not have the name of this one");
    let (_, eve) = person(&world, &edge, "eve@example.com", &["agent"], "credentials:manage");
    let request = Call::json(api("/credentials"), said.to_string()).header("idempotency-key", key);
    let hers = send(&edge, request, &eve);
    assert_eq!(hers.status(), 201, "the name is the caller's own");
    assert_ne!(body(&hers)["client_id"], body(&first)["client_id"]);
    let at = format!("/credentials/{}/secret", first.member("client_id"));
    assert_eq!(post(&edge, &at, &json!({}), &ada).status(), 200);
    assert_eq!(make(&said).status(), 409, "what it made has another secret by now");
    let short = Call::json(api("/credentials"), said.to_string()).header("idempotency-key", "1");
    assert_eq!(send(&edge, short, &ada).status(), 400);
    assert!(!world.stored().iter().any(|text| text.contains(key)), "it is kept nowhere");
}

#[test]
fn two_who_change_the_same_do_not_undo_each_other() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let made = post(&edge, "/users", &json!({ "login": "ada@example.com", "roles": ["agent"] }), "operator");
    let (at, seen) =
        (format!("/users/{}", made.member("id")), made.answer().header("etag").unwrap().to_owned());
    let change = |said: Value| {
        let request = Call::patch(api(&at), said.to_string()).header("if-match", seen.as_str());
        send(&edge, request, "operator")
    };
    assert_eq!(change(json!({ "roles": ["agent", "viewer"] })).status(), 200);
    let late = change(json!({ "profile": { "name": "Ada" } }));
    assert_eq!(late.status(), 412, "{}", late.answer().body);
    let now = get(&edge, &at, "operator");
    assert_eq!(body(&now)["roles"], json!(["agent", "viewer"]), "nothing is lost");
    assert!(body(&now)["profile"].get("name").is_none());
    let gone = Call::delete(api(&at)).header("if-match", seen.as_str());
    assert_eq!(send(&edge, gone, "operator").status(), 412);
    let garbage = Call::delete(api(&at)).header("if-match", "\"x\"");
    assert_eq!(send(&edge, garbage, "operator").status(), 412);
    let fresh = Call::delete(api(&at)).header("if-match", now.answer().header("etag").unwrap());
    assert_eq!(send(&edge, fresh, "operator").status(), 204);
}

#[test]
fn an_internal_scope_waits_for_somebody_to_approve_of_client_and_person() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) =
        person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage clients:manage");
    let mut said = wanted("Sync", &world, &["agent"]);
    said["scope"] = json!("orders:internal orders:read");
    let sync = body(&post(&edge, "/credentials", &said, &ada));
    assert_eq!((&sync["scope"], &sync["waiting_scope"]), (&json!("orders:read"), &json!("orders:internal")));
    assert_eq!(token_of(&edge, &sync, Some("orders:internal")).status(), 400);
    let application = json!({
        "client_name": "Shop", "scope": "orders:internal", "grant_types": ["authorization_code"],
        "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none",
    });
    let shop = body(&post(&edge, "/clients", &application, &ada));
    assert_eq!((&shop["scope"], &shop["waiting_scope"]), (&json!(""), &json!("orders:internal")));
    let waiting = items(&get(&edge, "/clients?waiting=true", "operator"));
    let both = [&shop["client_id"], &sync["client_id"]];
    assert_eq!(waiting.iter().map(|one| &one["client_id"]).collect::<Vec<_>>(), both);
    let at = format!("/clients/{}/approval", sync["client_id"].as_str().unwrap());
    assert_eq!(post(&edge, &at, &json!({ "scope": "orders:internal" }), "operator").status(), 200);
    assert_eq!(token_of(&edge, &sync, Some("orders:internal")).status(), 200, "client and person have it");
    let at = format!("/clients/{}/approval", shop["client_id"].as_str().unwrap());
    assert_eq!(post(&edge, &at, &json!({ "scope": "orders:internal" }), &ada).status(), 403, "not her own");
    assert_eq!(post(&edge, &at, &json!({ "scope": "orders:read" }), "operator").status(), 400);
    let approved = body(&post(&edge, &at, &json!({ "scope": "orders:internal" }), "operator"));
    assert_eq!(approved["scope"], json!("orders:internal"));
    let known = body(&get(&edge, &format!("/users/{ada_id}"), "operator"));
    assert_eq!(known["internal_scopes"], json!("orders:internal"), "both lists have it");
    assert!(items(&get(&edge, "/clients?waiting=true", "operator")).is_empty());
    // What was approved stays when she changes something else; and nothing is approved by a change.
    let mut next = application.clone();
    next["client_name"] = json!("Shop 2");
    let request =
        Call::put(api(&format!("/clients/{}", shop["client_id"].as_str().unwrap())), next.to_string());
    let changed = body(&send(&edge, request, &ada));
    assert_eq!((&changed["scope"], changed.get("waiting_scope")), (&json!("orders:internal"), None));
}

#[test]
fn what_is_somebody_elses_is_not_there() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let all = "credentials:manage clients:manage sessions:manage audit:read";
    let (ada_id, ada) = person(&world, &edge, "ada@example.com", &["agent"], all);
    let (_, eve) = person(&world, &edge, "eve@example.com", &["agent"], all);
    let sync = body(&post(&edge, "/credentials", &wanted("Sync", &world, &["agent"]), &ada));
    let at = format!("/credentials/{}", sync["client_id"].as_str().unwrap());
    for reply in [
        get(&edge, &at, &eve),
        patch(&edge, &at, &json!({ "name": "Mine" }), &eve),
        delete(&edge, &at, &eve),
        post(&edge, &format!("{at}/secret"), &json!({}), &eve),
        get(&edge, &format!("/credentials?owner={ada_id}"), &eve),
        get(&edge, &format!("/sessions?user={ada_id}"), &eve),
        get(&edge, &at.replace("credentials", "clients"), &ada),
    ] {
        assert_eq!(reply.status(), 404, "{}", reply.answer().body);
    }
    assert!(items(&get(&edge, "/credentials", &eve)).is_empty());
    assert_eq!(items(&get(&edge, "/credentials", &ada)).len(), 1);
    let live = items(&get(&edge, "/sessions", &ada));
    let session = live[0]["id"].as_str().unwrap();
    assert_eq!(delete(&edge, &format!("/sessions/{session}"), &eve).status(), 404);
    let seen = |token: &str| -> Vec<Value> { items(&get(&edge, "/audit", token)) };
    assert!(seen(&ada).iter().any(|event| event["action"] == "credential.create"));
    assert!(!seen(&eve).iter().any(|event| event["action"] == "credential.create"));
    for forbidden in ["/users", "/keys"] {
        assert_eq!(get(&edge, forbidden, &ada).status(), 403, "{forbidden}");
    }
    let admins = items(&get(&edge, "/credentials?search=SYN", "operator"));
    assert_eq!(admins.len(), 1, "whoever manages everything sees it");
}

#[test]
fn who_manages_people_does_not_manage_everything() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    admin(&edge);
    let root = items(&get(&edge, "/users?search=root", "operator"))[0]["id"].as_str().unwrap().to_owned();
    let helper = json!({ "client_name": "Helpdesk", "scope": "users:manage" });
    let helper = token(&edge, &body(&post(&edge, "/clients", &helper, "operator")));
    let made = post(&edge, "/users", &json!({ "login": "ada@example.com" }), &helper);
    assert_eq!(made.status(), 201);
    let at = format!("/users/{}", made.member("id"));
    let more = json!({ "internal_scopes": "platform:admin" });
    assert_eq!(patch(&edge, &at, &more, &helper).status(), 403);
    assert_eq!(patch(&edge, &at, &json!({ "internal_scopes": "orders:internal" }), &helper).status(), 200);
    let root = format!("/users/{root}");
    for reply in [
        patch(&edge, &root, &json!({ "password": "another password" }), &helper),
        post(&edge, &format!("{root}/sign-out"), &json!({}), &helper),
        delete(&edge, &root, &helper),
    ] {
        assert_eq!(reply.status(), 403, "{}", reply.answer().body);
    }
    let wide = json!({ "client_name": "Wide", "scope": "keys:manage" });
    let clients = json!({ "client_name": "Registrar", "scope": "clients:manage" });
    let registrar = token(&edge, &body(&post(&edge, "/clients", &clients, "operator")));
    assert_eq!(
        post(&edge, "/clients", &wide, &registrar).status(),
        400,
        "nobody gives away more than they have"
    );
}

/// Who has registered itself was given nothing, whatever the configuration lets it ask for.
#[test]
fn a_client_that_has_registered_itself_manages_what_is_its_own() {
    let open = r#""idle_seconds": 1200, "registration": { "access": "open", "grant_types": ["client_credentials"], "scopes": ["clients:manage", "audit:read"] }"#;
    let world = World::new(&CONFIG.replacen(r#""idle_seconds": 1200"#, open, 1));
    let edge = world.edge();
    let (_, ada) = person(&world, &edge, "ada@example.com", &["agent"], "clients:manage");
    let hers = body(&post(&edge, "/clients", &json!({ "client_name": "Hers" }), &ada));
    let metadata = json!({ "client_name": "Stranger", "scope": "clients:manage audit:read", "grant_types": ["client_credentials"] });
    let register = Call::json(format!("{HOST}/test/oauth/register"), metadata.to_string());
    let stranger = token(&edge, &body(&call(&edge, &register).0));
    assert_eq!(body(&get(&edge, "/me", &stranger))["reach"], "own");
    let at = format!("/clients/{}", hers["client_id"].as_str().unwrap());
    assert_eq!(get(&edge, &at, &stranger).status(), 404);
    assert_eq!(items(&get(&edge, "/clients", &stranger)).len(), 1, "itself");
    assert!(items(&get(&edge, "/audit", &stranger)).is_empty());
    // Nothing of it makes the stranger more than it is.
    let itself = items(&get(&edge, "/clients", &stranger))[0]["client_id"].as_str().unwrap().to_owned();
    let own = format!("/clients/{itself}");
    let wider =
        json!({ "client_name": "Stranger", "scope": "clients:manage audit:read", "roles": ["viewer"] });
    for said in [&wider, &json!({ "client_name": "Stranger", "scope": "clients:manage" })] {
        let change = send(&edge, Call::put(api(&own), said.to_string()), &stranger);
        assert_eq!(change.status(), 403, "{}", change.answer().body);
        assert_eq!(post(&edge, "/clients", said, &stranger).status(), 403);
    }
    assert_eq!(body(&get(&edge, "/me", &stranger))["reach"], "own");
    assert_eq!(get(&edge, &at, &stranger).status(), 404);
    let renewed = post(&edge, &format!("{own}/secret"), &json!({ "overlap_seconds": 60 }), &stranger);
    assert_eq!(renewed.status(), 200, "a secret of its own it may have");
    // Looked at by an admin, it is what that has made of it.
    assert_eq!(send(&edge, Call::put(api(&own), wider.to_string()), "operator").status(), 200);
    assert_eq!(body(&get(&edge, "/me", &token(&edge, &body(&renewed))))["reach"], "all");
}

/// Whoever may manage credentials or clients gets at none that may do more than they.
#[test]
fn nobody_gets_the_secret_of_what_may_do_more() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let root = admin(&edge);
    let first = items(&get(&edge, "/credentials", &root))[0]["client_id"].as_str().unwrap().to_owned();
    let wide = post(&edge, "/clients", &json!({ "client_name": "Wide", "scope": "platform:admin" }), &root);
    let wide = wide.member("client_id");
    let own = world.token_for("test", "root@example.com", "credentials:manage clients:manage");
    let helper = json!({ "client_name": "Helper", "scope": "credentials:manage clients:manage" });
    let helper = token(&edge, &body(&post(&edge, "/clients", &helper, "operator")));
    for token in [&own, &helper] {
        let at = format!("/credentials/{first}");
        for reply in [
            post(&edge, &format!("{at}/secret"), &json!({}), token),
            patch(&edge, &at, &json!({ "name": "Mine" }), token),
            delete(&edge, &at, token),
        ] {
            assert_eq!(reply.status(), 403, "{}", reply.answer().body);
        }
    }
    let at = format!("/clients/{wide}");
    let narrow = json!({ "client_name": "Wide" }).to_string();
    for reply in [
        post(&edge, &format!("{at}/secret"), &json!({}), &helper),
        send(&edge, Call::put(api(&at), narrow.clone()), &helper),
        delete(&edge, &at, &helper),
    ] {
        assert_eq!(reply.status(), 403, "{}", reply.answer().body);
    }
    assert_eq!(get(&edge, "/users", &root).status(), 200, "nothing has ended");
    // What a client has lost its live tokens have lost here as well.
    let wide_token = token(&edge, &body(&post(&edge, &format!("{at}/secret"), &json!({}), &root)));
    assert_eq!(get(&edge, "/users", &wide_token).status(), 200);
    assert_eq!(send(&edge, Call::put(api(&at), narrow), &root).status(), 200);
    assert_eq!(get(&edge, "/users", &wide_token).status(), 403);
}

#[test]
fn a_persons_own_client_is_held_to_what_credentials_are() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (_, ada) = person(&world, &edge, "ada@example.com", &["agent", "lead"], "clients:manage");
    let two = json!({ "client_name": "Sync", "roles": ["agent", "lead"] });
    assert_eq!(post(&edge, "/clients", &two, &ada).status(), 400, "two roles of a kind");
    let far = json!({ "client_name": "Sync", "expires_at": world.now().as_seconds() + 2_592_001 });
    assert_eq!(post(&edge, "/clients", &far, &ada).status(), 400, "an end that is too far");
    let sync = body(&post(&edge, "/clients", &json!({ "client_name": "Sync", "roles": ["agent"] }), &ada));
    let end = world.now().as_seconds() + 2_592_000;
    assert_eq!(sync["expires_at"], json!(end), "as far as may be");
    world.pass(Lifetime::from_seconds(60));
    let at = api(&format!("/clients/{}", sync["client_id"].as_str().unwrap()));
    let changed = send(&edge, Call::put(at, json!({ "client_name": "Sync 2" }).to_string()), &ada);
    assert_eq!(body(&changed)["expires_at"], json!(end), "which a change does not move");
    let told = json!({
        "client_name": "Shop", "grant_types": ["authorization_code"], "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none", "backchannel_logout_uri": "https://other.example/out",
    });
    assert_eq!(post(&edge, "/clients", &told, &ada).status(), 400, "an address that is not the client's");
    assert_eq!(post(&edge, "/clients", &told, "operator").status(), 201);
}

/// The name of a request is about one resource: what is made elsewhere with it is another.
#[test]
fn one_name_for_two_requests_makes_two_things() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (_, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage clients:manage");
    let key = "5f2e9c1a-3e58-4a83-9c9e-1f8a2b7f0c11";
    let make = |path: &str, said: &Value| {
        let request = Call::json(api(path), said.to_string()).header("idempotency-key", key);
        let made = send(&edge, request, &ada);
        assert_eq!(made.status(), 201, "{}", made.answer().body);
        made.member("client_id")
    };
    let credential = make("/credentials", &wanted("Sync", &world, &["agent"]));
    assert_ne!(make("/clients", &json!({ "client_name": "Shop" })), credential);
}

#[test]
fn another_first_secret_makes_no_credential_of_somebody_who_is_there() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    admin(&edge);
    let said = json!({ "login": "root@example.com", "password": "another password" });
    let other = "another-bootstrap-token-of-32-characters";
    world.bootstrap.set(other);
    let reply = post(&edge, "/bootstrap", &said, other);
    assert_eq!(reply.status(), 409, "{}", reply.answer().body);
    assert_eq!(items(&get(&edge, "/credentials", "operator")).len(), 1);
}

#[test]
fn who_comes_after_somebody_with_their_login_sees_nothing_of_them() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage");
    assert_eq!(post(&edge, "/credentials", &wanted("Sync", &world, &["agent"]), &ada).status(), 201);
    world.pass(Lifetime::from_seconds(10));
    assert_eq!(delete(&edge, &format!("/users/{ada_id}"), "operator").status(), 204);
    world.pass(Lifetime::from_seconds(10));
    let (_, next) = person(&world, &edge, "ada@example.com", &["agent"], "audit:read");
    let seen = items(&get(&edge, "/audit", &next));
    assert_eq!(seen.iter().map(|event| &event["action"]).collect::<Vec<_>>(), ["user.create"]);
    let asked = items(&get(&edge, "/audit?since=0", &next));
    assert_eq!(asked.len(), 1, "whatever they ask for");
}

#[test]
fn what_an_admin_registers_is_nobodys_and_stays() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let root = admin(&edge);
    let made = post(&edge, "/clients", &json!({ "client_name": "Export", "roles": ["viewer"] }), &root);
    let export = body(&made);
    assert!(export.get("owner").is_none(), "{export}");
    let said = claims(&token(&edge, &export));
    assert_eq!(
        (&said["sub"], &said["roles"]),
        (&export["client_id"], &json!(["viewer"])),
        "it acts for itself"
    );
    let id = items(&get(&edge, "/users?search=root", "operator"))[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(delete(&edge, &format!("/users/{id}"), "operator").status(), 204);
    assert_eq!(token_of(&edge, &export, None).status(), 200);
    assert_eq!(get(&edge, "/me", &root).status(), 401, "but their credential is gone with them");
}

#[test]
fn what_was_done_is_told_with_who_and_from_where() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage audit:read");
    let request = Call::json(api("/credentials"), wanted("<b>Sync</b>", &world, &["agent"]).to_string())
        .header("cf-connecting-ip", "203.0.113.7");
    let sync = body(&send(&edge, request, &ada));
    world.pass(Lifetime::from_seconds(1));
    let at = format!("/credentials/{}", sync["client_id"].as_str().unwrap());
    assert_eq!(patch(&edge, &at, &json!({ "name": "Sync" }), &ada).status(), 200);
    assert_eq!(patch(&edge, &at, &json!({ "name": "Sync" }), &ada).status(), 200, "which changes nothing");
    let events = items(&get(&edge, "/audit", &ada));
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["credential.change", "credential.create", "user.create"]);
    let (change, create) = (&events[0], &events[1]);
    assert_eq!(change["changes"], json!(["client_name"]));
    assert_eq!(create["actor"]["source"], "203.0.113.7");
    assert_eq!((&create["actor"]["user"], &create["actor"]["kind"]), (&json!(ada_id), &json!("user")));
    assert_eq!(create["target"]["name"], "<b>Sync</b>");
    let secret = sync["client_secret"].as_str().unwrap();
    assert!(!get(&edge, "/audit", "operator").answer().body.contains(secret));
    let only = |query: &str| items(&get(&edge, &format!("/audit?{query}"), "operator")).len();
    assert_eq!(only("action=credential.create"), 1);
    assert_eq!(only(&format!("principal={ada_id}")), 2);
    assert_eq!(only("client=operator"), 1);
    let then = create["at"].as_u64().unwrap();
    assert_eq!((only(&format!("since={}", then + 1)), only(&format!("until={}", then + 1))), (1, 2));
    let lines =
        send(&edge, Call::get(api("/audit?limit=2")).header("accept", "application/jsonl"), "operator");
    assert_eq!(lines.answer().header("content-type"), Some("application/jsonl"));
    assert_eq!(lines.answer().body.lines().count(), 2);
    let next = lines.answer().header("link").unwrap();
    let next = next.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    let rest = send(&edge, Call::get(next).header("accept", "application/jsonl"), "operator");
    assert_eq!((rest.answer().body.lines().count(), rest.answer().header("link")), (1, None));
    let theirs = Call::patch(api(&at), json!({ "name": "Their sync" }).to_string())
        .header("cf-connecting-ip", "203.0.113.9");
    let again = Call::patch(api(&at), json!({ "name": "Sync" }).to_string())
        .header("cf-connecting-ip", "203.0.113.9");
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(send(&edge, theirs, "operator").status(), 200);
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(send(&edge, again, &ada).status(), 200);
    let seen = items(&get(&edge, "/audit?action=credential.change&limit=2", &ada));
    let sources: Vec<_> = seen.iter().map(|event| event["actor"]["source"].as_str()).collect();
    assert_eq!(sources, [Some("203.0.113.9"), None], "where an administrator was is theirs to know");
    world.pass(Lifetime::from_seconds(401 * 86_400));
    world.clear();
    assert_eq!(only(""), 0, "it is kept for as long as the realm says");
}

#[test]
fn pages_go_on_where_they_ended() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for number in 0..7 {
        let said = json!({ "login": format!("p{number}@example.com"), "profile": { "name": format!("Person {number}") } });
        assert_eq!(post(&edge, "/users", &said, "operator").status(), 201);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&edge, &format!("/users?limit=3&cursor={cursor}"), "operator");
        seen.extend(items(&page).iter().map(|user| user["login"].as_str().unwrap().to_owned()));
        // Somebody new on the way changes nothing about the others.
        post(&edge, "/users", &json!({ "login": "a0@example.com" }), "operator");
        match body(&page)["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let all: Vec<_> = (0..7).map(|number| format!("p{number}@example.com")).collect();
    assert_eq!(seen, all);
    for bad in [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=~",
        "limit=1&limit=2",
        &format!("search={}", "x".repeat(101)),
    ] {
        assert_eq!(get(&edge, &format!("/users?{bad}"), "operator").status(), 400, "{bad}");
    }
    assert_eq!(items(&get(&edge, "/users?limit=&search=", "operator")).len(), 8, "an empty one says nothing");
    assert_eq!(items(&get(&edge, "/users?search=person%205", "operator")).len(), 1);
    assert_eq!(items(&get(&edge, "/users?search=%25", "operator")).len(), 0, "no pattern, but words");
}

#[test]
fn whoever_sees_everybodys_credentials_sees_how_they_are_used() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let who =
        ["ada", "bob"].map(|name| person(&world, &edge, &format!("{name}@example.com"), &["agent"], OWN));
    let made: Vec<_> = (0..30)
        .map(|number| {
            let said = wanted(&format!("Sync {number:02}"), &world, &["agent"]);
            body(&post(&edge, "/credentials", &said, &who[number % 2].1))
        })
        .collect();
    let token = token(&edge, &made[3]);
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&token)), 200);
    world.pass(Lifetime::from_seconds(60));
    let light = items(&get(&edge, "/credentials?search=sync&limit=200", "operator"));
    assert_eq!((light.len(), &light[3]["live_sessions"]), (30, &Value::Null), "nobody is asked");
    let asked = world.asked_principals.get();
    let page = get(&edge, "/credentials?search=sync&limit=200&usage=true", "operator");
    let full = items(&page);
    assert_eq!((full.len(), body(&page)["next"].is_string()), (25, true));
    assert!(world.asked_principals.get() - asked <= 26, "each one's principal, and the caller's");
    for (at, item) in full.iter().enumerate() {
        assert_eq!(
            (&item["name"], &item["client_id"]),
            (&json!(format!("Sync {at:02}")), &made[at]["client_id"])
        );
        assert_eq!(item["live_sessions"], u64::from(at == 3), "{item}");
        assert_eq!(item["last_used_at"].is_u64(), at == 3, "{item}");
    }
    let own = items(&get(&edge, "/credentials?usage=true", &who[0].1));
    assert_eq!((own.len(), &own[0]["live_sessions"]), (15, &json!(0)), "nobody sees more by it");
    assert_eq!(get(&edge, "/credentials?usage=yes", "operator").status(), 400);
}

#[test]
fn somebody_who_is_deleted_takes_their_clients_along() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) = person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage");
    let sync = body(&post(&edge, "/credentials", &wanted("Sync", &world, &["agent"]), &ada));
    assert_eq!(delete(&edge, &format!("/users/{ada_id}"), "operator").status(), 204);
    assert_eq!(token_of(&world.edge(), &sync, None).status(), 401);
    let at = format!("/credentials/{}", sync["client_id"].as_str().unwrap());
    assert_eq!(get(&edge, &at, "operator").status(), 404);
    assert!(items(&get(&edge, "/credentials", "operator")).is_empty());
    assert!(items(&get(&edge, "/users?search=ada", "operator")).is_empty());
    assert_eq!(get(&edge, "/me", &ada).status(), 401, "and their own token is over");
}

#[test]
fn a_session_is_ended_and_its_token_with_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada_id, ada) =
        person(&world, &edge, "ada@example.com", &["agent"], "credentials:manage sessions:manage");
    let sync = body(&post(&edge, "/credentials", &wanted("Sync", &world, &["agent"]), &ada));
    let live = token(&edge, &sync);
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 200);
    let id = sync["client_id"].as_str().unwrap();
    let mine = items(&get(&edge, &format!("/sessions?client={id}"), &ada));
    assert_eq!((mine.len(), &mine[0]["client_name"]), (1, &json!("Sync")));
    assert_eq!(items(&get(&edge, &format!("/sessions?user={ada_id}"), "operator")).len(), 2);
    let at = format!("/sessions/{}", mine[0]["id"].as_str().unwrap());
    assert_eq!(delete(&edge, &at, &ada).status(), 204);
    assert_eq!(delete(&edge, &at, &ada).status(), 404, "it is over");
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&live)), 401);
}
