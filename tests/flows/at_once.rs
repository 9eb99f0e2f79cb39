//! The decision that waits for nobody is the decision, or none.

use tollgate::time::Lifetime;

use super::{CONFIG, token};
use crate::fakes::{Call, World, at_once, call};

fn get(path: &str, token: &str) -> Call {
    Call::get(format!("https://edge.example{path}")).bearer(token)
}

#[test]
fn a_repeated_token_is_decided_at_once_and_as_otherwise() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let request = get("/orders/1", &token);
    assert!(at_once(&edge, &request).is_none(), "never seen");
    let (long, _) = call(&edge, &request);
    assert_eq!(format!("{long:?}"), format!("{:?}", at_once(&edge, &request).unwrap()));
    let admin = get("/admin", &token);
    assert_eq!(at_once(&edge, &admin).unwrap().status(), 403);
    assert_eq!(at_once(&edge, &Call::get("https://edge.example/orders/1")).unwrap().status(), 401);
    assert_eq!(at_once(&edge, &Call::get("https://edge.example/nowhere")).unwrap().status(), 404);
    assert_eq!(at_once(&edge, &Call::get("https://edge.example/health")).unwrap().status(), 200);
    for path in ["/test/jwks", "/healthz", "/_tollgate/check", "//"] {
        assert!(
            at_once(&edge, &get(path, &token)).is_none(),
            "{path}: not the gateway's, or without normal form"
        );
    }
}

#[test]
fn what_would_have_to_be_waited_for_leaves_no_trace() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let request = get("/orders/1", &token);
    assert_eq!(call(&edge, &request).0.status(), 200);
    let counts = || {
        (
            world.asked_principals.get(),
            world.asked_authority.get(),
            world.verified.get(),
            world.log.borrow().len(),
        )
    };
    // The lease has a grain more, if the principal is told: telling is not to be done at once.
    world.pass(Lifetime::from_seconds(16));
    let before = counts();
    assert!(at_once(&edge, &request).is_none());
    assert_eq!(counts(), before);
    let (reply, chore) = call(&edge, &request);
    assert!(reply.status() == 200 && chore.is_some(), "the long way still owes the touch");
    assert_eq!(
        at_once(&edge, &request).unwrap().status(),
        200,
        "once it is under way, memory is enough again"
    );
    // The lease has run out.
    world.pass(Lifetime::from_seconds(15));
    assert!(at_once(&edge, &request).is_none());
    // The key set is not fresh any more; the token is known all the same.
    world.pass(Lifetime::from_seconds(300));
    assert!(at_once(&edge, &request).is_none());
}

#[test]
fn attack_52_at_once_is_no_way_around_a_check() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let request = get("/orders/1", &token);
    assert_eq!(call(&edge, &request).0.status(), 200);
    for changed in [format!("{token}A"), token[..token.len() - 1].to_owned(), token.replacen('.', "..", 1)] {
        let decided = at_once(&edge, &get("/orders/1", &changed));
        assert!(decided.is_none_or(|reply| reply.status() == 401), "not these bytes");
    }
    let twice = get("/orders/1?access_token=x", &token);
    assert_eq!(at_once(&edge, &twice).unwrap().status(), 400);
    world.lose_keys();
    world.pass(Lifetime::from_seconds(301));
    assert!(at_once(&edge, &request).is_none(), "the key set has to be asked for");
    assert_eq!(call(&edge, &request).0.status(), 401);
    assert_eq!(
        at_once(&edge, &request).unwrap().status(),
        401,
        "the key has left the set, and a hit does not help"
    );
}
