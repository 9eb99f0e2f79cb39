//! `docs/openapi.json` against what is answered: every status that it names is had, and what it forbids is refused.
//!
//! That no other is had, and that each answer has the headers and the shape that it says, is checked wherever a test asks ([`crate::fakes::call`]).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollgate::time::Lifetime;

use crate::fakes::{BOOTSTRAP, Broken, Call, Described, Edge, OPERATOR, Reply, World, call, description};
use crate::flows::idor::{Owner, make, names_something, owner, request};
use crate::flows::management::{CONFIG, HOST, body, get, post, token};

/// Only where another version of the worker has put a document that this one does not take; only while somebody is being deleted, or something else changed, at the same time.
const RACES: [(&str, u16); 3] =
    [("create-credential", 404), ("create-client", 404), ("restore-version", 422)];

/// Which statuses each operation has answered with.
#[derive(Default)]
struct Seen(RefCell<BTreeMap<String, BTreeSet<u16>>>);

impl Seen {
    fn ask(&self, edge: &Edge<'_>, said: &Described, call_: &Call, want: u16) -> Reply {
        let reply = call(edge, call_).0;
        assert_eq!(reply.status(), want, "{}: {}", said.name, reply.answer().body);
        self.0.borrow_mut().entry(said.name.clone()).or_default().insert(want);
        reply
    }
}

/// Whose token an operation takes in these tests.
fn bearer<'t>(said: &Described, ada: &'t Owner) -> &'t str {
    let takes = |scheme: &str| said.security.iter().any(|(known, _)| known == scheme);
    let is_own = said.path.starts_with("/credentials") && said.name != "list-credentials";
    if takes("bootstrap") {
        BOOTSTRAP
    } else if is_own {
        &ada.token
    } else {
        OPERATOR
    }
}

/// The request of an operation, of whoever may, about something that is there.
fn good(world: &World, edge: &Edge<'_>, said: &Described) -> Call {
    let ada = owner(world, edge, &format!("ada{}", world.stored().len()));
    let id = if names_something(said) { make(world, edge, &said.path, &ada) } else { String::new() };
    request(said, "test", &id).bearer(bearer(said, &ada))
}

fn mailing() -> World {
    let mail =
        r#""mail": { "webhook": { "url": "https://mail.example/send", "from": "us" } }, "idle_seconds""#;
    World::new(&CONFIG.replacen(r#""idle_seconds""#, mail, 1))
}

/// What every operation has in common.
fn common(seen: &Seen, said: &Described) {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let good = good(&world, &edge, said);
    let over_http = || good.clone().over_http();
    if said.name == "describe" {
        seen.ask(&edge, said, &good, 200);
        seen.ask(&edge, said, &over_http(), 403);
        return;
    }
    let takes_document = ["put-configuration", "validate-configuration"].contains(&said.name.as_str());
    let most = if takes_document { 512 * 1024 } else { 32 * 1024 };
    if takes_document {
        seen.ask(&edge, said, &good.clone().with_body("{}"), 422);
    }
    if said.path.starts_with("/config") {
        seen.ask(&edge, said, &request(said, "production", "1").bearer(OPERATOR), 404);
    }
    seen.ask(&edge, said, &good.clone().bearer("x"), 401);
    seen.ask(&edge, said, &good.clone().bearer("a b"), 400);
    seen.ask(&edge, said, &over_http(), 403);
    seen.ask(&edge, said, &good.clone().with_body("x".repeat(most + 1)), 413);
    world.broken.set(Some(Broken::PrincipalsBefore));
    seen.ask(&edge, said, &good, 503);
    world.broken.set(None);
    if said.statuses().any(|status| status == 412) {
        seen.ask(&edge, said, &good.clone().header("if-match", "\"x\""), 412);
    }
    if names_something(said) {
        seen.ask(&edge, said, &request(said, "test", "nobody").bearer(OPERATOR), 404);
    }
    if said.statuses().any(|status| status == 429) {
        seen.ask(&edge, said, &good.clone().header("cf-connecting-ip", "192.0.2.66"), 429);
    }
}

#[test]
fn every_status_that_is_described_is_had() {
    let seen = Seen::default();
    for said in &description().operations {
        common(&seen, said);
        let world = mailing();
        let edge = world.edge();
        if said.name == "keys-promote" {
            world.ring_alarms();
            assert_eq!(post(&edge, "/keys/rotate", &json!({}), OPERATOR).status(), 202);
            world.ring_alarms();
            seen.ask(&edge, said, &good(&world, &edge, said), 409);
            let keys = body(&get(&edge, "/keys", OPERATOR));
            let then = keys["keys"].as_array().unwrap().iter().find_map(|key| key["promotable_at"].as_u64());
            world.pass(Lifetime::from_seconds(then.unwrap() - world.now().as_seconds()));
        }
        let want = said.statuses().find(|status| *status < 300).unwrap();
        seen.ask(&edge, said, &good(&world, &edge, said), want);
        // Whoever makes the same again.
        if matches!(said.name.as_str(), "bootstrap" | "create-user" | "keys-rotate") {
            seen.ask(&edge, said, &good(&world, &edge, said), 409);
        }
    }
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    for (name, query) in [
        ("list-credentials", "owner=nobody"),
        ("list-clients", "owner=nobody"),
        ("list-sessions", "user=nobody"),
        ("keys", "for=id_tokens"),
        ("keys-rotate", "for=id_tokens"),
        ("keys-promote", "for=id_tokens"),
    ] {
        let said = description().find(name);
        seen.ask(&edge, said, &request(said, "test", "").with_query(query).bearer(OPERATOR), 404);
    }
    for name in ["create-credential", "create-client"] {
        let said = description().find(name);
        let request =
            request(said, "test", "").header("idempotency-key", "a key of sixteen".replace(' ', "-"));
        let request = request.bearer(&ada.token);
        let id = seen.ask(&edge, said, &request, 201).member("client_id");
        let mut other = said.example.clone().unwrap();
        let name_of = if name == "create-client" { "client_name" } else { "name" };
        other[name_of] = json!("Another");
        seen.ask(&edge, said, &request.clone().with_body(other.to_string()), 422);
        let gone = Call::delete(format!("{HOST}/test/api/v1{}/{id}", said.path)).bearer(&ada.token);
        assert_eq!(call(&edge, &gone).0.status(), 204);
    }
    let conflicts = |name: &str, call: Call| {
        seen.ask(&edge, description().find(name), &call, 409);
    };
    let as_operator = |name: &str, id: &str| request(description().find(name), "test", id).bearer(OPERATOR);
    conflicts("create-credential", as_operator("create-credential", ""));
    conflicts("invite-user", as_operator("invite-user", &ada.id));
    let public = json!({ "client_name": "Shop", "redirect_uris": ["https://app.example/cb"],
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none" });
    let public = post(&edge, "/clients", &public, OPERATOR).member("client_id");
    conflicts("renew-client", as_operator("renew-client", &public));
    let again = as_operator("create-client", "").header("idempotency-key", "another-key-of-these-tests");
    let again = again.with_body(json!({ "client_name": "Service" }).to_string());
    let id = seen.ask(&edge, description().find("create-client"), &again, 201).member("client_id");
    assert_eq!(call(&edge, &as_operator("renew-client", &id)).0.status(), 200);
    conflicts("create-client", again);
    for said in &description().operations {
        let seen = seen.0.borrow().get(&said.name).cloned().unwrap_or_default();
        let races = RACES.iter().filter(|(name, _)| *name == said.name).map(|(_, status)| *status);
        let seen: BTreeSet<u16> = seen.into_iter().chain(races).collect();
        assert_eq!(seen, said.statuses().collect(), "{}: answered, and described", said.name);
    }
}

/// Values of every type, and of every size that somebody may mistake for a good one.
fn odd() -> Vec<Value> {
    let texts = ["", " ", "\n", "x\0", "x\u{7f}", "a  b", " a", "\"", "ä ö", "nobody's", "*", "true", "1"];
    let mut values: Vec<Value> = texts.map(Value::from).into();
    values.extend([
        json!("x".repeat(129)),
        json!("x".repeat(3000)),
        json!("ä".repeat(101)),
        json!("1234567"),
    ]);
    values.extend([
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(60),
        json!(2_592_001),
        json!(1e30),
    ]);
    values.extend([
        json!([]),
        json!([1]),
        json!([""]),
        json!(["a b"]),
        json!([null]),
        json!([["x"]]),
        json!(["nobody"]),
    ]);
    values.extend([
        json!({}),
        json!({ "x": 1 }),
        json!({ "keys": [] }),
        json!({ "name": "" }),
        json!({ "email": "\n" }),
    ]);
    values.extend([json!({ "email_verified": "true" }), json!({ "provider": "x" }), Value::Null]);
    values
}

/// The schema that a schema refers to.
fn followed(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(to) => description().document.pointer(&to[1..]).unwrap(),
        None => schema,
    }
}

#[test]
fn a_body_that_the_description_forbids_is_refused() {
    let mut refused = 0;
    for said in &description().operations {
        let (Some(schema), Some(example)) = (&said.body, &said.example) else { continue };
        let world = World::new(CONFIG);
        let edge = world.edge();
        let good = good(&world, &edge, said);
        let mut bodies: Vec<Value> = odd();
        let with = |name: &str, value: &Value| {
            let mut next = example.clone();
            next[name] = value.clone();
            next
        };
        // What is wrong with a document of the configuration is told otherwise, and tested there.
        let Some(members) = followed(schema)["properties"].as_object() else { continue };
        for name in members.keys().map(String::as_str).chain(["x", "__proto__"]) {
            bodies.extend(odd().iter().map(|value| with(name, value)));
            let mut without = example.clone();
            without.as_object_mut().unwrap().remove(name);
            bodies.push(without);
        }
        for sent in bodies.iter().filter(|sent| !said.takes(sent)) {
            let reply = call(&edge, &good.clone().with_body(sent.to_string())).0;
            assert_eq!(reply.status(), 400, "{}: {sent}: {}", said.name, reply.answer().body);
            refused += 1;
        }
        let text = example.to_string();
        let (first, rest) = text[1..].split_once(':').unwrap();
        for sent in ["{", "", "[]", "{}}", "\u{feff}{}", &format!("{{{first}:null,{first}:{rest}")] {
            if !sent.is_empty() || is_needed(said) {
                let reply = call(&edge, &good.clone().with_body(sent)).0;
                assert_eq!(reply.status(), 400, "{}: {sent}: {}", said.name, reply.answer().body);
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// Whether an operation has to have a body.
fn is_needed(said: &Described) -> bool {
    let operation = &description().document["paths"][&said.path][said.method.to_lowercase()];
    operation["requestBody"]["required"] == true
}

#[test]
fn a_parameter_that_the_description_forbids_is_refused() {
    let texts =
        ["0", "-1", "1.5", "201", "x", "tru", "%0A", "%7F", "a%20b", "%C3%A4", "me2", "18446744073709551616"];
    let mut texts: Vec<String> = texts.map(str::to_owned).into();
    texts.extend(["x".repeat(65), "x".repeat(101), "x".repeat(3000)]);
    let mut refused = 0;
    for said in &description().operations {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let good = good(&world, &edge, said);
        for parameter in &said.parameters {
            let (name, place) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
            let shape = description().shape(&parameter["schema"]);
            for text in &texts {
                let query = format!("{name}={text}");
                let value = form_urlencoded::parse(query.as_bytes()).next().unwrap().1.into_owned();
                // Text may say a number or a truth.
                let is_good = shape.is_valid(&json!(value))
                    || serde_json::from_str(&value).is_ok_and(|value: Value| shape.is_valid(&value));
                let request = match place {
                    "query" => good.clone().with_query(&query),
                    "header" => good.clone().header(name, value.as_str()),
                    _ => continue,
                };
                if !is_good {
                    let reply = call(&edge, &request).0;
                    assert!(
                        matches!(reply.status(), 400 | 404),
                        "{} {name}: {text}: {} {}",
                        said.name,
                        reply.status(),
                        reply.answer().body
                    );
                    refused += 1;
                }
            }
            if place == "query" {
                let twice = good.clone().with_query(&format!("{name}=1&{name}=1"));
                assert!(matches!(call(&edge, &twice).0.status(), 400 | 404), "{} {name} twice", said.name);
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn the_description_says_where_it_is() {
    let world = World::new(CONFIG);
    let reply = call(&world.edge(), &Call::get(format!("{HOST}/production/api/v1/openapi.json"))).0;
    let text = &reply.answer().body;
    assert!(!text.contains("gate.example.com"), "{text}");
    assert_eq!(body(&reply)["servers"][0]["url"], format!("{HOST}/production/api/v1"));
}

/// Who asks may take the description at its word: what a token needs is where it says.
#[test]
fn a_token_is_had_where_the_description_says() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let reply = call(&edge, &Call::get(format!("{HOST}/test/api/v1/openapi.json"))).0;
    let flow = body(&reply)["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"].clone();
    let client =
        body(&post(&edge, "/clients", &json!({ "client_name": "x", "scope": "keys:manage" }), OPERATOR));
    let known = token(&edge, &client);
    assert!(known.len() > 100);
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(call(&edge, &Call::form(flow["tokenUrl"].as_str().unwrap(), form)).0.status(), 200);
}
