//! The configuration while the deployment runs: `/{realm}/api/v1/config`.

use serde_json::json;

use crate::fakes::{Broken, Call, Edge, OPERATOR, Reply, World};
use crate::flows::management::{CONFIG, HOST, api, body, get, items, person, post, put, send};

/// A document like the deployed one, with something else in it.
fn other(word: &str) -> String {
    CONFIG.replace("Read orders", word)
}

fn etag(reply: &Reply) -> String {
    reply.answer().header("etag").unwrap().to_owned()
}

fn put_if(edge: &Edge<'_>, text: &str, tag: &str) -> Reply {
    send(edge, Call::put(api("/config"), text).header("if-match", tag), OPERATOR)
}

#[test]
fn what_was_deployed_counts_until_something_is_put() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let before = get(&edge, "/config", OPERATOR);
    assert_eq!((before.status(), before.answer().body.as_str()), (200, CONFIG));
    assert!(items(&get(&edge, "/config/versions", OPERATOR)).is_empty());
    let first = put(&edge, "/config", &other("First"), OPERATOR);
    assert_eq!(first.status(), 200, "{}", first.answer().body);
    assert_eq!((body(&first)["version"].as_u64(), body(&first)["current"].as_bool()), (Some(1), Some(true)));
    let now = get(&edge, "/config", OPERATOR);
    assert_eq!(now.answer().body, other("First"));
    assert_eq!(etag(&now), etag(&first));
    // The same again is no other version.
    assert_eq!(body(&put(&edge, "/config", &other("First"), OPERATOR))["version"], 1);
    let taken_up = world.taken_up.borrow().clone().unwrap();
    assert_eq!((taken_up.number, taken_up.document), (1, other("First")));
    // Every other edge reads it in KV.
    let stored = world.stored().concat();
    assert!(stored.contains("config:test"), "{stored}");
    let event = &items(&get(&edge, "/audit?action=configuration.change", OPERATOR))[0];
    assert_eq!((&event["target"]["id"], &event["actor"]["kind"]), (&json!("1"), &json!("client")));
}

#[test]
fn what_is_not_good_is_refused_with_everything_that_is_wrong_and_changes_nothing() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for (text, path) in [
        ("{".to_owned(), "(document)"),
        (CONFIG.replace("idle_seconds", "idle_secs"), "realms.test.idle_secs"),
        (CONFIG.replace(r#""managed_from": "test""#, r#""managed_from": "production""#), "managed_from"),
        (CONFIG.replace(r#""managed_from": "test","#, ""), "managed_from"),
        (
            CONFIG
                .replace(r#""managed_from": "test","#, r#""managed_from": "test", "managed_from": "test","#),
            "(document)",
        ),
    ] {
        let refused = put(&edge, "/config", &text, OPERATOR);
        assert_eq!(refused.status(), 422, "{text}");
        assert_eq!(body(&refused)["errors"][0]["path"], path, "{}", refused.answer().body);
        let looked = send(&edge, Call::json(api("/config/validate"), text), OPERATOR);
        assert_eq!((looked.status(), body(&looked)), (422, body(&refused)));
    }
    let good = send(&edge, Call::json(api("/config/validate"), other("Good")), OPERATOR);
    assert_eq!((good.status(), body(&good)), (200, json!({ "errors": [] })));
    let long = format!("{CONFIG}{}", " ".repeat(512 * 1024));
    assert_eq!(put(&edge, "/config", &long, OPERATOR).status(), 413);
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, CONFIG);
    assert!(world.taken_up.borrow().is_none());
    assert!(items(&get(&edge, "/audit?action=configuration.change", OPERATOR)).is_empty());
}

#[test]
fn nobody_overwrites_what_they_have_not_seen() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let seen = etag(&get(&edge, "/config", OPERATOR));
    assert_eq!(put_if(&edge, &other("First"), &seen).status(), 200);
    assert_eq!(put_if(&edge, &other("Second"), &seen).status(), 412);
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, other("First"));
    let seen = etag(&get(&edge, "/config", OPERATOR));
    assert_eq!(put_if(&edge, &other("Second"), &seen).status(), 200);
    let restore = Call::json(api("/config/versions/1/restore"), "").header("if-match", &seen);
    assert_eq!(send(&edge, restore, OPERATOR).status(), 412);
}

#[test]
fn versions_are_kept_and_rolled_back_to() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for number in 1..=22 {
        assert_eq!(put(&edge, "/config", &other(&number.to_string()), OPERATOR).status(), 200);
    }
    let versions = items(&get(&edge, "/config/versions", OPERATOR));
    let numbers: Vec<_> = versions.iter().map(|one| one["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (3..=22).rev().collect::<Vec<_>>());
    let current: Vec<_> = versions.iter().filter(|one| one["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["version"]), (1, &json!(22)));
    for gone in ["2", "0", "23", "03", "x"] {
        assert_eq!(get(&edge, &format!("/config/versions/{gone}"), OPERATOR).status(), 404, "{gone}");
    }
    assert_eq!(get(&edge, "/config/versions/3", OPERATOR).answer().body, other("3"));
    let restored = post(&edge, "/config/versions/3/restore", &json!({}), OPERATOR);
    assert_eq!((restored.status(), &body(&restored)["version"]), (200, &json!(23)));
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, other("3"));
}

#[test]
fn another_document_that_is_deployed_has_the_last_word() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    assert_eq!(put(&edge, "/config", &other("First"), OPERATOR).status(), 200);
    world.deployed.replace(other("Deployed"));
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, other("Deployed"));
    let known = items(&get(&edge, "/config/versions", OPERATOR));
    assert!(known.iter().all(|one| one["current"] == false), "{known:?}");
    // Until somebody puts one again.
    let seen = etag(&get(&edge, "/config", OPERATOR));
    assert_eq!(put_if(&edge, &other("Second"), &seen).status(), 200);
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, other("Second"));
}

#[test]
fn only_the_realm_that_is_named_manages_it_and_only_who_may() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let elsewhere = Call::get(format!("{HOST}/production/api/v1/config"));
    assert_eq!(send(&edge, elsewhere, OPERATOR).status(), 404);
    let (_, ada) = person(&world, &edge, "ada@example.com", &[], "credentials:manage audit:read");
    assert_eq!(put(&edge, "/config", &other("Hers"), &ada).status(), 403);
    let unmanaged = CONFIG.replace(r#""managed_from": "test","#, "");
    let world = World::new(&unmanaged);
    assert_eq!(get(&world.edge(), "/config", OPERATOR).status(), 404);
}

#[test]
fn where_storage_fails_nothing_counts_that_was_not_kept() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    world.broken.set(Some(Broken::PrincipalsBefore));
    assert_eq!(put(&edge, "/config", &other("First"), OPERATOR).status(), 503);
    assert!(world.taken_up.borrow().is_none());
    world.broken.set(None);
    assert_eq!(get(&edge, "/config", OPERATOR).answer().body, CONFIG);
}
