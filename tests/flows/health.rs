//! `/healthz`: what it says, that it is no lever, and when it is 503.

use serde_json::{Value, json};
use tollgate::encoding::Digest;

use super::realm::{manage, seconds};
use super::{CONFIG, gate};
use crate::fakes::{Broken, Call, Edge, Reply, World, call};

fn ask(edge: &Edge<'_>) -> (Reply, Value) {
    let reply = call(edge, &Call::get("http://anything.example/healthz")).0;
    let said = serde_json::from_str(&reply.answer().body).unwrap();
    (reply, said)
}

fn asked(world: &World) -> usize {
    world.keyrings.listed.get()
}

#[test]
fn it_says_the_versions_and_how_old_the_keys_are() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (reply, said) = ask(&edge);
    assert_eq!((reply.status(), reply.answer().header("Cache-Control")), (200, Some("no-store")));
    assert_eq!((&said["status"], &said["version"]), (&json!("ok"), &json!(env!("CARGO_PKG_VERSION"))));
    let digest = Digest::of(CONFIG.as_bytes()).to_string();
    assert_eq!(said["configuration"], json!({ "version": 0, "digest": digest }));
    let realms: Vec<&String> = said["realms"].as_object().unwrap().keys().collect();
    assert_eq!(realms, ["local", "sandbox", "test"]);
    let first = said["realms"]["test"]["keys"][0].clone();
    assert_eq!(
        (&first["state"], &first["age_seconds"], &first["alg"]),
        (&json!("active"), &json!(0), &json!("ES256"))
    );

    // The next key is not told before everybody may see it.
    let rotated = manage(&edge, Call::json("https://edge.example/test/api/v1/keys/rotate", ""));
    assert_eq!(rotated.status(), 202);
    world.pass(seconds(61));
    assert_eq!(
        ask(&edge).1["realms"]["test"]["keys"],
        json!([
            { "kid": first["kid"], "alg": "ES256", "state": "active", "age_seconds": 61 }
        ])
    );
    let open = said.to_string();
    assert!(!open.contains("issuer") && !open.contains("https://"), "{open}");
}

#[test]
fn whoever_asks_it_often_asks_nobody_else() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let before = asked(&world);
    for n in 0..200 {
        assert_eq!(ask(&edge).0.status(), 200);
        assert_eq!(asked(&world), before + 3, "one question for each realm, after {n}");
    }
    world.pass(seconds(30));
    let age = |said: &Value| said["realms"]["test"]["keys"][0]["age_seconds"].clone();
    assert_eq!(age(&ask(&edge).1), json!(30), "ages go on");
    assert_eq!(asked(&world), before + 3);
    world.pass(seconds(31));
    ask(&edge);
    assert_eq!(asked(&world), before + 6);
}

#[test]
fn what_is_known_bridges_an_outage_of_an_hour_and_nobody_asks_twice_in_five_seconds() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    assert_eq!(ask(&edge).0.status(), 200);
    world.broken.set(Some(Broken::Keyrings));
    world.pass(seconds(61));
    let before = asked(&world);
    for _ in 0..10 {
        assert_eq!(ask(&edge).0.status(), 200);
    }
    assert_eq!(asked(&world), before + 1);
    world.pass(seconds(3600));
    let (reply, said) = ask(&edge);
    assert_eq!((reply.status(), &said["reason"]), (503, &json!("no_keys")));
    assert!(said.get("realms").is_none() && !reply.answer().body.contains("injected-fault-detail"));
    assert!(
        world
            .log
            .borrow()
            .iter()
            .any(|line| line.contains("injected-fault-detail") && line.contains("healthz"))
    );
    world.broken.set(None);
    assert_eq!(ask(&edge).0.status(), 503, "nobody asks so soon");
    world.pass(seconds(6));
    assert_eq!(ask(&edge).0.status(), 200);
}

#[test]
fn a_deployment_that_lacks_something_says_so_and_names_it_in_the_log_only() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    world.lacks.set(Some("TOLLGATE_KEK"));
    let (reply, said) = ask(&edge);
    assert_eq!((reply.status(), &said["reason"]), (503, &json!("incomplete")));
    assert!(!reply.answer().body.contains("KEK"));
    let log = world.log.borrow().join("\n");
    assert!(log.contains(r#""op":"check deployment","detail":"TOLLGATE_KEK""#), "{log}");
    assert!(log.contains(r#""reason":"incomplete","status":503"#), "{log}");
    assert_eq!(asked(&world), 0);
    // One that lacks what some route asks for serves the others.
    world.lacks.set(None);
    world.unbound.set(Some("ORIGIN"));
    let (reply, said) = ask(&edge);
    assert_eq!((reply.status(), &said["status"]), (200, &json!("degraded")));
    assert!(!reply.answer().body.contains("ORIGIN"));
    assert!(world.log.borrow().join("\n").contains(r#""op":"check deployment","detail":"ORIGIN""#));
    // Who has no realm needs none of the stores.
    let bare = World::new("{}");
    bare.lacks.set(Some("TOLLGATE_KEK"));
    assert_eq!(gate(&bare.edge(), &Call::get("https://edge.example/healthz")), 200);
}
